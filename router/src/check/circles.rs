use super::arrival::arrival;
use super::goal::{Goal, Todo};
use super::ground::Ground;
use super::search::{Answer, Question};
use super::{Example, Flaw, Severity, flaw, list, named};
use crate::condition::{Comparison, Node};
use crate::{FactId, Facts, Slug, overflow_cycles};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// How far ahead, and how finely, a circle of teams is looked at for a time when all are closed:
/// two weeks hold every week's hours twice.
const LOOK_AHEAD: SignedDuration = SignedDuration::from_hours(14 * 24);
const STEP: SignedDuration = SignedDuration::from_mins(15);
/// Longer circles are found by their parts, or not at all.
const LONGEST_CIRCLE: usize = 6;
/// Steps from edge to edge, for teams that all escalate to each other.
const MOST_STEPS: usize = 50_000;

/// An escalation from one team to another.
struct Edge<'p> {
    from: &'p Slug,
    to: &'p Slug,
    place: usize,
}

/// Finds teams that send conversations round in a circle.
pub(super) fn circles(ground: &Ground<'_>, now: Timestamp, dead: &BTreeSet<usize>) -> Vec<Flaw> {
    let mut flaws = closed_circles(ground, now, dead);
    let edges = edges(ground, dead);
    for edge in edges.iter().filter(|edge| edge.from == edge.to) {
        let what =
            format!("rule {} escalates from team {} to itself", named(ground, edge.place), edge.to);
        let mend = "leave `hand_off` out of `escalate` to keep the team";
        let mut flaw = flaw(ground, Severity::Warning, edge.place, (what, mend.into()));
        flaw.example = example(ground, edge.place);
        flaws.push(flaw);
    }
    let mut seen: BTreeSet<BTreeSet<usize>> = BTreeSet::new();
    let mut rounds = Rounds { edges: &edges, circles: Vec::new(), steps_left: MOST_STEPS };
    (0..edges.len()).for_each(|start| rounds.follow(&mut vec![start]));
    for circle in &rounds.circles {
        let circle: Vec<&Edge<'_>> = circle.iter().filter_map(|at| edges.get(*at)).collect();
        let rules = circle.iter().map(|edge| edge.place).collect();
        if seen.insert(rules) && can_meet(ground, &circle) {
            flaws.push(escalations(ground, &circle));
        }
    }
    flaws
}

fn closed_circles(ground: &Ground<'_>, now: Timestamp, dead: &BTreeSet<usize>) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let teams = ground.policy.teams();
    for circle in overflow_cycles(teams) {
        let members = || circle.iter().filter_map(|slug| ground.policy.team(slug));
        let times = std::iter::successors(Some(now), |at| at.checked_add(STEP).ok());
        let end = now.checked_add(LOOK_AHEAD).unwrap_or(Timestamp::MAX);
        let mut times = times.take_while(|at| *at < end);
        let Some(gap) = times.find(|at| !members().any(|team| team.is_open(*at))) else { continue };
        let first = teams.iter().position(|team| circle.first() == Some(&team.slug));
        let mut names: Vec<&str> = circle.iter().map(Slug::as_str).collect();
        names.extend(circle.first().map(Slug::as_str));
        flaws.push(Flaw {
            severity: Severity::Warning,
            rule: None,
            line: 0,
            key: first.map(|place| format!("team.{place}.when_closed")),
            what: format!(
                "teams stand in for each other in a circle ({}), and at {gap} all are closed",
                names.join(" → ")
            ),
            mend: "let the last one wait by leaving out its `when_closed`, or open one of them"
                .into(),
            example: circle.iter().find_map(|team| arrival(ground, team, &circle, dead)),
        });
    }
    flaws
}

fn edges<'p>(ground: &Ground<'p>, dead: &BTreeSet<usize>) -> Vec<Edge<'p>> {
    let mut edges = Vec::new();
    for (place, rule) in ground.policy.checked().iter().enumerate() {
        let escalate = rule.rule.then.escalate.as_ref().filter(|_| !dead.contains(&place));
        let Some(to) = escalate.and_then(|escalate| escalate.hand_off.as_ref()) else { continue };
        if let Some(from) = rule.team(ground.policy) {
            edges.push(Edge { from, to, place });
            continue;
        }
        let team = ground.policy.catalogue().find("conversation.team");
        let reads = rule.condition.as_ref().map_or(&[][..], |condition| condition.reads());
        let Some(team) = team.filter(|team| reads.contains(team)) else { continue };
        let from = ground.policy.teams().iter().map(|team| &team.slug);
        let from = from.filter(|from| fires_with(ground, place, team, from));
        edges.extend(from.map(|from| Edge { from, to, place }));
    }
    edges
}

fn fires_with(ground: &Ground<'_>, place: usize, team: FactId, slug: &Slug) -> bool {
    let is = Box::new([Node::Fact(team), Node::Text(slug.as_str().into())]);
    let is = Node::Compare(Comparison::Equal, is);
    let mut ways = ground.ways_to(place, false);
    ways.iter_mut().for_each(|way| way.push(Todo::new(&is, Goal::TRUE)));
    let must_not_end = ground.ends_above(place).to_vec();
    let question = Question { ways, must_not_end, ..Question::default() };
    matches!(ground.ask(&question), Answer::Found(_))
}

/// Looks for the ways along edges that end where they began.
struct Rounds<'e, 'p> {
    edges: &'e [Edge<'p>],
    /// Those found, as places of edges.
    circles: Vec<Vec<usize>>,
    steps_left: usize,
}

impl Rounds<'_, '_> {
    fn follow(&mut self, path: &mut Vec<usize>) {
        let edges = self.edges;
        let edge = |at: Option<&usize>| edges.get(*at?);
        let Some((first, last)) = edge(path.first()).zip(edge(path.last())) else { return };
        if first.from == last.to {
            if path.len() > 1 {
                self.circles.push(path.clone());
            }
            return;
        }
        if path.len() == LONGEST_CIRCLE {
            return;
        }
        for (at, next) in edges.iter().enumerate() {
            let visited =
                path.iter().any(|seen| edge(Some(seen)).is_some_and(|e| e.from == next.from));
            // A circle is followed from its first edge alone.
            let later = path.first().is_some_and(|first| *first < at);
            if next.from == last.to && !visited && later && self.steps_left > 0 {
                self.steps_left -= 1;
                path.push(at);
                self.follow(path);
                path.pop();
            }
        }
    }
}

/// Whether one conversation can meet all rules of a circle while it goes from team to team.
fn can_meet(ground: &Ground<'_>, circle: &[&Edge<'_>]) -> bool {
    let way = circle.iter().map(|edge| Todo::new(ground.condition(edge.place), Goal::TRUE));
    let facts = ground.policy.catalogue().facts().iter();
    let changing = facts.filter(|fact| fact.name.starts_with("conversation."));
    let free = changing.filter_map(|fact| ground.policy.catalogue().find(&fact.name)).collect();
    let question = Question { ways: vec![way.collect()], free, ..Question::default() };
    matches!(ground.ask(&question), Answer::Found(_))
}

fn escalations(ground: &Ground<'_>, circle: &[&Edge<'_>]) -> Flaw {
    let first = circle.first().map_or(0, |edge| edge.place);
    let mut names: Vec<&str> = circle.iter().map(|edge| edge.from.as_str()).collect();
    names.extend(circle.first().map(|edge| edge.from.as_str()));
    let places: Vec<usize> = circle.iter().map(|edge| edge.place).collect();
    let what = format!(
        "escalations send a conversation round in a circle, {}: rules {}",
        names.join(" → "),
        list(ground, &places)
    );
    let mend = "let one of them escalate to a team outside of the circle, or raise the priority \
                instead";
    let mut flaw = flaw(ground, Severity::Error, first, (what, mend.into()));
    flaw.example = example(ground, first);
    flaw
}

/// A conversation in which a rule fires.
fn example(ground: &Ground<'_>, place: usize) -> Option<Example> {
    let above = ground.ends_above(place);
    let question = Question {
        ways: ground.ways_to(place, false),
        must_not_end: above.to_vec(),
        ..Question::default()
    };
    let Answer::Found(facts) = ground.ask(&question) else { return None };
    let fires = |facts: &Facts| {
        Goal::TRUE.takes(ground.condition(place).verdict(facts))
            && ground.first_end(above, facts).is_none()
    };
    Example::of(ground, facts, &fires)
}

use super::goal::{Goal, Todo};
use super::ground::Ground;
use super::search::{Answer, Question};
use super::{Example, Flaw, Severity, flaw, list, named};
use crate::condition::Node;
use crate::walk::Moment;
use crate::{Effects, FactId, Facts};
use std::collections::{BTreeMap, BTreeSet};

/// What came of looking for conversations in which each rule fires.
pub(super) struct Reach {
    pub(super) flaws: Vec<Flaw>,
    /// Rules, by place, for which there is none.
    pub(super) dead: BTreeSet<usize>,
}

/// Why no conversation makes a rule fire while the bot is responsible.
struct Shadow {
    place: usize,
    /// The rules above that settle all conversations that it fits; none: it fits none.
    by: Vec<usize>,
    /// Whether it fires while a person is responsible.
    when_held: bool,
}

/// Finds the rules that no conversation makes fire.
pub(super) fn reach(ground: &Ground<'_>) -> Reach {
    let mut flaws = Vec::new();
    let mut shadows = Vec::new();
    let mut open = Vec::new();
    for (place, rule) in ground.policy.checked().iter().enumerate() {
        match shadow(ground, place) {
            Ok(None) => {}
            Ok(Some(shadow)) => shadows.push(shadow),
            Err(Undecided) if !rule.built_in() => open.push(place),
            Err(Undecided) => {}
        }
    }
    flaws.extend(undecided(ground, &open));
    let dead = shadows.iter().filter(|shadow| !shadow.when_held).map(|shadow| shadow.place);
    let dead = dead.collect();
    let (under_all, others): (Vec<Shadow>, Vec<Shadow>) =
        shadows.into_iter().partition(|shadow| fits_all(ground, &shadow.by));
    let mut grouped: BTreeMap<usize, Vec<Shadow>> = BTreeMap::new();
    for shadow in under_all {
        grouped.entry(shadow.by.first().copied().unwrap_or_default()).or_default().push(shadow);
    }
    flaws.extend(grouped.iter().map(|(all, below)| covered(ground, *all, below)));
    for shadow in others.iter().filter(|shadow| !ground.rule(shadow.place).built_in()) {
        flaws.push(match shadow.by.as_slice() {
            [] => never_fits(ground, shadow.place),
            _ => preempted(ground, shadow),
        });
    }
    Reach { flaws, dead }
}

struct Undecided;

fn shadow(ground: &Ground<'_>, place: usize) -> Result<Option<Shadow>, Undecided> {
    let question = |only_bot, rules: &[usize]| Question {
        ways: ground.ways_to(place, only_bot),
        must_not_end: rules.to_vec(),
        ..Question::default()
    };
    let above = ground.ends_above(place);
    let mut by = match ground.ask(&question(true, above)) {
        Answer::Found(_) => return Ok(None),
        Answer::Impossible(by) => by,
        Answer::Unsure => return Err(Undecided),
    };
    let when_held = match ground.ask(&question(false, above)) {
        Answer::Found(_) => true,
        Answer::Impossible(_) => false,
        Answer::Unsure => return Err(Undecided),
    };
    if when_held && asks_for_owner(ground, place) || !when_held && by_time(ground, place) {
        return Ok(None);
    }
    // What is not needed for the proof is not to blame.
    let mut at = 0;
    while at < by.len() && by.len() > 1 && at < MOST_BLAMED {
        let fewer: Vec<usize> =
            by.iter().enumerate().filter(|(n, _)| *n != at).map(|(_, rule)| *rule).collect();
        match ground.ask(&question(true, &fewer)) {
            Answer::Impossible(_) => by = fewer,
            _ => at += 1,
        }
    }
    if by.len() == 1 && matches!(ground.ask(&question(true, &[])), Answer::Impossible(_)) {
        by.clear();
    }
    Ok(Some(Shadow { place, by, when_held }))
}

/// Rules that are looked at one by one for whether they are to blame.
const MOST_BLAMED: usize = 12;

fn asks_for_owner(ground: &Ground<'_>, place: usize) -> bool {
    let rule = ground.rule(place);
    let of_people = ["conversation.owner", "conversation.team", "conversation.waiting_minutes"];
    let asks = of_people.iter().any(|name| {
        let id = ground.policy.catalogue().find(name);
        let reads = rule.condition.as_ref().map_or(&[][..], |condition| condition.reads());
        id.is_some_and(|id| reads.contains(&id))
    });
    asks || rule.rule.then.return_to_bot
}

/// Whether the rule hands off by time what people hold, see [`crate::overdue()`].
fn by_time(ground: &Ground<'_>, place: usize) -> bool {
    if !ground.rule(place).hands_off_by_time(ground.policy) {
        return false;
    }
    let above = (0..place).filter(|at| ground.rule(*at).hands_off_by_time(ground.policy));
    let question = Question {
        ways: ground.ways_when_held(place, above),
        must_not_end: ground.ends_above(place).to_vec(),
        ..Question::default()
    };
    matches!(ground.ask(&question), Answer::Found(_))
}

/// Whether the rule that is to blame alone ends the reading of every conversation of the bot.
fn fits_all(ground: &Ground<'_>, by: &[usize]) -> bool {
    let [only] = by else { return false };
    let node = ground.condition(*only);
    let question =
        Question { ways: vec![vec![Todo::new(node, Goal::NOT_TRUE)]], ..Question::default() };
    matches!(ground.ask(&question), Answer::Impossible(_))
}

/// Says once of which rules it is not known whether they can fire.
fn undecided(ground: &Ground<'_>, places: &[usize]) -> Option<Flaw> {
    let what = format!(
        "no example was found of a conversation that makes these rules fire, and no proof that \
         there is none: {}",
        list(ground, places)
    );
    let mend = "try them with conversations of your own, or make their conditions plainer";
    Some(flaw(ground, Severity::Warning, *places.first()?, (what, mend.into())))
}

const UNLESS_HELD: &str = " (some do while a person is responsible)";

fn covered(ground: &Ground<'_>, all: usize, below: &[Shadow]) -> Flaw {
    let is_built_in = |shadow: &&Shadow| ground.rule(shadow.place).built_in();
    let own = below.iter().filter(|shadow| !is_built_in(shadow)).map(|shadow| shadow.place);
    let built_in = below.iter().filter(is_built_in).map(|shadow| shadow.place);
    let (own, built_in): (Vec<usize>, Vec<usize>) = (own.collect(), built_in.collect());
    let severity = if own.is_empty() { Severity::Warning } else { Severity::Error };
    let does = if ground.rule(all).settles.is_some() { "settles" } else { "stops at" };
    let places = if own.is_empty() { &built_in } else { &own };
    let kind = if own.is_empty() { "built-in rules" } else { "rules" };
    let what = format!(
        "rule {} fits every conversation and {does} it, so these {kind} below it never fire{}: {}",
        named(ground, all),
        if below.iter().any(|s| s.when_held && places.contains(&s.place)) {
            UNLESS_HELD
        } else {
            ""
        },
        list(ground, places)
    );
    let mend = match own.is_empty() {
        true => "give it a `when`, or leave what nobody looks after to fallback_team",
        false => "give it a `when`, or move it below them",
    };
    let mut flaw = flaw(ground, severity, all, (what, mend.into()));
    flaw.example = places.first().and_then(|place| instead(ground, *place));
    flaw
}

/// A conversation that a rule fits although another rule takes it.
fn instead(ground: &Ground<'_>, place: usize) -> Option<Example> {
    let question = Question { ways: ground.ways_to(place, true), ..Question::default() };
    let Answer::Found(facts) = ground.ask(&question) else { return None };
    let fits = |facts: &Facts| {
        Goal::TRUE.takes(ground.condition(place).verdict(facts))
            && ground.first_end(ground.ends_above(place), facts).is_some()
    };
    Example::of(ground, facts, &fits)
}

fn preempted(ground: &Ground<'_>, shadow: &Shadow) -> Flaw {
    let Shadow { place, by, when_held } = shadow;
    let what = format!(
        "rule {} {}: every conversation that it fits is settled before by {}",
        named(ground, *place),
        if *when_held { "fires only while a person is responsible" } else { "never fires" },
        list(ground, by)
    );
    let built_in = by.iter().find(|rule| ground.rule(**rule).built_in());
    let mend = match (built_in, by.as_slice()) {
        (Some(rule), _) => format!(
            "delete it, or do without the built-in rule by `without = [{:?}]` under [ladder]",
            ground.rule(*rule).rule.name
        ),
        (None, [_]) => "move it above that rule, make that one narrower, or delete this one".into(),
        (None, _) => "move it above those rules, make them narrower, or delete this one".into(),
    };
    let severity = if *when_held { Severity::Warning } else { Severity::Error };
    let mut flaw = flaw(ground, severity, *place, (what, mend));
    flaw.example = instead(ground, *place);
    flaw
}

/// Explains a rule that fits no conversation, or whose act is not open whenever it fits one.
fn never_fits(ground: &Ground<'_>, place: usize) -> Flaw {
    let node = ground.condition(place);
    let can = |parts: &[&Node]| {
        let way = parts.iter().map(|part| Todo::new(part, Goal::TRUE)).collect();
        ground.ask(&Question { ways: vec![way], ..Question::default() })
    };
    if let Answer::Found(facts) = can(&[node]) {
        return blocked(ground, place, &facts);
    }
    let mut parts = Vec::new();
    conjuncts(node, &mut parts);
    let mut at = 0;
    while at < parts.len() && parts.len() > 1 {
        let mut fewer = parts.clone();
        fewer.remove(at);
        match can(&fewer) {
            Answer::Impossible(_) => parts = fewer,
            _ => at += 1,
        }
    }
    let mut about: Vec<FactId> = Vec::new();
    parts.iter().for_each(|part| {
        part.visit(&mut |node| {
            if let Node::Fact(id) | Node::Has(id) = node
                && !about.contains(id)
            {
                about.push(*id);
            }
        });
    });
    let open = about.iter().find_map(|id| ground.always_open(*id));
    let names: Vec<&str> =
        about.iter().map(|id| ground.policy.catalogue().fact(*id).name.as_str()).collect();
    let (why, mend) = match (open, names.as_slice()) {
        (Some(team), _) => (
            format!("team {} has no hours, so it is always open", team.slug),
            "give the team its hours, or delete the rule",
        ),
        (None, []) => ("its condition is false".into(), "mend the condition, or delete the rule"),
        (None, names) => (
            format!("what its condition asks of {} cannot be", names.join(" and ")),
            "mend the condition, or delete the rule",
        ),
    };
    let what = format!("rule {} never fires: {why}", named(ground, place));
    let mut flaw = flaw(ground, Severity::Error, place, (what, mend.into()));
    flaw.example = nearly(ground, place, &parts);
    flaw
}

/// A conversation that a rule does not fit, though all of the parts hold but one.
fn nearly(ground: &Ground<'_>, place: usize, parts: &[&Node]) -> Option<Example> {
    (0..parts.len()).rev().find_map(|without| {
        let others = parts.iter().enumerate().filter(|(at, _)| *at != without);
        let way: Vec<Todo<'_>> = others.map(|(_, part)| Todo::new(part, Goal::TRUE)).collect();
        let question = Question { ways: vec![way.clone()], ..Question::default() };
        let Answer::Found(facts) = ground.ask(&question) else { return None };
        let shows = |facts: &Facts| {
            way.iter().all(|part| part.goal.takes(part.node.verdict(facts)))
                && !Goal::TRUE.takes(ground.condition(place).verdict(facts))
        };
        Example::of(ground, facts, &shows)
    })
}

/// Takes a condition apart into what must hold all together.
pub(super) fn conjuncts<'n>(node: &'n Node, into: &mut Vec<&'n Node>) {
    match node {
        Node::And(pair) => pair.iter().for_each(|side| conjuncts(side, into)),
        node => into.push(node),
    }
}

fn blocked(ground: &Ground<'_>, place: usize, facts: &Facts) -> Flaw {
    let rule = ground.rule(place);
    let why = Moment::of(ground.policy, facts).blocks(rule, &Effects::default());
    let why = why.unwrap_or("it is not open to the bot");
    let what =
        format!("rule {} never does what it says: whenever it fits, {why}", named(ground, place));
    let mend = match why {
        "a person is responsible" => "add `return_to_bot = true`, or ask for the bot's own",
        _ => "ask for the opposite, or hand off instead",
    };
    let mut flaw = flaw(ground, Severity::Error, place, (what, mend.into()));
    let fits = |facts: &Facts| Goal::TRUE.takes(ground.condition(place).verdict(facts));
    flaw.example = Example::of(ground, facts.clone(), &fits);
    flaw
}

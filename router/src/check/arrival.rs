use super::Example;
use super::ground::Ground;
use super::search::{Answer, Question};
use crate::{Act, Facts, Finding, Reason, Slug, Team, Value, judge};
use std::collections::BTreeSet;

/// Looks for a conversation that is handed to a team while `closed` are closed: by a rule, by a
/// topic, by a phrase, or because nobody else takes it. It waits there, or another stands in.
pub(super) fn arrival(
    ground: &Ground<'_>,
    team: &Slug,
    closed: &[Slug],
    dead: &BTreeSet<usize>,
) -> Option<Example> {
    let policy = ground.policy;
    let shows = |facts: &Facts| {
        closed.iter().all(|slug| open(ground, slug, facts) == Some(false))
            && comes_to(ground, team, facts)
    };
    let with = |mut facts: Facts| {
        for slug in closed {
            put(ground, &mut facts, &format!("open({:?})", slug.as_str()), Value::Truth(false));
        }
        Example::of(ground, facts, &shows)
    };
    let rules = policy.checked().iter().enumerate();
    let rules =
        rules.filter(|(place, rule)| !dead.contains(place) && rule.team(policy) == Some(team));
    let mut by_rule = rules.filter_map(|(place, _)| fires(ground, place));
    let topics = policy.topics().iter().filter(|topic| topic.team.as_ref() == Some(team));
    let mut by_topic = topics.map(|topic| {
        let mut facts = asking(ground);
        put(ground, &mut facts, "topic.name", Value::text(topic.slug.as_str()));
        put(ground, &mut facts, "topic.confidence", Value::Number(1.0));
        facts
    });
    let phrases = policy.team(team).map_or(&[][..], |team| team.owns.written());
    let mut by_phrase = phrases.iter().map(|phrase| {
        let mut facts = asking(ground);
        put(ground, &mut facts, "message.text", Value::text(phrase.trim_end_matches('*')));
        facts
    });
    let found = by_rule.find_map(with).or_else(|| by_topic.find_map(with));
    let found = found.or_else(|| by_phrase.find_map(with)).or_else(|| with(asking(ground)));
    found.or_else(|| stands_in(ground, team, closed, dead))
}

/// Looks for a conversation that comes to a team because it stands in for another.
fn stands_in(
    ground: &Ground<'_>,
    team: &Slug,
    closed: &[Slug],
    dead: &BTreeSet<usize>,
) -> Option<Example> {
    let mut others = ground.policy.teams().iter();
    others.find_map(|other| {
        let leads = other.when_closed.as_ref() == Some(team) && !closed.contains(&other.slug);
        let closed: Vec<Slug> = closed.iter().chain([&other.slug]).cloned().collect();
        leads.then(|| arrival(ground, &other.slug, &closed, dead)).flatten()
    })
}

/// A conversation that names a team, asks for a person, and is handed to another one.
pub(super) fn elsewhere(ground: &Ground<'_>, team: &Team) -> Option<Example> {
    let mut facts = asking(ground);
    put(ground, &mut facts, "message.text", Value::text(team.name.as_str()));
    let found = facts.clone();
    Example::of(ground, facts, &|other| *other == found && !comes_to(ground, &team.slug, other))
}

fn fires(ground: &Ground<'_>, place: usize) -> Option<Facts> {
    let question = Question {
        ways: ground.ways_to(place, false),
        must_not_end: ground.ends_above(place).to_vec(),
        ..Question::default()
    };
    let Answer::Found(facts) = ground.ask(&question) else { return None };
    Some(facts)
}

/// A conversation whose customer asks for a person.
fn asking(ground: &Ground<'_>) -> Facts {
    let mut facts = ground.plain.clone();
    put(ground, &mut facts, "wants_person", Value::Truth(true));
    facts
}

fn comes_to(ground: &Ground<'_>, team: &Slug, facts: &Facts) -> bool {
    let decision = judge(ground.policy, facts, &Finding::Nothing);
    let Act::HandOff { team: reached, .. } = decision.act() else { return false };
    let passed = decision.reasons().iter().any(|reason| match reason {
        Reason::Closed(closed) | Reason::StandsIn { closed, .. } => closed == team,
        _ => false,
    });
    reached == team || passed
}

fn open(ground: &Ground<'_>, team: &Slug, facts: &Facts) -> Option<bool> {
    let id = ground.policy.catalogue().find(&format!("open({:?})", team.as_str()))?;
    facts.get(id).map(|value| *value == Value::Truth(true))
}

fn put(ground: &Ground<'_>, facts: &mut Facts, name: &str, value: Value) {
    if let Some(id) = ground.policy.catalogue().find(name) {
        facts.put(id, Some(value));
    }
}

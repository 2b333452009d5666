use super::arrival::{arrival, elsewhere};
use super::ground::Ground;
use super::{Flaw, Severity};
use crate::rule::OWNER;
use crate::{Assignment, Policy, Slug, Team};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// A team that does not open for so long is not one that is waited for.
const YEAR: SignedDuration = SignedDuration::from_hours(24 * 366);

/// Finds teams that cannot take conversations, and those that never get any.
pub(super) fn teams(ground: &Ground<'_>, now: Timestamp, dead: &BTreeSet<usize>) -> Vec<Flaw> {
    let policy = ground.policy;
    let reached = reached(policy);
    let mut flaws = Vec::new();
    for (n, team) in policy.teams().iter().enumerate() {
        let name = team.slug.as_str();
        let mut say = |severity, key: &str, text: (String, &str), example| {
            let (what, mend) = (text.0, text.1.to_string());
            let key = Some(format!("team.{n}.{key}"));
            flaws.push(Flaw { severity, rule: None, line: 0, key, what, mend, example });
        };
        let arrives = || arrival(ground, &team.slug, &[], dead);
        if never_opens(team, now) {
            let what = format!("team {name:?} is not open at any time in the next year");
            let mend = "give it open hours, or leave `hours` out for always";
            let closed = std::slice::from_ref(&team.slug);
            let example = arrival(ground, &team.slug, closed, dead);
            let example = example.or_else(|| elsewhere(ground, team));
            say(Severity::Error, "hours", (what, mend), example);
        }
        if let Some(why) = assigns_nobody(team) {
            let what = format!("team {name:?} assigns its conversations by itself, but {why}");
            let mend = "add a member who can take them, or set it to manual";
            say(Severity::Error, "assignment", (what, mend), arrives());
        }
        let mute = !team.members.is_empty() && team.members.iter().all(|member| !member.may_reply);
        if mute && team.slug == *policy.fallback_team() && team.assignment == Assignment::Manual {
            let what = format!(
                "team {name:?} takes what nobody else looks after, but none of its members may \
                 reply to customers"
            );
            let mend = "let a member reply, or name another fallback_team";
            say(Severity::Error, "slug", (what, mend), arrives());
        }
        if !reached.contains(&team.slug) {
            let what = format!(
                "team {name:?} gets no conversations: no rule, topic, phrase of its own or other \
                 team leads to it"
            );
            let mend = "name it in a rule or under a topic, or delete it";
            say(Severity::Warning, "slug", (what, mend), elsewhere(ground, team));
        }
    }
    flaws
}

fn never_opens(team: &Team, now: Timestamp) -> bool {
    let Some(hours) = &team.hours else { return false };
    let end = now.checked_add(YEAR).unwrap_or(Timestamp::MAX);
    hours.next_opening(now).is_none_or(|opening| opening > end)
}

fn assigns_nobody(team: &Team) -> Option<&'static str> {
    if team.assignment == Assignment::Manual {
        return None;
    }
    if team.members.is_empty() {
        return Some("it has no members");
    }
    let mut who_reply = team.members.iter().filter(|member| member.may_reply).peekable();
    if who_reply.peek().is_none() {
        return Some("none of its members may reply to customers");
    }
    let full = who_reply.all(|member| team.capacity_of(member) == Some(0));
    full.then_some("none of its members has capacity")
}

/// Returns the teams that conversations can come to.
fn reached(policy: &Policy) -> BTreeSet<&Slug> {
    let mut reached = BTreeSet::from([policy.fallback_team()]);
    reached.extend(policy.topics().iter().filter_map(|topic| topic.team.as_ref()));
    let owners = policy.teams().iter().filter(|team| !team.owns.is_empty());
    reached.extend(owners.map(|team| &team.slug));
    for rule in policy.checked() {
        reached.extend(rule.team(policy).filter(|team| team.as_str() != OWNER));
        let escalation = rule.rule.then.escalate.as_ref();
        reached.extend(escalation.and_then(|escalate| escalate.hand_off.as_ref()));
    }
    let mut open: Vec<&Slug> = reached.iter().copied().collect();
    while let Some(team) = open.pop().and_then(|slug| policy.team(slug)) {
        let next = team.when_closed.as_ref().filter(|next| reached.insert(next));
        open.extend(next);
    }
    reached
}

use crate::walk::{self, Until, Walk};
use crate::{
    Act, Confidence, Decision, Effects, Facts, Permission, Policy, Priority, Reason, Reply, Slug,
    Unsure, Value,
    owner::{Chosen, in_charge, owner},
    rule::{CheckedRule, Settle},
};

/// What the path found out about a question after triage.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// A draft with sources, and the probability that it is right.
    Draft(Confidence),
    /// Nothing to draft from.
    Nothing,
    /// The question says too little to search for.
    TooVague,
    /// A part of the path failed; names the part, never customer data.
    Failed(String),
}

/// What is done, with the deciding reason and further ones.
pub(crate) type Verdict = (Act, Reason, Vec<Reason>);

/// Settles before anything is drafted what needs no draft. Rules are read in their order up to the
/// first whose condition depends on the answer; what [`judge`] would decide for every possible
/// finding alike is decided here.
pub fn triage(policy: &Policy, facts: &Facts) -> Option<Decision> {
    let walk = walk::walk(policy, facts, Until::NeedsDraft, &mut |_, _| {});
    if walk.needs_draft {
        return None;
    }
    let verdict = settled(policy, facts, &walk)?;
    Some(decision(policy, verdict, walk))
}

/// Decides about a question by what was found: the rules first, in their order; where they settle
/// nothing, a draft goes out when it may and its confidence reaches the threshold, and in every
/// other case the bot asks, offers a person, or a team becomes responsible.
pub fn judge(policy: &Policy, facts: &Facts, finding: &Finding) -> Decision {
    judge_seen(policy, facts, finding, &mut |_, _| {})
}

/// Judges, and tells `see` what became of each rule.
pub(crate) fn judge_seen<'a>(
    policy: &'a Policy,
    facts: &Facts,
    finding: &Finding,
    see: &mut impl FnMut(&'a CheckedRule, walk::Outcome),
) -> Decision {
    let facts = with_finding(policy, facts, finding);
    let walk = walk::walk(policy, &facts, Until::End, see);
    let verdict = settled(policy, &facts, &walk)
        .unwrap_or_else(|| climb(policy, &facts, &walk.effects, finding));
    decision(policy, verdict, walk)
}

/// Returns what is known of a conversation once `finding` is.
pub fn with_finding(policy: &Policy, facts: &Facts, finding: &Finding) -> Facts {
    let mut facts = facts.clone();
    let mut put = |name: &str, value: Value| {
        if let Some(id) = policy.catalogue().find(name) {
            facts.put(id, Some(value));
        }
    };
    match finding {
        Finding::Draft(confidence) => {
            put("answer.found", Value::Truth(true));
            put("answer.confidence", Value::Number(confidence.value()));
        }
        Finding::Nothing => put("answer.found", Value::Truth(false)),
        // Whether there is an answer is not known: rules about it do not fire, people take over.
        Finding::TooVague | Finding::Failed(_) => {}
    }
    facts
}

pub(crate) fn decision(policy: &Policy, verdict: Verdict, walk: Walk<'_>) -> Decision {
    let (act, first, more) = verdict;
    let mut effects = walk.effects;
    if let Some(team) = act.team() {
        let promised = policy.team(team).and_then(|team| team.sla.clone());
        effects.sla = effects.sla.or(promised);
    }
    if let Act::DraftOnly { .. } = &act {
        // The reply that they went with is not sent.
        effects.close = false;
        effects.snooze = None;
    }
    Decision::new(act, first, more).with(effects, walk.fired)
}

/// Says what the rules alone settle, or the state of the conversation.
fn settled(policy: &Policy, facts: &Facts, walk: &Walk<'_>) -> Option<Verdict> {
    if let Some(rule) = walk.settled {
        return Some(by_rule(policy, facts, rule, &walk.effects));
    }
    if walk::is_held(policy, facts) && !walk.effects.return_to_bot {
        return Some((Act::Hold, Reason::Held, Vec::new()));
    }
    let text = policy.catalogue().find("message.text").and_then(|id| facts.get(id));
    match text {
        Some(Value::Text(text)) if text.as_str().trim().is_empty() => {
            Some(hand_off(policy, facts, &walk.effects, Reason::Empty))
        }
        _ => None,
    }
}

pub(crate) fn by_rule(
    policy: &Policy,
    facts: &Facts,
    rule: &CheckedRule,
    effects: &Effects,
) -> Verdict {
    let reason = Reason::Rule(rule.rule.name.clone());
    let act = match &rule.settles {
        Some(Settle::Reply(reply)) => Act::Reply(Reply::Canned(reply.clone())),
        Some(Settle::Clarify(question)) => Act::Clarify(Some(question.clone())),
        Some(Settle::Offer) => Act::Offer,
        Some(Settle::Close) => Act::Resolve,
        Some(Settle::Rest) => return (Act::Hold, reason, Vec::new()),
        Some(Settle::Ignore) => return (Act::Ignore, reason, Vec::new()),
        Some(Settle::HandOff { teammate, .. }) => {
            let chosen = match rule.team(policy) {
                Some(team) => in_charge(policy, facts, team.clone(), None),
                None => owner(policy, facts),
            };
            // A teammate is named for their own team; whoever stands in for it chooses anew.
            let teammate = teammate.clone().filter(|teammate| {
                policy.team(&chosen.team).is_some_and(|team| team.member(teammate).is_some())
            });
            return to(chosen, teammate, effects, reason);
        }
        None => return hand_off(policy, facts, effects, reason),
    };
    spoken(policy, facts, act, reason)
}

/// Turns what would be said to the customer into a draft for the team that looks after the question,
/// for a channel on which the bot cannot speak; `why` comes first among the reasons of a draft. What
/// goes to people anyway is left as it is.
pub fn keep_back(policy: &Policy, facts: &Facts, decision: Decision, why: Reason) -> Decision {
    let (team, chosen) = match decision.act() {
        Act::Reply(_) | Act::Clarify(_) | Act::Offer | Act::Resolve => {
            let Chosen { team, why } = owner(policy, facts);
            (team, why)
        }
        Act::DraftOnly { team } => (team.clone(), Vec::new()),
        Act::HandOff { .. } | Act::Hold | Act::Ignore => return decision,
    };
    let more = decision.reasons().iter().cloned().chain(chosen);
    let mut effects = decision.effects().clone();
    effects.close = false;
    effects.snooze = None;
    let fired = decision.fired().to_vec();
    Decision::new(Act::DraftOnly { team }, why, more).with(effects, fired)
}

/// Turns what would be handed to a teammate in person into a handoff to the team; `why` comes second
/// among the reasons.
pub fn to_team(decision: Decision, why: Reason) -> Decision {
    let Act::HandOff { team, teammate: Some(_), priority } = decision.act() else {
        return decision;
    };
    let act = Act::HandOff { team: team.clone(), teammate: None, priority: *priority };
    let mut reasons = decision.reasons().iter().cloned();
    let Some(first) = reasons.next() else { return decision };
    let more: Vec<Reason> = std::iter::once(why).chain(reasons).collect();
    let (effects, fired) = (decision.effects().clone(), decision.fired().to_vec());
    Decision::new(act, first, more).with(effects, fired)
}

/// Keeps the bot silent where it may not write to customers.
fn spoken(policy: &Policy, facts: &Facts, act: Act, reason: Reason) -> Verdict {
    if policy.speaks() {
        return (act, reason, Vec::new());
    }
    let Chosen { team, why } = owner(policy, facts);
    let more = std::iter::once(reason).chain(why).collect();
    (Act::DraftOnly { team }, Reason::DraftsOnly, more)
}

/// The ladder, where no rule settles anything: answer, ask once, offer a person once, hand off.
fn climb(policy: &Policy, facts: &Facts, effects: &Effects, finding: &Finding) -> Verdict {
    let threshold = effects.threshold.unwrap_or(policy.threshold());
    let confidence = match finding {
        Finding::Draft(confidence) => *confidence,
        Finding::Nothing => return unsure(policy, facts, effects, Reason::NothingFound),
        Finding::Failed(what) => {
            return hand_off(policy, facts, effects, Reason::Unavailable(what.clone()));
        }
        Finding::TooVague if is(policy, facts, "conversation.clarified") => {
            return unsure(policy, facts, effects, Reason::AskedBefore);
        }
        Finding::TooVague if effects.answer.is_some_and(|a| a != Permission::Allowed) => {
            return hand_off(policy, facts, effects, Reason::Forbidden);
        }
        Finding::TooVague if policy.speaks() => {
            return (Act::Clarify(None), Reason::TooVague, Vec::new());
        }
        Finding::TooVague => return hand_off(policy, facts, effects, Reason::TooVague),
    };
    let sure = confidence >= threshold;
    let reason = match sure {
        true => Reason::Confident { confidence, threshold },
        false => Reason::NotConfident { confidence, threshold },
    };
    let ordered = if policy.speaks() { Permission::Allowed } else { Permission::Draft };
    match effects.answer.filter(|_| policy.speaks()).unwrap_or(ordered) {
        _ if effects.answer == Some(Permission::Never) => {
            hand_off(policy, facts, effects, Reason::Forbidden)
        }
        Permission::Allowed if sure => (Act::Reply(Reply::Draft), reason, Vec::new()),
        Permission::Allowed => unsure(policy, facts, effects, reason),
        Permission::Draft | Permission::Never => {
            let Chosen { team, why } = owner(policy, facts);
            let first = if policy.speaks() { Reason::Forbidden } else { Reason::DraftsOnly };
            let more = std::iter::once(reason).chain(why).collect();
            (Act::DraftOnly { team }, first, more)
        }
    }
}

fn unsure(policy: &Policy, facts: &Facts, effects: &Effects, reason: Reason) -> Verdict {
    let forbidden = effects.answer.is_some_and(|answer| answer != Permission::Allowed);
    if policy.ladder().unsure == Unsure::HandOff || forbidden || !policy.speaks() {
        return hand_off(policy, facts, effects, reason);
    }
    if is(policy, facts, "conversation.offered") {
        let (act, first, mut more) = hand_off(policy, facts, effects, reason);
        more.insert(0, Reason::OfferedBefore);
        return (act, first, more);
    }
    (Act::Offer, reason, Vec::new())
}

fn hand_off(policy: &Policy, facts: &Facts, effects: &Effects, reason: Reason) -> Verdict {
    to(owner(policy, facts), None, effects, reason)
}

fn to(chosen: Chosen, teammate: Option<Slug>, effects: &Effects, reason: Reason) -> Verdict {
    let priority = effects.priority.unwrap_or(Priority::Normal);
    (Act::HandOff { team: chosen.team, teammate, priority }, reason, chosen.why)
}

fn is(policy: &Policy, facts: &Facts, name: &str) -> bool {
    let value = policy.catalogue().find(name).and_then(|id| facts.get(id));
    matches!(value, Some(Value::Truth(true)))
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

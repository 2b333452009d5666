use crate::{Act, Confidence, Decision, Policy, Priority, Reason, Rule, Slug};

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

/// Settles before anything is written what the rules alone can settle: the first rule that
/// matches the last message decides, and an empty message needs no answer but a person.
pub fn triage(policy: &Policy, message: &str) -> Option<Decision> {
    if message.trim().is_empty() {
        return Some(hand_off(policy, message, Reason::Empty));
    }
    policy.rules().iter().find(|rule| rule.when.any_words.find(message).is_some()).map(|rule| {
        let Rule { name, then, .. } = rule;
        let act = Act::HandOff { team: then.hand_off.clone(), priority: then.priority };
        Decision::new(act, Reason::Rule(name.clone()), [])
    })
}

/// Decides about a question by what was found: a draft goes out when its confidence reaches the
/// policy's threshold, and in every other case a team becomes responsible.
pub fn judge(policy: &Policy, message: &str, finding: &Finding) -> Decision {
    let threshold = policy.threshold;
    match finding {
        Finding::Draft(confidence) if !policy.replies => {
            let (team, why) = owner(policy, message);
            let reason = if *confidence >= threshold {
                Reason::Confident { confidence: *confidence, threshold }
            } else {
                Reason::NotConfident { confidence: *confidence, threshold }
            };
            Decision::new(Act::DraftOnly { team }, Reason::DraftsOnly, [reason, why])
        }
        Finding::Draft(confidence) if *confidence >= threshold => {
            Decision::new(Act::Reply, Reason::Confident { confidence: *confidence, threshold }, [])
        }
        Finding::Draft(confidence) => {
            hand_off(policy, message, Reason::NotConfident { confidence: *confidence, threshold })
        }
        Finding::Nothing => hand_off(policy, message, Reason::NothingFound),
        Finding::TooVague if !policy.replies => hand_off(policy, message, Reason::TooVague),
        Finding::TooVague => Decision::new(Act::Clarify, Reason::TooVague, []),
        Finding::Failed(what) => hand_off(policy, message, Reason::Unavailable(what.clone())),
    }
}

fn hand_off(policy: &Policy, message: &str, reason: Reason) -> Decision {
    let (team, why) = owner(policy, message);
    Decision::new(Act::HandOff { team, priority: Priority::Normal }, reason, [why])
}

/// Finds the team whose longest phrase the message holds; the earlier team wins a tie.
fn owner(policy: &Policy, message: &str) -> (Slug, Reason) {
    let owners = policy.teams().iter().filter_map(|t| Some((t, t.owns.find(message)?)));
    match owners.reduce(|best, next| if next.1.len() > best.1.len() { next } else { best }) {
        Some((team, phrase)) => {
            let reason = Reason::Owns { team: team.slug.clone(), phrase: phrase.into() };
            (team.slug.clone(), reason)
        }
        None => (policy.fallback_team().clone(), Reason::FallbackTeam),
    }
}

#[cfg(test)]
mod tests;

use super::{InHand, shift};
use crate::webhook;
use jiff::Timestamp;
use router::{Act, Decision, Policy, Reason, Roster, Scalar};
use serde_json::{Value as Json, json};
use store::Actor;

/// Does what rules set beside what is done: tags, priority, promise, attributes, webhooks, which
/// are told `data`, a ticket, and what is to happen after a time.
pub(super) fn set(in_hand: &mut InHand<'_>, by: &Actor, decision: &Decision, data: &Json) {
    let effects = decision.effects().clone();
    in_hand.tag(by, effects.tags);
    if let Some(priority) = effects.priority {
        in_hand.prioritise(by, priority);
    }
    if effects.sla.is_some() {
        in_hand.record.sla = effects.sla;
    }
    for (name, value) in effects.attributes {
        in_hand.describe(by, &name, Some(&as_json(&value)));
    }
    for webhook in &effects.webhooks {
        let post = webhook::rule_post(webhook, in_hand.record, data);
        in_hand.change.posts.push(post);
    }
    if let Some(kind) = &effects.ticket {
        in_hand.make_ticket(by, kind);
    }
    shift::set_escalations(in_hand, decision);
}

/// Gives to the team what a rule means for a teammate who cannot take it now: nobody else would
/// look at what somebody absent or at capacity holds. `there`: who is at work, where that is known.
pub(super) fn for_whoever_is_there(
    policy: &Policy,
    decision: Decision,
    there: Option<(&Roster, Timestamp)>,
) -> Decision {
    let Some((roster, now)) = there else { return decision };
    let Act::HandOff { team, teammate: Some(teammate), .. } = decision.act() else {
        return decision;
    };
    let taken = policy.team(team).map(|team| router::may_take(team, teammate, roster, now));
    let Some(Err(why)) = taken else { return decision };
    let why = Reason::Passed { teammate: teammate.clone(), why };
    router::to_team(decision, why)
}

fn as_json(value: &Scalar) -> Json {
    match value {
        Scalar::Truth(value) => json!(value),
        Scalar::Integer(value) => json!(value),
        Scalar::Decimal(value) => json!(value),
        Scalar::Text(value) => json!(value),
    }
}

use crate::Answer;
use router::{
    Act, Decision, Effects, Facts, Finding, Permission, Policy, Reply, Scalar, Value, with_finding,
};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;

impl Answer {
    /// Whether a model or the index failed on the way, so that the same question may be answered
    /// otherwise a moment later.
    pub fn has_failed(&self) -> bool {
        let is_lost = matches!(self.finding, Finding::Failed(_)) && self.index.is_empty();
        is_lost || self.draft.as_ref().is_some_and(|draft| draft.has_failed)
    }

    /// Writes down how the decision came about, compactly and readable by itself: what rules knew
    /// beyond the plainest conversation ([`Facts::new`]), which fired and what they did, what is
    /// done and why. With the same rules the same facts, and the customer's words, lead to the same
    /// decision again. The words are left out, as they stand in the conversation.
    pub fn trace(&self, policy: &Policy) -> Json {
        let catalogue = policy.catalogue();
        let plain = Facts::new(catalogue);
        let plain: BTreeMap<&str, &Value> = plain.known(catalogue).collect();
        let seen = with_finding(policy, &self.facts, &self.finding);
        let facts: Map<String, Json> = seen
            .known(catalogue)
            .filter(|(name, value)| *name != "message.text" && plain.get(name) != Some(value))
            .map(|(name, value)| (name.to_string(), as_json(value)))
            .collect();
        let fired = self.decision.fired().iter();
        let fired: Vec<Json> =
            fired.map(|fired| json!({"rule": fired.rule, "did": fired.did})).collect();
        let mut trace = Map::new();
        trace.insert("facts".into(), json!(facts));
        trace.insert("fired".into(), json!(fired));
        trace.append(&mut outcome(&self.decision));
        Json::Object(trace)
    }
}

/// Writes down what a decision does and why, by name, as a trace does: `act`, `team`, `priority` and
/// so on, as far as they are said, and `reasons`.
pub fn outcome(decision: &Decision) -> Map<String, Json> {
    let mut outcome = Map::new();
    note_act(&mut outcome, decision.act());
    note_effects(&mut outcome, decision.effects());
    let reasons = decision.reasons().iter().map(ToString::to_string);
    outcome.insert("reasons".into(), reasons.collect());
    outcome
}

fn note(trace: &mut Map<String, Json>, name: &str, value: Option<Json>) {
    trace.extend(value.map(|value| (name.to_string(), value)));
}

fn note_act(trace: &mut Map<String, Json>, act: &Act) {
    note(trace, "act", Some(json!(act.name())));
    note(trace, "team", act.team().map(|team| json!(team.as_str())));
    if let Act::HandOff { teammate, priority, .. } = act {
        note(trace, "teammate", teammate.as_ref().map(|teammate| json!(teammate.as_str())));
        note(trace, "priority", Some(json!(priority.name())));
    }
    if let Act::Reply(Reply::Canned(text)) | Act::Clarify(Some(text)) = act {
        note(trace, "text", Some(json!(text.as_str())));
    }
}

fn note_effects(trace: &mut Map<String, Json>, effects: &Effects) {
    note(trace, "priority", effects.priority.map(|priority| json!(priority.name())));
    note(trace, "sla", effects.sla.as_ref().map(|sla| json!(sla.as_str())));
    note(trace, "tags", (!effects.tags.is_empty()).then(|| json!(effects.tags)));
    let attributes = effects.attributes.iter();
    let attributes: Map<String, Json> = attributes
        .map(|(name, value)| {
            let value = match value {
                Scalar::Truth(value) => json!(value),
                Scalar::Integer(value) => json!(value),
                Scalar::Decimal(value) => json!(value),
                Scalar::Text(value) => json!(value),
            };
            (name.clone(), value)
        })
        .collect();
    note(trace, "attributes", (!attributes.is_empty()).then(|| json!(attributes)));
    let answer = effects.answer.map(|permission| match permission {
        Permission::Allowed => "allowed",
        Permission::Draft => "draft",
        Permission::Never => "never",
    });
    note(trace, "answer", answer.map(|answer| json!(answer)));
    note(trace, "threshold", effects.threshold.map(|threshold| json!(threshold.value())));
    let webhooks: Vec<&str> = effects.webhooks.iter().map(router::Slug::as_str).collect();
    note(trace, "webhooks", (!webhooks.is_empty()).then(|| json!(webhooks)));
    note(trace, "ticket", effects.ticket.as_ref().map(|kind| json!(kind)));
    let escalations = effects.escalations.iter().map(|(rule, escalate)| {
        let to = escalate.hand_off.as_ref().map(router::Slug::as_str);
        let priority = escalate.priority.map(router::Priority::name);
        let after = format!("{:#}", escalate.after.duration());
        (rule.clone(), json!({"after": after, "hand_off": to, "priority": priority}))
    });
    let escalations: Map<String, Json> = escalations.collect();
    note(trace, "escalations", (!escalations.is_empty()).then(|| json!(escalations)));
    note(trace, "snooze", effects.snooze.map(|rest| json!(format!("{rest:#}"))));
    note(trace, "close", effects.close.then_some(json!(true)));
    note(trace, "return_to_bot", effects.return_to_bot.then_some(json!(true)));
}

fn as_json(value: &Value) -> Json {
    match value {
        Value::Truth(truth) => json!(truth),
        Value::Number(number) => json!(number),
        Value::Text(text) => json!(text.as_str()),
        Value::Texts(texts) => json!(texts),
    }
}

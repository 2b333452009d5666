use crate::Answer;
use router::{Act, Catalogue, Facts, Reply, Value};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;

impl Answer {
    /// Writes down how the decision came about, compactly and readable by itself: what rules knew
    /// beyond the plainest conversation ([`Facts::new`]), which fired and what they did, what is done and why. With the same rules the same
    /// facts lead to the same decision again. The customer's words are left out, as they stand in
    /// the conversation.
    pub fn trace(&self, catalogue: &Catalogue) -> Json {
        let act = self.decision.act();
        let plain = Facts::new(catalogue);
        let plain: BTreeMap<&str, &Value> = plain.known(catalogue).collect();
        let facts: Map<String, Json> = self
            .facts
            .known(catalogue)
            .filter(|(name, value)| *name != "message.text" && plain.get(name) != Some(value))
            .map(|(name, value)| (name.to_string(), as_json(value)))
            .collect();
        let fired: Vec<Json> = self
            .decision
            .fired()
            .iter()
            .map(|fired| json!({"rule": fired.rule, "did": fired.did}))
            .collect();
        let effects = self.decision.effects();
        let mut trace = json!({
            "facts": facts,
            "fired": fired,
            "act": act.name(),
            "reasons": self.decision.reasons().iter().map(ToString::to_string).collect::<Vec<_>>(),
        });
        let mut note = |name: &str, value: Option<Json>| {
            if let (Some(object), Some(value)) = (trace.as_object_mut(), value) {
                object.insert(name.into(), value);
            }
        };
        note("team", act.team().map(|team| json!(team.as_str())));
        if let Act::HandOff { teammate, priority, .. } = act {
            note("teammate", teammate.as_ref().map(|teammate| json!(teammate.as_str())));
            note("priority", Some(json!(priority.name())));
        }
        if let Act::Reply(Reply::Canned(text)) | Act::Clarify(Some(text)) = act {
            note("text", Some(json!(text.as_str())));
        }
        note("sla", effects.sla.as_ref().map(|sla| json!(sla.as_str())));
        note("tags", (!effects.tags.is_empty()).then(|| json!(effects.tags)));
        let webhooks: Vec<&str> = effects.webhooks.iter().map(router::Slug::as_str).collect();
        note("webhooks", (!webhooks.is_empty()).then(|| json!(webhooks)));
        let escalations: Vec<&String> = effects.escalations.keys().collect();
        note("escalations", (!escalations.is_empty()).then(|| json!(escalations)));
        note("snooze", effects.snooze.map(|rest| json!(format!("{rest:#}"))));
        let attributes: Map<String, Json> = effects
            .attributes
            .iter()
            .map(|(name, value)| (name.clone(), json!(value.to_string().trim_matches('"'))))
            .collect();
        note("attributes", (!attributes.is_empty()).then(|| json!(attributes)));
        trace
    }
}

fn as_json(value: &Value) -> Json {
    match value {
        Value::Truth(truth) => json!(truth),
        Value::Number(number) => json!((number * 1e4).round() / 1e4),
        Value::Text(text) => json!(text.as_str()),
        Value::Texts(texts) => json!(texts),
    }
}

use super::ExpectedAct;
use crate::fault::{Fault, choice, kind, optional_text, parse_names};
use serde_json::{Map, Value};

/// The route that a conversation ought to take. What is left out may be anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Route {
    /// What is done: `reply`, `clarify`, `offer`, `handoff`, `draft`, `hold`, `ignore`, `resolve`.
    pub act: Option<String>,
    /// The rule that settles it, or fires on the way.
    pub rule: Option<String>,
    /// Rules that must not fire.
    pub not_rules: Vec<String>,
    /// The team that takes over.
    pub team: Option<String>,
    /// The teammate who takes over.
    pub teammate: Option<String>,
    /// How soon it matters.
    pub priority: Option<String>,
    /// Tags that it gets, among others.
    pub tags: Vec<String>,
    /// The promise that holds.
    pub sla: Option<String>,
    /// The canned reply that is sent, or the question that is asked.
    pub text: Option<String>,
}

const ACTS: [&str; 8] =
    ["reply", "clarify", "offer", "handoff", "draft", "hold", "ignore", "resolve"];
const KEYS: [&str; 9] =
    ["act", "rule", "not_rules", "team", "teammate", "priority", "tags", "sla", "text"];

impl Route {
    /// Returns the act as one of those that answers are measured by.
    pub(super) fn act_class(&self) -> ExpectedAct {
        match self.act.as_deref() {
            Some("reply") => ExpectedAct::Answer,
            Some("clarify") => ExpectedAct::Clarify,
            _ => ExpectedAct::Handoff,
        }
    }
}

/// Reads `expect.route`. Other than elsewhere in a case, an unknown key is a fault: a mistyped
/// expectation would hold always.
pub(super) fn parse(expect: &Map<String, Value>) -> Result<Option<Route>, Fault> {
    let mend = r#"write an object such as {"team": "billing", "rule": "Fraud"}"#;
    let fields = match expect.get("route") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Object(fields)) => fields,
        Some(other) => return Err(Fault::new("expect.route", format!("is {}", kind(other)), mend)),
    };
    if let Some(key) = fields.keys().find(|key| !KEYS.contains(&key.as_str())) {
        let mend = format!("write one of {}", KEYS.join(", "));
        return Err(Fault::new(format!("expect.route.{key}"), "is not known", mend));
    }
    if fields.is_empty() {
        return Err(Fault::new("expect.route", "expects nothing", mend));
    }
    let act = match fields.contains_key("act") {
        true => Some(choice(fields, "act", "expect.route.act", &ACTS)?.to_string()),
        false => None,
    };
    let text = |key: &str| optional_text(fields, key, &format!("expect.route.{key}"));
    Ok(Some(Route {
        act,
        rule: text("rule")?,
        not_rules: parse_names(fields, "not_rules", "expect.route.not_rules")?,
        team: text("team")?,
        teammate: text("teammate")?,
        priority: text("priority")?,
        tags: parse_names(fields, "tags", "expect.route.tags")?,
        sla: text("sla")?,
        text: text("text")?,
    }))
}

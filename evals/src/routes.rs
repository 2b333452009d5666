use crate::case::Route;
use bot::Answer;
use router::{Act, Reply};

/// Compares the route that a conversation took with the one that was expected, and says what is
/// otherwise; nothing, when the route is as expected.
pub fn otherwise(expected: &Route, answer: &Answer) -> Vec<String> {
    let decision = &answer.decision;
    let act = decision.act();
    let (teammate, priority) = match act {
        Act::HandOff { teammate, priority, .. } => (teammate.as_ref(), Some(*priority)),
        _ => (None, decision.effects().priority),
    };
    let text = match act {
        Act::Reply(Reply::Canned(slug)) | Act::Clarify(Some(slug)) => Some(slug.as_str()),
        _ => None,
    };
    let priority = priority.map(router::Priority::name);
    let sla = decision.effects().sla.as_ref().map(router::Slug::as_str);
    let mut found = Vec::new();
    let mut compare = |what: &str, expected: Option<&String>, got: Option<&str>| {
        if let Some(expected) = expected.filter(|expected| got != Some(expected.as_str())) {
            found.push(format!("{what} is {}, not {expected}", got.unwrap_or("none")));
        }
    };
    compare("act", expected.act.as_ref(), Some(act.name()));
    compare("team", expected.team.as_ref(), act.team().map(router::Slug::as_str));
    compare("teammate", expected.teammate.as_ref(), teammate.map(router::Slug::as_str));
    compare("priority", expected.priority.as_ref(), priority);
    compare("SLA", expected.sla.as_ref(), sla);
    compare("text", expected.text.as_ref(), text);
    let fired: Vec<&str> = decision.fired().iter().map(|fired| fired.rule.as_str()).collect();
    if let Some(rule) = expected.rule.as_ref().filter(|rule| !fired.contains(&rule.as_str())) {
        let fired = if fired.is_empty() { "none".into() } else { fired.join(", ") };
        found.push(format!("rule {rule:?} did not fire; fired: {fired}"));
    }
    let unwanted = expected.not_rules.iter().filter(|rule| fired.contains(&rule.as_str()));
    found.extend(unwanted.map(|rule| format!("rule {rule:?} fired")));
    let missing = expected.tags.iter().filter(|tag| !decision.effects().tags.contains(*tag));
    found.extend(missing.map(|tag| format!("tag {tag:?} is not set")));
    found
}

//! Conversations as Intercom's API gives them (`GET /conversations/{id}`).

use super::past::{Past, Said, below, id, list, names, plain, slug, text, time};
use crate::fault::Fault;
use router::Author;
use serde_json::{Map, Value, json};

/// Reads a conversation.
pub(super) fn past(fields: &Map<String, Value>) -> Result<Past, Fault> {
    let mut past = Past { id: format!("intercom-{}", id(fields)?), ..Past::default() };
    let record = Value::Object(fields.clone());
    let source = below(&record, &["source"]);
    if text(below(source, &["delivered_as"])).as_deref() != Some("automated") {
        hear(&mut past, source, below(&record, &["created_at"]));
    }
    let parts = below(&record, &["conversation_parts", "conversation_parts"]);
    let mend = "read each conversation by itself: a list of them has no parts";
    let mut n_reopened = 0;
    for part in list(parts, "conversation_parts.conversation_parts", mend)? {
        let kind = text(below(part, &["part_type"])).unwrap_or_default();
        n_reopened += u64::from(matches!(kind.as_str(), "open" | "assign_and_reopen"));
        if !kind.contains("note") && kind != "quick_reply" {
            hear(&mut past, part, below(part, &["created_at"]));
        }
    }
    let counted = below(&record, &["statistics", "count_reopens"]).as_u64();
    past.n_reopened = Some(counted.unwrap_or(n_reopened));
    let team = below(&record, &["team_assignee_id"]);
    let is_given = |given: &Value| !matches!(given, Value::Null) && given.as_u64() != Some(0);
    past.handed_over = is_given(team) || is_given(below(&record, &["admin_assignee_id"]));
    past.team = text(below(&record, &["team", "name"])).map(|name| slug(&name));
    let rating = below(&record, &["conversation_rating"]);
    past.rating = rating
        .get("rating")
        .filter(|stars| stars.is_number())
        .map(|stars| json!({"stars": stars, "remark": text(below(rating, &["remark"]))}));
    past.page = text(below(source, &["url"]));
    let is_mail = text(below(source, &["type"])).as_deref() == Some("email");
    past.channel = Some(if is_mail { "intercom-email" } else { "intercom" }.into());
    past.tags = names(below(&record, &["tags", "tags"]));
    past.locale = text(below(&record, &["custom_attributes", "Language"]));
    Ok(past)
}

/// Adds what a part says.
fn hear(past: &mut Past, part: &Value, at: &Value) {
    let author = below(part, &["author"]);
    let kind = text(below(author, &["type"])).unwrap_or_default();
    let is_ai = |name: &str| below(author, &[name]).as_bool() == Some(true);
    let by = match kind.as_str() {
        "user" | "lead" | "contact" => Author::Customer,
        "admin" if !is_ai("from_ai_agent") && !is_ai("is_ai_answer") => Author::Teammate,
        _ => Author::Bot,
    };
    if let Some(name) = text(below(author, &["name"])) {
        match by {
            Author::Customer => past.customers.push(name),
            Author::Teammate => past.teammates.push(name),
            Author::Bot => {}
        }
    }
    let Some(body) = below(part, &["body"]).as_str() else { return };
    past.said.push(Said { by, text: plain(body), at: time(at) });
}

//! Conversations as Chatwoot's API gives them, with their messages.

use super::past::{Past, Said, below, given, id, list, names, slug, text, time};
use crate::fault::Fault;
use router::Author;
use serde_json::{Map, Value, json};

/// Reads a conversation.
pub(super) fn past(fields: &Map<String, Value>) -> Result<Past, Fault> {
    let mut past = Past { id: format!("chatwoot-{}", id(fields)?), ..Past::default() };
    let record = Value::Object(fields.clone());
    let mend = "put the answer of /conversations/{id}/messages there: {\"id\", \"meta\", \"messages\": […]}";
    let messages = list(below(&record, &["messages"]), "messages", mend)?;
    let mut ordered: Vec<&Value> = messages.iter().collect();
    ordered.sort_by_key(|message| {
        (time(below(message, &["created_at"])), below(message, &["id"]).as_i64())
    });
    let mut n_reopened = 0;
    for message in ordered {
        n_reopened += u64::from(is_reopening(message));
        hear(&mut past, message);
    }
    past.n_reopened = Some(n_reopened);
    let team = text(below(&record, &["meta", "team", "name"]));
    past.handed_over = team.is_some() || below(&record, &["meta", "assignee"]).is_object();
    past.team = team.map(|name| slug(&name));
    past.team_id = given(below(&record, &["meta", "team", "id"])).filter(|_| past.team.is_none());
    past.handed_over |= past.team_id.is_some();
    let is_over = text(below(&record, &["status"])).as_deref() == Some("resolved");
    past.waits_for_people = past.handed_over && !is_over;
    past.customers.extend(text(below(&record, &["meta", "sender", "name"])));
    past.teammates.extend(text(below(&record, &["meta", "assignee", "name"])));
    let channel = text(below(&record, &["meta", "channel"])).unwrap_or_default();
    let channel = channel.rsplit(':').next().unwrap_or_default().to_lowercase();
    past.channel = (!channel.is_empty()).then(|| format!("chatwoot-{channel}"));
    past.locale = text(below(&record, &["additional_attributes", "browser_language"]));
    past.page = text(below(&record, &["additional_attributes", "referer"]));
    past.tags = names(below(&record, &["labels"]));
    Ok(past)
}

fn is_reopening(message: &Value) -> bool {
    let words = text(below(message, &["content"])).unwrap_or_default();
    kind(message) == "activity" && words.contains("reopened")
}

/// Returns what a message is; the API writes it as a number, webhooks as a word.
fn kind(message: &Value) -> &str {
    match below(message, &["message_type"]) {
        Value::Number(number) => match number.as_u64() {
            Some(0) => "incoming",
            Some(1) => "outgoing",
            Some(2) => "activity",
            _ => "template",
        },
        other => other.as_str().unwrap_or_default(),
    }
}

/// Adds what a message says; what only teammates see, and what happened, is left out.
fn hear(past: &mut Past, message: &Value) {
    let stars = below(
        message,
        &["content_attributes", "submitted_values", "csat_survey_response", "rating"],
    );
    if stars.is_number() {
        past.rating = Some(json!({"stars": stars}));
    }
    let is_private = below(message, &["private"]).as_bool() == Some(true);
    let sender = below(message, &["sender"]);
    let who = text(below(message, &["sender_type"])).or_else(|| text(below(sender, &["type"])));
    let is_bot = who.is_none_or(|who| who.to_lowercase().contains("bot"));
    let by = match kind(message) {
        _ if is_private => return,
        "incoming" => Author::Customer,
        "outgoing" if !is_bot => Author::Teammate,
        "outgoing" => Author::Bot,
        _ => return,
    };
    if let Some(name) = text(below(sender, &["name"])) {
        match by {
            Author::Customer => past.customers.push(name),
            Author::Teammate => past.teammates.push(name),
            Author::Bot => {}
        }
    }
    let Some(content) = below(message, &["content"]).as_str() else { return };
    let at = time(below(message, &["created_at"]));
    past.said.push(Said { by, text: content.trim().to_string(), at });
}

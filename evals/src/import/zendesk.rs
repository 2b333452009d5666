//! Tickets as Zendesk exports them: with their comments, or with their audits.

use super::past::{Past, Said, below, id, plain, slug, text, time, unquoted};
use crate::fault::{Fault, kind};
use router::Author;
use serde_json::{Map, Value, json};

/// Reads a ticket.
pub(super) fn past(fields: &Map<String, Value>) -> Result<Past, Fault> {
    let mut past = Past { id: format!("zendesk-{}", id(fields)?), ..Past::default() };
    let record = Value::Object(fields.clone());
    let requester = requester(&record);
    for (comment, at) in comments(&record)? {
        hear(&mut past, comment, at, requester);
    }
    // The first comment is the description; where neither is there, the ticket is a head alone.
    if past.said.is_empty()
        && let Some(asked) = text(below(&record, &["description"]))
    {
        let at = time(below(&record, &["created_at"]));
        past.said.push(Said { by: Author::Customer, text: unquoted(&asked), at });
    }
    let group = below(&record, &["group", "name"]);
    past.team = text(group).map(|name| slug(&name));
    let is_given = |name: &str| !below(&record, &[name]).is_null();
    past.handed_over = is_given("group_id") || is_given("assignee_id") || past.team.is_some();
    let rating = below(&record, &["satisfaction_rating"]);
    past.rating = text(below(rating, &["score"]))
        .filter(|score| score == "good" || score == "bad")
        .map(|score| json!({"score": score, "remark": text(below(rating, &["comment"]))}));
    let reopened = [&["metric_set", "reopens"][..], &["reopens"]];
    past.n_reopened = reopened.iter().find_map(|path| below(&record, path).as_u64());
    let channel = text(below(&record, &["via", "channel"])).unwrap_or_else(|| "ticket".into());
    past.channel = Some(format!("zendesk-{channel}"));
    past.locale = text(below(&record, &["requester", "locale"]));
    past.tags = super::past::names(below(&record, &["tags"]));
    past.customers.extend(text(below(&record, &["requester", "name"])));
    for who in ["assignee", "submitter"] {
        let is_customer = below(&record, &[who, "id"]).as_i64() == requester;
        past.teammates.extend(text(below(&record, &[who, "name"])).filter(|_| !is_customer));
    }
    Ok(past)
}

fn requester(record: &Value) -> Option<i64> {
    let id = below(record, &["requester_id"]).as_i64();
    id.or_else(|| below(record, &["requester", "id"]).as_i64())
}

/// Returns the comments, each with when it was written.
fn comments(record: &Value) -> Result<Vec<(&Value, &Value)>, Fault> {
    match (below(record, &["comments"]), below(record, &["audits"])) {
        (Value::Array(comments), _) => {
            let all = comments.iter().map(|comment| (comment, below(comment, &["created_at"])));
            Ok(all.collect())
        }
        (Value::Null, Value::Array(audits)) => Ok(audits.iter().flat_map(of_audit).collect()),
        (Value::Null, Value::Null) if record.get("description").is_some() => Ok(Vec::new()),
        (Value::Null, Value::Null) => Err(Fault::new(
            "comments",
            "is missing",
            "export tickets with their comments, or put the answer of /tickets/{id}/comments there",
        )),
        (Value::Null, other) => {
            Err(Fault::new("audits", format!("is {}", kind(other)), "write a list"))
        }
        (other, _) => Err(Fault::new("comments", format!("is {}", kind(other)), "write a list")),
    }
}

fn of_audit(audit: &Value) -> Vec<(&Value, &Value)> {
    let events = below(audit, &["events"]).as_array().map(Vec::as_slice).unwrap_or_default();
    let is_comment = |event: &&Value| text(below(event, &["type"])).as_deref() == Some("Comment");
    events.iter().filter(is_comment).map(|event| (event, below(audit, &["created_at"]))).collect()
}

/// Adds what a comment says; what only teammates see is left out.
fn hear(past: &mut Past, comment: &Value, at: &Value, requester: Option<i64>) {
    if below(comment, &["public"]).as_bool() == Some(false) {
        return;
    }
    let author = below(comment, &["author_id"]).as_i64();
    let author = author.or_else(|| below(comment, &["author", "id"]).as_i64());
    let role = text(below(comment, &["author", "role"]));
    let channel = text(below(comment, &["via", "channel"]));
    let by = if author.is_some() && author == requester || role.as_deref() == Some("end-user") {
        Author::Customer
    } else if author == Some(-1) || matches!(channel.as_deref(), Some("rule" | "trigger" | "bot")) {
        Author::Bot
    } else {
        Author::Teammate
    };
    if let Some(name) = text(below(comment, &["author", "name"])) {
        let known = if by == Author::Customer { &mut past.customers } else { &mut past.teammates };
        known.push(name);
    }
    let words = text(below(comment, &["plain_body"])).or_else(|| text(below(comment, &["body"])));
    let html = || text(below(comment, &["html_body"])).map(|html| plain(&html));
    if let Some(words) = words.or_else(html) {
        past.said.push(Said { by, text: unquoted(&words), at: time(at) });
    }
}

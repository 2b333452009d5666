//! Tickets as Zendesk exports them: with their comments, or with their audits.

use super::past::{Past, Said, below, by_time, given, id, plain, slug, text, time, unquoted};
use crate::fault::{Fault, kind};
use router::Author;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Reads a ticket.
pub(super) fn past(fields: &Map<String, Value>) -> Result<Past, Fault> {
    let mut past = Past { id: format!("zendesk-{}", id(fields)?), ..Past::default() };
    let record = Value::Object(fields.clone());
    let requester = requester(&record);
    let mut comments = comments(&record)?;
    by_time(&mut comments, |(_, at)| time(at));
    let copied = copied(&record, &comments);
    for (comment, at) in comments {
        hear(&mut past, (comment, at), requester, &copied);
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
    past.team_id = given(below(&record, &["group_id"])).filter(|_| past.team.is_none());
    let status = text(below(&record, &["status"]));
    let is_over = matches!(status.as_deref(), Some("solved" | "closed"));
    past.waits_for_people = past.handed_over && !is_over;
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

/// Returns who was sent copies, but for those who are known to be teammates: by their role, as
/// followers, by having it, or by what only teammates can write.
fn copied(record: &Value, comments: &[(&Value, &Value)]) -> BTreeSet<i64> {
    let listed = |names: &[&str]| -> BTreeSet<i64> {
        let lists = names.iter().filter_map(|name| below(record, &[name]).as_array());
        lists.flatten().filter_map(Value::as_i64).collect()
    };
    let mut copied = listed(&["collaborator_ids", "email_cc_ids"]);
    let staff = comments.iter().map(|(comment, _)| *comment).filter(|comment| {
        let role = text(below(comment, &["author", "role"]));
        let is_private = below(comment, &["public"]).as_bool() == Some(false);
        is_private || role.is_some_and(|role| role != "end-user")
    });
    for id in staff.filter_map(author).chain(listed(&["follower_ids"])) {
        copied.remove(&id);
    }
    copied.retain(|id| below(record, &["assignee_id"]).as_i64() != Some(*id));
    copied
}

fn author(comment: &Value) -> Option<i64> {
    let id = below(comment, &["author_id"]).as_i64();
    id.or_else(|| below(comment, &["author", "id"]).as_i64())
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
fn hear(
    past: &mut Past,
    (comment, at): (&Value, &Value),
    requester: Option<i64>,
    copied: &BTreeSet<i64>,
) {
    if below(comment, &["public"]).as_bool() == Some(false) {
        return;
    }
    let author = author(comment);
    let role = text(below(comment, &["author", "role"]));
    let channel = text(below(comment, &["via", "channel"]));
    let by = if author.is_some() && author == requester || role.as_deref() == Some("end-user") {
        Author::Customer
    } else if author == Some(-1) || matches!(channel.as_deref(), Some("rule" | "trigger" | "bot")) {
        Author::Bot
    } else if author.is_some_and(|author| copied.contains(&author)) {
        Author::Customer
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

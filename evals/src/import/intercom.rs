//! Conversations as Intercom's API gives them (`GET /conversations/{id}`).

use super::past::{Past, Said, below, by_time, given, id, list, names, plain, slug, text, time};
use crate::fault::Fault;
use router::Author;
use serde_json::{Map, Value, json};

/// How an AI's part of it ended when people had to go on, and when nothing was left to do; as
/// `frontdesk intercom export` reads them.
const UNSETTLED: [&str; 4] =
    ["routed_to_team", "escalated", "procedure_handoff", "negative_feedback"];
const SETTLED: [&str; 2] = ["assumed_resolution", "confirmed_resolution"];

/// Reads a conversation.
pub(super) fn past(fields: &Map<String, Value>) -> Result<Past, Fault> {
    let mut past = Past { id: format!("intercom-{}", id(fields)?), ..Past::default() };
    let record = Value::Object(fields.clone());
    let source = below(&record, &["source"]);
    match text(below(source, &["delivered_as"])).as_deref() {
        Some("automated") => {}
        // A campaign bears a person's name and is nobody's answer.
        Some("campaigns_initiated" | "operator_initiated") => {
            let campaign = json!({"author": {"type": "bot"}, "body": below(source, &["body"])});
            hear(&mut past, &campaign, below(&record, &["created_at"]));
        }
        _ => hear(&mut past, source, below(&record, &["created_at"])),
    }
    let parts = below(&record, &["conversation_parts", "conversation_parts"]);
    let mend = "read each conversation by itself: a list of them has no parts";
    let mut parts: Vec<&Value> =
        list(parts, "conversation_parts.conversation_parts", mend)?.iter().collect();
    by_time(&mut parts, |part| time(below(part, &["created_at"])));
    let (mut n_reopened, mut given_at) = (0, None);
    for part in &parts {
        let to = text(below(part, &["assigned_to", "type"]));
        if matches!(to.as_deref(), Some("admin" | "team")) {
            given_at = Some(past.said.len());
        }
        let kind = text(below(part, &["part_type"])).unwrap_or_default();
        n_reopened += u64::from(matches!(kind.as_str(), "open" | "assign_and_reopen"));
        if !kind.contains("note") && kind != "quick_reply" {
            hear(&mut past, part, below(part, &["created_at"]));
        }
    }
    let counted = below(&record, &["statistics", "count_reopens"]).as_u64();
    past.n_reopened = Some(counted.unwrap_or(n_reopened));
    past.team = text(below(&record, &["team", "name"])).map(|name| slug(&name));
    let team_id = given(below(&record, &["team_assignee_id"]));
    let is_somebodys = given(below(&record, &["admin_assignee_id"])).is_some();
    past.handed_over = team_id.is_some() || is_somebodys;
    past.team_id = team_id.filter(|_| past.team.is_none());
    let last = past.said.iter().rposition(|said| said.by != Author::Customer);
    let is_given = given_at.zip(last).is_some_and(|(given, last)| given > last);
    let state = text(below(&record, &["ai_agent", "resolution_state"]));
    past.waits_for_people = match state.as_deref() {
        Some(state) if UNSETTLED.contains(&state) => true,
        Some(state) if SETTLED.contains(&state) => false,
        _ => is_somebodys || is_given || (is_open(&record) && !parts.iter().any(|p| is_ai(p))),
    };
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

/// Whether it is known to be open still.
fn is_open(record: &Value) -> bool {
    text(below(record, &["state"])).is_some_and(|state| state != "closed")
}

/// Whether an AI wrote a part; the words of a workflow alone are a promise to answer.
fn is_ai(part: &Value) -> bool {
    let is = |name: &str| below(part, &["author", name]).as_bool() == Some(true);
    is("from_ai_agent") || is("is_ai_answer")
}

/// Adds what a part says.
fn hear(past: &mut Past, part: &Value, at: &Value) {
    let author = below(part, &["author"]);
    let kind = text(below(author, &["type"])).unwrap_or_default();
    let by = match kind.as_str() {
        "user" | "lead" | "contact" => Author::Customer,
        "admin" if !is_ai(part) => Author::Teammate,
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

//! Lists of conversations: newest change first, by pages that a cursor joins. What changes while
//! somebody pages moves to the front and is not seen again, as with the real one.

use crate::intercom::{
    Conversation, Json, Refusal, html::plain, people::number, request::Request, wire::Shown,
    workspace::Workspace,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

/// What the document sets as the most results of a page, and as those of a page nobody measured.
const PAGE_AT_MOST: usize = 150;
const PAGE: usize = 20;

/// The most filters in a group, and groups within one another.
const FILTERS_AT_MOST: usize = 15;
const DEPTH_AT_MOST: usize = 2;

pub(super) fn list(workspace: &Workspace, request: &Request) -> Result<Json, Refusal> {
    let per_page = request.count("per_page", PAGE, PAGE_AT_MOST)?;
    let cursor = request.query.get("starting_after").map(String::as_str);
    page(workspace, request, workspace.conversations.values().collect(), (per_page, cursor))
}

pub(super) fn search(workspace: &Workspace, request: &Request) -> Result<Json, Refusal> {
    let query = match &request.body["query"] {
        Json::Null => return Err(Refusal::missing("query")),
        query => query,
    };
    let mut found = Vec::new();
    for conversation in workspace.conversations.values() {
        if matches(conversation, query, 0)? {
            found.push(conversation);
        }
    }
    if workspace.conversations.is_empty() {
        check(query)?;
    }
    let pagination = &request.body["pagination"];
    let per_page = match &pagination["per_page"] {
        Json::Null => PAGE,
        count => match count.as_u64().and_then(|count| usize::try_from(count).ok()) {
            Some(count) if (1..=PAGE_AT_MOST).contains(&count) => count,
            _ => {
                let message = format!("per_page must be a number between 1 and {PAGE_AT_MOST}");
                return Err(Refusal::invalid(message));
            }
        },
    };
    page(workspace, request, found, (per_page, pagination["starting_after"].as_str()))
}

fn page(
    workspace: &Workspace,
    request: &Request,
    mut found: Vec<&Conversation>,
    (per_page, cursor): (usize, Option<&str>),
) -> Result<Json, Refusal> {
    found.sort_by_key(|conversation| std::cmp::Reverse(key(conversation)));
    let n_found = found.len();
    let mut number = 1;
    if let Some(cursor) = cursor {
        let (after, page) = read_cursor(cursor)?;
        found.retain(|conversation| key(conversation) < after);
        number = page;
    }
    let shown: Vec<Json> = found
        .iter()
        .take(per_page)
        .map(|conversation| Shown::from(request.version).listed(conversation, workspace))
        .collect();
    let mut pages = json!({
        "type": "pages", "page": number, "per_page": per_page,
        "total_pages": n_found.div_ceil(per_page),
    });
    if let Some(last) = found.get(per_page - 1).filter(|_| found.len() > per_page) {
        let cursor = json!([key(last).0, key(last).1, number + 1]).to_string();
        pages["next"] = json!({ "per_page": per_page, "starting_after": STANDARD.encode(cursor) });
    }
    Ok(json!({
        "type": "conversation.list", "pages": pages, "total_count": n_found,
        "conversations": shown,
    }))
}

fn key(conversation: &Conversation) -> (i64, u64) {
    (conversation.updated_at, conversation.id.parse().unwrap_or_default())
}

fn read_cursor(cursor: &str) -> Result<((i64, u64), u64), Refusal> {
    let bytes = STANDARD.decode(cursor).ok();
    let read = bytes.and_then(|bytes| serde_json::from_slice::<(i64, u64, u64)>(&bytes).ok());
    let message = "Invalid starting_after param. Please try again using a starting_after value \
                   from a paginated response";
    let (at, id, page) = read.ok_or_else(|| Refusal::new(400, "client_error", message))?;
    Ok(((at, id), page))
}

/// Refuses a query that no conversation could be held against.
fn check(query: &Json) -> Result<(), Refusal> {
    let operator = query["operator"].as_str().unwrap_or_default();
    let lawful = ["AND", "OR", "=", "!=", "IN", "NIN", "<", "<=", ">", ">=", "~", "!~", "^", "$"];
    if lawful.contains(&operator) { Ok(()) } else { Err(Refusal::invalid("Invalid operator")) }
}

fn matches(conversation: &Conversation, query: &Json, depth: usize) -> Result<bool, Refusal> {
    check(query)?;
    let operator = query["operator"].as_str().unwrap_or_default();
    if operator != "AND" && operator != "OR" {
        return filter(conversation, query, operator);
    }
    let Some(group) = query["value"].as_array() else {
        return Err(Refusal::invalid("The value of a group must be an array"));
    };
    if depth >= DEPTH_AT_MOST || group.len() > FILTERS_AT_MOST {
        return Err(Refusal::invalid("Too many filters"));
    }
    let mut all = true;
    let mut any = false;
    for part in group {
        let holds = matches(conversation, part, depth + 1)?;
        all &= holds;
        any |= holds;
    }
    Ok(if operator == "AND" { all } else { any })
}

/// What a field holds: one value, or several of which one has to fit.
enum Held {
    Text(Vec<String>),
    Number(Option<i64>),
    Truth(bool),
}

fn held(conversation: &Conversation, field: &str) -> Result<Held, Refusal> {
    let text = |text: &str| Held::Text(vec![text.to_string()]);
    let assignee =
        |id: &Option<String>| Held::Number(id.as_deref().map_or(Some(0), |id| number(id).as_i64()));
    let (source, rating) = (&conversation.source, conversation.rating.as_ref());
    Ok(match field {
        "id" => text(&conversation.id),
        "created_at" => Held::Number(Some(conversation.created_at)),
        "updated_at" => Held::Number(Some(conversation.updated_at)),
        "waiting_since" => Held::Number(conversation.waiting_since),
        "snoozed_until" => Held::Number(conversation.snoozed_until),
        "source.type" => text(&source.kind),
        "source.id" => text(&source.id),
        "source.subject" => text(&source.subject),
        "source.delivered_as" => text("customer_initiated"),
        "source.body" => {
            let body = plain(source.body.as_deref().unwrap_or_default());
            Held::Text(body.split_whitespace().map(str::to_string).collect())
        }
        "source.author.id" => text(&source.author.id),
        "source.author.type" => text(&source.author.kind),
        "source.author.name" => Held::Text(source.author.name.clone().into_iter().collect()),
        "source.author.email" => Held::Text(source.author.email.clone().into_iter().collect()),
        "contact_ids" => text(&conversation.contact),
        "admin_assignee_id" => assignee(&conversation.admin_assignee),
        "team_assignee_id" => assignee(&conversation.team_assignee),
        "open" => Held::Truth(conversation.state != crate::intercom::State::Closed),
        "read" => Held::Truth(conversation.read),
        "ai_agent_participated" => Held::Truth(conversation.ai_agent_participated),
        "state" => text(conversation.state.name()),
        "tag_ids" => Held::Text(conversation.tags.iter().map(|tag| tag.id.clone()).collect()),
        "priority" => text(json!(conversation.priority).as_str().unwrap_or_default()),
        "conversation_rating.score" => Held::Number(rating.map(|rating| i64::from(rating.rating))),
        "conversation_rating.remark" => {
            Held::Text(rating.iter().map(|rating| rating.remark.clone()).collect())
        }
        _ => return Err(Refusal::invalid(format!("Invalid field {field}"))),
    })
}

fn filter(conversation: &Conversation, query: &Json, operator: &str) -> Result<bool, Refusal> {
    let field = query["field"].as_str().ok_or_else(|| Refusal::missing("field"))?;
    let held = held(conversation, field)?;
    let value = &query["value"];
    let listed = matches!(operator, "IN" | "NIN");
    let wanted: Vec<&Json> = match value.as_array() {
        Some(values) if listed => values.iter().collect(),
        None if !listed => vec![value],
        _ => return Err(Refusal::invalid(format!("Invalid value for {field}"))),
    };
    let mut any = false;
    for wanted in wanted {
        any |= compare(&held, operator.trim_start_matches('!'), wanted)
            .ok_or_else(|| Refusal::invalid(format!("Invalid value or operator for {field}")))?;
    }
    Ok(if operator.starts_with('!') || operator == "NIN" { !any } else { any })
}

/// Compares as the document says: `>` and `<` on numbers mean "or equal". None is a value or an
/// operator that does not suit the field.
fn compare(held: &Held, operator: &str, wanted: &Json) -> Option<bool> {
    match held {
        Held::Text(texts) => {
            let wanted = wanted.as_str()?;
            let fits = |text: &String| match operator {
                "=" | "IN" | "NIN" => Some(text == wanted),
                "~" => Some(text.contains(wanted)),
                "^" => Some(text.starts_with(wanted)),
                "$" => Some(text.ends_with(wanted)),
                _ => None,
            };
            fits(&String::new())?;
            Some(texts.iter().any(|text| fits(text) == Some(true)))
        }
        Held::Number(number) => {
            let wanted = wanted.as_i64()?;
            let fits = |number: i64| match operator {
                "=" | "IN" | "NIN" => Some(number == wanted),
                ">" | ">=" => Some(number >= wanted),
                "<" | "<=" => Some(number <= wanted),
                _ => None,
            };
            fits(0)?;
            Some(number.and_then(fits).unwrap_or(false))
        }
        Held::Truth(truth) => {
            let wanted = wanted.as_bool()?;
            matches!(operator, "=").then_some(*truth == wanted)
        }
    }
}

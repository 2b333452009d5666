use super::{
    Porch,
    said::Said,
    shown::{self, Line, Standing},
    visit::Visitor,
};
use crate::{Front, Problem, markdown};
use axum::{
    Json,
    extract::{FromRequestParts, Path, Query, State},
    http::request::Parts,
};
use bot::{Inbound, Place};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{Customer, Id, Record, Visit};

/// The channel of all conversations that are held here.
const CHANNEL: &str = "web";

/// Longest message, in characters; some pages of text.
pub(super) const LONGEST_TEXT: usize = 8_000;

/// Longest comment beside a rating, in characters.
const LONGEST_COMMENT: usize = 1_000;

/// Longest address of a page, in bytes.
const LONGEST_PAGE: usize = 2_000;

/// Conversations that a customer is shown.
const CONVERSATIONS: u32 = 50;

/// Lines that are sent at once; whoever wants more asks again after the last.
const LINES: u32 = 200;

/// A message of a customer.
#[derive(Debug, Deserialize)]
pub(super) struct Sent {
    /// None: a new conversation.
    #[serde(default)]
    conversation: Option<String>,
    /// How the browser names the message, the same at every attempt.
    client_id: String,
    text: String,
    /// The page that it is written from.
    #[serde(default)]
    page: Option<String>,
}

/// Takes a message once, however often it is sent.
pub(super) async fn send(
    State(porch): State<Porch>,
    Visitor(visit): Visitor,
    Said(sent): Said<Sent>,
) -> Result<Json<Value>, Problem> {
    let office = &porch.front.office;
    porch.limits.message(visit.customer, office.now()).map_err(Problem::too_many)?;
    let text = clean(&sent.text);
    if text.is_empty() {
        return Err(Problem::invalid("text is empty"));
    }
    if text.chars().count() > LONGEST_TEXT {
        return Err(Problem::invalid(format!("text is longer than {LONGEST_TEXT} characters")));
    }
    let lawful = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
    if !(8..=64).contains(&sent.client_id.len()) || !sent.client_id.bytes().all(lawful) {
        let detail = "client_id has to have 8 to 64 letters, digits, - or _";
        return Err(Problem::invalid(detail));
    }
    let place = match &sent.conversation {
        Some(id) => Place::Known(own(&porch.front, visit.customer, id).await?.id),
        None => Place::New,
    };
    let inbound = Inbound {
        channel: CHANNEL.to_string(),
        external_id: format!("{}:{}", visit.customer, sent.client_id),
        customer: visit.customer,
        place,
        text,
        client_id: Some(sent.client_id),
        page: sent
            .page
            .filter(|url| url.len() <= LONGEST_PAGE)
            .and_then(|url| markdown::web_address(&url)),
    };
    let received = office.receive(inbound).await?;
    Ok(Json(json!({
        "conversation": received.conversation.to_string(),
        "number": received.number,
        "repeated": received.repeated,
    })))
}

/// Lists the customer's conversations, the one that changed last first. Visitors, of whom nothing
/// is proven, have the last one only.
pub(super) async fn list(
    State(porch): State<Porch>,
    Visitor(visit): Visitor,
) -> Result<Json<Value>, Problem> {
    let (office, desk) = (&porch.front.office, porch.front.office.desk());
    let limit = if visit.verified { CONVERSATIONS } else { 1 };
    let mut conversations = Vec::new();
    for record in office.store().conversations_of(visit.customer, limit).await? {
        if record.channel == CHANNEL {
            conversations.push(shown::standing(office, &desk, &record).await?);
        }
    }
    Ok(Json(json!({ "conversations": conversations })))
}

/// A conversation of the visitor's own, by the id in the address; read from a request by handlers
/// that take one. Whatever else the id may name is not found.
pub(super) struct Own {
    pub(super) visit: Visit,
    pub(super) record: Record,
}

impl FromRequestParts<Porch> for Own {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, porch: &Porch) -> Result<Self, Problem> {
        let Visitor(visit) = Visitor::from_request_parts(parts, porch).await?;
        let path = Path::<String>::from_request_parts(parts, porch).await;
        let Path(id) = path.map_err(|_| Problem::not_found("conversation"))?;
        let record = own(&porch.front, visit.customer, &id).await?;
        Ok(Self { visit, record })
    }
}

/// Where to go on reading: the number of the last entry that is known, from `Last-Event-ID` or
/// `after`; read from a request by handlers that take one.
pub(super) struct Cursor(pub(super) i64);

#[derive(Deserialize)]
struct After {
    #[serde(default)]
    after: i64,
}

impl FromRequestParts<Porch> for Cursor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, porch: &Porch) -> Result<Self, Problem> {
        let last = parts.headers.get("last-event-id");
        let last = last.and_then(|id| id.to_str().ok()?.parse().ok());
        let query = Query::<After>::from_request_parts(parts, porch).await;
        let Query(After { after }) =
            query.map_err(|_| Problem::invalid("after is the number of an entry"))?;
        Ok(Self(last.unwrap_or(after).max(0)))
    }
}

/// A conversation and a stretch of its timeline.
#[derive(Debug, Serialize)]
pub(super) struct Reading {
    conversation: Standing,
    lines: Vec<Line>,
    /// Where to go on: the number of the last entry that was looked at.
    next: i64,
}

/// Shows a conversation and what it holds after an entry.
pub(super) async fn read(
    State(porch): State<Porch>,
    Own { record, .. }: Own,
    Cursor(after): Cursor,
) -> Result<Json<Reading>, Problem> {
    let (office, desk) = (&porch.front.office, porch.front.office.desk());
    let entries = office.store().timeline(record.id, after, LINES).await?;
    let next = entries.last().map_or(after, |entry| entry.number);
    let lines = entries.into_iter().filter_map(|entry| shown::line(&desk, entry)).collect();
    let conversation = shown::standing(office, &desk, &record).await?;
    Ok(Json(Reading { conversation, lines, next }))
}

/// How a customer found it.
#[derive(Debug, Deserialize)]
pub(super) struct Rating {
    stars: u8,
    #[serde(default)]
    comment: Option<String>,
}

/// Notes how a customer found it, once an episode.
pub(super) async fn rate(
    State(porch): State<Porch>,
    Own { visit, record }: Own,
    Said(rating): Said<Rating>,
) -> Result<Json<Value>, Problem> {
    let office = &porch.front.office;
    porch.limits.message(visit.customer, office.now()).map_err(Problem::too_many)?;
    if !(1..=5).contains(&rating.stars) {
        return Err(Problem::invalid("stars go from 1 to 5"));
    }
    let comment = rating.comment.map(|comment| clean(&comment)).filter(|text| !text.is_empty());
    if comment.as_ref().is_some_and(|comment| comment.chars().count() > LONGEST_COMMENT) {
        let detail = format!("the comment is longer than {LONGEST_COMMENT} characters");
        return Err(Problem::invalid(detail));
    }
    let counted = office.rate(record.id, visit.customer, (rating.stars, comment)).await?;
    Ok(Json(json!({ "counted": counted })))
}

/// Returns a conversation of this customer. Whose else it may be is not told.
pub(super) async fn own(
    front: &Front,
    customer: Id<Customer>,
    id: &str,
) -> Result<Record, Problem> {
    let none = || Problem::not_found("conversation");
    let id: Id<Record> = id.parse().map_err(|_| none())?;
    let record = match front.office.store().conversation(id).await {
        Err(store::Error::NotFound(_)) => return Err(none()),
        other => other?,
    };
    if record.customer != customer || record.channel != CHANNEL {
        return Err(none());
    }
    Ok(record)
}

/// Takes out what is no writing: control characters but line breaks and tabs. PostgreSQL stores no
/// NUL, and nobody types one.
fn clean(text: &str) -> String {
    let written = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
    text.replace("\r\n", "\n").chars().filter(written).collect::<String>().trim().to_string()
}

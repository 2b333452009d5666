use super::{
    asked::{Asked, Body, Named, id},
    bearer::Program,
    page::{self, Listed},
};
use crate::{Front, outside, problem::Problem};
use axum::{Json, extract::State, http::StatusCode};
use bot::{Inbound, Place};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Content, Customer, Entry, Id, Received};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The channel of what programs bring.
const CHANNEL: &str = "api";

pub(super) fn routes() -> OpenApiRouter<Front> {
    OpenApiRouter::new().routes(routes!(list, write)).routes(routes!(events))
}

/// A message of a customer, to be recorded.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    /// What the customer wrote, at most 64 KiB.
    text: String,
    /// How the program names the message among all that it sends, in 1 to 200 bytes; the same
    /// message is taken once, another one under this name is refused.
    #[serde(default)]
    external_id: Option<String>,
    /// The page that it was written from.
    #[serde(default)]
    page: Option<String>,
}

/// Records a customer's message in the program's name.
pub(super) async fn receive(
    front: &Front,
    program: &Program,
    (customer, place): (Id<Customer>, Place),
    written: Written,
) -> Result<Received, Problem> {
    // Two programs may name different messages alike; a message without a name is a new one, unless
    // its request is repeated.
    let own = |name: &str| format!("{}:{name}", program.0.name);
    let named = written.external_id.as_deref();
    named.map_or(Ok(()), outside::lawful).map_err(|why| Problem::at("external_id", why))?;
    let client_id = named.map(own);
    let unnamed = || match &program.1 {
        Some(key) => own(&format!("request {key}")),
        None => own(&Id::<Entry>::new(front.office.now()).to_string()),
    };
    let sent = Sent { customer, place: place.clone(), text: written.text.clone() };
    let inbound = Inbound {
        channel: CHANNEL.to_string(),
        external_id: client_id.clone().unwrap_or_else(unnamed),
        customer,
        place,
        text: written.text,
        client_id,
        page: written.page,
    };
    let received = front.office.receive(inbound).await?;
    if received.repeated && named.is_some() {
        sent.agrees_with(front, received).await?;
    }
    Ok(received)
}

/// A message as it was sent, to be compared with the one that was recorded under its name.
struct Sent {
    customer: Id<Customer>,
    place: Place,
    text: String,
}

impl Sent {
    /// Refuses another message under a name that was given before: taken for a repetition, it would
    /// be lost.
    async fn agrees_with(&self, front: &Front, came: Received) -> Result<(), Problem> {
        let store = front.office.store();
        let record = store.conversation(came.conversation).await?;
        let entries = store.timeline(came.conversation, came.number - 1, 1).await?;
        let elsewhere = record.customer != self.customer
            || matches!(self.place, Place::Known(id) if id != came.conversation);
        let other_words = entries.iter().any(|entry| match &entry.content {
            Content::Customer { text, .. } => *text != self.text.replace('\0', "\u{fffd}").trim(),
            _ => false,
        });
        if !elsewhere && !other_words {
            return Ok(());
        }
        let detail = "this name was given to another message, which was recorded; each message of a \
            program needs a name of its own, in all its conversations";
        let more = serde_json::Map::from_iter([("field".to_string(), "external_id".into())]);
        Err(Problem { more, ..Problem::new(StatusCode::CONFLICT, "taken", detail) })
    }
}

/// A source of what the bot wrote.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Source {
    /// Id of the article.
    pub(super) article: String,
    /// Its title.
    pub(super) title: String,
    /// Where it can be read.
    pub(super) url: Option<String>,
    /// What was taken from it.
    pub(super) quote: String,
}

impl From<store::Source> for Source {
    fn from(source: store::Source) -> Self {
        let store::Source { article, title, url, quote } = source;
        Self { article, title, url, quote }
    }
}

/// One line of a conversation's timeline.
#[derive(Debug, Serialize, ToSchema)]
struct Line {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// Its place in the timeline, counted from 1 without gaps.
    number: i64,
    /// The episode that it belongs to.
    episode: u32,
    /// When it was recorded.
    at: Timestamp,
    #[serde(flatten)]
    says: Says,
}

/// What a line says.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Says {
    /// The customer wrote.
    Customer { text: String, client_id: Option<String> },
    /// The bot wrote to the customer, in Markdown.
    Bot {
        text: String,
        sources: Vec<Source>,
        buttons: Vec<String>,
        /// Id of the decision that had it sent.
        decision: Option<String>,
    },
    /// A teammate, or a program in the name of one, wrote to the customer, in Markdown.
    Teammate { teammate: String, text: String },
    /// Words for teammates, which the customer never sees, in Markdown.
    Note {
        /// `bot`, `teammate:SLUG`, `program:NAME` or `frontdesk`.
        by: String,
        text: String,
    },
    /// Something happened, such as `handed_off`, `assigned`, `closed` or `tagged`.
    Event {
        /// `bot`, `customer`, `teammate:SLUG`, `program:NAME` or `frontdesk`.
        by: String,
        what: String,
        /// The circumstances, by name.
        detail: Value,
    },
}

impl From<Entry> for Line {
    fn from(entry: Entry) -> Self {
        let says = match entry.content {
            Content::Customer { text, client_id } => Says::Customer { text, client_id },
            Content::Bot { text, sources, buttons, decision } => Says::Bot {
                text,
                sources: sources.into_iter().map(Source::from).collect(),
                buttons,
                decision: decision.map(|id| id.to_string()),
            },
            Content::Teammate { teammate, text } => {
                Says::Teammate { teammate: teammate.to_string(), text }
            }
            Content::Note { by, text } => Says::Note { by: by.to_string(), text },
            Content::Event { by, what, detail } => Says::Event { by: by.to_string(), what, detail },
        };
        let (id, number) = (entry.id.to_string(), entry.number);
        Self { id, number, episode: entry.episode, at: entry.at, says }
    }
}

/// Which part of a timeline is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct After {
    /// Only what comes after the line of this number: the `next` of the page before.
    #[serde(default)]
    #[param(minimum = 0)]
    after: i64,
    /// At most so many, 1 to 100; 20 unless given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

/// Reads a part of a timeline.
async fn timeline(
    front: &Front,
    conversation: &str,
    asked: &After,
    wanted: impl Fn(&Content) -> bool,
) -> Result<Listed<Line>, Problem> {
    let (id, limit) = (id("conversation", conversation)?, page::limit(asked.limit)?);
    front.office.store().conversation(id).await?;
    let entries = front.office.store().timeline(id, asked.after, limit + 1).await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = entries.len() > limit;
    let shown: Vec<Entry> = entries.into_iter().take(limit).collect();
    let next = shown.last().filter(|_| more).map(|entry| entry.number.to_string());
    let items = shown.into_iter().filter(|entry| wanted(&entry.content)).map(Line::from);
    Ok(Listed { items: items.collect(), next })
}

/// Lists the messages of a conversation in their order, without notes and events.
///
/// A page can hold fewer messages than its limit, also none, although another one follows.
#[utoipa::path(get, path = "/conversations/{id}/messages", tag = "messages",
    params(("id" = String, Path, description = "Id of the conversation."), After),
    security(("token" = ["conversations:read"])),
    responses((status = 200, description = "A page of messages.", body = Listed<Line>)))]
async fn list(
    State(front): State<Front>,
    Named(conversation): Named<String>,
    Asked(after): Asked<After>,
) -> Result<Json<Listed<Line>>, Problem> {
    let message = |content: &Content| {
        matches!(content, Content::Customer { .. } | Content::Bot { .. } | Content::Teammate { .. })
    };
    timeline(&front, &conversation, &after, message).await.map(Json)
}

/// Lists all that happened in a conversation in its order: messages, notes and events.
#[utoipa::path(get, path = "/conversations/{id}/events", tag = "messages",
    params(("id" = String, Path, description = "Id of the conversation."), After),
    security(("token" = ["conversations:read"])),
    responses((status = 200, description = "A page of the timeline.", body = Listed<Line>)))]
async fn events(
    State(front): State<Front>,
    Named(conversation): Named<String>,
    Asked(after): Asked<After>,
) -> Result<Json<Listed<Line>>, Problem> {
    timeline(&front, &conversation, &after, |_| true).await.map(Json)
}

/// Where a message was recorded.
#[derive(Debug, Serialize, ToSchema)]
struct Recorded {
    /// Id of the conversation.
    #[schema(format = "uuid")]
    conversation: String,
    /// Number of the line that it became.
    number: i64,
    /// Whether it had come before, and nothing was changed.
    repeated: bool,
}

/// Records what a customer wrote in a conversation of the channel `api`.
///
/// The bot answers where it has the conversation.
#[utoipa::path(post, path = "/conversations/{id}/messages", tag = "messages",
    params(("id" = String, Path, description = "Id of the conversation.")),
    request_body = Written, security(("token" = ["conversations:write"])),
    responses(
        (status = 201, description = "It was recorded.", body = Recorded),
        (status = 200, description = "It had come before.", body = Recorded)))]
async fn write(
    State(front): State<Front>,
    program: Program,
    Named(conversation): Named<String>,
    Body(written): Body<Written>,
) -> Result<(StatusCode, Json<Recorded>), Problem> {
    let id = id("conversation", &conversation)?;
    let record = front.office.store().conversation(id).await?;
    if record.channel != CHANNEL {
        let detail = format!(
            "the customer writes on the channel {}; only conversations of the channel {CHANNEL} take messages here",
            record.channel
        );
        return Err(Problem::new(StatusCode::CONFLICT, "other_channel", detail));
    }
    let place = (record.customer, Place::Known(id));
    let received = receive(&front, &program, place, written).await?;
    let status = if received.repeated { StatusCode::OK } else { StatusCode::CREATED };
    let Received { number, repeated, .. } = received;
    let conversation = received.conversation.to_string();
    Ok((status, Json(Recorded { conversation, number, repeated })))
}

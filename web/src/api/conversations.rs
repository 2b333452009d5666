use super::{
    asked::{Asked, Body, Named, field, id, slug},
    bearer::Program,
    messages::{Written, receive},
    page::{Listed, Part},
};
use crate::{Front, outside, problem::Problem};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use bot::Place;
use jiff::{SignedDuration, Timestamp};
use router::Status as Standing;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::{Id, Outcome, OutcomeKind, QueueItem, Record, Search};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn routes() -> OpenApiRouter<Front> {
    OpenApiRouter::new().routes(routes!(list, open)).routes(routes!(get)).routes(routes!(changes))
}

/// A conversation, without its messages.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Conversation {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// The channel it is held on: `web`, `api`, or the name of another one.
    channel: String,
    /// How the channel names it; on the channel `api` after the name of the token and a colon.
    external_id: Option<String>,
    /// Id of the customer who asks.
    #[schema(format = "uuid")]
    customer: String,
    /// Name of the customer, where a list shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    customer_name: Option<String>,
    status: Status,
    owner: Owner,
    /// Counted from 1; one more with each reopening.
    episode: u32,
    /// Entries of its timeline, which is also the number of the last one.
    n_entries: i64,
    priority: Priority,
    /// Slug of the promise that a rule chose; null: that of the team holds.
    sla: Option<String>,
    /// Its tags, in order.
    tags: Vec<String>,
    /// Attributes that rules, teammates or programs gave it.
    attributes: Map<String, Value>,
    /// What it is about, as far as that was noticed.
    topic: Option<String>,
    /// The customer's language, such as `de`.
    language: Option<String>,
    /// The page that the customer wrote from last.
    page: Option<String>,
    /// The first words of the customer's last message.
    preview: String,
    /// Since when the customer has waited for a reply; null: it is the customer's turn.
    waiting_since: Option<Timestamp>,
    /// When it came to the queue of the team that has it.
    queued_at: Option<Timestamp>,
    due: Due,
    /// When a snoozed one wakes.
    snoozed_until: Option<Timestamp>,
    /// How the customer rated its episodes, oldest first, where it is asked for by its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    ratings: Option<Vec<Rating>>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// How a customer found it.
#[derive(Debug, Serialize, ToSchema)]
struct Rating {
    /// The episode that had ended.
    episode: u32,
    /// 1 to 5.
    stars: u8,
    /// What the customer wrote about it.
    comment: Option<String>,
    at: Timestamp,
}

/// Whether a conversation goes on.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Open,
    Snoozed,
    Closed,
}

/// How soon a conversation matters.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Priority {
    Low,
    Normal,
    High,
    Urgent,
}

/// Who is responsible.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Owner {
    /// The bot.
    Bot,
    /// A team, in whose queue it waits.
    Team { team: String },
    /// A teammate of a team.
    Teammate { team: String, teammate: String },
}

/// Until when each promise has to be kept; null where nothing is owed.
#[derive(Debug, Serialize, ToSchema)]
struct Due {
    first_reply: Option<Timestamp>,
    next_reply: Option<Timestamp>,
    resolution: Option<Timestamp>,
}

impl From<Record> for Conversation {
    fn from(record: Record) -> Self {
        let status = match record.state.status() {
            Standing::Open => Status::Open,
            Standing::Snoozed => Status::Snoozed,
            Standing::Closed => Status::Closed,
        };
        let owner = match record.state.owner() {
            router::Owner::Bot => Owner::Bot,
            router::Owner::Team(team) => Owner::Team { team: team.to_string() },
            router::Owner::Teammate { team, teammate, .. } => {
                Owner::Teammate { team: team.to_string(), teammate: teammate.to_string() }
            }
        };
        let priority = match record.priority {
            router::Priority::Low => Priority::Low,
            router::Priority::Normal => Priority::Normal,
            router::Priority::High => Priority::High,
            router::Priority::Urgent => Priority::Urgent,
        };
        let router::Due { first_reply, next_reply, resolution } = record.due;
        Self {
            id: record.id.to_string(),
            channel: record.channel,
            external_id: record.external_id,
            customer: record.customer.to_string(),
            customer_name: None,
            status,
            owner,
            episode: record.state.episode().number,
            n_entries: record.n_entries,
            priority,
            sla: record.sla.map(|sla| sla.to_string()),
            tags: record.tags.into_iter().collect(),
            attributes: record.attributes,
            topic: record.topic,
            language: record.language,
            page: record.page,
            preview: record.preview,
            waiting_since: record.waiting_since,
            queued_at: record.queued_at,
            due: Due { first_reply, next_reply, resolution },
            snoozed_until: record.snoozed_until,
            ratings: None,
            created_at: record.created_at,
            updated_at: record.updated_at,
        }
    }
}

impl From<QueueItem> for Conversation {
    fn from(item: QueueItem) -> Self {
        Self { customer_name: item.customer_name, ..item.record.into() }
    }
}

/// Which conversations are looked for; every part narrows.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// At most so many, 1 to 100; 20 unless given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// Only what is older than this: the `next` of the page before.
    before: Option<String>,
    /// With this status.
    #[param(inline)]
    status: Option<Status>,
    /// In a team's hands, queued or with one of its teammates: the team's slug.
    team: Option<String>,
    /// With this teammate: the teammate's slug.
    teammate: Option<String>,
    /// `true`: only those that the bot has.
    with_bot: Option<bool>,
    /// With this tag.
    tag: Option<String>,
    /// On this channel.
    channel: Option<String>,
    /// Whose messages hold all of these words, or words that begin so.
    words: Option<String>,
}

/// Lists conversations, newest first.
#[utoipa::path(get, path = "/conversations", tag = "conversations", params(Wanted),
    security(("token" = ["conversations:read"])),
    responses((status = 200, description = "A page of conversations.", body = Listed<Conversation>)))]
async fn list(
    State(front): State<Front>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Listed<Conversation>>, Problem> {
    let page = Part { limit: wanted.limit, before: wanted.before }.page()?;
    let owner = match (wanted.teammate, wanted.with_bot) {
        (Some(_), Some(true)) => {
            return Err(Problem::at(
                "with_bot",
                "either the bot has it or a teammate; ask for one",
            ));
        }
        (Some(teammate), _) => {
            let teammate = slug("teammate", &teammate)?;
            // Whatever the team, says the store.
            let team = teammate.clone();
            Some(router::Owner::Teammate { team, teammate, by_person: false })
        }
        (None, Some(true)) => Some(router::Owner::Bot),
        (None, _) => None,
    };
    let search = Search {
        status: wanted.status.map(|status| match status {
            Status::Open => Standing::Open,
            Status::Snoozed => Standing::Snoozed,
            Status::Closed => Standing::Closed,
        }),
        owner,
        team: wanted.team.map(|team| slug("team", &team)).transpose()?,
        tag: wanted.tag,
        channel: wanted.channel,
        words: wanted.words,
    };
    let found = front.office.store().search(&search, &page).await?;
    let id = |item: &QueueItem| item.record.id.to_string();
    Ok(Json(Listed::of(found, &page, (id, Conversation::from))))
}

/// A conversation that a customer begins.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Beginning {
    /// Id of the customer.
    #[schema(format = "uuid")]
    customer: String,
    /// How the program names the conversation, in 1 to 200 bytes; where it has one of that name, the
    /// message joins it.
    #[serde(default)]
    external_id: Option<String>,
    /// What the customer wrote.
    message: Written,
}

/// Opens a conversation with a message of a customer.
///
/// The bot takes it from there. With the same `message.external_id` it is opened once.
#[utoipa::path(post, path = "/conversations", tag = "conversations", request_body = Beginning,
    security(("token" = ["conversations:write"])),
    responses(
        (status = 201, description = "The conversation.", body = Conversation),
        (status = 200, description = "The message had come before.", body = Conversation)))]
async fn open(
    State(front): State<Front>,
    program: Program,
    Body(beginning): Body<Beginning>,
) -> Result<(StatusCode, Json<Conversation>), Problem> {
    let customer = field("customer", &beginning.customer)?;
    // An unknown customer is told as such, before anything is kept.
    front.office.store().customer(customer).await?;
    let name = &program.0.name;
    let place = match beginning.external_id {
        Some(external) => {
            outside::lawful(&external).map_err(|why| Problem::at("external_id", why))?;
            Place::Named(format!("{name}:{external}"))
        }
        None => Place::New,
    };
    let received = receive(&front, &program, (customer, place), beginning.message).await?;
    let record = front.office.store().conversation(received.conversation).await?;
    let status = if received.repeated { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(record.into())))
}

/// Returns a conversation.
#[utoipa::path(get, path = "/conversations/{id}", tag = "conversations",
    params(("id" = String, Path, description = "Its id.")),
    security(("token" = ["conversations:read"])),
    responses(
        (status = 200, description = "The conversation.", body = Conversation,
            headers(("ETag" = String, description = "Changes with the conversation."))),
        (status = 304, description = "It is still as If-None-Match says.")))]
async fn get(
    State(front): State<Front>,
    Named(conversation): Named<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = id("conversation", &conversation)?;
    let record = front.office.store().conversation(id).await?;
    let tag = format!("\"{}-{}\"", record.n_entries, record.updated_at.as_microsecond());
    let asked = headers.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
    let same = asked.is_some_and(|tags| tags.split(',').any(|one| one.trim() == tag));
    let tagged = [(header::ETAG, tag)];
    if same {
        return Ok((StatusCode::NOT_MODIFIED, tagged).into_response());
    }
    let ratings = Some(ratings(&front, id).await?);
    Ok((tagged, Json(Conversation { ratings, ..record.into() })).into_response())
}

async fn ratings(front: &Front, id: Id<Record>) -> Result<Vec<Rating>, Problem> {
    let outcomes = front.office.store().outcomes(id).await?.into_iter();
    let rating = |(episode, at, outcome): (u32, Timestamp, Outcome)| match outcome.kind {
        OutcomeKind::Rated(stars) => Some(Rating { episode, stars, comment: outcome.comment, at }),
        _ => None,
    };
    Ok(outcomes.filter_map(rating).collect())
}

/// How long a change may take from its time to being visible. A change is told of once it is older,
/// so that none comes to light before a `next` that was given out already.
const SETTLES: SignedDuration = SignedDuration::from_secs(5);

/// Since when changes are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Since {
    /// At or after this moment: the `next` of the page before.
    since: String,
    /// At most so many, 1 to 100; 20 unless given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

/// A conversation that changed.
#[derive(Debug, Serialize, ToSchema)]
struct Change {
    /// Id of the conversation.
    #[schema(format = "uuid")]
    conversation: String,
    /// When it changed last.
    at: Timestamp,
    /// Number of the last entry of its timeline.
    n_entries: i64,
}

/// Lists conversations that changed since a moment, the oldest change first.
///
/// Asked again and again with its own `next`, it tells of every change at least once, some seconds
/// after it happened.
#[utoipa::path(get, path = "/changes", tag = "conversations", params(Since),
    security(("token" = ["conversations:read"])),
    responses((status = 200, description = "A page of changes.", body = Listed<Change>)))]
async fn changes(
    State(front): State<Front>,
    Asked(asked): Asked<Since>,
) -> Result<Json<Listed<Change>>, Problem> {
    let (since, limit) = (field("since", &asked.since)?, super::page::limit(asked.limit)?);
    let mut found = front.office.store().changed_since(since, limit).await?;
    let settled = front.office.now().saturating_sub(SETTLES).map_err(|e| Problem::inside(&e))?;
    found.retain(|(_, at, _)| *at <= settled);
    let next = found.last().map_or(since, |(_, at, _)| *at).to_string();
    let items = found.into_iter().map(|(conversation, at, n_entries)| Change {
        conversation: conversation.to_string(),
        at,
        n_entries,
    });
    Ok(Json(Listed { items: items.collect(), next: Some(next) }))
}

//! What programs do with conversations.

use super::{
    asked::{Body, MaybeBody, Named, field, id, slug},
    bearer::Program,
    conversations::{Conversation, Priority},
};
use crate::{Front, problem::Problem};
use axum::{Json, extract::State};
use bot::{ByRequest, Deed};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

type Done = Result<Json<Conversation>, Problem>;

/// Attributes that one request may give.
const MOST_ATTRIBUTES: usize = 50;

pub(super) fn routes() -> OpenApiRouter<Front> {
    OpenApiRouter::new()
        .routes(routes!(reply))
        .routes(routes!(note))
        .routes(routes!(assign))
        .routes(routes!(hand_back))
        .routes(routes!(snooze))
        .routes(routes!(close))
        .routes(routes!(tag, untag))
        .routes(routes!(prioritise))
        .routes(routes!(describe))
}

async fn act(front: &Front, conversation: &str, program: &Program, deed: Deed) -> Done {
    let id = id("conversation", conversation)?;
    let request = ByRequest { keyed: program.request(), audit: None };
    Ok(Json(front.office.act_once(id, &program.actor(), deed, request).await?.into()))
}

/// A reply to the customer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Reply {
    /// What, as Markdown, at most 64 KiB.
    text: String,
    /// Number of the last line that the writer had seen. When anything was written to the
    /// customer since, nothing is sent, and the answer is 409 with the number of that line.
    #[serde(default)]
    seen: Option<i64>,
    /// Id of the decision whose draft was shown to the writer; the reply becomes a label of it.
    #[serde(default)]
    draft: Option<String>,
    /// Slug of the teammate in whose name it is sent; otherwise it is sent in the token's name.
    #[serde(default)]
    teammate: Option<String>,
}

/// Writes to the customer.
///
/// Whoever writes is responsible from then on, and the bot is silent.
#[utoipa::path(post, path = "/conversations/{id}/replies", tag = "conversations",
    params(("id" = String, Path, description = "Id of the conversation.")),
    request_body = Reply, security(("token" = ["conversations:write"])),
    responses((status = 200, description = "The conversation as it is then.", body = Conversation)))]
async fn reply(
    State(front): State<Front>,
    program: Program,
    Named(conversation): Named<String>,
    Body(reply): Body<Reply>,
) -> Done {
    let by = program.actor_for(&front, reply.teammate.as_deref()).await?;
    let draft = reply.draft.as_deref().map(|id| field("draft", id)).transpose()?;
    let deed = Deed::Reply { text: reply.text, seen: reply.seen, draft };
    let id = id("conversation", &conversation)?;
    let request = program.request_by(&by, ("api.replied_as_teammate", &conversation));
    Ok(Json(front.office.act_once(id, &by, deed, request).await?.into()))
}

/// Words for teammates.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Note {
    /// What, as Markdown, at most 64 KiB.
    text: String,
}

/// Leaves words for teammates, which the customer never sees.
#[utoipa::path(post, path = "/conversations/{id}/notes", tag = "conversations",
    params(("id" = String, Path, description = "Id of the conversation.")),
    request_body = Note, security(("token" = ["conversations:write"])),
    responses((status = 200, description = "The conversation as it is then.", body = Conversation)))]
async fn note(
    State(front): State<Front>,
    program: Program,
    Named(conversation): Named<String>,
    Body(Note { text }): Body<Note>,
) -> Done {
    act(&front, &conversation, &program, Deed::Note { text }).await
}

/// Who is to have the conversation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Assignment {
    /// Slug of the team.
    team: String,
    /// Slug of one of its teammates; absent: the team's queue.
    #[serde(default)]
    teammate: Option<String>,
}

/// Gives the conversation to a team, or to one of its teammates.
#[utoipa::path(post, path = "/conversations/{id}/assignment", tag = "conversations",
    params(("id" = String, Path, description = "Id of the conversation.")),
    request_body = Assignment, security(("token" = ["conversations:write"])),
    responses((status = 200, description = "The conversation as it is then.", body = Conversation)))]
async fn assign(
    State(front): State<Front>,
    program: Program,
    Named(conversation): Named<String>,
    Body(to): Body<Assignment>,
) -> Done {
    let team = slug("team", &to.team)?;
    let teammate = to.teammate.map(|teammate| slug("teammate", &teammate)).transpose()?;
    act(&front, &conversation, &program, Deed::Assign { team, teammate }).await
}

/// Gives the conversation back to the bot.
#[utoipa::path(post, path = "/conversations/{id}/hand-back", tag = "conversations",
    params(("id" = String, Path, description = "Id of the conversation.")),
    security(("token" = ["conversations:write"])),
    responses((status = 200, description = "The conversation as it is then.", body = Conversation)))]
async fn hand_back(
    State(front): State<Front>,
    program: Program,
    Named(conversation): Named<String>,
) -> Done {
    act(&front, &conversation, &program, Deed::HandBack).await
}

/// How long a conversation rests.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Rest {
    /// Until when, in the future.
    until: Timestamp,
    /// Number of the last line that was seen. When the customer wrote since, it does not rest, and
    /// the answer is 409 with the number of that line.
    #[serde(default)]
    seen: Option<i64>,
}

/// Lets the conversation rest until a time or the customer's next message.
#[utoipa::path(post, path = "/conversations/{id}/snooze", tag = "conversations",
    params(("id" = String, Path, description = "Id of the conversation.")),
    request_body = Rest, security(("token" = ["conversations:write"])),
    responses((status = 200, description = "The conversation as it is then.", body = Conversation)))]
async fn snooze(
    State(front): State<Front>,
    program: Program,
    Named(conversation): Named<String>,
    Body(Rest { until, seen }): Body<Rest>,
) -> Done {
    act(&front, &conversation, &program, Deed::Snooze { until, seen }).await
}

/// How a conversation is ended.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Ending {
    /// Number of the last line that was seen. When the customer wrote since, it does not end, and
    /// the answer is 409 with the number of that line.
    #[serde(default)]
    seen: Option<i64>,
}

/// Ends the conversation.
#[utoipa::path(post, path = "/conversations/{id}/close", tag = "conversations",
    params(("id" = String, Path, description = "Id of the conversation.")),
    request_body = Option<Ending>, security(("token" = ["conversations:write"])),
    responses((status = 200, description = "The conversation as it is then.", body = Conversation)))]
async fn close(
    State(front): State<Front>,
    program: Program,
    Named(conversation): Named<String>,
    MaybeBody(Ending { seen }): MaybeBody<Ending>,
) -> Done {
    act(&front, &conversation, &program, Deed::Close { seen }).await
}

/// Adds a tag; one that is there already stays.
#[utoipa::path(put, path = "/conversations/{id}/tags/{tag}", tag = "conversations",
    params(("id" = String, Path, description = "Id of the conversation."),
        ("tag" = String, Path, description = "The tag.")),
    security(("token" = ["conversations:write"])),
    responses((status = 200, description = "The conversation as it is then.", body = Conversation)))]
async fn tag(
    State(front): State<Front>,
    program: Program,
    Named((conversation, tag)): Named<(String, String)>,
) -> Done {
    act(&front, &conversation, &program, Deed::Tag(tag)).await
}

/// Removes a tag; one that is not there is no error.
#[utoipa::path(delete, path = "/conversations/{id}/tags/{tag}", tag = "conversations",
    params(("id" = String, Path, description = "Id of the conversation."),
        ("tag" = String, Path, description = "The tag.")),
    security(("token" = ["conversations:write"])),
    responses((status = 200, description = "The conversation as it is then.", body = Conversation)))]
async fn untag(
    State(front): State<Front>,
    program: Program,
    Named((conversation, tag)): Named<(String, String)>,
) -> Done {
    act(&front, &conversation, &program, Deed::Untag(tag)).await
}

/// How soon a conversation is to matter.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Urgency {
    priority: Priority,
}

/// Says how soon the conversation matters.
#[utoipa::path(put, path = "/conversations/{id}/priority", tag = "conversations",
    params(("id" = String, Path, description = "Id of the conversation.")),
    request_body = Urgency, security(("token" = ["conversations:write"])),
    responses((status = 200, description = "The conversation as it is then.", body = Conversation)))]
async fn prioritise(
    State(front): State<Front>,
    program: Program,
    Named(conversation): Named<String>,
    Body(Urgency { priority }): Body<Urgency>,
) -> Done {
    let priority = match priority {
        Priority::Low => router::Priority::Low,
        Priority::Normal => router::Priority::Normal,
        Priority::High => router::Priority::High,
        Priority::Urgent => router::Priority::Urgent,
    };
    act(&front, &conversation, &program, Deed::Prioritise(priority)).await
}

/// Gives the conversation attributes, by name; null removes one, others stay.
///
/// They are given one after the other: when one is refused, those before it are kept.
#[utoipa::path(patch, path = "/conversations/{id}/attributes", tag = "conversations",
    params(("id" = String, Path, description = "Id of the conversation.")),
    request_body = Map<String, Value>, security(("token" = ["conversations:write"])),
    responses((status = 200, description = "The conversation as it is then.", body = Conversation)))]
async fn describe(
    State(front): State<Front>,
    program: Program,
    Named(conversation): Named<String>,
    Body(attributes): Body<Map<String, Value>>,
) -> Done {
    if attributes.len() > MOST_ATTRIBUTES {
        let detail = format!("at most {MOST_ATTRIBUTES} attributes are given at once");
        return Err(Problem::invalid(detail));
    }
    let mut last = None;
    for (name, value) in attributes {
        let deed = Deed::Describe(name, Some(value).filter(|value| !value.is_null()));
        last = Some(act(&front, &conversation, &program, deed).await?);
    }
    match last {
        Some(done) => Ok(done),
        None => {
            let id = id("conversation", &conversation)?;
            Ok(Json(front.office.store().conversation(id).await?.into()))
        }
    }
}

use super::{
    asked::{Asked, Body, Named, id},
    bearer::Program,
    messages::Source,
    page::{Listed, Part},
};
use crate::{Front, problem::Problem};
use axum::{Json, extract::State, http::StatusCode};
use bot::Deed;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::Decided;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn routes() -> OpenApiRouter<Front> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(of_conversation))
        .routes(routes!(judge))
        .routes(routes!(labels))
}

/// What the bot decided to do with a conversation, and why.
#[derive(Debug, Serialize, ToSchema)]
struct Decision {
    /// Id.
    #[schema(format = "uuid")]
    id: String,
    /// Id of the conversation.
    #[schema(format = "uuid")]
    conversation: String,
    /// Its episode.
    episode: u32,
    /// Number of the last line that was known.
    about: i64,
    at: Timestamp,
    /// Name of the act, such as `reply` or `handoff`.
    act: String,
    /// Slug of the team that the act names.
    team: Option<String>,
    /// What the question is about.
    topic: Option<String>,
    /// Probability that the draft is right.
    confidence: f64,
    /// The draft, sent or not.
    draft: Option<String>,
    /// What the draft rests on.
    sources: Vec<Source>,
    /// Why, in words; the deciding reason first.
    reasons: Vec<String>,
    /// How long it took, in milliseconds.
    took_ms: f64,
}

/// A decision with how it came about.
#[derive(Debug, Serialize, ToSchema)]
struct Traced {
    #[serde(flatten)]
    decision: Decision,
    /// How it came about, enough to replay it.
    trace: Value,
}

impl From<Decided> for Traced {
    fn from(decided: Decided) -> Self {
        let Decided { conversation, episode, about, at, .. } = decided;
        let (id, decided) = (decided.id, decided.decided);
        let decision = Decision {
            id: id.to_string(),
            conversation: conversation.to_string(),
            episode,
            about,
            at,
            act: decided.act,
            team: decided.team.map(|team| team.to_string()),
            topic: decided.topic,
            confidence: decided.confidence,
            draft: decided.draft,
            sources: decided.sources.into_iter().map(Source::from).collect(),
            reasons: decided.reasons,
            took_ms: decided.took_ms,
        };
        Self { decision, trace: decided.trace }
    }
}

/// Lists decisions of all conversations, newest first, without how they came about.
#[utoipa::path(get, path = "/decisions", tag = "decisions", params(Part),
    security(("token" = ["decisions:read"])),
    responses((status = 200, description = "A page of decisions.", body = Listed<Decision>)))]
async fn list(
    State(front): State<Front>,
    Asked(part): Asked<Part>,
) -> Result<Json<Listed<Decision>>, Problem> {
    let page = part.page()?;
    let found = front.office.store().all_decisions(&page).await?;
    let id = |decided: &Decided| decided.id.to_string();
    let show = |decided: Decided| Traced::from(decided).decision;
    Ok(Json(Listed::of(found, &page, (id, show))))
}

/// Returns a decision with how it came about.
#[utoipa::path(get, path = "/decisions/{id}", tag = "decisions",
    params(("id" = String, Path, description = "Its id.")),
    security(("token" = ["decisions:read"])),
    responses((status = 200, description = "The decision.", body = Traced)))]
async fn get(
    State(front): State<Front>,
    Named(decision): Named<String>,
) -> Result<Json<Traced>, Problem> {
    let id = id("decision", &decision)?;
    Ok(Json(front.office.store().decision(id).await?.into()))
}

/// Lists the decisions of a conversation, oldest first.
#[utoipa::path(get, path = "/conversations/{id}/decisions", tag = "decisions",
    params(("id" = String, Path, description = "Id of the conversation.")),
    security(("token" = ["decisions:read"])),
    responses((status = 200, description = "All its decisions.", body = Listed<Decision>)))]
async fn of_conversation(
    State(front): State<Front>,
    Named(conversation): Named<String>,
) -> Result<Json<Listed<Decision>>, Problem> {
    let id = id("conversation", &conversation)?;
    front.office.store().conversation(id).await?;
    let found = front.office.store().decisions(id).await?.into_iter();
    let items = found.map(|decided| Traced::from(decided).decision).collect();
    Ok(Json(Listed { items, next: None }))
}

/// How somebody found a draft.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    /// Right as it was.
    Approved,
    /// Right with changes.
    Corrected,
    /// Wrong.
    Wrong,
}

/// What somebody made of a draft; a labelled case for evals.
#[derive(Debug, Serialize, ToSchema)]
struct Label {
    /// Id of the decision whose draft it was.
    #[schema(format = "uuid")]
    decision: String,
    /// Slug of the teammate who judged, or name of the token.
    teammate: String,
    verdict: Verdict,
    /// Id of the line that was sent instead, where one was.
    sent: Option<String>,
    at: Timestamp,
}

impl From<(Timestamp, store::Label)> for Label {
    fn from((at, label): (Timestamp, store::Label)) -> Self {
        let verdict = match label.verdict {
            store::Verdict::Approved => Verdict::Approved,
            store::Verdict::Corrected => Verdict::Corrected,
            store::Verdict::Wrong => Verdict::Wrong,
        };
        Self {
            decision: label.decision.to_string(),
            teammate: label.teammate.to_string(),
            verdict,
            sent: label.sent.map(|id| id.to_string()),
            at,
        }
    }
}

/// Lists what people made of drafts, the last verdict on each, that on the newest decision first.
#[utoipa::path(get, path = "/labels", tag = "decisions", params(Part),
    security(("token" = ["decisions:read"])),
    responses((status = 200, description = "A page of labels.", body = Listed<Label>)))]
async fn labels(
    State(front): State<Front>,
    Asked(part): Asked<Part>,
) -> Result<Json<Listed<Label>>, Problem> {
    let page = part.page()?;
    let found = front.office.store().labels(&page).await?;
    let id = |(_, label): &(Timestamp, store::Label)| label.decision.to_string();
    Ok(Json(Listed::of(found, &page, (id, Label::from))))
}

/// A verdict on a draft.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Judgement {
    verdict: Verdict,
    /// Slug of the teammate who judged; absent: the program did.
    #[serde(default)]
    teammate: Option<String>,
}

/// Judges the draft of a decision.
#[utoipa::path(post, path = "/decisions/{id}/judgement", tag = "decisions",
    params(("id" = String, Path, description = "Id of the decision.")),
    request_body = Judgement, security(("token" = ["conversations:write"])),
    responses((status = 204, description = "It was noted.")))]
async fn judge(
    State(front): State<Front>,
    program: Program,
    Named(decision): Named<String>,
    Body(judgement): Body<Judgement>,
) -> Result<StatusCode, Problem> {
    let named = id("decision", &decision)?;
    let decided = front.office.store().decision(named).await?;
    let by = program.actor_for(&front, judgement.teammate.as_deref()).await?;
    let verdict = match judgement.verdict {
        Verdict::Approved => store::Verdict::Approved,
        Verdict::Corrected => store::Verdict::Corrected,
        Verdict::Wrong => store::Verdict::Wrong,
    };
    let deed = Deed::Judge { decision: named, verdict };
    let conversation = decided.conversation;
    let request = program.request_by(&by, ("api.judged_as_teammate", &conversation.to_string()));
    front.office.act_once(conversation, &by, deed, request).await?;
    Ok(StatusCode::NO_CONTENT)
}

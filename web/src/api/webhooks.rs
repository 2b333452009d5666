use super::{
    asked::{Asked, Named, id},
    bearer::Program,
    page::{Listed, Part},
};
use crate::{Front, problem::Problem};
use axum::{Json, extract::State, http::StatusCode};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use store::{Attempt, Audit, Guard, Id, NewPost, Post, PostState};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn routes() -> OpenApiRouter<Front> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(deliveries))
        .routes(routes!(redeliver))
}

/// An address that is told of events.
#[derive(Debug, Serialize, ToSchema)]
struct Webhook {
    slug: String,
    /// Scheme, host and port; the path may hold a secret of the far side.
    origin: String,
    /// What it is told of, beside what rules call it for.
    events: Vec<String>,
}

/// A post to a webhook.
#[derive(Debug, Serialize, ToSchema)]
struct Posted {
    /// Its id, the same at every attempt.
    #[schema(format = "uuid")]
    id: String,
    /// Id of the conversation.
    #[schema(format = "uuid")]
    conversation: String,
    /// The event.
    event: String,
    state: Standing,
    /// How often it was sent.
    n_attempts: u32,
    /// What the last attempt met, such as `HTTP 503`.
    last_result: Option<String>,
    /// The last attempts, at most 20, in their order.
    attempts: Vec<Tried>,
    /// When it was written.
    created_at: Timestamp,
    /// When it is sent next, or was settled.
    at: Timestamp,
    /// What is sent: the conversation, and the circumstances of the event.
    body: Value,
}

/// An attempt to send a post.
#[derive(Debug, Serialize, ToSchema)]
struct Tried {
    /// Which one it was, from 1 on.
    number: u32,
    /// When it was begun.
    at: Timestamp,
    /// What it met; null: nothing is known of it.
    result: Option<String>,
}

impl From<Attempt> for Tried {
    fn from(attempt: Attempt) -> Self {
        Self { number: attempt.number, at: attempt.at, result: attempt.result }
    }
}

/// How a post stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Standing {
    Pending,
    Sent,
    Cancelled,
    Failed,
}

impl Posted {
    fn new(post: Post, attempts: Vec<Attempt>) -> Self {
        Self {
            id: post.id.to_string(),
            conversation: post.conversation.to_string(),
            event: post.kind,
            state: match post.state {
                PostState::Pending => Standing::Pending,
                PostState::Sent => Standing::Sent,
                PostState::Cancelled => Standing::Cancelled,
                PostState::Failed => Standing::Failed,
            },
            n_attempts: post.n_attempts,
            last_result: post.last_result,
            attempts: attempts.into_iter().map(Tried::from).collect(),
            created_at: post.created_at,
            at: post.at,
            body: post.body,
        }
    }
}

/// Lists the webhooks of `routing.toml`.
#[utoipa::path(get, path = "/webhooks", tag = "webhooks",
    security(("token" = ["webhooks:read"])),
    responses((status = 200, description = "All webhooks.", body = Listed<Webhook>)))]
async fn list(State(front): State<Front>) -> Json<Listed<Webhook>> {
    let desk = front.office.desk();
    let items = desk.playbook().webhooks.iter().map(|webhook| Webhook {
        slug: webhook.slug.to_string(),
        origin: origin(&webhook.url),
        events: webhook.events.clone(),
    });
    Json(Listed { items: items.collect(), next: None })
}

/// Returns scheme, host and port of an address, without a user.
fn origin(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}")
}

/// Lists what was or is to be sent to a webhook, newest first, whatever became of it.
///
/// The texts of messages are in it, so that it takes the scope `admin`.
#[utoipa::path(get, path = "/webhooks/{slug}/deliveries", tag = "webhooks",
    params(("slug" = String, Path, description = "Slug of the webhook."), Part),
    security(("token" = ["admin"])),
    responses((status = 200, description = "A page of posts.", body = Listed<Posted>)))]
async fn deliveries(
    State(front): State<Front>,
    Named(slug): Named<String>,
    Asked(part): Asked<Part>,
) -> Result<Json<Listed<Posted>>, Problem> {
    let page = part.page()?;
    let destination = destination(&front, &slug)?;
    let found = front.office.store().posts(Some(&destination), &page).await?;
    let ids: Vec<Id<Post>> = found.iter().map(|post| post.id).collect();
    let mut attempts = front.office.store().attempts(&ids).await?;
    let id = |post: &Post| post.id.to_string();
    let posted = |post: Post| {
        let attempts = attempts.remove(&post.id).unwrap_or_default();
        Posted::new(post, attempts)
    };
    Ok(Json(Listed::of(found, &page, (id, posted))))
}

fn destination(front: &Front, slug: &str) -> Result<String, Problem> {
    let desk = front.office.desk();
    let known = desk.playbook().webhooks.iter().any(|webhook| webhook.slug.as_str() == slug);
    if known { Ok(format!("webhook:{slug}")) } else { Err(Problem::not_found("webhook")) }
}

/// Sends something once more, as a new post with a new id at the end of the line.
#[utoipa::path(post, path = "/webhooks/{slug}/deliveries/{id}/redeliver", tag = "webhooks",
    params(("slug" = String, Path, description = "Slug of the webhook."),
        ("id" = String, Path, description = "Id of the post.")),
    security(("token" = ["admin"])),
    responses((status = 202, description = "It will be sent.")))]
async fn redeliver(
    State(front): State<Front>,
    program: Program,
    Named((slug, post)): Named<(String, String)>,
) -> Result<StatusCode, Problem> {
    let destination = destination(&front, &slug)?;
    let store = front.office.store();
    let found = store.post(id("delivery", &post)?).await?;
    if found.destination != destination {
        return Err(Problem::not_found("delivery"));
    }
    let again = NewPost { destination, kind: found.kind, body: found.body };
    let audit = Audit {
        actor: program.actor(),
        action: "webhook.redelivered".into(),
        subject: post,
        detail: json!({ "webhook": slug }),
    };
    let request = program.request();
    let written = store
        .change(found.conversation, Guard::None, front.office.now(), move |_, change| {
            change.request = request;
            change.posts.push(again);
            change.audit.push(audit);
            Ok::<(), std::convert::Infallible>(())
        })
        .await?;
    let Ok(()) = written;
    Ok(StatusCode::ACCEPTED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_shows_neither_user_nor_path() {
        for (url, expected) in [
            ("https://crm.example/hook/s3cret?k=v", "https://crm.example"),
            ("http://ada:pw@crm.example:81/x", "http://crm.example:81"),
            ("https://crm.example", "https://crm.example"),
        ] {
            assert_eq!(origin(url), expected);
        }
    }
}

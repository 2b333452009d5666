use super::{
    moment::Moment,
    page::{self, Refusal, show},
    session::SignedIn,
    shell::{Frame, Shell},
};
use crate::Front;
use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use serde::Deserialize;
use store::{Attempt, Id, Page, Post, PostState, Role};

/// Deliveries that one page shows.
const LIMIT: u32 = 100;

#[derive(Template)]
#[template(path = "webhooks.html")]
struct WebhooksPage {
    shell: Shell,
    webhooks: Vec<(String, String)>,
    chosen: String,
    posts: Vec<Line>,
    older: Option<String>,
}

struct Line {
    kind: String,
    conversation: String,
    state: &'static str,
    n_attempts: u32,
    attempts: Vec<(u32, Moment, String)>,
    created: Moment,
    at: Moment,
    result: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    webhook: String,
    before: Option<String>,
}

/// Shows what was delivered to the desk's webhooks, newest first.
pub(super) async fn page(
    State(front): State<Front>,
    by: SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    by.must_be(Role::Admin)?;
    let Frame { shell, now, .. } = Frame::of(&front, &by, "Webhooks").await?;
    let desk = front.office.desk();
    let webhooks = desk.playbook().webhooks.iter();
    let webhooks: Vec<(String, String)> =
        webhooks.map(|webhook| (webhook.slug.to_string(), host(&webhook.url))).collect();
    let known = webhooks.iter().find(|(slug, _)| *slug == asked.webhook).or(webhooks.first());
    let chosen = known.map(|(slug, _)| slug.clone()).unwrap_or_default();
    let part = Page { before: asked.before, limit: LIMIT };
    let destination = format!("webhook:{chosen}");
    let posts = front.office.store().posts(Some(&destination), &part).await?;
    let older = page::older(&posts, LIMIT, |post| post.id);
    let ids: Vec<Id<Post>> = posts.iter().map(|post| post.id).collect();
    let mut attempts = front.office.store().attempts(&ids).await?;
    let posts = posts.into_iter().map(|post| {
        let attempts = attempts.remove(&post.id).unwrap_or_default();
        line(post, attempts, now)
    });
    let posts = posts.collect();
    Ok(show(&WebhooksPage { shell, webhooks, chosen, posts, older }))
}

fn line(post: Post, attempts: Vec<Attempt>, now: jiff::Timestamp) -> Line {
    let attempts = attempts.into_iter().map(|attempt| {
        let result = attempt.result.unwrap_or_else(|| "nothing is known".into());
        (attempt.number, Moment::new(attempt.at, now), result)
    });
    Line {
        kind: post.kind,
        conversation: post.conversation.to_string(),
        state: match post.state {
            PostState::Pending => "waiting",
            PostState::Sent => "sent",
            PostState::Cancelled => "cancelled",
            PostState::Failed => "failed",
        },
        n_attempts: post.n_attempts,
        attempts: attempts.collect(),
        created: Moment::new(post.created_at, now),
        at: Moment::new(post.at, now),
        result: post.last_result.unwrap_or_default(),
    }
}

/// Returns the host of an address; its path may hold a secret.
fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default().to_string()
}

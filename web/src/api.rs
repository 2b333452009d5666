//! Programs: the versioned REST interface under `/api/v1`.
//!
//! A request passes `bearer.rs` (who asks, and may they), `repetition.rs` (was it asked before),
//! and a handler, of which each file here has those of one noun. `asked.rs` reads what is asked;
//! whatever is wrong with it comes back as a [`Problem`]. `document.rs` describes all of it from
//! the same attributes by which the routes are made.

mod articles;
mod asked;
mod bearer;
mod conversations;
mod customers;
mod decisions;
mod deeds;
mod document;
mod messages;
mod page;
mod repetition;
mod teams;
mod tokens;
mod webhooks;

#[cfg(test)]
mod tests;

pub use bearer::SCOPES;
pub use tokens::issue_token;

use crate::{Front, problem::Problem};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{StatusCode, header},
    middleware::from_fn_with_state,
    routing::{any, get},
};
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;

/// Where the interface of this version is.
const ROOT: &str = "/api/v1";

/// Returns the routes.
pub(crate) fn router(front: &Front) -> Router<Front> {
    let (routes, described) = described().split_for_parts();
    let document = Arc::new(document::finish(&described));
    let checkpoint = bearer::Checkpoint::new(front.clone(), &document);
    let text: Arc<str> = document.to_string().into();
    let page: Arc<str> = document::page(&document).into();
    let json = [(header::CONTENT_TYPE, "application/json")];
    let routes = routes
        .layer(from_fn_with_state(checkpoint.clone(), repetition::once))
        .layer(from_fn_with_state(checkpoint, bearer::authorise))
        .layer(DefaultBodyLimit::max(asked::MOST_BYTES))
        .route("/openapi.json", get(move || async move { (json, text.to_string()) }))
        .route("/docs", get(move || async move { document::html(&page) }))
        .route("/docs.css", get(|| async { document::css() }))
        .method_not_allowed_fallback(|| async {
            let detail = "this place does not know the method; see Allow";
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
        })
        .fallback(nowhere);
    // What is nested does not begin with a slash alone.
    Router::new().nest(ROOT, routes).route(&format!("{ROOT}/"), any(nowhere))
}

async fn nowhere() -> Problem {
    Problem::not_found("place")
}

/// Returns every route that needs a token, with its description.
fn described() -> OpenApiRouter<Front> {
    OpenApiRouter::with_openapi(document::head())
        .merge(conversations::routes())
        .merge(deeds::routes())
        .merge(messages::routes())
        .merge(customers::routes())
        .merge(articles::routes())
        .merge(teams::routes())
        .merge(decisions::routes())
        .merge(webhooks::routes())
        .merge(tokens::routes())
}

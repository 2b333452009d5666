//! Whoever runs the desk: whether it lives (`/healthz`), whether it can work (`/readyz`) and what it
//! counts (`/metrics`).
//!
//! Figures and the detail of readiness are for this machine, the trusted proxies, and whoever has
//! the metrics token; everybody else learns no more than whether the desk works.

mod figures;
mod health;
mod observe;
mod ready;

pub use health::Health;
pub(crate) use observe::observe;

use crate::{Front, Problem, caller::Caller, secret};
use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;

/// Returns the routes.
pub(crate) fn router() -> Router<Front> {
    Router::new()
        .route("/healthz", get(|| async { Json(json!({"status": "alive"})) }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
}

async fn readyz(State(front): State<Front>, caller: Caller, headers: HeaderMap) -> Response {
    let report = front.health.report(&front).await;
    let status = if report.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(report.told(is_trusted(&front, caller, &headers)))).into_response()
}

async fn metrics(
    State(front): State<Front>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if !is_trusted(&front, caller, &headers) {
        let detail = "metrics are for this machine and trusted proxies; otherwise send server.metrics_token as a bearer token";
        return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", detail));
    }
    figures::look(&front).await;
    let Some(text) = front.health.render() else { return Err(Problem::not_found("page")) };
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}

/// Whether a caller may see figures and details.
fn is_trusted(front: &Front, Caller(address): Caller, headers: &HeaderMap) -> bool {
    // What comes from this machine by a proxy that is not named may come from anywhere.
    let is_own = address.is_loopback() && !headers.contains_key("x-forwarded-for");
    let proxies = &front.settings.trusted_proxies;
    let is_near = is_own || proxies.iter().any(|proxy| proxy.to_canonical() == address);
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let presented = bearer.and_then(|value| value.strip_prefix("Bearer "));
    // Hashes are compared, so that the time it takes tells nothing of the token.
    let holds_token = presented
        .zip(front.health.token())
        .is_some_and(|(presented, token)| secret::hash(presented) == secret::hash(token));
    is_near || holds_token
}

#[cfg(test)]
mod tests;

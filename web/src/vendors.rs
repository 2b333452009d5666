//! Other systems: where they tell what happened.
//!
//! `POST /webhooks/NAME` hands what came to the channel of that name, which proves whose it is.
//! What it tells is kept before it is acknowledged, and looked at afterwards: vendors wait half a
//! second and repeat what nobody acknowledged.

use crate::{Front, Problem};
use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderMap, StatusCode},
    routing::post,
};
use bot::{Call, Heard, Unheard};

/// Largest body that is read, in bytes. Intercom's hold a whole conversation at most.
const LARGEST_BODY: usize = 4 << 20;

/// Returns the routes.
pub(crate) fn router() -> Router<Front> {
    // Intercom asks for the head of an address before it takes it.
    let door = post(hear).head(is_there).get(is_there);
    Router::new().route("/webhooks/{name}", door).layer(DefaultBodyLimit::max(LARGEST_BODY))
}

async fn hear(
    State(front): State<Front>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let call = Call { header: &header, body: &body };
    match front.office.hear(&name, &call).await? {
        Ok(Heard::Kept) => Ok(StatusCode::OK),
        Ok(Heard::Nobody) => Err(Problem::not_found("address")),
        Err(unheard) => Err(refused(&name, &unheard)),
    }
}

async fn is_there(State(front): State<Front>, Path(name): Path<String>) -> StatusCode {
    if front.office.has_door(&name) { StatusCode::OK } else { StatusCode::NOT_FOUND }
}

fn refused(name: &str, unheard: &Unheard) -> Problem {
    tracing::warn!(channel = name, why = %unheard, "what came to a door was refused");
    let detail = unheard.to_string();
    match unheard {
        Unheard::Forged(_) => Problem::new(StatusCode::UNAUTHORIZED, "forged", detail),
        Unheard::Unreadable(_) => Problem::new(StatusCode::BAD_REQUEST, "unreadable", detail),
    }
}

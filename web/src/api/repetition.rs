use super::{
    asked,
    bearer::{Checkpoint, Program},
    conversations::Conversation,
    customers::Customer,
};
use crate::{problem::Problem, secret};
use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use jiff::SignedDuration;
use sha2::{Digest, Sha256};
use store::{Effect, Id, Idempotent};

/// Names a request, so that it can be sent again without being done again
/// (draft-ietf-httpapi-idempotency-key-header).
pub(super) const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Set on an answer that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// How long a key is remembered.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24);

/// The longest key.
const MOST_KEY_BYTES: usize = 200;

/// Answers a POST with a key that was answered before with the same answer.
pub(super) async fn once(
    State(checkpoint): State<Checkpoint>,
    program: Program,
    request: Request,
    next: Next,
) -> Response {
    let Some(key) = program.1.clone() else {
        return next.run(request).await;
    };
    // Whoever asks may hang up and ask again; what was begun is finished and noted all the same.
    let work = tokio::spawn(async move { keyed(checkpoint, (program, key), request, next).await });
    match work.await {
        Ok(answer) => answer,
        Err(failure) => Problem::inside(&failure).into_response(),
    }
}

async fn keyed(
    checkpoint: Checkpoint,
    (program, key): (Program, String),
    request: Request,
    next: Next,
) -> Response {
    let token = program.0.id;
    match begin(&checkpoint, (token, &key), request).await {
        Err(problem) => problem.into_response(),
        Ok(Err(answered)) => answered,
        Ok(Ok(request)) => {
            let answer = next.run(request).await;
            end(&checkpoint, (token, &key), answer).await.unwrap_or_else(Problem::into_response)
        }
    }
}

/// Notes a request, or returns the answer that it was given before.
async fn begin(
    checkpoint: &Checkpoint,
    (token, key): (Id<store::ApiToken>, &str),
    request: Request,
) -> Result<Result<Request, Response>, Problem> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_string();
    if path.ends_with("/tokens") {
        // Its answer holds the token, which is kept nowhere.
        let detail = "making a token takes no Idempotency-Key; its name keeps it from doubling";
        return Err(Problem::new(StatusCode::BAD_REQUEST, "key_refused", detail));
    }
    if key.is_empty() || key.len() > MOST_KEY_BYTES {
        let detail = format!("an Idempotency-Key has 1 to {MOST_KEY_BYTES} visible characters");
        return Err(Problem::new(StatusCode::BAD_REQUEST, "key_refused", detail));
    }
    let bytes = asked::read(Request::from_parts(parts.clone(), body)).await?;
    let hash = request_hash(&path, &bytes);
    let (office, store) = (&checkpoint.front.office, checkpoint.front.office.store());
    let now = office.now();
    let since = now.saturating_sub(REMEMBERED).unwrap_or(jiff::Timestamp::MIN);
    match store.begin_request((token, key), &hash, since, now).await? {
        None => Ok(Ok(Request::from_parts(parts, Body::from(bytes)))),
        Some(earlier) if earlier.request_hash != hash => {
            let detail = "this Idempotency-Key was used for another request; take a new one";
            Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "key_reused", detail))
        }
        // It was done, but whoever worked on it died before it was answered.
        Some(Idempotent { answer: None, effect: Some(effect), .. }) => {
            let (status, body) = answer_to(store, effect, &path).await?;
            Ok(Err(replay(status.as_u16(), body)))
        }
        Some(Idempotent { answer: None, .. }) => {
            let detail = "the first request with this Idempotency-Key is still worked on; wait";
            Err(Problem::new(StatusCode::CONFLICT, "in_progress", detail))
        }
        Some(Idempotent { answer: Some((status, body)), .. }) => Ok(Err(replay(status, body))),
    }
}

/// Answers a request again that was not answered, as far as its effect tells.
async fn answer_to(
    store: &store::Store,
    effect: Effect,
    path: &str,
) -> Result<(StatusCode, String), Problem> {
    let (status, shown) = match effect {
        Effect::Opened(id) => {
            let customer = Customer::from(store.customer(id).await?);
            (StatusCode::CREATED, serde_json::to_string(&customer))
        }
        Effect::Changed(id) => match answer_at(path) {
            (status, false) => return Ok((status, String::new())),
            (status, true) => {
                let conversation = Conversation::from(store.conversation(id).await?);
                (status, serde_json::to_string(&conversation))
            }
        },
    };
    Ok((status, shown.map_err(|failure| Problem::inside(&failure))?))
}

/// Says how what changes a conversation is answered by path: with which status, and whether the
/// conversation is shown.
fn answer_at(path: &str) -> (StatusCode, bool) {
    match path.rsplit('/').next() {
        Some("judgement") => (StatusCode::NO_CONTENT, false),
        Some("redeliver") => (StatusCode::ACCEPTED, false),
        _ => (StatusCode::OK, true),
    }
}

/// Notes the answer, unless something failed inside: then the request can be made again.
async fn end(
    checkpoint: &Checkpoint,
    of: (Id<store::ApiToken>, &str),
    answer: Response,
) -> Result<Response, Problem> {
    let store = checkpoint.front.office.store();
    let (parts, body) = answer.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let status = parts.status.as_u16();
    let text = std::str::from_utf8(&bytes).ok().filter(|_| status < 500);
    store.end_request(of, text.map(|text| (status, text))).await?;
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

pub(super) fn request_hash(path: &str, body: &Bytes) -> String {
    let mut hash = Sha256::new();
    hash.update("POST ");
    hash.update(path);
    hash.update("\n");
    hash.update(body);
    secret::hexadecimal(&hash.finalize())
}

fn replay(status: u16, body: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let kind = match status.is_success() {
        true => "application/json",
        false => "application/problem+json",
    };
    let mut answer = (status, [(header::CONTENT_TYPE, kind)], body).into_response();
    answer.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    answer
}

use crate::Problem;
use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{StatusCode, header},
};
use serde::de::DeserializeOwned;

/// The JSON body of a request. Whatever else comes is answered with a [`Problem`].
#[derive(Debug)]
pub(super) struct Said<T>(pub(super) T);

impl<T, S> FromRequest<S> for Said<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/json") {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "not_json",
                "send the body as application/json",
            ));
        }
        let body = Bytes::from_request(request, state).await.map_err(|refused| {
            if refused.status() == StatusCode::PAYLOAD_TOO_LARGE {
                let code = "too_large";
                Problem::new(StatusCode::PAYLOAD_TOO_LARGE, code, "the body is too large")
            } else {
                unreadable("the body ended before it was complete".to_string())
            }
        })?;
        serde_json::from_slice(&body).map(Self).map_err(|error| {
            // The place alone: what stands there may be a customer's words.
            let (line, column) = (error.line(), error.column());
            let what = match error.classify() {
                serde_json::error::Category::Data => "has not the fields that are expected",
                _ => "is no JSON in UTF-8",
            };
            unreadable(format!("the body {what}, at line {line}, column {column}"))
        })
    }
}

fn unreadable(detail: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "unreadable", detail)
}

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bot::OfficeError;
use serde_json::{Map, Value as Json, json};

/// An error as programs and scripts read it: `application/problem+json` (RFC 9457) with a stable
/// `code`. What went wrong inside is logged and never shown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    /// Stable name, such as `not_found`.
    pub(crate) code: &'static str,
    /// What is wrong and how to mend it, for people.
    pub(crate) detail: String,
    /// More fields, by name; `retry_after_s` becomes the header of that name too.
    pub(crate) more: Map<String, Json>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), more: Map::new() }
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("there is no {what} like that"))
    }

    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail)
    }

    /// Names the field that is wrong, such as `message.text`.
    pub(crate) fn at(field: &str, detail: impl Into<String>) -> Self {
        let more = Map::from_iter([("field".to_string(), json!(field))]);
        Self { more, ..Self::invalid(detail) }
    }

    /// Says that somebody has asked too much, and when to come back.
    pub(crate) fn too_many(after_s: u64) -> Self {
        let detail = format!("too much at once; try again in {after_s} s");
        let more = Map::from_iter([("retry_after_s".to_string(), json!(after_s))]);
        Self { more, ..Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many", detail) }
    }

    /// Logs what failed inside and says no more than that something did.
    pub(crate) fn inside(failure: &dyn std::error::Error) -> Self {
        let mut causes = vec![failure.to_string()];
        let mut next = failure.source();
        while let Some(cause) = next {
            causes.push(cause.to_string());
            next = cause.source();
        }
        tracing::error!(error = causes.join(": "), "a request failed inside");
        let detail = "something failed here; it has been noted";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }
}

impl From<OfficeError> for Problem {
    fn from(error: OfficeError) -> Self {
        match &error {
            OfficeError::NotFound(what) => Self::not_found(what),
            OfficeError::Illegal(why) => {
                Self::new(StatusCode::CONFLICT, "illegal", why.to_string())
            }
            OfficeError::Overtaken(number) => Self {
                more: Map::from_iter([("entry".to_string(), json!(number))]),
                ..Self::new(StatusCode::CONFLICT, "overtaken", error.to_string())
            },
            OfficeError::Held(_) => Self::new(StatusCode::CONFLICT, "held", error.to_string()),
            OfficeError::Invalid(what) => Self::invalid(what.clone()),
            OfficeError::Store(store::Error::Taken(what)) => {
                let detail = format!("there is already a {what} with this name; take another");
                Self::new(StatusCode::CONFLICT, "taken", detail)
            }
            OfficeError::Store(source) => Self::inside(source),
        }
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        OfficeError::from(error).into()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = self.more;
        let after = body.get("retry_after_s").and_then(Json::as_u64);
        let after = after.map(|seconds| [(header::RETRY_AFTER, seconds.to_string())]);
        let title = self.status.canonical_reason().unwrap_or("error");
        body.insert("type".into(), json!("about:blank"));
        body.insert("title".into(), json!(title));
        body.insert("status".into(), json!(self.status.as_u16()));
        body.insert("code".into(), json!(self.code));
        body.insert("detail".into(), json!(self.detail));
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        let body = Json::Object(body).to_string();
        match after {
            Some(after) => (self.status, kind, after, body).into_response(),
            None => (self.status, kind, body).into_response(),
        }
    }
}

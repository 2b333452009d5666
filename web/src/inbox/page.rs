use crate::problem::Problem;
use askama::Template;
use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{Html, IntoResponse, Redirect, Response},
};
use bot::OfficeError;
use store::Id;

/// Pages run their own script and style alone, are framed by nobody, and send forms home only.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

/// Why a page is not shown or a form not taken.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Refusal {
    /// Nobody is signed in here.
    SignIn,
    /// Everything else: status, what is the matter, and how to go on.
    Because(StatusCode, &'static str, String),
}

impl Refusal {
    pub(super) fn invalid(detail: impl Into<String>) -> Self {
        Self::Because(StatusCode::UNPROCESSABLE_ENTITY, "That cannot be done", detail.into())
    }

    pub(super) fn not_found(what: &str) -> Self {
        let detail = format!("There is no {what} like that.");
        Self::Because(StatusCode::NOT_FOUND, "Not found", detail)
    }

    pub(super) fn forbidden(detail: impl Into<String>) -> Self {
        Self::Because(StatusCode::FORBIDDEN, "Not allowed", detail.into())
    }

    pub(super) fn inside(failure: &dyn std::error::Error) -> Self {
        Problem::inside(failure).into()
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        let title = match problem.code {
            "not_found" => "Not found",
            "internal" => "Something failed",
            _ => "That cannot be done",
        };
        Self::Because(problem.status, title, sentence(&problem.detail))
    }
}

impl From<OfficeError> for Refusal {
    fn from(error: OfficeError) -> Self {
        Problem::from(error).into()
    }
}

impl From<store::Error> for Refusal {
    fn from(error: store::Error) -> Self {
        Problem::from(error).into()
    }
}

/// Begins with a capital and ends with a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::SignIn => StatusCode::UNAUTHORIZED,
            Self::Because(status, ..) => *status,
        };
        let mut response = status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[derive(Template)]
#[template(path = "refusal.html")]
struct RefusalPage<'a> {
    title: &'a str,
    detail: &'a str,
}

#[derive(Template)]
#[template(path = "notice.html")]
struct Notice<'a> {
    title: &'a str,
    detail: &'a str,
}

/// Reads the id of something from an address or a form.
pub(super) fn id<T>(text: &str, what: &'static str) -> Result<Id<T>, Refusal> {
    text.parse().map_err(|_| Refusal::not_found(what))
}

/// Returns what to ask for older ones before, where as many were found as a page shows.
pub(super) fn older<T, U>(found: &[T], limit: u32, id: impl Fn(&T) -> Id<U>) -> Option<String> {
    let is_full = found.len() >= limit as usize;
    found.last().filter(|_| is_full).map(|last| id(last).to_string())
}

/// Makes a response of a template.
pub(super) fn show(template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => Html(text).into_response(),
        Err(failure) => Refusal::inside(&failure).into_response(),
    }
}

/// Whether htmx asks, for a part of the page that is open.
pub(super) fn is_part(headers: &HeaderMap) -> bool {
    headers.contains_key("hx-request")
}

/// Has the parts of the page that is open looked up again.
pub(super) fn refreshed() -> Response {
    let triggers = [("hx-trigger", "lists-changed, conversation-changed")];
    (StatusCode::NO_CONTENT, triggers).into_response()
}

/// Puts refusals into the form that the asker can show, and the headers on that keep pages safe.
pub(super) async fn finish(request: Request, next: Next) -> Response {
    let part = is_part(request.headers());
    let stream = request.uri().path().ends_with("/events");
    let mut response = next.run(request).await;
    if let Some(refusal) = response.extensions_mut().remove::<Refusal>() {
        response = worded(&refusal, part, stream);
    }
    let headers = response.headers_mut();
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        // Not `no-referrer`, which would have browsers send forms with the origin `null`.
        (header::REFERRER_POLICY, "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

fn worded(refusal: &Refusal, part: bool, stream: bool) -> Response {
    match refusal {
        Refusal::SignIn if stream => StatusCode::UNAUTHORIZED.into_response(),
        Refusal::SignIn if part => {
            (StatusCode::UNAUTHORIZED, [("hx-redirect", "/inbox/sign-in")]).into_response()
        }
        Refusal::SignIn => Redirect::to("/inbox/sign-in").into_response(),
        Refusal::Because(status, title, detail) if part => {
            let place = [("hx-retarget", "#notice"), ("hx-reswap", "innerHTML")];
            (*status, place, show(&Notice { title, detail })).into_response()
        }
        Refusal::Because(status, title, detail) => {
            (*status, show(&RefusalPage { title, detail })).into_response()
        }
    }
}

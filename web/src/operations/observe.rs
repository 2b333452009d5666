use crate::{Front, Problem, secret};
use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::{FutureExt, StreamExt};
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use std::{panic::AssertUnwindSafe, time::Instant};
use tracing::Instrument;

/// Tells the recorder what the numbers of requests mean.
pub(super) fn describe() {
    describe_histogram!("frontdesk_http_seconds", "Time to the head of the answer, by route");
    describe_counter!("frontdesk_http_requests_total", "Requests by route, method and status");
    describe_counter!("frontdesk_panics_total", "Requests that broke the program");
    describe_gauge!("frontdesk_streams_open", "Event streams that are open, by route");
}

/// Name of a request, in the log and in the head of the answer.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Routes that machines ask every few seconds; nobody wants to read of it.
const ASKED_OFTEN: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// Counts, times and logs a request by its route's template, never by its path or query, which
/// may hold tokens and ids. What breaks while it is answered costs this request alone.
pub(crate) async fn observe(State(_): State<Front>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let method = known(request.method());
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_string());
    let route = route.unwrap_or_else(|| "none".into());
    let id = request_id();
    let span = tracing::error_span!("request", request.id = id, route);
    let answered = AssertUnwindSafe(next.run(request).instrument(span)).catch_unwind().await;
    let mut response = answered.unwrap_or_else(|_| {
        counter!("frontdesk_panics_total").increment(1);
        let detail = "something broke here; it has been noted";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail).into_response()
    });
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let (status, seconds) = (response.status().as_u16(), start.elapsed().as_secs_f64());
    let duration_ms = seconds * 1000.0;
    if ASKED_OFTEN.contains(&route.as_str()) {
        tracing::debug!(request.id = id, method, route, status, duration_ms, "answered a request");
    } else {
        tracing::info!(request.id = id, method, route, status, duration_ms, "answered a request");
    }
    histogram!("frontdesk_http_seconds", "route" => route.clone()).record(seconds);
    let labels =
        [("route", route.clone()), ("method", method.into()), ("status", status.to_string())];
    counter!("frontdesk_http_requests_total", &labels).increment(1);
    if is_stream(&response) { response.map(|body| counted(body, route)) } else { response }
}

/// Makes a name that tells nothing; without randomness requests stay nameless.
fn request_id() -> String {
    secret::token().map(|token| token.chars().take(16).collect()).unwrap_or_default()
}

/// Returns the name of a method, one of few, as strangers may make up any.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn is_stream(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("text/event-stream"))
}

/// Counts a stream as open until its body is dropped, by whichever side ends it.
fn counted(body: Body, route: String) -> Body {
    let open = OpenStream::new(route);
    Body::from_stream(body.into_data_stream().map(move |piece| {
        let _held = &open;
        piece
    }))
}

struct OpenStream(String);

impl OpenStream {
    fn new(route: String) -> Self {
        gauge!("frontdesk_streams_open", "route" => route.clone()).increment(1.0);
        Self(route)
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        gauge!("frontdesk_streams_open", "route" => std::mem::take(&mut self.0)).decrement(1.0);
    }
}

use crate::secret;
use axum::{
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

/// The files of the pages. htmx is version 2.0.11 as its authors publish it; see
/// `web/inbox/htmx.LICENSE`.
const FILES: [(&str, &str, &str); 4] = [
    ("inbox.css", "text/css; charset=utf-8", include_str!("../../inbox/inbox.css")),
    ("inbox.js", "text/javascript; charset=utf-8", include_str!("../../inbox/inbox.js")),
    ("htmx.min.js", "text/javascript; charset=utf-8", include_str!("../../inbox/htmx.min.js")),
    ("icon.svg", "image/svg+xml", include_str!("../../inbox/icon.svg")),
];

/// Sends a file; a browser that has it asks whether it is still the same.
pub(super) fn file(name: &str, headers: &HeaderMap) -> Response {
    let Some((_, kind, text)) = FILES.iter().find(|(known, ..)| *known == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let tag = format!("\"{}\"", secret::hash(text));
    let caching = [(header::ETAG, tag.clone()), (header::CACHE_CONTROL, "no-cache".to_string())];
    let has = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if has.is_some_and(|has| has.contains(&tag)) {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    (caching, [(header::CONTENT_TYPE, *kind)], *text).into_response()
}

use super::Porch;
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use tower_http::compression::CompressionLayer;

/// The parts of the script, in their order. They share one scope, which nothing else can see.
const PARTS: [&str; 7] = [
    include_str!("../../messenger/settings.js"),
    include_str!("../../messenger/desk.js"),
    include_str!("../../messenger/talk.js"),
    include_str!("../../messenger/lines.js"),
    include_str!("../../messenger/panel.js"),
    include_str!("../../messenger/rating.js"),
    include_str!("../../messenger/start.js"),
];

const STYLE: &str = include_str!("../../messenger/style.css");

const DEMO: &str = include_str!("../../messenger/demo.html");
const DEMO_STYLE: &str = include_str!("../../messenger/demo.css");

/// What the demo page may load and do: only what this desk serves, and nothing written into it.
const DEMO_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types frontdesk";

/// A file as it is served.
#[derive(Clone)]
struct Served {
    body: Arc<str>,
    tag: HeaderValue,
}

impl Served {
    fn new(body: &str) -> Self {
        let hash = crate::secret::hexadecimal(&Sha256::digest(body));
        let tag = format!("\"{}\"", hash.get(..16).unwrap_or_default());
        let tag = HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("\"0\""));
        Self { body: body.into(), tag }
    }

    fn answer(&self, asked: &HeaderMap, kind: &'static str) -> Response {
        let cached = asked.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
        let tag = self.tag.to_str().unwrap_or_default();
        let known = cached.is_some_and(|tags| tags.split(',').any(|t| t.trim().ends_with(tag)));
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
            (header::ETAG, self.tag.clone()),
            (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300")),
            (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            // Pages of any origin embed the script, also such as isolate themselves.
            (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
            (
                HeaderName::from_static("cross-origin-resource-policy"),
                HeaderValue::from_static("cross-origin"),
            ),
        ];
        if known {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        (headers, self.body.to_string()).into_response()
    }
}

/// Returns the routes of the script and of the page that shows it.
pub(super) fn router() -> Router<Porch> {
    let script = Served::new(&script());
    let style = Served::new(DEMO_STYLE);
    let give = |file: Served, kind: &'static str| {
        get(move |headers: HeaderMap| async move { file.answer(&headers, kind) })
    };
    Router::new()
        .route("/messenger.js", give(script, "text/javascript; charset=utf-8"))
        .route("/messenger/demo.css", give(style, "text/css; charset=utf-8"))
        .route("/", get(demo))
        .route("/messenger", get(demo))
        .layer(CompressionLayer::new().gzip(true))
}

async fn demo(State(porch): State<Porch>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, DEMO_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    let address = porch.front.settings.public_url.replace(['<', '>', '"', '&', '\''], "");
    (headers, DEMO.replace("{public_url}", &address)).into_response()
}

/// Puts the script together: its parts and its style, without indentation and whole-line comments,
/// which are a quarter of it.
fn script() -> String {
    let style = serde_json::Value::String(lean(STYLE, |line| line.starts_with("/*")));
    let body = PARTS.map(|part| lean(part, |line| line.starts_with("//"))).concat();
    let body = body.replace("\"{style}\"", &style.to_string());
    format!("(()=>{{\"use strict\";\n{body}}})();\n")
}

fn lean(text: &str, is_comment: impl Fn(&str) -> bool) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !is_comment(line));
    lines.fold(String::with_capacity(text.len()), |lean, line| lean + line + "\n")
}

//! The way of a request: token, version, rate, fate, effect, answer.

use super::{
    Inner, Json, Mishap, Refusal, Version, control, faults::Rate, line::Line, request::Request,
    routes,
};
use axum::{
    body::{Body, to_bytes},
    extract::{ConnectInfo, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use serde::Serialize;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use uuid::Uuid;

/// A request that came, and how it was answered.
#[derive(Clone, Debug, Serialize)]
pub struct Logged {
    /// Such as `POST`.
    pub method: String,
    /// With the query.
    pub path: String,
    /// Null where there was none.
    pub body: Json,
    /// None where the connection ended instead.
    pub status: Option<u16>,
    /// What went wrong with it.
    pub mishap: Option<Mishap>,
    /// When it came.
    pub when: Timestamp,
    /// What the header `Intercom-Version` said.
    pub version: Option<String>,
}

/// The most bytes that a body may have.
const BODY_AT_MOST: usize = 4 << 20;

pub(super) async fn receive(
    State(inner): State<Arc<Inner>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: axum::extract::Request,
) -> Response {
    let (head, body) = request.into_parts();
    let bytes = to_bytes(body, BODY_AT_MOST).await.unwrap_or_default();
    let path = head.uri.path().to_string();
    if let Some(rest) = path.strip_prefix("/_control/").filter(|_| inner.control) {
        return control::answer(&inner, head.method.as_str(), rest, &bytes);
    }
    let name = format!("{} {path}", head.method);
    let version = head.headers.get("intercom-version").and_then(|value| value.to_str().ok());
    let version = version.map(str::to_string);
    let body = if bytes.is_empty() { Ok(Json::Null) } else { serde_json::from_slice(&bytes) };
    let mut logged = Logged {
        method: head.method.to_string(),
        path: head.uri.path_and_query().map_or(path.clone(), ToString::to_string),
        body: body.as_ref().ok().cloned().unwrap_or_default(),
        status: None,
        mishap: None,
        when: (inner.clock)(),
        version: version.clone(),
    };
    let admitted = match inner.admit(&head.headers, &name, version.as_deref()) {
        Ok(admitted) => admitted,
        Err((refusal, rate)) => return inner.refuse(logged, &refusal, rate),
    };
    let Admitted { rate, mishap, version } = admitted;
    let Ok(body) = body else {
        let refusal = Refusal::new(400, "bad_request", "Could not parse the request body");
        return inner.refuse(logged, &refusal, Some(rate));
    };
    logged.mishap = mishap;
    match mishap {
        Some(Mishap::Failing(status)) => return inner.fail(logged, status, rate),
        Some(Mishap::LostRequest) => return inner.lose(logged, &line),
        _ => {}
    }
    let request = Request {
        method: head.method.to_string(),
        segments: path.split('/').filter(|part| !part.is_empty()).map(str::to_string).collect(),
        query: query(head.uri.query().unwrap_or_default()),
        body,
        version,
    };
    let Some(request) = inner.unless_late(mishap, request) else {
        return inner.fail(logged, 504, rate);
    };
    let answer = inner.with(|workspace| routes::answer(workspace, &request));
    match mishap {
        Some(Mishap::FailingAfter(status)) => return inner.fail(logged, status, rate),
        Some(Mishap::LostAnswer) => return inner.lose(logged, &line),
        Some(Mishap::Slow(ms)) => tokio::time::sleep(Duration::from_millis(ms)).await,
        _ => {}
    }
    match answer {
        Err(refusal) => inner.refuse(logged, &refusal, Some(rate)),
        Ok((status, body)) => {
            let body = if body.is_null() { String::new() } else { body.to_string() };
            inner.say(logged, (status, body), Some(rate), version)
        }
    }
}

/// A request that was let in.
struct Admitted {
    rate: Rate,
    mishap: Option<Mishap>,
    version: Version,
}

/// Reads a query; names and values of this API need no more than `%` undone.
fn query(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (unescaped(name), unescaped(value))).collect()
}

fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let byte = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (first, byte) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            (first, _) => {
                bytes.push(if *first == b'+' { b' ' } else { *first });
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Inner {
    /// Has the effects come that are due, and puts off that of a request which is to come late.
    fn unless_late(&self, mishap: Option<Mishap>, request: Request) -> Option<Request> {
        self.catch_up();
        let Some(Mishap::LateEffect(after_s)) = mishap else { return Some(request) };
        let at = (self.clock)().as_second() + after_s;
        self.late.lock().unwrap().push((at, request));
        None
    }

    /// Lets a request in: its token first, then its rate, then its version.
    fn admit(
        &self,
        headers: &HeaderMap,
        name: &str,
        version: Option<&str>,
    ) -> Result<Admitted, (Refusal, Option<Rate>)> {
        let token = headers.get("authorization").and_then(|value| value.to_str().ok());
        if token != Some(&format!("Bearer {}", self.token)) {
            return Err((Refusal::new(401, "unauthorized", "Access Token Invalid"), None));
        }
        let (rate, mishap) = self.draw(name);
        if rate.exceeded {
            let message = format!("Exceeded rate limit of {} in 10_seconds", rate.limit);
            return Err((Refusal::new(429, "rate_limit_exceeded", message), Some(rate)));
        }
        let version = version.map_or(Ok(self.version), Version::parse);
        let version = version.map_err(|refusal| (refusal, Some(rate)))?;
        Ok(Admitted { rate, mishap, version })
    }

    fn refuse(&self, logged: Logged, refusal: &Refusal, rate: Option<Rate>) -> Response {
        let request_id = Uuid::from_bytes(self.dice.lock().unwrap().bytes()).to_string();
        let body = refusal.json(&request_id).to_string();
        let mut answer = self.say(logged, (refusal.status, body), rate, self.version);
        if let Some(link) = refusal.link.as_ref().and_then(|link| link.parse().ok()) {
            answer.headers_mut().insert(header::LINK, link);
        }
        answer
    }

    /// Fails as servers and what stands before them do: only a 500 and a 503 speak JSON.
    fn fail(&self, logged: Logged, status: u16, rate: Rate) -> Response {
        let (code, message) = match status {
            500 => ("server_error", "Internal Server Error"),
            503 => ("service_unavailable", "Sorry, the API service is temporarily unavailable"),
            _ => {
                self.note(logged, Some(status));
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
                let page = "<html><body><h1>upstream did not answer</h1></body></html>";
                return (status, [(header::CONTENT_TYPE, "text/html")], page).into_response();
            }
        };
        self.refuse(logged, &Refusal::new(status, code, message), Some(rate))
    }

    fn lose(&self, logged: Logged, line: &Line) -> Response {
        line.cut();
        self.note(logged, None);
        Response::new(Body::empty())
    }

    fn say(
        &self,
        logged: Logged,
        (status, body): (u16, String),
        rate: Option<Rate>,
        version: Version,
    ) -> Response {
        self.note(logged, Some(status));
        let mut headers = HeaderMap::new();
        if !body.is_empty() {
            headers
                .insert(header::CONTENT_TYPE, "application/json; charset=utf-8".parse().unwrap());
        }
        headers.insert("intercom-version", version.name().parse().unwrap());
        if let Some(rate) = rate {
            headers.insert("x-ratelimit-limit", rate.limit.into());
            headers.insert("x-ratelimit-remaining", rate.remaining.into());
            headers.insert("x-ratelimit-reset", rate.reset.into());
        }
        (StatusCode::from_u16(status).unwrap(), headers, body).into_response()
    }

    fn draw(&self, name: &str) -> (Rate, Option<Mishap>) {
        let now = (self.clock)().as_second();
        let mut dice = self.dice.lock().unwrap();
        let rate = dice.count(now);
        let mishap = if rate.exceeded { None } else { dice.draw(name) };
        (rate, mishap)
    }

    fn note(&self, mut logged: Logged, status: Option<u16>) {
        logged.status = status;
        self.log.lock().unwrap().push(logged);
        self.changed.notify_waiters();
    }
}

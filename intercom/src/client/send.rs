//! The path of one call.

use super::{
    ApiError, Budget, Class, Client, Clock, Patience, SetupError, Version, WindowSeen,
    budget::after,
};
use crate::wire::{ErrorList, Private};
use jiff::{SignedDuration, Timestamp};
use reqwest::{
    Method, Response, StatusCode, Url,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// A conversation with 500 long parts is a few megabytes.
const MOST_ANSWER_BYTES: usize = 32 << 20;

/// Attempts of a call that reads.
const MOST_ATTEMPTS: u32 = 4;

/// The first pause between attempts; each further one doubles.
const FIRST_PAUSE_MS: u64 = 250;

/// How long a refused call waits when the vendor does not say: one window.
const UNSAID_WAIT: SignedDuration = SignedDuration::from_secs(10);

/// A wait longer than this comes from a clock that is wrong; the windows have ten seconds.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_secs(60);

/// Asking the budget more often than this helps nobody.
const SHORTEST_WAIT: Duration = Duration::from_millis(20);

/// A connection that takes longer leads nowhere.
const MOST_CONNECT: Duration = Duration::from_secs(10);

/// What all calls of a workspace share.
pub(super) struct Wire {
    pub(super) http: reqwest::Client,
    pub(super) base: Url,
    pub(super) authorization: HeaderValue,
    pub(super) version: Version,
    pub(super) budget: Arc<dyn Budget>,
    pub(super) clock: Clock,
    pub(super) timeout: Duration,
    pub(super) patience: Patience,
}

/// One call.
struct Call {
    method: Method,
    url: Url,
    body: Option<Vec<u8>>,
    version: Version,
    /// Whether anything is different at the vendor's afterwards.
    has_effect: bool,
}

/// Makes a client on rustls with the ring provider and the Mozilla roots, that follows no redirect
/// (the token would go along) and knows no proxy.
pub(super) fn http_client(timeout: Duration) -> Result<reqwest::Client, SetupError> {
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| SetupError::Tls)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(concat!("frontdesk/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(timeout.min(MOST_CONNECT))
        .timeout(timeout)
        .build()
        .map_err(|_| SetupError::Tls)
}

impl Client {
    /// Reads something: `GET`.
    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<T, ApiError> {
        self.read_in(self.wire.version, path, query).await
    }

    /// Reads something in a version of its own.
    pub(super) async fn read_in<T: DeserializeOwned>(
        &self,
        version: Version,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<T, ApiError> {
        let url = self.wire.url(path, query);
        let (method, body) = (Method::GET, None);
        self.answer(&Call { method, url, body, version, has_effect: false }).await
    }

    /// Asks something that takes a body: `POST` without effect.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, ApiError> {
        let (url, body) = (self.wire.url(path, &[]), Some(json(body)?));
        let (method, version) = (Method::POST, self.wire.version);
        self.answer(&Call { method, url, body, version, has_effect: false }).await
    }

    /// Changes something; sent once, whatever happens.
    pub(super) async fn change<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        body: Option<&(impl Serialize + Sync)>,
    ) -> Result<T, ApiError> {
        let url = self.wire.url(path, &[]);
        let (body, version) = (body.map(json).transpose()?, self.wire.version);
        self.answer(&Call { method, url, body, version, has_effect: true }).await
    }

    async fn answer<T: DeserializeOwned>(&self, call: &Call) -> Result<T, ApiError> {
        let bytes = self.wire.send(call, (self.class, self.at_once)).await?;
        serde_json::from_slice(&bytes).map_err(|error| ApiError::Unreadable {
            // The cause itself may quote what was written.
            what: format!("{:?} at line {}", error.classify(), error.line()),
            maybe_done: call.has_effect,
        })
    }
}

impl Wire {
    fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    async fn send(
        &self,
        call: &Call,
        (class, at_once): (Class, bool),
    ) -> Result<Vec<u8>, ApiError> {
        let patience = match class {
            _ if at_once => Duration::ZERO,
            Class::Customer => self.patience.customer,
            Class::Context => self.patience.context,
            Class::Background => self.patience.background,
        };
        let deadline = Instant::now() + patience;
        let mut n_attempts = 0;
        loop {
            self.take(class, deadline).await?;
            let error = match self.attempt(call).await {
                Ok(bytes) => return Ok(bytes),
                Err(error) => error,
            };
            n_attempts += 1;
            if call.has_effect || !error.may_pass() || n_attempts >= MOST_ATTEMPTS {
                return Err(error);
            }
            let pause = match &error {
                ApiError::RateLimited { until } => self.wait_until(*until),
                _ => jittered(Duration::from_millis(FIRST_PAUSE_MS << (n_attempts - 1))),
            };
            if Instant::now() + pause > deadline {
                return Err(error);
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Waits for a call of the budget.
    async fn take(&self, class: Class, deadline: Instant) -> Result<(), ApiError> {
        while let Err(wait) = self.budget.take(class).await {
            let pause = self.wait_until(wait.until);
            if Instant::now() + pause > deadline {
                return Err(ApiError::RateLimited { until: wait.until });
            }
            tokio::time::sleep(pause).await;
        }
        Ok(())
    }

    /// How long it is until a moment, and a little more, so that not everybody comes at once.
    fn wait_until(&self, until: Timestamp) -> Duration {
        let wait = until.duration_since((self.clock)()).min(LONGEST_WAIT);
        let wait = Duration::try_from(wait).unwrap_or_default().max(SHORTEST_WAIT);
        wait + jittered(wait / 10)
    }

    async fn attempt(&self, call: &Call) -> Result<Vec<u8>, ApiError> {
        let mut request = self
            .http
            .request(call.method.clone(), call.url.clone())
            .header(AUTHORIZATION, self.authorization.clone())
            .header(ACCEPT, "application/json")
            .header("intercom-version", call.version.as_str())
            .timeout(self.timeout);
        if let Some(body) = &call.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.clone());
        }
        let lost = |error: reqwest::Error| lost(&error, call.has_effect);
        let mut answer = request.send().await.map_err(lost)?;
        let (status, now) = (answer.status(), (self.clock)());
        let seen = window_seen(status, answer.headers());
        self.budget.heard(seen).await;
        let asked = retry_after(answer.headers(), now);
        let body = whole(&mut answer, call.has_effect && status.is_success()).await;
        if status.is_success() {
            return body;
        }
        let errors: ErrorList =
            body.ok().and_then(|body| serde_json::from_slice(&body).ok()).unwrap_or_default();
        if status == StatusCode::TOO_MANY_REQUESTS {
            let until = asked.or(seen.reset).filter(|until| *until > now);
            let until = until.unwrap_or_else(|| after(now, UNSAID_WAIT));
            return Err(ApiError::RateLimited { until: until.min(after(now, LONGEST_WAIT)) });
        }
        Err(refusal(status, errors, call.has_effect))
    }
}

fn json(body: &impl Serialize) -> Result<Vec<u8>, ApiError> {
    serde_json::to_vec(body).map_err(|_| ApiError::Invalid {
        status: 0,
        code: "unwritable".into(),
        field: None,
        message: Private::default(),
    })
}

/// Reads an answer to its end.
async fn whole(answer: &mut Response, has_effect: bool) -> Result<Vec<u8>, ApiError> {
    let mut body = vec![];
    while let Some(part) = answer.chunk().await.map_err(|error| lost(&error, has_effect))? {
        if body.len() + part.len() > MOST_ANSWER_BYTES {
            let what = "it does not end".to_string();
            return Err(ApiError::Unreadable { what, maybe_done: has_effect });
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}

/// Says why no answer came, without the address. Only when no connection was made did the vendor
/// certainly see nothing.
fn lost(error: &reqwest::Error, has_effect: bool) -> ApiError {
    let what = match (error.is_connect(), error.is_timeout()) {
        (true, true) => "Intercom: no connection in time",
        (true, false) => "Intercom: no connection",
        (false, true) => "Intercom: no answer in time",
        (false, false) => "Intercom: the connection broke",
    };
    ApiError::Later { what: what.into(), maybe_done: has_effect && !error.is_connect() }
}

/// Says what a refusal means.
fn refusal(status: StatusCode, errors: ErrorList, has_effect: bool) -> ApiError {
    let first = errors.errors.into_iter().next();
    let (code, message, field) =
        first.map_or_else(Default::default, |fault| (fault.code, fault.message, fault.field));
    let code = word(&code).unwrap_or_else(|| "no code".to_string());
    match status.as_u16() {
        401 => ApiError::Unauthorized { code },
        402 | 403 => ApiError::Forbidden { code },
        404 | 410 => ApiError::NotFound { code },
        408 | 425 | 500..=599 => ApiError::Later {
            what: format!("Intercom: HTTP {}", status.as_u16()),
            maybe_done: has_effect,
        },
        status => ApiError::Invalid {
            status,
            code,
            field: field.as_deref().and_then(word),
            message: message.unwrap_or_default(),
        },
    }
}

/// Takes a code or the name of a field for one only when it looks like it, so that no prose and
/// nobody's data stand in an error.
fn word(written: &str) -> Option<String> {
    let lawful = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-[]".contains(&byte);
    let fits = (1..=64).contains(&written.len()) && written.bytes().all(lawful);
    fits.then(|| written.to_string())
}

fn window_seen(status: StatusCode, headers: &HeaderMap) -> WindowSeen {
    let number =
        |name: &str| -> Option<i64> { headers.get(name)?.to_str().ok()?.trim().parse().ok() };
    let count = |name: &str| number(name).and_then(|count| u64::try_from(count).ok());
    WindowSeen {
        limit: count("x-ratelimit-limit"),
        remaining: count("x-ratelimit-remaining"),
        reset: number("x-ratelimit-reset").and_then(|at| Timestamp::from_second(at).ok()),
        refused: status == StatusCode::TOO_MANY_REQUESTS,
    }
}

/// Reads `Retry-After` in seconds; the vendor documents none, proxies before it send it.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Timestamp> {
    let seconds: u32 = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(after(now, SignedDuration::from_secs(seconds.into())))
}

/// Takes between half and the whole of a pause.
fn jittered(pause: Duration) -> Duration {
    // Without chance everybody comes at once; that is no reason to fail.
    let chance = getrandom::u32().unwrap_or(u32::MAX);
    pause / 2 + (pause / 2).mul_f64(f64::from(chance) / f64::from(u32::MAX))
}

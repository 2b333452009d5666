//! Sending a request until it is answered, refused, or not worth another try.

use super::RemoteOptions;
use crate::{
    Error,
    http::{self, Limits},
};
use reqwest::{
    Response, StatusCode, Url,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue},
};
use serde::Serialize;
use serde_json::Value;
use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

/// Waiting longer than this for one retry helps nobody who waits for an answer.
const MOST_WAIT_MS: u64 = 30_000;
/// The first wait; each further one doubles.
const FIRST_WAIT_MS: u64 = 500;
const MOST_RETRIES: u32 = 10;
const MOST_CONNECT_MS: u64 = 10_000;
/// 64 texts of 4096 components, written out generously, are 8 MB.
const MOST_BODY_BYTES: usize = 32 << 20;

/// One endpoint of a service.
pub(super) struct Endpoint {
    client: reqwest::Client,
    url: Url,
    headers: HeaderMap,
    service: String,
    options: RemoteOptions,
    /// The first wait between attempts, ms; tests make it short.
    pub(super) first_wait_ms: u64,
}

/// Why a service did not answer a request that reached it. Not `Debug`, so that nobody logs it.
pub(super) struct Rejection {
    status: StatusCode,
    /// Codes of the service's own, for people; checked to be codes and no prose.
    codes: Vec<String>,
    /// What the service wrote. It may quote prompts and keys, so it is looked at and never shown.
    body: Value,
}

/// How a request failed for good.
pub(super) enum Failure {
    /// Nothing that another request would change.
    Final(Error),
    /// The service took offence at something in the request.
    Rejected(Rejection),
}

/// How one attempt failed.
enum Attempt {
    Again { reason: String, wait_ms: Option<u64> },
    Never(Rejection),
    Broken(Error),
}

impl Endpoint {
    /// Prepares requests to `path` (beginning with a slash) of the service.
    ///
    /// # Errors
    /// [`Error::Refused`] for options that can never work.
    pub(super) fn new(options: RemoteOptions, path: &str) -> Result<Self, Error> {
        let base = Url::parse(&options.base_url).ok().filter(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
                && url.fragment().is_none()
        });
        let Some(mut url) = base else {
            // The address may hold a password, so it is not repeated.
            return Err(refused(
                "the model service",
                "base_url has to be an http or https address \
                without user, password and query; the key belongs into api_key",
            ));
        };
        let service = url.origin().ascii_serialization();
        if options.model.trim().is_empty() {
            return Err(refused(&service, "model is empty; name one that the service has"));
        }
        let mut whole = url.path().trim_end_matches('/').to_owned();
        if options.azure_api_version.is_some() {
            whole.push_str("/openai/deployments/");
            whole.push_str(&options.model);
        }
        url.set_path(&(whole + path));
        if let Some(version) = &options.azure_api_version {
            url.query_pairs_mut().append_pair("api-version", version);
        }
        let limits = Limits {
            connect_ms: options.timeout_ms.min(MOST_CONNECT_MS),
            silence_ms: options.timeout_ms,
            total_ms: Some(options.timeout_ms),
            redirects: 0,
        };
        let headers = headers(&options, &service)?;
        let client = http::client(&limits)?;
        Ok(Self { client, url, headers, service, options, first_wait_ms: FIRST_WAIT_MS })
    }

    /// Names the service, without credentials.
    pub(super) fn service(&self) -> &str {
        &self.service
    }

    /// Returns what this was made from.
    pub(super) fn options(&self) -> &RemoteOptions {
        &self.options
    }

    /// Sends `request` and returns the body of the answer.
    ///
    /// # Errors
    /// [`Failure::Final`] with [`Error::Transient`] after the last attempt.
    pub(super) async fn post(&self, request: &impl Serialize) -> Result<Vec<u8>, Failure> {
        let body = serde_json::to_vec(request)
            .map_err(|_| Failure::Final(Error::Model("the request has no json form".into())))?;
        let retries = self.options.retries.min(MOST_RETRIES);
        let mut n_tried = 0;
        loop {
            let (reason, asked_ms) = match self.attempt(body.clone()).await {
                Ok(body) => return Ok(body),
                Err(Attempt::Never(rejection)) => return Err(Failure::Rejected(rejection)),
                Err(Attempt::Broken(error)) => return Err(Failure::Final(error)),
                Err(Attempt::Again { reason, wait_ms }) => (reason, wait_ms),
            };
            let wait_ms = wait_ms(asked_ms, self.first_wait_ms, n_tried, random_share());
            n_tried += 1;
            if n_tried > retries || wait_ms > MOST_WAIT_MS {
                let service = self.service.clone();
                let reason = format!("{reason} ({n_tried} tried)");
                return Err(Failure::Final(Error::Transient { service, reason }));
            }
            tracing::debug!(
                service = self.service,
                reason,
                wait_ms,
                "a model service is asked again"
            );
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        }
    }

    /// Turns a rejection into the error that says what to mend.
    pub(super) fn refuse(&self, rejection: &Rejection) -> Error {
        let model = &self.options.model;
        let mend = match rejection.status.as_u16() {
            401 => "the key is missing or wrong; check api_key".to_owned(),
            402 | 429 => "the account has no credit left".to_owned(),
            403 => format!("the key may not use {model:?}; check its rights"),
            404 => format!("nothing is there; check base_url and model {model:?}"),
            300..=399 => "it redirects; set base_url to where it leads".to_owned(),
            _ => format!("the request does not suit it; check model {model:?} and its limits"),
        };
        let codes = match rejection.codes.is_empty() {
            true => String::new(),
            false => format!(" ({})", rejection.codes.join(", ")),
        };
        refused(&self.service, &format!("status {}{codes}: {mend}", rejection.status.as_u16()))
    }

    async fn attempt(&self, body: Vec<u8>) -> Result<Vec<u8>, Attempt> {
        let sent = self.client.post(self.url.clone()).headers(self.headers.clone()).body(body);
        let mut response = sent.send().await.map_err(|error| self.lost(&error))?;
        let status = response.status();
        let asked_ms = asked_wait_ms(response.headers());
        let body = self.read(&mut response).await?;
        if status.is_success() {
            return Ok(body);
        }
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let rejection = Rejection { status, codes: self.codes(&body), body };
        let may_pass = status.is_server_error()
            || matches!(status.as_u16(), 408 | 409 | 425)
            || (status.as_u16() == 429 && !rejection.mentions("insufficient_quota"));
        // llama.cpp and some proxies answer an over-long prompt with a 500.
        if may_pass && !rejection.is_too_long() {
            let reason = format!("status {}", status.as_u16());
            return Err(Attempt::Again { reason, wait_ms: asked_ms });
        }
        Err(Attempt::Never(rejection))
    }

    async fn read(&self, response: &mut Response) -> Result<Vec<u8>, Attempt> {
        let mut body = vec![];
        while let Some(part) = response.chunk().await.map_err(|error| self.lost(&error))? {
            if body.len() + part.len() > MOST_BODY_BYTES {
                let reason = format!("{} answers without end", self.service);
                return Err(Attempt::Broken(Error::Model(reason)));
            }
            body.extend_from_slice(&part);
        }
        Ok(body)
    }

    fn lost(&self, error: &reqwest::Error) -> Attempt {
        let reason = if error.is_timeout() {
            format!("no answer within {} ms", self.options.timeout_ms)
        } else if error.is_connect() {
            "no connection; is it running, and is base_url right?".to_owned()
        } else {
            "the connection broke".to_owned()
        };
        Attempt::Again { reason, wait_ms: None }
    }

    fn codes(&self, body: &Value) -> Vec<String> {
        let fault = fault(body);
        let key =
            self.options.api_key.as_ref().map(|key| key.expose()).filter(|key| !key.is_empty());
        ["type", "code", "param"]
            .iter()
            .filter_map(|field| fault.get(field)?.as_str())
            .filter(|code| (1..=64).contains(&code.len()) && code.chars().all(is_code))
            .filter(|code| !key.is_some_and(|key| code.contains(key) || key.contains(code)))
            .map(str::to_owned)
            .collect()
    }
}

impl Rejection {
    /// Returns whether the service blames the parameter `name`.
    pub(super) fn blames(&self, name: &str) -> bool {
        if !matches!(self.status.as_u16(), 400 | 422) {
            return false;
        }
        let fault = fault(&self.body);
        let is_blamed = fault.get("param").and_then(Value::as_str) == Some(name);
        // A long message quotes the request, where every parameter occurs.
        is_blamed || (self.message().len() < 400 && self.message().contains(name))
    }

    /// Returns whether the prompt is beyond the model's context.
    pub(super) fn is_too_long(&self) -> bool {
        let marks =
            ["context_length_exceeded", "exceed_context_size", "context length", "context size"];
        marks.iter().any(|mark| self.mentions(mark))
    }

    /// Returns tokens asked for and possible, as far as the service says them; `estimate` is ours.
    pub(super) fn too_long(&self, estimate: usize) -> Error {
        let fault = fault(&self.body);
        let number = |field: &str| fault.get(field)?.as_u64().map(|n| n as usize);
        let message = self.message();
        let after = message.split_once("context length is").map_or(&*message, |(_, after)| after);
        let limit = number("n_ctx").or_else(|| numbers(after).next());
        let tokens = number("n_prompt_tokens")
            .or_else(|| numbers(&message).find(|n| limit.is_some_and(|limit| *n > limit)))
            .unwrap_or_else(|| estimate.max(limit.unwrap_or(0).saturating_add(1)));
        // Without a number, all that is known is that less would have been possible.
        Error::TooLong { tokens, limit: limit.unwrap_or(tokens.saturating_sub(1)) }
    }

    fn mentions(&self, mark: &str) -> bool {
        let fault = fault(&self.body);
        let named = |field: &str| fault.get(field).and_then(Value::as_str) == Some(mark);
        named("code")
            || fault.get("type").and_then(Value::as_str).is_some_and(|kind| kind.contains(mark))
            || (self.status.is_client_error() || self.status.is_server_error())
                && self.message().contains(mark)
    }

    fn message(&self) -> String {
        let fault = fault(&self.body);
        let text = fault.as_str().or_else(|| fault.get("message")?.as_str());
        text.unwrap_or_default().to_lowercase()
    }
}

/// Services put their complaint into `error`, into `detail`, or at the top.
fn fault(body: &Value) -> &Value {
    body.get("error").or_else(|| body.get("detail")).unwrap_or(body)
}

fn numbers(text: &str) -> impl Iterator<Item = usize> {
    text.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok())
}

fn is_code(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_-.[]".contains(c)
}

fn headers(options: &RemoteOptions, service: &str) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let Some(key) = &options.api_key else { return Ok(headers) };
    let (name, value) = match options.azure_api_version {
        Some(_) => ("api-key", key.expose().to_owned()),
        None => (AUTHORIZATION.as_str(), format!("Bearer {}", key.expose())),
    };
    let mut value = HeaderValue::from_str(&value).map_err(|_| {
        refused(service, "api_key holds a line break or other characters that no key has")
    })?;
    value.set_sensitive(true);
    headers.insert(name.parse::<reqwest::header::HeaderName>().unwrap_or(AUTHORIZATION), value);
    Ok(headers)
}

fn refused(service: &str, reason: &str) -> Error {
    Error::Refused { service: service.to_owned(), reason: reason.to_owned() }
}

/// Reads `retry-after-ms` or `retry-after` in seconds. Its other form, a date, would need a clock
/// and is answered with our own waits.
fn asked_wait_ms(headers: &HeaderMap) -> Option<u64> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    let ms = number("retry-after-ms").or_else(|| number("retry-after").map(|s| s * 1000.0))?;
    // The cast saturates, and makes 0 of a negative number.
    Some(ms.ceil() as u64)
}

/// Exponential backoff, <https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/>:
/// `share` of 0..1 spreads the second half of the wait, so that many callers do not return at once.
fn wait_ms(asked_ms: Option<u64>, first_ms: u64, n_tried: u32, share: f64) -> u64 {
    let full = first_ms.saturating_mul(1 << n_tried.min(16)).min(MOST_WAIT_MS);
    asked_ms.unwrap_or_else(|| full / 2 + (full as f64 / 2.0 * share) as u64)
}

/// A number in 0..1. Spreading retries is all it is good for, so no generator is kept.
fn random_share() -> f64 {
    RandomState::new().hash_one(0) as f64 / u64::MAX as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_stay_bounded_and_give_way_to_the_services_own() {
        for (asked, n_tried, share, expected) in [
            (None, 0, 0.0, 250),
            (None, 0, 1.0, 500),
            (None, 2, 0.0, 1000),
            (None, 2, 1.0, 2000),
            (None, 1000, 1.0, 30_000),
            (Some(7), 5, 0.5, 7),
            (Some(90_000), 0, 0.5, 90_000),
        ] {
            assert_eq!(wait_ms(asked, 500, n_tried, share), expected);
        }
        assert!((0.0..=1.0).contains(&random_share()));
    }

    #[test]
    fn retry_after_is_read_in_seconds_and_milliseconds() {
        for (name, value, expected) in [
            ("retry-after", "2", Some(2000)),
            ("retry-after", "0.5", Some(500)),
            ("retry-after", "-3", Some(0)),
            ("retry-after", "1e99", Some(u64::MAX)),
            ("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT", None),
            ("retry-after-ms", "12", Some(12)),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            assert_eq!(asked_wait_ms(&headers), expected, "{name} {value}");
        }
    }

    #[test]
    fn the_numbers_of_an_over_long_prompt_are_found() {
        let over = |body: Value| {
            let rejection = Rejection { status: StatusCode::BAD_REQUEST, codes: vec![], body };
            assert!(rejection.is_too_long());
            match rejection.too_long(50) {
                Error::TooLong { tokens, limit } => (tokens, limit),
                error => panic!("{error}"),
            }
        };
        let openai = "This model's maximum context length is 8192 tokens. However, your messages \
            resulted in 9001 tokens.";
        assert_eq!(over(serde_json::json!({"error": {"message": openai}})), (9001, 8192));
        assert_eq!(over(serde_json::json!({"message": openai, "code": 400})), (9001, 8192));
        let vllm = "max_tokens is too large: 5000. This model's maximum context length is 4096 \
            tokens and your request has 300 input tokens";
        assert_eq!(over(serde_json::json!({"error": {"message": vllm}})), (5000, 4096));
        let llama = serde_json::json!({"error": {"type": "exceed_context_size_error",
            "message": "the request exceeds the available context size", "n_prompt_tokens": 700,
            "n_ctx": 512}});
        assert_eq!(over(llama), (700, 512));
        assert_eq!(
            over(serde_json::json!({"error": {"code": "context_length_exceeded"}})),
            (50, 49)
        );
    }
}

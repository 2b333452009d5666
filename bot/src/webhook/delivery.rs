use super::{address::Gate, address::Refused, signature::signature};
use crate::{Channel, Clock, Delivered, DeliveryError, Error, Parcel, Playbook, config::Secret};
use arc_swap::ArcSwap;
use async_trait::async_trait;
use jiff::{Timestamp, fmt::rfc2822};
use reqwest::{
    Client, Response, StatusCode, Url,
    header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER},
};
use serde_json::{Value as Json, json};
use std::{collections::BTreeMap, fmt, net::IpAddr, sync::Arc, time::Duration};
use store::Post;

/// How long a webhook may take for everything, from the look-up of its name to its answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// As much of an answer is read, so that the connection can serve again; a longer one is cut off.
const MOST_ANSWER_BYTES: usize = 16 << 10;

/// A far side that asks for more than a day of quiet is asked again after a day.
const LONGEST_WAIT_S: u64 = 86_400;

/// Tells the company's own systems of events: the channel of destinations `webhook:SLUG`.
///
/// Each post is one `POST` of JSON, `{"id", "event", "at", "conversation", "data"}`, with its id in
/// `Frontdesk-Delivery` and, where there is a secret, `Frontdesk-Signature`. A far side tells
/// repetitions apart by the id.
pub struct Webhooks {
    client: Client,
    gate: Gate,
    addresses: ArcSwap<BTreeMap<String, String>>,
    secret: Secret,
    clock: Clock,
}

/// What [`Webhooks`] are made of.
pub struct WebhookParts<'a> {
    /// Names the webhooks.
    pub playbook: &'a Playbook,
    /// Signs what is sent; unset: nothing is signed.
    pub secret: Secret,
    /// Whether posts may go to addresses of this machine and its network.
    pub allow_private: bool,
    /// Tells the time, for signatures.
    pub clock: Clock,
}

impl Webhooks {
    /// Prepares the webhooks of a desk; connects to nothing yet.
    ///
    /// # Errors
    /// [`Error::File`] when TLS cannot be set up; no input leads there.
    pub fn new(parts: WebhookParts<'_>) -> Result<Self, Error> {
        let gate = Gate::new(parts.allow_private);
        let client = client(&gate, PATIENCE).map_err(|reason| Error::File {
            path: "webhooks".into(),
            source: std::io::Error::other(reason),
        })?;
        let addresses = ArcSwap::from_pointee(addresses(parts.playbook));
        Ok(Self { client, gate, addresses, secret: parts.secret, clock: parts.clock })
    }

    /// Takes the addresses of another playbook from now on.
    pub fn reload(&self, playbook: &Playbook) {
        self.addresses.store(Arc::new(addresses(playbook)));
    }

    /// Asks the far side of a destination for its head, which means nothing to it, and returns
    /// what it said, such as `HTTP 405`: whoever answers at all is there.
    ///
    /// # Errors
    /// [`DeliveryError`], also for an address that nothing may be sent to.
    pub async fn probe(&self, destination: &str) -> Result<String, DeliveryError> {
        let url = self.address(destination)?;
        let answer = self.client.head(url).send().await.map_err(|error| unreached(&error))?;
        Ok(format!("HTTP {}", answer.status().as_u16()))
    }

    /// Finds where a post goes.
    fn address(&self, destination: &str) -> Result<Url, DeliveryError> {
        let never = |what: &str| DeliveryError::Never(what.to_string());
        let slug = destination.strip_prefix("webhook:").unwrap_or(destination);
        let addresses = self.addresses.load();
        let written =
            addresses.get(slug).ok_or_else(|| never("the webhook is not in routing.toml"))?;
        let url = Url::parse(written).map_err(|_| never("the url of the webhook is no address"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(never("the url of the webhook is neither http nor https"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(never("the url of the webhook holds a user or a password; take it out"));
        }
        // A number is never looked up, so the resolver does not see it.
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        if let Ok(address) = host.parse::<IpAddr>() {
            self.gate.check(address).map_err(|refused| never(&refused.to_string()))?;
        }
        Ok(url)
    }
}

impl fmt::Debug for Webhooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhooks").field("gate", &self.gate).finish_non_exhaustive()
    }
}

#[async_trait]
impl Channel for Webhooks {
    fn takes(&self, destination: &str) -> bool {
        destination.starts_with("webhook:")
    }

    async fn has(&self, _: &Parcel<'_>) -> Result<Option<Delivered>, DeliveryError> {
        // The far side knows what it has by the id.
        Ok(None)
    }

    async fn deliver(&self, parcel: &Parcel<'_>) -> Result<Delivered, DeliveryError> {
        let post = parcel.post;
        let url = self.address(&post.destination)?;
        let body = body(post).to_string();
        let mut request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header("frontdesk-delivery", post.id.to_string());
        if let Some(secret) = self.secret.reveal() {
            let signed = signature(secret, (self.clock)(), body.as_bytes());
            request = request.header("frontdesk-signature", signed);
        }
        let answer = request.body(body).send().await.map_err(|error| unreached(&error))?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        drop_body(answer).await;
        judge(status, &headers, (self.clock)()).map(Delivered::said)
    }
}

/// Makes a client whose every connection has passed the gate, that follows no redirect, knows no
/// proxy and gives up in time.
fn client(gate: &Gate, patience: Duration) -> Result<Client, String> {
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(concat!("frontdesk/", env!("CARGO_PKG_VERSION")))
        .dns_resolver(gate.clone())
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(patience)
        .build()
        .map_err(|error| error.without_url().to_string())
}

fn addresses(playbook: &Playbook) -> BTreeMap<String, String> {
    let webhooks = playbook.webhooks.iter();
    webhooks.map(|webhook| (webhook.slug.to_string(), webhook.url.clone())).collect()
}

/// Says what a post tells; the same bytes at every attempt.
fn body(post: &Post) -> Json {
    json!({
        "id": post.id.to_string(), "event": post.kind, "at": post.created_at,
        "conversation": post.body["conversation"], "data": post.body["data"],
    })
}

/// Says why no answer came, without the address.
fn unreached(error: &reqwest::Error) -> DeliveryError {
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        if let Some(refused) = inner.downcast_ref::<Refused>() {
            return DeliveryError::Never(refused.to_string());
        }
        cause = inner.source();
    }
    if error.is_timeout() {
        return DeliveryError::TimedOut;
    }
    let what = if error.is_connect() { "no connection" } else { "the connection broke" };
    DeliveryError::Later { what: what.to_string(), after_s: None }
}

/// Reads what little an answer says, so that the connection can be used again.
async fn drop_body(mut answer: Response) {
    let mut n_read = 0;
    while let Ok(Some(bytes)) = answer.chunk().await {
        n_read += bytes.len();
        if n_read > MOST_ANSWER_BYTES {
            return;
        }
    }
}

fn judge(status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Result<String, DeliveryError> {
    let what = format!("HTTP {}", status.as_u16());
    match status.as_u16() {
        200..=299 => Ok(what),
        408 | 429 | 500..=599 => {
            Err(DeliveryError::Later { what, after_s: wait_asked(headers, now) })
        }
        300..=399 => Err(DeliveryError::Never(format!("{what}; redirects are not followed"))),
        410 => Err(DeliveryError::Never(format!(
            "{what}; nobody listens there any more, take the webhook out of routing.toml"
        ))),
        _ => Err(DeliveryError::Never(what)),
    }
}

/// Reads `Retry-After` (RFC 9110): seconds, or a date.
fn wait_asked(headers: &HeaderMap, now: Timestamp) -> Option<u64> {
    let asked = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let seconds = asked.parse().ok().or_else(|| {
        let until = rfc2822::parse(asked).ok()?.timestamp();
        u64::try_from(until.duration_since(now).as_secs()).ok()
    });
    seconds.map(|seconds: u64| seconds.min(LONGEST_WAIT_S))
}

#[cfg(test)]
mod tests;

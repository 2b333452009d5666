//! What Intercom is asked and told.
//!
//! `client/send.rs` is the path of one call: its share of the budget, an attempt, what the answer
//! means, and another attempt where that can do no harm. The files beside it have the calls:
//! `conversations.rs`, `people.rs`, `content.rs`; `request.rs` is what they send.

mod access;
mod budget;
mod content;
mod conversations;
mod error;
mod people;
mod query;
mod request;
mod send;

pub use access::{AccessToken, Region, SetupError, Version};
pub use budget::{Budget, Class, LocalBudget, Wait, WindowSeen};
pub use content::ExternalPage;
pub use conversations::{Assignee, AttributeValue, Display, Manage, Reply, TicketDraft, Update};
pub use error::ApiError;
pub use people::Found;
pub use query::{Condition, Operand, Operator, Query};
pub use request::QuickReply;

use crate::wire::Me;
use jiff::Timestamp;
use reqwest::Url;
use std::{fmt, sync::Arc, time::Duration};

/// Tells the time; tests bring their own.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// One workspace of Intercom, as somebody who may talk to it. Cheap to clone.
///
/// A call belongs to a [`Class`], customer-facing unless [`Client::of_class`] says otherwise. Reading
/// calls are repeated for a while when the vendor is busy or out of order. **Calls with an effect are
/// sent once.** When one fails with [`ApiError::maybe_done`], read the conversation again before
/// sending it again: the vendor knows no idempotency keys.
#[derive(Clone)]
pub struct Client {
    wire: Arc<send::Wire>,
    class: Class,
    /// Whether calls fail rather than wait.
    at_once: bool,
}

/// What a [`Client`] is made of.
pub struct ClientParts {
    /// Where the workspace's region is reached, see [`Region::base_url`]. Plain `http` is taken for
    /// this machine alone, for the token would be read on the way.
    pub base_url: String,
    /// Who may talk to it.
    pub token: AccessToken,
    /// The version of the interface that is spoken.
    pub version: Version,
    /// Shares the vendor's rate limit out.
    pub budget: Arc<dyn Budget>,
    /// Tells the time.
    pub clock: Clock,
    /// How long one attempt may take, from connecting to the last byte of the answer.
    pub timeout: Duration,
    /// How long a call may take with all its waiting and attempts.
    pub patience: Patience,
}

/// How long a call may take with waiting for the budget and, where it reads, repeated attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For what a customer waits for.
    pub customer: Duration,
    /// For what would help to answer well.
    pub context: Duration,
    /// For what nobody waits for.
    pub background: Duration,
}

impl Default for Patience {
    /// Three windows of the rate limit for a customer; one for facts without which an answer is
    /// still possible; a minute for the rest, whose callers come back anyway.
    fn default() -> Self {
        Self {
            customer: Duration::from_secs(30),
            context: Duration::from_secs(10),
            background: Duration::from_secs(60),
        }
    }
}

impl Client {
    /// Prepares to talk; connects to nothing yet.
    ///
    /// # Errors
    /// [`SetupError`] when the address or the token cannot be used.
    pub fn new(parts: ClientParts) -> Result<Self, SetupError> {
        let base = Url::parse(&parts.base_url).ok().filter(may_be_sent_a_token);
        let base = base.ok_or(SetupError::Address)?;
        let http = send::http_client(parts.timeout)?;
        let authorization = parts.token.header()?;
        let wire = send::Wire {
            http,
            base,
            authorization,
            version: parts.version,
            budget: parts.budget,
            clock: parts.clock,
            timeout: parts.timeout,
            patience: parts.patience,
        };
        Ok(Self { wire: Arc::new(wire), class: Class::Customer, at_once: false })
    }

    /// Returns a client whose calls belong to a class.
    #[must_use]
    pub fn of_class(&self, class: Class) -> Self {
        Self { class, ..self.clone() }
    }

    /// Returns a client whose calls do not wait for the rate limit: what was looked at before a call
    /// still holds when it is sent. They fail with [`ApiError::RateLimited`] instead.
    #[must_use]
    pub fn at_once(&self) -> Self {
        Self { at_once: true, ..self.clone() }
    }

    /// Returns the version that is spoken.
    pub fn version(&self) -> Version {
        self.wire.version
    }

    /// Asks whose token it is, and in which workspace: `GET /me`.
    ///
    /// # Errors
    /// [`ApiError`]; [`ApiError::Unauthorized`] for a token that is wrong or was withdrawn.
    pub async fn me(&self) -> Result<Me, ApiError> {
        self.read(&["me"], &[]).await
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("class", &self.class).finish_non_exhaustive()
    }
}

/// Whether an address is https, or plain http on this machine, without user, password and query.
fn may_be_sent_a_token(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let is_here = host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_here);
    is_safe
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
}

#[cfg(test)]
mod tests;

use crate::{Health, Origin, Texts};
use bot::Office;
use jiff::SignedDuration;
use std::{fmt, net::IpAddr, sync::Arc};
use tokio_util::sync::CancellationToken;

/// What every request is answered from. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Front {
    /// The desk at work.
    pub office: Office,
    /// How it is reached.
    pub settings: Arc<Settings>,
    /// Cancelled when the desk is about to stop: streams end then.
    pub stopping: CancellationToken,
    /// What whoever runs it is told.
    pub health: Arc<Health>,
}

impl Front {
    /// Makes the front of an office that counts nothing and never stops by itself.
    pub fn new(office: Office, settings: Settings) -> Self {
        Self {
            office,
            settings: Arc::new(settings),
            stopping: CancellationToken::new(),
            health: Arc::default(),
        }
    }
}

/// How the desk is reached.
#[derive(Clone)]
pub struct Settings {
    /// Address of the desk as browsers see it, without a slash at its end.
    pub public_url: String,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Origins of pages that may show the messenger; none: any page.
    pub allowed_origins: Vec<Origin>,
    /// Secret that the desk's own site proves identities with.
    pub identity_secret: Option<String>,
    /// Messages that one visitor may send in a minute.
    pub limit_per_minute: u32,
    /// What the messenger says, by locale.
    pub texts: Texts,
    /// How long teammates stay signed in.
    pub session: SignedDuration,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("public_url", &self.public_url).finish_non_exhaustive()
    }
}

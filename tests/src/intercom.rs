//! What would Intercom do? A stand-in to connect to, on a loopback port.
//!
//! It is built from the vendor's OpenAPI documents, 2.14 and 2.16, and from what the vendor's pages
//! and examples say where the documents are silent; not from what our client expects. A request
//! comes in by `door.rs` (token, version, rate, and what [`Faults`] have in store for it), is
//! answered by `routes.rs` on the `Workspace` (`workspace.rs`, `deeds.rs`), and is shown by
//! `wire.rs` in the version that was asked for. What happened is announced to a webhook
//! (`webhooks.rs`). Tests have people do things by [`StandIn::happen`] and the verbs beside it;
//! other processes by `/_control/…` (`control.rs`, the example `stand_in`). [`Document`] holds
//! requests and answers against the vendor's document.
//!
//! Deliberately absent: a search index that lags behind, scopes of tokens, attachments, Fin,
//! tickets beyond their making.

mod control;
mod conversation;
mod deeds;
mod document;
mod door;
mod faults;
mod happening;
mod html;
mod line;
mod people;
mod refusal;
mod request;
mod routes;
mod verbs;
mod webhooks;
mod wire;
mod workspace;

#[cfg(test)]
mod conformance;
#[cfg(test)]
pub(crate) mod sdk;
#[cfg(test)]
mod stories;

pub use conversation::{
    Author, Conversation, Part, Priority, QuickReply, Rating, Source, State, Tagging,
};
pub use document::Document;
pub use door::Logged;
pub use faults::{Faults, Mishap, WebhookFaults};
pub use happening::Happening;
pub use people::{Admin, Company, Contact, Team};
pub use refusal::Refusal;
pub use request::Version;
pub use webhooks::{Delivery, Outcome, Pace, sign};
pub use workspace::{Article, ExternalPage, ImportSource};

use axum::Router;
use bot::Clock;
use faults::Dice;
use serde_json::Value as Json;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};
use webhooks::Outbox;
use workspace::Workspace;

/// An Intercom that runs until it is dropped.
pub struct StandIn {
    inner: Arc<Inner>,
    address: SocketAddr,
    tasks: Vec<JoinHandle<()>>,
}

/// What a stand-in is made of.
pub struct StandInParts {
    /// What time it is; answers and windows of rates follow it.
    pub clock: Clock,
    /// Where it listens, on the loopback address; 0 is any free port.
    pub port: u16,
    /// The access token that requests must carry.
    pub token: String,
    /// What webhooks are signed with.
    pub client_secret: String,
    /// Where webhooks go; none keeps them here.
    pub webhook_url: Option<String>,
    /// How webhooks are sent.
    pub pace: Pace,
    /// The version of webhooks, and of requests that name none.
    pub version: Version,
    /// What goes wrong from the start.
    pub faults: Faults,
    /// What the dice of faults and the ids of notifications are thrown with.
    pub seed: u64,
    /// Whether `/_control/…` is there.
    pub control: bool,
}

impl StandInParts {
    /// Makes the parts of a stand-in in which nothing goes wrong and no webhooks are sent.
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            port: 0,
            token: "stand-in-token".into(),
            client_secret: "stand-in-client-secret".into(),
            webhook_url: None,
            pace: Pace::default(),
            version: Version::V2_14,
            faults: Faults::default(),
            seed: 1,
            control: false,
        }
    }
}

struct Inner {
    clock: Clock,
    token: String,
    version: Version,
    control: bool,
    workspace: Mutex<Workspace>,
    dice: Mutex<Dice>,
    log: Mutex<Vec<Logged>>,
    outbox: Arc<Outbox>,
    /// Requests whose effect is still to come, and at which second.
    late: Mutex<Vec<(i64, request::Request)>>,
    /// Told whenever something may have changed.
    changed: Notify,
}

impl Inner {
    /// Looks at the workspace; nothing changes.
    fn look<T>(&self, look: impl FnOnce(&Workspace) -> T) -> T {
        look(&self.workspace.lock().unwrap())
    }

    /// Has the effects come that are due.
    fn catch_up(&self) {
        let now = (self.clock)().as_second();
        let (due, waiting): (Vec<_>, Vec<_>) = std::mem::take(&mut *self.late.lock().unwrap())
            .into_iter()
            .partition(|(at, _)| *at <= now);
        self.late.lock().unwrap().extend(waiting);
        for (_, request) in due {
            drop(self.with(|workspace| routes::answer(workspace, &request)));
        }
    }

    /// Takes the workspace in hand, and sends what was announced meanwhile on its way.
    fn with<T>(&self, deed: impl FnOnce(&mut Workspace) -> T) -> T {
        let mut workspace = self.workspace.lock().unwrap();
        workspace.now = (self.clock)().as_second();
        let result = deed(&mut workspace);
        let announced = std::mem::take(&mut workspace.announced);
        if !announced.is_empty() {
            self.outbox.push(announced, &workspace, &mut self.dice.lock().unwrap());
        }
        drop(workspace);
        self.changed.notify_waiters();
        result
    }
}

impl StandIn {
    /// Starts an Intercom with one admin, the bot's, and nobody else.
    pub async fn start(parts: StandInParts) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let listener = TcpListener::bind(("127.0.0.1", parts.port)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let now = (parts.clock)().as_second();
        let outbox = Arc::new(Outbox::new(parts.client_secret, parts.webhook_url, parts.pace));
        let inner = Arc::new(Inner {
            clock: parts.clock,
            token: parts.token,
            version: parts.version,
            control: parts.control,
            workspace: Mutex::new(Workspace::new(now, parts.version)),
            dice: Mutex::new(Dice::new(parts.faults, parts.seed)),
            log: Mutex::default(),
            outbox: outbox.clone(),
            late: Mutex::default(),
            changed: Notify::new(),
        });
        let app = Router::new().fallback(door::receive).with_state(inner.clone());
        let app = app.into_make_service_with_connect_info::<line::Line>();
        let serving = async move {
            axum::serve(line::Exchange(listener), app).await.unwrap();
        };
        let mut tasks = vec![tokio::spawn(serving)];
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        for _ in 0..parts.pace.n_at_once {
            tasks.push(tokio::spawn(outbox.clone().run(client.clone())));
        }
        Self { inner, address, tasks }
    }

    /// Says where it listens, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sends webhooks to another place from now on, or nowhere.
    pub fn webhooks_to(&self, url: Option<&str>) {
        self.inner.outbox.point_to(url.map(str::to_string));
    }

    /// Waits until no webhook is on its way; what a receiver refuses is tried until it is given up.
    pub async fn webhooks_settled(&self) {
        self.inner.outbox.settle().await;
    }

    /// Lists the notifications, oldest first, with what became of them.
    pub fn webhooks(&self) -> Vec<Delivery> {
        self.inner.outbox.log()
    }

    /// Stands for another workspace from now on, by the vendor's name of it.
    pub fn becomes(&self, app_id: &str) {
        self.inner.with(|workspace| workspace.app_id = app_id.to_string());
    }

    /// Changes what goes wrong from now on.
    pub fn faults(&self, change: impl FnOnce(&mut Faults)) {
        change(&mut self.inner.dice.lock().unwrap().faults);
    }

    /// Lets a mishap befall the next request of which `METHOD /path` contains `part`.
    pub fn once(&self, part: &str, mishap: Mishap) {
        self.inner.dice.lock().unwrap().waiting.push_back((part.to_string(), mishap));
    }

    /// Lists the requests that came, oldest first.
    pub fn requests(&self) -> Vec<Logged> {
        self.inner.log.lock().unwrap().clone()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

//! Notifications: signed, sent at least once, in no order that could be relied on.

use super::{
    Json,
    faults::Dice,
    workspace::{Announcement, Workspace},
};
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use serde_json::json;
use sha1::Sha1;
use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    sync::Notify,
    time::{Instant, timeout},
};
use uuid::Uuid;

/// A notification, and what became of it.
#[derive(Clone, Debug, Serialize)]
pub struct Delivery {
    /// `notif_…`; none for a ping.
    pub id: Option<String>,
    /// Such as `conversation.user.created`.
    pub topic: String,
    /// The id of what it tells of.
    pub item: Option<String>,
    /// How often it was sent.
    pub attempts: u32,
    /// How the last attempt went.
    pub outcome: Outcome,
    /// How long the last answer took.
    pub took_ms: u64,
}

/// How a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Answered with a success.
    Accepted,
    /// Answered otherwise, or not at all; will be sent again.
    Failed,
    /// Will not be sent again.
    GivenUp,
    /// Was never to be sent.
    Dropped,
}

/// Makes the header `X-Hub-Signature` of a body.
pub fn sign(client_secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(client_secret.as_bytes()).unwrap();
    mac.update(body);
    let mut header = "sha1=".to_string();
    for byte in mac.finalize().into_bytes() {
        write!(header, "{byte:02x}").unwrap();
    }
    header
}

/// How webhooks are sent. The vendor gives no numbers for `attempts`; they are the tests' own.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How often a notification is sent before it is given up.
    pub attempts: u32,
    /// How long after a failure; doubled after each further one.
    pub retry: Duration,
    /// How many are sent at once. With one, they come in order where no fault is set.
    pub n_at_once: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self { attempts: 8, retry: Duration::from_millis(200), n_at_once: 1 }
    }
}

/// How late a notification is that lets later ones pass.
const REORDERED: Duration = Duration::from_millis(150);

/// What a receiver may take; a third party's number, as the vendor names none.
const PATIENCE: Duration = Duration::from_secs(5);

/// Notifications on their way.
pub(crate) struct Outbox {
    client_secret: String,
    pace: Pace,
    state: Mutex<State>,
    wake: Notify,
    settled: Notify,
}

#[derive(Default)]
struct State {
    url: Option<String>,
    /// By when they are due.
    waiting: BTreeMap<(Instant, u64), Envelope>,
    n_in_hand: usize,
    n_seen: u64,
    log: Vec<Delivery>,
}

#[derive(Clone)]
struct Envelope {
    body: Json,
    attempts: u32,
    /// Its place in the log.
    place: usize,
}

impl Outbox {
    pub(crate) fn new(client_secret: String, url: Option<String>, pace: Pace) -> Self {
        let state = State { url, ..State::default() };
        Self {
            client_secret,
            pace,
            state: Mutex::new(state),
            wake: Notify::new(),
            settled: Notify::new(),
        }
    }

    pub(crate) fn point_to(&self, url: Option<String>) {
        self.state.lock().unwrap().url = url;
        self.wake.notify_waiters();
    }

    pub(crate) fn log(&self) -> Vec<Delivery> {
        self.state.lock().unwrap().log.clone()
    }

    /// Puts notifications on their way. Without a receiver they are noted as dropped.
    pub(crate) fn push(
        &self,
        announced: Vec<Announcement>,
        workspace: &Workspace,
        dice: &mut Dice,
    ) {
        for announcement in announced {
            let ping = announcement.topic == "ping";
            let id = format!("notif_{}", Uuid::from_bytes(dice.bytes()));
            let body = json!({
                "type": "notification_event", "app_id": workspace.app_id,
                "id": (!ping).then_some(id), "topic": announcement.topic,
                "created_at": workspace.now, "first_sent_at": workspace.now, "delivered_at": 0,
                "delivery_attempts": 1, "delivery_status": null, "links": {}, "self": null,
                "data": { "type": "notification_event_data", "item": announcement.item },
            });
            self.post(body, dice);
        }
        self.wake.notify_waiters();
        self.wake.notify_one();
    }

    fn post(&self, body: Json, dice: &mut Dice) {
        let faults = dice.faults.webhooks.clone();
        let mut state = self.state.lock().unwrap();
        let text = |value: &Json| value.as_str().map(str::to_string);
        let dropped = dice.falls(faults.dropped) || state.url.is_none();
        let place = state.log.len();
        state.log.push(Delivery {
            id: text(&body["id"]),
            topic: text(&body["topic"]).unwrap_or_default(),
            item: text(&body["data"]["item"]["id"]),
            attempts: 0,
            outcome: if dropped { Outcome::Dropped } else { Outcome::Failed },
            took_ms: 0,
        });
        if dropped {
            return;
        }
        let mut due = Instant::now();
        if dice.falls(faults.reordered) {
            due += REORDERED;
        }
        if dice.falls(faults.delayed) {
            due += Duration::from_millis(faults.delay_ms);
        }
        let envelope = Envelope { body, attempts: 0, place };
        if dice.falls(faults.duplicated) {
            state.add(due + REORDERED, envelope.clone());
        }
        state.add(due, envelope);
    }

    /// Waits until nothing is on its way.
    pub(crate) async fn settle(&self) {
        loop {
            let settled = self.settled.notified();
            tokio::pin!(settled);
            settled.as_mut().enable();
            if self.is_settled() {
                return;
            }
            settled.await;
        }
    }

    fn is_settled(&self) -> bool {
        let state = self.state.lock().unwrap();
        state.waiting.is_empty() && state.n_in_hand == 0
    }

    fn take(&self) -> Result<(Envelope, String), Option<Instant>> {
        let mut state = self.state.lock().unwrap();
        let Some((&(due, number), _)) = state.waiting.first_key_value() else { return Err(None) };
        let Some(url) = state.url.clone() else { return Err(None) };
        if due > Instant::now() {
            return Err(Some(due));
        }
        let envelope = state.waiting.remove(&(due, number)).ok_or(None)?;
        state.n_in_hand += 1;
        Ok((envelope, url))
    }

    /// Sends what is due, for as long as the stand-in lives.
    pub(crate) async fn run(self: Arc<Self>, client: reqwest::Client) {
        loop {
            let woken = self.wake.notified();
            tokio::pin!(woken);
            woken.as_mut().enable();
            match self.take() {
                Ok((envelope, url)) => self.send(&client, envelope, &url).await,
                Err(Some(due)) => drop(tokio::time::timeout_at(due, woken).await),
                Err(None) => woken.await,
            }
        }
    }

    async fn send(&self, client: &reqwest::Client, mut envelope: Envelope, url: &str) {
        envelope.attempts += 1;
        envelope.body["delivery_attempts"] = json!(envelope.attempts);
        let body = envelope.body.to_string();
        let begun = Instant::now();
        let request = client
            .post(url)
            .header("X-Hub-Signature", sign(&self.client_secret, body.as_bytes()))
            .header("User-Agent", "intercom-parrot-service-client/1.0")
            .header("Content-Type", "application/json")
            .header("Accept", "application/json")
            .body(body);
        let answer = timeout(PATIENCE, request.send()).await;
        let accepted = matches!(answer, Ok(Ok(answer)) if answer.status().is_success());
        let mut state = self.state.lock().unwrap();
        state.n_in_hand -= 1;
        let outcome = match accepted {
            true => Outcome::Accepted,
            false if envelope.attempts < self.pace.attempts => Outcome::Failed,
            false => Outcome::GivenUp,
        };
        if let Some(delivery) = state.log.get_mut(envelope.place) {
            delivery.attempts += 1;
            delivery.outcome = outcome;
            let took = begun.elapsed().as_millis();
            delivery.took_ms = u64::try_from(took).unwrap_or(u64::MAX);
        }
        if outcome == Outcome::Failed {
            let doubled = self.pace.retry * 2_u32.pow(envelope.attempts.min(6) - 1);
            state.add(Instant::now() + doubled, envelope);
        }
        drop(state);
        self.settled.notify_waiters();
    }
}

impl State {
    fn add(&mut self, due: Instant, envelope: Envelope) {
        self.n_seen += 1;
        self.waiting.insert((due, self.n_seen), envelope);
    }
}

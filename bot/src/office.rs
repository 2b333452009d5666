//! The desk at work: customers write, the bot answers or hands over, teammates take over.
//!
//! Everything that happens to a conversation comes through here, whoever brings it about: a
//! customer ([`Office::receive`]), a teammate or a program ([`Office::act`]), the bot's turn
//! (`turn.rs`), the passing of time (`shift.rs`). Each is one change of the store. What goes to
//! other systems leaves through `outbox.rs`.

mod act;
mod briefing;
mod door;
mod effects;
mod elsewhere;
mod hanging;
mod in_hand;
mod outbox;
mod overtaken;
mod said;
mod shift;
mod takeover;
mod turn;

pub use act::{ByRequest, Deed};
pub use door::{Inbound, Place};
pub use elsewhere::{AsOf, ByBot, Elsewhere, Happened, Happening, Heard};
pub(crate) use said::{end_with_the_customer, said};
pub(crate) use turn::{LOOK_BACK, reader};

use hanging::Hanging;
use in_hand::{InHand, queues_entered};

use crate::{Channel, Desk, measure};
use arc_swap::ArcSwap;
use jiff::{SignedDuration, Timestamp};
use router::IllegalMove;
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};
use store::{Guard, Id, Record, Store};
use tokio::{
    sync::{Notify, Semaphore, broadcast},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

/// Tells the time; tests set their own.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The desk at work. Cheap to clone.
#[derive(Clone)]
pub struct Office {
    inner: Arc<Inner>,
}

struct Inner {
    desk: ArcSwap<Desk>,
    store: Store,
    channels: Vec<Arc<dyn Channel>>,
    clock: Clock,
    pace: Pace,
    changes: broadcast::Sender<Changed>,
    /// Woken when a turn or a post has become due here.
    due: Notify,
    /// Lets one share out a queue at a time.
    sharing: Semaphore,
    /// Whom nothing is sent to for a while.
    hanging: Mutex<Hanging>,
    /// When rules about waiting were read last.
    reminded: Mutex<Option<Timestamp>>,
}

/// What an office is made of.
pub struct OfficeParts {
    /// Answers.
    pub desk: Desk,
    /// Remembers.
    pub store: Store,
    /// Where messages go that are not read from the store itself, as the web messenger's are.
    pub channels: Vec<Arc<dyn Channel>>,
    /// Tells the time.
    pub clock: Clock,
    /// How fast it works.
    pub pace: Pace,
}

/// How fast an office works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Turns that are taken at the same time.
    pub n_workers: usize,
    /// After how long a turn is taken again whose worker has died.
    pub lease: SignedDuration,
    /// How often the store is asked for what has become due by time or on another node.
    pub look: Duration,
    /// How long a conversation that the bot has answered stays open for the customer to add
    /// something; zero: for ever.
    pub close_after: SignedDuration,
    /// How long after its inbox was last open a teammate counts as present.
    pub presence: SignedDuration,
}

/// What a worker does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Turns,
    Posts,
    Errands,
    Shift,
}

/// Workers that send posts: what is slow at one far side does not hold up the others.
const SENDERS: usize = 4;

/// Workers that look at what other systems told of.
const RUNNERS: usize = 4;

/// How long a worker rests after the store has failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// How far back changes of other nodes are looked for again.
const OVERLAP: SignedDuration = SignedDuration::from_secs(5);

/// A conversation that changed, on this node or another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changed {
    /// Which one.
    pub conversation: Id<Record>,
    /// Number of the last entry of its timeline then.
    pub n_entries: i64,
}

/// Why something cannot be done to a conversation.
#[derive(Debug, thiserror::Error)]
pub enum OfficeError {
    /// There is no such thing, or it is nobody's business.
    #[error("there is no {0} like that")]
    NotFound(&'static str),
    /// The conversation does not allow it as it stands.
    #[error(transparent)]
    Illegal(#[from] IllegalMove),
    /// Somebody wrote in the meantime what the deed did not know of; the number of that entry.
    #[error("somebody has written in the meantime; look at the conversation again")]
    Overtaken(i64),
    /// A person has given the conversation to this teammate, of whom the taker did not know.
    #[error("somebody has taken the conversation in the meantime; look at it again")]
    Held(router::Slug),
    /// What was given cannot be used; the text says what and how to mend it.
    #[error("{0}")]
    Invalid(String),
    /// The store failed.
    #[error("the store failed")]
    Store(#[source] store::Error),
}

impl From<store::Error> for OfficeError {
    fn from(source: store::Error) -> Self {
        match source {
            store::Error::NotFound(what) => Self::NotFound(what),
            other => Self::Store(other),
        }
    }
}

impl Office {
    /// Opens an office.
    pub fn new(parts: OfficeParts) -> Self {
        let OfficeParts { desk, store, channels, clock, pace } = parts;
        let (changes, _) = broadcast::channel(1024);
        let (desk, due) = (ArcSwap::from_pointee(desk), Notify::new());
        Self {
            inner: Arc::new(Inner {
                desk,
                store,
                channels,
                clock,
                pace,
                changes,
                due,
                sharing: Semaphore::new(1),
                hanging: Mutex::default(),
                reminded: Mutex::default(),
            }),
        }
    }

    /// Returns what answers at present.
    pub fn desk(&self) -> Arc<Desk> {
        self.inner.desk.load_full()
    }

    /// Has another desk answer from now on; turns under way end with the old one.
    pub fn reload(&self, desk: Desk) {
        self.inner.desk.store(Arc::new(desk));
    }

    /// Returns what remembers.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// Returns the time.
    pub fn now(&self) -> Timestamp {
        (self.inner.clock)()
    }

    /// Returns since when an inbox must have been open for its teammate to count as present.
    pub fn present_since(&self) -> Timestamp {
        let presence = self.inner.pace.presence;
        self.now().checked_sub(presence).unwrap_or(Timestamp::MIN)
    }

    /// Tells of every conversation that changes from now on, at least once each. Whoever falls
    /// behind is told so by the receiver and has to look at the store.
    pub fn changes(&self) -> broadcast::Receiver<Changed> {
        self.inner.changes.subscribe()
    }

    /// Works until `shutdown` resolves, then finishes what is under way: takes turns, sends posts,
    /// does what has become due by time, and hears of what other nodes did. Returns early only when
    /// a part of it has died, which is logged.
    pub async fn run(&self, shutdown: impl Future<Output = ()> + Send) {
        let stopping = CancellationToken::new();
        let mut parts = JoinSet::new();
        for _ in 0..self.inner.pace.n_workers.max(1) {
            parts.spawn(self.clone().work(stopping.clone(), Part::Turns));
        }
        for _ in 0..SENDERS {
            parts.spawn(self.clone().work(stopping.clone(), Part::Posts));
        }
        if let Err(failure) = self.set_out().await {
            tracing::error!(error = %failure, "rounds at other systems were not asked for");
        }
        for _ in 0..RUNNERS {
            parts.spawn(self.clone().work(stopping.clone(), Part::Errands));
        }
        parts.spawn(self.clone().work(stopping.clone(), Part::Shift));
        parts.spawn(self.clone().hear_of_others(stopping.clone()));
        tokio::select! {
            () = shutdown => {}
            ended = parts.join_next() => {
                // What a panic says may be a customer's words.
                let panicked = ended.is_some_and(|ended| ended.is_err_and(|why| why.is_panic()));
                tracing::error!(panicked, "a part of the office has died");
            }
        }
        stopping.cancel();
        while parts.join_next().await.is_some() {}
    }

    /// Works until nothing is due at the present time; for tests and for commands that end.
    ///
    /// # Errors
    /// [`OfficeError::Store`].
    pub async fn run_until_idle(&self) -> Result<(), OfficeError> {
        loop {
            let mut busy = false;
            for part in [Part::Errands, Part::Turns, Part::Posts, Part::Shift] {
                busy |= self.step(part).await?;
            }
            if !busy {
                return Ok(());
            }
        }
    }

    async fn work(self, stopping: CancellationToken, part: Part) {
        while !stopping.is_cancelled() {
            let mut due = std::pin::pin!(self.inner.due.notified());
            due.as_mut().enable();
            let pause = match self.step(part).await {
                Ok(true) => continue,
                Ok(false) => self.inner.pace.look,
                Err(failure) => {
                    let cause = std::error::Error::source(&failure).map(ToString::to_string);
                    tracing::error!(error = %failure, cause, "the office could not work");
                    tokio::time::sleep(AFTER_FAILURE).await;
                    continue;
                }
            };
            tokio::select! {
                // Time passes by itself: what it brings needs no waking.
                () = due, if part != Part::Shift => {}
                () = tokio::time::sleep(pause) => {}
                () = stopping.cancelled() => {}
            }
        }
    }

    /// Does one thing that is due. Returns whether there was any.
    async fn step(&self, part: Part) -> Result<bool, OfficeError> {
        match part {
            Part::Posts => self.send_due().await,
            Part::Errands => self.run_errand().await,
            Part::Shift => self.look_round().await,
            Part::Turns => {
                let now = self.now();
                let until = now.saturating_add(self.inner.pace.lease).unwrap_or(Timestamp::MAX);
                let Some(leased) = self.store().lease(now, until).await? else { return Ok(false) };
                let lease = leased.lease.clone();
                let span = tracing::info_span!("turn", conversation.id = %leased.record.id);
                let taken = self.take_turn(leased).instrument(span).await;
                match taken {
                    Ok(()) => Ok(true),
                    // Another worker has it, and will record what it decides.
                    Err(OfficeError::Store(store::Error::LeaseLost)) => {
                        measure::turn_failed("lease_lost");
                        Ok(true)
                    }
                    Err(failure) => {
                        measure::turn_failed("store");
                        let again = now.saturating_add(SignedDuration::from_secs(1));
                        self.store().give_back(&lease, again.unwrap_or(Timestamp::MAX)).await?;
                        Err(failure)
                    }
                }
            }
        }
    }

    /// Tells of conversations that other nodes changed.
    async fn hear_of_others(self, stopping: CancellationToken) {
        let mut heard: BTreeMap<Id<Record>, Timestamp> = BTreeMap::new();
        let mut since = self.now();
        while !stopping.is_cancelled() {
            tokio::select! {
                () = tokio::time::sleep(self.inner.pace.look) => {}
                () = stopping.cancelled() => return,
            }
            // Clocks of nodes differ, and what was written first may be committed last.
            let mut from = since.saturating_sub(OVERLAP).unwrap_or(Timestamp::MIN);
            heard.retain(|_, at| *at >= from);
            let mut limit = 1_000;
            while let Ok(changed) = self.store().changed_since(from, limit).await {
                let is_last = changed.len() < limit as usize;
                let reached = changed.last().map_or(from, |(_, at, _)| *at);
                for (conversation, at, n_entries) in changed {
                    if heard.insert(conversation, at) != Some(at) {
                        self.changed(conversation, n_entries);
                    }
                }
                since = since.max(reached);
                if is_last {
                    break;
                }
                // A page of one moment alone is read on with a larger one.
                limit = if reached == from { limit.saturating_mul(2) } else { 1_000 };
                from = reached;
            }
        }
    }

    /// Alters a conversation under the desk's rules, notes what follows, and tells whoever listens.
    async fn alter<T: Send>(
        &self,
        conversation: Id<Record>,
        alter: impl FnOnce(&mut InHand<'_>) -> Result<T, OfficeError> + Send,
    ) -> Result<(T, Record), OfficeError> {
        let (desk, now) = (self.desk(), self.now());
        let altered = self.store().change(conversation, Guard::None, now, |record, change| {
            let outward = self.is_outward(&record.channel);
            let mut in_hand = InHand::new(desk.playbook(), record, change, (now, outward));
            let done = alter(&mut in_hand)?;
            let n_entries = in_hand.last_entry();
            in_hand.finish();
            let queues = queues_entered(&change.entries);
            Ok::<_, OfficeError>((done, Record { n_entries, ..record.clone() }, queues))
        });
        let (done, record, queues) = altered.await??;
        queues.iter().for_each(|team| measure::handed_off(team));
        self.changed(conversation, record.n_entries);
        Ok((done, record))
    }

    fn changed(&self, conversation: Id<Record>, n_entries: i64) {
        // Nobody listening is no failure.
        let _ = self.inner.changes.send(Changed { conversation, n_entries });
        self.inner.due.notify_waiters();
    }
}

impl fmt::Debug for Office {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Office").field("pace", &self.inner.pace).finish_non_exhaustive()
    }
}

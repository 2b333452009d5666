use crate::{Customer, Id};
use jiff::Timestamp;
use router::{Conversation, Due, Priority, SlaClock, Slug};
use serde_json::{Map, Value as Json};
use std::collections::BTreeSet;

mod row;

pub(crate) use row::{Locked, insert, lock, lock_named, priority, read, status_name, update};

/// A conversation as it is kept, without its timeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its id.
    pub id: Id<Record>,
    /// The channel it is held on, such as `web`.
    pub channel: String,
    /// How the channel names it, where that differs from the id; unique on the channel.
    pub external_id: Option<String>,
    /// Who asks.
    pub customer: Id<Customer>,
    /// Status, owner and episode.
    pub state: Conversation,
    /// Number of entries in its timeline, which is also the number of the last one; the store
    /// counts them.
    pub n_entries: i64,
    /// How soon it matters.
    pub priority: Priority,
    /// The promise that holds, where a rule chose one; otherwise that of the team.
    pub sla: Option<Slug>,
    /// Its tags.
    pub tags: BTreeSet<String>,
    /// Attributes that rules or teammates gave it.
    pub attributes: Map<String, Json>,
    /// What it is about, as far as that was noticed.
    pub topic: Option<String>,
    /// The customer's language, such as `de`.
    pub language: Option<String>,
    /// The page that the customer wrote from last.
    pub page: Option<String>,
    /// The first words of the customer's last message, to recognise it in a list.
    pub preview: String,
    /// Since when the customer has waited for a reply; None: it is the customer's turn.
    pub waiting_since: Option<Timestamp>,
    /// When it came to the queue of the team that has it.
    pub queued_at: Option<Timestamp>,
    /// Whose turn it was when, since people became responsible in this episode.
    pub clock: Option<SlaClock>,
    /// Until when each promise has to be kept.
    pub due: Due,
    /// When a snoozed one wakes.
    pub snoozed_until: Option<Timestamp>,
    /// From when on the bot is to act; None: it has nothing to do.
    pub turn_due_at: Option<Timestamp>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it changed last; the store notes it, for each change a later time.
    pub updated_at: Timestamp,
}

impl Record {
    /// Opens a conversation with the bot, nothing said yet.
    pub fn new(channel: impl Into<String>, customer: Id<Customer>, now: Timestamp) -> Self {
        Self {
            id: Id::new(now),
            channel: channel.into(),
            external_id: None,
            customer,
            state: Conversation::default(),
            n_entries: 0,
            priority: Priority::default(),
            sla: None,
            tags: BTreeSet::new(),
            attributes: Map::new(),
            topic: None,
            language: None,
            page: None,
            preview: String::new(),
            waiting_since: None,
            queued_at: None,
            clock: None,
            due: Due::default(),
            snoozed_until: None,
            turn_due_at: None,
            created_at: now,
            updated_at: now,
        }
    }
}

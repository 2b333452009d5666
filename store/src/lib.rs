//! What was said, decided and promised, and what is still owed?
//!
//! A [`Store`] keeps a desk's conversations in SQLite (one file) or PostgreSQL, by the same SQL
//! (`open.rs` holds what differs). Whatever happens to a conversation goes through one door:
//! [`Store::change`] (or [`Store::receive`] for a delivery, which is taken once) locks its
//! [`Record`], lets a pure function alter it and say what else follows ([`Change`]: entries of the
//! timeline, a decision, posts to send, timers), and commits all of it together or nothing.
//! Turns are leased ([`Store::lease`]), posts to other systems wait in the outbox
//! ([`Store::posts_due`]), timers fire once ([`Store::timers_due`]).
//!
//! Deliberately absent: what should happen. No rule, no clock (`now` is an argument), no network
//! but the database's.

mod account;
mod audit;
mod basis;
mod change;
mod column;
mod connections;
mod course;
mod customer;
mod decision;
mod entry;
mod errand;
mod error;
mod find;
mod id;
mod lease;
mod open;
mod outcome;
mod post;
mod receive;
mod record;
mod redact;
mod rota;
mod timer;
mod token;
mod words;

pub use account::{Account, NewAccount, Role, Session};
pub use audit::{Actor, Audit, AuditEntry};
pub use basis::{Basis, Grounds, Ranked};
pub use change::{Change, Guard};
pub use connections::Patience;
pub use course::{Course, Judged};
pub use customer::{Customer, Identity, Visit};
pub use decision::{About, Decided, Label, NewDecision, Verdict};
pub use entry::{Content, Entry, EntryId, Source};
pub use errand::{Ended, Errand, Notice};
pub use error::Error;
pub use find::{Page, QueueItem, Search, Workload};
pub use id::Id;
pub use lease::{Lease, Leased};
pub use open::Store;
pub use outcome::{Outcome, OutcomeKind};
pub use post::{NewPost, Post, PostState};
pub use receive::{Caught, Delivery, Opening, Received};
pub use record::Record;
pub use rota::Share;
pub use timer::{DueTimer, NewTimer};
pub use token::{ApiToken, Idempotent, KeyedRequest};

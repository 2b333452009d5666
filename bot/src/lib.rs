//! How does a conversation get from a channel to an answer or a teammate?
//!
//! A [`Desk`] is one help desk, opened from its folder's settings. [`Desk::answer`] is the one
//! path of a question, read top to bottom in `answer.rs`: triage, search (`library.rs`, what to
//! search for in `question.rs`), draft (`draft.rs`: quotes, or written by a generator and checked
//! sentence by sentence), evidence, confidence, decision.
//!
//! Deliberately absent so far: channels, a store, HTTP. Nothing here keeps what it is told.

mod answer;
mod calibration;
mod classifiers;
pub mod config;
mod desk;
mod draft;
mod error;
mod evidence;
mod inquiry;
mod library;
mod message;
mod playbook;
mod question;
mod trace;
mod wording;

pub use answer::{Answer, Timings};
pub use classifiers::Classifiers;
pub use desk::{Desk, Parts, library};
pub use draft::{Citation, Draft, Drafter};
pub use error::Error;
pub use evidence::EVIDENCE_VERSION;
pub use inquiry::{Context, Inquiry, Noticed, stated};
pub use library::{Found, Library, Lookup, Refreshed, Watch};
pub use playbook::{Canned, Playbook, Webhook, read_playbook};
pub use question::Question;
pub use wording::{Phrase, Wording};

//! How does a conversation get from a channel to an answer or a teammate?
//!
//! A [`Desk`] is one help desk, opened from its folder's settings. [`Desk::answer`] is the one
//! path of a question, read top to bottom in `answer.rs`: triage, search (`library.rs`, what to
//! search for in `question.rs`), draft (`draft.rs`: quotes, or written by a generator and checked
//! sentence by sentence), evidence, confidence, decision.
//!
//! An [`Office`] is the desk at work: it takes what customers and teammates do, has the bot take its
//! turns, keeps promises by the clock, and sends through [`Channel`]s what leaves the house.
//!
//! Deliberately absent: HTTP and SQL; a [`store::Store`] remembers, the `web` crate has the doors.

mod answer;
mod basis;
mod calibration;
mod channel;
mod classifiers;
pub mod config;
mod contradictions;
mod desk;
mod draft;
mod edit;
mod error;
mod evidence;
mod inquiry;
mod library;
mod live;
pub mod measure;
mod message;
mod office;
mod playbook;
mod question;
mod replay;
mod suggest;
mod trace;
mod watch;
mod webhook;
mod wording;

pub use answer::{Answer, Timings};
pub use basis::finding_of;
pub use calibration::{fitted_for, parse_budgets};
pub use channel::{Call, Channel, Delivered, DeliveryError, Parcel, Unheard};
pub use classifiers::Classifiers;
pub use contradictions::contradictions;
pub use desk::{Desk, Parts, library};
pub use draft::{
    Citation, Claims, Draft, Drafter, Tokens, WRITING_RULES, cited_sentences, claims, is_supported,
    n_kept,
};
pub use edit::{CHANGED_LITTLE, CHANGED_MUCH, f1_of, rouge_l, was_right, words_of};
pub use error::Error;
pub use evidence::EVIDENCE_VERSION;
pub use inquiry::{Context, Inquiry, Noticed, stated};
pub use knowledge::{ArticleCard, Mode, Reader};
pub use library::{Edited, Found, Library, Lookup, Refreshed};
pub use live::{BURN_DOUBT, LiveBudget, live_budgets, raised};
pub use message::{Staffing, Told};
pub use office::{
    AsOf, ByBot, ByRequest, Changed, Clock, Deed, Elsewhere, Happened, Happening, Heard, Inbound,
    Office, OfficeError, OfficeParts, Pace, Place,
};
pub use playbook::{Canned, Lines, Playbook, Webhook, read_playbook};
pub use question::Question;
pub use replay::{Recalled, recall};
pub use suggest::Suggestion;
pub use trace::outcome;
pub use watch::Watch;
pub use webhook::{WEBHOOK_EVENTS, WebhookParts, Webhooks, change_posts, event_posts, rule_post};
pub use wording::{Phrase, Wording};

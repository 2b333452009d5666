//! Who should answer this conversation, and why?
//!
//! The way through: [`triage`] looks at the question before anything is written and settles what
//! rules alone can settle; [`judge()`] looks at a finished draft's [`Confidence`] and settles the
//! rest. Both return a [`Decision`], which is an [`Act`] with the [`Reason`]s for it. A
//! [`Confidence`] is made from [`Evidence`] by a [`Calibration`] and by nothing else.
//!
//! Deliberately absent: IO, async, a clock, models, and the text of the reply. What a model found
//! comes in as data; what the customer reads is rendered from the stored decision elsewhere.

mod confidence;
mod conversation;
mod decision;
mod judge;
mod policy;
mod words;

pub use confidence::{
    Calibration, Confidence, Contribution, Evidence, EvidenceError, Factor, FittedFor,
};
pub use conversation::{Author, Message};
pub use decision::{Act, Decision, Reason};
pub use judge::{Finding, judge, triage};
pub use policy::{Policy, PolicyError, Priority, Rule, Slug, Team, Then, When};
pub use words::Phrases;

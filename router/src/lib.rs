//! Who should answer this conversation, and why?
//!
//! The way through: a [`Policy`] holds teams, topics and [`Rule`]s, whose [`Condition`]s ask
//! [`Facts`] about a conversation. [`triage`] settles before anything is written what needs no
//! draft; [`judge()`] looks at a finished draft's [`Confidence`] and settles the rest. Both return a
//! [`Decision`], which is an [`Act`] with the [`Reason`]s for it, and [`explain()`] says the same
//! rule by rule. [`overdue()`] decides what time alone brings about while people are responsible. A
//! [`Confidence`] is made from [`Evidence`] by a [`Calibration`] and by nothing else.
//! [`SignalDetector`] reads a message for what the rules ask. [`Hours`], [`Sla`] and [`assign`] say
//! when and by whom a conversation that was handed off is taken, and [`outlook()`] what follows from
//! handing it off now.
//!
//! Deliberately absent: IO, async, a clock, models, and the text of the reply. What a model found
//! comes in as data; what the customer reads is rendered from the stored decision elsewhere.

mod assignment;
mod budgets;
mod check;
mod condition;
mod confidence;
mod conversation;
mod decision;
mod explain;
mod facts;
mod hours;
mod judge;
mod outlook;
mod overdue;
mod owner;
mod policy;
mod quoted;
mod rule;
mod signals;
mod sla;
mod slug;
mod team;
mod topic;
mod walk;
mod words;

pub use assignment::{
    Assigned, Expectation, Presence, Roster, Waiting, Why, assign, expect, may_take, n_ahead,
    order, share_out,
};
pub use budgets::{Budgets, Certified};
pub use check::{Example, Flaw, Severity, Uncovered, check, uncovered};
pub use condition::{Condition, ConditionError, Verdict};
pub use confidence::{
    Calibration, Confidence, Contribution, Evidence, EvidenceError, Factor, FittedFor,
};
pub use conversation::{Author, Conversation, Episode, Event, IllegalMove, Message, Owner, Status};
pub use decision::{Act, Decision, Effects, Fired, Reason, Reply, Responsible};
pub use explain::{Explanation, Step, explain};
pub use facts::{Catalogue, Fact, FactError, FactId, Facts, Kind, Known, Text, Value};
pub use hours::Hours;
pub use judge::{Finding, judge, keep_back, to_team, triage, with_finding};
pub use outlook::{Escalation, Outlook, outlook};
pub use overdue::overdue;
pub use policy::{At, Ladder, Policy, PolicyError, Routing, Unsure};
pub use rule::{Escalate, Permission, Rule, Scalar, Then};
pub use signals::{
    Sentiment, SignalConfig, SignalDetector, SignalError, SignalExamples, Signals,
    built_in_examples, names as signal_names,
};
pub use sla::{Due, OpenTime, Promise, Sla, SlaClock};
pub use slug::{Priority, Slug};
pub use team::{Assignment, Language, Member, OpenTeam, Team, open_team, overflow_cycles};
pub use topic::Topic;
pub use walk::Outcome;
pub use words::Phrases;

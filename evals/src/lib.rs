//! How good are the answers and handoffs?
//!
//! Cases ([`read_cases`]) go through the very path that serves customers ([`try_cases`]); what
//! comes back is written down ([`Record`]), measured ([`summarise`]) with intervals and shown to
//! people ([`report()`]).
//! [`measure_retrieval`] looks at the search alone; [`calibrate()`] fits the confidence;
//! [`measure_topics`] says how well topics are told apart on [`read_utterances`]. What past
//! conversations tell of people is taken out of them by [`redact`] first.
//!
//! Deliberately absent: any way to answer a question that a customer would not get.

mod calibrate;
mod case;
mod fault;
pub mod interval;
pub mod logistic;
pub mod measures;
mod record;
pub mod redact;
pub mod report;
mod retrieval;
mod routes;
mod run_report;
mod signals;
mod split;
mod summary;
mod topics;
mod trial;
mod utterances;

pub use calibrate::{Fitted, Lesson, Unseen, calibrate, observe};
pub use case::{Case, CasesError, Expect, ExpectedAct, Route, read_cases};
pub use record::{Cited, Record, Stages};
pub use retrieval::{Retrieval, measure_retrieval};
pub use routes::otherwise;
pub use run_report::{About, report};
pub use signals::{Found, SignalFigures, measure_signal};
pub use split::{Parts, Split, part};
pub use summary::{Figure, Summary, summarise};
pub use topics::{Guess, figures_json, measure_topics, prediction_line};
pub use trial::{Trial, inquiry, try_cases, unknown_articles, unknown_facts};
pub use utterances::{
    Utterance, UtterancesError, choose_lessons, choose_questions, read_utterances, spell_out_topics,
};

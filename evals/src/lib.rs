//! How good are the answers and handoffs?
//!
//! Cases ([`read_cases`]) go through the very path that serves customers ([`try_cases`]); what
//! comes back is written down ([`Record`], kept in a [`Ledger`] as it comes), measured
//! ([`summarise`]) with intervals and shown to people ([`report()`]). [`compare()`] sets two runs
//! side by side, a [`Gate`] says when a build fails.
//! [`measure_retrieval`] looks at the search alone; [`calibrate()`] fits the confidence, [`promise`]
//! makes thresholds of error budgets by [`certify`];
//! [`measure_topics`] says how well topics are told apart on [`read_utterances`]. What past
//! conversations tell of people is taken out of them by [`redact`] first; [`import()`](import::import)
//! makes cases of what other programs kept.
//!
//! Deliberately absent: any way to answer a question that a customer would not get.

#[cfg(test)]
mod agreement;
mod budget;
mod by_topic;
mod calibrate;
mod case;
mod circular;
mod compare;
mod duplicates;
mod examine;
mod fault;
mod figure;
mod gaps;
mod gate;
mod impact;
pub mod import;
pub mod interval;
pub mod logistic;
pub mod measures;
mod pairs;
mod promises;
mod record;
pub mod redact;
mod reference;
pub mod report;
mod retrieval;
mod routes;
mod run_folder;
mod run_ledger;
mod run_report;
#[cfg(test)]
mod sample;
mod score;
mod signals;
mod split;
mod summary;
mod topics;
mod trial;
mod utterances;
mod verdict;

pub use bot::{CHANGED_LITTLE, CHANGED_MUCH, was_right};
pub use budget::{
    Kept, LEAST_BUDGET, Promise, Proof, Unsupported, binomial_tail, certify, least_answers, starts,
};
pub use calibrate::{Exam, Fitted, Lesson, calibrate, leaves_proof, observe};
pub use case::{Case, CasesError, Expect, ExpectedAct, Route, read_cases};
pub use circular::leave_out_articles;
pub use compare::{Change, Comparison, Effect, ScoreChange, compare, compare_by};
pub use duplicates::{Twins, twins};
pub use examine::Examination;
pub use figure::{By, Figure, Group, figures_json, groups_json};
pub use gaps::{Gap, Open, examples, gaps, outline};
pub use gate::{Gate, GateError, Judgement, Judging};
pub use impact::{Changed, Kind, impact};
pub use pairs::kappa_of as kappa;
pub use promises::{Grounds, Promised, Wanted, gather, promise};
pub use record::{Cited, Record, Stages, result_lines};
pub use reference::{kept, note_similarity, support};
pub use retrieval::{Retrieval, measure_retrieval, ways};
pub use routes::otherwise;
pub use run_folder::{Run, read_run};
pub use run_ledger::{Ledger, case_key};
pub use run_report::{About, Against, report};
pub use score::mcnemar;
pub use signals::{Found, SignalFigures, measure_signal};
pub use split::{Choosing, Parts, Split, part};
pub use summary::{Price, Summary, summarise, summarise_by};
pub use topics::{Guess, measure_topics, prediction_line};
pub use trial::{Trial, inquiry, try_cases, try_each, unknown_articles, unknown_facts};
pub use utterances::{
    Utterance, UtterancesError, choose_lessons, choose_questions, read_utterances, spell_out_topics,
};
pub use verdict::Verdict;

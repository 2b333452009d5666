//! How good are the answers and handoffs?
//!
//! Cases ([`read_cases`]) go through the very path that serves customers ([`try_cases`]); what
//! comes back is measured ([`summarise`]) with intervals and written down for programs and people.
//! [`measure_retrieval`] looks at the search alone; [`calibrate()`] fits the confidence.
//!
//! Deliberately absent: any way to answer a question that a customer would not get.

mod calibrate;
mod case;
pub mod interval;
pub mod logistic;
pub mod measures;
pub mod report;
mod retrieval;
mod run_report;
mod summary;
mod trial;

pub use calibrate::{Fitted, Lesson, Unseen, calibrate, observe};
pub use case::{Case, CasesError, Expect, ExpectedAct, read_cases};
pub use retrieval::{Retrieval, measure_retrieval};
pub use run_report::{About, report};
pub use summary::{Figure, Summary, result_line, summarise};
pub use trial::{Trial, try_cases, unknown_articles};

use crate::pull::Attempt;
use std::path::PathBuf;

/// What can go wrong with a model, split by what the caller does about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A model file is absent: pull the model, or point to it.
    #[error("{what} is not there: {path}; {mend}")]
    Missing {
        /// What was looked for.
        what: String,
        /// Where it was looked for.
        path: PathBuf,
        /// How to get it.
        mend: String,
    },
    /// A model file is there and cannot be used: replace it.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// No source had all files of a model: mend one of the sources.
    #[error("{model} cannot be pulled{}\n  to mend it: {mend}", listed(.attempts))]
    Unobtainable {
        /// The model's name in the catalogue.
        model: String,
        /// Every source that was asked, in order; empty when none was named.
        attempts: Vec<Attempt>,
        /// What would help.
        mend: String,
    },
    /// A classifier cannot learn from these examples: mend them.
    #[error("{0}")]
    Examples(String),
    /// The model, or the service, answered with something that cannot be used.
    #[error("{0}")]
    Model(String),
    /// The text does not fit the model: shorten it.
    #[error("{tokens} tokens do not fit the limit of {limit}")]
    TooLong {
        /// Tokens asked for.
        tokens: usize,
        /// Tokens possible.
        limit: usize,
    },
    /// The service cannot answer now, after all retries: try later.
    #[error("{service} cannot answer now: {reason}")]
    Transient {
        /// The endpoint, without credentials.
        service: String,
        /// What happened; never holds a key or a prompt.
        reason: String,
    },
    /// The service refuses this request, whoever repeats it: mend the configuration.
    #[error("{service} refuses: {reason}")]
    Refused {
        /// The endpoint, without credentials.
        service: String,
        /// What the service said; never holds a key or a prompt.
        reason: String,
    },
    /// The queue is full: shed load at the door.
    #[error("too many requests are waiting for the model")]
    Busy,
}

/// Writes each attempt on a line of its own: one line would bury the reasons.
fn listed(attempts: &[Attempt]) -> String {
    if attempts.is_empty() {
        return ": no source is named".into();
    }
    attempts.iter().map(|tried| format!("\n  {}: {}", tried.source, tried.reason)).collect()
}

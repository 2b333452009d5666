use crate::config::Fault;
use std::path::PathBuf;

/// What keeps a desk from working, split by what the caller does about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The desk's files hold faults: show them all.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Desk(Vec<Fault>),
    /// The index cannot be used, or could not be written.
    #[error(transparent)]
    Index(#[from] knowledge::Error),
    /// A model cannot be used, or could not answer.
    #[error(transparent)]
    Model(#[from] models::Error),
    /// A file of the desk cannot be read or written.
    #[error("cannot use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

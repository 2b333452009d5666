//! What can go wrong with articles and their index, one variant for each thing a caller does.

use std::{io, path::PathBuf};

/// A failure to read articles or to use the index.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No folder held a single article; put one there or name another folder.
    #[error(
        "no articles found: looked for *.md, *.markdown, *.mdx, *.html and *.htm below {folders}{hint}"
    )]
    Empty {
        /// The folders that were walked, as one readable list.
        folders: String,
        /// Why files that were there could not be used; empty when there were none.
        hint: String,
    },
    /// The operating system refused a file or a folder.
    #[error("cannot {deed} {}", path.display())]
    Io {
        /// What was tried, as a verb: "read", "write".
        deed: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The reason given by the operating system.
        #[source]
        source: io::Error,
    },
    /// There is no index yet.
    #[error("no index in {}: run `frontdesk index`", path.display())]
    Absent {
        /// The folder that should hold the index.
        path: PathBuf,
    },
    /// The index on disk is damaged; planning an update rebuilds it.
    #[error("the index is damaged at {}: {reason}; run `frontdesk index` to rebuild it", path.display())]
    Corrupt {
        /// The damaged file or folder.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The index was made with another embedder; an update embeds it anew.
    #[error(
        "the index was made with the embedder {found} and not {wanted}: run `frontdesk index` to embed the articles anew"
    )]
    OtherEmbedder {
        /// The embedder of the index, with its dimension.
        found: String,
        /// The embedder that was asked for, with its dimension.
        wanted: String,
    },
    /// Another process is changing the index; try again later.
    #[error("another process is updating the index in {}: wait for it to end", path.display())]
    Locked {
        /// The folder of the index.
        path: PathBuf,
    },
    /// The vectors handed in do not fit the texts or the embedder.
    #[error("unusable vectors: {reason}")]
    BadVectors {
        /// What does not fit.
        reason: String,
    },
    /// The word index failed while it was built or asked.
    #[error("the word index failed")]
    Words(#[from] tantivy::TantivyError),
}

impl Error {
    /// Names the deed and the path of a failed disk operation, for `map_err`.
    pub(crate) fn io(deed: &'static str, path: &std::path::Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { deed, path, source }
    }
}

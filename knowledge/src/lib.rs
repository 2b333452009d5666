//! Which passages answer this question?
//!
//! The path through the files: `folder` walks the folders of articles and reads each file
//! (`front_matter` for its keys, `html` for web pages), which gives an [`Article`].
//! `mask` hides what is machinery and not prose, `outline` turns the Markdown into plain
//! leaves under their headings (`html_block` for HTML inside Markdown, `inline` for text within
//! a line), and `passage` gathers the leaves into [`Passage`]s that cover the article without
//! loss. `update` decides which passages need a vector and writes a new generation through
//! `generation`; `words` analyses text for `word_index` (BM25) and `vectors` holds the
//! meanings; `search` asks both and lets `fusion` make one ranked list of them.
//!
//! Deliberately absent: models (vectors come in as data), a clock, async, any notion of a
//! conversation, and approximate nearest neighbours (an exact scan is fast enough to some
//! hundred thousand passages).

mod article;
mod disk;
mod error;
mod folder;
mod front_matter;
mod fusion;
mod generation;
mod html;
mod html_block;
mod inline;
mod locale;
mod mask;
mod outline;
mod passage;
mod search;
mod stored;
mod title;
mod update;
mod vectors;
mod word_index;
mod words;

pub use article::{Article, Audience, Reader};
pub use error::Error;
pub use folder::{Folder, Note, ReadOptions, Skipped, read_folders};
pub use fusion::Fusion;
pub use passage::{Passage, embedding_text, split};
pub use search::{ArticleCard, Findings, FoundBy, Hit, Knowledge, Mode, Query, Term};
pub use update::Update;
pub use vectors::EmbedderSpec;
pub use words::{Analyser, words};

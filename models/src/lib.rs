//! Text in; vectors and text out.
//!
//! Two seams, each with several implementations behind it:
//!
//! - [`Embedder`]: text to unit vectors. [`Encoder`] runs a BERT-family model,
//!   [`RemoteEmbedder`] asks an OpenAI-compatible endpoint, [`HashedEmbedder`] needs no model.
//! - [`Generator`]: a prompt to text. [`LocalChat`] runs a GGUF model on candle,
//!   [`RemoteChat`] asks an OpenAI-compatible endpoint, [`ScriptedChat`] replays given answers.
//!
//! [`KeptEmbedder`] and [`KeptGenerator`] stand before any of them and keep what was computed on a
//! [`Shelf`], in memory or on disk.
//!
//! [`Classifier`] learns from examples which topic a text and its vector belong to, or none.
//!
//! [`catalogue`] knows which model files exist, where they come from and their checksums.
//!
//! Deliberately absent: articles, conversations, decisions. This crate does not know what the
//! text is about, and reads no environment variable.

pub mod catalogue;
mod chat;
mod classifier;
#[cfg(test)]
mod conformance;
mod decoder;
mod embedding;
mod encoder;
mod error;
mod gguf;
mod hashed;
mod http;
mod kept;
mod kernels;
mod matrix;
mod prompt;
pub mod pull;
mod remote;
mod scripted;
mod template;

pub use chat::{ChatOptions, LocalChat};
pub use classifier::{Classified, Classifier, Example, Learnt, TrainOptions};
pub use embedding::{Embedder, Embedding};
pub use encoder::{Encoder, Precision};
pub use error::Error;
pub use hashed::HashedEmbedder;
pub use kept::{KeptEmbedder, KeptGenerator, Shelf, Tally};
pub use prompt::{Completion, Finish, Generator, Prompt, Role, Turn};
pub use remote::{RemoteChat, RemoteEmbedder, RemoteOptions, Secret};
pub use scripted::ScriptedChat;

//! Chat and embeddings from any OpenAI-compatible endpoint: OpenAI, Azure, vLLM, Ollama,
//! llama.cpp.
//!
//! Requests are async-openai's types; sending is our own, in [`transport`]. async-openai's client
//! was not fit for it: it throws `Retry-After` away, logs whole bodies when it cannot read them
//! (prompts and answers among them), reads keys from the environment, and panics on a key that no
//! header can carry. Answers are read with small types of our own, as services leave out or add
//! fields that async-openai's insist on.

mod chat;
mod embedder;
#[cfg(test)]
mod tests;
mod transport;

pub use chat::RemoteChat;
pub use embedder::RemoteEmbedder;

use std::fmt;

/// Where a remote model is and how patiently it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteOptions {
    /// For example `https://api.openai.com/v1` or `http://localhost:11434/v1`; for Azure the
    /// resource, `https://NAME.openai.azure.com`.
    pub base_url: String,
    /// Name of the model; for Azure, of the deployment.
    pub model: String,
    /// Sent as bearer token, to Azure as `api-key`.
    pub api_key: Option<Secret>,
    /// Makes this an Azure endpoint: the `api-version` to ask for.
    pub azure_api_version: Option<String>,
    /// Longest time for one attempt, ms.
    pub timeout_ms: u64,
    /// Attempts after the first, at most 10.
    pub retries: u32,
    /// Number of components of the vectors; only embedders need it.
    pub dimension: Option<usize>,
}

impl RemoteOptions {
    /// Options for a model that needs no key, with a minute and two retries.
    pub fn new(base_url: impl Into<String>, model: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            model: model.into(),
            api_key: None,
            azure_api_version: None,
            timeout_ms: 60_000,
            retries: 2,
            dimension: None,
        }
    }
}

/// A key. Printing one shows three stars, whatever is asked for.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a key.
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

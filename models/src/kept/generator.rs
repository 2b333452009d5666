use super::{Key, Shelf, key};
use crate::{Completion, Error, Finish, Generator, Prompt};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A generator that answers a prompt once. What failed is asked for again.
pub struct KeptGenerator {
    inner: Arc<dyn Generator>,
    shelf: Arc<Shelf>,
}

/// A completion as it is kept; probabilities by their bits, so that none is rounded.
#[derive(Serialize, Deserialize)]
pub(super) struct Stored {
    text: String,
    is_cut: bool,
    logprob_bits: Vec<u32>,
    prompt_tokens: usize,
    reused_tokens: usize,
    /// Entries of older versions have none.
    #[serde(default)]
    written_tokens: usize,
}

impl KeptGenerator {
    /// Stands before `inner` and keeps its completions on `shelf`.
    pub fn new(inner: Arc<dyn Generator>, shelf: Arc<Shelf>) -> Self {
        Self { inner, shelf }
    }

    fn key(&self, prompt: &Prompt) -> Key {
        let Prompt { turns, limit_tokens, temperature, seed } = prompt;
        let options = format!("{limit_tokens} {:08x} {seed}", temperature.to_bits());
        let turns = turns.iter().flat_map(|turn| [turn.role.name(), turn.text.as_str()]);
        let parts = ["draft", self.inner.id(), &options].into_iter().chain(turns);
        key(parts.map(str::as_bytes))
    }
}

#[async_trait]
impl Generator for KeptGenerator {
    fn id(&self) -> &str {
        self.inner.id()
    }

    async fn complete(&self, prompt: &Prompt) -> Result<Completion, Error> {
        let key = self.key(prompt);
        let read = |bytes: &[u8]| serde_json::from_slice::<Stored>(bytes).ok();
        if let Some(stored) = self.shelf.find(&key, read) {
            return Ok(stored.into());
        }
        let completion = self.inner.complete(prompt).await?;
        if let Ok(bytes) = serde_json::to_vec(&Stored::from(&completion)) {
            self.shelf.keep(key, bytes);
        }
        Ok(completion)
    }
}

impl From<&Completion> for Stored {
    fn from(completion: &Completion) -> Self {
        Self {
            text: completion.text.clone(),
            is_cut: completion.finish == Finish::Limit,
            logprob_bits: completion.logprobs.iter().map(|logprob| logprob.to_bits()).collect(),
            prompt_tokens: completion.prompt_tokens,
            reused_tokens: completion.reused_tokens,
            written_tokens: completion.written_tokens,
        }
    }
}

impl From<Stored> for Completion {
    fn from(stored: Stored) -> Self {
        Self {
            text: stored.text,
            finish: if stored.is_cut { Finish::Limit } else { Finish::Stop },
            logprobs: stored.logprob_bits.into_iter().map(f32::from_bits).collect(),
            prompt_tokens: stored.prompt_tokens,
            reused_tokens: stored.reused_tokens,
            written_tokens: stored.written_tokens,
        }
    }
}

use crate::Error;
use async_trait::async_trait;

/// Who speaks in a [`Prompt`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The rules that the model works under.
    System,
    /// The one who asks.
    User,
    /// The model itself.
    Assistant,
}

impl Role {
    /// Returns the name that chat templates and chat endpoints use.
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// One contribution to a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub text: String,
}

/// What a [`Generator`] is asked. Leading turns that repeat between prompts (the system turn) are
/// the shared prefix that a local model computes once.
#[derive(Debug, Clone, PartialEq)]
pub struct Prompt {
    /// The chat so far; the model writes the next assistant turn.
    pub turns: Vec<Turn>,
    /// Most tokens that may be written.
    pub limit_tokens: usize,
    /// 0 takes the likeliest token each time; above it samples, 1 being the model's own spread.
    pub temperature: f32,
    /// Makes sampling repeatable.
    pub seed: u64,
}

impl Prompt {
    /// Refuses what no implementation can answer.
    ///
    /// # Errors
    /// [`Error::Model`] for a prompt without turns, or a temperature that is negative or no number.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.turns.is_empty() {
            return Err(Error::Model("the prompt has no turns".into()));
        }
        if !(self.temperature.is_finite() && self.temperature >= 0.0) {
            return Err(Error::Model("the temperature has to be a number of at least 0".into()));
        }
        Ok(())
    }
}

/// Why a [`Completion`] ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// The model said that it is done.
    Stop,
    /// `limit_tokens` was reached; the text may break off.
    Limit,
}

/// What a [`Generator`] wrote.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    /// The text, without the template's marks.
    pub text: String,
    /// Why it ended.
    pub finish: Finish,
    /// Natural logarithm of the probability of each written token; empty where a service keeps
    /// them to itself.
    pub logprobs: Vec<f32>,
    /// Tokens read; of those, how many a shared prefix saved.
    pub prompt_tokens: usize,
    /// Tokens of the prompt that were not computed again.
    pub reused_tokens: usize,
    /// Tokens written; 0 where a service does not say.
    pub written_tokens: usize,
}

/// Writes the next turn of a chat.
///
/// Every implementation promises: temperature 0 is repeatable; the text never holds the template's
/// own marks; an over-long prompt is [`Error::TooLong`], never cut silently; no panic on any input.
#[async_trait]
pub trait Generator: Send + Sync {
    /// Names model and weights, for records.
    fn id(&self) -> &str;

    /// Writes the next assistant turn.
    ///
    /// # Errors
    /// See [`Error`].
    async fn complete(&self, prompt: &Prompt) -> Result<Completion, Error>;
}

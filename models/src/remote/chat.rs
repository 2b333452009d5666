use super::{
    RemoteOptions,
    transport::{Endpoint, Failure, Rejection},
};
use crate::{Completion, Error, Finish, Generator, Prompt, Role, Turn};
use async_openai::types::chat::{
    ChatCompletionRequestAssistantMessage, ChatCompletionRequestMessage,
    ChatCompletionRequestSystemMessage, ChatCompletionRequestUserMessage,
    CreateChatCompletionRequest,
};
use async_trait::async_trait;
use serde::Deserialize;
use std::sync::{Mutex, PoisonError};

/// A chat model behind an OpenAI-compatible endpoint.
pub struct RemoteChat {
    id: String,
    /// Tests make its waits short.
    pub(super) endpoint: Endpoint,
    /// What this service was found to understand.
    dialect: Mutex<Dialect>,
}

/// Parameters that not every service takes. All are sent until the service complains about one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Dialect {
    logprobs: bool,
    seed: bool,
    /// OpenAI's reasoning models take no temperature but their own.
    temperature: bool,
    /// OpenAI's newer models know `max_completion_tokens` only, most others `max_tokens` only.
    max_tokens: bool,
}

impl RemoteChat {
    /// Prepares requests; the service is not asked anything yet.
    ///
    /// # Errors
    /// [`Error::Refused`] for options that can never work: an address that is none or holds
    /// credentials, no model, a key with line breaks.
    pub fn new(options: RemoteOptions) -> Result<Self, Error> {
        let endpoint = Endpoint::new(options, "/chat/completions")?;
        let id = format!("{}@{}", endpoint.options().model, endpoint.service());
        let dialect = Dialect { logprobs: true, seed: true, temperature: true, max_tokens: true };
        Ok(Self { id, endpoint, dialect: Mutex::new(dialect) })
    }

    fn dialect(&self) -> Dialect {
        *self.dialect.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask(&self, prompt: &Prompt) -> Result<Vec<u8>, Error> {
        let mut dialect = self.dialect();
        loop {
            let request = request(&self.endpoint.options().model, prompt, dialect);
            let rejection = match self.endpoint.post(&request).await {
                Ok(body) => return Ok(body),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Rejected(rejection)) => rejection,
            };
            if rejection.is_too_long() {
                return Err(rejection.too_long(estimate_tokens(prompt)));
            }
            // Each turn of the loop gives up one of four parameters for good.
            if !dialect.give_up(&rejection) {
                return Err(self.endpoint.refuse(&rejection));
            }
            *self.dialect.lock().unwrap_or_else(PoisonError::into_inner) = dialect;
        }
    }
}

#[async_trait]
impl Generator for RemoteChat {
    fn id(&self) -> &str {
        &self.id
    }

    async fn complete(&self, prompt: &Prompt) -> Result<Completion, Error> {
        prompt.check()?;
        if prompt.limit_tokens == 0 {
            // Services refuse a limit of 0.
            let (text, logprobs) = (String::new(), vec![]);
            let (prompt_tokens, reused_tokens, written_tokens) = (0, 0, 0);
            let finish = Finish::Limit;
            return Ok(Completion {
                text,
                finish,
                logprobs,
                prompt_tokens,
                reused_tokens,
                written_tokens,
            });
        }
        let body = self.ask(prompt).await?;
        read_answer(&body)
            .map_err(|reason| Error::Model(format!("{} {reason}", self.endpoint.service())))
    }
}

impl Dialect {
    /// Stops sending what the service blames; false when it blames nothing that can be left out.
    fn give_up(&mut self, rejection: &Rejection) -> bool {
        let parameters = [
            (&mut self.logprobs, "logprobs"),
            (&mut self.max_tokens, "max_tokens"),
            (&mut self.temperature, "temperature"),
            (&mut self.seed, "seed"),
        ];
        for (is_sent, name) in parameters {
            if *is_sent && rejection.blames(name) {
                *is_sent = false;
                return true;
            }
        }
        false
    }
}

#[expect(deprecated, reason = "most services know these two parameters by their first names only")]
fn request(model: &str, prompt: &Prompt, dialect: Dialect) -> CreateChatCompletionRequest {
    let limit = u32::try_from(prompt.limit_tokens).unwrap_or(u32::MAX);
    CreateChatCompletionRequest {
        model: model.to_owned(),
        messages: prompt.turns.iter().map(message).collect(),
        max_tokens: dialect.max_tokens.then_some(limit),
        max_completion_tokens: (!dialect.max_tokens).then_some(limit),
        temperature: dialect.temperature.then_some(prompt.temperature),
        logprobs: dialect.logprobs.then_some(true),
        // The wire type is signed, and some services take no negative number.
        seed: dialect.seed.then_some((prompt.seed & (i64::MAX as u64)) as i64),
        ..CreateChatCompletionRequest::default()
    }
}

fn message(turn: &Turn) -> ChatCompletionRequestMessage {
    let text = turn.text.as_str();
    match turn.role {
        Role::System => ChatCompletionRequestSystemMessage::from(text).into(),
        Role::User => ChatCompletionRequestUserMessage::from(text).into(),
        Role::Assistant => ChatCompletionRequestAssistantMessage::from(text).into(),
    }
}

/// About four bytes make a token of English; good enough for saying how much is too much.
fn estimate_tokens(prompt: &Prompt) -> usize {
    let n_bytes: usize = prompt.turns.iter().map(|turn| turn.text.len()).sum();
    (n_bytes / 4).saturating_add(prompt.limit_tokens)
}

#[derive(Deserialize)]
struct Answer {
    choices: Vec<Choice>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
    finish_reason: Option<String>,
    logprobs: Option<Logprobs>,
}

#[derive(Deserialize)]
struct Message {
    content: Option<String>,
}

#[derive(Deserialize)]
struct Logprobs {
    content: Option<Vec<Logprob>>,
}

#[derive(Deserialize)]
struct Logprob {
    logprob: f32,
}

#[derive(Deserialize)]
struct Usage {
    #[serde(default)]
    prompt_tokens: usize,
    #[serde(default)]
    completion_tokens: usize,
    prompt_tokens_details: Option<PromptTokens>,
}

#[derive(Deserialize)]
struct PromptTokens {
    cached_tokens: Option<usize>,
}

fn read_answer(body: &[u8]) -> Result<Completion, &'static str> {
    let answer: Answer =
        serde_json::from_slice(body).map_err(|_| "answers with something that is no completion")?;
    let choice = answer.choices.into_iter().next().ok_or("answers without a choice")?;
    let finish = match choice.finish_reason.as_deref() {
        Some("length") => Finish::Limit,
        Some("content_filter") => return Err("stopped the answer by its content filter"),
        _ => Finish::Stop,
    };
    let text = choice.message.content.ok_or("answers without text")?;
    let logprobs = choice.logprobs.and_then(|logprobs| logprobs.content).unwrap_or_default();
    let logprobs: Vec<f32> = logprobs.iter().map(|token| token.logprob.min(0.0)).collect();
    let prompt_tokens = answer.usage.as_ref().map_or(0, |usage| usage.prompt_tokens);
    let written_tokens = answer.usage.as_ref().map_or(0, |usage| usage.completion_tokens);
    let cached = answer.usage.and_then(|usage| usage.prompt_tokens_details?.cached_tokens);
    let reused_tokens = cached.unwrap_or(0).min(prompt_tokens);
    let text = text.trim().to_owned();
    Ok(Completion { text, finish, logprobs, prompt_tokens, reused_tokens, written_tokens })
}

//! Chat on this machine: a GGUF model on candle, on one thread of its own.
//!
//! [`LocalChat`] keeps the door: a bounded queue, one generation at a time, nothing computed for a
//! caller who has gone. The thread owns a [`Writer`], which does the writing; what prompts share
//! lies in [`Prefixes`](prefixes::Prefixes).

mod prefixes;
#[cfg(test)]
mod tests;
mod vocabulary;
mod writer;

use crate::{Completion, Error, Generator, Prompt};
use async_trait::async_trait;
use std::{
    panic::{self, AssertUnwindSafe},
    path::Path,
    thread::{self, JoinHandle},
};
use tokio::sync::{mpsc, oneshot};
use writer::Writer;

/// Bounds of a [`LocalChat`]. Candle computes on one pool of threads per process, so there is no
/// number of threads to choose here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChatOptions {
    /// Most tokens of prompt and answer together; less where the model itself has less. Memory
    /// grows with it: twice layers × key heads × head size × 4 bytes a token.
    pub context_tokens: usize,
    /// Most requests that wait while one is answered; further ones are [`Error::Busy`].
    pub n_waiting: usize,
}

impl Default for ChatOptions {
    fn default() -> Self {
        Self { context_tokens: 4096, n_waiting: 8 }
    }
}

/// A chat model from a GGUF file. Dropping it ends its thread, after at most one more step of a
/// generation that is under way.
pub struct LocalChat {
    id: String,
    requests: Option<mpsc::Sender<Request>>,
    thread: Option<JoinHandle<()>>,
}

struct Request {
    prompt: Prompt,
    reply: oneshot::Sender<Result<Completion, Error>>,
}

impl LocalChat {
    /// Reads the model at `path`: architecture, tokenizer, template and end tokens are its own.
    /// Reads the whole file, so call it where blocking is allowed.
    ///
    /// # Errors
    /// [`Error::Missing`] without a file; [`Error::File`] for one that is corrupt, cut short, or
    /// of a family or tokenizer that is not read (llama, qwen2 and qwen3 with byte-level BPE are).
    pub fn open(path: &Path, options: ChatOptions) -> Result<Self, Error> {
        let writer = Writer::open(path, options.context_tokens)?;
        let id = writer.id().to_owned();
        let (requests, waiting) = mpsc::channel(options.n_waiting.max(1));
        let thread = thread::Builder::new()
            .name("chat".into())
            .spawn(move || answer(writer, waiting))
            .map_err(|error| Error::Model(format!("cannot start a thread: {error}")))?;
        Ok(Self { id, requests: Some(requests), thread: Some(thread) })
    }
}

#[async_trait]
impl Generator for LocalChat {
    fn id(&self) -> &str {
        &self.id
    }

    async fn complete(&self, prompt: &Prompt) -> Result<Completion, Error> {
        let ended = || Error::Model("the thread of the chat model has ended".into());
        let (reply, answer) = oneshot::channel();
        let request = Request { prompt: prompt.clone(), reply };
        self.requests.as_ref().ok_or_else(ended)?.try_send(request).map_err(
            |error| match error {
                mpsc::error::TrySendError::Full(_) => Error::Busy,
                mpsc::error::TrySendError::Closed(_) => ended(),
            },
        )?;
        answer.await.map_err(|_| ended())?
    }
}

impl Drop for LocalChat {
    fn drop(&mut self) {
        // The thread ends when nobody can ask any more. Callers borrow the chat, so whoever waited
        // has gone too, and a running generation stops at its next step.
        drop(self.requests.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the chat model had panicked");
        }
    }
}

fn answer(mut writer: Writer, mut waiting: mpsc::Receiver<Request>) {
    while let Some(Request { prompt, reply }) = waiting.blocking_recv() {
        if reply.is_closed() {
            continue;
        }
        // A panic in a numeric kernel must not take the model from everybody who asks later. What
        // was being computed is inside the writer's cache for this prompt, which is lost with it.
        let written =
            panic::catch_unwind(AssertUnwindSafe(|| writer.write(&prompt, &|| reply.is_closed())));
        let outcome = match written {
            Ok(Ok(None)) => continue,
            Ok(Ok(Some(completion))) => Ok(completion),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(Error::Model("the chat model failed on this prompt".into())),
        };
        // A caller who left in the meantime needs no answer.
        reply.send(outcome).ok();
    }
}

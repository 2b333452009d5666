//! A BERT-family sentence encoder: tokenise, run the network over packed sequences, pool.

mod bert;
mod folder;
mod math;
#[cfg(test)]
mod tests;
mod worker;

use crate::{Embedder, Embedding, Error};
use async_trait::async_trait;
use bert::Bert;
use folder::{Folder, Pooling};
use serde::Deserialize;
use std::{path::Path, sync::Arc};
use tokenizers::Tokenizer;
use worker::{Worker, in_parallel, steps};

/// Runs a sentence encoder of the BERT family (`bert`, `roberta`, `xlm-roberta`) in this process.
///
/// Weights, tokenizer, pooling, length limit and prompts come from the model's own folder in the
/// layout of sentence-transformers. [`Precision`] says how it multiplies. Batches are packed without padding, sorted
/// by length, and shared among the cores by whole sequences; they run on one dedicated thread, so
/// that a question, which is computed where it is asked, never waits behind them.
pub struct Encoder {
    id: String,
    pipeline: Arc<Pipeline>,
    worker: Worker,
}

/// How an [`Encoder`] multiplies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// In fp32: the vectors are those of the model's own library (cosine above 0.9999).
    #[default]
    Exact,
    /// Weights and activations in 8 bits, sums and everything between the products in fp32: several
    /// times faster; the vectors lie close to the exact ones (cosine of about 0.99) and must not be
    /// compared with them.
    Fast,
}

/// What both a question and a batch need: text to tokens to a vector.
struct Pipeline {
    tokenizer: Tokenizer,
    network: Bert,
    pooling: Pooling,
    limit_tokens: usize,
    query_prompt: String,
    passage_prompt: String,
}

/// No token of a known vocabulary is longer than this on average over a full window; cutting
/// there keeps the tokenizer from reading megabytes of which the model sees 256 tokens.
const BYTES_PER_TOKEN_AT_MOST: usize = 64;

impl Encoder {
    /// Reads the model in `folder`, to be [`Precision::Exact`]; its batches use `threads` threads.
    ///
    /// # Errors
    /// [`Error::Missing`] when a file is absent, [`Error::File`] when one cannot be used.
    pub fn open(folder: &Path, threads: usize) -> Result<Self, Error> {
        Self::open_at(folder, threads, Precision::Exact)
    }

    /// As [`Encoder::open`], with a precision, which is part of the id.
    ///
    /// # Errors
    /// As [`Encoder::open`].
    pub fn open_at(folder: &Path, threads: usize, precision: Precision) -> Result<Self, Error> {
        let Folder { id, config, mut tokenizer, pooling, limit_tokens, prompts, weights } =
            Folder::read(folder)?;
        tokenizer.with_padding(None);
        let truncation =
            tokenizers::TruncationParams { max_length: limit_tokens, ..Default::default() };
        tokenizer.with_truncation(Some(truncation)).map_err(|source| Error::File {
            path: folder.join("tokenizer.json"),
            reason: source.to_string(),
        })?;
        let network = Bert::new(&config, &weights, precision)?;
        let id = match precision {
            Precision::Exact => id,
            Precision::Fast => format!("{id}-fast"),
        };
        let pipeline = Arc::new(Pipeline {
            tokenizer,
            network,
            pooling,
            limit_tokens,
            query_prompt: prompts.query,
            passage_prompt: prompts.passage,
        });
        let worker = Worker::start(Arc::clone(&pipeline), threads.max(1))?;
        Ok(Self { id, pipeline, worker })
    }

    /// Embeds one question on the calling thread: no queue, no hand-off. Takes milliseconds, so
    /// async code calls [`Embedder::embed_query`] instead.
    ///
    /// # Errors
    /// [`Error::Model`] when the text cannot be tokenised.
    pub fn embed_query_here(&self, text: &str) -> Result<Embedding, Error> {
        let tokens = self.pipeline.tokenise(&self.pipeline.query_prompt, text)?;
        self.pipeline.encode_alone(&tokens)
    }
}

#[async_trait]
impl Embedder for Encoder {
    fn id(&self) -> &str {
        &self.id
    }

    fn dimension(&self) -> usize {
        self.pipeline.network.width()
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<Embedding>, Error> {
        self.worker.embed(texts.to_vec()).await
    }

    async fn embed_now(&self, texts: &[String]) -> Result<Vec<Embedding>, Error> {
        in_place(|| texts.iter().map(|text| self.pipeline.embed_alone(text)).collect())
    }

    async fn embed_query(&self, text: &str) -> Result<Embedding, Error> {
        in_place(|| self.embed_query_here(text))
    }
}

/// Runs milliseconds of work where it is asked for, and lets the runtime move its other tasks away
/// from this thread meanwhile, where it can.
fn in_place<T>(work: impl FnOnce() -> T) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}

impl Pipeline {
    /// Embeds texts that will be searched, on the calling thread and `threads - 1` others.
    fn embed(&self, texts: &[String], threads: usize) -> Result<Vec<Embedding>, Error> {
        let tokenised = in_parallel(texts.len(), threads, |i| {
            self.tokenise(&self.passage_prompt, texts.get(i).map_or("", String::as_str))
        })?;
        let steps = steps(&tokenised);
        let done = in_parallel(steps.len(), threads, |step| {
            let sequences: Vec<&Vec<u32>> = steps[step].iter().map(|i| &tokenised[*i]).collect();
            self.encode(&sequences)
        })?;
        let mut placed: Vec<(usize, Embedding)> =
            steps.iter().flatten().copied().zip(done.into_iter().flatten()).collect();
        placed.sort_by_key(|(index, _)| *index);
        Ok(placed.into_iter().map(|(_, vector)| vector).collect())
    }

    /// Embeds a text that will be searched by itself, on the calling thread. Sums are rounded in
    /// another order in a batch of another size, so this is the vector that depends on nothing else.
    fn embed_alone(&self, text: &str) -> Result<Embedding, Error> {
        let tokens = self.tokenise(&self.passage_prompt, text)?;
        self.encode_alone(&tokens)
    }

    fn encode_alone(&self, tokens: &Vec<u32>) -> Result<Embedding, Error> {
        let vector = self.encode(&[tokens])?.pop();
        vector.ok_or_else(|| Error::Model("no vector came back".into()))
    }

    fn tokenise(&self, prompt: &str, text: &str) -> Result<Vec<u32>, Error> {
        let limit_bytes = self.limit_tokens * BYTES_PER_TOKEN_AT_MOST;
        let text = &text[..text.floor_char_boundary(limit_bytes)];
        let marked = format!("{prompt}{text}");
        let encoding = self
            .tokenizer
            .encode_fast(marked, true)
            .map_err(|source| Error::Model(format!("a text cannot be tokenised: {source}")))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// Encodes the sequences as one packed batch on the calling thread.
    fn encode(&self, sequences: &[&Vec<u32>]) -> Result<Vec<Embedding>, Error> {
        let lengths: Vec<usize> = sequences.iter().map(|s| s.len()).collect();
        if lengths.contains(&0) {
            return Err(Error::Model("a text came out as no token at all".into()));
        }
        let ids: Vec<u32> = sequences.iter().flat_map(|s| s.iter().copied()).collect();
        let states = self.network.forward(&ids, &lengths)?;
        let width = self.network.width();
        let mut rest = states.as_slice();
        let mut vectors = Vec::with_capacity(lengths.len());
        for length in lengths {
            let (own, others) = rest.split_at(length * width);
            vectors.push(Embedding::new(self.pooling.pool(own, width))?);
            rest = others;
        }
        Ok(vectors)
    }
}

//! Writing one answer at a time with a model.

use super::{
    prefixes::{BLOCK, Prefixes},
    vocabulary::Vocabulary,
};
use crate::{
    Completion, Error, Finish, Prompt,
    decoder::{Cache, Decoder},
    gguf::{Gguf, plain},
};
use candle_core::{Device, Tensor};
use candle_transformers::generation::LogitsProcessor;
use std::path::Path;

/// A model with its vocabulary and what it remembers of the last prompts.
pub(super) struct Writer {
    id: String,
    decoder: Decoder,
    vocabulary: Vocabulary,
    prefixes: Prefixes,
}

impl Writer {
    /// See [`LocalChat::open`](super::LocalChat::open).
    pub(super) fn open(path: &Path, context_tokens: usize) -> Result<Self, Error> {
        let mut file = Gguf::open(path)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // The length tells quantisations of one name apart at no cost; a checksum would read
        // gigabytes for what is a name in records.
        let id = format!("{name}:{}", file.n_bytes);
        let decoder = Decoder::load(&mut file, context_tokens)?;
        let vocabulary = Vocabulary::read(&file, decoder.n_vocabulary())?;
        Ok(Self { id, decoder, vocabulary, prefixes: Prefixes::new() })
    }

    /// Names model and weights.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Writes the next turn; `None` once `gone` says that nobody waits for it.
    ///
    /// # Errors
    /// [`Error::TooLong`] for what does not fit the context; [`Error::Model`] when the template
    /// refuses the turns or the model computes nonsense.
    pub(super) fn write(
        &mut self,
        prompt: &Prompt,
        gone: &dyn Fn() -> bool,
    ) -> Result<Option<Completion>, Error> {
        prompt.check()?;
        let tokens = self.vocabulary.encode(&prompt.turns)?;
        let (n_tokens, limit) =
            (tokens.len().saturating_add(prompt.limit_tokens), self.decoder.n_context());
        if n_tokens > limit {
            return Err(Error::TooLong { tokens: n_tokens, limit });
        }
        let taken = self.prefixes.take(&tokens);
        let mut cache = taken.unwrap_or_else(|| self.decoder.new_cache());
        let n_reused = cache.tokens().len();
        let written = cache
            .reserve(n_tokens)
            .map_err(|error| broken(&error))
            .and_then(|()| self.generate(&mut cache, &tokens, prompt, gone));
        self.prefixes.keep(cache, tokens.len());
        let Some(written) = written? else { return Ok(None) };
        Ok(Some(Completion {
            text: self.vocabulary.decode(&written.tokens)?,
            finish: written.finish,
            logprobs: written.logprobs,
            prompt_tokens: tokens.len(),
            reused_tokens: n_reused,
            written_tokens: written.tokens.len(),
        }))
    }

    fn generate(
        &self,
        cache: &mut Cache,
        tokens: &[u32],
        prompt: &Prompt,
        gone: &dyn Fn() -> bool,
    ) -> Result<Option<Written>, Error> {
        let mut written = Written { tokens: vec![], logprobs: vec![], finish: Finish::Limit };
        let Some(mut state) = self.read_prompt(cache, tokens, gone)? else { return Ok(None) };
        let mut choice = Choice::new(prompt);
        while written.tokens.len() < prompt.limit_tokens {
            if gone() {
                return Ok(None);
            }
            let scores = self.decoder.score(&state).map_err(|error| broken(&error))?;
            let (token, logprob) = choice.choose(&scores)?;
            if self.vocabulary.ends(token) {
                written.finish = Finish::Stop;
                break;
            }
            written.tokens.push(token);
            written.logprobs.push(logprob);
            if written.tokens.len() < prompt.limit_tokens {
                state = self.decoder.read(cache, &[token]).map_err(|error| broken(&error))?;
            }
        }
        Ok(Some(written))
    }

    /// Reads what `cache` does not remember of the prompt, in blocks whose borders never move.
    fn read_prompt(
        &self,
        cache: &mut Cache,
        tokens: &[u32],
        gone: &dyn Fn() -> bool,
    ) -> Result<Option<Tensor>, Error> {
        let rest = tokens.get(cache.tokens().len()..).unwrap_or_default();
        let mut state = None;
        for block in rest.chunks(BLOCK) {
            if gone() {
                return Ok(None);
            }
            state = Some(self.decoder.read(cache, block).map_err(|error| broken(&error))?);
        }
        state.map(Some).ok_or_else(|| Error::Model("the prompt has no tokens".into()))
    }
}

/// What [`Writer::generate`] wrote.
struct Written {
    tokens: Vec<u32>,
    logprobs: Vec<f32>,
    finish: Finish,
}

/// Picks tokens by their scores.
struct Choice(LogitsProcessor);

impl Choice {
    fn new(prompt: &Prompt) -> Self {
        Self(LogitsProcessor::new(prompt.seed, Some(f64::from(prompt.temperature)), None))
    }

    /// Returns a token and its log-probability under the model's own spread, whatever the
    /// temperature that it was picked with.
    fn choose(&mut self, scores: &[f32]) -> Result<(u32, f32), Error> {
        let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f64 = scores.iter().map(|score| f64::from(score - most).exp()).sum();
        if !most.is_finite() || !sum.is_finite() {
            return Err(Error::Model("the chat model computed no number".into()));
        }
        let log_sum = f64::from(most) + sum.ln();
        let n_scores = scores.len();
        let picked = Tensor::from_slice(scores, n_scores, &Device::Cpu)
            .and_then(|scores| self.0.sample(&scores))
            .map_err(|error| broken(&error))?;
        let score = scores.get(picked as usize).copied().unwrap_or(f32::NEG_INFINITY);
        Ok((picked, (f64::from(score) - log_sum) as f32))
    }
}

fn broken(error: &candle_core::Error) -> Error {
    Error::Model(format!("the chat model cannot compute: {}", plain(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(temperature: f32, seed: u64) -> Choice {
        Choice::new(&Prompt { turns: vec![], limit_tokens: 1, temperature, seed })
    }

    #[test]
    fn log_probabilities_are_natural_and_of_the_unscaled_spread() {
        let scores = vec![1f32.ln(), 2f32.ln(), 7f32.ln()];
        for temperature in [0.0, 0.01] {
            let (token, logprob) = choice(temperature, 1).choose(&scores).unwrap();
            assert_eq!(token, 2);
            assert!((logprob - 0.7f32.ln()).abs() < 1e-6, "{logprob}");
        }
    }

    #[test]
    fn sampling_follows_the_spread_and_its_seed() {
        let scores = vec![1f32.ln(), 9f32.ln()];
        let mut one = choice(1.0, 5);
        let picks: Vec<u32> = (0..2000).map(|_| one.choose(&scores).unwrap().0).collect();
        let n_rare = picks.iter().filter(|pick| **pick == 0).count();
        assert!((150..250).contains(&n_rare), "{n_rare} of 2000 at one in ten");
        let mut again = choice(1.0, 5);
        assert!(picks.iter().all(|pick| *pick == again.choose(&scores).unwrap().0));
    }

    #[test]
    fn scores_that_are_no_numbers_are_an_error() {
        for bad in [f32::NAN, f32::INFINITY] {
            assert!(choice(0.0, 0).choose(&[0.0, bad]).is_err());
            assert!(choice(1.0, 0).choose(&[bad, 0.0]).is_err());
        }
        assert!(choice(0.0, 0).choose(&[]).is_err());
    }
}

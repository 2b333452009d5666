//! The tokenizer of a GGUF model, and what its special tokens mean.

use crate::{
    Error, Turn,
    gguf::{Gguf, plain},
    template::Template,
};
use candle_core::quantized::tokenizer::TokenizerFromGguf;
use std::panic::{self, AssertUnwindSafe};
use tokenizers::Tokenizer;

/// Tokens that end a turn in one family or another. A file names one or two of its own; models
/// fine-tuned to another template write these all the same.
const END_MARKS: [&str; 8] = [
    "<|im_end|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end_of_text|>",
    "<|endoftext|>",
    "<|end|>",
    "<|end_of_turn|>",
    "</s>",
];

/// Text to tokens and back.
pub(super) struct Vocabulary {
    tokenizer: Tokenizer,
    template: Template,
    /// Put before every prompt that does not begin with it.
    begin: Option<u32>,
    ends: Vec<u32>,
    /// Texts of all special tokens, the longest first.
    specials: Vec<String>,
}

impl Vocabulary {
    /// Reads tokenizer, template and special tokens.
    ///
    /// # Errors
    /// [`Error::File`] when one of them is missing or cannot be used with `n_tokens` token vectors.
    pub(super) fn read(file: &Gguf, n_tokens: usize) -> Result<Self, Error> {
        // The tokenizer is built by code that was written for files that are right.
        let tokenizer =
            panic::catch_unwind(AssertUnwindSafe(|| Tokenizer::from_gguf(&file.content)))
                .map_err(|_| file.fault("the tokenizer makes no sense; pull the model again"))?
                .map_err(|error| {
                    file.fault(format!("the tokenizer cannot be read: {}", plain(&error)))
                })?;
        let n_texts = tokenizer.get_vocab_size(true);
        if n_texts == 0 || n_texts > n_tokens {
            return Err(file.fault(format!("has {n_texts} tokens but {n_tokens} token vectors")));
        }
        let mark = |key: &str| named_token(file, key, &tokenizer);
        let begin = mark("tokenizer.ggml.bos_token_id")?;
        let end = mark("tokenizer.ggml.eos_token_id")?;
        let text = |token: Option<u32>| {
            token.and_then(|token| tokenizer.id_to_token(token)).unwrap_or_default()
        };
        let template = file.text("tokenizer.chat_template");
        let template = Template::new(template, &text(begin), &text(end))
            .map_err(|reason| file.fault(reason))?;
        let named =
            [end, mark("tokenizer.ggml.eot_token_id")?, mark("tokenizer.ggml.eom_token_id")?];
        let known = END_MARKS.iter().filter_map(|mark| tokenizer.token_to_id(mark));
        let ends = named.into_iter().flatten().chain(known).collect();
        let mut specials: Vec<String> = tokenizer
            .get_added_tokens_decoder()
            .into_values()
            .filter(|token| token.special && token.content.chars().count() > 2)
            .map(|token| token.content)
            .collect();
        specials.sort_by_key(|text| std::cmp::Reverse(text.len()));
        let begin = begin.filter(|_| file.flag("tokenizer.ggml.add_bos_token"));
        Ok(Self { tokenizer, template, begin, ends, specials })
    }

    /// Turns a chat into the tokens of a prompt. Special tokens that a turn spells out are broken
    /// up, so that what a customer or an article says cannot pretend to be another turn.
    ///
    /// # Errors
    /// [`Error::Model`] when the template refuses the turns.
    pub(super) fn encode(&self, turns: &[Turn]) -> Result<Vec<u32>, Error> {
        let turns: Vec<Turn> = turns
            .iter()
            .map(|turn| Turn { role: turn.role, text: self.defuse(&turn.text) })
            .collect();
        let text = self.template.render(&turns)?;
        let encoded = self
            .tokenizer
            .encode_fast(text, false)
            .map_err(|_| Error::Model("the prompt cannot be split into tokens".into()))?;
        let mut tokens = Vec::with_capacity(encoded.len() + 1);
        tokens.extend(self.begin.filter(|begin| encoded.get_ids().first() != Some(begin)));
        tokens.extend_from_slice(encoded.get_ids());
        Ok(tokens)
    }

    /// Turns written tokens into text without marks, also where the model spelled a mark out.
    ///
    /// # Errors
    /// [`Error::Model`] when the tokens have no text.
    pub(super) fn decode(&self, tokens: &[u32]) -> Result<String, Error> {
        let mut text = self
            .tokenizer
            .decode(tokens, true)
            .map_err(|_| Error::Model("the answer cannot be put together".into()))?;
        let ends = END_MARKS.iter().filter_map(|mark| text.find(mark)).min();
        text.truncate(ends.unwrap_or(text.len()));
        for mark in self.specials.iter().filter(|mark| self.template.writes(mark)) {
            text = text.replace(mark.as_str(), "");
        }
        // A limit can fall into the middle of a character.
        Ok(text.trim_end_matches('\u{fffd}').trim().to_owned())
    }

    /// Returns whether `token` ends a turn.
    pub(super) fn ends(&self, token: u32) -> bool {
        self.ends.contains(&token)
    }

    fn defuse(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for special in self.specials.iter().filter(|special| special.contains(['<', '[', '|'])) {
            let mut characters = special.chars();
            if text.contains(special.as_str())
                && let Some(first) = characters.next()
            {
                text = text.replace(special.as_str(), &format!("{first} {}", characters.as_str()));
            }
        }
        text
    }
}

fn named_token(file: &Gguf, key: &str, tokenizer: &Tokenizer) -> Result<Option<u32>, Error> {
    let Some(number) = file.count(key)? else { return Ok(None) };
    let token = u32::try_from(number).ok().filter(|token| tokenizer.id_to_token(*token).is_some());
    token.map(Some).ok_or_else(|| file.fault(format!("{key} is {number}, which is no token")))
}

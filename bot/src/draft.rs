//! Drafts: the text that might be sent, and where it comes from.

mod quotes;
mod support;
mod units;
mod written;

use crate::{Error, Question, library::Found, measure};
use models::{Embedder, Generator};
use std::sync::Arc;

pub(crate) use quotes::quote;
pub use support::{Claims, claims, is_supported, n_kept};
pub use written::{WRITING_RULES, cited_sentences};

/// Where one part of a draft comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Citation {
    /// Number of the passage in the index; it is one of those that were found.
    pub passage: usize,
    /// Id of its article.
    pub article: String,
    /// Title of its article.
    pub title: String,
    /// Address of its article, when it has one.
    pub url: Option<String>,
    /// Headings that the passage stands under.
    pub heading: Vec<String>,
    /// The words that the draft rests on, as they stand in the passage.
    pub quote: String,
}

/// An answer before anybody has decided to send it.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The answer in Markdown.
    pub text: String,
    /// What it rests on, the weightiest first; never empty.
    pub citations: Vec<Citation>,
    /// Which drafter composed it.
    pub drafter: &'static str,
    /// Cosine of the question with the quoted unit nearest to it.
    pub nearest: f64,
    /// Cosine of the question with the second nearest unit that was considered.
    pub second: f64,
    /// Part of the question's words, weighed by rarity, that the draft holds; 0..=1.
    pub coverage: f64,
    /// Why a written draft was put aside for quotes, if it was.
    pub put_aside: Option<String>,
    /// Whether the generator, or what checks its words, could not be reached.
    pub has_failed: bool,
    /// Tokens that the generator read and wrote for it, put aside or not.
    pub tokens: Tokens,
}

/// Tokens that a generator read and wrote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Of the prompt, those that a shared prefix saved among them.
    pub read: usize,
    /// Of what it wrote; 0 where a service does not say.
    pub written: usize,
}

/// Composes drafts.
#[derive(Clone)]
pub enum Drafter {
    /// Sentences and steps of the best passages, word for word. Needs no generator.
    Quotes,
    /// A generator's text over the passages, each sentence checked against what it cites.
    Written {
        /// Who writes.
        generator: Arc<dyn Generator>,
        /// Longest answer.
        limit_tokens: usize,
        /// The company's own words on tone and limits; they may narrow the rules of writing.
        guidance: String,
    },
}

impl Drafter {
    /// Drafts an answer from what was found; `None` when nothing there is worth quoting.
    ///
    /// # Errors
    /// [`Error::Model`] when the embedder fails. A failing generator is not an error: the quotes
    /// stand, and say why.
    pub(crate) async fn draft(
        &self,
        question: &Question,
        found: &Found,
        embedder: &dyn Embedder,
    ) -> Result<Option<Drafted>, Error> {
        let Some(mut quotes) = quote(found, embedder).await? else { return Ok(None) };
        let Self::Written { generator, limit_tokens, guidance } = self else {
            return Ok(Some(Drafted { quotes, written: None }));
        };
        let generator = generator.as_ref();
        let pen = written::Pen { generator, embedder, limit_tokens: *limit_tokens, guidance };
        let (written, tokens) = pen.write(question, found, &quotes).await;
        quotes.tokens = tokens;
        let written = match written {
            Ok(draft) => Some(Draft { tokens, ..draft }),
            Err(put_aside) => {
                quotes.has_failed = matches!(put_aside, written::PutAside::Failed(_));
                if quotes.has_failed {
                    measure::model_failed(measure::Model::Generator);
                }
                quotes.put_aside = Some(put_aside.to_string());
                None
            }
        };
        Ok(Some(Drafted { quotes, written }))
    }
}

/// The quotes, by which confidence is judged, and the written draft where one stood the checks.
pub(crate) struct Drafted {
    pub(crate) quotes: Draft,
    pub(crate) written: Option<Draft>,
}

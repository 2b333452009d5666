use crate::{Desk, Error, Lookup, Question};
use knowledge::{Mode, Reader};
use std::collections::BTreeSet;

/// An article that may answer what somebody is typing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// Its title.
    pub title: String,
    /// Where it can be read.
    pub url: String,
}

/// Passages that are looked at for one suggestion: an article fills several places.
const PASSAGES_PER_SUGGESTION: usize = 4;

impl Desk {
    /// Finds at most `limit` articles that may answer a text, the best first: those that are open to
    /// everybody, can be read somewhere, and hold a word that says something of the text.
    ///
    /// # Errors
    /// [`Error::Index`] when the index cannot be used, [`Error::Model`] when the text cannot be
    /// embedded.
    pub async fn suggest(
        &self,
        text: &str,
        locale: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Suggestion>, Error> {
        let reader = Reader { locale: locale.map(str::to_string), ..Reader::default() };
        let question = Question::new(text);
        let top = limit.saturating_mul(PASSAGES_PER_SUGGESTION);
        let lookup =
            Lookup { question: &question, reader: &reader, mode: Mode::Fused, top, without: &[] };
        let found = self.library.find(lookup).await?;
        let (articles, mut seen) = (found.knowledge.articles(), BTreeSet::new());
        let hits = found.findings.hits.iter().filter(|hit| hit.terms.contains(&true));
        let hits = hits.filter(|hit| seen.insert(hit.article));
        let suggested = hits.filter_map(|hit| {
            let article = articles.get(hit.article)?;
            let (title, url) = (article.title.clone(), article.url.clone()?);
            Some(Suggestion { title, url })
        });
        Ok(suggested.take(limit).collect())
    }
}

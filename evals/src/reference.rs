//! How near is a draft to what a person answered?

use crate::{
    case::ExpectedAct,
    record::{Cited, Record},
};
use bot::{Library, cited_sentences, claims, is_supported, n_kept};

/// The least cosine of a draft with what a person answered, and the least share of that answer's
/// numbers and names, at which the two agree. Set by hand and fitted to no labels: how far the
/// verdict can be trusted is `agreement_with_gold`, which stands beside it in every summary.
const NEAR: f64 = 0.7;
const KEPT: f64 = 0.25;

/// Returns the share of the numbers and names of `reference` that `draft` holds, too, whatever
/// stands around them. `None` when the reference has none.
pub fn kept(draft: &str, reference: &str) -> Option<f64> {
    let claims = claims(reference);
    let n = claims.numbers.len() + claims.names.len();
    (n > 0).then(|| n_kept(&claims, draft) as f64 / n as f64)
}

/// Returns the share of a draft's sentences that are backed: by the quotes that a sentence cites,
/// or by any one where it cites none. `None` without a sentence.
pub fn support(draft: &str, citations: &[Cited], locale: &str) -> Option<f64> {
    let sentences = cited_sentences(draft);
    let is_backed = |(sentence, cites): &&(String, Vec<usize>)| {
        if cites.is_empty() {
            return citations.iter().any(|cited| is_supported(sentence, &cited.quote, locale));
        }
        let quotes = cites.iter().filter_map(|place| citations.get(place.checked_sub(1)?));
        let quotes: Vec<&str> = quotes.map(|cited| cited.quote.as_str()).collect();
        is_supported(sentence, &quotes.join("\n"), locale)
    };
    let n_backed = sentences.iter().filter(is_backed).count();
    (!sentences.is_empty()).then(|| n_backed as f64 / sentences.len() as f64)
}

/// Notes the similarity of each draft with what a person answered, by the desk's embedder.
///
/// # Errors
/// When the embedder fails.
pub async fn note_similarity(library: &Library, records: &mut [Record]) -> anyhow::Result<()> {
    for record in records.iter_mut().filter(|record| record.is_drafted()) {
        let Some(answer) = record.reference().map(str::to_string) else { continue };
        let vectors = library.embedder().embed(&[record.text.clone(), answer]).await?;
        if let [draft, answer] = vectors.as_slice() {
            record.similarity = Some(f64::from(draft.cosine(answer)));
        }
    }
    Ok(())
}

impl Record {
    /// Returns what a person answered, where an answer is due.
    pub(crate) fn reference(&self) -> Option<&str> {
        let answer = self.expect.answer.as_deref().filter(|answer| !answer.trim().is_empty());
        answer.filter(|_| self.expect.act == ExpectedAct::Answer)
    }

    /// Whether the draft says about what a person answered: it is near in meaning and keeps enough
    /// of the answer's numbers and names. This is a guess where [`Record::is_draft_right`] is none
    /// or `None`, and never takes its place. `None` without a draft, an answer, or a similarity.
    pub fn agrees_with_reference(&self) -> Option<bool> {
        let reference = self.reference()?;
        let is_near = self.similarity? >= NEAR;
        Some(is_near && kept(&self.text, reference).is_none_or(|kept| kept >= KEPT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cited(quote: &str) -> Cited {
        Cited { article: "a".into(), quote: quote.into() }
    }

    #[test]
    fn numbers_and_names_are_kept_or_not() {
        let reference = "It costs 20 dollars. Ask Globex within two days.";
        assert_eq!(kept("Within 2 days, ask globex: 20.", reference), Some(1.0));
        assert_eq!(kept("It costs 20.", reference), Some(1.0 / 3.0));
        assert_eq!(kept("It costs 20.", "it costs nothing"), None);
    }

    #[test]
    fn a_sentence_is_backed_by_what_it_cites() {
        let citations = [cited("Refunds take five days."), cited("Invoices come by mail.")];
        let of = |draft: &str| support(draft, &citations, "en");
        assert_eq!(of("Refunds take 5 days [1]. Invoices come by mail [2]."), Some(1.0));
        assert_eq!(of("Refunds take 5 days [2]. Invoices come by mail [2]."), Some(0.5));
        assert_eq!(of("Refunds take five days."), Some(1.0), "quotes name their sources beside");
        assert_eq!(of("Refunds take seven days."), Some(0.0));
        assert_eq!(of("Refunds take five days [7]."), Some(0.0), "cites nothing");
        assert_eq!(of(""), None);
    }
}

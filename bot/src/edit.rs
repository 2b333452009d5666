//! What does a teammate's edit of a draft say about the draft?

use unicode_segmentation::UnicodeSegmentation;

/// A draft of which at most this share was changed was right; who sends it mends the tone.
pub const CHANGED_LITTLE: f64 = 0.3;

/// A draft of which at least this share was changed was wrong; little of it was of use.
pub const CHANGED_MUCH: f64 = 0.6;

/// Says whether a draft was right by what was sent in its place: by the share of the words of both
/// that were taken out or put in (the edit distance over words without exchanges, which is one less
/// the ROUGE-L of the two, as share of their lengths). `None` between [`CHANGED_LITTLE`] and
/// [`CHANGED_MUCH`], where it cannot be told, and for texts without a word. The two bounds are
/// assumptions: no labelled edits are at hand to measure them.
pub fn was_right(draft: &str, sent: &str) -> Option<bool> {
    let changed = 1.0 - rouge_l(sent, draft)?;
    match changed {
        share if share <= CHANGED_LITTLE => Some(true),
        share if share >= CHANGED_MUCH => Some(false),
        _ => None,
    }
}

/// ROUGE-L: harmonic mean of precision and recall of the longest common subsequence of words, so that
/// their order counts (Lin 2004, with equal weight of both). Words are those of [`words_of`]. `None` when
/// the reference has none.
pub fn rouge_l(answer: &str, reference: &str) -> Option<f64> {
    let (answer, reference) = (words_of(answer), words_of(reference));
    // Row by row of the table of lengths; `lengths[j]` is for the first j words of the reference.
    let mut lengths = vec![0_usize; reference.len() + 1];
    for word in &answer {
        let mut diagonal = 0;
        for (j, other) in reference.iter().enumerate() {
            let above = lengths[j + 1];
            lengths[j + 1] = if word == other { diagonal + 1 } else { above.max(lengths[j]) };
            diagonal = above;
        }
    }
    f1_of(lengths.last().copied().unwrap_or_default(), answer.len(), reference.len())
}

/// Returns the words of a text: lower-cased Unicode words (UAX 29) without punctuation.
pub fn words_of(text: &str) -> Vec<String> {
    text.unicode_words().map(|word| word.to_lowercase().replace('\u{2019}', "'")).collect()
}

/// Returns F1 of so many shared words.
pub fn f1_of(n_shared: usize, n_answer: usize, n_reference: usize) -> Option<f64> {
    (n_reference > 0).then(|| 2.0 * n_shared as f64 / (n_answer + n_reference) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_touch_leaves_a_draft_right_and_a_rewrite_shows_it_wrong() {
        let draft = "You can return shoes within 14 days for a full refund.";
        let check = |sent: &str, expected| assert_eq!(was_right(draft, sent), expected, "{sent}");
        check(draft, Some(true));
        check("Hi! You can return shoes within 14 days for a full refund.", Some(true));
        check(
            "Please write to our warehouse in Leeds, they will look for your parcel.",
            Some(false),
        );
        check("You can return shoes within 14 days, but we only give store credit then.", None);
        check("", Some(false));
    }
}

//! Which passages of different articles say nearly the same, or differ in a number alone?

use crate::{gaps::cosine, measures::token_f1};
use knowledge::Knowledge;
use std::collections::BTreeSet;
use unicode_segmentation::UnicodeSegmentation;

/// Two passages of different articles that belong together, or cannot both be right.
#[derive(Debug, Clone, PartialEq)]
pub struct Twins {
    /// The passages by their numbers in the index, the earlier first.
    pub passages: (usize, usize),
    /// How near their meanings are, as a cosine.
    pub cosine: f32,
    /// Words that they share (F1), numbers left out.
    pub shared: f64,
    /// Numbers that stand in one of them alone, when that is all that they differ in: one of the
    /// two may be wrong or out of date.
    pub only_in: Option<(Vec<String>, Vec<String>)>,
}

/// Passages that share so much of their words say the same where their numbers differ: a plan's
/// price, a period.
const SAME_WORDS: f64 = 0.75;

/// How much further apart in meaning two passages may be that differ in numbers alone, which move
/// it, too.
const NUMBERS_APART: f32 = 0.1;

/// Shorter passages, in words, are headings and footers, which say the same on purpose.
const WORDS_AT_LEAST: usize = 12;

/// Compares every two passages of different articles in one language: those whose cosine is at least
/// `alike` say nearly the same; those a tenth below at most that share their words but not their
/// numbers may contradict each other. The latter come first, then the nearest.
///
/// Takes time by the square of the passages: a second for some thousand.
pub fn twins(knowledge: &Knowledge, alike: f32) -> Vec<Twins> {
    let (articles, passages) = (knowledge.articles(), knowledge.passages());
    let locale = |number: usize| {
        let article = passages.get(number).and_then(|passage| articles.get(passage.article));
        article.map_or("", |article| article.locale.as_str())
    };
    let is_long = |number: &usize| {
        let text = passages.get(*number).map_or("", |passage| passage.text.as_str());
        text.unicode_words().take(WORDS_AT_LEAST).count() >= WORDS_AT_LEAST
    };
    let worth: Vec<usize> = (0..passages.len()).filter(is_long).collect();
    let mut found = Vec::new();
    for (place, one) in worth.iter().enumerate() {
        let own = passages.get(*one).map(|passage| passage.article);
        for other in worth.iter().skip(place + 1) {
            let of_other = passages.get(*other).map(|passage| passage.article);
            if own == of_other || locale(*one) != locale(*other) {
                continue;
            }
            let near = cosine(knowledge.passage_vector(*one), knowledge.passage_vector(*other));
            if near >= alike - NUMBERS_APART {
                found.extend(compared(knowledge, (*one, *other), near, alike));
            }
        }
    }
    found.sort_by(|a, b| {
        let rank = |twins: &Twins| twins.only_in.is_none();
        rank(a).cmp(&rank(b)).then(b.cosine.total_cmp(&a.cosine)).then(a.passages.cmp(&b.passages))
    });
    found
}

fn compared(
    knowledge: &Knowledge,
    passages: (usize, usize),
    near: f32,
    alike: f32,
) -> Option<Twins> {
    let text = |number: usize| knowledge.passages().get(number).map(|p| p.text.as_str());
    let (one, other) = (text(passages.0)?, text(passages.1)?);
    let shared = token_f1(&without_numbers(one), &without_numbers(other)).unwrap_or_default();
    let (ours, theirs) = (numbers(one), numbers(other));
    let only = |of: &BTreeSet<String>, not: &BTreeSet<String>| -> Vec<String> {
        of.difference(not).cloned().collect()
    };
    let only_in = (only(&ours, &theirs), only(&theirs, &ours));
    let contradicts = shared >= SAME_WORDS && !only_in.0.is_empty() && !only_in.1.is_empty();
    let only_in = contradicts.then_some(only_in);
    (near >= alike || contradicts).then_some(Twins { passages, cosine: near, shared, only_in })
}

fn is_number(word: &str) -> bool {
    word.contains(|c: char| c.is_ascii_digit())
}

fn numbers(text: &str) -> BTreeSet<String> {
    text.unicode_words().filter(|word| is_number(word)).map(str::to_lowercase).collect()
}

fn without_numbers(text: &str) -> String {
    text.unicode_words().filter(|word| !is_number(word)).collect::<Vec<_>>().join(" ")
}

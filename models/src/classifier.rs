//! Which topic is a text about, if any?
//!
//! [`Classifier::train`] sorts the examples, so that their order does not matter, and makes numbers
//! of them (`words.rs`, `rows.rs`); `regression.rs` fits a weight for each number and topic;
//! `rehearsal.rs` finds out on examples put aside how sure it may be and when to say "none of
//! these" (`doubt.rs`, `examples.rs`). `file.rs` keeps it.
//!
//! Deliberately absent: how a text becomes a vector, and what follows from its topic.

mod descent;
mod doubt;
mod examples;
mod file;
mod regression;
mod rehearsal;
mod rows;
mod sight;
mod span;
#[cfg(test)]
mod tests;
mod words;

use crate::{Embedding, Error};
use doubt::Doubt;
use regression::to_shares;
use rehearsal::{first, fit_and_rehearse};
use rows::Rows;
use sight::{Sight, Trained};
use std::collections::BTreeMap;
use words::Words;

/// A text whose topic is known.
#[derive(Debug, Clone, Copy)]
pub struct Example<'a> {
    /// What was written.
    pub text: &'a str,
    /// Its vector, by the embedder that will be asked later too.
    pub vector: &'a Embedding,
    /// Its topic; `None` for a text that is about none of the topics.
    pub label: Option<&'a str>,
}

/// How to train.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainOptions {
    /// Names the embedder of the vectors, [`crate::Embedder::id`]; kept, and compared when read.
    pub embedder: String,
    /// Share of the messages to come that are about none of the topics, between 0 and 1. Higher
    /// says "none of these" sooner.
    pub none_share: f64,
}

impl TrainOptions {
    /// Options for vectors of this embedder, with three in ten messages about none of the topics.
    pub fn new(embedder: &str) -> Self {
        Self { embedder: embedder.to_string(), none_share: 0.3 }
    }
}

/// Tells which topic a text is about, or that it is about none.
///
/// A multinomial logistic regression over the embedder's vector and hashed words; what it says are
/// calibrated probabilities. The same examples give the same classifier, whatever their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Classifier {
    learnt: Learnt,
    /// Names of the topics, sorted.
    topics: Vec<String>,
    words: Words,
    sight: Sight,
    doubt: Doubt,
    temperature: f32,
}

/// What a [`Classifier`] was taught, and how it did on examples put aside meanwhile.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Learnt {
    /// Names the embedder of the examples' vectors.
    pub embedder: String,
    /// Components of a vector.
    pub dimension: usize,
    /// Number of topics.
    pub n_topics: usize,
    /// Number of examples with a topic, each text once.
    pub n_examples: usize,
    /// Number of examples that are about no topic.
    pub n_none: usize,
    /// Share of messages about none of the topics that it is set for.
    pub none_share: f64,
    /// Of the examples put aside, the share that got its topic, and their number; absent where
    /// no topic has two examples.
    pub accuracy: Option<(f64, usize)>,
    /// Of the texts about topics put aside, or about none, the share that got none, and their
    /// number.
    pub none_recall: Option<(f64, usize)>,
}

/// What a text is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Classified<'a> {
    /// The topic; `None` where "none of these" is likelier than not.
    pub label: Option<&'a str>,
    /// Probability that `label` is right, be it a topic or none.
    pub confidence: f64,
    /// Probability that the text is about none of the topics. With those of `ranked` it sums to 1.
    pub none: f64,
    /// All topics with the probability of each, likeliest first.
    pub ranked: Vec<(&'a str, f64)>,
}

impl Classifier {
    /// Learns from `examples`. Takes seconds for thousands of them, on all cores.
    ///
    /// # Errors
    /// [`Error::Examples`] without an example that has a topic, when vectors differ in length, or
    /// when `none_share` is not between 0 and 1.
    pub fn train(examples: &[Example<'_>], options: &TrainOptions) -> Result<Self, Error> {
        let share = options.none_share;
        if !(share > 0.0 && share < 1.0) {
            let what = format!("the share of none, {share}, is not between 0 and 1");
            return Err(Error::Examples(what));
        }
        let (sorted, words) = Sorted::of(examples)?;
        let (weights, rehearsed) = fit_and_rehearse(&sorted, share);
        let Sorted { topics, rows, labels, n_none, word_share, .. } = sorted;
        let (n_topics, has_none) = (topics.len(), n_none > 0);
        let trained = Trained { weights, n_topics, has_none, few: n_topics, word_share };
        Ok(Self {
            learnt: Learnt {
                embedder: options.embedder.clone(),
                dimension: rows.n_meaning,
                n_topics,
                n_examples: labels.len() - n_none,
                n_none,
                none_share: share,
                accuracy: rehearsed.accuracy,
                none_recall: rehearsed.none_recall,
            },
            sight: Sight::new(trained, &rows, &labels),
            topics,
            words,
            doubt: rehearsed.doubt,
            temperature: rehearsed.temperature,
        })
    }

    /// Says what `text` is about. `vector` is of the embedder that the examples' vectors are of;
    /// one of another length is about none of the topics.
    pub fn classify(&self, text: &str, vector: &Embedding) -> Classified<'_> {
        let meaning = vector.as_slice();
        if meaning.len() != self.learnt.dimension {
            let ranked = self.topics.iter().map(|topic| (topic.as_str(), 0.0)).collect();
            return Classified { label: None, confidence: 1.0, none: 1.0, ranked };
        }
        let words = self.words.vector(text, self.sight.trained.word_share);
        let (mut shares, cues) = self.sight.look((meaning, &words));
        let best = first(&shares);
        to_shares(&mut shares, self.temperature);
        let about = self.doubt.about_a_topic(cues);
        let none = 1.0 - about;
        let label = best.filter(|_| about >= 0.5).and_then(|best| self.topics.get(best));
        let of_best = best.and_then(|best| shares.get(best)).map_or(0.0, |s| f64::from(*s) * about);
        let mut ranked: Vec<(&str, f64)> = self
            .topics
            .iter()
            .zip(&shares)
            .map(|(topic, share)| (topic.as_str(), f64::from(*share) * about))
            .collect();
        ranked.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        let confidence = if label.is_some() { of_best } else { none };
        Classified { label: label.map(String::as_str), confidence, none, ranked }
    }

    /// Names of the topics, sorted.
    pub fn topics(&self) -> &[String] {
        &self.topics
    }

    /// What it was taught, and how it did meanwhile.
    pub fn learnt(&self) -> &Learnt {
        &self.learnt
    }
}

/// Examples in an order of their own, as numbers.
struct Sorted {
    topics: Vec<String>,
    rows: Rows,
    /// The topic of each row; texts about none of them come last, with the number after the last
    /// topic's.
    labels: Vec<usize>,
    n_none: usize,
    /// Numbers by which rows and topics are put aside in turn.
    row_folds: Vec<usize>,
    topic_folds: Vec<usize>,
    word_share: f32,
}

impl Sorted {
    fn of(examples: &[Example<'_>]) -> Result<(Self, Words), Error> {
        let n_meaning = examples.first().map_or(0, |example| example.vector.as_slice().len());
        if let Some(odd) = examples.iter().find(|e| e.vector.as_slice().len() != n_meaning) {
            let n = odd.vector.as_slice().len();
            let what =
                format!("vectors of {n_meaning} and of {n} numbers cannot be learnt together");
            return Err(Error::Examples(what));
        }
        let mut of_topic: BTreeMap<&str, Vec<Kept<'_>>> = BTreeMap::new();
        let mut none = Vec::new();
        for Example { text, vector, label } in examples {
            let kept = Kept { mix: mixed(text), text, vector: vector.as_slice() };
            label.map_or(&mut none, |label| of_topic.entry(label).or_default()).push(kept);
        }
        if of_topic.is_empty() {
            let what = "there is no example with a topic; give each topic at least one";
            return Err(Error::Examples(what.into()));
        }
        of_topic.values_mut().chain([&mut none]).for_each(tidy);
        let n_examples: usize = of_topic.values().map(Vec::len).sum();
        let texts = of_topic.values().flatten().chain(&none).map(|kept| kept.text);
        let words = Words::of(texts);
        let word_share = word_share(n_examples as f32 / of_topic.len() as f32);
        let mut sorted = Self {
            topics: Vec::new(),
            rows: Rows::new(n_meaning, words.n_columns()),
            labels: Vec::with_capacity(n_examples),
            n_none: none.len(),
            row_folds: Vec::with_capacity(n_examples),
            topic_folds: Vec::new(),
            word_share,
        };
        let groups = of_topic.into_iter().map(|(name, kept)| (Some(name), kept));
        for (topic, (name, kept)) in groups.chain([(None, none)]).enumerate() {
            sorted.topics.extend(name.map(str::to_string));
            for (place, Kept { text, vector, .. }) in kept.into_iter().enumerate() {
                sorted.rows.push(vector, &words.vector(text, word_share));
                sorted.labels.push(topic);
                sorted.row_folds.push(topic + place);
            }
        }
        sorted.topic_folds = mixed_order(&sorted.topics);
        Ok((sorted, words))
    }
}

/// Length of the words' vector beside the unit vector of meaning. With a handful of examples most
/// words of a question were never seen, and meaning has to carry; from about twenty on both say as
/// much (NATCS with 1 to 20 examples a topic, banking77 and clinc150 with all).
fn word_share(n_examples_a_topic: f32) -> f32 {
    (n_examples_a_topic / 20.0).clamp(0.5, 1.0)
}

struct Kept<'a> {
    mix: u64,
    text: &'a str,
    vector: &'a [f32],
}

/// Puts examples into an order that is like a shuffle and always the same, each text once.
fn tidy(kept: &mut Vec<Kept<'_>>) {
    kept.sort_by(|a, b| (a.mix, a.text).cmp(&(b.mix, b.text)));
    kept.dedup_by(|a, b| a.text == b.text);
}

/// Numbers names as a shuffle would that is always the same.
fn mixed_order(names: &[String]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by_key(|i| (mixed(&names[*i]), *i));
    let mut number = vec![0; names.len()];
    for (place, i) in order.into_iter().enumerate() {
        number[i] = place;
    }
    number
}

/// Mixes a text to a number (FNV-1a, then the end of MurmurHash3, which reaches every bit).
fn mixed(text: &str) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    for factor in [0xff51_afd7_ed55_8ccd_u64, 0xc4ce_b9fe_1a85_ec53] {
        hash = (hash ^ (hash >> 33)).wrapping_mul(factor);
    }
    hash ^ (hash >> 33)
}

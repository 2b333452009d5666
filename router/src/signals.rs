//! What does a message say about how it must be handled?
//!
//! The way through: `reading.rs` makes plain words of a message and `vocabulary.rs` a number of
//! each word; `notation.rs` reads the patterns in the `.toml` files beside it (`built_in.rs` lists
//! them) and a support lead's phrases (`config.rs`), `automaton.rs` finds them all in one pass;
//! `detector.rs` puts that together, `repetition.rs` compares turns, `examples.rs` holds what a
//! classifier elsewhere learns from.
//!
//! Deliberately absent: what is done about a signal, and models. A classifier's opinion comes in
//! by [`Signals::record`].

mod automaton;
mod built_in;
mod config;
mod detector;
mod examples;
mod notation;
mod reading;
mod repetition;
mod vocabulary;

pub use built_in::names;
pub use config::{SignalConfig, SignalError};
pub use detector::SignalDetector;
pub use examples::{SignalExamples, built_in_examples};
use std::collections::BTreeMap;

/// What was noticed, each with the probability that it is meant, 0 to 1.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Signals(BTreeMap<String, Noticed>);

#[derive(Debug, Clone, Default, PartialEq)]
struct Noticed {
    confidence: f64,
    phrase: Option<String>,
}

/// How the customer feels, as far as signals tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sentiment {
    /// Angry, or asking the same again and again.
    Negative,
    /// Nothing to be seen.
    Neutral,
    /// Thankful.
    Positive,
}

impl Signals {
    /// Returns the probability of a signal; 0 when nothing showed it.
    pub fn get(&self, name: &str) -> f64 {
        self.0.get(name).map_or(0.0, |noticed| noticed.confidence)
    }

    /// Returns the words of the message that showed a signal best, when words did.
    pub fn why(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.phrase.as_deref()
    }

    /// Returns all that showed, in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(name, noticed)| (name.as_str(), noticed.confidence))
    }

    /// Records an opinion about a signal. The greatest stands: opinions about one message rest on
    /// the same words, so that they do not add up as independent ones (noisy-or) would. What is
    /// no number is ignored, and what lies outside 0 to 1 is moved to its end.
    pub fn record(&mut self, name: &str, confidence: f64) {
        self.note(name, confidence, None);
    }

    fn note(&mut self, name: &str, confidence: f64, phrase: Option<&str>) {
        let confidence = if confidence.is_nan() { 0.0 } else { confidence.clamp(0.0, 1.0) };
        if confidence <= self.get(name) {
            return;
        }
        let noticed = self.0.entry(name.to_owned()).or_default();
        noticed.confidence = confidence;
        if let Some(phrase) = phrase {
            noticed.phrase = Some(phrase.to_owned());
        }
    }

    /// Returns how the customer feels. Anger outweighs thanks.
    pub fn sentiment(&self) -> Sentiment {
        if self.get("anger") >= 0.5 || self.get("repetition") >= 0.85 {
            Sentiment::Negative
        } else if self.get("thanks") >= 0.5 {
            Sentiment::Positive
        } else {
            Sentiment::Neutral
        }
    }
}

#[cfg(test)]
mod tests;

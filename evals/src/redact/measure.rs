//! How much of what has to go is found on texts that people have labelled, and how much else?
//!
//! A labelled part counts as found when a part of the same kind overlaps it by three quarters of
//! what both cover together (intersection over union, as in Presidio's span evaluation); parts of
//! one kind with nothing but spaces and punctuation between them are one part.

use super::{Kind, Names, Redactor};
use serde_json::Value;
use std::{collections::BTreeMap, path::Path};

/// The least overlap of parts that are the same.
const LEAST_OVERLAP: f64 = 0.75;

/// Labels that are taken out; others are kept on purpose.
const TAKEN: [&str; 11] = [
    "AGE",
    "CREDIT_CARD",
    "EMAIL_ADDRESS",
    "IBAN_CODE",
    "IP_ADDRESS",
    "PERSON",
    "PHONE_NUMBER",
    "STREET_ADDRESS",
    "US_DRIVER_LICENSE",
    "US_SSN",
    "ZIP_CODE",
];

/// How well one kind is found.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Score {
    /// Labelled parts.
    pub n: usize,
    /// Parts that were taken out as that kind.
    pub n_taken: usize,
    /// Parts that are both.
    pub n_right: usize,
    /// Letters and digits of labelled parts.
    pub n_letters: usize,
    /// Those of them that are gone, whatever they were taken for.
    pub n_gone: usize,
}

/// How well everything is found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scores {
    /// Number of texts.
    pub n_texts: usize,
    /// By label.
    pub kinds: BTreeMap<String, Score>,
}

/// Why labelled texts could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum MeasureError {
    /// The file cannot be read.
    #[error("{0}: cannot be read")]
    Unreadable(String, #[source] std::io::Error),
    /// The file is not made of labelled texts.
    #[error(
        "{file}: {what}; write a list of {{\"full_text\", \"spans\": [{{\"entity_type\", \"start_position\", \"end_position\"}}]}}"
    )]
    Bad {
        /// The file.
        file: String,
        /// What is wrong.
        what: String,
    },
}

/// A part of a text with its label.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    start: usize,
    end: usize,
    label: String,
}

impl Score {
    /// Returns the share of what was taken that is labelled so; None: nothing was.
    pub fn precision(&self) -> Option<f64> {
        share(self.n_right, self.n_taken)
    }

    /// Returns the share of the labelled parts that were found; None: there are none.
    pub fn recall(&self) -> Option<f64> {
        share(self.n_right, self.n)
    }

    /// Returns the harmonic mean of both; None: nothing is labelled and nothing was taken.
    pub fn f1(&self) -> Option<f64> {
        share(2 * self.n_right, self.n + self.n_taken)
    }

    /// Returns the share of the labelled letters that are gone, whatever they were taken for.
    pub fn gone(&self) -> Option<f64> {
        share(self.n_gone, self.n_letters)
    }

    fn add(&mut self, other: &Self) {
        self.n += other.n;
        self.n_taken += other.n_taken;
        self.n_right += other.n_right;
        self.n_letters += other.n_letters;
        self.n_gone += other.n_gone;
    }
}

impl Scores {
    /// Returns all kinds together: what is kept on purpose counts as missed.
    pub fn all(&self) -> Score {
        self.sum(|_| true)
    }

    /// Returns the kinds together that are taken out.
    pub fn personal(&self) -> Score {
        self.sum(is_taken)
    }

    fn sum(&self, counts: impl Fn(&str) -> bool) -> Score {
        let mut sum = Score::default();
        for (_, score) in self.kinds.iter().filter(|(label, _)| counts(label)) {
            sum.add(score);
        }
        sum
    }
}

/// Whether a label is one of those that are taken out; the others are kept on purpose.
pub fn is_taken(label: &str) -> bool {
    TAKEN.contains(&label)
}

/// Measures a redactor on a file of labelled texts, in the format of Presidio's research data: a
/// list of texts with `spans`, whose positions count letters, not bytes.
///
/// # Errors
/// [`MeasureError`].
pub fn measure(redactor: &Redactor, file: &Path) -> Result<Scores, MeasureError> {
    let named = || file.display().to_string();
    let bytes = std::fs::read(file).map_err(|source| MeasureError::Unreadable(named(), source))?;
    let bad = |what: String| MeasureError::Bad { file: named(), what };
    let rows: Vec<Value> = serde_json::from_slice(&bytes)
        .map_err(|error| bad(format!("is no JSON list ({error})")))?;
    let mut scores = Scores::default();
    for (i, row) in rows.iter().enumerate() {
        let (text, gold) =
            read(row).ok_or_else(|| bad(format!("text {} is not labelled", i + 1)))?;
        scores.count(redactor, text, gold);
    }
    Ok(scores)
}

fn read(row: &Value) -> Option<(&str, Vec<Part>)> {
    let text = row.get("full_text")?.as_str()?;
    let starts: Vec<usize> =
        text.char_indices().map(|(at, _)| at).chain(std::iter::once(text.len())).collect();
    let mut gold = Vec::new();
    for span in row.get("spans")?.as_array()? {
        let at = |name: &str| -> Option<usize> {
            let place = usize::try_from(span.get(name)?.as_u64()?).ok()?;
            starts.get(place).copied()
        };
        let label = span.get("entity_type")?.as_str()?.to_string();
        gold.push(Part { start: at("start_position")?, end: at("end_position")?, label });
    }
    gold.sort_by_key(|part| (part.start, part.end));
    Some((text, gold))
}

impl Scores {
    fn count(&mut self, redactor: &Redactor, text: &str, gold: Vec<Part>) {
        self.n_texts += 1;
        let taken = redactor.find(text, &Names::default());
        let parts: Vec<Part> = taken
            .iter()
            .map(|part| Part { start: part.start, end: part.end, label: label(part.kind).into() })
            .collect();
        let (gold, mut found) = (joined(text, gold), joined(text, parts));
        for part in &mut found {
            if let Some(same) = gold.iter().find(|gold| is_same(gold, part)) {
                part.label.clone_from(&same.label);
            }
        }
        for part in &found {
            self.kinds.entry(part.label.clone()).or_default().n_taken += 1;
        }
        for part in &gold {
            let score = self.kinds.entry(part.label.clone()).or_default();
            score.n += 1;
            let is_right =
                found.iter().any(|other| other.label == part.label && overlap(part, other));
            score.n_right += usize::from(is_right);
            let letters = text.get(part.start..part.end).unwrap_or_default();
            for (at, _) in letters.char_indices().filter(|(_, c)| c.is_alphanumeric()) {
                let at = part.start + at;
                score.n_letters += 1;
                let is_gone = taken.iter().any(|taken| (taken.start..taken.end).contains(&at));
                score.n_gone += usize::from(is_gone);
            }
        }
    }
}

/// Returns the label that the labelled texts have for a kind.
fn label(kind: Kind) -> &'static str {
    match kind {
        Kind::Link => "DOMAIN_NAME",
        Kind::Email => "EMAIL_ADDRESS",
        Kind::Secret => "SECRET",
        Kind::Iban => "IBAN_CODE",
        Kind::Card => "CREDIT_CARD",
        Kind::Ip => "IP_ADDRESS",
        Kind::Id => "US_SSN",
        Kind::Address => "STREET_ADDRESS",
        Kind::Birth => "DATE_TIME",
        Kind::Age => "AGE",
        Kind::Phone => "PHONE_NUMBER",
        Kind::Customer | Kind::Teammate | Kind::Person => "PERSON",
    }
}

/// Makes one part of neighbours of a kind.
fn joined(text: &str, parts: Vec<Part>) -> Vec<Part> {
    let mut joined: Vec<Part> = Vec::with_capacity(parts.len());
    for part in parts {
        let last = joined.last_mut().filter(|last| last.label == part.label);
        let between = last.as_ref().and_then(|last| text.get(last.end..part.start));
        match (last, between) {
            (Some(last), Some(gap)) if !gap.contains(|c: char| c.is_alphanumeric()) => {
                last.end = part.end;
            }
            _ => joined.push(part),
        }
    }
    joined
}

/// Whether two parts are the same, where several labels there are one kind here.
fn is_same(gold: &Part, found: &Part) -> bool {
    let label = match gold.label.as_str() {
        "US_DRIVER_LICENSE" => "US_SSN",
        "ZIP_CODE" => "STREET_ADDRESS",
        other => other,
    };
    label == found.label && overlap(gold, found)
}

fn overlap(gold: &Part, found: &Part) -> bool {
    let both = gold.end.min(found.end).saturating_sub(gold.start.max(found.start));
    let either = gold.end.max(found.end).saturating_sub(gold.start.min(found.start));
    both > 0 && both as f64 >= LEAST_OVERLAP * either as f64
}

fn share(n: usize, of: usize) -> Option<f64> {
    (of > 0).then(|| n as f64 / of as f64)
}

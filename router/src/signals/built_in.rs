use super::{config::SignalError, notation::Slots};
use serde::Deserialize;

/// The files of built-in patterns, in the order of the signals: signal, file and text.
const FILES: [(&str, &str, &str); 11] = [
    ("agrees", "agrees.toml", include_str!("agrees.toml")),
    ("anger", "anger.toml", include_str!("anger.toml")),
    ("auto_reply", "auto_reply.toml", include_str!("auto_reply.toml")),
    ("injection", "injection.toml", include_str!("injection.toml")),
    ("regulated", "regulated.toml", include_str!("regulated.toml")),
    ("repetition", "repetition.toml", include_str!("repetition.toml")),
    ("spam", "spam.toml", include_str!("spam.toml")),
    ("thanks", "thanks.toml", include_str!("thanks.toml")),
    ("unsafe", "unsafe.toml", include_str!("unsafe.toml")),
    ("wants_person", "wants_person.toml", include_str!("wants_person.toml")),
    (
        "wants_person",
        "wants_person_in_other_languages.toml",
        include_str!("wants_person_in_other_languages.toml"),
    ),
];

/// Returns the names of the built-in signals, in alphabetical order.
pub fn names() -> impl Iterator<Item = &'static str> {
    let later = |index: usize, name: &str| FILES.get(index + 1).is_none_or(|next| next.0 != name);
    FILES.iter().enumerate().filter(move |(i, file)| later(*i, file.0)).map(|(_, file)| file.0)
}

/// One file of built-in patterns.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PatternFile {
    /// Words that slips of the finger are mended towards.
    #[serde(default)]
    pub(super) mend: Vec<String>,
    /// Parts that patterns share.
    #[serde(default)]
    pub(super) slots: Slots,
    /// What shows the signal.
    pub(super) pattern: Vec<Pattern>,
}

/// Patterns that show a signal with the same confidence.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pattern {
    /// Language of the patterns; the reader's aid, since every message is tried with all.
    #[serde(rename = "language")]
    _language: String,
    /// Probability that a message with one of them means it.
    pub(super) confidence: f64,
    /// In the notation of [`Notation`](super::notation::Notation).
    #[serde(default)]
    pub(super) any: Vec<String>,
    /// A sentence that holds one of these does not count.
    #[serde(default)]
    pub(super) unless: Vec<String>,
    /// Regular expressions over the message as it was written, whatever its case; for marks that
    /// plain words do not keep.
    #[serde(default)]
    pub(super) raw: Vec<String>,
}

/// Parses the built-in patterns: signal, file and what it holds.
pub(super) fn pattern_files() -> Result<Vec<(&'static str, &'static str, PatternFile)>, SignalError>
{
    let parse = |(signal, file, text): &(&'static str, &'static str, &'static str)| {
        let fault =
            |source: toml::de::Error| SignalError::BuiltIn { file, what: source.to_string() };
        Ok((*signal, *file, toml::from_str(text).map_err(fault)?))
    };
    FILES.iter().map(parse).collect()
}

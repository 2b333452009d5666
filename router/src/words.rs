use serde::{Deserialize, Serialize};

/// Words and phrases that are looked for in a message: whole words, whatever their case, spacing
/// or punctuation. A phrase that ends in `*` matches every ending of its last word.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<String>", into = "Vec<String>")]
pub struct Phrases {
    written: Vec<String>,
    /// What to look for in plain text; `None` for what holds no word.
    plain: Vec<Option<String>>,
}

impl From<Vec<String>> for Phrases {
    fn from(written: Vec<String>) -> Self {
        let plain = written.iter().map(|phrase| {
            let (stem, open) = match phrase.trim().strip_suffix('*') {
                Some(stem) => (plain(stem), true),
                None => (plain(phrase), false),
            };
            let needle = if open { stem.trim_end() } else { stem.as_str() };
            (needle.trim() != "").then(|| needle.to_string())
        });
        Self { plain: plain.collect(), written }
    }
}

impl From<Phrases> for Vec<String> {
    fn from(phrases: Phrases) -> Self {
        phrases.written
    }
}

impl Phrases {
    /// Returns the longest of the phrases that `message` holds.
    pub fn find(&self, message: &str) -> Option<&str> {
        let message = plain(message);
        let found = self.written.iter().zip(&self.plain).filter(|(_, needle)| {
            needle.as_ref().is_some_and(|needle| message.contains(needle.as_str()))
        });
        found.max_by_key(|(phrase, _)| phrase.len()).map(|(phrase, _)| phrase.as_str())
    }

    /// Whether a text that is plain already holds one of the phrases.
    pub(crate) fn are_in(&self, plain: &str) -> bool {
        self.plain.iter().flatten().any(|needle| plain.contains(needle.as_str()))
    }

    /// Returns each phrase that holds a word, as it was written and as it is looked for.
    pub(crate) fn needles(&self) -> impl Iterator<Item = (&str, &str)> {
        let both = self.written.iter().zip(&self.plain);
        both.filter_map(|(written, needle)| Some((written.as_str(), needle.as_deref()?)))
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.plain.iter().all(Option::is_none)
    }

    /// Returns the phrases as they were written.
    pub fn written(&self) -> &[String] {
        &self.written
    }
}

/// Lower-cases and leaves one space around every word.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len() + 2);
    plain.push(' ');
    for character in text.chars() {
        if character.is_alphanumeric() {
            plain.extend(character.to_lowercase());
        } else if character != '\'' && character != '’' && !plain.ends_with(' ') {
            plain.push(' ');
        }
    }
    if !plain.ends_with(' ') {
        plain.push(' ');
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(phrases: &[&str], message: &str, expected: Option<&str>) {
        let phrases = Phrases::from(phrases.iter().map(|p| (*p).to_string()).collect::<Vec<_>>());
        assert_eq!(phrases.find(message), expected, "{message:?}");
    }

    #[test]
    fn phrases_are_whole_words_in_any_case_and_spacing() {
        check(&["human"], "I want a HUMAN!", Some("human"));
        check(&["human"], "humane treatment", None);
        check(&["talk to a person"], "can i  talk\nto a person?", Some("talk to a person"));
        check(&["refund", "refund policy"], "what's your refund policy", Some("refund policy"));
        check(&["refund*"], "were you refunding me", Some("refund*"));
        check(&["kündigen"], "Ich will KÜNDIGEN.", Some("kündigen"));
        check(&["can't log in"], "I can’t log in", Some("can't log in"));
        check(&["", " * ", "?"], "anything?", None);
    }
}

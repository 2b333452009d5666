use serde::{Deserialize, Serialize};

/// Words and phrases that are looked for in a message: whole words, whatever their case, spacing
/// or punctuation. A phrase that ends in `*` matches every ending of its last word.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Phrases(Vec<String>);

impl Phrases {
    /// Returns the longest of the phrases that `message` holds.
    pub fn find(&self, message: &str) -> Option<&str> {
        let message = plain(message);
        let holds = |phrase: &&String| {
            let (stem, open) = match phrase.trim().strip_suffix('*') {
                Some(stem) => (plain(stem), true),
                None => (plain(phrase), false),
            };
            let needle = if open { stem.trim_end() } else { stem.as_str() };
            needle.trim() != "" && message.contains(needle)
        };
        self.0.iter().filter(holds).max_by_key(|phrase| phrase.len()).map(String::as_str)
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|phrase| plain(phrase).trim().is_empty())
    }
}

/// Lower-cases and leaves one space around every word.
fn plain(text: &str) -> String {
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
        let phrases = Phrases(phrases.iter().map(|p| (*p).to_string()).collect());
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

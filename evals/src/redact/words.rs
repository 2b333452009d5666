//! Which words are no names?
//!
//! `words.txt` holds the words that help centres and customers write in lower case, with countries,
//! languages, months and products that all know: counted in the articles and utterances of three
//! companies, none of them labelled for personal data; names that came up were struck.

use std::cmp::Ordering;

/// One word a line, sorted by bytes.
const WORDS: &str = include_str!("words.txt");

/// Names that are words, too. In lower case they are taken for the word.
const NAMES_TOO: [&str; 52] = [
    "amber",
    "angel",
    "april",
    "art",
    "august",
    "bill",
    "bob",
    "chase",
    "christian",
    "chuck",
    "dawn",
    "dean",
    "drew",
    "earl",
    "faith",
    "frank",
    "gene",
    "grace",
    "grant",
    "guy",
    "hank",
    "hope",
    "iris",
    "jack",
    "jade",
    "jay",
    "joy",
    "june",
    "king",
    "lance",
    "mark",
    "max",
    "may",
    "miles",
    "nick",
    "olive",
    "pat",
    "penny",
    "pearl",
    "ray",
    "rich",
    "rob",
    "rose",
    "ruby",
    "sandy",
    "sky",
    "sue",
    "summer",
    "ward",
    "wade",
    "will",
    "young",
];

/// Words of one or two letters, which the list does not hold.
const SHORT: [&str; 52] = [
    "ab", "ai", "al", "am", "an", "as", "at", "be", "by", "da", "de", "di", "do", "du", "el", "en",
    "er", "es", "et", "go", "he", "hi", "id", "if", "il", "im", "in", "is", "it", "la", "le", "me",
    "my", "no", "of", "oh", "ok", "on", "or", "so", "st", "to", "um", "up", "us", "we", "mr", "ms",
    "dr", "jr", "hr", "fr",
];

/// Whether a word in lower case is one that is no name, or also something else than one.
pub(super) fn is_word(lower: &str) -> bool {
    listed(lower) || NAMES_TOO.contains(&lower) || SHORT.contains(&lower)
}

/// Whether a word in lower case may be a name although it is a word.
pub(super) fn is_name_too(lower: &str) -> bool {
    NAMES_TOO.contains(&lower)
}

/// Looks a word up by halving: `low` and `high` are where lines begin.
fn listed(word: &str) -> bool {
    let (mut low, mut high) = (0, WORDS.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let before = WORDS.get(low..middle).unwrap_or_default();
        let start = before.rfind('\n').map_or(low, |at| low + at + 1);
        let line = WORDS.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        match line.cmp(word) {
            Ordering::Equal => return true,
            Ordering::Less => low = start + line.len() + 1,
            Ordering::Greater => high = start,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found_and_no_other() {
        let words: Vec<&str> = WORDS.lines().collect();
        assert!(words.is_sorted());
        for word in words {
            assert!(listed(word), "{word}");
            assert!(!listed(&format!("{word}\u{1}")), "{word}");
        }
        assert!(!listed("") && !listed("zzzz") && !listed("aaaa"));
    }
}

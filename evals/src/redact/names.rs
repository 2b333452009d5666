//! Names that are known from elsewhere.

use regex::Regex;
use std::fmt;

/// Names that are words, too. In lower case they are taken for the word.
const WORDS: [&str; 52] = [
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

/// Parts of names that by themselves name nobody: what seats are called that many share, and
/// particles.
const NOBODYS: [&str; 30] = [
    "account",
    "admin",
    "and",
    "billing",
    "bot",
    "care",
    "company",
    "customer",
    "del",
    "den",
    "der",
    "des",
    "desk",
    "frontdesk",
    "help",
    "inc",
    "info",
    "ltd",
    "office",
    "sales",
    "service",
    "services",
    "success",
    "support",
    "team",
    "the",
    "van",
    "vom",
    "von",
    "zur",
];

/// Letters from which on a part of a name is looked for by itself.
const LEAST_LETTERS: usize = 3;

/// Names to look for: those who are known in a text.
#[derive(Clone, Default)]
pub struct Names {
    customers: Option<Regex>,
    teammates: Option<Regex>,
}

impl Names {
    /// Takes names as they are written in full, such as "Ada Lovelace".
    pub fn new(customers: &[String], teammates: &[String]) -> Self {
        Self { customers: pattern(customers), teammates: pattern(teammates) }
    }

    pub(super) fn customer(&self, text: &str) -> Option<(usize, usize)> {
        first(self.customers.as_ref(), text)
    }

    pub(super) fn teammate(&self, text: &str) -> Option<(usize, usize)> {
        first(self.teammates.as_ref(), text)
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Names(***)")
    }
}

fn first(pattern: Option<&Regex>, text: &str) -> Option<(usize, usize)> {
    pattern?.find(text).map(|found| (found.start(), found.end()))
}

/// Makes a pattern of names; None where there is nothing to look for. Longer ones come first, so
/// that the full name becomes one marker.
fn pattern(names: &[String]) -> Option<Regex> {
    let mut ways: Vec<(usize, String)> = names.iter().flat_map(|name| ways(name)).collect();
    ways.sort_by(|(one, a), (other, b)| other.cmp(one).then_with(|| a.cmp(b)));
    ways.dedup();
    let ways: Vec<String> = ways.into_iter().map(|(_, way)| way).collect();
    (!ways.is_empty()).then(|| Regex::new(&format!(r"\b(?:{})\b", ways.join("|"))).ok())?
}

/// Lists the ways in which a name is written, with their length.
fn ways(name: &str) -> Vec<(usize, String)> {
    let parts: Vec<&str> = name
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | '(' | ')' | '"'))
        .map(|part| part.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|part| part.chars().any(char::is_alphabetic) && !part.contains('@'))
        .collect();
    let mut ways = Vec::new();
    if parts.len() > 1 {
        let full: Vec<String> = parts.iter().map(|part| regex::escape(part)).collect();
        ways.push((usize::MAX, format!(r"(?i:{})", full.join(r"[\s.]+"))));
    }
    let long = |part: &&&str| part.chars().count() >= LEAST_LETTERS;
    for part in parts.iter().filter(long) {
        let lower = part.to_lowercase();
        if NOBODYS.contains(&lower.as_str()) {
            continue;
        }
        let is_word = WORDS.contains(&lower.as_str());
        if !is_word {
            ways.push((part.len(), format!("(?i:{})", regex::escape(part))));
            continue;
        }
        let mut letters = lower.chars();
        let capital: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
        let capitalised = format!("{capital}{}", letters.as_str());
        ways.push((part.len(), regex::escape(&capitalised)));
        ways.push((part.len(), regex::escape(&lower.to_uppercase())));
    }
    ways
}

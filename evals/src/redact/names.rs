//! Names that are known from elsewhere.

use super::words::is_word;
use regex::Regex;
use std::fmt;

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

/// Letters from which on a part of a name is looked for in lower case, too.
const LEAST_LETTERS: usize = 3;

/// Names to look for: those who are known in a text.
#[derive(Clone, Default)]
pub struct Names {
    customers: Pattern,
    teammates: Pattern,
}

/// The ways in which some names are written.
#[derive(Clone, Default)]
struct Pattern {
    /// In scripts that set words apart; group 1 is the name.
    spaced: Option<Regex>,
    /// In scripts that do not.
    unspaced: Option<Regex>,
}

impl Names {
    /// Takes names as they are written in full, such as "Ada Lovelace".
    pub fn new(customers: &[String], teammates: &[String]) -> Self {
        Self { customers: Pattern::new(customers), teammates: Pattern::new(teammates) }
    }

    pub(super) fn customer(&self, text: &str) -> Option<(usize, usize)> {
        self.customers.first(text)
    }

    pub(super) fn teammate(&self, text: &str) -> Option<(usize, usize)> {
        self.teammates.first(text)
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Names(***)")
    }
}

impl Pattern {
    /// Makes a pattern of names; longer ones come first, so that the full name becomes one marker.
    fn new(names: &[String]) -> Self {
        let mut ways: Vec<Way> = names.iter().flat_map(|name| ways(name)).collect();
        ways.sort_by(|one, other| {
            other.long.cmp(&one.long).then_with(|| one.pattern.cmp(&other.pattern))
        });
        ways.dedup();
        let joined = |is_unspaced: bool| {
            let some = ways.iter().filter(|way| way.is_unspaced == is_unspaced);
            let some: Vec<&str> = some.map(|way| way.pattern.as_str()).collect();
            (!some.is_empty()).then(|| some.join("|"))
        };
        // `_` joins words in the names of files, so it ends a name like any other sign.
        let spaced = joined(false).and_then(|ways| {
            Regex::new(&format!(r"(?:^|[^\p{{L}}\p{{N}}])({ways})(?:[^\p{{L}}\p{{N}}]|$)")).ok()
        });
        Self { spaced, unspaced: joined(true).and_then(|ways| Regex::new(&ways).ok()) }
    }

    fn first(&self, text: &str) -> Option<(usize, usize)> {
        let spaced = self.spaced.as_ref().and_then(|spaced| spaced.captures(text)?.get(1));
        let unspaced = self.unspaced.as_ref().and_then(|unspaced| unspaced.find(text));
        spaced.into_iter().chain(unspaced).map(|found| (found.start(), found.end())).min()
    }
}

/// A way in which a name is written.
#[derive(PartialEq, Eq)]
struct Way {
    long: usize,
    pattern: String,
    is_unspaced: bool,
}

/// Lists the ways in which a name is written.
fn ways(name: &str) -> Vec<Way> {
    let parts: Vec<&str> = name
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | '(' | ')' | '"'))
        .map(|part| part.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|part| part.chars().any(char::is_alphabetic) && !part.contains('@'))
        .collect();
    let is_unspaced = parts.iter().any(|part| part.chars().any(is_ideograph));
    let mut ways = Vec::new();
    let mut add = |long, pattern| ways.push(Way { long, pattern, is_unspaced });
    if parts.len() > 1 {
        let full: Vec<String> = parts.iter().map(|part| regex::escape(part)).collect();
        let joint = if is_unspaced { r"[\s.・·]*" } else { r"[\s._-]+" };
        add(usize::MAX, format!("(?i:{})", full.join(joint)));
    }
    for part in parts {
        let lower = part.to_lowercase();
        let n_letters = part.chars().count();
        if NOBODYS.contains(&lower.as_str()) || n_letters < 2 {
            continue;
        }
        let is_sure = n_letters >= LEAST_LETTERS && !is_word(&lower);
        if is_sure || is_unspaced {
            add(part.len(), format!("(?i:{})", regex::escape(part)));
            continue;
        }
        if n_letters < LEAST_LETTERS && is_word(&lower) {
            continue;
        }
        let mut letters = lower.chars();
        let capital: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
        let capitalised = format!("{capital}{}", letters.as_str());
        add(part.len(), regex::escape(&capitalised));
        if n_letters >= LEAST_LETTERS {
            add(part.len(), regex::escape(&lower.to_uppercase()));
        }
    }
    ways
}

/// Whether a letter belongs to a script that sets no space between words.
fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{20000}'..='\u{3ffff}')
}

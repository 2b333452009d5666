use super::reading::{Reading, Spelling};
use super::vocabulary::{Symbol, Vocabulary};
use std::collections::{BTreeMap, BTreeSet};

/// Named parts that patterns share, such as `{person}`.
pub(super) type Slots = BTreeMap<String, String>;

/// Slots may name slots; deeper nesting than this is a circle.
const DEEPEST: usize = 8;

/// What a pattern looks for. The notation of the built-in patterns:
///
/// | written | means |
/// | --- | --- |
/// | `word` | that word, whatever its case, accents or apostrophes |
/// | `word*`, `*word`, `*` | every word that begins so, ends so; every word |
/// | `(a \| b c)` | one of these |
/// | `(…)?`, `word?` | that or nothing |
/// | `(…)+`, `(…)*` | that once or more often; or not at all |
/// | `{name}` | the slot of that name |
/// | `..`, `...` | up to two, up to five words of the same sentence |
/// | `.` | where a sentence begins or ends |
/// | `^`, `$` | where the message begins or ends; `^` stands first |
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// One word that any of these stand for; without any, every word.
    One(BTreeSet<Symbol>),
    /// Any words of a sentence, from none to so many.
    Gap(usize),
    /// Where a sentence begins or ends.
    End,
    /// Where the message begins.
    First,
    /// Where the message ends.
    Last,
    /// One after the other.
    All(Vec<Part>),
    /// One of them.
    Either(Vec<Part>),
    /// That as often as the mark says: `?`, `+` or `*`.
    Repeated(Box<Part>, char),
}

/// A pattern that breaks the notation; names what is wrong.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Misspelt(String);

/// Reads patterns and collects their words.
#[derive(Debug)]
pub(super) struct Notation<'a> {
    slots: &'a Slots,
    read: BTreeMap<String, Part>,
    vocabulary: &'a mut Vocabulary,
}

impl<'a> Notation<'a> {
    pub(super) fn new(slots: &'a Slots, vocabulary: &'a mut Vocabulary) -> Self {
        Self { slots, read: BTreeMap::new(), vocabulary }
    }

    /// Reads one pattern.
    ///
    /// # Errors
    /// What breaks the notation.
    pub(super) fn read(&mut self, pattern: &str) -> Result<Part, Misspelt> {
        match pattern.trim_start().strip_prefix('^') {
            Some(rest) => Ok(Part::All(vec![Part::First, self.choice(rest, 0)?])),
            None => self.choice(pattern, 0),
        }
    }

    /// Reads alternatives; those of one word become a set of words.
    fn choice(&mut self, text: &str, depth: usize) -> Result<Part, Misspelt> {
        if depth > DEEPEST {
            return Err(Misspelt(format!("slots that name each other at {text:?}")));
        }
        let (mut words, mut parts) = (BTreeSet::new(), Vec::new());
        for alternative in alternatives(text)? {
            match self.sequence(alternative, depth)? {
                Part::One(more) => words.extend(more),
                Part::Either(more) => {
                    for part in more {
                        match part {
                            Part::One(more) => words.extend(more),
                            other => parts.push(other),
                        }
                    }
                }
                other => parts.push(other),
            }
        }
        if !words.is_empty() {
            parts.push(Part::One(words));
        }
        Ok(either(parts))
    }

    fn sequence(&mut self, text: &str, depth: usize) -> Result<Part, Misspelt> {
        let mut parts = Vec::new();
        let mut rest = text.trim();
        while let Some(first) = rest.chars().next() {
            let (piece, after) = match first {
                '(' => rest.split_at(closing(rest)? + 1),
                '{' => rest.split_at(rest.find('}').ok_or_else(|| open(rest))? + 1),
                _ => rest.split_at(rest.find([' ', '(', '{', '\n']).unwrap_or(rest.len())),
            };
            let group = matches!(first, '(' | '{');
            let mark = if group { after.chars().next() } else { piece.chars().next_back() };
            let mark = mark.filter(|mark| *mark == '?' || group && matches!(mark, '+' | '*'));
            let piece = if group { piece } else { piece.strip_suffix('?').unwrap_or(piece) };
            let after = if group && mark.is_some() { after.get(1..) } else { Some(after) };
            let part = self.piece(piece, depth)?;
            parts.push(match mark {
                Some(mark) => Part::Repeated(Box::new(part), mark),
                None => part,
            });
            rest = after.unwrap_or_default().trim_start();
        }
        Ok(if parts.len() == 1 { parts.swap_remove(0) } else { Part::All(parts) })
    }

    fn piece(&mut self, piece: &str, depth: usize) -> Result<Part, Misspelt> {
        if let Some(inner) = piece.strip_prefix('(').and_then(|p| p.strip_suffix(')')) {
            return self.choice(inner, depth);
        }
        if let Some(name) = piece.strip_prefix('{').and_then(|p| p.strip_suffix('}')) {
            if let Some(part) = self.read.get(name) {
                return Ok(part.clone());
            }
            let slots = self.slots;
            let slot = slots.get(name).ok_or_else(|| Misspelt(format!("no slot {name:?}")))?;
            let part = self.choice(slot, depth + 1)?;
            self.read.insert(name.to_owned(), part.clone());
            return Ok(part);
        }
        match piece {
            "$" => Ok(Part::Last),
            "." => Ok(Part::End),
            ".." => Ok(Part::Gap(2)),
            "..." => Ok(Part::Gap(5)),
            _ if piece.contains([')', '}', '^', '+']) => Err(open(piece)),
            _ => self.word(piece),
        }
    }

    fn word(&mut self, word: &str) -> Result<Part, Misspelt> {
        let plain = plain_words(word.trim_matches('*'));
        let (starts_open, ends_open) = (word.starts_with('*'), word.ends_with('*'));
        let mut symbols = Vec::with_capacity(plain.len());
        for (index, part) in plain.iter().enumerate() {
            let (first, last) = (index == 0, index + 1 == plain.len());
            symbols.push(match (starts_open && first, ends_open && last) {
                (false, false) => self.vocabulary.word(part),
                (false, true) => self.vocabulary.beginning(part),
                (true, false) => self.vocabulary.ending(part),
                (true, true) => {
                    return Err(Misspelt(format!("a word open on both sides {word:?}")));
                }
            });
        }
        let mut parts: Vec<Part> =
            symbols.into_iter().map(|symbol| Part::One(BTreeSet::from([symbol]))).collect();
        match (word, parts.len()) {
            ("*", _) => Ok(Part::One(BTreeSet::new())),
            (_, 0) => Err(Misspelt(format!("no word in {word:?}"))),
            (_, 1) => Ok(parts.swap_remove(0)),
            _ => Ok(Part::All(parts)),
        }
    }
}

/// Reads a phrase of a support lead: whole words, with `*` for every ending of the last one;
/// sentences may end anywhere between them. `None` when there is no word in it.
pub(super) fn phrase(phrase: &str, vocabulary: &mut Vocabulary) -> Option<Part> {
    let (words, open) = match phrase.trim().strip_suffix('*') {
        Some(stem) => (stem, true),
        None => (phrase, false),
    };
    let words = plain_words(words);
    let mut parts = Vec::with_capacity(2 * words.len());
    for (index, word) in words.iter().enumerate() {
        if index > 0 {
            parts.push(Part::Repeated(Box::new(Part::End), '?'));
        }
        let stem = open && index + 1 == words.len();
        let symbol = if stem { vocabulary.beginning(word) } else { vocabulary.word(word) };
        parts.push(Part::One(BTreeSet::from([symbol])));
    }
    (!parts.is_empty()).then_some(Part::All(parts))
}

/// Joins alternatives; those that begin alike share their beginning, so that it is tried once.
pub(super) fn either(parts: Vec<Part>) -> Part {
    let mut shared: Vec<(Option<Part>, Vec<Part>)> = Vec::new();
    for part in parts {
        let (first, rest) = match part {
            Part::All(mut parts) if parts.len() > 1 => {
                let rest = parts.split_off(1);
                (parts.pop(), Part::All(rest))
            }
            other => (None, other),
        };
        let same = shared.iter_mut().find(|(other, _)| first.is_some() && *other == first);
        match same {
            Some((_, rests)) => rests.push(rest),
            None => shared.push((first, vec![rest])),
        }
    }
    let mut parts: Vec<Part> = Vec::with_capacity(shared.len());
    for (first, mut rests) in shared {
        let rest = if rests.len() > 1 { either(rests) } else { rests.swap_remove(0) };
        parts.push(match (first, rest) {
            (Some(first), Part::All(rest)) => {
                Part::All(std::iter::once(first).chain(rest).collect())
            }
            (Some(first), rest) => Part::All(vec![first, rest]),
            (None, rest) => rest,
        });
    }
    if parts.len() == 1 { parts.swap_remove(0) } else { Part::Either(parts) }
}

fn plain_words(text: &str) -> Vec<String> {
    let reading = Reading::new(text, &Spelling::default());
    reading.words().filter(|word| *word != ".").map(str::to_owned).collect()
}

/// Splits at every `|` outside brackets.
fn alternatives(text: &str) -> Result<Vec<&str>, Misspelt> {
    let (mut depth, mut start, mut found) = (0_usize, 0, Vec::new());
    for (at, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1).ok_or_else(|| open(text))?,
            '|' if depth == 0 => {
                found.push(text.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(text.get(start..).unwrap_or_default());
    Ok(found)
}

/// Finds the byte of the bracket that closes the one at the start of `text`.
fn closing(text: &str) -> Result<usize, Misspelt> {
    let mut depth = 0_usize;
    for (at, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Ok(at);
        }
    }
    Err(open(text))
}

fn open(text: &str) -> Misspelt {
    Misspelt(format!("a sign out of place at {text:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signals::automaton::Automaton;

    fn matches(part: &Part, vocabulary: &Vocabulary, message: &str) -> bool {
        let codes = vocabulary.encode(&Reading::new(message, &Spelling::default()));
        Automaton::new([part], vocabulary).is_match(&codes)
    }

    fn check(pattern: &str, message: &str, expected: bool) {
        let slots = Slots::from([("who".into(), "human | real person".into())]);
        let mut vocabulary = Vocabulary::default();
        let part = Notation::new(&slots, &mut vocabulary).read(pattern).unwrap();
        assert_eq!(matches(&part, &vocabulary, message), expected, "{pattern} on {message}");
    }

    #[test]
    fn patterns_match_whole_words_in_the_places_they_name() {
        check("talk to (a | the)? {who}", "I'd talk to a REAL person", true);
        check("talk to (a | the)? {who}", "talk to human", true);
        check("talk to {who}", "I talk to humanity", false);
        check("^ {who} $", "Human!", true);
        check("^ {who} $", "Human resources", false);
        check(". please? {who} .", "Hello. Please human. Now.", true);
        check("refund* ... now", "refunds are what I want now", true);
        check("refund .. now", "refund is what I want now", false);
        check("refund ... now", "refund. Do it now", false);
        check("(very)+ bad", "very very bad", true);
        check("^ (so | very)* bad $", "so very bad", true);
        check("a | b c", "b c", true);
        check("stupid * bot", "stupid little bot", true);
        check("*bot", "ein Chatbot", true);
        check("j'ai l'été", "J’ai l'ete", true);
        check("e-mail*", "E-Mails", true);
        check("😡", "so 😡", true);
    }

    #[test]
    fn phrases_are_whole_words_with_an_open_end() {
        let check = |written: &str, message: &str, expected: bool| {
            let mut vocabulary = Vocabulary::default();
            let part = phrase(written, &mut vocabulary);
            let found = part.is_some_and(|part| matches(&part, &vocabulary, message));
            assert_eq!(found, expected, "{written} on {message}");
        };
        check("can't log in", "I can’t log in", true);
        check("refund*", "were you refunding me", true);
        check("refund (fast)?", "a refund, fast", true);
        check("thanks. bye", "Thanks! Bye.", true);
        check("human", "humane", false);
        check("*", "anything", false);
        check("?", "anything?", false);
    }

    #[test]
    fn broken_patterns_are_refused() {
        let slots = Slots::from([("a".into(), "{a}".into())]);
        for pattern in ["(a | b", "{who}", "{a}", "{a", "a) b", "a ^", "a+", "*a*", "-"] {
            let mut vocabulary = Vocabulary::default();
            assert!(Notation::new(&slots, &mut vocabulary).read(pattern).is_err(), "{pattern}");
        }
    }
}

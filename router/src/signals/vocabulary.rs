use super::reading::Reading;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;

/// A word, or all words with the same beginning or ending, that patterns look for.
pub(super) type Symbol = usize;

/// What a word is written as: a symbol, or one of the constants here.
pub(super) type Code = u16;

/// Where the message begins.
pub(super) const START: Code = 0;
/// Where a sentence ends and the next one begins.
pub(super) const END: Code = 1;
/// Where the message ends.
pub(super) const FINISH: Code = 2;
/// Every word that no pattern looks for.
const OTHER: Code = 3;
/// The code of the first symbol.
const FIRST_SYMBOL: Code = 4;

/// Every word that patterns look for. Messages are matched as one number a word, so that a set of
/// words is one step.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    symbols: Vec<Kind>,
    words: HashMap<String, Symbol>,
    beginnings: HashMap<String, Symbol>,
    endings: HashMap<String, Symbol>,
    longest_ending: usize,
}

#[derive(Debug)]
enum Kind {
    Word(String),
    Beginning(String),
    Ending(String),
}

impl Vocabulary {
    /// Returns the symbol of a plain word.
    pub(super) fn word(&mut self, word: &str) -> Symbol {
        let next = self.symbols.len();
        let symbol = *self.words.entry(word.to_owned()).or_insert(next);
        self.grown(symbol, Kind::Word(word.to_owned()))
    }

    /// Returns the symbol of all words that begin so.
    pub(super) fn beginning(&mut self, stem: &str) -> Symbol {
        let next = self.symbols.len();
        let symbol = *self.beginnings.entry(stem.to_owned()).or_insert(next);
        self.grown(symbol, Kind::Beginning(stem.to_owned()))
    }

    /// Returns the symbol of all words that end so.
    pub(super) fn ending(&mut self, stem: &str) -> Symbol {
        let next = self.symbols.len();
        let symbol = *self.endings.entry(stem.to_owned()).or_insert(next);
        self.longest_ending = self.longest_ending.max(stem.len());
        self.grown(symbol, Kind::Ending(stem.to_owned()))
    }

    /// Returns every word that some pattern looks for as it is.
    pub(super) fn known(&self) -> HashSet<String> {
        self.words.keys().cloned().collect()
    }

    /// Returns how many codes there are.
    pub(super) fn n_codes(&self) -> usize {
        self.symbols.len() + usize::from(FIRST_SYMBOL)
    }

    /// Returns the codes of all words that the symbols stand for.
    pub(super) fn codes(&self, symbols: &BTreeSet<Symbol>) -> Vec<Code> {
        let covers = |kind: &Kind, word: &str| match kind {
            Kind::Word(own) => own == word,
            Kind::Beginning(stem) => word.starts_with(stem.as_str()),
            Kind::Ending(stem) => word.ends_with(stem.as_str()),
        };
        let mut codes: BTreeSet<Code> = symbols.iter().map(|symbol| code(*symbol)).collect();
        let open = symbols.iter().filter_map(|symbol| self.symbols.get(*symbol));
        for open in open.filter(|kind| !matches!(kind, Kind::Word(_))) {
            for (symbol, kind) in self.symbols.iter().enumerate() {
                let same_end = !matches!((open, kind), (Kind::Beginning(_), Kind::Ending(_)))
                    && !matches!((open, kind), (Kind::Ending(_), Kind::Beginning(_)));
                let (Kind::Word(text) | Kind::Beginning(text) | Kind::Ending(text)) = kind;
                if same_end && covers(open, text) {
                    codes.insert(code(symbol));
                }
            }
        }
        codes.into_iter().collect()
    }

    /// Writes a message as one code a word, with its beginning, its end, and those of sentences.
    pub(super) fn encode(&self, reading: &Reading<'_>) -> Vec<Code> {
        let of = |word: &str| if word == "." { END } else { self.code_of(word) };
        let mut codes: Vec<Code> = reading.words().map(of).collect();
        if let Some(last) = codes.last_mut() {
            *last = FINISH;
        }
        if let Some(first) = codes.first_mut() {
            *first = START;
        }
        codes
    }

    /// A word that no pattern knows goes by its longest known beginning, else by its longest
    /// known ending.
    fn code_of(&self, word: &str) -> Code {
        if let Some(symbol) = self.words.get(word) {
            return code(*symbol);
        }
        let ends = word.char_indices().rev().map(|(at, last)| at + last.len_utf8());
        let mut beginnings = ends.filter_map(|end| self.beginnings.get(word.get(..end)?));
        let found = beginnings.next().or_else(|| {
            let starts = word.char_indices().map(|(at, _)| at);
            let starts = starts.filter(|at| word.len() - at <= self.longest_ending);
            starts.filter_map(|start| self.endings.get(word.get(start..)?)).next()
        });
        found.map_or(OTHER, |symbol| code(*symbol))
    }

    fn grown(&mut self, symbol: Symbol, kind: Kind) -> Symbol {
        if symbol == self.symbols.len() {
            self.symbols.push(kind);
        }
        symbol
    }
}

/// Returns the sentences that the words `found` lie in, with what ends them on both sides.
pub(super) fn sentences(codes: &[Code], found: &Range<usize>) -> Range<usize> {
    let ends = |code: &Code| matches!(*code, START | END | FINISH);
    let until_first = codes.get(..found.start + 1).unwrap_or_default();
    let start = until_first.iter().rposition(ends).unwrap_or(0);
    let last = found.end.saturating_sub(1);
    let from_last = codes.get(last..).unwrap_or_default();
    let end = from_last.iter().position(ends).map_or(codes.len(), |at| last + at + 1);
    start..end
}

/// More symbols than codes do not occur: the detector refuses so many.
fn code(symbol: Symbol) -> Code {
    Code::try_from(symbol).unwrap_or(Code::MAX).saturating_add(FIRST_SYMBOL)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signals::reading::Spelling;

    #[test]
    fn words_become_codes_and_sentences_are_found_again() {
        let mut vocabulary = Vocabulary::default();
        let (want, refund) = (vocabulary.word("want"), vocabulary.beginning("refund"));
        let (refunds, bot) = (vocabulary.word("refunds"), vocabulary.ending("bot"));
        let coded = |text: &str| vocabulary.encode(&Reading::new(text, &Spelling::default()));
        assert_eq!(
            coded("Want refunding now? Chatbot refunds"),
            [START, code(want), code(refund), OTHER, END, code(bot), code(refunds), FINISH]
        );
        assert_eq!(vocabulary.codes(&BTreeSet::from([refund])), [code(refund), code(refunds)]);
        let codes = coded("want it. want all. no");
        assert_eq!(sentences(&codes, &(4..5)), 3..7);
        assert_eq!(sentences(&codes, &(3..5)), 3..7);
        assert_eq!(sentences(&codes, &(2..5)), 0..7);
        assert_eq!(sentences(&codes, &(0..codes.len())), 0..codes.len());
    }
}

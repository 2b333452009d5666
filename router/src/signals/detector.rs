use super::automaton::{Automaton, Found};
use super::built_in::pattern_files;
use super::config::{SignalConfig, SignalError};
use super::notation::{self, Notation, Part, phrase};
use super::reading::{Reading, Spelling};
use super::repetition::repetition;
use super::vocabulary::{self, Vocabulary};
use super::{SignalExamples, Signals, built_in_examples};
use crate::At;
use regex::{Regex, RegexSet};
use std::collections::HashSet;

/// Most different words that phrases may hold: words are numbered by 16 bits. The built-in
/// patterns take about 6,000.
const MOST_WORDS: usize = 60_000;
/// Capitals throughout are as often a habit as anger.
const SHOUTING: f64 = 0.4;

/// Reads what messages say about how they must be handled. Made once; reading takes microseconds.
#[derive(Debug)]
pub struct SignalDetector {
    spelling: Spelling,
    vocabulary: Vocabulary,
    groups: Vec<Group>,
    /// Finds the patterns of all `groups`, in their order.
    patterns: Automaton,
    /// Patterns whose sentence does not count.
    exceptions: Vec<Automaton>,
    raw: Vec<RawGroup>,
    /// All of `raw`, over the message as it was written.
    raw_set: RegexSet,
}

/// Patterns that show a signal with the same confidence.
#[derive(Debug)]
struct Group {
    signal: String,
    confidence: f64,
    /// Indices into `exceptions`.
    unless: Vec<usize>,
}

#[derive(Debug)]
struct RawGroup {
    signal: String,
    confidence: f64,
    regex: Regex,
}

impl SignalDetector {
    /// Compiles the built-in patterns and those of the configuration.
    ///
    /// # Errors
    /// Every [`SignalError`] of `extra`, with its place in `routing.toml`.
    pub fn new(extra: &[SignalConfig]) -> Result<Self, Vec<(At, SignalError)>> {
        let at = |key: String| At::Key(key);
        let whole = |error| vec![(at("signal".into()), error)];
        let mut parts = Parts::default();
        parts.add_built_in().map_err(whole)?;
        let mut errors = Vec::new();
        for (n, config) in extra.iter().enumerate() {
            let added = config.check().and_then(|()| parts.add(config).map_err(|e| ("phrases", e)));
            errors.extend(added.err().map(|(key, e)| (at(format!("signal.{n}.{key}")), e)));
        }
        for (n, config) in extra.iter().enumerate() {
            let added = parts.add_exceptions(config);
            errors.extend(added.err().map(|e| (at(format!("signal.{n}.not_phrases")), e)));
        }
        if errors.is_empty() { parts.compile().map_err(whole) } else { Err(errors) }
    }

    /// Returns the examples that a classifier over embeddings learns the built-in signals from.
    pub fn examples() -> &'static [SignalExamples] {
        built_in_examples()
    }

    /// Reads the last of the customer's turns in this episode (oldest first); the earlier ones
    /// only tell whether it repeats them. Of a very long message the beginning and the end are
    /// read.
    pub fn read(&self, customer_turns: &[&str]) -> Signals {
        let mut signals = Signals::default();
        let Some(last) = customer_turns.last() else { return signals };
        let reading = Reading::new(last, &self.spelling);
        self.read_plain(&reading, &mut signals);
        self.read_raw(reading.beginning(), &mut signals);
        if shouts(reading.beginning()) {
            signals.note("anger", SHOUTING, None);
        }
        let repeats = repetition(customer_turns);
        if repeats > 0.0 {
            signals.record("repetition", repeats);
        }
        signals
    }

    fn read_plain(&self, reading: &Reading<'_>, signals: &mut Signals) {
        let codes = self.vocabulary.encode(reading);
        let mut refused = HashSet::new();
        for Found { pattern, words } in self.patterns.find(&codes) {
            let Some(group) = self.groups.get(pattern) else { continue };
            if group.confidence <= signals.get(&group.signal) {
                continue;
            }
            let sentences = vocabulary::sentences(&codes, &words);
            if refused.contains(&(pattern, sentences.clone())) {
                continue;
            }
            let text = codes.get(sentences.clone()).unwrap_or_default();
            let mut unless = group.unless.iter().filter_map(|index| self.exceptions.get(*index));
            if unless.any(|exception| exception.is_match(text)) {
                refused.insert((pattern, sentences));
            } else {
                let phrase = reading.original(words);
                signals.note(&group.signal, group.confidence, Some(phrase));
            }
        }
    }

    fn read_raw(&self, raw: &str, signals: &mut Signals) {
        for index in self.raw_set.matches(raw) {
            let Some(group) = self.raw.get(index) else { continue };
            let phrase = group.regex.find(raw).map(|found| found.as_str());
            signals.note(&group.signal, group.confidence, phrase);
        }
    }
}

/// What a detector is compiled from.
#[derive(Default)]
struct Parts {
    vocabulary: Vocabulary,
    groups: Vec<GroupParts>,
    exceptions: Vec<Part>,
    /// Signal, confidence and regular expression.
    raw: Vec<(String, f64, String)>,
    mend: Vec<String>,
}

struct GroupParts {
    signal: String,
    confidence: f64,
    any: Part,
    unless: Vec<usize>,
}

impl Parts {
    fn add_built_in(&mut self) -> Result<(), SignalError> {
        for (signal, file, patterns) in pattern_files()? {
            let mut notation = Notation::new(&patterns.slots, &mut self.vocabulary);
            let mut one_of = |written: &[String]| {
                let parts: Result<Vec<Part>, _> =
                    written.iter().map(|pattern| notation.read(pattern)).collect();
                let fault = |what: String| SignalError::BuiltIn { file, what };
                parts.map(notation::either).map_err(|misspelt| fault(misspelt.to_string()))
            };
            let signal = signal.to_owned();
            for pattern in &patterns.pattern {
                let confidence = pattern.confidence;
                if !pattern.raw.is_empty() {
                    self.raw.push((
                        signal.clone(),
                        confidence,
                        format!("(?i){}", either(&pattern.raw)),
                    ));
                }
                if pattern.any.is_empty() {
                    continue;
                }
                let any = one_of(&pattern.any)?;
                let mut unless = Vec::new();
                if !pattern.unless.is_empty() {
                    unless.push(self.exceptions.len());
                    self.exceptions.push(one_of(&pattern.unless)?);
                }
                self.groups.push(GroupParts { signal: signal.clone(), confidence, any, unless });
            }
            self.mend.extend(patterns.mend);
        }
        Ok(())
    }

    fn add(&mut self, config: &SignalConfig) -> Result<(), SignalError> {
        if let Some(any) = self.phrases(config, &config.phrases)? {
            let (signal, confidence) = (config.name.clone(), config.confidence);
            self.groups.push(GroupParts { signal, confidence, any, unless: Vec::new() });
        }
        Ok(())
    }

    /// Excepts from a signal what its `not_phrases` name; after every group has been added.
    fn add_exceptions(&mut self, config: &SignalConfig) -> Result<(), SignalError> {
        if let Some(not) = self.phrases(config, &config.not_phrases)? {
            let index = self.exceptions.len();
            self.exceptions.push(not);
            let of_signal = self.groups.iter_mut().filter(|group| group.signal == config.name);
            of_signal.for_each(|group| group.unless.push(index));
        }
        Ok(())
    }

    fn phrases(
        &mut self,
        config: &SignalConfig,
        written: &[String],
    ) -> Result<Option<Part>, SignalError> {
        let mut parts = Vec::with_capacity(written.len());
        for text in written {
            let empty =
                || SignalError::EmptyPhrase { name: config.name.clone(), phrase: text.clone() };
            parts.push(phrase(text, &mut self.vocabulary).ok_or_else(empty)?);
        }
        Ok((!parts.is_empty()).then(|| notation::either(parts)))
    }

    fn compile(self) -> Result<SignalDetector, SignalError> {
        let vocabulary = self.vocabulary;
        if vocabulary.n_codes() > MOST_WORDS {
            return Err(SignalError::TooLarge(MOST_WORDS));
        }
        let patterns = Automaton::new(self.groups.iter().map(|group| &group.any), &vocabulary);
        let exceptions =
            self.exceptions.iter().map(|part| Automaton::new([part], &vocabulary)).collect();
        let groups = self.groups.into_iter().map(|parts| {
            let GroupParts { signal, confidence, unless, .. } = parts;
            Group { signal, confidence, unless }
        });
        let groups = groups.collect();
        let fault =
            |source: regex::Error| SignalError::BuiltIn { file: "raw", what: source.to_string() };
        let raw_set = RegexSet::new(self.raw.iter().map(|(_, _, regex)| regex)).map_err(fault)?;
        let mut raw = Vec::with_capacity(self.raw.len());
        for (signal, confidence, regex) in self.raw {
            raw.push(RawGroup { signal, confidence, regex: Regex::new(&regex).map_err(fault)? });
        }
        let spelling = Spelling::new(self.mend.iter().map(String::as_str), vocabulary.known());
        Ok(SignalDetector { spelling, vocabulary, groups, patterns, exceptions, raw, raw_set })
    }
}

/// Whether a message is written in capitals: several words, few letters in lower case.
fn shouts(text: &str) -> bool {
    let n_words = text.split_whitespace().filter(|word| word.len() > 1).count();
    let n_upper = text.chars().filter(|c| c.is_uppercase()).count();
    let n_lower = text.chars().filter(|c| c.is_lowercase()).count();
    n_words >= 4 && n_upper >= 12 && n_upper >= 4 * n_lower
}

fn either(regexes: &[String]) -> String {
    regexes.iter().map(|regex| format!("(?:{regex})")).collect::<Vec<_>>().join("|")
}

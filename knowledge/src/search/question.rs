//! A question as search sees it: its content words in every language of the index.

use std::collections::{HashMap, HashSet};

use super::Term;
use crate::{
    error::Error,
    generation::Generation,
    locale,
    word_index::{self, WordIndex},
    words::{self, Analyser},
};

/// Most characters of each text of a query that are read; a question of 100 kB says nothing
/// that its start does not.
const TEXT_LIMIT: usize = 20_000;

/// Most distinct words that are searched for: the rarest ones of a long text.
const WORDS_LIMIT: usize = 64;

/// A language of the index.
pub(super) struct Language {
    name: String,
    analyser: Analyser,
    n_passages: usize,
}

/// The content words of a question.
pub(super) struct Question {
    pub(super) terms: Vec<Term>,
    /// Keys of the word index with weights, for all languages.
    pub(super) keys: Vec<(String, f32)>,
}

/// A word of the question as one language sees it.
struct Reading {
    stems: Vec<String>,
    n_with: u64,
}

/// A distinct word of the question with its readings, one for each language.
struct Asked {
    word: String,
    weight: f32,
    readings: Vec<Reading>,
}

/// The languages of an index, the most common first.
pub(super) fn languages(generation: &Generation) -> Vec<Language> {
    let names: Vec<String> =
        generation.articles.iter().map(|a| locale::language(&a.locale)).collect();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for (name, card) in names.iter().zip(&generation.articles) {
        *counts.entry(name).or_default() += card.passages.len();
    }
    let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let languages = counts.iter().map(|(name, n_passages)| Language {
        name: (*name).to_owned(),
        analyser: Analyser::new(name),
        n_passages: *n_passages,
    });
    languages.collect()
}

impl Language {
    /// Which of the passages, in rising order, hold a word in this language.
    pub(super) fn holding(
        &self,
        word: &str,
        passages: &[usize],
        index: &WordIndex,
    ) -> Result<Vec<bool>, Error> {
        let mut held = vec![false; passages.len()];
        for stem in self.analyser.words(word) {
            let one = index.holding(&word_index::key(&self.name, &stem), passages)?;
            for (held, one) in held.iter_mut().zip(one) {
                *held |= one;
            }
        }
        Ok(held)
    }

    fn read(&self, word: &str, index: &WordIndex) -> Result<Reading, Error> {
        let stems = self.analyser.words(word);
        let mut n_with = 0;
        for stem in &stems {
            n_with = n_with.max(index.n_with(&word_index::key(&self.name, stem))?);
        }
        Ok(Reading { stems, n_with })
    }
}

impl Question {
    /// Reads the weighed texts of a query.
    pub(super) fn read(
        texts: &[(&str, f32)],
        languages: &[Language],
        index: &WordIndex,
    ) -> Result<Self, Error> {
        let mut asked = Vec::new();
        for (word, weight) in distinct(texts) {
            let readings =
                languages.iter().map(|l| l.read(&word, index)).collect::<Result<_, _>>()?;
            asked.push(Asked { word, weight, readings });
        }
        let Some((main, language)) = main_language(&asked, languages) else {
            return Ok(Self { terms: Vec::new(), keys: Vec::new() });
        };
        let idf = |a: &Asked| {
            let n_with = a.readings.get(main).map_or(0, |r| r.n_with);
            idf(language.n_passages, n_with)
        };
        keep_telling(&mut asked, &idf);
        let terms = asked.iter().filter_map(|a| {
            let stem = a.readings.get(main)?.stems.first()?;
            Some(Term { word: a.word.clone(), text: stem.clone(), idf: idf(a), weight: a.weight })
        });
        Ok(Self { terms: unique(terms.collect()), keys: keys(&asked, languages) })
    }
}

/// Distinct words in order, each with the weight of its heaviest text.
fn distinct(texts: &[(&str, f32)]) -> Vec<(String, f32)> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut asked: Vec<(String, f32)> = Vec::new();
    for (text, weight) in texts {
        if !weight.is_finite() || *weight <= 0.0 {
            continue;
        }
        let end = text.char_indices().nth(TEXT_LIMIT).map_or(text.len(), |(at, _)| at);
        for word in words::surfaces(text.get(..end).unwrap_or_default()) {
            match places.get(&word).and_then(|n| asked.get_mut(*n)) {
                Some(known) => known.1 = known.1.max(*weight),
                None => {
                    places.insert(word.clone(), asked.len());
                    asked.push((word, *weight));
                }
            }
        }
    }
    asked
}

/// The language that the question is most likely in: the one that knows most of its words, be
/// it as stop words or as words of passages. A guess from the letters of a short question would
/// be worse.
fn main_language<'a>(asked: &[Asked], languages: &'a [Language]) -> Option<(usize, &'a Language)> {
    let known = |n: usize| {
        let readings = asked.iter().filter_map(|a| a.readings.get(n));
        readings.filter(|r| r.stems.is_empty() || r.n_with > 0).count()
    };
    languages.iter().enumerate().max_by_key(|(n, _)| (known(*n), std::cmp::Reverse(*n)))
}

/// Cuts a long question to its rarest known words, kept in order.
fn keep_telling(asked: &mut Vec<Asked>, idf: &impl Fn(&Asked) -> f32) {
    asked.retain(|a| a.readings.iter().any(|r| !r.stems.is_empty()));
    if asked.len() <= WORDS_LIMIT {
        return;
    }
    let tells = |a: &Asked| {
        let known = a.readings.iter().any(|r| r.n_with > 0);
        if known { idf(a) * a.weight } else { 0.0 }
    };
    let mut order: Vec<(usize, f32)> = asked.iter().map(tells).enumerate().collect();
    order.sort_by(super::descending);
    let kept: HashSet<usize> = order.into_iter().take(WORDS_LIMIT).map(|(n, _)| n).collect();
    let mut n = 0;
    asked.retain(|_| {
        n += 1;
        kept.contains(&(n - 1))
    });
}

/// Terms of which several words have the same stem are one term.
fn unique(terms: Vec<Term>) -> Vec<Term> {
    let mut kept: Vec<Term> = Vec::new();
    for term in terms {
        match kept.iter_mut().find(|k| k.text == term.text) {
            Some(known) => known.weight = known.weight.max(term.weight),
            None => kept.push(term),
        }
    }
    kept
}

/// The words to look up, in every language. The index counts how rare a word is among all
/// passages; a word of a small language is rare there only because its language is, so it is
/// weighed back to its rarity among its own. Without that, one article whose language was guessed
/// wrong leads every list.
fn keys(asked: &[Asked], languages: &[Language]) -> Vec<(String, f32)> {
    let n_passages = languages.iter().map(|l| l.n_passages).sum();
    let mut keys: Vec<(String, f32)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for a in asked {
        for (reading, language) in a.readings.iter().zip(languages) {
            if reading.n_with == 0 {
                continue;
            }
            let own = idf(language.n_passages, reading.n_with);
            let weight = a.weight * own / idf(n_passages, reading.n_with).max(f32::EPSILON);
            for stem in &reading.stems {
                let key = word_index::key(&language.name, stem);
                match places.get(&key).and_then(|n| keys.get_mut(*n)) {
                    Some(known) => known.1 = known.1.max(weight),
                    None => {
                        places.insert(key.clone(), keys.len());
                        keys.push((key, weight));
                    }
                }
            }
        }
    }
    keys
}

/// Inverse document frequency as BM25 counts it.
#[expect(clippy::cast_precision_loss, reason = "counts of passages stay far below 2^24")]
fn idf(n: usize, n_with: u64) -> f32 {
    let (n, n_with) = (n as f32, n_with as f32);
    (1.0 + (n - n_with + 0.5).max(0.0) / (n_with + 0.5)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_as_rare_as_it_is_in_its_own_language() {
        let language = |name: &str, n_passages| Language {
            name: name.to_owned(),
            analyser: Analyser::new(name),
            n_passages,
        };
        let reading = |n_with| Reading { stems: vec!["loan".to_owned()], n_with };
        let asked = [Asked {
            word: "loan".to_owned(),
            weight: 1.0,
            readings: vec![reading(30), reading(2)],
        }];
        let keys = keys(&asked, &[language("en", 4_000), language("es", 2)]);
        assert_eq!(keys[0].0, "en:loan");
        assert!((keys[0].1 - 1.0).abs() < 0.01, "{keys:?}");
        assert!(keys[1].1 < 0.05, "{keys:?}");
    }
}

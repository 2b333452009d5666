use super::{
    Citation, Draft,
    units::{Kind, Unit, units},
};
use crate::{Error, library::Found};
use knowledge::{Findings, Hit, words};
use models::Embedder;
use std::collections::HashSet;

/// Passages that may be quoted; further down the list the right one is seldom found, and each
/// costs the embedding of its sentences.
const PASSAGES: usize = 3;
/// A passage is considered when its score reaches this part of the best one's.
const NEAR_BEST: f32 = 0.80;
/// A passage of another article has to be nearer still.
const NEAR_BEST_ELSEWHERE: f32 = 0.93;
/// A unit is quoted when its score reaches this part of the best unit's.
const NEAR_BEST_UNIT: f64 = 0.85;
/// Quoting stops after this many words; what is begun is finished.
const WORDS_ENOUGH: usize = 70;
/// Below this the best unit has nothing to do with the question: no draft.
const SCORE_AT_LEAST: f64 = 0.12;

struct Candidate {
    hit: usize,
    unit: Unit,
    cosine: f64,
    coverage: f64,
    score: f64,
}

/// Composes an answer from the sentences, lists and steps of the best passages, word for word and
/// in their order; `None` when nothing found has to do with the question.
pub(crate) async fn quote(found: &Found, embedder: &dyn Embedder) -> Result<Option<Draft>, Error> {
    let hits = quotable(&found.findings.hits);
    let candidates = candidates(found, &hits, embedder).await?;
    let best = candidates.iter().map(|c| c.score).fold(0.0, f64::max);
    if best < SCORE_AT_LEAST {
        return Ok(None);
    }
    let chosen = choose(&candidates, best);
    let chosen: Vec<&Candidate> = chosen.iter().filter_map(|i| candidates.get(*i)).collect();
    let citations: Vec<Citation> = by_best_unit(&chosen)
        .iter()
        .filter_map(|hit| {
            let units = chosen.iter().filter(|c| c.hit == *hit).map(|c| &c.unit);
            let locale = locale(found, hits.get(*hit));
            let quote = join(units, |row| coverage(&found.findings, row, &locale));
            cite(found, hits.get(*hit)?, &quote)
        })
        .collect();
    let text = citations.iter().map(|c| c.quote.as_str()).collect::<Vec<_>>().join("\n\n");
    let mut nearest: Vec<f64> = candidates.iter().map(|c| c.cosine).collect();
    nearest.sort_by(|a, b| b.total_cmp(a));
    let at = |index: usize| nearest.get(index).copied().unwrap_or(0.0);
    Ok((!citations.is_empty()).then(|| Draft {
        coverage: coverage(&found.findings, &text, &locale(found, hits.first())),
        nearest: at(0),
        second: at(1),
        text,
        citations,
        drafter: "quotes",
        put_aside: None,
        has_failed: false,
        tokens: super::Tokens::default(),
    }))
}

/// Returns the hits that are quoted, that with the best unit first.
fn by_best_unit(chosen: &[&Candidate]) -> Vec<usize> {
    let mut ranked: Vec<&&Candidate> = chosen.iter().collect();
    ranked.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut order: Vec<usize> = Vec::new();
    for candidate in ranked {
        if !order.contains(&candidate.hit) {
            order.push(candidate.hit);
        }
    }
    order
}

/// Returns the hits that may be quoted: the best one and what is nearly as good.
fn quotable(hits: &[Hit]) -> Vec<Hit> {
    let Some(best) = hits.first() else { return Vec::new() };
    let near = |hit: &&Hit| {
        let part = if hit.article == best.article { NEAR_BEST } else { NEAR_BEST_ELSEWHERE };
        hit.score >= part * best.score
    };
    hits.iter().filter(near).take(PASSAGES).cloned().collect()
}

/// Scores every unit of the passages: half by meaning, half by the question's words in it.
async fn candidates(
    found: &Found,
    hits: &[Hit],
    embedder: &dyn Embedder,
) -> Result<Vec<Candidate>, Error> {
    let mut candidates = Vec::new();
    for (index, hit) in hits.iter().enumerate() {
        let Some(passage) = found.knowledge.passages().get(hit.passage) else { continue };
        candidates.extend(units(&passage.text).into_iter().map(|unit| Candidate {
            hit: index,
            unit,
            cosine: 0.0,
            coverage: 0.0,
            score: 0.0,
        }));
    }
    let texts: Vec<String> = candidates.iter().map(|c| c.unit.text.clone()).collect();
    let vectors = embedder.embed_now(&texts).await?;
    for (candidate, vector) in candidates.iter_mut().zip(&vectors) {
        let hit = hits.get(candidate.hit);
        candidate.cosine =
            found.vector.as_ref().map_or(0.0, |question| f64::from(question.cosine(vector)));
        let locale = locale(found, hit);
        candidate.coverage = coverage(&found.findings, &candidate.unit.text, &locale);
        let rank = if candidate.hit == 0 { 0.05 } else { 0.0 };
        candidate.score = 0.6 * candidate.cosine.max(0.0) + 0.4 * candidate.coverage + rank;
    }
    Ok(candidates)
}

/// Chooses units, best first, until enough is said; returns their numbers in order.
fn choose(candidates: &[Candidate], best: f64) -> Vec<usize> {
    let mut ranked: Vec<usize> = (0..candidates.len()).collect();
    let score = |i: &usize| candidates.get(*i).map_or(0.0, |c| c.score);
    ranked.sort_by(|a, b| score(b).total_cmp(&score(a)));
    let mut chosen: HashSet<usize> = HashSet::new();
    let mut n_words = 0;
    for index in ranked {
        let Some(candidate) = candidates.get(index) else { continue };
        if candidate.score < NEAR_BEST_UNIT * best || n_words >= WORDS_ENOUGH {
            break;
        }
        if asks(candidate) && answer_of(candidates, index).is_none() {
            continue;
        }
        if chosen.insert(index) {
            n_words += candidate.unit.text.split_whitespace().count();
        }
        for neighbour in neighbours(candidates, index, n_words) {
            if chosen.insert(neighbour) {
                n_words +=
                    candidates.get(neighbour).map_or(0, |c| c.unit.text.split_whitespace().count());
            }
        }
    }
    let mut chosen: Vec<usize> = chosen.into_iter().collect();
    chosen.sort_unstable();
    chosen
}

/// Returns what a unit needs beside it to be understood: the sentence that a pronoun leans on, and
/// the one that goes on after it while there is room.
fn neighbours(candidates: &[Candidate], index: usize, n_words: usize) -> Vec<usize> {
    const LEANING: [&str; 22] = [
        "it",
        "this",
        "that",
        "these",
        "those",
        "they",
        "he",
        "she",
        "its",
        "their",
        "then",
        "also",
        "however",
        "otherwise",
        "if",
        "but",
        "and",
        "or",
        "yes",
        "no",
        "in",
        "so",
    ];
    let Some(own) = candidates.get(index) else { return Vec::new() };
    let beside = |other: usize| {
        candidates.get(other).is_some_and(|c| {
            c.hit == own.hit && c.unit.block == own.unit.block && c.unit.kind == Kind::Sentence
        })
    };
    let first = own.unit.text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    let leans = LEANING.contains(&first.to_lowercase().as_str());
    let mut needed = Vec::new();
    needed.extend(answer_of(candidates, index).filter(|_| asks(own)));
    if own.unit.kind == Kind::Sentence {
        needed.extend(index.checked_sub(1).filter(|before| leans && beside(*before)));
        needed.extend(Some(index + 1).filter(|after| n_words < WORDS_ENOUGH / 2 && beside(*after)));
    }
    needed
}

/// Whether a unit is a question, as in a list of frequent ones: worth nothing without its answer.
fn asks(candidate: &Candidate) -> bool {
    candidate.unit.kind == Kind::Sentence && candidate.unit.text.ends_with('?')
}

/// Returns the unit behind this one in the same passage, unless that asks again.
fn answer_of(candidates: &[Candidate], index: usize) -> Option<usize> {
    let (own, next) = (candidates.get(index)?, candidates.get(index + 1)?);
    (own.hit == next.hit && !asks(next)).then_some(index + 1)
}

/// Joins units as they stood: sentences of one block by a space, blocks by an empty line.
fn join<'a>(units: impl Iterator<Item = &'a Unit>, weight: impl Fn(&str) -> f64) -> String {
    let mut text = String::new();
    let mut last: Option<&Unit> = None;
    for unit in units {
        match last {
            None => {}
            Some(last) if last.block == unit.block => text.push(' '),
            Some(_) => text.push_str("\n\n"),
        }
        text.push_str(&unit.quoted(&weight));
        last = Some(unit);
    }
    text
}

/// Cites the passage of a hit; `None` when the index does not hold it.
pub(super) fn cite(found: &Found, hit: &Hit, quote: &str) -> Option<Citation> {
    let passage = found.knowledge.passages().get(hit.passage)?;
    let article = found.knowledge.articles().get(hit.article)?;
    Some(Citation {
        passage: hit.passage,
        article: article.id.clone(),
        title: article.title.clone(),
        url: article.url.clone(),
        heading: passage.heading.clone(),
        quote: quote.to_string(),
    })
}

pub(super) fn locale(found: &Found, hit: Option<&Hit>) -> String {
    hit.and_then(|hit| found.knowledge.articles().get(hit.article))
        .map_or_else(|| "en".into(), |article| article.locale.clone())
}

/// Returns the part of the question's words, weighed by rarity, that `text` holds; 0..=1.
pub(super) fn coverage(findings: &Findings, text: &str, locale: &str) -> f64 {
    let held: HashSet<String> = words(text, locale).into_iter().collect();
    let weight = |term: &knowledge::Term| f64::from(term.idf * term.weight);
    let all: f64 = findings.terms.iter().map(weight).sum();
    let there: f64 = findings.terms.iter().filter(|t| held.contains(&t.text)).map(weight).sum();
    if all > 0.0 { there / all } else { 0.0 }
}

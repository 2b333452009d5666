//! What was observed about a question, what was found for it and what was drafted.

use crate::{Draft, Question, library::Found};
use knowledge::{Findings, Hit, Knowledge, words};
use router::Evidence;
use std::collections::HashSet;

/// Changes whenever an observation changes its meaning, or passages are cut differently: then a
/// calibration has to be fitted again.
pub const EVIDENCE_VERSION: u32 = 2;

/// Gathers everything that may tell whether the draft is right. Observations of one thing share
/// their first word; "lead" is how far the passage that the draft rests on is ahead of the best
/// passages of other articles.
pub(crate) fn gather(question: &Question, found: &Found, draft: &Draft) -> Evidence {
    let mut evidence = Evidence::default();
    let hits = &found.findings.hits;
    let first = draft.citations.first().map(|citation| citation.passage);
    let own = hits.iter().find(|hit| Some(hit.passage) == first).or(hits.first());
    if let Some(own) = own {
        let rivals = rivals(hits, own);
        meaning(&mut evidence, hits, own, &rivals);
        lexical(&mut evidence, &found.findings, own, &rivals);
        fused(&mut evidence, hits, own, &rivals);
        headings(&mut evidence, found, own);
        let names = names_missing(question.last(), found, own, draft);
        evidence.record("question_names_missing", names);
    }
    let mut note = |name, value: f64| evidence.record(name, value);
    note("draft_nearest", draft.nearest);
    note("draft_second", draft.second);
    note("draft_coverage", draft.coverage);
    note("draft_words_log", (1.0 + draft.text.split_whitespace().count() as f64).ln());
    note("question_terms_log", (1.0 + found.findings.terms.len() as f64).ln());
    note("question_pronoun", f64::from(u8::from(points_elsewhere(question.last()))));
    note("meaning_spread", spread(hits, &found.knowledge));
    evidence
}

/// Returns the best hit of every other article, best first.
fn rivals<'a>(hits: &'a [Hit], own: &Hit) -> Vec<&'a Hit> {
    let mut best: Vec<&Hit> = Vec::new();
    for hit in hits {
        let seen = best.iter().any(|other| other.article == hit.article);
        if hit.article != own.article && !seen {
            best.push(hit);
        }
    }
    best
}

/// Returns the value of the rival with this rank by `value`, 0 where there are fewer.
fn ranked(rivals: &[&Hit], rank: usize, value: impl Fn(&Hit) -> f64) -> f64 {
    let mut values: Vec<f64> = rivals.iter().map(|hit| value(hit)).collect();
    values.sort_by(|a, b| b.total_cmp(a));
    values.get(rank).copied().unwrap_or(0.0)
}

fn meaning(evidence: &mut Evidence, hits: &[Hit], own: &Hit, rivals: &[&Hit]) {
    let cosine = |hit: &Hit| f64::from(hit.cosine.unwrap_or(0.0));
    let mut by_passage: Vec<f64> = hits.iter().map(cosine).collect();
    by_passage.sort_by(|a, b| b.total_cmp(a));
    let tenth = by_passage.get(9).copied().unwrap_or(0.0);
    evidence.record("meaning_own", cosine(own));
    evidence.record("meaning_lead_1", cosine(own) - ranked(rivals, 0, cosine));
    evidence.record("meaning_lead_4", cosine(own) - ranked(rivals, 3, cosine));
    evidence.record("meaning_lead_10", cosine(own) - tenth);
    let crowd = rivals.iter().filter(|hit| cosine(hit) > cosine(own) - 0.05).count();
    evidence.record("meaning_crowd_log", (crowd as f64).ln_1p());
}

fn lexical(evidence: &mut Evidence, findings: &Findings, own: &Hit, rivals: &[&Hit]) {
    let score = |hit: &Hit| f64::from(hit.passage_words);
    let best = score(own).max(ranked(rivals, 0, score));
    evidence.record("words_best_log", best.ln_1p());
    let weight = |i: usize| findings.terms.get(i).map_or(0.0, |t| f64::from(t.idf * t.weight));
    let all: f64 = (0..findings.terms.len()).map(weight).sum();
    let share = |holds: &dyn Fn(usize) -> bool| -> f64 {
        let held: f64 = (0..findings.terms.len()).filter(|i| holds(*i)).map(weight).sum();
        if all > 0.0 { held / all } else { 0.0 }
    };
    let holds = |hit: &Hit, i: usize| hit.terms.get(i).copied().unwrap_or(false);
    let in_article =
        |i: usize| findings.hits.iter().any(|hit| hit.article == own.article && holds(hit, i));
    let in_own = share(&|i| holds(own, i));
    evidence.record("words_in_passage", in_own);
    let others = findings.hits.iter().take(NEAR_HITS).filter(|hit| hit.article != own.article);
    let elsewhere = others.map(|hit| share(&|i| holds(hit, i))).fold(0.0, f64::max);
    evidence.record("words_in_passage_lead", in_own - elsewhere);
    evidence.record("words_in_article", share(&in_article));
    evidence.record("words_nowhere", share(&|i| !findings.hits.iter().any(|hit| holds(hit, i))));
    // The rarest word of the question decides more than all others; is it there at all?
    let rarest = (0..findings.terms.len()).max_by(|a, b| weight(*a).total_cmp(&weight(*b)));
    evidence.record("words_rarest_there", f64::from(u8::from(rarest.is_some_and(in_article))));
}

fn fused(evidence: &mut Evidence, hits: &[Hit], own: &Hit, rivals: &[&Hit]) {
    let score = |hit: &Hit| f64::from(hit.score);
    evidence.record("fused_own", score(own));
    evidence.record("fused_lead_1", score(own) - ranked(rivals, 0, score));
    let articles: HashSet<usize> = hits.iter().take(BEST_HITS).map(|hit| hit.article).collect();
    evidence.record("fused_articles", articles.len() as f64);
    evidence.record("fused_entropy", entropy(hits));
    let rank = |rank: Option<usize>| rank.map_or(4.0, |rank| (rank as f64).max(1.0).ln().min(4.0));
    evidence.record("fused_rank_words_log", rank(own.found_by.words));
    evidence.record("fused_rank_meaning_log", rank(own.found_by.meaning));
}

/// Hits among which another article may hold the question's words as well.
const NEAR_HITS: usize = 20;
/// Hits that count as the best.
const BEST_HITS: usize = 10;
/// Difference of fused scores that makes an article e times as likely, for the entropy.
const TEMPERATURE: f64 = 0.08;

/// Returns how evenly the fused scores spread over the ten best articles, in nats: 0 when one is
/// far ahead of all others, 2.3 when they are equal.
fn entropy(hits: &[Hit]) -> f64 {
    let mut seen = HashSet::new();
    let best: Vec<f64> = hits
        .iter()
        .filter(|hit| seen.insert(hit.article))
        .take(BEST_HITS)
        .map(|hit| f64::from(hit.score))
        .collect();
    let top = best.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = best.iter().map(|score| ((score - top) / TEMPERATURE).exp()).collect();
    let all: f64 = weights.iter().sum();
    -weights.iter().map(|weight| weight / all).map(|p| p * p.ln()).sum::<f64>()
}

/// Returns the mean cosine among the best passages: near 1 when they all say much the same.
fn spread(hits: &[Hit], knowledge: &Knowledge) -> f64 {
    let vectors: Vec<&[f32]> =
        hits.iter().take(BEST_HITS).map(|hit| knowledge.passage_vector(hit.passage)).collect();
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum()
    };
    let pairs = vectors
        .iter()
        .enumerate()
        .flat_map(|(i, a)| vectors.iter().skip(i + 1).map(move |b| dot(a, b)));
    let (n, sum) = pairs.fold((0_u32, 0.0), |(n, sum), cosine| (n + 1, sum + cosine));
    if n == 0 { 0.0 } else { sum / f64::from(n) }
}

/// Records how much of the passage's own heading, or of the title where it has none, the question
/// asks for.
fn headings(evidence: &mut Evidence, found: &Found, own: &Hit) {
    let knowledge = &found.knowledge;
    let article = knowledge.articles().get(own.article);
    let locale = article.map_or("en", |article| article.locale.as_str());
    let heading = knowledge.passages().get(own.passage).and_then(|p| p.heading.last());
    let heading = heading.or_else(|| article.map(|article| &article.title));
    let of_heading = heading.map_or_else(Vec::new, |heading| words(heading, locale));
    let asked = |word: &&String| found.findings.terms.iter().any(|term| term.text == **word);
    let n_asked = of_heading.iter().filter(asked).count();
    let share = if of_heading.is_empty() { 0.0 } else { n_asked as f64 / of_heading.len() as f64 };
    evidence.record("heading_asked", share);
}

/// Returns which part of the names in a question, told by a capital within a sentence, stands
/// neither in what is quoted nor in the passage and its title.
fn names_missing(question: &str, found: &Found, own: &Hit, draft: &Draft) -> f64 {
    let knowledge = &found.knowledge;
    let passage = knowledge.passages().get(own.passage).map_or("", |p| p.text.as_str());
    let title = knowledge.articles().get(own.article).map_or("", |a| a.title.as_str());
    let there = format!("{} {title} {passage}", draft.text).to_lowercase();
    let mut begins = true;
    let (mut n, mut n_missing) = (0_u32, 0_u32);
    for word in question.split_whitespace() {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        if !begins && bare != "I" && bare.chars().next().is_some_and(char::is_uppercase) {
            n += 1;
            n_missing += u32::from(!there.contains(&bare.to_lowercase()));
        }
        begins = word.ends_with(['.', '?', '!', ':']);
    }
    if n == 0 { 0.0 } else { f64::from(n_missing) / f64::from(n) }
}

/// Whether a question leans on something said elsewhere, by its English pronouns; in other
/// languages it is taken not to.
fn points_elsewhere(question: &str) -> bool {
    const POINTING: [&str; 26] = [
        "it", "this", "that", "they", "them", "these", "those", "he", "she", "one", "ones",
        "there", "its", "their", "so", "then", "also", "both", "either", "another", "other",
        "else", "same", "him", "her", "such",
    ];
    let mut words = question.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
    words.any(|word| POINTING.contains(&word.as_str()))
}

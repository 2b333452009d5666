//! What was observed about a question, what was found for it and what was drafted.

use crate::{Draft, library::Found};
use knowledge::{Findings, Hit};
use router::Evidence;

/// Changes whenever an observation changes its meaning, or passages are cut differently: then a
/// calibration has to be fitted again.
pub const EVIDENCE_VERSION: u32 = 1;

/// Gathers everything that may tell whether the draft is right. Observations of one thing share
/// their first word; "lead" is how far the passage that the draft rests on is ahead of the best
/// passages of other articles.
pub(crate) fn gather(found: &Found, draft: &Draft) -> Evidence {
    let mut evidence = Evidence::default();
    let hits = &found.findings.hits;
    let first = draft.citations.first().map(|citation| citation.passage);
    let own = hits.iter().find(|hit| Some(hit.passage) == first).or(hits.first());
    if let Some(own) = own {
        let rivals = rivals(hits, own);
        meaning(&mut evidence, hits, own, &rivals);
        lexical(&mut evidence, &found.findings, own, &rivals);
        fused(&mut evidence, own, &rivals);
    }
    let mut note = |name, value: f64| evidence.record(name, value);
    note("draft_nearest", draft.nearest);
    note("draft_second", draft.second);
    note("draft_coverage", draft.coverage);
    note("draft_words_log", (1.0 + draft.text.split_whitespace().count() as f64).ln());
    note("question_terms_log", (1.0 + found.findings.terms.len() as f64).ln());
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
    let share_of_best = |value: f64| if best > 0.0 { value / best } else { 0.0 };
    evidence.record("words_best_log", best.ln_1p());
    evidence.record("words_lead_1", share_of_best(score(own) - ranked(rivals, 0, score)));
    let weight = |i: usize| findings.terms.get(i).map_or(0.0, |t| f64::from(t.idf * t.weight));
    let all: f64 = (0..findings.terms.len()).map(weight).sum();
    let share = |holds: &dyn Fn(usize) -> bool| -> f64 {
        let held: f64 = (0..findings.terms.len()).filter(|i| holds(*i)).map(weight).sum();
        if all > 0.0 { held / all } else { 0.0 }
    };
    let holds = |hit: &Hit, i: usize| hit.terms.get(i).copied().unwrap_or(false);
    let in_article =
        |i: usize| findings.hits.iter().any(|hit| hit.article == own.article && holds(hit, i));
    evidence.record("words_in_passage", share(&|i| holds(own, i)));
    evidence.record("words_in_article", share(&in_article));
    evidence.record("words_nowhere", share(&|i| !findings.hits.iter().any(|hit| holds(hit, i))));
    // The rarest word of the question decides more than all others; is it there at all?
    let rarest = (0..findings.terms.len()).max_by(|a, b| weight(*a).total_cmp(&weight(*b)));
    evidence.record("words_rarest_there", f64::from(u8::from(rarest.is_some_and(in_article))));
}

fn fused(evidence: &mut Evidence, own: &Hit, rivals: &[&Hit]) {
    let score = |hit: &Hit| f64::from(hit.score);
    evidence.record("fused_own", score(own));
    evidence.record("fused_lead_1", score(own) - ranked(rivals, 0, score));
    evidence.record("fused_lead_4", score(own) - ranked(rivals, 3, score));
    let rank = |rank: Option<usize>| rank.map_or(4.0, |rank| (rank as f64).max(1.0).ln().min(4.0));
    evidence.record("fused_rank_words_log", rank(own.found_by.words));
    evidence.record("fused_rank_meaning_log", rank(own.found_by.meaning));
}

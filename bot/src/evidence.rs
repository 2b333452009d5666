//! What was observed about a question, what was found for it and what was drafted.

use crate::{Draft, Question, library::Found};
use knowledge::{Findings, Hit};
use router::Evidence;

/// Changes whenever an observation changes its meaning, or passages are cut differently: then a
/// calibration has to be fitted again.
pub const EVIDENCE_VERSION: u32 = 1;

/// Gathers everything that may tell whether the draft is right. Observations of one thing share
/// their first word.
pub(crate) fn gather(question: &Question, found: &Found, draft: &Draft) -> Evidence {
    let mut evidence = Evidence::default();
    let best = best_of_articles(&found.findings.hits);
    meaning(&mut evidence, &found.findings.hits, &best);
    lexical(&mut evidence, &found.findings, &best);
    fused(&mut evidence, &best);
    let mut note = |name, value: f64| evidence.record(name, value);
    note("draft_nearest", draft.nearest);
    note("draft_second", draft.second);
    note("draft_coverage", draft.coverage);
    note("draft_words_log", (1.0 + draft.text.split_whitespace().count() as f64).ln());
    let n_words = question.last().split_whitespace().count() as f64;
    note("question_words_log", (1.0 + n_words).ln());
    note("question_terms_log", (1.0 + found.findings.terms.len() as f64).ln());
    note("question_follow_up", f64::from(u8::from(question.is_follow_up())));
    note("question_mark", f64::from(u8::from(question.last().contains('?'))));
    evidence
}

/// Returns the best hit of each article, best first.
fn best_of_articles(hits: &[Hit]) -> Vec<&Hit> {
    let mut best: Vec<&Hit> = Vec::new();
    for hit in hits {
        if !best.iter().any(|other| other.article == hit.article) {
            best.push(hit);
        }
    }
    best
}

fn meaning(evidence: &mut Evidence, hits: &[Hit], best: &[&Hit]) {
    let cosine = |hit: &Hit| f64::from(hit.cosine.unwrap_or(0.0));
    let mut by_article: Vec<f64> = best.iter().map(|hit| cosine(hit)).collect();
    by_article.sort_by(|a, b| b.total_cmp(a));
    let mut by_passage: Vec<f64> = hits.iter().map(cosine).collect();
    by_passage.sort_by(|a, b| b.total_cmp(a));
    let at = |values: &[f64], rank: usize| values.get(rank).copied().unwrap_or(0.0);
    let own = best.first().map_or(0.0, |hit| cosine(hit));
    evidence.record("meaning_best", at(&by_article, 0));
    evidence.record("meaning_own", own);
    evidence.record("meaning_lead_2", at(&by_article, 0) - at(&by_article, 1));
    evidence.record("meaning_lead_5", at(&by_article, 0) - at(&by_article, 4));
    evidence.record("meaning_lead_10", at(&by_passage, 0) - at(&by_passage, 9));
    let crowd = by_article.iter().filter(|c| **c > at(&by_article, 0) - 0.05).count();
    evidence.record("meaning_crowd_log", (crowd as f64).max(1.0).ln());
}

fn lexical(evidence: &mut Evidence, findings: &Findings, best: &[&Hit]) {
    let mut scores: Vec<f64> = best.iter().map(|hit| f64::from(hit.passage_words)).collect();
    scores.sort_by(|a, b| b.total_cmp(a));
    let at = |rank: usize| scores.get(rank).copied().unwrap_or(0.0);
    let own = best.first().map_or(0.0, |hit| f64::from(hit.passage_words));
    evidence.record("words_best_log", at(0).ln_1p());
    evidence.record("words_own", if at(0) > 0.0 { own / at(0) } else { 0.0 });
    evidence.record("words_lead_2", if at(0) > 0.0 { 1.0 - at(1) / at(0) } else { 0.0 });
    let weight = |i: usize| findings.terms.get(i).map_or(0.0, |t| f64::from(t.idf * t.weight));
    let all: f64 = (0..findings.terms.len()).map(weight).sum();
    let share = |held: f64| if all > 0.0 { held / all } else { 0.0 };
    let holds = |hit: &Hit, i: usize| hit.terms.get(i).copied().unwrap_or(false);
    let top = best.first().copied();
    let in_passage: f64 =
        (0..findings.terms.len()).filter(|i| top.is_some_and(|h| holds(h, *i))).map(weight).sum();
    let of_article = |i: &usize| {
        findings.hits.iter().any(|h| top.is_some_and(|t| t.article == h.article) && holds(h, *i))
    };
    let in_article: f64 = (0..findings.terms.len()).filter(of_article).map(weight).sum();
    evidence.record("words_in_passage", share(in_passage));
    evidence.record("words_in_article", share(in_article));
    // The rarest word of the question decides more than all others; is it there at all?
    let rarest = (0..findings.terms.len()).max_by(|a, b| weight(*a).total_cmp(&weight(*b)));
    let rarest_there = rarest.is_some_and(|i| of_article(&i));
    evidence.record("words_rarest_there", f64::from(u8::from(rarest_there)));
    let nowhere: f64 = (0..findings.terms.len())
        .filter(|i| !findings.hits.iter().any(|h| holds(h, *i)))
        .map(weight)
        .sum();
    evidence.record("words_nowhere", share(nowhere));
}

fn fused(evidence: &mut Evidence, best: &[&Hit]) {
    let at = |rank: usize| best.get(rank).map_or(0.0, |hit| f64::from(hit.score));
    evidence.record("fused_best", at(0));
    evidence.record("fused_lead_2", at(0) - at(1));
    evidence.record("fused_lead_5", at(0) - at(4));
    let rank = |rank: Option<usize>| rank.map_or(4.0, |rank| (rank as f64).max(1.0).ln().min(4.0));
    let top = best.first();
    evidence.record("fused_rank_words_log", rank(top.and_then(|hit| hit.found_by.words)));
    evidence.record("fused_rank_meaning_log", rank(top.and_then(|hit| hit.found_by.meaning)));
}

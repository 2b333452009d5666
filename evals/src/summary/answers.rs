use crate::{
    case::ExpectedAct,
    figure::{Figure, figure, share_of},
    interval::{Estimate, Resampling, mean},
    measures::{rouge_l, token_f1},
    pairs::{Pairs, kappa},
    record::Record,
    reference::{kept, support},
    report::Unit::{Score, Share},
};
use std::collections::HashSet;

/// Measures drafts: against what a person answered, and against what they cite.
pub(super) fn measure(records: &[&Record]) -> Vec<Figure> {
    [against_answers(records), by_their_word(records), by_sources(records)]
        .into_iter()
        .flatten()
        .collect()
}

/// Averages a number over the records that have it.
fn average(records: &[&Record], of: impl Fn(&Record) -> Option<f64>) -> Option<Estimate> {
    let values: Vec<f64> = records.iter().filter_map(|record| of(record)).collect();
    mean(&values, Resampling::default())
}

fn against_answers(records: &[&Record]) -> Vec<Figure> {
    let figures = [
        (
            "draft_token_f1",
            "words shared by draft and reference answer (F1)",
            average(records, |r| token_f1(&r.text, r.reference()?)),
        ),
        (
            "draft_rouge_l",
            "longest common order of words with the reference (F1)",
            average(records, |r| rouge_l(&r.text, r.reference()?)),
        ),
        (
            "draft_similarity",
            "nearness in meaning of draft and reference (cosine)",
            average(records, |r| r.similarity),
        ),
        (
            "draft_kept",
            "of the numbers and names of the reference, those in the draft",
            average(records, |r| kept(&r.text, r.reference().filter(|_| r.is_drafted())?)),
        ),
    ];
    let made = figures.into_iter().filter_map(|(name, meaning, e)| figure(name, meaning, Score, e));
    made.collect()
}

/// How often drafts seem to say what a person said, and how far that can be trusted.
fn by_their_word(records: &[&Record]) -> Vec<Figure> {
    let told = || records.iter().copied().filter(|r| r.agrees_with_reference().is_some());
    let both: Vec<(bool, bool)> =
        told().filter_map(|r| Some((r.is_draft_right()?, r.agrees_with_reference()?))).collect();
    let n_agreed = both.iter().filter(|(right, agrees)| right == agrees).count();
    let name = |holds: bool| holds.then_some("right");
    let pairs = Pairs::of(both.iter().map(|(right, agrees)| (name(*right), name(*agrees))));
    let figures = [
        figure(
            "agrees_with_reference",
            "of the drafts, those near in meaning to the reference that keep its numbers and names; a guess",
            Share,
            share_of(told(), |r| r.agrees_with_reference() == Some(true)),
        ),
        figure(
            "agreement_with_gold",
            "how often that guess and the gold articles say the same of a draft",
            Share,
            crate::interval::share(n_agreed, both.len()),
        ),
        figure(
            "agreement_with_gold_kappa",
            "the same beyond chance (Cohen's kappa)",
            Score,
            pairs.estimate(kappa),
        ),
    ];
    figures.into_iter().flatten().collect()
}

fn by_sources(records: &[&Record]) -> Vec<Figure> {
    let figures = [
        (
            "citation_precision",
            "of the articles that a draft cites, those that hold the answer",
            average(records, |r| Some(n_cited(r)? as f64 / r.sources.len() as f64)),
        ),
        (
            "citation_recall",
            "of the articles that hold the answer, those that the draft cites",
            average(records, |r| {
                let gold: HashSet<&String> = r.expect.articles.iter().collect();
                Some(n_cited(r)? as f64 / gold.len() as f64)
            }),
        ),
        (
            "support",
            "of a draft's sentences, those backed by what they cite",
            average(records, |r| support(&r.text, &r.citations, "en")),
        ),
    ];
    let made = figures.into_iter().filter_map(|(name, meaning, e)| figure(name, meaning, Share, e));
    made.collect()
}

/// Returns how many sources of a draft hold the answer; `None` where that cannot be told.
fn n_cited(record: &Record) -> Option<usize> {
    let gold = &record.expect.articles;
    let is_known = record.expect.act == ExpectedAct::Answer && !gold.is_empty();
    (is_known && record.is_drafted())
        .then(|| record.sources.iter().filter(|source| gold.contains(source)).count())
}

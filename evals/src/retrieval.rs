use crate::{
    case::Case,
    interval::{Difference, Estimate, Resampling, mean, paired_difference},
    measures::{hit_at, ndcg_at, recall_at, reciprocal_rank},
    trial::{gold, question, reader},
};
use anyhow::Context;
use bot::{Library, Lookup};
use knowledge::Mode;

/// How well one way of searching ranks the gold articles.
#[derive(Debug, Clone)]
pub struct Retrieval {
    /// Name of the way.
    pub name: &'static str,
    /// Name and estimate of each measure.
    pub measures: Vec<(&'static str, Estimate)>,
    per_case: Vec<Vec<f64>>,
}

type Measure = fn(&[String], &[String]) -> Option<f64>;

const MEASURES: [(&str, Measure); 7] = [
    ("hit@1", |ranked, gold| hit_at(1, ranked, gold)),
    ("hit@5", |ranked, gold| hit_at(5, ranked, gold)),
    ("recall@1", |ranked, gold| recall_at(1, ranked, gold)),
    ("recall@5", |ranked, gold| recall_at(5, ranked, gold)),
    ("recall@10", |ranked, gold| recall_at(10, ranked, gold)),
    ("MRR", reciprocal_rank),
    ("nDCG@10", |ranked, gold| ndcg_at(10, ranked, gold)),
];

/// Passages looked at: enough for ten different articles.
const PASSAGES: usize = 100;

/// Searches for every case that names articles by words, by meaning and by both, and measures the
/// rankings by article. Cases without gold articles are left out.
///
/// # Errors
/// When the index or the embedder fails, or no case names an article.
pub async fn measure_retrieval(
    library: &Library,
    cases: &[Case],
    progress: &(dyn Fn(usize) + Sync),
) -> anyhow::Result<Vec<Retrieval>> {
    let with_gold: Vec<&Case> = cases.iter().filter(|c| !c.expect.articles.is_empty()).collect();
    anyhow::ensure!(!with_gold.is_empty(), "no case names an article in expect.articles");
    let mut done = 0;
    let mut measured = Vec::new();
    for (name, mode) in [("words", Mode::Words), ("meaning", Mode::Meaning), ("fused", Mode::Fused)]
    {
        let mut per_case = vec![Vec::new(); MEASURES.len()];
        for case in &with_gold {
            let (question, reader) = (question(case), reader(case));
            let lookup =
                Lookup { question: &question, reader: &reader, mode, top: PASSAGES, without: &[] };
            let found = library.find(lookup).await?;
            let ranked = found.articles();
            let gold = gold(case, &found.knowledge);
            for ((_, measure), values) in MEASURES.iter().zip(&mut per_case) {
                values.push(measure(&ranked, &gold).context("a case names no article")?);
            }
            done += 1;
            progress(done);
        }
        let estimates = MEASURES.iter().zip(&per_case);
        let measures = estimates
            .filter_map(|((name, _), values)| Some((*name, mean(values, Resampling::default())?)))
            .collect();
        measured.push(Retrieval { name, measures, per_case });
    }
    Ok(measured)
}

impl Retrieval {
    /// Compares a measure with that of `other` on the same cases; positive when `self` is better.
    pub fn against(&self, other: &Self, measure: &str) -> Option<Difference> {
        let index = MEASURES.iter().position(|(name, _)| *name == measure)?;
        let (own, others) = (self.per_case.get(index)?, other.per_case.get(index)?);
        paired_difference(others, own, Resampling::default())
    }
}

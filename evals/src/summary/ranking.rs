use crate::{
    figure::{Figure, figure},
    interval::{Estimate, Resampling, mean, share},
    measures::{hit_at, ndcg_at, recall_at, reciprocal_rank},
    record::Record,
    report::Unit::{self, Score, Share},
};

/// Compares the articles found with those that were to be found.
pub(crate) type Measure = fn(&[String], &[String]) -> Option<f64>;

/// Name, meaning, unit and formula of the measures of a ranking.
pub(crate) const MEASURES: [(&str, &str, Unit, Measure); 8] = [
    ("hit@1", "the first article found holds the answer", Share, |r, g| hit_at(1, r, g)),
    ("hit@3", "one of the first three does", Share, |r, g| hit_at(3, r, g)),
    ("hit@5", "one of the first five does", Share, |r, g| hit_at(5, r, g)),
    ("recall@1", "gold articles that stand first", Share, |r, g| recall_at(1, r, g)),
    ("recall@5", "gold articles among the first five", Share, |r, g| recall_at(5, r, g)),
    ("recall@10", "gold articles among the first ten", Share, |r, g| recall_at(10, r, g)),
    ("MRR", "one over the place of the first gold article", Score, reciprocal_rank),
    ("nDCG@10", "gold articles by place, the first ten", Score, |r, g| ndcg_at(10, r, g)),
];

/// Measures the rankings of the cases that name articles.
pub(super) fn measure(records: &[&Record]) -> Vec<Figure> {
    let made = MEASURES.iter().filter_map(|(name, meaning, unit, of)| {
        let values: Vec<f64> =
            records.iter().filter_map(|r| of(&r.articles, &r.expect.articles)).collect();
        figure(name, meaning, *unit, estimate(name, &values))
    });
    made.collect()
}

/// Estimates a measure over its cases. A hit is there or is not, so that its share has an interval
/// even where all cases agree.
pub(crate) fn estimate(name: &str, values: &[f64]) -> Option<Estimate> {
    match name.starts_with("hit@") {
        true => share(values.iter().filter(|value| **value > 0.5).count(), values.len()),
        false => mean(values, Resampling::default()),
    }
}

use crate::interval::{Estimate, Resampling, statistic};
use std::collections::HashMap;

/// Names that were due with those that were said, either of them perhaps none, for figures of a
/// confusion matrix.
pub(crate) struct Pairs {
    /// As numbers, 0 for none.
    pairs: Vec<(usize, usize)>,
    n_names: usize,
}

/// How often each name is due, said, and both; none is the first.
pub(crate) struct Counts {
    due: Vec<f64>,
    said: Vec<f64>,
    both: Vec<f64>,
}

impl Pairs {
    pub(crate) fn of<'a>(all: impl Iterator<Item = (Option<&'a str>, Option<&'a str>)>) -> Self {
        let mut numbers: HashMap<Option<&str>, usize> = HashMap::from([(None, 0)]);
        let mut number = |name: Option<&'a str>| {
            let next = numbers.len();
            *numbers.entry(name).or_insert(next)
        };
        let pairs = all.map(|(due, said)| (number(due), number(said))).collect();
        Self { pairs, n_names: numbers.len() }
    }

    /// Estimates a figure by resampling the pairs.
    pub(crate) fn estimate(&self, of: fn(&Counts) -> Option<f64>) -> Option<Estimate> {
        self.estimate_by(of, Resampling::default())
    }

    pub(crate) fn estimate_by(
        &self,
        of: fn(&Counts) -> Option<f64>,
        resampling: Resampling,
    ) -> Option<Estimate> {
        statistic(self.pairs.len(), resampling, |indices| {
            let zeros = || vec![0.0; self.n_names];
            let mut counts = Counts { due: zeros(), said: zeros(), both: zeros() };
            for (due, said) in indices.iter().filter_map(|i| self.pairs.get(*i).copied()) {
                counts.due[due] += 1.0;
                counts.said[said] += 1.0;
                if due == said {
                    counts.both[due] += 1.0;
                }
            }
            of(&counts)
        })
    }
}

/// F1 averaged over the names that are due at least once; none is no name.
pub(crate) fn macro_f1(counts: &Counts) -> Option<f64> {
    let (mut sum, mut n) = (0.0, 0.0);
    let rows = counts.due.iter().zip(&counts.said).zip(&counts.both).skip(1);
    for ((due, said), both) in rows.filter(|((due, _), _)| **due > 0.0) {
        sum += 2.0 * both / (due + said);
        n += 1.0;
    }
    (n > 0.0).then(|| sum / n)
}

/// Matthews correlation for many classes (Gorodkin 2004, "Comparing two K-category assignments by a
/// K-category correlation coefficient"); none is a class of its own.
pub(crate) fn mcc(counts: &Counts) -> Option<f64> {
    let n: f64 = counts.due.iter().sum();
    let right: f64 = counts.both.iter().sum();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let (due, said) = (&counts.due, &counts.said);
    let spread = (n * n - dot(said, said)) * (n * n - dot(due, due));
    (spread > 0.0).then(|| (right * n - dot(due, said)) / spread.sqrt())
}

/// Cohen's kappa: agreement beyond what the two would reach by chance, 1 at most (Cohen 1960).
pub(crate) fn kappa(counts: &Counts) -> Option<f64> {
    let n: f64 = counts.due.iter().sum();
    let chance: f64 = counts.due.iter().zip(&counts.said).map(|(a, b)| a * b / (n * n)).sum();
    let agreed: f64 = counts.both.iter().sum::<f64>() / n;
    (chance < 1.0).then(|| (agreed - chance) / (1.0 - chance))
}

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
#[derive(Debug)]
pub(crate) struct Counts {
    due: Vec<f64>,
    said: Vec<f64>,
    both: Vec<f64>,
}

/// A name that was due with one that was said, either perhaps none.
pub(crate) type Named<'a> = (Option<&'a str>, Option<&'a str>);

/// Numbers names, 0 for none.
#[derive(Debug)]
pub(crate) struct Names<'a>(HashMap<Option<&'a str>, usize>);

impl Default for Names<'_> {
    fn default() -> Self {
        Self(HashMap::from([(None, 0)]))
    }
}

impl<'a> Names<'a> {
    pub(crate) fn number(&mut self, name: Option<&'a str>) -> usize {
        let next = self.0.len();
        *self.0.entry(name).or_insert(next)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl Counts {
    /// Counts pairs of numbers below `n_names`.
    pub(crate) fn of(pairs: &[(usize, usize)], n_names: usize) -> Self {
        let zeros = || vec![0.0; n_names];
        let mut counts = Self { due: zeros(), said: zeros(), both: zeros() };
        for (due, said) in pairs {
            counts.due[*due] += 1.0;
            counts.said[*said] += 1.0;
            if due == said {
                counts.both[*due] += 1.0;
            }
        }
        counts
    }
}

impl Pairs {
    pub(crate) fn of<'a>(all: impl Iterator<Item = Named<'a>>) -> Self {
        let mut names = Names::default();
        let pairs =
            all.map(|(due, said)| (names.number(due), names.number(said))).collect::<Vec<_>>();
        Self { pairs, n_names: names.len() }
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
            let drawn = indices.iter().filter_map(|i| self.pairs.get(*i).copied());
            of(&Counts::of(&drawn.collect::<Vec<_>>(), self.n_names))
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

/// Estimates Cohen's kappa of two who each say yes or no.
pub fn kappa_of(pairs: &[(bool, bool)]) -> Option<Estimate> {
    let name = |yes: bool| yes.then_some("yes");
    Pairs::of(pairs.iter().map(|(first, second)| (name(*first), name(*second)))).estimate(kappa)
}

/// Cohen's kappa: agreement beyond what the two would reach by chance, 1 at most (Cohen 1960).
pub(crate) fn kappa(counts: &Counts) -> Option<f64> {
    let n: f64 = counts.due.iter().sum();
    let chance: f64 = counts.due.iter().zip(&counts.said).map(|(a, b)| a * b / (n * n)).sum();
    let agreed: f64 = counts.both.iter().sum::<f64>() / n;
    (chance < 1.0).then(|| (agreed - chance) / (1.0 - chance))
}

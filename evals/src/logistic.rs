//! Which weights turn observations into the probability of being right?
//!
//! [`fit`] standardises the observations, chooses the penalty by cross-validation over groups of
//! rows, and fits. [`Fit::out_of_fold`] is what an unseen question would have been given: neither
//! the weights nor the penalty behind a row's probability have seen the row or its group.

mod newton;

use crate::interval::below;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::collections::{BTreeMap, BTreeSet};

/// One judged case.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What was observed, in the order of the [`Feature`]s.
    pub features: Vec<f64>,
    /// Whether it turned out right.
    pub right: bool,
    /// How much the row counts, 0 or more; only the ratios matter.
    pub weight: f64,
    /// Rows of one group (one question, one conversation) are never on both sides of a fold.
    pub group: usize,
}

/// An observation and what is known about its direction beforehand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feature {
    /// Its name, for messages.
    pub name: String,
    /// Which way it may point.
    pub direction: Direction,
}

/// Which way a [`Feature`] may point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Either.
    Free,
    /// More of it never makes "right" less likely.
    Rising,
    /// More of it never makes "right" more likely.
    Falling,
}

/// How to fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Penalties to choose from, each above 0: the objective is the mean log-loss plus half the
    /// penalty times the sum of the squared weights.
    pub penalties: Vec<f64>,
    /// Number of folds, 2 or more; fewer are made when there are fewer groups.
    pub n_folds: usize,
    /// Start of the random numbers that deal groups to folds.
    pub seed: u64,
}

impl Default for Options {
    /// From almost none to one that leaves little but the share of right rows.
    fn default() -> Self {
        Self { penalties: vec![0.0001, 0.001, 0.003, 0.01, 0.03, 0.1, 1.0], n_folds: 5, seed: 0 }
    }
}

/// A fitted model. The log-odds of being right are the intercept plus, for each feature, its weight
/// times its distance from the mean in deviations, which is held within ±[`DISTANCE_MAX`].
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// Log-odds of average features.
    pub intercept: f64,
    /// One a feature, 0 for a feature that never varies.
    pub weights: Vec<f64>,
    /// Mean of each feature over the rows.
    pub means: Vec<f64>,
    /// Standard deviation of each feature over the rows; 1 for a feature that never varies.
    pub deviations: Vec<f64>,
    /// The penalty that was chosen on all rows.
    pub penalty: f64,
    /// Probability of each row by a fit to the other folds, whose penalty was chosen within them.
    pub out_of_fold: Vec<f64>,
}

/// Rows or options cannot be fitted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FitError {
    /// There is nothing to tell apart.
    #[error(
        "a fit needs right and wrong cases of weight above 0, these are {n_right} right and {n_wrong} wrong; add cases of the missing kind"
    )]
    OneOutcome {
        /// Number of right rows.
        n_right: usize,
        /// Number of wrong rows.
        n_wrong: usize,
    },
    /// Nothing is left to test on.
    #[error(
        "cross-validation needs at least two groups of cases and two folds, there are {n_groups} and {n_folds}; add cases of other questions"
    )]
    TooFewGroups {
        /// Number of groups.
        n_groups: usize,
        /// Number of folds that were asked for.
        n_folds: usize,
    },
    /// A row is not usable.
    #[error("row {row}: {what}; mend how it was observed")]
    Row {
        /// Its index.
        row: usize,
        /// What is wrong with it.
        what: String,
    },
    /// No penalty is usable.
    #[error("penalties must be finite numbers above 0, and at least one; {0:?} is not")]
    Penalties(String),
}

/// Distances from the mean beyond this many deviations count as this many, in the fit as where it
/// is used (`router::Calibration`): there are no cases to learn from further out.
pub const DISTANCE_MAX: f64 = 4.0;

/// Keeps the intercept finite when a fold holds one outcome only; far too small to show otherwise.
const PENALTY_OF_INTERCEPT: f64 = 1e-6;

/// Fits `rows` by logistic regression (Cox 1958) with an L2 penalty, by projected Newton steps
/// (Bertsekas 1982) that respect the features' directions.
///
/// # Errors
/// All of [`FitError`].
pub fn fit(rows: &[Row], features: &[Feature], options: &Options) -> Result<Fit, FitError> {
    check(rows, features, options)?;
    let folds = deal(rows, options);
    let n_folds = folds.iter().max().map_or(0, |last| last + 1);
    let directions: Vec<Direction> = features.iter().map(|feature| feature.direction).collect();
    let trial = Trial { rows, folds: &folds, n_folds, directions: &directions };
    let mut out_of_fold = vec![0.0; rows.len()];
    for fold in 0..n_folds {
        let penalty = trial.best_penalty(&options.penalties, Some(fold));
        let model = trial.model(penalty, &[fold]);
        for ((row, of), probability) in rows.iter().zip(&folds).zip(&mut out_of_fold) {
            if *of == fold {
                *probability = probability_of(model.log_odds(&row.features));
            }
        }
    }
    let penalty = trial.best_penalty(&options.penalties, None);
    let model = trial.model(penalty, &[]);
    let Model { scale: Scale { means, deviations }, intercept, weights } = model;
    Ok(Fit { intercept, weights, means, deviations, penalty, out_of_fold })
}

impl Fit {
    /// Returns the probability of being right for features in the order of the fit; absent ones
    /// count as average.
    pub fn probability(&self, features: &[f64]) -> f64 {
        let distances = distances(features, &self.means, &self.deviations);
        probability_of(self.intercept + dot(&self.weights, distances))
    }
}

fn check(rows: &[Row], features: &[Feature], options: &Options) -> Result<(), FitError> {
    let bad = options.penalties.iter().find(|penalty| !(penalty.is_finite() && **penalty > 0.0));
    if let Some(bad) = bad {
        return Err(FitError::Penalties(bad.to_string()));
    }
    if options.penalties.is_empty() {
        return Err(FitError::Penalties("none".into()));
    }
    for (row, found) in rows.iter().enumerate() {
        let wrong = |what: String| Err(FitError::Row { row, what });
        if found.features.len() != features.len() {
            return wrong(format!(
                "has {} observations, not {}",
                found.features.len(),
                features.len()
            ));
        }
        if !(found.weight.is_finite() && found.weight >= 0.0) {
            return wrong(format!("its weight {} is not 0 or more", found.weight));
        }
        // The square must be finite too, for the deviation.
        let unusable =
            found.features.iter().position(|value| value.is_nan() || value.abs() >= 1e150);
        if let Some(feature) = unusable.and_then(|i| features.get(i)) {
            return wrong(format!("{:?} is not a usable number", feature.name));
        }
    }
    let count = |right| rows.iter().filter(|row| row.right == right && row.weight > 0.0).count();
    let (n_right, n_wrong) = (count(true), count(false));
    if n_right == 0 || n_wrong == 0 {
        return Err(FitError::OneOutcome { n_right, n_wrong });
    }
    let n_groups = rows.iter().map(|row| row.group).collect::<BTreeSet<_>>().len();
    if n_groups < 2 || options.n_folds < 2 {
        return Err(FitError::TooFewGroups { n_groups, n_folds: options.n_folds });
    }
    Ok(())
}

/// Deals whole groups to folds so that each fold gets its part of the right and of the wrong rows:
/// the largest groups first, each to the fold that has least of what the group brings.
fn deal(rows: &[Row], options: &Options) -> Vec<usize> {
    let mut sizes: BTreeMap<usize, [f64; 2]> = BTreeMap::new();
    let mut totals = [0.0_f64; 2];
    for row in rows {
        let side = usize::from(row.right);
        sizes.entry(row.group).or_default()[side] += 1.0;
        totals[side] += 1.0;
    }
    let mut groups: Vec<(usize, [f64; 2])> = sizes.into_iter().collect();
    let mut random = ChaCha8Rng::seed_from_u64(options.seed);
    for i in (1..groups.len()).rev() {
        groups.swap(i, below(i + 1, &mut random));
    }
    groups.sort_by(|(_, a), (_, b)| (b[0] + b[1]).total_cmp(&(a[0] + a[1])));
    let mut held = vec![[0.0_f64; 2]; options.n_folds.min(groups.len())];
    let mut fold_of = BTreeMap::new();
    for (group, size) in groups {
        // What the sum of squared parts grows by, but for what is the same in every fold.
        let cost = |held: &[f64; 2]| {
            (0..2).map(|side| held[side] * size[side] / totals[side].max(1.0).powi(2)).sum::<f64>()
        };
        let all = |held: &[f64; 2]| held[0] + held[1];
        let by_cost = |(_, a): &(usize, &[f64; 2]), (_, b): &(usize, &[f64; 2])| {
            cost(a).total_cmp(&cost(b)).then(all(a).total_cmp(&all(b)))
        };
        let fold = held.iter().enumerate().min_by(by_cost).map_or(0, |(fold, _)| fold);
        held[fold][0] += size[0];
        held[fold][1] += size[1];
        fold_of.insert(group, fold);
    }
    rows.iter().map(|row| fold_of.get(&row.group).copied().unwrap_or_default()).collect()
}

struct Trial<'a> {
    rows: &'a [Row],
    /// The fold of each row.
    folds: &'a [usize],
    n_folds: usize,
    directions: &'a [Direction],
}

impl Trial<'_> {
    /// Fits the rows outside the folds `without`.
    fn model(&self, penalty: f64, without: &[usize]) -> Model {
        let rows = self.rows.iter().zip(self.folds).filter(|(_, fold)| !without.contains(fold));
        Model::fit(&rows.map(|(row, _)| row).collect::<Vec<_>>(), self.directions, penalty)
    }

    /// Chooses the penalty with the least log-loss on folds that were left out in turn, the largest
    /// of equals, never looking at the fold `unseen`.
    fn best_penalty(&self, penalties: &[f64], unseen: Option<usize>) -> f64 {
        let mut sorted = penalties.to_vec();
        sorted.sort_by(|a, b| b.total_cmp(a));
        let inner = (0..self.n_folds).filter(|fold| Some(*fold) != unseen).count();
        let mut best = (f64::INFINITY, sorted.first().copied().unwrap_or(1.0));
        // With one fold to see, nothing can be left out: the strongest penalty is the safe one.
        for penalty in sorted.iter().filter(|_| inner > 1) {
            let loss = (0..self.n_folds)
                .filter(|fold| Some(*fold) != unseen)
                .map(|fold| self.loss_on(fold, *penalty, unseen))
                .sum::<f64>();
            if loss < best.0 - 1e-9 {
                best = (loss, *penalty);
            }
        }
        best.1
    }

    fn loss_on(&self, fold: usize, penalty: f64, unseen: Option<usize>) -> f64 {
        let without: Vec<usize> = unseen.into_iter().chain([fold]).collect();
        let model = self.model(penalty, &without);
        let rows = self.rows.iter().zip(self.folds).filter(|(_, of)| **of == fold);
        rows.map(|(row, _)| row.weight * loss_of(model.log_odds(&row.features), row.right)).sum()
    }
}

struct Scale {
    means: Vec<f64>,
    deviations: Vec<f64>,
}

impl Scale {
    fn of(rows: &[&Row], n_features: usize) -> Self {
        let total: f64 = rows.iter().map(|row| row.weight).sum();
        let mut means = vec![0.0; n_features];
        let mut deviations = vec![0.0; n_features];
        for row in rows {
            for (mean, value) in means.iter_mut().zip(&row.features) {
                *mean += row.weight / total * value;
            }
        }
        for row in rows {
            for ((deviation, mean), value) in deviations.iter_mut().zip(&means).zip(&row.features) {
                *deviation += row.weight / total * (value - mean).powi(2);
            }
        }
        for (deviation, mean) in deviations.iter_mut().zip(&means) {
            *deviation = deviation.sqrt();
            // What is left of a constant is rounding.
            if deviation.is_nan() || *deviation <= 1e-9 * mean.abs().max(1e-12) {
                *deviation = 0.0;
            }
        }
        Self { means, deviations }
    }
}

struct Model {
    scale: Scale,
    intercept: f64,
    weights: Vec<f64>,
}

impl Model {
    /// Fits the rows of weight above 0; without any, the model knows nothing and says one half.
    fn fit(rows: &[&Row], directions: &[Direction], penalty: f64) -> Self {
        let rows: Vec<&Row> = rows.iter().copied().filter(|row| row.weight > 0.0).collect();
        let mut scale = Scale::of(&rows, directions.len());
        let total: f64 = rows.iter().map(|row| row.weight).sum();
        let mut cases = Vec::with_capacity(rows.len());
        for row in &rows {
            let mut x = vec![1.0];
            x.extend(distances(&row.features, &scale.means, &scale.deviations));
            cases.push(newton::Case { x, right: row.right, weight: row.weight / total });
        }
        let mut signs = vec![0.0];
        signs.extend(directions.iter().map(|direction| match direction {
            Direction::Free => 0.0,
            Direction::Rising => 1.0,
            Direction::Falling => -1.0,
        }));
        let mut penalties = vec![PENALTY_OF_INTERCEPT];
        penalties.resize(signs.len(), penalty);
        let mut weights = newton::minimise(&newton::Problem { cases, signs, penalties });
        let intercept = weights.remove(0);
        for deviation in scale.deviations.iter_mut().filter(|deviation| **deviation == 0.0) {
            *deviation = 1.0;
        }
        Self { scale, intercept, weights }
    }

    fn log_odds(&self, features: &[f64]) -> f64 {
        self.intercept
            + dot(&self.weights, distances(features, &self.scale.means, &self.scale.deviations))
    }
}

fn distances<'a>(
    features: &'a [f64],
    means: &'a [f64],
    deviations: &'a [f64],
) -> impl Iterator<Item = f64> + 'a {
    features.iter().zip(means).zip(deviations).map(|((value, mean), deviation)| {
        if *deviation > 0.0 {
            ((value - mean) / deviation).clamp(-DISTANCE_MAX, DISTANCE_MAX)
        } else {
            0.0
        }
    })
}

fn dot(weights: &[f64], values: impl Iterator<Item = f64>) -> f64 {
    weights.iter().zip(values).map(|(weight, value)| weight * value).sum()
}

fn probability_of(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

/// Log-loss in nats, without overflow: the softplus of the log-odds of what did not happen.
fn loss_of(log_odds: f64, right: bool) -> f64 {
    let against = if right { -log_odds } else { log_odds };
    against.max(0.0) + (-against.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests;

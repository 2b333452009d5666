//! How far can stated confidences be trusted?

use crate::{
    calibrate::Kind,
    interval::{Estimate, Resampling, below, statistic},
    measures::{
        Judged, ReliabilityBin, RiskPoint, auroc, brier, calibration_error, reliability,
        risk_coverage,
    },
};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use serde::Serialize;
use std::fmt;

/// A question with the confidence in its draft.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question {
    pub(crate) confidence: f64,
    pub(crate) right: bool,
    pub(crate) kind: Kind,
}

/// What a confidence is to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// Whether the draft is right.
    Right,
    /// Whether the question can be answered at all.
    Answerable,
}

impl Target {
    pub(crate) fn is_met(self, right: bool, kind: Kind) -> bool {
        match self {
            Self::Right => right,
            Self::Answerable => kind == Kind::Answerable,
        }
    }
}

/// Figures of confidences against what turned out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Examination {
    /// Drafts that were judged.
    pub n: usize,
    /// Part of them of which it is true.
    pub right: f64,
    /// Whether true ones get more confidence than others; 0.5 is chance.
    pub auroc: Estimate,
    /// The same between questions that can be answered and those that the articles do not answer.
    pub auroc_answerable: Option<f64>,
    /// The same between questions that can be answered and those that say too little.
    pub auroc_vague: Option<f64>,
    /// Mean squared error of the probability.
    pub brier: f64,
    /// Mean distance between stated and met probability, over ten bins of like size.
    pub calibration_error: f64,
    /// What that distance would be on as many cases if every probability were true: with few cases
    /// in a bin, chance alone makes one.
    pub chance_error: f64,
    /// Chance of so large a distance if every probability were true.
    pub chance_p: f64,
    /// Root of the squared distance less what chance adds to it (Kumar, Liang and Ma 2019); 0 where
    /// nothing is left.
    pub debiased_error: f64,
    /// Stated and met probability, bin by bin.
    pub reliability: Vec<ReliabilityBin>,
    /// What each threshold would buy and cost.
    pub risk_coverage: Vec<RiskPoint>,
}

const N_BINS: usize = 10;
/// Draws behind [`Examination::chance_error`]: enough for two digits.
const N_DRAWS: usize = 400;

/// Judges confidences; `None` without cases of both outcomes.
pub(crate) fn examine(questions: &[Question], target: Target) -> Option<Examination> {
    let judged: Vec<Judged> = questions
        .iter()
        .map(|q| Judged { confidence: q.confidence, right: target.is_met(q.right, q.kind) })
        .collect();
    let against = |kinds: &[Kind]| {
        let seen =
            questions.iter().filter(|q| q.kind == Kind::Answerable || kinds.contains(&q.kind));
        let judged: Vec<Judged> = seen
            .map(|q| Judged { confidence: q.confidence, right: q.kind == Kind::Answerable })
            .collect();
        auroc(&judged)
    };
    let drawn = |places: &[usize]| {
        auroc(&places.iter().filter_map(|place| judged.get(*place).copied()).collect::<Vec<_>>())
    };
    let interval = statistic(judged.len(), Resampling::default(), drawn);
    // With too few cases for an interval it is the widest.
    let value = auroc(&judged)?;
    let widest = Estimate { value, low: 0.0, high: 1.0, n: judged.len() };
    let calibration_error = calibration_error(&judged, N_BINS)?;
    let chance = chance_errors(&judged)?;
    let n_larger = chance.iter().filter(|error| **error >= calibration_error).count();
    Some(Examination {
        n: judged.len(),
        right: judged.iter().filter(|j| j.right).count() as f64 / judged.len() as f64,
        auroc: interval.unwrap_or(widest),
        auroc_answerable: against(&[Kind::Unanswerable, Kind::NearMiss]),
        auroc_vague: against(&[Kind::Vague]),
        brier: brier(&judged)?,
        calibration_error,
        chance_error: chance.iter().sum::<f64>() / chance.len() as f64,
        chance_p: (n_larger as f64 + 1.0) / (chance.len() as f64 + 1.0),
        debiased_error: debiased_error(&judged)?,
        reliability: reliability(&judged, N_BINS)?,
        risk_coverage: risk_coverage(&judged)?,
    })
}

/// Draws outcomes from the confidences themselves and measures the calibration error of each draw
/// (consistency resampling, Bröcker and Smith 2007).
fn chance_errors(judged: &[Judged]) -> Option<Vec<f64>> {
    const FINE: usize = 1 << 40;
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let mut drawn = judged.to_vec();
    let mut errors = Vec::with_capacity(N_DRAWS);
    for _ in 0..N_DRAWS {
        for case in &mut drawn {
            case.right = (below(FINE, &mut random) as f64) < case.confidence * FINE as f64;
        }
        errors.push(calibration_error(&drawn, N_BINS)?);
    }
    Some(errors)
}

fn debiased_error(judged: &[Judged]) -> Option<f64> {
    let bins = reliability(judged, N_BINS)?;
    let squares = bins.iter().map(|bin| {
        let (met, n) = (bin.right.value, bin.right.n as f64);
        let chance = met * (1.0 - met) / (n - 1.0).max(1.0);
        n * ((bin.confidence - met).powi(2) - chance)
    });
    Some((squares.sum::<f64>() / judged.len() as f64).max(0.0).sqrt())
}

impl fmt::Display for Examination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { auroc, brier, calibration_error, chance_error, n, right, .. } = self;
        write!(f, "AUROC {:.3} [{:.3}, {:.3}], ", auroc.value, auroc.low, auroc.high)?;
        let apart = [("unanswerable", self.auroc_answerable), ("vague", self.auroc_vague)];
        for (name, auroc) in apart {
            if let Some(auroc) = auroc {
                write!(f, "against {name} {auroc:.3}, ")?;
            }
        }
        write!(f, "Brier {brier:.3}, calibration error {calibration_error:.3} ")?;
        write!(f, "(chance alone {chance_error:.3}, p {:.2}; ", self.chance_p)?;
        write!(f, "without chance {:.3}) ", self.debiased_error)?;
        write!(f, "on {n} drafts, {:.0} % of them right", 100.0 * right)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Confidences over the whole range, of which `truth` is the probability.
    fn questions(n: usize, truth: impl Fn(f64) -> f64) -> Vec<Question> {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let mut uniform = || below(1_000_000, &mut random) as f64 / 1e6;
        let mut one = || {
            let confidence = uniform();
            Question { confidence, right: uniform() < truth(confidence), kind: Kind::Answerable }
        };
        (0..n).map(|_| one()).collect()
    }

    #[test]
    fn true_probabilities_err_no_more_than_chance() {
        let found = examine(&questions(600, |p| p), Target::Right).unwrap();
        assert!(found.chance_p > 0.05, "{found}");
        assert!((found.calibration_error - found.chance_error).abs() < 0.02, "{found}");
        assert!(found.debiased_error < 0.04, "{found}");
    }

    #[test]
    fn exaggeration_is_told_from_chance() {
        let found = examine(&questions(600, |p| 0.25 + p / 2.0), Target::Right).unwrap();
        assert!(found.chance_p < 0.01, "{found}");
        // The root mean square of (p - 1/2) / 2 for p even between 0 and 1.
        assert!((found.debiased_error - 0.144).abs() < 0.04, "{found}");
    }
}

//! The weights of least penalised log-loss, with signs held where they must be.
//!
//! Projected Newton (Bertsekas 1982, "Projected Newton methods for optimization problems with
//! simple constraints"): weights at their bound that would leave it move by their own curvature
//! alone, all others by the Newton step of iteratively reweighted least squares; the step is halved
//! until the objective falls enough (Armijo). The objective is strictly convex, so there is one
//! minimum and the method reaches it from anywhere.

use super::{dot, loss_of, probability_of};

/// One row, ready for the solver.
pub(super) struct Case {
    /// As many values as there are weights.
    pub(super) x: Vec<f64>,
    pub(super) right: bool,
    pub(super) weight: f64,
}

pub(super) struct Problem {
    pub(super) cases: Vec<Case>,
    /// 1 where a weight must not be negative, -1 where it must not be positive, else 0.
    pub(super) signs: Vec<f64>,
    /// Above 0, one a weight.
    pub(super) penalties: Vec<f64>,
}

/// Newton doubles the correct digits a step; whoever needs more is at the limit of rounding.
const N_STEPS_MAX: usize = 100;
const N_HALVINGS_MAX: usize = 50;
/// Slope below which a weight is as good as at its minimum, in nats a row and deviation.
const SLOPE_MIN: f64 = 1e-9;
/// Distance from a bound within which a weight counts as lying on it.
const NEAR_BOUND: f64 = 1e-6;
/// Share of the promised decrease that a step must bring (Armijo's usual constant).
const DECREASE_SHARE: f64 = 1e-4;

/// Returns the weights of the minimum.
pub(super) fn minimise(problem: &Problem) -> Vec<f64> {
    let mut weights = vec![0.0; problem.signs.len()];
    let mut value = problem.value(&weights);
    for _ in 0..N_STEPS_MAX {
        let slopes = problem.slopes(&weights);
        if problem.residual(&weights, &slopes) < SLOPE_MIN {
            break;
        }
        let held: Vec<bool> = (0..weights.len())
            .map(|j| {
                problem.signs[j] * weights[j] <= NEAR_BOUND && problem.signs[j] * slopes[j] > 0.0
            })
            .collect();
        let step = solve(problem.curvature(&weights, &held), &slopes);
        let Some((next, less)) = problem.descend(&weights, value, &Step { slopes, held, step })
        else {
            break;
        };
        (weights, value) = (next, less);
    }
    weights
}

struct Step {
    slopes: Vec<f64>,
    held: Vec<bool>,
    step: Vec<f64>,
}

impl Problem {
    fn value(&self, weights: &[f64]) -> f64 {
        let loss =
            |case: &Case| case.weight * loss_of(dot(weights, case.x.iter().copied()), case.right);
        let squares =
            self.penalties.iter().zip(weights).map(|(penalty, weight)| penalty * weight * weight);
        self.cases.iter().map(loss).sum::<f64>() + squares.sum::<f64>() / 2.0
    }

    fn slopes(&self, weights: &[f64]) -> Vec<f64> {
        let mut slopes: Vec<f64> = self.penalties.iter().zip(weights).map(|(p, w)| p * w).collect();
        for case in &self.cases {
            let outcome = if case.right { 1.0 } else { 0.0 };
            let error =
                case.weight * (probability_of(dot(weights, case.x.iter().copied())) - outcome);
            for (slope, x) in slopes.iter_mut().zip(&case.x) {
                *slope += error * x;
            }
        }
        slopes
    }

    /// Second derivatives up to the diagonal, the held weights' off the diagonal left out; positive
    /// definite.
    fn curvature(&self, weights: &[f64], held: &[bool]) -> Vec<Vec<f64>> {
        let n = weights.len();
        let mut curvature = vec![vec![0.0; n]; n];
        for case in &self.cases {
            let p = probability_of(dot(weights, case.x.iter().copied()));
            let scale = case.weight * p * (1.0 - p);
            for (j, (line, x)) in curvature.iter_mut().zip(&case.x).enumerate() {
                let scaled = scale * x;
                for (cell, y) in line.iter_mut().zip(&case.x).take(j + 1) {
                    *cell += scaled * y;
                }
            }
        }
        for (j, line) in curvature.iter_mut().enumerate() {
            for (k, cell) in line.iter_mut().enumerate().take(j + 1) {
                if j == k {
                    *cell += self.penalties[j];
                } else if held[j] || held[k] {
                    *cell = 0.0;
                }
            }
        }
        curvature
    }

    /// Puts weights on the wrong side of their bound onto it.
    fn project(&self, weights: &mut [f64]) {
        for (weight, sign) in weights.iter_mut().zip(&self.signs) {
            if sign * *weight < 0.0 {
                *weight = 0.0;
            }
        }
    }

    /// Largest way that any weight would go by its slope within the bounds; 0 at the minimum.
    fn residual(&self, weights: &[f64], slopes: &[f64]) -> f64 {
        let mut moved: Vec<f64> =
            weights.iter().zip(slopes).map(|(weight, slope)| weight - slope).collect();
        self.project(&mut moved);
        moved.iter().zip(weights).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    }

    /// Goes the step or a half, a quarter… of it; `None` when nothing is to be gained.
    fn descend(&self, weights: &[f64], value: f64, step: &Step) -> Option<(Vec<f64>, f64)> {
        let mut length = 1.0;
        for _ in 0..N_HALVINGS_MAX {
            let mut next: Vec<f64> =
                weights.iter().zip(&step.step).map(|(w, s)| w - length * s).collect();
            self.project(&mut next);
            let promised: f64 = (0..next.len())
                .map(|j| {
                    let way =
                        if step.held[j] { weights[j] - next[j] } else { length * step.step[j] };
                    step.slopes[j] * way
                })
                .sum();
            let less = self.value(&next);
            if value - less >= DECREASE_SHARE * promised && less < value {
                return Some((next, less));
            }
            length /= 2.0;
        }
        None
    }
}

/// Solves `matrix · x = right` for a symmetric positive definite matrix, of which only the part up
/// to the diagonal is read, by Cholesky's method.
fn solve(mut matrix: Vec<Vec<f64>>, right: &[f64]) -> Vec<f64> {
    let n = right.len();
    for j in 0..n {
        for k in 0..=j {
            let known: f64 = (0..k).map(|i| matrix[j][i] * matrix[k][i]).sum();
            let rest = matrix[j][k] - known;
            // Rounding must not make a pivot 0 or negative.
            matrix[j][k] = if j == k { rest.max(1e-14).sqrt() } else { rest / matrix[k][k] };
        }
    }
    let mut x = right.to_vec();
    for j in 0..n {
        let known: f64 = (0..j).map(|i| matrix[j][i] * x[i]).sum();
        x[j] = (x[j] - known) / matrix[j][j];
    }
    for j in (0..n).rev() {
        let known: f64 = (j + 1..n).map(|i| matrix[i][j] * x[i]).sum();
        x[j] = (x[j] - known) / matrix[j][j];
    }
    x
}

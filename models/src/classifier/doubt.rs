//! Is this text about any of the topics at all?
//!
//! A logistic regression on four cues of the topic that comes first. Its weights are those that
//! make seen examples likely, drawn towards what other collections taught (a Gaussian prior), so
//! that it stands where there are too few examples to learn from.

/// What is observed of a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cues {
    /// Log of the mean of the exponential scores (Liu et al. 2020, "Energy-based
    /// Out-of-distribution Detection"): high where any topic speaks up.
    pub(super) energy: f64,
    /// Log of the first topic's share: low where several topics speak up alike.
    pub(super) log_share: f64,
    /// Product with the nearest example of the first topic, 0..=1.
    pub(super) likeness: f64,
    /// How far the topics' scores lie above that of texts about none of them; 0 where no such text
    /// was learnt.
    pub(super) above_none: f64,
}

impl Cues {
    /// Cues of a text where fewer than [`N_TOPICS_MIN`] topics are told apart: their scores say
    /// which, but hardly whether, so the likeness decides. The constants are the means over one
    /// example a topic of the three NATCS collections.
    pub(super) fn without_scores(likeness: f64, above_none: f64) -> Self {
        Self { energy: 0.4, log_share: -1.4, likeness, above_none }
    }

    fn values(self) -> [f64; N] {
        [1.0, self.energy, self.log_share, self.likeness, self.above_none]
    }
}

/// Topics below which scores are no cue.
pub(super) const N_TOPICS_MIN: usize = 4;

const N: usize = 5;
/// Weights of the intercept and the cues on the three NATCS collections: one example of 70 % of the
/// topics, tried on the other examples and on the topics left out, weighed alike. The last is a
/// guess: half of what a score says by itself, as the others say much of it already.
const EXPECTED: [f64; N] = [-0.4, 1.6, 1.7, 4.4, 0.5];
/// How far the weights of other collections and of more examples lie from those.
const DEVIATIONS: [f64; N] = [2.0, 0.8, 1.0, 2.5, 0.5];

/// One text whose truth is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lesson {
    pub(super) cues: Cues,
    pub(super) is_about_a_topic: bool,
    pub(super) weight: f64,
}

/// Gives the probability that a text is about one of the topics.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Doubt(pub(super) [f64; N]);

impl Doubt {
    /// Learns from `lessons`, for a stream of which `none_share` is about no topic.
    pub(super) fn of(lessons: &[Lesson], none_share: f64) -> Self {
        let odds = ((1.0 - none_share) / none_share).ln();
        let mut expected = EXPECTED;
        expected[0] += odds;
        let mut weights = expected;
        // Newton's method; the function is convex and steps are halved, so it ends at the minimum.
        for _ in 0..50 {
            let (value, slopes, curvature) = penalised(lessons, &weights, &expected);
            let step = solve(curvature, slopes);
            let mut length = 1.0;
            let next = loop {
                let next = std::array::from_fn(|j| weights[j] - length * step[j]);
                if length < 1e-6 || penalised(lessons, &next, &expected).0 <= value {
                    break next;
                }
                length /= 2.0;
            };
            let moved = weights.iter().zip(&next).map(|(a, b): (&f64, &f64)| (a - b).abs());
            let is_done = moved.fold(0.0, f64::max) < 1e-9;
            weights = next;
            if is_done {
                break;
            }
        }
        Self(weights)
    }

    /// Probability that the text is about one of the topics.
    pub(super) fn about_a_topic(&self, cues: Cues) -> f64 {
        1.0 / (1.0 + (-log_odds(&self.0, cues)).exp())
    }

    pub(super) fn is_sound(&self) -> bool {
        self.0.iter().all(|weight| weight.is_finite())
    }
}

fn log_odds(weights: &[f64; N], cues: Cues) -> f64 {
    weights.iter().zip(cues.values()).map(|(weight, value)| weight * value).sum()
}

/// Returns log-loss and penalty together, their slopes and their second derivatives.
fn penalised(
    lessons: &[Lesson],
    weights: &[f64; N],
    expected: &[f64; N],
) -> (f64, [f64; N], [[f64; N]; N]) {
    let (mut value, mut slopes, mut curvature) = (0.0, [0.0; N], [[0.0; N]; N]);
    for j in 0..N {
        let off = (weights[j] - expected[j]) / DEVIATIONS[j];
        value += off * off / 2.0;
        slopes[j] = off / DEVIATIONS[j];
        curvature[j][j] = DEVIATIONS[j].powi(-2);
    }
    for lesson in lessons {
        let odds = log_odds(weights, lesson.cues);
        let against = if lesson.is_about_a_topic { -odds } else { odds };
        value += lesson.weight * (against.max(0.0) + (-against.abs()).exp().ln_1p());
        let share = 1.0 / (1.0 + (-odds).exp());
        let error = share - if lesson.is_about_a_topic { 1.0 } else { 0.0 };
        let x = lesson.cues.values();
        for j in 0..N {
            slopes[j] += lesson.weight * error * x[j];
            for k in 0..N {
                curvature[j][k] += lesson.weight * share * (1.0 - share) * x[j] * x[k];
            }
        }
    }
    (value, slopes, curvature)
}

/// Solves `matrix · x = right` for a symmetric positive definite matrix by elimination, which needs
/// no pivots there.
fn solve(mut matrix: [[f64; N]; N], mut right: [f64; N]) -> [f64; N] {
    for j in 0..N {
        let (pivot, of_pivot) = (matrix[j], right[j]);
        for k in j + 1..N {
            let factor = matrix[k][j] / pivot[j];
            matrix[k].iter_mut().zip(pivot).for_each(|(cell, above)| *cell -= factor * above);
            right[k] -= factor * of_pivot;
        }
    }
    for j in (0..N).rev() {
        let known: f64 = (j + 1..N).map(|k| matrix[j][k] * right[k]).sum();
        right[j] = (right[j] - known) / matrix[j][j];
    }
    right
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lessons(n: usize) -> Vec<Lesson> {
        (0..n)
            .flat_map(|i| {
                let likeness = i as f64 / n as f64;
                [true, false].map(|about| Lesson {
                    cues: Cues::without_scores(
                        if about { 0.5 + likeness / 2.0 } else { likeness / 1.5 },
                        0.0,
                    ),
                    is_about_a_topic: about,
                    weight: 1.0,
                })
            })
            .collect()
    }

    #[test]
    fn without_lessons_it_holds_what_was_expected() {
        assert_eq!(Doubt::of(&[], 0.5), Doubt(EXPECTED));
    }

    #[test]
    fn more_likeness_means_less_doubt_and_a_rarer_none_too() {
        let (even, rare) = (Doubt::of(&lessons(200), 0.5), Doubt::of(&[], 0.1));
        let at = |doubt: &Doubt, likeness| doubt.about_a_topic(Cues::without_scores(likeness, 0.0));
        assert!(at(&even, 0.9) > 0.8 && at(&even, 0.1) < 0.2, "{even:?}");
        assert!(at(&rare, 0.5) > at(&Doubt::of(&[], 0.5), 0.5));
    }
}

//! Where is a smooth convex function of very many numbers lowest?
//!
//! L-BFGS (Nocedal 1980, "Updating Quasi-Newton Matrices with Limited Storage") with steps halved
//! until the value falls enough (Armijo). It is written out here because the weights are one f32
//! slice of up to a million numbers: linfa's regression takes dense f64 rows only, and argmin would
//! bring thirty crates for these lines.

use super::rows::{add_scaled, dot};
use std::collections::VecDeque;

/// Steps remembered; more than a few buy little (Liu and Nocedal 1989).
const N_REMEMBERED: usize = 8;
const N_HALVINGS_MAX: usize = 20;
/// Share of the promised decrease that a step must bring (Armijo's usual constant).
const DECREASE_SHARE: f64 = 1e-4;
/// Relative decrease of one step below which no accuracy is gained any more.
const DECREASE_MIN: f64 = 1e-6;

struct Remembered {
    step: Vec<f32>,
    change: Vec<f32>,
    /// One over their product.
    scale: f64,
}

/// Returns the lowest point that at most `n_steps` steps from 0 reach. `of` returns the value at a
/// point and writes the slopes there.
pub(super) fn minimise(
    n_weights: usize,
    n_steps: usize,
    mut of: impl FnMut(&[f32], &mut [f32]) -> f64,
) -> Vec<f32> {
    let mut at = vec![0.0; n_weights];
    let mut slopes = vec![0.0; n_weights];
    let mut value = of(&at, &mut slopes);
    let mut memory: VecDeque<Remembered> = VecDeque::with_capacity(N_REMEMBERED);
    let (mut next, mut next_slopes) = (at.clone(), slopes.clone());
    for _ in 0..n_steps {
        let way = downhill(&slopes, &memory);
        let promise = dot(&way, &slopes);
        // Also ends the search where the slopes are 0, or not a number.
        if promise.is_nan() || promise >= 0.0 {
            break;
        }
        let mut length = if memory.is_empty() { 1.0 / dot(&slopes, &slopes).sqrt() } else { 1.0 };
        let mut next_value = f64::INFINITY;
        for _ in 0..N_HALVINGS_MAX {
            next.copy_from_slice(&at);
            add_scaled(&mut next, &way, length as f32);
            next_value = of(&next, &mut next_slopes);
            if next_value <= value + DECREASE_SHARE * length * promise {
                break;
            }
            length /= 2.0;
        }
        let gain = value - next_value;
        if gain.is_nan() || gain <= 0.0 {
            break;
        }
        remember(&mut memory, difference(&next, &at), difference(&next_slopes, &slopes));
        std::mem::swap(&mut at, &mut next);
        std::mem::swap(&mut slopes, &mut next_slopes);
        value = next_value;
        if gain < DECREASE_MIN * value.abs() {
            break;
        }
    }
    at
}

fn difference(a: &[f32], b: &[f32]) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

fn remember(memory: &mut VecDeque<Remembered>, step: Vec<f32>, change: Vec<f32>) {
    let product = dot(&step, &change);
    if product > 0.0 {
        if memory.len() == N_REMEMBERED {
            memory.pop_front();
        }
        memory.push_back(Remembered { step, change, scale: 1.0 / product });
    }
}

/// The two-loop recursion: the slopes, turned and scaled by what the remembered steps say about
/// the curvature.
fn downhill(slopes: &[f32], memory: &VecDeque<Remembered>) -> Vec<f32> {
    let mut way: Vec<f32> = slopes.iter().map(|slope| -slope).collect();
    let mut shares = Vec::with_capacity(memory.len());
    for past in memory.iter().rev() {
        let share = past.scale * dot(&past.step, &way);
        add_scaled(&mut way, &past.change, -share as f32);
        shares.push(share);
    }
    if let Some(last) = memory.back() {
        let size = (1.0 / (last.scale * dot(&last.change, &last.change))) as f32;
        way.iter_mut().for_each(|w| *w *= size);
    }
    for (past, share) in memory.iter().zip(shares.into_iter().rev()) {
        let other = past.scale * dot(&past.change, &way);
        add_scaled(&mut way, &past.step, (share - other) as f32);
    }
    way
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrow_bowl_is_descended_to_its_ground() {
        let found = minimise(9, 200, |at, slopes| {
            (0..9)
                .map(|i| {
                    let (steep, far) = (f64::from(1 << i), f64::from(at[i] - i as f32));
                    slopes[i] = (steep * far) as f32;
                    steep * far * far / 2.0
                })
                .sum()
        });
        for (i, at) in found.iter().enumerate() {
            assert!((at - i as f32).abs() < 1e-2, "{found:?}");
        }
    }

    #[test]
    fn a_point_without_slope_is_kept() {
        assert_eq!(
            minimise(2, 10, |_, slopes| {
                slopes.fill(0.0);
                1.0
            }),
            [0.0, 0.0]
        );
        assert_eq!(
            minimise(1, 10, |_, slopes| {
                slopes.fill(f32::NAN);
                f64::NAN
            }),
            [0.0]
        );
    }
}

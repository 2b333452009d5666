//! How sure is a figure, given how few cases are behind it?

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use serde::Serialize;

/// A figure with its 95 % confidence interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The figure itself, from all cases.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
    /// Number of cases behind it.
    pub n: usize,
}

/// How often and from which seed cases are drawn again. The same numbers give the same interval,
/// on every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resampling {
    /// Number of resamples; 1,000 place the ends of an interval to about a tenth of its width.
    pub n_resamples: usize,
    /// Start of the random numbers.
    pub seed: u64,
}

impl Default for Resampling {
    fn default() -> Self {
        Self { n_resamples: 1_000, seed: 0 }
    }
}

/// The mean difference of two systems over the same cases.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Difference {
    /// The second's mean less the first's.
    pub estimate: Estimate,
    /// Two-sided probability of a difference at least as large when the systems are equally good.
    pub p: f64,
}

/// The standard normal's 97.5 % quantile.
pub(crate) const Z: f64 = 1.959_963_984_540_054;

/// A statistic that is undefined on more than this share of the resamples (AUROC without a wrong
/// case, say) has too few cases for an interval.
const UNDEFINED_SHARE_MAX: f64 = 0.1;

/// Estimates a share: `n_yes` of `n` cases. The interval is Wilson's score interval (Wilson 1927;
/// recommended by Brown, Cai and DasGupta 2001), which stays honest near 0 and 1 where a bootstrap
/// collapses to a point. `None` without cases, or when `n_yes` exceeds `n`.
pub fn share(n_yes: usize, n: usize) -> Option<Estimate> {
    if n == 0 || n_yes > n {
        return None;
    }
    let (value, cases) = (n_yes as f64 / n as f64, n as f64);
    let scale = 1.0 + Z * Z / cases;
    let centre = (value + Z * Z / (2.0 * cases)) / scale;
    let half = Z / scale * (value * (1.0 - value) / cases + Z * Z / (4.0 * cases * cases)).sqrt();
    // At 0 and 1 the formula meets the value exactly, but for rounding.
    let (low, high) = ((centre - half).clamp(0.0, value), (centre + half).clamp(value, 1.0));
    Some(Estimate { value, low, high, n })
}

/// Estimates the mean of one number a case by the percentile bootstrap (Efron 1979). For numbers
/// that are all 0 or 1 [`share`] is better. `None` for fewer than two cases, a number that is not
/// finite, or no resamples.
pub fn mean(values: &[f64], resampling: Resampling) -> Option<Estimate> {
    if !values.iter().all(|value| value.is_finite()) {
        return None;
    }
    statistic(values.len(), resampling, |cases| {
        let sum: f64 = cases.iter().filter_map(|i| values.get(*i)).sum();
        Some(sum / cases.len() as f64)
    })
}

/// Estimates any statistic of `n` cases by the percentile bootstrap (Efron 1979). `of` receives
/// indices below `n`, some of them repeatedly, and returns `None` where it is undefined. The whole
/// is `None` for fewer than two cases, without resamples, when the statistic is undefined on all
/// cases, or when it is undefined on more than a tenth of the resamples.
pub fn statistic(
    n: usize,
    resampling: Resampling,
    mut of: impl FnMut(&[usize]) -> Option<f64>,
) -> Option<Estimate> {
    if n < 2 || resampling.n_resamples == 0 {
        return None;
    }
    let cases: Vec<usize> = (0..n).collect();
    let value = of(&cases).filter(|value| value.is_finite())?;
    let found = resampled(n, resampling, of);
    let n_undefined = resampling.n_resamples - found.len();
    if n_undefined as f64 > UNDEFINED_SHARE_MAX * resampling.n_resamples as f64 {
        return None;
    }
    Some(Estimate { value, low: quantile(&found, 0.025)?, high: quantile(&found, 0.975)?, n })
}

/// Returns a statistic of resamples of `n` cases, sorted, those left out where it is undefined.
pub(crate) fn resampled(
    n: usize,
    resampling: Resampling,
    mut of: impl FnMut(&[usize]) -> Option<f64>,
) -> Vec<f64> {
    let mut cases: Vec<usize> = (0..n).collect();
    let mut random = ChaCha8Rng::seed_from_u64(resampling.seed);
    let mut found = Vec::with_capacity(resampling.n_resamples);
    for _ in 0..resampling.n_resamples {
        for case in &mut cases {
            *case = below(n, &mut random);
        }
        found.extend(of(&cases).filter(|value| value.is_finite()));
    }
    found.sort_by(f64::total_cmp);
    found
}

/// Returns the standard deviation, 0 without numbers.
pub(crate) fn deviation(values: &[f64]) -> f64 {
    let n = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / n;
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt()
}

/// Compares two systems by one number each a case, in the same order of cases. The interval is the
/// percentile bootstrap of the paired difference; `p` is Fisher's randomisation test, which draws
/// the sign of each difference anew (recommended for retrieval by Smucker, Allan and Carterette
/// 2007) and, unlike a bootstrap test, does not cry wolf with few cases. `None` when the lengths
/// differ, and wherever [`mean`] is.
pub fn paired_difference(
    first: &[f64],
    second: &[f64],
    resampling: Resampling,
) -> Option<Difference> {
    if first.len() != second.len() {
        return None;
    }
    let differences: Vec<f64> = second.iter().zip(first).map(|(b, a)| b - a).collect();
    let estimate = mean(&differences, resampling)?;
    let sum: f64 = differences.iter().sum();
    // Sums of the same numbers in another order differ by rounding; such a tie counts as one.
    let size: f64 = differences.iter().map(|d| d.abs()).sum();
    let least = sum.abs() - 1e-12 * size;
    let mut random = ChaCha8Rng::seed_from_u64(resampling.seed);
    let n_as_large = (0..resampling.n_resamples)
        .filter(|_| sum_with_random_signs(&differences, &mut random).abs() >= least)
        .count();
    // The observed signs are one of the equally likely draws, so p is never 0.
    let p = (n_as_large + 1) as f64 / (resampling.n_resamples + 1) as f64;
    Some(Difference { estimate, p })
}

/// Draws a number below `n`, 1 or more, by multiplication (Lemire 2019). Its bias of `n` / 2^64
/// is far below what any number of resamples could show.
pub(crate) fn below(n: usize, random: &mut ChaCha8Rng) -> usize {
    ((u128::from(random.next_u64()) * n as u128) >> 64) as usize
}

fn sum_with_random_signs(differences: &[f64], random: &mut ChaCha8Rng) -> f64 {
    let mut sum = 0.0;
    for block in differences.chunks(64) {
        let mut signs = random.next_u64();
        for difference in block {
            sum += if signs & 1 == 0 { *difference } else { -difference };
            signs >>= 1;
        }
    }
    sum
}

/// Returns a quantile of sorted numbers, linear between neighbours (Hyndman and Fan 1996, type 7).
pub(crate) fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let place = share * sorted.len().checked_sub(1)? as f64;
    let (lower, upper) = (sorted.get(place.floor() as usize)?, sorted.get(place.ceil() as usize)?);
    Some(lower + (upper - lower) * place.fract())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn near(found: f64, expected: f64, tolerance: f64) {
        assert!((found - expected).abs() <= tolerance, "{found} is not {expected} ± {tolerance}");
    }

    #[test]
    fn wilson_agrees_with_published_values() {
        // Newcombe 1998, table I, method 3.
        for (n_yes, n, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let found = share(n_yes, n).unwrap();
            near(found.low, low, 5e-5);
            near(found.high, high, 5e-5);
        }
        assert_eq!((share(0, 0), share(3, 2)), (None, None));
        assert_eq!(share(5, 5).unwrap().high, 1.0);
    }

    #[test]
    fn the_bootstrap_of_a_mean_agrees_with_the_normal_theory() {
        let values: Vec<f64> = (0..1_000).map(f64::from).collect();
        let found = mean(&values, Resampling { n_resamples: 2_000, seed: 7 }).unwrap();
        // The deviation of 0..1000 is 288.67, of its mean 9.129.
        near(found.value, 499.5, 1e-9);
        near(found.low, 499.5 - Z * 9.129, 2.0);
        near(found.high, 499.5 + Z * 9.129, 2.0);
        assert_eq!(found.n, 1_000);
    }

    #[test]
    fn one_seed_gives_one_interval() {
        let values: Vec<f64> = (1..30).map(|i| f64::from(i).sqrt()).collect();
        let of = |seed| mean(&values, Resampling { n_resamples: 200, seed }).unwrap();
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
        // Pinned: figures in stored reports must not move with a new version of the generator.
        near(of(1).low, 3.222_315_463_728_163, 1e-9);
    }

    #[test]
    fn what_has_no_interval_has_none() {
        let r = Resampling::default();
        assert_eq!(mean(&[], r), None);
        assert_eq!(mean(&[1.0], r), None);
        assert_eq!(mean(&[1.0, f64::NAN], r), None);
        assert_eq!(mean(&[1.0, 2.0], Resampling { n_resamples: 0, seed: 0 }), None);
        assert_eq!(statistic(10, r, |_| None), None);
        let needs_case_0 = |cases: &[usize]| cases.contains(&0).then_some(1.0);
        assert_eq!(statistic(10, r, needs_case_0), None, "a third of the resamples lack case 0");
        assert_eq!(paired_difference(&[1.0, 2.0], &[1.0], r), None);
    }

    #[test]
    fn a_difference_of_five_in_five_has_the_exact_p() {
        let found =
            paired_difference(&[0.0; 5], &[1.0; 5], Resampling { n_resamples: 20_000, seed: 3 })
                .unwrap();
        near(found.p, 2.0 / 32.0, 0.006);
        near(found.estimate.value, 1.0, 0.0);
    }

    #[test]
    fn equal_systems_do_not_differ() {
        let found =
            paired_difference(&[0.1, 0.7, 0.3], &[0.1, 0.7, 0.3], Resampling::default()).unwrap();
        assert_eq!((found.p, found.estimate.value), (1.0, 0.0));
    }

    #[test]
    fn about_one_in_twenty_equal_pairs_looks_different() {
        let mut random = ChaCha8Rng::seed_from_u64(11);
        let mut draw = |n| (0..n).map(|_| below(2, &mut random) as f64).collect::<Vec<_>>();
        let n_low = (0..400)
            .filter(|seed| {
                let (a, b) = (draw(30), draw(30));
                paired_difference(&a, &b, Resampling { n_resamples: 199, seed: *seed }).unwrap().p
                    <= 0.05
            })
            .count();
        assert!((5..=32).contains(&n_low), "{n_low} of 400");
    }

    proptest! {
        #[test]
        fn an_interval_lies_within_the_values(values in proptest::collection::vec(-1e6..1e6_f64, 2..40), seed: u64) {
            let found = mean(&values, Resampling { n_resamples: 50, seed }).unwrap();
            let (least, most) = values.iter().fold((f64::MAX, f64::MIN), |(a, b), v| (a.min(*v), b.max(*v)));
            prop_assert!(least - 1e-6 <= found.low && found.low <= found.high && found.high <= most + 1e-6);
        }

        #[test]
        fn wilson_holds_the_share(n in 1_usize..5_000, part in 0.0..=1.0_f64) {
            let found = share((part * n as f64) as usize, n).unwrap();
            prop_assert!(0.0 <= found.low && found.low <= found.value);
            prop_assert!(found.value <= found.high && found.high <= 1.0);
        }
    }
}

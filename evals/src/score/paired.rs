use crate::interval::{Difference, Resampling, resampled, statistic};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};

/// Returns the two-sided probability of a split at least as uneven between cases that changed for
/// the better and for the worse, were either as likely: McNemar's test by the binomial
/// distribution itself (McNemar 1947; exact because the usual chi-square misleads below some 25
/// changed cases). 1 when nothing changed.
pub fn mcnemar(n_better: usize, n_worse: usize) -> f64 {
    let n = n_better + n_worse;
    // In logarithms, as 2^-n is 0 for a double beyond a thousand changes.
    let mut term = -(n as f64) * std::f64::consts::LN_2;
    let mut tail = 0.0;
    for k in 0..=n_better.min(n_worse) {
        tail += term.exp();
        term += (((n - k) as f64) / ((k + 1) as f64)).ln();
    }
    (2.0 * tail).min(1.0)
}

/// Compares a figure of two systems over the same cases, where a case may concern only one of them,
/// as what is wrong of the replies does. The interval is the paired percentile bootstrap over cases;
/// `p` is Fisher's randomisation test, which swaps the two systems in each case or not, at random
/// (Smucker, Allan and Carterette 2007). `n` counts the cases that concern either. `None` where a
/// figure is undefined, or has too few cases for an interval.
pub(super) fn difference_of<R: Copy>(
    pairs: &[(Option<R>, Option<R>)],
    of: &dyn Fn(&[R]) -> Option<f64>,
    resampling: Resampling,
) -> Option<Difference> {
    let concerned = concerned(pairs);
    let observed = less(concerned.iter().copied(), of)?;
    let estimate = statistic(concerned.len(), resampling, |drawn| {
        less(drawn.iter().filter_map(|i| concerned.get(*i).copied()), of)
    })?;
    let mut random = ChaCha8Rng::seed_from_u64(resampling.seed);
    let mut n_as_large = 0;
    for _ in 0..resampling.n_resamples {
        let swapped = concerned.iter().enumerate().scan(0, |signs, (i, (a, b))| {
            if i % 64 == 0 {
                *signs = random.next_u64();
            }
            let swap = *signs >> (i % 64) & 1 == 1;
            Some(if swap { (*b, *a) } else { (*a, *b) })
        });
        // Sums of the same numbers in another order differ by rounding; such a tie counts as one.
        let is_as_large =
            less(swapped, of).is_none_or(|found| found.abs() >= observed.abs() - 1e-12);
        n_as_large += usize::from(is_as_large);
    }
    let p = (n_as_large + 1) as f64 / (resampling.n_resamples + 1) as f64;
    Some(Difference { estimate, p })
}

/// Returns the two-sided bootstrap probability that a difference is `margin` (Efron and Tibshirani
/// 1993, chapter 15): twice the smaller share of resamples on one side of it.
pub(super) fn bootstrap_p<R: Copy>(
    pairs: &[(Option<R>, Option<R>)],
    of: &dyn Fn(&[R]) -> Option<f64>,
    (margin, resampling): (f64, Resampling),
) -> f64 {
    let concerned = concerned(pairs);
    let found = resampled(concerned.len(), resampling, |drawn| {
        less(drawn.iter().filter_map(|i| concerned.get(*i).copied()), of)
    });
    let n_below = found.iter().filter(|value| **value <= margin).count();
    let n_above = found.iter().filter(|value| **value >= margin).count();
    (2.0 * (n_below.min(n_above) + 1) as f64 / (found.len() + 1) as f64).min(1.0)
}

fn concerned<R: Copy>(pairs: &[(Option<R>, Option<R>)]) -> Vec<(Option<R>, Option<R>)> {
    pairs.iter().copied().filter(|(a, b)| a.is_some() || b.is_some()).collect()
}

/// Returns the second's figure less the first's.
fn less<R: Copy>(
    pairs: impl Iterator<Item = (Option<R>, Option<R>)>,
    of: &dyn Fn(&[R]) -> Option<f64>,
) -> Option<f64> {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for (a, b) in pairs {
        first.extend(a);
        second.extend(b);
    }
    Some(of(&second)? - of(&first)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{interval::paired_difference, score::average};

    #[test]
    fn mcnemar_agrees_with_the_binomial_distribution() {
        // R: binom.test(c(better, worse))$p.value
        for (better, worse, expected) in [
            (0, 0, 1.0),
            (5, 0, 0.0625),
            (1, 9, 0.021_484_375),
            (6, 6, 1.0),
            (10, 3, 0.092_285_156_25),
            (30, 60, 0.002_062_6),
        ] {
            let found = mcnemar(better, worse);
            assert!((found - expected).abs() < 1e-5, "{better} {worse}: {found}");
            assert!((found - mcnemar(worse, better)).abs() < 1e-12);
        }
        assert!(mcnemar(4_000, 5_000) < 1e-20 && mcnemar(4_500, 4_500) > 0.999);
    }

    #[test]
    fn where_both_are_concerned_it_is_the_paired_difference() {
        let a: Vec<f64> = (0..200).map(|i| f64::from(i * 7 % 11)).collect();
        let b: Vec<f64> = (0..200).map(|i| f64::from(i * 5 % 13)).collect();
        let pairs: Vec<_> = a.iter().zip(&b).map(|(a, b)| (Some(*a), Some(*b))).collect();
        let found = difference_of(&pairs, &average, Resampling::default()).unwrap();
        let known = paired_difference(&a, &b, Resampling::default()).unwrap();
        assert!((found.estimate.value - known.estimate.value).abs() < 1e-9);
        assert!((found.estimate.low - known.estimate.low).abs() < 1e-9);
        assert!((found.p - known.p).abs() < 0.02, "{} {}", found.p, known.p);
    }

    #[test]
    fn what_concerns_one_side_alone_counts_there() {
        // Of the first's 40 replies 10 are wrong; the second keeps those 10 back.
        let pairs: Vec<_> = (0..40)
            .map(|i| if i < 10 { (Some(1.0), None) } else { (Some(0.0), Some(0.0)) })
            .collect();
        let found = difference_of(&pairs, &average, Resampling::default()).unwrap();
        assert!((found.estimate.value + 0.25).abs() < 1e-12 && found.p < 0.01, "{found:?}");
        assert_eq!(found.estimate.n, 40);
        assert!(difference_of(&[(Some(1.0), None); 5], &average, Resampling::default()).is_none());
    }
}

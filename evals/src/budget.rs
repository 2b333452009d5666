//! How sure must the bot be, so that no more than a promised share of its answers is wrong?
//!
//! [`certify`] is Learn-then-Test (Angelopoulos, Bates, Candès, Jordan and Lei 2021): for each
//! threshold the hypothesis "more than the budget is wrong above it" is tested by the exact binomial
//! tail (Bates, Angelopoulos, Lei, Malik and Jordan 2021), and thresholds are lowered, in an order
//! fixed before any label is seen, until one test fails. A second exact test, of the hypergeometric
//! tail, asks the same of as many answers again: what people will count next month is not the rate
//! itself, and chance adds to it. Whatever the confidence is worth, a promise is broken with a chance
//! of about [`Promise::doubt`] at most; that cases are drawn as customers' questions will be is all
//! that is assumed.

use crate::{
    interval::{Estimate, share},
    measures::Judged,
};

/// "No more than `budget` of the answers is wrong", in the long run and of as many answers as there
/// were cases, and the chance that this turns out untrue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Promise {
    /// Largest share of answers that may be wrong, above 0 and below 1.
    pub budget: f64,
    /// Chance that the promise is broken, above 0 and below 1; 0.05 is "with 95 % confidence".
    pub doubt: f64,
}

/// What cases say of a promise.
#[derive(Debug, Clone, PartialEq)]
pub enum Proof {
    /// Answers above a threshold keep it.
    Kept(Kept),
    /// The cases cannot support it.
    Unsupported(Unsupported),
}

/// A threshold that keeps a promise, and what it buys.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// Least confidence that is answered.
    pub threshold: f64,
    /// Cases above it.
    pub n_answered: usize,
    /// Those of them that are wrong.
    pub n_wrong: usize,
    /// Share of wrong answers that is not exceeded with the promise's confidence (Clopper and
    /// Pearson 1934, one-sided).
    pub wrong_at_most: f64,
    /// Share of all cases that is answered.
    pub coverage: Estimate,
}

/// Why no threshold could be certified.
#[derive(Debug, Clone, PartialEq)]
pub struct Unsupported {
    /// Cases that were looked at.
    pub n: usize,
    /// Threshold that comes nearest to the promise.
    pub nearest: f64,
    /// Cases above it.
    pub n_answered: usize,
    /// Those of them that are wrong.
    pub n_wrong: usize,
    /// Answers above it, all of them right, that would have to be added at least.
    pub answers_missing: usize,
    /// Cases that this takes at least, by the share that is above it now.
    pub cases_missing: usize,
}

/// More answers than this need not be counted exactly.
const MOST_MISSING: usize = 1_000_000;

/// Thresholds are tried in steps of this, from the top.
const STEP: f64 = 0.01;

/// Finds the lowest threshold of which the cases prove that it keeps the promise. `None` for a
/// promise that is none, without cases, or when a confidence is no probability.
///
/// Lowering starts where there are first enough answers for an error-free record to be proof; fewer
/// could not pass, and starting further down would give away the surest answers. That start depends
/// on confidences, never on what turned out right.
pub fn certify(judged: &[Judged], promise: Promise) -> Option<Proof> {
    let Promise { budget, doubt } = promise;
    let is_share = |share: f64| share > 0.0 && share < 1.0;
    let lawful = judged.iter().all(|case| (0.0..=1.0).contains(&case.confidence));
    if judged.is_empty() || !lawful || !is_share(budget) || !is_share(doubt) {
        return None;
    }
    let n_least = least_answers(promise);
    let mut kept = None;
    let mut nearest: Option<Unsupported> = None;
    for counted in above_each(judged) {
        let Counted { threshold, n_answered, n_wrong } = counted;
        let missing = answers_missing(n_answered, n_wrong, promise);
        if nearest.as_ref().is_none_or(|best| missing < best.answers_missing) && n_answered > 0 {
            nearest = Some(unsupported(judged.len(), counted, missing));
        }
        if n_answered < n_least {
            continue;
        }
        if !proves(n_wrong, n_answered, promise) {
            break;
        }
        kept = Some(Kept {
            threshold,
            n_answered,
            n_wrong,
            wrong_at_most: upper_bound(n_wrong, n_answered, doubt),
            coverage: share(n_answered, judged.len())?,
        });
    }
    kept.map(Proof::Kept).or(nearest.map(Proof::Unsupported))
}

/// Returns the number of answers, all of them right, that proves the promise: the least that any
/// certificate takes.
pub fn least_answers(promise: Promise) -> usize {
    let in_the_long_run = (promise.doubt.ln() / (-promise.budget).ln_1p()).ceil() as usize;
    // The second test wavers by one answer where the budget passes a whole number of them.
    let mut n = in_the_long_run.max(1);
    while !(proves(0, n, promise) && proves(0, n + 1, promise)) {
        n += 1;
    }
    n
}

/// Whether `n_wrong` of `n` answers prove the promise.
fn proves(n_wrong: usize, n: usize, promise: Promise) -> bool {
    let Promise { budget, doubt } = promise;
    // The least number of wrong ones among as many answers again that breaks the promise.
    let too_many = (budget * n as f64 + 1e-9).floor() as usize + 1;
    binomial_tail(n_wrong, n, budget) <= doubt && first_half_tail(n_wrong, too_many, n) <= doubt
}

/// Returns the chance that, of `k` + `more` wrong answers dealt at random to two halves of `n`
/// answers, `k` or fewer fall to the first (the hypergeometric tail).
fn first_half_tail(k: usize, more: usize, n: usize) -> f64 {
    let n_wrong = k + more;
    if n_wrong > n {
        return 1.0;
    }
    let none: f64 = (0..n).map(|j| ((2 * n - n_wrong - j) as f64 / (2 * n - j) as f64).ln()).sum();
    let ratio =
        |i: usize| ((n_wrong - i) * (n - i)) as f64 / ((i + 1) * (n - n_wrong + i + 1)) as f64;
    sum_of_logs(none, (0..k).map(|i| ratio(i).ln()))
}

/// Returns the chance of `k` or fewer of `n` when each happens with probability `p` by itself.
pub fn binomial_tail(k: usize, n: usize, p: f64) -> f64 {
    if k >= n || p <= 0.0 {
        return 1.0;
    }
    if p >= 1.0 {
        return 0.0;
    }
    // In logarithms: (1 - p)^n alone is 0 in floats for large n.
    let odds = p.ln() - (-p).ln_1p();
    let none = n as f64 * (-p).ln_1p();
    sum_of_logs(none, (1..=k).map(|i| ((n - i + 1) as f64 / i as f64).ln() + odds))
}

/// Adds up chances of which the first, and the ratio of each to the one before, are given in
/// logarithms.
fn sum_of_logs(first: f64, ratios: impl Iterator<Item = f64>) -> f64 {
    let mut log = first;
    let mut logs = vec![log];
    for ratio in ratios {
        log += ratio;
        logs.push(log);
    }
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logs.iter().map(|log| (log - most).exp()).sum();
    (most + sum.ln()).exp().min(1.0)
}

/// Returns the largest share that `n_wrong` of `n` does not refute with this doubt, by bisection.
fn upper_bound(n_wrong: usize, n: usize, doubt: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if binomial_tail(n_wrong, n, middle) > doubt { low = middle } else { high = middle }
    }
    high
}

#[derive(Debug, Clone, Copy)]
struct Counted {
    threshold: f64,
    n_answered: usize,
    n_wrong: usize,
}

/// Counts the cases above each threshold, from the highest.
fn above_each(judged: &[Judged]) -> Vec<Counted> {
    let n_steps = (1.0 / STEP).round() as usize;
    let thresholds = (0..n_steps).map(|step| (n_steps - step) as f64 / n_steps as f64);
    let count = |threshold: f64| {
        let above = || judged.iter().filter(|case| case.confidence >= threshold);
        let n_wrong = above().filter(|case| !case.right).count();
        Counted { threshold, n_answered: above().count(), n_wrong }
    };
    thresholds.map(count).collect()
}

/// Returns how many right answers beside those that were met would prove the promise.
fn answers_missing(n_answered: usize, n_wrong: usize, promise: Promise) -> usize {
    let proves = |more: usize| proves(n_wrong, n_answered + more, promise);
    let mut enough = 1;
    while !proves(enough) && enough < MOST_MISSING {
        enough *= 2;
    }
    let (mut low, mut high) = (0, enough);
    while low < high {
        let middle = usize::midpoint(low, high);
        if proves(middle) { high = middle } else { low = middle + 1 }
    }
    low
}

fn unsupported(n: usize, counted: Counted, answers_missing: usize) -> Unsupported {
    let Counted { threshold, n_answered, n_wrong } = counted;
    let cases = (answers_missing * n).div_ceil(n_answered.max(1));
    Unsupported {
        n,
        nearest: threshold,
        n_answered,
        n_wrong,
        answers_missing,
        cases_missing: cases,
    }
}

#[cfg(test)]
mod tests;

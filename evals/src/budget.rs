//! How sure must the bot be, so that no more than a promised share of its answers is wrong?
//!
//! [`certify`] is Learn-then-Test (Angelopoulos, Bates, Candès, Jordan and Lei 2021): for each
//! threshold the hypothesis "more than the budget is wrong above it" is tested by the exact binomial
//! tail (Bates, Angelopoulos, Lei, Malik and Jordan 2021), and thresholds are lowered from a few
//! [`starts`], among which the doubt is divided, until one test fails. Where they lie other cases
//! say, so that the order is fixed before anything of these is seen. A second exact test, of the hypergeometric
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

/// Where lowering begins when nothing tells where it had better.
const USUAL_STARTS: [f64; 4] = [0.9, 0.8, 0.7, 0.5];

/// The strictest budget that is looked into: it takes 50,000 answers without an error.
pub const LEAST_BUDGET: f64 = 1e-4;

/// Finds the lowest threshold of which the cases prove that it keeps the promise. `None` for a
/// promise that is none, without cases or [`starts`], or when a confidence is no probability.
///
/// Whatever the confidence is worth, the promise holds as long as the starts were chosen without
/// these cases.
pub fn certify(judged: &[Judged], starts: &[f64], promise: Promise) -> Option<Proof> {
    let lawful = judged.iter().all(|case| (0.0..=1.0).contains(&case.confidence));
    if judged.is_empty() || starts.is_empty() || !lawful || !promise.is_one() {
        return None;
    }
    let each = promise.divided(starts.len());
    let counts = above_each(judged);
    let mut lowest: Option<Counted> = None;
    for start in starts {
        // A start is a threshold that is tried, but for rounding.
        let below = counts.iter().filter(|counted| counted.threshold <= start + STEP / 2.0);
        let passed = below.take_while(|it| proves(it.n_wrong, it.n_answered, each)).last();
        let found = lowest.into_iter().chain(passed.copied());
        lowest = found.min_by(|a, b| a.threshold.total_cmp(&b.threshold));
    }
    let Some(Counted { threshold, n_answered, n_wrong }) = lowest else {
        let missing =
            |counted: &Counted| answers_missing(counted.n_answered, counted.n_wrong, each);
        let answered = counts.into_iter().filter(|counted| counted.n_answered > 0);
        let nearest = answered.map(|counted| (missing(&counted), counted)).min_by_key(|it| it.0);
        return nearest.map(|(missing, counted)| {
            Proof::Unsupported(unsupported(judged.len(), counted, missing))
        });
    };
    Some(Proof::Kept(Kept {
        threshold,
        n_answered,
        n_wrong,
        wrong_at_most: upper_bound(n_wrong, n_answered, each.doubt),
        coverage: share(n_answered, judged.len())?,
    }))
}

/// Chooses where the lowering of thresholds begins, for as many cases as shall be proof: where the
/// promise is likeliest to be proved, as a guide of other cases tells, such as those that the
/// confidence was fitted to. Without a guide it begins at usual places, and the doubt is divided
/// among them.
pub fn starts(guide: &[Judged], n_cases: usize, promise: Promise) -> Vec<f64> {
    if guide.is_empty() || !promise.is_one() {
        return USUAL_STARTS.to_vec();
    }
    let scale = n_cases as f64 / guide.len() as f64;
    let rated = above_each(guide)
        .into_iter()
        .map(|counted| (chance_of_proof(counted, scale, promise), counted.threshold));
    rated.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, threshold)| threshold).into_iter().collect()
}

/// Returns the chance that `scale` times as many cases will prove the promise at a threshold. The
/// share of wrong ones is taken as Jeffreys' prior has it, as few cases often show none.
fn chance_of_proof(counted: Counted, scale: f64, promise: Promise) -> f64 {
    let Counted { n_answered, n_wrong, .. } = counted;
    let n = (n_answered as f64 * scale).round() as usize;
    if n == 0 || !proves(0, n, promise) {
        return 0.0;
    }
    let (mut most, mut too_many) = (0, n);
    while too_many - most > 1 {
        let middle = usize::midpoint(most, too_many);
        if proves(middle, n, promise) { most = middle } else { too_many = middle }
    }
    binomial_tail(most, n, (n_wrong as f64 + 0.5) / (n_answered as f64 + 1.0))
}

impl Promise {
    fn is_one(self) -> bool {
        (LEAST_BUDGET..1.0).contains(&self.budget) && self.doubt > 0.0 && self.doubt < 1.0
    }

    fn divided(self, n: usize) -> Self {
        Self { doubt: self.doubt / n as f64, ..self }
    }
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
    // All wrong ones fall to the second half, one after the other.
    let none: f64 = (0..n_wrong).map(|j| ((n - j) as f64 / (2 * n - j) as f64).ln()).sum();
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

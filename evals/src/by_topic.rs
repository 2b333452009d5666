//! Is the confidence off for some topics, and by how much?
//!
//! One fit serves all topics; each topic may add a constant of its own to the log-odds. Constants are
//! pooled in part: a normal prior around 0 pulls each towards the common fit, the more the fewer
//! cases the topic has (a random intercept by its mode; Gelman and Hill 2007, chapter 12), so that a
//! topic of ten cases moves little. How wide the prior is, and whether there are constants at all,
//! cross-validation says: they are shipped only where they make unseen cases likelier beyond chance.

use crate::interval::below;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use std::collections::{BTreeMap, HashMap};

/// A draft with what the common fit says of it, without having seen it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Guess {
    pub(crate) topic: Option<String>,
    /// By the common fit.
    pub(crate) probability: f64,
    pub(crate) right: bool,
    pub(crate) weight: f64,
    /// Guesses of one group are never on both sides of a fold.
    pub(crate) group: usize,
}

/// What topics add to the log-odds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shifts {
    pub(crate) by_topic: BTreeMap<String, f64>,
    /// Probability of each guess with constants that have not seen its group.
    pub(crate) out_of_fold: Vec<f64>,
}

/// Variances of the prior to choose from: a factor of 1.2, 1.6 and 2.7 on the odds is usual.
const VARIANCES: [f64; 3] = [0.04, 0.25, 1.0];
const FOLDS: usize = 5;
/// With fewer drafts a topic stays with the common fit.
const DRAFTS_AT_LEAST: usize = 10;
/// The normal's 95 % quantile: constants that are worth nothing are shipped one time in twenty.
const BEYOND_CHANCE: f64 = 1.645;

/// Fits what topics add; `None` where that does not make unseen guesses likelier beyond chance.
pub(crate) fn shifts(guesses: &[Guess]) -> Option<Shifts> {
    let folds = deal(guesses);
    let trials = VARIANCES.map(|variance| {
        let mut log_odds = vec![0.0; guesses.len()];
        for fold in 0..FOLDS {
            let is_other = |place: usize| folds.get(place).is_some_and(|it| *it != fold);
            let fitted = fit(guesses, is_other, variance);
            for (place, guess) in guesses.iter().enumerate().filter(|(place, _)| !is_other(*place))
            {
                if let Some(held_out) = log_odds.get_mut(place) {
                    *held_out = logit(guess.probability) + shift_of(&fitted, guess);
                }
            }
        }
        (variance, gains(guesses, &log_odds), log_odds)
    });
    let total = |gains: &[f64]| gains.iter().sum::<f64>();
    let (variance, gains, log_odds) =
        trials.into_iter().max_by(|a, b| total(&a.1).total_cmp(&total(&b.1)))?;
    let n = gains.len() as f64;
    let mean = total(&gains) / n;
    let spread = gains.iter().map(|gain| (gain - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    let is_better = mean > BEYOND_CHANCE * (spread / n).sqrt() && mean > 0.0;
    is_better.then(|| Shifts {
        by_topic: fit(guesses, |_| true, variance),
        out_of_fold: log_odds.into_iter().map(sigmoid).collect(),
    })
}

/// Returns a probability with what its topic adds.
pub(crate) fn shifted(probability: f64, shift: f64) -> f64 {
    sigmoid(logit(probability) + shift)
}

/// Deals groups to folds.
fn deal(guesses: &[Guess]) -> Vec<usize> {
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let mut known: HashMap<usize, usize> = HashMap::new();
    let fold =
        |guess: &Guess| *known.entry(guess.group).or_insert_with(|| below(FOLDS, &mut random));
    guesses.iter().map(fold).collect()
}

/// Fits the constants to some of the guesses, each by itself: the common fit stays as it is.
fn fit(guesses: &[Guess], is_seen: impl Fn(usize) -> bool, variance: f64) -> BTreeMap<String, f64> {
    let mut by_topic: BTreeMap<&String, Vec<&Guess>> = BTreeMap::new();
    for (place, guess) in guesses.iter().enumerate() {
        if let Some(topic) = guess.topic.as_ref().filter(|_| is_seen(place)) {
            by_topic.entry(topic).or_default().push(guess);
        }
    }
    let enough = by_topic.into_iter().filter(|(_, own)| own.len() >= DRAFTS_AT_LEAST);
    enough.map(|(topic, own)| (topic.clone(), constant(&own, variance))).collect()
}

/// Returns the likeliest constant by Newton's steps; the objective is concave.
fn constant(own: &[&Guess], variance: f64) -> f64 {
    let mut constant = 0.0;
    for _ in 0..30 {
        let (mut slope, mut bend) = (-constant / variance, 1.0 / variance);
        for guess in own {
            let probability = shifted(guess.probability, constant);
            slope += guess.weight * (f64::from(u8::from(guess.right)) - probability);
            bend += guess.weight * probability * (1.0 - probability);
        }
        constant += (slope / bend).clamp(-1.0, 1.0);
    }
    constant
}

fn shift_of(fitted: &BTreeMap<String, f64>, guess: &Guess) -> f64 {
    guess.topic.as_ref().and_then(|topic| fitted.get(topic)).copied().unwrap_or(0.0)
}

/// Returns for each group by how much likelier its guesses are than by the common fit.
fn gains(guesses: &[Guess], log_odds: &[f64]) -> Vec<f64> {
    let mut gains: BTreeMap<usize, f64> = BTreeMap::new();
    for (guess, log_odds) in guesses.iter().zip(log_odds) {
        let likely =
            |log_odds: f64| -(if guess.right { -log_odds } else { log_odds }).exp().ln_1p();
        let gain = likely(*log_odds) - likely(logit(guess.probability));
        *gains.entry(guess.group).or_default() += guess.weight * gain;
    }
    gains.into_values().collect()
}

fn logit(probability: f64) -> f64 {
    let inner = probability.clamp(1e-9, 1.0 - 1e-9);
    (inner / (1.0 - inner)).ln()
}

fn sigmoid(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Draws guesses of topics, of which each is truly off by so much; two guesses a group.
    fn guesses(topics: &[(usize, f64)], seed: u64) -> Vec<Guess> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut uniform = || below(1 << 30, &mut random) as f64 / f64::from(1 << 30);
        let mut drawn = Vec::new();
        for (topic, (n, off)) in topics.iter().enumerate() {
            for _ in 0..*n {
                let probability = 0.05 + 0.9 * uniform();
                let right = uniform() < shifted(probability, *off);
                let (topic, group) = (Some(format!("t{topic}")), drawn.len() / 2);
                drawn.push(Guess { topic, probability, right, weight: 1.0, group });
            }
        }
        drawn
    }

    #[test]
    fn a_topic_that_is_off_is_put_right_and_a_small_one_moves_little() {
        let topics = [(300, 1.2), (300, -0.9), (300, 0.0), (12, 1.0), (6, 2.0)];
        let found = shifts(&guesses(&topics, 4)).expect("topics differ");
        let of = |topic: &str| found.by_topic.get(topic).copied();
        assert!((of("t0").unwrap() - 1.2).abs() < 0.4, "{:?}", found.by_topic);
        assert!((of("t1").unwrap() + 0.9).abs() < 0.4, "{:?}", found.by_topic);
        assert!(of("t2").unwrap().abs() < 0.3, "{:?}", found.by_topic);
        assert_eq!(of("t4"), None, "too few drafts");
        // Of twelve drafts the same evidence moves less than of three hundred.
        let own: Vec<Guess> = guesses(&[(300, 1.2)], 1);
        let few: Vec<&Guess> = own.iter().take(12).collect();
        let many: Vec<&Guess> = own.iter().collect();
        assert!(constant(&few, 0.04).abs() < constant(&many, 0.04), "{found:?}");
        assert_eq!(found.out_of_fold.len(), 918);
    }

    #[test]
    fn topics_that_do_not_differ_are_seldom_told_apart() {
        let n_shipped =
            (0..100).filter(|seed| shifts(&guesses(&[(120, 0.0); 5], *seed)).is_some()).count();
        eprintln!("{n_shipped} of 100 desks without differences get constants");
        assert!(n_shipped <= 8, "{n_shipped} of 100");
        assert_eq!(shifts(&[]), None);
    }

    #[test]
    fn what_is_shipped_is_no_worse_on_cases_that_nobody_has_seen() {
        let topics = [(150, 0.8), (150, -0.8), (150, 0.3), (30, 0.0)];
        let (mut n_shipped, mut n_better) = (0, 0);
        for seed in 0..40 {
            let Some(found) = shifts(&guesses(&topics, seed)) else { continue };
            let unseen = guesses(&topics, 1_000 + seed);
            let log_odds: Vec<f64> = unseen
                .iter()
                .map(|guess| logit(guess.probability) + shift_of(&found.by_topic, guess))
                .collect();
            n_shipped += 1;
            n_better += usize::from(gains(&unseen, &log_odds).iter().sum::<f64>() > 0.0);
        }
        eprintln!("{n_better} of {n_shipped} fits are better on unseen cases");
        assert!(n_shipped >= 38 && n_better >= n_shipped - 1, "{n_better} of {n_shipped}");
    }
}

//! Do the answers of late break an error budget?
//!
//! Pure arithmetic over counts; what counts as an answer, and as wrong, others say.

use serde::{Deserialize, Serialize};

/// Answers of one week, the first of which begins with the watch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many there were.
    pub n_answers: usize,
    /// Those of them that are known to be wrong by now.
    pub n_wrong: usize,
}

/// A threshold that was raised as an error budget burnt. It holds until people lift it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Raised {
    /// The rule whose budget it is.
    pub rule: String,
    /// The topic that stands alone; `None` for all that do not.
    pub topic: Option<String>,
    /// The least confidence that an answer needs now.
    pub threshold: f64,
}

/// By how many times the odds of a wrong answer may exceed those of the budget. Evidence is averaged
/// over them, as nobody knows by how much a desk will err; it costs ln 6 at most.
const TIMES: [f64; 6] = [1.25, 1.5, 2.0, 3.0, 5.0, 10.0];

/// Thresholds are raised in steps of this.
const STEP: f64 = 0.01;

/// Returns the natural logarithm of the evidence that more than `budget` (above 0, below 1) of the
/// answers are wrong. `weeks` are those from the week numbered `first` on, without a gap.
///
/// A test by betting (Waudby-Smith and Ramdas 2024, "Estimating means of bounded random variables by
/// betting"; Robbins 1970 for the mixture): for odds of `r` times the budget's, each answer
/// multiplies a stake of 1 by the likelihood ratio `r^wrong / (1 - budget + r budget)`. As long as
/// no answer is wrong with a larger probability than the budget, given what came before, no such
/// stake grows on average, nor does their mean. So by Ville's inequality (1939) the evidence ever
/// reaches `1 / doubt`, at whatever moment somebody looks, with a chance of `doubt` at most. That
/// answers turn out wrong later than they are given does no harm: until then they count as right,
/// which can only lessen the evidence.
///
/// Lest a long time without an error hide a bad week, a stake is laid anew with each week `j`, with
/// `1 / ((j + 1) (j + 2))` of the whole (an e-detector with a prior over the time of change: Shin,
/// Ramdas and Rinaldo 2024). The parts add up to 1; those of weeks to come are not yet at risk, and
/// those of weeks before `first` count as lost.
pub fn evidence(first: usize, weeks: &[Tally], budget: f64) -> f64 {
    let part = |week: usize| -((week as f64 + 1.0).ln() + (week as f64 + 2.0).ln());
    let n_weeks = first + weeks.len();
    let mut logs = vec![-(n_weeks as f64 + 1.0).ln()];
    let (mut n, mut k) = (0.0, 0.0);
    for (week, tally) in weeks.iter().enumerate().rev() {
        n += tally.n_answers as f64;
        k += tally.n_wrong.min(tally.n_answers) as f64;
        let stake = |r: &f64| k * r.ln() - n * (1.0 - budget + r * budget).ln();
        let mean = sum_of_logs(&TIMES.each_ref().map(stake)) - (TIMES.len() as f64).ln();
        logs.push(part(first + week) + mean);
    }
    sum_of_logs(&logs)
}

/// Whether evidence, as a logarithm, suffices to raise a threshold that was raised `n_raised` times
/// since people looked last. Half of what is left of the doubt goes to each time, so that all of
/// them together are false alarms with a chance of `doubt` at most.
pub fn is_burning(evidence: f64, doubt: f64, n_raised: u32) -> bool {
    evidence >= (f64::from(n_raised) + 1.0) * std::f64::consts::LN_2 - doubt.ln()
}

/// Returns the lowest threshold above the `present` one above which no larger share than `budget` of
/// these answers, each with its confidence and whether it is wrong, was wrong; 1 where there is
/// none. The share is that of Jeffreys' prior, as few answers often show no error. This is a guess,
/// and no proof: the watch goes on above it.
pub fn raise(answers: &[(f64, bool)], budget: f64, present: f64) -> f64 {
    let n_steps = (1.0 / STEP).round() as usize;
    let steps = (1..n_steps).map(|step| step as f64 / n_steps as f64);
    let keeps = |threshold: &f64| {
        let above = || answers.iter().filter(|(confidence, _)| confidence >= threshold);
        let (n, k) = (above().count() as f64, above().filter(|(_, wrong)| *wrong).count() as f64);
        n > 0.0 && (k + 0.5) / (n + 1.0) <= budget
    };
    steps.filter(|step| *step > present + STEP / 2.0).find(keeps).unwrap_or(1.0)
}

fn sum_of_logs(logs: &[f64]) -> f64 {
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    most + logs.iter().map(|log| (log - most).exp()).sum::<f64>().ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that look drawn, evenly from 0 to 1 (SplitMix64, Steele, Lea and Flood 2014).
    struct Draws(u64);

    impl Draws {
        fn next(&mut self) -> f64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
        }
    }

    /// Looks after every answer of a desk that gives so many a week; returns after how many the
    /// budget burns. `wrong` is the chance that an answer of a week is wrong.
    fn burns(
        n_weeks: usize,
        a_week: usize,
        seed: u64,
        wrong: impl Fn(usize) -> f64,
    ) -> Option<usize> {
        let (mut draws, mut weeks) = (Draws(seed), Vec::new());
        for week in 0..n_weeks {
            weeks.push(Tally::default());
            for nth in 0..a_week {
                let last = weeks.last_mut().unwrap();
                last.n_answers += 1;
                last.n_wrong += usize::from(draws.next() < wrong(week));
                if is_burning(evidence(0, &weeks, 0.05), 0.05, 0) {
                    return Some(week * a_week + nth + 1);
                }
            }
        }
        None
    }

    #[test]
    fn a_desk_that_keeps_its_budget_is_let_be_however_often_one_looks() {
        // Exactly at the budget, the worst that keeps it, looked at after each of 1,000 answers.
        let n_alarms = (0..400).filter(|seed| burns(20, 50, *seed, |_| 0.05).is_some()).count();
        eprintln!("{n_alarms} of 400 desks at their budget are false alarms");
        // Half of 5 % for the first alarm is 10 of 400; the bound may not be passed by chance.
        assert!(n_alarms <= 16, "{n_alarms} of 400");
        let n_alarms = (0..200).filter(|seed| burns(20, 50, *seed, |_| 0.03).is_some()).count();
        assert_eq!(n_alarms, 0, "of 200 desks that are better than their budget");
    }

    #[test]
    fn a_budget_that_burns_is_noticed_also_after_a_long_good_time() {
        let mut took: Vec<usize> =
            (0..100).filter_map(|seed| burns(20, 50, seed, |_| 0.2)).collect();
        took.sort_unstable();
        assert_eq!(took.len(), 100);
        eprintln!("four times the budget: half are noticed after {} answers", took[50]);
        assert!(took[50] < 100 && took[95] < 250, "{took:?}");
        // A year without many errors, and then a release that spoils the articles.
        let late = |week: usize| if week < 52 { 0.02 } else { 0.2 };
        let n_noticed = (0..20)
            .filter_map(|seed| burns(60, 50, seed, late))
            .filter(|answers| (52 * 50..58 * 50).contains(answers))
            .count();
        assert!(n_noticed >= 19, "{n_noticed} of 20 within six weeks");
    }

    #[test]
    fn evidence_is_worth_one_at_the_beginning_and_grows_with_what_is_wrong_alone() {
        assert!(evidence(0, &[], 0.05).abs() < 1e-12);
        assert!(evidence(0, &[Tally::default(); 9], 0.05).abs() < 1e-12);
        let weeks =
            |n_wrong| [Tally { n_answers: 40, n_wrong }, Tally { n_answers: 7, n_wrong: 1 }];
        let of: Vec<f64> = (0..20).map(|k| evidence(0, &weeks(k), 0.05)).collect();
        assert!(of.windows(2).all(|pair| pair[0] < pair[1]), "{of:?}");
        // What is known too late to be read counts as lost.
        assert!(evidence(30, &weeks(5), 0.05) < evidence(0, &weeks(5), 0.05));
        // One week by hand: half of the whole is at stake, of 3 answers 2 are wrong.
        let stake = |r: f64| r.powi(2) / (0.95_f64 + r * 0.05).powi(3);
        let mean = TIMES.map(stake).iter().sum::<f64>() / 6.0;
        let found = evidence(0, &[Tally { n_answers: 3, n_wrong: 2 }], 0.05);
        assert!((found.exp() - (0.5 * mean + 0.5)).abs() < 1e-12, "{found}");
        // Numbers far beyond what floats hold.
        let many = [Tally { n_answers: 1_000_000, n_wrong: 900_000 }];
        assert!(
            evidence(0, &many, 0.05).is_finite() && is_burning(evidence(0, &many, 0.05), 0.05, 9)
        );
    }

    #[test]
    fn a_threshold_rises_to_where_the_answers_kept_the_budget() {
        let wrong_below = |least: f64| -> Vec<(f64, bool)> {
            (0..400).map(|i| f64::from(i) / 400.0).map(|c| (c, c < least)).collect()
        };
        let found = raise(&wrong_below(0.8), 0.05, 0.5);
        assert!((0.78..=0.81).contains(&found), "{found}");
        assert_eq!(raise(&[(0.9, true), (0.95, true)], 0.05, 0.7), 1.0);
        assert_eq!(raise(&[], 0.05, 0.7), 1.0, "nothing shows where it is kept");
        assert!(raise(&wrong_below(0.0), 0.05, 0.7) > 0.705, "it rises in any case");
    }
}

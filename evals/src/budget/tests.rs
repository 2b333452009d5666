use super::*;
use crate::interval::below;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-7 * expected, "{found} is not {expected}");
}

#[test]
fn tails_agree_with_scipy() {
    // scipy.stats.binom.cdf and hypergeom.cdf(k, 2n, k + more, n).
    near(binomial_tail(0, 59, 0.05), 0.04849452524942322);
    near(binomial_tail(3, 200, 0.05), 0.009048376396101461);
    near(binomial_tail(450, 10_000, 0.05), 0.010688078131714015);
    near(first_half_tail(0, 5, 80), 0.029303368986099428);
    near(first_half_tail(3, 11, 200), 0.026559616667677845);
    assert_eq!((binomial_tail(5, 5, 0.5), binomial_tail(0, 5, 0.0)), (1.0, 1.0));
}

#[test]
fn few_cases_support_nothing_and_say_how_many_are_missing() {
    let promise = Promise { budget: 0.05, doubt: 0.05 };
    let judged = vec![Judged { confidence: 0.995, right: true }; 40];
    let found = certify(&judged, &[0.99], promise);
    let Some(Proof::Unsupported(found)) = found else { panic!("supported") };
    assert_eq!((found.n_answered, found.n_wrong), (40, 0));
    let enough = found.n_answered + found.answers_missing;
    assert!(proves(0, enough, promise) && !proves(0, enough - 1, promise));
    assert_eq!(found.cases_missing, found.answers_missing, "all cases are answered");
    assert!(least_answers(promise) >= enough);
}

#[test]
fn many_right_cases_support_the_promise() {
    let promise = Promise { budget: 0.05, doubt: 0.05 };
    let mut judged = vec![Judged { confidence: 0.9, right: true }; 300];
    judged.extend(vec![Judged { confidence: 0.4, right: false }; 100]);
    let kept = certify(&judged, &[0.9], promise);
    let Some(Proof::Kept(kept)) = kept else { panic!("unsupported") };
    assert!((0.4..=0.9).contains(&kept.threshold), "{}", kept.threshold);
    assert_eq!((kept.n_answered, kept.n_wrong), (300, 0));
    assert!(kept.wrong_at_most < 0.05 && kept.coverage.value == 0.75);
    assert_eq!(certify(&[], &[0.9], promise), None);
    assert_eq!(certify(&judged, &[], promise), None);
    assert_eq!(certify(&judged, &[0.9], Promise { budget: 1.0, doubt: 0.05 }), None);
}

#[test]
fn the_strictest_promise_is_judged_at_once() {
    let begun = std::time::Instant::now();
    let strictest = Promise { budget: LEAST_BUDGET, doubt: 0.05 };
    let judged = vec![Judged { confidence: 0.9, right: true }; 1_000];
    let found = certify(&judged, &USUAL_STARTS, strictest);
    let Some(Proof::Unsupported(found)) = found else { panic!("supported") };
    assert!(found.answers_missing > 20_000, "{found:?}");
    assert!(least_answers(strictest) > 20_000);
    assert_eq!(certify(&judged, &[0.9], Promise { budget: 1e-9, doubt: 0.05 }), None);
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}

/// Deals cases to a guide and two heaps of like size, certifies on one, and counts on how many of a
/// hundred deals the other keeps the promise, on how many anything is promised, and what part of the
/// other is answered then.
fn held(judged: &[Judged], budget: f64, seed: u64) -> (usize, usize, f64) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let promise = Promise { budget, doubt: 0.05 };
    let (mut n_held, mut n_promised, mut coverage) = (0, 0, 0.0);
    for _ in 0..100 {
        let mut dealt = judged.to_vec();
        for place in (1..dealt.len()).rev() {
            dealt.swap(place, below(place + 1, &mut random));
        }
        let (guide, rest) = dealt.split_at(dealt.len() / 5);
        let (chosen, unseen) = rest.split_at(rest.len() / 2);
        let starts = starts(guide, chosen.len(), promise);
        let Some(Proof::Kept(kept)) = certify(chosen, &starts, promise) else {
            n_held += 1;
            continue;
        };
        let answered: Vec<&Judged> =
            unseen.iter().filter(|case| case.confidence >= kept.threshold).collect();
        let n_wrong = answered.iter().filter(|case| !case.right).count();
        n_promised += 1;
        n_held += usize::from(n_wrong as f64 <= budget * answered.len() as f64);
        coverage += answered.len() as f64 / unseen.len() as f64;
    }
    (n_held, n_promised, coverage / n_promised.max(1) as f64)
}

/// Confidence and outcome of the unseen cases of the three desks of `docs/evals.md`, near misses
/// included, as `frontdesk eval calibrate` examined the built-in calibration, not fitted to them.
fn real_cases() -> Vec<Judged> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/data/confidence/unseen.csv");
    let table = std::fs::read_to_string(file).unwrap();
    let case = |line: &str| {
        let (confidence, right) = line.split_once(',').unwrap();
        Judged { confidence: confidence.parse().unwrap(), right: right == "1" }
    };
    table.lines().skip(1).map(case).collect()
}

#[test]
fn promises_hold_on_unseen_real_cases_in_95_of_100_random_splits() {
    let cases = real_cases();
    assert!(cases.len() > 400, "{}", cases.len());
    // What little these cases can support; below 20 % they support nothing.
    for (budget, least_promised) in [(0.1, 0), (0.2, 5), (0.25, 25), (0.3, 50), (0.35, 60)] {
        for seed in [7, 8, 9] {
            let (n_held, n_promised, coverage) = held(&cases, budget, seed);
            eprintln!(
                "budget {budget}: held in {n_held} of 100 splits, promised in {n_promised}, \
                 answering {coverage:.3}"
            );
            assert!(n_held >= 95, "budget {budget}: {n_held} of 100");
            assert!(n_promised >= least_promised, "budget {budget}: promised in {n_promised}");
            let n_kept = n_held + n_promised - 100;
            assert!(10 * n_kept >= 9 * n_promised || n_promised < 20, "{n_kept} of {n_promised}");
        }
    }
}

/// Draws cases of a known truth, and counts of 200 promises those that are made, and those that are
/// not kept in truth.
fn broken(budget: f64, n: usize, right: impl Fn(f64) -> f64) -> (usize, usize) {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let mut uniform = || below(1_000_000, &mut random) as f64 / 1e6;
    let mut draw = |n: usize| -> Vec<Judged> {
        let mut one = || {
            let confidence = uniform();
            Judged { confidence, right: uniform() < right(confidence) }
        };
        (0..n).map(|_| one()).collect()
    };
    let truly_wrong_above = |threshold: f64| {
        let places: Vec<f64> = (0..4_000).map(|place| (f64::from(place) + 0.5) / 4e3).collect();
        let above = || places.iter().filter(|place| **place >= threshold);
        above().map(|place| 1.0 - right(*place)).sum::<f64>() / above().count() as f64
    };
    let promise = Promise { budget, doubt: 0.05 };
    let (mut n_broken, mut n_promised) = (0, 0);
    for _ in 0..200 {
        let starts = starts(&draw(n / 4), n, promise);
        if let Some(Proof::Kept(kept)) = certify(&draw(n), &starts, promise) {
            n_promised += 1;
            n_broken += usize::from(truly_wrong_above(kept.threshold) > budget + 1e-6);
        }
    }
    (n_broken, n_promised)
}

#[test]
fn promises_hold_in_truth_where_confidence_is_wrong() {
    // Far too sure of itself: right with half the probability that it claims at the low end.
    for (budget, least) in [(0.1, 10), (0.2, 150), (0.3, 150)] {
        let (n_broken, n_promised) = broken(budget, 2_000, |c| 0.5 * c + 0.5 * c.powi(2));
        assert!(n_broken <= 10 && n_promised >= least, "{budget}: {n_broken} of {n_promised}");
    }
}

#[test]
fn promises_hold_and_are_made_where_the_surest_are_worst() {
    // Above .9 every other answer is wrong, which those between .5 and .9 make up for.
    let right = |c: f64| match c {
        c if c >= 0.9 => 0.5,
        c if c >= 0.5 => 0.95,
        _ => 0.3,
    };
    for (budget, least) in [(0.15, 0), (0.2, 150), (0.3, 190)] {
        let (n_broken, n_promised) = broken(budget, 1_000, right);
        eprintln!("budget {budget}: {n_broken} of {n_promised} promises are not kept");
        assert!(n_broken <= 10 && n_promised >= least, "{budget}: {n_broken} of {n_promised}");
    }
}

#[test]
fn without_a_guide_the_doubt_is_divided() {
    let promise = Promise { budget: 0.1, doubt: 0.05 };
    assert_eq!(starts(&[], 100, promise), USUAL_STARTS);
    // Enough for one start, not for four.
    let judged = vec![Judged { confidence: 0.95, right: true }; least_answers(promise)];
    assert!(matches!(certify(&judged, &[0.9], promise), Some(Proof::Kept(_))));
    assert!(matches!(certify(&judged, &USUAL_STARTS, promise), Some(Proof::Unsupported(_))));
}

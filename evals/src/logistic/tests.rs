use super::*;
use crate::measures::{Judged, auroc, calibration_error};
use proptest::prelude::*;

fn features(directions: &[Direction]) -> Vec<Feature> {
    let named = |(i, direction): (usize, &Direction)| Feature {
        name: format!("f{i}"),
        direction: *direction,
    };
    directions.iter().enumerate().map(named).collect()
}

fn near(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    let far = found.iter().zip(expected).any(|(a, b)| (a - b).abs() > tolerance || a.is_nan());
    assert!(!far, "{found:?} is not {expected:?}");
}

/// Sixty rows that Python makes alike: three features, weights 1 to 3, a group each.
fn waves() -> Vec<Row> {
    let row = |i: usize| {
        let t = i as f64;
        let sum = (t * 1.7).sin() + 0.8 * (t * 0.9).cos() + 1.1 * (t * 5.3).sin();
        Row {
            features: vec![
                (t * 1.7).sin() * 3.0 + 1.0,
                (t * 0.9).cos() * 0.5,
                ((i * 7) % 11) as f64 / 10.0,
            ],
            right: sum > 0.0,
            weight: (1 + i % 3) as f64,
            group: i,
        }
    };
    (0..60).map(row).collect()
}

/// Draws rows whose log-odds are 2·a − b + 0.5, with c telling nothing.
fn drawn(n: usize, seed: u64) -> Vec<Row> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut uniform = || below(1_000_000, &mut random) as f64 / 1e6;
    let mut row = |group| {
        let features: Vec<f64> =
            (0..3).map(|_| 3.0 * (uniform() + uniform() + uniform() - 1.5)).collect();
        let right = uniform() < probability_of(2.0 * features[0] - features[1] + 0.5);
        Row { features, right, weight: 1.0, group }
    };
    (0..n).map(&mut row).collect()
}

#[test]
fn weights_agree_with_scikit_learn() {
    // LogisticRegression(C=1/penalty) on the same rows, standardised, weights summing to 1.
    let check = |penalty: f64, intercept: f64, weights: [f64; 3]| {
        let options = Options { penalties: vec![penalty], ..Options::default() };
        let found = fit(&waves(), &features(&[Direction::Free; 3]), &options).unwrap();
        near(&[found.intercept], &[intercept], 1e-4);
        near(&found.weights, &weights, 1e-4);
    };
    check(0.01, 0.089_118_15, [1.630_375_1, 0.978_312_82, -0.417_881_81]);
    check(0.1, 0.075_144_92, [0.931_360_73, 0.516_185_84, -0.260_958_75]);
}

#[test]
fn weights_within_bounds_agree_with_scipy() {
    // minimize(method="L-BFGS-B") with the same bounds.
    let directions = [Direction::Falling, Direction::Rising, Direction::Falling];
    let options = Options { penalties: vec![0.01], ..Options::default() };
    let found = fit(&waves(), &features(&directions), &options).unwrap();
    near(&[found.intercept], &[0.075_962_12], 1e-4);
    near(&found.weights, &[0.0, 0.691_226_18, -0.530_940_65], 1e-4);
}

#[test]
fn what_made_the_rows_is_found_again() {
    let found =
        fit(&drawn(4_000, 1), &features(&[Direction::Free; 3]), &Options::default()).unwrap();
    let raw: Vec<f64> = found.weights.iter().zip(&found.deviations).map(|(w, d)| w / d).collect();
    near(&raw, &[2.0, -1.0, 0.0], 0.15);
    let judged: Vec<Judged> = drawn(4_000, 2)
        .iter()
        .map(|row| Judged { confidence: found.probability(&row.features), right: row.right })
        .collect();
    assert!(calibration_error(&judged, 10).unwrap() < 0.03);
}

#[test]
fn out_of_fold_probabilities_have_not_seen_their_group() {
    // Every group has its own feature and a random outcome: what is learnt of a group helps only
    // with itself, so an honest estimate ranks no better than chance.
    let mut rows = drawn(200, 3);
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let outcomes: Vec<bool> = (0..20).map(|_| below(2, &mut random) == 1).collect();
    for (i, row) in rows.iter_mut().enumerate() {
        row.group = i % 20;
        row.right = outcomes[row.group];
        row.features = (0..20).map(|j| if j == row.group { 1.0 } else { 0.0 }).collect();
    }
    let found = fit(&rows, &features(&[Direction::Free; 20]), &Options::default()).unwrap();
    let of = |probabilities: &[f64]| {
        let judged: Vec<Judged> = probabilities
            .iter()
            .zip(&rows)
            .map(|(confidence, row)| Judged { confidence: *confidence, right: row.right })
            .collect();
        auroc(&judged).unwrap()
    };
    assert!(of(&found.out_of_fold) < 0.6, "{}", of(&found.out_of_fold));
}

#[test]
fn folds_keep_groups_whole_and_outcomes_even() {
    let mut rows = drawn(1_000, 5);
    for (i, row) in rows.iter_mut().enumerate() {
        row.group = i / 3;
    }
    let folds = deal(&rows, &Options::default());
    assert!(
        folds
            .windows(2)
            .zip(rows.windows(2))
            .all(|(f, r)| f[0] == f[1] || r[0].group != r[1].group)
    );
    let share = rows.iter().filter(|row| row.right).count() as f64 / 1_000.0;
    for fold in 0..5 {
        let held: Vec<&Row> =
            rows.iter().zip(&folds).filter(|(_, f)| **f == fold).map(|(row, _)| row).collect();
        assert!((190..=210).contains(&held.len()), "{}", held.len());
        let right = held.iter().filter(|row| row.right).count() as f64 / held.len() as f64;
        assert!((right - share).abs() < 0.02, "{right} is not {share}");
    }
}

#[test]
fn separable_rows_and_constant_columns_stay_finite() {
    let mut rows = drawn(100, 6);
    for (i, row) in rows.iter_mut().enumerate() {
        row.right = i % 2 == 0;
        row.features =
            vec![if row.right { 1e9 } else { -1e-9 }, 0.1 + 0.2, f64::from(u8::from(row.right))];
    }
    let found = fit(&rows, &features(&[Direction::Free; 3]), &Options::default()).unwrap();
    assert_eq!((found.weights[1], found.deviations[1]), (0.0, 1.0));
    assert!(found.weights.iter().chain(&found.out_of_fold).all(|value| value.is_finite()));
    assert!(found.out_of_fold[0] > 0.99 && found.out_of_fold[1] < 0.01);
}

#[test]
fn a_weight_counts_like_repeated_rows() {
    let rows = waves();
    let repeated: Vec<Row> = rows
        .iter()
        .flat_map(|row| {
            std::iter::repeat_n(Row { weight: 1.0, ..row.clone() }, row.weight as usize)
        })
        .collect();
    let options = Options { penalties: vec![0.05], ..Options::default() };
    let of = |rows: &[Row]| fit(rows, &features(&[Direction::Free; 3]), &options).unwrap();
    near(&of(&rows).weights, &of(&repeated).weights, 1e-6);
}

#[test]
fn rows_that_cannot_be_fitted_are_refused_by_name() {
    let check = |change: fn(&mut Vec<Row>), expected: &str| {
        let mut rows = waves();
        change(&mut rows);
        let error = fit(&rows, &features(&[Direction::Free; 3]), &Options::default()).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    };
    check(Vec::clear, "0 right and 0 wrong");
    check(|rows| rows.iter_mut().for_each(|row| row.right = true), "60 right and 0 wrong");
    check(|rows| rows.iter_mut().for_each(|row| row.group = 3), "there are 1 and 5");
    check(|rows| rows[7].features.truncate(2), "row 7: has 2 observations, not 3");
    check(|rows| rows[8].features[1] = f64::NAN, "row 8: \"f1\" is not a usable number");
    check(|rows| rows[9].weight = -1.0, "row 9: its weight -1");
    let options = Options { penalties: vec![0.1, 0.0], ..Options::default() };
    let error = fit(&waves(), &features(&[Direction::Free; 3]), &options).unwrap_err();
    assert_eq!(error, FitError::Penalties("0".into()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]
    #[test]
    fn any_rows_give_probabilities_and_lawful_signs(
        rows in proptest::collection::vec(
            (proptest::collection::vec(prop_oneof![-3.0..3.0_f64, Just(0.0), -1e100..1e100_f64], 3), any::<bool>(), 0.0..2.0_f64, 0_usize..6),
            2..30,
        ),
    ) {
        let rows: Vec<Row> = rows
            .into_iter()
            .map(|(features, right, weight, group)| Row { features, right, weight, group })
            .collect();
        let directions = [Direction::Rising, Direction::Falling, Direction::Free];
        if let Ok(found) = fit(&rows, &features(&directions), &Options::default()) {
            prop_assert!(found.weights[0] >= 0.0 && found.weights[1] <= 0.0);
            prop_assert!(found.out_of_fold.iter().all(|p| (0.0..=1.0).contains(p)));
            prop_assert!(found.weights.iter().chain(&found.means).all(|value| value.is_finite()));
            prop_assert!(found.deviations.iter().all(|value| value.is_finite() && *value > 0.0));
        }
    }
}

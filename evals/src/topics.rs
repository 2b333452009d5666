//! How well are topics told apart, and told from none of them?

use crate::{
    figure::{Figure, figure},
    interval::{Estimate, Resampling, share, statistic},
    measures::{Judged, auroc, calibration, risk_coverage},
    pairs::{Pairs, macro_f1, mcc},
    report::Unit::{Score, Share},
};
use serde_json::{Value, json};

/// One utterance and what a classifier said about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Guess {
    /// What was written.
    pub text: String,
    /// Its topic; `None` where it is about none of the topics.
    pub topic: Option<String>,
    /// What the classifier says; `None` for "none of these".
    pub predicted: Option<String>,
    /// Probability that `predicted` is right, by the classifier.
    pub confidence: f64,
    /// The likeliest topic, whether it was said or not.
    pub likeliest: String,
    /// Its probability.
    pub of_likeliest: f64,
    /// Probability of "none of these".
    pub none: f64,
}

/// Share of the named topics that are right, at which the coverage is reported.
const PRECISION: f64 = 0.95;

/// Measures guesses: what is said with topics known, with none, and over all. Figures without a
/// guess to stand on are left out.
pub fn measure_topics(guesses: &[Guess]) -> Vec<Figure> {
    let pairs = Pairs::of(guesses.iter().map(|g| (g.topic.as_deref(), g.predicted.as_deref())));
    let count = |test: &dyn Fn(&Guess) -> bool| guesses.iter().filter(|g| test(g)).count();
    let of = |right: &dyn Fn(&Guess) -> bool, all: &dyn Fn(&Guess) -> bool| {
        share(count(&|g| all(g) && right(g)), count(all))
    };
    let is_right = |g: &Guess| g.predicted == g.topic;
    let judged = |confidence: fn(&Guess) -> f64, right: &dyn Fn(&Guess) -> bool| {
        let judge = |g: &Guess| Judged { confidence: confidence(g), right: right(g) };
        guesses.iter().map(judge).collect::<Vec<_>>()
    };
    let about = judged(|g| 1.0 - g.none, &|g| g.topic.is_some());
    let named = judged(|g| g.of_likeliest, &|g| Some(&g.likeliest) == g.topic.as_ref());
    let said = judged(|g| g.confidence, &is_right);
    [
        (
            "accuracy",
            "of the texts about a topic, those that got it; \"none of these\" is wrong there",
            of(&is_right, &|g| g.topic.is_some()),
        ),
        (
            "accuracy_without_none",
            "the same, had \"none of these\" not been allowed",
            of(&|g| Some(&g.likeliest) == g.topic.as_ref(), &|g| g.topic.is_some()),
        ),
        (
            "none_recall",
            "of the texts about no topic, those that got none",
            of(&|g| g.predicted.is_none(), &|g| g.topic.is_none()),
        ),
        (
            "none_precision",
            "of the texts that got none, those about no topic",
            of(&|g| g.topic.is_none(), &|g| g.predicted.is_none()),
        ),
        ("macro_f1", "F1 averaged over the topics", pairs.estimate(macro_f1)),
        ("mcc", "Matthews correlation over topics and none", pairs.estimate(mcc)),
        (
            "auroc_none",
            "a text about a topic gets less probability of none than one about no topic",
            resampled(&about, &auroc),
        ),
        (
            "coverage_at_95",
            "texts that could be given a topic with 95 % of them right",
            resampled(&named, &|judged| coverage_at(PRECISION, judged)),
        ),
        (
            "ece",
            "mean distance of stated and met confidence",
            calibration(&said, 10, Resampling::default()),
        ),
    ]
    .into_iter()
    .filter_map(|(name, meaning, estimate)| {
        let unit =
            if ["macro_f1", "mcc", "auroc_none", "ece"].contains(&name) { Score } else { Share };
        figure(name, meaning, unit, estimate)
    })
    .collect()
}

/// Renders one guess as a line of `predictions.jsonl`.
pub fn prediction_line(guess: &Guess) -> Value {
    json!({
        "text": guess.text,
        "topic": guess.topic,
        "predicted": guess.predicted,
        "confidence": guess.confidence,
        "none": guess.none,
        "likeliest": guess.likeliest,
    })
}

fn resampled(judged: &[Judged], of: &dyn Fn(&[Judged]) -> Option<f64>) -> Option<Estimate> {
    statistic(judged.len(), Resampling::default(), |indices| {
        let drawn: Vec<Judged> = indices.iter().filter_map(|i| judged.get(*i).copied()).collect();
        of(&drawn)
    })
}

/// Returns the largest share that can be kept, most confident first, with `precision` of them right.
fn coverage_at(precision: f64, judged: &[Judged]) -> Option<f64> {
    let points = risk_coverage(judged)?;
    let kept = points.iter().filter(|point| point.risk.value <= 1.0 - precision);
    (!points.is_empty()).then(|| kept.map(|point| point.coverage).fold(0.0, f64::max))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(topic: Option<&str>, predicted: Option<&str>, of_likeliest: f64) -> Guess {
        let none = if predicted.is_none() { 0.9 } else { 0.1 };
        Guess {
            text: "x".into(),
            topic: topic.map(str::to_string),
            predicted: predicted.map(str::to_string),
            confidence: if predicted.is_none() { none } else { of_likeliest },
            likeliest: predicted.unwrap_or("a").into(),
            of_likeliest,
            none,
        }
    }

    fn value(figures: &[Figure], name: &str) -> Option<f64> {
        figures.iter().find(|figure| figure.name == name).map(|figure| figure.estimate.value)
    }

    #[test]
    fn figures_agree_with_hand_counts() {
        let (a, b) = (Some("a"), Some("b"));
        let guesses = [
            guess(a, a, 0.9),
            guess(a, a, 0.8),
            guess(a, b, 0.6),
            guess(b, b, 0.7),
            guess(b, None, 0.05),
            guess(None, None, 0.05),
            guess(None, None, 0.04),
            guess(None, a, 0.55),
        ];
        let figures = measure_topics(&guesses);
        let near = |name: &str, expected: f64| {
            let found = value(&figures, name).unwrap();
            assert!((found - expected).abs() < 1e-9, "{name}: {found}");
        };
        near("accuracy", 3.0 / 5.0);
        near("accuracy_without_none", 3.0 / 5.0);
        near("none_recall", 2.0 / 3.0);
        near("none_precision", 2.0 / 3.0);
        near("macro_f1", f64::midpoint(2.0 / 3.0, 0.5));
        // (5 · 8 - 22) / (64 - 22): due 3, 2, 3 and said 3, 2, 3.
        near("mcc", 18.0 / 42.0);
        near("coverage_at_95", 3.0 / 8.0);
    }

    #[test]
    fn without_none_there_is_no_figure_of_it() {
        let figures = measure_topics(&vec![guess(Some("a"), Some("a"), 0.9); 3]);
        assert_eq!(value(&figures, "none_recall"), None);
        assert_eq!(value(&figures, "auroc_none"), None);
        assert_eq!(value(&figures, "accuracy"), Some(1.0));
        assert!(measure_topics(&[]).is_empty());
    }

    #[test]
    fn a_line_has_the_fields_of_the_contract() {
        let line = prediction_line(&guess(Some("a"), None, 0.2));
        assert_eq!(line["predicted"], Value::Null);
        assert_eq!(line["topic"], "a");
        assert!(line["text"].is_string() && line["confidence"].is_number());
    }
}

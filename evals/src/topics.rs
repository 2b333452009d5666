//! How well are topics told apart, and told from none of them?

use crate::{
    interval::{Estimate, Resampling, share, statistic},
    measures::{Judged, auroc, calibration_error, risk_coverage},
    summary::Figure,
};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

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
    let known = Numbered::of(guesses);
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
        ("macro_f1", "F1 averaged over the topics", known.estimate(Numbered::macro_f1)),
        ("mcc", "Matthews correlation over topics and none", known.estimate(Numbered::mcc)),
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
            resampled(&said, &|judged| calibration_error(judged, 10)),
        ),
    ]
    .into_iter()
    .filter_map(|(name, meaning, estimate)| Some(Figure { name, meaning, estimate: estimate? }))
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

/// Renders figures as the object of a summary.
pub fn figures_json(figures: &[Figure]) -> Value {
    let one = |f: &Figure| {
        let Estimate { value, low, high, n } = f.estimate;
        (f.name.to_string(), json!({"value": value, "low": low, "high": high, "n": n}))
    };
    Value::Object(figures.iter().map(one).collect::<Map<String, Value>>())
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

/// Pairs of topic and prediction as numbers, 0 for none.
struct Numbered {
    pairs: Vec<(usize, usize)>,
    n_names: usize,
}

/// How often each name is due, said, and both.
struct Counts {
    due: Vec<f64>,
    said: Vec<f64>,
    both: Vec<f64>,
}

impl Numbered {
    fn of(guesses: &[Guess]) -> Self {
        let mut numbers: HashMap<Option<&str>, usize> = HashMap::from([(None, 0)]);
        let mut pairs = Vec::with_capacity(guesses.len());
        for guess in guesses {
            let next = numbers.len();
            let due = *numbers.entry(guess.topic.as_deref()).or_insert(next);
            let next = numbers.len();
            let said = *numbers.entry(guess.predicted.as_deref()).or_insert(next);
            pairs.push((due, said));
        }
        Self { pairs, n_names: numbers.len() }
    }

    fn estimate(&self, of: fn(&Counts) -> Option<f64>) -> Option<Estimate> {
        statistic(self.pairs.len(), Resampling::default(), |indices| {
            let zeros = || vec![0.0; self.n_names];
            let mut counts = Counts { due: zeros(), said: zeros(), both: zeros() };
            for (due, said) in indices.iter().filter_map(|i| self.pairs.get(*i).copied()) {
                counts.due[due] += 1.0;
                counts.said[said] += 1.0;
                if due == said {
                    counts.both[due] += 1.0;
                }
            }
            of(&counts)
        })
    }

    /// F1 averaged over the topics that are due at least once; none is no topic.
    fn macro_f1(counts: &Counts) -> Option<f64> {
        let (mut sum, mut n) = (0.0, 0.0);
        let rows = counts.due.iter().zip(&counts.said).zip(&counts.both).skip(1);
        for ((due, said), both) in rows.filter(|((due, _), _)| **due > 0.0) {
            sum += 2.0 * both / (due + said);
            n += 1.0;
        }
        (n > 0.0).then(|| sum / n)
    }

    /// Matthews correlation for many classes (Gorodkin 2004, "Comparing two K-category assignments
    /// by a K-category correlation coefficient"); none is a class of its own.
    fn mcc(counts: &Counts) -> Option<f64> {
        let n: f64 = counts.due.iter().sum();
        let right: f64 = counts.both.iter().sum();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let (due, said) = (&counts.due, &counts.said);
        let spread = (n * n - dot(said, said)) * (n * n - dot(due, due));
        (spread > 0.0).then(|| (right * n - dot(due, said)) / spread.sqrt())
    }
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

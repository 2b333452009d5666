use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The probability that a drafted answer is right, 0..=1, always finite.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Confidence(f64);

impl Confidence {
    /// Certainly wrong; also the confidence in a draft that does not exist.
    pub const NONE: Self = Self(0.0);

    /// Takes a probability that was measured or calibrated elsewhere; `None` when it is not in
    /// 0..=1.
    pub fn new(probability: f64) -> Option<Self> {
        (0.0..=1.0).contains(&probability).then_some(Self(probability))
    }

    /// Returns the probability.
    pub fn value(self) -> f64 {
        self.0
    }
}

/// What was observed about a question and its draft: named numbers, all finite.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evidence(BTreeMap<&'static str, f64>);

impl Evidence {
    /// Records an observation. A number that is not finite is recorded as 0, the value that every
    /// observation has when there was nothing to observe.
    pub fn record(&mut self, name: &'static str, value: f64) {
        self.0.insert(name, if value.is_finite() { value } else { 0.0 });
    }

    /// Returns an observation by name.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    /// Returns all observations in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, f64)> + '_ {
        self.0.iter().map(|(name, value)| (*name, *value))
    }
}

/// What a [`Calibration`] is valid for: its numbers mean nothing for anything else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedFor {
    /// Id of the embedder whose cosines were observed.
    pub embedder: String,
    /// Name of the drafter whose drafts were judged.
    pub drafter: String,
    /// Version of the evidence that is drawn from drafts and what was found.
    pub schema: u32,
    /// How articles are searched: the layout of the index, and the parts of the fused score.
    pub search: String,
}

/// One observation's part in a [`Calibration`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Factor {
    /// Name of the observation in [`Evidence`].
    pub name: String,
    /// Its mean over the cases that were fitted.
    pub mean: f64,
    /// Its standard deviation there, above 0.
    pub deviation: f64,
    /// What one deviation above the mean adds to the log-odds of being right.
    pub weight: f64,
}

/// Turns [`Evidence`] into [`Confidence`] by logistic regression (Cox 1958) over standardised
/// observations: `1 / (1 + exp(-(intercept + Σ weight · (value − mean) / deviation)))`. Fitted on
/// labelled cases with an L2 penalty, its output is itself the probability (Platt 1999).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// What it may be used for.
    pub fitted_for: FittedFor,
    /// How and on what it was fitted, for people.
    pub report: BTreeMap<String, String>,
    /// Log-odds of being right for average evidence.
    pub intercept: f64,
    /// What topics add to the log-odds, where cases have shown that they differ; all others are pooled.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub topics: BTreeMap<String, f64>,
    /// One entry an observation.
    pub factors: Vec<Factor>,
}

/// What one observation added to the log-odds of one draft.
#[derive(Debug, Clone, PartialEq)]
pub struct Contribution {
    /// Name of the observation.
    pub name: String,
    /// What was observed.
    pub value: f64,
    /// Its part of the log-odds, relative to the average case.
    pub log_odds: f64,
}

/// The evidence at hand is not what the calibration was fitted on.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// An observation that the calibration needs was not made.
    #[error(
        "the calibration needs the observation {0:?}, which this version does not make; fit it again with `frontdesk eval calibrate`"
    )]
    Absent(String),
    /// The calibration belongs to another embedder, drafter, index layout or weights of the search.
    #[error(
        "the calibration was fitted for {fitted}, this desk uses {used}; fit it again with `frontdesk eval calibrate`"
    )]
    OtherOrigin {
        /// What it was fitted for.
        fitted: String,
        /// What is in use.
        used: String,
    },
    /// A coefficient is not usable.
    #[error("the calibration's factor {0:?} is not a finite number with a deviation above 0")]
    Unusable(String),
}

impl Calibration {
    /// Checks that the calibration is usable and was fitted for `used`.
    ///
    /// # Errors
    /// [`EvidenceError::OtherOrigin`] or [`EvidenceError::Unusable`].
    pub fn check(&self, used: &FittedFor) -> Result<(), EvidenceError> {
        if self.fitted_for != *used {
            let name = |f: &FittedFor| {
                format!("{} / {} / schema {} / {}", f.embedder, f.drafter, f.schema, f.search)
            };
            return Err(EvidenceError::OtherOrigin {
                fitted: name(&self.fitted_for),
                used: name(used),
            });
        }
        if !self.intercept.is_finite() {
            return Err(EvidenceError::Unusable("intercept".into()));
        }
        if let Some((topic, _)) = self.topics.iter().find(|(_, shift)| !shift.is_finite()) {
            return Err(EvidenceError::Unusable(format!("topics.{topic}")));
        }
        let broken = self.factors.iter().find(|f| {
            !(f.mean.is_finite()
                && f.weight.is_finite()
                && f.deviation.is_finite()
                && f.deviation > 0.0)
        });
        broken.map_or(Ok(()), |f| Err(EvidenceError::Unusable(f.name.clone())))
    }

    /// Returns the probability that a draft with this evidence, on this topic, is right.
    ///
    /// # Errors
    /// [`EvidenceError::Absent`] when an observation is missing.
    pub fn confidence(
        &self,
        evidence: &Evidence,
        topic: Option<&str>,
    ) -> Result<Confidence, EvidenceError> {
        let contributions = self.contributions(evidence, topic)?;
        let log_odds = self.intercept + contributions.iter().map(|c| c.log_odds).sum::<f64>();
        let probability = 1.0 / (1.0 + (-log_odds).exp());
        Ok(Confidence::new(probability).unwrap_or(Confidence::NONE))
    }

    /// Returns what each observation contributes, and the topic where it does, the weightiest first.
    ///
    /// # Errors
    /// [`EvidenceError::Absent`] when an observation is missing.
    pub fn contributions(
        &self,
        evidence: &Evidence,
        topic: Option<&str>,
    ) -> Result<Vec<Contribution>, EvidenceError> {
        let mut contributions = Vec::with_capacity(self.factors.len() + 1);
        if let Some(shift) = topic.and_then(|topic| self.topics.get(topic)) {
            let (name, value) = ("topic".to_string(), 1.0);
            contributions.push(Contribution { name, value, log_odds: *shift });
        }
        for factor in &self.factors {
            let value = evidence
                .get(&factor.name)
                .ok_or_else(|| EvidenceError::Absent(factor.name.clone()))?;
            // Beyond four deviations there were no cases to learn from; further out is no more news.
            let distance = ((value - factor.mean) / factor.deviation).clamp(-4.0, 4.0);
            contributions.push(Contribution {
                name: factor.name.clone(),
                value,
                log_odds: distance * factor.weight,
            });
        }
        contributions.sort_by(|a, b| b.log_odds.abs().total_cmp(&a.log_odds.abs()));
        Ok(contributions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fitted_for(embedder: &str) -> FittedFor {
        let (drafter, search) = ("quotes".into(), "layout 1".into());
        FittedFor { embedder: embedder.into(), drafter, schema: 1, search }
    }

    fn calibration(weight: f64) -> Calibration {
        Calibration {
            fitted_for: fitted_for("e"),
            report: BTreeMap::new(),
            intercept: 0.0,
            topics: [("billing".to_string(), 1.5)].into(),
            factors: vec![Factor { name: "cosine".into(), mean: 0.5, deviation: 0.1, weight }],
        }
    }

    fn evidence(cosine: f64) -> Evidence {
        let mut evidence = Evidence::default();
        evidence.record("cosine", cosine);
        evidence
    }

    #[test]
    fn average_evidence_gives_the_intercept() {
        assert_eq!(calibration(2.0).confidence(&evidence(0.5), None), Ok(Confidence(0.5)));
        assert_eq!(calibration(2.0).confidence(&evidence(0.5), Some("jobs")), Ok(Confidence(0.5)));
        let billing = calibration(2.0).confidence(&evidence(0.5), Some("billing")).unwrap();
        assert!((billing.value() - 1.0 / (1.0 + (-1.5_f64).exp())).abs() < 1e-12);
        let parts = calibration(2.0).contributions(&evidence(0.5), Some("billing")).unwrap();
        assert_eq!((parts[0].name.as_str(), parts[0].log_odds), ("topic", 1.5));
    }

    #[test]
    fn a_calibration_for_another_embedder_is_refused() {
        let other = fitted_for("f");
        let error = calibration(1.0).check(&other).unwrap_err().to_string();
        assert!(
            error
                .contains("fitted for e / quotes / schema 1 / layout 1, this desk uses f / quotes"),
            "{error}"
        );
    }

    #[test]
    fn a_missing_observation_is_an_error_not_a_guess() {
        let error = calibration(1.0).confidence(&Evidence::default(), None);
        assert_eq!(error, Err(EvidenceError::Absent("cosine".into())));
    }

    #[test]
    fn unusable_coefficients_are_refused() {
        let mut broken = calibration(f64::NAN);
        let own = broken.fitted_for.clone();
        assert_eq!(broken.check(&own), Err(EvidenceError::Unusable("cosine".into())));
        broken = calibration(1.0);
        broken.factors[0].deviation = 0.0;
        assert_eq!(broken.check(&own), Err(EvidenceError::Unusable("cosine".into())));
    }

    proptest! {
        #[test]
        fn confidence_is_a_probability_and_grows_with_its_evidence(a in -1e9..1e9_f64, b in -1e9..1e9_f64) {
            let (low, high) = if a < b { (a, b) } else { (b, a) };
            let of = |x| calibration(1.5).confidence(&evidence(x), None).unwrap().value();
            prop_assert!((0.0..=1.0).contains(&of(low)) && of(low) <= of(high));
        }
    }
}

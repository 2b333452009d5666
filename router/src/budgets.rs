use crate::{Confidence, Decision, Policy, Rule};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Thresholds of which labelled cases have proved that they keep an error budget; written by
/// `frontdesk eval budget`, for people to read too.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budgets {
    /// Mark of the calibration whose confidences were compared with the thresholds.
    pub calibration: String,
    /// How and on what they were certified, for people.
    pub report: BTreeMap<String, String>,
    /// Topics that had cases enough to be judged by themselves. All others, and messages without a
    /// topic, are judged together.
    pub topics: BTreeSet<String>,
    /// What was certified. What is missing could not be.
    #[serde(default)]
    pub certified: Vec<Certified>,
}

/// A threshold that keeps a budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certified {
    /// One of [`Budgets::topics`]; none stands for all others together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// The rule whose budget it is; none stands for every rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Largest share of the answers that is wrong, above 0 and below 1.
    pub error_budget: f64,
    /// The least confidence that an answer needs.
    pub threshold: f64,
    /// Probability that the promise is kept, such as 0.95.
    pub certainty: f64,
    /// Cases that were surer than the threshold.
    pub answered: usize,
    /// Those of them that were wrong.
    pub wrong: usize,
}

/// What a budget means for one conversation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Allowance {
    pub(crate) threshold: Confidence,
    pub(crate) certified: bool,
    /// Whether the threshold was raised as the budget burnt.
    pub(crate) raised: bool,
    /// Whether the desk has budgets at all, so that it is worth telling.
    pub(crate) told: bool,
}

impl Budgets {
    /// Says what is wrong with numbers in it, if anything is.
    pub fn flaw(&self) -> Option<String> {
        let share = |n: f64| n > 0.0 && n < 1.0;
        let bad = self.certified.iter().find(|c| {
            !share(c.error_budget)
                || !share(c.certainty)
                || Confidence::new(c.threshold).is_none()
                || c.topic.as_ref().is_some_and(|topic| !self.topics.contains(topic))
        })?;
        let topic = bad.topic.as_deref().unwrap_or("all other topics");
        Some(format!(
            "the threshold for {topic} is not usable: a number is out of range, or the topic is not \
             among `topics`"
        ))
    }

    /// Returns the least confidence by which no more than `budget` of the answers on `topic` that a
    /// rule lets through is wrong. Where nothing is certified it is 1 - `budget`: of answers that are each that likely to
    /// be right, no larger share is wrong, as far as the calibration is true.
    pub(crate) fn allowance(
        &self,
        rule: &str,
        budget: f64,
        topic: Option<&str>,
    ) -> Option<Allowance> {
        let topic = self.group(topic);
        // Rounding in a file must not part a budget from itself.
        let fits = |c: &&Certified| {
            let is_its = c.rule.as_deref().is_none_or(|name| name == rule);
            is_its && c.topic.as_deref() == topic && c.error_budget <= budget + 1e-9
        };
        let lowest = self.certified.iter().filter(fits).map(|c| c.threshold).min_by(f64::total_cmp);
        let threshold = Confidence::new(lowest.unwrap_or(1.0 - budget))?;
        let told = !self.calibration.is_empty();
        Some(Allowance { threshold, certified: lowest.is_some(), raised: false, told })
    }

    /// Returns the group in which a topic is judged: itself where it stands alone, else `None`, that
    /// of all others.
    pub fn group<'a>(&self, topic: Option<&'a str>) -> Option<&'a str> {
        topic.filter(|topic| self.topics.contains(*topic))
    }
}

impl Policy {
    /// Returns the rules whose error budgets decide what is sent.
    pub fn budgeted(&self) -> impl Iterator<Item = (&Rule, f64)> {
        let by_budget = |rule: &&Rule| rule.then.threshold.is_none();
        self.rules().filter(by_budget).filter_map(|rule| Some((rule, rule.then.error_budget?)))
    }

    /// Returns the rule that asks for the confidence of a decision, where it does so by an error
    /// budget.
    pub fn budget_of(&self, decision: &Decision) -> Option<(&Rule, f64)> {
        let fired = decision.fired().iter();
        let mut rules = fired.filter_map(|it| self.rules().find(|rule| rule.name == it.rule));
        let asks = |rule: &&Rule| rule.then.threshold.or(rule.then.error_budget).is_some();
        let rule = rules.find(asks)?;
        let budget = rule.then.error_budget.filter(|_| rule.then.threshold.is_none())?;
        Some((rule, budget))
    }

    /// Returns the least confidence that a rule's budget asks for of a conversation on `topic`.
    pub fn budget_threshold(
        &self,
        (rule, budget): (&str, f64),
        topic: Option<&str>,
    ) -> Option<f64> {
        self.allowance((rule, budget), topic).map(|allowed| allowed.threshold.value())
    }

    /// Returns what a rule's budget means for a conversation on `topic`. A raised threshold whose
    /// rule is gone holds for every budget: a new name loosens nothing.
    pub(crate) fn allowance(
        &self,
        (rule, budget): (&str, f64),
        topic: Option<&str>,
    ) -> Option<Allowance> {
        let allowed = self.budgets().allowance(rule, budget, topic)?;
        let group = self.budgets().group(topic);
        let is_known = |name: &str| self.rules().any(|rule| rule.name == name);
        let raised = self.raised().iter().filter(|raised| {
            let is_its = raised.rule == rule || !is_known(&raised.rule);
            is_its && (raised.topic.as_deref() == group || raised.topic.as_deref() == topic)
        });
        let highest = raised.map(|raised| raised.threshold).max_by(f64::total_cmp);
        let highest = highest.and_then(Confidence::new).filter(|it| *it > allowed.threshold);
        Some(match highest {
            Some(threshold) => Allowance { threshold, raised: true, told: true, ..allowed },
            None => allowed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budgets() -> Budgets {
        let certified = |topic: Option<&str>, error_budget, threshold| Certified {
            topic: topic.map(str::to_string),
            rule: None,
            error_budget,
            threshold,
            certainty: 0.95,
            answered: 100,
            wrong: 1,
        };
        Budgets {
            topics: BTreeSet::from(["billing".to_string(), "privacy".to_string()]),
            certified: vec![
                certified(Some("billing"), 0.05, 0.8),
                certified(Some("billing"), 0.1, 0.6),
                certified(None, 0.1, 0.7),
            ],
            ..Budgets::default()
        }
    }

    #[test]
    fn a_budget_takes_the_lowest_threshold_that_keeps_it() {
        let check = |budget: f64, topic: Option<&str>, threshold: f64, certified: bool| {
            let found = budgets().allowance("any", budget, topic).unwrap();
            assert!((found.threshold.value() - threshold).abs() < 1e-12, "{budget} {topic:?}");
            assert_eq!(found.certified, certified, "{budget} {topic:?}");
        };
        check(0.05, Some("billing"), 0.8, true);
        check(0.07, Some("billing"), 0.8, true);
        check(0.2, Some("billing"), 0.6, true);
        check(0.02, Some("billing"), 0.98, false);
        // Judged by itself, and nothing could be certified: what holds for others does not help.
        check(0.1, Some("privacy"), 0.9, false);
        check(0.1, Some("jobs"), 0.7, true);
        check(0.1, None, 0.7, true);
        check(0.05, None, 0.95, false);
    }

    #[test]
    fn what_is_certified_for_one_rule_is_no_other_s() {
        let mut budgets = budgets();
        for certified in &mut budgets.certified {
            certified.rule = Some("careful".into());
        }
        let of = |rule: &str| budgets.allowance(rule, 0.1, None).unwrap();
        assert!(of("careful").certified && !of("another").certified);
        let written = serde_json::to_string(&budgets).unwrap();
        assert_eq!(serde_json::from_str::<Budgets>(&written).unwrap(), budgets);
    }

    #[test]
    fn numbers_out_of_range_are_flaws() {
        assert_eq!(budgets().flaw(), None);
        let mut broken: Budgets = budgets();
        broken.certified[0].threshold = 1.5;
        assert!(broken.flaw().is_some());
        let mut broken: Budgets = budgets();
        broken.topics.clear();
        assert!(broken.flaw().is_some());
    }
}

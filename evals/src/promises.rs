use crate::{
    Record,
    budget::{Kept, Promise, Proof, Unsupported, certify, least_answers},
    measures::Judged,
};
use router::{Budgets, Certified};
use std::collections::{BTreeMap, BTreeSet};

/// What the cases say of one budget for one group of conversations.
#[derive(Debug, Clone, PartialEq)]
pub struct Promised {
    /// The topic; `None` for all that have no threshold of their own.
    pub topic: Option<String>,
    /// Largest share of answers that may be wrong.
    pub budget: f64,
    /// What became of it; `None` without a case.
    pub verdict: Option<Proof>,
}

/// Makes thresholds of error budgets, for each topic that has cases enough and for all others
/// together. Which topics stand alone depends on how many drafts they have, never on how many are
/// right. A topic is the one that was told when the case ran, as it will be for customers.
pub fn promise(records: &[Record], errors: &[f64], doubt: f64) -> (Budgets, Vec<Promised>) {
    let judged: Vec<(Option<&str>, Judged)> = records
        .iter()
        .filter(|record| record.is_drafted())
        .filter_map(|record| {
            let right = record.is_draft_right()?;
            Some((record.topic.as_deref(), Judged { confidence: record.confidence, right }))
        })
        .collect();
    let strictest = errors.iter().copied().fold(f64::INFINITY, f64::min);
    let enough = least_answers(Promise { budget: strictest, doubt });
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for topic in judged.iter().filter_map(|(topic, _)| *topic) {
        *counts.entry(topic).or_default() += 1;
    }
    let topics: BTreeSet<String> =
        counts.iter().filter(|(_, n)| **n >= enough).map(|(topic, _)| (*topic).into()).collect();
    let mut promised = Vec::new();
    for group in topics.iter().map(Some).chain([None]) {
        let own: Vec<Judged> = judged
            .iter()
            .filter(|(topic, _)| topic.filter(|t| topics.contains(*t)) == group.map(String::as_str))
            .map(|(_, judged)| *judged)
            .collect();
        promised.extend(errors.iter().map(|budget| Promised {
            topic: group.cloned(),
            budget: *budget,
            verdict: certify(&own, Promise { budget: *budget, doubt }),
        }));
    }
    let certified = promised.iter().filter_map(|found| certified(found, doubt)).collect();
    (Budgets { topics, certified, ..Budgets::default() }, promised)
}

fn certified(found: &Promised, doubt: f64) -> Option<Certified> {
    let Some(Proof::Kept(Kept { threshold, n_answered, n_wrong, .. })) = &found.verdict else {
        return None;
    };
    Some(Certified {
        topic: found.topic.clone(),
        error_budget: found.budget,
        threshold: *threshold,
        certainty: ((1.0 - doubt) * 1e9).round() / 1e9,
        answered: *n_answered,
        wrong: *n_wrong,
    })
}

impl Promised {
    /// Says it in a line for people.
    pub fn line(&self, doubt: f64) -> String {
        let topic = self.topic.as_deref().unwrap_or("all others");
        let (most, sure) = ((1e6 * self.budget).round() / 1e4, 100.0 * (1.0 - doubt));
        let start = format!("{topic}, at most {most} % wrong with {sure:.0} % certainty:");
        match &self.verdict {
            None => format!("{start} no case with a draft"),
            Some(Proof::Kept(kept)) => {
                let Kept { threshold, n_answered, n_wrong, wrong_at_most, coverage } = kept;
                format!(
                    "{start} threshold {threshold:.2}, answers {:.0} % of {} drafts; \
                     {n_wrong} of {n_answered} were wrong, so at most {:.1} % are",
                    100.0 * coverage.value,
                    coverage.n,
                    100.0 * wrong_at_most,
                )
            }
            Some(Proof::Unsupported(found)) => {
                let Unsupported { n, nearest, n_answered, n_wrong, .. } = found;
                format!(
                    "{start} these {n} drafts cannot support it: above {nearest:.2}, where they come \
                     nearest, {n_wrong} of {n_answered} are wrong; it takes at least {} more answers \
                     like these, all right, about {} more cases",
                    found.answers_missing, found.cases_missing,
                )
            }
        }
    }
}

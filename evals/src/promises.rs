use crate::{
    budget::{Kept, Promise, Proof, Unsupported, certify, least_answers, starts},
    case::Case,
    measures::Judged,
    record::Record,
    split::{Choosing, conversation},
    trial::{Trial, try_cases},
};
use bot::Desk;
use router::{Budgets, Certified, Decision, Permission, Policy, Reason};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// What thresholds can be chosen by: the drafts for [`Choosing`] about which the confidence decides.
/// What a rule settles or forbids is sent at no threshold, and says nothing of one.
#[derive(Debug)]
pub struct Grounds {
    guide: Vec<Ground>,
    proving: Vec<Ground>,
}

#[derive(Debug, Clone)]
struct Ground {
    judged: Judged,
    /// The topic that was told when the case ran, as it will be for customers.
    topic: Option<String>,
    /// The rule whose budget decides.
    rule: Option<String>,
}

/// A promise that is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// The rule that makes it, so that only what it lets through counts; `None` for whatever the
    /// confidence decides about.
    pub rule: Option<String>,
    /// Largest share of answers that may be wrong.
    pub budget: f64,
}

/// What the cases say of one budget for one group of conversations.
#[derive(Debug, Clone, PartialEq)]
pub struct Promised {
    /// The topic; `None` for all that have no threshold of their own.
    pub topic: Option<String>,
    /// What was asked for.
    pub wanted: Wanted,
    /// What became of it; `None` without a case.
    pub verdict: Option<Proof>,
}

/// With fewer drafts of its own a group begins where the others' begins.
const GUIDE_AT_LEAST: usize = 30;

/// Has the desk draft for the cases that thresholds are chosen by. Of each conversation one turn is
/// proof, whichever its id draws: turns of one are not independent.
///
/// # Errors
/// When the index cannot be opened or a case makes the path panic.
pub async fn gather(
    desk: &Desk,
    choosing: &Choosing,
    at_once: usize,
    progress: &(dyn Fn(usize) + Sync),
) -> anyhow::Result<Grounds> {
    let knowledge = desk.library().knowledge()?;
    let Choosing { guide, proving } = choosing;
    let told = try_cases(desk, &knowledge, guide, at_once, progress).await?;
    let further = |done: usize| progress(guide.len() + done);
    let proof = try_cases(desk, &knowledge, proving, at_once, &further).await?;
    let of = |trial: &Trial<'_>| ground(&Record::of(trial, desk.policy()), trial, desk.policy());
    let counted = proof.iter().filter_map(|trial| Some((trial.case, of(trial)?)));
    Ok(Grounds {
        guide: told.iter().filter_map(of).collect(),
        proving: one_a_conversation(counted),
    })
}

fn ground(record: &Record, trial: &Trial<'_>, policy: &Policy) -> Option<Ground> {
    let decision = &trial.answer.decision;
    let right = record.is_draft_right().filter(|_| record.is_drafted())?;
    is_by_confidence(decision).then(|| Ground {
        judged: Judged { confidence: record.confidence, right },
        topic: record.topic.clone(),
        rule: policy.budget_of(decision).map(|(rule, _)| rule.name.clone()),
    })
}

/// Whether the confidence alone decides if the draft is sent.
fn is_by_confidence(decision: &Decision) -> bool {
    let is_open = decision.effects().answer.is_none_or(|answer| answer == Permission::Allowed);
    let weighs =
        |reason: &Reason| matches!(reason, Reason::Confident { .. } | Reason::NotConfident { .. });
    is_open && decision.reasons().iter().any(weighs)
}

fn one_a_conversation<'a>(grounds: impl Iterator<Item = (&'a Case, Ground)>) -> Vec<Ground> {
    let mut drawn: BTreeMap<String, (Vec<u8>, Ground)> = BTreeMap::new();
    for (case, ground) in grounds {
        let lot = Sha256::digest(&case.id).to_vec();
        let name = conversation(case);
        if drawn.get(&name).is_none_or(|(least, _)| lot < *least) {
            drawn.insert(name, (lot, ground));
        }
    }
    drawn.into_values().map(|(_, ground)| ground).collect()
}

impl Grounds {
    /// Returns how many conversations are proof.
    pub fn n_proving(&self) -> usize {
        self.proving.len()
    }
}

impl Wanted {
    fn concerns(&self, ground: &Ground) -> bool {
        self.rule.is_none() || self.rule == ground.rule
    }
}

/// Makes thresholds of error budgets, for each topic that has cases enough and for all others
/// together. Which topics stand alone depends on how many drafts they have, never on how many are
/// right.
pub fn promise(grounds: &Grounds, wanted: &[Wanted], doubt: f64) -> (Budgets, Vec<Promised>) {
    let topics = alone(&grounds.proving, wanted, doubt);
    let mut promised = Vec::new();
    for topic in topics.iter().map(Some).chain([None]) {
        let is_of = |ground: &&Ground| {
            let own = ground.topic.as_ref().filter(|topic| topics.contains(*topic));
            own == topic
        };
        for wanted in wanted {
            let concerned = |ground: &&Ground| wanted.concerns(ground);
            let own: Vec<Judged> = grounds
                .proving
                .iter()
                .filter(is_of)
                .filter(concerned)
                .map(|ground| ground.judged)
                .collect();
            let promise = Promise { budget: wanted.budget, doubt };
            let guide = guide(&grounds.guide, [&is_of, &concerned]);
            let verdict = certify(&own, &starts(&guide, own.len(), promise), promise);
            promised.push(Promised { topic: topic.cloned(), wanted: wanted.clone(), verdict });
        }
    }
    let certified = promised.iter().filter_map(|found| certified(found, doubt)).collect();
    (Budgets { topics, certified, ..Budgets::default() }, promised)
}

/// Tells which topics have enough drafts for every promise that concerns them.
fn alone(grounds: &[Ground], wanted: &[Wanted], doubt: f64) -> BTreeSet<String> {
    let topics: BTreeSet<&String> =
        grounds.iter().filter_map(|ground| ground.topic.as_ref()).collect();
    let has_enough = |topic: &&String| {
        let counts = wanted.iter().map(|wanted| {
            let own = grounds.iter().filter(|ground| ground.topic.as_ref() == Some(*topic));
            (wanted, own.filter(|ground| wanted.concerns(ground)).count())
        });
        let enough = |(wanted, n): (&Wanted, usize)| {
            n == 0 || n >= least_answers(Promise { budget: wanted.budget, doubt })
        };
        counts.clone().any(|(_, n)| n > 0) && counts.into_iter().all(enough)
    };
    topics.into_iter().filter(has_enough).cloned().collect()
}

/// Chooses the guide of a group: its own drafts, else those that the promise concerns, else all.
fn guide(all: &[Ground], [is_of, concerned]: [&dyn Fn(&&Ground) -> bool; 2]) -> Vec<Judged> {
    let own = || all.iter().filter(|it| concerned(it));
    let nearest: Vec<Judged> = own().filter(|it| is_of(it)).map(|it| it.judged).collect();
    let nearer: Vec<Judged> = own().map(|it| it.judged).collect();
    let all: Vec<Judged> = all.iter().map(|it| it.judged).collect();
    let enough = |guide: &Vec<Judged>| guide.len() >= GUIDE_AT_LEAST;
    [nearest, nearer].into_iter().find(enough).unwrap_or(all)
}

fn certified(found: &Promised, doubt: f64) -> Option<Certified> {
    let Some(Proof::Kept(Kept { threshold, n_answered, n_wrong, .. })) = &found.verdict else {
        return None;
    };
    Some(Certified {
        topic: found.topic.clone(),
        rule: found.wanted.rule.clone(),
        error_budget: found.wanted.budget,
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
        let (most, sure) = ((1e6 * self.wanted.budget).round() / 1e4, 100.0 * (1.0 - doubt));
        let rule =
            self.wanted.rule.as_ref().map_or(String::new(), |rule| format!(", rule {rule:?}"));
        let start = format!("{topic}{rule}, at most {most} % wrong with {sure:.0} % certainty:");
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

#[cfg(test)]
mod tests;

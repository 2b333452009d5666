//! Do people's words of late break the error budgets by which the desk answers?
//!
//! An answer that was sent by a budget counts from the moment it is sent, and as wrong from the
//! moment that something speaks against it: a teammate who finds it wrong, or sends something else
//! instead; one or two stars; a customer who comes back and ends with people. What nobody objects to
//! counts as right, so that the share is the least that it can be.

use crate::{Answer, edit::was_right};
use jiff::{SignedDuration, Timestamp};
use router::{Act, Policy, Raised, Reply, Tally, evidence, is_burning};
use std::collections::HashSet;
use store::{Budgeted, Objection, Store, Watched};

/// The chance that a budget which is kept is ever taken to burn, all of the desk's together.
pub const BURN_DOUBT: f64 = 0.05;

/// How far back answers are looked at: what comes later says what holds now.
const LOOK_BACK_WEEKS: i64 = 26;

const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How an error budget fares.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveBudget {
    /// What is kept of it.
    pub watched: Watched,
    /// Largest share of answers that may be wrong.
    pub error_budget: f64,
    /// The least confidence that an answer needs at present.
    pub threshold: f64,
    /// Answers that count: since the watch began, for half a year at most.
    pub n_answers: usize,
    /// Those of them that are known to be wrong.
    pub n_wrong: usize,
    /// Natural logarithm of the evidence that more than the budget is wrong.
    pub evidence: f64,
    /// Whether the evidence suffices to raise the threshold.
    pub is_burning: bool,
    /// Confidence of each answer, and whether it is wrong.
    pub(crate) answers: Vec<(f64, bool)>,
}

/// Looks how every error budget of a policy fares. A budget that is met for the first time is
/// watched from its first answer on.
///
/// # Errors
/// What the store fails with.
pub async fn live_budgets(
    store: &Store,
    policy: &Policy,
    now: Timestamp,
) -> Result<Vec<LiveBudget>, store::Error> {
    let topics: Vec<Option<&str>> =
        policy.budgets().topics.iter().map(|topic| Some(topic.as_str())).chain([None]).collect();
    let n_watched = topics.len() * policy.budgeted().count();
    let mut fares = Vec::new();
    for (rule, budget) in policy.budgeted() {
        let wanted = Wanted { policy, rule: &rule.name, budget, n_watched, now };
        fares.extend(wanted.look(store, &topics).await?);
    }
    Ok(fares)
}

/// One rule's budget.
struct Wanted<'a> {
    policy: &'a Policy,
    rule: &'a str,
    budget: f64,
    n_watched: usize,
    now: Timestamp,
}

impl Wanted<'_> {
    async fn look(
        &self,
        store: &Store,
        topics: &[Option<&str>],
    ) -> Result<Vec<LiveBudget>, store::Error> {
        let Self { policy, rule, now, .. } = self;
        let oldest = now.saturating_sub(WEEK * i32::try_from(LOOK_BACK_WEEKS).unwrap_or(i32::MAX));
        let oldest = oldest.unwrap_or(Timestamp::MIN);
        let answered = store.answered(rule, oldest).await?;
        let objections = store.objections(rule, oldest).await?;
        let wrong = objections.iter().filter(|(_, objection)| is_against(objection));
        let wrong: HashSet<_> = wrong.map(|(decision, _)| *decision).collect();
        let first = answered.first().map_or(*now, |answered| answered.at);
        for topic in topics {
            store.watch(rule, *topic, first).await?;
        }
        let mut fares = Vec::new();
        for watched in store.watched().await?.into_iter().filter(|watched| watched.rule == *rule) {
            // What was watched under other topics is kept, and waits for them.
            if !topics.contains(&watched.topic.as_deref()) {
                continue;
            }
            let own = answered.iter().filter(|it| {
                it.at >= watched.since
                    && policy.budgets().group(it.topic.as_deref()) == watched.topic.as_deref()
            });
            let own = own.map(|it| (it.at, it.confidence, wrong.contains(&it.decision)));
            fares.extend(self.fare(watched.clone(), &own.collect::<Vec<_>>(), oldest));
        }
        Ok(fares)
    }

    fn fare(
        &self,
        watched: Watched,
        answers: &[(Timestamp, f64, bool)],
        oldest: Timestamp,
    ) -> Option<LiveBudget> {
        let week = |at: Timestamp| {
            usize::try_from(watched.since.duration_until(at).as_secs() / WEEK.as_secs())
                .unwrap_or(0)
        };
        // A week that is not seen whole counts as lost.
        let first = if oldest > watched.since { week(oldest) + 1 } else { 0 };
        let mut weeks = vec![Tally::default(); (week(self.now) + 1).saturating_sub(first)];
        for (at, _, wrong) in answers {
            let place = week(*at).checked_sub(first);
            if let Some(tally) = place.and_then(|place| weeks.get_mut(place)) {
                tally.n_answers += 1;
                tally.n_wrong += usize::from(*wrong);
            }
        }
        let evidence = evidence(first, &weeks, self.budget);
        let doubt = BURN_DOUBT / self.n_watched.max(1) as f64;
        let topic = watched.topic.as_deref();
        let certified = self.policy.budget_threshold((self.rule, self.budget), topic)?;
        Some(LiveBudget {
            error_budget: self.budget,
            threshold: certified.max(watched.threshold.unwrap_or(0.0)),
            n_answers: answers.len(),
            n_wrong: answers.iter().filter(|(.., wrong)| *wrong).count(),
            evidence,
            is_burning: is_burning(evidence, doubt, watched.n_raised),
            answers: answers.iter().map(|(_, confidence, wrong)| (*confidence, *wrong)).collect(),
            watched,
        })
    }
}

impl LiveBudget {
    /// Returns what is kept when the threshold is raised at `now`.
    pub(crate) fn raised(&self, now: Timestamp) -> Watched {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Watched {
            since: now,
            threshold: Some(router::raise(&self.answers, self.error_budget, self.threshold)),
            n_raised: self.watched.n_raised + 1,
            n_answers: count(self.n_answers),
            n_wrong: count(self.n_wrong),
            ..self.watched.clone()
        }
    }
}

/// Whether an objection shows an answer wrong; an edit that leaves most of it does not.
fn is_against(objection: &Objection) -> bool {
    match objection {
        Objection::Corrected { draft, sent } => was_right(draft, sent) == Some(false),
        Objection::Wrong | Objection::RatedBadly | Objection::CameBack => true,
    }
}

/// Returns the thresholds that were raised, as rules read them.
pub fn raised(watched: &[Watched]) -> Vec<Raised> {
    let raised = watched.iter().filter_map(|it| {
        let (rule, topic) = (it.rule.clone(), it.topic.clone());
        it.threshold.map(|threshold| Raised { rule, topic, threshold })
    });
    raised.collect()
}

/// Returns the budget by which an answer is sent, or would be, had the bot not to keep silent.
pub(crate) fn budgeted(policy: &Policy, answer: Option<&Answer>) -> Option<Budgeted> {
    let decision = &answer?.decision;
    let (rule, error_budget) = policy.budget_of(decision)?;
    let is_sent = *decision.act() == Act::Reply(Reply::Draft);
    is_sent.then(|| Budgeted { rule: rule.name.clone(), error_budget })
}

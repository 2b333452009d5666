use super::{Office, OfficeError};
use crate::{Desk, LiveBudget, live_budgets, measure, raised};
use jiff::{SignedDuration, Timestamp};
use std::sync::PoisonError;

/// How often error budgets are looked at. What people say of answers comes in over hours.
const WATCH_EVERY: SignedDuration = SignedDuration::from_mins(10);

impl Office {
    /// Takes over the thresholds that were raised before, once, before the first answer: a restart
    /// loosens nothing.
    pub(super) async fn know_raised(&self) -> Result<(), OfficeError> {
        let is_known = self.raised().is_some();
        if !is_known {
            self.take_over_raised().await?;
        }
        Ok(())
    }

    /// Looks now and then how the error budgets fare, and raises the threshold of one that burns.
    pub(super) async fn watch_budgets(&self) -> Result<(), OfficeError> {
        let now = self.now();
        if !self.is_time_to_watch(now) {
            return Ok(());
        }
        // What other nodes raised, or people lifted, holds here too.
        self.take_over_raised().await?;
        let desk = self.desk();
        let mut has_raised = false;
        for budget in live_budgets(self.store(), desk.policy(), now).await? {
            measure::budget(&budget);
            has_raised |= budget.is_burning && self.raise(&budget, now).await?;
        }
        if has_raised {
            self.take_over_raised().await?;
        }
        Ok(())
    }

    async fn raise(&self, budget: &LiveBudget, now: Timestamp) -> Result<bool, OfficeError> {
        let raised = budget.raised(now);
        let is_ours = self.store().raise(&raised).await?;
        if is_ours {
            measure::budget_raised(budget, raised.threshold.unwrap_or(1.0));
            tracing::warn!(
                rule = raised.rule,
                topic = raised.topic.as_deref().unwrap_or("all others"),
                answers = raised.n_answers,
                wrong = raised.n_wrong,
                error_budget = budget.error_budget,
                threshold_before = budget.threshold,
                threshold = raised.threshold,
                "an error budget burns, so its threshold was raised; `frontdesk eval live` shows it and lifts it"
            );
        }
        Ok(is_ours)
    }

    async fn take_over_raised(&self) -> Result<(), OfficeError> {
        let now = raised(&self.store().watched().await?);
        let mut known = self.raised();
        if known.as_ref() != Some(&now) {
            let desk = Desk::clone(&self.desk()).with_raised(now.clone());
            self.inner.desk.store(desk.into());
            *known = Some(now);
        }
        Ok(())
    }

    /// Returns the thresholds that were raised, as far as known; whoever holds them alone changes
    /// the desk.
    pub(super) fn raised(&self) -> std::sync::MutexGuard<'_, Option<Vec<router::Raised>>> {
        self.inner.raised.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_time_to_watch(&self, now: Timestamp) -> bool {
        let mut last = self.inner.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let due = last.is_none_or(|last| last.duration_until(now) >= WATCH_EVERY);
        if due {
            *last = Some(now);
        }
        due
    }
}

use crate::client::{Budget, Class, Clock, Wait, WindowSeen};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use store::Store;

/// How long the vendor's stretches of time are, in milliseconds.
const WINDOW_MS: u32 = 10_000;

/// Calls in a stretch until the vendor says how many: the smallest figure that its pages show.
const FIRST_LIMIT: u32 = 166;

/// A budget that all nodes of a desk share, kept in its store. Where the store fails, calls wait a
/// stretch: the vendor would count them all the same.
pub struct SharedBudget {
    store: Store,
    app: String,
    clock: Clock,
}

impl SharedBudget {
    /// Shares the calls of an app, by whatever name all nodes give it.
    pub fn new(store: Store, app: impl Into<String>, clock: Clock) -> Self {
        Self { store, app: app.into(), clock }
    }
}

#[async_trait]
impl Budget for SharedBudget {
    async fn take(&self, class: Class) -> Result<(), Wait> {
        let now = (self.clock)();
        let reserve = class.leaves(100) as f64 / 100.0;
        let spent = self.store.spend((&self.app, reserve), (FIRST_LIMIT, WINDOW_MS), now).await;
        match spent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(until)) => Err(Wait { until }),
            Err(failure) => {
                tracing::error!(error = %failure, "the budget of calls to Intercom cannot be read");
                Err(Wait { until: later(now) })
            }
        }
    }

    async fn heard(&self, seen: WindowSeen) {
        let now = (self.clock)();
        let number = |n: Option<u64>| n.and_then(|n| u32::try_from(n).ok());
        let left = if seen.refused { Some(0) } else { number(seen.remaining) };
        let (Some(limit), Some(left)) = (number(seen.limit).or(Some(FIRST_LIMIT)), left) else {
            return;
        };
        // An answer that was on its way when its stretch ended says nothing of this one.
        if !seen.refused && seen.reset.is_some_and(|reset| reset <= now) {
            return;
        }
        // A reset that lies far off comes of a clock that is wrong, its or ours.
        let reset = seen.reset.filter(|reset| *reset > now && *reset <= later(later(now)));
        let ends_at = reset.unwrap_or_else(|| later(now));
        let figures = (limit.max(1), left, WINDOW_MS);
        let told = self.store.correct_budget(&self.app, figures, ends_at, now).await;
        if let Err(failure) = told {
            tracing::error!(error = %failure, "the budget of calls to Intercom cannot be kept");
        }
    }
}

fn later(now: Timestamp) -> Timestamp {
    let window = SignedDuration::from_millis(i64::from(WINDOW_MS));
    now.saturating_add(window).unwrap_or(Timestamp::MAX)
}

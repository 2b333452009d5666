use super::Clock;
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

/// How long the vendor's windows are. ("Default rate limits are spread over 10 s windows", REST
/// reference, `errors/rate-limiting`.)
const WINDOW: SignedDuration = SignedDuration::from_secs(10);

/// Calls in a window until the vendor says how many: the smallest figure that its pages show.
const FIRST_LIMIT: u64 = 166;

/// A reset further away than this comes from a clock that is wrong, its or ours.
const FURTHEST_RESET: SignedDuration = SignedDuration::from_secs(60);

/// Whose turn it is when calls are short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// A customer waits for it: the whole window is theirs.
    Customer,
    /// It helps to decide well: as long as a quarter of the window is left.
    Context,
    /// Nobody waits for it: as long as half of the window is left.
    Background,
}

/// There is no call left for a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no call is left until {until}")]
pub struct Wait {
    /// When to ask again.
    pub until: Timestamp,
}

/// What an answer said about the window it was counted in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WindowSeen {
    /// Calls in a window (`X-RateLimit-Limit`).
    pub limit: Option<u64>,
    /// Calls left in it (`X-RateLimit-Remaining`).
    pub remaining: Option<u64>,
    /// When the next one begins (`X-RateLimit-Reset`).
    pub reset: Option<Timestamp>,
    /// Whether the call was refused for want of one (429).
    pub refused: bool,
}

/// Shares the calls out that the vendor allows an app, on however many nodes it runs.
#[async_trait]
pub trait Budget: Send + Sync {
    /// Takes one call out of the window. Does not wait itself.
    ///
    /// # Errors
    /// [`Wait`] when what is left is not for this class.
    async fn take(&self, class: Class) -> Result<(), Wait>;

    /// Learns from an answer, whether or not the call succeeded. Answers may come out of order, and
    /// without any figure when the vendor sent none.
    async fn heard(&self, seen: WindowSeen);
}

/// The budget of a single process.
///
/// It counts in windows of ten seconds, corrects itself by what the vendor says, and stands still
/// until the reset when a call was refused.
pub struct LocalBudget {
    clock: Clock,
    window: Mutex<Window>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    limit: u64,
    remaining: u64,
    ends: Timestamp,
}

impl Class {
    /// Returns how much of a window of `limit` calls this class leaves to those before it.
    pub const fn leaves(self, limit: u64) -> u64 {
        match self {
            Self::Customer => 0,
            Self::Context => limit / 4,
            Self::Background => limit / 2,
        }
    }
}

impl LocalBudget {
    /// Begins with a window that nothing was taken from.
    pub fn new(clock: Clock) -> Self {
        let window =
            Window { limit: FIRST_LIMIT, remaining: FIRST_LIMIT, ends: Timestamp::UNIX_EPOCH };
        Self { clock, window: Mutex::new(window) }
    }

    fn with<T>(&self, change: impl FnOnce(&mut Window, Timestamp) -> T) -> T {
        let now = (self.clock)();
        // Figures that a panic left behind are as good as any.
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if now >= window.ends {
            // Windows follow upon one another, also while nobody calls.
            let n_over = now.duration_since(window.ends).as_secs() / WINDOW.as_secs() + 1;
            window.remaining = window.limit;
            window.ends = after(window.ends, SignedDuration::from_secs(n_over * WINDOW.as_secs()));
        }
        change(&mut window, now)
    }
}

#[async_trait]
impl Budget for LocalBudget {
    async fn take(&self, class: Class) -> Result<(), Wait> {
        self.with(|window, _| {
            if window.remaining <= class.leaves(window.limit) {
                return Err(Wait { until: window.ends });
            }
            window.remaining -= 1;
            Ok(())
        })
    }

    async fn heard(&self, seen: WindowSeen) {
        self.with(|window, now| {
            if let Some(limit) = seen.limit.filter(|limit| *limit > 0) {
                window.limit = limit;
                window.remaining = window.remaining.min(limit);
            }
            let reset = seen.reset.filter(|reset| *reset > now);
            let reset = reset.map(|reset| reset.min(after(now, FURTHEST_RESET)));
            if seen.refused {
                window.remaining = 0;
                window.ends = reset.unwrap_or_else(|| after(now, WINDOW));
                return;
            }
            // An answer that was on its way when its window ended says nothing of this one.
            let is_late = seen.reset.is_some() && reset.is_none();
            let Some(remaining) = seen.remaining.filter(|_| !is_late) else { return };
            match reset {
                // It is a window further on than the one counted here: its figures count.
                Some(reset) if reset > window.ends => {
                    window.ends = reset;
                    window.remaining = remaining.min(window.limit);
                }
                // Calls on their way are counted here and not yet there.
                _ => {
                    window.ends = reset.unwrap_or(window.ends);
                    window.remaining = window.remaining.min(remaining);
                }
            }
        });
    }
}

impl fmt::Debug for LocalBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalBudget").field("window", &self.window).finish_non_exhaustive()
    }
}

/// Adds to a moment; at the end of time, time stands still.
pub(super) fn after(moment: Timestamp, span: SignedDuration) -> Timestamp {
    moment.saturating_add(span).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;

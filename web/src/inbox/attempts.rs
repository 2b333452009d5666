use jiff::{SignedDuration, Timestamp};
use std::{collections::HashMap, net::IpAddr, sync::Mutex};
use tokio::sync::Semaphore;

/// Failed attempts within [`WINDOW`] after which an account, or an address of a browser, is refused
/// without a look at the password. A person mistypes a few times; an office behind one address has
/// many persons.
const PER_ACCOUNT: u32 = 8;
const PER_NETWORK: u32 = 30;

/// How long failed attempts count.
const WINDOW: SignedDuration = SignedDuration::from_mins(15);

/// What is remembered at once; beyond that the oldest are forgotten.
const KEPT: usize = 20_000;

/// Passwords that are verified at the same time, at 19 MiB each; others wait for their turn.
const AT_ONCE: usize = 2;

/// Counts failed sign-ins, in memory of one node, bounded.
pub(super) struct Attempts {
    failed: Mutex<HashMap<Key, (u32, Timestamp)>>,
    /// The right to verify a password.
    pub(super) turn: Semaphore,
}

/// What is counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// A hash of the address that was typed, known or not.
    Account(String),
    /// Where the browser is.
    Network(IpAddr),
}

impl Default for Attempts {
    fn default() -> Self {
        Self { failed: Mutex::default(), turn: Semaphore::new(AT_ONCE) }
    }
}

impl Attempts {
    /// Counts an attempt as failed before it is looked at, so that many at the same time do not
    /// slip through. Whether it may be looked at; one that may not is neither counted nor
    /// remembered, so that nobody pushes other counts out by being refused.
    pub(super) fn begin(&self, keys: &[Key], now: Timestamp) -> bool {
        let Ok(mut failed) = self.failed.lock() else { return false };
        let counts = |since: &Timestamp| now.duration_since(*since) < WINDOW;
        let spent = |key: &Key| {
            failed.get(key).is_some_and(|(n, since)| counts(since) && *n >= key.limit())
        };
        if keys.iter().any(spent) {
            return false;
        }
        if failed.len() + keys.len() > KEPT {
            failed.retain(|_, (_, since)| counts(since));
        }
        while failed.len() + keys.len() > KEPT {
            let oldest = failed.iter().min_by_key(|(_, (_, since))| *since);
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else { break };
            failed.remove(&oldest);
        }
        for key in keys {
            let (n, since) = failed.entry(key.clone()).or_insert((0, now));
            if !counts(since) {
                (*n, *since) = (0, now);
            }
            *n = n.saturating_add(1);
        }
        true
    }

    /// Takes back what [`begin`](Self::begin) counted, and forgets what failed before for the
    /// account. An address keeps its count: one good account does not pay for guesses at others.
    pub(super) fn succeeded(&self, keys: &[Key]) {
        let Ok(mut failed) = self.failed.lock() else { return };
        for key in keys {
            match (key, failed.get_mut(key)) {
                (Key::Network(_), Some((n, _))) => *n = n.saturating_sub(1),
                _ => drop(failed.remove(key)),
            }
        }
    }
}

impl Key {
    fn limit(&self) -> u32 {
        match self {
            Self::Account(_) => PER_ACCOUNT,
            Self::Network(_) => PER_NETWORK,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::ToSpan;

    fn keys(account: &str, network: u8) -> [Key; 2] {
        [Key::Account(account.into()), Key::Network(IpAddr::from([192, 0, 2, network]))]
    }

    #[test]
    fn an_account_is_refused_from_wherever_it_is_tried_until_the_window_is_over() {
        let (attempts, now) = (Attempts::default(), Timestamp::UNIX_EPOCH);
        for network in 0..8 {
            assert!(attempts.begin(&keys("ada", network), now));
        }
        assert!(!attempts.begin(&keys("ada", 99), now));
        assert!(attempts.begin(&keys("bob", 99), now));
        assert!(attempts.begin(&keys("ada", 99), now + 15.minutes()));
    }

    #[test]
    fn an_address_is_refused_whatever_accounts_it_tries() {
        let (attempts, now) = (Attempts::default(), Timestamp::UNIX_EPOCH);
        for account in 0..30 {
            assert!(attempts.begin(&keys(&account.to_string(), 1), now));
        }
        assert!(!attempts.begin(&keys("one more", 1), now));
        assert!(attempts.begin(&keys("one more", 2), now));
    }

    #[test]
    fn a_success_forgives() {
        let (attempts, now) = (Attempts::default(), Timestamp::UNIX_EPOCH);
        for _ in 0..40 {
            assert!(attempts.begin(&keys("ada", 1), now));
            attempts.succeeded(&keys("ada", 1));
        }
    }

    #[test]
    fn one_address_does_not_flush_the_counts_of_others() {
        let (attempts, now) = (Attempts::default(), Timestamp::UNIX_EPOCH);
        for network in 0..8 {
            assert!(attempts.begin(&keys("ada", network), now));
        }
        for account in 0..KEPT {
            attempts.begin(&keys(&account.to_string(), 200), now);
        }
        assert!(!attempts.begin(&keys("ada", 99), now));
        assert!(attempts.failed.lock().unwrap().len() < 50);
    }

    #[test]
    fn what_is_full_forgets_the_oldest_alone() {
        let (attempts, start) = (Attempts::default(), Timestamp::UNIX_EPOCH);
        let fill = |n: usize| {
            let mut failed = attempts.failed.lock().unwrap();
            for i in 0..n {
                let at = start + i64::try_from(i).unwrap().milliseconds();
                failed.insert(Key::Account(format!("old {i}")), (PER_ACCOUNT, at));
            }
        };
        fill(KEPT);
        assert!(attempts.begin(&keys("ada", 1), start + 1.minutes()));
        assert_eq!(attempts.failed.lock().unwrap().len(), KEPT);
        let now = start + 1.minutes();
        assert!(attempts.begin(&[Key::Account("old 0".into())], now));
        assert!(!attempts.begin(&[Key::Account(format!("old {}", KEPT - 1))], now));
    }
}

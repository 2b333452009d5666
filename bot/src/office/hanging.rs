use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// How long one caller may try a destination again before others do, too; longer than an attempt.
const TRYING: SignedDuration = SignedDuration::from_secs(60);

/// The longest time that a destination is left alone, in seconds.
const LONGEST_S: i64 = 300;

/// Destinations that let attempts hang. They are left alone for a while, twice as long after each
/// time, and then tried by one caller first, so that they do not hold up the posts to others.
#[derive(Debug, Default)]
pub(super) struct Hanging(BTreeMap<String, Hung>);

#[derive(Debug, Clone, Copy)]
struct Hung {
    /// When it was noted last.
    at: Timestamp,
    pause_s: i64,
    until: Timestamp,
}

impl Hanging {
    /// Returns what nothing is to be sent to at present. The caller tries the others, also those
    /// whose pause is over.
    pub(super) fn left_alone(&mut self, now: Timestamp) -> Vec<String> {
        let mut alone = Vec::new();
        for (destination, hung) in &mut self.0 {
            if hung.until > now {
                alone.push(destination.clone());
            } else {
                hung.until = now.saturating_add(TRYING).unwrap_or(Timestamp::MAX);
            }
        }
        alone
    }

    /// Notes that an attempt of those begun at `begun` got no answer in time.
    pub(super) fn note(&mut self, destination: &str, begun: Timestamp, now: Timestamp) {
        let before = self.0.get(destination);
        // Those that were begun together count once.
        if before.is_some_and(|hung| hung.at >= begun) {
            return;
        }
        let pause_s = before.map_or(1, |hung| (hung.pause_s * 2).min(LONGEST_S));
        let until = now.saturating_add(SignedDuration::from_secs(pause_s));
        let hung = Hung { at: now, pause_s, until: until.unwrap_or(Timestamp::MAX) };
        self.0.insert(destination.to_string(), hung);
    }

    /// Notes that a destination answers.
    pub(super) fn forget(&mut self, destination: &str) {
        self.0.remove(destination);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_hangs_is_left_alone_for_longer_each_time_and_tried_by_one() {
        let at = |second: i64| Timestamp::from_second(1_000_000 + second).unwrap();
        let mut hanging = Hanging::default();
        assert!(hanging.left_alone(at(0)).is_empty());
        for _ in 0..16 {
            hanging.note("webhook:a", at(0), at(10));
        }
        assert_eq!(hanging.left_alone(at(10)), ["webhook:a"]);
        assert!(hanging.left_alone(at(11)).is_empty(), "one tries again");
        assert_eq!(hanging.left_alone(at(11)), ["webhook:a"], "and no other meanwhile");
        hanging.note("webhook:a", at(11), at(21));
        assert_eq!(hanging.left_alone(at(22)), ["webhook:a"], "twice as long");
        assert!(hanging.left_alone(at(23)).is_empty());
        hanging.forget("webhook:a");
        assert!(hanging.left_alone(at(23)).is_empty());
    }
}

use jiff::Timestamp;
use std::{collections::HashMap, hash::Hash, sync::Mutex};

/// Keys that are remembered at once, about 100 bytes each. Beyond that, those who have been quiet
/// are forgotten.
const KEPT: usize = 50_000;

/// A token bucket for each key: it holds a minute's worth and fills evenly.
pub(crate) struct Buckets<K> {
    per_minute: f64,
    filled: Mutex<HashMap<K, (f64, Timestamp)>>,
}

impl<K: Hash + Eq> Buckets<K> {
    /// Makes them, all full.
    pub(crate) fn new(per_minute: u32) -> Self {
        Self { per_minute: f64::from(per_minute.max(1)), filled: Mutex::default() }
    }

    /// Takes one. Otherwise the seconds until there is one again.
    pub(crate) fn take(&self, key: K, now: Timestamp) -> Result<(), u64> {
        let Ok(mut filled) = self.filled.lock() else { return Ok(()) };
        let per_second = self.per_minute / 60.0;
        let level = |(level, at): (f64, Timestamp)| {
            let passed = now.duration_since(at).as_secs_f64().max(0.0);
            (level + passed * per_second).min(self.per_minute)
        };
        if filled.len() >= KEPT && !filled.contains_key(&key) {
            filled.retain(|_, bucket| level(*bucket) < self.per_minute);
        }
        if filled.len() >= KEPT && !filled.contains_key(&key) {
            // So many at work at once are a flood; those who are known are served.
            return Err(1);
        }
        let held = filled.get(&key).map_or(self.per_minute, |bucket| level(*bucket));
        let left = if held >= 1.0 { held - 1.0 } else { held };
        filled.insert(key, (left, now));
        if held >= 1.0 {
            return Ok(());
        }
        // Between 1 and 60, as at least one is taken each minute.
        Err(((1.0 - held) / per_second).ceil().max(1.0) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::ToSpan;

    #[test]
    fn memory_stays_bounded_and_the_known_are_served() {
        let buckets = Buckets::new(60);
        let now = Timestamp::UNIX_EPOCH;
        for key in 0..KEPT {
            assert_eq!(buckets.take(key, now), Ok(()));
        }
        assert_eq!(buckets.take(KEPT, now), Err(1));
        assert_eq!(buckets.take(0, now), Ok(()));
        assert_eq!(buckets.take(KEPT, now + 2.seconds()), Ok(()));
        assert_eq!(buckets.filled.lock().unwrap().len(), 1);
    }
}

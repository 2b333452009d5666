use jiff::Timestamp;
use std::{
    collections::HashMap,
    hash::Hash,
    net::IpAddr,
    sync::{Arc, Mutex},
};
use store::{Customer, Id};

/// Visitors and addresses that are remembered at once, about 100 bytes each. Beyond that, those who
/// have been quiet are forgotten.
const KEPT: usize = 50_000;

/// Requests of one address in a minute, of whatever kind: an office behind one address stays
/// below, a loop does not.
const REQUESTS_PER_MINUTE: u32 = 600;

/// Visits that one address opens in a minute.
const VISITS_PER_MINUTE: u32 = 30;

/// Streams that one visitor holds open: tabs and a phone.
const STREAMS_PER_VISITOR: usize = 6;

/// Streams that one address holds open.
const STREAMS_PER_ADDRESS: usize = 300;

/// Counts what visitors and addresses do, and says when it is enough. Kept in memory of one node,
/// bounded.
pub(super) struct Limits {
    messages: Buckets<Id<Customer>>,
    visits: Buckets<IpAddr>,
    requests: Buckets<IpAddr>,
    streams: Arc<Mutex<HashMap<Holder, usize>>>,
}

/// Who holds streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Holder {
    Visitor(Id<Customer>),
    Address(IpAddr),
}

impl Limits {
    /// Begins to count; `per_minute` are the messages that one visitor may send.
    pub(super) fn new(per_minute: u32) -> Self {
        Self {
            messages: Buckets::new(per_minute),
            visits: Buckets::new(VISITS_PER_MINUTE),
            requests: Buckets::new(REQUESTS_PER_MINUTE),
            streams: Arc::default(),
        }
    }

    /// Counts a message. Otherwise the seconds until the next one is taken.
    pub(super) fn message(&self, customer: Id<Customer>, now: Timestamp) -> Result<(), u64> {
        self.messages.take(customer, now)
    }

    /// Counts a visit that is opened.
    pub(super) fn visit(&self, network: IpAddr, now: Timestamp) -> Result<(), u64> {
        self.visits.take(network, now)
    }

    /// Counts a request.
    pub(super) fn request(&self, network: IpAddr, now: Timestamp) -> Result<(), u64> {
        self.requests.take(network, now)
    }

    /// Lets one more stream be opened, which counts until the permit is dropped; None: too many.
    pub(super) fn stream(&self, customer: Id<Customer>, network: IpAddr) -> Option<StreamPermit> {
        let holders = [Holder::Visitor(customer), Holder::Address(network)];
        let mut open = self.streams.lock().ok()?;
        let held = |holder: &Holder| open.get(holder).copied().unwrap_or(0);
        let [visitor, address] = holders.each_ref().map(held);
        if visitor >= STREAMS_PER_VISITOR || address >= STREAMS_PER_ADDRESS {
            return None;
        }
        holders.iter().for_each(|holder| *open.entry(*holder).or_default() += 1);
        Some(StreamPermit { holders, streams: Arc::clone(&self.streams) })
    }
}

/// Lets one stream be open.
pub(super) struct StreamPermit {
    holders: [Holder; 2],
    streams: Arc<Mutex<HashMap<Holder, usize>>>,
}

impl Drop for StreamPermit {
    fn drop(&mut self) {
        let Ok(mut open) = self.streams.lock() else { return };
        for holder in &self.holders {
            match open.get_mut(holder) {
                Some(n) if *n > 1 => *n -= 1,
                _ => drop(open.remove(holder)),
            }
        }
    }
}

/// A token bucket for each key: it holds a minute's worth and fills evenly.
struct Buckets<K> {
    per_minute: f64,
    filled: Mutex<HashMap<K, (f64, Timestamp)>>,
}

impl<K: Hash + Eq> Buckets<K> {
    fn new(per_minute: u32) -> Self {
        Self { per_minute: f64::from(per_minute.max(1)), filled: Mutex::default() }
    }

    fn take(&self, key: K, now: Timestamp) -> Result<(), u64> {
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
    fn a_minute_s_worth_is_taken_at_once_and_the_rest_evenly() {
        let limits = Limits::new(3);
        let (now, customer) = (Timestamp::UNIX_EPOCH, Id::new(Timestamp::UNIX_EPOCH));
        for _ in 0..3 {
            assert_eq!(limits.message(customer, now), Ok(()));
        }
        assert_eq!(limits.message(customer, now), Err(20));
        assert_eq!(limits.message(customer, now + 19.seconds()), Err(1));
        assert_eq!(limits.message(customer, now + 21.seconds()), Ok(()));
        assert_eq!(limits.message(Id::new(now), now), Ok(()));
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing_and_takes_nothing() {
        let limits = Limits::new(1);
        let (now, customer) = (Timestamp::UNIX_EPOCH, Id::new(Timestamp::UNIX_EPOCH));
        assert_eq!(limits.message(customer, now), Ok(()));
        assert_eq!(limits.message(customer, now - 60.seconds()), Err(60));
    }

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

    #[test]
    fn streams_are_counted_while_they_are_open() {
        let limits = Limits::new(1);
        let customer = Id::new(Timestamp::UNIX_EPOCH);
        let network = IpAddr::from([192, 0, 2, 7]);
        let open: Vec<_> =
            (0..STREAMS_PER_VISITOR).filter_map(|_| limits.stream(customer, network)).collect();
        assert_eq!(open.len(), STREAMS_PER_VISITOR);
        assert!(limits.stream(customer, network).is_none());
        drop(open);
        assert!(limits.stream(customer, network).is_some());
        assert!(limits.streams.lock().unwrap().is_empty());
    }
}

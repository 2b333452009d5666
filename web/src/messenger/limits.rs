use crate::buckets::Buckets;
use jiff::Timestamp;
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex},
};
use store::{Customer, Id};

/// Requests of one address in a minute, of whatever kind: an office behind one address stays
/// below, a loop does not.
const REQUESTS_PER_MINUTE: u32 = 600;

/// Visits that one address opens in a minute.
const VISITS_PER_MINUTE: u32 = 30;

/// Times in a minute that one address is told which articles may help. Each embeds what is typed,
/// which costs as much as answering does; a person pauses less often than every other second.
const SUGGESTIONS_PER_MINUTE: u32 = 120;

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
    suggestions: Buckets<IpAddr>,
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
            suggestions: Buckets::new(SUGGESTIONS_PER_MINUTE),
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

    /// Counts a search for articles while somebody types.
    pub(super) fn suggestion(&self, network: IpAddr, now: Timestamp) -> Result<(), u64> {
        self.suggestions.take(network, now)
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

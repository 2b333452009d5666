use jiff::Timestamp;
use std::{fmt, marker::PhantomData, str::FromStr};
use uuid::{Builder, NoContext, Uuid};

/// Names one `T` for good: a UUID of version 7 (RFC 9562), so that ids sort by their time.
pub struct Id<T>(Uuid, PhantomData<fn() -> T>);

impl<T> Id<T> {
    /// Makes an id that nothing else has. The twelve bits behind the milliseconds are the fraction
    /// of the millisecond (RFC 9562, section 6.2, method 3), so that ids made a microsecond apart
    /// keep their order; the rest is random.
    pub fn new(now: Timestamp) -> Self {
        let microseconds = u64::try_from(now.as_microsecond()).unwrap_or(0);
        let fraction = (microseconds % 1000) * 4096 / 1000;
        let [high, low] = u16::try_from(fraction).unwrap_or(0).to_be_bytes();
        let random = Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, 0, 0));
        let [.., a, b, c, d, e, f, g, h] = random.into_bytes();
        let rest = [high, low, a, b, c, d, e, f, g, h];
        Self(
            Builder::from_unix_timestamp_millis(microseconds / 1000, &rest).into_uuid(),
            PhantomData,
        )
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Id<T> {}

impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T> Eq for Id<T> {}

impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

impl<T> std::hash::Hash for Id<T> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<T> fmt::Display for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T> FromStr for Id<T> {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.parse()?, PhantomData))
    }
}

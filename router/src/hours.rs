use crate::hours::written::{Day, Holidays, Zone};
use jiff::{
    SignedDuration, Timestamp, ToSpan,
    civil::{Date, Weekday},
    tz::{AmbiguousOffset, TimeZone},
};
use serde::{Deserialize, Serialize};

mod written;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

/// How far [`Hours`] look ahead for open time. It ends the search in hours that open never or for
/// a minute a week, and no promise to a customer spans ten years.
const LOOK_AHEAD_DAYS: i64 = 3660;

/// When a team works: spans of the week in one time zone, and the days that differ.
///
/// Spans are read off a wall clock that stands still while the time zone sets it back. A span
/// begins at the first moment when that clock shows its start or later, and ends likewise. So a
/// time that a clock change skips is the moment of the change, a time that comes twice is the
/// first of the two, and a day that a time zone left out (Samoa, 30 December 2011) has no hours.
///
/// A span over midnight belongs to the day on which it starts: a holiday replaces the spans that
/// start on it, and last night's goes on to its end. Time in two spans counts once. Open time is
/// time that passes: a night shift through a clock change lasts an hour more or less.
///
/// Time zones are those built into the program, so every machine reckons alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    time_zone: Zone,
    #[serde(default)]
    monday: Day,
    #[serde(default)]
    tuesday: Day,
    #[serde(default)]
    wednesday: Day,
    #[serde(default)]
    thursday: Day,
    #[serde(default)]
    friday: Day,
    #[serde(default)]
    saturday: Day,
    #[serde(default)]
    sunday: Day,
    #[serde(default)]
    holidays: Holidays,
}

impl Hours {
    /// Returns the time zone in which the hours are meant.
    pub fn time_zone(&self) -> &TimeZone {
        self.time_zone.as_jiff()
    }

    /// Whether `at` is in the hours: from the first moment of a span to just before its end.
    pub fn is_open(&self, at: Timestamp) -> bool {
        let just_after = at.checked_add(SignedDuration::from_nanos(1)).unwrap_or(at);
        self.stretches(at, just_after).next().is_some()
    }

    /// Returns the first open moment from `at` on, which is `at` itself while the hours last.
    /// None: there is none within ten years.
    pub fn next_opening(&self, at: Timestamp) -> Option<Timestamp> {
        self.stretches(at, look_ahead(at)).next().map(|stretch| stretch.start)
    }

    /// Whether there is any open time within ten years of `from`.
    pub fn ever_opens(&self, from: Timestamp) -> bool {
        self.next_opening(from).is_some()
    }

    /// Returns how much open time lies between two moments; zero where `to` is not after `from`.
    pub fn open_between(&self, from: Timestamp, to: Timestamp) -> SignedDuration {
        self.stretches(from, to).fold(SignedDuration::ZERO, |sum, stretch| {
            sum.saturating_add(stretch.start.duration_until(stretch.end))
        })
    }

    /// Returns the moment when `open` time has passed since `from`: the earliest one, so the end
    /// of a day rather than the opening of the next. A duration of zero or less has passed at
    /// `from`. None: that takes longer than ten years.
    pub fn after_open(&self, from: Timestamp, open: SignedDuration) -> Option<Timestamp> {
        if !open.is_positive() {
            return Some(from);
        }
        let mut left = open;
        for stretch in self.stretches(from, look_ahead(from)) {
            let length = stretch.start.duration_until(stretch.end);
            if left <= length {
                return stretch.start.checked_add(left).ok();
            }
            left = left.saturating_sub(length);
        }
        None
    }

    /// Returns the open time between two moments as stretches that are in order, not empty, and
    /// do not overlap, though one may begin where the last one ends.
    fn stretches(&self, from: Timestamp, to: Timestamp) -> impl Iterator<Item = Stretch> {
        let first_day = self.time_zone().to_datetime(from).date();
        // A span that began yesterday may last into today, and none lasts longer.
        let first_day = first_day.yesterday().unwrap_or(first_day);
        let days = std::iter::successors(Some(first_day), |day| day.tomorrow().ok());
        let mut counted_to = from;
        days.map_while(move |day| {
            let midnight = self.reached(day, 0)?;
            (midnight < to).then_some(day)
        })
        .flat_map(move |day| self.day(day).spans().iter().map(move |span| (day, *span)))
        .map_while(move |(day, span)| {
            Some((self.reached(day, span.start())?, self.reached(day, span.end())?))
        })
        .filter_map(move |(start, end)| {
            let stretch = Stretch { start: start.max(counted_to), end: end.min(to) };
            counted_to = counted_to.max(stretch.end);
            (stretch.start < stretch.end).then_some(stretch)
        })
    }

    /// Returns what is written for a date.
    fn day(&self, date: Date) -> &Day {
        self.holidays.on(date).unwrap_or(match date.weekday() {
            Weekday::Monday => &self.monday,
            Weekday::Tuesday => &self.tuesday,
            Weekday::Wednesday => &self.wednesday,
            Weekday::Thursday => &self.thursday,
            Weekday::Friday => &self.friday,
            Weekday::Saturday => &self.saturday,
            Weekday::Sunday => &self.sunday,
        })
    }

    /// Returns the first moment when the wall clock shows `minute` of `day` or later, where minute
    /// 1440 is the following midnight. None: that is beyond the calendar.
    fn reached(&self, day: Date, minute: i64) -> Option<Timestamp> {
        let shown = day.at(0, 0, 0, 0).checked_add(minute.minutes()).ok()?;
        let moment = self.time_zone().to_ambiguous_timestamp(shown);
        match moment.offset() {
            AmbiguousOffset::Gap { .. } => {
                let before_the_change = moment.earlier().ok()?;
                let change = self.time_zone().following(before_the_change).next()?;
                Some(change.timestamp())
            }
            AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => {
                moment.earlier().ok()
            }
        }
    }
}

/// Open time without a break.
struct Stretch {
    start: Timestamp,
    end: Timestamp,
}

fn look_ahead(from: Timestamp) -> Timestamp {
    from.checked_add(SignedDuration::from_hours(24 * LOOK_AHEAD_DAYS)).unwrap_or(Timestamp::MAX)
}

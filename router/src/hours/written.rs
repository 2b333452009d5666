use crate::quoted;
use jiff::{
    civil::Date,
    tz::{TimeZone, TimeZoneDatabase},
};
use serde::{Deserialize, Deserializer, Serialize};
use std::{collections::BTreeMap, fmt, fmt::Write as _};

const MINUTES_OF_A_DAY: u16 = 24 * 60;

/// A time zone by its IANA name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Zone(TimeZone);

impl Zone {
    pub(super) fn as_jiff(&self) -> &TimeZone {
        &self.0
    }
}

impl TryFrom<String> for Zone {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let known = TimeZoneDatabase::bundled();
        if let Some(zone) = known.get(name.trim()).ok().filter(|zone| !zone.is_unknown()) {
            return Ok(Self(zone));
        }
        let city = |zone: &str| zone.rsplit('/').next().unwrap_or(zone).to_lowercase();
        let meant = name.trim().replace(' ', "_");
        let near = known.available().find(|zone| city(zone.as_str()) == city(&meant));
        let near = near.map_or("Europe/Berlin".to_owned(), |zone| zone.to_string());
        Err(format!("{name:?} is no time zone; write an IANA name such as \"{near}\""))
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.0.iana_name().unwrap_or("UTC").to_owned()
    }
}

/// A span of hours in minutes after the midnight that begins its day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(into = "String")]
pub(super) struct Span {
    /// Below 1440.
    start: u16,
    /// After the start, by a day at most.
    end: u16,
}

impl Span {
    pub(super) fn start(self) -> i64 {
        self.start.into()
    }

    pub(super) fn end(self) -> i64 {
        self.end.into()
    }
}

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let refuse = || format!("{text:?} is no span of hours; write it as \"09:00-17:30\"");
        let (start, end) = text.split_once(['-', '–']).ok_or_else(refuse)?;
        let start = minute(start).filter(|start| *start < MINUTES_OF_A_DAY).ok_or_else(refuse)?;
        let end = minute(end).ok_or_else(refuse)?;
        if start == end {
            return Err(format!(
                "{text:?} ends where it starts; write a whole day as \"00:00-24:00\" and leave a \
                 closed one out"
            ));
        }
        Ok(Self { start, end: if end > start { end } else { end + MINUTES_OF_A_DAY } })
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        quoted::text(deserializer, "a span of hours such as \"09:00-17:30\"")
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        span.to_string()
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = if self.end > MINUTES_OF_A_DAY { self.end - MINUTES_OF_A_DAY } else { self.end };
        let (start_hour, start_minute) = (self.start / 60, self.start % 60);
        write!(f, "{start_hour:02}:{start_minute:02}-{:02}:{:02}", end / 60, end % 60)
    }
}

/// Reads `9:05`, `09:05` or `24:00` as minutes after midnight.
fn minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(hours) || !digits(minutes) || hours.len() > 2 || minutes.len() != 2 {
        return None;
    }
    let (hours, minutes) = (hours.parse::<u16>().ok()?, minutes.parse::<u16>().ok()?);
    let minute = hours * 60 + minutes;
    (minutes < 60 && minute <= MINUTES_OF_A_DAY).then_some(minute)
}

/// The spans that start on one day, in order and apart from each other; none: closed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(into = "Vec<Span>")]
pub(super) struct Day(Vec<Span>);

impl Day {
    pub(super) fn spans(&self) -> &[Span] {
        &self.0
    }
}

impl TryFrom<Vec<Span>> for Day {
    type Error = String;

    fn try_from(mut spans: Vec<Span>) -> Result<Self, String> {
        spans.sort_unstable();
        for (one, next) in spans.iter().zip(spans.iter().skip(1)) {
            if one.end > next.start {
                return Err(format!(
                    "\"{one}\" and \"{next}\" overlap; make one span of them or set them apart"
                ));
            }
        }
        Ok(Self(spans))
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spans: Vec<Span> =
            quoted::list(deserializer, "a list of spans such as [\"09:00-17:30\"]")?;
        Self::try_from(spans).map_err(serde::de::Error::custom)
    }
}

impl From<Day> for Vec<Span> {
    fn from(day: Day) -> Self {
        day.0
    }
}

/// The dates whose hours differ from those of their weekday.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Holiday>", into = "Vec<Holiday>")]
pub(super) struct Holidays(BTreeMap<Date, Day>);

impl Holidays {
    pub(super) fn on(&self, date: Date) -> Option<&Day> {
        self.0.get(&date)
    }
}

impl TryFrom<Vec<Holiday>> for Holidays {
    type Error = String;

    fn try_from(written: Vec<Holiday>) -> Result<Self, String> {
        let mut days = BTreeMap::new();
        for holiday in written {
            if days.insert(holiday.date, holiday.day).is_some() {
                return Err(format!(
                    "holiday {} stands twice; write its spans on one line, such as \"{0} \
                     09:00-12:00 13:00-15:00\"",
                    holiday.date
                ));
            }
        }
        Ok(Self(days))
    }
}

impl From<Holidays> for Vec<Holiday> {
    fn from(holidays: Holidays) -> Self {
        holidays.0.into_iter().map(|(date, day)| Holiday { date, day }).collect()
    }
}

/// One date, alone when it is closed, otherwise followed by its spans.
#[derive(Debug, Clone, Serialize)]
#[serde(into = "String")]
pub(super) struct Holiday {
    date: Date,
    day: Day,
}

impl TryFrom<String> for Holiday {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let mut words = text.split([' ', ',']).filter(|word| !word.is_empty());
        let date = words.next().filter(|word| word.len() == "2026-12-24".len());
        let date = date.and_then(|word| word.parse().ok()).ok_or_else(|| {
            format!(
                "{text:?} is no holiday; write \"2026-12-25\" for a closed day or \"2026-12-24 \
                 09:00-12:00\" for other hours"
            )
        })?;
        let spans: Result<Vec<Span>, String> =
            words.map(|word| Span::try_from(word.to_owned())).collect();
        Ok(Self { date, day: Day::try_from(spans?)? })
    }
}

impl<'de> Deserialize<'de> for Holiday {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        quoted::text(deserializer, "a date in quotes such as \"2026-12-25\"")
    }
}

impl From<Holiday> for String {
    fn from(holiday: Holiday) -> Self {
        let mut text = holiday.date.to_string();
        for span in &holiday.day.0 {
            let _ = write!(text, " {span}");
        }
        text
    }
}

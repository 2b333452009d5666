use crate::{Hours, Slug, quoted};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};

#[cfg(test)]
mod tests;

/// What customers are promised, in open time of the team that is responsible. A promise that is
/// left out is not made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sla {
    /// How teams and rules name it.
    pub slug: Slug,
    /// From the handoff to people until a teammate writes to the customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_reply: Option<OpenTime>,
    /// From the first message that the customer wrote since the last reply until the next one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_reply: Option<OpenTime>,
    /// From the handoff until the conversation is resolved, without the time in which it was the
    /// customer's turn to write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<OpenTime>,
}

impl Sla {
    /// Works out until when each promise has to be kept. `hours` are those of the responsible
    /// team; None: it is always open.
    ///
    /// A promise is absent where it is not made, is kept already, or is not running, and where the
    /// team opens too seldom to keep it within ten years. What runs when:
    /// - the first and the next reply run while the customer waits for a person, whatever label
    ///   the conversation has: snoozing it does not stop the clock;
    /// - the resolution runs at the same times, the ones before and after added up. While it
    ///   stands still, one that fell due before stays due, and one that did not is absent;
    /// - while the customer or the bot is to write, everything stands still;
    /// - a resolved conversation has nothing due. Reopening begins a new episode and a new clock.
    pub fn due(&self, hours: Option<&Hours>, clock: &SlaClock) -> Due {
        if clock.resolved {
            return Due::default();
        }
        let waiting_since = (clock.turn == Turn::Team).then_some(clock.turn_began_at);
        let first_reply = self.first_reply.filter(|_| !clock.replied);
        let next_reply = self.next_reply.filter(|_| clock.replied);
        Due {
            first_reply: first_reply.and_then(|time| time.passed(hours, waiting_since?)),
            next_reply: next_reply.and_then(|time| time.passed(hours, waiting_since?)),
            resolution: self.resolution.and_then(|time| resolution(time, hours, clock)),
        }
    }
}

/// Spends the promised time over the team's turns.
fn resolution(promised: OpenTime, hours: Option<&Hours>, clock: &SlaClock) -> Option<Timestamp> {
    let mut left = promised;
    for &(from, to) in &clock.team_turns {
        let due = left.passed(hours, from)?;
        if due <= to {
            return Some(due);
        }
        left.0 = left.0.saturating_sub(open_between(hours, from, to));
    }
    if clock.turn == Turn::Team { left.passed(hours, clock.turn_began_at) } else { None }
}

fn open_between(hours: Option<&Hours>, from: Timestamp, to: Timestamp) -> SignedDuration {
    hours.map_or(from.duration_until(to), |hours| hours.open_between(from, to))
}

/// A length of open time, longer than zero, written as `4h`, `90m` or `1h 30m`. Days are refused,
/// because a day of open time is 24 hours to one reader and a working day to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(into = "String")]
pub struct OpenTime(SignedDuration);

impl OpenTime {
    /// Returns the moment when this much open time has passed since `from`. No hours: always open.
    /// None: that takes longer than ten years of the hours, or leaves the calendar.
    pub fn passed(self, hours: Option<&Hours>, from: Timestamp) -> Option<Timestamp> {
        match hours {
            Some(hours) => hours.after_open(from, self.0),
            None => from.checked_add(self.0).ok(),
        }
    }

    /// Returns the length.
    pub fn duration(self) -> SignedDuration {
        self.0
    }
}

impl TryFrom<String> for OpenTime {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let length = text.trim().parse().ok().filter(SignedDuration::is_positive);
        length.map(Self).ok_or_else(|| {
            format!(
                "{text:?} is no length of open time; write hours and minutes such as \"4h\" or \
                 \"1h 30m\" (a day would be 24 hours to one reader and a working day to another)"
            )
        })
    }
}

impl<'de> Deserialize<'de> for OpenTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        quoted::text(deserializer, "a length of open time such as \"4h\"")
    }
}

impl From<OpenTime> for String {
    fn from(time: OpenTime) -> Self {
        format!("{:#}", time.0)
    }
}

/// Whose turn it was when, in one episode of a conversation, since people became responsible.
/// Made by telling it, in order, what happened; a moment before the last one counts as the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlaClock {
    replied: bool,
    turn: Turn,
    turn_began_at: Timestamp,
    /// The team's turns that are over, in order.
    team_turns: Vec<(Timestamp, Timestamp)>,
    resolved: bool,
}

/// Who has to write next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Turn {
    Team,
    Customer,
    Bot,
}

impl SlaClock {
    /// Starts with the first handoff of the episode, or with its opening where people had it from
    /// the start. Moving on to another team changes nothing.
    pub fn new(handed_off_at: Timestamp) -> Self {
        Self {
            replied: false,
            turn: Turn::Team,
            turn_began_at: handed_off_at,
            team_turns: Vec::new(),
            resolved: false,
        }
    }

    /// Notes a message of the customer. Further ones before a reply change nothing, nor does one
    /// that the bot is to answer.
    pub fn customer_wrote(&mut self, at: Timestamp) {
        if self.turn == Turn::Customer {
            self.pass_to(Turn::Team, at);
        }
    }

    /// Notes a message of a teammate to the customer; notes among teammates and messages of the
    /// bot are none.
    pub fn teammate_wrote(&mut self, at: Timestamp) {
        self.replied = true;
        self.pass_to(Turn::Customer, at);
    }

    /// Notes that the bot is responsible again.
    pub fn handed_back(&mut self, at: Timestamp) {
        self.pass_to(Turn::Bot, at);
    }

    /// Notes that people are responsible once more; between teams it changes nothing.
    pub fn handed_off(&mut self, at: Timestamp) {
        if self.turn == Turn::Bot {
            self.pass_to(Turn::Team, at);
        }
    }

    /// Notes that the conversation is resolved; nothing is due from now on.
    pub fn resolved(&mut self) {
        self.resolved = true;
    }

    fn pass_to(&mut self, turn: Turn, at: Timestamp) {
        let at = at.max(self.turn_began_at);
        if self.turn == Turn::Team {
            self.team_turns.push((self.turn_began_at, at));
        }
        (self.turn, self.turn_began_at) = (turn, at);
    }
}

/// Something that an [`Sla`] promises. Ordered as customers meet them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Promise {
    /// The first reply of a teammate.
    FirstReply,
    /// The reply to the customer's last messages.
    NextReply,
    /// The end of the conversation.
    Resolution,
}

impl Promise {
    /// Returns the name that configuration and records use.
    pub fn name(self) -> &'static str {
        match self {
            Self::FirstReply => "first_reply",
            Self::NextReply => "next_reply",
            Self::Resolution => "resolution",
        }
    }
}

/// Until when each promise has to be kept; None where nothing is owed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Due {
    /// Of the first reply.
    pub first_reply: Option<Timestamp>,
    /// Of the next reply.
    pub next_reply: Option<Timestamp>,
    /// Of the resolution.
    pub resolution: Option<Timestamp>,
}

impl Due {
    /// Returns the promise that falls due first, and when.
    pub fn next(&self) -> Option<(Promise, Timestamp)> {
        self.promises().min_by_key(|(promise, due)| (*due, *promise))
    }

    /// Returns the promises whose time has come, the moment of `now` included.
    pub fn overdue(&self, now: Timestamp) -> Vec<Promise> {
        self.promises().filter(|(_, due)| *due <= now).map(|(promise, _)| promise).collect()
    }

    fn promises(&self) -> impl Iterator<Item = (Promise, Timestamp)> {
        let promises = [
            (Promise::FirstReply, self.first_reply),
            (Promise::NextReply, self.next_reply),
            (Promise::Resolution, self.resolution),
        ];
        promises.into_iter().filter_map(|(promise, due)| Some((promise, due?)))
    }
}

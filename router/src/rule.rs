use crate::{Condition, OpenTime, Priority, Slug, quoted};
use jiff::SignedDuration;
use serde::{Deserialize, Deserializer};
use std::{collections::BTreeMap, fmt};

/// One line of the policy as it is written: when it fits, its `then` is done.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// How traces name it.
    pub name: String,
    /// What must hold, as a [`Condition`]; always, when left out.
    pub when: Option<String>,
    /// What is done.
    pub then: Then,
    /// Whether the rules below are left unread although this one settles nothing.
    #[serde(default)]
    pub stop: bool,
    /// Line of the file where it starts; 0 for a built-in rule.
    #[serde(skip)]
    pub line: usize,
}

/// The consequences of a [`Rule`]. Those of the first group settle what happens and end the
/// reading of rules; all others only set something, and reading goes on.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Then {
    /// Team that takes over; `owner` means the team that looks after the question.
    pub hand_off: Option<Slug>,
    /// Teammate of that team who takes over.
    pub teammate: Option<Slug>,
    /// Canned reply that is sent.
    pub reply: Option<Slug>,
    /// Question that is asked, once an episode.
    pub clarify: Option<Slug>,
    /// Whether a person is offered, once an episode.
    pub offer_person: bool,
    /// How long the conversation rests; with a reply or alone.
    #[serde(deserialize_with = "some_time")]
    pub snooze: Option<SignedDuration>,
    /// Whether the conversation ends; with a reply or alone.
    pub close: bool,
    /// Whether nothing is done, because no person wrote.
    pub ignore: bool,

    /// What may become of a drafted answer.
    pub answer: Option<Permission>,
    /// The least confidence that a drafted answer needs to be sent.
    pub threshold: Option<f64>,
    /// The largest share of the sent answers that may be wrong. The threshold is the one that cases
    /// have proved to keep it ([`crate::Budgets`]), else the confidence that leaves no larger
    /// probability of being wrong: 0.98 for a budget of 0.02.
    pub error_budget: Option<f64>,
    /// How soon it matters.
    pub priority: Option<Priority>,
    /// Tags that the conversation gets.
    pub tags: Vec<String>,
    /// Attributes that the conversation gets.
    pub attributes: BTreeMap<String, Scalar>,
    /// Promise that holds for the conversation.
    pub sla: Option<Slug>,
    /// Webhook that is called.
    pub webhook: Option<Slug>,
    /// Kind of ticket that the conversation becomes, as the channel calls it.
    pub ticket: Option<String>,
    /// What happens when nobody has replied for a time.
    pub escalate: Option<Escalate>,
    /// Whether the bot may act although a person was responsible.
    pub return_to_bot: bool,
}

/// What may become of a drafted answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Permission {
    /// It is sent when it is sure enough.
    Allowed,
    /// Teammates see it, the customer does not.
    Draft,
    /// People answer.
    Never,
}

/// A plain value of an attribute.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// True or false.
    Truth(bool),
    /// A whole number.
    Integer(i64),
    /// A decimal.
    Decimal(f64),
    /// A text.
    Text(String),
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truth(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Decimal(value) => write!(f, "{value}"),
            Self::Text(value) => write!(f, "{value:?}"),
        }
    }
}

/// What happens when nobody has replied for a time.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a table such as { after = \"30m\", hand_off = \"team\" }"
)]
pub struct Escalate {
    /// How long, in the open hours of the team that was responsible.
    pub after: OpenTime,
    /// Team that takes over; the same team keeps it when left out.
    pub hand_off: Option<Slug>,
    /// How soon it matters from then on.
    pub priority: Option<Priority>,
}

fn some_time<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SignedDuration>, D::Error> {
    let Time(time) = quoted::text(deserializer, "a length of time such as \"30m\" or \"24h\"")?;
    Ok(Some(time))
}

/// A length of time as a rule writes it.
struct Time(SignedDuration);

impl TryFrom<String> for Time {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.trim().parse().map(Self).map_err(|_| {
            format!(
                "{text:?} is no length of time; write hours and minutes such as \"30m\" or \"48h\""
            )
        })
    }
}

/// What ends the reading of rules, by what happens next with the conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Settle {
    HandOff { team: Option<Slug>, teammate: Option<Slug> },
    Reply(Slug),
    Clarify(Slug),
    Offer,
    Rest,
    Close,
    Ignore,
}

/// A rule, checked.
#[derive(Debug, Clone)]
pub(crate) struct CheckedRule {
    pub(crate) rule: Rule,
    pub(crate) condition: Option<Condition>,
    pub(crate) settles: Option<Settle>,
}

impl CheckedRule {
    pub(crate) fn built_in(&self) -> bool {
        self.rule.line == 0
    }
}

/// Name that stands for the team that looks after the question.
pub(crate) const OWNER: &str = "owner";

impl Then {
    /// Returns what is left when nothing may be settled.
    pub(crate) fn beside(&self) -> Self {
        Self {
            hand_off: None,
            teammate: None,
            reply: None,
            clarify: None,
            offer_person: false,
            snooze: None,
            close: false,
            ignore: false,
            ..self.clone()
        }
    }

    /// Says what settles the conversation, if anything does.
    ///
    /// # Errors
    /// What does not go together.
    pub(crate) fn settles(&self) -> Result<Option<Settle>, String> {
        let rests = self.snooze.is_some() && self.reply.is_none();
        let closes = self.close && self.reply.is_none();
        let hand_off = (self.hand_off.is_some() || self.teammate.is_some()).then(|| {
            let team = self.hand_off.clone().filter(|team| team.as_str() != OWNER);
            Settle::HandOff { team, teammate: self.teammate.clone() }
        });
        let all = [
            ("hand_off", hand_off),
            ("reply", self.reply.clone().map(Settle::Reply)),
            ("clarify", self.clarify.clone().map(Settle::Clarify)),
            ("offer_person", self.offer_person.then_some(Settle::Offer)),
            ("snooze", rests.then_some(Settle::Rest)),
            ("close", closes.then_some(Settle::Close)),
            ("ignore", self.ignore.then_some(Settle::Ignore)),
        ];
        let mut given = all.into_iter().filter_map(|(name, settle)| Some((name, settle?)));
        let first = given.next();
        match (first, given.next()) {
            (Some((a, _)), Some((b, _))) => Err(format!("{a} and {b} exclude each other")),
            _ if self.close && self.snooze.is_some() => {
                Err("close and snooze exclude each other".into())
            }
            (first, None) => Ok(first.map(|(_, settle)| settle)),
            (None, Some(_)) => Ok(None),
        }
    }
}

/// Says what a rule does, for traces: `hand off to billing, priority high`.
impl fmt::Display for Then {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = Vec::new();
        let mut say = |given: Option<String>| parts.extend(given);
        say(self.hand_off.as_ref().map(|team| match team.as_str() {
            OWNER => "hand off to the team that looks after it".into(),
            team => format!("hand off to {team}"),
        }));
        say(self.teammate.as_ref().map(|teammate| format!("to {teammate} in person")));
        say(self.reply.as_ref().map(|reply| format!("reply {reply}")));
        say(self.clarify.as_ref().map(|question| format!("ask {question}")));
        say(self.offer_person.then(|| "offer a person".into()));
        say(self.snooze.map(|rest| format!("rest {rest:#}")));
        say(self.close.then(|| "close".into()));
        say(self.ignore.then(|| "ignore".into()));
        say(self.answer.map(|permission| match permission {
            Permission::Allowed => "answers allowed".into(),
            Permission::Draft => "answers as drafts only".into(),
            Permission::Never => "no answer by the bot".into(),
        }));
        say(self.threshold.map(|threshold| format!("threshold {threshold}")));
        say(self.error_budget.map(|budget| format!("error budget {budget}")));
        say(self.priority.map(|priority| format!("priority {}", priority.name())));
        say((!self.tags.is_empty()).then(|| format!("tags {}", self.tags.join(", "))));
        for (name, value) in &self.attributes {
            parts.push(format!("{name} = {value}"));
        }
        let mut say = |given: Option<String>| parts.extend(given);
        say(self.sla.as_ref().map(|sla| format!("SLA {sla}")));
        say(self.webhook.as_ref().map(|webhook| format!("call {webhook}")));
        say(self.ticket.as_ref().map(|kind| format!("make a ticket {kind:?} of it")));
        say(self.escalate.as_ref().map(|escalate| {
            let to = escalate.hand_off.as_ref().map_or(String::new(), |team| format!(" to {team}"));
            format!("escalate{to} after {:#}", escalate.after.duration())
        }));
        say(self.return_to_bot.then(|| "return to the bot".into()));
        f.write_str(&parts.join(", "))
    }
}

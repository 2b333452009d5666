use crate::{Confidence, Escalate, Permission, Priority, Scalar, Slug, Why};
use jiff::SignedDuration;
use std::collections::{BTreeMap, BTreeSet};

/// What is done with a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Something is sent to the customer.
    Reply(Reply),
    /// The customer is asked what is meant: a question of the desk, or in general.
    Clarify(Option<Slug>),
    /// The customer is asked whether a person shall take over.
    Offer,
    /// A team takes over, with the draft, its sources and the reasons.
    HandOff {
        /// Who takes over.
        team: Slug,
        /// Who of them, when a rule names one.
        teammate: Option<Slug>,
        /// How soon it matters.
        priority: Priority,
    },
    /// The draft is shown to teammates only.
    DraftOnly {
        /// Whose teammates.
        team: Slug,
    },
    /// Nothing: a person is responsible, or the conversation rests.
    Hold,
    /// Nothing: no person wrote.
    Ignore,
    /// The conversation is done.
    Resolve,
}

/// What is sent to the customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The drafted answer.
    Draft,
    /// A canned reply of the desk.
    Canned(Slug),
}

impl Act {
    /// Returns the name that records, JSON and reports use.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Reply(_) => "reply",
            Self::Clarify(_) => "clarify",
            Self::Offer => "offer",
            Self::HandOff { .. } => "handoff",
            Self::DraftOnly { .. } => "draft",
            Self::Hold => "hold",
            Self::Ignore => "ignore",
            Self::Resolve => "resolve",
        }
    }

    /// Returns the team that is responsible from now on, if it changes.
    pub fn team(&self) -> Option<&Slug> {
        match self {
            Self::HandOff { team, .. } | Self::DraftOnly { team } => Some(team),
            _ => None,
        }
    }

    /// Returns who is responsible from now on.
    pub fn owner(&self) -> Responsible<'_> {
        match self {
            Self::HandOff { team, .. } | Self::DraftOnly { team } => Responsible::Team(team),
            Self::Hold => Responsible::Unchanged,
            Self::Reply(_) | Self::Clarify(_) | Self::Offer | Self::Ignore | Self::Resolve => {
                Responsible::Bot
            }
        }
    }
}

/// Who is responsible for a conversation after a decision; nobody is not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Responsible<'a> {
    /// The bot.
    Bot,
    /// A team.
    Team(&'a Slug),
    /// Whoever was before.
    Unchanged,
}

/// What rules set beside what is done.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Effects {
    /// What may become of a drafted answer.
    pub answer: Option<Permission>,
    /// The least confidence that a reply needs.
    pub threshold: Option<Confidence>,
    /// How soon it matters.
    pub priority: Option<Priority>,
    /// Promise that holds for the conversation.
    pub sla: Option<Slug>,
    /// Tags that the conversation gets.
    pub tags: BTreeSet<String>,
    /// Attributes that the conversation gets.
    pub attributes: BTreeMap<String, Scalar>,
    /// Webhooks that are called, in order.
    pub webhooks: Vec<Slug>,
    /// Kind of ticket that the conversation becomes, as the channel calls it.
    pub ticket: Option<String>,
    /// What happens when nobody has replied for a time, by the name of the rule, which also makes
    /// sure that it happens once an episode.
    pub escalations: BTreeMap<String, Escalate>,
    /// Whether the bot may act although a person was responsible.
    pub return_to_bot: bool,
    /// How long the conversation rests.
    pub snooze: Option<SignedDuration>,
    /// Whether the conversation ends with the reply.
    pub close: bool,
}

/// One reason for a decision; rendered with [`std::fmt::Display`].
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// A rule fitted; its name.
    Rule(String),
    /// The draft is likely enough to be right.
    Confident {
        /// Of this draft.
        confidence: Confidence,
        /// The least that a reply needs.
        threshold: Confidence,
    },
    /// The draft is not likely enough to be right.
    NotConfident {
        /// Of this draft.
        confidence: Confidence,
        /// The least that a reply needs.
        threshold: Confidence,
    },
    /// Nothing in the help centre was near enough to draft from.
    NothingFound,
    /// The question says too little to search for.
    TooVague,
    /// The bot has asked what is meant before.
    AskedBefore,
    /// The bot has offered a person before.
    OfferedBefore,
    /// The customer wrote nothing.
    Empty,
    /// A part of the path failed; the text names it without customer data.
    Unavailable(String),
    /// Replies are switched off; drafts are for teammates.
    DraftsOnly,
    /// A rule keeps answers from being sent.
    Forbidden,
    /// A person is responsible, so the bot is silent.
    Held,
    /// A team was chosen because of what the question is about.
    Topic {
        /// The team.
        team: Slug,
        /// The topic that decided.
        topic: String,
    },
    /// A team was chosen because the question names what it looks after.
    Owns {
        /// The team.
        team: Slug,
        /// The phrase that decided.
        phrase: String,
    },
    /// No team looks after the question, so the fallback team takes it.
    FallbackTeam,
    /// The team is closed and another one stands in.
    StandsIn {
        /// The team that is closed.
        closed: Slug,
        /// The one that takes over.
        team: Slug,
    },
    /// The team is closed, and nobody stands in.
    Closed(Slug),
    /// A rule names a teammate who cannot take it now, so the team's queue does.
    Passed {
        /// The teammate.
        teammate: Slug,
        /// Why not.
        why: Why,
    },
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rule(name) => write!(f, "rule {name:?} fits"),
            Self::Confident { confidence, threshold } => write!(
                f,
                "confidence {:.2} reaches the threshold {:.2}",
                confidence.value(),
                threshold.value()
            ),
            Self::NotConfident { confidence, threshold } => write!(
                f,
                "confidence {:.2} is below the threshold {:.2}",
                confidence.value(),
                threshold.value()
            ),
            Self::NothingFound => write!(f, "no article is near enough to the question"),
            Self::TooVague => write!(f, "the question says too little to search for"),
            Self::AskedBefore => write!(f, "the bot has asked what is meant before"),
            Self::OfferedBefore => write!(f, "the bot has offered a person before"),
            Self::Empty => write!(f, "the message is empty"),
            Self::Unavailable(what) => write!(f, "{what}"),
            Self::DraftsOnly => write!(f, "replies are switched off, drafts go to teammates"),
            Self::Forbidden => write!(f, "a rule leaves the answer to people"),
            Self::Held => write!(f, "a person is responsible, the bot is silent"),
            Self::Topic { team, topic } => write!(f, "team {team} looks after topic {topic:?}"),
            Self::Owns { team, phrase } => write!(f, "team {team} owns {phrase:?}"),
            Self::FallbackTeam => {
                write!(f, "no team owns the question, the fallback team takes it")
            }
            Self::StandsIn { closed, team } => {
                write!(f, "team {closed} is closed, team {team} stands in")
            }
            Self::Closed(team) => write!(f, "team {team} is closed, the conversation waits"),
            Self::Passed { teammate, why } => {
                let why = match why {
                    Why::NobodyAvailable => "is not available".to_string(),
                    Why::AllFull => "is at capacity".to_string(),
                    Why::NoMembers => "may not reply".to_string(),
                    why => format!("cannot take it: {why}"),
                };
                write!(f, "{teammate} {why}, the team's queue takes it")
            }
        }
    }
}

/// A rule that fitted, and what it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fired {
    /// Name of the rule.
    pub rule: String,
    /// What it did, in words; what an earlier rule had set already is left out.
    pub did: String,
}

/// An [`Act`], why, and what rules set beside it; there is always at least one reason.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    act: Act,
    reasons: Vec<Reason>,
    effects: Effects,
    fired: Vec<Fired>,
}

impl Decision {
    /// Decides for `act` because of `first` and then `more`.
    pub fn new(act: Act, first: Reason, more: impl IntoIterator<Item = Reason>) -> Self {
        let reasons = std::iter::once(first).chain(more).collect();
        Self { act, reasons, effects: Effects::default(), fired: Vec::new() }
    }

    pub(crate) fn with(mut self, effects: Effects, fired: Vec<Fired>) -> Self {
        self.effects = effects;
        self.fired = fired;
        self
    }

    /// Returns what is done.
    pub fn act(&self) -> &Act {
        &self.act
    }

    /// Returns why, the deciding reason first; never empty.
    pub fn reasons(&self) -> &[Reason] {
        &self.reasons
    }

    /// Returns what rules set.
    pub fn effects(&self) -> &Effects {
        &self.effects
    }

    /// Returns the rules that fitted, in their order.
    pub fn fired(&self) -> &[Fired] {
        &self.fired
    }
}

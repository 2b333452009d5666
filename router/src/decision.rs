use crate::{Confidence, Priority, Slug};

/// What is done with a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// The draft is sent to the customer.
    Reply,
    /// The customer is asked what is meant.
    Clarify,
    /// A team takes over, with the draft, its sources and the reasons.
    HandOff {
        /// Who takes over.
        team: Slug,
        /// How soon it matters.
        priority: Priority,
    },
    /// The draft is shown to teammates only.
    DraftOnly {
        /// Whose teammates.
        team: Slug,
    },
}

impl Act {
    /// Returns the name that records, JSON and reports use.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Reply => "reply",
            Self::Clarify => "clarify",
            Self::HandOff { .. } => "handoff",
            Self::DraftOnly { .. } => "draft",
        }
    }

    /// Returns the team that is responsible from now on, if any.
    pub fn team(&self) -> Option<&Slug> {
        match self {
            Self::HandOff { team, .. } | Self::DraftOnly { team } => Some(team),
            Self::Reply | Self::Clarify => None,
        }
    }
}

/// One reason for a decision; rendered with [`std::fmt::Display`].
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// A rule matched; its name.
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
    /// The customer wrote nothing.
    Empty,
    /// A part of the path failed; the text names it without customer data.
    Unavailable(String),
    /// Replies are switched off; drafts are for teammates.
    DraftsOnly,
    /// A team was chosen because the question is about what it owns.
    Owns {
        /// The team.
        team: Slug,
        /// The phrase that decided.
        phrase: String,
    },
    /// No team owns the question, so the fallback team takes it.
    FallbackTeam,
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rule(name) => write!(f, "rule {name:?} matched"),
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
            Self::Empty => write!(f, "the message is empty"),
            Self::Unavailable(what) => write!(f, "{what}"),
            Self::DraftsOnly => write!(f, "replies are switched off, drafts go to teammates"),
            Self::Owns { team, phrase } => write!(f, "team {team} owns {phrase:?}"),
            Self::FallbackTeam => {
                write!(f, "no team owns the question, the fallback team takes it")
            }
        }
    }
}

/// An [`Act`] and why; there is always at least one reason.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    act: Act,
    reasons: Vec<Reason>,
}

impl Decision {
    /// Decides for `act` because of `first` and then `more`.
    pub fn new(act: Act, first: Reason, more: impl IntoIterator<Item = Reason>) -> Self {
        Self { act, reasons: std::iter::once(first).chain(more).collect() }
    }

    /// Returns what is done.
    pub fn act(&self) -> &Act {
        &self.act
    }

    /// Returns why, the deciding reason first; never empty.
    pub fn reasons(&self) -> &[Reason] {
        &self.reasons
    }
}

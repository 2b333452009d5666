use crate::{case::ExpectedAct, record::Record};

/// How a case came out, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// A reply was sent that is wrong, or where none should have been.
    WrongReply,
    /// It was passed on as it should be, but to another team than the one that solved it.
    WrongTeam,
    /// No reply was sent where one should have been.
    MissedReply,
    /// No reply was due and none was sent, but something else should have been done.
    OtherAct,
    /// A reply was sent, and no label says whether rightly; or none was sent where a person answered,
    /// and nobody knows whether the bot could have.
    Unjudged,
    /// What should have been done was done.
    Right,
}

impl Verdict {
    /// All of them, worst first.
    pub const ALL: [Self; 6] = [
        Self::WrongReply,
        Self::WrongTeam,
        Self::MissedReply,
        Self::OtherAct,
        Self::Unjudged,
        Self::Right,
    ];

    /// Judges what came of a case by its label.
    pub fn of(record: &Record) -> Self {
        let expect = &record.expect;
        match record.is_draft_right() {
            Some(true) if record.sent => Self::Right,
            Some(false) if record.sent => Self::WrongReply,
            _ if record.sent => Self::Unjudged,
            _ if expect.act == ExpectedAct::Answer => match &expect.team {
                _ if !expect.is_unlabelled() || expect.judged => Self::MissedReply,
                Some(_) if record.team.is_some() && expect.team != record.team => Self::WrongTeam,
                _ => Self::Unjudged,
            },
            _ if !record.is_act_right() => Self::OtherAct,
            _ if expect.team.is_some() && expect.team != record.team => Self::WrongTeam,
            _ => Self::Right,
        }
    }

    /// Returns the name that files use.
    pub fn name(self) -> &'static str {
        match self {
            Self::WrongReply => "wrong_reply",
            Self::WrongTeam => "wrong_team",
            Self::MissedReply => "missed_reply",
            Self::OtherAct => "other_act",
            Self::Unjudged => "unjudged",
            Self::Right => "right",
        }
    }

    /// Says it in a few words for a heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::WrongReply => "Replied, and should not have",
            Self::WrongTeam => "Passed on to the wrong team",
            Self::MissedReply => "Could have replied, and did not",
            Self::OtherAct => "No reply was due, but something else was",
            Self::Unjudged => "Nothing says whether rightly",
            Self::Right => "Right",
        }
    }

    /// Says what such cases are.
    pub fn note(self) -> &'static str {
        match self {
            Self::WrongReply => "wrong answers, and answers where none was due",
            Self::WrongTeam => "rightly with people, but another team solved it",
            Self::MissedReply => "answerable questions that went to people",
            Self::OtherAct => "asked back instead of passed on, or the reverse",
            Self::Unjudged => {
                "no article is labelled as holding the answer, or only what people did is known"
            }
            Self::Right => "did what was due",
        }
    }
}

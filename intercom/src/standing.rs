//! How does a conversation stand there, for whoever is about to do something in the bot's name?

use crate::{directory::Directory, history, wire::Conversation};
use bot::Happened;
use std::collections::BTreeSet;

/// What people and the customer have done there that the desk has not heard of, and who has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// A teammate has it.
    pub(crate) is_held: bool,
    /// A teammate has written to the customer.
    pub(crate) is_answered: bool,
    /// A person has ended it.
    pub(crate) is_ended: bool,
    /// A person has given it to people, and nobody back to the bot since.
    pub(crate) is_given: bool,
    /// A person has let it rest, or opened it again, and nobody given it back to the bot since.
    pub(crate) is_handled: bool,
    /// The customer has written.
    pub(crate) is_asked: bool,
}

impl Standing {
    /// Reads how a conversation stands. `taken` names what the desk knows.
    pub(crate) fn read(
        conversation: &Conversation,
        directory: &Directory,
        taken: &BTreeSet<String>,
    ) -> Self {
        let is_held = history::held_by(conversation, directory).is_some();
        let mut standing = Self { is_held, ..Self::default() };
        let happenings = history::happenings(conversation, directory);
        let n_behind = history::n_behind(&happenings, taken);
        for (place, happening) in happenings.iter().enumerate() {
            if taken.contains(&happening.name) || history::is_void(happening, place, n_behind) {
                continue;
            }
            match &happening.what {
                Happened::Asked { .. } => standing.is_asked = true,
                Happened::Answered { .. } => standing.is_answered = true,
                Happened::Closed { by: Some(_) } => standing.is_ended = true,
                Happened::Assigned { .. } | Happened::Freed { by: Some(_), .. } => {
                    standing.is_given = true;
                }
                Happened::Snoozed { .. } | Happened::Reopened { .. } => standing.is_handled = true,
                Happened::HandedBack { .. } => {
                    (standing.is_given, standing.is_handled) = (false, false);
                }
                _ => {}
            }
        }
        standing
    }

    /// Whether the bot may answer.
    pub(crate) fn is_the_bots(self) -> bool {
        !(self.is_held || self.is_given || self.is_handled || self.is_over())
    }

    /// Whether a person has answered or ended it: then nothing is to be announced any more.
    pub(crate) fn is_over(self) -> bool {
        self.is_answered || self.is_ended
    }

    /// Whether the bot may give it to people: nobody there has done so, or made it needless.
    pub(crate) fn may_be_given(self) -> bool {
        !(self.is_given || self.is_over())
    }

    /// Whether the bot may let it end or rest.
    pub(crate) fn may_end(self) -> bool {
        self.is_the_bots() && !self.is_asked
    }
}

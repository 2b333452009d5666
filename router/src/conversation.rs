use crate::Slug;

/// Who wrote a [`Message`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author {
    /// The person who asks.
    Customer,
    /// Frontdesk.
    Bot,
    /// A person of the company.
    Teammate,
}

/// One contribution to a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who wrote it.
    pub author: Author,
    /// What was written.
    pub text: String,
}

/// Whether a conversation goes on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Status {
    /// Somebody is to act.
    #[default]
    Open,
    /// It rests until a time or the customer's next message.
    Snoozed,
    /// It has ended.
    Closed,
}

/// Who is responsible for a conversation; there is always somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Owner {
    /// The bot.
    #[default]
    Bot,
    /// A team, in whose queue it waits.
    Team(Slug),
    /// A teammate of a team.
    Teammate {
        /// The team.
        team: Slug,
        /// The teammate.
        teammate: Slug,
        /// Whether a person chose so; no assignment overrides that.
        by_person: bool,
    },
}

/// Where a conversation stands, beside its messages. It changes through [`Conversation::apply`]
/// alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conversation {
    status: Status,
    owner: Owner,
    episode: Episode,
    /// Whether a person chose the team; nothing but a person takes it from that team.
    team_by_person: bool,
}

/// The stretch from a customer's opening to its end. What the bot has tried counts within one
/// episode only: whoever comes back is not handed on at once because of what was tried last time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Episode {
    /// 1 at first, one more with each reopening.
    pub number: u32,
    /// The customer's messages in it.
    pub turns: u32,
    /// The bot's messages in it.
    pub bot_turns: u32,
    /// Teammates' messages to the customer in it.
    pub teammate_turns: u32,
    /// Whether the bot has asked what is meant.
    pub clarified: bool,
    /// Whether the bot has offered a person.
    pub offered: bool,
    /// Whether that offer is the last thing said.
    pub offer_open: bool,
}

impl Default for Episode {
    fn default() -> Self {
        let (clarified, offered, offer_open) = (false, false, false);
        Self {
            number: 1,
            turns: 0,
            bot_turns: 0,
            teammate_turns: 0,
            clarified,
            offered,
            offer_open,
        }
    }
}

/// What happens to a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The customer wrote; a closed conversation begins a new episode, with the bot.
    CustomerWrote,
    /// The bot answered.
    BotReplied,
    /// The bot asked what is meant.
    BotAsked,
    /// The bot offered a person.
    BotOffered,
    /// A teammate wrote to the customer, and is responsible from then on, by their own choice; a
    /// closed conversation begins a new episode.
    TeammateWrote {
        /// The team.
        team: Slug,
        /// The teammate.
        teammate: Slug,
    },
    /// A team is responsible from now on.
    HandedOff {
        /// The team.
        team: Slug,
        /// Whether a person chose so.
        by_person: bool,
    },
    /// A teammate is responsible from now on.
    Assigned {
        /// The team.
        team: Slug,
        /// The teammate.
        teammate: Slug,
        /// Whether a person chose so.
        by_person: bool,
    },
    /// The bot is responsible again.
    HandedBack {
        /// Whether a person chose so.
        by_person: bool,
    },
    /// A person opened it without a word; a closed conversation begins a new episode, with whoever
    /// had it.
    Reopened,
    /// It rests.
    Snoozed,
    /// Its rest is over.
    Woken,
    /// It ends.
    Closed,
}

/// An event that cannot happen to a conversation as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IllegalMove {
    /// Only words of the customer or of a teammate open a closed conversation again.
    #[error("the conversation is closed; only the customer or a teammate opens it again")]
    Closed,
    /// A person is responsible, so the bot says nothing.
    #[error("a person is responsible; the bot stays silent until it is handed back")]
    Held,
    /// Somebody has written to the customer since the bot began to answer.
    #[error("somebody else has answered in the meantime; the bot does not answer the same again")]
    Answered,
    /// It asks or offers once an episode.
    #[error("the bot has asked or offered in this episode; it does so once")]
    Once,
    /// The customer has not written in this episode.
    #[error("the customer has not written yet; there is nothing to answer")]
    NothingAsked,
    /// A person chose the teammate or the team, so nothing but a person chooses another.
    #[error("a person chose who is responsible; only a person changes that")]
    ChosenByPerson,
    /// It does not rest.
    #[error("the conversation does not rest; there is nothing to wake")]
    Awake,
}

impl Conversation {
    /// Takes up a conversation where it stood when it was put away.
    pub fn resume(status: Status, owner: Owner, episode: Episode) -> Self {
        Self { status, owner, episode, team_by_person: false }
    }

    /// Says, of one that is taken up, whether a person chose the team that has it.
    pub fn with_team_by_person(self, team_by_person: bool) -> Self {
        Self { team_by_person, ..self }
    }

    /// Returns whether a person chose the team that has it; nothing but a person takes it from that
    /// team, while teammates of the team get it by assignment.
    pub fn team_by_person(&self) -> bool {
        self.team_by_person
    }

    /// Returns whether it goes on.
    pub fn status(&self) -> Status {
        self.status
    }

    /// Returns who is responsible.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// Returns what was done in the present episode.
    pub fn episode(&self) -> &Episode {
        &self.episode
    }

    /// Takes an event.
    ///
    /// # Errors
    /// [`IllegalMove`]; the conversation is unchanged then.
    pub fn apply(&mut self, event: &Event) -> Result<(), IllegalMove> {
        match event {
            Event::CustomerWrote => self.customer_wrote(),
            Event::TeammateWrote { team, teammate } => {
                if self.status == Status::Closed {
                    self.begin_episode();
                }
                let (team, teammate) = (team.clone(), teammate.clone());
                self.owner = Owner::Teammate { team, teammate, by_person: true };
                self.team_by_person = false;
                self.status = Status::Open;
                self.episode.teammate_turns += 1;
                self.episode.offer_open = false;
            }
            Event::Reopened => {
                if self.status == Status::Closed {
                    self.begin_episode();
                }
                self.status = Status::Open;
            }
            _ if self.status == Status::Closed => return Err(IllegalMove::Closed),
            Event::BotReplied | Event::BotAsked | Event::BotOffered => {
                return self.bot_wrote(event);
            }
            Event::HandedOff { team, by_person: false }
            | Event::Assigned { team, by_person: false, .. }
                if self.is_kept_from(Some(team)) =>
            {
                return Err(IllegalMove::ChosenByPerson);
            }
            Event::HandedBack { by_person: false } if self.is_kept_from(None) => {
                return Err(IllegalMove::ChosenByPerson);
            }
            Event::HandedOff { team, by_person } => {
                // What a person chose and a rule repeats is still that person's choice.
                self.team_by_person |= by_person;
                self.owner = Owner::Team(team.clone());
                self.status = Status::Open;
                self.episode.offer_open = false;
            }
            Event::Assigned { team, teammate, by_person } => {
                let (team, teammate) = (team.clone(), teammate.clone());
                self.owner = Owner::Teammate { team, teammate, by_person: *by_person };
                self.team_by_person &= !by_person;
            }
            Event::HandedBack { .. } => {
                self.owner = Owner::Bot;
                self.team_by_person = false;
            }
            Event::Snoozed => self.status = Status::Snoozed,
            Event::Woken if self.status == Status::Snoozed => self.status = Status::Open,
            Event::Woken => return Err(IllegalMove::Awake),
            Event::Closed => self.status = Status::Closed,
        }
        Ok(())
    }

    /// Whether a person's choice keeps it from another team, or from the bot.
    fn is_kept_from(&self, other: Option<&Slug>) -> bool {
        match &self.owner {
            Owner::Bot => false,
            Owner::Teammate { by_person: true, .. } => true,
            Owner::Team(team) | Owner::Teammate { team, .. } => {
                self.team_by_person && Some(team) != other
            }
        }
    }

    fn customer_wrote(&mut self) {
        if self.status == Status::Closed {
            self.owner = Owner::Bot;
            self.team_by_person = false;
            self.begin_episode();
        }
        self.status = Status::Open;
        self.episode.turns += 1;
    }

    fn begin_episode(&mut self) {
        self.episode = Episode { number: self.episode.number + 1, ..Episode::default() };
    }

    fn bot_wrote(&mut self, event: &Event) -> Result<(), IllegalMove> {
        if self.owner != Owner::Bot {
            return Err(IllegalMove::Held);
        }
        if self.episode.turns == 0 {
            return Err(IllegalMove::NothingAsked);
        }
        let again = match event {
            Event::BotAsked => self.episode.clarified,
            Event::BotOffered => self.episode.offered,
            _ => false,
        };
        if again {
            return Err(IllegalMove::Once);
        }
        self.episode.bot_turns += 1;
        self.episode.clarified |= *event == Event::BotAsked;
        self.episode.offered |= *event == Event::BotOffered;
        self.episode.offer_open = *event == Event::BotOffered;
        Ok(())
    }
}

#[cfg(test)]
mod tests;

use super::{Office, OfficeError, in_hand::queues_entered, takeover::Takeover};
use crate::{Call, Unheard, measure};
use jiff::{SignedDuration, Timestamp};
use router::Slug;
use serde_json::Value as Json;
use std::collections::BTreeSet;
use store::{Customer, Ended, Errand, Id, Opening, Record};

/// A conversation as another system has it, which keeps its own record and has an inbox of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Elsewhere {
    /// The channel.
    pub channel: String,
    /// How the channel names the conversation.
    pub name: String,
    /// Who asks.
    pub customer: Id<Customer>,
    /// What happened there, oldest first, also what is known.
    pub happenings: Vec<Happening>,
    /// Its tags there.
    pub tags: BTreeSet<String>,
    /// The teammate who has it there now, and the team: then the bot is silent, whatever was
    /// missed.
    pub held_by: Option<(Slug, Slug)>,
    /// Whether it goes on there.
    pub is_open: bool,
    /// How it stood here before it was read there; None: whatever it was. What was read is out of
    /// date, and nothing is taken over, where it stands otherwise by now.
    pub as_of: Option<AsOf>,
    /// When the desk began to look at the channel, where that is known. What was asked before is
    /// left to whoever had it then.
    pub connected_at: Option<Timestamp>,
}

/// How a conversation stood at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsOf {
    /// Nobody knew of it.
    Unknown,
    /// It had changed last at this time ([`Record::updated_at`]).
    Changed(Timestamp),
}

/// Something that happened to a conversation elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Happening {
    /// How the channel names it; the same one counts once.
    pub name: String,
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: Happened,
}

/// What happened to a conversation elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub enum Happened {
    /// The customer wrote.
    Asked {
        /// What.
        text: String,
        /// The page that it was written from.
        page: Option<String>,
    },
    /// A teammate wrote to the customer.
    Answered {
        /// For which team.
        team: Slug,
        /// Who.
        teammate: Slug,
        /// What.
        text: String,
    },
    /// Somebody left words for teammates.
    Noted {
        /// Who.
        teammate: Slug,
        /// What.
        text: String,
    },
    /// A person gave it to a team, or to one of its teammates.
    Assigned {
        /// Who did.
        by: Slug,
        /// The team.
        team: Slug,
        /// Who of the team; None: its queue.
        teammate: Option<Slug>,
    },
    /// It was taken off the teammate who had it; it is the team's.
    Freed {
        /// Who did; None: the other system by itself, which frees only what a teammate has here.
        by: Option<Slug>,
        /// The team.
        team: Slug,
    },
    /// A person gave it back to the bot.
    HandedBack {
        /// Who did.
        by: Slug,
    },
    /// A person opened it again, or woke it, without a word.
    Reopened {
        /// Who did.
        by: Slug,
        /// The team that it belongs to there.
        team: Slug,
    },
    /// It rests.
    Snoozed {
        /// Who said so.
        by: Slug,
        /// Until when.
        until: Timestamp,
    },
    /// It ended.
    Closed {
        /// Who ended it; None: the other system by itself.
        by: Option<Slug>,
    },
    /// The customer said how it went.
    Rated {
        /// 1 to 5.
        stars: u8,
        /// In the customer's words.
        comment: Option<String>,
    },
    /// The customer added words to the stars.
    Remarked {
        /// 1 to 5.
        stars: u8,
        /// In the customer's words.
        comment: String,
    },
    /// What the bot did there, and the desk does not remember: a backup was put back, or the customer
    /// was erased here. Whatever the desk knows of is left out by the channel.
    ByBot(ByBot),
    /// Something else that teammates may want to know.
    Other {
        /// What, such as `other_bot_wrote`.
        what: String,
        /// What about it.
        detail: Json,
    },
}

/// What the bot did elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub enum ByBot {
    /// It wrote to the customer.
    Said {
        /// What.
        text: String,
    },
    /// It gave it to a team, or to one of its teammates.
    Gave {
        /// The team.
        team: Slug,
        /// Who of the team; None: its queue.
        teammate: Option<Slug>,
    },
    /// It ended it.
    Closed,
}

/// What became of something that came to a channel's door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// It is kept, or was known.
    Kept,
    /// There is no such door.
    Nobody,
}

/// How long an errand may take.
const ERRAND: std::time::Duration = std::time::Duration::from_secs(110);

/// The longest pause between two attempts, in seconds.
const LONGEST_PAUSE_S: i64 = 900;

impl Office {
    /// Takes what came to a channel's door: proves and reads it, and keeps what is to be looked at.
    /// Once this returns, nothing of it is lost.
    ///
    /// # Errors
    /// The inner one: [`Unheard`], it was not for us or cannot be read. [`OfficeError::Store`].
    pub async fn hear(
        &self,
        door: &str,
        call: &Call<'_>,
    ) -> Result<Result<Heard, Unheard>, OfficeError> {
        let mut channels = self.inner.channels.iter();
        let Some(channel) = channels.find(|channel| channel.door() == Some(door)) else {
            return Ok(Ok(Heard::Nobody));
        };
        let notices = match channel.hear(call, self.now()) {
            Ok(notices) => notices,
            Err(unheard) => return Ok(Err(unheard)),
        };
        for notice in notices {
            let fresh = self.store().keep_notice(&notice, self.now()).await?;
            measure::heard(door, fresh);
        }
        self.inner.due.notify_waiters();
        Ok(Ok(Heard::Kept))
    }

    /// Whether a channel listens at a door.
    pub fn has_door(&self, door: &str) -> bool {
        self.inner.channels.iter().any(|channel| channel.door() == Some(door))
    }

    /// Has everything looked at that channels look at by themselves.
    pub(super) async fn set_out(&self) -> Result<(), OfficeError> {
        for channel in &self.inner.channels {
            for (door, round) in channel
                .door()
                .iter()
                .flat_map(|door| channel.rounds().into_iter().map(move |round| (*door, round)))
            {
                self.store().ask_for(door, &round, self.now()).await?;
            }
        }
        Ok(())
    }

    /// Runs an errand that is due. Returns whether there was one.
    pub(super) async fn run_errand(&self) -> Result<bool, OfficeError> {
        let now = self.now();
        let Some(errand) = self.store().errand(now, self.lease_from(now)).await? else {
            return Ok(false);
        };
        let door = errand.channel.clone();
        let channel = self.inner.channels.iter().find(|channel| channel.door() == Some(&door));
        let ended = match channel.cloned() {
            Some(channel) => self.run_within(channel, errand.clone()).await,
            None => Ended::GivenUp("nothing here looks at this channel".into()),
        };
        let ended = match ended {
            Ended::Failed(at, why) => {
                tracing::warn!(
                    channel = door,
                    why,
                    attempt = errand.n_attempts,
                    "an errand failed"
                );
                Ended::Failed(at.max(pause(now, errand.n_attempts)), why)
            }
            other => other,
        };
        self.store().end_errand(&errand, &ended, self.now()).await?;
        Ok(true)
    }

    /// Runs an errand in its time; one that panics has failed.
    async fn run_within(
        &self,
        channel: std::sync::Arc<dyn crate::Channel>,
        errand: Errand,
    ) -> Ended {
        let limit = ERRAND;
        let (office, held) = (self.clone(), errand.clone());
        let run = tokio::spawn(async move { channel.run(&office, &errand).await });
        let mut run = tokio_util::task::AbortOnDropHandle::new(run);
        let failed = |why: &str| Ended::Failed(self.now(), why.to_string());
        let late = tokio::time::sleep(limit);
        tokio::pin!(late);
        loop {
            tokio::select! {
                ended = &mut run => return ended.unwrap_or_else(|_| failed("it failed inside")),
                () = &mut late => return failed("it took too long"),
                () = tokio::time::sleep(self.renew_after()) => {
                    let until = self.lease_from(self.now());
                    if !matches!(self.store().hold_errand(&held, until).await, Ok(true)) {
                        return failed("another one runs it");
                    }
                }
            }
        }
    }

    /// Until when what is taken in hand now is nobody else's.
    pub(super) fn lease_from(&self, now: Timestamp) -> Timestamp {
        now.saturating_add(self.inner.pace.lease).unwrap_or(Timestamp::MAX)
    }

    /// How often a lease is prolonged.
    pub(super) fn renew_after(&self) -> std::time::Duration {
        let third = std::time::Duration::try_from(self.inner.pace.lease / 3);
        third.unwrap_or(std::time::Duration::from_secs(20))
    }

    /// Takes over what happened to a conversation elsewhere and is not known yet, all of it in one
    /// transaction, so that the bot never answers what a person has answered there; and who has it
    /// there. Returns how many happenings were new.
    ///
    /// # Errors
    /// [`OfficeError::Overtaken`] when the conversation has changed here since `as_of`,
    /// [`OfficeError::Store`]; what the conversation does not allow any more is noted as having
    /// happened all the same.
    pub async fn catch_up(&self, elsewhere: Elsewhere) -> Result<usize, OfficeError> {
        let (now, desk) = (self.now(), self.desk());
        let names: Vec<String> =
            elsewhere.happenings.iter().map(|happening| happening.name.clone()).collect();
        let opened_at = elsewhere.happenings.first().map_or(now, |first| first.at.min(now));
        let mut new = Record::new(&elsewhere.channel, elsewhere.customer, opened_at);
        new.external_id = Some(elsewhere.name.clone());
        let opening = Opening::Named(elsewhere.name.clone(), Box::new(new));
        let deliveries = (elsewhere.channel.as_str(), names.as_slice());
        let outward = self.is_outward(&elsewhere.channel);
        let mut takeover = Takeover::new(&elsewhere, (now, outward));
        let mut queues = Vec::new();
        let caught = self.store().receive_all(deliveries, opening, now, |record, change, place| {
            let n_before = change.entries.len();
            takeover.take(desk.playbook(), (record, change), place)?;
            queues.extend(queues_entered(change.entries.get(n_before..).unwrap_or_default()));
            Ok::<_, OfficeError>(())
        });
        let caught = caught.await??;
        if caught.altered {
            queues.iter().for_each(|team| measure::handed_off(team));
            self.changed(caught.conversation, caught.n_entries);
        }
        Ok(caught.n_new)
    }
}

/// Doubles with each attempt, from two seconds on.
fn pause(now: Timestamp, n_attempts: u32) -> Timestamp {
    let seconds = 1i64.checked_shl(n_attempts).unwrap_or(LONGEST_PAUSE_S).clamp(2, LONGEST_PAUSE_S);
    now.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

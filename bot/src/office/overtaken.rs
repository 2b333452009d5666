//! What the bot was about to do, and people or the customer were quicker: nothing is said over
//! anybody's head, and nobody is left alone because of it.

use super::{Office, OfficeError, in_hand::is_person};
use router::{Owner, Status};
use serde_json::{Value as Json, json};
use store::{Actor, Content, Entry, Post, PostState, Record};

/// Entries that are read at a time.
const AT_ONCE: u32 = 200;

impl Office {
    /// Looks at the moment of sending whether what the bot wants to say or end has been overtaken
    /// here; says by what. Words about a handoff go out unless somebody has answered or ended it.
    pub(super) async fn overtaken(
        &self,
        post: &Post,
        record: &Record,
    ) -> Result<Option<&'static str>, OfficeError> {
        if !is_bots_word(post) && !is_bots_ending(post) {
            return Ok(None);
        }
        let person = matches!(record.state.owner(), Owner::Teammate { by_person: true, .. });
        if person && !is_announcement(post) {
            return Ok(Some("a person has taken over"));
        }
        let since = self.since(post).await?;
        Ok(overtaken(post, since.iter().map(|entry| &entry.content)))
    }

    /// Returns the entries after the one that a post brings to the far side; none where the post
    /// does not say which that is.
    async fn since(&self, post: &Post) -> Result<Vec<Entry>, OfficeError> {
        let Some(mut last) = post.body.get("entry").and_then(Json::as_i64) else {
            return Ok(Vec::new());
        };
        let mut since = Vec::new();
        loop {
            let page = self.store().timeline(post.conversation, last, AT_ONCE).await?;
            let Some(entry) = page.last() else { return Ok(since) };
            last = entry.number;
            since.extend(page);
        }
    }

    /// Follows up what the bot was not to do any more. The customer, who has not been answered,
    /// waits again; and the far side is looked at for what has come between. Returns the conversation
    /// where anything follows.
    pub(super) async fn left_undone(&self, post: &Post) -> Result<Option<Record>, OfficeError> {
        if is_handing_over(post) {
            self.cancel_announcements(post).await?;
        } else if !is_bots_word(post) && !is_bots_ending(post) && post.kind != "hand_back" {
            return Ok(None);
        }
        let spoken =
            self.since(post).await?.iter().any(|entry| is_word_to_customer(&entry.content));
        let waits = is_bots_word(post) && !is_announcement(post) && !spoken;
        let noted = self.alter(post.conversation, |in_hand| {
            in_hand.event(&Actor::Frontdesk, "not_done", json!({"what": post.kind}));
            if waits && in_hand.record.state.status() != Status::Closed {
                in_hand.record.waiting_since.get_or_insert(in_hand.now);
            }
            Ok(())
        });
        match noted.await {
            Err(OfficeError::NotFound(_)) => Ok(None),
            Err(failure) => Err(failure),
            Ok((_, record)) => {
                self.look_again(&record).await?;
                Ok(Some(record))
            }
        }
    }

    /// Has the far side looked at for what became of a conversation there.
    pub(super) async fn look_again(&self, record: &Record) -> Result<(), OfficeError> {
        let Some(channel) = self.channel(&record.channel) else { return Ok(()) };
        let subject = record.external_id.as_ref().and_then(|id| channel.subject_of(id));
        if let Some((door, subject)) = channel.door().zip(subject) {
            self.store().ask_for(door, &subject, self.now()).await?;
        }
        Ok(())
    }

    /// Follows up a handoff that cannot be carried out at the far side: the customer is told of no
    /// handoff, and people find a note.
    pub(super) async fn not_handed_over(&self, post: &Post) -> Result<(), OfficeError> {
        if !self.cancel_announcements(post).await? {
            return Ok(());
        }
        let team = post.body.get("team").and_then(Json::as_str).unwrap_or_default();
        let note = format!(
            "Nobody was given this conversation where it is held, although it is meant for {team}. \
             Please take it."
        );
        let noted = self.alter(post.conversation, |in_hand| {
            in_hand.note(&Actor::Frontdesk, note);
            if in_hand.record.state.status() != Status::Closed {
                in_hand.record.waiting_since.get_or_insert(in_hand.now);
            }
            Ok(())
        });
        match noted.await {
            Err(OfficeError::NotFound(_)) => Ok(()),
            noted => noted.map(drop),
        }
    }

    /// Cancels the words about a handoff that does not take place. Returns false, and leaves them,
    /// where another post of the same handoff may still bring it about.
    async fn cancel_announcements(&self, assign: &Post) -> Result<bool, OfficeError> {
        let pending = self.store().posts_pending(assign.conversation).await?;
        let of_it = |post: &&Post| {
            post.id != assign.id
                && post.destination == assign.destination
                && post.created_at == assign.created_at
        };
        if pending.iter().filter(of_it).any(|post| post.kind == "assign") {
            return Ok(false);
        }
        for post in pending.iter().filter(of_it).filter(|post| is_announcement(post)) {
            let why = "the handoff did not take place";
            self.settle(post, PostState::Cancelled, self.now(), why).await?;
        }
        Ok(true)
    }

    /// Whether people cannot write from here to a conversation's channel; why.
    pub(super) fn silent_for_people(&self, channel: &str) -> Option<&'static str> {
        self.channel(channel)?.keeps_people_silent(channel)
    }
}

/// Says what has come between, of what happened since. A conversation that was handed back is the
/// bot's again; what a person has answered or ended stays so.
fn overtaken<'a>(post: &Post, since: impl Iterator<Item = &'a Content>) -> Option<&'static str> {
    let (mut done, mut held) = (None, None);
    for content in since {
        match content {
            Content::Teammate { .. } => done = Some("a person has answered"),
            Content::Customer { .. } if is_bots_ending(post) => {
                done = Some("the customer has written since");
            }
            Content::Event { by, what, .. } => match (what.as_str(), is_person(by)) {
                ("closed", true) => done = Some("a person has ended it"),
                ("handed_off" | "assigned" | "snoozed" | "reopened", true)
                    if !is_announcement(post) =>
                {
                    held = Some("a person has taken over");
                }
                ("handed_back", _) => held = None,
                _ => {}
            },
            _ => {}
        }
    }
    done.or(held)
}

/// Whether the bot wants to say it to the customer.
pub(super) fn is_bots_word(post: &Post) -> bool {
    post.kind == "reply" && post.body.get("author").and_then(Json::as_str) == Some("bot")
}

/// Whether the bot wants the conversation to end or to rest.
fn is_bots_ending(post: &Post) -> bool {
    matches!(post.kind.as_str(), "close" | "snooze") && is_said_by_nobody(post)
}

/// Whether the bot wants to give the conversation to people.
pub(super) fn is_handing_over(post: &Post) -> bool {
    post.kind == "assign" && is_said_by_nobody(post)
}

/// Whether it tells the customer of a handoff.
fn is_announcement(post: &Post) -> bool {
    is_bots_word(post) && post.body.get("handoff") == Some(&Json::Bool(true))
}

/// Whether it is no person who wants it. A post of an older release does not say.
fn is_said_by_nobody(post: &Post) -> bool {
    post.body.get("by_person") == Some(&Json::Bool(false))
}

fn is_word_to_customer(content: &Content) -> bool {
    matches!(content, Content::Bot { .. } | Content::Teammate { .. })
}

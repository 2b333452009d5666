use super::{Office, OfficeError, hanging::Hanging};
use crate::{Channel, Delivered, DeliveryError, Parcel, measure};
use jiff::{SignedDuration, Timestamp};
use router::{Owner, Status};
use serde_json::{Value as Json, json};
use std::{
    collections::BTreeSet,
    sync::{Arc, MutexGuard, PoisonError},
};
use store::{Actor, Post, PostState, Record};

/// Posts that are sent at the same time.
const AT_ONCE: u32 = 16;

/// How long an attempt may take.
const SENDING: std::time::Duration = std::time::Duration::from_secs(45);

/// Attempts before a post is given up; with the pauses between them that is about three hours.
const ATTEMPTS: u32 = 15;

/// The longest pause between two attempts, in seconds.
const LONGEST_PAUSE_S: u64 = 1_800;

impl Office {
    /// Sends what is due. Returns whether that was anything.
    pub(super) async fn send_due(&self) -> Result<bool, OfficeError> {
        let now = self.now();
        let until = self.lease_from(now);
        let alone = self.hanging().left_alone(now);
        let posts = self.store().posts_due((now, until), AT_ONCE, &alone).await?;
        let busy = !posts.is_empty();
        let sent = posts.into_iter().map(|post| self.send(post, now));
        for done in futures_util::future::join_all(sent).await {
            done?;
        }
        Ok(busy)
    }

    async fn send(&self, post: Post, begun: Timestamp) -> Result<(), OfficeError> {
        let Some(channel) = self.channel(&post.destination) else {
            return self.give_up(&post, "nothing here sends to this destination").await;
        };
        let record = match self.store().conversation(post.conversation).await {
            Err(store::Error::NotFound(_)) => {
                let why = "the customer was erased";
                return self.settle(&post, PostState::Cancelled, self.now(), why).await;
            }
            record => record?,
        };
        if let Some(why) = unwanted(&post, &record) {
            return self.settle(&post, PostState::Cancelled, self.now(), why).await;
        }
        let taken = match channel.door() {
            Some(_) => self.store().taken(&post.destination, post.conversation).await?,
            None => BTreeSet::new(),
        };
        let parcel = Parcel { post: &post, record: &record, taken: &taken };
        let delivered = self.deliver_holding(&channel, &parcel).await?;
        match &delivered {
            Err(DeliveryError::TimedOut) => {
                self.hanging().note(&post.destination, begun, self.now());
            }
            _ => self.hanging().forget(&post.destination),
        }
        match delivered {
            Ok(Delivered { said, names }) => {
                self.settled(&post, (PostState::Sent, self.now()), &said, &names).await
            }
            Err(DeliveryError::Unwanted(why)) => {
                self.settle(&post, PostState::Cancelled, self.now(), &why).await
            }
            Err(failure) if !failure.is_final() && post.n_attempts < ATTEMPTS => {
                let (what, after_s) = (failure.to_string(), failure.after_s());
                let pause = i64::try_from(pause_s(post.n_attempts, after_s)).unwrap_or(i64::MAX);
                let at = self.now().saturating_add(SignedDuration::from_secs(pause));
                self.settle(&post, PostState::Pending, at.unwrap_or(Timestamp::MAX), &what).await
            }
            Err(failure) => self.give_up(&post, &failure.to_string()).await,
        }
    }

    /// Delivers a post while it is kept from being handed out again.
    async fn deliver_holding(
        &self,
        channel: &Arc<dyn Channel>,
        parcel: &Parcel<'_>,
    ) -> Result<Result<Delivered, DeliveryError>, OfficeError> {
        let delivering = tokio::time::timeout(SENDING, deliver(channel, parcel));
        tokio::pin!(delivering);
        loop {
            tokio::select! {
                delivered = &mut delivering => {
                    return Ok(delivered.unwrap_or(Err(DeliveryError::TimedOut)));
                }
                () = tokio::time::sleep(self.renew_after()) => {
                    self.store().hold_post(parcel.post.id, self.lease_from(self.now())).await?;
                }
            }
        }
    }

    fn hanging(&self) -> MutexGuard<'_, Hanging> {
        self.inner.hanging.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a post up. Whoever waits for it goes to people first: whatever happens between the two,
    /// a note may stand there twice, and no reply is lost unseen.
    async fn give_up(&self, post: &Post, why: &str) -> Result<(), OfficeError> {
        tracing::error!(
            post.id = %post.id, post.destination = post.destination, why, "a post is given up"
        );
        self.hand_over_undelivered(post).await?;
        self.settle(post, PostState::Failed, self.now(), why).await
    }

    async fn settle(
        &self,
        post: &Post,
        state: PostState,
        at: Timestamp,
        result: &str,
    ) -> Result<(), OfficeError> {
        self.settled(post, (state, at), result, &[]).await
    }

    /// Settles a post with the far side's names for what became of it.
    async fn settled(
        &self,
        post: &Post,
        (state, at): (PostState, Timestamp),
        result: &str,
        names: &[String],
    ) -> Result<(), OfficeError> {
        measure::posted(
            &post.destination,
            match state {
                PostState::Pending => "later",
                PostState::Sent => "sent",
                PostState::Cancelled => "cancelled",
                PostState::Failed => "failed",
            },
        );
        match self.store().settle_post(post.id, (state, at), result, names).await {
            // Its customer was erased while it was on its way.
            Err(store::Error::NotFound(_)) => Ok(()),
            settled => Ok(settled?),
        }
    }

    /// Gives a conversation to people whose reply did not reach the customer.
    async fn hand_over_undelivered(&self, post: &Post) -> Result<(), OfficeError> {
        if post.kind != "reply" {
            return Ok(());
        }
        let handed_over = self.alter(post.conversation, |in_hand| {
            let by = Actor::Frontdesk;
            in_hand.note(&by, "A reply could not be delivered to the customer.".into());
            // What has ended is opened again by people alone, who find the note.
            if in_hand.record.state.status() == Status::Closed {
                return Ok(());
            }
            in_hand.record.waiting_since.get_or_insert(in_hand.now);
            if *in_hand.record.state.owner() == Owner::Bot {
                let team = in_hand.playbook.policy.fallback_team().clone();
                in_hand.hand_off(&team, &by, json!({"reason": "a reply was not delivered"}))?;
            }
            Ok(())
        });
        match handed_over.await {
            Err(OfficeError::NotFound(_)) => Ok(()),
            handed_over => handed_over.map(drop),
        }
    }

    pub(super) fn channel(&self, destination: &str) -> Option<Arc<dyn Channel>> {
        self.inner.channels.iter().find(|channel| channel.takes(destination)).cloned()
    }

    /// Whether a channel has to be told what happens, as the far side keeps its own record.
    pub(super) fn is_outward(&self, channel: &str) -> bool {
        self.channel(channel).is_some()
    }
}

async fn deliver(
    channel: &Arc<dyn Channel>,
    parcel: &Parcel<'_>,
) -> Result<Delivered, DeliveryError> {
    if parcel.post.n_attempts > 1
        && let Some(delivered) = channel.has(parcel).await?
    {
        return Ok(delivered);
    }
    channel.deliver(parcel).await
}

/// Looks at the moment of sending whether the bot may still speak.
fn unwanted(post: &Post, record: &Record) -> Option<&'static str> {
    let person = matches!(record.state.owner(), Owner::Teammate { by_person: true, .. });
    (is_bot_reply(post) && person).then_some("a person has taken over")
}

fn is_bot_reply(post: &Post) -> bool {
    post.kind == "reply" && post.body.get("author").and_then(Json::as_str) == Some("bot")
}

/// Doubles with each attempt, from one second on; what the far side asks for counts if it is longer.
fn pause_s(n_attempts: u32, asked_s: Option<u64>) -> u64 {
    let doubled = 1u64.checked_shl(n_attempts.saturating_sub(1)).unwrap_or(LONGEST_PAUSE_S);
    doubled.min(LONGEST_PAUSE_S).max(asked_s.unwrap_or(0).min(24 * 3_600))
}

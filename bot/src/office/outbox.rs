use super::{Office, OfficeError, hanging::Hanging, overtaken::is_handing_over};
use crate::{Channel, Delivered, DeliveryError, Parcel, measure};
use jiff::{SignedDuration, Timestamp};
use router::{Owner, Status};
use serde_json::json;
use std::{
    collections::BTreeSet,
    sync::{Arc, MutexGuard, PoisonError},
};
use store::{Actor, Post, PostState};

/// Posts that are sent at the same time.
const AT_ONCE: u32 = 16;

/// How long an attempt may take.
const SENDING: std::time::Duration = std::time::Duration::from_secs(45);

/// Attempts before a post is given up; with the pauses between them that is about three hours.
const ATTEMPTS: u32 = 15;

/// After how many attempts what a handoff can do without lets the others pass.
const HOLDS_UP: u32 = 3;

/// How old a post may be to have certainly never been sent before its first attempt. One that comes
/// out of a backup is older.
const FRESH: SignedDuration = SignedDuration::from_secs(60);

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
        // Read first: what is taken over from now on counts as unseen, and nothing as seen that the
        // look at the timeline misses.
        let taken = match channel.door() {
            Some(_) => self.store().taken(&post.destination, post.conversation).await?,
            None => BTreeSet::new(),
        };
        let record = match self.store().conversation(post.conversation).await {
            Err(store::Error::NotFound(_)) => {
                let why = "the customer was erased";
                return self.settle(&post, PostState::Cancelled, self.now(), why).await;
            }
            record => record?,
        };
        let overtaken = self.overtaken(&post, &record).await?;
        let desk = self.desk();
        let parcel = Parcel { post: &post, record: &record, taken: &taken, policy: desk.policy() };
        let Some(delivered) = self.deliver_holding(&channel, &parcel, overtaken).await? else {
            return Ok(());
        };
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
            Err(DeliveryError::Unwanted(why)) => self.cancel(&post, &why).await,
            Err(DeliveryError::KeptBack(why)) => {
                self.settle(&post, PostState::Cancelled, self.now(), &why).await
            }
            Err(failure) if !failure.is_final() && post.n_attempts < ATTEMPTS => {
                let (what, after_s) = (failure.to_string(), failure.after_s());
                // Attempts that nobody answered, as their server died, make no far side sicker.
                let n_refused = if post.last_result.is_none() { 1 } else { post.n_attempts };
                let pause = i64::try_from(pause_s(n_refused, after_s)).unwrap_or(i64::MAX);
                let at = self.now().saturating_add(SignedDuration::from_secs(pause));
                let at = at.unwrap_or(Timestamp::MAX);
                self.settle(&post, PostState::Pending, at, &what).await?;
                if post.n_attempts >= HOLDS_UP && may_come_later(&post.kind) {
                    self.store().let_others_pass(post.id).await?;
                }
                Ok(())
            }
            Err(failure) => self.give_up(&post, &failure.to_string()).await,
        }
    }

    /// Cancels what is not wanted any more. What follows from that comes first: whatever happens
    /// between the two, it is noted twice, and nobody is left alone.
    async fn cancel(&self, post: &Post, why: &str) -> Result<(), OfficeError> {
        let record = self.left_undone(post).await?;
        self.settle(post, PostState::Cancelled, self.now(), why).await?;
        match record {
            // While it was pending, a look took it for what the desk is just doing.
            Some(record) => self.look_again(&record).await,
            None => Ok(()),
        }
    }

    /// Delivers a post while it is kept from being handed out again; None: another one has it.
    async fn deliver_holding(
        &self,
        channel: &Arc<dyn Channel>,
        parcel: &Parcel<'_>,
        overtaken: Option<&str>,
    ) -> Result<Option<Result<Delivered, DeliveryError>>, OfficeError> {
        let now = self.now();
        let delivering = tokio::time::timeout(SENDING, deliver(channel, parcel, now, overtaken));
        tokio::pin!(delivering);
        loop {
            tokio::select! {
                delivered = &mut delivering => {
                    return Ok(Some(delivered.unwrap_or(Err(DeliveryError::TimedOut))));
                }
                () = tokio::time::sleep(self.renew_after()) => {
                    let until = self.lease_from(self.now());
                    if !self.store().hold_post(parcel.post, until).await? {
                        return Ok(None);
                    }
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
        if is_handing_over(post) {
            self.not_handed_over(post).await?;
        }
        self.settle(post, PostState::Failed, self.now(), why).await
    }

    pub(super) async fn settle(
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
        match self.store().settle_attempt(post, (state, at), result, names).await {
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

/// Delivers a post that nothing has overtaken, and that is not there already.
async fn deliver(
    channel: &Arc<dyn Channel>,
    parcel: &Parcel<'_>,
    now: Timestamp,
    overtaken: Option<&str>,
) -> Result<Delivered, DeliveryError> {
    // One that has waited may have gone out in a life of the desk that its store has forgotten.
    let has_waited = parcel.post.created_at.duration_until(now) > FRESH;
    if (parcel.post.n_attempts > 1 || has_waited)
        && let Some(delivered) = channel.has(parcel).await?
    {
        return Ok(delivered);
    }
    match overtaken {
        Some(why) => Err(DeliveryError::Unwanted(why.into())),
        None => channel.deliver(parcel).await,
    }
}

/// Whether a handoff is as good without it for a while.
fn may_come_later(kind: &str) -> bool {
    matches!(kind, "tag" | "untag" | "attribute" | "priority" | "ticket")
}

/// Doubles with each attempt, from one second on; what the far side asks for counts if it is longer.
fn pause_s(n_attempts: u32, asked_s: Option<u64>) -> u64 {
    let doubled = 1u64.checked_shl(n_attempts.saturating_sub(1)).unwrap_or(LONGEST_PAUSE_S);
    doubled.min(LONGEST_PAUSE_S).max(asked_s.unwrap_or(0).min(24 * 3_600))
}

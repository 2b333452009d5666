use super::{Office, OfficeError};
use crate::{Channel, DeliveryError, measure};
use jiff::{SignedDuration, Timestamp};
use router::Owner;
use serde_json::{Value as Json, json};
use std::sync::Arc;
use store::{Actor, Post, PostState};

/// Posts that are sent at the same time.
const AT_ONCE: u32 = 16;

/// How long a post may take to be sent before it is handed out again.
const SENDING: SignedDuration = SignedDuration::from_secs(60);

/// Attempts before a post is given up; with the pauses between them that is about three hours.
const ATTEMPTS: u32 = 15;

/// The longest pause between two attempts, in seconds.
const LONGEST_PAUSE_S: u64 = 1_800;

impl Office {
    /// Sends what is due. Returns whether that was anything.
    pub(super) async fn send_due(&self) -> Result<bool, OfficeError> {
        let now = self.now();
        let until = now.saturating_add(SENDING).unwrap_or(Timestamp::MAX);
        let posts = self.store().posts_due(now, until, AT_ONCE).await?;
        let busy = !posts.is_empty();
        let sent = posts.into_iter().map(|post| self.send(post));
        for done in futures_util::future::join_all(sent).await {
            done?;
        }
        Ok(busy)
    }

    async fn send(&self, post: Post) -> Result<(), OfficeError> {
        let Some(channel) = self.channel(&post.destination) else {
            let what = "nothing here sends to this destination";
            return self.settle(&post, PostState::Failed, self.now(), what).await;
        };
        if let Some(why) = self.is_unwanted(&post).await? {
            return self.settle(&post, PostState::Cancelled, self.now(), why).await;
        }
        let limit = std::time::Duration::from_secs(45);
        let delivered = match tokio::time::timeout(limit, deliver(&channel, &post)).await {
            Ok(delivered) => delivered,
            Err(_) => Err(DeliveryError::Later { what: "no answer in time".into(), after_s: None }),
        };
        match delivered {
            Ok(said) => self.settle(&post, PostState::Sent, self.now(), &said).await,
            Err(DeliveryError::Later { what, after_s }) if post.n_attempts < ATTEMPTS => {
                let pause = i64::try_from(pause_s(post.n_attempts, after_s)).unwrap_or(i64::MAX);
                let at = self.now().saturating_add(SignedDuration::from_secs(pause));
                self.settle(&post, PostState::Pending, at.unwrap_or(Timestamp::MAX), &what).await
            }
            Err(failure) => {
                self.settle(&post, PostState::Failed, self.now(), &failure.to_string()).await?;
                self.hand_over_undelivered(&post).await
            }
        }
    }

    async fn settle(
        &self,
        post: &Post,
        state: PostState,
        at: Timestamp,
        result: &str,
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
        if state == PostState::Failed {
            tracing::error!(
                post.id = %post.id, post.destination = post.destination, result,
                "a post was given up"
            );
        }
        Ok(self.store().settle_post(post.id, state, at, result).await?)
    }

    /// Looks at the moment of sending whether the bot may still speak.
    async fn is_unwanted(&self, post: &Post) -> Result<Option<&'static str>, OfficeError> {
        if !is_bot_reply(post) {
            return Ok(None);
        }
        let record = self.store().conversation(post.conversation).await?;
        let person = matches!(record.state.owner(), Owner::Teammate { by_person: true, .. });
        Ok(person.then_some("a person has taken over"))
    }

    /// Gives a conversation to people whose reply did not reach the customer.
    async fn hand_over_undelivered(&self, post: &Post) -> Result<(), OfficeError> {
        if post.kind != "reply" {
            return Ok(());
        }
        self.alter(post.conversation, |in_hand| {
            let by = Actor::Frontdesk;
            in_hand.note(&by, "A reply could not be delivered to the customer.".into());
            in_hand.record.waiting_since.get_or_insert(in_hand.now);
            if *in_hand.record.state.owner() == Owner::Bot {
                let team = in_hand.playbook.policy.fallback_team().clone();
                in_hand.hand_off(&team, &by, json!({"reason": "a reply was not delivered"}))?;
            }
            Ok(())
        })
        .await?;
        Ok(())
    }

    fn channel(&self, destination: &str) -> Option<Arc<dyn Channel>> {
        self.inner.channels.iter().find(|channel| channel.takes(destination)).cloned()
    }

    /// Whether a channel has to be told what happens, as the far side keeps its own record.
    pub(super) fn is_outward(&self, channel: &str) -> bool {
        self.channel(channel).is_some()
    }
}

async fn deliver(channel: &Arc<dyn Channel>, post: &Post) -> Result<String, DeliveryError> {
    if post.n_attempts > 1 && channel.has(post).await? {
        return Ok("had arrived before".into());
    }
    channel.deliver(post).await
}

fn is_bot_reply(post: &Post) -> bool {
    post.kind == "reply" && post.body.get("author").and_then(Json::as_str) == Some("bot")
}

/// Doubles with each attempt, from one second on; what the far side asks for counts if it is longer.
fn pause_s(n_attempts: u32, asked_s: Option<u64>) -> u64 {
    let doubled = 1u64.checked_shl(n_attempts.saturating_sub(1)).unwrap_or(LONGEST_PAUSE_S);
    doubled.min(LONGEST_PAUSE_S).max(asked_s.unwrap_or(0).min(24 * 3_600))
}

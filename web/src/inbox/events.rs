use super::{
    page::Refusal,
    session::{self, SignedIn},
};
use crate::Front;
use axum::response::sse::{Event, Sse};
use bot::Changed;
use futures_util::{Stream, stream};
use serde_json::json;
use std::{convert::Infallible, time::Duration};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{Interval, MissedTickBehavior, interval},
};

/// How often a stream says that it lives, which also shows when nobody listens any more, notes the
/// teammate's presence, and notices that the session has ended.
const BEAT: Duration = Duration::from_secs(20);

/// A stream of what changes, to one browser.
struct Listener {
    front: Front,
    by: SignedIn,
    changes: Receiver<Changed>,
    beat: Interval,
}

/// Tells a browser which conversations change while it listens; it asks for what it shows then.
/// The stream ends with the session or the desk.
pub(super) fn listen(
    front: Front,
    by: SignedIn,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let changes = front.office.changes();
    let mut beat = interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let listener = Listener { front, by, changes, beat };
    Sse::new(stream::unfold(listener, |mut listener| async {
        let event = listener.next().await?;
        Some((Ok(event), listener))
    }))
}

impl Listener {
    async fn next(&mut self) -> Option<Event> {
        let stopping = self.front.stopping.clone();
        tokio::select! {
            () = stopping.cancelled() => None,
            changed = self.changes.recv() => match changed {
                Ok(changed) => Some(about(&changed)),
                // Whatever was missed: everything that is shown is looked up again.
                Err(RecvError::Lagged(_)) => Some(Event::default().event("missed").data("{}")),
                Err(RecvError::Closed) => None,
            },
            _ = self.beat.tick() => {
                self.is_still_there().await.ok()?;
                Some(Event::default().event("beat").data("{}"))
            }
        }
    }

    /// Notes the teammate's presence, as long as the session holds.
    async fn is_still_there(&mut self) -> Result<(), Refusal> {
        let (store, now) = (self.front.office.store(), self.front.office.now());
        let token_hash = &self.by.session.token_hash;
        let (_, account) = store.session(token_hash, now).await?.ok_or(Refusal::SignIn)?;
        session::see(&self.front, &account, now).await
    }
}

fn about(changed: &Changed) -> Event {
    let data = json!({"conversation": changed.conversation.to_string(), "n": changed.n_entries});
    Event::default().event("changed").data(data.to_string())
}

use super::{
    Porch,
    limits::StreamPermit,
    shown,
    talk::{self, Cursor, Own},
    visit,
};
use crate::{Front, Problem, caller::Caller};
use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use bot::Changed;
use futures_util::stream;
use std::{collections::VecDeque, convert::Infallible, time::Duration};
use store::{Id, Record, Visit};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::Instant,
};

/// Time between signs of life, well below the minute after which proxies give up.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// How long a stream is open at most. Browsers come back by themselves, with the token that is
/// valid then.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// Entries that are read at once; the next ones when these have been sent.
const LINES: u32 = 200;

/// What keeps one stream going.
struct Feed {
    front: Front,
    changes: Receiver<Changed>,
    visit: Visit,
    conversation: Id<Record>,
    /// Number of the last entry that was read.
    cursor: i64,
    /// Whether there may be entries after that already.
    more: bool,
    standing: Option<shown::Standing>,
    waiting: VecDeque<Event>,
    ends: Instant,
    _permit: StreamPermit,
}

/// Follows a conversation (server-sent events, in the WHATWG HTML standard): `line` with the number
/// of its entry as id, `standing` without one, each a JSON document. Begins after the entry that
/// `Last-Event-ID` or `after` names. Ends when the desk stops, when the conversation is not the
/// visitor's any more, when there is something to tell after the visit has ended, and after a quarter
/// of an hour.
pub(super) async fn follow(
    State(porch): State<Porch>,
    caller: Caller,
    Own { visit, record }: Own,
    Cursor(cursor): Cursor,
) -> Result<Response, Problem> {
    // Before the first look, so that nothing falls between the two.
    let changes = porch.front.office.changes();
    let permit = porch.limits.stream(visit.customer, caller.network()).ok_or_else(|| {
        let detail = "too many streams are open; close one";
        Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_streams", detail)
    })?;
    let mut feed = Feed {
        front: porch.front,
        changes,
        visit,
        conversation: record.id,
        cursor,
        more: false,
        standing: None,
        waiting: VecDeque::new(),
        ends: Instant::now() + LONGEST,
        _permit: permit,
    };
    feed.look().await?;
    let events = stream::unfold(feed, |mut feed| async {
        let event = feed.next().await?;
        Some((Ok::<Event, Infallible>(event), feed))
    });
    let events = Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT));
    let mut response = events.into_response();
    // nginx would hold events back otherwise.
    let unbuffered = HeaderValue::from_static("no");
    response.headers_mut().insert("x-accel-buffering", unbuffered);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

impl Feed {
    /// Waits for the next event; None ends the stream.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            let stopping = self.front.stopping.clone();
            if stopping.is_cancelled() || Instant::now() >= self.ends {
                return None;
            }
            if !self.more {
                tokio::select! {
                    () = stopping.cancelled() => return None,
                    () = tokio::time::sleep_until(self.ends) => return None,
                    change = self.changes.recv() => match change {
                        Ok(change) if change.conversation != self.conversation => continue,
                        Ok(_) | Err(RecvError::Lagged(_)) => {}
                        Err(RecvError::Closed) => return None,
                    }
                }
            }
            if let Err(problem) = self.look().await {
                tracing::debug!(code = problem.code, "a stream ended");
                return None;
            }
        }
    }

    /// Reads some of what is new, and after the last of it how the conversation stands.
    async fn look(&mut self) -> Result<(), Problem> {
        let office = self.front.office.clone();
        let (store, desk) = (office.store(), office.desk());
        // Again at each look: whoever followed may have signed out in another tab, and the
        // conversation may have gone to whoever signed in.
        if store.visit(&self.visit.token_hash, office.now()).await?.is_none() {
            return Err(visit::ended());
        }
        let id = self.conversation.to_string();
        let record = talk::own(&self.front, self.visit.customer, &id).await?;
        let entries = store.timeline(record.id, self.cursor, LINES).await?;
        self.cursor = entries.last().map_or(self.cursor, |last| last.number);
        self.more = entries.len() >= LINES as usize;
        for line in entries.into_iter().filter_map(|entry| shown::line(&desk, entry)) {
            let event = Event::default().event("line").id(line.number.to_string());
            self.waiting.push_back(json(event, &line)?);
        }
        if self.more {
            return Ok(());
        }
        let standing = shown::standing(&office, &desk, &record).await?;
        if self.standing.as_ref() != Some(&standing) {
            self.waiting.push_back(json(Event::default().event("standing"), &standing)?);
            self.standing = Some(standing);
        }
        Ok(())
    }
}

fn json(event: Event, data: &impl serde::Serialize) -> Result<Event, Problem> {
    event.json_data(data).map_err(|failure| Problem::inside(&failure))
}

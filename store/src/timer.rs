use crate::{
    Error, Id, Record, Store,
    change::Writing,
    column::{Columns, json, micros},
};
use jiff::Timestamp;
use serde_json::Value as Json;
use sqlx::any::AnyRow;
use std::collections::BTreeSet;

/// Something that is to happen to a conversation later, once in the episode.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTimer {
    /// What it is, unique in the episode: the name of a rule, for example.
    pub key: String,
    /// From when on.
    pub due_at: Timestamp,
    /// What is to be done; its shape belongs to whoever set it.
    pub action: Json,
}

/// A timer whose time has come.
#[derive(Debug, Clone, PartialEq)]
pub struct DueTimer {
    /// The conversation.
    pub conversation: Id<Record>,
    /// The episode that it was set in; in a later one it is void.
    pub episode: u32,
    /// What was set.
    pub timer: NewTimer,
}

impl Store {
    /// Lists at most `limit` timers whose time has come and that have not fired, earliest first.
    /// Those of episodes that are over are left out.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn timers_due(&self, now: Timestamp, limit: u32) -> Result<Vec<DueTimer>, Error> {
        let rows = sqlx::query(
            "SELECT t.* FROM timer t
             JOIN conversation c ON c.id = t.conversation AND c.episode = t.episode
             WHERE t.fired = 0 AND t.due_at <= $1 ORDER BY t.due_at LIMIT $2",
        )
        .bind(micros(now))
        .bind(i64::from(limit))
        .fetch_all(&self.reader)
        .await?;
        rows.iter().map(read).collect()
    }

    /// Returns the keys that have fired in an episode.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn fired(&self, id: Id<Record>, episode: u32) -> Result<BTreeSet<String>, Error> {
        let sql = "SELECT key FROM timer WHERE conversation = $1 AND episode = $2 AND fired = 1";
        let query = sqlx::query(sql).bind(id.to_string()).bind(i64::from(episode));
        let rows = query.fetch_all(&self.reader).await?;
        rows.iter().map(|row| Columns(row).text("key")).collect()
    }

    /// Lists at most `limit` snoozed conversations whose rest is over.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn rested(&self, now: Timestamp, limit: u32) -> Result<Vec<Id<Record>>, Error> {
        let rows = sqlx::query(
            "SELECT id FROM conversation WHERE status = 'snoozed' AND snoozed_until <= $1
             ORDER BY snoozed_until LIMIT $2",
        )
        .bind(micros(now))
        .bind(i64::from(limit))
        .fetch_all(&self.reader)
        .await?;
        rows.iter().map(|row| Columns(row).id("id")).collect()
    }
}

fn read(row: &AnyRow) -> Result<DueTimer, Error> {
    let columns = Columns(row);
    let (key, due_at) = (columns.text("key")?, columns.time("due_at")?);
    let timer = NewTimer { key, due_at, action: columns.json("action")? };
    let (conversation, episode) = (columns.id("conversation")?, columns.count("episode")?);
    Ok(DueTimer { conversation, episode, timer })
}

/// Sets timers in the present episode; one whose key is known stays as it was.
pub(crate) async fn set(writing: &mut Writing<'_>, timers: &[NewTimer]) -> Result<(), Error> {
    for timer in timers {
        sqlx::query(
            "INSERT INTO timer (conversation, episode, key, due_at, action, fired)
             VALUES ($1, $2, $3, $4, $5, 0) ON CONFLICT DO NOTHING",
        )
        .bind(writing.conversation.to_string())
        .bind(i64::from(writing.episode))
        .bind(&timer.key)
        .bind(micros(timer.due_at))
        .bind(json(&timer.action))
        .execute(&mut *writing.connection)
        .await?;
    }
    Ok(())
}

/// Notes that timers have fired, also ones that nobody set; none fires twice.
pub(crate) async fn fire(
    writing: &mut Writing<'_>,
    episode: u32,
    keys: &[String],
) -> Result<(), Error> {
    for key in keys {
        let done = sqlx::query(
            "INSERT INTO timer (conversation, episode, key, due_at, action, fired)
             VALUES ($1, $2, $3, $4, 'null', 1)
             ON CONFLICT (conversation, episode, key) DO UPDATE SET fired = 1
             WHERE timer.fired = 0",
        )
        .bind(writing.conversation.to_string())
        .bind(i64::from(episode))
        .bind(key)
        .bind(micros(writing.now))
        .execute(&mut *writing.connection)
        .await?;
        if done.rows_affected() == 0 {
            return Err(Error::LeaseLost);
        }
    }
    Ok(())
}

/// Forgets what was still to come in episodes that are over.
pub(crate) async fn forget(writing: &mut Writing<'_>) -> Result<(), Error> {
    sqlx::query("DELETE FROM timer WHERE conversation = $1 AND episode < $2 AND fired = 0")
        .bind(writing.conversation.to_string())
        .bind(i64::from(writing.episode))
        .execute(&mut *writing.connection)
        .await?;
    Ok(())
}

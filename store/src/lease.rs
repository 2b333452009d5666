use crate::{Error, Id, Record, Store, column::micros, record};
use jiff::Timestamp;

/// The right to take one conversation's turn, for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Which conversation.
    pub conversation: Id<Record>,
    /// Proves who holds it; new with each lease.
    pub token: Id<Lease>,
}

/// A conversation whose turn is to be taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Leased {
    /// The right to do so.
    pub lease: Lease,
    /// The conversation as it stood then.
    pub record: Record,
}

impl Store {
    /// Hands out the conversation whose turn has been due longest and that nobody holds, until
    /// `until`; None: nothing is due. Two callers, on whatever node, never hold the same one at the
    /// same time; a lease that has run out is handed out again.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn lease(&self, now: Timestamp, until: Timestamp) -> Result<Option<Leased>, Error> {
        let sql = self.dialect.choose(
            "WITH due AS MATERIALIZED (
                SELECT id FROM conversation
                WHERE turn_due_at <= $1 AND (lease_until IS NULL OR lease_until <= $1)
                ORDER BY turn_due_at, id LIMIT 1)
             UPDATE conversation SET lease_token = $2, lease_until = $3
             WHERE id IN (SELECT id FROM due) RETURNING *",
            "WITH due AS MATERIALIZED (
                SELECT id FROM conversation
                WHERE turn_due_at <= $1 AND (lease_until IS NULL OR lease_until <= $1)
                ORDER BY turn_due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
             UPDATE conversation SET lease_token = $2, lease_until = $3
             WHERE id IN (SELECT id FROM due) RETURNING *",
        );
        let token = Id::new(now);
        let query = sqlx::query(sql).bind(micros(now)).bind(token.to_string()).bind(micros(until));
        let rows = query.fetch_all(&self.writer).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let record = record::read(row)?;
        Ok(Some(Leased { lease: Lease { conversation: record.id, token }, record }))
    }

    /// Prolongs a lease.
    ///
    /// # Errors
    /// [`Error::LeaseLost`] when it has passed to another worker, [`Error::Database`].
    pub async fn renew(&self, lease: &Lease, until: Timestamp) -> Result<(), Error> {
        let sql = "UPDATE conversation SET lease_until = $3 WHERE id = $1 AND lease_token = $2";
        let query = sqlx::query(sql).bind(lease.conversation.to_string());
        let query = query.bind(lease.token.to_string()).bind(micros(until));
        let done = query.execute(&self.writer).await?;
        if done.rows_affected() == 0 { Err(Error::LeaseLost) } else { Ok(()) }
    }

    /// Gives a lease back with the turn still due, at `due_at`, unless somebody has made it
    /// unnecessary meanwhile; one that is lost already is no error.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn give_back(&self, lease: &Lease, due_at: Timestamp) -> Result<(), Error> {
        sqlx::query(
            "UPDATE conversation SET lease_token = NULL, lease_until = NULL,
                turn_due_at = CASE WHEN turn_due_at IS NULL THEN NULL ELSE $3 END
             WHERE id = $1 AND lease_token = $2",
        )
        .bind(lease.conversation.to_string())
        .bind(lease.token.to_string())
        .bind(micros(due_at))
        .execute(&self.writer)
        .await?;
        Ok(())
    }
}

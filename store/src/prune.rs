use crate::{AuditEntry, Error, Id, Post, Store, column::micros};
use jiff::Timestamp;

/// From when on what has happened is kept. None: for ever.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kept {
    /// Posts that are settled, with what each attempt met.
    pub posts_since: Option<Timestamp>,
    /// Entries of the audit log.
    pub audit_since: Option<Timestamp>,
}

impl Store {
    /// Forgets what is kept no longer, the oldest first and at most `most` of each kind, so that
    /// nobody else waits for it. Returns how many that were; 0: nothing is left to be forgotten.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn prune(&self, kept: &Kept, most: u32) -> Result<u64, Error> {
        let ends = [
            (
                // Ids sort by time, so that the table is read from its old end.
                "DELETE FROM post WHERE id IN (SELECT id FROM post
                    WHERE id < $1 AND at < $2 AND state <> 'pending' ORDER BY id LIMIT $3)",
                kept.posts_since.map(|since| (Id::<Post>::new(since).to_string(), since)),
            ),
            (
                "DELETE FROM audit WHERE id IN (SELECT id FROM audit
                    WHERE id < $1 AND at < $2 ORDER BY id LIMIT $3)",
                kept.audit_since.map(|since| (Id::<AuditEntry>::new(since).to_string(), since)),
            ),
        ];
        let mut n_forgotten = 0;
        for (sql, end) in ends {
            let Some((end, since)) = end else { continue };
            let query = sqlx::query(sql).bind(end).bind(micros(since)).bind(i64::from(most));
            n_forgotten += query.execute(&self.writer).await?.rows_affected();
        }
        Ok(n_forgotten)
    }
}

use crate::{Error, Store, change::Writing, column::Columns};
use router::Slug;

/// A conversation of a team's queue that a teammate is given, by turns and as long as there is room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// The team.
    pub team: Slug,
    /// Who gets it.
    pub teammate: Slug,
    /// How many open conversations the teammate may hold, this one included; None: any number.
    pub capacity: Option<u32>,
}

impl Store {
    /// Returns to whom of a team a conversation of its queue was given last, on whatever node.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn last_assigned(&self, team: &Slug) -> Result<Option<Slug>, Error> {
        let query = sqlx::query("SELECT teammate FROM rota WHERE team = $1").bind(team.as_str());
        let row = query.fetch_optional(&self.reader).await?;
        row.map(|row| Columns(&row).slug("teammate")).transpose()
    }
}

/// Notes who was given a conversation, if there is room. Of two nodes that give the same teammate
/// something at the same moment, the later counts what the earlier gave: the account is locked
/// until the change is committed.
pub(crate) async fn take(writing: &mut Writing<'_>, share: &Share) -> Result<(), Error> {
    if let Some(capacity) = share.capacity {
        let lock = writing.dialect.choose(
            "SELECT teammate FROM account WHERE teammate = $1",
            "SELECT teammate FROM account WHERE teammate = $1 FOR NO KEY UPDATE",
        );
        let query = sqlx::query(lock).bind(share.teammate.as_str());
        query.fetch_optional(&mut *writing.connection).await?;
        let row = sqlx::query(
            "SELECT COUNT(*) AS n FROM conversation
             WHERE status = 'open' AND owner_teammate = $1 AND id <> $2",
        )
        .bind(share.teammate.as_str())
        .bind(writing.conversation.to_string())
        .fetch_one(&mut *writing.connection)
        .await?;
        if Columns(&row).number("n")? >= i64::from(capacity) {
            return Err(Error::Full);
        }
    }
    sqlx::query(
        "INSERT INTO rota (team, teammate) VALUES ($1, $2)
         ON CONFLICT (team) DO UPDATE SET teammate = excluded.teammate",
    )
    .bind(share.team.as_str())
    .bind(share.teammate.as_str())
    .execute(&mut *writing.connection)
    .await?;
    Ok(())
}

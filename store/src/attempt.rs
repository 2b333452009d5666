use crate::{
    Error, Id, Post, Store,
    column::{Columns, micros, plain},
};
use jiff::Timestamp;
use sqlx::{AnyConnection, AssertSqlSafe};
use std::collections::BTreeMap;

/// What destinations begin with whose attempts are kept one by one.
const WEBHOOK: &str = "webhook:";

/// Attempts of one post that are kept; earlier ones are forgotten.
const KEPT: u32 = 20;

/// An attempt to deliver a [`Post`] to a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Which one it was, from 1 on.
    pub number: u32,
    /// When it was begun.
    pub at: Timestamp,
    /// What it met, such as `HTTP 503`, without customer data; None: nothing is known of it, as when
    /// it is under way, or whoever made it died.
    pub result: Option<String>,
}

impl Store {
    /// Returns the last attempts of each post, at most 20, in their order. Posts to other
    /// destinations than webhooks have none.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn attempts(
        &self,
        posts: &[Id<Post>],
    ) -> Result<BTreeMap<Id<Post>, Vec<Attempt>>, Error> {
        let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
        if posts.is_empty() {
            return Ok(all);
        }
        let places: Vec<String> = (1..).zip(posts).map(|(n, _)| format!("${n}")).collect();
        let sql = format!(
            "SELECT * FROM attempt WHERE post IN ({}) ORDER BY post, number",
            places.join(", ")
        );
        // The text is of this file and counts; ids are bound.
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for post in posts {
            query = query.bind(post.to_string());
        }
        for row in query.fetch_all(&self.reader).await? {
            let columns = Columns(&row);
            let attempt = Attempt {
                number: columns.count("number")?,
                at: columns.time("at")?,
                result: columns.maybe_text("result")?,
            };
            all.entry(columns.id("post")?).or_default().push(attempt);
        }
        Ok(all)
    }
}

/// Notes that posts are handed out, and forgets attempts long before. Part of handing them out: a
/// commit of its own for each would keep them waiting.
pub(crate) async fn note(
    connection: &mut AnyConnection,
    posts: &[Post],
    now: Timestamp,
) -> Result<(), Error> {
    for post in posts.iter().filter(|post| post.destination.starts_with(WEBHOOK)) {
        sqlx::query(
            "INSERT INTO attempt (post, number, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        )
        .bind(post.id.to_string())
        .bind(i64::from(post.n_attempts))
        .bind(micros(now))
        .execute(&mut *connection)
        .await?;
        if post.n_attempts > KEPT {
            sqlx::query("DELETE FROM attempt WHERE post = $1 AND number <= $2")
                .bind(post.id.to_string())
                .bind(i64::from(post.n_attempts - KEPT))
                .execute(&mut *connection)
                .await?;
        }
    }
    Ok(())
}

/// Notes what an attempt met.
pub(crate) async fn met(
    connection: &mut AnyConnection,
    (post, number): (Id<Post>, i64),
    result: &str,
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE attempt SET result = $3 WHERE post = $1 AND number = $2 AND result IS NULL",
    )
    .bind(post.to_string())
    .bind(number)
    .bind(plain(result))
    .execute(connection)
    .await?;
    Ok(())
}

use crate::{
    Delivery, Error, Id, Page, Received, Record, Store, attempt, audit,
    change::Writing,
    column::{Columns, damaged, json, micros, plain},
    receive::note,
};
use jiff::Timestamp;
use serde_json::Value as Json;
use sqlx::{AnyConnection, AssertSqlSafe, any::AnyRow};

/// Something to send to another system: to a channel, or to a webhook.
#[derive(Debug, Clone, PartialEq)]
pub struct NewPost {
    /// Where it goes: the name of a channel, or `webhook:` and the webhook's slug.
    pub destination: String,
    /// What it is, such as `reply`, `note`, `assign` or the name of an event.
    pub kind: String,
    /// What is sent; its shape belongs to the destination.
    pub body: Json,
}

/// A [`NewPost`] on its way. Posts of one conversation to one destination go out in their order:
/// a later one waits until the earlier is sent, cancelled or has failed for good.
#[derive(Debug, Clone, PartialEq)]
pub struct Post {
    /// Its id, the same at every attempt.
    pub id: Id<Post>,
    /// The conversation that it belongs to.
    pub conversation: Id<Record>,
    /// Where it goes.
    pub destination: String,
    /// What it is.
    pub kind: String,
    /// What is sent.
    pub body: Json,
    /// How often it was handed out, this time included; from the second time on an earlier attempt
    /// may have arrived although nobody noted it.
    pub n_attempts: u32,
    /// How it stands.
    pub state: PostState,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it is tried next, or was settled.
    pub at: Timestamp,
    /// What the last attempt met, such as `HTTP 503`, without customer data.
    pub last_result: Option<String>,
}

/// How a [`Post`] stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostState {
    /// It is to be sent.
    Pending,
    /// It has arrived.
    Sent,
    /// It is not wanted any more.
    Cancelled,
    /// It was given up.
    Failed,
}

impl Store {
    /// Hands out at most `limit` posts that are due at `now`, the head of each line only, until
    /// `until`; whoever takes them settles each or lets its time run out. Posts to the destinations
    /// `without` stay where they are.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn posts_due(
        &self,
        (now, until): (Timestamp, Timestamp),
        limit: u32,
        without: &[String],
    ) -> Result<Vec<Post>, Error> {
        let others: String =
            (4..).zip(without).map(|(n, _)| format!(" AND destination <> ${n}")).collect();
        let lock = self.dialect.choose("", "FOR UPDATE SKIP LOCKED");
        let sql = format!(
            "WITH due AS MATERIALIZED (
                SELECT id FROM post WHERE head = 1 AND at <= $1{others} ORDER BY at LIMIT $3 {lock})
             UPDATE post SET n_attempts = n_attempts + 1, at = $2
             WHERE id IN (SELECT id FROM due) RETURNING *"
        );
        // What is asked for is bound; the text is of this file and counts.
        let query = sqlx::query(AssertSqlSafe(sql)).bind(micros(now)).bind(micros(until));
        let mut query = query.bind(i64::from(limit));
        for destination in without {
            query = query.bind(plain(destination));
        }
        let mut transaction = self.begin().await?;
        let rows = query.fetch_all(&mut *transaction).await?;
        let mut posts = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        attempt::note(&mut transaction, &posts, now).await?;
        transaction.commit().await?;
        posts.sort_by_key(|post| (post.created_at, post.id));
        Ok(posts)
    }

    /// Settles a post, or has a pending one tried again at `at`. One that is settled already stays
    /// as it is. `names` are the far side's for what it made of the post: they go into the ledger,
    /// so that what comes back from there is known.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub async fn settle_post(
        &self,
        id: Id<Post>,
        (state, at): (PostState, Timestamp),
        result: &str,
        names: &[String],
    ) -> Result<(), Error> {
        self.within(self.settle((id, None, None), (state, at), result, names)).await
    }

    /// Settles a post for whoever was handed it, as [`Store::settle_post`] does. Where it has been
    /// handed out to another one since, only its arrival counts.
    ///
    /// # Errors
    /// As [`Store::settle_post`].
    pub async fn settle_attempt(
        &self,
        post: &Post,
        (state, at): (PostState, Timestamp),
        result: &str,
        names: &[String],
    ) -> Result<(), Error> {
        let only = (state != PostState::Sent).then_some(post.n_attempts);
        let attempt = (post.id, Some(post.n_attempts), only);
        self.within(self.settle(attempt, (state, at), result, names)).await
    }

    async fn settle(
        &self,
        // Which attempt it was, where that is known, and the one that alone settles it.
        (id, attempt, only): (Id<Post>, Option<u32>, Option<u32>),
        (state, at): (PostState, Timestamp),
        result: &str,
        names: &[String],
    ) -> Result<(), Error> {
        let mut transaction = self.begin().await?;
        let query = sqlx::query(
            "SELECT conversation, destination, body, n_attempts FROM post WHERE id = $1",
        );
        let row = query.bind(id.to_string()).fetch_optional(&mut *transaction).await?;
        let row = row.ok_or(Error::NotFound("post"))?;
        let columns = Columns(&row);
        let line = (columns.text("conversation")?, columns.text("destination")?);
        let attempt = attempt.map_or(columns.number("n_attempts")?, i64::from);
        // Whoever adds to the line holds the conversation, too, so nobody is left without a head.
        let lock = self.dialect.choose(
            "SELECT id FROM conversation WHERE id = $1",
            "SELECT id FROM conversation WHERE id = $1 FOR UPDATE",
        );
        sqlx::query(lock).bind(&line.0).fetch_optional(&mut *transaction).await?;
        // The entry whose words it carries: who takes them away there, takes them away here.
        let body: Json = columns.json("body")?;
        let number = body.get("entry").and_then(Json::as_i64).unwrap_or(0);
        for name in names {
            let (channel, external_id) = (line.1.clone(), name.clone());
            let conversation = columns.id("conversation")?;
            let made = Received { conversation, number, repeated: false };
            note(&mut transaction, &Delivery { channel, external_id }, made, at).await?;
        }
        sqlx::query(
            "UPDATE post SET state = $2, at = $3, last_result = $4,
                head = CASE WHEN $2 = 'pending' THEN head ELSE 0 END
             WHERE id = $1 AND state = 'pending' AND (n_attempts = $5 OR $5 < 0)",
        )
        .bind(id.to_string())
        .bind(state.name())
        .bind(micros(at))
        .bind(plain(result))
        .bind(only.map_or(-1, i64::from))
        .execute(&mut *transaction)
        .await?;
        attempt::met(&mut transaction, (id, attempt), result).await?;
        advance(&mut transaction, &line).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Lists posts for a destination (all, when None), newest first.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn posts(&self, destination: Option<&str>, page: &Page) -> Result<Vec<Post>, Error> {
        let sql = match destination {
            None => "SELECT * FROM post WHERE id < $1 ORDER BY id DESC LIMIT $2",
            Some(_) => {
                "SELECT * FROM post WHERE id < $1 AND destination = $3 ORDER BY id DESC LIMIT $2"
            }
        };
        let mut query = sqlx::query(sql).bind(page.end()).bind(i64::from(page.limit));
        if let Some(destination) = destination {
            query = query.bind(plain(destination));
        }
        query.fetch_all(&self.reader).await?.iter().map(read).collect()
    }

    /// Returns a post.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub async fn post(&self, id: Id<Post>) -> Result<Post, Error> {
        let query = sqlx::query("SELECT * FROM post WHERE id = $1").bind(id.to_string());
        let row = query.fetch_optional(&self.reader).await?;
        row.as_ref().map(read).transpose()?.ok_or(Error::NotFound("post"))
    }

    /// Keeps a post for whoever was handed it until `until`; returns whether it still is theirs.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn hold_post(&self, post: &Post, until: Timestamp) -> Result<bool, Error> {
        let sql = "UPDATE post SET at = $2 WHERE id = $1 AND state = 'pending' AND n_attempts = $3";
        let query = sqlx::query(sql).bind(post.id.to_string()).bind(micros(until));
        let done = query.bind(i64::from(post.n_attempts)).execute(&self.writer).await?;
        Ok(done.rows_affected() == 1)
    }

    /// Moves a pending post to the end of its line, so that it holds nobody up. It stays where it is
    /// when a later one of the same kind, or a tag's opposite, must not come before it.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub async fn let_others_pass(&self, id: Id<Post>) -> Result<(), Error> {
        self.within(async {
            let mut transaction = self.begin().await?;
            let query = sqlx::query("SELECT * FROM post WHERE id = $1").bind(id.to_string());
            let row = query.fetch_optional(&mut *transaction).await?;
            let post = row.as_ref().map(read).transpose()?.ok_or(Error::NotFound("post"))?;
            let line = (post.conversation.to_string(), post.destination);
            // The conversation counts its posts; it is locked as whoever adds one does.
            let sql = "UPDATE conversation SET n_posts = n_posts + 1 WHERE id = $1 RETURNING n_posts";
            let row = sqlx::query(sql).bind(&line.0).fetch_one(&mut *transaction).await?;
            let last = Columns(&row).number("n_posts")?;
            sqlx::query(
                "UPDATE post SET number = $2, head = 0 WHERE id = $1 AND state = 'pending'
                    AND NOT EXISTS (SELECT 1 FROM post AS later
                        WHERE later.conversation = post.conversation
                            AND later.destination = post.destination AND later.state = 'pending'
                            AND later.number > post.number
                            AND replace(later.kind, 'untag', 'tag') = replace(post.kind, 'untag', 'tag'))",
            )
            .bind(id.to_string())
            .bind(last)
            .execute(&mut *transaction)
            .await?;
            advance(&mut transaction, &line).await?;
            transaction.commit().await?;
            Ok(())
        })
        .await
    }

    /// Lists the posts of a conversation that are to be sent, in their order.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn posts_pending(&self, conversation: Id<Record>) -> Result<Vec<Post>, Error> {
        let sql =
            "SELECT * FROM post WHERE conversation = $1 AND state = 'pending' ORDER BY number";
        let query = sqlx::query(sql).bind(conversation.to_string());
        query.fetch_all(&self.reader).await?.iter().map(read).collect()
    }

    /// Returns since when the oldest pending post has waited.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn oldest_post(&self) -> Result<Option<Timestamp>, Error> {
        let sql = "SELECT MIN(created_at) AS oldest FROM post WHERE state = 'pending'";
        let row = sqlx::query(sql).fetch_one(&self.reader).await?;
        Columns(&row).maybe_time("oldest")
    }
}

impl PostState {
    fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    fn read(name: &str) -> Result<Self, Error> {
        let all = [Self::Pending, Self::Sent, Self::Cancelled, Self::Failed];
        all.into_iter().find(|state| state.name() == name).ok_or_else(|| damaged("state"))
    }
}

fn read(row: &AnyRow) -> Result<Post, Error> {
    let columns = Columns(row);
    Ok(Post {
        id: columns.id("id")?,
        conversation: columns.id("conversation")?,
        destination: columns.text("destination")?,
        kind: columns.text("kind")?,
        body: columns.json("body")?,
        n_attempts: columns.count("n_attempts")?,
        state: PostState::read(&columns.text("state")?)?,
        created_at: columns.time("created_at")?,
        at: columns.time("at")?,
        last_result: columns.maybe_text("last_result")?,
    })
}

/// Makes the first pending post of a line its head; one that is it already stays so.
pub(crate) async fn advance(
    connection: &mut AnyConnection,
    (conversation, destination): &(String, String),
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE post SET head = 1 WHERE head = 0 AND id = (
            SELECT id FROM post
            WHERE conversation = $1 AND destination = $2 AND state = 'pending'
            ORDER BY number LIMIT 1)",
    )
    .bind(conversation)
    .bind(destination)
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes a post at the end of its line.
pub(crate) async fn insert(
    writing: &mut Writing<'_>,
    number: i64,
    new: &NewPost,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO post (id, conversation, number, destination, kind, body, head, created_at, at)
         VALUES ($1, $2, $3, $4, $5, $6,
            CASE WHEN EXISTS (
                SELECT 1 FROM post
                WHERE conversation = $2 AND destination = $4 AND state = 'pending'
            ) THEN 0 ELSE 1 END,
            $7, $7)",
    )
    .bind(Id::<Post>::new(audit::nth(writing.now, number)).to_string())
    .bind(writing.conversation.to_string())
    .bind(number)
    .bind(plain(&new.destination))
    .bind(plain(&new.kind))
    .bind(json(&new.body))
    .bind(micros(writing.now))
    .execute(&mut *writing.connection)
    .await?;
    Ok(())
}

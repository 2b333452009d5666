use crate::{
    Customer, Error, Id, Record, Store,
    change::Writing,
    column::{Columns, damaged, json, maybe_micros, micros, plain},
};
use jiff::{SignedDuration, Timestamp};
use sqlx::{AnyConnection, any::AnyRow};

/// How often a request is noted anew whose predecessor is forgotten at the same moment.
const ATTEMPTS: u32 = 3;

/// How long a request is worked on at most.
const WORKED_ON: SignedDuration = SignedDuration::from_mins(5);

/// How exactly it is known when a token was last used; finer would write at every request.
const USE_NOTED: SignedDuration = SignedDuration::from_mins(1);

/// What lets a program use the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// Id.
    pub id: Id<ApiToken>,
    /// How people call it; unique among those that are not revoked.
    pub name: String,
    /// SHA-256 of the token, in hexadecimal; the token itself is kept nowhere.
    pub hash: String,
    /// What it may be used for.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, to the minute or so.
    pub used_at: Option<Timestamp>,
    /// When it was withdrawn.
    pub revoked_at: Option<Timestamp>,
}

/// A request of a program that can be told from its repetition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyedRequest {
    /// Whose.
    pub token: Id<ApiToken>,
    /// Its idempotency key.
    pub key: String,
}

/// What is known of a request with an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotent {
    /// SHA-256 of method, path and body of the request, in hexadecimal.
    pub request_hash: String,
    /// Status and body of the answer; None while the first request is worked on.
    pub answer: Option<(u16, String)>,
    /// What it brought about, as far as it has by now.
    pub effect: Option<Effect>,
}

/// What a request brought about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It changed a conversation.
    Changed(Id<Record>),
    /// It opened a customer.
    Opened(Id<Customer>),
}

impl Store {
    /// Keeps a new token.
    ///
    /// # Errors
    /// [`Error::Taken`], [`Error::Database`].
    pub async fn keep_token(&self, token: &ApiToken) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO api_token (id, name, hash, scopes, created_at, used_at, revoked_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(token.id.to_string())
        .bind(plain(&token.name))
        .bind(plain(&token.hash))
        .bind(json(&token.scopes))
        .bind(micros(token.created_at))
        .bind(maybe_micros(token.used_at))
        .bind(maybe_micros(token.revoked_at))
        .execute(&self.writer)
        .await
        .map_err(Error::taken("token"))?;
        Ok(())
    }

    /// Returns the token with a hash that is not revoked, and notes that it was used.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn use_token(&self, hash: &str, now: Timestamp) -> Result<Option<ApiToken>, Error> {
        let sql = "SELECT * FROM api_token WHERE hash = $1 AND revoked_at IS NULL";
        let row = sqlx::query(sql).bind(plain(hash)).fetch_optional(&self.reader).await?;
        let Some(token) = row.as_ref().map(read).transpose()? else { return Ok(None) };
        if token.used_at.is_none_or(|used_at| now.duration_since(used_at) >= USE_NOTED) {
            sqlx::query("UPDATE api_token SET used_at = $2 WHERE id = $1")
                .bind(token.id.to_string())
                .bind(micros(now))
                .execute(&self.writer)
                .await?;
            return Ok(Some(ApiToken { used_at: Some(now), ..token }));
        }
        Ok(Some(token))
    }

    /// Lists all tokens, newest first.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn tokens(&self) -> Result<Vec<ApiToken>, Error> {
        let sql = "SELECT * FROM api_token ORDER BY id DESC";
        sqlx::query(sql).fetch_all(&self.reader).await?.iter().map(read).collect()
    }

    /// Withdraws a token; the first time counts.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub async fn revoke_token(&self, id: Id<ApiToken>, now: Timestamp) -> Result<(), Error> {
        let done =
            sqlx::query("UPDATE api_token SET revoked_at = COALESCE(revoked_at, $2) WHERE id = $1")
                .bind(id.to_string())
                .bind(micros(now))
                .execute(&self.writer)
                .await?;
        if done.rows_affected() == 0 { Err(Error::NotFound("token")) } else { Ok(()) }
    }

    /// Notes a request with an idempotency key. None: it is the first one with this key, or the
    /// first since `since`, and the caller goes on; otherwise what is known of the earlier one.
    /// Requests before `since` are forgotten, and those that were not answered for five minutes and
    /// have changed nothing: whoever worked on them has died.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn begin_request(
        &self,
        (token, key): (Id<ApiToken>, &str),
        request_hash: &str,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Idempotent>, Error> {
        self.within(async {
            for _ in 0..ATTEMPTS {
                let mut transaction = self.begin().await?;
                let died = now.saturating_sub(WORKED_ON).unwrap_or(Timestamp::MIN);
                let old = sqlx::query(
                    "DELETE FROM request
                     WHERE created_at < $1
                        OR (status IS NULL AND effect IS NULL AND customer IS NULL
                            AND created_at < $2)",
                );
                let old = old.bind(micros(since)).bind(micros(died));
                old.execute(&mut *transaction).await?;
                let done = sqlx::query(
                    "INSERT INTO request (token, key, request_hash, created_at)
                     VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
                )
                .bind(token.to_string())
                .bind(plain(key))
                .bind(plain(request_hash))
                .bind(micros(now))
                .execute(&mut *transaction)
                .await
                .map_err(Error::missing("token"))?;
                if done.rows_affected() == 1 {
                    transaction.commit().await?;
                    return Ok(None);
                }
                let query = sqlx::query("SELECT * FROM request WHERE token = $1 AND key = $2");
                let query = query.bind(token.to_string()).bind(plain(key));
                let row = query.fetch_optional(&mut *transaction).await?;
                transaction.commit().await?;
                if let Some(row) = row {
                    return read_request(&row).map(Some);
                }
            }
            Err(Error::NotFound("request"))
        })
        .await
    }

    /// Keeps the answer of a request; None forgets the request, so that it can be made again, unless
    /// it has changed something.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn end_request(
        &self,
        (token, key): (Id<ApiToken>, &str),
        answer: Option<(u16, &str)>,
    ) -> Result<(), Error> {
        let sql = match answer {
            None => {
                "DELETE FROM request
                 WHERE token = $1 AND key = $2 AND effect IS NULL AND customer IS NULL"
            }
            Some(_) => "UPDATE request SET status = $3, body = $4 WHERE token = $1 AND key = $2",
        };
        let mut query = sqlx::query(sql).bind(token.to_string()).bind(plain(key));
        if let Some((status, body)) = answer {
            query = query.bind(i64::from(status)).bind(plain(body));
        }
        query.execute(&self.writer).await?;
        Ok(())
    }
}

fn read(row: &AnyRow) -> Result<ApiToken, Error> {
    let columns = Columns(row);
    Ok(ApiToken {
        id: columns.id("id")?,
        name: columns.text("name")?,
        hash: columns.text("hash")?,
        scopes: columns.json("scopes")?,
        created_at: columns.time("created_at")?,
        used_at: columns.maybe_time("used_at")?,
        revoked_at: columns.maybe_time("revoked_at")?,
    })
}

fn read_request(row: &AnyRow) -> Result<Idempotent, Error> {
    let columns = Columns(row);
    let answer = match (columns.maybe_number("status")?, columns.maybe_text("body")?) {
        (Some(status), Some(body)) => {
            Some((u16::try_from(status).map_err(|_| damaged("status"))?, body))
        }
        _ => None,
    };
    let changed = columns.maybe_id("effect")?.map(Effect::Changed);
    let opened = columns.maybe_id("customer")?.map(Effect::Opened);
    Ok(Idempotent {
        request_hash: columns.text("request_hash")?,
        answer,
        effect: changed.or(opened),
    })
}

/// Notes whom a request opens; one that has brought something about already is refused.
pub(crate) async fn note_opened(
    connection: &mut AnyConnection,
    request: &KeyedRequest,
    customer: Id<Customer>,
) -> Result<(), Error> {
    let done = sqlx::query(
        "UPDATE request SET customer = $3
         WHERE token = $1 AND key = $2 AND effect IS NULL AND customer IS NULL",
    )
    .bind(request.token.to_string())
    .bind(plain(&request.key))
    .bind(customer.to_string())
    .execute(connection)
    .await?;
    if done.rows_affected() == 0 { Err(Error::LeaseLost) } else { Ok(()) }
}

/// Notes what a request brings about.
pub(crate) async fn note_effect(
    writing: &mut Writing<'_>,
    request: &KeyedRequest,
) -> Result<(), Error> {
    let done = sqlx::query(
        "UPDATE request SET effect = $3 WHERE token = $1 AND key = $2 AND effect IS NULL",
    )
    .bind(request.token.to_string())
    .bind(plain(&request.key))
    .bind(writing.conversation.to_string())
    .execute(&mut *writing.connection)
    .await?;
    if done.rows_affected() == 0 { Err(Error::LeaseLost) } else { Ok(()) }
}

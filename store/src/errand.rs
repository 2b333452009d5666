use crate::{
    Error, Id, Store,
    column::{Columns, micros, plain},
};
use jiff::Timestamp;
use sqlx::{Any, Transaction};

/// Something that another system told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The channel.
    pub channel: String,
    /// How the channel names the telling, where it does; the same one counts once.
    pub external_id: Option<String>,
    /// What it is about, in the channel's words.
    pub topic: String,
    /// What has to be looked at again because of it, such as `conversation:524`; None: nothing.
    pub subject: Option<String>,
}

/// Something of another system that is to be looked at, until `lease` runs out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Errand {
    /// The channel.
    pub channel: String,
    /// What is to be looked at.
    pub subject: String,
    /// What was noted at the end of the last run.
    pub memo: Option<String>,
    /// Runs since it was last done, this one included.
    pub n_attempts: u32,
    token: String,
    n_asked: i64,
}

/// How a run of an [`Errand`] ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// Done, until it is asked for again.
    Done,
    /// Done, and due again at a time; what is to be remembered until then.
    Again(Timestamp, Option<String>),
    /// Not done; to be tried again at a time. The text says why, without customer data.
    Failed(Timestamp, String),
    /// It never will be; the text says why.
    GivenUp(String),
}

impl Store {
    /// Notes what another system told and has its subject looked at, once for each external id, in
    /// one transaction. Returns whether it was new.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn keep_notice(&self, notice: &Notice, now: Timestamp) -> Result<bool, Error> {
        self.within(async {
            let mut transaction = self.begin().await?;
            if let Some(external_id) = &notice.external_id {
                let done = sqlx::query(
                    "INSERT INTO notice (channel, external_id, topic, at) VALUES ($1, $2, $3, $4)
                     ON CONFLICT DO NOTHING",
                )
                .bind(plain(&notice.channel))
                .bind(plain(external_id))
                .bind(plain(&notice.topic))
                .bind(micros(now))
                .execute(&mut *transaction)
                .await?;
                if done.rows_affected() == 0 {
                    transaction.rollback().await?;
                    return Ok(false);
                }
            }
            if let Some(subject) = &notice.subject {
                ask(&mut transaction, (&notice.channel, subject), now).await?;
            }
            transaction.commit().await?;
            Ok(true)
        })
        .await
    }

    /// Has something of another system looked at, from `due_at` on.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn ask_for(
        &self,
        channel: &str,
        subject: &str,
        due_at: Timestamp,
    ) -> Result<(), Error> {
        self.within(async {
            let mut transaction = self.begin().await?;
            ask(&mut transaction, (channel, subject), due_at).await?;
            Ok(transaction.commit().await?)
        })
        .await
    }

    /// Hands out the errand that has been due longest and that nobody runs, until `until`. Two
    /// callers, on whatever node, never run the same one at the same time; one whose runner has
    /// died is handed out again.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn errand(&self, now: Timestamp, until: Timestamp) -> Result<Option<Errand>, Error> {
        let sql = self.dialect.choose(
            "WITH due AS MATERIALIZED (
                SELECT channel, subject FROM errand
                WHERE due_at <= $1 AND (lease_until IS NULL OR lease_until <= $1)
                ORDER BY due_at, subject LIMIT 1)
             UPDATE errand SET lease_token = $2, lease_until = $3, n_attempts = n_attempts + 1
             WHERE (channel, subject) IN (SELECT channel, subject FROM due) RETURNING *",
            "WITH due AS MATERIALIZED (
                SELECT channel, subject FROM errand
                WHERE due_at <= $1 AND (lease_until IS NULL OR lease_until <= $1)
                ORDER BY due_at, subject LIMIT 1 FOR UPDATE SKIP LOCKED)
             UPDATE errand SET lease_token = $2, lease_until = $3, n_attempts = n_attempts + 1
             WHERE (channel, subject) IN (SELECT channel, subject FROM due) RETURNING *",
        );
        let token = Id::<Errand>::new(now).to_string();
        let query = sqlx::query(sql).bind(micros(now)).bind(&token).bind(micros(until));
        let rows = query.fetch_all(&self.writer).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let columns = Columns(row);
        Ok(Some(Errand {
            channel: columns.text("channel")?,
            subject: columns.text("subject")?,
            memo: columns.maybe_text("memo")?,
            n_attempts: columns.count("n_attempts")?,
            n_asked: columns.number("n_asked")?,
            token,
        }))
    }

    /// Keeps an errand for its runner until `until`; returns whether it still is the runner's.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn hold_errand(&self, errand: &Errand, until: Timestamp) -> Result<bool, Error> {
        let sql = "UPDATE errand SET lease_until = $4
             WHERE channel = $1 AND subject = $2 AND lease_token = $3";
        let query = sqlx::query(sql).bind(plain(&errand.channel)).bind(plain(&errand.subject));
        let done = query.bind(&errand.token).bind(micros(until)).execute(&self.writer).await?;
        Ok(done.rows_affected() == 1)
    }

    /// Whether something of another system was ever to be looked at.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn was_asked_for(&self, channel: &str, subject: &str) -> Result<bool, Error> {
        let sql = "SELECT channel FROM errand WHERE channel = $1 AND subject = $2";
        let query = sqlx::query(sql).bind(plain(channel)).bind(plain(subject));
        Ok(query.fetch_optional(&self.reader).await?.is_some())
    }

    /// Returns what was noted at the end of the last run of an errand.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn errand_memo(&self, channel: &str, subject: &str) -> Result<Option<String>, Error> {
        let sql = "SELECT memo FROM errand WHERE channel = $1 AND subject = $2";
        let query = sqlx::query(sql).bind(plain(channel)).bind(plain(subject));
        let row = query.fetch_optional(&self.reader).await?;
        Ok(row.map(|row| Columns(&row).maybe_text("memo")).transpose()?.flatten())
    }

    /// Notes how a run ended. What was asked for while it ran is due again at once; a run whose
    /// lease has passed to another one changes nothing.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn end_errand(
        &self,
        errand: &Errand,
        ended: &Ended,
        now: Timestamp,
    ) -> Result<(), Error> {
        let (due_at, memo, n_attempts, result) = match ended {
            Ended::Done => (None, &errand.memo, 0, "done"),
            Ended::Again(at, memo) => (Some(*at), memo, 0, "done"),
            Ended::Failed(at, why) => {
                (Some(*at), &errand.memo, i64::from(errand.n_attempts), why.as_str())
            }
            Ended::GivenUp(why) => (None, &errand.memo, 0, why.as_str()),
        };
        sqlx::query(
            "UPDATE errand SET lease_token = NULL, lease_until = NULL, memo = $4,
                n_attempts = $5, last_result = $6,
                due_at = CASE WHEN n_asked > $7 THEN $8 ELSE $9 END
             WHERE channel = $1 AND subject = $2 AND lease_token = $3",
        )
        .bind(plain(&errand.channel))
        .bind(plain(&errand.subject))
        .bind(&errand.token)
        .bind(memo.as_deref().map(plain))
        .bind(n_attempts)
        .bind(plain(result))
        .bind(errand.n_asked)
        .bind(micros(now))
        .bind(due_at.map(micros))
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// Takes one call out of a budget that all nodes share, where more than the share `reserve` of
    /// it (0 to 1) is left; otherwise the end of the present stretch of time is returned. A stretch
    /// begins with the first call and takes `window_ms`, with `most` calls, until
    /// [`Store::correct_budget`] tells better.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn spend(
        &self,
        (name, reserve): (&str, f64),
        (most, window_ms): (u32, u32),
        now: Timestamp,
    ) -> Result<Result<(), Timestamp>, Error> {
        let ends_at = micros(now).saturating_add(i64::from(window_ms) * 1_000);
        let rows = sqlx::query(
            "INSERT INTO budget (name, most, n_left, ends_at) VALUES ($1, $2, $2 - 1, $3)
             ON CONFLICT (name) DO UPDATE SET
                n_left = CASE WHEN budget.ends_at <= $4 THEN budget.most - 1
                    ELSE budget.n_left - 1 END,
                ends_at = CASE WHEN budget.ends_at <= $4 THEN $3 ELSE budget.ends_at END
             WHERE budget.ends_at <= $4 OR (budget.n_left > 0 AND budget.n_left > budget.most * $5)
             RETURNING n_left",
        )
        .bind(plain(name))
        .bind(i64::from(most))
        .bind(ends_at)
        .bind(micros(now))
        .bind(reserve)
        .fetch_all(&self.writer)
        .await?;
        if !rows.is_empty() {
            return Ok(Ok(()));
        }
        let query = sqlx::query("SELECT ends_at FROM budget WHERE name = $1").bind(plain(name));
        let row = query.fetch_one(&self.reader).await?;
        Ok(Err(Columns(&row).time("ends_at")?))
    }

    /// Takes over what the other system says of a budget: how many calls a stretch of time has,
    /// how many are left, and when it ends. What was taken meanwhile is not given back, and what is
    /// told of a stretch that is over by `now` changes nothing. One that was begun here without the
    /// other system's word ends as soon as that says.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn correct_budget(
        &self,
        name: &str,
        (most, n_left, window_ms): (u32, u32, u32),
        ends_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), Error> {
        if ends_at <= now {
            return Ok(());
        }
        // Ends that lie apart by less than half a stretch are ends of the same one. In that, what was
        // taken stays taken, also where there is more to take than was thought.
        sqlx::query(
            "INSERT INTO budget (name, most, n_left, ends_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (name) DO UPDATE SET most = $2, ends_at = $4,
                n_left = CASE WHEN $4 - budget.ends_at >= $5
                        OR budget.n_left + $2 - budget.most >= $3 THEN $3
                    WHEN budget.n_left + $2 < budget.most THEN 0
                    ELSE budget.n_left + $2 - budget.most END",
        )
        .bind(plain(name))
        .bind(i64::from(most))
        .bind(i64::from(n_left))
        .bind(micros(ends_at))
        .bind(i64::from(window_ms) * 500)
        .execute(&self.writer)
        .await?;
        Ok(())
    }
}

async fn ask(
    transaction: &mut Transaction<'_, Any>,
    (channel, subject): (&str, &str),
    due_at: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO errand (channel, subject, due_at) VALUES ($1, $2, $3)
         ON CONFLICT (channel, subject) DO UPDATE SET n_asked = errand.n_asked + 1,
            due_at = CASE WHEN errand.due_at IS NULL OR errand.due_at > $3 THEN $3
                ELSE errand.due_at END",
    )
    .bind(plain(channel))
    .bind(plain(subject))
    .bind(micros(due_at))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

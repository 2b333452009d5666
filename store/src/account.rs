use crate::{
    Error, Store,
    column::{Columns, damaged, micros, plain},
};
use jiff::{SignedDuration, Timestamp};
use router::{Presence, Slug};
use sqlx::{
    Any,
    any::{AnyArguments, AnyRow},
    query::Query,
};
use std::collections::BTreeMap;

/// How long what another system told is known again. Intercom repeats for hours at most.
const NOTICES_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A teammate who may sign in. The slug is the one that teams name in `routing.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Who.
    pub teammate: Slug,
    /// How people call the teammate.
    pub name: String,
    /// Address to sign in with, in lower case, unique.
    pub email: String,
    /// Salted hash of the password, in the PHC string format.
    pub password_hash: String,
    /// What the teammate may do.
    pub role: Role,
    /// Whether the teammate takes no new conversations at present, by their own choice.
    pub away: bool,
    /// When the teammate's inbox was last open.
    pub seen_at: Option<Timestamp>,
    /// Whether the account is closed.
    pub disabled: bool,
}

/// An [`Account`] to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// Who.
    pub teammate: Slug,
    /// How people call the teammate.
    pub name: String,
    /// Address to sign in with.
    pub email: String,
    /// Salted hash of the password, in the PHC string format.
    pub password_hash: String,
    /// What the teammate may do.
    pub role: Role,
}

/// What a teammate may do; each may what the one before may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Works on conversations.
    Teammate,
    /// Sees the audit log and every team's numbers, and judges answers.
    Lead,
    /// Manages accounts, tokens and webhooks.
    Admin,
}

/// A browser in which a teammate has signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of the token that the browser holds, in hexadecimal.
    pub token_hash: String,
    /// Who.
    pub teammate: Slug,
    /// Proves that a form came from the desk's own page.
    pub csrf: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Store {
    /// Opens an account.
    ///
    /// # Errors
    /// [`Error::Taken`] when slug or address are, [`Error::Database`].
    pub async fn open_account(&self, account: &NewAccount, now: Timestamp) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO account (teammate, name, email, password_hash, role, created_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(account.teammate.as_str())
        .bind(plain(&account.name))
        .bind(address(&account.email))
        .bind(plain(&account.password_hash))
        .bind(account.role.name())
        .bind(micros(now))
        .execute(&self.writer)
        .await
        .map_err(Error::taken("teammate"))?;
        Ok(())
    }

    /// Names a teammate anew.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub async fn rename(&self, teammate: &Slug, name: &str) -> Result<(), Error> {
        let query = sqlx::query("UPDATE account SET name = $2 WHERE teammate = $1");
        self.alter(query.bind(teammate.as_str()).bind(plain(name))).await
    }

    /// Gives a teammate another role, and ends all their sessions with it.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub async fn set_role(&self, teammate: &Slug, role: Role) -> Result<(), Error> {
        let query = sqlx::query("UPDATE account SET role = $2 WHERE teammate = $1");
        self.alter_and_end(teammate, query.bind(teammate.as_str()).bind(role.name())).await
    }

    /// Closes an account, or opens it again; its sessions end with it.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub async fn set_disabled(&self, teammate: &Slug, disabled: bool) -> Result<(), Error> {
        let query = sqlx::query("UPDATE account SET disabled = $2 WHERE teammate = $1");
        self.alter_and_end(teammate, query.bind(teammate.as_str()).bind(i64::from(disabled))).await
    }

    /// Takes a teammate out of assignment by their own choice, or back in.
    ///
    /// # Errors
    /// [`Error::NotFound`], also when the account is closed, [`Error::Database`].
    pub async fn set_away(&self, teammate: &Slug, away: bool) -> Result<(), Error> {
        let sql = "UPDATE account SET away = $2 WHERE teammate = $1 AND disabled = 0";
        self.alter(sqlx::query(sql).bind(teammate.as_str()).bind(i64::from(away))).await
    }

    /// Gives a teammate another password, whatever the present one is, and ends all their sessions
    /// with it.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub async fn reset_password(&self, teammate: &Slug, hash: &str) -> Result<(), Error> {
        let query = sqlx::query("UPDATE account SET password_hash = $2 WHERE teammate = $1");
        self.alter_and_end(teammate, query.bind(teammate.as_str()).bind(plain(hash))).await
    }

    /// Changes the password whose hash is `from` to the one whose hash is `to`, and ends all sessions
    /// of the teammate with it.
    ///
    /// # Errors
    /// [`Error::NotFound`] also when the account is closed or has another password by now,
    /// [`Error::Database`].
    pub async fn change_password(
        &self,
        teammate: &Slug,
        from: &str,
        to: &str,
    ) -> Result<(), Error> {
        let query = sqlx::query(
            "UPDATE account SET password_hash = $3
             WHERE teammate = $1 AND password_hash = $2 AND disabled = 0",
        );
        let query = query.bind(teammate.as_str()).bind(plain(from)).bind(plain(to));
        self.alter_and_end(teammate, query).await
    }

    /// Alters an account and ends its sessions, both or neither.
    async fn alter_and_end(
        &self,
        teammate: &Slug,
        query: Query<'_, Any, AnyArguments>,
    ) -> Result<(), Error> {
        let mut transaction = self.begin().await?;
        let done = query.execute(&mut *transaction).await?;
        if done.rows_affected() == 0 {
            return Err(Error::NotFound("teammate"));
        }
        let sessions = sqlx::query("DELETE FROM session WHERE teammate = $1");
        sessions.bind(teammate.as_str()).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn alter(&self, query: Query<'_, Any, AnyArguments>) -> Result<(), Error> {
        let done = query.execute(&self.writer).await?;
        if done.rows_affected() == 0 { Err(Error::NotFound("teammate")) } else { Ok(()) }
    }

    /// Lists all accounts by name.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn accounts(&self) -> Result<Vec<Account>, Error> {
        let rows = sqlx::query("SELECT * FROM account").fetch_all(&self.reader).await?;
        let mut accounts = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        accounts
            .sort_by_cached_key(|account| (account.name.to_lowercase(), account.teammate.clone()));
        Ok(accounts)
    }

    /// Returns the account of a teammate.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn account(&self, teammate: &Slug) -> Result<Option<Account>, Error> {
        let query = sqlx::query("SELECT * FROM account WHERE teammate = $1");
        let row = query.bind(teammate.as_str()).fetch_optional(&self.reader).await?;
        row.as_ref().map(read).transpose()
    }

    /// Returns the account of an address, whatever its case.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn account_at(&self, email: &str) -> Result<Option<Account>, Error> {
        let query = sqlx::query("SELECT * FROM account WHERE email = $1");
        let row = query.bind(address(email)).fetch_optional(&self.reader).await?;
        row.as_ref().map(read).transpose()
    }

    /// Notes that a teammate's inbox is open.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn see(&self, teammate: &Slug, now: Timestamp) -> Result<(), Error> {
        sqlx::query("UPDATE account SET seen_at = $2 WHERE teammate = $1")
            .bind(teammate.as_str())
            .bind(micros(now))
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// Tells of every teammate with an account whether they are available, which takes an inbox
    /// that was open since `seen_since` and not being away, and how many open conversations they
    /// hold.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn roster(&self, seen_since: Timestamp) -> Result<BTreeMap<Slug, Presence>, Error> {
        let rows = sqlx::query(
            "SELECT a.teammate, a.away, a.disabled, a.seen_at, (
                SELECT COUNT(*) FROM conversation c
                WHERE c.status = 'open' AND c.owner_teammate = a.teammate) AS n_open
             FROM account a",
        )
        .fetch_all(&self.reader)
        .await?;
        let mut roster = BTreeMap::new();
        for row in &rows {
            let columns = Columns(row);
            let present =
                columns.maybe_number("seen_at")?.is_some_and(|at| at >= micros(seen_since));
            let available = present && !columns.truth("away")? && !columns.truth("disabled")?;
            let n_open = columns.count("n_open")?;
            roster.insert(columns.slug("teammate")?, Presence { available, n_open });
        }
        Ok(roster)
    }

    /// Keeps a session of a teammate who has proven the password that `password_hash` was made of.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such teammate, or by now the account is closed or has
    /// another password; [`Error::Database`].
    pub async fn open_session(&self, session: &Session, password_hash: &str) -> Result<(), Error> {
        let query = sqlx::query(
            "INSERT INTO session (token_hash, teammate, csrf, expires_at)
             SELECT $2, teammate, $3, $4 FROM account
             WHERE teammate = $1 AND password_hash = $5 AND disabled = 0",
        )
        .bind(session.teammate.as_str())
        .bind(&session.token_hash)
        .bind(&session.csrf)
        .bind(micros(session.expires_at))
        .bind(plain(password_hash));
        self.alter(query).await
    }

    /// Returns the session of a token that has not ended, with its account, unless that is
    /// disabled.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn session(
        &self,
        token_hash: &str,
        now: Timestamp,
    ) -> Result<Option<(Session, Account)>, Error> {
        let row = sqlx::query(
            "SELECT s.token_hash, s.csrf, s.expires_at, a.* FROM session s
             JOIN account a ON a.teammate = s.teammate
             WHERE s.token_hash = $1 AND s.expires_at > $2 AND a.disabled = 0",
        )
        .bind(plain(token_hash))
        .bind(micros(now))
        .fetch_optional(&self.reader)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let (columns, account) = (Columns(&row), read(&row)?);
        let session = Session {
            token_hash: columns.text("token_hash")?,
            teammate: account.teammate.clone(),
            csrf: columns.text("csrf")?,
            expires_at: columns.time("expires_at")?,
        };
        Ok(Some((session, account)))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn end_session(&self, token_hash: &str) -> Result<(), Error> {
        let query = sqlx::query("DELETE FROM session WHERE token_hash = $1");
        query.bind(plain(token_hash)).execute(&self.writer).await?;
        Ok(())
    }

    /// Forgets sessions and visits that have ended, and notices so old that nobody repeats them.
    /// They serve nobody in any case; this keeps them from filling the database.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn sweep(&self, now: Timestamp) -> Result<(), Error> {
        for sql in [
            "DELETE FROM session WHERE expires_at <= $1",
            "DELETE FROM visit WHERE expires_at <= $1",
        ] {
            sqlx::query(sql).bind(micros(now)).execute(&self.writer).await?;
        }
        let known_for = now.saturating_sub(NOTICES_KEPT).unwrap_or(Timestamp::MIN);
        let query = sqlx::query("DELETE FROM notice WHERE at <= $1").bind(micros(known_for));
        query.execute(&self.writer).await?;
        Ok(())
    }
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Teammate => "teammate",
            Self::Lead => "lead",
            Self::Admin => "admin",
        }
    }

    fn read(name: &str) -> Result<Self, Error> {
        let all = [Self::Teammate, Self::Lead, Self::Admin];
        all.into_iter().find(|role| role.name() == name).ok_or_else(|| damaged("role"))
    }
}

fn address(email: &str) -> String {
    plain(email).trim().to_lowercase()
}

fn read(row: &AnyRow) -> Result<Account, Error> {
    let columns = Columns(row);
    Ok(Account {
        teammate: columns.slug("teammate")?,
        name: columns.text("name")?,
        email: columns.text("email")?,
        password_hash: columns.text("password_hash")?,
        role: Role::read(&columns.text("role")?)?,
        away: columns.truth("away")?,
        seen_at: columns.maybe_time("seen_at")?,
        disabled: columns.truth("disabled")?,
    })
}

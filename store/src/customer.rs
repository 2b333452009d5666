use crate::{
    Error, Id, KeyedRequest, Page, Record, Store,
    column::{Columns, json, maybe_plain, micros, plain},
    open::Dialect,
    record, token,
};
use jiff::Timestamp;
use serde_json::{Map, Value as Json};
use sqlx::{AnyConnection, any::AnyRow};

/// How often a customer is kept anew whose rival is erased at the same moment.
const ATTEMPTS: u32 = 3;

/// A person who asks.
#[derive(Debug, Clone, PartialEq)]
pub struct Customer {
    /// Id.
    pub id: Id<Customer>,
    /// Who the desk's own systems, or the channel, say it is; None: a visitor nobody knows.
    pub identity: Option<Identity>,
    /// Name, as far as it is known.
    pub name: Option<String>,
    /// E-mail address, as far as it is known.
    pub email: Option<String>,
    /// Locale that the customer reads, such as `de-AT`.
    pub locale: Option<String>,
    /// Attributes such as `tier`; those of the company stand under `company`.
    pub attributes: Map<String, Json>,
    /// When the customer first came.
    pub created_at: Timestamp,
    /// When the customer was last seen.
    pub seen_at: Timestamp,
}

/// Proven by a signature or told by a channel; never by the browser alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Who says so: `desk` for the desk's own site, or the name of a channel.
    pub realm: String,
    /// How the realm names the customer.
    pub external_id: String,
}

/// A browser that was let in as a customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Visit {
    /// SHA-256 of the token that the browser holds, in hexadecimal.
    pub token_hash: String,
    /// Who it is.
    pub customer: Id<Customer>,
    /// Whether the identity was proven, which opens the customer's earlier conversations.
    pub verified: bool,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Store {
    /// Keeps a new customer. An identity has one customer: when another has it already, also since a
    /// moment ago, that one stays as it is and comes back.
    ///
    /// # Errors
    /// [`Error::NotFound`] when another customer has the id, [`Error::Database`].
    pub async fn keep_customer(&self, customer: &Customer) -> Result<Customer, Error> {
        self.within(async {
            for _ in 0..ATTEMPTS {
                let mut connection = self.writer.acquire().await?;
                if keep(&mut connection, customer).await? {
                    return Ok(customer.clone());
                }
                drop(connection);
                let Some(identity) = &customer.identity else { continue };
                if let Some(earlier) = self.customer_named(identity).await? {
                    return Ok(earlier);
                }
            }
            Err(Error::NotFound("customer"))
        })
        .await
    }

    /// Keeps a new customer whom nobody names, and notes with it the request that opens it: whoever
    /// repeats the request can find that it is done.
    ///
    /// # Errors
    /// [`Error::LeaseLost`] when the request has opened one already, or nobody works on it any more;
    /// [`Error::NotFound`] when another customer has the id; [`Error::Database`].
    pub async fn open_customer(
        &self,
        customer: &Customer,
        request: &KeyedRequest,
    ) -> Result<(), Error> {
        self.within(async {
            let mut transaction = self.begin().await?;
            if !keep(&mut transaction, customer).await? {
                return Err(Error::NotFound("customer"));
            }
            token::note_opened(&mut transaction, request, customer.id).await?;
            Ok(transaction.commit().await?)
        })
        .await
    }

    /// Alters what is known of a customer and when it was last seen, and returns it as it is then;
    /// id, identity and when it first came stay. It is read and written in one transaction: whoever
    /// alters it at the same moment finds the other's change. When `alter` refuses, nothing changes
    /// and its refusal comes back inside `Ok`. One that was erased does not come back.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub async fn alter_customer<R, F>(
        &self,
        id: Id<Customer>,
        alter: F,
    ) -> Result<Result<Customer, R>, Error>
    where
        F: FnOnce(&mut Customer) -> Result<(), R> + Send,
        R: Send,
    {
        self.within(async {
            let mut transaction = self.begin().await?;
            // Whoever opens a conversation for the customer meanwhile need not wait.
            let sql = self.dialect.choose(
                "SELECT * FROM customer WHERE id = $1",
                "SELECT * FROM customer WHERE id = $1 FOR NO KEY UPDATE",
            );
            let query = sqlx::query(sql).bind(id.to_string());
            let row = query.fetch_optional(&mut *transaction).await?;
            let before = read(&row.ok_or(Error::NotFound("customer"))?)?;
            let mut customer = before.clone();
            if let Err(refusal) = alter(&mut customer) {
                transaction.rollback().await?;
                return Ok(Err(refusal));
            }
            let Customer { id, identity, created_at, .. } = before;
            let customer = Customer { id, identity, created_at, ..customer };
            sqlx::query(
                "UPDATE customer SET name = $2, email = $3, locale = $4, attributes = $5, look_up = $6,
                    seen_at = $7
                 WHERE id = $1",
            )
            .bind(customer.id.to_string())
            .bind(maybe_plain(customer.name.as_ref()))
            .bind(maybe_plain(customer.email.as_ref()))
            .bind(maybe_plain(customer.locale.as_ref()))
            .bind(json(&customer.attributes))
            .bind(look_up(&customer))
            .bind(micros(customer.seen_at))
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok(Ok(customer))
        })
        .await
    }

    /// Has what is known of customers of a realm count as old in whose attributes, as JSON without
    /// spaces, a text stands; returns how many. A look at all of them, so not for what happens with
    /// every message.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn outdate_customers(&self, realm: &str, text: &str) -> Result<u64, Error> {
        self.within(async {
            let sql = self.dialect.choose(
                "UPDATE customer SET seen_at = 0 WHERE realm = $1 AND instr(attributes, $2) > 0",
                "UPDATE customer SET seen_at = 0 WHERE realm = $1 AND strpos(attributes, $2) > 0",
            );
            let query = sqlx::query(sql).bind(plain(realm)).bind(plain(text));
            Ok(query.execute(&self.writer).await?.rows_affected())
        })
        .await
    }

    /// Returns a customer.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub async fn customer(&self, id: Id<Customer>) -> Result<Customer, Error> {
        let query = sqlx::query("SELECT * FROM customer WHERE id = $1").bind(id.to_string());
        let row = query.fetch_optional(&self.reader).await?;
        read(&row.ok_or(Error::NotFound("customer"))?)
    }

    /// Returns the customer of an identity.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn customer_named(&self, identity: &Identity) -> Result<Option<Customer>, Error> {
        let sql = "SELECT * FROM customer WHERE realm = $1 AND external_id = $2";
        let query = sqlx::query(sql).bind(plain(&identity.realm));
        let query = query.bind(plain(&identity.external_id));
        query.fetch_optional(&self.reader).await?.as_ref().map(read).transpose()
    }

    /// Lists customers, newest first; `text` looks for a part of name, address or external id.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn customers(&self, text: Option<&str>, page: &Page) -> Result<Vec<Customer>, Error> {
        let sql = match text {
            None => "SELECT * FROM customer WHERE id < $1 ORDER BY id DESC LIMIT $2",
            Some(_) => self.dialect.choose(
                "SELECT * FROM customer WHERE id < $1 AND instr(look_up, $3) > 0
                 ORDER BY id DESC LIMIT $2",
                "SELECT * FROM customer WHERE id < $1 AND strpos(look_up, $3) > 0
                 ORDER BY id DESC LIMIT $2",
            ),
        };
        let mut query = sqlx::query(sql).bind(page.end()).bind(i64::from(page.limit));
        if let Some(text) = text {
            query = query.bind(plain(text).trim().to_lowercase());
        }
        query.fetch_all(&self.reader).await?.iter().map(read).collect()
    }

    /// Lists a customer's conversations, the one that changed last first.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn conversations_of(
        &self,
        customer: Id<Customer>,
        limit: u32,
    ) -> Result<Vec<Record>, Error> {
        let rows = sqlx::query(
            "SELECT * FROM conversation WHERE customer = $1 ORDER BY updated_at DESC, id DESC LIMIT $2",
        )
        .bind(customer.to_string())
        .bind(i64::from(limit))
        .fetch_all(&self.reader)
        .await?;
        rows.iter().map(record::read).collect()
    }

    /// Erases a customer with every conversation, and all that was kept of them; of the audit log
    /// remains who did what when, without circumstances. Returns how many conversations that were.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub async fn erase(&self, customer: Id<Customer>) -> Result<u32, Error> {
        let mut transaction = self.begin().await?;
        let (lock, conversations) = (
            self.dialect.choose(
                "SELECT id FROM customer WHERE id = $1",
                "SELECT id FROM customer WHERE id = $1 FOR UPDATE",
            ),
            self.dialect.choose(
                "SELECT id FROM conversation WHERE customer = $1",
                "SELECT id FROM conversation WHERE customer = $1 FOR UPDATE",
            ),
        );
        let id = customer.to_string();
        let found = sqlx::query(lock).bind(&id).fetch_optional(&mut *transaction).await?;
        found.ok_or(Error::NotFound("customer"))?;
        let rows = sqlx::query(conversations).bind(&id).fetch_all(&mut *transaction).await?;
        self.blot_out(&mut transaction, &id).await?;
        for row in &rows {
            let conversation = Columns(row).text("id")?;
            self.blot_out(&mut transaction, &conversation).await?;
        }
        // The conversations follow, and with them all that refers to them.
        let gone = sqlx::query("DELETE FROM customer WHERE id = $1").bind(&id);
        gone.execute(&mut *transaction).await?;
        transaction.commit().await?;
        self.leave_no_copy().await?;
        Ok(u32::try_from(rows.len()).unwrap_or(u32::MAX))
    }

    /// Keeps a visit, new or prolonged.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such customer, [`Error::Database`].
    pub async fn keep_visit(&self, visit: &Visit) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO visit (token_hash, customer, verified, expires_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (token_hash) DO UPDATE SET customer = excluded.customer,
                verified = excluded.verified, expires_at = excluded.expires_at",
        )
        .bind(&visit.token_hash)
        .bind(visit.customer.to_string())
        .bind(i64::from(visit.verified))
        .bind(micros(visit.expires_at))
        .execute(&self.writer)
        .await
        .map_err(Error::missing("customer"))?;
        Ok(())
    }

    /// Returns the visit of a token that has not ended.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn visit(&self, token_hash: &str, now: Timestamp) -> Result<Option<Visit>, Error> {
        let query = sqlx::query("SELECT * FROM visit WHERE token_hash = $1 AND expires_at > $2");
        let query = query.bind(plain(token_hash)).bind(micros(now));
        query.fetch_optional(&self.reader).await?.as_ref().map(read_visit).transpose()
    }

    /// Takes the name of a customer or conversation out of what must outlive them: circumstances
    /// in the audit log, and answers that were kept for repeated requests.
    pub(crate) async fn blot_out(
        &self,
        connection: &mut AnyConnection,
        id: &str,
    ) -> Result<(), Error> {
        sqlx::query("UPDATE audit SET detail = 'null' WHERE conversation = $1 OR subject = $1")
            .bind(id)
            .execute(&mut *connection)
            .await?;
        let sql = self.dialect.choose(
            "UPDATE request SET body = '' WHERE instr(body, $1) > 0",
            "UPDATE request SET body = '' WHERE strpos(body, $1) > 0",
        );
        sqlx::query(sql).bind(id).execute(connection).await?;
        Ok(())
    }

    /// Empties SQLite's log of changes, which holds older pages; they are zero in the file itself.
    pub(crate) async fn leave_no_copy(&self) -> Result<(), Error> {
        if self.dialect == Dialect::Sqlite {
            sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&self.writer).await?;
        }
        Ok(())
    }
}

fn read(row: &AnyRow) -> Result<Customer, Error> {
    let columns = Columns(row);
    let names = (columns.maybe_text("realm")?, columns.maybe_text("external_id")?);
    let identity = match names {
        (Some(realm), Some(external_id)) => Some(Identity { realm, external_id }),
        _ => None,
    };
    Ok(Customer {
        id: columns.id("id")?,
        identity,
        name: columns.maybe_text("name")?,
        email: columns.maybe_text("email")?,
        locale: columns.maybe_text("locale")?,
        attributes: columns.json("attributes")?,
        created_at: columns.time("created_at")?,
        seen_at: columns.time("seen_at")?,
    })
}

fn read_visit(row: &AnyRow) -> Result<Visit, Error> {
    let columns = Columns(row);
    Ok(Visit {
        token_hash: columns.text("token_hash")?,
        customer: columns.id("customer")?,
        verified: columns.truth("verified")?,
        expires_at: columns.time("expires_at")?,
    })
}

/// Writes a new customer; returns whether nobody else has its identity or id.
async fn keep(connection: &mut AnyConnection, customer: &Customer) -> Result<bool, Error> {
    let identity = customer.identity.as_ref();
    let done = sqlx::query(
        "INSERT INTO customer
            (id, realm, external_id, name, email, locale, attributes, look_up, created_at, seen_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(customer.id.to_string())
    .bind(identity.map(|identity| plain(&identity.realm)))
    .bind(identity.map(|identity| plain(&identity.external_id)))
    .bind(maybe_plain(customer.name.as_ref()))
    .bind(maybe_plain(customer.email.as_ref()))
    .bind(maybe_plain(customer.locale.as_ref()))
    .bind(json(&customer.attributes))
    .bind(look_up(customer))
    .bind(micros(customer.created_at))
    .bind(micros(customer.seen_at))
    .execute(connection)
    .await;
    match done {
        Ok(_) => Ok(true),
        Err(e) if e.as_database_error().is_some_and(|e| e.is_unique_violation()) => Ok(false),
        Err(e) => Err(e.into()),
    }
}

/// What a customer is searched by.
fn look_up(customer: &Customer) -> String {
    let external_id = customer.identity.as_ref().map(|identity| plain(&identity.external_id));
    let known = [customer.name.as_ref(), customer.email.as_ref(), external_id.as_ref()];
    let known: Vec<&str> = known.into_iter().flatten().map(String::as_str).collect();
    plain(&known.join("\n")).to_lowercase()
}

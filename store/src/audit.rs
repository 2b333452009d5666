use crate::{
    Error, Id, Page, Record, Store,
    column::{Columns, json, micros, plain},
};
use jiff::{SignedDuration, Timestamp};
use router::Slug;
use serde_json::Value as Json;
use sqlx::{AnyConnection, any::AnyRow};
use std::fmt;

/// Who brought something about. Written and read as `bot`, `customer`, `teammate:ada`,
/// `program:crm` or `frontdesk`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// The bot.
    Bot,
    /// The customer.
    Customer,
    /// A teammate.
    Teammate(Slug),
    /// A program with an API token; the token's name.
    Program(String),
    /// Frontdesk itself, such as by a timer.
    Frontdesk,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bot => write!(f, "bot"),
            Self::Customer => write!(f, "customer"),
            Self::Teammate(slug) => write!(f, "teammate:{slug}"),
            Self::Program(name) => write!(f, "program:{name}"),
            Self::Frontdesk => write!(f, "frontdesk"),
        }
    }
}

impl std::str::FromStr for Actor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let damaged = || Error::Damaged { what: "an actor", found: text.to_string() };
        Ok(match text.split_once(':') {
            None if text == "bot" => Self::Bot,
            None if text == "customer" => Self::Customer,
            None if text == "frontdesk" => Self::Frontdesk,
            Some(("teammate", slug)) => {
                Self::Teammate(slug.to_string().try_into().map_err(|_| damaged())?)
            }
            Some(("program", name)) => Self::Program(name.to_string()),
            _ => return Err(damaged()),
        })
    }
}

/// Something that somebody did.
#[derive(Debug, Clone, PartialEq)]
pub struct Audit {
    /// Who.
    pub actor: Actor,
    /// What, such as `conversation.closed` or `teammate.signed_in`.
    pub action: String,
    /// To what: an id or a name.
    pub subject: String,
    /// The circumstances, by name, without message text.
    pub detail: Json,
}

/// An [`Audit`] as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// Id; a page goes on before that of its last entry.
    pub id: Id<AuditEntry>,
    /// When.
    pub at: Timestamp,
    /// What was done.
    pub audit: Audit,
}

impl Store {
    /// Notes what somebody did outside of a conversation.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn note(&self, audit: &Audit, now: Timestamp) -> Result<(), Error> {
        self.within(async {
            let mut connection = self.writer.acquire().await?;
            insert(&mut connection, audit, None, now).await
        })
        .await
    }

    /// Lists what was done, newest first; `subject` limits it to one thing.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn audit(
        &self,
        subject: Option<&str>,
        page: &Page,
    ) -> Result<Vec<AuditEntry>, Error> {
        let sql = match subject {
            None => "SELECT * FROM audit WHERE id < $1 ORDER BY id DESC LIMIT $2",
            Some(_) => {
                "SELECT * FROM audit WHERE id < $1 AND subject = $3 ORDER BY id DESC LIMIT $2"
            }
        };
        let mut query = sqlx::query(sql).bind(page.end()).bind(i64::from(page.limit));
        if let Some(subject) = subject {
            query = query.bind(plain(subject));
        }
        let rows = query.fetch_all(&self.reader).await?;
        rows.iter().map(read).collect()
    }
}

fn read(row: &AnyRow) -> Result<AuditEntry, Error> {
    let columns = Columns(row);
    let audit = Audit {
        actor: columns.text("actor")?.parse()?,
        action: columns.text("action")?,
        subject: columns.text("subject")?,
        detail: columns.json("detail")?,
    };
    Ok(AuditEntry { id: columns.id("id")?, at: columns.time("at")?, audit })
}

/// Returns a moment so close to `now` that it stands for it, and after the ones with smaller
/// numbers: what was noted together keeps its order by id.
pub(crate) fn nth(now: Timestamp, number: i64) -> Timestamp {
    now.saturating_add(SignedDuration::from_micros(number)).unwrap_or(now)
}

/// Notes what somebody did, in a conversation or outside of one.
pub(crate) async fn insert(
    connection: &mut AnyConnection,
    audit: &Audit,
    conversation: Option<Id<Record>>,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO audit (id, at, actor, action, subject, detail, conversation)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(Id::<AuditEntry>::new(now).to_string())
    .bind(micros(now))
    .bind(plain(&audit.actor.to_string()))
    .bind(plain(&audit.action))
    .bind(plain(&audit.subject))
    .bind(json(&audit.detail))
    .bind(conversation.map(|id| id.to_string()))
    .execute(connection)
    .await?;
    Ok(())
}

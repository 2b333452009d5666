use crate::{
    Actor, Decided, Error, Id,
    change::Writing,
    column::{Columns, damaged, json, maybe_plain, micros},
    open::Dialect,
    words::words,
};
use jiff::Timestamp;
use router::Slug;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value as Json, json};
use sqlx::{AnyConnection, any::AnyRow};

/// Names one [`Entry`].
pub type EntryId = Id<Entry>;

/// One line of a conversation's timeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its id.
    pub id: EntryId,
    /// Its place in the timeline, counted from 1 without gaps. Whoever has read up to one number
    /// has missed exactly the entries with larger ones.
    pub number: i64,
    /// The episode that it belongs to.
    pub episode: u32,
    /// When it was recorded.
    pub at: Timestamp,
    /// What it says.
    pub content: Content,
}

/// What an [`Entry`] says.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// The customer wrote.
    Customer {
        /// What was written.
        text: String,
        /// How the sender named the message, to recognise its echo; unique in the conversation.
        client_id: Option<String>,
    },
    /// The bot wrote to the customer.
    Bot {
        /// What was written, as Markdown.
        text: String,
        /// What it rests on.
        sources: Vec<Source>,
        /// Answers that the customer may choose from.
        buttons: Vec<String>,
        /// The decision that had it sent.
        decision: Option<Id<Decided>>,
    },
    /// A teammate wrote to the customer.
    Teammate {
        /// Who.
        teammate: Slug,
        /// What was written, as Markdown.
        text: String,
    },
    /// Somebody left words for teammates; the customer never sees them.
    Note {
        /// Who.
        by: Actor,
        /// What was written, as Markdown.
        text: String,
    },
    /// Something happened, such as `handed_off`, `assigned`, `closed` or `tagged`.
    Event {
        /// Who brought it about.
        by: Actor,
        /// What happened.
        what: String,
        /// The circumstances, by name.
        detail: Json,
    },
}

impl Content {
    /// Whether the customer may see it. Of events only those that end or reopen the conversation
    /// or name who has it are the customer's business.
    pub fn is_public(&self) -> bool {
        match self {
            Self::Customer { .. } | Self::Bot { .. } | Self::Teammate { .. } => true,
            Self::Note { .. } => false,
            Self::Event { what, .. } => {
                matches!(what.as_str(), "handed_off" | "assigned" | "closed" | "reopened")
            }
        }
    }
}

/// An article that a message rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Id of the article.
    pub article: String,
    /// Its title.
    pub title: String,
    /// Where it can be read.
    pub url: Option<String>,
    /// What was taken from it.
    pub quote: String,
}

impl Content {
    /// Whether somebody's words stand in it.
    pub(crate) fn has_words(&self) -> bool {
        !matches!(self, Self::Event { .. })
    }

    /// Returns what kind it is, and the rest as JSON.
    fn written(&self) -> (&'static str, Json) {
        match self {
            Self::Customer { text, client_id: _ } => ("customer", json!({ "text": text })),
            Self::Bot { text, sources, buttons, decision } => {
                let decision = decision.map(|id| id.to_string());
                let (sources, buttons) = (json!(sources), json!(buttons));
                let content = json!({
                    "text": text, "sources": sources, "buttons": buttons, "decision": decision,
                });
                ("bot", content)
            }
            Self::Teammate { teammate, text } => {
                ("teammate", json!({ "teammate": teammate.as_str(), "text": text }))
            }
            Self::Note { by, text } => ("note", json!({ "by": by.to_string(), "text": text })),
            Self::Event { by, what, detail } => {
                ("event", json!({ "by": by.to_string(), "what": what, "detail": detail }))
            }
        }
    }

    fn read(kind: &str, client_id: Option<String>, mut content: Json) -> Result<Self, Error> {
        Ok(match kind {
            "customer" => Self::Customer { text: part(&mut content, "text")?, client_id },
            "bot" => Self::Bot {
                text: part(&mut content, "text")?,
                sources: part(&mut content, "sources")?,
                buttons: part(&mut content, "buttons")?,
                decision: part::<Option<String>>(&mut content, "decision")?
                    .map(|id| id.parse().map_err(|_| damaged("content")))
                    .transpose()?,
            },
            "teammate" => Self::Teammate {
                teammate: part(&mut content, "teammate")?,
                text: part(&mut content, "text")?,
            },
            "note" => Self::Note {
                by: part::<String>(&mut content, "by")?.parse()?,
                text: part(&mut content, "text")?,
            },
            "event" => Self::Event {
                by: part::<String>(&mut content, "by")?.parse()?,
                what: part(&mut content, "what")?,
                detail: part(&mut content, "detail")?,
            },
            _ => return Err(damaged("kind")),
        })
    }

    /// The words of a message between the customer and the desk, which searches look at.
    fn message(&self) -> Option<&str> {
        match self {
            Self::Customer { text, .. } | Self::Bot { text, .. } | Self::Teammate { text, .. } => {
                Some(text)
            }
            Self::Note { .. } | Self::Event { .. } => None,
        }
    }
}

fn part<T: DeserializeOwned>(content: &mut Json, name: &str) -> Result<T, Error> {
    let part = content.get_mut(name).map(Json::take).unwrap_or_default();
    serde_json::from_value(part).map_err(|_| damaged("content"))
}

/// Reads an entry.
pub(crate) fn read(row: &AnyRow) -> Result<Entry, Error> {
    let columns = Columns(row);
    let client_id = columns.maybe_text("client_id")?;
    Ok(Entry {
        id: columns.id("id")?,
        number: columns.number("number")?,
        episode: columns.count("episode")?,
        at: columns.time("at")?,
        content: Content::read(&columns.text("kind")?, client_id, columns.json("content")?)?,
    })
}

/// Writes an entry at its place, and its words for the search.
pub(crate) async fn insert(
    writing: &mut Writing<'_>,
    number: i64,
    (id, content): &(EntryId, Content),
) -> Result<(), Error> {
    let (kind, written) = content.written();
    let client_id = match content {
        Content::Customer { client_id, .. } => maybe_plain(client_id.as_ref()),
        _ => None,
    };
    sqlx::query(
        "INSERT INTO entry (conversation, number, id, episode, at, kind, client_id, content)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(writing.conversation.to_string())
    .bind(number)
    .bind(id.to_string())
    .bind(i64::from(writing.episode))
    .bind(micros(writing.now))
    .bind(kind)
    .bind(client_id)
    .bind(json(&written))
    .execute(&mut *writing.connection)
    .await
    .map_err(Error::taken("message"))?;
    match content.message() {
        Some(text) => {
            let conversation = writing.conversation.to_string();
            index(writing.connection, (writing.dialect, &conversation), text).await
        }
        None => Ok(()),
    }
}

async fn index(
    connection: &mut AnyConnection,
    (dialect, conversation): (Dialect, &str),
    text: &str,
) -> Result<(), Error> {
    let words: Vec<String> = words(text).into_iter().collect();
    if words.is_empty() {
        return Ok(());
    }
    let sql = dialect.choose(
        "INSERT INTO message_words (conversation, words) VALUES ($1, $2)",
        "INSERT INTO message_words (conversation, words)
         VALUES ($1, array_to_tsvector(string_to_array($2, ' ')))",
    );
    let query = sqlx::query(sql).bind(conversation).bind(words.join(" "));
    query.execute(connection).await?;
    Ok(())
}

/// Writes the words of a conversation for the search as its timeline is by now.
pub(crate) async fn index_anew(
    connection: &mut AnyConnection,
    dialect: Dialect,
    conversation: &str,
) -> Result<(), Error> {
    let query = sqlx::query("DELETE FROM message_words WHERE conversation = $1");
    query.bind(conversation).execute(&mut *connection).await?;
    let query = sqlx::query("SELECT * FROM entry WHERE conversation = $1 ORDER BY number");
    for row in query.bind(conversation).fetch_all(&mut *connection).await? {
        if let Some(text) = read(&row)?.content.message() {
            index(connection, (dialect, conversation), text).await?;
        }
    }
    Ok(())
}

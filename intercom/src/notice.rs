//! What a webhook is about. It is never taken for the whole history: whoever gets one reads the
//! conversation back.

use crate::wire::{ExternalId, lax};
use jiff::Timestamp;
use serde_json::{Map, Value};

/// The longest id and topic that are kept; the vendor's have fewer than 60 characters.
const LONGEST: usize = 256;

/// A webhook, as far as it says what to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The vendor's id, the same for each delivery of the same event. A ping has none.
    pub id: Option<String>,
    /// What happened, such as `conversation.user.replied`; new ones appear without notice.
    pub topic: String,
    /// The workspace in which it happened.
    pub app_id: Option<String>,
    /// When it happened.
    pub created_at: Option<Timestamp>,
    /// How often the vendor has tried to deliver it, this time included.
    pub n_attempts: Option<u64>,
    /// What it happened to.
    pub subject: Subject,
}

/// What a webhook is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A conversation.
    Conversation {
        /// The vendor's id.
        id: ExternalId,
        /// The newest part that was sent along; absent for a conversation's beginning.
        part: Option<ExternalId>,
    },
    /// A customer.
    Contact {
        /// The vendor's id.
        id: ExternalId,
    },
    /// A company.
    Company {
        /// The vendor's id.
        id: ExternalId,
    },
    /// An article of the help centre.
    Article {
        /// The vendor's id.
        id: ExternalId,
    },
    /// The vendor tries whether somebody listens.
    Ping,
    /// Anything else.
    Other,
}

/// The body of a webhook is no JSON object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the webhook is no JSON object")]
pub struct NoNotice;

impl Notice {
    /// Reads the body of a webhook. Whatever is absent or odd in it counts as absent.
    ///
    /// # Errors
    /// [`NoNotice`].
    pub fn parse(body: &[u8]) -> Result<Self, NoNotice> {
        let mut body: Map<String, Value> = serde_json::from_slice(body).map_err(|_| NoNotice)?;
        let topic = word(body.get("topic")).unwrap_or_default();
        let item = match body.get_mut("data").and_then(|data| data.get_mut("item")) {
            Some(item) => item.take(),
            None => Value::Null,
        };
        Ok(Self {
            id: word(body.get("id")),
            subject: subject(&topic, &item),
            topic,
            app_id: word(body.get("app_id")),
            created_at: body.get("created_at").and_then(lax::moment_of),
            n_attempts: body.get("delivery_attempts").and_then(Value::as_u64),
        })
    }

    /// Whether what it is about is gone at the vendor's and has to go here too.
    pub fn is_deletion(&self) -> bool {
        // Topics such as `contact.user.tag.deleted` end alike.
        ["contact.deleted", "conversation.deleted", "company.deleted", "article.deleted"]
            .contains(&self.topic.as_str())
    }
}

fn subject(topic: &str, item: &Value) -> Subject {
    let id = |item: &Value| item.get("id").and_then(id_of);
    let kind = item.get("type").and_then(Value::as_str).unwrap_or_default();
    let named = match kind {
        "conversation" => id(item).map(|id| Subject::Conversation { id, part: newest_part(item) }),
        "conversation_part" => conversation_around(item)
            .map(|conversation| Subject::Conversation { id: conversation, part: id(item) }),
        "contact" | "user" | "lead" => id(item).map(|id| Subject::Contact { id }),
        "company" => id(item).map(|id| Subject::Company { id }),
        "article" => id(item).map(|id| Subject::Article { id }),
        "ping" => Some(Subject::Ping),
        _ => None,
    };
    named.unwrap_or_else(|| guessed(topic, kind, item))
}

/// Finds the subject of an item that does not say what it is, by its topic, or that holds what it
/// is about, such as a tag of a customer.
fn guessed(topic: &str, kind: &str, item: &Value) -> Subject {
    if topic == "ping" {
        return Subject::Ping;
    }
    let within = |name: &str| item.get(name).and_then(|inner| inner.get("id")).and_then(id_of);
    if let Some(id) = conversation_around(item) {
        return Subject::Conversation { id, part: None };
    }
    if let Some(id) = within("contact") {
        return Subject::Contact { id };
    }
    if let Some(id) = within("company") {
        return Subject::Company { id };
    }
    let Some(id) = item.get("id").and_then(id_of).filter(|_| kind.is_empty()) else {
        return Subject::Other;
    };
    match topic.split('.').next() {
        Some("conversation") => Subject::Conversation { id, part: newest_part(item) },
        Some("contact") => Subject::Contact { id },
        Some("company") => Subject::Company { id },
        Some("article") => Subject::Article { id },
        _ => Subject::Other,
    }
}

fn conversation_around(item: &Value) -> Option<ExternalId> {
    let whole = || item.get("conversation")?.get("id");
    item.get("conversation_id").or_else(whole).and_then(id_of)
}

/// Finds the part that was made last; of parts made in the same second, the one that stands last.
fn newest_part(item: &Value) -> Option<ExternalId> {
    let parts = item.get("conversation_parts")?;
    let parts = parts.get("conversation_parts").unwrap_or(parts).as_array()?;
    let made_at = |part: &&Value| part.get("created_at").and_then(lax::moment_of);
    let newest = parts.iter().filter(|part| part.get("id").is_some()).max_by_key(made_at)?;
    newest.get("id").and_then(id_of)
}

fn id_of(value: &Value) -> Option<ExternalId> {
    match value {
        Value::String(text) => ExternalId::parse(text),
        Value::Number(number) => number.as_u64().map(ExternalId::from),
        _ => None,
    }
}

fn word(value: Option<&Value>) -> Option<String> {
    let text = match value? {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (1..=LONGEST).contains(&text.len()).then_some(text)
}

#[cfg(test)]
mod tests;

use super::{ExternalId, Private, lax};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

/// What happened in a conversation after its first message, oldest first as far as the vendor keeps
/// to it: the 500 newest at most.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parts {
    /// The parts that were sent along.
    pub parts: Vec<Part>,
    /// How many the conversation has; more than were sent when the oldest are cut off.
    pub total_count: Option<u64>,
}

/// One thing that happened: something was said, or something was done.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Part {
    /// The vendor's id, unique within the workspace.
    pub id: ExternalId,
    /// What happened: `comment`, `note`, `quick_reply`, `assignment`, `close`, `open`, `snoozed`,
    /// `away_mode_assignment` and others; the vendor adds new ones without notice.
    #[serde(default, deserialize_with = "lax::or_default")]
    pub part_type: String,
    /// What was written, in HTML unless plain text was asked for; absent when redacted, or when
    /// nothing was written.
    #[serde(default, deserialize_with = "lax::private_text")]
    pub body: Option<Private<String>>,
    /// Who did it.
    #[serde(default, deserialize_with = "lax::maybe")]
    pub author: Option<Author>,
    /// When it happened.
    #[serde(default, deserialize_with = "lax::moment")]
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    #[serde(default, deserialize_with = "lax::moment")]
    pub updated_at: Option<Timestamp>,
    /// To whom the conversation went, for assignments.
    #[serde(default, deserialize_with = "lax::maybe")]
    pub assigned_to: Option<Reference>,
    /// Files that came along.
    #[serde(default, deserialize_with = "lax::list")]
    pub attachments: Vec<Attachment>,
    /// Whether what was written has been taken away.
    #[serde(default, deserialize_with = "lax::or_default")]
    pub redacted: bool,
    /// Set when it was done through the REST interface, by which app; with the bot's own admin as
    /// author it marks what the bot itself did.
    #[serde(default, deserialize_with = "lax::maybe")]
    pub app_package_code: Option<String>,
    /// Which button was pressed.
    #[serde(default, deserialize_with = "lax::or_default")]
    pub metadata: Metadata,
    /// The id in a system that the part was imported from.
    #[serde(default, deserialize_with = "lax::private_text")]
    pub external_id: Option<Private<String>>,
}

/// What belongs to quick replies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Metadata {
    /// The buttons that were offered; their UUIDs tell what we offered from what others did.
    #[serde(default, deserialize_with = "lax::list")]
    pub quick_reply_options: Vec<Offered>,
    /// The option that the customer pressed, by the UUID under which it was offered.
    #[serde(default, deserialize_with = "lax::maybe")]
    pub quick_reply_uuid: Option<String>,
}

/// A button that was offered.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Offered {
    /// The UUID that it was given.
    #[serde(default, deserialize_with = "lax::or_default")]
    pub uuid: String,
    /// What it says.
    #[serde(default, deserialize_with = "lax::private_text")]
    pub text: Option<Private<String>>,
}

/// Who wrote or did something.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Author {
    /// What kind of being.
    #[serde(rename = "type", default, deserialize_with = "lax::or_default")]
    pub kind: Who,
    /// The vendor's id; absent for some of the vendor's own bots.
    #[serde(default, deserialize_with = "lax::maybe")]
    pub id: Option<ExternalId>,
    /// The name that is shown.
    #[serde(default, deserialize_with = "lax::private_text")]
    pub name: Option<Private<String>>,
    /// The e-mail address.
    #[serde(default, deserialize_with = "lax::private_text")]
    pub email: Option<Private<String>>,
    /// Whether the vendor's own AI wrote it.
    #[serde(default, deserialize_with = "lax::or_default")]
    pub from_ai_agent: bool,
    /// Whether it is an answer that the vendor's own AI made up.
    #[serde(default, deserialize_with = "lax::or_default")]
    pub is_ai_answer: bool,
}

/// A kind of author.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum Who {
    /// A customer whom the company knows.
    User,
    /// A customer whom it does not know yet.
    Lead,
    /// A customer, where the vendor does not say which.
    Contact,
    /// A teammate, or a program on a teammate's seat.
    Admin,
    /// The vendor's own bot.
    Bot,
    /// A team.
    Team,
    /// Something else, as the vendor calls it.
    Other(String),
}

/// Something, by kind and id.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Reference {
    /// The kind, such as `admin`, `team` or `nobody_admin`.
    #[serde(rename = "type", default, deserialize_with = "lax::or_default")]
    pub kind: String,
    /// The id; absent for nobody.
    #[serde(default, deserialize_with = "lax::assignee")]
    pub id: Option<ExternalId>,
}

/// A file that came with a message.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Attachment {
    /// Its name.
    #[serde(default, deserialize_with = "lax::private_text")]
    pub name: Option<Private<String>>,
    /// Where it can be fetched, for a while.
    #[serde(default, deserialize_with = "lax::private_text")]
    pub url: Option<Private<String>>,
    /// Its media type.
    #[serde(default, deserialize_with = "lax::maybe")]
    pub content_type: Option<String>,
    /// Its length in bytes.
    #[serde(default, deserialize_with = "lax::maybe")]
    pub filesize: Option<u64>,
}

impl Part {
    /// Whether a program did it on the seat of an admin, rather than the person whose seat it is, or
    /// anybody else. With the bot's own seat this is what breaks loops, and what tells whether a
    /// reply whose answer was lost has arrived.
    pub fn is_by_program_of(&self, admin: &ExternalId) -> bool {
        let author = self.author.as_ref();
        self.app_package_code.is_some()
            && author.is_some_and(|author| {
                author.kind == Who::Admin && author.id.as_ref() == Some(admin)
            })
    }
}

impl Who {
    /// Whether this is a customer.
    pub const fn is_customer(&self) -> bool {
        matches!(self, Self::User | Self::Lead | Self::Contact)
    }
}

impl Default for Who {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

impl From<String> for Who {
    fn from(written: String) -> Self {
        match written.as_str() {
            "user" => Self::User,
            "lead" => Self::Lead,
            "contact" => Self::Contact,
            "admin" => Self::Admin,
            "bot" => Self::Bot,
            "team" => Self::Team,
            _ => Self::Other(written),
        }
    }
}

impl<'de> Deserialize<'de> for Parts {
    /// Absent and null mean none; anything else that is no list of parts is refused, because
    /// "nothing has been said yet" is what a repeated reply would be founded on.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (list, total_count) = match Value::deserialize(deserializer)? {
            Value::Null => return Ok(Self::default()),
            Value::Array(items) => (Value::Array(items), None),
            Value::Object(mut fields) => {
                let total_count = fields.get("total_count").and_then(Value::as_u64);
                (fields.remove("conversation_parts").unwrap_or(Value::Null), total_count)
            }
            _ => return Err(D::Error::custom("the parts are no list")),
        };
        let parts: Option<Vec<Part>> = serde_json::from_value(list)
            // The cause would quote what was written.
            .map_err(|_| D::Error::custom("the parts cannot be read"))?;
        Ok(Self { parts: parts.unwrap_or_default(), total_count })
    }
}

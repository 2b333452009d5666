//! What is kept of a conversation. How it is answered on the wire stands in `wire.rs`.

use super::Json;
use serde::{Deserialize, Serialize};
use serde_json::Map;

/// A conversation, as the stand-in keeps it. Times are seconds.
#[derive(Clone, Debug, Serialize)]
pub struct Conversation {
    /// Digits, too many for 32 bits.
    pub id: String,
    /// When it began.
    pub created_at: i64,
    /// When something last happened.
    pub updated_at: i64,
    /// What teammates call it.
    pub title: Option<String>,
    /// Where it stands.
    pub state: State,
    /// Whether a teammate has seen the newest message.
    pub read: bool,
    /// How urgent it is. No request of the API sets it.
    pub priority: Priority,
    /// Since when the contact waits for a person or a bot.
    pub waiting_since: Option<i64>,
    /// Until when it sleeps.
    pub snoozed_until: Option<i64>,
    /// What it began with; not among the parts.
    pub source: Source,
    /// Who wrote.
    pub contact: String,
    /// The admin who owns it.
    pub admin_assignee: Option<String>,
    /// The team that owns it.
    pub team_assignee: Option<String>,
    /// Its labels.
    pub tags: Vec<Tagging>,
    /// What is kept of it.
    pub custom_attributes: Map<String, Json>,
    /// What the contact thought of it.
    pub rating: Option<Rating>,
    /// The ticket that was made of it.
    pub ticket: Option<String>,
    /// When the contact first answered an admin.
    pub first_contact_reply_at: Option<i64>,
    /// Whether Fin said something.
    pub ai_agent_participated: bool,
    /// What happened since it began, oldest first.
    pub parts: Vec<Part>,
}

/// Where a conversation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Somebody should look at it.
    Open,
    /// Nobody has to.
    Closed,
    /// Nobody has to before a time.
    Snoozed,
}

impl State {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Snoozed => "snoozed",
        }
    }
}

/// How urgent a conversation is; 2.14 knows only whether it is more than none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// As any other.
    None,
    /// Later than others.
    Low,
    /// Before others.
    Medium,
    /// Soon.
    High,
    /// Now.
    Urgent,
}

/// What a conversation began with.
#[derive(Clone, Debug, Serialize)]
pub struct Source {
    /// Digits.
    pub id: String,
    /// `conversation` for the messenger, or `email` and others.
    pub kind: String,
    /// Empty but for e-mail.
    pub subject: String,
    /// HTML.
    pub body: Option<String>,
    /// Who wrote it.
    pub author: Author,
    /// Whether its body was taken away.
    pub redacted: bool,
}

/// Who said something.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Author {
    /// `user`, `lead`, `admin` or `bot`.
    pub kind: String,
    /// Theirs.
    pub id: String,
    /// Theirs.
    pub name: Option<String>,
    /// Theirs.
    pub email: Option<String>,
}

/// Something that happened in a conversation.
#[derive(Clone, Debug, Serialize)]
pub struct Part {
    /// Digits, growing.
    pub id: String,
    /// `comment`, `note`, `quick_reply`, `assignment`, `close`, `open`, `snoozed`,
    /// `assign_and_reopen`, `conversation_attribute_updated_by_admin`. What a contact says in a conversation that was not open is an `open`
    /// with a body.
    pub part_type: String,
    /// HTML.
    pub body: Option<String>,
    /// Seconds.
    pub created_at: i64,
    /// Who did it.
    pub author: Author,
    /// To whom it was given: `admin` or `team`, and the id.
    pub assigned_to: Option<(String, String)>,
    /// Whether its body was taken away.
    pub redacted: bool,
    /// Buttons that the contact can click.
    pub quick_replies: Vec<QuickReply>,
    /// The button that the contact clicked.
    pub quick_reply: Option<String>,
    /// Where the conversation stood afterwards.
    pub state: State,
    /// The app whose request made it.
    pub app_package_code: Option<String>,
    /// Whether the contact was sent it. Notes are not; nor is, unless the vendor has allowed it,
    /// what an app says in a conversation that began by e-mail. No answer of the API tells.
    pub sent_to_contact: bool,
}

/// A button.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuickReply {
    /// What it says.
    pub text: String,
    /// A UUID that the sender chose.
    pub uuid: String,
}

/// A tag that a conversation has.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tagging {
    /// The tag's.
    pub id: String,
    /// The tag's.
    pub name: String,
    /// When.
    pub applied_at: i64,
    /// The admin who did it.
    pub applied_by: String,
}

/// What a contact thought of a conversation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rating {
    /// 1 to 5.
    pub rating: u8,
    /// In their words; may be empty.
    pub remark: String,
    /// When.
    pub created_at: i64,
}

impl Conversation {
    /// Names its tags, in the order in which they came.
    pub fn tag_names(&self) -> Vec<&str> {
        self.tags.iter().map(|tag| tag.name.as_str()).collect()
    }

    /// Lists the parts that came through the API of an app.
    pub fn through_the_api(&self) -> Vec<&Part> {
        self.parts.iter().filter(|part| part.app_package_code.is_some()).collect()
    }
}

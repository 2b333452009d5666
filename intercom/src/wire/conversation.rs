use super::{
    Attachment, Attributes, Author, ContactReference, ExternalId, Parts, Private, Tag, Ticket, lax,
};
use jiff::Timestamp;
use serde::Deserialize;

/// A conversation as the vendor tells it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Conversation {
    /// The vendor's id.
    pub id: ExternalId,
    /// Its title, where somebody or something gave it one.
    #[serde(default, deserialize_with = "lax::private_text")]
    pub title: Option<Private<String>>,
    /// Where it stands.
    #[serde(default, deserialize_with = "lax::or_default")]
    pub state: State,
    /// Whether it is open; the vendor says so twice.
    #[serde(default, deserialize_with = "lax::or_default")]
    pub open: bool,
    /// How urgent: `priority` or `not_priority` in 2.14, `none`, `low`, `medium`, `high`, `urgent`
    /// in 2.16. It can be read and searched for; no call of either version sets it.
    #[serde(default, deserialize_with = "lax::maybe")]
    pub priority: Option<String>,
    /// Its first message, and how it came in.
    #[serde(default, deserialize_with = "lax::maybe")]
    pub source: Option<Source>,
    /// The customers in it.
    #[serde(default, deserialize_with = "lax::list")]
    pub contacts: Vec<ContactReference>,
    /// What happened since the first message; none in lists and searches.
    #[serde(rename = "conversation_parts", default)]
    pub parts: Parts,
    /// Its tags.
    #[serde(default, deserialize_with = "lax::list")]
    pub tags: Vec<Tag>,
    /// The company's own attributes of it.
    #[serde(default, deserialize_with = "lax::or_default")]
    pub custom_attributes: Private<Attributes>,
    /// The ticket that it has become, where the vendor shows it.
    #[serde(default, deserialize_with = "lax::maybe")]
    pub ticket: Option<Ticket>,
    /// Tickets and conversations that it is linked with.
    #[serde(rename = "linked_objects", default, deserialize_with = "lax::list")]
    pub linked: Vec<Linked>,
    /// The teammate who owns it.
    #[serde(default, deserialize_with = "lax::assignee")]
    pub admin_assignee_id: Option<ExternalId>,
    /// The team that owns it.
    #[serde(default, deserialize_with = "lax::assignee")]
    pub team_assignee_id: Option<ExternalId>,
    /// What the customer thought of it.
    #[serde(rename = "conversation_rating", default, deserialize_with = "lax::maybe")]
    pub rating: Option<Rating>,
    /// Whether the vendor's own AI took part.
    #[serde(default, deserialize_with = "lax::or_default")]
    pub ai_agent_participated: bool,
    /// How the vendor's own AI fared.
    #[serde(default, deserialize_with = "lax::maybe")]
    pub ai_agent: Option<AiAgent>,
    /// The vendor's counts and times; absent in most answers.
    #[serde(default, deserialize_with = "lax::maybe")]
    pub statistics: Option<Statistics>,
    /// Since when the customer waits; absent when the company spoke last.
    #[serde(default, deserialize_with = "lax::moment")]
    pub waiting_since: Option<Timestamp>,
    /// Until when it sleeps.
    #[serde(default, deserialize_with = "lax::moment")]
    pub snoozed_until: Option<Timestamp>,
    /// When it began.
    #[serde(default, deserialize_with = "lax::moment")]
    pub created_at: Option<Timestamp>,
    /// When something last happened in it; what reconciliation searches by.
    #[serde(default, deserialize_with = "lax::moment")]
    pub updated_at: Option<Timestamp>,
}

impl Conversation {
    /// Whether it has become a ticket. The vendor's documents show that among what it is linked
    /// with, its webhooks in a field of its own.
    pub fn is_ticket(&self) -> bool {
        let is_own = |linked: &Linked| {
            linked.kind == "ticket" && linked.category.as_deref() == Some("Customer")
        };
        self.ticket.is_some() || self.linked.iter().any(is_own)
    }
}

/// A conversation that is no more.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DeletedConversation {
    /// The vendor's id.
    pub id: ExternalId,
    /// When it was deleted.
    #[serde(default, deserialize_with = "lax::moment")]
    pub deleted_at: Option<Timestamp>,
}

/// What a conversation is linked with.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Linked {
    /// `ticket` or `conversation`.
    #[serde(rename = "type", default, deserialize_with = "lax::or_default")]
    pub kind: String,
    /// The vendor's id.
    pub id: ExternalId,
    /// Of a ticket: `Customer`, `Back-office` or `Tracker`.
    #[serde(default, deserialize_with = "lax::maybe")]
    pub category: Option<String>,
}

/// Where a conversation stands.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum State {
    /// Somebody is expected to do something.
    Open,
    /// It is over.
    Closed,
    /// It sleeps until a moment, or until the customer writes.
    Snoozed,
    /// Something else, as the vendor calls it.
    Other(String),
}

/// The first message of a conversation.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Source {
    /// The vendor's id of the message.
    #[serde(default, deserialize_with = "lax::maybe")]
    pub id: Option<ExternalId>,
    /// How it came: `conversation` (the messenger), `email`, `facebook`, `instagram`,
    /// `phone_call`, `phone_switch`, `push`, `sms`, `twitter`, `whatsapp`, or a newer one.
    #[serde(rename = "type", default, deserialize_with = "lax::or_default")]
    pub kind: String,
    /// Who began: `customer_initiated`, `admin_initiated`, `campaigns_initiated`,
    /// `operator_initiated`, `automated`.
    #[serde(default, deserialize_with = "lax::or_default")]
    pub delivered_as: String,
    /// The subject of an e-mail.
    #[serde(default, deserialize_with = "lax::private_text")]
    pub subject: Option<Private<String>>,
    /// What was written, in HTML unless plain text was asked for.
    #[serde(default, deserialize_with = "lax::private_text")]
    pub body: Option<Private<String>>,
    /// Who wrote it.
    #[serde(default, deserialize_with = "lax::maybe")]
    pub author: Option<Author>,
    /// Files that came along.
    #[serde(default, deserialize_with = "lax::list")]
    pub attachments: Vec<Attachment>,
    /// The page on which the customer began.
    #[serde(default, deserialize_with = "lax::private_text")]
    pub url: Option<Private<String>>,
    /// Whether what was written has been taken away.
    #[serde(default, deserialize_with = "lax::or_default")]
    pub redacted: bool,
}

/// What the customer thought of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Rating {
    /// From 1 (worst) to 5.
    #[serde(default, deserialize_with = "lax::maybe")]
    pub rating: Option<i64>,
    /// What they wrote with it.
    #[serde(default, deserialize_with = "lax::private_text")]
    pub remark: Option<Private<String>>,
    /// When the rating was asked for.
    #[serde(default, deserialize_with = "lax::moment")]
    pub created_at: Option<Timestamp>,
    /// Whom it is about.
    #[serde(default, deserialize_with = "lax::maybe")]
    pub teammate: Option<super::Reference>,
}

/// How the vendor's own AI fared in a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AiAgent {
    /// How it ended: `assumed_resolution`, `confirmed_resolution`, and others that differ between
    /// versions.
    #[serde(default, deserialize_with = "lax::maybe")]
    pub resolution_state: Option<String>,
    /// What its last answer was: `ai_answer` or `custom_answer`.
    #[serde(default, deserialize_with = "lax::maybe")]
    pub last_answer_type: Option<String>,
    /// From 1 to 5.
    #[serde(default, deserialize_with = "lax::maybe")]
    pub rating: Option<i64>,
    /// What the customer wrote with the rating.
    #[serde(default, deserialize_with = "lax::private_text")]
    pub rating_remark: Option<Private<String>>,
}

/// The vendor's counts and times of a conversation; times in seconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Statistics {
    /// How often it was opened again.
    #[serde(default, deserialize_with = "lax::maybe")]
    pub count_reopens: Option<u64>,
    /// How often it was assigned.
    #[serde(default, deserialize_with = "lax::maybe")]
    pub count_assignments: Option<u64>,
    /// How many parts it has.
    #[serde(default, deserialize_with = "lax::maybe")]
    pub count_conversation_parts: Option<u64>,
    /// Seconds until it was first assigned.
    #[serde(default, deserialize_with = "lax::maybe")]
    pub time_to_assignment: Option<i64>,
    /// Seconds until a teammate first replied.
    #[serde(default, deserialize_with = "lax::maybe")]
    pub time_to_admin_reply: Option<i64>,
    /// Seconds until it was first closed.
    #[serde(default, deserialize_with = "lax::maybe")]
    pub time_to_first_close: Option<i64>,
    /// When a teammate first replied.
    #[serde(default, deserialize_with = "lax::moment")]
    pub first_admin_reply_at: Option<Timestamp>,
    /// When the customer last wrote.
    #[serde(default, deserialize_with = "lax::moment")]
    pub last_contact_reply_at: Option<Timestamp>,
    /// When it was first closed.
    #[serde(default, deserialize_with = "lax::moment")]
    pub first_close_at: Option<Timestamp>,
    /// When it was last closed.
    #[serde(default, deserialize_with = "lax::moment")]
    pub last_close_at: Option<Timestamp>,
    /// Who closed it last.
    #[serde(default, deserialize_with = "lax::assignee")]
    pub last_closed_by_id: Option<ExternalId>,
}

/// How conversations are delivered that nobody began by hand.
const BY_ITSELF: [&str; 3] = ["campaigns_initiated", "operator_initiated", "automated"];

impl Source {
    /// Whether nobody wrote it by hand, whoever lends it their name: a campaign or a workflow did.
    pub fn is_automatic(&self) -> bool {
        BY_ITSELF.contains(&self.delivered_as.as_str())
    }

    /// Whether the customer writes e-mail. A bot's reply to such a conversation is stored and, unless
    /// the vendor has switched that on for the workspace, never sent.
    pub fn is_email(&self) -> bool {
        self.kind == "email"
    }
}

impl Default for State {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

impl From<String> for State {
    fn from(written: String) -> Self {
        match written.as_str() {
            "open" => Self::Open,
            "closed" => Self::Closed,
            "snoozed" => Self::Snoozed,
            _ => Self::Other(written),
        }
    }
}

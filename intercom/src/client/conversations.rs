//! Calls about conversations.

use super::{
    ApiError, Client, Query, QuickReply, Version,
    people::{all_of, position},
    request::{
        ConvertBody, ManageBody, NameBody, Pagination, ReplyBody, SearchBody, TagBody, UntagBody,
    },
};
use crate::wire::{Conversation, Cursor, DeletedConversation, ExternalId, Page, Tag, Ticket};
use jiff::Timestamp;
use reqwest::Method;
use serde::Serialize;
use std::collections::BTreeMap;

/// The most conversations that the vendor puts on a page of a search.
const MOST_PER_PAGE: u32 = 150;

/// The version that deleted conversations are listed in, whichever the client speaks: the first that
/// lists them.
const WITH_DELETED: Version = Version::V2_16;

/// The most of them that the vendor puts on a page.
const DELETED_PER_PAGE: &str = "60";

/// How the texts of a conversation are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Display {
    /// In HTML, as they were written.
    Html,
    /// In plain text, made by the vendor; nothing for [`crate::text::to_text`], to which `<` is HTML.
    PlainText,
}

/// Something said in a conversation, under the name of an admin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply<'a> {
    /// The customer reads it; HTML, see [`crate::text::from_markdown`].
    Comment(&'a str),
    /// Only teammates read it; HTML.
    Note(&'a str),
    /// Buttons that the customer may press. They carry no text of their own: send the comment first.
    QuickReplies(&'a [QuickReply]),
}

/// Something done with a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manage<'a> {
    /// Gives it to somebody. A conversation can be a team's and a teammate's at once.
    Assign(Assignee<'a>),
    /// Ends it.
    Close,
    /// Puts it to sleep until a moment, or until the customer writes.
    Snooze(Timestamp),
    /// Opens it again.
    Open,
}

/// To whom a conversation is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assignee<'a> {
    /// A team.
    Team(&'a ExternalId),
    /// A teammate.
    Admin(&'a ExternalId),
    /// No team any more.
    NoTeam,
    /// No teammate any more.
    NoAdmin,
}

/// What is to change about a conversation.
///
/// Its priority is not among it: no call of 2.14 or 2.16 sets it, and an attribute of that name is
/// an attribute of the company's own. The vendor's preview takes a `priority` here since August 2026
/// (intercom/Intercom-OpenAPI, pull request 620: "preview only, no dated version changes"). Until
/// there is a version with it, say how urgent something is by a tag or an attribute on which one of
/// the workspace's workflows acts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Update {
    /// Whether it counts as read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read: Option<bool>,
    /// Its title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Attributes to set, by name; others stay as they are. They have to be made in the workspace
    /// first, see [`Client::attributes`]; the vendor refuses a name that two of them share.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub custom_attributes: BTreeMap<String, AttributeValue>,
}

/// A value of an attribute that the vendor's schema allows to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum AttributeValue {
    /// A text, an option of a list, or a date in ISO 8601.
    Text(String),
    /// A whole number, or a date in seconds since 1970.
    Number(i64),
}

/// What a conversation becomes a ticket with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TicketDraft<'a> {
    /// The kind of ticket; the vendor takes kinds of the category `Customer` alone.
    pub ticket_type: &'a ExternalId,
    /// Its title.
    pub title: Option<&'a str>,
    /// What it is about.
    pub description: Option<&'a str>,
}

impl Client {
    /// Lists conversations that were deleted, the last one first: `GET /conversations/deleted`, in
    /// version 2.16.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn deleted_conversations(
        &self,
        from: Option<&Cursor>,
    ) -> Result<Page<DeletedConversation>, ApiError> {
        let from = position(from);
        let mut query = vec![("order", "desc"), ("per_page", DELETED_PER_PAGE)];
        query.extend(from.iter().map(|(key, at)| (*key, at.as_str())));
        self.read_in(WITH_DELETED, &["conversations", "deleted"], &query).await
    }

    /// Reads a conversation with its 500 newest parts: `GET /conversations/{id}`.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn conversation(
        &self,
        id: &ExternalId,
        display: Display,
    ) -> Result<Conversation, ApiError> {
        let query: &[(&str, &str)] = match display {
            Display::Html => &[],
            Display::PlainText => &[("display_as", "plaintext")],
        };
        self.read(&["conversations", id.as_str()], query).await
    }

    /// Searches conversations; what is found comes without parts: `POST /conversations/search`.
    /// At most 150 stand on a page. The vendor promises no order.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn search_conversations(
        &self,
        query: &Query,
        from: Option<&Cursor>,
        per_page: u32,
    ) -> Result<Page<Conversation>, ApiError> {
        let starting_after = match from {
            Some(Cursor::After(mark)) => Some(mark.as_str()),
            Some(Cursor::Page(_)) | None => None,
        };
        let per_page = per_page.clamp(1, MOST_PER_PAGE);
        let body = SearchBody { query, pagination: Pagination { per_page, starting_after } };
        let mut page: Page<Conversation> = self.ask(&["conversations", "search"], &body).await?;
        // Here the vendor counts pages and takes marks alone.
        page.next = page.next.filter(|next| matches!(next, Cursor::After(_)));
        Ok(page)
    }

    /// Says something under the name of an admin: `POST /conversations/{id}/reply`. Returns the
    /// conversation; of its parts the new one alone, as far as the vendor's examples go.
    ///
    /// # Errors
    /// [`ApiError`]. Never repeated inside; see [`ApiError::maybe_done`].
    pub async fn reply(
        &self,
        conversation: &ExternalId,
        admin: &ExternalId,
        reply: Reply<'_>,
    ) -> Result<Conversation, ApiError> {
        let (message_type, body, reply_options) = match reply {
            Reply::Comment(html) => ("comment", Some(html), [].as_slice()),
            Reply::Note(html) => ("note", Some(html), [].as_slice()),
            Reply::QuickReplies(options) => ("quick_reply", None, options),
        };
        let body = ReplyBody { message_type, kind: "admin", admin_id: admin, body, reply_options };
        let path = ["conversations", conversation.as_str(), "reply"];
        self.change(Method::POST, &path, Some(&body)).await
    }

    /// Assigns, closes, snoozes or opens a conversation under the name of an admin:
    /// `POST /conversations/{id}/parts`. Returns the conversation as [`Client::reply`] does.
    ///
    /// # Errors
    /// [`ApiError`]. Never repeated inside; see [`ApiError::maybe_done`].
    pub async fn manage(
        &self,
        conversation: &ExternalId,
        admin: &ExternalId,
        deed: Manage<'_>,
    ) -> Result<Conversation, ApiError> {
        let nobody = "0";
        let (message_type, kind, assignee_id, snoozed_until) = match deed {
            Manage::Assign(assignee) => {
                let (kind, id) = match assignee {
                    Assignee::Team(id) => ("team", id.as_str()),
                    Assignee::Admin(id) => ("admin", id.as_str()),
                    Assignee::NoTeam => ("team", nobody),
                    Assignee::NoAdmin => ("admin", nobody),
                };
                ("assignment", Some(kind), Some(id), None)
            }
            Manage::Close => ("close", Some("admin"), None, None),
            Manage::Snooze(until) => ("snoozed", None, None, Some(until.as_second())),
            Manage::Open => ("open", None, None, None),
        };
        let body = ManageBody { message_type, kind, admin_id: admin, assignee_id, snoozed_until };
        let path = ["conversations", conversation.as_str(), "parts"];
        self.change(Method::POST, &path, Some(&body)).await
    }

    /// Puts a tag on a conversation; a second time changes nothing:
    /// `POST /conversations/{id}/tags`.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn tag(
        &self,
        conversation: &ExternalId,
        admin: &ExternalId,
        tag: &ExternalId,
    ) -> Result<Tag, ApiError> {
        let body = TagBody { id: tag, admin_id: admin };
        let path = ["conversations", conversation.as_str(), "tags"];
        self.change(Method::POST, &path, Some(&body)).await
    }

    /// Takes a tag off a conversation: `DELETE /conversations/{id}/tags/{tag}`.
    ///
    /// # Errors
    /// [`ApiError`]; [`ApiError::NotFound`] when it was not on it.
    pub async fn untag(
        &self,
        conversation: &ExternalId,
        admin: &ExternalId,
        tag: &ExternalId,
    ) -> Result<Tag, ApiError> {
        let path = ["conversations", conversation.as_str(), "tags", tag.as_str()];
        self.change(Method::DELETE, &path, Some(&UntagBody { admin_id: admin })).await
    }

    /// Lists the workspace's tags: `GET /tags`.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn tags(&self) -> Result<Vec<Tag>, ApiError> {
        let page: Page<Tag> = self.read(&["tags"], &[]).await?;
        Ok(all_of(page, "tags"))
    }

    /// Finds the tag of a name, or creates it: `POST /tags`, which the vendor itself makes one call.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn ensure_tag(&self, name: &str) -> Result<Tag, ApiError> {
        self.change(Method::POST, &["tags"], Some(&NameBody { name })).await
    }

    /// Changes what is known of a conversation: `PUT /conversations/{id}`.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn update_conversation(
        &self,
        conversation: &ExternalId,
        update: &Update,
    ) -> Result<Conversation, ApiError> {
        let path = ["conversations", conversation.as_str()];
        self.change(Method::PUT, &path, Some(update)).await
    }

    /// Makes a ticket of a conversation: `POST /conversations/{id}/convert`.
    ///
    /// # Errors
    /// [`ApiError`]; [`ApiError::Invalid`] also when it is one already. Never repeated inside.
    pub async fn convert_to_ticket(
        &self,
        conversation: &ExternalId,
        draft: TicketDraft<'_>,
    ) -> Result<Ticket, ApiError> {
        let named =
            [("_default_title_", draft.title), ("_default_description_", draft.description)];
        let attributes =
            named.into_iter().filter_map(|(name, value)| value.map(|value| (name, value)));
        let body = ConvertBody {
            ticket_type_id: draft.ticket_type,
            attributes: attributes.collect::<BTreeMap<_, _>>(),
        };
        let path = ["conversations", conversation.as_str(), "convert"];
        self.change(Method::POST, &path, Some(&body)).await
    }
}

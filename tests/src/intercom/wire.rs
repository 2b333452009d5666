//! Conversations as Intercom answers with them, in the version that was asked for.

use super::{
    Conversation, Json, Part, Priority, Version,
    html::plain,
    people::number,
    workspace::{TicketType, Workspace, submitted},
};
use serde_json::json;

/// What the vendor's document sets as the most parts that an answer holds.
pub(crate) const PARTS_AT_MOST: usize = 500;

/// How a conversation is to be shown.
#[derive(Clone, Copy)]
pub(crate) struct Shown {
    pub(crate) version: Version,
    /// Bodies as plain text.
    pub(crate) plaintext: bool,
}

impl From<Version> for Shown {
    fn from(version: Version) -> Self {
        Self { version, plaintext: false }
    }
}

impl Shown {
    fn body(self, html: Option<&str>) -> Json {
        match html {
            Some(html) if self.plaintext => json!(plain(html)),
            html => json!(html),
        }
    }

    /// Shows a conversation without parts, as lists do.
    pub(crate) fn listed(self, conversation: &Conversation, workspace: &Workspace) -> Json {
        let contact = workspace.contacts.get(&conversation.contact);
        let contacts: Vec<Json> = contact.iter().map(|contact| contact.reference()).collect();
        let tags: Vec<Json> = conversation.tags.iter().map(|tag| tag.json()).collect();
        let first_reply = conversation
            .first_contact_reply_at
            .map(|at| json!({ "created_at": at, "type": "conversation", "url": null }));
        let linked: Vec<Json> = conversation
            .ticket
            .iter()
            .map(|id| json!({ "type": "ticket", "id": id, "category": "Customer" }))
            .collect();
        json!({
            "type": "conversation", "id": conversation.id, "created_at": conversation.created_at,
            "updated_at": conversation.updated_at, "waiting_since": conversation.waiting_since,
            "snoozed_until": conversation.snoozed_until, "source": self.source(conversation),
            "contacts": { "type": "contact.list", "contacts": contacts },
            "first_contact_reply": first_reply,
            "admin_assignee_id": self.assignee(conversation.admin_assignee.as_deref()),
            "team_assignee_id": self.assignee(conversation.team_assignee.as_deref()),
            "open": conversation.state != super::State::Closed,
            "state": conversation.state.name(), "read": conversation.read,
            "tags": { "type": "tag.list", "tags": tags },
            "priority": self.priority(conversation.priority), "sla_applied": null,
            "statistics": null, "conversation_rating": rating(conversation), "teammates": null,
            "title": conversation.title, "custom_attributes": conversation.custom_attributes,
            "topics": {}, "ticket": null,
            "linked_objects": { "type": "list", "data": linked, "total_count": linked.len(),
                                "has_more": false },
            "ai_agent": null, "ai_agent_participated": conversation.ai_agent_participated,
        })
    }

    /// Shows a conversation with the newest of these parts.
    pub(crate) fn whole(
        self,
        conversation: &Conversation,
        parts: &[Part],
        workspace: &Workspace,
    ) -> Json {
        let newest = &parts[parts.len().saturating_sub(PARTS_AT_MOST)..];
        let shown: Vec<Json> = newest.iter().map(|part| self.part(part)).collect();
        let mut whole = self.listed(conversation, workspace);
        whole["conversation_parts"] = json!({
            "type": "conversation_part.list", "conversation_parts": shown,
            "total_count": parts.len(),
        });
        whole
    }

    fn assignee(self, id: Option<&str>) -> Json {
        match (id, self.version) {
            (Some(id), _) => number(id),
            (None, Version::V2_14) => Json::Null,
            (None, Version::V2_16) => json!(0),
        }
    }

    fn priority(self, priority: Priority) -> Json {
        match (self.version, priority) {
            (Version::V2_14, Priority::None) => json!("not_priority"),
            (Version::V2_14, _) => json!("priority"),
            (Version::V2_16, priority) => json!(priority),
        }
    }

    fn source(self, conversation: &Conversation) -> Json {
        let source = &conversation.source;
        json!({
            "type": source.kind, "id": source.id, "delivered_as": "customer_initiated",
            "subject": source.subject,
            "body": self.body(source.body.as_deref().or(Some(""))),
            "author": source.author.json(), "attachments": [], "url": null,
            "redacted": source.redacted,
        })
    }

    fn part(self, part: &Part) -> Json {
        let assigned_to =
            part.assigned_to.as_ref().map(|(kind, id)| json!({ "type": kind, "id": id }));
        let mut metadata = json!({});
        if !part.quick_replies.is_empty() {
            metadata["quick_reply_options"] = json!(part.quick_replies);
        }
        if let Some(uuid) = &part.quick_reply {
            metadata["quick_reply_uuid"] = json!(uuid);
        }
        json!({
            "type": "conversation_part", "id": part.id, "part_type": part.part_type,
            "body": self.body(part.body.as_deref()), "created_at": part.created_at,
            "updated_at": part.created_at, "notified_at": part.created_at,
            "assigned_to": assigned_to, "author": part.author.json(), "attachments": [],
            "external_id": null, "redacted": part.redacted, "metadata": metadata,
            "email_message_metadata": null, "state": part.state.name(), "tags": [],
            "event_details": null, "app_package_code": part.app_package_code,
        })
    }

    /// Shows the ticket that was made of a conversation.
    pub(crate) fn ticket(
        self,
        conversation: &Conversation,
        kind: &TicketType,
        workspace: &Workspace,
    ) -> Json {
        let contact = workspace.contacts.get(&conversation.contact);
        let contacts: Vec<Json> = contact.iter().map(|contact| contact.reference()).collect();
        let assignee = |id: &Option<String>| {
            let id = id.as_deref().unwrap_or("0");
            if self.version == Version::V2_14 { json!(id) } else { number(id) }
        };
        let id = conversation.ticket.as_deref().unwrap_or_default();
        json!({
            "type": "ticket", "id": id, "ticket_id": "22", "category": kind.category,
            "ticket_attributes": {},
            "ticket_state": submitted(),
            "ticket_type": kind.json(workspace),
            "contacts": { "type": "contact.list", "contacts": contacts },
            "admin_assignee_id": assignee(&conversation.admin_assignee),
            "team_assignee_id": assignee(&conversation.team_assignee),
            "created_at": conversation.created_at, "updated_at": conversation.updated_at,
            "open": true, "is_shared": true,
            "linked_objects": { "type": "list", "data": [], "total_count": 0, "has_more": false },
            "ticket_parts": { "type": "ticket_part.list", "ticket_parts": [], "total_count": 0 },
        })
    }
}

fn rating(conversation: &Conversation) -> Json {
    let Some(rating) = &conversation.rating else { return Json::Null };
    json!({
        "rating": rating.rating, "remark": rating.remark, "created_at": rating.created_at,
        "updated_at": rating.created_at,
        "contact": { "type": "contact", "id": conversation.contact, "external_id": null },
        "teammate": { "type": "admin", "id": conversation.admin_assignee },
    })
}

impl super::Author {
    fn json(&self) -> Json {
        json!({
            "type": self.kind, "id": self.id, "name": self.name,
            "email": self.email.as_deref().unwrap_or_default(),
        })
    }
}

impl super::Tagging {
    /// Shows a tag that a conversation has.
    pub(crate) fn json(&self) -> Json {
        json!({
            "type": "tag", "id": self.id, "name": self.name, "applied_at": self.applied_at,
            "applied_by": { "type": "admin", "id": self.applied_by },
        })
    }
}

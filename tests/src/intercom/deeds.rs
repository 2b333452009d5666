//! What contacts and admins do to conversations, through the messenger, the inbox or the API.

use super::{
    Author, Conversation, Json, Part, Priority, QuickReply, Rating, Refusal, Source, State,
    Tagging,
    workspace::{Announcement, Workspace},
};
use serde_json::{Map, json};

/// A part that is about to be.
#[derive(Default)]
pub(crate) struct Draft {
    pub(crate) part_type: &'static str,
    pub(crate) body: Option<String>,
    pub(crate) assigned_to: Option<(String, String)>,
    pub(crate) quick_replies: Vec<QuickReply>,
    pub(crate) quick_reply: Option<String>,
    /// Whether it comes through the API; such parts carry the app's code.
    pub(crate) through_the_api: bool,
}

impl Draft {
    /// Drafts what a person does by hand.
    pub(crate) fn by_hand(part_type: &'static str, body: Option<String>) -> Self {
        Self { part_type, body, ..Self::default() }
    }

    /// Drafts what an app does.
    pub(crate) fn by_app(part_type: &'static str, body: Option<String>) -> Self {
        Self { through_the_api: true, ..Self::by_hand(part_type, body) }
    }
}

/// What a conversation begins with.
pub(crate) struct Opening {
    pub(crate) contact: String,
    /// `conversation`, `email` and so on.
    pub(crate) kind: String,
    pub(crate) subject: String,
    /// HTML.
    pub(crate) body: String,
}

/// To whom a conversation is given.
pub(crate) enum Assignee {
    Admin(Option<String>),
    Team(Option<String>),
}

/// What stands in the place of a body that was taken away, as the vendor's example has it.
const REDACTED: &str = "<p><i>This message was deleted</i></p>";

impl Workspace {
    /// Opens a conversation and answers with its id.
    pub(crate) fn open(&mut self, opening: Opening) -> Result<String, Refusal> {
        let author = self.contact_author(&opening.contact)?;
        let number = 215_470_000_000_000 + self.next();
        let id = number.to_string();
        let source = Source {
            id: (403_918_000 + self.next()).to_string(),
            kind: opening.kind,
            subject: opening.subject,
            body: Some(opening.body),
            author,
            redacted: false,
        };
        let conversation = Conversation {
            id: id.clone(),
            created_at: self.now,
            updated_at: self.now,
            title: None,
            state: State::Open,
            read: false,
            priority: Priority::None,
            waiting_since: Some(self.now),
            snoozed_until: None,
            source,
            contact: opening.contact,
            admin_assignee: None,
            team_assignee: None,
            tags: Vec::new(),
            custom_attributes: Map::new(),
            rating: None,
            ticket: None,
            first_contact_reply_at: None,
            ai_agent_participated: false,
            parts: Vec::new(),
        };
        self.conversations.insert(number, conversation);
        self.announce("conversation.user.created", &id, &[]);
        Ok(id)
    }

    /// Has the contact say something. In a conversation that was not open, the part is an `open`.
    pub(crate) fn contact_says(
        &mut self,
        id: &str,
        contact: &str,
        mut draft: Draft,
    ) -> Result<Part, Refusal> {
        let author = self.contact_author(contact)?;
        let now = self.now;
        let conversation = self.conversation_mut(id)?;
        if conversation.state != State::Open {
            draft.part_type = "open";
        }
        conversation.state = State::Open;
        conversation.snoozed_until = None;
        conversation.read = false;
        conversation.waiting_since.get_or_insert(now);
        if conversation.parts.iter().any(|part| part.author.kind == "admin") {
            conversation.first_contact_reply_at.get_or_insert(now);
        }
        self.keep(id, author, draft, "conversation.user.replied")
    }

    /// Has an admin write a comment, a note or buttons. The conversation stays where it stands.
    pub(crate) fn admin_writes(
        &mut self,
        id: &str,
        admin: &str,
        draft: Draft,
    ) -> Result<Part, Refusal> {
        let author = self.admin_author(admin)?;
        let conversation = self.conversation_mut(id)?;
        let note = draft.part_type == "note";
        if !note {
            conversation.waiting_since = None;
        }
        let topic = if note { "conversation.admin.noted" } else { "conversation.admin.replied" };
        self.keep(id, author, draft, topic)
    }

    /// Gives a conversation to a team or an admin, or takes it from them. A closed one is opened,
    /// as in the vendor's example. A team given by name takes the place of the admin, as it does in
    /// the inbox; the document does not say so.
    pub(crate) fn assign(
        &mut self,
        id: &str,
        admin: &str,
        to: Assignee,
        mut draft: Draft,
    ) -> Result<Part, Refusal> {
        let author = self.admin_author(admin)?;
        let unknown = |_| Refusal::new(404, "assignee_not_found", "Assignee not found");
        match &to {
            Assignee::Admin(Some(id)) => drop(self.admin(id).map_err(unknown)?),
            Assignee::Team(Some(id)) => drop(self.team(id).map_err(unknown)?),
            _ => {}
        }
        let conversation = self.conversation_mut(id)?;
        let mut topic = "conversation.admin.assigned";
        if conversation.state == State::Closed {
            conversation.state = State::Open;
            draft.part_type = "assign_and_reopen";
            topic = "conversation.admin.open.assigned";
        }
        let shares_out = match &to {
            Assignee::Team(Some(id)) => self.next_of_team(id),
            _ => None,
        };
        let conversation = self.conversation_mut(id)?;
        draft.assigned_to = match to {
            Assignee::Admin(to) => {
                conversation.admin_assignee.clone_from(&to);
                to.map(|id| ("admin".to_string(), id))
            }
            Assignee::Team(to) => {
                conversation.team_assignee.clone_from(&to);
                if to.is_some() {
                    conversation.admin_assignee = None;
                }
                to.map(|id| ("team".to_string(), id))
            }
        };
        let part = self.keep(id, author, draft, topic)?;
        if shares_out.is_some() {
            self.workflow_assigns(id, shares_out)?;
        }
        Ok(part)
    }

    /// Returns who gets what a team gets, where it shares out.
    fn next_of_team(&self, id: &str) -> Option<String> {
        let team = self.team(id).ok().filter(|team| team.round_robin)?;
        team.admins.first().cloned()
    }

    /// Has the vendor's own machinery give a conversation to somebody, or to nobody.
    pub(crate) fn workflow_assigns(
        &mut self,
        id: &str,
        to: Option<String>,
    ) -> Result<Part, Refusal> {
        let author = Author {
            kind: "bot".into(),
            id: "991267645".into(),
            name: Some("Fin".into()),
            email: Some("operator@intercom.io".into()),
        };
        self.conversation_mut(id)?.admin_assignee.clone_from(&to);
        let draft = Draft {
            assigned_to: to.map(|id| ("admin".to_string(), id)),
            ..Draft::by_hand("default_assignment", None)
        };
        self.keep(id, author, draft, "conversation.admin.assigned")
    }

    /// Closes or opens a conversation, or lets it sleep until a time.
    pub(crate) fn turn(
        &mut self,
        id: &str,
        admin: &str,
        to: State,
        draft: Draft,
    ) -> Result<Part, Refusal> {
        let author = self.admin_author(admin)?;
        let conversation = self.conversation_mut(id)?;
        conversation.state = to;
        if to != State::Snoozed {
            conversation.snoozed_until = None;
        }
        if to == State::Closed {
            conversation.waiting_since = None;
        }
        let topic = match to {
            State::Open => "conversation.admin.opened",
            State::Closed => "conversation.admin.closed",
            State::Snoozed => "conversation.admin.snoozed",
        };
        self.keep(id, author, draft, topic)
    }

    /// Keeps attributes of a conversation. Each leaves a part of Fin's, of which no webhook tells.
    pub(crate) fn set_attributes(
        &mut self,
        id: &str,
        attributes: &Map<String, Json>,
    ) -> Result<(), Refusal> {
        for (name, value) in attributes {
            let author = Author {
                kind: "bot".into(),
                id: "991267645".into(),
                name: Some("Fin".into()),
                email: Some("operator@intercom.io".into()),
            };
            let draft = Draft::by_hand("conversation_attribute_updated_by_admin", None);
            self.add(id, author, draft)?;
            let held = &mut self.conversation_mut(id)?.custom_attributes;
            held.insert(name.clone(), value.clone());
        }
        Ok(())
    }

    /// Adds a part and has webhooks tell of it.
    fn keep(
        &mut self,
        id: &str,
        author: Author,
        draft: Draft,
        topic: &'static str,
    ) -> Result<Part, Refusal> {
        let part = self.add(id, author, draft)?;
        self.announce(topic, id, std::slice::from_ref(&part));
        Ok(part)
    }

    fn add(&mut self, id: &str, author: Author, draft: Draft) -> Result<Part, Refusal> {
        let now = self.now;
        let part_id = (26_000_000_000 + self.next()).to_string();
        let code = draft.through_the_api.then(|| self.app_package_code.clone());
        let conversation = self.conversation_mut(id)?;
        let by_mail = code.is_some() && conversation.source.kind == "email";
        let said = draft.body.is_some() || !draft.quick_replies.is_empty();
        let part = Part {
            sent_to_contact: said
                && author.kind == "admin"
                && draft.part_type != "note"
                && !by_mail,
            id: part_id,
            part_type: draft.part_type.into(),
            body: draft.body,
            created_at: now,
            author,
            assigned_to: draft.assigned_to,
            redacted: false,
            quick_replies: draft.quick_replies,
            quick_reply: draft.quick_reply,
            state: conversation.state,
            app_package_code: code,
        };
        conversation.updated_at = now;
        conversation.parts.push(part.clone());
        Ok(part)
    }

    /// Puts a tag on a conversation; one that it has stays as it is.
    pub(crate) fn tag_conversation(
        &mut self,
        id: &str,
        tag: &str,
        admin: &str,
    ) -> Result<Tagging, Refusal> {
        let (now, admin) = (self.now, self.admin(admin)?.id.clone());
        let tag = self.tag(tag)?.clone();
        let conversation = self.conversation_mut(id)?;
        if let Some(tagging) = conversation.tags.iter().find(|tagging| tagging.id == tag.id) {
            return Ok(tagging.clone());
        }
        let tagging = Tagging { id: tag.id, name: tag.name, applied_at: now, applied_by: admin };
        conversation.tags.push(tagging.clone());
        conversation.updated_at = now;
        Ok(tagging)
    }

    /// Keeps what the contact thought.
    pub(crate) fn rate(&mut self, id: &str, rating: u8, remark: &str) -> Result<(), Refusal> {
        let now = self.now;
        let conversation = self.conversation_mut(id)?;
        conversation.rating = Some(Rating { rating, remark: remark.into(), created_at: now });
        conversation.updated_at = now;
        self.announce("conversation.rating.added", id, &[]);
        Ok(())
    }

    /// Removes a conversation for good. Webhooks tell only which one it was.
    pub(crate) fn delete(&mut self, id: &str) -> Result<(), Refusal> {
        let id = self.conversation(id)?.id.clone();
        self.conversations.retain(|_, conversation| conversation.id != id);
        self.deleted.push((id.clone(), self.now));
        let item = json!({ "type": "conversation", "id": id });
        self.announced.push(Announcement { topic: "conversation.deleted", item });
        Ok(())
    }

    /// Puts the vendor's words in the place of a part's body; of the source's, where its id is given.
    pub(crate) fn redact(&mut self, id: &str, part: &str) -> Result<(), Refusal> {
        let now = self.now;
        let conversation = self.conversation_mut(id)?;
        conversation.updated_at = now;
        if conversation.source.id == part {
            conversation.source.body = Some(REDACTED.into());
            conversation.source.redacted = true;
            self.announce("conversation_part.redacted", id, &[]);
            return Ok(());
        }
        let Some(part) = conversation.parts.iter_mut().find(|known| known.id == part) else {
            let message = "Conversation part or message not found";
            return Err(Refusal::new(404, "conversation_part_or_message_not_found", message));
        };
        part.body = Some(REDACTED.into());
        part.redacted = true;
        let part = part.clone();
        self.announce("conversation_part.redacted", id, &[part]);
        Ok(())
    }

    /// Makes one contact of two; `from` is no more.
    pub(crate) fn merge(&mut self, from: &str, into: &str) -> Result<(), Refusal> {
        self.contact(into)?;
        self.contact(from)?;
        self.contacts.remove(from);
        self.merged.insert(from.into(), into.into());
        for conversation in self.conversations.values_mut() {
            if conversation.contact == from {
                conversation.contact = into.into();
                conversation.updated_at = self.now;
            }
        }
        let item = self.contact(into)?.json(self);
        self.announced.push(Announcement { topic: "contact.merged", item });
        Ok(())
    }

    /// Removes a contact for good, and answers with what is left of them.
    pub(crate) fn delete_contact(&mut self, id: &str) -> Result<Json, Refusal> {
        let contact = self.contacts.remove(id).ok_or_else(Refusal::no_contact)?;
        let mut item = contact.reference();
        item["deleted"] = json!(true);
        self.announced.push(Announcement { topic: "contact.deleted", item: item.clone() });
        Ok(item)
    }
}

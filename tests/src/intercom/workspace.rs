//! Everything that the stand-in knows.

use super::{
    Admin, Author, Company, Contact, Conversation, Json, Part, Refusal, Team, Version, wire::Shown,
};
use serde::Serialize;
use serde_json::{Map, json};
use std::collections::BTreeMap;

/// A workspace: its people, conversations and articles, and the announcements that wait to be sent.
pub(crate) struct Workspace {
    /// Seconds; set by whoever takes the workspace in hand.
    pub(crate) now: i64,
    pub(crate) started_at: i64,
    pub(crate) app_id: String,
    /// What parts that came through the API carry.
    pub(crate) app_package_code: String,
    /// The version of the app, in which webhooks speak.
    pub(crate) version: Version,
    /// The first is the one whose token it is.
    pub(crate) admins: Vec<Admin>,
    pub(crate) teams: Vec<Team>,
    pub(crate) contacts: BTreeMap<String, Contact>,
    /// Where merged contacts went.
    pub(crate) merged: BTreeMap<String, String>,
    pub(crate) companies: BTreeMap<String, Company>,
    pub(crate) tags: Vec<Tag>,
    pub(crate) conversations: BTreeMap<u64, Conversation>,
    pub(crate) deleted: Vec<(String, i64)>,
    pub(crate) articles: Vec<Article>,
    pub(crate) sources: Vec<ImportSource>,
    pub(crate) pages: Vec<ExternalPage>,
    pub(crate) attributes: Vec<DataAttribute>,
    pub(crate) ticket_types: Vec<TicketType>,
    /// What happened and was not yet told; drained when the workspace is let go.
    pub(crate) announced: Vec<Announcement>,
    n_ids: u64,
}

/// Something that webhooks tell of.
pub(crate) struct Announcement {
    pub(crate) topic: &'static str,
    pub(crate) item: Json,
}

/// A label.
#[derive(Clone, Debug)]
pub(crate) struct Tag {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// An article of the help centre.
#[derive(Clone, Debug, Serialize)]
pub struct Article {
    /// Digits; given by the stand-in.
    pub id: String,
    /// Its title.
    pub title: String,
    /// HTML.
    pub body: String,
    /// `published` or `draft`.
    pub state: String,
    /// Of its default locale, such as `en`.
    pub locale: String,
    /// Who may read it, such as `everyone` or `restricted`.
    pub audience: String,
    /// Seconds.
    pub created_at: i64,
    /// Seconds.
    pub updated_at: i64,
}

/// Where external pages come from.
#[derive(Clone, Debug, Serialize)]
pub struct ImportSource {
    /// Theirs.
    pub id: i64,
    /// Theirs.
    pub url: String,
    /// `active` or `deactivated`.
    pub status: String,
    /// Seconds.
    pub created_at: i64,
}

/// A page that the workspace's AI reads.
#[derive(Clone, Debug, Serialize)]
pub struct ExternalPage {
    /// Digits.
    pub id: String,
    /// The source it belongs to.
    pub source_id: i64,
    /// The id that its sender chose.
    pub external_id: String,
    /// Its title.
    pub title: String,
    /// HTML.
    pub html: String,
    /// Where customers can read it.
    pub url: Option<String>,
    /// Whether Fin answers from it.
    pub for_agent: bool,
    /// Whether the copilot does.
    pub for_copilot: bool,
    /// Seconds.
    pub created_at: i64,
    /// Seconds.
    pub updated_at: i64,
}

/// An attribute that contacts, companies or conversations can have.
#[derive(Clone, Debug)]
pub(crate) struct DataAttribute {
    pub(crate) id: i64,
    /// `contact`, `company` or `conversation`.
    pub(crate) model: String,
    pub(crate) name: String,
    pub(crate) data_type: String,
    pub(crate) description: String,
    pub(crate) created_at: i64,
}

/// A kind of ticket.
#[derive(Clone, Debug)]
pub(crate) struct TicketType {
    pub(crate) id: String,
    pub(crate) name: String,
    /// `Customer`, `Back-office` or `Tracker`.
    pub(crate) category: String,
}

impl Workspace {
    pub(crate) fn new(now: i64, version: Version) -> Self {
        let admin = |id: &str, name: &str, email: &str| Admin {
            id: id.into(),
            name: name.into(),
            email: email.into(),
            has_inbox_seat: true,
            away: false,
        };
        let kind = |id: &str, name: &str, category: &str| TicketType {
            id: id.into(),
            name: name.into(),
            category: category.into(),
        };
        Self {
            now,
            started_at: now,
            app_id: "a86dr8yl".into(),
            app_package_code: "frontdesk-stand-in".into(),
            version,
            admins: vec![admin("991267694", "Frontdesk", "bot@vannerly.example")],
            teams: Vec::new(),
            contacts: BTreeMap::new(),
            merged: BTreeMap::new(),
            companies: BTreeMap::new(),
            tags: Vec::new(),
            conversations: BTreeMap::new(),
            deleted: Vec::new(),
            articles: Vec::new(),
            sources: Vec::new(),
            pages: Vec::new(),
            attributes: Vec::new(),
            ticket_types: vec![
                kind("53", "Bug report", "Customer"),
                kind("54", "Internal work", "Back-office"),
            ],
            announced: Vec::new(),
            n_ids: 0,
        }
    }

    /// Makes a number that was not given before.
    pub(crate) fn next(&mut self) -> u64 {
        self.n_ids += 1;
        self.n_ids
    }

    /// Makes an id of 24 hexadecimal digits.
    pub(crate) fn next_hex(&mut self) -> String {
        format!("6762f1571bb69f9f{:08x}", self.next())
    }

    pub(crate) fn admin(&self, id: &str) -> Result<&Admin, Refusal> {
        let found = self.admins.iter().find(|admin| admin.id == id);
        found.ok_or_else(|| Refusal::new(404, "admin_not_found", "Admin not found"))
    }

    pub(crate) fn team(&self, id: &str) -> Result<&Team, Refusal> {
        let found = self.teams.iter().find(|team| team.id == id);
        found.ok_or_else(|| Refusal::new(404, "team_not_found", "Team not found"))
    }

    pub(crate) fn tag(&self, id: &str) -> Result<&Tag, Refusal> {
        let found = self.tags.iter().find(|tag| tag.id == id);
        found.ok_or_else(|| Refusal::new(404, "tag_not_found", "Tag not found"))
    }

    pub(crate) fn contact(&self, id: &str) -> Result<&Contact, Refusal> {
        self.contacts.get(id).ok_or_else(Refusal::no_contact)
    }

    pub(crate) fn conversation(&self, id: &str) -> Result<&Conversation, Refusal> {
        let found = id.parse().ok().and_then(|id: u64| self.conversations.get(&id));
        found.ok_or_else(Refusal::not_found)
    }

    pub(crate) fn conversation_mut(&mut self, id: &str) -> Result<&mut Conversation, Refusal> {
        let found = id.parse().ok().and_then(|id: u64| self.conversations.get_mut(&id));
        found.ok_or_else(Refusal::not_found)
    }

    /// Names a contact as the author of something.
    pub(crate) fn contact_author(&self, id: &str) -> Result<Author, Refusal> {
        let contact = self.contact(id)?;
        Ok(Author {
            kind: contact.role().into(),
            id: contact.id.clone(),
            name: contact.name.clone(),
            email: contact.email.clone(),
        })
    }

    /// Names an admin as the author of something.
    pub(crate) fn admin_author(&self, id: &str) -> Result<Author, Refusal> {
        let admin = self.admin(id)?;
        Ok(Author {
            kind: "admin".into(),
            id: admin.id.clone(),
            name: Some(admin.name.clone()),
            email: Some(admin.email.clone()),
        })
    }

    /// Has webhooks tell of a conversation, with these of its parts.
    pub(crate) fn announce(&mut self, topic: &'static str, id: &str, parts: &[Part]) {
        let Ok(conversation) = self.conversation(id) else { return };
        let item = Shown::from(self.version).whole(conversation, parts, self);
        self.announced.push(Announcement { topic, item });
    }

    /// Refuses attributes that the workspace does not have, or whose value no schema allows.
    pub(crate) fn check_attributes(&self, attributes: &Map<String, Json>) -> Result<(), Refusal> {
        for (name, value) in attributes {
            let known = |attribute: &&DataAttribute| {
                attribute.model == "conversation" && attribute.name == *name
            };
            match self.attributes.iter().filter(known).count() {
                1 => {}
                0 => {
                    let message = format!("Conversation attribute '{name}' does not exist");
                    return Err(Refusal::invalid(message));
                }
                _ => {
                    let message = format!("More than one attribute has the name '{name}'");
                    return Err(Refusal::invalid(message));
                }
            }
            if !(value.is_string() || value.is_i64() || value.is_object()) {
                let message = format!("'{value}' is not a valid value for '{name}'");
                return Err(Refusal::invalid(message));
            }
        }
        Ok(())
    }
}

impl Tag {
    pub(crate) fn json(&self) -> Json {
        json!({ "type": "tag", "id": self.id, "name": self.name })
    }
}

impl TicketType {
    pub(crate) fn json(&self, workspace: &Workspace) -> Json {
        json!({
            "type": "ticket_type", "id": self.id, "name": self.name, "description": "",
            "icon": "🎟️", "workspace_id": workspace.app_id, "archived": false,
            "created_at": workspace.started_at, "updated_at": workspace.started_at,
            "is_internal": self.category != "Customer", "category": self.category,
            "ticket_type_attributes": { "type": "list", "data": [] },
            "ticket_states": { "type": "list", "data": [submitted()] },
        })
    }
}

/// The state that a ticket begins in.
pub(crate) fn submitted() -> Json {
    json!({
        "type": "ticket_state", "id": "7493", "category": "submitted",
        "internal_label": "Submitted", "external_label": "Submitted",
    })
}

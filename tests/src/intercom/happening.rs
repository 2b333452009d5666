//! What people do in the messenger and in the inbox, as tests have them do it.

use super::{
    Admin, Article, Company, Contact, Json, Priority, Refusal, State, Team,
    deeds::{Assignee, Draft, Opening},
    html::typed,
    workspace::{Announcement, DataAttribute, Tag, Workspace},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};

/// Something that people do. In JSON: `{"what": "customer_writes", "contact": …, "text": …}`.
///
/// Texts are as typed, not HTML. What befalls answers with the id of what came to be, or of what
/// it befell.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case", deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are ids and texts that say what they are")]
pub enum Happening {
    /// An admin gets a seat.
    AdminJoins { name: String },
    /// A team is made, of these admins.
    TeamForms { name: String, admins: Vec<String> },
    /// A team shares out what it gets from now on.
    TeamSharesOut { team: String },
    /// A team is no more.
    TeamLeaves { team: String },
    /// A workflow gives a conversation to an admin, or takes it from whoever has it.
    WorkflowAssigns { conversation: String, to_admin: Option<String> },
    /// A contact becomes known; one with an external id is a user, the others are leads.
    ContactArrives {
        name: Option<String>,
        email: Option<String>,
        external_id: Option<String>,
        custom_attributes: Map<String, Json>,
    },
    /// A contact is found to belong to a company.
    ContactJoins {
        contact: String,
        name: String,
        plan: Option<String>,
        custom_attributes: Map<String, Json>,
    },
    /// A contact's attribute changes.
    ContactChanges { contact: String, attribute: String, value: Json },
    /// A company pays for another plan.
    CompanyPays { company: String, plan: String },
    /// A tag is made.
    TagAppears { name: String },
    /// An attribute is defined in the settings; `model` is contact, company or conversation.
    AttributeAppears { model: String, name: String, data_type: String },
    /// An article is published, or changed where the id is known.
    ArticleAppears { id: Option<String>, title: String, body: String, state: String },
    /// A customer opens a conversation in the messenger.
    CustomerWrites { contact: String, text: String },
    /// A customer opens a conversation by e-mail, or on another channel, which `source` names.
    CustomerMails { contact: String, source: String, subject: String, text: String },
    /// A customer says more.
    CustomerReplies { conversation: String, text: String },
    /// A customer clicks a button.
    CustomerClicks { conversation: String, option: String },
    /// A customer rates, from 1 to 5.
    CustomerRates { conversation: String, rating: u8, remark: String },
    /// An admin answers.
    AdminReplies { admin: String, conversation: String, text: String },
    /// An admin writes a note.
    AdminNotes { admin: String, conversation: String, text: String },
    /// An admin gives a conversation to an admin, or to nobody.
    AdminAssigns { admin: String, conversation: String, to_admin: Option<String> },
    /// An admin gives a conversation to a team, or to none.
    AdminAssignsTeam { admin: String, conversation: String, to_team: Option<String> },
    /// An admin closes a conversation.
    AdminCloses { admin: String, conversation: String },
    /// An admin opens a conversation.
    AdminOpens { admin: String, conversation: String },
    /// An admin lets a conversation sleep until a time in seconds.
    AdminSnoozes { admin: String, conversation: String, until: i64 },
    /// An admin says how urgent a conversation is.
    PriorityChanges { conversation: String, to: Priority },
    /// A conversation is removed for good.
    ConversationIsDeleted { conversation: String },
    /// The body of a part, or of the source, is taken away.
    PartIsRedacted { conversation: String, part: String },
    /// Two contacts turn out to be one.
    ContactsMerge { from: String, into: String },
    /// A contact is removed for good.
    ContactIsDeleted { contact: String },
    /// The vendor tries the webhook.
    Ping,
}

impl Happening {
    pub(crate) fn befall(self, workspace: &mut Workspace) -> Result<String, Refusal> {
        match self {
            Self::CustomerWrites { .. }
            | Self::CustomerMails { .. }
            | Self::CustomerReplies { .. }
            | Self::CustomerClicks { .. }
            | Self::CustomerRates { .. } => self.by_customer(workspace),
            Self::AdminReplies { .. }
            | Self::AdminNotes { .. }
            | Self::AdminAssigns { .. }
            | Self::AdminAssignsTeam { .. }
            | Self::AdminCloses { .. }
            | Self::AdminOpens { .. }
            | Self::AdminSnoozes { .. } => self.by_admin(workspace),
            _ => self.by_settings(workspace),
        }
    }

    fn by_customer(self, workspace: &mut Workspace) -> Result<String, Refusal> {
        match self {
            Self::CustomerWrites { contact, text } => workspace.open(Opening {
                contact,
                kind: "conversation".into(),
                subject: String::new(),
                body: typed(&text),
            }),
            Self::CustomerMails { contact, source, subject, text } => {
                workspace.open(Opening { contact, kind: source, subject, body: typed(&text) })
            }
            Self::CustomerReplies { conversation, text } => {
                let contact = workspace.conversation(&conversation)?.contact.clone();
                let draft = Draft::by_hand("comment", Some(typed(&text)));
                let part = workspace.contact_says(&conversation, &contact, draft)?;
                Ok(part.id)
            }
            Self::CustomerClicks { conversation, option } => {
                let talk = workspace.conversation(&conversation)?;
                let contact = talk.contact.clone();
                let options = talk.parts.iter().flat_map(|part| &part.quick_replies);
                let clicked = options.rev().find(|known| known.uuid == option);
                let text = clicked.ok_or_else(Refusal::not_found)?.text.clone();
                let draft = Draft {
                    quick_reply: Some(option),
                    ..Draft::by_hand("comment", Some(typed(&text)))
                };
                let part = workspace.contact_says(&conversation, &contact, draft)?;
                Ok(part.id)
            }
            Self::CustomerRates { conversation, rating, remark } => {
                workspace.rate(&conversation, rating, &remark)?;
                Ok(conversation)
            }
            _ => Err(Refusal::not_found()),
        }
    }

    fn by_admin(self, workspace: &mut Workspace) -> Result<String, Refusal> {
        let part = match self {
            Self::AdminReplies { admin, conversation, text } => {
                let draft = Draft::by_hand("comment", Some(typed(&text)));
                workspace.admin_writes(&conversation, &admin, draft)?
            }
            Self::AdminNotes { admin, conversation, text } => {
                let draft = Draft::by_hand("note", Some(typed(&text)));
                workspace.admin_writes(&conversation, &admin, draft)?
            }
            Self::AdminAssigns { admin, conversation, to_admin } => {
                let to = Assignee::Admin(to_admin);
                workspace.assign(&conversation, &admin, to, Draft::by_hand("assignment", None))?
            }
            Self::AdminAssignsTeam { admin, conversation, to_team } => {
                let to = Assignee::Team(to_team);
                workspace.assign(&conversation, &admin, to, Draft::by_hand("assignment", None))?
            }
            Self::AdminCloses { admin, conversation } => {
                let draft = Draft::by_hand("close", None);
                workspace.turn(&conversation, &admin, State::Closed, draft)?
            }
            Self::AdminOpens { admin, conversation } => {
                let draft = Draft::by_hand("open", None);
                workspace.turn(&conversation, &admin, State::Open, draft)?
            }
            Self::AdminSnoozes { admin, conversation, until } => {
                workspace.conversation_mut(&conversation)?.snoozed_until = Some(until);
                let draft = Draft::by_hand("snoozed", None);
                workspace.turn(&conversation, &admin, State::Snoozed, draft)?
            }
            _ => return Err(Refusal::not_found()),
        };
        Ok(part.id)
    }

    fn by_settings(self, workspace: &mut Workspace) -> Result<String, Refusal> {
        match self {
            Self::PriorityChanges { conversation, to } => {
                let now = workspace.now;
                let talk = workspace.conversation_mut(&conversation)?;
                talk.priority = to;
                talk.updated_at = now;
                workspace.announce("conversation.priority.updated", &conversation, &[]);
                Ok(conversation)
            }
            Self::ConversationIsDeleted { conversation } => {
                workspace.delete(&conversation).map(|()| conversation)
            }
            Self::PartIsRedacted { conversation, part } => {
                workspace.redact(&conversation, &part).map(|()| part)
            }
            Self::ContactsMerge { from, into } => workspace.merge(&from, &into).map(|()| into),
            Self::ContactIsDeleted { contact } => {
                workspace.delete_contact(&contact).map(|_| contact)
            }
            Self::ContactChanges { contact, attribute, value } => {
                let now = workspace.now;
                let missing = Refusal::no_contact;
                let changed = workspace.contacts.get_mut(&contact).ok_or_else(missing)?;
                changed.custom_attributes.insert(attribute, value);
                changed.updated_at = now;
                let item = workspace.contact(&contact)?.json(workspace);
                workspace.announced.push(Announcement { topic: "contact.user.updated", item });
                Ok(contact)
            }
            Self::WorkflowAssigns { conversation, to_admin } => {
                workspace.workflow_assigns(&conversation, to_admin).map(|part| part.id)
            }
            Self::TeamLeaves { team } => {
                workspace.teams.retain(|known| known.id != team);
                Ok(team)
            }
            Self::TeamSharesOut { team } => {
                workspace.teams.iter_mut().filter(|known| known.id == team).for_each(|known| {
                    known.round_robin = true;
                });
                Ok(team)
            }
            Self::Ping => {
                let item = json!({ "type": "ping", "message": "something something interzen" });
                workspace.announced.push(Announcement { topic: "ping", item });
                Ok(String::new())
            }
            other => Ok(other.appear(workspace)),
        }
    }

    /// Adds what the workspace has from its settings and its customers.
    fn appear(self, workspace: &mut Workspace) -> String {
        let (now, number) = (workspace.now, workspace.next());
        match self {
            Self::AdminJoins { name } => {
                let id = (991_268_000 + number).to_string();
                let email = format!("admin{number}@vannerly.example");
                let (has_inbox_seat, away) = (true, false);
                workspace.admins.push(Admin { id: id.clone(), name, email, has_inbox_seat, away });
                id
            }
            Self::TeamForms { name, admins } => {
                let id = (5_017_000 + number).to_string();
                workspace.teams.push(Team { id: id.clone(), name, admins, round_robin: false });
                id
            }
            Self::ContactArrives { name, email, external_id, custom_attributes } => {
                let id = workspace.next_hex();
                let contact = Contact {
                    id: id.clone(),
                    external_id,
                    name,
                    email,
                    custom_attributes,
                    companies: Vec::new(),
                    created_at: now,
                    updated_at: now,
                };
                workspace.contacts.insert(id.clone(), contact);
                id
            }
            Self::ContactJoins { contact, name, plan, custom_attributes } => {
                let id = workspace.next_hex();
                let company_id = format!("company-{number}");
                let created_at = now;
                let id_held = id.clone();
                let company =
                    Company { id: id_held, company_id, name, plan, custom_attributes, created_at };
                workspace.companies.insert(id.clone(), company);
                if let Some(contact) = workspace.contacts.get_mut(&contact) {
                    contact.companies.push(id.clone());
                }
                id
            }
            Self::CompanyPays { company, plan } => pays(workspace, company, plan),
            Self::TagAppears { name } => {
                let id = (80 + number).to_string();
                workspace.tags.push(Tag { id: id.clone(), name });
                id
            }
            Self::AttributeAppears { model, name, data_type } => {
                let id = i64::try_from(number).unwrap_or(i64::MAX);
                let (description, created_at) = (String::new(), now);
                let made = DataAttribute { id, model, name, data_type, description, created_at };
                workspace.attributes.push(made);
                id.to_string()
            }
            Self::ArticleAppears { id, title, body, state } => {
                publish(workspace, id, (title, body, state))
            }
            _ => String::new(),
        }
    }
}

fn publish(
    workspace: &mut Workspace,
    id: Option<String>,
    (title, body, state): (String, String, String),
) -> String {
    let now = workspace.now;
    let known = workspace.articles.iter_mut().find(|article| Some(&article.id) == id.as_ref());
    if let Some(article) = known {
        (article.title, article.body, article.state) = (title, body, state);
        article.updated_at = now;
        return article.id.clone();
    }
    let id = id.unwrap_or_else(|| (9_000_000 + workspace.next()).to_string());
    let article = Article {
        id: id.clone(),
        title,
        body,
        state,
        locale: "en".into(),
        audience: "everyone".into(),
        created_at: now,
        updated_at: now,
    };
    workspace.articles.push(article);
    id
}

/// Has a company pay for another plan.
fn pays(workspace: &mut Workspace, id: String, plan: String) -> String {
    if let Some(company) = workspace.companies.get_mut(&id) {
        company.plan = Some(plan);
    }
    if let Some(known) = workspace.companies.get(&id) {
        let item = known.json(workspace, workspace.version);
        workspace.announced.push(Announcement { topic: "company.updated", item });
    }
    id
}

//! The stand-in's verbs: what tests have people do, and what they look at.

use super::{
    Article, Contact, Conversation, ExternalPage, Happening, ImportSource, Json, Refusal, StandIn,
};
use serde_json::{Map, json};
use std::time::Duration;

/// How long something may take that a test waits for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Makes attributes of a JSON object.
fn attributes(object: Json) -> Map<String, Json> {
    match object {
        Json::Object(attributes) => attributes,
        _ => Map::new(),
    }
}

impl StandIn {
    /// Has something happen, and answers with the id of what came to be, or of what it befell.
    ///
    /// # Errors
    /// As the API would refuse it: where a conversation, a contact or an admin is not there.
    pub fn happen(&self, happening: Happening) -> Result<String, Refusal> {
        self.inner.with(|workspace| happening.befall(workspace))
    }

    fn must(&self, happening: Happening) -> String {
        self.happen(happening).unwrap_or_else(|refusal| panic!("{}", refusal.message))
    }

    /// Names the admin whose token it is.
    pub fn bot_admin(&self) -> String {
        self.inner.look(|workspace| workspace.admins[0].id.clone())
    }

    /// Gives somebody a seat.
    pub fn with_admin(&self, name: &str) -> String {
        self.must(Happening::AdminJoins { name: name.into() })
    }

    /// Makes a team of these admins.
    pub fn with_team(&self, name: &str, admins: &[&str]) -> String {
        let admins = admins.iter().map(ToString::to_string).collect();
        self.must(Happening::TeamForms { name: name.into(), admins })
    }

    /// Makes a user known, with attributes as a JSON object.
    pub fn with_user(&self, name: &str, external_id: &str, custom_attributes: Json) -> String {
        self.must(Happening::ContactArrives {
            name: Some(name.into()),
            email: Some(format!("{external_id}@customers.example")),
            external_id: Some(external_id.into()),
            custom_attributes: attributes(custom_attributes),
        })
    }

    /// Makes a lead known, of whom nothing is known.
    pub fn with_lead(&self) -> String {
        self.must(Happening::ContactArrives {
            name: None,
            email: None,
            external_id: None,
            custom_attributes: Map::new(),
        })
    }

    /// Puts a contact into a company, with attributes as a JSON object.
    pub fn with_company(
        &self,
        contact: &str,
        name: &str,
        plan: Option<&str>,
        custom_attributes: Json,
    ) -> String {
        self.must(Happening::ContactJoins {
            contact: contact.into(),
            name: name.into(),
            plan: plan.map(str::to_string),
            custom_attributes: attributes(custom_attributes),
        })
    }

    /// A company pays for another plan.
    pub fn company_pays(&self, company: &str, plan: &str) {
        self.must(Happening::CompanyPays { company: company.into(), plan: plan.into() });
    }

    /// Makes a tag.
    pub fn with_tag(&self, name: &str) -> String {
        self.must(Happening::TagAppears { name: name.into() })
    }

    /// Defines an attribute of conversations, as the settings do.
    pub fn with_conversation_attribute(&self, name: &str, data_type: &str) -> String {
        self.must(Happening::AttributeAppears {
            model: "conversation".into(),
            name: name.into(),
            data_type: data_type.into(),
        })
    }

    /// Publishes an article of the help centre.
    pub fn with_article(&self, title: &str, body: &str) -> String {
        self.publish(None, title, body, "published")
    }

    /// Publishes or changes an article; `state` is `published` or `draft`.
    pub fn publish(&self, id: Option<&str>, title: &str, body: &str, state: &str) -> String {
        self.must(Happening::ArticleAppears {
            id: id.map(str::to_string),
            title: title.into(),
            body: body.into(),
            state: state.into(),
        })
    }

    /// Removes an article of the help centre.
    pub fn unpublish(&self, id: &str) {
        self.inner.with(|workspace| workspace.articles.retain(|article| article.id != id));
    }

    /// Lets only an audience read an article, such as `restricted`.
    pub fn restrict(&self, id: &str, audience: &str) {
        self.inner.with(|workspace| {
            let article = workspace.articles.iter_mut().find(|article| article.id == id);
            article.unwrap().audience = audience.into();
        });
    }

    /// Has another app push a page of a source, which is made where there is none.
    pub fn with_external_page(&self, source_url: &str, external_id: &str) {
        self.inner.with(|workspace| {
            let (now, id) = (workspace.now, i64::try_from(workspace.next()).unwrap());
            let known = workspace.sources.iter().find(|source| source.url == source_url);
            let source_id = known.map_or(id, |source| source.id);
            if known.is_none() {
                let (url, status) = (source_url.into(), "active".into());
                workspace.sources.push(ImportSource { id, url, status, created_at: now });
            }
            workspace.pages.push(ExternalPage {
                id: (20_000 + id).to_string(),
                source_id,
                external_id: external_id.into(),
                title: "Theirs".into(),
                html: "<p>Theirs</p>".into(),
                url: None,
                for_agent: true,
                for_copilot: true,
                created_at: now,
                updated_at: now,
            });
        });
    }

    /// Switches the sources of pages off, or on again.
    pub fn switch_sources(&self, status: &str) {
        self.inner.with(|workspace| {
            for source in &mut workspace.sources {
                source.status = status.into();
            }
        });
    }

    /// Has a customer open a conversation in the messenger, and answers with its id.
    pub fn customer_writes(&self, contact: &str, text: &str) -> String {
        self.must(Happening::CustomerWrites { contact: contact.into(), text: text.into() })
    }

    /// Has a customer open a conversation by e-mail, and answers with its id.
    pub fn email_conversation(&self, contact: &str, subject: &str, text: &str) -> String {
        self.must(Happening::CustomerMails {
            contact: contact.into(),
            source: "email".into(),
            subject: subject.into(),
            text: text.into(),
        })
    }

    /// Has the customer say more, and answers with the part's id.
    pub fn customer_replies(&self, conversation: &str, text: &str) -> String {
        let (conversation, text) = (conversation.into(), text.into());
        self.must(Happening::CustomerReplies { conversation, text })
    }

    /// Has the customer click the button of this UUID.
    pub fn customer_clicks(&self, conversation: &str, option: &str) -> String {
        let (conversation, option) = (conversation.into(), option.into());
        self.must(Happening::CustomerClicks { conversation, option })
    }

    /// Has the customer rate, from 1 to 5.
    pub fn rate(&self, conversation: &str, rating: u8, remark: &str) {
        let (conversation, remark) = (conversation.into(), remark.into());
        self.must(Happening::CustomerRates { conversation, rating, remark });
    }

    /// Has an admin answer, by hand in the inbox.
    pub fn admin_replies(&self, admin: &str, conversation: &str, text: &str) -> String {
        let (admin, conversation, text) = (admin.into(), conversation.into(), text.into());
        self.must(Happening::AdminReplies { admin, conversation, text })
    }

    /// Has an admin write a note.
    pub fn admin_notes(&self, admin: &str, conversation: &str, text: &str) -> String {
        let (admin, conversation, text) = (admin.into(), conversation.into(), text.into());
        self.must(Happening::AdminNotes { admin, conversation, text })
    }

    /// Has an admin give a conversation to an admin, or to nobody.
    pub fn admin_assigns(&self, admin: &str, conversation: &str, to: Option<&str>) -> String {
        let to_admin = to.map(str::to_string);
        let (admin, conversation) = (admin.into(), conversation.into());
        self.must(Happening::AdminAssigns { admin, conversation, to_admin })
    }

    /// Has an admin give a conversation to a team, or to none.
    pub fn admin_assigns_team(&self, admin: &str, conversation: &str, to: Option<&str>) -> String {
        let to_team = to.map(str::to_string);
        let (admin, conversation) = (admin.into(), conversation.into());
        self.must(Happening::AdminAssignsTeam { admin, conversation, to_team })
    }

    /// Has an admin close a conversation.
    pub fn admin_closes(&self, admin: &str, conversation: &str) -> String {
        let (admin, conversation) = (admin.into(), conversation.into());
        self.must(Happening::AdminCloses { admin, conversation })
    }

    /// Has an admin open a conversation.
    pub fn admin_opens(&self, admin: &str, conversation: &str) -> String {
        let (admin, conversation) = (admin.into(), conversation.into());
        self.must(Happening::AdminOpens { admin, conversation })
    }

    /// Removes a conversation for good.
    pub fn delete_conversation(&self, conversation: &str) {
        self.must(Happening::ConversationIsDeleted { conversation: conversation.into() });
    }

    /// Takes the body of a part away, or that of the source, where its id is given.
    pub fn redact_part(&self, conversation: &str, part: &str) {
        let (conversation, part) = (conversation.into(), part.into());
        self.must(Happening::PartIsRedacted { conversation, part });
    }

    /// Makes one contact of two; `from` is no more.
    pub fn merge_contacts(&self, from: &str, into: &str) {
        self.must(Happening::ContactsMerge { from: from.into(), into: into.into() });
    }

    /// Removes a contact for good.
    pub fn delete_contact(&self, contact: &str) {
        self.must(Happening::ContactIsDeleted { contact: contact.into() });
    }

    /// Changes an attribute of a contact.
    pub fn change_contact(&self, contact: &str, attribute: &str, value: &str) {
        let (contact, attribute) = (contact.into(), attribute.into());
        self.must(Happening::ContactChanges { contact, attribute, value: json!(value) });
    }

    /// Tries the webhook, with no id.
    pub fn ping(&self) {
        self.must(Happening::Ping);
    }

    /// Looks at a conversation.
    pub fn conversation(&self, id: &str) -> Option<Conversation> {
        self.inner.look(|workspace| workspace.conversation(id).ok().cloned())
    }

    /// Looks at every conversation, oldest first.
    pub fn conversations(&self) -> Vec<Conversation> {
        self.inner.look(|workspace| workspace.conversations.values().cloned().collect())
    }

    /// Looks at a contact.
    pub fn contact(&self, id: &str) -> Option<Contact> {
        self.inner.look(|workspace| workspace.contact(id).ok().cloned())
    }

    /// Looks at the articles.
    pub fn articles(&self) -> Vec<Article> {
        self.inner.look(|workspace| workspace.articles.clone())
    }

    /// Looks at the pages that Fin was given.
    pub fn external_pages(&self) -> Vec<ExternalPage> {
        self.inner.look(|workspace| workspace.pages.clone())
    }

    /// Waits until a conversation is as wanted, and answers with it.
    ///
    /// # Panics
    /// When that takes longer than half a minute, with the conversation as it then is.
    pub async fn wait_for(
        &self,
        conversation: &str,
        wanted: impl Fn(&Conversation) -> bool,
    ) -> Conversation {
        let found = self.wait_until(|| self.conversation(conversation).filter(|held| wanted(held)));
        match tokio::time::timeout(PATIENCE, found).await {
            Ok(found) => found,
            Err(_) => panic!("not as wanted: {:#?}", self.conversation(conversation)),
        }
    }

    /// Looks again after each change until there is something to see. Waits for ever: to be called
    /// under a timeout.
    pub async fn wait_until<T>(&self, look: impl Fn() -> Option<T>) -> T {
        loop {
            let changed = self.inner.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if let Some(seen) = look() {
                return seen;
            }
            changed.await;
        }
    }
}

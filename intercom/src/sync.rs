use crate::{
    channel::{BY_EMAIL, Intercom, failed},
    client::{ApiError, Class, Condition, Display, Operand, Operator, Query},
    directory::NAME,
    history::{self, part_name, source_name},
    posts::PRIORITY_TAG,
    text,
    wire::{Company, Contact, Conversation, ExternalId, Private},
};
use bot::{Elsewhere, Happened, Happening, Office, OfficeError};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value as Json, json};
use std::{collections::BTreeMap, sync::PoisonError};
use store::{Customer, Ended, Guard, Id, Identity, Post, Record};

/// How often conversations are looked for whose webhook never came.
const POLL_EVERY: SignedDuration = SignedDuration::from_secs(60);

/// How far back a poll looks beyond the last one: searches lag behind what happened.
const OVERLAP_S: i64 = 60;

/// Conversations of a page of a poll.
const PER_PAGE: u32 = 150;

/// How often a conversation is looked at that polls find unchanged: what happened within the second
/// of the first look may not have been there yet.
const LOOKS: u8 = 2;

/// How long what is known of a customer counts as fresh.
const FRESH: SignedDuration = SignedDuration::from_mins(10);

/// Why an errand was not done.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error(transparent)]
    Office(#[from] OfficeError),
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        Self::Office(error.into())
    }
}

impl Intercom {
    /// Reads a conversation and has the office catch up with it; one that is gone there is erased
    /// here.
    pub(crate) async fn catch_up_with(&self, office: &Office, id: &ExternalId) -> Ended {
        ended(office, self.caught_up(office, id).await)
    }

    async fn caught_up(&self, office: &Office, id: &ExternalId) -> Result<(), Failure> {
        let directory = self.directory(office).await?;
        let conversation = match self.client.conversation(id, Display::Html).await {
            // Something that stands before the vendor and knows no such address says so otherwise.
            Err(gone @ ApiError::NotFound { .. })
                if matches!(gone.code(), Some("not_found" | "conversation_not_found")) =>
            {
                return forget(office, id).await;
            }
            read => read?,
        };
        let channel = match conversation.source.as_ref().is_some_and(|source| source.is_email()) {
            true => BY_EMAIL,
            false => NAME,
        };
        redact(office, channel, &conversation).await?;
        let Some(contact) = contact_of(&conversation) else { return Ok(()) };
        // Erased here, but not yet from every corner of the vendor's.
        if office.store().was_asked_for(NAME, &gone(&contact)).await? {
            return Ok(());
        }
        let customer = self.customer(office, &contact, &conversation).await?;
        let known = office.store().conversation_named(channel, id.as_str()).await?;
        let mut happenings = history::happenings(&conversation, &directory);
        if let Some(known) = &known {
            merge(office, known, customer).await?;
            let pending = office.store().posts_pending(known.id).await?;
            happenings.retain(|happening| !pending.iter().any(|post| is_of(post, happening)));
        }
        let tags = conversation.tags.iter().map(|tag| tag.name.clone());
        let tags = tags.filter(|tag| !tag.starts_with(PRIORITY_TAG)).collect();
        let held_by = history::held_by(&conversation, &directory);
        let name = id.to_string();
        let channel = channel.to_string();
        office.catch_up(Elsewhere { channel, name, customer, happenings, held_by, tags }).await?;
        Ok(())
    }

    /// Returns the customer of a conversation, as well known as is fresh.
    async fn customer(
        &self,
        office: &Office,
        contact: &ExternalId,
        conversation: &Conversation,
    ) -> Result<Id<Customer>, Failure> {
        let identity = identity(contact);
        let known = office.store().customer_named(&identity).await?;
        let fresh_since = office.now().saturating_sub(FRESH).unwrap_or(Timestamp::MIN);
        if let Some(known) = known.as_ref().filter(|known| known.seen_at >= fresh_since) {
            return Ok(known.id);
        }
        let customer = match self.read_customer(contact).await {
            Ok(read) => read,
            // An answer without these facts is better than none; the next look tries again.
            Err(failure) if known.is_none() => {
                tracing::warn!(error = %failure, "what is known of a customer was not read");
                Facts { at: Some(Timestamp::UNIX_EPOCH), ..told_of(conversation) }
            }
            Err(_) => return Ok(known.map_or(Id::new(office.now()), |known| known.id)),
        };
        keep(office, identity, known, customer).await
    }

    async fn read_customer(&self, id: &ExternalId) -> Result<Facts, ApiError> {
        let client = self.client.of_class(Class::Context);
        let contact = client.contact(id).await?;
        let company = match contact.companies.is_empty() {
            true => None,
            false => client.companies_of(id, None).await?.items.into_iter().next(),
        };
        Ok(facts(&contact, company.as_ref()))
    }

    /// Reads anew what is known of a customer who was here.
    pub(crate) async fn refresh_customer(&self, office: &Office, id: &ExternalId) -> Ended {
        let refreshed = async {
            let Some(known) = office.store().customer_named(&identity(id)).await? else {
                return Ok(());
            };
            match self.read_customer(id).await {
                // Merged into another, or erased: then the notice of that follows.
                Err(ApiError::NotFound { .. }) => Ok(()),
                read => keep(office, identity(id), Some(known), read?).await.map(drop),
            }
        };
        ended(office, refreshed.await)
    }

    /// Erases a customer who was erased there.
    pub(crate) async fn erase_customer(&self, office: &Office, id: &ExternalId) -> Ended {
        let erased = async {
            if let Some(known) = office.store().customer_named(&identity(id)).await? {
                office.store().erase(known.id).await?;
            }
            Ok(())
        };
        ended(office, erased.await)
    }

    /// Looks for conversations that changed since the last look, and has each looked at. `memo`
    /// holds up to which second that was.
    pub(crate) async fn poll(&self, office: &Office, memo: Option<&str>) -> Ended {
        let now = office.now();
        let Some(since) = memo.and_then(|memo| memo.parse().ok()) else {
            // Whoever connects begins with what comes from then on. That moment is noted before
            // anything is looked for: whatever keeps the first polls from their end, what comes
            // until one succeeds is found by it.
            return Ended::Again(now, Some(now.as_second().to_string()));
        };
        match self.look_since(office, since).await {
            Ok(reached) => {
                let at = now.saturating_add(POLL_EVERY).unwrap_or(Timestamp::MAX);
                Ended::Again(at, Some(reached.max(since).to_string()))
            }
            Err(failure) => ended(office, Err(failure)),
        }
    }

    /// Returns the second of the newest change that was seen.
    async fn look_since(&self, office: &Office, since: i64) -> Result<i64, Failure> {
        let client = self.client.of_class(Class::Background);
        let from = Operand::Number(since.saturating_sub(OVERLAP_S));
        let query = Query::One(Condition::new("updated_at", Operator::After, from));
        let (mut cursor, mut reached) = (None, since);
        let mut seen = Sightings::new();
        loop {
            let page = client.search_conversations(&query, cursor.as_ref(), PER_PAGE).await?;
            for found in &page.items {
                let updated_at = found.updated_at;
                reached = reached.max(updated_at.map_or(since, Timestamp::as_second));
                let n_looks = self.looks_at(&found.id, updated_at);
                if n_looks < LOOKS {
                    let subject = format!("conversation:{}", found.id);
                    office.store().ask_for(NAME, &subject, office.now()).await?;
                }
                seen.insert(found.id.clone(), (updated_at, n_looks.saturating_add(1)));
            }
            cursor = page.next;
            if cursor.is_none() {
                *self.sightings.lock().unwrap_or_else(PoisonError::into_inner) = seen;
                return Ok(reached);
            }
        }
    }

    /// Returns how many polls have found a conversation as it is.
    fn looks_at(&self, id: &ExternalId, updated_at: Option<Timestamp>) -> u8 {
        let sightings = self.sightings.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = sightings.get(id).filter(|(at, _)| at.is_some() && *at == updated_at);
        seen.map_or(0, |(_, n_looks)| *n_looks)
    }
}

/// Conversations that a poll found, when each had changed last, and how many polls in a row found it
/// so.
pub(crate) type Sightings = BTreeMap<ExternalId, (Option<Timestamp>, u8)>;

/// How customers are asked for who are to be erased.
fn gone(contact: &ExternalId) -> String {
    format!("gone:{contact}")
}

/// Gives a conversation to the customer who has it there by now: two may turn out to be one. Whoever
/// has none left is no more.
async fn merge(office: &Office, known: &Record, customer: Id<Customer>) -> Result<(), Failure> {
    if known.customer == customer {
        return Ok(());
    }
    let moved = office.store().change(known.id, Guard::None, office.now(), |record, _| {
        record.customer = customer;
        Ok::<_, std::convert::Infallible>(())
    });
    moved.await?.unwrap_or_else(|never| match never {});
    if office.store().conversations_of(known.customer, 1).await?.is_empty() {
        office.store().erase(known.customer).await?;
    }
    Ok(())
}

/// Whether something happened because of a post that is still on its way: a teammate's reply that
/// was written here and went out under the teammate's own name. Its sender notes what became of it.
fn is_of(post: &Post, happening: &Happening) -> bool {
    let Happened::Answered { teammate, text, .. } = &happening.what else { return false };
    let written = |name: &str| post.body.get(name).and_then(Json::as_str).unwrap_or_default();
    let said = text::to_text(&text::from_markdown(written("text")));
    post.kind == "reply"
        && post.n_attempts > 0
        && written("teammate") == teammate.as_str()
        && text.split_whitespace().eq(said.split_whitespace())
}

/// What is known of a customer.
#[derive(Default)]
struct Facts {
    name: Option<String>,
    email: Option<String>,
    locale: Option<String>,
    attributes: Map<String, Json>,
    /// When it was read; None: now.
    at: Option<Timestamp>,
}

fn facts(contact: &Contact, company: Option<&Company>) -> Facts {
    let text = |text: &Option<Private<String>>| text.as_ref().map(|text| text.as_str().to_string());
    let mut attributes: Map<String, Json> =
        contact.custom_attributes.reveal().clone().into_iter().filter(plain).collect();
    if let Some(external_id) = text(&contact.external_id) {
        attributes.insert("external_id".into(), external_id.into());
    }
    attributes.insert("role".into(), contact.role.clone().into());
    if let Some(company) = company {
        attributes.insert("company".into(), company_facts(company));
    }
    let locale = contact.language_override.clone().or(contact.browser_language.clone());
    Facts { name: text(&contact.name), email: text(&contact.email), locale, attributes, at: None }
}

fn company_facts(company: &Company) -> Json {
    let mut facts: Map<String, Json> =
        company.custom_attributes.reveal().clone().into_iter().filter(plain).collect();
    let named = [
        ("id", company.company_id.as_ref().map(|id| json!(id.as_str()))),
        ("name", company.name.as_ref().map(|name| json!(name.as_str()))),
        ("plan", company.plan.name.as_ref().map(|plan| json!(plan))),
        ("arr", company.monthly_spend.map(|monthly| json!(monthly * 12.0))),
        ("size", company.size.map(|size| json!(size))),
        ("industry", company.industry.as_ref().map(|industry| json!(industry))),
    ];
    for (name, value) in named {
        // The desk's own attribute of that name says more than the vendor's field.
        if let (false, Some(value)) = (facts.contains_key(name), value) {
            facts.insert(name.into(), value);
        }
    }
    let tags: Vec<&str> = company.tags.iter().map(|tag| tag.name.as_str()).collect();
    facts.insert("tags".into(), json!(tags));
    Json::Object(facts)
}

/// References to custom objects mean nothing to rules.
fn plain((_, value): &(String, Json)) -> bool {
    !value.is_object() && !value.is_null()
}

/// Returns what a conversation itself tells of its customer.
fn told_of(conversation: &Conversation) -> Facts {
    let author = conversation.source.as_ref().and_then(|source| source.author.as_ref());
    let Some(author) = author.filter(|author| author.kind.is_customer()) else {
        return Facts::default();
    };
    let text = |text: &Option<Private<String>>| text.as_ref().map(|text| text.as_str().to_string());
    Facts { name: text(&author.name), email: text(&author.email), ..Facts::default() }
}

async fn keep(
    office: &Office,
    identity: Identity,
    known: Option<Customer>,
    facts: Facts,
) -> Result<Id<Customer>, Failure> {
    let now = office.now();
    let customer = Customer {
        id: known.as_ref().map_or(Id::new(now), |known| known.id),
        identity: Some(identity),
        name: facts.name,
        email: facts.email,
        locale: facts.locale,
        attributes: facts.attributes,
        created_at: known.as_ref().map_or(now, |known| known.created_at),
        seen_at: facts.at.unwrap_or(now),
    };
    match known {
        None => Ok(office.store().keep_customer(&customer).await?.id),
        Some(known) => {
            office.store().alter_customer(&customer).await?;
            Ok(known.id)
        }
    }
}

fn identity(contact: &ExternalId) -> Identity {
    Identity { realm: NAME.into(), external_id: contact.to_string() }
}

/// Returns the customer of a conversation: the first one that it lists, else whoever began it.
fn contact_of(conversation: &Conversation) -> Option<ExternalId> {
    let listed = conversation.contacts.first().map(|contact| contact.id.clone());
    let author = || {
        let author = conversation.source.as_ref()?.author.as_ref()?;
        author.id.clone().filter(|_| author.kind.is_customer())
    };
    listed.or_else(author)
}

/// Takes away here what was taken away there.
async fn redact(
    office: &Office,
    channel: &str,
    conversation: &Conversation,
) -> Result<(), Failure> {
    let parts = conversation.parts.parts.iter().filter(|part| part.redacted);
    let mut names: Vec<String> = parts.map(|part| part_name(&part.id)).collect();
    if conversation.source.as_ref().is_some_and(|source| source.redacted) {
        names.push(source_name(&conversation.id));
    }
    for name in names {
        office.store().redact(channel, &name).await?;
    }
    Ok(())
}

async fn forget(office: &Office, id: &ExternalId) -> Result<(), Failure> {
    for channel in [NAME, BY_EMAIL] {
        if let Some(known) = office.store().conversation_named(channel, id.as_str()).await? {
            office.store().erase_conversation(known.id).await?;
        }
    }
    Ok(())
}

fn ended(office: &Office, done: Result<(), Failure>) -> Ended {
    match done {
        Ok(()) => Ended::Done,
        Err(Failure::Api(failure)) => failed(office, &failure),
        Err(Failure::Office(failure)) => {
            let cause = std::error::Error::source(&failure).map(ToString::to_string);
            tracing::error!(error = %failure, cause, "an errand at Intercom failed here");
            Ended::Failed(office.now(), failure.to_string())
        }
    }
}

//! What is known of customers, from their own attributes and those of their company.

use crate::{
    channel::Intercom,
    client::{ApiError, Class},
    directory::NAME,
    sync::{Failure, ended},
    wire::{Company, Contact, Conversation, ExternalId, Private},
};
use bot::Office;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value as Json, json};
use std::convert::Infallible;
use store::{Customer, Ended, Id, Identity};

/// How long what is known of a customer counts as fresh.
const FRESH: SignedDuration = SignedDuration::from_mins(10);

/// What the vendor calls a company, among what is known of it.
const COMPANY_ID: &str = "intercom_id";

impl Intercom {
    /// Returns the customer of a conversation, as well known as is fresh.
    pub(crate) async fn customer(
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

    /// Has what is known of a company's customers read anew when they are met next.
    pub(crate) async fn outdate_company(&self, office: &Office, id: &ExternalId) -> Ended {
        let known = json!({COMPANY_ID: id.as_str()}).to_string();
        let known = known.trim_matches(['{', '}']);
        let outdated = office.store().outdate_customers(NAME, known).await;
        ended(office, outdated.map(drop).map_err(Failure::from))
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
    facts.insert(COMPANY_ID.into(), json!(company.id.as_str()));
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
            let read = |kept: &mut Customer| {
                *kept = customer;
                Ok::<_, Infallible>(())
            };
            match office.store().alter_customer(known.id, read).await? {
                Ok(kept) => Ok(kept.id),
                Err(never) => match never {},
            }
        }
    }
}

pub(crate) fn identity(contact: &ExternalId) -> Identity {
    Identity { realm: NAME.into(), external_id: contact.to_string() }
}

use super::{
    asked::{Asked, Body, Named, given, id},
    bearer::Program,
    conversations::Conversation,
    page::{Listed, MOST, Part},
};
use crate::{Front, outside, problem::Problem};
use axum::{Json, extract::State, http::StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use store::{Audit, Identity, Page};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The longest name, address or locale.
const MOST_CHARACTERS: usize = 320;

pub(super) fn routes() -> OpenApiRouter<Front> {
    OpenApiRouter::new()
        .routes(routes!(list, open))
        .routes(routes!(get, alter, erase))
        .routes(routes!(named, put))
        .routes(routes!(conversations))
}

/// A person who asks.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Customer {
    /// Id.
    #[schema(format = "uuid")]
    id: String,
    /// Who says who it is: `desk` for the desk's own systems, or the name of a channel; null: a
    /// visitor nobody knows.
    realm: Option<String>,
    /// How the realm names the customer.
    external_id: Option<String>,
    name: Option<String>,
    email: Option<String>,
    /// Locale that the customer reads, such as `de-AT`.
    locale: Option<String>,
    /// Attributes such as `tier`; those of the company stand under `company`.
    attributes: Map<String, Value>,
    /// When the customer first came.
    created_at: Timestamp,
    /// When the customer was last seen.
    seen_at: Timestamp,
}

impl From<store::Customer> for Customer {
    fn from(customer: store::Customer) -> Self {
        let (realm, external_id) = match customer.identity {
            Some(Identity { realm, external_id }) => (Some(realm), Some(external_id)),
            None => (None, None),
        };
        Self {
            id: customer.id.to_string(),
            realm,
            external_id,
            name: customer.name,
            email: customer.email,
            locale: customer.locale,
            attributes: customer.attributes,
            created_at: customer.created_at,
            seen_at: customer.seen_at,
        }
    }
}

/// Which customers are looked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// At most so many, 1 to 100; 20 unless given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// Only what is older than this: the `next` of the page before.
    before: Option<String>,
    /// A part of name, address or external id.
    text: Option<String>,
}

/// Lists customers, newest first.
#[utoipa::path(get, path = "/customers", tag = "customers", params(Wanted),
    security(("token" = ["customers:read"])),
    responses((status = 200, description = "A page of customers.", body = Listed<Customer>)))]
async fn list(
    State(front): State<Front>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Listed<Customer>>, Problem> {
    let page = Part { limit: wanted.limit, before: wanted.before }.page()?;
    let found = front.office.store().customers(wanted.text.as_deref(), &page).await?;
    let id = |customer: &store::Customer| customer.id.to_string();
    Ok(Json(Listed::of(found, &page, (id, Customer::from))))
}

/// What is known of a customer. What is left out stays as it was; null removes it.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Known {
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    name: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    email: Option<Option<String>>,
    /// Locale that the customer reads, such as `de-AT`.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    locale: Option<Option<String>>,
    /// Attributes to set, by name; null removes one, others stay.
    #[serde(default)]
    attributes: Map<String, Value>,
}

impl Known {
    fn lay_over(self, customer: &mut store::Customer) -> Result<(), Problem> {
        for (field, text, kept) in [
            ("name", self.name, &mut customer.name),
            ("email", self.email, &mut customer.email),
            ("locale", self.locale, &mut customer.locale),
        ] {
            let Some(text) = text else { continue };
            if text.as_ref().is_some_and(|text| text.chars().count() > MOST_CHARACTERS) {
                let detail = format!("{field} has at most {MOST_CHARACTERS} characters");
                return Err(Problem::at(field, detail));
            }
            *kept = text.filter(|text| !text.trim().is_empty());
        }
        for (name, value) in self.attributes {
            match value {
                Value::Null => drop(customer.attributes.remove(&name)),
                value => drop(customer.attributes.insert(name, value)),
            }
        }
        Ok(())
    }
}

/// Opens a customer whom the desk's own systems do not name.
#[utoipa::path(post, path = "/customers", tag = "customers", request_body = Known,
    security(("token" = ["customers:write"])),
    responses((status = 201, description = "The customer.", body = Customer)))]
async fn open(
    State(front): State<Front>,
    program: Program,
    Body(known): Body<Known>,
) -> Result<(StatusCode, Json<Customer>), Problem> {
    let mut customer = new(&front, None);
    known.lay_over(&mut customer)?;
    let store = front.office.store();
    match program.request() {
        Some(request) => store.open_customer(&customer, &request).await?,
        None => customer = store.keep_customer(&customer).await?,
    }
    Ok((StatusCode::CREATED, Json(customer.into())))
}

fn new(front: &Front, identity: Option<Identity>) -> store::Customer {
    let now = front.office.now();
    store::Customer {
        id: store::Id::new(now),
        identity,
        name: None,
        email: None,
        locale: None,
        attributes: Map::new(),
        created_at: now,
        seen_at: now,
    }
}

/// Returns a customer.
#[utoipa::path(get, path = "/customers/{id}", tag = "customers",
    params(("id" = String, Path, description = "The customer's id.")),
    security(("token" = ["customers:read"])),
    responses((status = 200, description = "The customer.", body = Customer)))]
async fn get(
    State(front): State<Front>,
    Named(customer): Named<String>,
) -> Result<Json<Customer>, Problem> {
    let id = id("customer", &customer)?;
    Ok(Json(front.office.store().customer(id).await?.into()))
}

/// Alters what is known of a customer.
#[utoipa::path(patch, path = "/customers/{id}", tag = "customers",
    params(("id" = String, Path, description = "The customer's id.")),
    request_body = Known, security(("token" = ["customers:write"])),
    responses((status = 200, description = "The customer as known then.", body = Customer)))]
async fn alter(
    State(front): State<Front>,
    Named(customer): Named<String>,
    Body(known): Body<Known>,
) -> Result<Json<Customer>, Problem> {
    let id = id("customer", &customer)?;
    let altered = front.office.store().alter_customer(id, |customer| known.lay_over(customer));
    Ok(Json(altered.await??.into()))
}

/// What was erased.
#[derive(Debug, Serialize, ToSchema)]
struct Erased {
    /// Conversations that were erased with the customer.
    n_conversations: u32,
}

/// Erases a customer with every conversation and all that was kept of them, for good.
#[utoipa::path(delete, path = "/customers/{id}", tag = "customers",
    params(("id" = String, Path, description = "The customer's id.")),
    security(("token" = ["customers:write"])),
    responses((status = 200, description = "What was erased.", body = Erased)))]
async fn erase(
    State(front): State<Front>,
    program: Program,
    Named(customer): Named<String>,
) -> Result<Json<Erased>, Problem> {
    let n_conversations = front.office.store().erase(id("customer", &customer)?).await?;
    let audit = Audit {
        actor: program.actor(),
        action: "customer.erased".into(),
        subject: customer,
        detail: json!({ "n_conversations": n_conversations }),
    };
    front.office.store().note(&audit, front.office.now()).await?;
    Ok(Json(Erased { n_conversations }))
}

fn identity(external_id: &str) -> Result<Identity, Problem> {
    outside::customer(external_id).map_err(|why| Problem::at("external_id", why))
}

/// Returns the customer whom the desk's own systems name so.
#[utoipa::path(get, path = "/customers/by-external-id/{external_id}", tag = "customers",
    params(("external_id" = String, Path, description = "How they name the customer.")),
    security(("token" = ["customers:read"])),
    responses((status = 200, description = "The customer.", body = Customer)))]
async fn named(
    State(front): State<Front>,
    Named(external_id): Named<String>,
) -> Result<Json<Customer>, Problem> {
    let found = front.office.store().customer_named(&identity(&external_id)?).await?;
    Ok(Json(found.ok_or_else(|| Problem::not_found("customer"))?.into()))
}

/// Opens or alters the customer whom the desk's own systems name so.
///
/// It is the same customer whom the messenger proves by `user_hash` or a token.
#[utoipa::path(put, path = "/customers/by-external-id/{external_id}", tag = "customers",
    params(("external_id" = String, Path, description = "How they name the customer.")),
    request_body = Known, security(("token" = ["customers:write"])),
    responses(
        (status = 200, description = "The customer, altered.", body = Customer),
        (status = 201, description = "The customer, new.", body = Customer)))]
async fn put(
    State(front): State<Front>,
    Named(external_id): Named<String>,
    Body(known): Body<Known>,
) -> Result<(StatusCode, Json<Customer>), Problem> {
    let identity = identity(&external_id)?;
    let store = front.office.store();
    let found = match store.customer_named(&identity).await? {
        Some(found) => found,
        None => {
            let mut customer = new(&front, Some(identity));
            known.clone().lay_over(&mut customer)?;
            let kept = store.keep_customer(&customer).await?;
            if kept.id == customer.id {
                return Ok((StatusCode::CREATED, Json(kept.into())));
            }
            // Somebody else has opened the same one since it was looked for.
            kept
        }
    };
    let altered = store.alter_customer(found.id, |customer| known.lay_over(customer)).await??;
    Ok((StatusCode::OK, Json(altered.into())))
}

/// Lists a customer's conversations, the one that changed last first, at most 100.
#[utoipa::path(get, path = "/customers/{id}/conversations", tag = "customers",
    params(("id" = String, Path, description = "The customer's id.")),
    security(("token" = ["conversations:read"])),
    responses((status = 200, description = "Conversations.", body = Listed<Conversation>)))]
async fn conversations(
    State(front): State<Front>,
    Named(customer): Named<String>,
) -> Result<Json<Listed<Conversation>>, Problem> {
    let id = id("customer", &customer)?;
    front.office.store().customer(id).await?;
    let found = front.office.store().conversations_of(id, MOST).await?;
    let page = Page { before: None, limit: MOST + 1 };
    let show = |record: store::Record| Conversation::from(record);
    let id = |record: &store::Record| record.id.to_string();
    Ok(Json(Listed::of(found, &page, (id, show))))
}

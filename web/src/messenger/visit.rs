use super::{
    Porch,
    identity::{Claim, Proven, prove},
    said::Said,
};
use crate::{Front, Problem, caller::Caller, secret};
use axum::{
    Json,
    extract::{FromRef, FromRequestParts, State},
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use store::{Customer, Id, Visit};

/// How long a visitor's browser is recognised after it was last seen. The tokens of visitors are
/// all that leads back to what they wrote.
const VISITOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How long a proof of identity is relied on. The page gives another one when it is loaded.
const VERIFIED: SignedDuration = SignedDuration::from_hours(24);

/// Longest token that can be one of ours, in bytes.
const TOKEN_BYTES: usize = 64;

/// Whoever sends a request, by the token in `Authorization: Bearer …`; read from a request by
/// handlers that take one.
#[derive(Debug, Clone)]
pub(super) struct Visitor(pub(super) Visit);

impl<S> FromRequestParts<S> for Visitor
where
    Front: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let front = Front::from_ref(state);
        let held = held(&front, &parts.headers).await?;
        held.map(Self).ok_or_else(ended)
    }
}

/// Says that a visit is over.
pub(super) fn ended() -> Problem {
    let detail = "the visit has ended or never began; open one at /messenger/v1/visits";
    Problem::new(StatusCode::UNAUTHORIZED, "visit_ended", detail)
}

/// What a page says when it opens a visit.
#[derive(Debug, Deserialize)]
pub(super) struct Hello {
    #[serde(flatten)]
    claim: Claim,
    /// How visitors call themselves; nobody relies on it.
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    locale: Option<String>,
}

/// What it is told.
#[derive(Debug, Serialize)]
pub(super) struct Welcome {
    /// None: the one that was sent is still good.
    token: Option<String>,
    expires_at: String,
    verified: bool,
    name: Option<String>,
    /// Whether what the browser remembers of conversations still belongs to whoever is there.
    continued: bool,
}

/// Opens a visit, or goes on with the one whose token is sent.
///
/// | the browser has | the page proves | what follows |
/// | --- | --- | --- |
/// | nothing | nothing | a new visitor |
/// | a visitor's token | nothing | the same visitor |
/// | a customer's token | nothing | signed out: a new visitor |
/// | a customer's token | the same customer | the same visit, attributes as proven now |
/// | anything else | a customer | a new visit; a visitor's running conversation goes along |
pub(super) async fn open(
    State(porch): State<Porch>,
    caller: Caller,
    headers: HeaderMap,
    Said(hello): Said<Hello>,
) -> Result<Json<Welcome>, Problem> {
    let front = &porch.front;
    let now = front.office.now();
    let proven = prove(&hello.claim, front.settings.identity_secret.as_deref(), now)?;
    let verified = proven.is_some();
    let held = match held(front, &headers).await? {
        Some(visit) => Some((front.office.store().customer(visit.customer).await?, visit)),
        None => None,
    };
    let (arrived, kept, left) = match (proven, held) {
        (None, Some((customer, visit))) if !visit.verified => {
            (Arrived::Known(customer.id, None), Some(visit), None)
        }
        (Some(proven), Some((customer, visit))) if is(&customer, &proven) && visit.verified => {
            (Arrived::Known(customer.id, Some(proven)), Some(visit), None)
        }
        (None, held) => {
            let customer = Customer { name: short(hello.name), ..stranger(now) };
            (Arrived::New(customer), None, held)
        }
        (Some(proven), held) => (named(front, proven, now).await?, None, held),
    };
    if kept.is_none() {
        porch.limits.visit(caller.network(), now).map_err(Problem::too_many)?;
    }
    let locale = hello.locale.filter(|locale| locale.len() <= 35);
    let customer = arrived.keep(front, locale, now).await?;
    let continued = match &left {
        Some((before, visit)) if verified && !visit.verified => {
            front.office.bring_along(before.id, customer.id).await?;
            true
        }
        Some(_) => false,
        None => true,
    };
    if let Some((_, visit)) = left {
        front.office.store().keep_visit(&Visit { expires_at: now, ..visit }).await?;
    }
    let (token, token_hash) = match kept {
        Some(visit) => (None, visit.token_hash),
        None => {
            let token = secret::token().map_err(|failure| Problem::inside(&failure))?;
            let hash = secret::hash(&token);
            (Some(token), hash)
        }
    };
    let expires_at = now + if verified { VERIFIED } else { VISITOR };
    let visit = Visit { token_hash, customer: customer.id, verified, expires_at };
    front.office.store().keep_visit(&visit).await?;
    let expires_at = expires_at.to_string();
    Ok(Json(Welcome { token, expires_at, verified, name: customer.name, continued }))
}

/// Returns the visit of the token in a request.
async fn held(front: &Front, headers: &HeaderMap) -> Result<Option<Visit>, Problem> {
    let written = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = written.and_then(|value| value.strip_prefix("Bearer ")).map(str::trim);
    let Some(token) = token.filter(|token| token.len() == TOKEN_BYTES) else { return Ok(None) };
    Ok(front.office.store().visit(&secret::hash(token), front.office.now()).await?)
}

fn is(customer: &Customer, proven: &Proven) -> bool {
    customer.identity.as_ref() == Some(&proven.identity)
}

/// Lays what is proven over what is known.
fn described(customer: Customer, proven: Proven) -> Customer {
    Customer {
        name: proven.name.or(customer.name),
        email: proven.email.or(customer.email),
        attributes: proven.attributes.unwrap_or(customer.attributes),
        ..customer
    }
}

/// Whoever a visit is of.
enum Arrived {
    New(Customer),
    /// Somebody who is kept, and what is proven anew.
    Known(Id<Customer>, Option<Proven>),
}

impl Arrived {
    /// Keeps who it is. A known customer who was erased meanwhile is not found and stays erased.
    async fn keep(
        self,
        front: &Front,
        locale: Option<String>,
        now: Timestamp,
    ) -> Result<Customer, Problem> {
        let store = front.office.store();
        let seen = |customer: Customer| Customer {
            locale: locale.or(customer.locale),
            seen_at: now,
            ..customer
        };
        match self {
            Self::New(customer) => Ok(store.keep_customer(&seen(customer)).await?),
            Self::Known(id, proven) => {
                let altered = store.alter_customer(id, |customer| {
                    let known = customer.clone();
                    *customer = seen(match proven {
                        Some(proven) => described(known, proven),
                        None => known,
                    });
                    Ok::<_, Infallible>(())
                });
                match altered.await? {
                    Ok(customer) => Ok(customer),
                    Err(never) => match never {},
                }
            }
        }
    }
}

/// Finds the customer who is proven, or makes it.
async fn named(front: &Front, proven: Proven, now: Timestamp) -> Result<Arrived, Problem> {
    Ok(match front.office.store().customer_named(&proven.identity).await? {
        Some(known) => Arrived::Known(known.id, Some(proven)),
        None => {
            let new = Customer { identity: Some(proven.identity.clone()), ..stranger(now) };
            Arrived::New(described(new, proven))
        }
    })
}

fn stranger(now: Timestamp) -> Customer {
    Customer {
        id: Id::new(now),
        identity: None,
        name: None,
        email: None,
        locale: None,
        attributes: serde_json::Map::new(),
        created_at: now,
        seen_at: now,
    }
}

fn short(name: Option<String>) -> Option<String> {
    let name = name.map(|name| name.replace(char::is_control, " ").trim().to_string());
    name.filter(|name| !name.is_empty() && name.chars().count() <= 80)
}

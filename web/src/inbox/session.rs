use super::page::Refusal;
use crate::{Front, secret};
use axum::{
    Form,
    body::{Body, Bytes},
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, header, request::Parts},
    response::IntoResponse,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, de::DeserializeOwned};
use store::{Account, Role, Session};

/// Name of the cookie that holds the token of a session.
const COOKIE: &str = "frontdesk_session";

/// Name of the cookie that ties the form for signing in to the browser that asked for it.
const DOOR: &str = "frontdesk_door";

/// How often it is noted that somebody's inbox is open; well below any sensible
/// [`bot::Pace::presence`], and seldom enough not to be felt.
const SEEN_EVERY: SignedDuration = SignedDuration::from_secs(30);

/// A teammate who has signed in; read from a request by handlers that take one.
#[derive(Debug, Clone)]
pub(super) struct SignedIn {
    pub(super) account: Account,
    pub(super) session: Session,
}

impl SignedIn {
    /// Refuses those who may less than `role`.
    pub(super) fn must_be(&self, role: Role) -> Result<(), Refusal> {
        if self.account.role >= role {
            return Ok(());
        }
        let who = if role == Role::Admin { "admins" } else { "leads and admins" };
        Err(Refusal::forbidden(format!("This is for {who}. Ask one if you need it.")))
    }
}

impl FromRequestParts<Front> for SignedIn {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, front: &Front) -> Result<Self, Refusal> {
        let token = cookie(&parts.headers, COOKIE).ok_or(Refusal::SignIn)?;
        let (store, now) = (front.office.store(), front.office.now());
        let found = store.session(&secret::hash(token), now).await?;
        let (session, account) = found.ok_or(Refusal::SignIn)?;
        see(front, &account, now).await?;
        Ok(Self { account, session })
    }
}

/// Notes that somebody's inbox is open, unless that was noted a moment ago.
pub(super) async fn see(front: &Front, account: &Account, now: Timestamp) -> Result<(), Refusal> {
    if account.seen_at.is_none_or(|seen| now.duration_since(seen) >= SEEN_EVERY) {
        front.office.store().see(&account.teammate, now).await?;
    }
    Ok(())
}

/// A form that a teammate filled in on the desk's own page: its session's token is in it, and the
/// browser names no other page as its origin.
pub(super) struct Signed<T> {
    pub(super) by: SignedIn,
    pub(super) form: T,
}

#[derive(Deserialize)]
struct Proof {
    #[serde(default)]
    csrf: String,
}

impl<T: DeserializeOwned> FromRequest<Front> for Signed<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, front: &Front) -> Result<Self, Refusal> {
        let (mut parts, body) = request.into_parts();
        let by = SignedIn::from_request_parts(&mut parts, front).await?;
        same_origin(&parts.headers, front)?;
        let (proof, form) = proven(parts, body, front).await?;
        if !equal(&proof, &by.session.csrf) {
            return Err(forged());
        }
        Ok(Self { by, form })
    }
}

/// The form for signing in: its token is the one in the cookie that came with the page.
pub(super) struct AtDoor<T> {
    /// Token of a session that the browser had before.
    pub(super) earlier: Option<String>,
    pub(super) form: T,
}

impl<T: DeserializeOwned> FromRequest<Front> for AtDoor<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, front: &Front) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        same_origin(&parts.headers, front)?;
        let door = cookie(&parts.headers, DOOR).map(secret::hash).ok_or_else(forged)?;
        let earlier = cookie(&parts.headers, COOKIE).map(str::to_string);
        let (proof, form) = proven(parts, body, front).await?;
        if !equal(&proof, &door) {
            return Err(forged());
        }
        Ok(Self { earlier, form })
    }
}

fn forged() -> Refusal {
    Refusal::forbidden(
        "This form did not come from a page of this inbox that is still open. \
         Open the page again and repeat what you did.",
    )
}

/// Reads a form twice: for its proof, and for what is in it.
async fn proven<T: DeserializeOwned>(
    parts: Parts,
    body: Body,
    front: &Front,
) -> Result<(String, T), Refusal> {
    let request = Request::from_parts(parts.clone(), body);
    let bytes = Bytes::from_request(request, front).await.map_err(|refused| {
        let detail = "The form holds more than can be taken.";
        Refusal::Because(refused.into_response().status(), "Too much", detail.into())
    })?;
    let unread = |_| Refusal::invalid("The form could not be read.");
    let again = Request::from_parts(parts.clone(), Body::from(bytes.clone()));
    let Form(Proof { csrf }) = Form::from_request(again, front).await.map_err(unread)?;
    let again = Request::from_parts(parts, Body::from(bytes));
    let Form(form) = Form::from_request(again, front).await.map_err(unread)?;
    Ok((csrf, form))
}

/// Refuses a form that another site's page sends. A browser names the origin of every form; where
/// none is named, the token decides alone.
fn same_origin(headers: &HeaderMap, front: &Front) -> Result<(), Refusal> {
    let text = |name: header::HeaderName| headers.get(name).map(|v| v.to_str().unwrap_or(""));
    let Some(origin) = text(header::ORIGIN) else { return Ok(()) };
    let host = text(header::HOST).unwrap_or_default();
    let public = front.settings.public_url.as_str();
    let authority = |url: &str| {
        let rest = url.split_once("://").map(|(_, rest)| rest)?;
        rest.split('/').next().filter(|rest| !rest.is_empty()).map(str::to_ascii_lowercase)
    };
    let theirs = authority(origin);
    let ours = [authority(public), Some(host.to_ascii_lowercase()).filter(|h| !h.is_empty())];
    if theirs.is_some() && ours.contains(&theirs) {
        return Ok(());
    }
    tracing::warn!(public_url = public, "a form of another origin was refused");
    Err(Refusal::forbidden(
        "This form came from another site. If this is the desk's own address, \
         server.public_url in frontdesk.toml has to name it.",
    ))
}

/// Compares in a time that tells nothing about where two texts differ.
fn equal(one: &str, other: &str) -> bool {
    let differing = one.bytes().zip(other.bytes()).fold(0, |seen, (a, b)| seen | (a ^ b));
    one.len() == other.len() && !one.is_empty() && differing == 0
}

/// Opens a session, whatever the browser had before, and returns the line that sets its cookie.
/// None is opened when the account was closed or got another password since it was looked up.
pub(super) async fn open(front: &Front, account: &Account) -> Result<String, Refusal> {
    let token = secret::token().map_err(|failure| Refusal::inside(&failure))?;
    let csrf = secret::token().map_err(|failure| Refusal::inside(&failure))?;
    let now = front.office.now();
    let lasts = front.settings.session;
    let session = Session {
        token_hash: secret::hash(&token),
        teammate: account.teammate.clone(),
        csrf,
        expires_at: now.checked_add(lasts).unwrap_or(Timestamp::MAX),
    };
    let store = front.office.store();
    match store.open_session(&session, &account.password_hash).await {
        Err(store::Error::NotFound(_)) => return Err(Refusal::SignIn),
        other => other?,
    }
    store.see(&account.teammate, now).await?;
    Ok(set_cookie(front, COOKIE, &token, lasts.as_secs()))
}

/// Ends a session by the token that the browser holds.
pub(super) async fn end(front: &Front, token: &str) -> Result<(), Refusal> {
    Ok(front.office.store().end_session(&secret::hash(token)).await?)
}

/// Returns the line that has the browser forget its session.
pub(super) fn forget(front: &Front) -> String {
    set_cookie(front, COOKIE, "", 0)
}

/// Makes what ties a form for signing in to its browser: the line that sets the cookie, and what
/// the form holds.
pub(super) fn door(front: &Front) -> Result<(String, String), Refusal> {
    let token = secret::token().map_err(|failure| Refusal::inside(&failure))?;
    let proof = secret::hash(&token);
    Ok((set_cookie(front, DOOR, &token, 3600), proof))
}

fn set_cookie(front: &Front, name: &str, value: &str, max_age_s: i64) -> String {
    let secure = if front.settings.public_url.starts_with("https://") { "; Secure" } else { "" };
    format!("{name}={value}; HttpOnly; SameSite=Lax; Path=/inbox; Max-Age={max_age_s}{secure}")
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    pairs
        .find(|(key, _)| key.trim() == name)
        .map(|(_, value)| value.trim())
        .filter(|v| !v.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_compare_whole() {
        assert!(equal("abc", "abc"));
        assert!(!equal("abc", "abd") && !equal("abc", "ab") && !equal("", ""));
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers
            .insert(header::COOKIE, "x_frontdesk_session=1; frontdesk_session=2".parse().unwrap());
        assert_eq!(cookie(&headers, COOKIE), Some("2"));
        assert_eq!(cookie(&headers, "session"), None);
    }
}

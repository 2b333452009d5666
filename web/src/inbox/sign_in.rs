use super::{
    attempts::{Attempts, Key},
    page::{Refusal, show},
    password,
    session::{self, AtDoor, Signed, SignedIn},
};
use crate::{Front, caller::Caller, secret};
use askama::Template;
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use store::{Actor, Audit};

#[derive(Template)]
#[template(path = "sign_in.html")]
struct Page<'a> {
    csrf: &'a str,
    email: &'a str,
    refused: Option<&'a str>,
}

#[derive(Deserialize)]
pub(super) struct Entered {
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: String,
}

#[derive(Deserialize)]
pub(super) struct Nothing {}

/// Shows the form.
pub(super) fn form(front: &Front) -> Result<Response, Refusal> {
    page(front, StatusCode::OK, "", None)
}

fn page(
    front: &Front,
    status: StatusCode,
    email: &str,
    refused: Option<&str>,
) -> Result<Response, Refusal> {
    let (cookie, csrf) = session::door(front)?;
    let page = show(&Page { csrf: &csrf, email, refused });
    Ok((status, [(header::SET_COOKIE, cookie)], page).into_response())
}

/// Signs a teammate in: always with a new token, so that one that somebody planted is worth
/// nothing. Unknown addresses, closed accounts and wrong passwords look the same and take as long.
pub(super) async fn sign_in(
    State(front): State<Front>,
    caller: Caller,
    attempts: Arc<Attempts>,
    AtDoor { earlier, form }: AtDoor<Entered>,
) -> Result<Response, Refusal> {
    let (store, now) = (front.office.store(), front.office.now());
    let email = form.email.trim().to_lowercase();
    let keys = [Key::Account(secret::hash(&email)), Key::Network(caller.network())];
    if !attempts.begin(&keys, now) {
        let refused = "Too many attempts. Wait a quarter of an hour, then try again.";
        return page(&front, StatusCode::TOO_MANY_REQUESTS, &email, Some(refused));
    }
    let account = store.account_at(&email).await?.filter(|account| !account.disabled);
    let hash = account.as_ref().map(|account| account.password_hash.clone());
    let right = {
        let turn = attempts.turn.acquire().await;
        let _turn = turn.map_err(|failure| Refusal::inside(&failure))?;
        password::fits(form.password, hash).await?
    };
    let Some(account) = account.filter(|_| right) else {
        let refused = "Address and password do not belong together.";
        return page(&front, StatusCode::UNAUTHORIZED, &email, Some(refused));
    };
    attempts.succeeded(&keys);
    if let Some(earlier) = earlier {
        session::end(&front, &earlier).await?;
    }
    let cookie = session::open(&front, &account).await?;
    let audit = Audit {
        actor: Actor::Teammate(account.teammate.clone()),
        action: "teammate.signed_in".into(),
        subject: account.teammate.to_string(),
        detail: json!({}),
    };
    store.note(&audit, now).await?;
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/inbox")).into_response())
}

/// Ends the session.
pub(super) async fn sign_out(
    State(front): State<Front>,
    Signed { by, form: Nothing {} }: Signed<Nothing>,
) -> Result<Response, Refusal> {
    let SignedIn { session, .. } = by;
    front.office.store().end_session(&session.token_hash).await?;
    let cookie = [(header::SET_COOKIE, session::forget(&front))];
    Ok((cookie, Redirect::to("/inbox/sign-in")).into_response())
}

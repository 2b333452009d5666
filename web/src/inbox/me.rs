use super::{
    attempts::{Attempts, Key},
    page::{Refusal, is_part, refreshed, show},
    password,
    session::{self, Signed, SignedIn},
    shell::{Frame, Shell, role_name},
};
use crate::{Front, caller::Caller, secret};
use askama::Template;
use axum::{
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use store::{Account, Actor, Audit};

#[derive(Template)]
#[template(path = "me.html")]
struct MePage {
    shell: Shell,
    email: String,
    role: &'static str,
    changed: bool,
    shortest: usize,
}

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    changed: bool,
}

/// Shows a teammate's own account.
pub(super) async fn page(
    State(front): State<Front>,
    by: SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let Frame { shell, .. } = Frame::of(&front, &by, "Your account").await?;
    Ok(show(&MePage {
        shell,
        email: by.account.email.clone(),
        role: role_name(by.account.role),
        changed: asked.changed,
        shortest: password::SHORTEST,
    }))
}

#[derive(Deserialize)]
pub(super) struct Passwords {
    #[serde(default)]
    present: String,
    #[serde(default)]
    new: String,
    #[serde(default)]
    again: String,
}

/// Changes a teammate's own password, which ends all their sessions and opens a new one here.
/// Wrong present passwords count as failed attempts to sign in.
pub(super) async fn change_password(
    State(front): State<Front>,
    caller: Caller,
    attempts: Arc<Attempts>,
    Signed { by, form }: Signed<Passwords>,
) -> Result<Response, Refusal> {
    if form.new != form.again {
        return Err(Refusal::invalid("The new password was not repeated alike."));
    }
    let store = front.office.store();
    let account = Key::Account(secret::hash(&by.account.email));
    let keys = [account, Key::Network(caller.network())];
    if !attempts.begin(&keys, front.office.now()) {
        let detail = "Wait a quarter of an hour, then try again.".into();
        return Err(Refusal::Because(StatusCode::TOO_MANY_REQUESTS, "Too many attempts", detail));
    }
    let hash = Some(by.account.password_hash.clone());
    let password_hash = {
        let turn = attempts.turn.acquire().await;
        let _turn = turn.map_err(|failure| Refusal::inside(&failure))?;
        if !password::fits(form.present, hash).await? {
            return Err(Refusal::invalid("That is not your present password."));
        }
        attempts.succeeded(&keys);
        password::hashed(form.new).await?
    };
    let earlier = &by.account.password_hash;
    match store.change_password(&by.account.teammate, earlier, &password_hash).await {
        Err(store::Error::NotFound(_)) => return Err(Refusal::SignIn),
        other => other?,
    }
    let account = Account { password_hash, ..by.account };
    let cookie = session::open(&front, &account).await?;
    note(&front, &account, "teammate.password_changed").await?;
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/inbox/me?changed=true")).into_response())
}

#[derive(Deserialize)]
pub(super) struct Away {
    away: bool,
}

/// Takes a teammate out of assignment, or back in.
pub(super) async fn set_away(
    State(front): State<Front>,
    headers: HeaderMap,
    Signed { by, form }: Signed<Away>,
) -> Result<Response, Refusal> {
    if by.account.away != form.away {
        front.office.store().set_away(&by.account.teammate, form.away).await?;
        let action = if form.away { "teammate.went_away" } else { "teammate.came_back" };
        note(&front, &by.account, action).await?;
    }
    if is_part(&headers) { Ok(refreshed()) } else { Ok(Redirect::to("/inbox").into_response()) }
}

async fn note(front: &Front, account: &Account, action: &str) -> Result<(), Refusal> {
    let audit = Audit {
        actor: Actor::Teammate(account.teammate.clone()),
        action: action.into(),
        subject: account.teammate.to_string(),
        detail: json!({}),
    };
    Ok(front.office.store().note(&audit, front.office.now()).await?)
}

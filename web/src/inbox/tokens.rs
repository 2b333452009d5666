use super::{
    moment::Moment,
    page::{Refusal, id, show},
    session::{Signed, SignedIn},
    shell::{Frame, Shell},
};
use crate::{
    Front,
    api::{SCOPES, issue_token},
};
use askama::Template;
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use serde_json::json;
use store::{Actor, ApiToken, Audit, Role};

#[derive(Template)]
#[template(path = "tokens.html")]
struct TokensPage {
    shell: Shell,
    tokens: Vec<Line>,
    scopes: Vec<&'static str>,
    /// Name and text of the token that was made just now.
    made: Option<(String, String)>,
}

struct Line {
    id: String,
    name: String,
    scopes: String,
    created: Moment,
    used: Option<Moment>,
    revoked: Option<Moment>,
}

/// Shows what lets programs use the API.
pub(super) async fn page(State(front): State<Front>, by: SignedIn) -> Result<Response, Refusal> {
    by.must_be(Role::Admin)?;
    list(&front, &by, None).await
}

async fn list(
    front: &Front,
    by: &SignedIn,
    made: Option<(String, String)>,
) -> Result<Response, Refusal> {
    let Frame { shell, now, .. } = Frame::of(front, by, "API tokens").await?;
    let line = |token: ApiToken| Line {
        id: token.id.to_string(),
        name: token.name,
        scopes: token.scopes.join(", "),
        created: Moment::new(token.created_at, now),
        used: token.used_at.map(|at| Moment::new(at, now)),
        revoked: token.revoked_at.map(|at| Moment::new(at, now)),
    };
    Ok(show(&TokensPage {
        shell,
        tokens: front.office.store().tokens().await?.into_iter().map(line).collect(),
        scopes: SCOPES.to_vec(),
        made,
    }))
}

#[derive(Deserialize)]
pub(super) struct New {
    name: String,
    /// Names with spaces between them.
    #[serde(default)]
    scopes: String,
}

/// Makes a token, which this answer shows and no later one.
pub(super) async fn make(
    State(front): State<Front>,
    Signed { by, form }: Signed<New>,
) -> Result<Response, Refusal> {
    by.must_be(Role::Admin)?;
    let scopes: Vec<String> = form.scopes.split_whitespace().map(str::to_string).collect();
    let name = form.name.trim();
    let (text, kept) = issue_token(name, &scopes, front.office.now()).map_err(Refusal::invalid)?;
    match front.office.store().keep_token(&kept).await {
        Err(store::Error::Taken(_)) => {
            return Err(Refusal::invalid("There is a token with this name. Take another name."));
        }
        kept => kept?,
    }
    note(&front, &by, "token.issued", name).await?;
    list(&front, &by, Some((name.to_string(), text))).await
}

#[derive(Deserialize)]
pub(super) struct Nothing {}

/// Withdraws a token.
pub(super) async fn revoke(
    State(front): State<Front>,
    Path(token): Path<String>,
    Signed { by, form: Nothing {} }: Signed<Nothing>,
) -> Result<Response, Refusal> {
    by.must_be(Role::Admin)?;
    let token = id::<ApiToken>(&token, "token")?;
    front.office.store().revoke_token(token, front.office.now()).await?;
    note(&front, &by, "token.revoked", &token.to_string()).await?;
    Ok(Redirect::to("/inbox/tokens").into_response())
}

async fn note(front: &Front, by: &SignedIn, action: &str, subject: &str) -> Result<(), Refusal> {
    let audit = Audit {
        actor: Actor::Teammate(by.account.teammate.clone()),
        action: action.into(),
        subject: subject.into(),
        detail: json!({}),
    };
    Ok(front.office.store().note(&audit, front.office.now()).await?)
}

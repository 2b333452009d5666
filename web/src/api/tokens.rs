use super::{
    asked::{Body, Named, id},
    bearer::{Program, SCOPES},
    page::Listed,
};
use crate::{Front, problem::Problem, secret};
use axum::{Json, extract::State, http::StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{ApiToken, Audit, Id};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// By this a token is recognised where it should not be, such as in a public repository.
const MARK: &str = "fdt_";

pub(super) fn routes() -> OpenApiRouter<Front> {
    OpenApiRouter::new().routes(routes!(list, issue)).routes(routes!(revoke))
}

/// Makes a token: what the program is given, which is kept nowhere, and what is kept instead.
///
/// # Errors
/// What is wrong with name or scopes, and how to mend it.
pub fn issue_token(
    name: &str,
    scopes: &[String],
    now: Timestamp,
) -> Result<(String, ApiToken), String> {
    // Replies that a program writes are signed with it, like those of a teammate.
    router::Slug::try_from(name.to_string())?;
    if scopes.is_empty() {
        return Err(format!("a token needs at least one scope of {}", SCOPES.join(", ")));
    }
    if let Some(unknown) = scopes.iter().find(|scope| !SCOPES.contains(&scope.as_str())) {
        return Err(format!("there is no scope {unknown:?}; take of {}", SCOPES.join(", ")));
    }
    let random = secret::token().map_err(|_| "the system has no randomness to give")?;
    let text = format!("{MARK}{random}");
    let mut scopes = scopes.to_vec();
    scopes.sort();
    scopes.dedup();
    let kept = ApiToken {
        id: Id::new(now),
        name: name.to_string(),
        hash: secret::hash(&text),
        scopes,
        created_at: now,
        used_at: None,
        revoked_at: None,
    };
    Ok((text, kept))
}

/// What lets a program use the API; the token itself is kept nowhere.
#[derive(Debug, Serialize, ToSchema)]
struct Token {
    /// Id.
    #[schema(format = "uuid")]
    id: String,
    /// Unique among those that are not revoked.
    name: String,
    /// What it may be used for.
    scopes: Vec<String>,
    created_at: Timestamp,
    /// When it was last used, to the minute or so.
    used_at: Option<Timestamp>,
    /// When it was withdrawn.
    revoked_at: Option<Timestamp>,
}

/// A new token.
#[derive(Debug, Serialize, ToSchema)]
struct Issued {
    #[serde(flatten)]
    kept: Token,
    /// The token itself, shown this once.
    token: String,
}

impl From<ApiToken> for Token {
    fn from(token: ApiToken) -> Self {
        let ApiToken { name, scopes, created_at, used_at, revoked_at, .. } = token;
        Self { id: token.id.to_string(), name, scopes, created_at, used_at, revoked_at }
    }
}

/// Lists all tokens, newest first.
#[utoipa::path(get, path = "/tokens", tag = "tokens", security(("token" = ["admin"])),
    responses((status = 200, description = "All tokens.", body = Listed<Token>)))]
async fn list(State(front): State<Front>) -> Result<Json<Listed<Token>>, Problem> {
    let found = front.office.store().tokens().await?.into_iter();
    Ok(Json(Listed { items: found.map(Token::from).collect(), next: None }))
}

/// A token to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Lower-case letters, digits, `-` and `_`; what the program writes is signed with it.
    name: String,
    /// What it may be used for.
    scopes: Vec<String>,
}

/// Makes a token.
///
/// The answer is the one time it is shown. The request takes no `Idempotency-Key`.
#[utoipa::path(post, path = "/tokens", tag = "tokens", request_body = Wanted,
    security(("token" = ["admin"])),
    responses((status = 201, description = "The token.", body = Issued)))]
async fn issue(
    State(front): State<Front>,
    program: Program,
    Body(wanted): Body<Wanted>,
) -> Result<(StatusCode, Json<Issued>), Problem> {
    let now = front.office.now();
    let (token, kept) = issue_token(&wanted.name, &wanted.scopes, now).map_err(Problem::invalid)?;
    front.office.store().keep_token(&kept).await?;
    let detail = json!({ "name": kept.name, "scopes": kept.scopes });
    note(&front, &program, ("token.issued", &kept.id.to_string(), detail)).await?;
    Ok((StatusCode::CREATED, Json(Issued { kept: kept.into(), token })))
}

/// Withdraws a token, also the one that is used for it.
#[utoipa::path(delete, path = "/tokens/{id}", tag = "tokens",
    params(("id" = String, Path, description = "Id of the token.")),
    security(("token" = ["admin"])),
    responses((status = 204, description = "It is withdrawn.")))]
async fn revoke(
    State(front): State<Front>,
    program: Program,
    Named(token): Named<String>,
) -> Result<StatusCode, Problem> {
    front.office.store().revoke_token(id("token", &token)?, front.office.now()).await?;
    note(&front, &program, ("token.revoked", &token, json!({}))).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn note(
    front: &Front,
    program: &Program,
    (action, subject, detail): (&str, &str, serde_json::Value),
) -> Result<(), Problem> {
    let (actor, action, subject) = (program.actor(), action.into(), subject.into());
    let audit = Audit { actor, action, subject, detail };
    Ok(front.office.store().note(&audit, front.office.now()).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_made_of_lawful_parts_and_kept_as_its_hash_alone() {
        let now = "2026-11-22T10:00:00Z".parse().unwrap();
        let issue = |name: &str, scopes: &[&str]| {
            let scopes: Vec<String> = scopes.iter().map(ToString::to_string).collect();
            issue_token(name, &scopes, now)
        };
        assert!(issue("CRM sync", &["admin"]).unwrap_err().contains("no short name"));
        assert!(issue("crm", &[]).unwrap_err().contains("at least one scope"));
        assert!(issue("crm", &["root"]).unwrap_err().contains("no scope \"root\""));
        let (text, kept) = issue("crm", &["teams:read", "articles:read", "teams:read"]).unwrap();
        assert_eq!((text.len(), kept.hash.as_str()), (68, secret::hash(&text).as_str()));
        assert!(!format!("{kept:?}").contains(&text));
        assert_eq!(kept.scopes, ["articles:read", "teams:read"]);
        assert_ne!(issue("crm", &["admin"]).unwrap().0, text);
    }
}

use crate::{Verdict, args, known, output, settings::Settings};
use serde_json::{Value, json};
use std::path::Path;
use store::{Actor, ApiToken, Audit, Store};

/// Issues, lists or revokes tokens of the API.
pub(crate) async fn run(
    settings: &Settings,
    as_json: bool,
    command: args::Tokens,
) -> anyhow::Result<Verdict> {
    let store = Store::open(&settings.store_url()).await?;
    let outcome = match command {
        args::Tokens::Add { name, scopes } => {
            add((&store, &settings.root), as_json, (&name, &scopes)).await
        }
        args::Tokens::List => list(&store, as_json).await,
        args::Tokens::Revoke { token } => revoke(&store, as_json, &token).await,
    };
    store.close().await;
    outcome.map(|()| Verdict::Yes)
}

async fn add(
    (store, desk): (&Store, &Path),
    as_json: bool,
    (name, scopes): (&str, &[String]),
) -> anyhow::Result<()> {
    let (text, kept) =
        web::issue_token(name, scopes, known::now()).map_err(|why| anyhow::anyhow!(why))?;
    store.keep_token(&kept).await.map_err(|error| match error {
        store::Error::Taken(_) => {
            anyhow::anyhow!("there is a token {name:?} already; revoke it or take another name")
        }
        other => other.into(),
    })?;
    note(store, "token.issued", &kept).await?;
    if as_json {
        let mut shown = shown(&kept);
        shown["token"] = json!(text);
        return output::json(&shown);
    }
    output::line(&text)?;
    eprintln!(
        "this is the one time that the token is shown; revoke it with: frontdesk --desk {} tokens revoke {name}",
        desk.display()
    );
    Ok(())
}

async fn list(store: &Store, as_json: bool) -> anyhow::Result<()> {
    let tokens = store.tokens().await?;
    if as_json {
        let tokens: Vec<Value> = tokens.iter().map(shown).collect();
        return output::json(&json!({ "tokens": tokens }));
    }
    if tokens.is_empty() {
        return output::line("no tokens yet; make one: frontdesk tokens add NAME --scope SCOPE");
    }
    for token in tokens {
        let used = token.used_at.map_or("never used".into(), |at| format!("used {at:.0}"));
        let state = token.revoked_at.map_or(used, |at| format!("revoked {at:.0}"));
        let scopes = token.scopes.join(", ");
        output::line(format!("{}  {scopes}; {state}", output::strong(&token.name)))?;
    }
    Ok(())
}

async fn revoke(store: &Store, as_json: bool, wanted: &str) -> anyhow::Result<()> {
    let tokens = store.tokens().await?;
    let in_use = |token: &&ApiToken| token.revoked_at.is_none();
    let named = |token: &&ApiToken| token.name == wanted || token.id.to_string() == wanted;
    let Some(token) = tokens.iter().filter(in_use).find(named) else {
        anyhow::bail!("no token {wanted:?} is in use; see `frontdesk tokens list`");
    };
    store.revoke_token(token.id, known::now()).await?;
    note(store, "token.revoked", token).await?;
    if as_json {
        return output::json(&json!({ "revoked": token.id.to_string() }));
    }
    output::line(format!("{} is revoked", token.name))
}

/// Keeps in the audit log what was done; whoever has the machine is Frontdesk itself.
async fn note(store: &Store, action: &str, token: &ApiToken) -> anyhow::Result<()> {
    let audit = Audit {
        actor: Actor::Frontdesk,
        action: action.into(),
        subject: token.id.to_string(),
        detail: json!({ "name": token.name, "scopes": token.scopes }),
    };
    Ok(store.note(&audit, known::now()).await?)
}

fn shown(token: &ApiToken) -> Value {
    json!({
        "id": token.id.to_string(), "name": token.name, "scopes": token.scopes,
        "created_at": token.created_at, "used_at": token.used_at, "revoked_at": token.revoked_at,
    })
}

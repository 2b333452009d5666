use crate::{
    Verdict,
    args::{RoleName, Teammates},
    known, output,
    settings::Settings,
};
use anyhow::Context;
use console::Term;
use router::{Owner, Slug, Status};
use serde_json::{Value as Json, json};
use std::io::{IsTerminal, Read};
use store::{Account, Actor, Audit, NewAccount, Page, Role, Search, Store};

/// The longest password that is read from standard input, in bytes; longer ones are refused.
const LIMIT_BYTES: u64 = 4096;

/// Conversations with each status that are listed of a teammate who leaves; more than anybody holds.
const MOST_HELD: u32 = 1_000;

/// Manages the accounts with which teammates sign in to the inbox.
pub(crate) async fn run(
    settings: Settings,
    as_json: bool,
    command: Teammates,
) -> anyhow::Result<Verdict> {
    let store = Store::open(&settings.store_url()).await?;
    let outcome = match command {
        Teammates::Add { slug, name, email, role, password_stdin } => {
            let account = NewAccount {
                teammate: teammate(slug)?,
                name: called(&name)?,
                email: address(&email)?,
                password_hash: password(password_stdin)?,
                role: role.into(),
            };
            add(&store, &settings, account).await
        }
        Teammates::List => return finish(list(&store, as_json).await, &store).await,
        Teammates::Disable { slug } => disable(&store, &teammate(slug)?).await,
        Teammates::ResetPassword { slug, password_stdin } => {
            reset_password(&store, &teammate(slug)?, password_stdin).await
        }
    };
    let told = outcome.and_then(|said| match as_json {
        true => output::json(&said.document),
        false => output::line(said.line),
    });
    finish(told, &store).await
}

async fn finish(outcome: anyhow::Result<()>, store: &Store) -> anyhow::Result<Verdict> {
    store.close().await;
    outcome.map(|()| Verdict::Yes)
}

/// What was done, for people and for programs.
struct Said {
    line: String,
    document: Json,
}

async fn add(store: &Store, settings: &Settings, account: NewAccount) -> anyhow::Result<Said> {
    let slug = account.teammate.clone();
    let teams = settings.playbook.policy.teams().iter();
    if !teams.clone().any(|team| team.member(&slug).is_some()) {
        let names: Vec<&str> = teams.map(|team| team.slug.as_str()).collect();
        eprintln!(
            "warning: {slug} is a member of no team in routing.toml, so that no conversation can \
             be assigned to {slug}; add a [[team.member]] to one of: {}",
            names.join(", ")
        );
    }
    store.open_account(&account, known::now()).await.map_err(|failure| match failure {
        store::Error::Taken(_) => anyhow::anyhow!(
            "there is an account with this short name or address; see `frontdesk teammates list`"
        ),
        other => other.into(),
    })?;
    let role = role_name(account.role);
    note(store, "teammate.added", &slug, json!({"role": role})).await?;
    Ok(Said {
        line: format!("{slug} can sign in as {role}"),
        document: json!({"teammate": slug.as_str(), "role": role}),
    })
}

async fn list(store: &Store, as_json: bool) -> anyhow::Result<()> {
    let accounts = store.accounts().await?;
    if as_json {
        let accounts = accounts.iter().map(|account| {
            json!({
                "teammate": account.teammate.as_str(),
                "name": account.name,
                "email": account.email,
                "role": role_name(account.role),
                "away": account.away,
                "disabled": account.disabled,
                "seen_at": account.seen_at.map(|at| at.to_string()),
            })
        });
        return output::json(&accounts.collect());
    }
    if accounts.is_empty() {
        return output::line("nobody can sign in yet; see `frontdesk teammates add --help`");
    }
    for account in accounts {
        let Account { teammate, name, email, role, disabled, .. } = account;
        let closed = if disabled { "  disabled" } else { "" };
        output::line(format!("{teammate}  {name}  {email}  {}{closed}", role_name(role)))?;
    }
    Ok(())
}

async fn disable(store: &Store, slug: &Slug) -> anyhow::Result<Said> {
    existing(store, slug).await?;
    store.set_disabled(slug, true).await?;
    note(store, "teammate.disabled", slug, json!({})).await?;
    let held = held(store, slug).await?;
    let mut line = format!("{slug} is signed out everywhere and cannot sign in any more");
    if !held.is_empty() {
        line += &format!(
            "\n{slug} still holds these conversations; assign them anew in the inbox, whose page \
             Teammates does that by itself when somebody is disabled there:\n  {}",
            held.join("\n  ")
        );
    }
    Ok(Said { line, document: json!({"teammate": slug.as_str(), "disabled": true, "holds": held}) })
}

/// Lists the open and snoozed conversations that a teammate holds.
async fn held(store: &Store, slug: &Slug) -> anyhow::Result<Vec<String>> {
    let mut held = Vec::new();
    for status in [Status::Open, Status::Snoozed] {
        // Whatever the team: a search looks at the teammate alone.
        let (team, teammate) = (slug.clone(), slug.clone());
        let owner = Some(Owner::Teammate { team, teammate, by_person: true });
        let search = Search { status: Some(status), owner, ..Search::default() };
        let page = Page { before: None, limit: MOST_HELD };
        let found = store.search(&search, &page).await?;
        held.extend(found.into_iter().map(|item| item.record.id.to_string()));
    }
    Ok(held)
}

async fn reset_password(store: &Store, slug: &Slug, stdin: bool) -> anyhow::Result<Said> {
    existing(store, slug).await?;
    store.reset_password(slug, &password(stdin)?).await?;
    store.set_disabled(slug, false).await?;
    note(store, "teammate.password_reset", slug, json!({})).await?;
    Ok(Said {
        line: format!("{slug} signs in with the new password, and is signed out everywhere"),
        document: json!({"teammate": slug.as_str(), "password": "reset"}),
    })
}

async fn existing(store: &Store, slug: &Slug) -> anyhow::Result<Account> {
    let account = store.account(slug).await?;
    account.with_context(|| {
        format!("nobody called {slug} has an account; see `frontdesk teammates list`")
    })
}

async fn note(store: &Store, action: &str, slug: &Slug, detail: Json) -> anyhow::Result<()> {
    let audit =
        Audit { actor: Actor::Frontdesk, action: action.into(), subject: slug.to_string(), detail };
    Ok(store.note(&audit, known::now()).await?)
}

fn teammate(slug: String) -> anyhow::Result<Slug> {
    Slug::try_from(slug).map_err(anyhow::Error::msg)
}

fn called(name: &str) -> anyhow::Result<String> {
    let name = name.trim();
    anyhow::ensure!(!name.is_empty(), "--name is empty; write how people call the teammate");
    Ok(name.to_string())
}

fn address(email: &str) -> anyhow::Result<String> {
    let email = email.trim().to_lowercase();
    let lawful =
        email.split_once('@').is_some_and(|(who, host)| !who.is_empty() && !host.is_empty());
    anyhow::ensure!(lawful, "--email {email:?} is no address; write it as ada@example.com");
    Ok(email)
}

/// Reads a password, from the terminal without showing it, or from standard input, and hashes it.
fn password(stdin: bool) -> anyhow::Result<String> {
    let password = if stdin {
        let mut text = String::new();
        let read = std::io::stdin().lock().take(LIMIT_BYTES).read_to_string(&mut text);
        read.context("the password could not be read from standard input")?;
        text.trim_end_matches(['\r', '\n']).to_string()
    } else {
        anyhow::ensure!(
            std::io::stdin().is_terminal(),
            "no terminal to ask for the password; pass --password-stdin and write it there"
        );
        asked()?
    };
    web::hash_password(&password).map_err(anyhow::Error::msg)
}

fn asked() -> anyhow::Result<String> {
    let terminal = Term::stderr();
    let ask = |what: &str| -> anyhow::Result<String> {
        terminal.write_str(what)?;
        Ok(terminal.read_secure_line()?)
    };
    let password = ask("Password: ")?;
    anyhow::ensure!(ask("Again: ")? == password, "the two passwords differ; run it again");
    Ok(password)
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Teammate => "teammate",
        Role::Lead => "lead",
        Role::Admin => "admin",
    }
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Teammate => Self::Teammate,
            RoleName::Lead => Self::Lead,
            RoleName::Admin => Self::Admin,
        }
    }
}

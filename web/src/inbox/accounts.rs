use super::{
    moment::Moment,
    page::{Refusal, show},
    password,
    session::{Signed, SignedIn},
    shell::{Frame, Shell, role_name},
};
use crate::Front;
use askama::Template;
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use bot::{Deed, OfficeError};
use router::{Owner, Slug, Status};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use store::{Account, Actor, Audit, NewAccount, Page, Role, Search};

/// Conversations that are looked up at once when somebody leaves.
const AT_ONCE: u32 = 100;

#[derive(Template)]
#[template(path = "accounts.html")]
struct AccountsPage {
    shell: Shell,
    accounts: Vec<Line>,
    /// Members of teams who have no account yet.
    missing: Vec<(String, String)>,
    shortest: usize,
}

struct Line {
    slug: String,
    name: String,
    email: String,
    role: &'static str,
    disabled: bool,
    available: bool,
    seen: Option<Moment>,
    teams: String,
    me: bool,
}

/// Shows who may sign in.
pub(super) async fn page(State(front): State<Front>, by: SignedIn) -> Result<Response, Refusal> {
    by.must_be(Role::Admin)?;
    let Frame { shell, people, now } = Frame::of(&front, &by, "Teammates").await?;
    let accounts = front.office.store().accounts().await?;
    let desk = front.office.desk();
    let teams = desk.policy().teams();
    let teams_of = |slug: &Slug| {
        let of = teams.iter().filter(|team| team.member(slug).is_some());
        of.map(|team| team.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    let members = teams.iter().flat_map(|team| &team.members);
    let mut missing: Vec<(String, String)> = members
        .filter(|member| !accounts.iter().any(|account| account.teammate == member.slug))
        .map(|member| (member.slug.to_string(), member.name.clone()))
        .collect();
    missing.sort();
    missing.dedup_by(|one, other| one.0 == other.0);
    let line = |account: Account| Line {
        teams: teams_of(&account.teammate),
        available: people.is_available(&account.teammate),
        me: account.teammate == by.account.teammate,
        slug: account.teammate.to_string(),
        role: role_name(account.role),
        seen: account.seen_at.map(|seen| Moment::new(seen, now)),
        disabled: account.disabled,
        name: account.name,
        email: account.email,
    };
    Ok(show(&AccountsPage {
        shell,
        accounts: accounts.into_iter().map(line).collect(),
        missing,
        shortest: password::SHORTEST,
    }))
}

#[derive(Deserialize)]
pub(super) struct New {
    slug: String,
    name: String,
    email: String,
    role: String,
    password: String,
}

/// Opens an account.
pub(super) async fn add(
    State(front): State<Front>,
    Signed { by, form }: Signed<New>,
) -> Result<Response, Refusal> {
    by.must_be(Role::Admin)?;
    let name = form.name.trim().to_string();
    let email = form.email.trim().to_lowercase();
    if name.is_empty() || !email.contains('@') {
        return Err(Refusal::invalid("An account needs a name and an e-mail address."));
    }
    let account = NewAccount {
        teammate: teammate(form.slug)?,
        name,
        email,
        password_hash: password::hashed(form.password).await?,
        role: role(&form.role)?,
    };
    let opened = front.office.store().open_account(&account, front.office.now()).await;
    if matches!(opened, Err(store::Error::Taken(_))) {
        return Err(Refusal::invalid("There is an account with this short name or address."));
    }
    opened?;
    let detail = json!({"role": role_name(account.role)});
    note(&front, &by, ("teammate.added", &account.teammate), detail).await?;
    Ok(Redirect::to("/inbox/teammates").into_response())
}

#[derive(Deserialize)]
pub(super) struct Altered {
    #[serde(rename = "do")]
    what: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    password: String,
}

/// Alters an account: its role, its password, or whether it is closed; what a teammate holds whose
/// account is closed goes back to its teams. Nobody does that to their
/// own, so that no desk loses its last admin by a slip.
pub(super) async fn alter(
    State(front): State<Front>,
    Path(slug): Path<String>,
    Signed { by, form }: Signed<Altered>,
) -> Result<Response, Refusal> {
    by.must_be(Role::Admin)?;
    let slug = teammate(slug)?;
    if slug == by.account.teammate {
        return Err(Refusal::invalid("Have another admin alter your own account."));
    }
    let store = front.office.store();
    let (action, detail) = match form.what.as_str() {
        "role" => {
            let role = role(&form.role)?;
            store.set_role(&slug, role).await?;
            ("teammate.role_changed", json!({"role": role_name(role)}))
        }
        "disable" => {
            store.set_disabled(&slug, true).await?;
            ("teammate.disabled", json!({}))
        }
        "enable" => {
            store.set_disabled(&slug, false).await?;
            ("teammate.enabled", json!({}))
        }
        "password" => {
            store.reset_password(&slug, &password::hashed(form.password).await?).await?;
            ("teammate.password_reset", json!({}))
        }
        _ => return Err(Refusal::invalid("There is nothing like that to do.")),
    };
    note(&front, &by, (action, &slug), detail).await?;
    if action == "teammate.disabled" {
        leave(&front, &by, &slug).await?;
    }
    Ok(Redirect::to("/inbox/teammates").into_response())
}

/// Hands what a teammate holds, open or snoozed, to the queue of the team in which it is held. What
/// rested is awake then: nobody is left who would look after it.
async fn leave(front: &Front, by: &SignedIn, slug: &Slug) -> Result<(), Refusal> {
    let actor = Actor::Teammate(by.account.teammate.clone());
    for status in [Status::Open, Status::Snoozed] {
        let mut page = Page { before: None, limit: AT_ONCE };
        loop {
            let found = front.office.store().search(&held(slug, status), &page).await?;
            let Some(last) = found.last() else { break };
            page.before = Some(last.record.id.to_string());
            for item in &found {
                let team = queue(front, item.record.state.owner());
                let deed = Deed::Assign { team, teammate: None };
                match front.office.act(item.record.id, &actor, deed).await {
                    // Closed or erased meanwhile: nothing is left to hand over.
                    Ok(_) | Err(OfficeError::Illegal(_) | OfficeError::NotFound(_)) => {}
                    Err(failure) => return Err(failure.into()),
                }
            }
        }
    }
    Ok(())
}

fn held(slug: &Slug, status: Status) -> Search {
    // Whatever the team: a search looks at the teammate alone.
    let (team, teammate) = (slug.clone(), slug.clone());
    let owner = Some(Owner::Teammate { team, teammate, by_person: true });
    Search { status: Some(status), owner, ..Search::default() }
}

/// Returns the team of an owner, or the one that catches everything where there is none.
fn queue(front: &Front, owner: &Owner) -> Slug {
    let desk = front.office.desk();
    let policy = desk.policy();
    match owner {
        Owner::Team(team) | Owner::Teammate { team, .. } if policy.team(team).is_some() => {
            team.clone()
        }
        _ => policy.fallback_team().clone(),
    }
}

fn teammate(slug: String) -> Result<Slug, Refusal> {
    Slug::try_from(slug).map_err(Refusal::invalid)
}

fn role(name: &str) -> Result<Role, Refusal> {
    let all = [Role::Teammate, Role::Lead, Role::Admin];
    let found = all.into_iter().find(|role| role_name(*role) == name);
    found.ok_or_else(|| Refusal::invalid("Choose one of the roles."))
}

async fn note(
    front: &Front,
    by: &SignedIn,
    (action, subject): (&str, &Slug),
    detail: Json,
) -> Result<(), Refusal> {
    let audit = Audit {
        actor: Actor::Teammate(by.account.teammate.clone()),
        action: action.into(),
        subject: subject.to_string(),
        detail,
    };
    Ok(front.office.store().note(&audit, front.office.now()).await?)
}

use super::{
    lists::List,
    page::{Refusal, show},
    people::{Colleague, People},
    session::SignedIn,
};
use crate::Front;
use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use jiff::Timestamp;
use router::Slug;
use serde::Deserialize;
use store::Role;

/// What surrounds every page: who is signed in, and where one can go.
pub(super) struct Shell {
    pub(super) title: String,
    pub(super) csrf: String,
    pub(super) nav: Nav,
}

/// Where one can go, with how much lies there.
#[derive(Template)]
#[template(path = "nav.html")]
pub(super) struct Nav {
    name: String,
    role: &'static str,
    away: bool,
    csrf: String,
    /// What the open page is about, to be asked for again.
    current: String,
    lists: Vec<Place>,
    teams: Vec<Place>,
    other_teams: Vec<Place>,
    is_lead: bool,
    is_admin: bool,
    colleagues: Vec<Colleague>,
}

struct Place {
    href: String,
    name: String,
    count: Option<i64>,
    here: bool,
}

/// What a page begins with that is about no list: what surrounds it, and whom and what it tells of.
pub(super) struct Frame {
    pub(super) shell: Shell,
    pub(super) people: People,
    pub(super) now: Timestamp,
}

impl Frame {
    pub(super) async fn of(front: &Front, by: &SignedIn, title: &str) -> Result<Self, Refusal> {
        let people = People::of(front).await?;
        let shell = Shell::of(front, by, &people, None, title).await?;
        Ok(Self { shell, people, now: front.office.now() })
    }
}

impl Shell {
    /// Makes what surrounds a page about `list`, or another page.
    pub(super) async fn of(
        front: &Front,
        by: &SignedIn,
        people: &People,
        list: Option<&List>,
        title: &str,
    ) -> Result<Self, Refusal> {
        let current = list.map(List::name).unwrap_or_default();
        let nav = Nav::of(front, by, people, current).await?;
        Ok(Self { title: title.into(), csrf: by.session.csrf.clone(), nav })
    }
}

impl Nav {
    async fn of(
        front: &Front,
        by: &SignedIn,
        people: &People,
        current: String,
    ) -> Result<Self, Refusal> {
        let (desk, me) = (front.office.desk(), &by.account.teammate);
        let load = front.office.store().workload(front.office.now()).await?;
        let of_team = |slug: &Slug| {
            let counts = load.queued.iter().chain(&load.held);
            counts.filter(|(team, _)| team == slug).map(|(_, n)| n).sum::<i64>()
        };
        let place = |list: List, count: Option<i64>| Place {
            href: format!("/inbox/lists/{}", list.name()),
            here: list.name() == current,
            name: list.title(people),
            count,
        };
        let in_teams: i64 = load.queued.iter().chain(&load.held).map(|(_, n)| n).sum();
        let lists = vec![
            place(List::Mine, Some(people.n_open(me).into())),
            place(List::All, Some(in_teams + load.with_bot)),
            place(List::Bot, Some(load.with_bot)),
            place(List::Snoozed, None),
            place(List::Closed, None),
        ];
        let team = |slug: &Slug| place(List::Team(slug.clone()), Some(of_team(slug)));
        let all = desk.policy().teams();
        let (own, other): (Vec<_>, Vec<_>) = all.iter().partition(|team| team.member(me).is_some());
        let is_lead = by.account.role >= Role::Lead;
        // Whoever belongs to no team would see none; leads see them all.
        let sees_others = is_lead || own.is_empty();
        let other = other.iter().filter(|_| sees_others);
        Ok(Self {
            name: by.account.name.clone(),
            role: role_name(by.account.role),
            away: by.account.away,
            csrf: by.session.csrf.clone(),
            lists,
            teams: own.iter().map(|t| team(&t.slug)).collect(),
            other_teams: other.map(|t| team(&t.slug)).collect(),
            is_lead,
            is_admin: by.account.role >= Role::Admin,
            colleagues: people.colleagues(by),
            current,
        })
    }
}

/// Returns the name of a role.
pub(super) fn role_name(role: Role) -> &'static str {
    match role {
        Role::Teammate => "teammate",
        Role::Lead => "lead",
        Role::Admin => "admin",
    }
}

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    current: String,
}

/// Shows where one can go alone, with counts as they are by now.
pub(super) async fn nav(
    State(front): State<Front>,
    by: SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let people = People::of(&front).await?;
    Ok(show(&Nav::of(&front, &by, &people, asked.current).await?))
}

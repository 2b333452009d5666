use super::session::SignedIn;
use crate::Front;
use router::{Owner, Presence, Slug};
use std::collections::BTreeMap;
use store::{Actor, Error};

/// Whom the desk knows by name, and who of them is there.
pub(super) struct People {
    names: BTreeMap<Slug, String>,
    teams: BTreeMap<Slug, String>,
    present: BTreeMap<Slug, Presence>,
}

/// A colleague as pages show one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Colleague {
    pub(super) name: String,
    pub(super) available: bool,
    pub(super) n_open: u32,
}

impl People {
    /// Looks up everybody.
    ///
    /// # Errors
    /// What the store meets.
    pub(super) async fn of(front: &Front) -> Result<Self, Error> {
        let (desk, store) = (front.office.desk(), front.office.store());
        let seen_since = front.office.present_since();
        let (accounts, present) = tokio::try_join!(store.accounts(), store.roster(seen_since))?;
        let teams = desk.policy().teams();
        let members = teams.iter().flat_map(|team| &team.members);
        let mut names: BTreeMap<Slug, String> =
            members.map(|member| (member.slug.clone(), member.name.clone())).collect();
        names.extend(accounts.into_iter().map(|account| (account.teammate, account.name)));
        let teams = teams.iter().map(|team| (team.slug.clone(), team.name.clone())).collect();
        Ok(Self { names, teams, present })
    }

    /// Knows nobody.
    #[cfg(test)]
    pub(super) fn nobody() -> Self {
        Self { names: BTreeMap::new(), teams: BTreeMap::new(), present: BTreeMap::new() }
    }

    /// Returns the name of a teammate.
    pub(super) fn name(&self, teammate: &Slug) -> String {
        self.names.get(teammate).cloned().unwrap_or_else(|| teammate.to_string())
    }

    /// Returns the name of a team.
    pub(super) fn team(&self, team: &Slug) -> String {
        self.teams.get(team).cloned().unwrap_or_else(|| team.to_string())
    }

    /// Returns the name of a team or a teammate, as records of what happened name them.
    pub(super) fn any(&self, slug: &str) -> String {
        let Ok(slug) = Slug::try_from(slug.to_string()) else { return slug.to_string() };
        self.teams.get(&slug).or_else(|| self.names.get(&slug)).cloned().unwrap_or(slug.into())
    }

    /// Says who did something.
    pub(super) fn actor(&self, actor: &Actor) -> String {
        match actor {
            Actor::Bot => "The bot".into(),
            Actor::Customer => "The customer".into(),
            Actor::Teammate(teammate) => self.name(teammate),
            Actor::Program(name) => format!("Program {name}"),
            Actor::Frontdesk => "Frontdesk".into(),
        }
    }

    /// Says who is responsible.
    pub(super) fn owner(&self, owner: &Owner) -> String {
        match owner {
            Owner::Bot => "Bot".into(),
            Owner::Team(team) => format!("{} queue", self.team(team)),
            Owner::Teammate { team, teammate, .. } => {
                format!("{} · {}", self.name(teammate), self.team(team))
            }
        }
    }

    /// Whether a teammate would be given conversations.
    pub(super) fn is_available(&self, teammate: &Slug) -> bool {
        self.present.get(teammate).is_some_and(|presence| presence.available)
    }

    /// Returns how many open conversations a teammate holds.
    pub(super) fn n_open(&self, teammate: &Slug) -> u32 {
        self.present.get(teammate).map_or(0, |presence| presence.n_open)
    }

    /// Lists everybody with an account but oneself, those who are there first.
    pub(super) fn colleagues(&self, of: &SignedIn) -> Vec<Colleague> {
        let others = self.present.iter().filter(|(slug, _)| **slug != of.account.teammate);
        let mut colleagues: Vec<Colleague> = others
            .map(|(slug, presence)| Colleague {
                name: self.name(slug),
                available: presence.available,
                n_open: presence.n_open,
            })
            .collect();
        colleagues.sort_by(|a, b| (!a.available, &a.name).cmp(&(!b.available, &b.name)));
        colleagues
    }
}

use crate::wire::{Admin, ExternalId, Team};
use router::{Policy, Slug};
use std::collections::BTreeMap;

/// The channel's name in `known_as` of teams and members.
pub(crate) const NAME: &str = "intercom";

/// Who is who in both: the desk's teams and teammates, and those of the workspace.
///
/// A team or teammate is found by what `known_as.intercom` says, else by the same name, without
/// regard to upper and lower case. Whoever is in the workspace alone is called `intercom-ID`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    teams: BTreeMap<ExternalId, Slug>,
    teammates: BTreeMap<ExternalId, Slug>,
    fallback: Slug,
    bot: ExternalId,
}

impl Directory {
    /// Matches the desk's teams and teammates with those of the workspace.
    pub fn new(policy: &Policy, teams: &[Team], admins: &[Admin], bot: &ExternalId) -> Self {
        let named = |known_as: &BTreeMap<String, String>| {
            known_as.get(NAME).and_then(|id| ExternalId::parse(id))
        };
        let same = |ours: &str, theirs: &str| ours.to_lowercase() == theirs.to_lowercase();
        let mut directory = Self {
            teams: BTreeMap::new(),
            teammates: BTreeMap::new(),
            fallback: policy.fallback_team().clone(),
            bot: bot.clone(),
        };
        for team in policy.teams() {
            let by_name = || teams.iter().find(|there| same(&team.name, &there.name));
            let id = named(&team.known_as).or_else(|| by_name().map(|there| there.id.clone()));
            directory.teams.extend(id.map(|id| (id, team.slug.clone())));
            for member in &team.members {
                let by_name = || {
                    let mut admins = admins.iter();
                    admins.find(|admin| {
                        admin.name.as_ref().is_some_and(|name| same(&member.name, name.as_str()))
                    })
                };
                let id =
                    named(&member.known_as).or_else(|| by_name().map(|admin| admin.id.clone()));
                directory.teammates.extend(id.map(|id| (id, member.slug.clone())));
            }
        }
        directory
    }

    /// Returns the seat that the bot writes from.
    pub fn bot(&self) -> &ExternalId {
        &self.bot
    }

    /// Returns what the workspace calls a team of the desk.
    pub fn team_there(&self, team: &Slug) -> Option<&ExternalId> {
        self.teams.iter().find(|(_, slug)| *slug == team).map(|(id, _)| id)
    }

    /// Returns what the desk calls a team of the workspace.
    pub fn team_here(&self, team: &ExternalId) -> Option<&Slug> {
        self.teams.get(team)
    }

    /// Returns the team that stands in for one that the desk does not have.
    pub fn fallback(&self) -> &Slug {
        &self.fallback
    }

    /// Returns what the workspace calls a teammate.
    pub fn teammate_there(&self, teammate: &Slug) -> Option<ExternalId> {
        let known = self.teammates.iter().find(|(_, slug)| *slug == teammate);
        let stranger = || ExternalId::parse(teammate.as_str().strip_prefix("intercom-")?);
        known.map(|(id, _)| id.clone()).or_else(stranger)
    }

    /// Returns what the desk calls a teammate of the workspace; the fallback team's name for an id
    /// that no slug can hold.
    pub fn teammate_here(&self, admin: &ExternalId) -> Slug {
        let known = self.teammates.get(admin).cloned();
        let stranger = || Slug::try_from(format!("{NAME}-{}", admin.as_str().to_lowercase())).ok();
        known.or_else(stranger).unwrap_or_else(|| self.fallback.clone())
    }
}

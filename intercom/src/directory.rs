use crate::wire::{Admin, ExternalId, Team};
use router::{Member, Policy, Slug};
use std::collections::BTreeMap;

/// The channel's name in `known_as` of teams and members.
pub(crate) const NAME: &str = "intercom";

/// Who is who in both: the desk's teams and teammates, and those of the workspace.
///
/// A team or teammate is found by what `known_as.intercom` says, else by the same name, without
/// regard to upper and lower case. Whoever is in the workspace alone is called `intercom-ID`. Where
/// two of the desk have one counterpart, both go there, and what comes from there counts as that of
/// the one that `known_as` names, or else that stands first in the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    teams: Counterparts,
    teammates: Counterparts,
    fallback: Slug,
    bot: ExternalId,
}

/// Whom the desk knows by which id of the workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Counterparts {
    there: BTreeMap<Slug, ExternalId>,
    here: BTreeMap<ExternalId, Slug>,
}

impl Directory {
    /// Matches the desk's teams and teammates with those of the workspace.
    pub fn new(policy: &Policy, teams: &[Team], admins: &[Admin], bot: &ExternalId) -> Self {
        let team = |team: &router::Team| team_of(team, teams);
        let all = policy.teams().iter();
        let pairs = all.filter_map(|ours| Some((&ours.slug, team(ours)?, named(&ours.known_as))));
        let mut directory = Self {
            teams: Counterparts::of(pairs),
            teammates: Counterparts::default(),
            fallback: policy.fallback_team().clone(),
            bot: bot.clone(),
        };
        let members = policy.teams().iter().flat_map(|team| &team.members);
        directory.teammates = Counterparts::of(members.filter_map(|member| {
            Some((&member.slug, admin_of(member, admins)?, named(&member.known_as)))
        }));
        directory
    }

    /// Returns the seat that the bot writes from.
    pub fn bot(&self) -> &ExternalId {
        &self.bot
    }

    /// Returns what the workspace calls a team of the desk.
    pub fn team_there(&self, team: &Slug) -> Option<&ExternalId> {
        self.teams.there.get(team)
    }

    /// Returns what the desk calls a team of the workspace.
    pub fn team_here(&self, team: &ExternalId) -> Option<&Slug> {
        self.teams.here.get(team)
    }

    /// Returns the team that stands in for one that the desk does not have.
    pub fn fallback(&self) -> &Slug {
        &self.fallback
    }

    /// Returns what the workspace calls a teammate.
    pub fn teammate_there(&self, teammate: &Slug) -> Option<ExternalId> {
        let stranger = || ExternalId::parse(teammate.as_str().strip_prefix("intercom-")?);
        self.teammates.there.get(teammate).cloned().or_else(stranger)
    }

    /// Returns what the desk calls a teammate of the workspace; the fallback team's name for an id
    /// that no slug can hold.
    pub fn teammate_here(&self, admin: &ExternalId) -> Slug {
        let known = self.teammates.here.get(admin).cloned();
        let stranger = || Slug::try_from(format!("{NAME}-{}", admin.as_str().to_lowercase())).ok();
        known.or_else(stranger).unwrap_or_else(|| self.fallback.clone())
    }
}

impl Counterparts {
    /// Takes who is whom, in the desk's order, with the id that `known_as` names where it names one.
    fn of<'a>(pairs: impl Iterator<Item = (&'a Slug, ExternalId, Option<ExternalId>)>) -> Self {
        let mut all: Vec<_> = pairs.collect();
        all.sort_by_key(|(_, _, named)| named.is_none());
        let mut counterparts = Self::default();
        for (ours, theirs, _) in all {
            counterparts.here.entry(theirs.clone()).or_insert_with(|| ours.clone());
            counterparts.there.entry(ours.clone()).or_insert(theirs);
        }
        counterparts
    }
}

/// Returns the id that a team of the desk has in the workspace, whether or not it is there.
pub(crate) fn team_of(ours: &router::Team, teams: &[Team]) -> Option<ExternalId> {
    let by_name = || teams.iter().find(|there| same(&ours.name, &there.name));
    named(&ours.known_as).or_else(|| by_name().map(|there| there.id.clone()))
}

/// Returns the id that a teammate of the desk has in the workspace, whether or not it is there.
pub(crate) fn admin_of(ours: &Member, admins: &[Admin]) -> Option<ExternalId> {
    let is_same =
        |admin: &&Admin| admin.name.as_ref().is_some_and(|name| same(&ours.name, name.as_str()));
    let by_name = || admins.iter().find(is_same);
    named(&ours.known_as).or_else(|| by_name().map(|admin| admin.id.clone()))
}

fn named(known_as: &BTreeMap<String, String>) -> Option<ExternalId> {
    known_as.get(NAME).and_then(|id| ExternalId::parse(id))
}

fn same(ours: &str, theirs: &str) -> bool {
    ours.to_lowercase() == theirs.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slug(text: &str) -> Slug {
        text.to_string().try_into().unwrap()
    }

    #[test]
    fn two_with_one_counterpart_both_go_there_and_the_named_one_comes_back() {
        let (a, b, c) = (slug("a"), slug("b"), slug("c"));
        let (five, six) = (ExternalId::from(5), ExternalId::from(6));
        let pairs = [
            (&a, five.clone(), None),
            (&b, five.clone(), Some(five.clone())),
            (&c, six.clone(), None),
        ];
        let counterparts = Counterparts::of(pairs.into_iter());
        let there: Vec<&ExternalId> = counterparts.there.values().collect();
        assert_eq!(there, [&five, &five, &six]);
        assert_eq!((&counterparts.here[&five], &counterparts.here[&six]), (&b, &c));
    }
}

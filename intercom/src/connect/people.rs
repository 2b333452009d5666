//! Whether the teams and teammates of the desk are there, and which are whose.

use super::{ALIKE, Examined, Missing, State};
use crate::{
    directory::{NAME, admin_of, team_of},
    wire::{Admin, ExternalId, Team},
};
use router::{Member, Policy, Slug};
use std::collections::{BTreeMap, BTreeSet};

impl Examined {
    pub(super) fn teams(&mut self, theirs: &[Team], policy: &Policy) {
        let mut found: BTreeMap<ExternalId, Vec<&str>> = BTreeMap::new();
        let mut lost = Vec::new();
        for ours in policy.teams() {
            match team_of(ours, theirs).filter(|id| theirs.iter().any(|there| there.id == *id)) {
                Some(id) => found.entry(id).or_default().push(ours.slug.as_str()),
                None => lost.push(ours),
            }
        }
        let mut taken: BTreeSet<ExternalId> = found.keys().cloned().collect();
        for ours in lost {
            let free: Vec<&Team> =
                theirs.iter().filter(|there| !taken.contains(&there.id)).collect();
            taken.extend(self.no_team(ours, &free));
        }
        let n_found: usize = found.values().map(Vec::len).sum();
        for (id, slugs) in found.iter().filter(|(_, slugs)| slugs.len() > 1) {
            let what = format!("{} are one team there, {id}", slugs.join(" and "));
            let mend = "what people assign to it there counts as one team's here; give each of them \
                        a team of its own by known_as in routing.toml";
            self.add("teams", State::Odd, what, mend);
        }
        if n_found > 0 {
            self.good("teams", format!("{n_found} of {} are there", policy.teams().len()));
        }
    }

    /// Names a team that is not there and what it could be; returns what is proposed for it.
    fn no_team(&mut self, ours: &router::Team, theirs: &[&Team]) -> Option<ExternalId> {
        let (slug, name) = (&ours.slug, &ours.name);
        let what = match ours.known_as.get(NAME) {
            Some(id) => format!("team {slug} is known as {id}, and the workspace has no such team"),
            None => format!("the workspace has no team {name:?}, which team {slug} could be"),
        };
        let mut proposed = None;
        let near = nearest(name, theirs.iter().map(|team| (team.name.as_str(), &team.id)));
        let mend = match near.as_slice() {
            [(likeness, theirs, id), rest @ ..] if *likeness >= ALIKE => {
                if rest.first().is_none_or(|(next, ..)| next < likeness) {
                    self.missing.push(Missing::Team(slug.clone(), (*id).clone()));
                    proposed = Some((*id).clone());
                }
                format!("write {} under it, for {theirs:?}", line(id.as_str()))
            }
            [] => "make it in Intercom under Settings > Teammates > Teams".to_string(),
            _ => {
                let names = theirs.iter().map(|team| format!("{} {:?}", team.id, team.name));
                let names: Vec<String> = names.collect();
                let line = line("ID");
                format!("make it in Intercom, or write {line} under it: {}", names.join(", "))
            }
        };
        self.add("teams", State::Bad, what, mend);
        proposed
    }

    /// Looks for the desk's teammates. Whoever is not there answers under the bot's name, so only a
    /// wrong id is a fault.
    pub(super) fn teammates(
        &mut self,
        admins: &[Admin],
        policy: &Policy,
        seat: Option<&ExternalId>,
    ) {
        let mut found: BTreeMap<ExternalId, BTreeSet<&Slug>> = BTreeMap::new();
        let mut all: BTreeSet<&Slug> = BTreeSet::new();
        for member in policy.teams().iter().flat_map(|team| &team.members) {
            if !all.insert(&member.slug) {
                continue;
            }
            let id = admin_of(member, admins);
            match id.and_then(|id| admins.iter().find(|admin| admin.id == id)) {
                Some(admin) => {
                    found.entry(admin.id.clone()).or_default().insert(&member.slug);
                    self.seat_of(member, admin, seat);
                }
                None => self.no_teammate(member, admins),
            }
        }
        for (id, slugs) in found.iter().filter(|(_, slugs)| slugs.len() > 1) {
            let slugs: Vec<&str> = slugs.iter().map(|slug| slug.as_str()).collect();
            let what = format!("{} are one teammate there, {id}", slugs.join(" and "));
            self.add("teammates", State::Odd, what, "mend known_as of one of them in routing.toml");
        }
        let n_found: usize = found.values().map(BTreeSet::len).sum();
        if n_found > 0 {
            self.good("teammates", format!("{n_found} of {} are there", all.len()));
        }
    }

    fn seat_of(&mut self, member: &Member, admin: &Admin, seat: Option<&ExternalId>) {
        let slug = &member.slug;
        if seat == Some(&admin.id) {
            let what = format!("teammate {slug} has the bot's seat, {}", admin.id);
            let mend = "name the person's own seat by known_as; what the bot's seat writes counts \
                        as the bot's";
            self.add("teammates", State::Bad, what, mend);
        } else if !admin.has_inbox_seat {
            let what = format!("teammate {slug} ({}) has no inbox seat there", admin.id);
            let mend = "give it one under Settings > Teammates; until then nothing can be given to \
                        them there";
            self.add("teammates", State::Odd, what, mend);
        }
    }

    fn no_teammate(&mut self, member: &Member, admins: &[Admin]) {
        let Member { slug, name, .. } = member;
        let names =
            admins.iter().filter_map(|admin| Some((admin.name.as_ref()?.as_str(), &admin.id)));
        let near = nearest(name, names);
        let (state, what) = match member.known_as.get(NAME) {
            Some(id) => {
                let what =
                    format!("teammate {slug} is known as {id}, and the workspace has none such");
                (State::Bad, what)
            }
            None => {
                let what = format!(
                    "the workspace has no teammate {name:?}, so what {slug} writes here goes out \
                     under the bot's name"
                );
                (State::Odd, what)
            }
        };
        let mend = match near.first() {
            Some((likeness, theirs, id)) if *likeness >= ALIKE => {
                format!("write {} under it, for {theirs:?}", line(id.as_str()))
            }
            _ => format!("write {} under it, with the id of their seat", line("ID")),
        };
        self.add("teammates", state, what, mend);
    }
}

/// Sorts names by how much they are like one, the likest first.
fn nearest<'a>(
    name: &str,
    theirs: impl Iterator<Item = (&'a str, &'a ExternalId)>,
) -> Vec<(f64, &'a str, &'a ExternalId)> {
    let lower = name.to_lowercase();
    let likeness = |theirs: &str| {
        let theirs = theirs.to_lowercase();
        let holds = theirs.contains(&lower) || lower.contains(&theirs);
        let alike = strsim::normalized_damerau_levenshtein(&lower, &theirs);
        if holds && !theirs.is_empty() { alike.max(ALIKE) } else { alike }
    };
    let mut near: Vec<_> = theirs.map(|(name, id)| (likeness(name), name, id)).collect();
    near.sort_by(|(one, ..), (other, ..)| other.total_cmp(one));
    near
}

fn line(id: &str) -> String {
    format!("known_as = {{ {NAME} = \"{id}\" }}")
}

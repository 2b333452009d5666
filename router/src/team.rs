use crate::{Hours, Phrases, Slug};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use std::collections::{BTreeMap, BTreeSet};

#[cfg(test)]
mod tests;

/// People who take over conversations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Team {
    /// How rules name it.
    pub slug: Slug,
    /// How people name it.
    pub name: String,
    /// What its conversations are about: a message that holds one of these goes to it.
    #[serde(default)]
    pub owns: Phrases,
    /// What its members speak unless they say otherwise; none: every language.
    #[serde(default)]
    pub languages: Vec<Language>,
    /// How its conversations come to its members.
    #[serde(default)]
    pub assignment: Assignment,
    /// How many open conversations a member holds unless the member says otherwise; None: any
    /// number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
    /// What other systems call it, by channel, such as `intercom = "5017691"`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub known_as: BTreeMap<String, String>,
    /// Slug of the [`Sla`](crate::Sla) that its conversations have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sla: Option<Slug>,
    /// Slug of the team that takes over while this one is closed; None: conversations wait here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when_closed: Option<Slug>,
    /// When it works; None: always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Hours>,
    /// Who belongs to it, no teammate twice, in the order in which conversations go round.
    #[serde(default, rename = "member", deserialize_with = "each_once")]
    pub members: Vec<Member>,
}

impl Team {
    /// Whether the team works at `now`.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.hours.as_ref().is_none_or(|hours| hours.is_open(now))
    }

    /// Returns the member with a slug.
    pub fn member(&self, slug: &Slug) -> Option<&Member> {
        self.members.iter().find(|member| member.slug == *slug)
    }

    /// Returns how many open conversations a member may hold; None: any number.
    pub fn capacity_of(&self, member: &Member) -> Option<u32> {
        member.capacity.or(self.capacity)
    }

    /// Whether a member speaks a language: one of the member's own, or of the team's where the
    /// member names none, or any where neither names one.
    pub fn speaks(&self, member: &Member, language: &Language) -> bool {
        let spoken = if member.languages.is_empty() { &self.languages } else { &member.languages };
        spoken.is_empty() || spoken.contains(language)
    }

    /// Whether anybody on the team who may reply speaks a language, at work today or not.
    pub fn covers(&self, language: &Language) -> bool {
        self.members.iter().any(|member| member.may_reply && self.speaks(member, language))
    }
}

/// How conversations of a [`Team`] come to its members.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Assignment {
    /// Each to the next member after the one who got the last.
    RoundRobin,
    /// Each to the member who holds the fewest open conversations.
    FewestOpen,
    /// A person picks them from the queue.
    #[default]
    Manual,
}

/// A teammate as a part of a [`Team`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Which teammate, the same in every team.
    pub slug: Slug,
    /// How people call the teammate.
    pub name: String,
    /// What the teammate speaks; none: what the team does.
    #[serde(default)]
    pub languages: Vec<Language>,
    /// How many open conversations the teammate holds; zero: none are assigned; None: what the
    /// team says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
    /// What other systems call the teammate, by channel.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub known_as: BTreeMap<String, String>,
    /// Whether the teammate may write to customers; otherwise none are assigned.
    #[serde(default = "yes")]
    pub may_reply: bool,
}

fn yes() -> bool {
    true
}

fn each_once<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Member>, D::Error> {
    let members = Vec::<Member>::deserialize(deserializer)?;
    let mut seen = BTreeSet::new();
    match members.iter().find(|member| !seen.insert(&member.slug)) {
        Some(again) => Err(D::Error::custom(format!(
            "teammate \"{}\" stands twice in one team; remove one",
            again.slug
        ))),
        None => Ok(members),
    }
}

/// A language by its code of two or three letters (ISO 639), in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Language(String);

impl Language {
    /// Reads the language of a locale: `de-AT` and `de_DE` are `de`. None: it names none.
    pub fn of_locale(locale: &str) -> Option<Self> {
        let code = locale.trim().split(['-', '_']).next().unwrap_or_default();
        let lawful = matches!(code.len(), 2 | 3) && code.bytes().all(|b| b.is_ascii_alphabetic());
        lawful.then(|| Self(code.to_ascii_lowercase()))
    }

    /// Returns the code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Language {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::of_locale(&text)
            .ok_or_else(|| format!("{text:?} is no language; write its code, such as \"de\""))
    }
}

impl From<Language> for String {
    fn from(language: Language) -> Self {
        language.0
    }
}

/// The team that a conversation reaches, see [`open_team`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenTeam {
    /// Who takes it.
    pub team: Slug,
    /// The closed teams that it passed on the way, in order; none: it stays where it was sent.
    pub passed: Vec<Slug>,
}

/// Follows `when_closed` from `start` to the first team that `is_open`. Where every team on the way
/// is closed, or a name belongs to no team, the conversation stays with `start` and waits.
pub fn open_team(teams: &[Team], start: &Slug, is_open: impl Fn(&Team) -> bool) -> OpenTeam {
    let mut passed: Vec<Slug> = Vec::new();
    let mut next = Some(start);
    while let Some(team) = next.and_then(|slug| find(teams, slug)) {
        if is_open(team) {
            return OpenTeam { team: team.slug.clone(), passed };
        }
        if passed.contains(&team.slug) {
            break;
        }
        passed.push(team.slug.clone());
        next = team.when_closed.as_ref();
    }
    OpenTeam { team: start.clone(), passed: Vec::new() }
}

/// Returns the circles in `when_closed`, each once, beginning with its team that comes first in
/// the file. A circle is harmless as long as one of its teams is always open (three offices around
/// the globe); otherwise its conversations wait where they were sent.
pub fn overflow_cycles(teams: &[Team]) -> Vec<Vec<Slug>> {
    let mut settled: BTreeSet<&Slug> = BTreeSet::new();
    let mut cycles: Vec<Vec<Slug>> = Vec::new();
    for team in teams {
        let mut path: Vec<&Slug> = Vec::new();
        let mut next = Some(&team.slug);
        while let Some(team) = next.and_then(|slug| find(teams, slug)) {
            if let Some(start) = path.iter().position(|slug| **slug == team.slug) {
                cycles.push(path.iter().skip(start).map(|slug| (*slug).clone()).collect());
                break;
            }
            if settled.contains(&team.slug) {
                break;
            }
            path.push(&team.slug);
            next = team.when_closed.as_ref();
        }
        settled.extend(path);
    }
    cycles.iter_mut().for_each(|cycle| first_of_file_first(teams, cycle));
    cycles
}

fn first_of_file_first(teams: &[Team], cycle: &mut [Slug]) {
    let place = |slug: &Slug| teams.iter().position(|team| team.slug == *slug);
    let first = (0..cycle.len()).min_by_key(|index| cycle.get(*index).and_then(place));
    cycle.rotate_left(first.unwrap_or(0));
}

fn find<'a>(teams: &'a [Team], slug: &Slug) -> Option<&'a Team> {
    teams.iter().find(|team| team.slug == *slug)
}

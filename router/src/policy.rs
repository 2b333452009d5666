use crate::{Confidence, Phrases};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A short name in lower-case letters, digits, `-` and `_`, unique among its kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Slug(String);

impl Slug {
    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Slug {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let lawful = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        if text.is_empty() || !text.chars().all(lawful) {
            return Err(format!(
                "{text:?} is no short name: use lower-case letters, digits, - and _"
            ));
        }
        Ok(Self(text))
    }
}

impl From<Slug> for String {
    fn from(slug: Slug) -> Self {
        slug.0
    }
}

impl std::fmt::Display for Slug {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// How soon a conversation matters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// When there is time.
    Low,
    /// In its turn.
    #[default]
    Normal,
    /// Before others.
    High,
    /// At once.
    Urgent,
}

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
}

/// One line of the policy: when it matches, its `then` is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// How traces name it.
    pub name: String,
    /// What must hold.
    pub when: When,
    /// What is done.
    pub then: Then,
}

/// The condition of a [`Rule`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// The last message holds one of these.
    pub any_words: Phrases,
}

/// The consequence of a [`Rule`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Then {
    /// Slug of the team that takes over without a reply of the bot.
    pub hand_off: Slug,
    /// How soon it matters.
    #[serde(default)]
    pub priority: Priority,
}

/// What the router decides by. Every team that is named exists.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    fallback_team: Slug,
    teams: Vec<Team>,
    rules: Vec<Rule>,
    /// The least confidence that a reply needs.
    pub threshold: Confidence,
    /// Whether the bot may reply at all; otherwise its drafts go to teammates.
    pub replies: bool,
}

/// What makes a policy unlawful, each naming what to mend.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Something names a team that does not exist.
    #[error("{place} names team {team:?}, which does not exist; known teams: {known}")]
    UnknownTeam {
        /// Where.
        place: String,
        /// The name.
        team: String,
        /// What could be meant.
        known: String,
    },
    /// Two entries share a name.
    #[error("{what} {name:?} is defined twice; rename one")]
    Twice {
        /// Team or rule.
        what: &'static str,
        /// The shared name.
        name: String,
    },
    /// A rule can never match.
    #[error("rule {0:?} has no words to look for in `when.any_words`; add some or delete the rule")]
    NeverMatches(String),
}

impl Policy {
    /// Puts a policy together.
    ///
    /// # Errors
    /// Every [`PolicyError`] in it, in the order of the file.
    pub fn new(
        fallback_team: Slug,
        teams: Vec<Team>,
        rules: Vec<Rule>,
        threshold: Confidence,
    ) -> Result<Self, Vec<PolicyError>> {
        let mut errors = Vec::new();
        let known: BTreeSet<&str> = teams.iter().map(|team| team.slug.as_str()).collect();
        let mut named = |place: String, team: &Slug| {
            if !known.contains(team.as_str()) {
                let known = known.iter().copied().collect::<Vec<_>>().join(", ");
                errors.push(PolicyError::UnknownTeam { place, team: team.to_string(), known });
            }
        };
        named("fallback_team".into(), &fallback_team);
        for rule in &rules {
            named(format!("rule {:?}", rule.name), &rule.then.hand_off);
        }
        errors.extend(twice("team", teams.iter().map(|team| team.slug.as_str())));
        errors.extend(twice("rule", rules.iter().map(|rule| rule.name.as_str())));
        let silent = rules.iter().filter(|rule| rule.when.any_words.is_empty());
        errors.extend(silent.map(|rule| PolicyError::NeverMatches(rule.name.clone())));
        if errors.is_empty() {
            Ok(Self { fallback_team, teams, rules, threshold, replies: true })
        } else {
            Err(errors)
        }
    }

    /// Returns the team that takes what nobody owns.
    pub fn fallback_team(&self) -> &Slug {
        &self.fallback_team
    }

    /// Returns all teams in the order of the file.
    pub fn teams(&self) -> &[Team] {
        &self.teams
    }

    /// Returns all rules in the order in which they are tried.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }
}

fn twice<'a>(
    what: &'static str,
    names: impl Iterator<Item = &'a str>,
) -> impl Iterator<Item = PolicyError> {
    let mut seen = BTreeSet::new();
    let repeated: Vec<&str> = names.filter(|name| !seen.insert(*name)).collect();
    repeated.into_iter().map(move |name| PolicyError::Twice { what, name: name.into() })
}

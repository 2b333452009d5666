use crate::walk::{self, Until};
use crate::{Facts, Policy, Value};
use ground::Ground;
use jiff::Timestamp;
use std::fmt;

mod arrival;
mod candidates;
mod circles;
mod conflict;
mod coverage;
mod goal;
mod ground;
mod pattern;
mod reach;
mod search;
mod sentences;
mod teams;

/// How bad a [`Flaw`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// What is written cannot be meant.
    Error,
    /// It may be meant.
    Warning,
    /// It is as it must be, and good to know.
    Note,
}

impl Severity {
    /// Returns its name: `error`, `warning` or `note`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// Something wrong with a policy that is lawful.
#[derive(Debug, Clone, PartialEq)]
pub struct Flaw {
    /// How bad it is.
    pub severity: Severity,
    /// The rule that is to be mended, if it is one.
    pub rule: Option<String>,
    /// Line of the file where that rule starts; 0 where it is no rule.
    pub line: usize,
    /// The way from the top of the file to what is to be mended, where it is no rule:
    /// `team.2.hours`.
    pub key: Option<String>,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub mend: String,
    /// A conversation that shows it, where one can.
    pub example: Option<Example>,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what, self.mend)
    }
}

/// A conversation that was walked through the rules.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// What is known of it beyond a plain one ([`Facts::new`] for which no answer was found).
    pub facts: Vec<(String, Value)>,
    /// The rules that fire, in their order.
    pub fires: Vec<String>,
}

impl Example {
    /// Returns everything that is known of the conversation.
    pub fn facts(&self, policy: &Policy) -> Facts {
        let mut facts = ground::plain(policy);
        for (name, value) in &self.facts {
            if let Some(id) = policy.catalogue().find(name) {
                facts.put(id, Some(value.clone()));
            }
        }
        facts
    }

    /// Walks a conversation through the rules and keeps what tells it from a plain one, as long as
    /// it still `shows` what it is to show. None: it does not.
    fn of(ground: &Ground<'_>, mut facts: Facts, shows: &dyn Fn(&Facts) -> bool) -> Option<Self> {
        let (policy, plain) = (ground.policy, &ground.plain);
        let catalogue = policy.catalogue();
        if !shows(&facts) {
            return None;
        }
        let differs = |facts: &Facts, name: &str| {
            let id = catalogue.find(name)?;
            let value = facts.get(id)?;
            (plain.get(id) != Some(value)).then(|| (id, value.clone()))
        };
        for fact in catalogue.facts().iter().filter(|fact| !fact.name.starts_with("answer.")) {
            if let Some((id, value)) = differs(&facts, &fact.name) {
                facts.put(id, plain.get(id).cloned());
                if !shows(&facts) {
                    facts.put(id, Some(value));
                }
            }
        }
        let names = catalogue.facts().iter().map(|fact| &fact.name);
        let known = names.filter_map(|name| Some((name.clone(), differs(&facts, name)?.1)));
        let walk = walk::walk(policy, &facts, Until::End, &mut |_, _| {});
        let fires = walk.fired.into_iter().map(|fired| fired.rule).collect();
        Some(Self { facts: known.collect(), fires })
    }
}

/// Writes the facts as a rule would.
impl fmt::Display for Example {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.facts.is_empty() {
            return f.write_str("any conversation");
        }
        let facts = self.facts.iter().map(|(name, value)| format!("{name} = {value}"));
        f.write_str(&facts.collect::<Vec<_>>().join(", "))
    }
}

/// Looks for what is wrong with a policy: rules that never fire, rules that contradict each other,
/// teams that nobody reaches or that reach nobody, escalations in a circle, topics that nobody
/// looks after, replies without end. What it calls an error is proved; every example was walked
/// through the rules. `now` is when the policy takes effect. By line, errors first.
pub fn check(policy: &Policy, now: Timestamp) -> Vec<Flaw> {
    let ground = Ground::new(policy);
    let reach = reach::reach(&ground);
    let mut flaws = reach.flaws;
    flaws.extend(conflict::conflicts(&ground, &reach.dead));
    flaws.extend(circles::circles(&ground, now, &reach.dead));
    flaws.extend(coverage::coverage(&ground, &reach.dead));
    flaws.extend(teams::teams(&ground, now, &reach.dead));
    flaws.sort_by_key(|flaw| (flaw.line, flaw.severity));
    flaws
}

/// Conversations that no rule, topic or phrase covers.
#[derive(Debug, Clone, PartialEq)]
pub struct Uncovered {
    /// Which of those given they are.
    pub places: Vec<usize>,
    /// A [`Severity::Note`] that says so, with the first of them as its example.
    pub flaw: Flaw,
}

/// Looks for conversations that reach the fallback team because no rule, topic or phrase of the
/// policy covers them: among those given, and where none are given, among all that there can be.
/// None: there is none.
pub fn uncovered(policy: &Policy, conversations: &[Facts]) -> Option<Uncovered> {
    let ground = Ground::new(policy);
    let places: Vec<usize> = (0..conversations.len())
        .filter(|place| {
            conversations.get(*place).is_some_and(|facts| coverage::is_open(policy, facts))
        })
        .collect();
    let first = match places.first() {
        Some(place) => conversations.get(*place).cloned(),
        None if conversations.is_empty() => coverage::open(&ground),
        None => None,
    };
    let flaw = coverage::uncovered(&ground, &first?, places.len(), conversations.len());
    Some(Uncovered { places, flaw })
}

fn flaw(ground: &Ground<'_>, severity: Severity, place: usize, text: (String, String)) -> Flaw {
    let rule = &ground.rule(place).rule;
    let (what, mend) = text;
    let (rule, line) = (Some(rule.name.clone()), rule.line);
    Flaw { severity, rule, line, key: None, what, mend, example: None }
}

/// Names a rule so that it is found.
fn named(ground: &Ground<'_>, place: usize) -> String {
    let rule = ground.rule(place);
    match rule.built_in() {
        true => format!("{:?} (built in)", rule.rule.name),
        false => format!("{:?} (line {})", rule.rule.name, rule.rule.line),
    }
}

/// Names of a list that are written out.
const MOST_NAMES: usize = 8;

fn list(ground: &Ground<'_>, places: &[usize]) -> String {
    let mut names: Vec<String> =
        places.iter().take(MOST_NAMES).map(|place| named(ground, *place)).collect();
    if places.len() > MOST_NAMES {
        names.push(format!("and {} more", places.len() - MOST_NAMES));
    }
    names.join(", ")
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use crate::rule::{CheckedRule, OWNER, Settle};
use crate::{
    Budgets, Catalogue, Condition, Confidence, FactError, Kind, Raised, Rule, Sla, Slug, Team,
    Topic, topic::topic_faults,
};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// What the router decides by, as it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Routing {
    /// Team that takes what nobody looks after.
    pub fallback_team: Slug,
    /// All teams.
    pub teams: Vec<Team>,
    /// All promises.
    pub slas: Vec<Sla>,
    /// What conversations can be about.
    pub topics: Vec<Topic>,
    /// Names of all signals, built-in ones too.
    pub signals: Vec<String>,
    /// All tiers of customers and companies; none: any text is one.
    pub tiers: Vec<String>,
    /// Attributes of customers and companies beyond the built-in ones.
    pub attributes: BTreeMap<String, Kind>,
    /// All rules, in the order in which they are read.
    pub rules: Vec<Rule>,
    /// Names of the canned replies.
    pub replies: BTreeSet<Slug>,
    /// Names of the questions that rules can ask.
    pub questions: BTreeSet<Slug>,
    /// Names of the webhooks that rules can call.
    pub webhooks: BTreeSet<Slug>,
    /// How the bot escalates where no rule says otherwise.
    pub ladder: Ladder,
    /// The least confidence that a reply needs where no rule says otherwise.
    pub threshold: Confidence,
    /// Whether the bot may write to customers at all; otherwise its drafts go to teammates.
    pub speaks: bool,
}

/// How the bot escalates where no rule says otherwise: it answers, asks once what is meant, offers
/// a person once, hands off.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ladder {
    /// What happens when the bot is not sure of its answer.
    pub unsure: Unsure,
    /// Messages of the bot in one episode after which people take over.
    pub bot_turns: u32,
    /// Names of the built-in rules that this desk does without.
    pub without: Vec<String>,
}

impl Default for Ladder {
    fn default() -> Self {
        Self { unsure: Unsure::HandOff, bot_turns: 15, without: Vec::new() }
    }
}

/// What happens when the bot is not sure of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unsure {
    /// People take over.
    HandOff,
    /// A person is offered first, once an episode.
    Offer,
}

/// What the router decides by. Every team, teammate, promise, reply, question and webhook that is
/// named exists, every condition is sound, and there is one order of rules: the built-in ones that
/// guard against machines, those of the desk as they are written, the other built-in ones.
#[derive(Debug, Clone)]
pub struct Policy {
    routing: Routing,
    catalogue: Catalogue,
    rules: Vec<CheckedRule>,
    budgets: Budgets,
    raised: Vec<Raised>,
}

/// Where in the file something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum At {
    /// At a key, by its way from the top: `fallback_team`, `team.1.when_closed`,
    /// `topic.0.examples.3`. What stands in a list is counted from 0.
    Key(String),
    /// At the rule that starts in this line.
    Rule(usize),
    /// In the condition of that rule.
    Condition {
        /// Line where the rule starts.
        rule: usize,
        /// Line of the condition, from 1.
        line: usize,
        /// Letter of that line, from 1.
        column: usize,
    },
}

/// What makes a policy unlawful.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}; {mend}")]
pub struct PolicyError {
    /// Where.
    pub at: At,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub mend: String,
}

impl Policy {
    /// Checks a policy.
    ///
    /// # Errors
    /// Every [`PolicyError`] in it.
    pub fn new(routing: Routing) -> Result<Self, Vec<PolicyError>> {
        let mut errors = Vec::new();
        let catalogue = catalogue(&routing, &mut errors);
        errors.extend(named(&routing));
        errors.extend(topic_faults(&routing.topics));
        let built_in = BuiltIn::new(&routing.ladder);
        errors.extend(built_in.faults(&routing));
        let mut rules = Vec::new();
        for rule in built_in.around(&routing) {
            match checked(&routing, &catalogue, rule) {
                Ok(rule) => rules.push(rule),
                Err(faults) => errors.extend(faults),
            }
        }
        if errors.is_empty() {
            let (budgets, raised) = (Budgets::default(), Vec::new());
            Ok(Self { routing, catalogue, rules, budgets, raised })
        } else {
            Err(errors)
        }
    }

    /// Returns the team that takes what nobody looks after.
    pub fn fallback_team(&self) -> &Slug {
        &self.routing.fallback_team
    }

    /// Returns all teams in the order of the file.
    pub fn teams(&self) -> &[Team] {
        &self.routing.teams
    }

    /// Finds a team.
    pub fn team(&self, slug: &Slug) -> Option<&Team> {
        self.routing.teams.iter().find(|team| team.slug == *slug)
    }

    /// Returns what conversations can be about.
    pub fn topics(&self) -> &[Topic] {
        &self.routing.topics
    }

    /// Finds a promise.
    pub fn sla(&self, slug: &Slug) -> Option<&Sla> {
        self.routing.slas.iter().find(|sla| sla.slug == *slug)
    }

    /// Returns how the bot escalates.
    pub fn ladder(&self) -> &Ladder {
        &self.routing.ladder
    }

    /// Returns the least confidence that a reply needs where no rule says otherwise.
    pub fn threshold(&self) -> Confidence {
        self.routing.threshold
    }

    /// Returns the policy with thresholds that are certified to keep error budgets.
    pub fn with_budgets(self, budgets: Budgets) -> Self {
        Self { budgets, ..self }
    }

    /// Returns the thresholds that are certified to keep error budgets.
    pub fn budgets(&self) -> &Budgets {
        &self.budgets
    }

    /// Returns the policy with thresholds that were raised as budgets burnt.
    pub fn with_raised(self, raised: Vec<Raised>) -> Self {
        Self { raised, ..self }
    }

    /// Returns the thresholds that were raised as budgets burnt.
    pub fn raised(&self) -> &[Raised] {
        &self.raised
    }

    /// Whether the bot may write to customers.
    pub fn speaks(&self) -> bool {
        self.routing.speaks
    }

    /// Returns all facts that rules can ask for.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// Returns the desk's own rules in the order in which they are read.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(|rule| !rule.built_in()).map(|rule| &rule.rule)
    }

    /// Returns the names of all rules, built-in ones too, in the order in which they are read.
    pub fn rule_names(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|rule| rule.rule.name.as_str())
    }

    pub(crate) fn checked(&self) -> &[CheckedRule] {
        &self.rules
    }
}

#[derive(Deserialize)]
struct BuiltIn {
    before: Vec<Rule>,
    after: Vec<Rule>,
}

impl BuiltIn {
    fn new(ladder: &Ladder) -> Self {
        let text = include_str!("policy/built_in.toml")
            .replace("BOT_TURNS", &ladder.bot_turns.to_string());
        toml::from_str(&text).expect("a test reads the built-in rules")
    }

    /// Puts the desk's own rules between those that it does not do without.
    fn around(self, routing: &Routing) -> Vec<Rule> {
        let rules = self.before.into_iter().chain(routing.rules.clone()).chain(self.after);
        rules.filter(|rule| rule.line > 0 || !routing.ladder.without.contains(&rule.name)).collect()
    }

    /// Finds rules to do without that do not exist, and rules that traces could not tell from them.
    fn faults(&self, routing: &Routing) -> Vec<PolicyError> {
        let names: Vec<&str> =
            self.before.iter().chain(&self.after).map(|rule| rule.name.as_str()).collect();
        let without = &routing.ladder.without;
        let unknown = without.iter().enumerate();
        let unknown = unknown.filter(|(_, name)| !names.contains(&name.as_str()));
        let unknown = unknown.map(|(place, name)| {
            let what = format!("without names rule {name:?}, which is not built in");
            let at = At::Key(format!("ladder.without.{place}"));
            error(at, what, format!("known: {}", names.join(", ")))
        });
        let doubled =
            |rule: &&Rule| names.contains(&rule.name.as_str()) && !without.contains(&rule.name);
        let twice = routing.rules.iter().filter(doubled).map(|rule| {
            let what = format!("rule {:?} has the name of a built-in one", rule.name);
            let mend = "rename it, or put the built-in one into `without`";
            error(At::Rule(rule.line), what, mend)
        });
        unknown.chain(twice).collect()
    }
}

/// Lists all facts. An attribute that cannot be is an error and left out, so that rules which ask
/// for others are checked all the same.
fn catalogue(routing: &Routing, errors: &mut Vec<PolicyError>) -> Catalogue {
    let list = |attributes: &BTreeMap<String, Kind>| {
        let teams = routing.teams.iter().map(|team| team.slug.as_str());
        let signals = routing.signals.iter().map(String::as_str);
        Catalogue::new(teams, signals, attributes)
    };
    let mut catalogue = list(&routing.attributes).unwrap_or_else(|faults| {
        let mut lawful = routing.attributes.clone();
        for fault in faults {
            let mut key = "attributes".to_string();
            if let FactError::Unknown { name, .. } = &fault {
                lawful.remove(name);
                key = format!("attributes.{name}");
            }
            let text = fault.to_string();
            let (what, mend) = text.split_once("; ").unwrap_or((&text, "mend the name"));
            errors.push(error(At::Key(key), what, mend));
        }
        list(&lawful).unwrap_or_default()
    });
    if !routing.topics.is_empty() {
        let names = routing.topics.iter().map(|topic| topic.slug.to_string());
        catalogue.allow("topic.name", names.collect());
    }
    let names = routing.teams.iter().map(|team| team.slug.to_string());
    catalogue.allow("conversation.team", names.collect());
    for tier in ["customer.tier", "company.tier"] {
        catalogue.allow(tier, routing.tiers.clone());
    }
    catalogue
}

fn error(at: At, what: impl Into<String>, mend: impl Into<String>) -> PolicyError {
    PolicyError { at, what: what.into(), mend: mend.into() }
}

fn list<'a>(names: impl Iterator<Item = &'a Slug>) -> String {
    let names: Vec<&str> = names.map(Slug::as_str).collect();
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

/// Finds names that lead nowhere, outside of rules, and names that are given twice.
fn named(routing: &Routing) -> Vec<PolicyError> {
    let mut errors = Vec::new();
    let known = || list(routing.teams.iter().map(|team| &team.slug));
    let mut team = |key: String, place: &str, slug: &Slug| {
        if !routing.teams.iter().any(|team| team.slug == *slug) {
            let what = format!("{place} names team {:?}, which does not exist", slug.as_str());
            errors.push(error(At::Key(key), what, format!("known teams: {}", known())));
        }
    };
    team("fallback_team".into(), "fallback_team", &routing.fallback_team);
    for (n, other) in routing.teams.iter().enumerate() {
        if let Some(slug) = &other.when_closed {
            let place = format!("when_closed of team {:?}", other.slug.as_str());
            team(format!("team.{n}.when_closed"), &place, slug);
        }
    }
    for (n, topic) in routing.topics.iter().enumerate() {
        if let Some(slug) = &topic.team {
            let place = format!("topic {:?}", topic.slug.as_str());
            team(format!("topic.{n}.team"), &place, slug);
        }
    }
    let teams = || routing.teams.iter().enumerate();
    for (n, _) in teams().filter(|(_, team)| team.slug.as_str() == OWNER) {
        let what = "team \"owner\" cannot be named so";
        errors.push(error(
            At::Key(format!("team.{n}.slug")),
            what,
            "rules use that name for the team that looks after a question; rename the team",
        ));
    }
    for (n, other) in teams() {
        let Some(slug) = &other.sla else { continue };
        if !routing.slas.iter().any(|sla| sla.slug == *slug) {
            let what = format!(
                "team {:?} names SLA {:?}, which does not exist",
                other.slug.as_str(),
                slug.as_str()
            );
            let known = list(routing.slas.iter().map(|sla| &sla.slug));
            errors.push(error(At::Key(format!("team.{n}.sla")), what, format!("known: {known}")));
        }
    }
    errors.extend(twice(
        ("team", "team.#.slug"),
        routing.teams.iter().map(|team| team.slug.as_str()),
    ));
    errors.extend(twice(("SLA", "sla.#.slug"), routing.slas.iter().map(|sla| sla.slug.as_str())));
    errors.extend(twice(
        ("topic", "topic.#.slug"),
        routing.topics.iter().map(|topic| topic.slug.as_str()),
    ));
    errors.extend(no_turns(&routing.ladder));
    errors.extend(twice(
        ("rule", "rule.#.name"),
        routing.rules.iter().map(|rule| rule.name.as_str()),
    ));
    errors
}

fn no_turns(ladder: &Ladder) -> Option<PolicyError> {
    let what = "bot_turns = 0 leaves nothing to the bot";
    let mend = "write at least 1, or answers.replies = false in frontdesk.toml";
    (ladder.bot_turns == 0).then(|| error(At::Key("ladder.bot_turns".into()), what, mend))
}

/// Finds names that are given twice; `#` in `key` stands for the place of the second.
fn twice<'a>(
    (what, key): (&'static str, &'static str),
    names: impl Iterator<Item = &'a str>,
) -> impl Iterator<Item = PolicyError> {
    let mut seen = BTreeSet::new();
    let names = names.enumerate();
    let repeated: Vec<(usize, &str)> = names.filter(|(_, name)| !seen.insert(*name)).collect();
    repeated.into_iter().map(move |(place, name)| {
        let at = At::Key(key.replace('#', &place.to_string()));
        error(at, format!("{what} {name:?} is defined twice"), "rename one")
    })
}

fn checked(
    routing: &Routing,
    catalogue: &Catalogue,
    rule: Rule,
) -> Result<CheckedRule, Vec<PolicyError>> {
    let mut errors = Vec::new();
    let condition = rule.when.as_deref().map(|when| Condition::new(when, catalogue)).transpose();
    let condition = condition.unwrap_or_else(|fault| {
        let at = At::Condition { rule: rule.line, line: fault.line, column: fault.column };
        let what = format!("rule {:?}: {}", rule.name, fault.what);
        errors.push(error(at, what, fault.mend));
        None
    });
    let settles = rule.then.settles().unwrap_or_else(|what| {
        let what = format!("rule {:?}: {what}", rule.name);
        errors.push(error(At::Rule(rule.line), what, "keep one of them, or write two rules"));
        None
    });
    errors.extend(consequences(routing, &rule));
    if errors.is_empty() { Ok(CheckedRule { rule, condition, settles }) } else { Err(errors) }
}

/// Finds what a rule's consequences name that does not exist, and numbers that are none.
fn consequences(routing: &Routing, rule: &Rule) -> Vec<PolicyError> {
    let then = &rule.then;
    let mut errors = Vec::new();
    let at = At::Rule(rule.line);
    let mut fault = |what: String, mend: String| {
        errors.push(error(at.clone(), format!("rule {:?} {what}", rule.name), mend));
    };
    let mut exists = |what: &str, name: Option<&Slug>, known: &[&Slug]| {
        let Some(name) = name.filter(|name| !known.contains(name)) else { return };
        let known = list(known.iter().copied());
        let what = format!("names {what} {:?}, which does not exist", name.as_str());
        fault(what, format!("known: {known}"));
    };
    let teams: Vec<&Slug> = routing.teams.iter().map(|team| &team.slug).collect();
    let team = then.hand_off.as_ref().filter(|team| team.as_str() != OWNER);
    exists("team", team, &teams);
    let escalation = then.escalate.as_ref().and_then(|escalate| escalate.hand_off.as_ref());
    exists("team", escalation, &teams);
    exists("SLA", then.sla.as_ref(), &routing.slas.iter().map(|sla| &sla.slug).collect::<Vec<_>>());
    exists("reply", then.reply.as_ref(), &routing.replies.iter().collect::<Vec<_>>());
    exists("question", then.clarify.as_ref(), &routing.questions.iter().collect::<Vec<_>>());
    exists("webhook", then.webhook.as_ref(), &routing.webhooks.iter().collect::<Vec<_>>());
    let members = routing.teams.iter().filter(|t| team.is_none_or(|team| t.slug == *team));
    let members: Vec<&Slug> = members.flat_map(|t| t.members.iter().map(|m| &m.slug)).collect();
    exists("teammate", then.teammate.as_ref(), &members);
    if then.teammate.is_some() && then.hand_off.as_ref().is_some_and(|t| t.as_str() == OWNER) {
        let mend = "name the teammate's team, or leave hand_off out".into();
        fault("names a teammate beside hand_off = \"owner\"".into(), mend);
    }
    let mute = then.teammate.as_ref().filter(|teammate| {
        let mut teams = routing.teams.iter();
        teams.any(|t| t.member(teammate).is_some_and(|m| !m.may_reply || m.capacity == Some(0)))
    });
    if let Some(teammate) = mute {
        let what = format!("hands off to {:?}, who takes no conversations", teammate.as_str());
        fault(what, "name somebody else, or mend may_reply and capacity".into());
    }
    let share = |number: Option<f64>| number.is_some_and(|n| !(0.0..=1.0).contains(&n));
    if share(then.threshold) {
        fault("has a threshold that is no probability".into(), "write it between 0 and 1".into());
    }
    if share(then.error_budget) {
        fault("has an error budget that is no share".into(), "write 0.02 for 2 %".into());
    }
    if then.threshold.is_some() && then.error_budget.is_some() {
        let mend = "keep one of them: a budget finds its own threshold".into();
        fault("has both a threshold and an error budget".into(), mend);
    }
    let spans = [then.snooze, then.escalate.as_ref().map(|escalate| escalate.after.duration())];
    if spans.into_iter().flatten().any(|span| span <= jiff::SignedDuration::ZERO) {
        fault("waits for no time at all".into(), "write a time such as 30m or 2h".into());
    }
    if then.ticket.as_ref().is_some_and(|kind| kind.trim().is_empty()) {
        fault("makes a ticket of no kind".into(), "name a ticket type of the channel".into());
    }
    if *then == crate::Then::default() {
        fault("does nothing".into(), "say in `then` what it shall do, or delete it".into());
    }
    errors
}

impl CheckedRule {
    /// The teammate's own team, where a rule names the teammate alone.
    pub(crate) fn team<'a>(&'a self, policy: &'a Policy) -> Option<&'a Slug> {
        match &self.settles {
            Some(Settle::HandOff { team: Some(team), .. }) => Some(team),
            Some(Settle::HandOff { team: None, teammate: Some(teammate) }) => {
                let team = policy.teams().iter().find(|team| team.member(teammate).is_some())?;
                Some(&team.slug)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;

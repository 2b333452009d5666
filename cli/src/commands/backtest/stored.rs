//! Rules against rules over what the desk has decided, by the facts that were kept.

use super::{ROUTE, plain};
use crate::{
    Verdict, args, assembly, commands::past::Past, output, progress::counted, settings::Settings,
};
use bot::{Playbook, Recalled, finding_of, outcome};
use router::{Decision, Facts, judge};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Changed decisions that are shown; all stand in the JSON document.
const SHOWN: usize = 50;

/// A decision that other rules take otherwise.
struct Change {
    recalled: Recalled,
    from: String,
    to: String,
    /// What differs: its name, before and after.
    differs: Vec<(&'static str, Value, Value)>,
    why: String,
}

/// What came of all decisions.
#[derive(Default)]
struct Comparison {
    n: usize,
    /// Decisions that the present rules take as they were taken.
    as_decided: usize,
    /// Decisions of which too little was kept, or whose words are gone.
    not_known: usize,
    /// Ids of those that the other rules cannot decide without a model.
    need_models: Vec<String>,
    changes: Vec<Change>,
    routes: BTreeMap<String, (usize, usize)>,
    teams: BTreeMap<String, (usize, usize)>,
}

/// Decides again what the desk decided, by its rules and by others, and shows what changes.
pub(super) async fn run(
    settings: Settings,
    as_json: bool,
    wanted: args::Backtest,
) -> anyhow::Result<Verdict> {
    let other = settings.with_routing(&wanted.against)?;
    let past = Past::read(&settings, wanted.since.since).await?;
    anyhow::ensure!(!past.judged.is_empty(), "the desk has decided nothing in that time");
    let asked = asks_models(&settings.playbook, &other.playbook);
    let before = assembly::with_budgets((&settings.root, &settings.config), settings.playbook)?;
    let eyes = match asked.is_empty() || !wanted.with_models {
        true => {
            let playbook = assembly::with_budgets((&other.root, &other.config), other.playbook)?;
            Eyes::Kept { playbook: Box::new(playbook), blind: !asked.is_empty() }
        }
        false => Eyes::Models(Box::new(assembly::desk(other).await?)),
    };
    let mut compared = Comparison::default();
    let bar = counted("decisions", past.judged.len() as u64);
    for (n, judged) in past.judged.iter().enumerate() {
        bar.set_position(n as u64);
        match past.recalled(judged) {
            Some(recalled) => compared.add(recalled, &before, &eyes).await,
            None => compared.not_known += 1,
        }
    }
    bar.finish_and_clear();
    if as_json {
        output::json(&compared.document(&asked))?;
    } else {
        compared.show(&asked)?;
    }
    Ok(Verdict::Yes)
}

/// How the other rules get to know a message.
enum Eyes {
    /// By what was noticed then; `blind`: they ask for more.
    Kept { playbook: Box<Playbook>, blind: bool },
    /// By the models.
    Models(Box<bot::Desk>),
}

impl Eyes {
    fn playbook(&self) -> &Playbook {
        match self {
            Self::Kept { playbook, .. } => playbook,
            Self::Models(desk) => desk.playbook(),
        }
    }

    /// Returns what the rules are told; `None` when only a model could tell it.
    async fn facts(&self, recalled: &Recalled) -> Option<Facts> {
        match self {
            Self::Kept { blind: true, .. } => None,
            Self::Kept { playbook, .. } => Some(recalled.facts(playbook)),
            Self::Models(desk) => Some(desk.observe(&recalled.inquiry(desk)).await),
        }
    }
}

/// Names what the other rules ask of a message that only a model tells, and that was not noticed
/// then: topics that are told apart otherwise, and signals with other examples that a rule asks for.
fn asks_models(before: &Playbook, after: &Playbook) -> Vec<String> {
    let topics = |playbook: &Playbook| {
        let topics = playbook.policy.topics().iter();
        let topics: Vec<_> = topics.map(|t| (t.slug.to_string(), t.examples.clone())).collect();
        (topics, playbook.topic_model.clone())
    };
    let mut asked = Vec::new();
    if topics(before) != topics(after) {
        asked.push("topic".to_string());
    }
    let configs = |playbook: &Playbook| -> BTreeMap<String, String> {
        let configs = playbook.signal_configs.iter();
        configs.map(|config| (config.name.clone(), format!("{config:?}"))).collect()
    };
    let (old, new) = (configs(before), configs(after));
    let changed = old.keys().chain(new.keys()).filter(|name| old.get(*name) != new.get(*name));
    for name in changed {
        let fact = format!("signals.{name}");
        let asks = |when: &str| when.contains(&fact) || when.contains(name.as_str());
        let rules = [&before.policy, &after.policy].map(router::Policy::rules);
        let mut whens = rules.into_iter().flatten().filter_map(|rule| rule.when.as_deref());
        if whens.any(asks) && !asked.contains(&fact) {
            asked.push(fact);
        }
    }
    asked
}

impl Comparison {
    async fn add(&mut self, recalled: Recalled, before: &Playbook, eyes: &Eyes) {
        self.n += 1;
        let decided = &recalled.then.decided;
        // Facts go with words that were taken away.
        let finding = finding_of(decided).filter(|_| decided.trace.get("facts").is_some());
        let Some(finding) = finding else {
            self.not_known += 1;
            return;
        };
        let Some(facts) = eyes.facts(&recalled).await else {
            self.need_models.push(recalled.then.id.to_string());
            return;
        };
        let after = judge(&eyes.playbook().policy, &facts, &finding);
        let before = judge(&before.policy, &recalled.facts(before), &finding);
        self.note(recalled, &before, &after);
    }

    fn note(&mut self, recalled: Recalled, before: &Decision, after: &Decision) {
        let (from, to) = (outcome(before), outcome(after));
        let trace = &recalled.then.decided.trace;
        let is_same = |name: &str| trace.get(name) == from.get(name);
        self.as_decided += usize::from(is_same("act") && is_same("team"));
        self.routes.entry(route(&from)).or_default().0 += 1;
        self.routes.entry(route(&to)).or_default().1 += 1;
        for (side, outcome) in [(0, &from), (1, &to)] {
            let Some(team) = outcome.get("team").and_then(Value::as_str) else { continue };
            let load = self.teams.entry(team.to_string()).or_default();
            *(if side == 0 { &mut load.0 } else { &mut load.1 }) += 1;
        }
        let of = |side: &Map<String, Value>, name: &str| side.get(name).cloned();
        let differs = ROUTE.iter().filter(|name| from.get(**name) != to.get(**name));
        let differs: Vec<_> = differs
            .map(|name| {
                (*name, of(&from, name).unwrap_or_default(), of(&to, name).unwrap_or_default())
            })
            .collect();
        if !differs.is_empty() {
            let why = after.reasons().first().map_or(String::new(), ToString::to_string);
            let (from, to) = (route(&from), route(&to));
            self.changes.push(Change { recalled, from, to, differs, why });
        }
    }

    fn document(&self, asked: &[String]) -> Value {
        let row = |change: &Change| {
            let differs = change.differs.iter().map(|(name, from, to)| {
                ((*name).to_string(), json!({"before": from, "after": to}))
            });
            let then = &change.recalled.then;
            json!({
                "id": then.id.to_string(),
                "conversation": then.conversation.to_string(),
                "at": then.at.to_string(),
                "from": change.from,
                "to": change.to,
                "differs": differs.collect::<Map<_, _>>(),
                "why": change.why,
            })
        };
        let both = |counts: &BTreeMap<String, (usize, usize)>| -> Map<String, Value> {
            let rows = counts.iter();
            rows.map(|(name, (b, a))| (name.clone(), json!({"before": b, "after": a}))).collect()
        };
        json!({
            "decisions": self.n,
            "as_decided": self.as_decided,
            "not_known": self.not_known,
            "need_models": self.need_models,
            "asked_of_models": asked,
            "changed": self.changes.iter().map(row).collect::<Vec<_>>(),
            "routes": both(&self.routes),
            "teams": both(&self.teams),
        })
    }

    fn show(&self, asked: &[String]) -> anyhow::Result<()> {
        for Change { recalled, from, to, differs, why } in self.changes.iter().take(SHOWN) {
            let text: String = recalled.question().last().chars().take(80).collect();
            output::line(format!("{}: {from} → {to}\n  {text}", recalled.then.id))?;
            let further = differs.iter().filter(|(name, ..)| !["act", "team"].contains(name));
            for (name, from, to) in further {
                output::line(format!("  {name}: {} → {}", plain(from), plain(to)))?;
            }
            output::line(format!("  because {why}"))?;
        }
        let n_more = self.changes.len().saturating_sub(SHOWN);
        if n_more > 0 {
            output::line(format!("… and {n_more} more; --json lists all"))?;
        }
        output::line(format!("{} of {} decisions change", self.changes.len(), self.n))?;
        for (route, (from, to)) in &self.routes {
            output::line(format!("{route:<24} {from:>6} → {to:>6}"))?;
        }
        for (team, (from, to)) in &self.teams {
            output::line(format!("load of {team:<16} {from:>6} → {to:>6}"))?;
        }
        let n_judged = self.n - self.not_known.min(self.n) - self.need_models.len();
        output::line(format!(
            "the present rules take {} of {n_judged} as they were taken",
            self.as_decided
        ))?;
        if self.not_known > 0 {
            output::line(format!("{} left out: too little of them was kept", self.not_known))?;
        }
        if !self.need_models.is_empty() {
            output::line(format!(
                "{} need the models: the other rules ask for {}; run it --with-models",
                self.need_models.len(),
                asked.join(", ")
            ))?;
        }
        Ok(())
    }
}

/// Where a conversation goes, in a word or two.
fn route(outcome: &Map<String, Value>) -> String {
    let text = |name: &str| outcome.get(name).and_then(Value::as_str);
    let act = text("act").unwrap_or_default();
    text("team").map_or_else(|| act.to_string(), |team| format!("{act} {team}"))
}

use super::rules::{cases_of, tried};
use crate::{Verdict, args, assembly, output, settings::Settings};
use evals::{Case, Trial};
use router::Policy;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

mod stored;

/// What of a trace makes the route.
const ROUTE: [&str; 16] = [
    "act",
    "team",
    "teammate",
    "priority",
    "sla",
    "tags",
    "attributes",
    "text",
    "webhooks",
    "escalations",
    "answer",
    "threshold",
    "snooze",
    "close",
    "return_to_bot",
    "ticket",
];

/// A conversation that other rules route otherwise.
struct Change<'a> {
    case: &'a Case,
    from: String,
    to: String,
    /// What differs: its name, before and after.
    differs: Vec<(&'static str, Value, Value)>,
    why: String,
}

/// Runs cases through the desk's rules and through others, and shows whose route changes.
pub(crate) async fn run(
    settings: Settings,
    as_json: bool,
    wanted: args::Backtest,
) -> anyhow::Result<Verdict> {
    if wanted.stored {
        return stored::run(settings, as_json, wanted).await;
    }
    let args::Backtest { against, cases: files, .. } = wanted;
    let cases = cases_of(&settings.root, &files)?;
    anyhow::ensure!(
        !cases.is_empty(),
        "there are no cases; name files with --cases, or take what the desk keeps, with --stored"
    );
    let other = settings.with_routing(&against)?;
    let now = assembly::desk(settings).await?;
    let then = assembly::desk(other).await?;
    let before = tried(&now, &cases).await?;
    let after = tried(&then, &cases).await?;
    let mut totals: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut changes = Vec::new();
    for (before, after) in before.iter().zip(&after) {
        totals.entry(route(before)).or_default().0 += 1;
        totals.entry(route(after)).or_default().1 += 1;
        let traces = [trace(before, now.policy()), trace(after, then.policy())];
        changes.extend(change(before, after, &traces));
    }
    if as_json {
        output::json(&as_document(&changes, cases.len(), &totals))?;
    } else {
        show(&changes, cases.len(), &totals)?;
    }
    Ok(Verdict::Yes)
}

/// Where a conversation goes, in a word or two.
fn route(trial: &Trial) -> String {
    let act = trial.answer.decision.act();
    act.team().map_or_else(|| act.name().to_string(), |team| format!("{} {team}", act.name()))
}

fn trace(trial: &Trial, policy: &Policy) -> Value {
    trial.answer.trace(policy)
}

fn change<'a>(before: &Trial<'a>, after: &Trial<'a>, traces: &[Value; 2]) -> Option<Change<'a>> {
    let value = |trace: &Value, name: &str| trace.get(name).cloned().unwrap_or(Value::Null);
    let both = ROUTE.map(|name| (name, value(&traces[0], name), value(&traces[1], name)));
    let differs: Vec<_> = both.into_iter().filter(|(_, from, to)| from != to).collect();
    if differs.is_empty() {
        return None;
    }
    let why = after.answer.decision.reasons().first().map_or(String::new(), ToString::to_string);
    let (from, to) = (route(before), route(after));
    Some(Change { case: before.case, from, to, differs, why })
}

fn as_document(
    changes: &[Change],
    n_cases: usize,
    totals: &BTreeMap<String, (usize, usize)>,
) -> Value {
    let row = |change: &Change| {
        let differs: Map<String, Value> = change
            .differs
            .iter()
            .map(|(name, from, to)| ((*name).to_string(), json!({"before": from, "after": to})))
            .collect();
        let Change { case, from, to, why, .. } = change;
        json!({"id": case.id, "from": from, "to": to, "differs": differs, "why": why})
    };
    let totals: BTreeMap<&String, Value> = totals
        .iter()
        .map(|(route, (from, to))| (route, json!({"before": from, "after": to})))
        .collect();
    let rows: Vec<Value> = changes.iter().map(row).collect();
    json!({"cases": n_cases, "changed": rows, "routes": totals})
}

fn show(
    changes: &[Change],
    n_cases: usize,
    totals: &BTreeMap<String, (usize, usize)>,
) -> anyhow::Result<()> {
    for Change { case, from, to, differs, why } in changes {
        let text = case.messages.last().map_or("", |message| message.text.as_str());
        let text: String = text.chars().take(80).collect();
        output::line(format!("{}: {from} → {to}\n  {text}", case.id))?;
        for (name, from, to) in differs.iter().filter(|(name, ..)| !["act", "team"].contains(name))
        {
            output::line(format!("  {name}: {} → {}", plain(from), plain(to)))?;
        }
        output::line(format!("  because {why}"))?;
    }
    output::line(format!("{} of {n_cases} conversations change their route", changes.len()))?;
    for (route, (from, to)) in totals {
        output::line(format!("{route:<24} {from:>5} → {to:>5}"))?;
    }
    Ok(())
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "none".into(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

//! What was due against what was done, in acts and in teams.

use super::numbers::{percent, thousands};
use crate::{case::ExpectedAct, record::Record};
use minijinja::{context, value::Value};
use std::collections::{BTreeMap, BTreeSet};

/// Wider tables cannot be read; the rarest teams go together.
const N_TEAMS_SHOWN: usize = 12;

/// Counts by what was due and what was done.
struct Counts {
    due: Vec<String>,
    done: Vec<String>,
    cells: BTreeMap<(String, String), usize>,
    is_due: fn(&str, &str) -> bool,
}

pub(super) fn acts(records: &[Record]) -> Value {
    let mut cells = BTreeMap::new();
    for record in records {
        let key = (record.expect.act.name().to_string(), record.act.clone());
        *cells.entry(key).or_default() += 1;
    }
    let found: BTreeSet<ExpectedAct> = records.iter().map(|record| record.expect.act).collect();
    let due = found.into_iter().map(|act| act.name().to_string()).collect();
    // In the order of the acts of a case file, so that what is right lies on the diagonal.
    let usual = ["reply", "clarify", "handoff"];
    let mut done: Vec<String> = usual.map(str::to_string).to_vec();
    let others: BTreeSet<&str> = records.iter().map(|record| record.act.as_str()).collect();
    done.extend(others.into_iter().filter(|act| !usual.contains(act)).map(str::to_string));
    let is_due = |due: &str, done: &str| {
        matches!(
            (due, done),
            ("answer", "reply")
                | ("clarify", "clarify")
                | ("handoff", "handoff" | "draft" | "offer")
        )
    };
    show(&Counts { due, done, cells, is_due })
}

/// Only cases whose team is known count here.
pub(super) fn teams(records: &[Record]) -> Value {
    let mut of_team: BTreeMap<&str, usize> = BTreeMap::new();
    for record in records.iter().filter(|record| record.expect.team.is_some()) {
        for team in [&record.expect.team, &record.team].into_iter().flatten() {
            *of_team.entry(team).or_default() += 1;
        }
    }
    let mut teams: Vec<(&str, usize)> = of_team.into_iter().collect();
    teams.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let shown: Vec<&str> = teams.iter().take(N_TEAMS_SHOWN).map(|(team, _)| *team).collect();
    let named = |team: &str| if shown.contains(&team) { team } else { "others" }.to_string();
    let mut cells: BTreeMap<(String, String), usize> = BTreeMap::new();
    for record in records {
        let Some(due) = &record.expect.team else { continue };
        let done = match &record.team {
            _ if record.sent => "the bot".to_string(),
            Some(team) => named(team),
            None => "nobody".to_string(),
        };
        *cells.entry((named(due), done)).or_default() += 1;
    }
    let among = |of: fn(&(String, String)) -> &String| -> Vec<String> {
        let found: BTreeSet<&String> = cells.keys().map(of).collect();
        let order = shown.iter().copied().chain(["others", "the bot", "nobody"]);
        order.filter(|name| found.iter().any(|it| it == name)).map(str::to_string).collect()
    };
    let (due, done) = (among(|key| &key.0), among(|key| &key.1));
    show(&Counts { due, done, cells, is_due: |due, done| due == done })
}

fn show(counts: &Counts) -> Value {
    let row = |due: &String| {
        let of = |done: &String| {
            counts.cells.get(&(due.clone(), done.clone())).copied().unwrap_or_default()
        };
        let n: usize = counts.done.iter().map(of).sum();
        let cells = counts.done.iter().map(|done| {
            let part = of(done) as f64 / n.max(1) as f64;
            context! {
                n => thousands(of(done)),
                part => percent(part),
                shade => (part * 40.0).round() as u32,
                is_due => (counts.is_due)(due, done),
            }
        });
        context! { due, n => thousands(n), cells => cells.collect::<Vec<_>>() }
    };
    let rows: Vec<Value> = counts.due.iter().map(row).collect();
    context! { done => counts.done.clone(), rows }
}

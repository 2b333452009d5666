use crate::{
    case::ExpectedAct,
    figure::{By, Figure, Group, figure, figures_json, groups_json},
    interval::{Resampling, mean},
    record::Record,
    report::Unit,
    score::measured,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

mod routing;
mod stages;

/// All figures of a run; a figure without any case to stand on is left out.
#[derive(Debug, Clone)]
pub struct Summary {
    /// In the order in which people read them.
    pub figures: Vec<Figure>,
    /// Figures of parts: rows of tables, those of one kind side by side.
    pub groups: Vec<Group>,
    /// Cases by (expected, decided) act, drafts and offers of a person being handoffs.
    pub confusion: Vec<(ExpectedAct, ExpectedAct, usize)>,
    /// Cases by expected act and the name of what was done, drafts and offers apart; those that
    /// happened.
    pub acts: Vec<(ExpectedAct, String, usize)>,
    /// Milliseconds of the whole path: median and 95th percentile.
    pub total_ms: Option<(f64, f64)>,
}

/// The acts that cases tell apart, in the order of tables.
const ACTS: [ExpectedAct; 3] = [ExpectedAct::Answer, ExpectedAct::Clarify, ExpectedAct::Handoff];
/// Groups of fewer cases say too little for a row of their own.
const CASES_A_GROUP_AT_LEAST: usize = 5;

/// Those of a team's group.
pub(crate) const TEAM_FIGURES: [&str; 3] = ["precision", "recall", "f1"];
/// The stages of the path that are timed.
pub(crate) const STAGES: [&str; 4] = ["meaning", "search", "draft", "total"];
/// Those of a stage's group.
pub(crate) const STAGE_FIGURES: [&str; 5] = ["p50", "p95", "tokens_read", "tokens_written", "cost"];

/// Measures what came of cases, with intervals by the usual resampling.
pub fn summarise(records: &[Record]) -> Summary {
    summarise_by(records, Resampling::default())
}

/// Measures what came of cases, with intervals by a resampling of one's own.
pub fn summarise_by(records: &[Record], resampling: Resampling) -> Summary {
    let all: Vec<&Record> = records.iter().collect();
    let count = |expected, decided| {
        let matches = |t: &&Record| t.expect.act == expected && t.act_class() == Some(decided);
        (expected, decided, records.iter().filter(matches).count())
    };
    let pairs = ACTS.iter().flat_map(|e| ACTS.iter().map(move |d| (*e, *d)));
    let mut done: BTreeMap<(ExpectedAct, &str), usize> = BTreeMap::new();
    for record in records {
        *done.entry((record.expect.act, &record.act)).or_default() += 1;
    }
    let stages = stages::measure(&all, resampling);
    let total = stages.iter().find(|stage| stage.name == "total");
    let total_ms = total.and_then(|stage| match stage.figures.as_slice() {
        [median, p95, ..] => Some((median.estimate.value, p95.estimate.value)),
        _ => None,
    });
    let mut groups = parts(records, resampling);
    groups.extend(routing::by_team(&all, resampling));
    groups.extend(stages);
    Summary {
        figures: measured(&all, resampling),
        groups,
        confusion: pairs.map(|(e, d)| count(e, d)).collect(),
        acts: done.into_iter().map(|((e, act), n)| (e, act.to_string(), n)).collect(),
        total_ms,
    }
}

/// Measures the cases of each tag, topic and file by themselves.
fn parts(records: &[Record], resampling: Resampling) -> Vec<Group> {
    let mut parts: BTreeMap<(By, &str), Vec<&Record>> = BTreeMap::new();
    for record in records {
        for tag in &record.tags {
            parts.entry((By::Tag, tag)).or_default().push(record);
        }
        parts.entry((By::Source, &record.source)).or_default().push(record);
        if let Some(topic) = &record.expect.topic {
            parts.entry((By::Topic, topic)).or_default().push(record);
        }
    }
    // A single file is all cases over again.
    if parts.keys().filter(|(by, _)| *by == By::Source).count() < 2 {
        parts.retain(|(by, _), _| *by != By::Source);
    }
    let enough = parts.into_iter().filter(|(_, part)| part.len() >= CASES_A_GROUP_AT_LEAST);
    enough
        .map(|((by, name), part)| {
            let figures = measured(&part, resampling);
            Group { by, name: name.to_string(), figures }
        })
        .collect()
}

/// What a million tokens cost, in whatever money.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Price {
    /// Of those read.
    pub read: f64,
    /// Of those written.
    pub written: f64,
}

impl Summary {
    /// Adds what a thousand cases cost by the tokens of their drafts.
    pub fn add_cost(&mut self, records: &[Record], price: Price, resampling: Resampling) {
        let cost = |(read, written): (usize, usize)| {
            (read as f64 * price.read + written as f64 * price.written) / 1e6
        };
        if records.iter().all(|record| record.tokens.is_none()) {
            return;
        }
        let costs = records.iter().map(|record| 1e3 * record.tokens.map_or(0.0, cost));
        let estimate = mean(&costs.collect::<Vec<_>>(), resampling);
        let is_draft = |group: &&mut Group| group.by == By::Stage && group.name == "draft";
        if let Some(group) = self.groups.iter_mut().find(is_draft) {
            let meaning = "what a thousand cases cost, by the prices given";
            group.figures.extend(figure("cost", meaning, Unit::Count, estimate));
        }
    }

    /// Returns a figure by name.
    pub fn figure(&self, name: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.name == name)
    }

    /// Renders the summary as `summary.json`.
    pub fn to_json(&self, provenance: &[(String, String)]) -> Value {
        let confusion: Vec<Value> = self
            .confusion
            .iter()
            .map(|(e, d, n)| json!({"expected": e.name(), "decided": d.name(), "n": n}))
            .collect();
        let acts: Vec<Value> = self
            .acts
            .iter()
            .map(|(e, act, n)| json!({"expected": e.name(), "act": act, "n": n}))
            .collect();
        let provenance: Map<String, Value> =
            provenance.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        json!({
            "figures": figures_json(&self.figures),
            "groups": groups_json(&self.groups),
            "confusion": confusion,
            "acts": acts,
            "total_ms": self.total_ms.map(|(median, p95)| json!({"p50": median, "p95": p95})),
            "provenance": provenance,
        })
    }
}

#[cfg(test)]
mod tests;

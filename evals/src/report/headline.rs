//! What a support lead reads first: how much the bot would have answered, how often wrongly, who
//! gets the rest, and what that comes to.

use super::numbers::{about, counted, thousands};
use crate::{
    interval::{Estimate, share},
    record::Record,
    verdict::Verdict,
};
use minijinja::{context, value::Value};
use std::collections::BTreeMap;

/// The ten seconds of a report.
#[derive(Debug, Clone, PartialEq)]
pub struct Headline {
    /// The figures that matter most.
    pub tiles: Vec<Tile>,
    /// The same as a few sentences.
    pub sentences: Vec<String>,
    /// Conversations by who takes them over, the most first; `None` is nobody.
    pub load: Vec<(Option<String>, usize)>,
}

/// One of the figures that matter most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    /// What it is.
    pub label: String,
    /// The figure.
    pub value: String,
    /// What it is made of.
    pub note: String,
}

struct Counts {
    all: usize,
    sent: usize,
    /// What a team takes over.
    passed_on: usize,
    right: usize,
    wrong: usize,
    /// Of which only what people did is known.
    unjudged: usize,
    team_known: usize,
    team_right: usize,
}

/// Says the most important about a run.
pub(crate) fn headline(records: &[Record]) -> Headline {
    let count = |holds: &dyn Fn(&Record) -> bool| records.iter().filter(|r| holds(r)).count();
    let has_team = |r: &Record| !r.sent && r.expect.team.is_some() && r.team.is_some();
    let counts = Counts {
        all: records.len(),
        sent: count(&|r| r.sent),
        passed_on: count(&|r| !r.sent && r.team.is_some()),
        right: count(&|r| r.sent && r.is_draft_right() == Some(true)),
        wrong: count(&|r| Verdict::of(r) == Verdict::WrongReply),
        unjudged: count(&|r| !r.expect.judged && r.expect.is_unlabelled()),
        team_known: count(&has_team),
        team_right: count(&|r| has_team(r) && r.team == r.expect.team),
    };
    let mut load: BTreeMap<Option<String>, usize> = BTreeMap::new();
    for record in records.iter().filter(|record| !record.sent) {
        *load.entry(record.team.clone()).or_default() += 1;
    }
    let mut load: Vec<_> = load.into_iter().collect();
    load.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    Headline { tiles: tiles(&counts), sentences: sentences(&counts), load }
}

fn tiles(counts: &Counts) -> Vec<Tile> {
    let tile = |label: &str, value: String, note: String| Tile { label: label.into(), value, note };
    let of = |n: usize, all: usize| share(n, all);
    let mut tiles = Vec::new();
    if let Some(sent) = of(counts.sent, counts.all) {
        let note = format!("{} of {}", thousands(counts.sent), conversations(counts.all));
        tiles.push(tile("Answered by the bot", about(sent.value), note));
    }
    let n_judged = counts.right + counts.wrong;
    tiles.push(match of(counts.wrong, n_judged) {
        Some(wrong) => {
            let n = thousands(counts.wrong);
            let unknown = match counts.sent.saturating_sub(n_judged) {
                0 => String::new(),
                n => format!("; nobody judged {} more", thousands(n)),
            };
            let note = format!("{n} of {}; {}{unknown}", replies(n_judged), likely(&wrong));
            tile("Of its answers, wrong", about(wrong.value), note)
        }
        None if counts.sent == 0 => {
            tile("Of its answers, wrong", "–".into(), "it answered nothing".into())
        }
        None => tile("Of its answers, wrong", "?".into(), "no label says so".into()),
    });
    if let Some(right) = of(counts.team_right, counts.team_known) {
        let n = thousands(counts.team_right);
        let note = format!("{n} of {} passed on; {}", thousands(counts.team_known), likely(&right));
        tiles.push(tile("To the right team", about(right.value), note));
    }
    if let Some(passed_on) = of(counts.passed_on, counts.all) {
        let note = format!("{} of {}", thousands(counts.passed_on), conversations(counts.all));
        tiles.push(tile("Passed on to people", about(passed_on.value), note));
    }
    tiles
}

fn sentences(counts: &Counts) -> Vec<String> {
    if counts.all == 0 {
        return vec!["There are no conversations to tell of.".into()];
    }
    let n_open = counts.all - counts.sent - counts.passed_on;
    let open = match n_open {
        0 => String::new(),
        n => format!("; in {} it would have asked back or waited", thousands(n)),
    };
    let mut said = vec![format!(
        "Of {} the bot would have answered {} by itself and passed {} on to people{open}.",
        conversations(counts.all),
        thousands(counts.sent),
        thousands(counts.passed_on)
    )];
    let n_judged = counts.right + counts.wrong;
    if let Some(wrong) = share(counts.wrong, n_judged) {
        let replies = replies(n_judged);
        let what = match counts.wrong {
            0 => format!("None of its {replies} would have been wrong"),
            1 => format!("1 of its {replies} would have been wrong"),
            n => format!("{} of its {replies} would have been wrong", thousands(n)),
        };
        let [value, low, high] = [wrong.value, wrong.low, wrong.high].map(about);
        said.push(format!("{what}: that is {value}, and from {low} to {high} is likely."));
    }
    let unjudged = counts.sent - n_judged.min(counts.sent);
    if unjudged > 0 {
        said.push(format!("Of {} no label says whether they are right.", replies(unjudged)));
    }
    if counts.unjudged > 0 {
        said.push(format!(
            "Of {} only what people did is known, not what ought to have been done.",
            conversations(counts.unjudged)
        ));
    }
    // Where some answers are not judged, both shares would be too small.
    if let (true, Some(saved), Some(risked)) = (
        n_judged > 0 && unjudged == 0,
        share(counts.right, counts.all),
        share(counts.wrong, counts.all),
    ) {
        said.push(format!(
            "In every 100 conversations it saves people {} right {} and sends customers {} wrong \
             {} (at worst about {}).",
            per_hundred(saved.value),
            if per_hundred(saved.value) == "1" { "answer" } else { "answers" },
            per_hundred(risked.value),
            if per_hundred(risked.value) == "1" { "one" } else { "ones" },
            per_hundred(risked.high)
        ));
    }
    said
}

fn conversations(n: usize) -> String {
    counted(n, "conversation", "conversations")
}

fn replies(n: usize) -> String {
    counted(n, "answer", "answers")
}

/// Says the interval in words.
fn likely(estimate: &Estimate) -> String {
    format!("{} to {} is likely", about(estimate.low), about(estimate.high))
}

fn per_hundred(share: f64) -> String {
    match share * 100.0 {
        0.0 => "no".into(),
        n if n < 0.95 => format!("{n:.1}"),
        n => format!("{n:.0}"),
    }
}

pub(super) fn show(headline: &Headline) -> Value {
    let n_left: usize = headline.load.iter().map(|(_, n)| n).sum();
    let tile = |tile: &Tile| {
        context! { label => tile.label.as_str(), value => tile.value.as_str(), note => tile.note.as_str() }
    };
    let line = |(team, n): &(Option<String>, usize)| {
        let part = *n as f64 / n_left.max(1) as f64;
        context! {
            team => team.clone(),
            n => thousands(*n),
            part => about(part),
            width => (part * 100.0).round() as u32,
        }
    };
    context! {
        tiles => headline.tiles.iter().map(tile).collect::<Vec<_>>(),
        sentences => headline.sentences.clone(),
        load => headline.load.iter().map(line).collect::<Vec<_>>(),
    }
}

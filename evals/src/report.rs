//! How does a support lead read the figures in ten seconds, and an engineer in ten minutes?
//!
//! [`Report`] is what was measured; [`render`] makes one page of it that needs nothing else: no
//! script, no font, no image, no network. Texts of customers are hostile input: the template
//! escapes them all, and the page forbids scripts should that ever fail.

mod chart;
#[cfg(test)]
mod tests;

use crate::case::ExpectedAct;
use crate::interval::Estimate;
use crate::measures::{ReliabilityBin, RiskPoint};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context, value::Value};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What was measured in one run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Head of the page.
    pub title: String,
    /// Program and version.
    pub generated_by: String,
    /// What the figures are true of, in order: index, models, rules, files of cases, seed.
    pub provenance: Vec<(String, String)>,
    /// The few figures that matter most, best first.
    pub headline: Vec<Figure>,
    /// All other figures.
    pub tables: Vec<Table>,
    /// How well confidence keeps its word; empty when it was not measured.
    pub reliability: Vec<ReliabilityBin>,
    /// What each threshold would buy, by rising coverage; empty when it was not measured.
    pub risk_coverage: Vec<RiskPoint>,
    /// Least confidence that was answered in this run, to mark in the charts.
    pub threshold: Option<f64>,
    /// Every case of the run; the page shows the first of each verdict by falling confidence.
    pub cases: Vec<CaseOutcome>,
}

/// A figure with its meaning.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    /// Short name.
    pub name: String,
    /// How to write it.
    pub unit: Unit,
    /// `None` when it is undefined or rests on too few cases.
    pub estimate: Option<Estimate>,
    /// One sentence for a person who does not know the measure.
    pub meaning: String,
}

/// How a figure is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Unit {
    /// A share of 0..=1, written in percent.
    Share,
    /// A plain number, written with three decimals.
    Score,
    /// Milliseconds.
    Milliseconds,
}

/// A group of measures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Table {
    /// What is measured.
    pub title: String,
    /// How to read it.
    pub note: String,
    /// The measures.
    pub columns: Vec<Column>,
    /// What they are compared over: modes, sources, teams.
    pub rows: Vec<TableRow>,
}

/// A measure in a [`Table`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Column {
    /// Name of the measure.
    pub name: String,
    /// How to write it.
    pub unit: Unit,
}

/// A line of a [`Table`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TableRow {
    /// What the line is about.
    pub name: String,
    /// One a column; `None` where undefined.
    pub cells: Vec<Option<Estimate>>,
}

/// How a case came out, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Verdict {
    /// A reply was sent that is wrong, or where none should have been.
    WrongReply,
    /// No reply was sent where one should have been.
    MissedReply,
    /// No reply was due and none was sent, but something else should have been done.
    OtherAct,
    /// What should have been done was done.
    Right,
}

/// What happened to one case.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseOutcome {
    /// Id of the case.
    pub id: String,
    /// What the customer asked, with earlier messages where they matter.
    pub question: String,
    /// What should have been done.
    pub expected_act: ExpectedAct,
    /// Ids of the articles that hold the answer.
    pub expected_articles: Vec<String>,
    /// Name of what was done.
    pub act: String,
    /// How that is judged.
    pub verdict: Verdict,
    /// Of the draft; `None` when there was none.
    pub confidence: Option<f64>,
    /// The draft, sent or not; empty when there was none.
    pub text: String,
    /// Ids of the articles that the draft rests on.
    pub sources: Vec<String>,
    /// Why it was done, the deciding reason first.
    pub reasons: Vec<String>,
    /// Tags of the case.
    pub tags: Vec<String>,
}

/// More than this many cases of a verdict make the page slow and are not read; results.jsonl has
/// them all.
const N_CASES_SHOWN: usize = 200;
/// Characters of one text that are shown; a hostile one may have millions.
const N_CHARACTERS_SHOWN: usize = 5_000;

/// Renders the report as one HTML page.
///
/// # Errors
/// Only when the template and the values that it is given no longer fit each other.
pub fn render(report: &Report) -> anyhow::Result<String> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_template("report.html", include_str!("report/page.html"))?;
    let page = environment.get_template("report.html")?.render(context! {
        title => report.title.as_str(),
        generated_by => report.generated_by.as_str(),
        provenance => report.provenance.clone(),
        headline => report.headline.iter().map(show_figure).collect::<Vec<_>>(),
        tables => report.tables.iter().map(show_table).collect::<Vec<_>>(),
        reliability => show_reliability(report),
        risk => show_risk(report),
        confusion => show_confusion(&report.cases),
        verdicts => show_verdicts(&report.cases),
        n_cases => thousands(report.cases.len()),
    })?;
    // Control characters have no place in HTML; some viewers stop reading at one.
    let visible = |c: char| {
        if c.is_control() && c != '\n' && c != '\t' { char::REPLACEMENT_CHARACTER } else { c }
    };
    Ok(page.chars().map(visible).collect())
}

fn show_figure(figure: &Figure) -> Value {
    context! {
        name => figure.name.as_str(),
        meaning => figure.meaning.as_str(),
        shown => figure.estimate.map(|estimate| show(&estimate, figure.unit)),
    }
}

fn show_table(table: &Table) -> Value {
    let row = |row: &TableRow| {
        let cells = table.columns.iter().enumerate().map(|(i, column)| {
            let cell = row.cells.get(i).copied().flatten();
            cell.map(|estimate| show(&estimate, column.unit))
        });
        context! { name => row.name.as_str(), cells => cells.collect::<Vec<_>>() }
    };
    context! {
        title => table.title.as_str(),
        note => table.note.as_str(),
        columns => table.columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>(),
        rows => table.rows.iter().map(row).collect::<Vec<_>>(),
    }
}

fn show_reliability(report: &Report) -> Option<Value> {
    let bin = |bin: &ReliabilityBin| {
        context! { confidence => percent(bin.confidence), right => show(&bin.right, Unit::Share) }
    };
    (!report.reliability.is_empty()).then(|| {
        context! {
            chart => Value::from_safe_string(chart::reliability(&report.reliability, report.threshold)),
            bins => report.reliability.iter().map(bin).collect::<Vec<_>>(),
        }
    })
}

fn show_risk(report: &Report) -> Option<Value> {
    let points = &report.risk_coverage;
    let marked =
        report.threshold.and_then(|least| points.iter().rfind(|point| point.threshold >= least));
    let row = |point: &RiskPoint| {
        context! {
            threshold => format!("{:.3}", point.threshold),
            coverage => percent(point.coverage),
            risk => show(&point.risk, Unit::Share),
        }
    };
    // The first point of each tenth of coverage stands for it in the table.
    let mut tenths = BTreeMap::new();
    for point in points {
        tenths.entry((point.coverage * 10.0 - 1e-9).floor() as usize).or_insert_with(|| row(point));
    }
    (!points.is_empty()).then(|| {
        context! {
            chart => Value::from_safe_string(chart::risk_coverage(points, marked)),
            marked => marked.map(row),
            threshold => report.threshold.map(|least| format!("{least:.2}")),
            rows => tenths.into_values().collect::<Vec<_>>(),
        }
    })
}

fn show_confusion(cases: &[CaseOutcome]) -> Value {
    let mut counts: BTreeMap<(ExpectedAct, &str), usize> = BTreeMap::new();
    for case in cases {
        *counts.entry((case.expected_act, case.act.as_str())).or_default() += 1;
    }
    let expected: BTreeSet<ExpectedAct> = counts.keys().map(|(expected, _)| *expected).collect();
    let found: BTreeSet<&str> = counts.keys().map(|(_, act)| *act).collect();
    // In the order of the acts of a case file, so that what is right lies on the diagonal.
    let usual = ["reply", "clarify", "handoff"];
    let mut acts: Vec<&str> = usual.to_vec();
    acts.extend(found.iter().filter(|act| !usual.contains(act)));
    let row = |expected: &ExpectedAct| {
        let of = |act: &&str| counts.get(&(*expected, *act)).copied().unwrap_or_default();
        let n: usize = acts.iter().map(of).sum();
        let cells = acts.iter().map(|act| {
            let is_due = matches!(
                (expected, *act),
                (ExpectedAct::Answer, "reply")
                    | (ExpectedAct::Clarify, "clarify")
                    | (ExpectedAct::Handoff, "handoff" | "draft")
            );
            let part = of(act) as f64 / n.max(1) as f64;
            context! {
                n => thousands(of(act)),
                part => percent(part),
                shade => (part * 100.0).round() as u32,
                is_due,
            }
        });
        context! { expected => expected.name(), n => thousands(n), cells => cells.collect::<Vec<_>>() }
    };
    let rows: Vec<Value> = expected.iter().map(row).collect();
    let acts: Vec<String> = acts.iter().map(|act| (*act).to_owned()).collect();
    context! { acts, rows }
}

fn show_verdicts(cases: &[CaseOutcome]) -> Vec<Value> {
    let words = [
        (
            Verdict::WrongReply,
            "wrong",
            "Replied, and should not have",
            "wrong answers, and answers where none was due",
        ),
        (
            Verdict::MissedReply,
            "missed",
            "Should have replied, and did not",
            "answerable questions that went elsewhere",
        ),
        (
            Verdict::OtherAct,
            "other",
            "No reply was due, but something else was",
            "clarified for handed off, or the reverse",
        ),
        (Verdict::Right, "right", "Right", "did what was due"),
    ];
    let show = |(verdict, class, title, note): (Verdict, &str, &str, &str)| {
        let mut of: Vec<&CaseOutcome> =
            cases.iter().filter(|case| case.verdict == verdict).collect();
        of.sort_by(|a, b| b.confidence.unwrap_or(-1.0).total_cmp(&a.confidence.unwrap_or(-1.0)));
        context! {
            class,
            title,
            note,
            n => thousands(of.len()),
            part => percent(of.len() as f64 / cases.len().max(1) as f64),
            share => of.len() as f64 / cases.len().max(1) as f64 * 100.0,
            n_hidden => of.len().saturating_sub(N_CASES_SHOWN),
            cases => of.iter().take(N_CASES_SHOWN).map(|case| show_case(case)).collect::<Vec<_>>(),
        }
    };
    words.into_iter().map(show).collect()
}

fn show_case(case: &CaseOutcome) -> Value {
    let marked = |ids: &[String], others: &[String]| -> Vec<(String, bool)> {
        ids.iter().map(|id| (cut(id), others.contains(id))).collect()
    };
    context! {
        id => cut(&case.id),
        brief => case.question.split_whitespace().take(40).collect::<Vec<_>>().join(" ").chars().take(200).collect::<String>(),
        question => cut(&case.question),
        expected_act => case.expected_act.name(),
        expected_articles => marked(&case.expected_articles, &case.sources),
        act => cut(&case.act),
        confidence => case.confidence.map(|confidence| format!("{confidence:.2}")),
        text => cut(&case.text),
        sources => marked(&case.sources, &case.expected_articles),
        reasons => case.reasons.iter().map(|reason| cut(reason)).collect::<Vec<_>>(),
        tags => case.tags.iter().map(|tag| cut(tag)).collect::<Vec<_>>(),
    }
}

fn show(estimate: &Estimate, unit: Unit) -> Value {
    let (value, low, high) = match unit {
        Unit::Share => (percent(estimate.value), percent(estimate.low), percent(estimate.high)),
        Unit::Score => {
            let score = |value: f64| format!("{value:.3}");
            (score(estimate.value), score(estimate.low), score(estimate.high))
        }
        Unit::Milliseconds => {
            (milliseconds(estimate.value), milliseconds(estimate.low), milliseconds(estimate.high))
        }
    };
    context! { value, low, high, n => thousands(estimate.n) }
}

fn percent(share: f64) -> String {
    format!("{:.1}\u{a0}%", share * 100.0)
}

fn milliseconds(value: f64) -> String {
    match value {
        value if value >= 10_000.0 => format!("{:.1}\u{a0}s", value / 1_000.0),
        value if value >= 100.0 => format!("{value:.0}\u{a0}ms"),
        value => format!("{value:.1}\u{a0}ms"),
    }
}

fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let mut written = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            written.push(',');
        }
        written.push(digit);
    }
    written
}

fn cut(text: &str) -> String {
    let shown: String = text.chars().take(N_CHARACTERS_SHOWN).collect();
    let n_hidden = text.chars().count().saturating_sub(N_CHARACTERS_SHOWN);
    if n_hidden > 0 {
        format!("{shown}… ({} more characters)", thousands(n_hidden))
    } else {
        shown
    }
}

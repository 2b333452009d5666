//! How does a support lead read the figures in ten seconds, and an engineer in ten minutes?
//!
//! [`Report`] is what was measured; [`render`] makes one page of it that needs nothing else: no
//! script, no font, no image, no network. [`markdown()`] is the same in short for a build's log or a
//! comment, [`junit()`] for what counts tests. Texts of customers are hostile input: the templates
//! escape them all, and the pages forbid scripts should that ever fail.

mod cases;
mod changes;
mod chart;
mod confusion;
mod headline;
mod junit;
mod markdown;
mod numbers;
mod page;
#[cfg(test)]
mod tests;

pub use changes::render_comparison;
pub(crate) use headline::headline;
pub use headline::{Headline, Tile};
pub use junit::junit;
pub use markdown::{markdown, markdown_of_comparison};

use crate::{
    compare::Comparison,
    figure::Figure,
    gate::Judgement,
    interval::Estimate,
    measures::{ReliabilityBin, RiskPoint},
    record::Record,
    run_report::About,
};
use minijinja::{context, value::Value};
use numbers::{percent, show, thousands};
use std::collections::BTreeMap;

/// What was measured in one run.
#[derive(Debug)]
pub struct Report<'a> {
    /// What it says about itself.
    pub about: About,
    /// What a support lead reads.
    pub headline: Headline,
    /// All figures of the whole run.
    pub sections: Vec<Section>,
    /// Figures of parts of it.
    pub tables: Vec<Table>,
    /// How well confidence keeps its word; empty when it was not measured.
    pub reliability: Vec<ReliabilityBin>,
    /// What each threshold would buy, by rising coverage; empty when it was not measured.
    pub risk_coverage: Vec<RiskPoint>,
    /// Every case of the run; the page shows the first of each verdict by falling confidence.
    pub records: &'a [Record],
    /// The run that it is compared with, by name, and how they differ.
    pub baseline: Option<(String, Comparison<'a>)>,
    /// What became of the gates.
    pub gates: Vec<Judgement>,
}

/// Figures about the same thing.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// What they are about.
    pub title: String,
    /// The figures, each with its meaning.
    pub figures: Vec<Figure>,
}

/// How a figure is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A share of 0..=1, written in percent.
    Share,
    /// A plain number, written with three decimals.
    Score,
    /// Milliseconds.
    Milliseconds,
    /// How many, written with one decimal.
    Count,
}

/// A group of measures.
#[derive(Debug, Clone, PartialEq)]
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
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Name of the measure.
    pub name: String,
    /// How to write it.
    pub unit: Unit,
}

/// A line of a [`Table`].
#[derive(Debug, Clone, PartialEq)]
pub struct TableRow {
    /// What the line is about.
    pub name: String,
    /// One a column; `None` where undefined.
    pub cells: Vec<Option<Estimate>>,
}

/// Renders the report as one HTML page.
///
/// # Errors
/// Only when the template and the values that it is given no longer fit each other.
pub fn render(report: &Report<'_>) -> anyhow::Result<String> {
    let about = &report.about;
    let baseline = report.baseline.as_ref();
    page::render(
        "report.html",
        context! {
            title => about.title.as_str(),
            generated_by => about.generated_by.as_str(),
            provenance => about.provenance.clone(),
            headline => headline::show(&report.headline),
            sections => report.sections.iter().map(show_section).collect::<Vec<_>>(),
            tables => report.tables.iter().map(show_table).collect::<Vec<_>>(),
            reliability => show_reliability(report)?,
            risk => show_risk(report)?,
            acts => confusion::acts(report.records),
            teams => confusion::teams(report.records),
            verdicts => cases::show_verdicts(report.records),
            comparison => baseline.map(|(name, it)| changes::show(it, name, &about.title)),
            gates => page::show_gates(&report.gates),
            n_cases => thousands(report.records.len()),
        },
    )
}

fn show_section(section: &Section) -> Value {
    let figure = |figure: &Figure| {
        context! {
            name => figure.name.as_str(),
            meaning => figure.meaning.as_str(),
            shown => show(&figure.estimate, figure.unit),
        }
    };
    let figures: Vec<Value> = section.figures.iter().map(figure).collect();
    context! { title => section.title.as_str(), figures }
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

fn show_reliability(report: &Report<'_>) -> anyhow::Result<Option<Value>> {
    let bin = |bin: &ReliabilityBin| {
        context! { confidence => percent(bin.confidence), right => show(&bin.right, Unit::Share) }
    };
    if report.reliability.is_empty() {
        return Ok(None);
    }
    let chart = chart::reliability(&report.reliability, report.about.threshold)?;
    Ok(Some(context! {
        chart => Value::from_safe_string(chart),
        bins => report.reliability.iter().map(bin).collect::<Vec<_>>(),
    }))
}

fn show_risk(report: &Report<'_>) -> anyhow::Result<Option<Value>> {
    let points = &report.risk_coverage;
    let threshold = report.about.threshold;
    let marked = threshold.and_then(|least| points.iter().rfind(|point| point.threshold >= least));
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
    if points.is_empty() {
        return Ok(None);
    }
    Ok(Some(context! {
        chart => Value::from_safe_string(chart::risk_coverage(points, marked)?),
        marked => marked.map(row),
        threshold => threshold.map(|least| format!("{least:.2}")),
        rows => tenths.into_values().collect::<Vec<_>>(),
    }))
}

//! Two runs side by side, as a part of a report and as a page of its own.

use super::{
    About, cases,
    numbers::{difference, percent, thousands, written},
    page,
};
use crate::{
    compare::{Change, Comparison, Effect, ScoreChange, outcome, p_words},
    record::Record,
};
use minijinja::{context, value::Value};

/// More changes than this are not read; comparison.json has them all.
const N_SHOWN: usize = 200;

/// Renders a comparison as one HTML page. `sides` says what each of the two is, and what it
/// depends on.
///
/// # Errors
/// Only when the template and the values that it is given no longer fit each other.
pub fn render_comparison(
    comparison: &Comparison<'_>,
    sides: &[About; 2],
    gates: &[crate::Judgement],
) -> anyhow::Result<String> {
    let [before, after] = sides;
    let of = |about: &About, name: &str| {
        about.provenance.iter().find(|(it, _)| it == name).map(|(_, value)| value.clone())
    };
    let names: std::collections::BTreeSet<&String> =
        sides.iter().flat_map(|side| &side.provenance).map(|(name, _)| name).collect();
    let origins: Vec<Value> = names
        .into_iter()
        .map(|name| {
            let (first, second) = (of(before, name), of(after, name));
            let is_other = first != second;
            context! { name, first, second, is_other }
        })
        .collect();
    page::render(
        "compare.html",
        context! {
            title => format!("{} against {}", after.title, before.title),
            generated_by => after.generated_by.as_str(),
            comparison => show(comparison, &before.title, &after.title),
            gates => page::show_gates(gates),
            origins,
        },
    )
}

pub(super) fn show(comparison: &Comparison<'_>, first: &str, second: &str) -> Value {
    let counts: Vec<(String, String)> =
        comparison.counts().into_iter().map(|(name, n)| (name.to_string(), thousands(n))).collect();
    let load = comparison.load.iter().map(|(team, (before, after))| {
        let change = *after as i64 - *before as i64;
        let change =
            if change == 0 { "0".into() } else { format!("{change:+}").replace('-', "−") };
        context! { team, before => thousands(*before), after => thousands(*after), change }
    });
    let (scores, same) = comparison.by_difference();
    let groups = [Effect::Broken, Effect::Fixed, Effect::Neither];
    context! {
        first,
        second,
        words => comparison.in_words(),
        counts,
        notes => notes(comparison),
        scores => scores.into_iter().map(show_score).collect::<Vec<_>>(),
        same => same.join(", "),
        load => load.collect::<Vec<_>>(),
        groups => groups.iter().map(|effect| show_group(comparison, *effect)).collect::<Vec<_>>(),
    }
}

fn notes(comparison: &Comparison<'_>) -> Vec<String> {
    [
        (comparison.n_alone.0, "cases are in the first alone, and left out."),
        (comparison.n_alone.1, "cases are in the second alone, and left out."),
        (comparison.n_other_question, "ids ask something else in each, and are left out."),
        (comparison.n_relabelled, "cases have another label now; both sides are judged by it."),
    ]
    .into_iter()
    .filter(|(n, _)| *n > 0)
    .map(|(n, what)| format!("{} {what}", thousands(n)))
    .collect()
}

fn show_score(score: &ScoreChange) -> Value {
    let estimate = score.difference.estimate;
    let is_better = (estimate.value > 0.0) == score.is_good;
    context! {
        name => score.name.as_str(),
        before => written(score.values.0, score.unit),
        after => written(score.values.1, score.unit),
        change => difference(estimate.value, score.unit),
        low => difference(estimate.low, score.unit),
        high => difference(estimate.high, score.unit),
        p => p_words(score.difference.p),
        n => thousands(estimate.n),
        verdict => match (score.is_significant(), is_better) {
            (false, _) => "may be chance",
            (true, true) => "better",
            (true, false) => "worse",
        },
    }
}

fn show_group(comparison: &Comparison<'_>, effect: Effect) -> Value {
    let of: Vec<&Change<'_>> =
        comparison.changes.iter().filter(|change| change.effect == effect).collect();
    let (title, note, class) = match effect {
        Effect::Broken => ("Broken", "right before, and not any more", "wrong"),
        Effect::Fixed => ("Fixed", "right now, and was not", "right"),
        Effect::Neither => {
            ("Otherwise, neither for better nor worse", "as the labels tell", "other")
        }
    };
    context! {
        title,
        note,
        class,
        n => thousands(of.len()),
        part => percent(of.len() as f64 / comparison.n_both.max(1) as f64),
        n_hidden => of.len().saturating_sub(N_SHOWN),
        changes => of.iter().take(N_SHOWN).map(|change| show_change(change)).collect::<Vec<_>>(),
    }
}

fn show_change(change: &Change<'_>) -> Value {
    let side = |record: &Record| {
        context! { outcome => outcome(record), case => cases::show_case(record) }
    };
    let (before, after) = change.verdicts();
    let mut what = Vec::new();
    what.extend(change.act.then_some("act"));
    what.extend(change.answer.then_some("draft"));
    what.extend(change.team.then_some("team"));
    context! {
        class => cases::tone(after),
        what => what.join(", "),
        before => side(&change.before),
        after => side(change.after),
        verdicts => (before.title(), after.title()),
    }
}

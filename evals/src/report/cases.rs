//! The cases one by one: the most confident mistakes first, a few of what is right to look at.

use super::numbers::{brief, cut, percent, thousands};
use crate::{record::Record, verdict::Verdict};
use minijinja::{context, value::Value};
use serde_json::Value as Json;

/// More of a verdict than this are not read; results.jsonl has them all.
const N_WORST_SHOWN: usize = 50;
/// What is right is shown to be believed.
const N_RIGHT_SHOWN: usize = 20;

/// Returns the records of a verdict, the most confident first.
pub(super) fn of_verdict(records: &[Record], verdict: Verdict) -> Vec<&Record> {
    let mut of: Vec<&Record> =
        records.iter().filter(|record| Verdict::of(record) == verdict).collect();
    of.sort_by(|a, b| confidence(b).unwrap_or(-1.0).total_cmp(&confidence(a).unwrap_or(-1.0)));
    of
}

pub(super) fn show_verdicts(records: &[Record]) -> Vec<Value> {
    let show = |verdict: Verdict| {
        let of = of_verdict(records, verdict);
        let n_shown = if verdict == Verdict::Right { N_RIGHT_SHOWN } else { N_WORST_SHOWN };
        let part = of.len() as f64 / records.len().max(1) as f64;
        context! {
            class => tone(verdict),
            title => verdict.title(),
            note => verdict.note(),
            n => thousands(of.len()),
            part => percent(part),
            share => part * 100.0,
            n_hidden => of.len().saturating_sub(n_shown),
            cases => of.iter().take(n_shown).map(|record| show_case(record)).collect::<Vec<_>>(),
        }
    };
    // What never happens in a run needs no line, but for the worst and the best.
    let always = [Verdict::WrongReply, Verdict::Right];
    let happens = |verdict: &Verdict| {
        always.contains(verdict) || records.iter().any(|record| Verdict::of(record) == *verdict)
    };
    Verdict::ALL.into_iter().filter(happens).map(show).collect()
}

/// Returns the class that colours a verdict.
pub(super) fn tone(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::WrongReply => "wrong",
        Verdict::WrongTeam => "astray",
        Verdict::MissedReply => "missed",
        Verdict::OtherAct | Verdict::Unjudged => "other",
        Verdict::Right => "right",
    }
}

pub(super) fn confidence(record: &Record) -> Option<f64> {
    record.is_drafted().then_some(record.confidence)
}

pub(super) fn show_case(record: &Record) -> Value {
    let expect = &record.expect;
    let marked = |ids: &[String], others: &[String]| -> Vec<(String, bool)> {
        ids.iter().map(|id| (cut(id), others.contains(id))).collect()
    };
    let texts = |texts: &[String]| texts.iter().map(|text| cut(text)).collect::<Vec<_>>();
    let quotes: Vec<(String, String)> =
        record.citations.iter().map(|cited| (cut(&cited.article), cut(&cited.quote))).collect();
    context! {
        id => cut(&record.id),
        brief => brief(&record.question),
        question => cut(&record.question),
        expected_act => expect.act.name(),
        expected_team => expect.team.as_deref().map(cut),
        expected_answer => expect.answer.as_deref().map(cut),
        expected_articles => marked(&expect.articles, &record.sources),
        act => cut(&record.act),
        team => record.team.as_deref().map(cut),
        topic => record.topic.as_deref().map(cut),
        confidence => confidence(record).map(|confidence| format!("{confidence:.2}")),
        text => cut(&record.text),
        quotes,
        sources => marked(&record.sources, &expect.articles),
        found => marked(record.articles.get(..5).unwrap_or(&record.articles), &expect.articles),
        reasons => texts(&record.reasons),
        tags => texts(&record.tags),
        evidence => record.evidence.iter()
            .map(|(name, value)| (name.clone(), format!("{value:.3}"))).collect::<Vec<_>>(),
        fired => fired(&record.trace),
        facts => facts(&record.trace),
    }
}

fn fired(trace: &Json) -> Vec<(String, String)> {
    let rules = trace.get("fired").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
    let part = |rule: &Json, name: &str| rule.get(name).map_or(String::new(), plain);
    rules.iter().map(|rule| (part(rule, "rule"), part(rule, "did"))).collect()
}

fn facts(trace: &Json) -> Vec<(String, String)> {
    let facts = trace.get("facts").and_then(Json::as_object);
    let facts = facts.into_iter().flatten();
    facts.map(|(name, value)| (cut(name), plain(value))).collect()
}

/// Writes JSON for people: a text without quotes, a list with commas.
fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => cut(text),
        Json::Array(values) => cut(&values.iter().map(plain).collect::<Vec<_>>().join(", ")),
        other => cut(&other.to_string()),
    }
}

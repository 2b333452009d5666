//! `frontdesk eval labels`: what people said of drafts, as cases.

use super::kept::{Kept, Said, Told};
use crate::{Verdict, output, settings::Settings};
use jiff::Timestamp;
use router::Author;
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::Path};

/// Writes a case for each draft that a teammate judged, without personal data.
pub(super) async fn run(
    settings: &Settings,
    as_json: bool,
    since: Option<Timestamp>,
    out: &Path,
) -> anyhow::Result<Verdict> {
    output::may_write(out)?;
    let kept = Kept::read(settings, since).await?;
    let (mut lines, mut counts) = (String::new(), BTreeMap::new());
    let mut n_gone = 0;
    // Oldest first, so that a file grows at its end.
    for judged in kept.past.judged.iter().rev().filter(|judged| judged.label.is_some()) {
        let Some(told) = kept.told(judged) else {
            n_gone += 1;
            continue;
        };
        lines.push_str(&format!("{}\n", line(&told, &kept.cleaning(judged))));
        *counts.entry(told.said.by).or_insert(0_usize) += 1;
    }
    output::file(out, &lines)?;
    let n: usize = counts.values().sum();
    if as_json {
        let file = out.display().to_string();
        output::json(&json!({"cases": n, "labels": counts, "gone": n_gone, "file": file}))?;
        return Ok(Verdict::Yes);
    }
    for (by, n) in &counts {
        output::line(format!("{n:>6}  {by}"))?;
    }
    if n_gone > 0 {
        output::line(format!("{n_gone:>6}  left out: what was asked is gone"))?;
    }
    output::line(format!("{n} cases written: {}", out.display()))?;
    Ok(Verdict::Yes)
}

/// Makes the line of a case, as `evals::read_cases` reads it.
fn line(told: &Told<'_>, clean: &dyn Fn(&str) -> String) -> Value {
    let Told { judged, recalled, said, .. } = told;
    let decided = &judged.decided;
    let message = |turn: &router::Message| {
        let author = match turn.author {
            Author::Customer => "customer",
            Author::Bot => "bot",
            Author::Teammate => "teammate",
        };
        json!({"author": author, "text": clean(&turn.text)})
    };
    let Said { expect, by } = said;
    let sources = decided.decided.sources.iter().map(|source| source.article.as_str());
    let mut case = json!({
        "id": format!("label-{}", decided.id),
        "messages": recalled.question().turns().iter().map(message).collect::<Vec<_>>(),
        "expect": {
            "act": expect.act.name(),
            "articles": expect.articles,
            "answer": expect.answer.as_deref().map(clean),
            "topic": expect.topic,
            "team": expect.team,
        },
        "tags": [format!("label:{by}")],
        "channel": judged.course.record.channel,
        "at": decided.at.to_string(),
        "meta": {
            "source": "label",
            "label": by,
            "draft": decided.decided.draft.as_deref().map(clean),
            "sources": sources.collect::<Vec<_>>(),
            "confidence": decided.decided.confidence,
        },
    });
    let reader = recalled.reader();
    let known = [("tier", &reader.tiers), ("plan", &reader.plans), ("tags", &reader.tags)];
    let known = known.into_iter().filter(|(_, values)| !values.is_empty());
    let known: serde_json::Map<String, Value> = known
        .map(|(name, values)| match values.as_slice() {
            [one] if name != "tags" => (name.to_string(), json!(one)),
            many => (name.to_string(), json!(many)),
        })
        .collect();
    if !known.is_empty() {
        case["customer"] = Value::Object(known);
    }
    if let Some(locale) = &reader.locale {
        case["locale"] = json!(locale);
    }
    case
}

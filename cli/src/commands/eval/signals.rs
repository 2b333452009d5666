use crate::{Verdict, assembly, output, progress::counted, settings::Settings};
use evals::{Found, choose_questions, measure_signal, read_utterances};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Measures how well a signal is read from labelled messages.
pub(crate) async fn run(
    settings: Settings,
    as_json: bool,
    signal: &str,
    files: &[PathBuf],
) -> anyhow::Result<Verdict> {
    let utterances = choose_questions(read_utterances(files)?, &[], false)?;
    let desk = assembly::desk(settings).await?;
    let known = format!("signals.{signal}");
    let names = desk.policy().catalogue().facts().iter();
    let names: Vec<&str> = names.filter_map(|fact| fact.name.strip_prefix("signals.")).collect();
    anyhow::ensure!(
        desk.policy().catalogue().find(&known).is_some(),
        "there is no signal {signal:?}; known: {}",
        names.join(", ")
    );
    let bar = counted("messages", utterances.len() as u64);
    let figures =
        measure_signal(&desk, signal, &utterances, &|done| bar.set_position(done as u64)).await;
    bar.finish_and_clear();
    if as_json {
        output::json(&json!({
            "signal": signal,
            "shown": figures.n_shown,
            "not": figures.n_not,
            "patterns": as_document(&figures.patterns),
            "both": as_document(&figures.both),
        }))?;
        return Ok(Verdict::Yes);
    }
    let (n_shown, n_not) = (figures.n_shown, figures.n_not);
    output::line(format!("{n_shown} messages show {signal}, {n_not} do not"))?;
    for (name, found) in [("patterns", &figures.patterns), ("both", &figures.both)] {
        let share = |estimate: &Option<evals::interval::Estimate>| {
            estimate
                .as_ref()
                .map_or("-".into(), |e| format!("{:.3} ({:.3} to {:.3})", e.value, e.low, e.high))
        };
        output::line(format!(
            "{name:<10} precision {}  recall {}",
            share(&found.precision),
            share(&found.recall)
        ))?;
    }
    for text in &figures.both.wrong {
        output::line(format!("wrongly found: {text}"))?;
    }
    for text in &figures.both.missed {
        output::line(format!("missed: {text}"))?;
    }
    Ok(Verdict::Yes)
}

fn as_document(found: &Found) -> Value {
    let share = |estimate: &Option<evals::interval::Estimate>| {
        estimate.as_ref().map(|e| json!({"value": e.value, "low": e.low, "high": e.high, "n": e.n}))
    };
    json!({
        "precision": share(&found.precision),
        "recall": share(&found.recall),
        "wrongly_found": found.wrong,
        "missed": found.missed,
    })
}

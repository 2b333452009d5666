//! `frontdesk eval compare`: two runs of the past, or two desks over the same cases now.

use super::{
    at_once,
    gates::{Measured, judge, tell},
    short_name, warn_of_facts, warn_of_unknown,
};
use crate::{
    Verdict, args, assembly, commands::ask::ensure_index, output, progress::counted,
    settings::Settings,
};
use anyhow::{Context, ensure};
use evals::{
    About, Case, Comparison, Judgement, Record, Run, compare_by,
    interval::Resampling,
    read_cases, read_run,
    report::{markdown_of_comparison, render_comparison},
    summarise_by, try_cases,
};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// Compares, and shows or writes what comes out otherwise. It fails by gates alone.
pub(super) async fn run(
    settings: Settings,
    as_json: bool,
    wanted: args::EvalCompare,
) -> anyhow::Result<Verdict> {
    let [before, after] = match wanted.runs.as_slice() {
        [before, after] => [read_run(before)?, read_run(after)?],
        _ => run_both(settings, &wanted).await?,
    };
    let resampling = Resampling { seed: wanted.gates.seed, ..Resampling::default() };
    let comparison = compare_by(&before.records, &after.records, resampling);
    ensure!(comparison.n_both > 0, "{} and {} have no case in common", before.name, after.name);
    let judged = match wanted.gates.fail_if.as_slice() {
        [] => Vec::new(),
        _ => {
            let summary = summarise_by(&after.records, resampling);
            let records = &after.records;
            let (summary, baseline) = (&summary, Some(&before));
            let measured = Measured { records, summary, baseline, resampling };
            judge(&wanted.gates, &measured)?
        }
    };
    let document = json!({
        "before": side_json(&before), "after": side_json(&after), "comparison": comparison.to_json(),
    });
    if let Some(out) = &wanted.out {
        output::make_folder(out)?;
        let text = serde_json::to_string_pretty(&document)?;
        output::file(&out.join("comparison.json"), &text)?;
        write(out, (&before, &after), &comparison, &judged)?;
    }
    match &wanted.out {
        _ if as_json => output::json(&document)?,
        Some(out) => {
            output::line(comparison.to_text())?;
            output::line(format!("written: {}", out.display()))?;
        }
        None => output::line(comparison.to_text())?,
    }
    Ok(tell(&judged))
}

fn side_json(run: &Run) -> serde_json::Value {
    let provenance: serde_json::Map<_, _> =
        run.provenance.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    json!({"name": run.name, "cases": run.records.len(), "provenance": provenance})
}

fn write(
    out: &Path,
    (before, after): (&Run, &Run),
    comparison: &Comparison<'_>,
    judged: &[Judgement],
) -> anyhow::Result<()> {
    let about = |run: &Run| About {
        title: run.name.clone(),
        generated_by: concat!("frontdesk ", env!("CARGO_PKG_VERSION")).to_string(),
        provenance: run.provenance.clone(),
        threshold: None,
    };
    let page = render_comparison(comparison, &[about(before), about(after)], judged)?;
    output::file(&out.join("comparison.html"), &page)?;
    let text = markdown_of_comparison(comparison, (&before.name, &after.name), judged);
    output::file(&out.join("comparison.md"), &text)
}

/// Runs the cases through this desk and through the other.
async fn run_both(settings: Settings, wanted: &args::EvalCompare) -> anyhow::Result<[Run; 2]> {
    let cases = read_cases(&wanted.cases)?;
    let (other, changes) = other_desk(&settings, &wanted.other)?;
    let name = short_name(&settings.root);
    let first = run_one(settings, &cases, name).await?;
    Ok([first, run_one(other, &cases, changes).await?])
}

/// Returns the other desk's settings, and what is otherwise with it in a few words.
fn other_desk(settings: &Settings, wanted: &args::OtherDesk) -> anyhow::Result<(Settings, String)> {
    let args::OtherDesk { with, routing, articles, set } = wanted;
    ensure!(
        with.is_some() || routing.is_some() || !articles.is_empty() || !set.is_empty(),
        "nothing is otherwise; say what with --with, --routing, --articles or --set"
    );
    let root = with.as_ref().unwrap_or(&settings.root);
    let variables = set.iter().map(|pair| variable(pair)).collect::<anyhow::Result<Vec<_>>>()?;
    let mut other = Settings::read_with(root, &variables)?;
    if let Some(file) = routing {
        other = other.with_routing(file)?;
    }
    if !articles.is_empty() {
        let absolute: Result<Vec<PathBuf>, _> = articles.iter().map(std::path::absolute).collect();
        other.config.articles.folders = absolute?;
    }
    // The desk's own index stays as it is, whatever the other one would put there.
    let is_index_other =
        |pair: &&String| pair.starts_with("articles.") || pair.starts_with("embedder.");
    let otherwise: Vec<&String> = set.iter().filter(is_index_other).collect();
    if !articles.is_empty() || !otherwise.is_empty() {
        let key = format!("{:?} {otherwise:?}", other.config.articles.folders);
        let digest = Sha256::digest(key.as_bytes());
        let digest: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        let index = &other.config.articles.index;
        other.config.articles.index =
            index.with_file_name(format!("compared-{digest}")).join("index");
    }
    let mut changes: Vec<String> = with.iter().map(|root| short_name(root)).collect();
    changes.extend(routing.iter().map(|file| format!("rules of {}", file.display())));
    changes.extend(articles.iter().map(|folder| format!("articles of {}", folder.display())));
    changes.extend(set.iter().cloned());
    Ok((other, changes.join(", ")))
}

/// Reads `answers.threshold=0.8` as the variable that sets it.
fn variable(pair: &str) -> anyhow::Result<(String, String)> {
    let read = pair.split_once('=').map(|(key, value)| (key.trim(), value.trim()));
    let (key, value) = read.filter(|(key, _)| !key.is_empty()).with_context(|| {
        format!("--set takes KEY=VALUE, such as answers.threshold=0.8, not {pair:?}")
    })?;
    Ok((format!("FRONTDESK_{}", key.replace('.', "_").to_uppercase()), value.to_string()))
}

async fn run_one(settings: Settings, cases: &[Case], name: String) -> anyhow::Result<Run> {
    let threshold = settings.config.answers.threshold.to_string();
    let root = settings.root.display().to_string();
    let desk = assembly::desk(settings).await?;
    ensure_index(desk.library()).await?;
    let knowledge = desk.library().knowledge()?;
    warn_of_unknown(cases, &knowledge);
    warn_of_facts(cases, desk.policy());
    let bar = counted(&name, cases.len() as u64);
    let progress = |done| bar.set_position(done as u64);
    let trials = try_cases(&desk, &knowledge, cases, at_once(), &progress).await?;
    bar.finish_and_clear();
    let records = trials.iter().map(|trial| Record::of(trial, desk.policy())).collect();
    let provenance = [
        ("version", env!("CARGO_PKG_VERSION").to_string()),
        ("desk", root),
        ("index", knowledge.generation().to_string()),
        ("embedder", desk.library().embedder().id().to_string()),
        ("threshold", threshold),
    ]
    .map(|(name, value)| (name.to_string(), value));
    Ok(Run { name, records, provenance: provenance.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_named_as_in_the_file() {
        let check = |pair: &str, expected: Option<(&str, &str)>| {
            let expected = expected.map(|(name, value)| (name.to_string(), value.to_string()));
            assert_eq!(variable(pair).ok(), expected, "{pair}");
        };
        check("answers.threshold=0.8", Some(("FRONTDESK_ANSWERS_THRESHOLD", "0.8")));
        check("answers.calibration = a=b", Some(("FRONTDESK_ANSWERS_CALIBRATION", "a=b")));
        check("answers.threshold", None);
        check("=1", None);
    }
}

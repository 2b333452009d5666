//! `frontdesk eval run`: cases through the whole path. What each came to is written down at once
//! (`trying.rs`), so that a run that was killed goes on; `conditions.rs` says what it depends on.

mod conditions;
mod trying;

use super::{
    gates::{Gates, Measured},
    report::write_reports,
    short_name, warn_of_facts, warn_of_unknown,
};
use crate::{
    Verdict, args, assembly, commands::ask::ensure_index, known, output, settings::Settings,
};
use bot::Desk;
use conditions::{Files, Setting, case_files, machine};
use evals::{
    About, Case, Ledger, Price, Record, Summary, interval::Resampling, measure_retrieval,
    note_similarity, read_cases, read_run, result_lines, summarise_by, ways,
};
use models::Shelf;
use serde_json::{Value, json};
use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use trying::{Tried, try_rest};

/// Memory for vectors and drafts; the file that they are kept in may have four times as much.
const KEPT_BYTES: usize = 128 << 20;

/// Runs cases through the whole path, and writes and shows what came of them.
pub(super) async fn run(
    settings: Settings,
    as_json: bool,
    wanted: args::EvalRun,
) -> anyhow::Result<Verdict> {
    let gates = Gates {
        least_act_accuracy: wanted.least_act_accuracy,
        most_wrong_replies: wanted.most_wrong_replies,
        wanted: &wanted.gates,
    };
    let baseline = wanted.baseline.as_deref().map(read_run).transpose()?;
    let (started, start) = (known::now(), Instant::now());
    let cases = read_cases(&wanted.cases)?;
    let case_files = case_files(&wanted.cases, &cases)?;
    output::make_folder(&wanted.out)?;
    let ledger = Ledger::open(&wanted.out, wanted.fresh)?;
    let (root, threshold) = (settings.root.clone(), settings.config.answers.threshold);
    let (shelf, desk_files) = (Arc::new(shelf(&settings, &wanted)), Files::of(&settings)?);
    let desk = assembly::desk_keeping(settings, shelf.clone()).await?;
    ensure_index(desk.library()).await?;
    let knowledge = desk.library().knowledge()?;
    let setting = desk_files.with(&desk, &knowledge)?;
    warn_of_unknown(&cases, &knowledge);
    warn_of_facts(&cases, desk.policy());
    let preparing = start.elapsed();
    let tried = try_rest(&desk, &knowledge, &cases, (ledger, &setting.digest)).await?;
    let Tried { mut records, n_reused, n_failed, answering, writing } = tried;
    let began = Instant::now();
    let resampling = Resampling { seed: wanted.gates.seed, ..Resampling::default() };
    let summary = figures(&desk, &cases, &mut records, (wanted.price, resampling)).await?;
    let provenance = provenance((&root, &wanted), threshold, &setting);
    let document = summary.to_json(&provenance);
    let about = about(&root, provenance, threshold);
    let out = &wanted.out;
    output::file(&out.join("summary.json"), &serde_json::to_string_pretty(&document)?)?;
    let (records, summary, baseline) = (&records, &summary, baseline.as_ref());
    let measured = Measured { records, summary, baseline, resampling };
    let judged = gates.judge(&measured);
    write_reports(out, &measured, about, judged.as_deref().unwrap_or_default())?;
    let took = [preparing, answering, writing, began.elapsed()];
    let run = json!({
        "started": started.to_string(),
        "desk": root.display().to_string(),
        "case_files": case_files,
        "cases": records.len(),
        "reused": n_reused,
        "failed": n_failed,
        "machine": machine(),
        "at_once": super::at_once(),
        "seed": resampling.seed,
        "resamples": resampling.n_resamples,
        "kept": {"found": shelf.tally().n_found, "computed": shelf.tally().n_computed},
        "seconds": seconds(took),
    });
    output::file(&out.join("run.json"), &serde_json::to_string_pretty(&setting.record(&run))?)?;
    if as_json {
        output::json(&document)?;
    } else {
        show(summary)?;
        output::line(format!("written: {}", out.display()))?;
    }
    gates.verdict(summary, &judged?)
}

/// Says how long the parts of a run took.
fn seconds(took: [Duration; 4]) -> Value {
    let [preparing, answering, writing, measuring] = took.map(|time| time.as_secs_f64());
    json!({
        "preparing": preparing, "answering": answering, "writing": writing, "measuring": measuring,
    })
}

/// Works out all figures of what was tried.
async fn figures(
    desk: &Desk,
    cases: &[Case],
    records: &mut [Record],
    (price, resampling): (Option<Price>, Resampling),
) -> anyhow::Result<Summary> {
    note_similarity(desk.library(), records).await?;
    let mut summary = summarise_by(records, resampling);
    if cases.iter().any(|case| !case.expect.articles.is_empty()) {
        summary.groups.extend(ways(&measure_retrieval(desk.library(), cases, &|_| ()).await?));
    }
    if let Some(price) = price {
        summary.add_cost(records, price, resampling);
    }
    Ok(summary)
}

fn about(root: &Path, provenance: Vec<(String, String)>, threshold: f64) -> About {
    About {
        title: format!("Eval of {}", short_name(root)),
        generated_by: concat!("frontdesk ", env!("CARGO_PKG_VERSION")).to_string(),
        provenance,
        threshold: Some(threshold),
    }
}

/// Names what the figures depend on, for summary and report; `run.json` has more of it.
fn provenance(
    (root, wanted): (&Path, &args::EvalRun),
    threshold: f64,
    setting: &Setting,
) -> Vec<(String, String)> {
    let names: Vec<String> = wanted.cases.iter().map(|file| file.display().to_string()).collect();
    let first = [
        ("desk", root.display().to_string()),
        ("cases", names.join(", ")),
        ("threshold", threshold.to_string()),
        ("seed", wanted.gates.seed.to_string()),
    ]
    .map(|(name, value)| (name.to_string(), value));
    [first.to_vec(), setting.provenance()].concat()
}

/// Opens what keeps vectors and drafts for later runs; without a disk for it, this run's memory.
fn shelf(settings: &Settings, wanted: &args::EvalRun) -> Shelf {
    let folder = wanted.cache.clone().unwrap_or_else(|| assembly::cache_folder(settings));
    let opened = match wanted.no_cache {
        true => Ok(Shelf::in_memory(KEPT_BYTES)),
        false => Shelf::on_disk(&folder, KEPT_BYTES),
    };
    opened.unwrap_or_else(|why| {
        eprintln!("warning: vectors are not kept for the next run: {why}");
        Shelf::in_memory(KEPT_BYTES)
    })
}

pub(super) fn show(summary: &Summary) -> anyhow::Result<()> {
    for figure in &summary.figures {
        let e = figure.estimate;
        output::line(format!(
            "{:<15} {:.3}  [{:.3}, {:.3}]  n {:<5} {}",
            figure.name, e.value, e.low, e.high, e.n, figure.meaning
        ))?;
    }
    if let Some((median, p95)) = summary.total_ms {
        output::line(format!(
            "question to decision: median {median:.1} ms, 95 % below {p95:.1} ms"
        ))?;
    }
    Ok(())
}

/// Writes records into a folder as a run does.
pub(super) fn write_results(out: &Path, records: &[Record]) -> anyhow::Result<()> {
    output::file(&out.join("results.jsonl"), &result_lines(records)?)
}

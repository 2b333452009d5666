use super::{at_once, short_name, warn_of_facts, warn_of_unknown};
use crate::{
    Verdict, args, assembly, commands::ask::ensure_index, output, progress::counted,
    settings::Settings,
};
use anyhow::Context;
use evals::{About, Record, Summary, read_cases, report, summarise, try_cases};
use std::path::Path;

/// Runs cases through the whole path, and writes and shows what came of them.
pub(super) async fn run(
    settings: Settings,
    as_json: bool,
    wanted: args::EvalRun,
) -> anyhow::Result<Verdict> {
    let args::EvalRun { cases: files, out, least_act_accuracy, most_wrong_replies } = wanted;
    let gates = Gates { least_act_accuracy, most_wrong_replies };
    let cases = read_cases(&files)?;
    output::make_folder(&out)?;
    let threshold = settings.config.answers.threshold;
    let root = settings.root.clone();
    let desk = assembly::desk(settings).await?;
    ensure_index(desk.library()).await?;
    let knowledge = desk.library().knowledge()?;
    warn_of_unknown(&cases, &knowledge);
    warn_of_facts(&cases, desk.policy());
    let bar = counted("cases", cases.len() as u64);
    let trials =
        try_cases(&desk, &knowledge, &cases, at_once(), &|done| bar.set_position(done as u64))
            .await?;
    bar.finish_and_clear();
    let records: Vec<Record> =
        trials.iter().map(|trial| Record::of(trial, desk.policy())).collect();
    let summary = summarise(&records);
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    let provenance = [
        ("version", env!("CARGO_PKG_VERSION").to_string()),
        ("desk", root.display().to_string()),
        ("cases", names.join(", ")),
        ("index", knowledge.generation().to_string()),
        ("embedder", desk.library().embedder().id().to_string()),
        ("threshold", threshold.to_string()),
    ]
    .map(|(name, value)| (name.to_string(), value))
    .to_vec();
    let document = summary.to_json(&provenance);
    let about = About {
        title: format!("Eval of {}", short_name(&root)),
        generated_by: concat!("frontdesk ", env!("CARGO_PKG_VERSION")).to_string(),
        provenance,
        threshold,
    };
    write_results(&out, &records)?;
    output::file(&out.join("summary.json"), &serde_json::to_string_pretty(&document)?)?;
    let page = evals::report::render(&report(&records, &summary, about))?;
    output::file(&out.join("report.html"), &page)?;
    if as_json {
        output::json(&document)?;
    } else {
        show(&summary)?;
        output::line(format!("written: {}", out.display()))?;
    }
    gates.verdict(&summary)
}

/// Limits below or above which a run fails.
#[derive(Clone, Copy)]
struct Gates {
    least_act_accuracy: Option<f64>,
    most_wrong_replies: Option<f64>,
}

impl Gates {
    fn verdict(self, summary: &Summary) -> anyhow::Result<Verdict> {
        let value = |name: &str| summary.figure(name).map(|figure| figure.estimate.value);
        let mut verdict = Verdict::Yes;
        if let Some(least) = self.least_act_accuracy {
            let accuracy = value("act_accuracy").context("there are no cases")?;
            if accuracy < least {
                eprintln!("gate: act accuracy {accuracy:.3} is below {least}");
                verdict = Verdict::No;
            }
        }
        if let (Some(most), Some(wrong)) = (self.most_wrong_replies, value("wrong_replies"))
            && wrong > most
        {
            eprintln!("gate: {wrong:.3} of the replies are wrong, more than {most}");
            verdict = Verdict::No;
        }
        Ok(verdict)
    }
}

fn write_results(out: &Path, records: &[Record]) -> anyhow::Result<()> {
    let mut lines = String::new();
    for record in records {
        lines.push_str(&serde_json::to_string(record)?);
        lines.push('\n');
    }
    output::file(&out.join("results.jsonl"), &lines)
}

fn show(summary: &Summary) -> anyhow::Result<()> {
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

use super::ask::ensure_index;
use crate::{Verdict, args, assembly, output, progress::counted, settings::Settings};
use anyhow::Context;
use bot::Desk;
use evals::{
    About, Case, Fitted, Lesson, Retrieval, Summary, Trial, calibrate, measure_retrieval, observe,
    read_cases, report, result_line, summarise, try_cases, unknown_articles,
};
use knowledge::Knowledge;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

pub(crate) async fn run(
    settings: Settings,
    as_json: bool,
    command: args::Eval,
) -> anyhow::Result<Verdict> {
    match command {
        args::Eval::Run { cases, out, least_act_accuracy, most_wrong_replies } => {
            let gates = Gates { least_act_accuracy, most_wrong_replies };
            run_cases(settings, as_json, &cases, &out, gates).await
        }
        args::Eval::Signals { signal, utterances } => {
            super::eval_signals::run(settings, as_json, &signal, &utterances).await
        }
        args::Eval::Retrieval { cases } => retrieval(settings, as_json, &cases).await,
        args::Eval::Calibrate { cases, also, out } => {
            calibrate_on(settings, as_json, &cases, &also, &out).await
        }
    }
}

/// Limits below or above which a run fails.
#[derive(Clone, Copy)]
struct Gates {
    least_act_accuracy: Option<f64>,
    most_wrong_replies: Option<f64>,
}

/// Cases run at once: one for each core, as each keeps one busy.
fn at_once() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

async fn run_cases(
    settings: Settings,
    as_json: bool,
    files: &[PathBuf],
    out: &Path,
    gates: Gates,
) -> anyhow::Result<Verdict> {
    let cases = read_cases(files)?;
    output::make_folder(out)?;
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
    let summary = summarise(&trials);
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
    write_results(out, &trials, desk.policy())?;
    output::file(&out.join("summary.json"), &serde_json::to_string_pretty(&document)?)?;
    let page = evals::report::render(&report(&trials, &summary, about))?;
    output::file(&out.join("report.html"), &page)?;
    if as_json {
        output::json(&document)?;
    } else {
        show(&summary)?;
        output::line(format!("written: {}", out.display()))?;
    }
    gates.verdict(&summary)
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

fn write_results(out: &Path, trials: &[Trial], policy: &router::Policy) -> anyhow::Result<()> {
    let lines: String =
        trials.iter().map(|trial| format!("{}\n", result_line(trial, policy))).collect();
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

async fn retrieval(
    settings: Settings,
    as_json: bool,
    files: &[PathBuf],
) -> anyhow::Result<Verdict> {
    let cases = read_cases(files)?;
    let library = assembly::library(&settings).await?;
    ensure_index(&library).await?;
    warn_of_unknown(&cases, &library.knowledge()?);
    let bar = counted("searches", 3 * cases.len() as u64);
    let measured =
        measure_retrieval(&library, &cases, &|done| bar.set_position(done as u64)).await?;
    bar.finish_and_clear();
    if as_json {
        let ways = measured.iter().map(|way| {
            let measures = way.measures.iter().map(|(name, e)| {
                let value = json!({"value": e.value, "low": e.low, "high": e.high, "n": e.n});
                ((*name).to_string(), value)
            });
            (way.name.to_string(), Value::Object(measures.collect()))
        });
        output::json(&Value::Object(ways.collect::<Map<_, _>>()))?;
        return Ok(Verdict::Yes);
    }
    for way in &measured {
        for (name, e) in &way.measures {
            output::line(format!(
                "{:<8} {:<10} {:.3}  [{:.3}, {:.3}]  n {}",
                way.name, name, e.value, e.low, e.high, e.n
            ))?;
        }
    }
    compare(&measured)?;
    Ok(Verdict::Yes)
}

/// Says by how much both ways together are better than each alone.
fn compare(measured: &[Retrieval]) -> anyhow::Result<()> {
    let Some((fused, alone)) = measured.split_last() else { return Ok(()) };
    for other in alone {
        for measure in ["hit@1", "recall@5"] {
            let Some(difference) = fused.against(other, measure) else { continue };
            let e = difference.estimate;
            output::line(format!(
                "fused − {}: {measure} {:+.3}  [{:+.3}, {:+.3}]  p {:.3}",
                other.name, e.value, e.low, e.high, difference.p
            ))?;
        }
    }
    Ok(())
}

async fn calibrate_on(
    settings: Settings,
    as_json: bool,
    files: &[PathBuf],
    also: &[String],
    out: &Path,
) -> anyhow::Result<Verdict> {
    output::may_write(out)?;
    let mut lessons = Vec::new();
    let name = short_name(&settings.root);
    // The one that is replaced need not be usable any more.
    let mut settings = settings;
    settings.config.answers.calibration.clear();
    let desk = assembly::desk(settings).await?;
    lessons.push(lesson(&name, &desk, files).await?);
    for pair in also {
        let (root, cases) =
            pair.split_once('=').with_context(|| format!("--also takes DIR=FILE, not {pair:?}"))?;
        let mut settings = Settings::read(Path::new(root))?;
        settings.config.answers.calibration.clear();
        let other = assembly::desk(settings).await?;
        anyhow::ensure!(
            other.fitted_for() == desk.fitted_for(),
            "{root} has another embedder than the first desk; set [embedder] alike in both"
        );
        lessons.push(lesson(&short_name(Path::new(root)), &other, &[cases.into()]).await?);
    }
    let fitted = calibrate(&lessons, desk.fitted_for())?;
    output::file(out, &toml::to_string(&fitted.calibration)?)?;
    if as_json {
        output::json(&serde_json::to_value(&fitted.calibration)?)?;
    } else {
        show_fit(&fitted)?;
        output::line(format!("written: {}; set answers.calibration to use it", out.display()))?;
    }
    Ok(Verdict::Yes)
}

fn show_fit(fitted: &Fitted) -> anyhow::Result<()> {
    for (name, text) in &fitted.calibration.report {
        output::line(format!("{name}: {text}"))?;
    }
    for factor in &fitted.calibration.factors {
        output::line(format!("{:+.3}  {}", factor.weight, factor.name))?;
    }
    Ok(())
}

async fn lesson(name: &str, desk: &Desk, files: &[PathBuf]) -> anyhow::Result<Lesson> {
    let cases = read_cases(files)?;
    ensure_index(desk.library()).await?;
    warn_of_unknown(&cases, &desk.library().knowledge()?);
    let bar = counted(name, 2 * cases.len() as u64);
    let lesson =
        observe(name, desk, &cases, at_once(), &|done| bar.set_position(done as u64)).await?;
    bar.finish_and_clear();
    Ok(lesson)
}

/// Says which stated facts the rules do not know: they are left out.
fn warn_of_facts(cases: &[Case], policy: &router::Policy) {
    for fault in evals::unknown_facts(cases, policy).iter().take(5) {
        eprintln!("warning: {fault}");
    }
}

/// Says which gold articles the index does not hold: they can never be found, and count as missed.
fn warn_of_unknown(cases: &[Case], knowledge: &Knowledge) {
    let unknown = unknown_articles(cases, knowledge);
    if let Some(first) = unknown.first() {
        eprintln!(
            "warning: {} articles that cases name are not in the index, such as {first:?}; \
             check their ids and the desk",
            unknown.len()
        );
    }
}

fn short_name(root: &Path) -> String {
    let absolute = std::path::absolute(root).unwrap_or_else(|_| root.to_path_buf());
    absolute.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

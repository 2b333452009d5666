use super::{at_once, short_name, warn_of_unknown};
use crate::{
    Verdict, assembly, commands::ask::ensure_index, output, progress::counted, settings::Settings,
};
use anyhow::Context;
use bot::Desk;
use evals::{Exam, Fitted, Lesson, calibrate, observe, part, read_cases};
use std::path::{Path, PathBuf};

/// Fits the confidence to the cases of desks, and writes it.
pub(super) async fn run(
    settings: Settings,
    as_json: bool,
    files: &[PathBuf],
    also: &[String],
    out: &Path,
) -> anyhow::Result<Verdict> {
    output::may_write(out)?;
    let (mut lessons, mut exams) = (Vec::new(), Vec::new());
    let name = short_name(&settings.root);
    // The one that is replaced need not be usable any more.
    let mut settings = settings;
    settings.config.answers.calibration.clear();
    let desk = assembly::desk(settings).await?;
    let (lesson, exam) = learn(&name, &desk, files).await?;
    lessons.push(lesson);
    exams.push(exam);
    for pair in also {
        let (root, cases) =
            pair.split_once('=').with_context(|| format!("--also takes DIR=FILE, not {pair:?}"))?;
        let mut settings = Settings::read(Path::new(root))?;
        settings.config.answers.calibration.clear();
        let other = assembly::desk(settings).await?;
        anyhow::ensure!(
            other.fitted_for() == desk.fitted_for(),
            "{root} has another embedder or search than the first desk; set them alike in both"
        );
        let name = short_name(Path::new(root));
        let (lesson, exam) = learn(&name, &other, &[cases.into()]).await?;
        lessons.push(lesson);
        exams.push(exam);
    }
    let fitted = calibrate(&lessons, &exams, desk.fitted_for())?;
    output::file(out, &toml::to_string(&fitted.calibration)?)?;
    if as_json {
        let mut document = serde_json::to_value(&fitted.calibration)?;
        let figures = |found: &[(String, evals::Examination)]| serde_json::to_value(found);
        document["unseen"] = figures(&fitted.unseen)?;
        document["other_desks"] = figures(&fitted.other_desks)?;
        document["answerable"] = serde_json::to_value(&fitted.answerable)?;
        output::json(&document)?;
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
    if let Some(found) = &fitted.answerable {
        output::line(format!("fitted to whether a question can be answered: {found}"))?;
    }
    for factor in &fitted.calibration.factors {
        output::line(format!("{:+.3}  {}", factor.weight, factor.name))?;
    }
    Ok(())
}

async fn learn(name: &str, desk: &Desk, files: &[PathBuf]) -> anyhow::Result<(Lesson, Exam)> {
    let cases = read_cases(files)?;
    ensure_index(desk.library()).await?;
    warn_of_unknown(&cases, &desk.library().knowledge()?);
    let bar = counted(name, 2 * cases.len() as u64);
    let told = |done: usize| bar.set_position(done as u64);
    let material = observe(name, desk, &part(cases), at_once(), &told).await?;
    bar.finish_and_clear();
    Ok(material)
}

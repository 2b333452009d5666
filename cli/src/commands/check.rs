use super::rules;
use crate::{Verdict, assembly, known, output, settings::Settings};
use bot::config::{EmbedderKind, Fault};
use router::Severity;
use serde_json::json;
use std::path::{Path, PathBuf};

/// One thing that a person should look at.
struct Finding {
    severity: &'static str,
    file: PathBuf,
    line: Option<usize>,
    what: String,
    mend: String,
}

/// Looks at everything that a desk consists of and reports all of it, not only the first fault.
pub(crate) async fn run(desk: &Path, as_json: bool) -> anyhow::Result<Verdict> {
    let mut findings = Vec::new();
    match Settings::read(desk) {
        Err(failure) => findings.extend(of_failure(desk, &failure)),
        Ok(settings) => {
            findings.extend(articles(&settings));
            findings.extend(flaws(&settings));
            let is_remote = settings.config.embedder.kind == EmbedderKind::Remote;
            // Opening the desk proves models, generator and calibration.
            match assembly::desk(settings).await {
                Ok(opened) => {
                    if is_remote {
                        findings.extend(embedding(desk, &opened).await);
                    }
                    findings.extend(calibration(desk, &opened));
                }
                Err(failure) => findings.extend(of_failure(desk, &failure)),
            }
        }
    }
    show(&findings, as_json)?;
    let sound = findings.iter().all(|finding| finding.severity == "note");
    Ok(if sound { Verdict::Yes } else { Verdict::No })
}

/// Looks for rules that never fire, contradict each other or lead nowhere.
fn flaws(settings: &Settings) -> Vec<Finding> {
    let file = settings.root.join("routing.toml");
    let flaws = router::check(&settings.playbook.policy, known::now()).into_iter();
    let findings = flaws.map(|flaw| Finding {
        severity: if flaw.severity == Severity::Error { "error" } else { "warning" },
        line: rules::line_of(&file, &flaw),
        file: file.clone(),
        what: flaw.what,
        mend: flaw.mend,
    });
    findings.collect()
}

/// Asks a remote embedder for one small vector: without it every question would go to a person.
async fn embedding(desk: &Path, opened: &bot::Desk) -> Option<Finding> {
    let failure = opened.library().embedder().embed_query("test").await.err()?;
    Some(Finding {
        severity: "error",
        file: desk.join("frontdesk.toml"),
        line: None,
        what: format!("the embedder does not work: {:#}", anyhow::Error::from(failure)),
        mend: "mend embedder.url, embedder.model or embedder.api_key, or start the service".into(),
    })
}

/// Without a calibration every draft goes to people, which nobody wants without knowing it.
fn calibration(desk: &Path, opened: &bot::Desk) -> Option<Finding> {
    opened.calibration().is_none().then(|| Finding {
        severity: "warning",
        file: desk.join("frontdesk.toml"),
        line: None,
        what: "there is no calibration for this embedder, so the bot never replies".into(),
        mend: "fit one with `frontdesk eval calibrate` and set answers.calibration".into(),
    })
}

fn of_failure(desk: &Path, failure: &anyhow::Error) -> Vec<Finding> {
    let error = |fault: &Fault| Finding {
        severity: "error",
        file: fault.file.clone(),
        line: fault.line,
        what: fault.what.clone(),
        mend: fault.mend.clone(),
    };
    match failure.downcast_ref::<bot::Error>() {
        Some(bot::Error::Desk(faults)) => faults.iter().map(error).collect(),
        _ => {
            let text = format!("{failure:#}");
            let (what, mend) = text.rsplit_once("; ").unwrap_or((&text, "see the message"));
            let (what, mend) = (what.to_string(), mend.to_string());
            vec![Finding { severity: "error", file: desk.into(), line: None, what, mend }]
        }
    }
}

fn articles(settings: &Settings) -> Vec<Finding> {
    let config = &settings.config.articles;
    let folders: Vec<PathBuf> = config.folders.iter().map(|f| settings.root.join(f)).collect();
    let options = knowledge::ReadOptions {
        max_file_bytes: config.max_file_kb.saturating_mul(1024),
        default_locale: config.default_locale.clone(),
    };
    let folder = match knowledge::read_folders(&folders, &options) {
        Ok(folder) => folder,
        Err(failure) => {
            let file = folders.first().cloned().unwrap_or_default();
            let mend = "put articles there, or set articles.folders".into();
            return vec![Finding {
                severity: "error",
                file,
                line: None,
                what: failure.to_string(),
                mend,
            }];
        }
    };
    let skipped = folder.skipped.into_iter().map(|skipped| Finding {
        severity: "warning",
        file: skipped.path,
        line: None,
        what: format!("skipped: {}", skipped.reason),
        mend: "mend or remove the file".into(),
    });
    let notes = folder.notes.into_iter().map(|note| Finding {
        severity: "note",
        file: note.path,
        line: Some(note.line),
        what: note.what,
        mend: note.mend,
    });
    skipped.chain(notes).collect()
}

fn show(findings: &[Finding], as_json: bool) -> anyhow::Result<()> {
    if as_json {
        let rows: Vec<_> = findings
            .iter()
            .map(|f| {
                let file = f.file.display().to_string();
                json!({"severity": f.severity, "file": file, "line": f.line, "what": f.what, "mend": f.mend})
            })
            .collect();
        return output::json(&json!({ "findings": rows }));
    }
    for f in findings {
        let line = f.line.map_or(String::new(), |line| format!(":{line}"));
        output::line(format!(
            "{}: {}{line}: {}; {}",
            f.severity,
            f.file.display(),
            f.what,
            f.mend
        ))?;
    }
    if findings.is_empty() {
        output::line("all is well")?;
    }
    Ok(())
}

/// Renders a note of the article reader.
pub(crate) fn note_text(note: &knowledge::Note) -> String {
    format!("{}:{}: {}; {}", note.path.display(), note.line, note.what, note.mend)
}

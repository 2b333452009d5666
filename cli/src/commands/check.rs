use super::{rules, serve};
use crate::{Verdict, assembly, known, output, settings::Settings};
use bot::{
    Lines,
    config::{EmbedderKind, Fault},
    contradictions,
};
use router::Flaw;
use serde_json::json;
use std::path::{Path, PathBuf};

/// One thing that a person should look at.
pub(crate) struct Finding {
    /// `error`, `warning` or `note`.
    pub(crate) severity: &'static str,
    pub(crate) file: PathBuf,
    pub(crate) line: Option<usize>,
    pub(crate) what: String,
    pub(crate) mend: String,
}

/// Looks at everything that a desk consists of and reports all of it, not only the first fault.
pub(crate) async fn run(desk: &Path, as_json: bool) -> anyhow::Result<Verdict> {
    let (findings, _) = look(desk).await;
    show(&findings, as_json)?;
    let sound = findings.iter().all(|finding| finding.severity == "note");
    Ok(if sound { Verdict::Yes } else { Verdict::No })
}

/// Looks at everything that a desk consists of; returns what there is to say, and the desk where it
/// could be opened.
pub(crate) async fn look(desk: &Path) -> (Vec<Finding>, Option<bot::Desk>) {
    let (mut findings, mut open) = (Vec::new(), None);
    match Settings::read(desk) {
        Err(failure) => findings.extend(of_failure(desk, &failure)),
        Ok(settings) => {
            let file = desk.join("frontdesk.toml");
            let refused = [serve::refusal(&settings), super::log_refusal(&settings)];
            findings.extend(refused.iter().flatten().flat_map(|why| of_failure(&file, why)));
            findings.extend(articles(&settings));
            findings.extend(flaws(&settings));
            let is_remote = settings.config.embedder.kind == EmbedderKind::Remote;
            // Opening the desk proves models, generator and calibration.
            match assembly::desk(settings).await {
                Ok(opened) => {
                    if is_remote {
                        findings.extend(embedding(desk, &opened).await);
                    }
                    findings.extend(by_meaning(desk, &opened).await);
                    findings.extend(calibration(desk, &opened));
                    open = Some(opened);
                }
                Err(failure) => findings.extend(of_failure(desk, &failure)),
            }
        }
    }
    (findings, open)
}

/// Looks for rules that never fire, contradict each other or lead nowhere.
fn flaws(settings: &Settings) -> Vec<Finding> {
    let lines = &settings.playbook.lines;
    let flaws = router::check(&settings.playbook.policy, known::now()).into_iter();
    flaws.map(|flaw| of_flaw(&settings.root, lines, flaw)).collect()
}

fn of_flaw(root: &Path, lines: &Lines, flaw: Flaw) -> Finding {
    Finding {
        severity: flaw.severity.name(),
        line: rules::line_of(lines, &flaw),
        file: root.join("routing.toml"),
        what: flaw.what,
        mend: flaw.mend,
    }
}

/// Looks for topics whose examples contradict each other by their meaning.
async fn by_meaning(desk: &Path, opened: &bot::Desk) -> Vec<Finding> {
    let playbook = opened.playbook();
    match contradictions(playbook, opened.library().embedder().as_ref()).await {
        Ok(flaws) => flaws.into_iter().map(|f| of_flaw(desk, &playbook.lines, f)).collect(),
        Err(failure) => vec![Finding {
            severity: "note",
            file: desk.join("routing.toml"),
            line: None,
            what: format!(
                "left out: whether the examples of topics contradict each other by their meaning: {:#}",
                anyhow::Error::from(failure)
            ),
            mend: "mend the embedder".into(),
        }],
    }
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

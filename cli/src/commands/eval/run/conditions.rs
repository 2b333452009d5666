//! Under which conditions was it measured?

use crate::{assembly, settings::Settings};
use anyhow::Context;
use bot::{Desk, Drafter, EVIDENCE_VERSION, WRITING_RULES};
use evals::Case;
use knowledge::Knowledge;
use router::Budgets;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

/// What the files of a desk say, taken down before it is opened.
pub(super) struct Files {
    rules: String,
    topic_model: Option<String>,
    answers: Value,
    fusion: Value,
}

/// Everything that an answer depends on beside its case.
pub(super) struct Setting {
    document: Value,
    /// Digest of the whole: two runs with the same one give the same answers.
    pub(super) digest: String,
}

/// The commit that the program was built from, where the build says so.
const COMMIT: Option<&str> = option_env!("FRONTDESK_COMMIT");

impl Files {
    pub(super) fn of(settings: &Settings) -> anyhow::Result<Self> {
        let search = &settings.config.search;
        let answers = &settings.config.answers;
        Ok(Self {
            rules: digest(settings.routing.as_bytes()),
            topic_model: assembly::topic_model(settings).map(|file| of_file(&file)).transpose()?,
            answers: json!({"threshold": answers.threshold, "replies": answers.replies}),
            fusion: json!({
                "meaning": as_written(search.meaning),
                "passage_words": as_written(search.passage_words),
                "article_words": as_written(search.article_words),
            }),
        })
    }

    /// Adds what the open desk knows.
    pub(super) fn with(self, desk: &Desk, knowledge: &Knowledge) -> anyhow::Result<Setting> {
        let program = std::env::current_exe().context("the program does not know its own file")?;
        let embedder = desk.library().embedder();
        let document = json!({
            "program": {
                "version": env!("CARGO_PKG_VERSION"),
                "commit": COMMIT,
                "sha256": of_file(&program)?,
                "evidence": EVIDENCE_VERSION,
            },
            "index": {
                "generation": knowledge.generation(),
                "schema": Knowledge::schema(),
                "articles": knowledge.articles().len(),
                "passages": knowledge.passages().len(),
            },
            "embedder": {"id": embedder.id(), "dimension": embedder.dimension()},
            "drafter": drafter(desk.drafter()),
            "rules": self.rules,
            "topic_model": self.topic_model,
            "calibration": calibration(desk)?,
            "budgets": budgets(desk)?,
            "answers": self.answers,
            "fusion": self.fusion,
        });
        let digest = digest(document.to_string().as_bytes());
        Ok(Setting { document, digest })
    }
}

impl Setting {
    /// Names for reports what a reader asks first; `run.json` has all of it.
    pub(super) fn provenance(&self) -> Vec<(String, String)> {
        let text = |pointer: &str| match self.document.pointer(pointer) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Null) | None => "none".into(),
            Some(other) => other.to_string(),
        };
        let named = [
            ("version", "/program/version"),
            ("index", "/index/generation"),
            ("embedder", "/embedder/id"),
            ("commit", "/program/commit"),
            ("program", "/program/sha256"),
            ("drafter", "/drafter/kind"),
            ("generator", "/drafter/generator"),
            ("rules", "/rules"),
            ("calibration", "/calibration/sha256"),
        ];
        let named = named.map(|(name, pointer)| (name.to_string(), text(pointer)));
        named.into_iter().chain([("setting".to_string(), self.digest.clone())]).collect()
    }

    /// Puts everything into one document, with what `run` says about this run alone.
    pub(super) fn record(&self, run: &Value) -> Value {
        json!({"setting": self.document, "setting_sha256": self.digest, "run": run})
    }
}

/// Names the files of cases with their digests and how many cases each has.
pub(super) fn case_files(files: &[PathBuf], cases: &[Case]) -> anyhow::Result<Value> {
    let files = files.iter().map(|file| {
        let n_cases = cases.iter().filter(|case| case.place.0 == *file).count();
        let (name, sha256) = (file.display().to_string(), of_file(file)?);
        Ok(json!({"file": name, "sha256": sha256, "cases": n_cases}))
    });
    Ok(Value::Array(files.collect::<anyhow::Result<_>>()?))
}

/// Names what it was measured on.
pub(super) fn machine() -> Value {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    json!({"cores": cores, "os": std::env::consts::OS, "arch": std::env::consts::ARCH})
}

fn drafter(drafter: &Drafter) -> Value {
    match drafter {
        Drafter::Quotes => json!({"kind": "quotes"}),
        Drafter::Written { generator, limit_tokens, guidance } => json!({
            "kind": "written",
            "generator": generator.id(),
            "limit_tokens": limit_tokens,
            "prompt": digest(format!("{WRITING_RULES}\0{guidance}").as_bytes()),
        }),
    }
}

fn calibration(desk: &Desk) -> anyhow::Result<Value> {
    let Some(calibration) = desk.calibration() else { return Ok(Value::Null) };
    let sha256 = digest(serde_json::to_string(calibration)?.as_bytes());
    Ok(json!({"sha256": sha256, "fitted_for": calibration.fitted_for}))
}

/// Tells by a digest which error budgets are certified; null where the desk has none.
fn budgets(desk: &Desk) -> anyhow::Result<Value> {
    let budgets = desk.policy().budgets();
    if *budgets == Budgets::default() {
        return Ok(Value::Null);
    }
    Ok(json!(digest(serde_json::to_string(budgets)?.as_bytes())))
}

/// Returns a number with the digits that it is written with in settings.
fn as_written(number: f32) -> f64 {
    number.to_string().parse().unwrap_or(f64::from(number))
}

fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn of_file(path: &Path) -> anyhow::Result<String> {
    let named = || path.display().to_string();
    let mut file = File::open(path).with_context(named)?;
    let mut hash = Sha256::new();
    let mut some = vec![0; 1 << 20];
    loop {
        let n = file.read(&mut some).with_context(named)?;
        let Some(read) = some.get(..n).filter(|read| !read.is_empty()) else { break };
        hash.update(read);
    }
    Ok(hex(&hash.finalize()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

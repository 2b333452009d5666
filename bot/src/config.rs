//! Settings: compiled-in defaults, the desk's `frontdesk.toml` over them, the environment on top.

mod sections;

pub use sections::{
    Answers, Articles, DrafterKind, EmbedderConfig, EmbedderKind, GeneratorConfig, GeneratorKind,
    InboxConfig, IntercomConfig, IntercomMode, Log, MessengerConfig, ModelsConfig, RetentionConfig,
    SearchConfig, ServerConfig, TelemetryConfig, TurnsConfig, WebhooksConfig,
};

use serde::Deserialize;
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};

/// The settings file with every key, its default and what it means.
pub const DEFAULTS: &str = include_str!("config/default.toml");

/// All settings of a desk; the keys are documented in [`DEFAULTS`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where conversations are kept.
    pub store: Secret,
    /// Where `serve` is reached.
    pub server: ServerConfig,
    /// The web messenger.
    pub messenger: MessengerConfig,
    /// The teammates' pages.
    pub inbox: InboxConfig,
    /// Calls to other systems.
    pub webhooks: WebhooksConfig,
    /// The workspace of Intercom.
    pub intercom: IntercomConfig,
    /// The bot at work.
    pub turns: TurnsConfig,
    /// How long things are kept.
    pub retention: RetentionConfig,
    /// Where articles come from.
    pub articles: Articles,
    /// What turns text into vectors.
    pub embedder: EmbedderConfig,
    /// What writes, if anything does.
    pub generator: GeneratorConfig,
    /// How the two searches are weighed.
    pub search: SearchConfig,
    /// How answers are made and when they are sent.
    pub answers: Answers,
    /// Where model files are.
    pub models: ModelsConfig,
    /// What is logged.
    pub log: Log,
    /// Where traces go.
    pub telemetry: TelemetryConfig,
}

/// A key or token; never shown.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Returns the secret itself, for the wire only; `None` when it is not set.
    pub fn reveal(&self) -> Option<&str> {
        (!self.0.is_empty()).then_some(self.0.as_str())
    }

    /// Returns the file that holds the secret, where the settings name one: `file:PATH`.
    pub fn file(&self) -> Option<&Path> {
        self.0.strip_prefix("file:").map(Path::new)
    }

    /// Takes the secret out of what a file holds, without the blanks and line breaks around it.
    #[must_use]
    pub fn of_file(text: &str) -> Self {
        Self(text.trim().to_string())
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_empty() { "unset" } else { "***" })
    }
}

/// One thing that is wrong with a desk, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {what}; {mend}", file.display(), line.map_or(String::new(), |line| format!(":{line}")))]
pub struct Fault {
    /// The file, relative to the desk where it can be; or the name of an environment variable.
    pub file: PathBuf,
    /// Line of the file, counted from 1.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub mend: String,
}

impl Fault {
    /// Names what `source` found in `text`, the content of `file`.
    pub(crate) fn of_toml(file: &Path, text: &str, source: &toml::de::Error) -> Self {
        let message = source.message();
        let (what, mend) = match message.split_once(", expected ") {
            Some((what, expected)) => {
                let quoted = |text: &str| -> Vec<String> {
                    text.split('`').skip(1).step_by(2).map(str::to_string).collect()
                };
                let known = quoted(expected);
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                match quoted(what).first() {
                    Some(name) if !known.is_empty() => (what.to_string(), nearest(name, &known)),
                    _ => (what.to_string(), format!("write {expected}")),
                }
            }
            None => match message.split_once("; ") {
                Some((what, mend)) => (what.to_string(), mend.to_string()),
                None if file.ends_with("routing.toml") => {
                    (message.to_string(), "mend the line, see docs/routing.md".into())
                }
                None => (message.to_string(), "mend the line, see docs/configuration.md".into()),
            },
        };
        let line = source.span().map(|span| line_of(text, span.start));
        Self { file: file.to_path_buf(), line, what, mend }
    }
}

impl Config {
    /// Lays `desk` (path and text of the desk's file) and then `environment` (names and values of
    /// all variables) over the defaults.
    ///
    /// # Errors
    /// Every [`Fault`] in them: unknown keys with the nearest known one, values of the wrong type.
    pub fn load(
        desk: Option<(&Path, &str)>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, Vec<Fault>> {
        let mut table = defaults();
        let mut faults = Vec::new();
        let mut variables = Vec::new();
        if let Some((path, text)) = desk {
            overlay(&mut table, path, text, &mut faults);
        }
        for (name, value) in environment {
            if let Some(key) = name.strip_prefix("FRONTDESK_") {
                faults.extend(overlay_variable(&mut table, &name, key, &value));
                variables.push(name);
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let file = desk.map_or_else(|| PathBuf::from("frontdesk.toml"), |(path, _)| path.into());
        let config: Self = serde::Deserialize::deserialize(table)
            .map_err(|source: toml::de::Error| vec![Fault::of_toml(&file, "", &source)])?;
        match config.check(&file, &variables) {
            faults if faults.is_empty() => Ok(config),
            faults => Err(faults),
        }
    }

    /// Returns every secret that may stand in a file of its own, with its key.
    pub fn secrets(&mut self) -> [(&'static str, &mut Secret); 7] {
        [
            ("server.metrics_token", &mut self.server.metrics_token),
            ("messenger.identity_secret", &mut self.messenger.identity_secret),
            ("webhooks.secret", &mut self.webhooks.secret),
            ("intercom.access_token", &mut self.intercom.access_token),
            ("intercom.client_secret", &mut self.intercom.client_secret),
            ("embedder.api_key", &mut self.embedder.api_key),
            ("generator.api_key", &mut self.generator.api_key),
        ]
    }

    /// Looks at what no single value shows. A key that one of `variables` set is blamed on it.
    fn check(&self, file: &Path, variables: &[String]) -> Vec<Fault> {
        let fault = |keys: &[&str], what: &str, mend: &str| {
            let is_meant = |v: &&String| keys.iter().any(|key| variable(key) == **v);
            let file = variables.iter().find(is_meant).map_or(file, Path::new).to_path_buf();
            Fault { file, line: None, what: what.into(), mend: mend.into() }
        };
        let mut faults = self.check_models(&fault);
        if !(0.0..=1.0).contains(&self.answers.threshold) {
            let what = "answers.threshold is not a probability";
            faults.push(fault(&["answers.threshold"], what, "set it between 0 and 1"));
        }
        let weights = [self.search.meaning, self.search.passage_words, self.search.article_words];
        if weights.iter().any(|w| !w.is_finite() || *w < 0.0) || weights.iter().sum::<f32>() <= 0.0
        {
            faults.push(fault(
                &["search.meaning", "search.passage_words", "search.article_words"],
                "search weights must not be negative, nor all 0",
                "set meaning = 0.6, passage_words = 0.3, article_words = 0.1",
            ));
        }
        faults.extend(self.check_numbers(&fault));
        if self.articles.folders.is_empty() {
            let what = "articles.folders is empty";
            faults.push(fault(&["articles.folders"], what, "name at least one folder"));
        }
        faults
    }

    /// Looks at numbers of which none at all would leave nobody served.
    fn check_numbers(&self, fault: &impl Fn(&[&str], &str, &str) -> Fault) -> Vec<Fault> {
        let numbers = [
            ("messenger.limit_per_minute", self.messenger.limit_per_minute == 0, 20),
            ("inbox.session_hours", self.inbox.session_hours == 0, 12),
            ("inbox.presence_s", self.inbox.presence_s == 0, 60),
            ("turns.workers", self.turns.workers == 0, 4),
            ("turns.lease_s", self.turns.lease_s == 0, 60),
        ];
        let none = numbers.into_iter().filter(|(_, is_none, _)| *is_none);
        none.map(|(key, _, example)| {
            let mend = format!("set 1 or more, for example {example}");
            fault(&[key], &format!("{key} = 0 serves nobody"), &mend)
        })
        .collect()
    }

    fn check_models(&self, fault: &impl Fn(&[&str], &str, &str) -> Fault) -> Vec<Fault> {
        let mut faults = Vec::new();
        let remote = self.embedder.kind == EmbedderKind::Remote;
        if remote && (self.embedder.url.is_empty() || self.embedder.dimension == 0) {
            faults.push(fault(
                &["embedder.kind", "embedder.url", "embedder.dimension"],
                "a remote embedder needs embedder.url and embedder.dimension",
                "set both",
            ));
        }
        if self.generator.kind == GeneratorKind::Remote && self.generator.url.is_empty() {
            let keys = ["generator.kind", "generator.url"];
            faults.push(fault(&keys, "a remote generator needs generator.url", "set it"));
        }
        if self.generator.timeout_s == 0 {
            let what = "generator.timeout_s = 0 leaves no time to answer";
            faults.push(fault(&["generator.timeout_s"], what, "set 1 or more, for example 60"));
        }
        if self.generator.kind != GeneratorKind::None && self.generator.model.is_empty() {
            let keys = ["generator.kind", "generator.model"];
            faults.push(fault(&keys, "generator.model is empty", "name the model or its file"));
        }
        let written = self.answers.drafter == DrafterKind::Written;
        if written && self.generator.kind == GeneratorKind::None {
            faults.push(fault(
                &["answers.drafter", "generator.kind"],
                "answers.drafter = \"written\" needs a generator",
                "set generator.kind or take \"quotes\"",
            ));
        }
        faults
    }
}

/// Name of the environment variable for `table.key`.
fn variable(key: &str) -> String {
    format!("FRONTDESK_{}", key.replace('.', "_").to_uppercase())
}

fn defaults() -> toml::Table {
    // A test parses the compiled-in text; an empty table could only make later checks fail.
    DEFAULTS.parse().unwrap_or_default()
}

/// Returns the line of a byte offset, counted from 1.
pub(crate) fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}

fn overlay(table: &mut toml::Table, path: &Path, text: &str, faults: &mut Vec<Fault>) {
    let fault = |offset: Option<usize>, what: String, mend: String| Fault {
        file: path.to_path_buf(),
        line: offset.map(|offset| line_of(text, offset)),
        what,
        mend,
    };
    let parsed = match DeTable::parse(text) {
        Ok(parsed) => parsed.into_inner(),
        Err(source) => {
            let offset = source.span().map(|span| span.start);
            faults.push(fault(offset, source.message().to_string(), "mend the TOML syntax".into()));
            return;
        }
    };
    for (name, value) in &parsed {
        let known: Vec<&str> = table.keys().map(String::as_str).collect();
        let mend = nearest(name.get_ref(), &known);
        if let Some(default @ toml::Value::String(_)) = table.get_mut(name.get_ref().as_ref()) {
            let wrong = overlay_lone(default, name.get_ref(), &text[value.span()]);
            faults.extend(wrong.map(|(what, mend)| fault(Some(value.span().start), what, mend)));
            continue;
        }
        let Some(toml::Value::Table(group)) = table.get_mut(name.get_ref().as_ref()) else {
            faults.push(fault(
                Some(name.span().start),
                format!("[{}] is not known", name.get_ref()),
                mend,
            ));
            continue;
        };
        let DeValue::Table(entries) = value.get_ref() else {
            let what = format!("{} is a table, not a value", name.get_ref());
            faults.push(fault(
                Some(value.span().start),
                what,
                format!("write [{}]", name.get_ref()),
            ));
            continue;
        };
        for (key, value) in entries {
            let full = format!("{}.{}", name.get_ref(), key.get_ref());
            let known: Vec<&str> = group.keys().map(String::as_str).collect();
            let Some(default) = group.get(key.get_ref().as_ref()) else {
                let mend = nearest(key.get_ref(), &known);
                faults.push(fault(Some(key.span().start), format!("{full} is not known"), mend));
                continue;
            };
            match same_kind(default, &text[value.span()]) {
                Some(lawful) => match wrong_choice(&full, &lawful) {
                    Some((what, mend)) => faults.push(fault(Some(value.span().start), what, mend)),
                    None => drop(group.insert(key.get_ref().to_string(), lawful)),
                },
                None => {
                    let what = format!("{full} takes {}", kind_name(default));
                    let mend = format!("for example {} = {default}", key.get_ref());
                    faults.push(fault(Some(value.span().start), what, mend));
                }
            }
        }
    }
}

/// Lays a value that stands outside of every table over its default; returns what is wrong with it.
fn overlay_lone(default: &mut toml::Value, name: &str, text: &str) -> Option<(String, String)> {
    match same_kind(default, text) {
        Some(lawful) => {
            *default = lawful;
            None
        }
        None => Some((
            format!("{name} takes {}", kind_name(default)),
            format!("for example {name} = {default}"),
        )),
    }
}

fn overlay_variable(table: &mut toml::Table, name: &str, key: &str, value: &str) -> Option<Fault> {
    let fault = |what: String, mend: String| Fault { file: name.into(), line: None, what, mend };
    let mut variables = Vec::new();
    for (group, entries) in table.iter_mut() {
        if let toml::Value::String(text) = entries {
            if group.to_uppercase() == key {
                *text = value.to_string();
                return None;
            }
            variables.push(format!("FRONTDESK_{}", group.to_uppercase()));
            continue;
        }
        let Some(entries) = entries.as_table_mut() else { continue };
        for (entry, default) in entries.iter_mut() {
            let variable = format!("{}_{}", group.to_uppercase(), entry.to_uppercase());
            if variable != key {
                variables.push(format!("FRONTDESK_{variable}"));
                continue;
            }
            let quoted = toml::Value::String(value.into()).to_string();
            let lone = match default {
                toml::Value::String(_) => quoted,
                toml::Value::Array(_) if !value.trim_start().starts_with('[') => {
                    format!("[{quoted}]")
                }
                _ => value.trim().to_string(),
            };
            let Some(value) = same_kind(default, &lone) else {
                let what = format!("{group}.{entry} takes {}", kind_name(default));
                return Some(fault(what, format!("for example {name}={default}")));
            };
            if let Some((what, mend)) = wrong_choice(&format!("{group}.{entry}"), &value) {
                return Some(fault(what, mend));
            }
            *default = value;
            return None;
        }
    }
    let known: Vec<&str> = variables.iter().map(String::as_str).collect();
    Some(fault("this variable is not known".into(), nearest(name, &known)))
}

/// Parses `text` as a value of the kind that `default` has; whole numbers pass as fractions.
fn same_kind(default: &toml::Value, text: &str) -> Option<toml::Value> {
    let value = format!("v = {text}").parse::<toml::Table>().ok()?.remove("v")?;
    match (default, value) {
        (toml::Value::Float(_), toml::Value::Integer(whole)) => {
            Some(toml::Value::Float(whole as f64))
        }
        (toml::Value::Integer(_), toml::Value::Integer(whole)) if whole < 0 => None,
        (toml::Value::Array(_), toml::Value::Array(items)) => {
            items.iter().all(toml::Value::is_str).then_some(toml::Value::Array(items))
        }
        (default, value) => default.same_type(&value).then_some(value),
    }
}

/// Keys that take one of a few words.
const CHOICES: [(&str, &[&str]); 8] = [
    ("embedder.kind", &["local", "remote", "hashed"]),
    ("embedder.precision", &["exact", "fast"]),
    ("generator.kind", &["none", "local", "remote"]),
    ("answers.drafter", &["quotes", "written"]),
    ("intercom.mode", &["live", "notes", "silent"]),
    ("intercom.region", &["us", "eu", "au"]),
    ("intercom.version", &["2.14", "2.16"]),
    ("log.format", &["text", "json"]),
];

/// What `log.level` takes as a single word; another word would be the name of a module, and
/// whoever writes one alone meant a level.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

fn wrong_choice(key: &str, value: &toml::Value) -> Option<(String, String)> {
    if key == "log.level" {
        let word = value.as_str()?.trim();
        let is_filter = word.contains(['=', ',', ':', '[']);
        let is_level = LEVELS.contains(&word.to_lowercase().as_str());
        return (!is_filter && !is_level).then(|| {
            let known = LEVELS.join(", ");
            let mend = format!("take one of {known}; or a filter such as \"info,bot=debug\"");
            (format!("log.level cannot be {word:?}"), mend)
        });
    }
    let (_, choices) = CHOICES.iter().find(|(name, _)| *name == key)?;
    let word = value.as_str()?;
    (!choices.contains(&word)).then(|| {
        (format!("{key} cannot be {word:?}"), format!("take one of {}", choices.join(", ")))
    })
}

fn kind_name(value: &toml::Value) -> &'static str {
    match value {
        toml::Value::String(_) => "a text in quotes",
        toml::Value::Integer(_) => "a whole number, 0 or more",
        toml::Value::Float(_) => "a number",
        toml::Value::Boolean(_) => "true or false",
        toml::Value::Array(_) => "a list of texts",
        toml::Value::Datetime(_) | toml::Value::Table(_) => "a table",
    }
}

/// Says which of `known` is meant by `name`, or lists them.
pub(crate) fn nearest(name: &str, known: &[&str]) -> String {
    let lower = name.to_lowercase();
    let close = known
        .iter()
        .map(|candidate| {
            (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate)
        })
        .min()
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 3);
    match close {
        Some((_, candidate)) => format!("did you mean {candidate:?}?"),
        None => format!("known here: {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests;

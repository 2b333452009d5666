use super::Secret;
use models::Precision;
use serde::Deserialize;
use std::path::PathBuf;

/// `[server]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each key is documented in DEFAULTS, once")]
pub struct ServerConfig {
    pub listen: String,
    pub public_url: String,
    pub trusted_proxies: Vec<String>,
    pub metrics_token: Secret,
    pub shutdown_s: u64,
}

/// `[messenger]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each key is documented in DEFAULTS, once")]
pub struct MessengerConfig {
    pub allowed_origins: Vec<String>,
    pub identity_secret: Secret,
    pub limit_per_minute: u32,
}

/// `[inbox]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each key is documented in DEFAULTS, once")]
pub struct InboxConfig {
    pub session_hours: u32,
    pub presence_s: u32,
}

/// `[webhooks]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each key is documented in DEFAULTS, once")]
pub struct WebhooksConfig {
    pub secret: Secret,
    pub allow_private: bool,
}

/// `[intercom]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each key is documented in DEFAULTS, once")]
pub struct IntercomConfig {
    pub access_token: Secret,
    pub client_secret: Secret,
    pub admin_id: String,
    pub region: String,
    pub version: String,
    pub mode: IntercomMode,
    pub api_url: String,
    pub articles_every_h: u32,
}

/// What the bot does in Intercom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "each value is documented in DEFAULTS, once")]
pub enum IntercomMode {
    Live,
    Notes,
    Silent,
}

/// `[turns]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each key is documented in DEFAULTS, once")]
pub struct TurnsConfig {
    pub workers: usize,
    pub lease_s: u32,
    pub close_after_h: u32,
}

/// `[articles]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each key is documented in DEFAULTS, once")]
pub struct Articles {
    pub folders: Vec<PathBuf>,
    pub index: PathBuf,
    pub max_file_kb: u64,
    pub default_locale: String,
}

/// `[embedder]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each key is documented in DEFAULTS, once")]
pub struct EmbedderConfig {
    pub kind: EmbedderKind,
    pub model: String,
    pub url: String,
    pub api_key: Secret,
    pub dimension: usize,
    pub threads: usize,
    pub precision: Precision,
}

/// Implementations of the embedder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "each value is documented in DEFAULTS, once")]
pub enum EmbedderKind {
    Local,
    Remote,
    Hashed,
}

/// `[generator]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each key is documented in DEFAULTS, once")]
pub struct GeneratorConfig {
    pub kind: GeneratorKind,
    pub model: String,
    pub url: String,
    pub api_key: Secret,
    pub azure_api_version: String,
    pub timeout_s: u64,
    pub limit_tokens: usize,
}

/// Implementations of the generator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "each value is documented in DEFAULTS, once")]
pub enum GeneratorKind {
    None,
    Local,
    Remote,
}

/// `[search]`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each key is documented in DEFAULTS, once")]
pub struct SearchConfig {
    pub meaning: f32,
    pub passage_words: f32,
    pub article_words: f32,
}

/// `[answers]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each key is documented in DEFAULTS, once")]
pub struct Answers {
    pub drafter: DrafterKind,
    pub threshold: f64,
    pub replies: bool,
    pub calibration: String,
    pub budgets: String,
}

/// The two drafters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "each value is documented in DEFAULTS, once")]
pub enum DrafterKind {
    Quotes,
    Written,
}

/// `[models]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each key is documented in DEFAULTS, once")]
pub struct ModelsConfig {
    pub folder: String,
    pub source: String,
    pub hub: String,
    pub pull_missing: bool,
}

/// `[log]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each key is documented in DEFAULTS, once")]
pub struct Log {
    pub level: String,
    pub format: String,
}

/// `[telemetry]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each key is documented in DEFAULTS, once")]
pub struct TelemetryConfig {
    pub otlp_endpoint: String,
}

/// How long things are kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each key is documented in DEFAULTS, once")]
pub struct RetentionConfig {
    pub posts_days: u32,
    pub audit_days: u32,
}

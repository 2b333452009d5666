//! The sample company as a desk for tests of the built program.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Returns the sample company's folder in this repository.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/vannerly")
}

/// Returns a calibration that gives every draft the confidence of `log_odds`, so that a test does
/// not hang on how the built-in one is fitted at the moment. It fits quotes and the embedder that
/// needs no model.
pub fn calibration(log_odds: f64) -> String {
    let embedder = models::Embedder::id(&models::HashedEmbedder).to_string();
    let fitted_for = bot::fitted_for(&embedder, Default::default());
    let (schema, search) = (fitted_for.schema, fitted_for.search);
    format!(
        "intercept = {log_odds:?}\nfactors = []\nreport = {{}}\n[fitted_for]\n\
         embedder = {embedder:?}\ndrafter = \"quotes\"\nschema = {schema}\nsearch = {search:?}\n"
    )
}

/// Writes settings into a folder by which it is a desk with the sample company's articles, whose
/// every draft is sure enough to be sent, and whose turns are taken again soon after a kill.
///
/// # Panics
/// When they cannot be written.
pub fn write_settings(desk: &Path) {
    let articles = folder().join("articles").display().to_string();
    let settings = format!(
        "[articles]\nfolders = [{articles:?}]\n[answers]\ncalibration = \"calibration.toml\"\n\
         [turns]\nlease_s = 2\n"
    );
    fs::write(desk.join("calibration.toml"), calibration(6.0)).unwrap();
    fs::write(desk.join("frontdesk.toml"), settings).unwrap();
}

/// Returns a command that runs the built `program` on a desk, with no environment but what keeps it
/// from models, and nothing on stdin.
pub fn command(program: &str, desk: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("HOME", desk)
        .env("FRONTDESK_EMBEDDER_KIND", "hashed")
        .env("FRONTDESK_MODELS_PULL_MISSING", "false")
        .env("FRONTDESK_LOG_LEVEL", "off")
        .arg("--desk")
        .arg(desk)
        .stdin(Stdio::null());
    command
}

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

/// Articles whose every part tries to act in the pages that show it. Only they are about paying with
/// cowrie shells.
pub const HOSTILE_ARTICLES: [(&str, &str); 2] = [
    (
        "cowrie-shells.md",
        "---\nid: cowrie-shells\n\
         title: 'Cowrie shells <img src=x onerror=alert(1)><script>alert(2)</script>'\n\
         url: 'javascript:alert(3)'\n---\n\n\
         # Paying with cowrie shells <script>alert(4)</script>\n\n\
         To pay with cowrie shells, send the cowrie shells by mail. <img src=x onerror=alert(5)> \
         Cowrie shells are counted [by hand](javascript:alert(6)), and `<script>alert(7)</script>` \
         is no shell. We take cowrie shells &lt;img src=x onerror=alert(8)&gt; until Friday.\n",
    ),
    (
        "cowrie-prices.md",
        "---\nid: cowrie-prices\ntitle: 'Prices in cowrie shells \"><script>alert(9)</script>'\n\
         url: 'https://help.vannerly.example/\"><script>alert(10)</script>'\n---\n\n\
         # Prices in cowrie shells\n\n\
         Paying with cowrie shells costs 7 cowrie shells a month. \
         {{7*7}} <svg onload=alert(11)></svg>\n",
    ),
];

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

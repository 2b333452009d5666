use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};
use tempfile::TempDir;

/// The sample company's articles with a desk whose every draft is sure enough to be sent.
pub(crate) struct Desk {
    folder: TempDir,
    store: String,
}

impl Desk {
    /// Makes the folder; `store` is the address of a database, None a file of the desk's own.
    pub(crate) fn new(store: Option<String>) -> Self {
        // The second test finds it installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/vannerly/articles");
        let store = store.unwrap_or_else(|| {
            format!("sqlite:{}", folder.path().join(".frontdesk/frontdesk.db").display())
        });
        let embedder = models::Embedder::id(&models::HashedEmbedder).to_string();
        let calibration = format!(
            "intercept = 6.0\nfactors = []\nreport = {{}}\n[fitted_for]\nembedder = {embedder:?}\n\
             drafter = \"quotes\"\nschema = {}\n",
            bot::EVIDENCE_VERSION
        );
        let settings = format!(
            "[articles]\nfolders = [{:?}]\n[answers]\ncalibration = \"calibration.toml\"\n\
             [turns]\nlease_s = 2\n",
            sample.display().to_string()
        );
        fs::write(folder.path().join("calibration.toml"), calibration).unwrap();
        fs::write(folder.path().join("frontdesk.toml"), settings).unwrap();
        Self { folder, store }
    }

    /// Address of the database.
    pub(crate) fn store(&self) -> String {
        self.store.clone()
    }
}

/// One running server.
pub(crate) struct Node {
    child: Child,
    command: Command,
    port: u16,
}

impl Node {
    /// Starts a server at a free port and waits until it answers.
    pub(crate) async fn start(desk: &Desk) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new(env!("CARGO_BIN_EXE_frontdesk"));
        let file = desk.store.strip_prefix("sqlite:").unwrap_or(&desk.store);
        command
            .env_clear()
            .env("HOME", desk.folder.path())
            .env("FRONTDESK_EMBEDDER_KIND", "hashed")
            .env("FRONTDESK_MODELS_PULL_MISSING", "false")
            .env("FRONTDESK_STORE", file)
            .env("FRONTDESK_LOG_LEVEL", "off")
            .arg("--desk")
            .arg(desk.folder.path())
            .args(["serve", "--listen", &format!("127.0.0.1:{port}")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = command.spawn().unwrap();
        let node = Self { child, command, port };
        node.wait_until_ready().await;
        node
    }

    /// Where it is reached.
    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Kills it without a warning (SIGKILL) and starts it anew.
    pub(crate) async fn kill_and_restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = self.command.spawn().unwrap();
        self.wait_until_ready().await;
    }

    async fn wait_until_ready(&self) {
        for _ in 0..600 {
            let asked = reqwest::get(format!("{}/healthz", self.address())).await;
            if asked.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the server does not come up");
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

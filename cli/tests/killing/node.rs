use std::{
    fs,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tests::{ONE_TEAM, program::Serving, sample};

/// How long anybody waits for what must come: longer than the slowest machine takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(900);

/// The sample company's articles with a desk whose every draft is sure enough to be sent, and which
/// tells another system of every message.
pub(crate) struct Desk {
    folder: TempDir,
    store: String,
    n_nodes: usize,
    webhook: String,
}

impl Desk {
    /// Makes the folder; `store` is the address of a database, None a file of the desk's own.
    pub(crate) fn new(store: Option<String>, webhook: &str) -> Self {
        // The second test finds it installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("frontdesk.db");
        let store = store.unwrap_or_else(|| format!("sqlite:{}", file.display()));
        Self { folder, store, n_nodes: 0, webhook: webhook.to_string() }
    }

    /// Address of the database.
    pub(crate) fn store(&self) -> String {
        self.store.clone()
    }

    /// Starts a server of it, with settings, articles' index and models of its own.
    pub(crate) fn serve(&mut self) -> Serving {
        let node = self.folder.path().join(format!("node-{}", self.n_nodes));
        self.n_nodes += 1;
        fs::create_dir(&node).unwrap();
        sample::write_settings(&node);
        let file = node.join("frontdesk.toml");
        let settings = fs::read_to_string(&file).unwrap();
        fs::write(file, format!("{settings}\n[webhooks]\nallow_private = true\n")).unwrap();
        let url = &self.webhook;
        let routing = format!(
            "{ONE_TEAM}[[webhook]]\nslug = \"sink\"\nurl = \"{url}\"\nevents = [\"message.created\"]\n"
        );
        fs::write(node.join("routing.toml"), routing).unwrap();
        let mut command = sample::command(env!("CARGO_BIN_EXE_frontdesk"), &node);
        command.env("FRONTDESK_STORE", self.store());
        Serving::start(command)
    }
}

/// Waits until a server has an index of the articles: without one no turn begins, and one that is
/// killed every second never comes that far.
pub(crate) async fn ready(node: &Serving) {
    let (client, url) = (reqwest::Client::new(), format!("{}/readyz", url(node)));
    patiently("the server is never ready", async || {
        let answer = client.get(&url).send().await.ok()?;
        answer.status().is_success().then_some(())
    })
    .await;
}

/// Looks again and again until there is something to see.
pub(crate) async fn patiently<T>(else_panics: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if let Some(seen) = look().await {
            return seen;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{else_panics}");
}

/// Where a server is reached.
pub(crate) fn url(node: &Serving) -> String {
    format!("http://{}", node.address())
}

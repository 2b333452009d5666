use anyhow::Context;
use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// The built program, serving the sample desk from a folder of its own.
pub(crate) struct Server {
    desk: PathBuf,
    models: PathBuf,
    store: String,
    address: String,
    child: Option<Child>,
}

/// How long it may take to come up: the first time, all articles are embedded.
const UP: Duration = Duration::from_secs(300);

impl Server {
    /// Prepares the desk in `folder`; `store` is a database's address, None a file of the desk.
    pub(crate) fn new(
        root: &Path,
        models: &Path,
        folder: &Path,
        store: Option<String>,
    ) -> anyhow::Result<Self> {
        let sample = root.join("examples/vannerly").canonicalize()?;
        let models = models.canonicalize().with_context(|| models.display().to_string())?;
        let articles = sample.join("articles").display().to_string();
        let settings = format!("[articles]\nfolders = [{articles:?}]\n");
        fs::write(folder.join("frontdesk.toml"), settings)?;
        fs::copy(sample.join("routing.toml"), folder.join("routing.toml"))?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        Ok(Self {
            desk: folder.to_path_buf(),
            models,
            store: store.unwrap_or_else(|| folder.join("desk.db").display().to_string()),
            address: format!("http://127.0.0.1:{port}"),
            child: None,
        })
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Where the store is, as [`store::Store::open`] takes it.
    pub(crate) fn store_url(&self) -> String {
        match self.store.starts_with("postgres") {
            true => self.store.clone(),
            false => format!("sqlite:{}", self.store),
        }
    }

    /// Size of the store's file, where it is one.
    pub(crate) fn store_mb(&self) -> Option<f64> {
        fs::metadata(&self.store).ok().map(|file| file.len() as f64 / 1e6)
    }

    /// Starts it and waits until it is ready for customers.
    pub(crate) async fn start(&mut self) -> anyhow::Result<()> {
        let listen = self.address.trim_start_matches("http://").to_string();
        let mut command = self.command();
        command.args(["serve", "--listen", &listen]).stdout(Stdio::null());
        self.child = Some(command.spawn()?);
        let (start, ready) = (Instant::now(), format!("{}/readyz", self.address));
        while start.elapsed() < UP {
            if reqwest::get(&ready).await.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        anyhow::bail!("the server does not come up")
    }

    /// Has it end what it is doing, and waits for that.
    pub(crate) async fn stop(&mut self) -> anyhow::Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        let told = Command::new("kill").args(["-TERM", &child.id().to_string()]).status()?;
        anyhow::ensure!(told.success(), "the server cannot be told to stop");
        let ended = tokio::task::spawn_blocking(move || child.wait()).await??;
        anyhow::ensure!(ended.success(), "the server ended with {ended}");
        Ok(())
    }

    /// Memory that it holds, in MB (resident set size).
    pub(crate) fn memory_mb(&self) -> anyhow::Result<f64> {
        let child = self.child.as_ref().context("the server is not running")?;
        let status = fs::read_to_string(format!("/proc/{}/status", child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.trim().split(' ').next()).context("no VmRSS")?;
        Ok(kilobytes.parse::<f64>()? / 1e3)
    }

    /// Issues a token for the API.
    pub(crate) fn token(&self) -> anyhow::Result<String> {
        let mut command = self.command();
        command.args(["tokens", "add", "bench", "--scope", "conversations:read"]);
        let output = command.output()?;
        anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?.trim().to_string())
    }

    /// Asks the API for a list so often; returns the milliseconds of each.
    pub(crate) async fn listed(
        &self,
        token: &str,
        path: &str,
        times: usize,
    ) -> anyhow::Result<Vec<f64>> {
        let (client, mut took) = (reqwest::Client::new(), Vec::new());
        let url = format!("{}/api/v1/{path}", self.address);
        for _ in 0..times {
            let start = Instant::now();
            let answer = client.get(&url).bearer_auth(token).send().await?.error_for_status()?;
            let body: serde_json::Value = answer.json().await?;
            took.push(start.elapsed().as_secs_f64() * 1e3);
            let is_empty = body["items"].as_array().is_none_or(Vec::is_empty);
            anyhow::ensure!(!is_empty, "{path} found nothing");
        }
        Ok(took)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_frontdesk"));
        command
            .env("FRONTDESK_STORE", &self.store)
            .env("FRONTDESK_MODELS_FOLDER", &self.models)
            .env("FRONTDESK_MESSENGER_LIMIT_PER_MINUTE", "1000000")
            .arg("--desk")
            .arg(&self.desk)
            .stdin(Stdio::null());
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

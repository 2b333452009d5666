use crate::page::Page;
use reqwest::Client;
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use tempfile::TempDir;

/// Ends the driver and its browsers, which are of one process group, when the test's process closes
/// the pipe; it does so also when it is killed.
const SCRIPT: &str = r#"
"$1" --port=0 2>/dev/null &
cat >/dev/null
rm -rf "$2"
kill -KILL 0
"#;

/// Takes what a slow machine needs to start a browser, or to answer.
const PATIENCE: Duration = Duration::from_secs(120);

/// What somebody looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Screen {
    /// 1280 by 800 below what the browser shows of itself.
    Desktop,
    /// 390 by 844, by touch.
    Phone,
}

impl Screen {
    /// The first word of a screenshot's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Desktop => "desktop",
            Self::Phone => "phone",
        }
    }
}

/// A running ChromeDriver; it and its browsers end when this is dropped.
pub(crate) struct Driver {
    child: Child,
    address: String,
    profiles: TempDir,
    n_opened: AtomicUsize,
}

impl Driver {
    /// Starts it; None, visibly, where it is not installed.
    pub(crate) fn start() -> Option<Self> {
        // The second test finds it installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let Some(program) = installed() else {
            let what = "Chromium is not installed with its driver; scripts/setup.sh installs both";
            tests::does_without(what);
            return None;
        };
        let profiles = TempDir::with_prefix("frontdesk-browser-").unwrap();
        let mut child = Command::new("sh")
            .args(["-c", SCRIPT, "driver"])
            .arg(program)
            .arg(profiles.path())
            .env("HOME", profiles.path())
            .env("TMPDIR", profiles.path())
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = said.filter_map(|line| port_of(&line)).next().expect("ChromeDriver starts");
        let address = format!("http://127.0.0.1:{port}");
        Some(Self { child, address, profiles, n_opened: AtomicUsize::new(0) })
    }

    /// Opens a browser that knows nothing yet.
    pub(crate) async fn open(&self, screen: Screen) -> Page {
        let n = self.n_opened.fetch_add(1, Ordering::Relaxed);
        let profile = format!("--user-data-dir={}/{n}", self.profiles.path().display());
        let mut options = json!({"args": [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--disable-dev-shm-usage", "--window-size=1280,943", "--lang=en", profile,
        ]});
        if screen == Screen::Phone {
            let metrics = json!({"width": 390, "height": 844, "pixelRatio": 2, "mobile": true, "touch": true});
            options["mobileEmulation"] = json!({"deviceMetrics": metrics});
        }
        let wanted = json!({
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL"},
        });
        let client = Client::builder().timeout(PATIENCE).build().unwrap();
        let sessions = format!("{}/session", self.address);
        let body = json!({"capabilities": {"alwaysMatch": wanted}});
        let answer = client.post(&sessions).json(&body).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        let session = answer["value"]["sessionId"].as_str();
        let session =
            session.unwrap_or_else(|| panic!("no browser: {}", answer["value"]["message"]));
        Page::new(client, format!("{sessions}/{session}"), screen)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn port_of(line: &str) -> Option<u16> {
    line.strip_suffix('.')?.rsplit_once("successfully on port ")?.1.parse().ok()
}

fn installed() -> Option<PathBuf> {
    let folders =
        ["/usr/bin", "/usr/local/bin", "/usr/lib/chromium", "/snap/bin", "/opt/homebrew/bin"];
    folders.iter().map(|folder| Path::new(folder).join("chromedriver")).find(|file| file.exists())
}

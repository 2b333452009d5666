use std::{
    fs,
    io::Write,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};
use store::Store;
use tempfile::TempDir;

pub(crate) const EMAIL: &str = "lena@vannerly.example";
pub(crate) const PASSWORD: &str = "correct horse battery";

/// The sample company, served, whose every draft is sure enough to be sent, and whose people take
/// from the queue by themselves, whatever the time of day.
pub(crate) struct Desk {
    folder: TempDir,
    port: u16,
    child: Child,
}

impl Desk {
    /// Makes the folder with an account for one teammate, and starts the server at a free port.
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/vannerly");
        let routing = fs::read_to_string(sample.join("routing.toml")).unwrap();
        let routing = routing.replace("assignment = \"round_robin\"", "assignment = \"manual\"");
        let embedder = models::Embedder::id(&models::HashedEmbedder).to_string();
        let calibration = format!(
            "intercept = 6.0\nfactors = []\nreport = {{}}\n[fitted_for]\nembedder = {embedder:?}\n\
             drafter = \"quotes\"\nschema = {}\n",
            bot::EVIDENCE_VERSION
        );
        let settings = format!(
            "[articles]\nfolders = [{:?}]\n[answers]\ncalibration = \"calibration.toml\"\n\
             [turns]\nlease_s = 2\n",
            sample.join("articles").display().to_string()
        );
        for (name, text) in [
            ("routing.toml", routing),
            ("calibration.toml", calibration),
            ("frontdesk.toml", settings),
        ] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        add_teammate(folder.path());
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = serve(folder.path(), port);
        let desk = Self { folder, port, child };
        desk.wait_until_ready().await;
        desk
    }

    /// Where it is reached.
    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Kills the server without a warning (SIGKILL).
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again at the same address.
    pub(crate) async fn restart(&mut self) {
        self.child = serve(self.folder.path(), self.port);
        self.wait_until_ready().await;
    }

    pub(crate) async fn open_store(&self) -> Store {
        let file = self.folder.path().join(".frontdesk/frontdesk.db");
        Store::open(&format!("sqlite:{}", file.display())).await.unwrap()
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

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn frontdesk(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_frontdesk"));
    command
        .env_clear()
        .env("HOME", folder)
        .env("FRONTDESK_EMBEDDER_KIND", "hashed")
        .env("FRONTDESK_MODELS_PULL_MISSING", "false")
        .env("FRONTDESK_LOG_LEVEL", "off")
        .arg("--desk")
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

fn serve(folder: &Path, port: u16) -> Child {
    let listen = format!("127.0.0.1:{port}");
    frontdesk(folder).args(["serve", "--listen", &listen]).spawn().unwrap()
}

fn add_teammate(folder: &Path) {
    let mut child = frontdesk(folder)
        .args(["teammates", "add", "lena-brandt", "--name", "Lena Brandt", "--email", EMAIL])
        .args(["--role", "lead", "--password-stdin"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{PASSWORD}").unwrap();
    assert!(child.wait().unwrap().success(), "no account is made");
}

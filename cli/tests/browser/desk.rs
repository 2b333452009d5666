use std::{fs, io::Write, path::Path, process::Stdio};
use store::Store;
use tempfile::TempDir;
use tests::{program::Serving, sample};

pub(crate) const EMAIL: &str = "lena@vannerly.example";
pub(crate) const ADMIN: &str = "grace@vannerly.example";
pub(crate) const PASSWORD: &str = "correct horse battery";

/// The sample company, served, whose every draft is sure enough to be sent, and whose people take
/// from the queue by themselves, whatever the time of day.
pub(crate) struct Desk {
    serving: Serving,
    folder: TempDir,
}

impl Desk {
    /// Makes the folder with an account for one teammate, and starts the server at a free port.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        sample::write_settings(folder.path());
        let routing = fs::read_to_string(sample::folder().join("routing.toml")).unwrap();
        let routing = routing.replace("assignment = \"round_robin\"", "assignment = \"manual\"");
        fs::write(folder.path().join("routing.toml"), routing).unwrap();
        add_teammate(folder.path(), ("lena-brandt", "Lena Brandt", EMAIL), "lead");
        let serving = Serving::start(sample::command(PROGRAM, folder.path()));
        Self { serving, folder }
    }

    /// Where it is reached.
    pub(crate) fn address(&self) -> String {
        format!("http://{}", self.serving.address())
    }

    /// Makes a page of somebody's own, a file, with the line that README.md says to paste; returns
    /// its address.
    pub(crate) fn page_by_the_readme(&self) -> String {
        let readme = fs::read_to_string(sample::folder().join("../../README.md")).unwrap();
        let line = readme.lines().find(|line| line.trim_start().starts_with("<script ")).unwrap();
        assert!(line.contains("http://127.0.0.1:8080/"), "{line}");
        let line = line.replace("127.0.0.1:8080", self.serving.address());
        let page = format!("<!doctype html>\n<title>My page</title>\n<p>Hello</p>\n{line}\n");
        let file = self.folder.path().join("page.html");
        fs::write(&file, page).unwrap();
        format!("file://{}", file.display())
    }

    /// Makes an account for an admin, and a token, so that there is something to administer.
    pub(crate) fn with_admin(&self) {
        add_teammate(self.folder.path(), ("grace", "Grace Hopper", ADMIN), "admin");
        let mut command = sample::command(PROGRAM, self.folder.path());
        command.args(["tokens", "add", "crm-sync", "--scope", "customers:write"]);
        assert!(command.output().unwrap().status.success(), "no token is made");
    }

    /// Kills the server without a warning (SIGKILL).
    pub(crate) fn kill(&mut self) {
        self.serving.kill();
    }

    /// Starts it again at the same address.
    pub(crate) fn restart(&mut self) {
        self.serving.restart();
    }

    pub(crate) async fn open_store(&self) -> Store {
        let file = self.folder.path().join(".frontdesk/frontdesk.db");
        Store::open(&format!("sqlite:{}", file.display())).await.unwrap()
    }
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_frontdesk");

fn add_teammate(folder: &Path, (slug, name, email): (&str, &str, &str), role: &str) {
    let mut child = sample::command(PROGRAM, folder)
        .args(["teammates", "add", slug, "--name", name, "--email", email])
        .args(["--role", role, "--password-stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{PASSWORD}").unwrap();
    assert!(child.wait().unwrap().success(), "no account is made");
}

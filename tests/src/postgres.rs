//! A PostgreSQL server of a test's own, and a line to it that can fall silent.

mod line;

pub use line::Line;

use std::{
    fs,
    os::unix::fs::{MetadataExt, chown},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Starting takes a second or two; whoever waits longer waits for nothing.
const PATIENCE: Duration = Duration::from_secs(60);

/// Ends the server when the test's process closes the pipe, which it does also when it is killed.
const SCRIPT: &str = r#"
"$1/postgres" -D "$2/data" -k "$2" -c listen_addresses= -c fsync=off -c max_connections=200 \
    -c log_min_messages=log >"$2/log" 2>&1 &
server=$!
cat >/dev/null
kill -QUIT $server
wait $server
"#;

/// A running server that only this machine's owner of the test can reach, by a socket in a folder
/// of its own; it ends and leaves nothing behind when this is dropped.
pub struct Server {
    binaries: PathBuf,
    folder: TempDir,
    /// Who runs it, where the test is root, whom PostgreSQL refuses.
    runs_as: Option<(u32, u32)>,
    child: Mutex<Option<Child>>,
}

impl Server {
    /// Makes an empty server and starts it; None, visibly, where PostgreSQL is not installed.
    ///
    /// # Panics
    /// When it is installed and does not start.
    pub fn start() -> Option<Self> {
        let Some(binaries) = binaries() else {
            crate::does_without("PostgreSQL is not installed; scripts/setup.sh installs it");
            return None;
        };
        let folder = TempDir::with_prefix("frontdesk-postgres-").expect("a temporary folder");
        let owner = fs::metadata(folder.path()).expect("its owner").uid();
        let runs_as = (owner == 0).then(somebody);
        if let Some((user, group)) = runs_as {
            chown(folder.path(), Some(user), Some(group)).expect("root may give folders away");
        }
        let server = Self { binaries, folder, runs_as, child: Mutex::new(None) };
        let data = server.folder.path().join("data");
        let made = server
            .command("initdb")
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"])
            .args(["--locale=C", "--pgdata"])
            .arg(data)
            .output()
            .expect("initdb runs");
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        server.launch();
        Some(server)
    }

    /// Makes a new database and returns its address.
    ///
    /// # Panics
    /// When there is one of that name.
    pub fn database(&self, name: &str) -> String {
        let made = self
            .command("createdb")
            .args(["--username=postgres", "--host"])
            .arg(self.folder.path())
            .arg(name)
            .output()
            .expect("createdb runs");
        assert!(made.status.success(), "createdb: {}", String::from_utf8_lossy(&made.stderr));
        format!("postgres://postgres@localhost/{name}?host={}", self.folder.path().display())
    }

    /// Stops the server as a crash would and starts it again, with everything that was committed.
    pub fn restart(&self) {
        self.end();
        self.launch();
    }

    /// Stops the server as a crash would.
    pub fn end(&self) {
        let Some(mut child) = self.child().take() else { return };
        drop(child.stdin.take());
        let _ = child.wait();
    }

    /// Starts the server after [`Server::end`].
    ///
    /// # Panics
    /// When it does not start.
    pub fn launch(&self) {
        let log = self.folder.path().join("log");
        let _ = fs::remove_file(&log);
        let mut script = Command::new("sh");
        script.args(["-c", SCRIPT, "postgres"]).arg(&self.binaries).arg(self.folder.path());
        let child = self.as_somebody(script).stdin(Stdio::piped()).spawn().expect("sh runs");
        *self.child() = Some(child);
        let began = Instant::now();
        while !fs::read_to_string(&log).is_ok_and(|log| log.contains("ready to accept")) {
            let said = fs::read_to_string(&log).unwrap_or_default();
            assert!(began.elapsed() < PATIENCE, "PostgreSQL does not start: {said}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn child(&self) -> MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn command(&self, binary: &str) -> Command {
        self.as_somebody(Command::new(self.binaries.join(binary)))
    }

    fn as_somebody(&self, mut command: Command) -> Command {
        if let Some((user, group)) = self.runs_as {
            command.uid(user).gid(group);
        }
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// Finds the folder of the newest server's programs: Debian keeps them out of the path.
fn binaries() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = versions.map(|entry| entry.path().join("bin")).collect();
    folders.sort_by_key(|folder| number(folder));
    let others = ["/usr/bin", "/usr/local/bin", "/usr/pgsql/bin", "/opt/homebrew/bin"];
    let all = folders.into_iter().rev().chain(others.map(PathBuf::from));
    let complete = |folder: &PathBuf| {
        ["initdb", "postgres", "createdb"].iter().all(|binary| folder.join(binary).exists())
    };
    all.into_iter().find(complete)
}

fn number(folder: &Path) -> u32 {
    let version = folder.parent().and_then(Path::file_name).unwrap_or_default();
    version.to_string_lossy().parse().unwrap_or(0)
}

/// Returns user and group to run as instead of root: PostgreSQL's own, or nobody.
fn somebody() -> (u32, u32) {
    let known = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let ids = |name: &str| {
        let line = known.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2).map(str::parse);
        Some((fields.next()?.ok()?, fields.next()?.ok()?))
    };
    ids("postgres").or_else(|| ids("nobody")).expect("a user besides root")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_starts_stops_and_leaves_nothing_behind() -> std::io::Result<()> {
        let Some(server) = Server::start() else { return Ok(()) };
        let folder = server.folder.path().to_path_buf();
        let address = server.database("one");
        assert!(address.contains(&folder.display().to_string()));
        server.restart();
        server.database("two");
        let id: u32 = {
            let file = fs::read_to_string(folder.join("data/postmaster.pid"))?;
            file.lines().next().unwrap_or_default().parse().expect("a process id")
        };
        drop(server);
        assert!(!folder.exists(), "its folder stays");
        assert!(!Path::new(&format!("/proc/{id}")).exists(), "its process stays");
        Ok(())
    }
}

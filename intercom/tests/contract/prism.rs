use crate::{
    calls::{Outcome, client, every_call},
    document, skip,
};
use intercom::{ApiError, Version, wire::ExternalId};
use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// Calls whose answer Prism refuses to give, with 500, because the vendor's example breaks the
/// vendor's schema: addresses of lists within a contact are relative. A bad request is a 422.
const ITS_OWN_FAULT: [&str; 1] = ["contact"];

/// Ends the mock, which is of the same process group, when the test's process closes the pipe; it
/// does so also when it is killed.
const SCRIPT: &str = r#"
node "$1" mock "$2" -h 127.0.0.1 -p "$3" --errors 2>&1 &
cat >/dev/null
kill -KILL 0
"#;

/// The vendor's document, served by the mock that the vendor's own tests use.
struct Prism {
    child: Child,
    address: String,
}

impl Prism {
    /// Starts it on a document; None, visibly, where it is not installed.
    fn start(document: &Path) -> Option<Self> {
        let program = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("../.frontdesk/prism/node_modules/@stoplight/prism-cli/dist/index.js");
        if !program.exists() || Command::new("node").arg("--version").output().is_err() {
            skip("Prism is not installed, or node is not; scripts/setup.sh fetches Prism");
            return None;
        }
        if !document.exists() {
            skip(&format!("{} is absent", document.display()));
            return None;
        }
        // It cannot choose a port by itself; somebody else could take this one in between.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut child = Command::new("sh")
            .args(["-c", SCRIPT, "prism"])
            .args([program.as_path(), document, Path::new(&port.to_string())])
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        assert!(said.any(|line| line.contains("Prism is listening")), "Prism does not start");
        // It stops when nobody reads what it says.
        std::thread::spawn(move || said.for_each(drop));
        Some(Self { child, address: format!("http://127.0.0.1:{port}") })
    }
}

impl Drop for Prism {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Calls that name version 2.16 whatever is set, as only that tells who may read an article; the
/// mock of 2.14 knows no such version.
const ALWAYS_2_16: [&str; 3] = ["articles", "articles, page 2", "article"];

/// Prism checks addresses, headers and plain bodies, and answers with the vendor's examples. It
/// does not check the bodies of searches (its issue 2574), which the schemas here do.
async fn check(version: Version) {
    let Some(prism) = Prism::start(&document::file(version)) else { return };
    let outcomes = every_call(&client(&prism.address, version)).await;
    let is_newer = |name: &&str| version == Version::V2_14 && ALWAYS_2_16.contains(name);
    let is_good = |(name, outcome): &Outcome| match outcome {
        Err(ApiError::Invalid { status: 422, .. }) => is_newer(name),
        Ok(()) => !ITS_OWN_FAULT.contains(name) && !is_newer(name),
        Err(ApiError::Later { what, .. }) => {
            what == "Intercom: HTTP 500" && ITS_OWN_FAULT.contains(name)
        }
        Err(_) => false,
    };
    let bad: Vec<&Outcome> = outcomes.iter().filter(|outcome| !is_good(outcome)).collect();
    assert!(bad.is_empty(), "{version}: {bad:#?}");
    assert!(outcomes.len() >= 40);
    // And it is no mock that takes everything: ids of articles are numbers to it.
    let nowhere = ExternalId::parse("abc").unwrap();
    let refused = client(&prism.address, version).article(&nowhere).await;
    assert!(matches!(refused, Err(ApiError::Invalid { status: 422, .. })), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_vendors_mock_of_2_14_takes_every_call() {
    check(Version::V2_14).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_vendors_mock_of_2_16_takes_every_call() {
    check(Version::V2_16).await;
}

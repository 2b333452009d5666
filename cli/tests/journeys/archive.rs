//! From an archive to a messenger, by the lines of README.md.

use crate::{bench::repository, documents::blocks};
use serde_json::json;
use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
};
use tests::program::{LIMIT, Running};

/// Packs the program of this build into a folder; returns the archive.
fn packed(to: &Path) -> PathBuf {
    let mut command = Command::new(repository().join("scripts/release"));
    command.args(["--program", env!("CARGO_BIN_EXE_frontdesk"), "--to"]).arg(to);
    let ran = command.output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    PathBuf::from(String::from_utf8(ran.stdout).unwrap().trim())
}

/// The lines by which README.md opens an archive, and the name that they give it.
fn lines_of_the_readme() -> (String, Vec<String>) {
    let text = fs::read_to_string(repository().join("README.md")).unwrap();
    let block = blocks(&text).into_iter().find(|block| block.text.starts_with("tar -xzf "));
    let block = block.expect("README.md opens an archive");
    let lines: Vec<String> = block.text.lines().map(|line| line.trim().to_string()).collect();
    let name = lines[0].rsplit(' ').next().unwrap().to_string();
    (name, lines)
}

/// Asks a server; returns the whole answer.
fn asked(address: &str, line: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let head = "connection: close\r\ncontent-type: application/json";
    let n = body.len();
    write!(
        stream,
        "{line} HTTP/1.1\r\nhost: {address}\r\n{head}\r\ncontent-length: {n}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn an_archive_is_opened_and_serves_as_the_readme_says() {
    let folder = tempfile::tempdir().unwrap();
    let archive = packed(folder.path());
    let (named, lines) = lines_of_the_readme();
    let made = archive.file_name().unwrap().to_str().unwrap().to_string();
    let machine = named.replace("x86_64-linux-gnu.tar.gz", "");
    assert!(made.starts_with(&machine), "README.md has {named}, and {made} was made");
    let sh = |script: &str, at: &Path| {
        let ran = Command::new("sh").args(["-euc", script]).current_dir(at).output().unwrap();
        assert!(ran.status.success(), "{script}: {}", String::from_utf8_lossy(&ran.stderr));
    };
    let [unpack, enter, serve] = &lines[..] else { panic!("{lines:?}") };
    sh(&unpack.replace(&named, &made), folder.path());
    let inside = folder.path().join(made.trim_end_matches(".tar.gz"));
    let entered = enter.strip_prefix("cd ").unwrap();
    assert_eq!(entered, named.trim_end_matches(".tar.gz"));
    sh("sha256sum --check --quiet SHA256SUMS", &inside);
    for part in ["LICENSE", "THIRD-PARTY.txt", "README.txt", "deploy/frontdesk.service"] {
        assert!(inside.join(part).is_file(), "no {part}");
    }
    assert!(!inside.join("vannerly/.frontdesk").exists(), "what serving has written is in it");
    let words: Vec<&str> = serve.split(' ').collect();
    let mut command = Command::new(inside.join(words[0]));
    command.args(&words[1..]).current_dir(&inside).env_clear().env("HOME", folder.path());
    for (name, value) in [
        ("SERVER_LISTEN", "127.0.0.1:0"),
        ("EMBEDDER_KIND", "hashed"),
        ("MODELS_PULL_MISSING", "false"),
    ] {
        command.env(format!("FRONTDESK_{name}"), value);
    }
    let running = Running::start(&mut command);
    let said = running.wait_for("listening on ");
    let address = said.split("listening on ").nth(1).unwrap().split(';').next().unwrap();
    let script = asked(address, "GET /messenger.js", "");
    assert!(script.starts_with("HTTP/1.1 200 ") && script.len() > 10_000, "{script:.300}");
    let visit = asked(address, "POST /messenger/v1/visits", &json!({"locale": "en"}).to_string());
    assert!(visit.contains("\"token\""), "{visit}");
}

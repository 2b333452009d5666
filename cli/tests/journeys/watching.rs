//! `index --watch` follows edits while it runs.

use crate::bench::Bench;
use std::{
    io::{BufRead, BufReader},
    process::{Child, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

/// Longest wait for a line; a refresh takes well under a second.
const LIMIT: Duration = Duration::from_secs(60);

/// A running watch; dropping it ends the program.
struct Watch {
    child: Child,
    lines: Receiver<String>,
}

impl Watch {
    fn start(bench: &Bench) -> Self {
        let mut child = bench
            .command()
            .args(["--desk", "desk", "index", "--watch"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdout = child.stdout.take().unwrap();
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, lines }
    }

    /// Reads on until a line starts with `start`.
    fn wait_for(&self, start: &str) -> String {
        let mut seen = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(LIMIT) {
            if line.starts_with(start) {
                return line;
            }
            seen.push(line);
        }
        panic!("no line starts with {start:?} in {seen:?}");
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[test]
fn edits_new_files_and_deletions_are_followed() {
    let bench = Bench::starter();
    let watch = Watch::start(&bench);
    watch.wait_for("3 articles, ");
    bench.write("desk/articles/tea.md", "# Tea\n\nTea takes three minutes.\n");
    watch.wait_for("4 articles, ");
    bench.write("desk/articles/tea.md", "# Tea\n\nTea takes a zebra and four minutes.\n");
    watch.wait_for("4 articles, ");
    let found = bench.json(&["search", "zebra", "--mode", "words"]);
    assert_eq!(found["hits"][0]["article"], "tea.md", "{found:#}");
    std::fs::remove_file(bench.desk().join("articles/tea.md")).unwrap();
    watch.wait_for("3 articles, ");
    bench.write("desk/articles/new/cake.md", "# Cake\n\nCake takes an hour.\n");
    watch.wait_for("4 articles, ");
}

#[test]
fn a_folder_that_becomes_empty_does_not_end_the_watch() {
    let bench = Bench::starter();
    let watch = Watch::start(&bench);
    watch.wait_for("3 articles, ");
    for name in ["change-your-password", "cancel-or-change-plan", "invoices"] {
        std::fs::remove_file(bench.desk().join(format!("articles/{name}.md"))).unwrap();
    }
    bench.write("desk/articles/tea.md", "# Tea\n\nTea takes three minutes.\n");
    watch.wait_for("1 articles, ");
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_it_well() {
    let bench = Bench::starter();
    let mut watch = Watch::start(&bench);
    watch.wait_for("3 articles, ");
    // It may not listen yet; until then an interrupt would end it badly, so an edit comes first.
    bench.write("desk/articles/tea.md", "# Tea\n\nTea takes three minutes.\n");
    watch.wait_for("4 articles, ");
    let pid = watch.child.id().to_string();
    let sent = std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap();
    assert!(sent.success());
    assert_eq!(watch.child.wait().unwrap().code(), Some(0));
}

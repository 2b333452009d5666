//! `index --watch` follows edits while it runs.

use crate::bench::Bench;
use std::{
    io::{BufRead, BufReader},
    process::{Child, Stdio},
    sync::mpsc::{Receiver, Sender, channel},
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
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (send, lines) = channel();
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        forward(stdout, send.clone());
        forward(stderr, send);
        Self { child, lines }
    }

    /// Reads on until a line holds `part`.
    fn wait_for(&self, part: &str) -> String {
        let mut seen = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(LIMIT) {
            if line.contains(part) {
                return line;
            }
            seen.push(line);
        }
        panic!("no line holds {part:?} in {seen:?}");
    }
}

/// Sends the lines of an output on, until nobody wants them.
fn forward(output: impl std::io::Read + Send + 'static, send: Sender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if send.send(line).is_err() {
                break;
            }
        }
    });
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

#[test]
fn an_edit_is_not_lost_when_its_refresh_fails() {
    let bench = Bench::starter();
    let watch = Watch::start(&bench);
    watch.wait_for("3 articles, ");
    // A file where the folder of the index should be: nothing can be written.
    let (index, aside) = (bench.desk().join(".frontdesk/index"), bench.desk().join("aside"));
    std::fs::rename(&index, &aside).unwrap();
    std::fs::write(&index, "").unwrap();
    bench.write("desk/articles/tea.md", "# Tea\n\nTea takes three minutes.\n");
    watch.wait_for("the index was not refreshed");
    std::fs::remove_file(&index).unwrap();
    std::fs::rename(&aside, &index).unwrap();
    watch.wait_for("4 articles, ");
}

#[test]
fn a_folder_that_is_missing_is_named_once_with_what_to_do() {
    let bench = Bench::starter();
    let ran = bench.on_desk(&["index", "--watch", "--articles", "absent"]);
    ran.refuses(&["absent: there is nothing to watch; put articles there"]);
    assert_eq!(ran.err.matches("absent").count(), 1, "{ran:?}");
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

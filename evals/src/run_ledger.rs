//! The records of a run, written as they come, so that a run that was killed goes on where it was.

use crate::{
    case::Case,
    record::{Record, read_lines},
};
use anyhow::Context;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Read, Write},
    path::{Path, PathBuf},
};

/// The records in the folder of a run:
///
/// ```text
/// results.jsonl        a line a case in the order of the cases, once a run is complete
/// results.jsonl.part   lines in the order in which they came, while it is not
/// results.jsonl.before what a fresh run found there, until it is complete
/// .lock                held by whoever writes here
/// ```
///
/// A line is there as a whole or not at all. Which of them a run can use again, their keys say; see
/// [`case_key`].
#[derive(Debug)]
pub struct Ledger {
    results: PathBuf,
    part: File,
    lines: HashMap<String, Line>,
    /// Held until the ledger is dropped.
    _lock: File,
}

/// A record, and its line as it was written: numbers read and written again may change in their
/// last digit.
#[derive(Debug)]
struct Line {
    text: String,
    record: Record,
}

const RESULTS: &str = "results.jsonl";
const PART: &str = "results.jsonl.part";
const BEFORE: &str = "results.jsonl.before";
const LOCK: &str = ".lock";

impl Ledger {
    /// Opens the ledger in the folder `out`, which must be there, with what runs before have
    /// written; `fresh` forgets that. Half a line at the end, left by a kill, is cut off.
    ///
    /// # Errors
    /// When another run writes there, or the folder cannot be read and written.
    pub fn open(out: &Path, fresh: bool) -> anyhow::Result<Self> {
        let lock = opened(&out.join(LOCK))?;
        anyhow::ensure!(
            lock.try_lock().is_ok(),
            "another run is writing {}; wait for it, or name another folder with -o",
            out.display()
        );
        let (results, place) = (out.join(RESULTS), out.join(PART));
        let mut lines = HashMap::new();
        match fresh {
            // Or a fresh run that is killed would go on with what it was to forget.
            true => put_aside(&results)?,
            false => read(&read_if_there(&results)?, &mut lines),
        }
        let mut part = opened(&place)?;
        let mut bytes = Vec::new();
        part.read_to_end(&mut bytes).with_context(|| place.display().to_string())?;
        let n_whole = match fresh {
            true => 0,
            false => bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1),
        };
        part.set_len(n_whole as u64).with_context(|| place.display().to_string())?;
        read(bytes.get(..n_whole).unwrap_or_default(), &mut lines);
        Ok(Self { results, part, lines, _lock: lock })
    }

    /// Whether a record with this key is there.
    pub fn has(&self, key: &str) -> bool {
        self.lines.contains_key(key)
    }

    /// Writes a record down under its key. A kill of the program does not lose it any more.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&mut self, record: &Record) -> anyhow::Result<()> {
        let mut text = serde_json::to_string(record)?;
        text.push('\n');
        // In one call, so that no other line can come between.
        self.part.write_all(text.as_bytes()).context("a result cannot be written")?;
        read(text.as_bytes(), &mut self.lines);
        Ok(())
    }

    /// Writes a record down that shall not be used again, as something failed on the way: it
    /// counts in this run under the key, and has none in the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add_passing(&mut self, key: &str, record: &Record) -> anyhow::Result<()> {
        let record = Record { key: String::new(), ..record.clone() };
        let text = serde_json::to_string(&record)?;
        self.part
            .write_all(format!("{text}\n").as_bytes())
            .context("a result cannot be written")?;
        self.lines.insert(key.into(), Line { text, record });
        Ok(())
    }

    /// Writes `results.jsonl` with the records of these keys, in their order, and returns them.
    ///
    /// # Errors
    /// When a record is not there, or the file cannot be written; what came stays, then.
    pub fn finish(mut self, keys: &[String]) -> anyhow::Result<Vec<Record>> {
        let mut text = String::new();
        let mut records = Vec::with_capacity(keys.len());
        for key in keys {
            let line = self.lines.remove(key).context("a case has no result")?;
            text.push_str(&line.text);
            text.push('\n');
            records.push(line.record);
        }
        let named = || self.results.display().to_string();
        let beside = self.results.with_extension("jsonl.new");
        let mut file = File::create(&beside).with_context(named)?;
        file.write_all(text.as_bytes()).with_context(named)?;
        file.sync_all().with_context(named)?;
        fs::rename(&beside, &self.results).with_context(named)?;
        fs::remove_file(self.results.with_file_name(PART)).with_context(named)?;
        let before = self.results.with_file_name(BEFORE);
        unless_absent(fs::remove_file(&before), &before)?;
        Ok(records)
    }
}

/// Returns the digest of what the record of a case depends on: everything that the case says, and
/// `setting`, which stands for the desk that answers it. The name of its file counts, as figures are
/// told by it; where the file lies does not.
pub fn case_key(case: &Case, setting: &str) -> String {
    let said = |message: &router::Message| json!([format!("{:?}", message.author), message.text]);
    let content = json!({
        "setting": setting,
        "id": case.id,
        "messages": case.messages.iter().map(said).collect::<Value>(),
        "expect": case.expect,
        "tags": case.tags,
        "customer": case.customer,
        "channel": case.channel,
        "locale": case.locale,
        "at": case.at,
        "page": case.page,
        "facts": case.facts,
        "split": format!("{:?}", case.split),
        "meta": case.meta,
        "source": crate::retrieval::source(case),
    });
    let digest = Sha256::digest(content.to_string());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn opened(path: &Path) -> anyhow::Result<File> {
    let mut options = OpenOptions::new();
    let options = options.read(true).append(true).create(true);
    options.open(path).with_context(|| path.display().to_string())
}

fn put_aside(results: &Path) -> anyhow::Result<()> {
    unless_absent(fs::rename(results, results.with_file_name(BEFORE)), results)
}

fn unless_absent(done: std::io::Result<()>, path: &Path) -> anyhow::Result<()> {
    match done {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        done => done.with_context(|| path.display().to_string()),
    }
}

fn read_if_there(path: &Path) -> anyhow::Result<Vec<u8>> {
    match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        read => read.with_context(|| path.display().to_string()),
    }
}

/// Adds the records of a file's content by their keys; what is no record, or has no key, is left
/// out, and its case is run again.
fn read(content: &[u8], lines: &mut HashMap<String, Line>) {
    for (_, text, record) in read_lines(content) {
        let Ok(record) = record else { continue };
        if !record.key.is_empty() {
            lines.insert(record.key.clone(), Line { text: text.into(), record });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::read_cases;

    const CASE: &str = r#"{"id": "a", "messages": [{"author": "customer", "text": "How?"}], "expect": {"act": "answer", "articles": ["x"]}}"#;

    fn case(line: &str) -> Case {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cases.jsonl");
        fs::write(&file, line).unwrap();
        read_cases(&[file]).unwrap().remove(0)
    }

    fn record(id: &str, confidence: f64) -> Record {
        let line = json!({
            "id": id, "act": "reply", "confidence": confidence, "articles": [], "text": "T",
            "sources": [], "team": null, "topic": null,
            "timings_ms": {"search": 1.0, "draft": 2.0, "total": 3.0},
            "sent": true, "question": "How?",
            "expect": {"act": "answer", "articles": [], "answer": null, "topic": null, "team": null},
            "tags": [], "citations": [], "reasons": [], "evidence": {}, "trace": {},
            "key": format!("key of {id}"),
        });
        serde_json::from_value(line).unwrap()
    }

    fn keys(ids: &[&str]) -> Vec<String> {
        ids.iter().map(|id| format!("key of {id}")).collect()
    }

    #[test]
    fn records_come_in_any_order_and_end_in_that_of_the_cases() {
        let out = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(out.path(), false).unwrap();
        for id in ["c", "a", "b"] {
            ledger.add(&record(id, 0.1 + 0.2)).unwrap();
        }
        let records = ledger.finish(&keys(&["a", "b", "c"])).unwrap();
        let ids: Vec<&str> = records.iter().map(|record| record.id.as_str()).collect();
        assert_eq!(ids, ["a", "b", "c"]);
        assert!(!out.path().join(PART).exists());
        // What a complete run has written is used again, to the letter.
        let before = fs::read_to_string(out.path().join(RESULTS)).unwrap();
        let ledger = Ledger::open(out.path(), false).unwrap();
        assert!(ledger.has("key of a") && !ledger.has("key of d"));
        assert_eq!(ledger.finish(&keys(&["a", "b", "c"])).unwrap(), records);
        assert_eq!(fs::read_to_string(out.path().join(RESULTS)).unwrap(), before);
        assert!(!Ledger::open(out.path(), true).unwrap().has("key of a"), "fresh");
        let resumed = Ledger::open(out.path(), false).unwrap();
        assert!(!resumed.has("key of a"), "a fresh run that was killed goes on afresh");
    }

    #[test]
    fn what_failed_counts_in_its_run_and_is_run_again() {
        let out = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(out.path(), false).unwrap();
        ledger.add_passing("key of a", &record("a", 0.5)).unwrap();
        ledger.add(&record("b", 0.5)).unwrap();
        let records = ledger.finish(&keys(&["a", "b"])).unwrap();
        assert_eq!([records[0].id.as_str(), records[1].id.as_str()], ["a", "b"]);
        let ledger = Ledger::open(out.path(), false).unwrap();
        assert!(!ledger.has("key of a") && ledger.has("key of b"));
    }

    #[test]
    fn half_a_line_is_cut_off_and_whole_ones_are_used_again() {
        let out = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(out.path(), false).unwrap();
        for id in ["a", "b"] {
            ledger.add(&record(id, 0.5)).unwrap();
        }
        drop(ledger);
        let part = out.path().join(PART);
        let whole = fs::read(&part).unwrap();
        for n_bytes in [0, 1, whole.len() / 2, whole.len() - 1] {
            fs::write(&part, &whole[..n_bytes]).unwrap();
            let mut ledger = Ledger::open(out.path(), false).unwrap();
            for id in ["a", "b"] {
                if !ledger.has(&format!("key of {id}")) {
                    ledger.add(&record(id, 0.5)).unwrap();
                }
            }
            drop(ledger);
            let lines = fs::read_to_string(&part).unwrap();
            assert_eq!(lines.as_bytes(), whole, "cut at {n_bytes}");
        }
    }

    #[test]
    fn two_runs_do_not_write_one_folder() {
        let out = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(out.path(), false).unwrap();
        let error = Ledger::open(out.path(), false).unwrap_err().to_string();
        assert!(error.contains("another run is writing"), "{error}");
        drop(ledger);
        assert!(Ledger::open(out.path(), false).is_ok());
    }

    #[test]
    fn a_run_without_a_record_is_not_finished() {
        let out = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(out.path(), false).unwrap();
        ledger.add(&record("a", 0.5)).unwrap();
        assert!(ledger.finish(&keys(&["a", "b"])).is_err());
        assert!(!out.path().join(RESULTS).exists());
        assert!(Ledger::open(out.path(), false).unwrap().has("key of a"), "it can go on");
    }

    #[test]
    fn a_key_changes_with_whatever_the_case_says_or_the_desk_is() {
        let key = |line: &str| case_key(&case(line), "desk");
        let plain = key(CASE);
        assert_eq!(plain, key(&format!("\n{CASE}")), "its line does not matter");
        let mut renamed = case(CASE);
        renamed.place.0 = "elsewhere/other.jsonl".into();
        assert_ne!(plain, case_key(&renamed, "desk"), "figures are told by the name of the file");
        assert_ne!(plain, case_key(&case(CASE), "another desk"));
        for (from, to) in [
            ("How?", "How so?"),
            ("\"a\"", "\"b\""),
            ("\"x\"", "\"y\""),
            ("\"act\": \"answer\"", "\"act\": \"handoff\""),
            ("\"id\"", "\"locale\": \"de\", \"id\""),
            ("\"id\"", "\"customer\": {\"plan\": \"team\"}, \"id\""),
            ("\"id\"", "\"at\": \"2026-01-31T09:30:00Z\", \"id\""),
            ("\"id\"", "\"facts\": {\"message.text\": \"x\"}, \"id\""),
            ("\"id\"", "\"tags\": [\"t\"], \"id\""),
            ("[{", "[{\"author\": \"bot\", \"text\": \"Hello\"}, {"),
        ] {
            assert_ne!(plain, key(&CASE.replace(from, to)), "{from} → {to}");
        }
    }
}

use crate::record::{Record, read_lines};
use anyhow::{Context, ensure};
use serde_json::Value;
use std::{fs, path::Path};

/// What an earlier run has left in its folder.
#[derive(Debug, Clone)]
pub struct Run {
    /// The folder, as it was named.
    pub name: String,
    /// What came of its cases.
    pub records: Vec<Record>,
    /// What its figures depend on, by name; empty when nobody noted it.
    pub provenance: Vec<(String, String)>,
}

/// Reads what a run has left, and changes nothing.
///
/// # Errors
/// When the folder holds no results, or a line of them is none.
pub fn read_run(folder: &Path) -> anyhow::Result<Run> {
    let results = folder.join("results.jsonl");
    let content = fs::read(&results).with_context(|| {
        let folder = folder.display();
        format!("{folder} is no folder that `frontdesk eval run` has written to its end")
    })?;
    let records = read_lines(&content).map(|(line, _, record)| {
        record.with_context(|| format!("{}:{line} is no result", results.display()))
    });
    let records: Vec<Record> = records.collect::<Result<_, _>>()?;
    ensure!(!records.is_empty(), "{} holds no result", results.display());
    Ok(Run { name: folder.display().to_string(), records, provenance: provenance(folder) })
}

/// Reads what figures depend on; what is missing there is only not told.
fn provenance(folder: &Path) -> Vec<(String, String)> {
    let summary = fs::read(folder.join("summary.json")).unwrap_or_default();
    let summary: Value = serde_json::from_slice(&summary).unwrap_or_default();
    let named = summary.get("provenance").and_then(Value::as_object).into_iter().flatten();
    named.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_string()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{replied, wrong};

    #[test]
    fn a_run_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let records = vec![replied("a"), wrong("b")];
        let lines: Vec<String> =
            records.iter().map(|record| serde_json::to_string(record).unwrap()).collect();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("results.jsonl", &lines.join("\n"));
        assert_eq!(read_run(folder.path()).unwrap().provenance, []);
        write("summary.json", r#"{"provenance": {"version": "1", "odd": 1}}"#);
        let run = read_run(folder.path()).unwrap();
        assert_eq!((run.records, run.provenance), (records, vec![("version".into(), "1".into())]));
        write("results.jsonl", &format!("{}\n{{}}", lines[0]));
        let failure = format!("{:#}", read_run(folder.path()).unwrap_err());
        assert!(failure.contains("results.jsonl:2 is no result: missing field"), "{failure}");
        write("results.jsonl", "");
        assert!(read_run(folder.path()).unwrap_err().to_string().contains("holds no result"));
        assert!(
            read_run(&folder.path().join("absent"))
                .unwrap_err()
                .to_string()
                .contains("is no folder")
        );
    }
}

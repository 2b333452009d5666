//! `frontdesk eval part`: cases parted as `calibrate` and `budget` part them, for whoever measures by
//! other means.

use crate::{Verdict, output};
use anyhow::Context;
use evals::{Case, Split, part, read_cases};
use serde_json::{Map, Value, json};
use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

/// Writes `train.jsonl`, `val.jsonl` and `test.jsonl`, each case with its `split`.
pub(super) fn run(as_json: bool, files: &[PathBuf], out: &Path) -> anyhow::Result<Verdict> {
    output::make_folder(out)?;
    let parts = part(read_cases(files)?);
    let read = lines(files)?;
    let mut counts = Map::new();
    let parts =
        [(Split::Train, parts.learning), (Split::Val, parts.proving), (Split::Test, parts.test)];
    for (split, cases) in parts {
        let written: Vec<String> =
            cases.iter().map(|case| line(&read, case, split)).collect::<anyhow::Result<_>>()?;
        output::file(&out.join(format!("{}.jsonl", split.name())), &written.concat())?;
        counts.insert(split.name().into(), json!(cases.len()));
    }
    if as_json {
        output::json(&Value::Object(counts))?;
    } else {
        for (name, n) in &counts {
            output::line(format!("{n:>6}  {name}"))?;
        }
        output::line(format!("written: {}", out.display()))?;
    }
    Ok(Verdict::Yes)
}

/// The lines of each file.
type Lines<'a> = HashMap<&'a Path, Vec<String>>;

fn lines(files: &[PathBuf]) -> anyhow::Result<Lines<'_>> {
    let read = |path: &PathBuf| {
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        Ok::<_, anyhow::Error>(text.lines().map(str::to_string).collect())
    };
    files.iter().map(|path| Ok((path.as_path(), read(path)?))).collect()
}

/// Returns the line of a case as it was written, with its part.
fn line(lines: &Lines<'_>, case: &Case, split: Split) -> anyhow::Result<String> {
    let (path, number) = &case.place;
    let text = lines.get(path.as_path()).and_then(|lines| lines.get(number.checked_sub(1)?));
    let text = text.with_context(|| format!("{} has changed", path.display()))?;
    let mut fields: Map<String, Value> = serde_json::from_str(text.trim_start_matches('\u{FEFF}'))?;
    fields.insert("split".into(), json!(split.name()));
    Ok(format!("{}\n", Value::Object(fields)))
}

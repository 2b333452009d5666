//! `frontdesk eval import`: past conversations of other programs become cases.

use crate::{Verdict, args::EvalImport, output};
use anyhow::Context;
use evals::{
    import::{Columns, From, Imported, Left, Wanted, import},
    redact::Redactor,
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufWriter, Write},
    path::Path,
};

pub(super) fn run(as_json: bool, asked: &EvalImport) -> anyhow::Result<Verdict> {
    let out = &asked.out;
    anyhow::ensure!(
        !asked.files.iter().any(|file| is_same(file, out)),
        "{} is read here; name another file with -o",
        out.display()
    );
    let redactor = if asked.keep_personal { None } else { Some(Redactor::new()?) };
    let from = asked.from.as_deref().and_then(|asked| {
        From::NAMES.iter().find(|(name, _)| *name == asked).map(|(_, from)| *from)
    });
    let delimiter = asked.delimiter.as_deref().map(delimiter).transpose()?;
    let columns: Columns =
        named(asked.map.as_deref(), &asked.column, ("--column", "question=Subject"))?;
    let teams = named(asked.teams.as_deref(), &asked.team, ("--team", "8=billing"))?;
    let wanted = Wanted { from, columns, delimiter, teams, redactor };
    output::may_write(out)?;
    let beside = out.with_extension("part");
    let written = write(&wanted, asked, &beside);
    let imported = match written {
        Ok(imported) if imported.n_cases > 0 => {
            fs::rename(&beside, out).with_context(|| out.display().to_string())?;
            imported
        }
        other => {
            drop(fs::remove_file(&beside));
            other?
        }
    };
    show(as_json, asked, &imported)?;
    Ok(if imported.n_bad == 0 && imported.n_cases > 0 { Verdict::Yes } else { Verdict::No })
}

fn write(wanted: &Wanted, asked: &EvalImport, beside: &Path) -> anyhow::Result<Imported> {
    let file = File::create(beside).with_context(|| beside.display().to_string())?;
    let mut to = BufWriter::new(file);
    let imported = import(wanted, &asked.files, &mut to)?;
    to.flush()?;
    to.get_ref().sync_all()?;
    Ok(imported)
}

fn is_same(one: &Path, other: &Path) -> bool {
    let whole = |path: &Path| fs::canonicalize(path).ok();
    whole(one).is_some_and(|one| Some(one) == whole(other))
}

fn delimiter(written: &str) -> anyhow::Result<u8> {
    match written.as_bytes() {
        b"tab" | b"\\t" => Ok(b'\t'),
        [one] if one.is_ascii_punctuation() || *one == b'\t' => Ok(*one),
        _ => anyhow::bail!("--delimiter {written:?} is no sign; write one of , ; | or tab"),
    }
}

/// Returns a map: as the file says, and then as the pairs of the command line do.
fn named(
    file: Option<&Path>,
    pairs: &[String],
    (option, example): (&str, &str),
) -> anyhow::Result<BTreeMap<String, String>> {
    let mut map = match file {
        Some(path) => {
            let named = || path.display().to_string();
            let text = fs::read_to_string(path).with_context(named)?;
            toml::from_str(&text).with_context(named)?
        }
        None => BTreeMap::new(),
    };
    for pair in pairs {
        let (what, name) = pair
            .split_once('=')
            .with_context(|| format!("{option} {pair:?} has no =; write {example}"))?;
        map.insert(what.trim().to_string(), name.trim().to_string());
    }
    Ok(map)
}

fn show(as_json: bool, asked: &EvalImport, imported: &Imported) -> anyhow::Result<()> {
    let Imported { n_records, n_cases, left, problems, n_bad, unnamed_teams, unread_times } =
        imported;
    let file = (*n_cases > 0).then(|| asked.out.display().to_string());
    if as_json {
        let skipped: Vec<Value> = left
            .iter()
            .map(|(skip, left)| {
                let (path, line) = &left.first;
                let first = format!("{}:{line}", path.display());
                json!({"reason": skip.reason(), "n": left.n, "first": first})
            })
            .collect();
        let bad: Vec<String> = problems.iter().map(ToString::to_string).collect();
        return output::json(&json!({
            "file": file, "records": n_records, "cases": n_cases, "skipped": skipped,
            "bad": n_bad, "problems": bad, "redacted": !asked.keep_personal,
            "unnamed_teams": unnamed_teams, "unread_times": unread_times.as_ref().map_or(0, |left| left.n),
        }));
    }
    for problem in problems {
        eprintln!("{problem}");
    }
    if *n_bad > problems.len() {
        eprintln!("and {} more bad records", n_bad - problems.len());
    }
    let personal = if asked.keep_personal { "with personal data" } else { "redacted" };
    output::line(format!("{n_cases} cases, {personal}, from {n_records} records; {n_bad} bad"))?;
    for (skip, left) in left {
        let (path, line) = &left.first;
        let (n, reason) = (left.n, skip.reason());
        output::line(format!("skipped {n:>6}: {reason}; first {}:{line}", path.display()))?;
    }
    for (id, n) in unnamed_teams {
        output::line(format!("no team {n:>6}: only the id {id} is known; --team {id}=NAME"))?;
    }
    if let Some(Left { n, first: (path, line) }) = unread_times {
        let (path, form) = (path.display(), "2026-01-31 09:30");
        output::line(format!("no time {n:>6}: not written as {form}; first {path}:{line}"))?;
    }
    match file {
        Some(file) => output::line(format!("written: {file}")),
        None => output::line("nothing was written"),
    }
}

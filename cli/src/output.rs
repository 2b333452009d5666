use anyhow::Context;
use std::{
    io::{ErrorKind, IsTerminal, Write},
    path::Path,
};

/// Writes `text` and a line end to stdout.
pub(crate) fn line(text: impl std::fmt::Display) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout().lock(), "{text}")?)
}

/// Writes one JSON document to stdout.
pub(crate) fn json(document: &serde_json::Value) -> anyhow::Result<()> {
    line(serde_json::to_string_pretty(document)?)
}

/// Makes the folder for results before minutes of work, which must not end in a place that takes no
/// files.
pub(crate) fn make_folder(out: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(out).with_context(|| {
        format!("no results can be written to {}; name a folder with -o", out.display())
    })
}

/// Writes a file beside its place and moves it there, so that nobody reads half of it.
pub(crate) fn file(path: &Path, text: &str) -> anyhow::Result<()> {
    let named = || path.display().to_string();
    let beside = path.with_extension("part");
    let mut file = std::fs::File::create(&beside).with_context(named)?;
    file.write_all(text.as_bytes()).with_context(named)?;
    std::fs::rename(&beside, path).with_context(named)
}

/// Proves that [`file()`] could write a file there, and leaves everything as it was.
pub(crate) fn may_write(path: &Path) -> anyhow::Result<()> {
    anyhow::ensure!(!path.is_dir(), "{} is a folder; name a file with -o", path.display());
    let beside = path.with_extension("part");
    let was_there = beside.exists();
    let opened = std::fs::OpenOptions::new().append(true).create(true).open(&beside);
    let tried = opened.and_then(|_| if was_there { Ok(()) } else { std::fs::remove_file(&beside) });
    tried.with_context(|| {
        format!(
            "{} cannot be written; name a file in a folder that is there with -o",
            path.display()
        )
    })
}

/// Makes `text` stand out on a terminal.
pub(crate) fn strong(text: &str) -> String {
    if std::io::stdout().is_terminal() { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.into() }
}

/// Whether a command failed because nobody reads its output any more.
pub(crate) fn is_broken_pipe(failure: &anyhow::Error) -> bool {
    failure
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == ErrorKind::BrokenPipe)
}

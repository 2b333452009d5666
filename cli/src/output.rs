use std::io::{ErrorKind, IsTerminal, Write};

/// Writes `text` and a line end to stdout.
pub(crate) fn line(text: impl std::fmt::Display) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout().lock(), "{text}")?)
}

/// Writes one JSON document to stdout.
pub(crate) fn json(document: &serde_json::Value) -> anyhow::Result<()> {
    line(serde_json::to_string_pretty(document)?)
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

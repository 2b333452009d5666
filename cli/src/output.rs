use anyhow::Context;
use std::{
    io::{ErrorKind, IsTerminal, Write},
    path::{Path, PathBuf},
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

/// Writes a file beside its place and moves it there, so that nobody reads half of it. Who may read
/// it stays as it was, and what a link leads to is replaced, not the link.
pub(crate) fn file(path: &Path, text: &str) -> anyhow::Result<()> {
    let named = || path.display().to_string();
    let place = place(path);
    let beside = place.with_extension("part");
    // Somebody else's rights on what a stopped run left would become those of the file.
    drop(std::fs::remove_file(&beside));
    let mut file = std::fs::File::create_new(&beside).with_context(named)?;
    if let Ok(before) = std::fs::metadata(&place) {
        file.set_permissions(before.permissions()).with_context(named)?;
    }
    file.write_all(text.as_bytes()).with_context(named)?;
    std::fs::rename(&beside, &place).with_context(named)
}

/// Returns where a file lies that links may lead to.
fn place(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

/// Proves that [`file()`] could write a file there, and leaves everything as it was.
pub(crate) fn may_write(path: &Path) -> anyhow::Result<()> {
    anyhow::ensure!(!path.is_dir(), "{} is a folder; name a file with -o", path.display());
    let beside = place(path).with_extension("part");
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::{
        fs,
        os::unix::fs::{PermissionsExt, symlink},
    };

    #[test]
    fn a_protected_file_stays_protected_and_a_link_a_link() {
        let home = tempfile::tempdir().unwrap();
        let (real, link) = (home.path().join("real.toml"), home.path().join("link.toml"));
        fs::write(&real, "old").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o600)).unwrap();
        symlink(&real, &link).unwrap();
        file(&link, "new").unwrap();
        assert_eq!(fs::read_to_string(&real).unwrap(), "new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        let mode = fs::metadata(&real).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let fresh = home.path().join("fresh.json");
        file(&fresh, "x").unwrap();
        assert_eq!(fs::read_to_string(&fresh).unwrap(), "x");
    }
}

//! How a file arrives: written beside its place, proved, made durable, then moved into place.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::{Progress, Setback, unwritable};
use crate::catalogue::{Condition, ModelFile, hexadecimal};

/// Returns the path beside `target` that ends with `suffix`, and sees that its folder is there.
pub(super) fn beside(target: &Path, suffix: &str) -> Result<PathBuf, Setback> {
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent).map_err(|error| here(parent, &error))?;
    }
    let mut path = OsString::from(target);
    path.push(suffix);
    Ok(path.into())
}

/// Copies `reader` into the place of `file` below `folder`, if it holds the right bytes.
pub(super) fn copy(
    reader: &mut dyn Read,
    file: &ModelFile,
    folder: &Path,
    progress: &dyn Progress,
) -> Result<(), Setback> {
    let target = folder.join(&file.path);
    let fresh = beside(&target, ".new")?;
    progress.begin(&file.path, file.size);
    let written = write(reader, file, &fresh, progress);
    progress.done();
    let kept = written.and_then(|sum| match sum == file.sha256 {
        true => rename(&fresh, &target),
        false => Err(unlike(file, &format!("sha256 {}", file.sha256), &format!("sha256 {sum}"))),
    });
    if kept.is_err() {
        fs::remove_file(&fresh).ok();
    }
    kept
}

/// Moves the finished download `part` into the place of `file` below `folder`, if it holds the
/// right bytes; removes it if not.
pub(super) fn settle(part: &Path, file: &ModelFile, folder: &Path) -> Result<(), Setback> {
    let (expected, got) = match file.condition(part) {
        Condition::Ok => {
            // Writable, because Windows flushes no other.
            let durable = OpenOptions::new().write(true).open(part).and_then(|f| f.sync_all());
            durable.map_err(|error| here(part, &error))?;
            return rename(part, &folder.join(&file.path));
        }
        Condition::Missing => (format!("{} bytes", file.size), "nothing".into()),
        Condition::Wrong { expected, got } => (expected, got),
    };
    fs::remove_file(part).ok();
    Err(unlike(file, &expected, &got))
}

/// Reads at most one byte more than the file should have, so that no source can fill the disk.
fn write(
    reader: &mut dyn Read,
    file: &ModelFile,
    fresh: &Path,
    progress: &dyn Progress,
) -> Result<String, Setback> {
    let mut out = File::create(fresh).map_err(|error| here(fresh, &error))?;
    let mut limited = reader.take(file.size.saturating_add(1));
    let (mut digest, mut size) = (Sha256::new(), 0_u64);
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let n_read = match limited.read(&mut buffer) {
            Ok(n_read) => n_read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Setback::Source(format!("{}: {error}", file.path))),
        };
        let Some(read) = buffer.get(..n_read).filter(|read| !read.is_empty()) else { break };
        digest.update(read);
        out.write_all(read).map_err(|error| here(fresh, &error))?;
        size += n_read as u64;
        progress.advance(n_read as u64);
    }
    if size != file.size {
        let more = if size > file.size { "more" } else { &format!("{size} bytes") };
        return Err(unlike(file, &format!("{} bytes", file.size), more));
    }
    out.sync_all().map_err(|error| here(fresh, &error))?;
    Ok(hexadecimal(&digest.finalize()))
}

fn rename(from: &Path, to: &Path) -> Result<(), Setback> {
    fs::rename(from, to).map_err(|error| here(to, &error))
}

/// Says that a source gave another file than the catalogue lists, and that it was not kept.
pub(super) fn unlike(file: &ModelFile, expected: &str, got: &str) -> Setback {
    Setback::Source(format!("{} is refused: expected {expected}, got {got}", file.path))
}

/// Says that this machine cannot write `path`.
pub(super) fn here(path: &Path, error: &io::Error) -> Setback {
    Setback::Here(unwritable(path, error))
}

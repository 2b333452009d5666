//! Files that are on this machine already.
//!
//! They are copied, not linked: a linked file would change under a running desk, which maps it
//! into memory, whenever its other owner writes it.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use super::{Errand, Progress, Setback, arrival, wheel};
use crate::catalogue::{Entry, ModelFile};

/// Takes from `source` every wanted file that it has.
pub(super) async fn fetch(
    source: &Path,
    errand: &Errand<'_>,
    wanted: &mut Vec<ModelFile>,
) -> Result<(), Setback> {
    if !source.is_dir() {
        return Err(Setback::Source("there is no such folder".into()));
    }
    let (source, entry) = (source.to_owned(), errand.entry.clone());
    let (folder, mut files) = (errand.folder.clone(), wanted.clone());
    let (left, outcome) = errand
        .off_thread(move |progress| {
            let outcome = collect(&source, &entry, &folder, &mut files, progress);
            (files, outcome)
        })
        .await?;
    *wanted = left;
    outcome
}

fn collect(
    source: &Path,
    entry: &Entry,
    folder: &Path,
    wanted: &mut Vec<ModelFile>,
    progress: &dyn Progress,
) -> Result<(), Setback> {
    let (mut reasons, mut absent) = (Vec::new(), Vec::new());
    for file in std::mem::take(wanted) {
        match find(source, entry, &file, &|from| take(from, &file, folder, progress)) {
            Ok(true) => continue,
            Ok(false) => absent.push(file.path.clone()),
            Err(Setback::Source(reason)) => reasons.push(reason),
            Err(here) => return Err(here),
        }
        wanted.push(file);
    }
    let carried = entry.wheel.as_ref().and_then(|wheel| Some((wheel::find(source, wheel)?, wheel)));
    if let Some((path, wheel)) = carried.filter(|_| !wanted.is_empty()) {
        return wheel::unpack(&path, wheel, folder, wanted, progress);
    }
    if let Some(first) = absent.first() {
        let more = absent.len() - 1;
        let others = if more == 0 { String::new() } else { format!(" and {more} more files") };
        reasons.push(format!("it lacks {first}{others}"));
    }
    if reasons.is_empty() { Ok(()) } else { Err(Setback::Source(reasons.join("; "))) }
}

/// Offers each file that could be the wanted one to `take`. `false` when there is none.
fn find(
    source: &Path,
    entry: &Entry,
    file: &ModelFile,
    take: &dyn Fn(&Path) -> Result<(), Setback>,
) -> Result<bool, Setback> {
    let mut outcome = Ok(false);
    for path in places(source, entry, file).iter().filter(|path| path.is_file()) {
        match take(path) {
            Ok(()) => return Ok(true),
            Err(Setback::Source(reason)) => outcome = Err(Setback::Source(reason)),
            Err(here) => return Err(here),
        }
    }
    outcome
}

fn places(source: &Path, entry: &Entry, file: &ModelFile) -> Vec<PathBuf> {
    let mut places = vec![entry.folder(source).join(&file.path), source.join(&file.path)];
    if let Some(hub) = &entry.hub {
        let repo = format!("models--{}", hub.repo.replace('/', "--"));
        places.push(source.join(repo).join("snapshots").join(&hub.revision).join(&file.path));
    }
    places
}

fn take(
    from: &Path,
    file: &ModelFile,
    folder: &Path,
    progress: &dyn Progress,
) -> Result<(), Setback> {
    let unreadable = |error| Setback::Source(format!("{}: {error}", file.path));
    let size = fs::metadata(from).map_err(unreadable)?.len();
    if size != file.size {
        let (expected, got) = (format!("{} bytes", file.size), format!("{size} bytes"));
        return Err(arrival::unlike(file, &expected, &got));
    }
    arrival::copy(&mut File::open(from).map_err(unreadable)?, file, folder, progress)
}

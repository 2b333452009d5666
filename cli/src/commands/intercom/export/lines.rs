use anyhow::Context;
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs::{File, OpenOptions},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

/// Lines of a file, each there as a whole or not at all. One process at a time has them.
pub(super) struct Lines {
    file: File,
    path: PathBuf,
    /// How many were added.
    pub(super) n_added: usize,
}

impl Lines {
    /// Opens a file, for this process alone.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let named = || path.display().to_string();
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .with_context(named)?;
        // Another one that has just come to its end has moved the file away.
        anyhow::ensure!(
            file.try_lock().is_ok() && is_at(&file, path),
            "another export is writing {}; wait for it, or name another folder with -o",
            path.display()
        );
        Ok(Self { file, path: path.to_path_buf(), n_added: 0 })
    }

    /// Takes what is there away.
    pub(super) fn empty(&mut self) -> anyhow::Result<()> {
        self.cut(0)
    }

    /// Returns the ids of the cases that are there. Half a line at the end, left by a kill, is cut
    /// off.
    pub(super) fn known(&mut self) -> anyhow::Result<BTreeSet<String>> {
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(0)).and_then(|_| self.file.read_to_end(&mut bytes))?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        self.cut(whole)?;
        let lines = bytes.get(..whole).unwrap_or_default().split(|byte| *byte == b'\n');
        let ids = lines.filter_map(|line| {
            let line: Value = serde_json::from_slice(line).ok()?;
            Some(line.get("id")?.as_str()?.to_string())
        });
        Ok(ids.collect())
    }

    pub(super) fn add(&mut self, line: &Value) -> anyhow::Result<()> {
        self.file.write_all(format!("{line}\n").as_bytes())?;
        self.n_added += 1;
        Ok(())
    }

    /// Gives the file its name; None: it is removed.
    pub(super) fn finish(self, name: Option<&Path>) -> anyhow::Result<()> {
        self.file.sync_all()?;
        match name {
            Some(name) => std::fs::rename(&self.path, name),
            None => std::fs::remove_file(&self.path),
        }
        .with_context(|| self.path.display().to_string())
    }

    fn cut(&mut self, bytes: usize) -> anyhow::Result<()> {
        let named = || self.path.display().to_string();
        self.file.set_len(bytes as u64).with_context(named)?;
        self.file.seek(SeekFrom::End(0)).with_context(named)?;
        Ok(())
    }
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let place = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    let (here, there) = (file.metadata().map(place), std::fs::metadata(path).map(place));
    matches!((here, there), (Ok(here), Ok(there)) if here == there)
}

#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::fs;

    #[test]
    fn half_a_line_is_cut_off_and_whole_ones_are_known() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("x.part");
        fs::write(&path, "{\"id\":\"intercom-1\"}\n{\"id\":\"intercom-2\"}\n{\"id\":\"inter")
            .unwrap();
        let mut lines = Lines::open(&path).unwrap();
        let done = lines.known().unwrap();
        assert_eq!(done.into_iter().collect::<Vec<_>>(), ["intercom-1", "intercom-2"]);
        lines.add(&json!({"id": "intercom-3"})).unwrap();
        drop(lines);
        let mut lines = Lines::open(&path).unwrap();
        assert_eq!(lines.known().unwrap().len(), 3);
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 3);
        lines.empty().unwrap();
        lines.add(&json!({"id": "intercom-4"})).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\"id\":\"intercom-4\"}\n");
    }

    #[test]
    fn a_second_process_is_refused_and_takes_nothing_away() {
        let home = tempfile::tempdir().unwrap();
        let (path, whole) = (home.path().join("x.part"), home.path().join("x"));
        let mut first = Lines::open(&path).unwrap();
        first.add(&json!({"id": "1"})).unwrap();
        let refused = Lines::open(&path).err().unwrap();
        assert!(refused.to_string().contains("another export is writing"), "{refused:#}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\"id\":\"1\"}\n");
        let late = File::open(&path).unwrap();
        first.finish(Some(&whole)).unwrap();
        assert!(!is_at(&late, &path), "what has its name by now is not written over");
    }
}

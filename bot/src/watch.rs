use crate::{Error, config::Fault};
use notify::{RecursiveMode, Watcher};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::sync::mpsc;

/// Watches folders or files; dropping it ends the watch.
pub struct Watch {
    _watcher: notify::RecommendedWatcher,
    changes: mpsc::Receiver<()>,
}

impl Watch {
    /// Watches everything below `folders`.
    ///
    /// # Errors
    /// [`Error::Desk`] when a folder is not there, [`Error::File`] when it cannot be watched.
    pub fn folders(folders: &[PathBuf]) -> Result<Self, Error> {
        Self::over(folders, RecursiveMode::Recursive, |_| true)
    }

    /// Watches the files of a folder that have one of `names`, whether they exist or not. What
    /// replaces them is seen too: editors write another file and rename it, and mounted
    /// configuration changes by a link whose name begins with two dots.
    ///
    /// # Errors
    /// [`Error::Desk`] when the folder is not there, [`Error::File`] when it cannot be watched.
    pub fn files(folder: &Path, names: &[&str]) -> Result<Self, Error> {
        let names: Vec<OsString> = names.iter().map(OsString::from).collect();
        let is_meant = move |path: &Path| {
            path.file_name().is_some_and(|name| {
                names.iter().any(|known| known == name) || name.to_string_lossy().starts_with("..")
            })
        };
        Self::over(&[folder.to_path_buf()], RecursiveMode::NonRecursive, is_meant)
    }

    fn over(
        folders: &[PathBuf],
        mode: RecursiveMode,
        is_meant: impl Fn(&Path) -> bool + Send + 'static,
    ) -> Result<Self, Error> {
        let failed = |path: &Path, source: notify::Error| Error::File {
            path: path.to_path_buf(),
            source: std::io::Error::other(source),
        };
        // One waiting signal is enough: it stands for all changes since the last look.
        let (signal, changes) = mpsc::channel(1);
        let report = move |event: notify::Result<notify::Event>| {
            let changed = |event: notify::Event| {
                !event.kind.is_access() && event.paths.iter().any(|path| is_meant(path))
            };
            if event.is_ok_and(changed) {
                // Full means that a signal waits already, closed that nobody waits.
                signal.try_send(()).unwrap_or(());
            }
        };
        let first = folders.first().map(PathBuf::as_path).unwrap_or(Path::new("."));
        let mut watcher =
            notify::recommended_watcher(report).map_err(|source| failed(first, source))?;
        for folder in folders {
            if !folder.exists() {
                let what = "there is nothing to watch".into();
                let mend = "put articles there, or set articles.folders".into();
                let fault = Fault { file: folder.clone(), line: None, what, mend };
                return Err(Error::Desk(vec![fault]));
            }
            watcher.watch(folder, mode).map_err(|source| failed(folder, source))?;
        }
        Ok(Self { _watcher: watcher, changes })
    }

    /// Waits for a change and for the quiet after it, so that a burst of saves is one change.
    pub async fn changed(&mut self) {
        const QUIET: Duration = Duration::from_millis(300);
        if self.changes.recv().await.is_none() {
            // The watcher lives as long as `self`, so this cannot happen; waiting is harmless.
            std::future::pending::<()>().await;
        }
        while tokio::time::timeout(QUIET, self.changes.recv()).await.is_ok_and(|c| c.is_some()) {}
    }
}

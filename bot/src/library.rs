mod edited;

pub use edited::Edited;

use crate::{Error, Question, Watch};
use knowledge::{
    EmbedderSpec, Findings, Fusion, Knowledge, Mode, ReadOptions, Reader, Skipped, Update,
};
use models::Embedder;
use std::{
    path::PathBuf,
    sync::{Arc, RwLock},
};

/// The articles of a desk: kept in step with their folders, searched for passages.
pub struct Library {
    place: PathBuf,
    folders: Vec<PathBuf>,
    options: ReadOptions,
    embedder: Arc<dyn Embedder>,
    fusion: Fusion,
    open: RwLock<Option<Knowledge>>,
}

/// What [`Library::refresh`] did.
#[derive(Debug)]
pub struct Refreshed {
    /// Articles in the index now.
    pub articles: usize,
    /// Passages in the index now.
    pub passages: usize,
    /// Passages that were embedded anew.
    pub embedded: usize,
    /// Files that could not be indexed.
    pub skipped: Vec<Skipped>,
    /// Oddities that did not keep a file from being indexed.
    pub notes: Vec<knowledge::Note>,
    /// What was wrong with the index before, when it had to be rebuilt.
    pub recovered: Option<String>,
}

/// What was found for a question, with the index in which it was found.
pub struct Found {
    /// The hits, best first.
    pub findings: Findings,
    /// The index that the hits point into.
    pub knowledge: Knowledge,
    /// The question's direction in meaning space; `None` when only words were searched.
    pub vector: Option<models::Embedding>,
}

impl Found {
    /// Returns the ids of the articles of the hits, each once, best first.
    pub fn articles(&self) -> Vec<String> {
        let mut numbers: Vec<usize> = Vec::new();
        for hit in &self.findings.hits {
            if !numbers.contains(&hit.article) {
                numbers.push(hit.article);
            }
        }
        let articles = self.knowledge.articles();
        numbers.iter().filter_map(|n| articles.get(*n)).map(|article| article.id.clone()).collect()
    }
}

/// How a search is made.
#[derive(Clone, Copy)]
pub struct Lookup<'a> {
    /// What was asked.
    pub question: &'a Question,
    /// Who asks: restricts what may be found.
    pub reader: &'a Reader,
    /// By words, by meaning, or both.
    pub mode: Mode,
    /// Most passages to return.
    pub top: usize,
    /// Articles to leave out, by their number in the index: for "what if it were not there".
    pub without: &'a [usize],
}

/// Texts embedded between two reports of progress.
const TEXTS_PER_STEP: usize = 128;

/// Attempts to get at the index while another process writes it, a tenth of a second apart: ten
/// minutes, in which a large help centre is embedded for the first time.
const LOCK_ATTEMPTS: u32 = 6_000;

impl Library {
    /// Names the parts; reads nothing yet. `place` is the folder of the index.
    pub fn new(
        place: PathBuf,
        folders: Vec<PathBuf>,
        options: ReadOptions,
        embedder: Arc<dyn Embedder>,
        fusion: Fusion,
    ) -> Self {
        Self { place, folders, options, embedder, fusion, open: RwLock::new(None) }
    }

    /// Returns the embedder that passages and questions share.
    pub fn embedder(&self) -> &Arc<dyn Embedder> {
        &self.embedder
    }

    /// Returns the weights of its search.
    pub fn fusion(&self) -> Fusion {
        self.fusion
    }

    /// Returns the index as it is now, opening it first if need be.
    ///
    /// # Errors
    /// [`Error::Index`] when there is none, it is broken, or belongs to another embedder.
    pub fn knowledge(&self) -> Result<Knowledge, Error> {
        if let Some(open) = self.open.read().ok().and_then(|open| open.clone()) {
            return Ok(open);
        }
        let opened = Knowledge::open(&self.place, &self.spec())?;
        self.keep(&opened);
        Ok(opened)
    }

    /// Brings the index in step with the folders. Only passages that changed are embedded; readers
    /// see the old index until the new one is complete. `progress` hears (done, all) passages.
    /// Waits up to ten minutes for another process that updates the index.
    ///
    /// # Errors
    /// [`Error::Index`] when no article is found or the disk fails, [`Error::Model`] when the
    /// embedder does; the old index stays in either case.
    pub async fn refresh(
        &self,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Refreshed, Error> {
        let (folders, options) = (self.folders.clone(), self.options.clone());
        let (place, spec) = (self.place.clone(), self.spec());
        let (update, skipped, notes) = off_thread(move || {
            let (mut skipped, mut notes) = (Vec::new(), Vec::new());
            let update = Update::plan_when_free(&place, &spec, LOCK_ATTEMPTS, || {
                let mut folder = knowledge::read_folders(&folders, &options)?;
                skipped = std::mem::take(&mut folder.skipped);
                notes = std::mem::take(&mut folder.notes);
                Ok(folder)
            })?;
            Ok((update, skipped, notes))
        })
        .await?;
        let recovered = update.recovered().map(str::to_string);
        let embedded = update.texts().len();
        let mut vectors = Vec::with_capacity(embedded);
        progress(0, embedded);
        for texts in update.texts().chunks(TEXTS_PER_STEP) {
            let step = self.embedder.embed(texts).await?;
            vectors.extend(step.into_iter().map(models::Embedding::into_vec));
            progress(vectors.len(), embedded);
        }
        let knowledge = off_thread(move || Ok(update.commit(vectors)?)).await?;
        self.keep(&knowledge);
        let (articles, passages) = (knowledge.articles().len(), knowledge.passages().len());
        Ok(Refreshed { articles, passages, embedded, skipped, notes, recovered })
    }

    /// Searches for the passages that answer a question.
    ///
    /// # Errors
    /// [`Error::Index`] when the index cannot be used, [`Error::Model`] when the question cannot
    /// be embedded.
    pub async fn find(&self, lookup: Lookup<'_>) -> Result<Found, Error> {
        let meaning = match lookup.mode {
            Mode::Words => None,
            Mode::Meaning | Mode::Fused => Some(self.meaning(lookup.question).await?),
        };
        self.find_near(lookup, meaning).await
    }

    /// Searches as [`Library::find`] does, near a meaning that is known already.
    pub(crate) async fn find_near(
        &self,
        lookup: Lookup<'_>,
        meaning: Option<Meaning>,
    ) -> Result<Found, Error> {
        let knowledge = self.knowledge()?;
        let vector = meaning.map(|meaning| meaning.whole);
        let question = lookup.question.clone();
        let (mode, top, fusion) = (lookup.mode, lookup.top, self.fusion);
        let (reader, without) = (lookup.reader.clone(), lookup.without.to_vec());
        off_thread(move || {
            let findings = knowledge.search(&knowledge::Query {
                words: &question.words(),
                vector: vector.as_ref().map(models::Embedding::as_slice),
                mode,
                fusion,
                reader: &reader,
                top,
                without: &without,
            })?;
            Ok(Found { findings, knowledge, vector })
        })
        .await
    }

    /// Places a question in meaning space.
    ///
    /// # Errors
    /// [`Error::Model`] when it cannot be embedded.
    pub(crate) async fn meaning(&self, question: &Question) -> Result<Meaning, Error> {
        let mut sum = vec![0.0; self.embedder.dimension()];
        let mut last = None;
        for text in question.meanings() {
            let vector = self.embedder.embed_query(&text).await?;
            sum.iter_mut().zip(vector.as_slice()).for_each(|(s, v)| *s += v);
            last.get_or_insert(vector);
        }
        let whole = models::Embedding::new(sum)?;
        Ok(Meaning { last: last.unwrap_or_else(|| whole.clone()), whole })
    }

    /// Starts to watch the folders.
    ///
    /// # Errors
    /// [`Error::Desk`] when a folder is not there, [`Error::File`] when it cannot be watched.
    pub fn watch(&self) -> Result<Watch, Error> {
        Watch::folders(&self.folders)
    }

    fn spec(&self) -> EmbedderSpec {
        EmbedderSpec { id: self.embedder.id().into(), dimension: self.embedder.dimension() }
    }

    fn keep(&self, knowledge: &Knowledge) {
        if let Ok(mut open) = self.open.write() {
            *open = Some(knowledge.clone());
        }
    }
}

/// Where a question lies in meaning space.
pub(crate) struct Meaning {
    /// Its last message alone.
    pub(crate) last: models::Embedding,
    /// Its last message alone and with what it leans on, averaged; unit length.
    pub(crate) whole: models::Embedding,
}

/// Runs blocking work off the async threads.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(failure) => Err(Error::File {
            path: PathBuf::from("index"),
            source: std::io::Error::other(failure),
        }),
    }
}

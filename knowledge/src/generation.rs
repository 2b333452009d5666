//! One generation of the index on disk: written whole, then pointed at, never changed.
//!
//! ```text
//! CURRENT              name of the generation in force and the digest of its manifest
//! gen-HASH-N/          manifest.json, articles.json, passages.json, vectors.f32,
//!                      words-articles/, words-passages/
//! tmp-…                a generation that was being written when its writer died
//! lock                 held while an update is planned and committed
//! ```

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use crate::{
    disk,
    error::Error,
    passage::Passage,
    search::ArticleCard,
    stored::{Manifest, SCHEMA, StoredArticle, StoredPassage},
    vectors::{EmbedderSpec, Vectors},
    word_index::{self, WordIndex},
    words::Analyser,
};

const CURRENT: &str = "CURRENT";
const MANIFEST: &str = "manifest.json";
const ARTICLES: &str = "articles.json";
const PASSAGES: &str = "passages.json";
const VECTORS: &str = "vectors.f32";
const WORDS_ARTICLES: &str = "words-articles";
const WORDS_PASSAGES: &str = "words-passages";

/// What a generation holds before it is written.
pub(crate) struct Content<'a> {
    pub(crate) hash: &'a str,
    pub(crate) embedder: &'a EmbedderSpec,
    pub(crate) articles: &'a [ArticleCard],
    pub(crate) passages: &'a [Passage],
    /// Digest of the embedded text of each passage.
    pub(crate) keys: &'a [String],
    pub(crate) vectors: &'a Vectors,
}

/// A generation read from disk and proved whole.
pub(crate) struct Generation {
    pub(crate) content: String,
    pub(crate) embedder: EmbedderSpec,
    pub(crate) articles: Vec<ArticleCard>,
    pub(crate) passages: Vec<Passage>,
    pub(crate) keys: Vec<String>,
    pub(crate) vectors: Vectors,
    pub(crate) article_words: WordIndex,
    pub(crate) passage_words: WordIndex,
}

/// A moment at which a writer may die; tests do so at each.
pub(crate) type Step<'a> = &'a mut dyn FnMut(&'static str) -> Result<(), Error>;

/// Reads the generation in force.
pub(crate) fn open(dir: &Path) -> Result<Generation, Error> {
    // A writer may replace the generation while it is read; then the new one is read instead.
    let mut pointer = read_pointer(dir)?;
    loop {
        let outcome = load(dir, &pointer);
        let now = read_pointer(dir)?;
        if outcome.is_ok() || now == pointer {
            return outcome;
        }
        pointer = now;
    }
}

/// Writes a generation and puts it in force; older ones are removed.
pub(crate) fn write(dir: &Path, content: &Content<'_>, step: Step<'_>) -> Result<(), Error> {
    let short = content.hash.get(..16).unwrap_or(content.hash);
    let name = (1_u32..)
        .map(|n| format!("gen-{short}-{n}"))
        .find(|name| !dir.join(name).exists())
        .unwrap_or_default();
    let building = dir.join(format!("tmp-{name}"));
    disk::remove_folder(&building).map_err(Error::io("remove", &building))?;
    fs::create_dir_all(&building).map_err(Error::io("create", &building))?;
    step("begun")?;
    let files = write_files(&building, content, step)?;
    let manifest = Manifest {
        schema: SCHEMA,
        embedder: content.embedder.id.clone(),
        dimension: content.embedder.dimension,
        content: content.hash.to_owned(),
        files,
    };
    let manifest = json(&manifest)?;
    disk::write(&building.join(MANIFEST), &manifest)?;
    disk::sync_folder(&building)?;
    step("written")?;
    disk::rename(&building, &dir.join(&name))?;
    step("renamed")?;
    let pointer = dir.join("CURRENT.tmp");
    disk::write(&pointer, format!("{name} {}\n", disk::digest(&manifest)).as_bytes())?;
    step("pointed")?;
    disk::rename(&pointer, &dir.join(CURRENT))?;
    step("in force")?;
    clear(dir, Some(&name));
    Ok(())
}

/// Removes what dead writers left and every generation but the one in force.
pub(crate) fn clear(dir: &Path, keep: Option<&str>) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_old = name.starts_with("gen-") && keep.is_some_and(|k| k != name);
        if is_old || name.starts_with("tmp-") {
            // What cannot be removed now is tried again by the next update.
            if let Err(error) = disk::remove_folder(&entry.path()) {
                tracing::warn!(path = %entry.path().display(), %error, "an old part of the index could not be removed, the next update tries again");
            }
        }
    }
}

fn write_files(
    folder: &Path,
    content: &Content<'_>,
    step: Step<'_>,
) -> Result<Vec<(String, String)>, Error> {
    let articles: Vec<_> = content.articles.iter().map(StoredArticle::of).collect();
    let passages: Vec<_> =
        content.passages.iter().zip(content.keys).map(|(p, k)| StoredPassage::of(p, k)).collect();
    let mut files = Vec::new();
    for (name, bytes) in [
        (ARTICLES, json(&articles)?),
        (PASSAGES, json(&passages)?),
        (VECTORS, content.vectors.to_bytes()),
    ] {
        disk::write(&folder.join(name), &bytes)?;
        files.push((name.to_owned(), disk::digest(&bytes)));
        step("file written")?;
    }
    let (article_words, passage_words) = documents(content);
    for (name, documents) in [(WORDS_ARTICLES, article_words), (WORDS_PASSAGES, passage_words)] {
        let sub = folder.join(name);
        fs::create_dir(&sub).map_err(Error::io("create", &sub))?;
        for (file, bytes) in word_index::build(documents.into_iter())? {
            disk::write(&sub.join(&file), &bytes)?;
            files.push((format!("{name}/{file}"), disk::digest(&bytes)));
        }
        step("words written")?;
        disk::sync_folder(&sub)?;
    }
    Ok(files)
}

/// The words of every article and of every passage. An article's title counts twice: over a whole
/// article one mention would be lost.
fn documents(content: &Content<'_>) -> (Vec<Vec<String>>, Vec<Vec<String>>) {
    let mut analysers: HashMap<String, Analyser> = HashMap::new();
    let mut of_articles = Vec::with_capacity(content.articles.len());
    let mut of_passages = Vec::with_capacity(content.passages.len());
    for card in content.articles {
        let language = crate::locale::language(&card.locale);
        let analyser =
            analysers.entry(language.clone()).or_insert_with(|| Analyser::new(&language));
        let keys = |text: &str| -> Vec<String> {
            analyser.words(text).iter().map(|w| word_index::key(&language, w)).collect()
        };
        let title = keys(&card.title);
        let mut article = [title.as_slice(), &title].concat();
        let mut last_heading: &[String] = &[];
        for passage in content.passages.get(card.passages.clone()).unwrap_or_default() {
            let body = keys(&passage.text);
            article.extend_from_slice(&body);
            if passage.heading != last_heading
                && let Some(own) = passage.heading.last()
            {
                article.extend(keys(own));
            }
            last_heading = &passage.heading;
            let heading = keys(&passage.heading.join("\n"));
            of_passages.push([title.as_slice(), &heading, &body].concat());
        }
        of_articles.push(article);
    }
    (of_articles, of_passages)
}

fn read_pointer(dir: &Path) -> Result<String, Error> {
    let path = dir.join(CURRENT);
    match fs::read_to_string(&path) {
        Ok(pointer) => Ok(pointer),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(Error::Absent { path: dir.to_owned() })
        }
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            Err(corrupt(&path, "it is not text"))
        }
        Err(error) => Err(Error::io("read", &path)(error)),
    }
}

fn load(dir: &Path, pointer: &str) -> Result<Generation, Error> {
    let current = dir.join(CURRENT);
    let parts = pointer.strip_suffix('\n').and_then(|p| p.split_once(' '));
    let Some((name, digest)) = parts.filter(|(name, _)| is_name(name)) else {
        return Err(corrupt(&current, "it names no generation"));
    };
    let folder = dir.join(name);
    let manifest: Manifest = parsed(&folder.join(MANIFEST), &checked(&folder, MANIFEST, digest)?)?;
    if manifest.schema != SCHEMA {
        let reason = format!("it has the layout {} and not {SCHEMA}", manifest.schema);
        return Err(corrupt(&folder.join(MANIFEST), &reason));
    }
    let mut files = Files { folder: folder.clone(), bytes: HashMap::new() };
    for (file, digest) in &manifest.files {
        files.bytes.insert(file.clone(), checked(&folder, file, digest)?);
    }
    let articles: Vec<StoredArticle> = files.json(ARTICLES)?;
    let passages: Vec<StoredPassage> = files.json(PASSAGES)?;
    let (passages, keys) = passages.into_iter().map(StoredPassage::passage).unzip();
    let vectors = Vectors::from_bytes(&files.take(VECTORS)?, manifest.dimension)
        .ok_or_else(|| corrupt(&folder.join(VECTORS), "its length fits no vectors"))?;
    let generation = Generation {
        content: manifest.content,
        embedder: EmbedderSpec { id: manifest.embedder, dimension: manifest.dimension },
        articles: articles.into_iter().map(StoredArticle::card).collect(),
        passages,
        keys,
        vectors,
        article_words: files.words(WORDS_ARTICLES)?,
        passage_words: files.words(WORDS_PASSAGES)?,
    };
    agree(generation, &folder)
}

/// Proves that the parts belong together, on which every later look-up relies.
fn agree(generation: Generation, folder: &Path) -> Result<Generation, Error> {
    let (n_articles, n) = (generation.articles.len(), generation.passages.len());
    let fits = generation.vectors.len() == n
        && generation.passage_words.len() == n
        && generation.article_words.len() == n_articles
        && generation.passages.iter().all(|p| p.article < n_articles)
        && generation.articles.iter().all(|a| !a.passages.is_empty() && a.passages.end <= n);
    if fits { Ok(generation) } else { Err(corrupt(folder, "its parts do not fit together")) }
}

/// A name that is ours and leads nowhere else.
fn is_name(name: &str) -> bool {
    name.starts_with("gen-") && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// Reads a file and compares its digest.
fn checked(folder: &Path, name: &str, digest: &str) -> Result<Vec<u8>, Error> {
    let path = folder.join(name);
    let bytes = fs::read(&path).map_err(|e| corrupt(&path, &format!("cannot be read: {e}")))?;
    if disk::digest(&bytes) != digest {
        return Err(corrupt(&path, "its content has changed since it was written"));
    }
    Ok(bytes)
}

/// The proved files of a generation, taken one by one.
struct Files {
    folder: PathBuf,
    bytes: HashMap<String, Vec<u8>>,
}

impl Files {
    fn take(&mut self, name: &str) -> Result<Vec<u8>, Error> {
        self.bytes.remove(name).ok_or_else(|| corrupt(&self.folder.join(name), "it is missing"))
    }

    fn json<T: serde::de::DeserializeOwned>(&mut self, name: &str) -> Result<T, Error> {
        let bytes = self.take(name)?;
        parsed(&self.folder.join(name), &bytes)
    }

    fn words(&mut self, sub: &str) -> Result<WordIndex, Error> {
        let prefix = format!("{sub}/");
        let names: Vec<String> =
            self.bytes.keys().filter(|n| n.starts_with(&prefix)).cloned().collect();
        let mut files = Vec::new();
        for name in names {
            let bytes = self.take(&name)?;
            files.push((name.trim_start_matches(&prefix).to_owned(), bytes));
        }
        let path = self.folder.join(sub);
        WordIndex::open(files).map_err(|e| corrupt(&path, &e.to_string()))
    }
}

fn parsed<T: serde::de::DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|e| corrupt(path, &e.to_string()))
}

fn json<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, Error> {
    // Only a path that is not UTF-8 cannot be written as JSON.
    serde_json::to_vec(value).map_err(|e| Error::io("write", Path::new(ARTICLES))(e.into()))
}

fn corrupt(path: &Path, reason: &str) -> Error {
    Error::Corrupt { path: path.to_owned(), reason: reason.to_owned() }
}

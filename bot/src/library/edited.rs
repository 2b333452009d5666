use super::{LOCK_ATTEMPTS, Library, TEXTS_PER_STEP, off_thread};
use crate::Error;
use knowledge::{Article, Folder, Knowledge, Update};
use models::Embedding;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, RwLock},
};

/// A library with one article more or another text of one, for "what if".
pub struct Edited {
    /// The library; its index lies in a folder of its own.
    pub library: Library,
    /// Id of the article as the library names it.
    pub article: String,
    /// Whether an article of that name was there before.
    pub replaces: bool,
}

impl Library {
    /// Makes a library that holds the article of a file beside the others, in the place of the one
    /// that has its id, or else its file name. Its index is made in `place`, an empty folder, from
    /// the present one, of which only what the file changes is embedded anew. The library itself
    /// stays as it is, as do its folders.
    ///
    /// # Errors
    /// [`Error::Index`] when the file holds no article or an index cannot be used or written,
    /// [`Error::Model`] when the embedder fails, [`Error::File`].
    pub async fn with_article(&self, file: &Path, place: &Path) -> Result<Edited, Error> {
        let (folders, options, spec) = (self.folders.clone(), self.options.clone(), self.spec());
        let (from, to, file) = (self.place.clone(), place.to_path_buf(), file.to_path_buf());
        let (update, article, replaces) = off_thread(move || {
            copy(&from, &to)?;
            let mut folder = knowledge::read_folders(&folders, &options)?;
            let added = knowledge::read_folders(&[file], &options)?;
            let (article, replaces) = put(&mut folder, added);
            let update = Update::plan_when_free(&to, &spec, LOCK_ATTEMPTS, || Ok(folder))?;
            Ok((update, article, replaces))
        })
        .await?;
        let mut vectors = Vec::with_capacity(update.texts().len());
        for texts in update.texts().chunks(TEXTS_PER_STEP) {
            let step = self.embedder.embed(texts).await?;
            vectors.extend(step.into_iter().map(Embedding::into_vec));
        }
        let knowledge = off_thread(move || Ok(update.commit(vectors)?)).await?;
        let library = self.over(place.to_path_buf(), knowledge);
        Ok(Edited { library, article, replaces })
    }

    fn over(&self, place: PathBuf, knowledge: Knowledge) -> Self {
        Self {
            place,
            folders: self.folders.clone(),
            options: self.options.clone(),
            embedder: Arc::clone(&self.embedder),
            fusion: self.fusion,
            open: RwLock::new(Some(knowledge)),
        }
    }
}

/// Puts the article into the folder; returns its id, and whether it took another one's place.
fn put(folder: &mut Folder, added: Folder) -> (String, bool) {
    let (mut id, mut replaces) = (String::new(), false);
    for mut article in added.articles {
        let own = |other: &Article| other.id == article.id || same_file(&other.path, &article.path);
        let by_id = folder.articles.iter().position(own);
        // An article without an id of its own is called by its file.
        let place = by_id.or_else(|| only(folder, &article));
        match place.and_then(|place| folder.articles.get_mut(place)) {
            Some(old) => {
                article.id.clone_from(&old.id);
                article.place.clone_from(&old.place);
                id.clone_from(&old.id);
                replaces = true;
                *old = article;
            }
            None => {
                id.clone_from(&article.id);
                folder.articles.push(article);
            }
        }
    }
    (id, replaces)
}

/// Finds the one article whose file has the same name.
fn only(folder: &Folder, article: &Article) -> Option<usize> {
    let name = article.path.file_name()?;
    let mut of_name = folder.articles.iter().enumerate();
    let mut of_name = of_name.by_ref().filter(|(_, other)| other.path.file_name() == Some(name));
    let (place, _) = of_name.next()?;
    of_name.next().is_none().then_some(place)
}

fn same_file(one: &Path, other: &Path) -> bool {
    let full = |path: &Path| path.canonicalize().ok();
    one == other || full(one).is_some_and(|path| Some(path) == full(other))
}

/// Copies the generation of an index that is in force, so that its vectors are used again.
fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        move |source| Error::File { path, source }
    };
    std::fs::create_dir_all(to).map_err(failed(to))?;
    for entry in std::fs::read_dir(from).map_err(failed(from))? {
        let entry = entry.map_err(failed(from))?;
        let name = entry.file_name();
        let (source, target) = (entry.path(), to.join(&name));
        if source.is_dir() {
            if !name.to_string_lossy().starts_with("tmp-") {
                copy(&source, &target)?;
            }
        } else if name != "lock" {
            std::fs::copy(&source, &target).map_err(failed(&source))?;
        }
    }
    Ok(())
}

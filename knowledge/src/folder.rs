//! Walks folders and reads the articles in them; whatever cannot be read is named with its
//! reason, and the rest goes on.

use std::{
    collections::{HashMap, hash_map::Entry},
    fs,
    path::{Path, PathBuf},
};

use ignore::WalkBuilder;

use crate::{
    article::Article,
    error::Error,
    front_matter::{self, Head},
    html, locale, outline, title,
};

/// File name endings of articles, lower case.
const EXTENSIONS: [&str; 5] = ["md", "markdown", "mdx", "html", "htm"];

/// Longest title and id, characters: they stand in every passage and every list.
const NAME_LIMIT: usize = 300;

/// How files are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadOptions {
    /// Larger files are skipped, bytes. Default 5 MiB.
    pub max_file_bytes: u64,
    /// Locale of an article that names none and is too short to guess. Default `en`.
    pub default_locale: String,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self { max_file_bytes: 5 * 1024 * 1024, default_locale: "en".to_owned() }
    }
}

/// Everything that was found in the folders.
#[derive(Debug, Clone, Default)]
pub struct Folder {
    /// Articles in the order of their folders and paths; ids are unique.
    pub articles: Vec<Article>,
    /// Files that could not be used.
    pub skipped: Vec<Skipped>,
    /// Oddities that were survived.
    pub notes: Vec<Note>,
}

/// A file that could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The file.
    pub path: PathBuf,
    /// Why it could not be used.
    pub reason: String,
}

/// An oddity in a file that was indexed all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The file.
    pub path: PathBuf,
    /// Line in the file, from 1.
    pub line: usize,
    /// What is odd.
    pub what: String,
    /// How to mend it.
    pub mend: String,
}

/// Reads every article below the folders, in a stable order.
///
/// # Errors
/// [`Error::Io`] when a folder itself cannot be read, [`Error::Empty`] when no article is found.
pub fn read_folders(folders: &[PathBuf], options: &ReadOptions) -> Result<Folder, Error> {
    let mut reading = Reading { options, folder: Folder::default(), ids: HashMap::new() };
    for (nth, root) in folders.iter().enumerate() {
        fs::metadata(root).map_err(Error::io("read the articles folder", root))?;
        reading.walk(nth, root);
    }
    if reading.folder.articles.is_empty() {
        return Err(empty(folders, &reading.folder.skipped));
    }
    Ok(reading.folder)
}

struct Reading<'a> {
    options: &'a ReadOptions,
    folder: Folder,
    /// Id to the folder that holds it and the article's file.
    ids: HashMap<String, (usize, PathBuf)>,
}

impl Reading<'_> {
    fn walk(&mut self, nth: usize, root: &Path) {
        let mut walk = WalkBuilder::new(root);
        // Links are followed, loops are reported by the walker; what a .gitignore hides is still
        // an article, but dot folders are other tools' rooms.
        // There is no limit of depth: an article that lies deep would vanish without a word.
        walk.standard_filters(false).hidden(true).follow_links(true);
        walk.sort_by_file_path(Path::cmp);
        for entry in walk.build() {
            match entry {
                Ok(entry) if entry.file_type().is_some_and(|t| t.is_file()) => {
                    if is_article(entry.path()) {
                        self.take(nth, root, entry.path());
                    }
                }
                Ok(_) => {}
                Err(error) => self.skip(&path_of(&error, root), error.to_string()),
            }
        }
    }

    fn take(&mut self, nth: usize, root: &Path, path: &Path) {
        let text = match read_text(path, self.options.max_file_bytes) {
            Ok(text) => text,
            Err(reason) => return self.skip(path, reason),
        };
        let (mut article, notes) = parse(&text, path, &place_of(root, path), self.options);
        for (line, what, mend) in notes {
            self.note(path, line, what, mend);
        }
        let held = match self.ids.entry(article.id.clone()) {
            Entry::Vacant(free) => {
                free.insert((nth, path.to_owned()));
                None
            }
            Entry::Occupied(taken) => Some(taken.get().clone()),
        };
        let Some((holder, first)) = held else {
            self.folder.articles.push(article);
            return;
        };
        // Within one folder the second file keeps its text and loses only its claim on the id;
        // across folders the first one is meant to win.
        if holder != nth || self.ids.contains_key(&article.place) {
            let reason = format!("its id \"{}\" is taken by {}", article.id, first.display());
            return self.skip(path, reason);
        }
        let what = format!("the id \"{}\" is taken by {}", article.id, first.display());
        let mend = format!("give it another id; until then it is called \"{}\"", article.place);
        self.note(path, 1, what, mend);
        article.id.clone_from(&article.place);
        self.ids.insert(article.id.clone(), (nth, path.to_owned()));
        self.folder.articles.push(article);
    }

    fn skip(&mut self, path: &Path, reason: String) {
        self.folder.skipped.push(Skipped { path: path.to_owned(), reason });
    }

    fn note(&mut self, path: &Path, line: usize, what: String, mend: String) {
        self.folder.notes.push(Note { path: path.to_owned(), line, what, mend });
    }
}

/// Reads the text of one article file and applies every fall-back.
fn parse(
    text: &str,
    path: &Path,
    place: &str,
    options: &ReadOptions,
) -> (Article, Vec<(usize, String, String)>) {
    let text = lines_normal(text);
    let (head, rest) = front_matter::read(&text);
    let is_page = extension(path).is_some_and(|e| e == "html" || e == "htm");
    let (body, page) = if is_page {
        let page = html::to_markdown(rest);
        (page.markdown.clone(), page)
    } else {
        (rest.to_owned(), html::Page::default())
    };
    let Head { id, slug, title, url, locale, audience, updated, draft, notes } = head;
    let title = title
        .or(page.title)
        .or_else(|| outline::first_heading(&body))
        .unwrap_or_else(|| title::of_place(place));
    let locale = locale
        .or(page.locale)
        .or_else(|| locale::of_place(place))
        .or_else(|| locale::guess(&body))
        .unwrap_or_else(|| options.default_locale.clone());
    let article = Article {
        id: clipped(&id.or(slug).unwrap_or_else(|| place.to_owned())),
        title: clipped(&title),
        url,
        locale,
        audience,
        updated,
        draft,
        body,
        path: path.to_owned(),
        place: place.to_owned(),
    };
    (article, notes)
}

/// Reads a file as text, or says why it is none.
fn read_text(path: &Path, max_bytes: u64) -> Result<String, String> {
    let size = fs::metadata(path).map_err(|e| format!("cannot be read: {e}"))?.len();
    if size > max_bytes {
        return Err(format!("is {size} bytes long, more than the limit of {max_bytes}"));
    }
    let bytes = fs::read(path).map_err(|e| format!("cannot be read: {e}"))?;
    if bytes.contains(&0) {
        return Err("is binary (it holds NUL bytes)".to_owned());
    }
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        format!("is not UTF-8 text (byte {at}); save it as UTF-8")
    })
}

/// Drops the byte order mark and makes every line end `\n`.
fn lines_normal(text: &str) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n")
    } else {
        text.to_owned()
    }
}

fn is_article(path: &Path) -> bool {
    extension(path).is_some_and(|e| EXTENSIONS.contains(&e.as_str()))
}

fn extension(path: &Path) -> Option<String> {
    Some(path.extension()?.to_str()?.to_lowercase())
}

/// The path below the root with forward slashes; the file name when the root is the file.
fn place_of(root: &Path, path: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> =
        below.components().map(|c| c.as_os_str().to_string_lossy().into_owned()).collect();
    if parts.is_empty() {
        return path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    }
    parts.join("/")
}

fn path_of(error: &ignore::Error, root: &Path) -> PathBuf {
    match error {
        ignore::Error::WithPath { path, .. } => path.clone(),
        ignore::Error::Loop { child, .. } => child.clone(),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
            path_of(err, root)
        }
        _ => root.to_owned(),
    }
}

fn clipped(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(NAME_LIMIT).collect()
}

fn empty(folders: &[PathBuf], skipped: &[Skipped]) -> Error {
    let names: Vec<_> = folders.iter().map(|f| f.display().to_string()).collect();
    let hint = match skipped {
        [] => String::new(),
        [first, rest @ ..] => {
            let more = if rest.is_empty() { "" } else { ", among others" };
            format!(" ({} {}{more})", first.path.display(), first.reason)
        }
    };
    Error::Empty { folders: names.join(", "), hint }
}

#[cfg(test)]
mod tests;

//! The help centre as a folder of files that are indexed, and the folder's articles as pages there.
//!
//! [`published`] reads what customers can read there; [`Mirror`] keeps a folder in step with it,
//! touching only files that it wrote itself and that changed.

use crate::{
    client::{ApiError, Class, Client},
    wire::{Article, ArticleContent, ExternalId},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

/// Where a mirror notes which files are its own.
const MANIFEST: &str = ".intercom.json";

/// Pages that are asked for at most; a list that does not end is none.
const MOST_PAGES: usize = 10_000;

/// An article in one language, as a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its name, such as `9000001.en.html`.
    pub name: String,
    /// The article it shows.
    pub article: ExternalId,
    /// Front matter and HTML.
    pub text: String,
}

/// What the help centre holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Published {
    /// What everyone can read.
    pub files: Vec<File>,
    /// Drafts, and what says nothing: articles and translations.
    pub n_left_out: usize,
    /// Articles that are not known to be for everyone.
    pub n_restricted: usize,
    /// Articles that were sent in a form that cannot be read.
    pub n_unreadable: usize,
    /// Those among them that were there before, whose files stay.
    pub unread: BTreeSet<ExternalId>,
}

/// A folder that shows the help centre.
#[derive(Debug)]
pub struct Mirror {
    folder: PathBuf,
    manifest: Manifest,
}

/// What became of a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mirrored {
    /// Files that are new or changed.
    pub written: Vec<String>,
    /// Files of articles that are gone.
    pub removed: Vec<String>,
    /// Files that stayed as they were.
    pub n_kept: usize,
}

/// Why a folder does not show the help centre.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// A file or folder cannot be read or written.
    #[error("{}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file is in the way that was not written from the help centre.
    #[error("{} was not written from Intercom; move it away, or name another folder", .0.display())]
    Foreign(PathBuf),
    /// The note of what is the mirror's own cannot be read.
    #[error("{} is damaged; remove the folder and run the command again", .0.display())]
    Damaged(PathBuf),
}

/// Which files are the mirror's own, by name, with the article that each shows.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Manifest {
    files: BTreeMap<String, String>,
}

/// Reads all articles that everyone can read, in all their languages. `known` are articles that were
/// there before: one that the list does not show is asked for by itself before it counts as gone,
/// because lists shift while they are read.
///
/// # Errors
/// [`ApiError`].
pub async fn published(
    client: &Client,
    known: &BTreeSet<ExternalId>,
) -> Result<Published, ApiError> {
    let client = client.of_class(Class::Background);
    let (mut articles, mut cursor) = (BTreeMap::new(), None);
    let mut published = Published::default();
    for _ in 0..MOST_PAGES {
        let page = client.articles(cursor.as_ref()).await?;
        published.n_unreadable += page.n_unreadable;
        let n_before = articles.len();
        articles.extend(page.items.into_iter().map(|article| (article.id.clone(), article)));
        cursor = page.next;
        // A list that always says there is more shows the same again.
        let is_new = articles.len() > n_before || page.n_unreadable > 0;
        if cursor.is_none() || !is_new {
            break;
        }
    }
    for id in known {
        if articles.contains_key(id) {
            continue;
        }
        match client.article(id).await {
            Err(ApiError::NotFound { .. }) => {}
            Err(ApiError::Unreadable { .. }) => drop(published.unread.insert(id.clone())),
            read => drop(articles.insert(id.clone(), read?)),
        }
    }
    for article in articles.values() {
        if !article.is_open() {
            published.n_restricted += 1;
            continue;
        }
        let (files, n_left_out) = files_of(article);
        published.files.extend(files);
        published.n_left_out += n_left_out;
    }
    Ok(published)
}

/// Makes the files of an article, and counts the languages that are left out.
fn files_of(article: &Article) -> (Vec<File>, usize) {
    let default = article.default_locale.as_deref().and_then(locale).unwrap_or("en");
    let mut contents: BTreeMap<&str, &ArticleContent> = article
        .translated_content
        .iter()
        .filter_map(|(name, content)| Some((locale(name)?, content)))
        .collect();
    contents.entry(default).or_insert(&article.content);
    let n_all = contents.len();
    let readable = |content: &ArticleContent| {
        content.is_published() && !content.body.trim().is_empty() && !content.title.is_empty()
    };
    let files: Vec<File> = contents
        .into_iter()
        .filter(|(_, content)| readable(content))
        .map(|(locale, content)| {
            let id = match locale == default {
                true => format!("intercom-{}", article.id),
                false => format!("intercom-{}-{}", article.id, locale.to_lowercase()),
            };
            let name = format!("{}.{locale}.html", article.id);
            File { name, article: article.id.clone(), text: text(&id, locale, content) }
        })
        .collect();
    let n_left_out = n_all - files.len();
    (files, n_left_out)
}

/// Takes a name of a language that can stand in a file's name: `pt-BR`, `de`.
fn locale(name: &str) -> Option<&str> {
    let lawful = |part: &str| {
        (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    (name.split('-').count() <= 3 && name.split('-').all(lawful)).then_some(name)
}

fn text(id: &str, locale: &str, content: &ArticleContent) -> String {
    let mut head = format!("---\nid: {id}\ntitle: {}\nlocale: {locale}\n", quoted(&content.title));
    if let Some(url) = content.url.as_deref().filter(|url| !url.is_empty()) {
        head.push_str(&format!("url: {}\n", quoted(url)));
    }
    if let Some(updated) = content.updated_at {
        head.push_str(&format!("updated: {}\n", quoted(&updated.to_string())));
    }
    format!("{head}---\n{}\n", content.body.trim())
}

/// Whether this is the name of a file, and leads nowhere else.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\\', '\0', ':'])
}

/// Quotes a value for YAML; JSON's texts are YAML's.
fn quoted(text: &str) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    serde_json::Value::String(line).to_string()
}

impl Mirror {
    /// Opens a folder; it need not be there.
    ///
    /// # Errors
    /// [`MirrorError`].
    pub fn open(folder: &Path) -> Result<Self, MirrorError> {
        let path = folder.join(MANIFEST);
        let manifest = match fs::read_to_string(&path) {
            Ok(text) => match serde_json::from_str::<Manifest>(&text) {
                Ok(manifest) if manifest.files.keys().all(|name| is_name(name)) => manifest,
                _ => return Err(MirrorError::Damaged(path)),
            },
            Err(source) if source.kind() == io::ErrorKind::NotFound => Manifest::default(),
            Err(source) => return Err(MirrorError::File { path, source }),
        };
        Ok(Self { folder: folder.to_path_buf(), manifest })
    }

    /// Returns the articles that it shows.
    pub fn articles(&self) -> BTreeSet<ExternalId> {
        self.manifest.files.values().filter_map(|id| ExternalId::parse(id)).collect()
    }

    /// Brings the folder in step. A kill leaves whole files, and the next time mends the rest.
    ///
    /// # Errors
    /// [`MirrorError`].
    pub fn show(&mut self, published: &Published) -> Result<Mirrored, MirrorError> {
        let folder = self.folder.clone();
        let failed = |path: &Path| {
            let path = path.to_path_buf();
            move |source| MirrorError::File { path, source }
        };
        fs::create_dir_all(&folder).map_err(failed(&folder))?;
        for file in &published.files {
            self.may_write(file)?;
        }
        let stays = |article: &str| published.unread.iter().any(|id| id.as_str() == article);
        let unread = self.manifest.files.iter().filter(|(_, article)| stays(article));
        let unread = unread.map(|(name, article)| (name.clone(), article.clone()));
        // Noted before they are written: what a kill leaves behind is known as the mirror's own.
        let wanted: BTreeMap<String, String> = published
            .files
            .iter()
            .map(|file| (file.name.clone(), file.article.to_string()))
            .chain(unread)
            .collect();
        let old: Vec<String> = self
            .manifest
            .files
            .keys()
            .filter(|name| !wanted.contains_key(*name))
            .cloned()
            .collect();
        if self.manifest.files != wanted {
            self.manifest.files.extend(wanted.clone());
            self.note()?;
        }
        let mut mirrored = Mirrored::default();
        for file in &published.files {
            let path = folder.join(&file.name);
            if fs::read(&path).is_ok_and(|there| there == file.text.as_bytes()) {
                mirrored.n_kept += 1;
                continue;
            }
            replace(&path, &file.text).map_err(failed(&path))?;
            mirrored.written.push(file.name.clone());
        }
        for name in old {
            let path = folder.join(&name);
            match fs::remove_file(&path) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(MirrorError::File { path, source });
                }
                _ => mirrored.removed.push(name),
            }
        }
        if self.manifest.files != wanted {
            self.manifest.files = wanted;
            self.note()?;
        }
        Ok(mirrored)
    }

    /// Refuses to write over a file that somebody else put there.
    fn may_write(&self, file: &File) -> Result<(), MirrorError> {
        let path = self.folder.join(&file.name);
        let is_own = self.manifest.files.contains_key(&file.name);
        if is_own || !path.exists() { Ok(()) } else { Err(MirrorError::Foreign(path)) }
    }

    fn note(&self) -> Result<(), MirrorError> {
        let path = self.folder.join(MANIFEST);
        let text = serde_json::to_string_pretty(&self.manifest).unwrap_or_default();
        replace(&path, &text).map_err(|source| MirrorError::File { path, source })
    }
}

/// Writes a file beside its place and moves it there.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let beside = path.with_extension("part");
    fs::write(&beside, text)?;
    fs::File::open(&beside)?.sync_all()?;
    fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn article(value: Value) -> Article {
        serde_json::from_value(value).unwrap()
    }

    fn one(id: u64, title: &str, body: &str) -> Article {
        article(json!({"id": id, "title": title, "body": body, "state": "published",
                       "default_locale": "en", "url": "https://help.example/1"}))
    }

    fn all(articles: &[Article]) -> Published {
        let files = articles.iter().flat_map(|article| files_of(article).0).collect();
        Published { files, ..Published::default() }
    }

    #[test]
    fn every_published_language_is_a_file_and_drafts_are_none() {
        let (files, n_left_out) = files_of(&article(json!({
            "id": "7", "title": "Pay: \"now\"", "body": "<p>x</p>", "state": "published",
            "default_locale": "en", "url": "https://help.example/7",
            "translated_content": {
                "type": "article_translated_content",
                "de": {"title": "Zahlen", "body": "<p>y</p>", "state": "published"},
                "fr": {"title": "Payer", "body": "<p>z</p>", "state": "draft"},
                "../../x": {"title": "T", "body": "b", "state": "published"},
            },
        })));
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!((names, n_left_out), (vec!["7.de.html", "7.en.html"], 1));
        let head = "---\nid: intercom-7\ntitle: \"Pay: \\\"now\\\"\"\nlocale: en\n\
                    url: \"https://help.example/7\"\n---\n<p>x</p>\n";
        assert_eq!(files[1].text, head);
        assert!(files[0].text.starts_with("---\nid: intercom-7-de\n"), "{}", files[0].text);
    }

    #[test]
    fn only_what_changed_is_written_and_only_own_files_are_removed() {
        let home = std::env::temp_dir().join(format!("frontdesk-mirror-{}", std::process::id()));
        drop(fs::remove_dir_all(&home));
        let folder = home.join("intercom");
        let show = |articles: &[Article]| Mirror::open(&folder).unwrap().show(&all(articles));
        let (a, b) = (one(1, "A", "<p>a</p>"), one(2, "B", "<p>b</p>"));
        let first = show(&[a.clone(), b.clone()]).unwrap();
        assert_eq!(first.written, ["1.en.html", "2.en.html"]);
        fs::write(folder.join("own.md"), "# Mine").unwrap();
        let before = fs::metadata(folder.join("1.en.html")).unwrap().modified().unwrap();
        let second = show(&[a.clone(), one(2, "B", "<p>new</p>")]).unwrap();
        assert_eq!((second.written.as_slice(), second.n_kept), (&["2.en.html".to_string()][..], 1));
        let after = fs::metadata(folder.join("1.en.html")).unwrap().modified().unwrap();
        assert_eq!(before, after);
        let third = show(std::slice::from_ref(&b)).unwrap();
        assert_eq!(third.removed, ["1.en.html"]);
        assert!(folder.join("own.md").exists());
        let unread = BTreeSet::from([ExternalId::from(2)]);
        let unread = Published { unread, ..Published::default() };
        assert_eq!(Mirror::open(&folder).unwrap().show(&unread).unwrap(), Mirrored::default());
        assert!(folder.join("2.en.html").exists(), "what cannot be read now is not gone");
        fs::write(folder.join("3.en.html"), "mine").unwrap();
        assert!(matches!(show(&[one(3, "C", "c")]), Err(MirrorError::Foreign(_))));
        assert_eq!(fs::read_to_string(folder.join("3.en.html")).unwrap(), "mine");
        for name in ["../own.md", "/etc/x", "..", "a\\\\b"] {
            let note = format!("{{\"files\": {{\"{name}\": \"1\"}}}}");
            fs::write(folder.join(MANIFEST), note).unwrap();
            assert!(matches!(Mirror::open(&folder), Err(MirrorError::Damaged(_))), "{name}");
        }
        fs::remove_dir_all(&home).unwrap();
    }
}

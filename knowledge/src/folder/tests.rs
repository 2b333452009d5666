use super::*;
use crate::{Passage, split};

fn folder_with(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    dir
}

fn read(dir: &tempfile::TempDir) -> Folder {
    read_folders(&[dir.path().to_owned()], &ReadOptions::default()).unwrap()
}

#[test]
fn every_fall_back_applies() {
    let dir = folder_with(&[
        ("a/with-all.md", b"---\nid: x1\ntitle: T\nlocale: fr\n---\nBonjour."),
        ("b/slugged.markdown", b"---\nslug: s1\n---\n# From **heading**\n\ntext"),
        ("de/konto_loeschen.MD", b"\xef\xbb\xbfText ohne Kopf.\r\nZeile."),
        ("page.html", b"<html lang='es'><head><title>Pagos</title></head><body><h1>Otro</h1><p>Hola</p></body></html>"),
        ("_includes/part.mdx", b"import A from 'a'\n\ntext"),
        (".hidden/a.md", b"hidden"),
        ("image.png", b"\x89PNG"),
    ]);
    let folder = read(&dir);
    let shown: Vec<String> = folder
        .articles
        .iter()
        .map(|a| format!("{} | {} | {} | {}", a.id, a.title, a.locale, a.place))
        .collect();
    assert_eq!(
        shown,
        [
            "_includes/part.mdx | Part | en | _includes/part.mdx",
            "x1 | T | fr | a/with-all.md",
            "s1 | From heading | en | b/slugged.markdown",
            "de/konto_loeschen.MD | Konto loeschen | de | de/konto_loeschen.MD",
            "page.html | Pagos | es | page.html",
        ]
    );
    assert_eq!(folder.articles[3].body, "Text ohne Kopf.\nZeile.");
    assert!(folder.skipped.is_empty() && folder.notes.is_empty());
}

#[test]
fn files_that_are_no_text_are_named_with_their_reason() {
    let dir = folder_with(&[
        ("good.md", b"text"),
        ("binary.md", b"a\0b"),
        ("latin.md", b"caf\xe9"),
        ("large.md", &[b'x'; 2_000]),
    ]);
    let options = ReadOptions { max_file_bytes: 1_000, ..ReadOptions::default() };
    let folder = read_folders(&[dir.path().to_owned()], &options).unwrap();
    let shown: Vec<String> = folder
        .skipped
        .iter()
        .map(|s| format!("{} {}", s.path.file_name().unwrap().display(), s.reason))
        .collect();
    assert_eq!(
        shown,
        [
            "binary.md is binary (it holds NUL bytes)",
            "large.md is 2000 bytes long, more than the limit of 1000",
            "latin.md is not UTF-8 text (byte 3); save it as UTF-8",
        ]
    );
    assert_eq!(folder.articles.len(), 1);
}

#[cfg(unix)]
#[test]
fn loops_and_dangling_links_are_reported_and_do_not_hang() {
    let dir = folder_with(&[("a/x.md", b"text")]);
    std::os::unix::fs::symlink(dir.path(), dir.path().join("a/loop")).unwrap();
    std::os::unix::fs::symlink(dir.path().join("none"), dir.path().join("gone.md")).unwrap();
    let folder = read(&dir);
    assert_eq!(folder.articles.len(), 1);
    assert_eq!(folder.skipped.len(), 2, "{:?}", folder.skipped);
}

#[test]
fn an_article_in_a_very_deep_folder_is_read() {
    let deep = format!("{}deep.md", "a/".repeat(100));
    let folder = read(&folder_with(&[("top.md", b"text"), (&deep, b"text")]));
    let places: Vec<&str> = folder.articles.iter().map(|a| a.place.as_str()).collect();
    assert_eq!(places, [deep.as_str(), "top.md"]);
    assert!(folder.skipped.is_empty(), "{:?}", folder.skipped);
}

#[test]
fn an_empty_folder_says_what_was_looked_for() {
    let dir = folder_with(&[("a.txt", b"x"), ("b.md", b"\0")]);
    let error = read_folders(&[dir.path().to_owned()], &ReadOptions::default()).unwrap_err();
    let message = error.to_string();
    assert!(message.contains("*.md, *.markdown, *.mdx, *.html and *.htm below"), "{message}");
    assert!(message.contains("b.md is binary"), "{message}");
    let missing = dir.path().join("missing");
    assert!(matches!(read_folders(&[missing], &ReadOptions::default()), Err(Error::Io { .. })));
}

#[test]
fn an_id_belongs_to_the_first_article_that_claims_it() {
    let one = folder_with(&[("a.md", b"---\nid: x\n---\n1"), ("b.md", b"---\nid: x\n---\n2")]);
    let two = folder_with(&[("c.md", b"---\nid: x\n---\n3"), ("d.md", b"4")]);
    let folders = [one.path().to_owned(), two.path().to_owned()];
    let folder = read_folders(&folders, &ReadOptions::default()).unwrap();
    let ids: Vec<_> = folder.articles.iter().map(|a| a.id.as_str()).collect();
    assert_eq!(ids, ["x", "b.md", "d.md"]);
    assert_eq!(folder.notes.len(), 1);
    assert_eq!(folder.skipped.len(), 1);
    assert!(folder.skipped[0].reason.contains("taken by"), "{:?}", folder.skipped);
}

#[test]
fn broken_front_matter_is_a_note_with_its_line() {
    let dir = folder_with(&[("a.md", b"---\ntitle: a: b: [\nid: kept\n---\nbody")]);
    let folder = read(&dir);
    assert_eq!(folder.articles[0].id, "kept");
    assert_eq!(folder.articles[0].body, "body");
    assert_eq!(folder.notes[0].line, 2);
}

/// Lines of a passage outside code blocks with template machinery that its source does not show
/// as code or as raw text.
fn leaks(passage: &Passage, body: &str) -> Vec<String> {
    let source = &body[passage.range.clone()];
    let mut fenced = false;
    let mut leaks = Vec::new();
    for line in passage.text.lines() {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        if fence || fenced {
            continue;
        }
        for (at, _) in line.match_indices("{{").chain(line.match_indices("{%")) {
            let snippet: String = line[at..].chars().take(3).collect();
            let shown = source.match_indices(&snippet).any(|(n, _)| {
                let before = source[..n].rsplit("\n\n").next().unwrap_or_default();
                before.matches('`').count() % 2 == 1 || before.contains("{% raw")
            });
            if !shown {
                leaks.push(line.to_owned());
            }
        }
    }
    leaks
}

#[test]
fn real_help_centres_are_read_whole() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    for (set, least) in [("segment-docs", 1_424), ("bank-help", 698), ("mtrag-govt-finance", 592)] {
        let root = data.join(set).join("articles");
        if !root.exists() {
            eprintln!("skipped: {} is absent", root.display());
            continue;
        }
        let folder = read_folders(&[root], &ReadOptions::default()).unwrap();
        assert!(folder.articles.len() + folder.skipped.len() >= least, "{set}");
        assert!(folder.skipped.is_empty(), "{set}: {:?}", folder.skipped);
        let mut n_passages = 0;
        let mut leaked = Vec::new();
        for article in &folder.articles {
            let passages = split(article);
            let whole: String = passages.iter().map(|p| &article.body[p.range.clone()]).collect();
            assert_eq!(whole, article.body, "{}", article.place);
            n_passages += passages.len();
            for passage in &passages {
                leaked.extend(leaks(passage, &article.body));
            }
        }
        eprintln!(
            "{set}: {} articles, {n_passages} passages, {} notes",
            folder.articles.len(),
            folder.notes.len()
        );
        assert!(leaked.is_empty(), "{set}: {}", leaked.join("\n---\n"));
    }
}

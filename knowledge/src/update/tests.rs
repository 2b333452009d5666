use std::sync::Arc;

use super::*;
use crate::{Mode, Query, Reader, fusion::Fusion};

fn spec(id: &str) -> EmbedderSpec {
    EmbedderSpec { id: id.to_owned(), dimension: 4 }
}

fn article(id: &str, body: &str) -> Article {
    Article {
        id: id.to_owned(),
        title: format!("Title {id}"),
        url: None,
        locale: "en".to_owned(),
        audience: crate::Audience::default(),
        updated: None,
        draft: false,
        body: body.to_owned(),
        path: format!("{id}.md").into(),
        place: format!("{id}.md"),
    }
}

fn folder(articles: &[(&str, &str)]) -> Folder {
    let articles = articles.iter().map(|(id, body)| article(id, body)).collect();
    Folder { articles, ..Folder::default() }
}

fn embed(texts: &[String]) -> Vec<Vec<f32>> {
    texts
        .iter()
        .map(|t| (0..4).map(|n| f32::from(t.as_bytes()[n % t.len()]) - 60.0).collect())
        .collect()
}

fn index(dir: &Path, articles: &[(&str, &str)]) -> Knowledge {
    let update = Update::plan(dir, folder(articles), &spec("e")).unwrap();
    let vectors = embed(update.texts());
    update.commit(vectors).unwrap()
}

fn ids(knowledge: &Knowledge) -> Vec<String> {
    knowledge.articles().iter().map(|a| a.id.clone()).collect()
}

const OLD: [(&str, &str); 2] = [("a", "Refunds take five days."), ("b", "Invoices are monthly.")];
const NEW: [(&str, &str); 2] = [("a", "Refunds take ten days."), ("c", "Exports are weekly.")];

#[test]
fn unchanged_passages_cost_no_embedding_and_deleted_articles_vanish() {
    let dir = tempfile::tempdir().unwrap();
    let first = index(dir.path(), &OLD);
    let same = Update::plan(dir.path(), folder(&OLD), &spec("e")).unwrap();
    assert!(same.is_unchanged() && same.texts().is_empty());
    assert_eq!(same.commit(Vec::new()).unwrap().generation(), first.generation());

    let change = Update::plan(dir.path(), folder(&[OLD[1], NEW[1]]), &spec("e")).unwrap();
    assert!(!change.is_unchanged());
    assert_eq!(change.texts(), ["Title c\nExports are weekly."]);
    let vectors = embed(change.texts());
    let second = change.commit(vectors).unwrap();
    assert_eq!(ids(&second), ["b", "c"]);
    for (a, b) in second.passage_vector(0).iter().zip(first.passage_vector(1)) {
        assert!((a - b).abs() < 1e-6);
    }
    let folders = fs::read_dir(dir.path()).unwrap().flatten();
    let n_generations =
        folders.filter(|f| f.file_name().to_string_lossy().starts_with("gen-")).count();
    assert_eq!(n_generations, 1);
}

#[test]
fn equal_texts_are_embedded_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut twins = folder(&[("a", "Same."), ("b", "Same.")]);
    twins.articles[1].title = "Title a".to_owned();
    let update = Update::plan(dir.path(), twins, &spec("e")).unwrap();
    assert_eq!((update.texts().len(), update.n_passages(), update.n_articles()), (1, 2, 2));
}

#[test]
fn another_embedder_is_told_apart_and_embeds_anew() {
    let dir = tempfile::tempdir().unwrap();
    index(dir.path(), &OLD);
    assert!(matches!(Knowledge::open(dir.path(), &spec("f")), Err(Error::OtherEmbedder { .. })));
    let update = Update::plan(dir.path(), folder(&OLD), &spec("f")).unwrap();
    assert_eq!(update.texts().len(), 2);
    assert!(update.recovered().is_none());
    let vectors = embed(update.texts());
    update.commit(vectors).unwrap();
    assert!(Knowledge::open(dir.path(), &spec("f")).is_ok());
}

#[test]
fn only_one_update_runs_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let first = Update::plan(dir.path(), folder(&OLD), &spec("e")).unwrap();
    assert!(matches!(
        Update::plan(dir.path(), folder(&OLD), &spec("e")),
        Err(Error::Locked { .. })
    ));
    drop(first);
    assert!(Update::plan(dir.path(), folder(&OLD), &spec("e")).is_ok());
}

#[test]
fn an_update_that_waits_for_another_embeds_nothing_twice() {
    let dir = tempfile::tempdir().unwrap();
    let first = Update::plan(dir.path(), folder(&OLD), &spec("e")).unwrap();
    let path = dir.path().to_owned();
    let waiting = std::thread::spawn(move || {
        Update::plan_when_free(&path, &spec("e"), 6_000, || Ok(folder(&OLD))).unwrap()
    });
    let vectors = embed(first.texts());
    let generation = first.commit(vectors).unwrap().generation().to_owned();
    let second = waiting.join().unwrap();
    assert!(second.is_unchanged() && second.texts().is_empty(), "{:?}", second.texts());
    let locked = Update::plan_when_free(dir.path(), &spec("e"), 2, || Ok(folder(&NEW)));
    assert!(matches!(locked, Err(Error::Locked { .. })), "a wait has an end");
    assert_eq!(second.commit(Vec::new()).unwrap().generation(), generation);
}

#[test]
fn vectors_that_do_not_fit_are_refused_and_the_old_index_stays() {
    let dir = tempfile::tempdir().unwrap();
    index(dir.path(), &OLD);
    for vectors in
        [vec![], vec![vec![1.0; 4]; 3], vec![vec![1.0; 3]; 2], vec![vec![f32::NAN; 4]; 2]]
    {
        let update = Update::plan(dir.path(), folder(&NEW), &spec("e")).unwrap();
        assert!(matches!(update.commit(vectors), Err(Error::BadVectors { .. })));
    }
    assert_eq!(ids(&Knowledge::open(dir.path(), &spec("e")).unwrap()), ["a", "b"]);
    assert!(matches!(
        Knowledge::open(&dir.path().join("none"), &spec("e")),
        Err(Error::Absent { .. })
    ));
    assert!(matches!(
        Update::plan(dir.path(), Folder::default(), &spec("e")),
        Err(Error::Empty { .. })
    ));
}

#[test]
fn a_kill_at_any_moment_leaves_the_old_or_the_new_index() {
    let mut moments = Vec::new();
    for deadly in 0.. {
        let dir = tempfile::tempdir().unwrap();
        index(dir.path(), &OLD);
        let update = Update::plan(dir.path(), folder(&NEW), &spec("e")).unwrap();
        let vectors = embed(update.texts());
        let mut n = 0;
        let outcome = update.commit_in_steps(vectors, &mut |moment| {
            n += 1;
            if n > deadly {
                moments.push(moment);
                return Err(Error::Absent { path: moment.into() });
            }
            Ok(())
        });
        let found = ids(&Knowledge::open(dir.path(), &spec("e")).unwrap());
        if outcome.is_ok() {
            assert_eq!(found, ["a", "c"]);
            break;
        }
        let in_force = moments.last() == Some(&"in force");
        assert_eq!(found, if in_force { ["a", "c"] } else { ["a", "b"] }, "{moments:?}");
        // The next update cleans up and succeeds.
        assert_eq!(ids(&index(dir.path(), &NEW)), ["a", "c"]);
        let left: Vec<_> =
            fs::read_dir(dir.path()).unwrap().flatten().map(|f| f.file_name()).collect();
        assert!(left.iter().all(|f| !f.to_string_lossy().starts_with("tmp-")), "{left:?}");
    }
    assert_eq!(
        moments,
        [
            "begun",
            "file written",
            "file written",
            "file written",
            "words written",
            "words written",
            "written",
            "renamed",
            "pointed",
            "in force",
        ]
    );
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap().flatten() {
        if entry.path().is_dir() {
            found.extend(files(&entry.path()));
        } else if entry.file_name() != "lock" {
            found.push(entry.path());
        }
    }
    found.sort();
    found
}

#[test]
fn every_damage_is_detected_and_mended() {
    let dir = tempfile::tempdir().unwrap();
    index(dir.path(), &OLD);
    let n_files = files(dir.path()).len();
    assert!(n_files > 8);
    for nth in 0..n_files {
        for damage in ["cut", "garbled", "gone", "empty"] {
            let path = files(dir.path())[nth].clone();
            if path.ends_with("CURRENT") && damage == "gone" {
                continue;
            }
            let whole = fs::read(&path).unwrap();
            let mut bytes = whole.clone();
            match damage {
                "cut" => bytes.truncate(bytes.len() / 2),
                "garbled" => {
                    let middle = bytes.len() / 2;
                    bytes[middle] ^= 0x55;
                }
                _ => bytes.clear(),
            }
            if damage == "gone" {
                fs::remove_file(&path).unwrap();
            } else {
                fs::write(&path, bytes).unwrap();
            }
            let opened = Knowledge::open(dir.path(), &spec("e"));
            assert!(
                matches!(opened, Err(Error::Corrupt { .. })),
                "{damage} {}: {opened:?}",
                path.display()
            );
            if damage == "garbled" {
                let update = Update::plan(dir.path(), folder(&OLD), &spec("e")).unwrap();
                assert!(update.recovered().is_some() && !update.is_unchanged());
                let vectors = embed(update.texts());
                assert_eq!(ids(&update.commit(vectors).unwrap()), ["a", "b"]);
            } else {
                fs::write(&path, whole).unwrap();
            }
            assert_eq!(ids(&Knowledge::open(dir.path(), &spec("e")).unwrap()), ["a", "b"]);
        }
    }
}

#[test]
fn readers_go_on_while_the_index_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let old = Arc::new(index(dir.path(), &OLD));
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let readers: Vec<_> = (0..2)
        .map(|_| {
            let (stop, path) = (Arc::clone(&stop), dir.path().to_owned());
            std::thread::spawn(move || {
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    Knowledge::open(&path, &spec("e")).unwrap();
                }
            })
        })
        .collect();
    for n in 0..5 {
        let body = format!("Version {n}.");
        index(dir.path(), &[("a", &body)]);
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    for reader in readers {
        reader.join().unwrap();
    }
    let reader = Reader::default();
    let query = Query {
        words: &[("refund", 1.0)],
        vector: None,
        mode: Mode::Fused,
        fusion: Fusion::default(),
        reader: &reader,
        top: 3,
        without: &[],
    };
    assert_eq!(old.search(&query).unwrap().hits.len(), 1);
}

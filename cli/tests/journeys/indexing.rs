//! The index follows the articles, costs what has changed, and survives what befalls it.

use crate::bench::Bench;
use serde_json::Value;
use std::{fs, path::PathBuf, process::Stdio};

fn figures(indexed: &Value) -> [u64; 3] {
    ["articles", "passages", "embedded"].map(|name| indexed[name].as_u64().unwrap())
}

fn found(bench: &Bench, question: &str) -> String {
    bench.json(&["search", question, "--mode", "words"]).to_string()
}

#[test]
fn only_what_has_changed_is_embedded() {
    let bench = Bench::vannerly();
    let [articles, passages, embedded] = figures(&bench.json(&["index"]));
    assert!(articles >= 30 && passages > articles && embedded > 0 && embedded <= passages);
    assert_eq!(figures(&bench.json(&["index"])), [articles, passages, 0]);

    let name = "desk/articles/billing/payment-methods.md";
    let text = bench.read(name);
    bench.write(name, &format!("{text}\n\n## Barter\n\nWe also take well-kept zebras.\n"));
    let [same, more, embedded] = figures(&bench.json(&["index"]));
    assert_eq!((same, more), (articles, passages + 1));
    assert_eq!(embedded, 1, "the new section is one passage; the others are as they were");
    assert!(found(&bench, "zebras").contains("payment-methods"));

    fs::remove_file(bench.home().join(name)).unwrap();
    let [fewer, _, embedded] = figures(&bench.json(&["index"]));
    assert_eq!((fewer, embedded), (articles - 1, 0));
    assert!(!found(&bench, "PayPal credit card").contains("payment-methods"), "it has vanished");
    assert!(!found(&bench, "zebras").contains("zebras"));
}

#[test]
fn first_questions_asked_at_once_wait_for_one_index() {
    let bench = Bench::vannerly();
    let ask = || {
        let mut command = bench.command();
        command.args(["--desk", "desk", "ask", "Can I pay with PayPal?"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let running: Vec<_> = (0..4).map(|_| ask()).collect();
    for child in running {
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    }
    assert_eq!(figures(&bench.json(&["index"]))[2], 0);
}

#[test]
fn a_file_that_moves_keeps_its_id_and_its_vectors() {
    let bench = Bench::vannerly();
    bench.json(&["index"]);
    let articles = bench.desk().join("articles");
    fs::rename(articles.join("billing/payment-methods.md"), articles.join("pay.md")).unwrap();
    assert_eq!(figures(&bench.json(&["index"]))[2], 0);
    assert!(found(&bench, "PayPal credit card").contains("payment-methods"));
}

#[test]
fn other_folders_can_be_named() {
    let bench = Bench::starter();
    bench.write("more/tea.md", "# Tea\n\nTea takes three minutes.\n");
    bench.write("most/cake.md", "# Cake\n\nCake takes an hour.\n");
    assert_eq!(figures(&bench.json(&["index", "--articles", "more", "most"]))[0], 2);
    assert!(found(&bench, "tea minutes").contains("three minutes"));
    bench.on_desk(&["index", "--articles", "absent"]).refuses(&["absent"]);
    assert!(found(&bench, "tea minutes").contains("three minutes"), "the old index stands");
}

#[test]
fn another_embedder_embeds_everything_anew() {
    let bench = Bench::starter();
    let [_, passages, _] = figures(&bench.json(&["index"]));
    let manifest = generation(&bench).join("manifest.json");
    let text = fs::read_to_string(&manifest).unwrap();
    assert!(text.contains("hashed-1"), "the manifest names the embedder: {text}");
    // What another embedder would have left: an index that this desk cannot read.
    let bench = bench.with("FRONTDESK_ARTICLES_INDEX", "other");
    assert_eq!(figures(&bench.json(&["index"])), [3, passages, passages]);
}

fn index_folder(bench: &Bench) -> PathBuf {
    bench.desk().join(".frontdesk/index")
}

/// The folder of the generation in force.
fn generation(bench: &Bench) -> PathBuf {
    let pointer = fs::read_to_string(index_folder(bench).join("CURRENT")).unwrap();
    index_folder(bench).join(pointer.split_whitespace().next().unwrap())
}

fn files(folder: &std::path::Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(self::files(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

#[test]
fn a_damaged_file_is_noticed_whichever_it_is_and_the_index_built_anew() {
    let bench = Bench::starter();
    let [_, passages, _] = figures(&bench.json(&["index"]));
    let n_files = files(&generation(&bench)).len();
    assert!(n_files > 5);
    for number in 0..n_files {
        // Rebuilding makes a new generation with new names: take the file by its place.
        let Some(file) = files(&generation(&bench)).into_iter().nth(number) else { break };
        let mut bytes = fs::read(&file).unwrap();
        if bytes.is_empty() {
            continue;
        }
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x55;
        fs::write(&file, bytes).unwrap();
        let ran = bench.on_desk(&["index", "--json"]);
        assert_eq!(ran.code, Some(0), "{}: {ran:?}", file.display());
        assert!(ran.err.contains("the index was damaged"), "{}: {ran:?}", file.display());
        assert!(ran.err.contains("built anew"), "{ran:?}");
        assert_eq!(figures(&ran.document()), [3, passages, passages], "{}", file.display());
    }
    fs::write(index_folder(&bench).join("CURRENT"), "nonsense").unwrap();
    let ran = bench.on_desk(&["ask", "How do I change my password?", "--json"]);
    assert!(ran.err.contains("the index is damaged"), "a question mends it too: {ran:?}");
    assert_eq!(ran.document()["articles"][0], "change-your-password");
    assert_eq!(figures(&bench.json(&["index"]))[2], 0);
}

#[test]
fn a_kill_at_any_moment_leaves_an_index_that_works() {
    let bench = Bench::starter();
    bench.json(&["index"]);
    for number in 0..400 {
        let text = format!("# Article {number}\n\nThe zebra number {number} has stripes.\n\n");
        let text = text.clone() + &format!("## Part\n\nMore on stripe {number}.\n").repeat(8);
        bench.write(&format!("desk/articles/many/{number}.md"), &text);
    }
    let mut n_killed = 0;
    for moment in 0..6 {
        bench.write("desk/articles/new.md", &format!("# New {moment}\n\nNews of {moment}.\n"));
        let before = names(&index_folder(&bench));
        let mut child = bench
            .command()
            .args(["--desk", "desk", "index"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // A moment is what can be seen from outside: what the writer has made so far.
        let is_time = || {
            let made: Vec<String> =
                names(&index_folder(&bench)).into_iter().filter(|n| !before.contains(n)).collect();
            let written = |n: &String| n.starts_with("tmp-");
            let building = made.iter().find(|n| written(n));
            let n_files = building.map_or(0, |n| entries(&index_folder(&bench).join(n)));
            match moment {
                0 => true,
                1 => building.is_some(),
                2 => n_files >= 2,
                3 => n_files >= 8,
                4 => made.iter().any(|n| n.starts_with("gen-")),
                _ => made.iter().any(|n| n == "CURRENT.tmp"),
            }
        };
        while child.try_wait().unwrap().is_none() && !is_time() {
            std::thread::yield_now();
        }
        n_killed += usize::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        let answer = bench.ask("How do I change my password?");
        let found = answer["articles"].as_array().unwrap();
        assert!(found.iter().any(|a| a == "change-your-password"), "moment {moment}: {answer:#}");
    }
    assert!(n_killed >= 3, "only {n_killed} runs were still going when they were to be killed");
    assert_eq!(bench.json(&["index"])["articles"], 404);
    assert_eq!(figures(&bench.json(&["index"]))[2], 0);
    let left: Vec<_> = fs::read_dir(index_folder(&bench)).unwrap().map(|e| e.unwrap()).collect();
    assert_eq!(left.len(), 3, "CURRENT, lock and one generation, nothing else: {left:?}");
}

/// Counts everything below a folder; what vanishes meanwhile is not counted.
fn entries(folder: &std::path::Path) -> usize {
    let Ok(found) = fs::read_dir(folder) else { return 0 };
    found.flatten().map(|e| 1 + if e.path().is_dir() { entries(&e.path()) } else { 0 }).sum()
}

/// Names in a folder.
fn names(folder: &std::path::Path) -> Vec<String> {
    let found = fs::read_dir(folder).unwrap().flatten();
    found.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

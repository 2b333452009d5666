//! The documents say what is so: their commands run, their settings load, their links lead
//! somewhere.

use crate::{
    bench::{Bench, Ran, copy, repository},
    intercom::There,
};
use bot::config::{Config, DEFAULTS};
use router::{Catalogue, Known, Rule};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

/// A fenced block: the language behind the fence, its text, and the line where it begins.
pub(crate) struct Block {
    pub(crate) language: String,
    pub(crate) text: String,
    line: usize,
}

/// README, ARCHITECTURE, CHANGELOG, everything in docs, and the READMEs of the examples.
fn documents() -> Vec<PathBuf> {
    let top = repository();
    let names = [
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "examples/README.md",
        "examples/vannerly/README.md",
        "examples/vannerly-trials/README.md",
    ];
    let mut documents: Vec<PathBuf> = names.map(|name| top.join(name)).into();
    documents.extend(markdown_below(&top.join("docs")));
    documents
}

fn markdown_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(markdown_below(&path));
        } else if path.extension().is_some_and(|e| e == "md" || e == "mdx") {
            found.push(path);
        }
    }
    found.sort();
    found
}

pub(crate) fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open: Option<Block> = None;
    for (number, line) in text.lines().enumerate() {
        match (line.trim_start().strip_prefix("```"), &mut open) {
            (Some(language), None) => {
                let language = language.trim().to_string();
                open = Some(Block { language, text: String::new(), line: number + 1 });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(block)) => block.text.push_str(&format!("{line}\n")),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a fence is never closed");
    blocks
}

/// Splits a command line as a shell does, as far as the documents need it.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut quote, mut open) = (vec![String::new()], None, false);
    for character in line.chars() {
        let last = words.last_mut().unwrap();
        match (character, quote) {
            ('"' | '\'', None) => (quote, open) = (Some(character), true),
            (c, Some(q)) if c == q => quote = None,
            (' ', None) if open || !last.is_empty() => {
                words.push(String::new());
                open = false;
            }
            (' ', None) => {}
            ('#', None) if last.is_empty() => break,
            (c, _) => last.push(c),
        }
    }
    if !open && words.last().is_some_and(String::is_empty) {
        words.pop();
    }
    words
}

/// The commands of a block, continued lines joined.
fn commands(block: &Block) -> Vec<String> {
    let joined = block.text.replace("\\\n", " ");
    let lines = joined.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
    lines.map(str::to_string).collect()
}

/// A folder with the examples and the evals' data in it, as a reader of the documents has one.
pub(crate) fn checkout() -> Bench {
    let bench = Bench::empty();
    for folder in ["examples", "evals/data"] {
        copy(&repository().join(folder), &bench.home().join(folder));
    }
    if has_model() {
        let folder = repository().join(".frontdesk/models").canonicalize().unwrap();
        bench
            .with("FRONTDESK_EMBEDDER_KIND", "")
            .with("FRONTDESK_MODELS_FOLDER", folder.to_str().unwrap())
    } else {
        let what = "without the default model the documents run with the hashed embedder";
        writeln!(std::io::stderr(), "{what}").unwrap();
        bench
    }
}

pub(crate) fn has_model() -> bool {
    repository().join(".frontdesk/models/all-minilm-l6-v2/model.safetensors").is_file()
}

/// Runs one command of a document; says what is wrong with it.
fn run(bench: &Bench, line: &str) -> Result<(), String> {
    let mut words = words(line);
    let mut command = bench.command();
    while let Some((name, value)) = words.first().and_then(|w| w.split_once('=')) {
        if !name.starts_with("FRONTDESK_") {
            break;
        }
        command.env(name, value);
        words.remove(0);
    }
    let Some((program, arguments)) = words.split_first() else { return Ok(()) };
    match program.as_str() {
        "frontdesk" => {}
        "cp" => {
            let [from, to] = arguments else { return Err("cp takes two files here".into()) };
            let copied = fs::copy(bench.home().join(from), bench.home().join(to));
            return copied.map(drop).map_err(|e| e.to_string());
        }
        "cargo" | "pip" | "cd" | "git" => return Ok(()),
        script if ["./", ".ci/", "scripts/"].iter().any(|folder| script.starts_with(folder)) => {
            let found = repository().join(script).is_file();
            return if found { Ok(()) } else { Err(format!("{script} is not in the repository")) };
        }
        other => return Err(format!("{other} is none of the programs that documents may name")),
    }
    let has = |word: &str| arguments.iter().any(|a| a == word);
    if has("--watch") || has("serve") {
        // They would not end; `watching` and `serving` try them.
        return Ok(());
    }
    if has("pull") {
        let known = bench.run(&["models", "list"]).out;
        let name = arguments.last().cloned().unwrap_or_default();
        return if known.contains(&name) { Ok(()) } else { Err(format!("no model {name}")) };
    }
    if has("eval") && !has("topics") {
        // Hundreds of answers; the words of the command are what is tried here.
        command.env("FRONTDESK_EMBEDDER_KIND", "hashed").env("FRONTDESK_ARTICLES_INDEX", ".hashed");
    }
    let temporary = format!("{}/", bench.home().display());
    let arguments: Vec<String> = arguments
        .iter()
        .map(|a| a.strip_prefix("/tmp/").map_or_else(|| a.clone(), |a| format!("{temporary}{a}")))
        .collect();
    let ran = Ran::of(command.args(&arguments));
    match ran.code {
        Some(0 | 1) => Ok(()),
        code => Err(format!("exit code {code:?}: {}", ran.err)),
    }
}

#[test]
fn every_command_in_the_documents_runs() {
    let mut wrong = Vec::new();
    let mut n_run = 0;
    let there = There::of(checkout());
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for block in blocks(&text).iter().filter(|b| b.language == "sh") {
            for line in commands(block) {
                n_run += 1;
                if let Err(why) = run(&there.bench, &line) {
                    wrong.push(format!("{}:{}: {line}: {why}", document.display(), block.line));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(n_run > 10, "{n_run} commands found");
}

/// Languages of blocks that are tried, here or where the second part says, or that run nothing.
const LANGUAGES: [(&str, &str); 10] = [
    ("sh", ""),
    ("toml", ""),
    ("json", ""),
    ("console", ""),
    ("text", ""),
    ("html", ""),
    ("yaml", ""),
    ("python", "docs/messenger.md docs/webhooks.md"),
    ("js", "docs/messenger.md docs/webhooks.md"),
    ("php", "docs/messenger.md"),
];

#[test]
fn no_program_in_the_documents_goes_untried() {
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for Block { language, line, .. } in blocks(&text) {
            let place = format!("{}:{line}", document.display());
            let known = LANGUAGES.iter().find(|(name, _)| *name == language);
            let (_, tried) = known.unwrap_or_else(|| panic!("{place}: what is {language:?}?"));
            // `identity` runs those of the messenger, `bot` those of webhooks.
            let is_tried =
                tried.is_empty() || tried.split(' ').any(|page| document.ends_with(page));
            assert!(is_tried, "{place}: nothing runs {language} here");
        }
    }
}

/// Whether the architecture's `word` is a path of the repository, or the end of one.
fn is_path(word: &str, paths: &[String]) -> bool {
    let (word, stars) = (word.trim_end_matches('/'), word.split_once('*'));
    paths.iter().any(|path| match stars {
        Some((start, end)) => path.contains(&format!("/{start}")) && path.ends_with(end),
        None => path.ends_with(&format!("/{word}")) || path.contains(&format!("/{word}/")),
    })
}

#[test]
fn the_architecture_names_files_and_tests_that_exist() {
    let top = repository().canonicalize().unwrap();
    let listed = [
        "router",
        "knowledge",
        "models",
        "store",
        "bot",
        "intercom",
        "web",
        "evals",
        "cli",
        "tests",
    ];
    let mut paths: Vec<String> = Vec::new();
    let mut folders: Vec<PathBuf> = listed.iter().map(|folder| top.join(folder)).collect();
    folders.extend(["docs", "examples"].map(|folder| top.join(folder)));
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            paths.push(path.display().to_string());
            folders.extend(path.is_dir().then_some(path));
        }
    }
    let read = |path: &String| fs::read_to_string(path).unwrap();
    let sources: String = paths.iter().filter(|path| path.ends_with(".rs")).map(read).collect();
    let of_desks = ["frontdesk.toml", "articles/", "cases/", "messenger/"];
    let text = fs::read_to_string(top.join("ARCHITECTURE.md")).unwrap();
    for (number, line) in text.lines().enumerate() {
        for word in line.split('`').skip(1).step_by(2).filter(|word| !word.contains(' ')) {
            let is_test = word.matches('_').count() > 2 && !word.contains(['.', '/']);
            let is_file = word.contains('/') || [".rs", ".toml"].iter().any(|e| word.ends_with(e));
            let stands = (!is_test || sources.contains(&format!("fn {word}(")))
                && (!is_file || is_path(word, &paths) || top.join(word).exists());
            let known = stands || of_desks.contains(&word);
            assert!(known, "ARCHITECTURE.md:{}: there is no {word}", number + 1);
        }
    }
}

#[test]
fn every_setting_in_the_documents_loads() {
    let answers = Config::load(None, std::iter::empty()).unwrap().answers;
    let mut n_loaded = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for block in blocks(&text).iter().filter(|b| b.language == "toml") {
            let place = format!("{}:{}", document.display(), block.line);
            let path = Path::new("block.toml");
            let first = block.text.lines().next().unwrap_or_default();
            if first.contains("routing.toml") {
                let read = bot::read_playbook(path, &block.text, &answers);
                read.unwrap_or_else(|faults| panic!("{place}: {faults:?}"));
            } else if first.contains("frontdesk.toml") {
                Config::load(Some((path, &block.text)), std::iter::empty())
                    .unwrap_or_else(|faults| panic!("{place}: {faults:?}"));
            } else {
                panic!("{place}: its first line does not say which file it is");
            }
            n_loaded += 1;
        }
    }
    assert!(n_loaded > 3, "{n_loaded} blocks found");
}

#[test]
fn every_case_in_the_documents_is_a_case() {
    let bench = Bench::empty();
    let mut n_cases = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for block in blocks(&text).iter().filter(|b| b.language == "json") {
            if !block.text.contains("\"expect\"") {
                continue;
            }
            bench.write("cases.jsonl", &block.text);
            let cases = evals::read_cases(&[bench.home().join("cases.jsonl")]);
            n_cases += cases.unwrap_or_else(|e| panic!("{}: {e}", document.display())).len();
        }
    }
    assert!(n_cases > 0, "docs/evals.md shows none");
}

#[test]
fn the_table_of_settings_has_every_key_with_its_default() {
    let table = fs::read_to_string(repository().join("docs/configuration.md")).unwrap();
    let defaults: toml::Table = DEFAULTS.parse().unwrap();
    let mut n_keys = 0;
    for (group, entries) in &defaults {
        let Some(entries) = entries.as_table() else {
            let variable = format!("FRONTDESK_{}", group.to_uppercase());
            let row = format!("| `{group}` | `{entries}` | `{variable}` | ");
            assert!(table.contains(&row), "docs/configuration.md has no row {row}");
            n_keys += 1;
            continue;
        };
        for (key, default) in entries {
            let variable = format!("FRONTDESK_{}_{}", group.to_uppercase(), key.to_uppercase());
            let row = format!("| `{group}.{key}` | `{default}` | `{variable}` | ");
            assert!(table.contains(&row), "docs/configuration.md has no row {row}");
            n_keys += 1;
        }
    }
    let rows = table.lines().filter(|l| l.contains("| `FRONTDESK_")).count();
    assert_eq!(rows, n_keys, "docs/configuration.md has rows of keys that do not exist");
}

#[test]
fn every_fact_and_every_consequence_is_documented_and_used_by_the_sample_company() {
    let page = fs::read_to_string(repository().join("docs/routing.md")).unwrap();
    let sample = repository().join("examples/vannerly/routing.toml");
    let sample = fs::read_to_string(sample).unwrap();
    let none = std::collections::BTreeMap::new();
    let facts = Catalogue::new([], [], &none).unwrap();
    for fact in facts.facts() {
        let kind = format!("{:?}", fact.kind).to_lowercase();
        let known = match fact.known {
            Known::Always => "always",
            Known::Sometimes => "sometimes",
            Known::AfterDraft => "after the draft",
        };
        let row = format!("| `{}` | {kind} | {known} | {}", fact.name, fact.about);
        assert!(page.contains(&row), "docs/routing.md has no row {row}");
        assert!(sample.contains(&fact.name), "the sample company never asks for {}", fact.name);
    }
    let rows = page.lines().filter(|line| {
        ["| always |", "| sometimes |", "| after the draft |"].iter().any(|k| line.contains(k))
    });
    assert_eq!(rows.count(), facts.facts().len(), "docs/routing.md has facts that do not exist");
    // The parser lists what it knows when it meets what it does not.
    let unknown = toml::from_str::<Rule>("name = \"x\"\nthen = { nothing_of_the_kind = 1 }");
    let error = unknown.unwrap_err().to_string();
    let keys: Vec<&str> = error.split('`').skip(3).step_by(2).collect();
    assert!(keys.contains(&"hand_off") && keys.contains(&"return_to_bot"), "{error}");
    let parsed: toml::Table = toml::from_str(&sample).unwrap();
    let of = |list: &str, key: &str| -> Vec<toml::Value> {
        let items = parsed[list].as_array().unwrap().iter();
        items.filter_map(|item| item.get(key).cloned()).collect()
    };
    let consequences = of("rule", "then");
    for key in keys {
        assert!(page.contains(&format!("| `{key} = ")), "docs/routing.md has no row for {key}");
        let used = consequences.iter().any(|then| then.get(key).is_some());
        assert!(used, "no rule of the sample company uses {key}");
    }
    for signal in router::signal_names() {
        assert!(page.contains(&format!("`{signal}`")), "docs/routing.md does not name {signal}");
    }
}

/// The name by which a heading is linked to.
fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || [' ', '-', '_'].contains(c);
    heading.trim().to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")
}

fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| anchor(line.trim_start_matches('#'))).collect()
}

/// Targets of the links of a Markdown text, outside code.
fn links(text: &str) -> Vec<String> {
    let mut fenced = false;
    let mut links = Vec::new();
    for line in text.lines() {
        fenced ^= line.trim_start().starts_with("```");
        if fenced {
            continue;
        }
        let prose: String = line.split('`').step_by(2).collect();
        for after in prose.split("](").skip(1) {
            links.extend(after.split(')').next().map(str::to_string));
        }
    }
    links
}

#[test]
fn every_link_leads_somewhere() {
    let mut wrong = Vec::new();
    let examples = markdown_below(&repository().join("examples"));
    for document in documents().into_iter().chain(examples) {
        let text = fs::read_to_string(&document).unwrap();
        for link in links(&text) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (path, name) = link.split_once('#').unwrap_or((&link, ""));
            let target = match path {
                "" => document.clone(),
                path => document.parent().unwrap().join(path),
            };
            let leads = target.exists()
                && (name.is_empty()
                    || anchors(&fs::read_to_string(&target).unwrap()).iter().any(|a| a == name));
            if !leads {
                wrong.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "links that lead nowhere:\n{}", wrong.join("\n"));
}

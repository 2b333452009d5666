//! The plan of the house, read from every Cargo.toml and every source file.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// Crate folder, and the crates of ours that it may import.
const PLAN: [(&str, &[&str]); 10] = [
    ("router", &[]),
    ("knowledge", &[]),
    ("models", &[]),
    ("store", &["router"]),
    ("bot", &["router", "knowledge", "models", "store"]),
    ("intercom", &["router", "store", "bot"]),
    ("web", &["router", "store", "bot"]),
    ("evals", &["router", "knowledge", "models", "bot"]),
    ("cli", &["router", "knowledge", "models", "store", "bot", "intercom", "web", "evals"]),
    ("tests", &["router", "knowledge", "models", "store", "bot", "intercom", "web", "evals"]),
];

/// Crates of others that must stay out: what would make a pure crate async, slow to build, or
/// dependent on a model.
const ABSENT: [(&str, &[&str]); 7] = [
    ("router", &["tokio", "candle-core", "tantivy", "sqlx", "axum", "reqwest", "async-trait"]),
    (
        "knowledge",
        &["tokio", "candle-core", "tokenizers", "sqlx", "axum", "reqwest", "async-trait"],
    ),
    ("models", &["tantivy", "sqlx", "axum"]),
    ("bot", &["axum", "sqlx", "tantivy"]),
    ("intercom", &["axum", "sqlx", "tantivy", "candle-core"]),
    ("web", &["sqlx", "tantivy", "candle-core"]),
    ("evals", &["axum", "sqlx", "tantivy", "candle-core"]),
];

const LINES_AT_MOST: usize = 500;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 10] = [
    "utils",
    "util",
    "helpers",
    "common",
    "types",
    "manager",
    "service",
    "handler",
    "processor",
    "misc",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn manifest(folder: &str) -> toml::Table {
    let path = root().join(folder).join("Cargo.toml");
    std::fs::read_to_string(&path).unwrap().parse().unwrap()
}

fn dependencies(folder: &str) -> BTreeSet<String> {
    let manifest = manifest(folder);
    let tables =
        ["dependencies", "build-dependencies"].iter().filter_map(|name| manifest.get(*name));
    tables.flat_map(|table| table.as_table().unwrap().keys().cloned()).collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

fn all_sources() -> Vec<(String, PathBuf)> {
    let crates = PLAN.iter().flat_map(|(folder, _)| {
        sources(&root().join(folder)).into_iter().map(|file| ((*folder).to_string(), file))
    });
    crates.collect()
}

#[test]
fn the_workspace_has_the_crates_of_the_plan_and_no_others() {
    let members = manifest(".")["workspace"]["members"].as_array().unwrap().clone();
    let members: Vec<&str> = members.iter().map(|member| member.as_str().unwrap()).collect();
    assert_eq!(members, PLAN.map(|(folder, _)| folder));
}

#[test]
fn crates_import_only_what_the_plan_allows() {
    let ours: BTreeSet<&str> = PLAN.iter().map(|(folder, _)| *folder).collect();
    for (folder, allowed) in PLAN {
        for name in dependencies(folder) {
            let lawful = !ours.contains(name.as_str()) || allowed.contains(&name.as_str());
            assert!(lawful, "{folder} imports {name}; the plan forbids it");
        }
    }
    for (folder, absent) in ABSENT {
        for name in absent {
            assert!(
                !dependencies(folder).contains(*name),
                "{folder} imports {name}; the plan forbids it"
            );
        }
    }
}

#[test]
fn every_dependency_takes_its_version_from_the_root() {
    for (folder, _) in PLAN {
        let manifest = manifest(folder);
        for table in ["dependencies", "dev-dependencies"] {
            let Some(table) = manifest.get(table).and_then(toml::Value::as_table) else { continue };
            for (name, spec) in table {
                assert_eq!(
                    spec.get("workspace"),
                    Some(&toml::Value::Boolean(true)),
                    "{folder}: {name}"
                );
            }
        }
        assert_eq!(
            manifest["lints"]["workspace"].as_bool(),
            Some(true),
            "{folder} has its own lints"
        );
    }
}

#[test]
fn files_are_short_and_their_names_say_something() {
    for (_, file) in all_sources() {
        let n_lines = std::fs::read_to_string(&file).unwrap().lines().count();
        assert!(n_lines <= LINES_AT_MOST, "{} has {n_lines} lines", file.display());
        for part in file.components() {
            let part = part.as_os_str().to_string_lossy();
            let name = part.trim_end_matches(".rs");
            assert!(!EMPTY_NAMES.contains(&name), "{} has an empty name", file.display());
        }
    }
}

#[test]
fn one_file_reads_the_environment_and_pure_crates_read_no_clock() {
    for (folder, file) in all_sources() {
        let text = std::fs::read_to_string(&file).unwrap();
        let settings = folder == "cli" && file.ends_with("src/settings.rs");
        let reads = ["env::var(", "env::vars(", "env::var_os(", "env::vars_os("];
        let reads = reads.iter().any(|call| text.contains(call)) && !file.ends_with("house.rs");
        assert!(settings || !reads, "{} reads the environment", file.display());
        if folder == "router" || folder == "knowledge" {
            for clock in ["Instant::now", "SystemTime::now", "Timestamp::now", "async fn"] {
                assert!(!text.contains(clock), "{} has {clock}", file.display());
            }
        }
    }
}

#[test]
fn unsafe_code_lives_in_models_alone() {
    for (folder, file) in all_sources() {
        let text = std::fs::read_to_string(&file).unwrap();
        let has = text
            .lines()
            .any(|line| line.trim_start().starts_with("unsafe ") || line.contains("= unsafe {"));
        let lawful = folder == "models" || file.ends_with("house.rs");
        assert!(lawful || !has, "{} has unsafe code", file.display());
    }
}

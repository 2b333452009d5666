//! The same with the default model, where it is there: `./test` fetches it, a bare `cargo test`
//! says that it was left out.

use crate::bench::{Bench, repository};
use std::io::Write;

/// The desk of the sample company with all-MiniLM-L6-v2; `None`, and a line about it, without it.
fn bench() -> Option<Bench> {
    let folder = repository().join(".frontdesk/models");
    if !folder.join("all-minilm-l6-v2/model.safetensors").is_file() {
        // Straight to stderr, which the test harness does not swallow.
        let what = "left out: the default model is not in .frontdesk/models; ./test fetches it";
        writeln!(std::io::stderr(), "{what}").unwrap();
        return None;
    }
    let folder = folder.canonicalize().unwrap();
    let bench = Bench::vannerly().with("FRONTDESK_EMBEDDER_KIND", "local");
    Some(bench.with("FRONTDESK_MODELS_FOLDER", folder.to_str().unwrap()))
}

#[test]
fn the_default_model_finds_what_is_said_in_other_words() {
    let Some(bench) = bench() else { return };
    let verified = bench.on_desk(&["models", "verify", "all-minilm-l6-v2"]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
    let indexed = bench.json(&["index"]);
    assert_eq!(indexed["embedded"], indexed["passages"]);
    assert_eq!(bench.json(&["index"])["embedded"], 0, "nothing changed, nothing is embedded");
    let hits = bench.json(&["search", "get my money back", "--mode", "meaning"]);
    let first: Vec<&str> = hits["hits"]
        .as_array()
        .unwrap()
        .iter()
        .take(3)
        .map(|hit| hit["article"].as_str().unwrap())
        .collect();
    assert!(first.contains(&"refunds"), "{first:?}");
    let answer = bench.ask("Our script gets 429, how many calls a minute do we have on Team?");
    assert_eq!(answer["sources"][0]["article"], "api-rate-limits", "{answer:#}");
    let answer = bench.json(&["ask", "How do I connect SCIM?", "--plan", "enterprise"]);
    assert_eq!(answer["sources"][0]["article"], "scim-provisioning", "{answer:#}");
    let answer = bench.ask("How do I connect SCIM?");
    assert!(!answer.to_string().contains("scim-provisioning"), "{answer:#}");
}

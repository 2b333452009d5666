//! The sample company shows everything that routing can do, and goes the ways it says.

use crate::{
    bench::repository,
    documents::{checkout, has_model},
};
use std::fs;

fn routing(desk: &str) -> toml::Table {
    let file = repository().join("examples").join(desk).join("routing.toml");
    toml::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

#[test]
fn every_key_of_routing_is_used_by_the_sample_company() {
    let parsed = routing("vannerly");
    let of = |list: &str, key: &str| -> Vec<toml::Value> {
        let items = parsed[list].as_array().unwrap().iter();
        items.filter_map(|item| item.get(key).cloned()).collect()
    };
    let members = || of("team", "member").into_iter().flat_map(|list| list.as_array().cloned());
    let member = |key: &str| members().flatten().filter_map(|m| m.get(key).cloned()).count();
    for key in ["languages", "capacity", "may_reply"] {
        assert!(member(key) > 0, "no member at the sample company has {key}");
    }
    for (list, keys) in [
        ("team", "capacity languages assignment sla owns hours when_closed known_as"),
        ("sla", "first_reply next_reply resolution"),
        ("topic", "name team examples"),
        ("signal", "phrases not_phrases examples counter_examples confidence"),
        ("reply", "text buttons"),
        ("question", "text buttons"),
        ("webhook", "url events"),
        ("rule", "when then stop"),
    ] {
        for key in keys.split(' ') {
            assert!(!of(list, key).is_empty(), "no [[{list}]] of the sample company has {key}");
        }
    }
    for key in ["unsure", "bot_turns", "without"] {
        assert!(parsed["ladder"].get(key).is_some(), "the sample company has no ladder.{key}");
    }
    // What excludes something of that is at its other desk.
    let other = routing("vannerly-trials");
    assert_eq!(parsed["ladder"]["unsure"].as_str(), Some("hand_off"));
    assert_eq!(other["ladder"]["unsure"].as_str(), Some("offer"));
    assert!(parsed.get("topic_model").is_none() && other.get("topic_model").is_some());
}

#[test]
fn the_sample_company_routes_every_case_as_it_expects() {
    let bench = checkout();
    let file = "examples/vannerly/cases/routes.jsonl";
    let ran = bench.run(&["--desk", "examples/vannerly", "rules", "test", "--cases", file]);
    if has_model() {
        assert_eq!(ran.code, Some(0), "{}\n{}", ran.out, ran.err);
    } else {
        // The hashed embedder is less sure of its answers than the cases expect.
        assert!(matches!(ran.code, Some(0 | 1)), "{ran:?}");
    }
}

#[test]
fn the_small_desk_learns_its_topics_and_offers_a_person_first() {
    let bench = checkout();
    let on_desk =
        |args: &[&str]| bench.run(&[&["--desk", "examples/vannerly-trials"], args].concat());
    let (past, folder) = ("examples/vannerly/messages.jsonl", "examples/vannerly-trials/topics");
    // Somebody may have tried it here already.
    fs::remove_dir_all(bench.home().join(folder)).ok();
    let untrained = on_desk(&["check"]);
    assert_eq!(untrained.code, Some(1), "{untrained:?}");
    assert!(untrained.out.contains("train it with `frontdesk topics train`"), "{untrained:?}");
    let trained = on_desk(&["topics", "train", "--train", past, "-o", folder]);
    assert_eq!((trained.code, on_desk(&["check"]).code), (Some(0), Some(0)), "{trained:?}");
    let tested = on_desk(&["rules", "test"]);
    if has_model() {
        assert_eq!(tested.code, Some(0), "{}\n{}", tested.out, tested.err);
        assert!(tested.out.contains("4 of 4 routes are as expected"), "{tested:?}");
    } else {
        assert!(matches!(tested.code, Some(0 | 1)), "{tested:?}");
    }
}

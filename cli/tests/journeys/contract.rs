//! The contract that people script against: names of commands and fields, exit codes, and one
//! JSON document on stdout.

use crate::bench::{Bench, Ran};
use serde_json::Value;

/// Checks that an object has these fields, each of the kind that its letter says: s text, n number,
/// b true or false, a list, o object, ? after it: or null.
fn check(object: &Value, expected: &str) {
    for field in expected.split_whitespace() {
        let (name, kind) = field.split_once(':').unwrap();
        let value = object.get(name).unwrap_or_else(|| panic!("no {name} in {object:#}"));
        let lawful = match kind.trim_end_matches('?') {
            "s" => value.is_string(),
            "n" => value.is_number(),
            "b" => value.is_boolean(),
            "a" => value.is_array(),
            "o" => value.is_object(),
            _ => false,
        };
        assert!(lawful || (kind.ends_with('?') && value.is_null()), "{name} in {object:#}");
    }
}

fn first<'a>(document: &'a Value, list: &str) -> &'a Value {
    document[list].get(0).unwrap_or_else(|| panic!("{list} is empty in {document:#}"))
}

#[test]
fn the_first_steps_of_a_newcomer_work_in_order() {
    let bench = Bench::starter().confident(4.0);
    let indexed = bench.on_desk(&["index"]);
    assert!(indexed.out.starts_with("3 articles, "), "{indexed:?}");
    let answer = bench.on_desk(&["ask", "How do I change my password?", "--explain"]);
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert!(answer.out.contains("Choose Change password."), "{answer:?}");
    assert!(answer.out.contains("[1] Change your password"), "{answer:?}");
    assert!(answer.out.contains("Confidence 0.98"), "{answer:?}");
    let found = bench.on_desk(&["search", "VAT number", "--mode", "words", "--top", "1"]);
    assert!(found.out.starts_with("1. Find and change your invoices"), "{found:?}");
    let checked = bench.on_desk(&["check"]);
    assert_eq!((checked.code, checked.out.trim()), (Some(0), "all is well"), "{checked:?}");
    let tried = bench.on_desk(&["eval", "run", "--cases", "desk/cases/cases.jsonl", "-o", "out"]);
    assert_eq!(tried.code, Some(0), "{tried:?}");
    assert!(tried.out.contains("act_accuracy"), "{tried:?}");
}

#[test]
fn a_first_question_needs_no_other_command() {
    let bench = Bench::starter();
    let ran = bench.on_desk(&["--json", "ask", "How do I change my password?"]);
    assert_eq!(ran.document()["articles"][0], "change-your-password");
    assert!(ran.err.contains("indexing the articles now"), "{ran:?}");
}

#[test]
fn answers_have_the_fields_of_the_contract() {
    let bench = Bench::starter().confident(4.0);
    let answer = bench.ask("How do I change my password?");
    check(
        &answer,
        "act:s text:s sources:a confidence:n team:s? topic:s? reasons:a evidence:o timings_ms:o",
    );
    check(first(&answer, "sources"), "article:s title:s url:s? quote:s");
    check(&answer["timings_ms"], "search:n draft:n total:n");
    assert_eq!(answer["act"], "reply");
    assert_eq!(answer["team"], Value::Null, "nobody takes over what was answered");
    let quote = first(&answer, "sources")["quote"].as_str().unwrap();
    assert!(answer["text"].as_str().unwrap().contains(quote), "{answer:#}");
    let confidence = answer["confidence"].as_f64().unwrap();
    assert!((0.0..=1.0).contains(&confidence), "{confidence}");
    assert!(answer["evidence"].as_object().unwrap().values().all(Value::is_number));
    assert!(first(&answer, "reasons").as_str().unwrap().contains("reaches the threshold"));
}

#[test]
fn a_doubtful_answer_goes_to_the_team_that_owns_the_question() {
    let bench = Bench::starter().confident(-4.0);
    let answer = bench.ask("Why was my invoice charged twice?");
    assert_eq!(answer["act"], "handoff");
    assert_eq!(answer["team"], "billing");
    assert!(answer["confidence"].as_f64().unwrap() < 0.1, "the draft's, though it is not sent");
    let reasons = answer["reasons"].to_string();
    assert!(reasons.contains("below the threshold"), "{reasons}");
    let bench = bench.with("FRONTDESK_ANSWERS_REPLIES", "false");
    assert_eq!(bench.ask("Where is my invoice?")["act"], "draft");
    // A rule hands over all the same, and the customer hears nothing of it.
    let person = "I want to talk to a person, please";
    let silent = bench.ask(person);
    assert_eq!((&silent["act"], &silent["message"]), (&"handoff".into(), &Value::Null));
    let shown = bench.on_desk(&["ask", person]);
    assert!(shown.out.contains("→ the customer reads nothing"), "{shown:?}");
}

#[test]
fn a_rule_decides_before_any_answer_and_says_so() {
    let answer = Bench::starter().confident(4.0).ask("I want to TALK TO A  person, please");
    assert_eq!((&answer["act"], &answer["team"]), (&"handoff".into(), &"support".into()));
    assert_eq!(answer["reasons"][0], "rule \"Asks for a person\" fits");
}

#[test]
fn index_search_check_and_models_have_the_fields_of_the_contract() {
    let bench = Bench::starter();
    bench.write("desk/articles/broken.md", "a\0b");
    let indexed = bench.json(&["index"]);
    check(&indexed, "articles:n passages:n embedded:n skipped:a notes:a seconds:n");
    assert_eq!(indexed["articles"], 3);
    check(first(&indexed, "skipped"), "path:s reason:s");

    let found = bench.json(&["search", "cancel my plan", "--top", "2"]);
    assert_eq!(found["hits"].as_array().unwrap().len(), 2);
    check(first(&found, "hits"), "article:s heading:s text:s score:n found_by:s");
    assert_eq!(first(&found, "hits")["article"], "cancel-or-change-plan");

    let checked = bench.on_desk(&["check", "--json"]);
    assert_eq!(checked.code, Some(1), "a check that finds something says no: {checked:?}");
    check(first(&checked.document(), "findings"), "severity:s file:s line:n? what:s mend:s");

    let made = bench.run(&["--json", "init", "other"]).document();
    assert_eq!(made["desk"], "other");
    check(&made, "files:a");

    let listed = bench.json(&["models", "list"]);
    check(first(&listed, "models"), "name:s kind:s licence:s bytes:n state:s");
    check(&bench.json(&["models", "verify"]), "files:a");
}

#[test]
fn exit_codes_are_those_of_the_contract() {
    let bench = Bench::starter();
    let check = |arguments: &[&str], expected: i32| {
        let ran = bench.run(arguments);
        assert_eq!(ran.code, Some(expected), "{arguments:?}: {ran:?}");
        ran
    };
    check(&["--help"], 0);
    check(&["--version"], 0);
    check(&["--desk", "desk", "models", "verify", "all-minilm-l6-v2"], 1);
    check(&["--desk", "desk", "models", "verify", "no-such-model"], 2);
    check(&["--desk", "desk", "models", "pull", "no-such-model"], 2);
    let (mode, top) = (["search", "x", "--mode", "y"], ["search", "x", "--top", "0"]);
    for wrong in [&["frobnicate"][..], &[], &["ask"], &mode, &top] {
        check(wrong, 2).refuses(&["help"]);
    }
    check(&["--desk", "desk", "--json", "chat"], 2).refuses(&["ask --json"]);
    check(&["init", "desk"], 2).refuses(&["is there already"]);
    check(&["--desk", "nowhere", "index"], 2).refuses(&["nowhere is no folder", "frontdesk init"]);
}

#[test]
fn nothing_but_the_document_is_on_stdout_with_the_most_talkative_log() {
    let bench = Bench::starter().with("FRONTDESK_LOG_LEVEL", "trace");
    for arguments in [
        &["index"][..],
        &["ask", "How do I change my password?"],
        &["search", "invoice"],
        &["check"],
        &["models", "list"],
        &["eval", "run", "--cases", "desk/cases/cases.jsonl", "-o", "out"],
        &["eval", "retrieval", "--cases", "desk/cases/cases.jsonl"],
    ] {
        bench.json(arguments);
    }
    let lines = |format: &str| {
        let bench = Bench::starter().with("FRONTDESK_LOG_LEVEL", "trace");
        let ran = bench.with("FRONTDESK_LOG_FORMAT", format).on_desk(&["index", "--json"]);
        assert!(ran.err.lines().count() > 1 && !ran.err.contains('\u{1b}'), "{ran:?}");
        ran.document();
        ran.err
    };
    lines("text");
    let log = lines("json");
    assert!(log.lines().all(|l| serde_json::from_str::<Value>(l).is_ok()), "{log}");
}

#[test]
fn a_reader_who_goes_away_is_no_failure() {
    use std::process::Stdio;
    let bench = Bench::vannerly();
    bench.json(&["index"]);
    let mut child = bench
        .command()
        .args(["--desk", "desk", "search", "plan", "--top", "60"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    let ran = Ran { code: output.status.code(), out: String::new(), err };
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
}

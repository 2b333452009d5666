//! Topics are learnt from labelled messages, kept, and measured.

use crate::bench::{Bench, Ran};
use serde_json::Value;
use std::fmt::Write;

/// Messages about three topics and about none: every fourth is for measuring.
fn messages() -> String {
    let topics = [
        ("refund", ["I want a refund", "refund my order", "give me the money back", "money back"]),
        ("password", ["reset my password", "password forgotten", "new password", "login password"]),
        ("parcel", ["where is my parcel", "parcel lost", "track the parcel", "late parcel"]),
        ("invoice", ["send the invoice", "invoice as PDF", "an invoice for May", "wrong invoice"]),
    ];
    let mut text = String::new();
    for (topic, starts) in topics {
        for (i, end) in ["please", "today", "now", "thanks"].iter().enumerate() {
            for start in starts {
                let split = if i == 3 { "test" } else { "train" };
                writeln!(
                    text,
                    r#"{{"text": "{start} {end}", "topic": "{topic}", "split": "{split}"}}"#
                )
                .unwrap();
            }
        }
    }
    for noise in ["xylophone quartz", "zebra kwijibo", "flumox grumpf"] {
        writeln!(text, r#"{{"text": "{noise}", "topic": null, "split": "test"}}"#).unwrap();
    }
    text
}

fn bench() -> Bench {
    let bench = Bench::empty();
    bench.write("m.jsonl", &messages());
    bench
}

fn eval(bench: &Bench, more: &[&str]) -> Ran {
    bench.run(&[&["topics", "eval", "--test", "m.jsonl", "-o", "out"], more].concat())
}

#[test]
fn what_is_learnt_is_kept_and_measured_as_what_is_learnt_on_the_way() {
    let bench = bench();
    let ran = bench.run(&["topics", "train", "--train", "m.jsonl", "-o", "kept", "--json"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let summary = ran.document();
    assert_eq!(summary, serde_json::from_str::<Value>(&bench.read("kept/summary.json")).unwrap());
    assert_eq!((&summary["topics"], &summary["examples"]), (&4.into(), &48.into()));
    let n_bytes = std::fs::metadata(bench.home().join("kept/topics.model")).unwrap().len();
    assert_eq!(summary["bytes"], n_bytes);
    assert!(
        summary["seconds"]["train"].is_number() && summary["rehearsed"]["accuracy"].is_object()
    );
    let on_the_way = eval(&bench, &["--train", "m.jsonl", "--json"]).document();
    let predictions = bench.read("out/predictions.jsonl");
    let kept = eval(&bench, &["--model", "kept", "--json"]).document();
    assert_eq!(on_the_way["figures"], kept["figures"]);
    assert_eq!(predictions, bench.read("out/predictions.jsonl"));
}

#[test]
fn predictions_and_summary_have_the_fields_of_the_contract() {
    let bench = bench();
    let ran = eval(&bench, &["--train", "m.jsonl", "--json"]);
    let summary = ran.document();
    assert_eq!(summary["tested"], 19);
    for name in
        ["accuracy", "none_recall", "none_precision", "macro_f1", "mcc", "auroc_none", "ece"]
    {
        let figure = &summary["figures"][name];
        let [value, low, high] = ["value", "low", "high"].map(|f| figure[f].as_f64().unwrap());
        assert!(low <= value && value <= high, "{name}: {figure}");
        assert!(figure["n"].as_u64().unwrap() > 0);
    }
    assert!(summary["figures"]["accuracy"]["value"].as_f64().unwrap() > 0.9, "{summary:#}");
    let lines = bench.read("out/predictions.jsonl");
    assert_eq!(lines.lines().count(), 19);
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(
            line["text"].is_string() && (0.0..=1.0).contains(&line["confidence"].as_f64().unwrap())
        );
        for name in ["topic", "predicted"] {
            assert!(line[name].is_string() || line[name].is_null(), "{line}");
        }
    }
    let table = eval(&bench, &["--train", "m.jsonl"]);
    for said in ["accuracy", "4 topics from 48 messages", "written: out"] {
        assert!(table.out.contains(said), "{table:?}");
    }
}

#[test]
fn shots_are_drawn_by_seed_and_names_are_learnt_too() {
    let bench = bench();
    let shots = |seed: &str, more: &[&str]| {
        let arguments = ["--train", "m.jsonl", "--shots", "2", "--seed", seed, "--json"];
        eval(&bench, &[&arguments, more].concat()).document()
    };
    let one = shots("1", &[]);
    assert_eq!((&one["examples"], &one["tested"]), (&8.into(), &19.into()));
    assert_eq!(one["figures"], shots("1", &[])["figures"]);
    assert_eq!(shots("1", &["--names"])["examples"], 12);
}

#[test]
fn what_was_learnt_is_not_measured() {
    let bench = bench();
    let plain = messages().replace(r#", "split": "train""#, "").replace(r#", "split": "test""#, "");
    bench.write("m.jsonl", &plain);
    let ran = eval(&bench, &["--train", "m.jsonl"]);
    ran.refuses(&["m.jsonl:1 would be learnt and measured", "--shots"]);
    let shots = eval(&bench, &["--train", "m.jsonl", "--shots", "5", "--json"]).document();
    assert_eq!(shots["examples"], 20);
    assert_eq!(shots["tested"], 67 - 20 - 3, "the three about no topic are drawn too");
}

#[test]
fn wrong_input_is_named_with_its_place_and_mend() {
    let bench = bench();
    let train = |file: &str, more: &[&str]| {
        bench.run(&[&["topics", "train", "--train", file, "-o", "kept"], more].concat())
    };
    train("absent.jsonl", &[]).refuses(&["absent.jsonl: cannot be read"]);
    bench.write("bad.jsonl", "{\"text\": \"x\"}\n{\"text\": 1, \"topic\": \"x\"}\n");
    train("bad.jsonl", &[])
        .refuses(&["bad.jsonl:1: topic: is missing", "bad.jsonl:2: text: is a n"]);
    bench.write("none.jsonl", "{\"text\": \"x\", \"topic\": null}\n");
    train("none.jsonl", &[]).refuses(&["no example with a topic"]);
    train("m.jsonl", &["--none-share", "1"]).refuses(&["share"]);
    train("m.jsonl", &["--none-share", "x"]).refuses(&["not a number between 0 and 1"]);
    eval(&bench, &["--model", "absent"]).refuses(&["topics.model", "frontdesk topics train"]);
    eval(&bench, &[]).refuses(&["--train"]);
    assert_eq!(train("m.jsonl", &[]).code, Some(0));
    let path = bench.home().join("kept/topics.model");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    eval(&bench, &["--model", "kept"]).refuses(&["topics.model: is damaged", "train it again"]);
}

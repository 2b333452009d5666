//! Cases through the whole path: what is written, what the gates say, what is wrong with a file.

use crate::bench::{Bench, Ran};
use serde_json::Value;
use std::{fs, io::Write, process::Stdio};

const CASES: &str = "desk/cases/cases.jsonl";

fn eval(bench: &Bench, more: &[&str]) -> Ran {
    bench.on_desk(&[&["eval", "run", "--cases", CASES, "-o", "out/new"], more].concat())
}

#[test]
fn results_have_a_line_for_each_case_with_the_fields_of_the_contract() {
    let bench = Bench::vannerly();
    let ran = eval(&bench, &[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let n_articles = bench.json(&["index"])["articles"].as_u64().unwrap();
    let cases = bench.read(CASES);
    let results = bench.read("out/new/results.jsonl");
    assert_eq!(results.lines().count(), cases.lines().count());
    assert!(n_articles > 10);
    for (case, line) in cases.lines().zip(results.lines()) {
        let (case, result): (Value, Value) =
            (serde_json::from_str(case).unwrap(), serde_json::from_str(line).unwrap());
        assert_eq!(result["id"], case["id"], "in the order of the cases");
        let acts = ["reply", "clarify", "offer", "handoff", "draft", "hold", "ignore", "resolve"];
        assert!(acts.contains(&result["act"].as_str().unwrap()), "{line}");
        assert!((0.0..=1.0).contains(&result["confidence"].as_f64().unwrap()), "{line}");
        assert!(result["text"].is_string() && result["sources"].is_array(), "{line}");
        assert!(result["team"].is_string() || result["team"].is_null(), "{line}");
        assert!(result["topic"].is_null(), "topics do not exist yet");
        assert!(result["timings_ms"]["total"].is_number(), "{line}");
        let n_ranked = result["articles"].as_array().unwrap().len();
        assert!(n_ranked >= 10 || result["act"] == "clarify", "{n_ranked} ranked: {line}");
    }
    let page = bench.read("out/new/report.html");
    assert!(page.starts_with("<!doctype html>") || page.starts_with("<!DOCTYPE html>"), "{page}");
}

#[test]
fn the_summary_has_intervals_counts_and_its_origin() {
    let bench = Bench::starter().confident(4.0);
    let ran = eval(&bench, &["--json"]);
    let printed = ran.document();
    let written: Value = serde_json::from_str(&bench.read("out/new/summary.json")).unwrap();
    assert_eq!(printed, written);
    for name in ["act_accuracy", "coverage", "wrong_replies", "answered", "kept_back", "hit@1"] {
        let figure = &written["figures"][name];
        let [value, low, high] = ["value", "low", "high"].map(|f| figure[f].as_f64().unwrap());
        assert!(low <= value && value <= high, "{name}: {figure}");
        assert!(figure["n"].as_u64().unwrap() > 0);
    }
    for name in ["version", "desk", "cases", "index", "embedder", "threshold"] {
        assert!(written["provenance"][name].is_string(), "{name}: {written:#}");
    }
    let n: u64 =
        written["confusion"].as_array().unwrap().iter().map(|c| c["n"].as_u64().unwrap()).sum();
    assert_eq!(n, 6, "every case is in the table once");
}

#[test]
fn gates_say_no_with_exit_code_one() {
    let bench = Bench::starter().confident(4.0);
    let check = |more: &[&str], expected: i32, said: &str| {
        let ran = eval(&bench, more);
        assert_eq!(ran.code, Some(expected), "{more:?}: {ran:?}");
        assert!(ran.err.contains(said), "{more:?}: {ran:?}");
    };
    check(&["--least-act-accuracy", "0"], 0, "");
    check(&["--least-act-accuracy", "1"], 1, "gate: act accuracy");
    check(&["--most-wrong-replies", "1"], 0, "");
    // The desk is sure of everything, and two of its six cases are for people.
    check(&["--most-wrong-replies", "0"], 1, "of the replies are wrong");
    for no_share in ["much", "NaN", "1.1", "80"] {
        check(&["--least-act-accuracy", no_share], 2, "not a number between 0 and 1");
    }
    let ran = eval(&bench, &["--least-act-accuracy", "1", "--json"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.document()["figures"].is_object(), "a failed gate still reports");
}

#[test]
fn what_is_wrong_with_a_case_file_is_named_by_line() {
    let bench = Bench::starter();
    let good = bench.read(CASES);
    let first = good.lines().next().unwrap();
    let bad = format!("{first}\n\n{{\"id\": \"b\"\n{first}\n{{\"id\":\"c\",\"messages\":[]}}\n");
    bench.write("bad.jsonl", &bad);
    bench.on_desk(&["eval", "run", "--cases", "bad.jsonl", "-o", "out"]).refuses(&[
        "bad.jsonl:3: is not JSON",
        "bad.jsonl:4: id: \"password\" is already the id of bad.jsonl:1",
        "bad.jsonl:5: messages: is empty; write a list",
    ]);
    assert!(!bench.home().join("out").exists(), "nothing is written for cases that are none");
    bench.write("none.jsonl", "\n");
    for command in [&["run", "-o", "out"][..], &["retrieval"], &["calibrate", "-o", "c.toml"]] {
        for (file, what) in [("none.jsonl", "holds no case"), ("absent.jsonl", "cannot be read")] {
            let arguments = [&["eval"], command, &["--cases", file]].concat();
            bench.on_desk(&arguments).refuses(&[file, what]);
        }
    }
    bench.on_desk(&["eval", "run", "--cases", CASES, CASES, "-o", "out"]).refuses(&["already"]);
}

#[test]
fn a_file_in_the_place_of_the_results_is_refused_before_any_case_runs() {
    let bench = Bench::starter();
    bench.write("taken", "");
    let ran = bench.on_desk(&["eval", "run", "--cases", CASES, "-o", "taken"]);
    ran.refuses(&["no results can be written to taken; name a folder with -o"]);
    assert!(!ran.err.contains("indexing"), "it has begun to work: {ran:?}");
}

#[test]
fn a_calibration_that_cannot_be_written_is_refused_before_any_case_runs() {
    let bench = Bench::starter();
    let calibrate = |out: &str| bench.on_desk(&["eval", "calibrate", "--cases", CASES, "-o", out]);
    for (out, what) in [
        ("absent/own.toml", "absent/own.toml cannot be written; name a file in a folder"),
        ("desk", "desk is a folder; name a file with -o"),
    ] {
        let ran = calibrate(out);
        ran.refuses(&[what]);
        assert!(!ran.err.contains("indexing"), "it has begun to work: {ran:?}");
    }
    bench.write("own.part", "mine");
    bench
        .on_desk(&["eval", "calibrate", "--cases", "none.jsonl", "-o", "own.toml"])
        .refuses(&["none"]);
    assert_eq!(bench.read("own.part"), "mine", "trying whether it can be written changes nothing");
    assert!(!bench.home().join("own.toml").exists());
}

#[test]
fn retrieval_is_measured_three_ways() {
    let bench = Bench::vannerly();
    let measured = bench.json(&["eval", "retrieval", "--cases", CASES]);
    for way in ["words", "meaning", "fused"] {
        for measure in ["hit@1", "recall@1", "recall@5", "recall@10", "MRR", "nDCG@10"] {
            let figure = &measured[way][measure];
            let value = figure["value"].as_f64().unwrap();
            assert!((0.0..=1.0).contains(&value) && figure["n"].as_u64().unwrap() > 50, "{figure}");
        }
    }
    let value = |way: &str, measure: &str| measured[way][measure]["value"].as_f64().unwrap();
    assert!(value("words", "recall@10") > 0.5, "words find most of it: {measured:#}");
    assert!(value("fused", "recall@1") <= value("fused", "recall@10"));
    let ran = bench.on_desk(&["eval", "retrieval", "--cases", CASES]);
    assert!(ran.out.contains("fused − words: recall@5"), "{ran:?}");
}

#[test]
fn a_fitted_calibration_can_be_used_at_once() {
    let bench = Bench::vannerly();
    let ran = bench.on_desk(&["eval", "calibrate", "--cases", CASES, "-o", "desk/own.toml"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for part in ["cross-validated: AUROC", "fitted on: desk", "set answers.calibration"] {
        assert!(ran.out.contains(part), "no {part:?} in {ran:?}");
    }
    let fitted: toml::Table = bench.read("desk/own.toml").parse().unwrap();
    assert_eq!(fitted["fitted_for"]["drafter"].as_str(), Some("quotes"));
    let again = bench.on_desk(&["eval", "calibrate", "--cases", CASES, "-o", "again.toml"]);
    assert_eq!(again.code, Some(0), "{again:?}");
    assert_eq!(bench.read("desk/own.toml"), bench.read("again.toml"), "the same each time");
    // Nobody says which article answers these, so that they teach nothing.
    let unlabelled: String = (0..12)
        .map(|n| {
            format!(
                "{{\"id\":\"u{n}\",\"split\":\"train\",\"messages\":[{{\"author\":\"customer\",\"text\":\
                 \"How do I pay by PayPal, {n}?\"}}],\"expect\":{{\"act\":\"answer\"}}}}\n"
            )
        })
        .collect();
    bench.write("more.jsonl", &(bench.read(CASES) + &unlabelled));
    let more = bench.on_desk(&["eval", "calibrate", "--cases", "more.jsonl", "-o", "more.toml"]);
    assert!(more.out.contains("cases left out: 12 that expect an answer"), "{more:?}");
    let other: toml::Table = bench.read("more.toml").parse().unwrap();
    assert_eq!(fitted["factors"], other["factors"]);
    let bench = bench.with("FRONTDESK_ANSWERS_CALIBRATION", "own.toml");
    let answer = bench.ask("Can I pay with PayPal?");
    assert!(answer["confidence"].as_f64().unwrap() > 0.0, "{answer:#}");
}

#[test]
fn the_customer_of_a_case_sees_what_such_a_customer_may_see() {
    let bench = Bench::vannerly();
    let case = |id: &str, customer: &str| {
        format!(
            "{{\"id\":\"{id}\",\"messages\":[{{\"author\":\"customer\",\"text\":\"How do I \
             provision people with SCIM?\"}}],\"expect\":{{\"act\":\"answer\",\"articles\":\
             [\"scim-provisioning\"]}},\"customer\":{customer}}}\n"
        )
    };
    let cases = case("yes", "{\"plan\": \"enterprise\"}") + &case("no", "{\"plan\": \"team\"}");
    bench.write("two.jsonl", &cases);
    let ran = bench.on_desk(&["eval", "run", "--cases", "two.jsonl", "-o", "out"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let results = bench.read("out/results.jsonl");
    let found = |line: &str| {
        let result: Value = serde_json::from_str(line).unwrap();
        result["articles"].as_array().unwrap().contains(&"scim-provisioning".into())
    };
    let seen: Vec<bool> = results.lines().map(found).collect();
    assert_eq!(seen, [true, false]);
}

/// The lines of a file of results, without what differs from run to run: how long it took.
fn timeless(results: &str) -> Vec<Value> {
    let lines = results.lines().map(|line| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        line["timings_ms"].take();
        line
    });
    lines.collect()
}

/// Cases enough for a run of some seconds, each asking in words of its own.
fn many_cases(bench: &Bench, n_ways: usize) -> usize {
    let mut cases = String::new();
    for way in 0..n_ways {
        for line in bench.read(CASES).lines() {
            let mut case: Value = serde_json::from_str(line).unwrap();
            case["id"] = format!("{}#{way}", case["id"].as_str().unwrap()).into();
            let last = case["messages"].as_array_mut().unwrap().last_mut().unwrap();
            last["text"] = format!("{} (way {way})", last["text"].as_str().unwrap()).into();
            cases.push_str(&format!("{case}\n"));
        }
    }
    bench.write("many.jsonl", &cases);
    cases.lines().count()
}

fn many(bench: &Bench, out: &str, more: &[&str]) -> Ran {
    bench.on_desk(&[&["eval", "run", "--cases", "many.jsonl", "-o", out], more].concat())
}

#[test]
fn a_run_that_is_killed_goes_on_without_loss_or_repetition() {
    let bench = Bench::vannerly();
    let n_cases = many_cases(&bench, 6);
    let undisturbed = many(&bench, "undisturbed", &[]);
    assert_eq!(undisturbed.code, Some(0), "{undisturbed:?}");
    let part = bench.home().join("out/results.jsonl.part");
    let n_there = || fs::read_to_string(&part).map_or(0, |text| text.lines().count());
    let mut n_before = 0;
    for kill_at in [1, n_cases / 3, n_cases * 2 / 3] {
        let mut command = bench.command();
        command.args(["--desk", "desk", "eval", "run", "--cases", "many.jsonl", "-o", "out"]);
        let mut running = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while n_there() < kill_at.max(n_before + 1) && running.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        running.kill().unwrap();
        running.wait().unwrap();
        n_before = n_there();
        assert!((kill_at..n_cases).contains(&n_before), "{n_before} of {n_cases}");
        // A kill may come in the middle of a write.
        let mut file = fs::OpenOptions::new().append(true).open(&part).unwrap();
        file.write_all(b"{\"id\": \"half a li").unwrap();
    }
    let ran = many(&bench, "out", &[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.err.contains(&format!("{n_before} of {n_cases} cases were run before")), "{ran:?}");
    assert!(!part.exists());
    let (resumed, whole) = ("out/results.jsonl", "undisturbed/results.jsonl");
    assert_eq!(timeless(&bench.read(resumed)), timeless(&bench.read(whole)));
    let figures = |out: &str| -> Value {
        let summary: Value =
            serde_json::from_str(&bench.read(&format!("{out}/summary.json"))).unwrap();
        ["act_accuracy", "wrong_replies", "hit@1", "auroc"]
            .map(|name| summary["figures"][name].clone())
            .into()
    };
    assert_eq!(figures("out"), figures("undisturbed"));
}

#[test]
fn only_what_changed_is_run_again() {
    let bench = Bench::starter().confident(4.0);
    let run = |bench: &Bench, more: &[&str], n_reused: u64| {
        let ran = eval(bench, more);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let record: Value = serde_json::from_str(&bench.read("out/new/run.json")).unwrap();
        assert_eq!(record["run"]["reused"], n_reused, "{more:?}: {ran:?}");
        assert_eq!(record["run"]["cases"], 6);
        record
    };
    let first = run(&bench, &[], 0);
    for pointer in [
        "/setting/program/sha256",
        "/setting/program/version",
        "/setting/index/generation",
        "/setting/embedder/id",
        "/setting/drafter/kind",
        "/setting/rules",
        "/setting/calibration/sha256",
        "/setting/answers/threshold",
        "/setting/fusion/meaning",
        "/run/case_files/0/sha256",
        "/run/machine/cores",
        "/run/seed",
        "/run/started",
    ] {
        assert!(first.pointer(pointer).is_some_and(|found| !found.is_null()), "no {pointer}");
    }
    let again = run(&bench, &[], 6);
    assert_eq!(again["setting_sha256"], first["setting_sha256"]);
    run(&bench, &["--fresh"], 0);
    run(&bench, &["--no-cache", "--fresh"], 0);
    let cases = bench.read(CASES);
    let (one, others) = cases.split_once('\n').unwrap();
    let relabelled = one.replace("\"account\"", "\"changed\"");
    bench.write(CASES, &format!("{relabelled}\n{others}"));
    run(&bench, &[], 5);
    let routing = bench.read("desk/routing.toml");
    bench.write("desk/routing.toml", &format!("{routing}\n# a remark\n"));
    run(&bench, &[], 0);
    let bench = bench.with("FRONTDESK_ANSWERS_THRESHOLD", "0.9");
    run(&bench, &[], 0);
    bench.on_desk(&["eval", "budget", "--cases", CASES, "--all", "-o", "desk/budgets.toml"]);
    let bench = bench.with("FRONTDESK_ANSWERS_BUDGETS", "budgets.toml");
    let certified = run(&bench, &[], 0);
    assert!(certified["setting"]["budgets"].is_string(), "{certified:#}");
    run(&bench, &[], 6);
    let budgets = bench.read("desk/budgets.toml");
    bench.write("desk/budgets.toml", &budgets.replace("topics = []", "topics = [\"other\"]"));
    run(&bench, &[], 0);
}

#[test]
fn two_runs_do_not_write_one_folder() {
    let bench = Bench::starter();
    fs::create_dir_all(bench.home().join("out/new")).unwrap();
    let lock = fs::File::create(bench.home().join("out/new/.lock")).unwrap();
    lock.lock().unwrap();
    eval(&bench, &[]).refuses(&["another run is writing out/new"]);
    drop(lock);
    assert_eq!(eval(&bench, &[]).code, Some(0));
}

#[test]
fn vectors_that_were_kept_change_no_answer_and_damage_to_them_costs_time_alone() {
    let bench = Bench::vannerly();
    let results = |more: &[&str]| {
        let ran = eval(&bench, &[&["--fresh"], more].concat());
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let record: Value = serde_json::from_str(&bench.read("out/new/run.json")).unwrap();
        let n_computed = record["run"]["kept"]["computed"].as_u64().unwrap();
        (timeless(&bench.read("out/new/results.jsonl")), n_computed)
    };
    let (plain, n_plain) = results(&["--no-cache"]);
    let (cold, n_cold) = results(&["--cache", "kept"]);
    let (warm, n_warm) = results(&["--cache", "kept"]);
    assert_eq!((&plain, &plain), (&cold, &warm));
    assert!(n_plain > 0 && n_cold > 0 && n_warm == 0, "{n_plain} {n_cold} {n_warm}");
    let kept = bench.read("kept/computed.kept");
    bench.write("kept/computed.kept", &kept.replace('A', "B"));
    let (damaged, n_damaged) = results(&["--cache", "kept"]);
    assert_eq!(plain, damaged);
    assert!(n_damaged > 0);
}

#[test]
fn cases_are_parted_without_loss_as_those_who_learn_from_them_part_them() {
    let bench = Bench::vannerly();
    let counts = bench.json(&["eval", "part", "--cases", CASES, "-o", "parts"]);
    let ids = |text: &str| -> Vec<String> {
        let id = |line| serde_json::from_str::<Value>(line).unwrap()["id"].to_string();
        text.lines().map(id).collect()
    };
    let mut parted = Vec::new();
    for part in ["train", "val", "test"] {
        let text = bench.read(&format!("parts/{part}.jsonl"));
        assert_eq!(counts[part], text.lines().count(), "{counts:#}");
        assert!(text.lines().all(|line| line.contains(&format!("\"split\":\"{part}\""))), "{text}");
        parted.extend(ids(&text));
    }
    let mut all = ids(&bench.read(CASES));
    parted.sort();
    all.sort();
    assert_eq!(parted, all);
}

#[test]
fn a_seed_is_recorded_and_the_ways_of_searching_are_told() {
    let bench = Bench::vannerly();
    let ran = eval(&bench, &["--seed", "7"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let read = |file: &str| -> Value {
        serde_json::from_str(&bench.read(&format!("out/new/{file}"))).unwrap()
    };
    assert_eq!(read("run.json")["run"]["seed"], 7);
    let summary = read("summary.json");
    assert_eq!(summary["provenance"]["seed"], "7");
    let groups = summary["groups"].as_array().unwrap();
    let ways: Vec<&str> = groups
        .iter()
        .filter(|group| group["by"] == "way")
        .map(|group| group["name"].as_str().unwrap())
        .collect();
    assert_eq!(ways, ["words", "meaning", "both"]);
    assert!(bench.read("out/new/report.html").contains("By way of searching"));
    // The sample company's rule about money answers by an error budget; nothing was answered yet.
    let live = &bench.json(&["eval", "live"])["budgets"];
    assert_eq!((&live[0]["rule"], &live[0]["answers"]), (&"Money".into(), &0.into()), "{live:#}");
    assert_eq!(live[0]["raised"], Value::Null);
}

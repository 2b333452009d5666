//! Gates, the reports of a run, and two runs or two desks side by side.

use crate::bench::{Bench, Ran};
use serde_json::Value;

const CASES: &str = "desk/cases/cases.jsonl";

fn eval(bench: &Bench, out: &str, more: &[&str]) -> Ran {
    bench.on_desk(&[&["eval", "run", "--cases", CASES, "-o", out], more].concat())
}

#[test]
fn gates_fail_a_run_only_beyond_chance_and_every_report_is_there() {
    let bench = Bench::starter().confident(4.0);
    let check = |more: &[&str], expected: i32, said: &str| {
        let ran = eval(&bench, "out", more);
        assert_eq!(ran.code, Some(expected), "{more:?}: {ran:?}");
        assert!(ran.err.contains(said), "{more:?}: {ran:?}");
    };
    // Six cases, of which five are answered and one of these is for people: chance is not ruled out.
    check(&["--fail-if", "act_accuracy < 0.9"], 0, "gate passes: act_accuracy is 0.833");
    check(&["--fail-if", "act_accuracy < 0.9", "--strict"], 1, "gate fails: act_accuracy is 0.833");
    check(
        &["--fail-if", "wrong_replies > 3 %", "--fail-if", "coverage < 0.5"],
        1,
        "and so is its whole interval",
    );
    for file in ["results.jsonl", "summary.json", "report.html", "report.md", "junit.xml"] {
        assert!(bench.home().join("out").join(file).exists(), "no {file}");
    }
    let junit = bench.read("out/junit.xml");
    assert!(junit.starts_with("<?xml") && junit.contains("failures=\"1\""), "{junit}");
    assert!(bench.read("out/report.md").contains("- ❌ fails&#58; wrong\\_replies is 0.200"));
    check(&["--fail-if", "hit@7 < 0.9"], 2, "there is no figure \"hit@7\"; known: ");
    check(&["--fail-if", "act_accuracy < baseline"], 2, "name its folder with --baseline");
    check(&["--fail-if", "act_accuracy"], 2, "is no gate; write a figure");
    check(
        &["--baseline", "absent"],
        2,
        "absent is no folder that `frontdesk eval run` has written",
    );
    check(&["--baseline", "out", "--fail-if", "act_accuracy < baseline"], 0, "gate passes");
    assert!(bench.read("out/report.html").contains("Against the baseline"));
}

#[test]
fn two_runs_are_compared_case_by_case() {
    let bench = Bench::starter().confident(4.0);
    assert_eq!(eval(&bench, "before", &[]).code, Some(0));
    let bench = bench.confident(-4.0);
    assert_eq!(eval(&bench, "after", &[]).code, Some(0));
    let ran = bench.run(&["eval", "compare", "before", "after", "-o", "compared"]);
    assert_eq!(ran.code, Some(0), "a comparison fails nothing by itself: {ran:?}");
    for part in [
        "Of 6 conversations 5 come out otherwise: 5 end in another act",
        "Replies gained: 0, lost: 5; cases fixed: 1, broken: 4, which may be chance",
        "reply → handoff to support",
        "team takes over",
    ] {
        assert!(ran.out.contains(part), "no {part:?} in {ran:?}");
    }
    let written: Value = serde_json::from_str(&bench.read("compared/comparison.json")).unwrap();
    assert_eq!(written["comparison"]["changed"]["lost"], 5);
    assert_eq!(written["before"]["name"], "before");
    let page = bench.read("compared/comparison.html");
    assert!(page.contains("Broken: 4") && !page.contains("<script"));
    assert!(bench.read("compared/comparison.md").contains("# after against before"));
    let compare = |more: &[&str]| {
        bench.run(&[&["eval", "compare", "before", "after", "--json"], more].concat())
    };
    assert_eq!(compare(&[]).document()["comparison"]["cases"]["both"], 6);
    let gate = ["--fail-if", "coverage < baseline"];
    assert_eq!(compare(&gate).code, Some(0), "six cases do not rule chance out");
    let failing = compare(&[&gate[..], &["--strict"]].concat());
    assert_eq!(failing.code, Some(1), "{failing:?}");
    assert!(failing.err.contains("coverage differs from the baseline by -0.833"), "{failing:?}");
    bench.run(&["eval", "compare", "before", "nowhere"]).refuses(&["nowhere is no folder"]);
    bench.run(&["eval", "compare", "before"]).refuses(&["2 values required"]);
}

#[test]
fn a_change_of_the_desk_is_tried_before_it_is_made() {
    let bench = Bench::starter().confident(1.0);
    let compare = |more: &[&str]| {
        let command = [&["eval", "compare", "--json", "--cases", CASES], more].concat();
        bench.on_desk(&command)
    };
    let changed = |ran: &Ran, what: &str| ran.document()["comparison"]["changed"][what].clone();
    // The confidence of all is 0.73.
    let ran = compare(&["--set", "answers.threshold=0.8"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!((changed(&ran, "lost"), changed(&ran, "gained")), (4.into(), 0.into()));
    bench.write(
        "routing.toml",
        "fallback_team = \"others\"\n[[team]]\nslug = \"others\"\nname = \"Others\"\n",
    );
    let ran = compare(&["--routing", "routing.toml", "--set", "answers.threshold=0.8"]);
    let load = ran.document()["comparison"]["load"].clone();
    let others = load.as_array().unwrap().iter().find(|line| line["team"] == "others").unwrap();
    assert!(others["before"] == 0 && others["after"].as_u64().unwrap() >= 4, "{load}");
    bench.write("articles/only.md", "# Cats\n\nCats purr when they are content.\n");
    let before = bench.json(&["index"]);
    let ran = compare(&["--articles", "articles"]);
    assert!(changed(&ran, "answer").as_u64().unwrap() >= 4, "{ran:?}");
    assert_eq!(
        bench.json(&["index"])["articles"],
        before["articles"],
        "its own index is as it was"
    );
    let ran = compare(&["--with", "desk"]);
    assert_eq!(changed(&ran, "any"), 0, "the same desk twice: {ran:?}");
    compare(&[]).refuses(&["nothing is otherwise"]);
    compare(&["--set", "answers.threshold"]).refuses(&["--set takes KEY=VALUE"]);
    compare(&["--set", "answers.nothing=1"]).refuses(&["ANSWERS_NOTHING"]);
}

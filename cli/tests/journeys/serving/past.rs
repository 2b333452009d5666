//! What the desk decided, looked back on.

use super::conversed;
use crate::bench::Bench;
use serde_json::{Value, json};
use store::{
    Actor, Change, Content, Decided, Guard, Id, Label, Record, Store, Verdict as Judgement,
};

const ARTICLE: &str = "change-your-password";

/// The starter's article in another text.
const EDIT: &str = "---\nid: change-your-password\ntitle: Change your password\n---\n\nOpen Settings, \
                    choose Security, and press Renew to change your password.\n";

fn desk() -> Bench {
    Bench::starter().confident(3.0).with("FRONTDESK_LOG_LEVEL", "info")
}

fn url(bench: &Bench) -> String {
    format!("sqlite:{}", bench.desk().join(".frontdesk/frontdesk.db").display())
}

/// Has a teammate send something in the place of a draft.
fn corrected(bench: &Bench, decision: &str, text: &str) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = Store::open(&url(bench)).await.unwrap();
        let id: Id<Decided> = decision.parse().unwrap();
        let decided = store.decision(id).await.unwrap();
        let at = decided.at;
        let teammate = router::Slug::try_from("grace".to_string()).unwrap();
        let (sent, text) = (Id::new(at), text.to_string());
        let wrote = |_: &mut Record, change: &mut Change| {
            let by = teammate.clone();
            change.entries.push((sent, Content::Teammate { teammate: by.clone(), text }));
            let note = Content::Note { by: Actor::Teammate(by.clone()), text: "done".into() };
            change.entries.push((Id::new(at), note));
            let verdict = Judgement::Corrected;
            change.labels.push(Label { decision: id, teammate: by, verdict, sent: Some(sent) });
            Ok::<_, ()>(())
        };
        let changed = store.change(decided.conversation, Guard::None, at, wrote).await;
        changed.unwrap().unwrap();
        store.close().await;
    });
}

fn flip<'a>(told: &'a Value, what: &str) -> &'a Value {
    let flips = told["what_if"]["flips"].as_array().unwrap();
    flips.iter().find(|flip| flip["what"] == what).unwrap_or(&Value::Null)
}

#[test]
fn a_decision_names_what_changed_and_what_would_flip() {
    let bench = desk();
    let (_, decision) = conversed(&bench);
    let told = bench.on_desk(&["replay", &decision, "--json"]).document();
    assert_eq!((&told["same"], &told["changed"]), (&json!(true), &json!([])), "{told:#}");
    assert_eq!(told["what_if"], Value::Null);
    let without = ["replay", &decision, "--json", "--what-if-without", ARTICLE];
    let ran = bench.on_desk(&without);
    let told = ran.document();
    assert_eq!((ran.code, &told["same"]), (Some(1), &json!(true)), "{told:#}");
    assert_eq!(flip(&told, "first article")["now"], ARTICLE, "{told:#}");
    assert_ne!(flip(&told, "first article")["then"], ARTICLE, "{told:#}");
    bench.write("edit.md", EDIT);
    let told = bench.on_desk(&["replay", &decision, "--json", "--what-if-article", "edit.md"]);
    let told = told.document();
    assert!(flip(&told, "draft")["then"].as_str().unwrap().contains("Renew"), "{told:#}");
    let good = bench.read("desk/routing.toml");
    let rule = "\n[[rule]]\nname = \"passwords\"\nwhen = 'message.text.contains(\"password\")'\nthen = { hand_off = \"billing\" }\n";
    bench.write("other.toml", &format!("{good}{rule}"));
    let told = bench.on_desk(&["replay", &decision, "--json", "--what-if-routing", "other.toml"]);
    let told = told.document();
    let act = json!({"what": "act", "now": "reply", "then": "handoff"});
    assert_eq!(flip(&told, "act"), &act, "{told:#}");
    let supposed = ["--what-if-routing", "other.toml", "--what-if-without-rule", "passwords"];
    let ran = bench.on_desk(&[&["replay", &decision][..], &supposed].concat());
    assert!(ran.code == Some(0) && ran.out.contains("nothing flips"), "{ran:?}");
    // The index stands where it stood: an article that is edited for good is named.
    let path = format!("desk/articles/{ARTICLE}.md");
    bench.read(&path);
    bench.write(&path, EDIT);
    assert_eq!(bench.on_desk(&["index"]).code, Some(0));
    let told = bench.on_desk(&["replay", &decision, "--json"]).document();
    let edited = json!({"what": format!("article {ARTICLE}"), "then": "found", "now": "edited"});
    assert!(told["changed"].as_array().unwrap().contains(&edited), "{told:#}");
    assert_eq!(told["changed"][0]["what"], "index", "{told:#}");
}

#[test]
fn what_the_desk_keeps_is_judged_by_the_budgets_that_are_certified() {
    let bench = desk();
    let (_, decision) = conversed(&bench);
    let good = bench.read("desk/routing.toml");
    let rule = "\n[[rule]]\nname = \"careful\"\nthen = { error_budget = 0.01 }\n";
    bench.write("other.toml", &format!("{good}{rule}"));
    let n_changed = |bench: &Bench| {
        let told = bench.json(&["rules", "backtest", "--stored", "--against", "other.toml"]);
        assert_eq!(told["as_decided"], 1, "{told:#}");
        told["changed"].as_array().unwrap().iter().filter(|row| row["from"] != row["to"]).count()
    };
    // Without a certificate the rule asks for .99, and the draft has .95.
    assert_eq!(n_changed(&bench), 1);
    bench.on_desk(&[
        "eval",
        "budget",
        "--cases",
        "desk/cases/cases.jsonl",
        "--all",
        "-o",
        "b.toml",
    ]);
    let mut budgets: toml::Table = bench.read("b.toml").parse().unwrap();
    let certified =
        "error_budget = 0.01\nthreshold = 0.9\ncertainty = 0.95\nanswered = 300\nwrong = 0\n";
    let certified: toml::Table = certified.parse().unwrap();
    budgets.insert("certified".into(), toml::Value::Array(vec![certified.into()]));
    bench.write("desk/budgets.toml", &budgets.to_string());
    let bench = bench.with("FRONTDESK_ANSWERS_BUDGETS", "budgets.toml");
    assert_eq!(n_changed(&bench), 0);
    let told = bench.on_desk(&["replay", &decision, "--json"]).document();
    assert_eq!(told["changed"][0]["what"], "budgets", "{told:#}");
}

#[test]
fn what_the_desk_keeps_is_judged_by_other_rules_and_by_what_people_did() {
    let bench = desk();
    let (_, decision) = conversed(&bench);
    let good = bench.read("desk/routing.toml");
    let rule = "\n[[rule]]\nname = \"passwords\"\nwhen = 'message.text.contains(\"password\")'\nthen = { hand_off = \"billing\", priority = \"high\" }\n";
    bench.write("other.toml", &format!("{good}{rule}"));
    let backtest = ["rules", "backtest", "--stored", "--against", "other.toml"];
    let told = bench.json(&backtest);
    assert_eq!((&told["decisions"], &told["as_decided"]), (&json!(1), &json!(1)), "{told:#}");
    assert_eq!(told["changed"][0]["id"], decision.as_str(), "{told:#}");
    let priority = json!({"before": null, "after": "high"});
    assert_eq!(told["changed"][0]["differs"]["priority"], priority, "{told:#}");
    assert_eq!(told["teams"]["billing"], json!({"before": 0, "after": 1}), "{told:#}");
    let topic = "\n[[topic]]\nslug = \"other\"\nteam = \"billing\"\nexamples = [\"a\", \"b\"]\n";
    bench.write("other.toml", &format!("{good}{topic}"));
    let told = bench.json(&backtest);
    assert_eq!(told["need_models"], json!([decision]), "{told:#}");
    let told = bench.json(&[&backtest[..], &["--with-models"]].concat());
    assert_eq!((&told["need_models"], &told["as_decided"]), (&json!([]), &json!(1)), "{told:#}");

    corrected(&bench, &decision, "Please write to ada@example.com, who looks after that.");
    let told = bench.json(&["eval", "labels", "-o", "labels.jsonl"]);
    assert_eq!((&told["cases"], &told["labels"]["corrected"]), (&json!(1), &json!(1)), "{told:#}");
    let case: Value = serde_json::from_str(&bench.read("labels.jsonl")).unwrap();
    assert_eq!(case["expect"]["act"], "handoff", "{case:#}");
    assert!(case["expect"]["answer"].as_str().unwrap().contains("[email]"), "{case:#}");
    let ran = bench.on_desk(&["eval", "run", "--cases", "labels.jsonl", "-o", "out"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let told = bench.json(&["eval", "shadow", "-o", "shadow"]);
    assert_eq!(told["figures"]["wrong_replies"]["value"], 1.0, "{told:#}");
    assert_eq!(told["figures"]["approved"]["value"], 0.0, "{told:#}");
    assert!(bench.read("shadow/report.html").contains("Shadow of desk"));
    let told = bench.json(&["articles", "unused"]);
    assert_eq!((&told["questions"], &told["articles"]), (&json!(1), &json!(3)), "{told:#}");
    assert_eq!(told["unused"].as_array().unwrap().len(), 2, "{told:#}");
    bench.write("edit.md", EDIT);
    let told = bench.json(&["articles", "impact", "edit.md"]);
    assert_eq!((&told["replaces"], &told["near"]), (&json!(true), &json!(1)), "{told:#}");
    assert_eq!(told["changed"][0]["kind"], "reworded", "{told:#}");
    let told = bench.json(&["articles", "gaps", "--below", "1"]);
    assert_eq!((&told["open"], &told["alone"]), (&json!(1), &json!(1)), "{told:#}");
    for (name, days) in [("returns", "14"), ("sale-items", "30")] {
        let text = format!(
            "# Send back {name}\n\nYou can send back whatever you have bought from us within {days} \
             days after it has arrived at your house, and you get all of your money back.\n"
        );
        bench.write(&format!("desk/articles/{name}.md"), &text);
    }
    assert_eq!(bench.on_desk(&["index"]).code, Some(0));
    let told = bench.json(&["articles", "twins"]);
    assert_eq!(told["twins"][0]["numbers"], json!([["14"], ["30"]]), "{told:#}");
}

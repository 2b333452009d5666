//! Past conversations as cases: what they expect, what is taken out of them, and what a kill leaves.

use super::There;
use serde_json::{Value, json};
use std::{collections::BTreeSet, path::PathBuf};
use tests::{intercom::Mishap, program::Running};

fn lines(there: &There, file: &str) -> Vec<Value> {
    let text = there.bench.read(file);
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

const FILE: &str = "cases/intercom-2026-01-01.jsonl";
const EXPORT: [&str; 5] = ["export", "--since", "2026-01-01", "-o", "cases"];

#[test]
fn a_conversation_becomes_a_case_without_the_people_in_it() {
    let there = There::seated();
    let intercom = &there.intercom;
    let lena = intercom.with_admin("Lena Brandt");
    let (support, billing) =
        (intercom.with_team("Support", &[]), intercom.with_team("Billing", &[]));
    let joe = intercom.with_user("Joe Miller", "70", json!({}));
    let first =
        intercom.customer_writes(&joe, "Hi, Joe Miller here, joe@miller.example. Charged twice!");
    intercom.customer_replies(&first, "My card is 4111 1111 1111 1111, call +1 555 123 4567");
    intercom.admin_assigns_team(&lena, &first, Some(&support));
    intercom.admin_notes(&lena, &first, "Joe is angry");
    intercom.admin_assigns_team(&lena, &first, Some(&billing));
    intercom.admin_replies(
        &lena,
        &first,
        "Hello Joe, Lena here. Refunded: https://pay.example/r?token=abc",
    );
    intercom.customer_replies(&first, "Thanks Lena");
    intercom.admin_assigns(&lena, &first, Some(&lena));
    intercom.admin_closes(&lena, &first);
    intercom.rate(&first, 5, "Lena from 203.0.113.9 was great");
    let second = intercom.customer_writes(&joe, "Where is my parcel?");
    let third = intercom.email_conversation(&joe, "Invoice", "Where is my invoice?");
    let told = there.run(&EXPORT);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.out.contains("3 cases, redacted; 0 conversations without a question"), "{told:?}");
    let cases = lines(&there, FILE);
    let text = there.bench.read(FILE);
    for personal in ["Joe", "joe@", "Lena", "Brandt", "4111", "555", "token", "203.0.113.9"] {
        assert!(!text.contains(personal), "{personal} is in {text}");
    }
    let case = &cases[0];
    assert_eq!(
        case["messages"],
        json!([
            {"author": "customer", "by": "customer", "text": "Hi, [customer] here, [email]. Charged twice!"},
            {"author": "customer", "by": "customer", "text": "My card is [card], call [phone]"},
        ])
    );
    let expect = json!({"act": "answer", "judged": false, "articles": [], "team": "billing", "route": {"team": "billing"},
        "answer": "Hello [customer], [teammate] here. Refunded: [link]"});
    assert_eq!(case["expect"], expect);
    assert_eq!(case["after"].as_array().unwrap().len(), 2);
    let meta = &case["meta"];
    assert_eq!((&meta["handed_off"], &meta["answered_by"]), (&json!(true), &json!(["teammate"])));
    assert_eq!(meta["teams"], json!([support, billing]));
    assert_eq!(
        meta["rating"],
        json!({"stars": 5, "remark": "[teammate] from [ip] was great", "of": "teammate"})
    );
    for (case, id) in cases.iter().zip([&first, &second, &third]) {
        assert_eq!(case["id"], format!("intercom-{id}"));
    }
    assert_eq!(cases[2]["channel"], "intercom-email");
    let read = evals::read_cases(&[there.bench.home().join(FILE)]).unwrap();
    assert_eq!((read.len(), read[0].expect.team.as_deref()), (3, Some("billing")));
    let tried = there.bench.on_desk(&["eval", "run", "--cases", FILE, "-o", "out"]);
    assert_eq!(tried.code, Some(0), "{tried:?}");
    let routes = there.bench.on_desk(&["rules", "test", "--cases", FILE]);
    assert!(matches!(routes.code, Some(0 | 1)) && routes.out.contains("of 1 routes"), "{routes:?}");
}

#[test]
fn what_the_bot_settled_alone_is_an_answer_and_personal_data_can_stay() {
    let there = There::seated();
    let intercom = &there.intercom;
    let joe = intercom.with_user("Joe Miller", "70", json!({}));
    let id = intercom.customer_writes(&joe, "Joe here, how do I pay?");
    let seat = intercom.bot_admin();
    intercom.admin_replies(&seat, &id, "By card.");
    intercom.customer_replies(&id, "Thanks");
    let told = there.run(&[&EXPORT[..], &["--keep-personal"]].concat());
    assert_eq!(told.code, Some(0), "{told:?}");
    let case = &lines(&there, "cases/intercom-2026-01-01-personal.jsonl")[0];
    assert_eq!(case["messages"][0]["text"], "Joe here, how do I pay?");
    assert_eq!(
        (&case["expect"]["act"], &case["expect"]["answer"]),
        (&json!("answer"), &json!("By card."))
    );
    assert_eq!(case["meta"]["answered_by"], json!(["frontdesk"]));
    let (code, document) = there.json(&["export", "--since", "2030-01-01", "-o", "cases"]);
    assert_eq!((code, &document["file"], &document["cases"]), (Some(0), &Value::Null, &json!(0)));
    there
        .run(&["export", "--since", "yesterday", "-o", "cases"])
        .refuses(&["write it as 2026-01-31"]);
}

#[test]
fn a_conversation_that_cannot_be_read_is_named_and_passed_over() {
    let there = There::seated();
    let intercom = &there.intercom;
    let joe = intercom.with_user("Joe Miller", "70", json!({}));
    let ids: Vec<String> =
        (0..3).map(|n| intercom.customer_writes(&joe, &format!("Question {n}?"))).collect();
    intercom.once(&format!("GET /conversations/{}", ids[1]), Mishap::Failing(403));
    let told = there.run(&EXPORT);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.err.contains(&format!("conversation {} is left out", ids[1])), "{told:?}");
    assert!(told.out.contains("1 conversations could not be read"), "{told:?}");
    assert_eq!(lines(&there, FILE).len(), 2);
    for id in &ids {
        intercom.once(&format!("GET /conversations/{id}"), Mishap::Failing(403));
    }
    there.run(&EXPORT).refuses(&["none of the conversations can be read"]);
    assert_eq!(lines(&there, FILE).len(), 2, "what was there before is there");
}

#[test]
fn what_changed_at_the_end_itself_is_not_before_it() {
    let there = There::seated();
    let joe = there.intercom.with_user("Joe Miller", "70", json!({}));
    let id = there.intercom.customer_writes(&joe, "Question?");
    let at = there.intercom.conversation(&id).unwrap().updated_at;
    let until = |at: i64| {
        let until = jiff::Timestamp::from_second(at).unwrap().to_string();
        there.json(&["export", "--since", "2026-01-01", "--until", &until, "-o", "cases"]).1
    };
    assert_eq!(until(at)["cases"], 0);
    assert_eq!(until(at + 1)["cases"], 1);
}

#[test]
fn a_killed_export_goes_on_without_a_gap_or_a_double() {
    let there = There::seated();
    let intercom = &there.intercom;
    let joe = intercom.with_user("Joe Miller", "70", json!({}));
    let ids: BTreeSet<String> = (0..60)
        .map(|n| format!("intercom-{}", intercom.customer_writes(&joe, &format!("Question {n}?"))))
        .collect();
    intercom.faults(|faults| {
        (faults.slow, faults.slow_ms, faults.only) = (1.0, 100, Some("GET /conversations/".into()));
    });
    let mut command = there.bench.command();
    let running = Running::start(command.args(["--desk", "desk", "intercom"]).args(EXPORT));
    let n_read = || {
        let requests = intercom.requests().into_iter();
        requests
            .filter(|request| {
                request.path.starts_with("/conversations/") && request.method == "GET"
            })
            .count()
    };
    there.runtime.block_on(async {
        let some = intercom.wait_until(|| (n_read() >= 30).then_some(()));
        tokio::time::timeout(tests::program::LIMIT, some).await.unwrap();
    });
    drop(running);
    let part: PathBuf = there.bench.home().join("cases/intercom-2026-01-01.jsonl.part");
    let mut text = std::fs::read_to_string(&part).unwrap();
    let n_before = text.lines().count();
    assert!(n_before > 0 && n_before < 60, "{n_before}");
    assert!(!there.bench.home().join(FILE).exists(), "a file is there when it is whole");
    // What a kill in the middle of a line leaves.
    text.push_str("{\"id\": \"intercom-");
    std::fs::write(&part, text).unwrap();
    intercom.faults(|faults| *faults = tests::intercom::Faults::default());
    // What failed now and then is tried again.
    intercom.faults(|faults| faults.failing = 0.1);
    let told = there.run(&EXPORT);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(
        told.err.contains(&format!("going on: {n_before} conversations are there")),
        "{told:?}"
    );
    let found: Vec<String> =
        lines(&there, FILE).iter().map(|case| case["id"].as_str().unwrap().to_string()).collect();
    assert_eq!((found.len(), found.into_iter().collect::<BTreeSet<_>>()), (60, ids));
    assert!(!part.exists());
}

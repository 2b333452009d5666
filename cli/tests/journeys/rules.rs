//! A support lead writes rules: they are proved, explained, tested and compared.

use crate::bench::Bench;
use serde_json::{Value, json};

const ROUTING: &str = r#"
fallback_team = "front"
time_zone = "Europe/Berlin"

[attributes]
"customer.seats" = "number"

[[team]]
slug = "front"
name = "Front line"

[[team]]
slug = "billing"
name = "Billing"
owns = ["invoice"]
when_closed = "front"
sla = "day"
[team.hours]
time_zone = "Europe/Berlin"
monday = ["09:00-17:00"]

[[sla]]
slug = "day"
first_reply = "8h"

[[rule]]
name = "Large customers"
when = 'customer.seats >= 100'
then = { priority = "high", tags = ["large"] }

[[rule]]
name = "Chargeback"
when = 'message.text.mentions(["chargeback*"])'
then = { hand_off = "billing" }
"#;

fn desk(rules: &str) -> Bench {
    let bench = Bench::starter().confident(-4.0);
    bench.write("desk/routing.toml", &format!("{ROUTING}{rules}"));
    bench
}

const MONDAY: &str = "2026-11-23T10:00:00Z";
const SUNDAY: &str = "2026-11-22T10:00:00Z";

#[test]
fn an_explanation_shows_every_rule_in_order_and_what_it_saw() {
    let bench = desk("");
    let asked =
        ["rules", "explain", "a chargeback?", "--at", SUNDAY, "--fact", "customer.seats=120"];
    let ran = bench.on_desk(&asked);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for line in [
        "fired    Large customers (line 26): priority high, tags large",
        "customer.seats = 120",
        "fired    Chargeback (line 31): hand off to billing",
        "not read Asks for a person (built in): a rule above decided",
        "→ handoff to Front line",
        "Because team billing is closed, team front stands in",
    ] {
        assert!(ran.out.contains(line), "{line} is not in {}", ran.out);
    }
    let missing = bench.on_desk(&["rules", "explain", "hello there friend"]);
    assert!(missing.out.contains("missing  Large customers (line 26): not known: customer.seats"));
}

#[test]
fn an_explanation_says_what_happens_next() {
    let bench = desk(
        "[[rule]]\nname = \"Nobody replies\"\nwhen = 'wants_person'\nthen = { hand_off = \"billing\", escalate = { after = \"90m\", hand_off = \"front\", priority = \"urgent\" } }\n",
    );
    let routing = bench.read("desk/routing.toml").replace("when_closed = \"front\"\n", "");
    let members = "monday = [\"09:00-17:00\"]\n[[team.member]]\nslug = \"bo\"\nname = \"Bo\"\n";
    let routing = routing
        .replace("monday = [\"09:00-17:00\"]\n", members)
        .replace("sla = \"day\"\n", "sla = \"day\"\nassignment = \"round_robin\"\n")
        .replace(
            "first_reply = \"8h\"",
            "first_reply = \"2h\"\nnext_reply = \"1h\"\nresolution = \"9h\"",
        );
    bench.write("desk/routing.toml", &routing);
    let asked = ["rules", "explain", "get me a human please", "--at", SUNDAY];
    let ran = bench.on_desk(&asked);
    let next = ran.out.split("What happens next:").nth(1).unwrap_or_default();
    let expected = "
  Billing is closed and opens 2026-11-23 09:00 CET
  the customer reads: I am passing this on to Billing. They are away at the moment and back on Monday, 23 November at 9:00 (CET). You will get the reply here.
  conversations are assigned in turn (round_robin); it waits in the queue: the team is closed
  SLA day: first reply by 2026-11-23 11:00 CET
  SLA day: a further message answered by, if it came now, 2026-11-23 10:00 CET
  SLA day: resolved by 2026-11-30 10:00 CET
  if nobody has replied by 2026-11-23 10:30 CET: it goes to Front line, its priority is urgent (rule \"Nobody replies\")
";
    assert_eq!(next, expected, "{ran:?}");
    let document = bench.on_desk(&[&["--json"], &asked[..]].concat()).document();
    let next = &document["next"];
    assert_eq!(
        (&next["team"], &next["open"], &next["opens"]),
        (&json!("billing"), &json!(false), &json!("2026-11-23T08:00:00Z"))
    );
    assert_eq!(next["due"]["first_reply"], "2026-11-23T10:00:00Z");
    let escalation = json!([{"rule": "Nobody replies", "due": "2026-11-23T09:30:00Z", "team": "front", "priority": "urgent"}]);
    assert_eq!(next["escalations"], escalation);
    let open = bench.on_desk(&["rules", "explain", "get me a human please", "--at", MONDAY]);
    assert!(open.out.contains("assigned in turn (round_robin): Bo is the first"), "{open:?}");
    let answered = ["--json", "rules", "explain", "How do I change my password?"];
    let answered = bench.confident(4.0).on_desk(&answered).document();
    assert_eq!((&answered["trace"]["act"], &answered["next"]), (&json!("reply"), &Value::Null));
}

#[test]
fn check_compares_the_examples_of_topics_and_says_when_it_could_not() {
    let topics = "[[topic]]\nslug = \"bills\"\nteam = \"billing\"\nexamples = [\"where in the settings of the app do I find the invoices and the receipts for the last quarter of the year\", \"I was charged twice\"]\n\n[[topic]]\nslug = \"papers\"\nteam = \"front\"\nexamples = [\n  \"print my certificate\",\n  \"where in the settings of the app do I find the invoices and the receipts for the last quarter of the year please\",\n]\n";
    let bench = desk(topics);
    let ran = bench.on_desk(&["rules", "check"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let expected = "routing.toml:45: topics \"papers\" (line 45) and \"bills\" (line 38) contradict each other: \"where in the settings of the app do I find the invoices and the receipts for the last quarter of the year please\" and \"where in the settings of the app do I find the invoices and the receipts for the last quarter of the year\" say nearly the same; leave it to one of them, or make one topic of both\n  for example: message.text = \"where in the settings of the app do I find the invoices and the receipts for the last quarter of the year please\"";
    assert!(ran.out.contains(expected), "{ran:?}");
    let found = bench.on_desk(&["--json", "check"]).document();
    let lines: Vec<&Value> =
        found["findings"].as_array().unwrap().iter().map(|f| &f["line"]).collect();
    assert!(lines.contains(&&json!(45)), "{found:#}");
    let bench =
        bench.with("FRONTDESK_EMBEDDER_KIND", "local").with("FRONTDESK_MODELS_FOLDER", "nowhere");
    let ran = bench.on_desk(&["rules", "check"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(
        ran.out.contains("note: left out: whether the examples of topics contradict"),
        "{ran:?}"
    );
    let document = bench.on_desk(&["--json", "rules", "check"]).document();
    let left_out = document["left_out"].as_array().unwrap();
    assert!(left_out.len() == 2 && left_out[0]["why"].is_string(), "{document:#}");
}

#[test]
fn a_canned_reply_has_buttons_and_the_customer_s_name() {
    let bench = desk(
        "[[reply]]\nslug = \"choose\"\ntext.en = \"Hello {customer.name|there}, which one?\"\nbuttons.en = [\"The app\", \"The site\"]\n\n[[rule]]\nname = \"Choose\"\nwhen = 'message.text.mentions(\"choose\")'\nthen = { reply = \"choose\" }\n",
    );
    let answer = bench.on_desk(&["--json", "ask", "let me choose"]).document();
    assert_eq!(answer["message"], "Hello there, which one?\n- The app\n- The site");
}

#[test]
fn the_trace_holds_what_rules_knew_and_did_but_not_the_words() {
    let bench = desk("");
    let asked = ["--json", "ask", "a chargeback?", "--at", MONDAY, "--fact", "customer.seats=120"];
    let answer = bench.on_desk(&asked).document();
    let trace = &answer["trace"];
    assert_eq!(trace["facts"]["customer.seats"], 120.0);
    assert_eq!(trace["fired"][1], json!({"rule": "Chargeback", "did": "hand off to billing"}));
    assert_eq!((&trace["priority"], &trace["sla"]), (&json!("high"), &json!("day")));
    assert_eq!(trace["tags"], json!(["large"]));
    assert!(!trace.to_string().contains("a chargeback?"), "{trace:#}");
    assert_eq!(answer["message"], "I am passing this on to Billing. A person will reply here.");
}

#[test]
fn a_closed_team_tells_the_customer_when_it_opens() {
    let bench = desk("");
    let routing = bench.read("desk/routing.toml").replace("when_closed = \"front\"\n", "");
    bench.write("desk/routing.toml", &routing);
    let answer = bench.on_desk(&["--json", "ask", "a chargeback?", "--at", SUNDAY]).document();
    let message = answer["message"].as_str().unwrap();
    assert!(message.contains("back on Monday, 23 November at 9:00 (CET)"), "{message}");
    assert_eq!(answer["team"], "billing");
}

#[test]
fn check_finds_rules_that_never_fire_and_shows_an_example() {
    let bench = desk(
        "\n[[rule]]\nname = \"Chargeback of large customers\"\nwhen = 'customer.seats >= 500 && message.text.mentions([\"chargeback\"])'\nthen = { hand_off = \"front\" }\n",
    );
    let ran = bench.on_desk(&["--json", "rules", "check"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let findings = ran.document()["findings"].as_array().unwrap().clone();
    let found: Vec<&Value> = findings.iter().filter(|f| f["severity"] == "error").collect();
    let [only] = found.as_slice() else { panic!("{findings:#?}") };
    assert_eq!(only["rule"], "Chargeback of large customers");
    assert_eq!(only["line"], 36);
    assert!(only["what"].as_str().unwrap().contains("Chargeback"), "{only:#}");
    assert!(only["example"]["facts"]["customer.seats"].is_string(), "{only:#}");
    let note = findings.iter().find(|f| f["severity"] == "note").unwrap();
    let what = note["what"].as_str().unwrap();
    assert!(what.contains("no rule, topic or phrase covers"), "{note:#}");
    assert!(note["line"].is_u64() && note["example"]["facts"].is_object(), "{note:#}");
    assert_eq!(desk("").on_desk(&["rules", "check"]).code, Some(0));
    let idle =
        desk("\n[[team]]\nslug = \"idle\"\nname = \"Idle\"\n[team.hours]\ntime_zone = \"UTC\"\n");
    let ran = idle.on_desk(&["rules", "check"]);
    assert!(ran.out.contains("routing.toml:37: team \"idle\""), "{ran:?}");
    assert!(
        ran.out.contains("for example: message.text = \"Idle\", wants_person = true"),
        "{ran:?}"
    );
}

#[test]
fn check_says_which_cases_nothing_covers() {
    let bench = desk("");
    let case = |id: &str, text: &str| {
        let messages = json!([{"author": "customer", "text": text}]);
        let expect = json!({"route": {"act": "handoff"}});
        format!("{}\n", json!({"id": id, "messages": messages, "expect": expect}))
    };
    let cases = [case("known", "a chargeback?"), case("riddle", "what is it"), case("song", "la")];
    bench.write("cases.jsonl", &cases.concat());
    let ran = bench.on_desk(&["rules", "check", "--cases", "cases.jsonl"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let expected = "routing.toml:2: no rule, topic or phrase covers 2 of 3 conversations";
    assert!(ran.out.contains(expected), "{ran:?}");
    assert!(ran.out.contains("for example: message.text = \"what is it\""), "{ran:?}");
    assert!(ran.out.contains("so too song: la"), "{ran:?}");
    let document = bench.on_desk(&["--json", "rules", "check", "--cases", "cases.jsonl"]);
    let document = document.document();
    assert_eq!(document["uncovered"], json!([["riddle", "what is it"], ["song", "la"]]));
}

#[test]
fn faults_name_file_line_and_mend() {
    let check = |rules: &str, expected: &str| {
        let ran = desk(rules).on_desk(&["rules", "check"]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.err.contains(expected), "{expected} is not in {}", ran.err);
    };
    check(
        "[[rule]]\nname = \"x\"\nwhen = 'company.arrr > 5'\nthen = { priority = \"low\" }\n",
        "routing.toml:37: rule \"x\": there is no fact \"company.arrr\"; did you mean company.arr?",
    );
    check(
        "[[rule]]\nname = \"x\"\nwhen = 'time.weekday == \"caturday\"'\nthen = { priority = \"low\" }\n",
        "routing.toml:37: rule \"x\": time.weekday is never \"caturday\"; it is one of monday",
    );
    check(
        "[[rule]]\nname = \"x\"\nthen = { hand_off = \"bilings\" }\n",
        "routing.toml:35: rule \"x\" names team \"bilings\", which does not exist; known: front, billing",
    );
}

fn case(id: &str, text: &str, more: &Value) -> String {
    let mut case = json!({"id": id, "messages": [{"author": "customer", "text": text}]});
    let (Some(object), Some(more)) = (case.as_object_mut(), more.as_object()) else {
        return String::new();
    };
    object.extend(more.clone());
    format!("{case}\n")
}

#[test]
fn routes_of_cases_are_tested_and_a_difference_fails() {
    let bench = desk("");
    let right = json!({
        "at": MONDAY, "facts": {"customer.seats": 100},
        "expect": {"route": {"act": "handoff", "team": "billing", "rule": "Large customers", "priority": "high", "tags": ["large"], "sla": "day"}},
    });
    bench.write("desk/cases/cases.jsonl", &case("right", "A chargeback came", &right));
    let ran = bench.on_desk(&["rules", "test"]);
    assert_eq!((ran.code, ran.out.trim()), (Some(0), "1 of 1 routes are as expected"), "{ran:?}");
    let wrong =
        json!({"at": MONDAY, "expect": {"route": {"team": "front", "rule": "Large customers"}}});
    bench.write("desk/cases/more.jsonl", &case("wrong", "A chargeback came", &wrong));
    let ran = bench.on_desk(&["rules", "test"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let expected = "wrong: team is billing, not front; rule \"Large customers\" did not fire; fired: Chargeback";
    assert!(ran.out.contains(expected), "{ran:?}");
    let not = json!({
        "at": MONDAY, "expect": {"route": {"team": "billing", "not_rules": ["Large customers", "Chargeback"]}},
    });
    bench.write("desk/cases/more.jsonl", &case("not", "A chargeback came", &not));
    let ran = bench.on_desk(&["rules", "test"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.out.contains("not: rule \"Chargeback\" fired\n"), "{ran:?}");
    let nobody = json!({"expect": {"route": {"not_rules": ["Chargebak"]}}});
    bench.write("desk/cases/more.jsonl", &case("nobody", "hello", &nobody));
    let ran = bench.on_desk(&["rules", "test"]);
    let expected = "case \"nobody\": expect.route names rule \"Chargebak\", which does not exist";
    assert!(ran.code == Some(2) && ran.err.contains(expected), "{ran:?}");
    let mistyped = json!({"expect": {"route": {"teem": "front"}}});
    bench.write("desk/cases/more.jsonl", &case("mistyped", "hello", &mistyped));
    let ran = bench.on_desk(&["rules", "test"]);
    assert!(ran.err.contains("more.jsonl:1: expect.route.teem: is not known"), "{ran:?}");
    let unknown = json!({"facts": {"customer.size": 3}, "expect": {"route": {"team": "front"}}});
    bench.write("desk/cases/more.jsonl", &case("unknown", "hello", &unknown));
    let ran = bench.on_desk(&["rules", "test"]);
    assert!(ran.err.contains("case \"unknown\": there is no fact \"customer.size\""), "{ran:?}");
}

#[test]
fn a_backtest_shows_which_conversations_change_their_route() {
    let bench = desk("");
    let plain = json!({"at": MONDAY, "expect": {"act": "handoff"}});
    let cases =
        case("bank", "A chargeback came", &plain) + &case("bill", "my invoice is wrong", &plain);
    bench.write("desk/cases/cases.jsonl", &cases);
    let other =
        bench.read("desk/routing.toml").replace("hand_off = \"billing\"", "hand_off = \"front\"");
    bench.write("other.toml", &other);
    let ran = bench.on_desk(&["--json", "rules", "backtest", "--against", "other.toml"]);
    let document = ran.document();
    assert_eq!(document["cases"], 2);
    let changed = json!([{"id": "bank", "from": "handoff billing", "to": "handoff front", "why": "rule \"Chargeback\" fits", "differs": {"team": {"before": "billing", "after": "front"}, "sla": {"before": "day", "after": null}}}]);
    assert_eq!(document["changed"], changed);
    assert_eq!(document["routes"]["handoff billing"], json!({"before": 2, "after": 1}));
}

#[test]
fn a_conversation_climbs_the_ladder_once_an_episode() {
    let bench = desk("\n[ladder]\nunsure = \"offer\"\n");
    let unsure = ["--json", "ask", "How do I change my password?", "--at", MONDAY];
    let offer = bench.on_desk(&unsure).document();
    assert_eq!((&offer["act"], &offer["team"]), (&json!("offer"), &Value::Null));
    let again = [&unsure[..], &["--fact", "conversation.offered=true"]].concat();
    let handed = bench.on_desk(&again).document();
    assert_eq!(handed["act"], "handoff");
    assert_eq!(handed["reasons"][1], "the bot has offered a person before");
    let held = [&unsure[..], &["--fact", "conversation.owner=teammate"]].concat();
    let held = bench.on_desk(&held).document();
    assert_eq!((&held["act"], &held["message"]), (&json!("hold"), &Value::Null));
}

#[test]
fn a_person_asked_for_at_the_end_of_a_long_message_is_not_overheard() {
    let log = "2026-11-22 10:00 GET /index 200 ok. ".repeat(300);
    let text =
        format!("How do I change my password? {log} I want to talk to a human being, please!");
    let answer = Bench::starter().confident(4.0).ask(&text);
    assert_eq!((&answer["act"], &answer["team"]), (&json!("handoff"), &json!("support")));
}

#[test]
fn whoever_waits_for_people_is_told_so_and_a_silent_bot_says_nothing() {
    let rule = "[[rule]]\nname = \"Drafts\"\nthen = { answer = \"draft\" }\n";
    let bench = desk(rule).confident(4.0);
    let asked = ["--json", "ask", "How do I change my password?", "--at", MONDAY];
    let answer = bench.on_desk(&asked).document();
    assert_eq!(answer["act"], "draft");
    assert!(
        answer["message"].as_str().unwrap().starts_with("I am passing this on to"),
        "{answer:#}"
    );
    let silent = bench.with("FRONTDESK_ANSWERS_REPLIES", "false").on_desk(&asked).document();
    assert_eq!((&silent["act"], &silent["message"]), (&json!("draft"), &Value::Null));
}

#[test]
fn a_yes_to_the_bot_s_offer_is_understood_from_the_history() {
    let bench = desk("");
    bench.write(
        "history.jsonl",
        "{\"author\":\"customer\",\"text\":\"how do I freeze my plan\"}\n{\"author\":\"bot\",\"text\":\"I am not sure that I can answer this correctly. Shall I pass you on to a person?\"}\n",
    );
    let asked = ["--json", "ask", "yes please", "--history", "history.jsonl", "--at", MONDAY];
    let answer = bench.on_desk(&asked).document();
    assert_eq!(
        (&answer["act"], &answer["reasons"][0]),
        (&json!("handoff"), &json!("rule \"Accepts a person\" fits"))
    );
}

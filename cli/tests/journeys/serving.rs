//! `serve` and what goes with running it, over a real socket on a free port.

mod doctor;
mod identity;
mod opening;
mod past;
mod postgres;
mod quiet;
mod visit;

use crate::bench::Bench;
use serde_json::{Value, json};
use sqlx::{Connection, Executor};
use std::{
    sync::mpsc::{Sender, channel},
    time::Instant,
};
use tests::program::{LIMIT, Serving};
use visit::{Visit, get, send};

const QUESTION: &str = "How do I change my password?";

/// What the line of a bot's answer holds, and nothing else does.
const ANSWERED: &str = "\"from\":{\"kind\":\"bot\"";

/// A running desk; dropping it ends the program.
struct Desk {
    serving: Serving,
    address: String,
}

impl Desk {
    fn start(bench: &Bench) -> Self {
        let mut command = bench.command();
        command.args(["--desk", "desk"]);
        let serving = Serving::start(command);
        let address = serving.address().to_string();
        Self { serving, address }
    }

    fn wait_for(&self, part: &str) -> String {
        self.serving.running().wait_for(part)
    }

    fn signal(&self, name: &str) {
        self.serving.running().signal(name);
    }

    fn end(self) -> (Option<i32>, Vec<String>) {
        self.serving.end()
    }

    fn readiness(&self) -> Value {
        get(&self.address, "/readyz", &[]).document()
    }

    fn metrics(&self) -> String {
        get(&self.address, "/metrics", &[]).body
    }

    /// Asks until the metrics hold a line.
    fn wait_for_metric(&self, line: &str) {
        let start = Instant::now();
        while !self.metrics().lines().any(|found| found == line) {
            assert!(start.elapsed() < LIMIT, "no {line:?} in {}", self.metrics());
        }
    }
}

fn desk() -> Bench {
    Bench::vannerly().confident(3.0).with("FRONTDESK_LOG_LEVEL", "info")
}

#[test]
fn a_desk_says_that_it_is_well_and_counts_what_it_does() {
    let bench = desk();
    let serving = Desk::start(&bench);
    serving.wait_for("in step with the articles");
    assert_eq!(get(&serving.address, "/healthz", &[]).status, 200);
    let readiness = serving.readiness();
    assert_eq!(readiness["status"], "ready", "{readiness:#}");
    let checks = readiness["checks"].as_array().unwrap();
    let names: Vec<_> = checks.iter().map(|check| check["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["process", "store", "index", "embedder", "turns", "outbox", "files"]);
    let visit = Visit::open(&serving.address, "Ada");
    let conversation = visit.begin("client-0001", QUESTION);
    visit.follow(&conversation).wait_for(ANSWERED);
    serving.wait_for_metric("frontdesk_turns_due 0");
    let metrics = serving.metrics();
    for part in [
        "frontdesk_turn_seconds_count{stage=\"search\"} 1",
        "frontdesk_decisions_total{act=\"reply\"",
        "route=\"/messenger/v1/messages\",method=\"POST\",status=\"200\"} 1",
        "frontdesk_queued{team=\"billing\"} 0",
        "frontdesk_outbox_pending 0",
        "process_resident_memory_bytes ",
    ] {
        assert!(metrics.contains(part), "no {part} in {metrics}");
    }
    assert!(!metrics.contains(&conversation), "a label without bounds in {metrics}");
}

#[test]
fn figures_and_details_are_for_the_house() {
    let token = "0123456789abcdefghijklmnopqrstuvwxyz";
    let bench = desk().with("FRONTDESK_SERVER_METRICS_TOKEN", token);
    let serving = Desk::start(&bench);
    let stranger = ("x-forwarded-for", "8.8.8.8");
    let refused = get(&serving.address, "/metrics", &[stranger]);
    assert_eq!((refused.status, refused.document()["code"].as_str()), (403, Some("forbidden")));
    let told = get(&serving.address, "/readyz", &[stranger]).document();
    assert!(told.get("checks").is_none(), "{told:#}");
    let bearer = format!("Bearer {token}");
    let known = [stranger, ("authorization", bearer.as_str())];
    assert_eq!(get(&serving.address, "/metrics", &known).status, 200);
    let wrong = [stranger, ("authorization", "Bearer nonsense")];
    assert_eq!(get(&serving.address, "/metrics", &wrong).status, 403);
}

#[test]
fn changed_rules_come_into_use_and_broken_ones_do_not_while_a_stream_stays_open() {
    let bench = desk();
    let serving = Desk::start(&bench);
    let good = bench.read("desk/routing.toml");
    let visit = Visit::open(&serving.address, "Ada");
    let conversation = visit.begin("client-0001", QUESTION);
    let mut stream = visit.follow(&conversation);
    stream.wait_for(ANSWERED);
    bench.write("desk/routing.toml", &format!("{good}\n[[rule]]\nname = 7\n"));
    let said = serving.wait_for("the changed rules are not used");
    assert!(said.contains("routing.toml:"), "{said}");
    let metric = |files: &str, n| format!("frontdesk_reload_failed{{files=\"{files}\"}} {n}");
    serving.wait_for_metric(&metric("rules", 1));
    let start = Instant::now();
    while serving.readiness()["status"] != "degraded" {
        assert!(start.elapsed() < LIMIT, "{:#}", serving.readiness());
    }
    assert!(serving.readiness().to_string().contains("routing.toml:"));
    assert_eq!(get(&serving.address, "/readyz", &[]).status, 200);
    let rule = "\n[[rule]]\nname = \"parrots\"\nwhen = 'has(\"parrot\")'\nthen = { hand_off = \"billing\" }\n";
    let rule = rule.replace("has(\"parrot\")", "message.text.contains(\"parrot\")");
    bench.write("desk/routing.toml", &format!("{good}{rule}"));
    serving.wait_for("changed rules are in use");
    serving.wait_for_metric(&metric("rules", 0));
    serving.signal("HUP");
    serving.wait_for("changed rules are in use");
    assert_eq!(
        visit.say(Some(&conversation), "client-0002", "my parrot is gone").unwrap().status,
        200
    );
    stream.wait_for("parrot is gone");
    stream.wait_for("handed_off");
}

#[test]
fn a_signal_to_stop_ends_streams_and_finishes_what_was_taken() {
    let bench = desk();
    let serving = Desk::start(&bench);
    serving.wait_for("in step with the articles");
    let watched = Visit::open(&serving.address, "Ada");
    let stream = watched.follow(&watched.begin("client-0001", QUESTION));
    let (told, taken) = channel();
    let senders: Vec<_> = (0..4)
        .map(|number: u32| {
            let (told, address) = (told.clone(), serving.address.clone());
            std::thread::spawn(move || write_until_it_stops(&address, number, &told))
        })
        .collect();
    drop(told);
    let mut kept: Vec<(Visit, String, u32)> = Vec::new();
    for _ in 0..12 {
        kept.push(taken.recv_timeout(LIMIT).unwrap());
    }
    serving.signal("TERM");
    let (code, said) = serving.end();
    assert_eq!(code, Some(0), "{said:?}");
    stream.wait_for_end();
    senders.into_iter().for_each(|sender| sender.join().unwrap());
    kept.extend(taken.try_iter());
    let again = Desk::start(&bench);
    for (visit, conversation, number) in &kept {
        let visit = visit.at(&again.address);
        let lines = visit.read(conversation)["lines"].to_string();
        let n_times = lines.matches(&format!("question {number}.")).count();
        assert_eq!(n_times, 1, "{lines}");
        visit.follow(conversation).wait_for(ANSWERED);
    }
}

/// Opens conversations one after the other until the desk takes no more; tells of each that it
/// has acknowledged.
fn write_until_it_stops(address: &str, number: u32, told: &Sender<(Visit, String, u32)>) {
    for turn in 0..5 {
        if std::net::TcpStream::connect(address).is_err() {
            return;
        }
        let Some(visit) = Visit::try_open(address, "Bob") else { return };
        let question = number * 1000 + turn;
        let text = format!("How do I change my password? It is question {question}.");
        let Some(answer) = visit.say(None, &format!("client-{question:08}"), &text) else { return };
        if answer.status != 200 {
            return;
        }
        let conversation = answer.document()["conversation"].as_str().unwrap().to_string();
        if told.send((visit, conversation, question)).is_err() {
            return;
        }
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let running = desk();
    let serving = Desk::start(&running);
    // Half a request keeps the desk from ending by itself.
    let half = [("content-length", "100"), ("content-type", "application/json")];
    let held = send(&serving.address, "POST /messenger/v1/visits", &half, "");
    assert_eq!(get(&serving.address, "/healthz", &[]).status, 200);
    serving.signal("TERM");
    serving.wait_for("stopping");
    serving.signal("TERM");
    assert_eq!(serving.end().0, Some(1));
    drop(held);
}

/// Runs `serve`, which has to refuse.
fn refused(bench: &Bench, listen: &str, parts: &[&str]) {
    bench.on_desk(&["serve", "--listen", listen]).refuses(parts);
}

#[test]
fn a_desk_that_cannot_serve_says_why_and_what_to_do() {
    let running = desk();
    let serving = Desk::start(&running);
    refused(&desk(), &serving.address, &["cannot listen on", "another program", "--listen"]);
    refused(&desk(), "nowhere", &["cannot listen on nowhere", "127.0.0.1:8080"]);
    let bench = desk().with("FRONTDESK_STORE", "routing.toml/desk.db");
    refused(&bench, "127.0.0.1:0", &["the database cannot be used", "routing.toml/desk.db"]);
    let bench = desk().with("FRONTDESK_STORE", "mysql://desk");
    refused(&bench, "127.0.0.1:0", &["neither with `sqlite:` nor with `postgres://`"]);
    let bench = desk().with("FRONTDESK_SERVER_PUBLIC_URL", "help.example.com");
    refused(&bench, "127.0.0.1:0", &["server.public_url", "https://"]);
    let bench = desk().with("FRONTDESK_SERVER_TRUSTED_PROXIES", "proxy");
    refused(&bench, "127.0.0.1:0", &["server.trusted_proxies", "\"proxy\""]);
    let bench = desk().with("FRONTDESK_MESSENGER_ALLOWED_ORIGINS", "*");
    refused(
        &bench,
        "127.0.0.1:0",
        &["messenger.allowed_origins", "\"*\"", "scheme, host and port"],
    );
}

#[test]
fn a_store_of_a_newer_frontdesk_is_left_alone() {
    let bench = desk();
    conversed(&bench);
    let url = format!("sqlite:{}", bench.desk().join(".frontdesk/frontdesk.db").display());
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let mut connection = sqlx::AnyConnection::connect(&url).await.unwrap();
        let newer = "UPDATE _sqlx_migrations SET version = 999 WHERE version = 1";
        connection.execute(newer).await.unwrap();
        connection.close().await.unwrap();
    });
    refused(&bench, "127.0.0.1:0", &["newer Frontdesk"]);
    let ran = bench.on_desk(&["doctor"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.out.contains("newer Frontdesk"), "{ran:?}");
}

/// Has one conversation and returns the ids of its customer and of its first decision.
fn conversed(bench: &Bench) -> (String, String) {
    let serving = Desk::start(bench);
    serving.wait_for("in step with the articles");
    let visit = Visit::open(&serving.address, "Ada");
    visit.follow(&visit.begin("client-0001", QUESTION)).wait_for(ANSWERED);
    serving.signal("TERM");
    assert_eq!(serving.end().0, Some(0));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let file = bench.desk().join(".frontdesk/frontdesk.db");
        let store = store::Store::open(&format!("sqlite:{}", file.display())).await.unwrap();
        let page = store::Page { before: None, limit: 10 };
        let decision = store.all_decisions(&page).await.unwrap().remove(0);
        let customer = store.customers(None, &page).await.unwrap().remove(0);
        store.close().await;
        (customer.id.to_string(), decision.id.to_string())
    })
}

#[test]
fn a_decision_is_taken_again_and_a_customer_is_erased_with_a_receipt() {
    let bench = desk();
    let (customer, decision) = conversed(&bench);
    let same = bench.on_desk(&["replay", &decision]);
    assert_eq!(same.code, Some(0), "{same:?}");
    assert!(same.out.contains("it comes out the same"), "{same:?}");
    // A machine that was set up anew from a backup has no index.
    std::fs::remove_dir_all(bench.desk().join(".frontdesk/index")).unwrap();
    let same = bench.on_desk(&["replay", &decision]);
    assert!(same.out.contains("it comes out the same"), "{same:?}");
    let good = bench.read("desk/routing.toml");
    let rule = "\n[[rule]]\nname = \"passwords\"\nwhen = 'message.text.contains(\"password\")'\nthen = { hand_off = \"billing\" }\n";
    bench.write("desk/routing.toml", &format!("{good}{rule}"));
    let other = bench.on_desk(&["replay", &decision, "--json"]);
    let told = other.document();
    assert_eq!((other.code, &told["same"]), (Some(1), &json!(false)), "{told:#}");
    let act = json!({"what": "act", "then": "reply", "now": "handoff"});
    assert_eq!(told["differences"][0], act, "{told:#}");
    bench.on_desk(&["erase", &customer]).refuses(&["cannot be undone", "--yes"]);
    let kept = bench.desk().join(".frontdesk/cache");
    std::fs::create_dir_all(&kept).unwrap();
    std::fs::write(kept.join("computed.kept"), "a draft for the customer").unwrap();
    let receipt = bench.json(&["erase", &customer, "--yes"]);
    assert_eq!(receipt["conversations"], 1, "{receipt:#}");
    assert_eq!(receipt["cache_bytes"], 24, "{receipt:#}");
    assert!(!kept.join("computed.kept").exists());
    assert_eq!(receipt["customer_id_sha256"].as_str().unwrap().len(), 64);
    bench.on_desk(&["erase", &customer, "--yes"]).refuses(&["there is no such customer"]);
    bench.on_desk(&["replay", &decision]).refuses(&["decision"]);
    bench.on_desk(&["replay", "nonsense"]).refuses(&["\"nonsense\" is no id of a decision"]);
}

#[test]
fn a_customer_is_erased_by_a_name_that_looks_like_an_id() {
    let bench = desk();
    let serving = Desk::start(&bench);
    let name = "3f2b8c1e-9d4a-4f6b-8a2d-5c7e9f1a2b3c";
    let made = bench.json(&["tokens", "add", "crm", "--scope", "customers:write"]);
    let bearer = format!("Bearer {}", made["token"].as_str().unwrap());
    let line = format!("PUT /api/v1/customers/by-external-id/{name}");
    let headers = [("authorization", bearer.as_str())];
    let put = visit::tried(&serving.address, &line, &headers, "{\"name\": \"Grace\"}").unwrap();
    assert!(matches!(put.status, 200 | 201), "{put:?}");
    let receipt = bench.json(&["erase", name, "--yes"]);
    assert_eq!(receipt["conversations"], 0, "{receipt:#}");
    bench.on_desk(&["erase", name, "--yes"]).refuses(&["there is no such customer"]);
}

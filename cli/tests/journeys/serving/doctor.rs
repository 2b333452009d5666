//! What `doctor` finds, and what it leaves alone.

use super::{Desk, desk};
use crate::bench::{Bench, Ran};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
};
use tests::ONE_TEAM;

/// A desk with one team and no topics to be learnt, of which many examinations take no time.
fn small() -> Bench {
    let bench = Bench::starter().confident(3.0);
    bench.write("desk/routing.toml", ONE_TEAM);
    bench.with("FRONTDESK_SERVER_LISTEN", "127.0.0.1:0")
}

fn doctor(bench: &Bench) -> (Ran, Value) {
    let ran = bench.on_desk(&["doctor", "--json"]);
    let document = ran.document();
    (ran, document)
}

#[test]
fn the_doctor_finds_a_sound_desk_sound() {
    let bench = desk().with("FRONTDESK_SERVER_LISTEN", "127.0.0.1:0");
    let (ran, told) = doctor(&bench);
    assert_eq!((ran.code, &told["sound"]), (Some(0), &json!(true)), "{told:#}");
    let part = |name: &str| told["checks"].as_array().unwrap().iter().any(|c| c["part"] == name);
    for name in ["desk", "index", "store", "disk", "port", "address"] {
        assert!(part(name), "nothing of {name} in {told:#}");
    }
}

#[test]
fn the_doctor_names_what_is_broken_and_the_mend() {
    let running = desk();
    let serving = Desk::start(&running);
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap().to_string();
    let bench = desk()
        .with("FRONTDESK_SERVER_LISTEN", &taken)
        .with("FRONTDESK_MESSENGER_IDENTITY_SECRET", "swordfish")
        .with("FRONTDESK_SERVER_PUBLIC_URL", "http://127.0.0.1:9")
        .with("FRONTDESK_STORE", "routing.toml/desk.db");
    drop(other);
    // Whatever listens there by now is no desk.
    let other = std::net::TcpListener::bind(&taken).unwrap();
    std::thread::spawn(move || other.incoming().for_each(drop));
    let (ran, told) = doctor(&bench);
    assert_eq!((ran.code, &told["sound"]), (Some(1), &json!(false)), "{told:#}");
    let text = bench.on_desk(&["doctor"]).out;
    for part in [
        "another program listens",
        "messenger.identity_secret can be guessed; set what `openssl rand -hex 32` prints",
        "http://127.0.0.1:9/healthz: no connection; start `frontdesk serve`",
        "broken   store",
    ] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    assert!(!text.contains("swordfish"), "{text}");
    let mend = desk().with("FRONTDESK_SERVER_LISTEN", &serving.address);
    assert!(mend.on_desk(&["doctor"]).out.contains("a desk answers on"));
}

/// Asserts that `doctor` says `what` of a part, in this state.
fn check(bench: &Bench, part: (&str, &str), what: &str) -> Value {
    found(&doctor(bench), part, what)
}

fn found((ran, told): &(Ran, Value), (part, state): (&str, &str), what: &str) -> Value {
    let checks = told["checks"].as_array().unwrap();
    let is_meant =
        |check: &&Value| check["part"] == part && check["what"].as_str().unwrap().contains(what);
    let found = checks.iter().find(is_meant).unwrap_or_else(|| panic!("no {what:?}: {told:#}"));
    assert_eq!(found["state"], state, "{found:#}");
    assert_eq!(ran.code == Some(1), checks.iter().any(|check| check["state"] == "broken"));
    found.clone()
}

#[test]
fn what_serve_refuses_the_doctor_finds_and_check_too() {
    let mut bench = small();
    for (name, value, what) in [
        ("FRONTDESK_SERVER_TRUSTED_PROXIES", "proxy", "server.trusted_proxies: \"proxy\""),
        ("FRONTDESK_SERVER_PUBLIC_URL", "help.example.com", "begins neither with http://"),
        ("FRONTDESK_LOG_LEVEL", "bot=frob", "log.level \"bot=frob\""),
        ("FRONTDESK_TELEMETRY_OTLP_ENDPOINT", "http://127.0.0.1:9", "telemetry.otlp_endpoint"),
    ] {
        bench = bench.with(name, value);
        bench.on_desk(&["serve"]).refuses(&[what]);
        check(&bench, ("desk", "broken"), what);
        let checked = bench.on_desk(&["check"]);
        assert_eq!(checked.code, Some(1), "{checked:?}");
        assert!(checked.out.contains(what), "{checked:?}");
        bench = bench.with(name, "");
    }
    let bench = bench.with("FRONTDESK_SERVER_LISTEN", "127.0.0.1:0");
    bench.write("desk/messenger/pt.json", "{\"tytle\": \"Como podemos ajudar?\"}");
    bench.on_desk(&["serve"]).refuses(&["messenger/pt.json"]);
    check(&bench, ("desk", "broken"), "messenger/pt.json");
}

#[test]
fn the_doctor_counts_those_who_can_sign_in() {
    let bench = small();
    // Whoever lists teammates opens the store, and so makes it.
    bench.json(&["teammates", "list"]);
    let none = check(&bench, ("teammates", "broken"), "no admin can sign in");
    let mend = none["mend"].as_str().unwrap();
    assert!(mend.contains("frontdesk --desk desk teammates add"), "{mend}");
    bench.write("stdin", "correct horse battery\n");
    let sign_up = |words: &[&str]| {
        let stdin = std::fs::File::open(bench.home().join("stdin")).unwrap();
        let mut command = bench.command();
        command.stdin(stdin).args(["--desk", "desk", "teammates", "add"]).args(words);
        let ran = Ran::of(command.arg("--password-stdin"));
        assert_eq!(ran.code, Some(0), "{ran:?}");
    };
    sign_up(&["grace", "--name", "Grace", "--email", "grace@example.com", "--role", "admin"]);
    let examined = doctor(&bench);
    let what = "has members who cannot sign in: ada";
    let missing = found(&examined, ("teammates", "warning"), what);
    assert!(missing["mend"].as_str().unwrap().contains("routing.toml"), "{missing:#}");
    assert!(!examined.1.to_string().contains("no admin"), "grace is one");
    assert_eq!(bench.on_desk(&["teammates", "disable", "grace"]).code, Some(0));
    check(&bench, ("teammates", "broken"), "no admin can sign in");
    sign_up(&["ada", "--name", "Ada", "--email", "ada@example.com", "--role", "admin"]);
    check(&bench, ("teammates", "ok"), "1 can sign in");
}

#[test]
fn the_doctor_asks_each_webhook_and_looks_for_its_secret() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let here = listener.local_addr().unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    // Ends with the test's process.
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).unwrap();
            assert!(line.starts_with("HEAD /hook?key=swordfish "), "{line}");
            stream
                .write_all(b"HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 0\r\n\r\n")
                .unwrap();
        }
    });
    let bench = small();
    let hook = |slug: &str, address| {
        let events = "events = [\"message.created\"]";
        let url = format!("http://{address}/hook?key=swordfish");
        format!("[[webhook]]\nslug = {slug:?}\nurl = {url:?}\n{events}\n")
    };
    let routing = ONE_TEAM.to_string() + &hook("crm", here) + &hook("pager", gone);
    bench.write("desk/routing.toml", &routing);
    check(&bench, ("webhooks", "warning"), "crm: ");
    let bench = bench.with("FRONTDESK_WEBHOOKS_ALLOW_PRIVATE", "true");
    let examined = doctor(&bench);
    found(&examined, ("webhooks", "ok"), "crm answers: HTTP 405");
    found(&examined, ("webhooks", "warning"), "pager: ");
    found(&examined, ("webhooks", "warning"), "webhooks.secret is not set");
    assert!(!examined.1.to_string().contains("swordfish"), "an address may hold a key");
    let bench = bench
        .with("FRONTDESK_WEBHOOKS_SECRET", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
        .with("FRONTDESK_SERVER_METRICS_TOKEN", "open sesame")
        .with("FRONTDESK_MESSENGER_IDENTITY_SECRET", "0123456789abcdefghijklmnopqrstuvwxyz");
    let examined = doctor(&bench);
    found(&examined, ("secrets", "broken"), "webhooks.secret can be guessed");
    found(&examined, ("secrets", "broken"), "server.metrics_token can be guessed");
    found(&examined, ("secrets", "ok"), "messenger.identity_secret is long enough");
}

#[test]
fn settings_that_everybody_may_read_hold_no_secrets() {
    let bench = small();
    let read_by = |mode: u32| {
        let file = bench.desk().join("frontdesk.toml");
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let secret = "[messenger]\nidentity_secret = \"0123456789abcdefghijklmnopqrstuvwxyz\"\n";
    bench.write("desk/frontdesk.toml", secret);
    read_by(0o644);
    check(&bench, ("secrets", "warning"), "frontdesk.toml holds secrets");
    read_by(0o640);
    assert!(!doctor(&bench).1.to_string().contains("holds secrets"));
    // Names of secrets are none, in a comment or beside an empty value.
    bench.write("desk/frontdesk.toml", "[messenger]\nidentity_secret = '' # the secret\n");
    read_by(0o644);
    assert!(!doctor(&bench).1.to_string().contains("holds secrets"));
}

#[test]
fn the_doctor_finds_folders_that_nothing_can_be_written_to() {
    let bench = small();
    assert!(!doctor(&bench).1.to_string().contains("cannot be written"));
    let bench = bench
        .with("FRONTDESK_ARTICLES_INDEX", "routing.toml/index")
        .with("FRONTDESK_MODELS_FOLDER", "routing.toml/models");
    let examined = doctor(&bench);
    let index = found(&examined, ("index", "broken"), "routing.toml is no folder");
    assert_eq!(index["mend"], "set `articles.index` to a folder that can be");
    let models = found(&examined, ("models", "warning"), "models cannot be fetched");
    assert_eq!(models["mend"], "set `models.folder` to a folder that can be");
    // Nobody makes files there, not even who may do everything.
    let bench = bench
        .with("FRONTDESK_ARTICLES_INDEX", "/proc/index")
        .with("FRONTDESK_MODELS_FOLDER", "")
        .with("FRONTDESK_STORE", "/proc/desk.db");
    let examined = doctor(&bench);
    let index = found(&examined, ("index", "broken"), "this user cannot make a file in /proc");
    let mend = "give it the folder: chown -R \"$USER\" /proc; or set `articles.index`";
    assert_eq!(index["mend"], mend);
    found(&examined, ("store", "broken"), "this user cannot make a file in /proc");
}

#[test]
fn the_doctor_asks_the_collector_of_traces() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let here = listener.local_addr().unwrap();
    // Ends with the test's process. The second answer is that of something else.
    std::thread::spawn(move || {
        for status in ["200 OK", "404 Not Found"] {
            let (mut stream, _) = listener.accept().unwrap();
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).unwrap();
            assert!(line.starts_with("POST /v1/traces "), "{line}");
            write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").unwrap();
        }
    });
    let bench = small();
    assert!(!doctor(&bench).1.to_string().contains("\"telemetry\""));
    let bench = bench.with("FRONTDESK_TELEMETRY_OTLP_ENDPOINT", &format!("http://{here}/"));
    check(&bench, ("telemetry", "ok"), "takes traces");
    check(&bench, ("telemetry", "warning"), "answered HTTP 404");
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let bench = bench.with("FRONTDESK_TELEMETRY_OTLP_ENDPOINT", &format!("http://{gone}"));
    let lost = check(&bench, ("telemetry", "warning"), "no collector can be reached");
    assert!(lost["mend"].as_str().unwrap().contains("telemetry.otlp_endpoint"), "{lost:#}");
}

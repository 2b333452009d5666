//! What people wrote, what they are called and how they sign in stays out of the log, by whichever
//! door it comes.

use super::{
    ANSWERED, Desk, desk,
    visit::{Visit, tried},
};
use crate::bench::{Bench, Ran};
use reqwest::{Client, Response, redirect::Policy};
use serde_json::{Value, json};
use std::{cell::RefCell, collections::BTreeMap};
use tokio::runtime::Runtime;

const PASSWORD: &str = "correct horse battery";

/// What nobody may read of anybody.
const SECRETS: [&str; 14] = [
    "ebra",
    "uackenbush",
    "talk to a person",
    "cart?customer",
    "ranger-Pratt",
    "ermione",
    "umquat",
    "ame77",
    "race Hopper",
    "race@",
    "orrect horse",
    "orse+battery",
    "armalade",
    "oodnight",
];

fn add_teammate(bench: &Bench) {
    bench.write("stdin", &format!("{PASSWORD}\n"));
    let stdin = std::fs::File::open(bench.home().join("stdin")).unwrap();
    let mut command = bench.command();
    command.stdin(stdin).args(["--desk", "desk", "teammates", "add", "grace"]);
    command.args(["--name", "Grace Hopper", "--email", "grace@mail.example", "--role", "admin"]);
    let ran = Ran::of(command.arg("--password-stdin"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

/// A customer in the messenger; returns the token of the visit.
fn write_in_the_messenger(address: &str) -> (String, String) {
    let visit = Visit::open(address, "Wilhelmina Quackenbush");
    let words = "How do I change my password? Write to quackenbush@mail.example, zebra-4711.";
    let conversation = visit.begin("client-0001", words);
    visit.follow(&conversation).wait_for(ANSWERED);
    let person = "I want to talk to a person about my zebra, please";
    visit.say(Some(&conversation), "client-0002", person).unwrap();
    visit.follow(&conversation).wait_for("\"number\":4");
    (conversation, visit.token)
}

/// A program that tells of a customer, writes for them, answers them and looks them up.
fn call_the_api(address: &str, token: &str) {
    let bearer = format!("Bearer {token}");
    let call = |line: &str, body: &str| -> Value {
        let headers = [("authorization", bearer.as_str())];
        let answer = tried(address, line, &headers, body).unwrap();
        assert!((200..300).contains(&answer.status), "{line}: {answer:?}");
        answer.document()
    };
    let known = json!({"name": "Hermione Granger-Pratt", "email": "hermione@mail.example"});
    let line = "PUT /api/v1/customers/by-external-id/dame77";
    let customer = call(line, &known.to_string())["id"].clone();
    let words = json!({"text": "Where is my kumquat? I need a human.", "external_id": "dame77-1"});
    let opened = json!({"customer": customer, "message": words});
    let opened = call("POST /api/v1/conversations", &opened.to_string());
    let place = format!("/api/v1/conversations/{}", opened["id"].as_str().unwrap());
    call(&format!("POST {place}/replies"), "{\"text\": \"The kumquat is on its way.\"}");
    call(&format!("POST {place}/notes"), "{\"text\": \"Ask about the kumquat.\"}");
    call("GET /api/v1/customers?text=granger-pratt", "");
    call("GET /api/v1/conversations?words=kumquat", "");
}

/// Somebody at the inbox, with cookies.
struct Browser {
    client: Client,
    root: String,
    cookies: RefCell<BTreeMap<String, String>>,
    csrf: RefCell<String>,
}

impl Browser {
    async fn ask(&self, path: &str, form: Option<&[(&str, &str)]>) -> String {
        let url = format!("{}{path}", self.root);
        let cookies =
            self.cookies.borrow().iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>();
        let csrf = self.csrf.borrow().clone();
        let request = match form {
            None => self.client.get(url),
            Some(fields) => {
                let fields: Vec<_> =
                    fields.iter().copied().chain([("csrf", csrf.as_str())]).collect();
                let body = serde_urlencoded(&fields);
                let kind = "application/x-www-form-urlencoded";
                self.client.post(url).header("content-type", kind).body(body)
            }
        };
        let answer = request.header("cookie", cookies.join("; ")).send().await.unwrap();
        self.keep(&answer);
        let status = answer.status();
        assert!(status.is_success() || status.is_redirection(), "{path}: {status}");
        let text = answer.text().await.unwrap();
        if let Some((_, rest)) = text.split_once("name=\"csrf\" value=\"") {
            *self.csrf.borrow_mut() = rest.split('"').next().unwrap().to_string();
        }
        text
    }

    fn keep(&self, answer: &Response) {
        for line in answer.headers().get_all("set-cookie") {
            let (name, rest) = line.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            self.cookies.borrow_mut().insert(name.into(), value.into());
        }
    }
}

fn serde_urlencoded(fields: &[(&str, &str)]) -> String {
    let encode = |text: &str| text.replace('@', "%40").replace(' ', "+");
    let pairs = fields.iter().map(|(name, value)| format!("{name}={}", encode(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// Somebody who signs in, first with a wrong password, searches, and writes.
async fn work_in_the_inbox(address: &str, conversation: &str) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let (cookies, csrf) = (RefCell::default(), RefCell::default());
    let browser = Browser { client, root: format!("http://{address}"), cookies, csrf };
    browser.ask("/inbox/sign-in", None).await;
    let entered = [("email", "grace@mail.example"), ("password", PASSWORD)];
    browser.ask("/inbox/sign-in", Some(&entered)).await;
    let found = browser.ask("/inbox/search?q=zebra", None).await;
    assert!(found.contains(conversation), "{found}");
    let place = format!("/inbox/conversations/{conversation}");
    browser.ask(&place, None).await;
    for (kind, text) in [("reply", "Here is some marmalade"), ("note", "She said goodnight")] {
        browser.ask(&format!("{place}/say"), Some(&[("kind", kind), ("text", text)])).await;
    }
    let shown = browser.ask(&place, None).await;
    assert!(shown.contains("some marmalade") && shown.contains("said goodnight"), "{shown}");
}

#[test]
fn nothing_of_a_customer_is_in_the_most_talkative_log() {
    let bench = desk().with("FRONTDESK_LOG_LEVEL", "trace");
    add_teammate(&bench);
    let made = bench.json(&["tokens", "add", "crm", "--scope", "admin"]);
    let bearer = made["token"].as_str().unwrap();
    let serving = Desk::start(&bench);
    serving.wait_for("in step with the articles");
    let (conversation, token) = write_in_the_messenger(&serving.address);
    call_the_api(&serving.address, bearer);
    Runtime::new().unwrap().block_on(work_in_the_inbox(&serving.address, &conversation));
    serving.signal("TERM");
    let (code, said) = serving.end();
    assert_eq!(code, Some(0));
    assert!(said.len() > 100, "the log is not talkative: {}", said.len());
    for secret in SECRETS.into_iter().chain([token.as_str(), bearer]) {
        let found: Vec<_> = said.iter().filter(|line| line.contains(secret)).take(3).collect();
        assert!(found.is_empty(), "{secret:?} in {found:#?}");
    }
}

//! The snippets of docs/messenger.md prove to a desk who is there, in each language that they are
//! written in.

use super::{Desk, desk, visit::tried};
use crate::{bench::repository, documents::blocks};
use serde_json::{Value, json};
use std::{io::Write, process::Command};

const SECRET: &str = "0123456789abcdefghijklmnopqrstuvwxyz";

/// A language: how documents call it, what runs it, and what to say for a hash and for a token.
struct Language {
    name: &'static str,
    interpreter: [&'static str; 2],
    hash: &'static str,
    token: &'static str,
}

const LANGUAGES: [Language; 3] = [
    Language {
        name: "python",
        interpreter: ["python3", "-c"],
        hash: "print(user_hash('customer-17', SECRET))",
        token: "print(user_jwt({'sub': 'customer-17', 'name': 'Ada'}, SECRET))",
    },
    Language {
        name: "js",
        interpreter: ["node", "-e"],
        hash: "console.log(userHash('customer-17', SECRET))",
        token: "console.log(userJwt({ sub: 'customer-17', name: 'Ada' }, SECRET))",
    },
    Language {
        name: "php",
        interpreter: ["php", "-r"],
        hash: "echo user_hash('customer-17', SECRET);",
        token: "echo user_jwt(['sub' => 'customer-17', 'name' => 'Ada'], SECRET);",
    },
];

/// Runs a snippet with a call behind it; None, visibly, where nothing runs the language.
fn said(language: &Language, snippet: &str, call: &str) -> Option<String> {
    let program = format!("{snippet}\n{}", call.replace("SECRET", &format!("'{SECRET}'")));
    let [interpreter, option] = language.interpreter;
    let Ok(ran) = Command::new(interpreter).args([option, &program]).output() else {
        let _ = writeln!(std::io::stderr(), "SKIPPED: {interpreter} is not installed");
        return None;
    };
    assert!(ran.status.success(), "{program}: {}", String::from_utf8_lossy(&ran.stderr));
    Some(String::from_utf8(ran.stdout).unwrap().trim().to_string())
}

/// Opens a visit by a proof.
fn visit(address: &str, claim: &Value) -> Value {
    tried(address, "POST /messenger/v1/visits", &[], &claim.to_string()).unwrap().document()
}

#[test]
fn the_snippets_of_the_document_prove_who_is_there() {
    let bench = desk().with("FRONTDESK_MESSENGER_IDENTITY_SECRET", SECRET);
    let serving = Desk::start(&bench);
    let document = std::fs::read_to_string(repository().join("docs/messenger.md")).unwrap();
    let blocks = blocks(&document);
    for language in &LANGUAGES {
        let written: Vec<_> = blocks.iter().filter(|b| b.language == language.name).collect();
        let [hash, token] = written.as_slice() else {
            panic!("{} snippets in {}", written.len(), language.name)
        };
        let Some(hash) = said(language, &hash.text, language.hash) else { continue };
        let claim = |id: &str| json!({"user_id": id, "user_hash": hash});
        let known = visit(&serving.address, &claim("customer-17"));
        assert_eq!(known["verified"], true, "{}: {known:#}", language.name);
        let other = visit(&serving.address, &claim("customer-18"));
        assert_eq!(other["code"], "identity_unproven", "{}: {other:#}", language.name);
        let token = said(language, &token.text, language.token).unwrap();
        let named = visit(&serving.address, &json!({ "user_jwt": token }));
        assert_eq!(
            (&named["verified"], &named["name"]),
            (&json!(true), &json!("Ada")),
            "{named:#}"
        );
        let forged = visit(&serving.address, &json!({"user_jwt": format!("{token}x")}));
        assert_eq!(forged["code"], "identity_unproven", "{}: {forged:#}", language.name);
    }
}

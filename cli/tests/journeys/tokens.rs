//! Tokens of the API: issued once, listed without their secret, withdrawn, and noted.

use crate::bench::Bench;
use serde_json::{Value, json};

fn list(bench: &Bench) -> Vec<Value> {
    bench.json(&["tokens", "list"])["tokens"].as_array().unwrap().clone()
}

#[test]
fn a_token_is_shown_once_listed_without_its_secret_and_withdrawn() {
    let bench = Bench::starter();
    let none = bench.on_desk(&["tokens", "list"]);
    assert!(none.out.contains("no tokens yet"), "{none:?}");
    let words =
        ["tokens", "add", "crm-sync", "--scope", "teams:read", "--scope", "customers:write"];
    let made = bench.on_desk(&words);
    assert_eq!(made.code, Some(0), "{made:?}");
    let token = made.out.trim();
    assert!(token.len() >= 32 && !token.contains(char::is_whitespace), "{made:?}");
    assert!(made.err.contains("frontdesk --desk desk tokens revoke crm-sync"), "{made:?}");
    let kept = &list(&bench)[0];
    assert_eq!(kept["name"], "crm-sync");
    assert_eq!(kept["scopes"], json!(["customers:write", "teams:read"]));
    assert_eq!((&kept["used_at"], &kept["revoked_at"]), (&Value::Null, &Value::Null));
    let shown = bench.on_desk(&["tokens", "list"]);
    assert!(shown.out.contains("crm-sync  customers:write, teams:read; never used"), "{shown:?}");
    assert!(!shown.out.contains(token) && !kept.to_string().contains(token));
    bench.on_desk(&words).refuses(&["there is a token \"crm-sync\" already"]);
    let revoked = bench.json(&["tokens", "revoke", "crm-sync"]);
    assert_eq!(revoked["revoked"], kept["id"]);
    assert!(list(&bench)[0]["revoked_at"].is_string());
    bench.on_desk(&["tokens", "revoke", "crm-sync"]).refuses(&["no token \"crm-sync\" is in use"]);
    // Its name is free again, and then the id tells the two apart.
    let again = bench.json(&["tokens", "add", "crm-sync", "--scope", "admin"]);
    assert_ne!(again["token"].as_str().unwrap(), token);
    let id = again["id"].as_str().unwrap();
    let words = bench.on_desk(&["tokens", "revoke", id]);
    assert!(words.out.contains("crm-sync is revoked"), "{words:?}");
    assert_eq!(list(&bench).len(), 2);
}

#[test]
fn what_is_no_token_is_refused_in_words() {
    let bench = Bench::starter();
    let add = |name: &str, scopes: &[&str]| {
        let words: Vec<&str> = scopes.iter().flat_map(|scope| ["--scope", scope]).collect();
        bench.on_desk(&[&["tokens", "add", name][..], &words].concat())
    };
    add("CRM sync", &["teams:read"]).refuses(&["CRM sync"]);
    add("crm", &["teams:write"]).refuses(&["teams:write", "teams:read"]);
    add("crm", &[]).refuses(&["--scope"]);
    assert!(list(&bench).is_empty());
}

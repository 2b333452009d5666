//! Beside people: the bot decides and says nothing, and is compared with what people did.

use super::There;
use serde_json::{Value, json};

#[test]
fn what_the_bot_would_have_done_stands_beside_what_people_did() {
    let there = There::seated().with("FRONTDESK_INTERCOM_MODE", "silent");
    let intercom = &there.intercom;
    let lena = intercom.with_admin("Lena");
    for name in ["Support", "Billing"] {
        intercom.with_team(name, &[&lena]);
    }
    let serving = there.serve();
    intercom.webhooks_to(Some(&format!("http://{}/webhooks/intercom", serving.address())));
    let joe = intercom.with_user("Joe", "70", json!({}));
    let id = intercom.customer_writes(&joe, "How do I change my password?");
    let compare = |is_there: &dyn Fn(&Value) -> bool| {
        for _ in 0..100 {
            let (code, document) = there.json(&["compare", "--since", "2026-01-01"]);
            assert_eq!(code, Some(0));
            if is_there(&document) {
                return document;
            }
        }
        panic!("it does not come");
    };
    let alone = compare(&|document| document["n"] == 1);
    assert_eq!((&alone["no_person_answered"], &alone["acts"]["reply"]), (&json!(1), &json!(1)));
    intercom.admin_replies(
        &lena,
        &id,
        "Open Settings, choose Security, then choose Change password.",
    );
    let both = compare(&|document| document["no_person_answered"] == 0);
    let pair = &both["decisions"][0];
    assert_eq!((&pair["conversation"], &pair["act"]), (&json!(id), &json!("reply")));
    assert!(pair["f1"].as_f64().unwrap() > 0.0, "{both:#}");
    assert_eq!(both["drafts_beside_a_person"], 1);
    assert!(intercom.conversation(&id).unwrap().parts.len() == 1, "nothing of the bot is there");
    let told = there.run(&["compare", "--since", "2026-01-01", "-o", "pairs.jsonl"]);
    assert!(told.out.contains("     1  replies that a person answered too"), "{told:?}");
    assert!(there.bench.read("pairs.jsonl").contains("Change password"));
    let later = there.run(&["compare", "--since", "2090-01-01"]);
    assert!(later.out.contains("no decision about a conversation of Intercom"), "{later:?}");
}

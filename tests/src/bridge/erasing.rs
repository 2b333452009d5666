//! What is taken away there goes here, too, from every page of the database.

use super::{Bridge, PLEA, QUESTION};
use crate::office::SURE;
use jiff::SignedDuration;
use serde_json::json;

/// Words that stand nowhere else.
const SECRET: &str = "Zanzibar-4711";

impl Bridge {
    /// Whether the secret stands anywhere in the database's files.
    fn keeps(&self, secret: &str) -> bool {
        let files = std::fs::read_dir(self.bench.folder.path()).unwrap().flatten();
        let databases =
            files.filter(|file| file.file_name().to_string_lossy().starts_with("desk.db"));
        databases.into_iter().any(|file| {
            let bytes = std::fs::read(file.path()).unwrap();
            bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
        })
    }
}

#[tokio::test]
async fn a_conversation_that_is_deleted_there_is_erased_here() {
    let bridge = Bridge::open(SURE).await;
    let id = bridge.ask(&format!("{PLEA}, my code is {SECRET}")).await;
    assert!(bridge.keeps(SECRET));
    bridge.intercom.delete_conversation(&id);
    bridge.settle().await;
    assert!(bridge.named("intercom", &id).await.is_none());
    assert!(!bridge.keeps(SECRET));
}

#[tokio::test]
async fn a_deletion_that_no_webhook_told_is_found() {
    let bridge = Bridge::open(SURE).await;
    let id = bridge.ask(&format!("{PLEA}, my code is {SECRET}")).await;
    let stays = bridge.ask(PLEA).await;
    let look = async || {
        bridge.office.store().ask_for("intercom", "deletions", bridge.office.now()).await.unwrap();
        bridge.settle().await;
    };
    look().await;
    bridge.intercom.faults(|faults| faults.webhooks.dropped = 1.0);
    bridge.intercom.delete_conversation(&id);
    bridge.settle().await;
    assert!(bridge.keeps(SECRET), "nobody told");
    // By itself, within the hour.
    bridge.bench.pass(SignedDuration::from_mins(61));
    bridge.settle().await;
    assert!(bridge.named("intercom", &id).await.is_none());
    assert!(!bridge.keeps(SECRET));
    assert!(bridge.named("intercom", &stays).await.is_some());
}

#[tokio::test]
async fn a_customer_who_is_deleted_there_is_erased_here_and_does_not_come_back() {
    let bridge = Bridge::open(SURE).await;
    let zoe = bridge.intercom.with_user("Zoe Zanzibar", "zoe-4711", json!({"tier": SECRET}));
    let id = bridge.intercom.customer_writes(&zoe, &format!("{PLEA}, my code is {SECRET}"));
    bridge.settle().await;
    assert!(bridge.keeps(SECRET) && bridge.keeps("Zoe Zanzibar"));
    bridge.intercom.delete_contact(&zoe);
    bridge.settle().await;
    // The conversation still stands there; webhooks and polls tell of it.
    bridge.intercom.admin_replies(&bridge.ada, &id, "Are you there?");
    bridge.settle().await;
    bridge.poll().await;
    assert!(bridge.named("intercom", &id).await.is_none());
    for secret in [SECRET, "Zoe Zanzibar", "zoe-4711"] {
        assert!(!bridge.keeps(secret), "{secret}");
    }
}

#[tokio::test]
async fn words_that_are_redacted_there_are_gone_here() {
    let bridge = Bridge::open(SURE).await;
    let id = bridge.ask(QUESTION).await;
    let part = bridge.intercom.customer_replies(&id, &format!("{PLEA}, my code is {SECRET}"));
    bridge.settle().await;
    assert!(bridge.keeps(SECRET));
    bridge.intercom.redact_part(&id, &part);
    bridge.settle().await;
    assert_eq!(bridge.customers_said(&id).await, [QUESTION, "[removed]"]);
    assert!(!bridge.keeps(SECRET));
    let found = store::Search { words: Some("zanzibar".into()), ..store::Search::default() };
    let page = store::Page { before: None, limit: 9 };
    assert!(bridge.office.store().search(&found, &page).await.unwrap().is_empty());
}

#[tokio::test]
async fn words_that_are_redacted_while_their_handoff_waits_are_gone_as_well() {
    let bridge = Bridge::open(SURE).await;
    bridge.intercom.faults(|faults| {
        faults.failing = 1.0;
        faults.only = Some("POST /conversations/".into());
    });
    let id = bridge.ask(&format!("{PLEA}, my code is {SECRET}")).await;
    bridge.intercom.redact_part(&id, &bridge.there(&id).source.id);
    bridge.settle().await;
    bridge.intercom.faults(|faults| faults.failing = 0.0);
    bridge.settle_all().await;
    assert!(!bridge.keeps(SECRET));
    assert!(bridge.ours(&id).iter().all(|line| !line.contains(SECRET)), "{:?}", bridge.ours(&id));
    assert_eq!(bridge.there(&id).team_assignee.as_ref(), Some(&bridge.support));
    assert_eq!(bridge.said(&id).len(), 1, "the rest of the handoff goes on");
}

#[tokio::test]
async fn a_teammate_s_words_that_opened_it_again_can_be_redacted() {
    let bridge = Bridge::open(SURE).await;
    let id = bridge.ask(QUESTION).await;
    bridge.intercom.admin_closes(&bridge.ada, &id);
    bridge.settle().await;
    let part = bridge.intercom.admin_replies(&bridge.ada, &id, &format!("Your code is {SECRET}"));
    bridge.settle().await;
    bridge.intercom.redact_part(&id, &part);
    bridge.settle().await;
    assert!(!bridge.keeps(SECRET), "{:?}", bridge.told(&id).await);
    assert_eq!(bridge.customers_said(&id).await, [QUESTION]);
}

#[tokio::test]
async fn a_customer_who_turns_out_to_be_another_is_one_here_too() {
    let bridge = Bridge::open(SURE).await;
    let lead = bridge.intercom.with_lead();
    let id = bridge.intercom.customer_writes(&lead, &format!("{PLEA}, my code is {SECRET}"));
    bridge.settle().await;
    bridge.intercom.merge_contacts(&lead, &bridge.joe);
    bridge.settle().await;
    bridge.poll().await;
    let store = bridge.office.store();
    let customer = store.customer(bridge.record(&id).await.customer).await.unwrap();
    assert_eq!(customer.identity.unwrap().external_id, bridge.joe);
    assert_eq!(customer.name.as_deref(), Some("Joe"));
    let none = store::Page { before: None, limit: 9 };
    assert_eq!(store.customers(None, &none).await.unwrap().len(), 1);
    bridge.intercom.delete_contact(&bridge.joe);
    bridge.settle().await;
    assert!(bridge.named("intercom", &id).await.is_none());
    assert!(!bridge.keeps(SECRET));
}

#[tokio::test]
async fn what_no_intercom_says_erases_nothing() {
    let bridge = Bridge::open(SURE).await;
    let id = bridge.ask(QUESTION).await;
    // A proxy that knows no such address.
    let page = crate::intercom::Mishap::Failing(404);
    bridge.intercom.once(&format!("GET /conversations/{id}"), page);
    bridge.intercom.customer_replies(&id, "And then?");
    bridge.settle().await;
    assert!(bridge.named("intercom", &id).await.is_some());
    bridge.bench.pass(SignedDuration::from_secs(5));
    bridge.settle().await;
    assert_eq!(bridge.customers_said(&id).await, [QUESTION, "And then?"]);
}

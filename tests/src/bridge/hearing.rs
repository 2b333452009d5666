//! What comes to the door: proven, kept once, looked at.

use super::{Bridge, PLEA, QUESTION};
use crate::{
    intercom::{Outcome, sign},
    office::{SURE, UNSURE},
};
use jiff::SignedDuration;
use serde_json::json;

const CLIENT_SECRET: &str = "stand-in-client-secret";

impl Bridge {
    /// Posts to the door; returns the status.
    async fn post(&self, body: &[u8], signature: Option<&str>) -> u16 {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut request = client.post(format!("{}/webhooks/intercom", self.address));
        if let Some(signature) = signature {
            request = request.header("X-Hub-Signature", signature);
        }
        request.body(body.to_vec()).send().await.unwrap().status().as_u16()
    }

    pub(super) async fn post_signed(&self, body: &[u8]) -> u16 {
        self.post(body, Some(&sign(CLIENT_SECRET, body))).await
    }

    fn n_read(&self, id: &str) -> usize {
        let path = format!("/conversations/{id}");
        let requests = self.intercom.requests();
        requests.iter().filter(|logged| logged.method == "GET" && logged.path == path).count()
    }
}

#[tokio::test]
async fn what_is_not_proven_is_refused_and_looked_at_by_nobody() {
    let bridge = Bridge::open(SURE).await;
    bridge.intercom.faults(|faults| faults.webhooks.dropped = 1.0);
    let id = bridge.intercom.customer_writes(&bridge.joe, QUESTION);
    let told = json!({"type": "notification_event", "id": "notif_1",
        "topic": "conversation.user.created",
        "data": {"item": {"type": "conversation", "id": id}}});
    let body = told.to_string().into_bytes();
    let good = sign(CLIENT_SECRET, &body);
    let mut tampered = body.clone();
    tampered[40] ^= 1;
    for (body, signature) in [
        (&body, None),
        (&body, Some("")),
        (&body, Some("sha1=")),
        (&body, Some("sha1=zz")),
        (&body, Some(&good[5..])),
        (&body, Some(&sign("another secret", &body))),
        (&tampered, Some(good.as_str())),
    ] {
        assert_eq!(bridge.post(body, signature).await, 401, "{signature:?}");
    }
    bridge.settle().await;
    assert_eq!(bridge.n_read(&id), 0);
    assert_eq!(bridge.post_signed(&body).await, 200);
    bridge.settle().await;
    assert_eq!((bridge.n_read(&id) > 0, bridge.said(&id).len()), (true, 1));
    // The same notice again is known, and nothing is looked at.
    let n_read = bridge.n_read(&id);
    bridge.bench.pass(SignedDuration::from_hours(2));
    assert_eq!(bridge.post_signed(&body).await, 200);
    bridge.settle().await;
    assert_eq!(bridge.n_read(&id), n_read);
}

#[tokio::test]
async fn pings_strangers_and_nonsense_are_answered_and_change_nothing() {
    let bridge = Bridge::open(SURE).await;
    bridge.intercom.ping();
    bridge.intercom.ping();
    bridge.intercom.webhooks_settled().await;
    let outcomes: Vec<Outcome> =
        bridge.intercom.webhooks().iter().map(|sent| sent.outcome).collect();
    assert_eq!(outcomes, [Outcome::Accepted, Outcome::Accepted]);
    for (body, status) in [
        (r#"{"topic": "something.new", "id": "notif_2", "data": {"item": {"id": "1"}}}"#, 200),
        (
            r#"{"topic": "company.updated", "id": "n3", "data": {"item": {"type": "company", "id": "1"}}}"#,
            200,
        ),
        (r#"{"topic": 7, "data": "x"}"#, 200),
        ("{}", 200),
        ("[]", 400),
        ("null", 400),
        ("", 400),
        ("<xml/>", 400),
        ("{\"topic\"", 400),
    ] {
        assert_eq!(bridge.post_signed(body.as_bytes()).await, status, "{body}");
    }
    assert_eq!(bridge.post_signed(&[0xff, 0x00, 0xc3, 0x28]).await, 400);
    bridge.settle().await;
    assert_eq!(bridge.intercom.requests().len(), 0);
    let unknown = json!({"topic": "conversation.user.created", "id": "n9",
        "data": {"item": {"type": "conversation", "id": "404404"}}});
    assert_eq!(bridge.post_signed(unknown.to_string().as_bytes()).await, 200);
    bridge.settle().await;
}

#[tokio::test]
async fn what_no_webhook_told_is_found_and_idle_conversations_are_left_alone() {
    let bridge = Bridge::open(SURE).await;
    bridge.poll().await;
    bridge.intercom.faults(|faults| faults.webhooks.dropped = 1.0);
    let id = bridge.intercom.customer_writes(&bridge.joe, QUESTION);
    bridge.settle().await;
    assert_eq!(bridge.said(&id).len(), 0);
    bridge.bench.pass(SignedDuration::from_secs(61));
    bridge.settle().await;
    assert_eq!(bridge.said(&id).len(), 1, "a minute later");
    for _ in 0..5 {
        bridge.bench.pass(SignedDuration::from_secs(61));
        bridge.settle().await;
    }
    let n_read = bridge.n_read(&id);
    for _ in 0..10 {
        bridge.bench.pass(SignedDuration::from_secs(61));
        bridge.settle().await;
    }
    assert_eq!(bridge.n_read(&id), n_read, "nobody looks again at what rests");
    assert_eq!(bridge.customers_said(&id).await, [QUESTION]);
}

#[tokio::test]
async fn a_first_poll_that_fails_misses_nothing() {
    let bridge = Bridge::open(SURE).await;
    bridge.intercom.faults(|faults| {
        faults.webhooks.dropped = 1.0;
        faults.failing = 1.0;
    });
    bridge.poll().await;
    bridge.bench.pass(SignedDuration::from_secs(4));
    let id = bridge.intercom.customer_writes(&bridge.joe, QUESTION);
    bridge.bench.pass(SignedDuration::from_mins(20));
    bridge.intercom.faults(|faults| faults.failing = 0.0);
    bridge.settle().await;
    assert_eq!(bridge.said(&id).len(), 1);
}

#[tokio::test]
async fn what_is_known_of_a_customer_s_company_decides_and_is_read_again() {
    let bridge = Bridge::open(UNSURE).await;
    let first = bridge.ask(PLEA).await;
    assert_eq!(bridge.there(&first).tag_names(), Vec::<&str>::new());
    bridge.intercom.with_company(&bridge.joe, "Acme", Some("Pro"), json!({"region": "north"}));
    // A webhook about the customer has what is known read again at once.
    bridge.intercom.change_contact(&bridge.joe, "tier", "gold");
    bridge.settle().await;
    let second = bridge.ask(PLEA).await;
    assert_eq!(bridge.there(&second).tag_names(), ["pro", "priority: high"]);
    let record = bridge.record(&second).await;
    let customer = bridge.office.store().customer(record.customer).await.unwrap();
    assert_eq!(customer.attributes["tier"], "gold");
    assert_eq!(customer.attributes["company"]["plan"], "Pro");
    assert_eq!(customer.attributes["company"]["region"], "north");
    assert_eq!(customer.email.as_deref(), Some("70@customers.example"));
    assert!(!record.tags.iter().any(|tag| tag.starts_with("priority")), "{:?}", record.tags);
    bridge.intercom.customer_replies(&second, "Anybody?");
    bridge.settle().await;
    let record = bridge.record(&second).await;
    assert!(!record.tags.iter().any(|tag| tag.starts_with("priority")), "{:?}", record.tags);
}

#[tokio::test]
async fn rounds_go_on_after_a_refusal_that_no_repetition_mends() {
    let bridge = Bridge::open(SURE).await;
    bridge.intercom.faults(|faults| faults.webhooks.dropped = 1.0);
    bridge.poll().await;
    for status in [400, 404] {
        bridge.intercom.once("/conversations/search", crate::intercom::Mishap::Failing(status));
        bridge.bench.pass(SignedDuration::from_secs(61));
        bridge.settle().await;
        let id = bridge.intercom.customer_writes(&bridge.joe, QUESTION);
        bridge.bench.pass(SignedDuration::from_secs(61));
        bridge.settle().await;
        assert_eq!(bridge.said(&id).len(), 1, "after {status}");
    }
}

#[tokio::test]
async fn what_a_webhook_tells_of_a_company_counts_for_the_next_question() {
    let bridge = Bridge::open(SURE).await;
    let acme = bridge.intercom.with_company(&bridge.joe, "Acme", Some("Free"), json!({}));
    let id = bridge.ask(PLEA).await;
    bridge.settle_all().await;
    assert!(!bridge.there(&id).tag_names().contains(&"pro"));
    bridge.intercom.company_pays(&acme, "Pro");
    bridge.settle().await;
    // Sooner than what is known of a customer is read anew by itself.
    let id = bridge.ask(PLEA).await;
    bridge.settle_all().await;
    assert!(bridge.there(&id).tag_names().contains(&"pro"), "{:?}", bridge.there(&id).tag_names());
}

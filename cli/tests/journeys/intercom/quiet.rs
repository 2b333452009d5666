//! What people write in Intercom, and what they are called there, stays out of the log.

use super::{SECRET, TOKEN, There};
use crate::bench::Bench;
use serde_json::json;
use std::time::Instant;
use tests::program::LIMIT;

#[test]
fn nothing_of_intercom_s_customers_is_in_the_most_talkative_log() {
    let there = There::of(Bench::starter().confident(4.0)).with("FRONTDESK_LOG_LEVEL", "trace");
    let intercom = &there.intercom;
    let lena = intercom.with_admin("Lenka Vondrackova");
    for name in ["Support", "Billing"] {
        intercom.with_team(name, &[&lena]);
    }
    let there = {
        let seat = there.intercom.bot_admin();
        there.with("FRONTDESK_INTERCOM_ADMIN_ID", &seat)
    };
    let intercom = &there.intercom;
    let serving = there.serve();
    intercom.webhooks_to(Some(&format!("http://{}/webhooks/intercom", serving.address())));
    // The name becomes the address, too.
    let joe = intercom.with_user("Joachim Pemberton", "pemberton70", json!({}));
    let id = intercom.customer_writes(&joe, "How do I change my password? My walrus forgot it.");
    let wait = |n_parts: usize| {
        let start = Instant::now();
        while intercom.conversation(&id).unwrap().through_the_api().len() < n_parts {
            assert!(start.elapsed() < LIMIT, "the bot says nothing");
            there.runtime.block_on(intercom.webhooks_settled());
            std::thread::yield_now();
        }
    };
    wait(1);
    intercom.customer_replies(&id, "I want a human for my walrus please");
    wait(2);
    intercom.admin_replies(&lena, &id, "The walrus may use a passkey.");
    there.runtime.block_on(intercom.webhooks_settled());
    serving.running().signal("TERM");
    let (code, said) = serving.end();
    assert_eq!(code, Some(0), "{said:#?}");
    assert!(said.len() > 100, "the log is not talkative: {}", said.len());
    for secret in ["alrus", "emberton", "oachim", "ondrackova", "passkey", TOKEN, SECRET] {
        let found: Vec<_> = said.iter().filter(|line| line.contains(secret)).take(3).collect();
        assert!(found.is_empty(), "{secret:?} in {found:#?}");
    }
}

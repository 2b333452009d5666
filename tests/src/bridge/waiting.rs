//! Who waits for whom when calls are short.

use super::{Bridge, QUESTION};
use crate::office::SURE;
use jiff::SignedDuration;

/// Conversations that Ada has, and of which no webhook tells.
const MISSED: usize = 70;

impl Bridge {
    /// Has conversations go by unheard.
    fn missed(&self) -> Vec<String> {
        self.intercom.faults(|faults| faults.webhooks.dropped = 1.0);
        let ids = (0..MISSED).map(|_| {
            let id = self.intercom.customer_writes(&self.joe, QUESTION);
            self.intercom.admin_replies(&self.ada, &id, "Fourteen");
            id
        });
        let ids = ids.collect();
        self.intercom.faults(|faults| faults.webhooks.dropped = 0.0);
        ids
    }

    async fn n_known(&self, ids: &[String]) -> usize {
        let mut n_known = 0;
        for id in ids {
            n_known += usize::from(self.named("intercom", id).await.is_some());
        }
        n_known
    }
}

#[tokio::test]
async fn a_customer_is_answered_while_hundreds_of_missed_conversations_are_caught_up_with() {
    let bridge = Bridge::open(SURE).await;
    bridge.ask(QUESTION).await;
    bridge.poll().await;
    let missed = bridge.missed();
    bridge.bench.pass(SignedDuration::from_mins(2));
    bridge.intercom.faults(|faults| faults.rate_per_10s = Some(40));
    bridge.poll().await;
    let n_known = bridge.n_known(&missed).await;
    assert!(n_known > 0 && n_known < MISSED, "{n_known} were read with the first calls");
    let asked = bridge.ask(QUESTION).await;
    assert_eq!(bridge.said(&asked).len(), 1, "{:?}", bridge.told(&asked).await);
    for _ in 0..30 {
        bridge.bench.pass(SignedDuration::from_secs(10));
        bridge.settle().await;
    }
    assert_eq!(bridge.n_known(&missed).await, MISSED);
}

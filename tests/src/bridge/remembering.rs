//! What the desk has forgotten, missed for long, or hears of a second time.

use super::{Bridge, PLEA, QUESTION, team};
use crate::office::SURE;
use jiff::SignedDuration;
use router::Owner;
use store::OutcomeKind;

impl Bridge {
    /// Has the desk forget Joe, as after an erasure here or when an old backup is put back.
    async fn forget(&self, id: &str) {
        let customer = self.record(id).await.customer;
        self.office.store().erase(customer).await.unwrap();
        assert!(self.named("intercom", id).await.is_none());
    }

    async fn look_at(&self, id: &str) {
        let (subject, now) = (format!("conversation:{id}"), self.office.now());
        self.office.store().ask_for("intercom", &subject, now).await.unwrap();
        self.settle().await;
    }
}

#[tokio::test]
async fn a_desk_that_has_forgotten_says_nothing_again() {
    let bridge = Bridge::open(SURE).await;
    let answered = bridge.ask(QUESTION).await;
    let given = bridge.ask(PLEA).await;
    let before = (bridge.ours(&answered), bridge.ours(&given));
    bridge.bench.pass(SignedDuration::from_mins(5));
    bridge.forget(&answered).await;
    for id in [&answered, &given] {
        bridge.look_at(id).await;
    }
    assert_eq!((bridge.ours(&answered), bridge.ours(&given)), before);
    assert_eq!(bridge.owner(&answered).await, Owner::Bot);
    assert_eq!(bridge.record(&answered).await.waiting_since, None);
    assert_eq!(bridge.owner(&given).await, team("support"));
    assert!(bridge.record(&given).await.waiting_since.is_some(), "a handoff is no answer");
    // What comes then is answered.
    bridge.intercom.customer_replies(&answered, "How do I change my password?");
    bridge.settle().await;
    assert_eq!(bridge.said(&answered).len(), 2);
    bridge.look_at(&answered).await;
    assert_eq!(bridge.said(&answered).len(), 2);
    let told = bridge.told(&answered).await;
    assert_eq!(told.iter().filter(|line| line.starts_with("bot: ")).count(), 2, "{told:#?}");
}

#[tokio::test]
async fn what_was_asked_long_ago_goes_to_people() {
    let bridge = Bridge::open(SURE).await;
    bridge.intercom.faults(|faults| faults.webhooks.dropped = 1.0);
    let before = bridge.intercom.customer_writes(&bridge.joe, QUESTION);
    bridge.bench.pass(SignedDuration::from_mins(10));
    bridge.poll().await;
    bridge.bench.pass(SignedDuration::from_mins(1));
    let since = bridge.intercom.customer_writes(&bridge.joe, QUESTION);
    bridge.bench.pass(SignedDuration::from_hours(30));
    for id in [&before, &since] {
        bridge.look_at(id).await;
        assert_eq!(bridge.said(id).len(), 0);
        assert_eq!(bridge.owner(id).await, team("support"));
    }
    assert_eq!(bridge.ours(&before), Vec::<String>::new(), "it was never the desk's");
    assert_eq!(bridge.there(&since).team_assignee.as_ref(), Some(&bridge.support));
}

#[tokio::test]
async fn the_bot_s_own_words_can_be_redacted() {
    let bridge = Bridge::open(SURE).await;
    let id = bridge.ask(QUESTION).await;
    let part = bridge.there(&id).through_the_api()[0].id.clone();
    bridge.intercom.redact_part(&id, &part);
    bridge.settle().await;
    let told = bridge.told(&id).await;
    assert!(told.contains(&"bot: [removed]".to_string()), "{told:?}");
}

#[tokio::test]
async fn what_is_missing_once_is_not_gone() {
    let bridge = Bridge::open(SURE).await;
    let id = bridge.ask(QUESTION).await;
    bridge.intercom.faults(|faults| faults.webhooks.dropped = 1.0);
    bridge.intercom.delete_conversation(&id);
    bridge.look_at(&id).await;
    assert!(bridge.named("intercom", &id).await.is_some());
    bridge.bench.pass(SignedDuration::from_secs(61));
    bridge.settle().await;
    assert!(bridge.named("intercom", &id).await.is_none());
}

#[tokio::test]
async fn words_that_follow_the_stars_are_kept() {
    let bridge = Bridge::open(SURE).await;
    let id = bridge.ask(QUESTION).await;
    bridge.intercom.rate(&id, 4, "");
    bridge.settle().await;
    bridge.intercom.rate(&id, 4, "Good bot");
    bridge.settle().await;
    let record = bridge.record(&id).await;
    let outcomes = bridge.office.store().outcomes(record.id).await.unwrap();
    let rated: Vec<_> =
        outcomes.iter().filter(|(_, _, outcome)| outcome.kind == OutcomeKind::Rated(4)).collect();
    assert_eq!(rated.len(), 1);
    assert_eq!(rated[0].2.comment.as_deref(), Some("Good bot"));
}

#[tokio::test]
async fn a_tag_that_is_taken_off_here_stays_off_while_that_is_on_its_way() {
    let bridge = Bridge::open(SURE).await;
    let id = bridge.ask(PLEA).await;
    let record = bridge.record(&id).await;
    let ada = crate::office::teammate("ada");
    bridge.office.act(record.id, &ada, bot::Deed::Tag("odd".into())).await.unwrap();
    bridge.settle().await;
    bridge.intercom.faults(|faults| {
        faults.failing = 1.0;
        faults.only = Some("DELETE".into());
    });
    bridge.office.act(record.id, &ada, bot::Deed::Untag("odd".into())).await.unwrap();
    bridge.settle().await;
    bridge.look_at(&id).await;
    assert!(!bridge.record(&id).await.tags.contains("odd"));
    bridge.intercom.faults(|faults| faults.failing = 0.0);
    bridge.settle_all().await;
    bridge.look_at(&id).await;
    assert!(!bridge.record(&id).await.tags.contains("odd"));
    assert_eq!(bridge.there(&id).tag_names(), Vec::<&str>::new());
}

use crate::crowd::MESSAGES;
use router::{Owner, Status};
use std::{collections::BTreeSet, time::Duration};
use store::{Content, Decided, Entry, Id, Record, Store};

/// Waits until every conversation has come to rest, then looks at each.
pub(crate) async fn judge(store: &Store, conversations: &[String]) {
    let ids: BTreeSet<&String> = conversations.iter().collect();
    assert_eq!(ids.len(), conversations.len(), "every customer has a conversation of their own");
    for id in conversations {
        let id: Id<Record> = id.parse().unwrap();
        let record = at_rest(store, id).await;
        let timeline = store.timeline(id, 0, 1_000).await.unwrap();
        let decisions = store.decisions(id).await.unwrap();
        check(&record, &timeline);
        let sent: Vec<Id<Decided>> = timeline.iter().filter_map(sent_by).collect();
        let decided: Vec<Id<Decided>> = decisions.iter().map(|decided| decided.id).collect();
        assert_eq!(sent, decided, "one message for each decision, in order: {timeline:#?}");
        // Two decisions about the same words would be two answers to them.
        let about: BTreeSet<i64> = decisions.iter().map(|decided| decided.about).collect();
        assert_eq!(about.len(), decisions.len(), "{decisions:#?}");
    }
}

fn sent_by(entry: &Entry) -> Option<Id<Decided>> {
    match &entry.content {
        Content::Bot { decision, .. } => Some(decision.expect("the bot says nothing undecided")),
        _ => None,
    }
}

async fn at_rest(store: &Store, id: Id<Record>) -> Record {
    for _ in 0..600 {
        let record = store.conversation(id).await.unwrap();
        if record.turn_due_at.is_none() {
            return record;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the turn of {id} is never taken");
}

fn check(record: &Record, timeline: &[Entry]) {
    let numbers: Vec<i64> = timeline.iter().map(|entry| entry.number).collect();
    let gapless: Vec<i64> = (1..=record.n_entries).collect();
    assert_eq!(numbers, gapless, "the timeline has no gaps");
    let customer = |entry: &Entry| match &entry.content {
        Content::Customer { text, .. } => Some(text.clone()),
        _ => None,
    };
    let said: Vec<String> = timeline.iter().filter_map(customer).collect();
    assert_eq!(said, MESSAGES, "every message once, in order: {timeline:#?}");
    assert_eq!(record.state.status(), Status::Open);
    // The second message asks for a person.
    assert!(matches!(record.state.owner(), Owner::Team(_)), "{:?}: {timeline:#?}", record.state);
}

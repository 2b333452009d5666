use crate::{
    crowd::{Held, MESSAGES, from},
    node::patiently,
    sink::{Sink, Told},
};
use router::{Owner, Status};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use store::{Content, Decided, Entry, Id, Page, PostState, Record, Store};

/// Where the desk tells the other system.
const WEBHOOK: &str = "webhook:sink";

/// What was found at the end, by those who look from outside and by the desk's own memory.
pub(crate) struct Evidence<'a> {
    pub(crate) store: Store,
    /// Address of a server.
    pub(crate) address: String,
    pub(crate) held: &'a [Held],
    pub(crate) sink: &'a Sink,
}

impl Evidence<'_> {
    /// Waits until everything has come to rest, then looks at each conversation.
    pub(crate) async fn judge(&self) {
        let ids: BTreeSet<&str> = self.held.iter().map(|held| held.id.as_str()).collect();
        assert_eq!(ids.len(), self.held.len(), "every customer has a conversation of their own");
        let mut spoken = BTreeMap::new();
        let client = reqwest::Client::new();
        for held in self.held {
            let id: Id<Record> = held.id.parse().unwrap();
            let record = self.at_rest(id).await;
            let timeline = self.store.timeline(id, 0, 1_000).await.unwrap();
            check(&record, &timeline);
            check_decisions(&timeline, &self.store.decisions(id).await.unwrap());
            let outside = self.outside(&client, held).await;
            check_outside(held, &timeline, &outside);
            let spoke = timeline.iter().filter(|entry| is_spoken(&entry.content));
            spoken.insert(held.id.clone(), spoke.map(|entry| entry.number).collect::<Vec<_>>());
        }
        self.sent_out().await;
        check_told(&spoken, &self.sink.heard());
    }

    async fn at_rest(&self, id: Id<Record>) -> Record {
        patiently(&format!("the turn of {id} is never taken"), async || {
            let record = self.store.conversation(id).await.unwrap();
            record.turn_due_at.is_none().then_some(record)
        })
        .await
    }

    /// Returns the lines that the customer reads after all.
    async fn outside(&self, client: &reqwest::Client, held: &Held) -> Vec<Value> {
        let url = format!("{}/messenger/v1/conversations/{}", self.address, held.id);
        let request = client.get(url).bearer_auth(&held.token);
        let request = request.header("x-forwarded-for", from(held.number));
        let read: Value = request.send().await.unwrap().json().await.unwrap();
        read["lines"].as_array().unwrap().clone()
    }

    /// Waits until the other system has been told everything.
    async fn sent_out(&self) {
        patiently("the outbox is never empty", async || {
            self.store.oldest_post().await.unwrap().is_none().then_some(())
        })
        .await;
        let page = Page { before: None, limit: 1_000_000 };
        for post in self.store.posts(Some(WEBHOOK), &page).await.unwrap() {
            assert_eq!(post.state, PostState::Sent, "{post:#?}");
        }
    }
}

fn is_spoken(content: &Content) -> bool {
    matches!(content, Content::Customer { .. } | Content::Bot { .. })
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

fn check_decisions(timeline: &[Entry], decisions: &[Decided]) {
    let by = |entry: &Entry| match &entry.content {
        Content::Bot { decision, .. } => Some(decision.expect("the bot says nothing undecided")),
        _ => None,
    };
    let sent: Vec<Id<Decided>> = timeline.iter().filter_map(by).collect();
    let decided: Vec<Id<Decided>> = decisions.iter().map(|decided| decided.id).collect();
    assert_eq!(sent, decided, "one message for each decision, in order: {timeline:#?}");
    // Two decisions about the same words would be two answers to them.
    let about: BTreeSet<i64> = decisions.iter().map(|decided| decided.about).collect();
    assert_eq!(about.len(), decisions.len(), "{decisions:#?}");
}

/// Holds what the customer reads against what is kept, and what the customer's stream brought across
/// all the kills against both.
fn check_outside(held: &Held, timeline: &[Entry], outside: &[Value]) {
    let kept = timeline.iter().filter(|entry| entry.content.is_public());
    let kept: Vec<Value> = kept.map(|entry| told(entry.number, &entry.content)).collect();
    let read: Vec<Value> = outside.iter().map(gist).collect();
    assert_eq!(read, kept, "{timeline:#?}");
    let Some(streamed) = &held.lines else { return };
    assert!(streamed.len() <= outside.len(), "{streamed:#?}\n{outside:#?}");
    let (seen, unseen) = outside.split_at(streamed.len());
    assert_eq!(streamed, seen, "the stream brought what is there, once each");
    let unseen = unseen.iter().filter(|line| line["kind"] != "event");
    assert_eq!(unseen.count(), 0, "the stream brought all messages: {outside:#?}");
}

/// What an entry has to look like from outside, but for what is rendered.
fn told(number: i64, content: &Content) -> Value {
    match content {
        Content::Customer { text, .. } => json!([number, "customer", "own", text]),
        Content::Bot { .. } => json!([number, "bot", "message", null]),
        Content::Event { what, .. } => json!([number, "bot", "event", what]),
        other => panic!("nobody else is here: {other:?}"),
    }
}

fn gist(line: &Value) -> Value {
    let what = [&line["text"], &line["what"]].into_iter().find(|what| !what.is_null());
    json!([line["number"], line["from"]["kind"], line["kind"], what])
}

/// Holds what the other system was told against what was said: each message at least once, and in
/// order within its conversation, whatever was repeated.
fn check_told(spoken: &BTreeMap<String, Vec<i64>>, heard: &[Told]) {
    let (mut known, mut first) = (BTreeSet::new(), BTreeMap::<String, Vec<i64>>::new());
    for told in heard {
        if known.insert(told.post.as_str()) {
            first.entry(told.conversation.clone()).or_default().push(told.number);
        }
    }
    for (conversation, numbers) in spoken {
        let told = first.get(conversation).map(Vec::as_slice).unwrap_or_default();
        assert_eq!(told, numbers, "what the other system heard of {conversation}, by id");
    }
    assert_eq!(first.len(), spoken.len(), "it heard of nothing else");
}

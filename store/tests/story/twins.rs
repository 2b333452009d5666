//! The same deeds in the same order, told to both databases, which must say the same of them.

use crate::scene::{at, known, newest, scenes, slug, wrote};
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, TestCaseError, TestRunner},
};
use router::{Due, Event, Priority};
use serde_json::json;
use store::{
    Change, Customer, Delivery, Guard, Id, Lease, NewPost, NewTimer, Opening, Outcome, OutcomeKind,
    PostState, Record, Search, Store,
};

const TEXTS: [&str; 5] = ["Hello there", "Rückgabe", "order 4711", "a\0b", "\u{1F600} 返金"];
const EVENTS: usize = 9;

/// Something that is done; numbers choose which one among what there is.
#[derive(Debug, Clone)]
enum Deed {
    Receive { thread: usize, name: usize, text: usize },
    Happen { thread: usize, event: usize },
    Post { thread: usize, destination: usize },
    Timer { thread: usize, key: usize, after: i64 },
    Fire { thread: usize, key: usize },
    Rate { thread: usize, stars: u8 },
    Arrange { thread: usize, number: usize },
    Lease,
    Answer,
    GiveBack,
    Send { state: usize },
    Erase { person: usize },
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let thread = || 0..4usize;
    let deed = prop_oneof![
        4 => (thread(), 0..30usize, 0..TEXTS.len())
            .prop_map(|(thread, name, text)| Deed::Receive { thread, name, text }),
        3 => (thread(), 0..EVENTS).prop_map(|(thread, event)| Deed::Happen { thread, event }),
        2 => (thread(), 0..2usize)
            .prop_map(|(thread, destination)| Deed::Post { thread, destination }),
        1 => (thread(), 0..3usize, 0..50i64)
            .prop_map(|(thread, key, after)| Deed::Timer { thread, key, after }),
        1 => (thread(), 0..3usize).prop_map(|(thread, key)| Deed::Fire { thread, key }),
        1 => (thread(), 1..6u8).prop_map(|(thread, stars)| Deed::Rate { thread, stars }),
        2 => (thread(), 0..16usize).prop_map(|(thread, number)| Deed::Arrange { thread, number }),
        2 => Just(Deed::Lease),
        2 => Just(Deed::Answer),
        1 => Just(Deed::GiveBack),
        2 => (0..4usize).prop_map(|state| Deed::Send { state }),
        1 => (0..2usize).prop_map(|person| Deed::Erase { person }),
    ];
    vec(deed, 1..80)
}

fn event(number: usize) -> Event {
    let (team, teammate, by_person) = (slug("billing"), slug("ada"), number.is_multiple_of(2));
    match number {
        0 => Event::Closed,
        1 => Event::Snoozed,
        2 => Event::Woken,
        3 => Event::BotOffered,
        4 => Event::HandedOff { team, by_person },
        5 => Event::Assigned { team, teammate, by_person },
        6 => Event::TeammateWrote { team, teammate },
        7 => Event::HandedBack { by_person },
        _ => Event::BotAsked,
    }
}

/// One database, and what was told to it.
struct Teller<'a> {
    store: &'a Store,
    people: &'a [Customer],
    threads: &'a [Record],
    lease: Option<Lease>,
}

impl Teller<'_> {
    /// Does one deed and says how it went.
    async fn tell(&mut self, deed: &Deed, now: i64) -> String {
        match deed {
            Deed::Receive { thread, name, text } => self.receive(*thread, *name, *text, now).await,
            Deed::Lease => {
                let leased = self.store.lease(at(now), at(now + 5)).await.unwrap();
                let said = format!("{:?}", leased.as_ref().map(|leased| &leased.record));
                self.lease = leased.map(|leased| leased.lease).or(self.lease.take());
                said
            }
            Deed::Answer => {
                let Some(lease) = self.lease.clone() else { return String::new() };
                let id = lease.conversation;
                let answer = |record: &mut Record, _: &mut Change| {
                    record.turn_due_at = None;
                    record.state.apply(&Event::BotReplied)
                };
                format!("{:?}", self.store.change(id, Guard::Leased(lease), at(now), answer).await)
            }
            Deed::GiveBack => {
                let Some(lease) = self.lease.take() else { return String::new() };
                format!("{:?}", self.store.give_back(&lease, at(now + 3)).await)
            }
            Deed::Send { state } => self.send(*state, now).await,
            Deed::Erase { person } => {
                let customer = &self.people[*person];
                let said = format!("{:?}", self.store.erase(customer.id).await);
                self.store.keep_customer(customer).await.unwrap();
                said
            }
            other => self.alter(other, now).await,
        }
    }

    async fn receive(&self, thread: usize, name: usize, text: usize, now: i64) -> String {
        let (channel, external_id) = ("web".to_string(), format!("m{name}"));
        let delivery = Delivery { channel, external_id };
        let opening = Opening::Named(format!("t{thread}"), Box::new(self.threads[thread].clone()));
        let write = |record: &mut Record, change: &mut Change| {
            record.state.apply(&Event::CustomerWrote)?;
            record.turn_due_at = Some(at(now));
            change.entries.push((Id::new(at(now)), wrote(TEXTS[text])));
            Ok::<(), router::IllegalMove>(())
        };
        format!("{:?}", self.store.receive(&delivery, opening, at(now), write).await)
    }

    async fn send(&self, state: usize, now: i64) -> String {
        let state =
            [PostState::Pending, PostState::Sent, PostState::Cancelled, PostState::Failed][state];
        let mut said = Vec::new();
        for post in self.store.posts_due((at(now), at(now + 4)), 9, &[]).await.unwrap() {
            said.push(format!("{:?} {} {}", post.conversation, post.body, post.n_attempts));
            self.store.settle_post(post.id, (state, at(now + 2)), "said", &[]).await.unwrap();
        }
        said.sort();
        format!("{said:?}")
    }

    async fn alter(&self, deed: &Deed, now: i64) -> String {
        let deed = deed.clone();
        let (Deed::Happen { thread, .. }
        | Deed::Post { thread, .. }
        | Deed::Timer { thread, .. }
        | Deed::Fire { thread, .. }
        | Deed::Rate { thread, .. }
        | Deed::Arrange { thread, .. }) = deed
        else {
            return String::new();
        };
        let id = self.threads[thread].id;
        let alter =
            move |record: &mut Record, change: &mut Change| apply(&deed, now, record, change);
        format!("{:?}", self.store.change(id, Guard::None, at(now), alter).await)
    }

    /// Says everything that lists and searches show.
    async fn describe(&self, now: i64) -> Vec<String> {
        let (store, now) = (self.store, at(now));
        let mut all = vec![
            format!("{:?}", store.queue(&slug("billing"), true, 9).await.unwrap()),
            format!("{:?}", store.queue(&slug("billing"), false, 9).await.unwrap()),
            format!("{:?}", store.held_by(&slug("ada"), 9).await.unwrap()),
            format!("{:?}", store.waiting(now, None, 9).await.unwrap()),
            format!("{:?}", store.workload(now).await.unwrap()),
            format!("{:?}", store.changed_since(at(0), 99).await.unwrap()),
            format!("{:?}", store.rested(now, 9).await.unwrap()),
            format!("{:?}", store.oldest_post().await.unwrap()),
            format!("{:?}", store.customers(None, &newest(9)).await.unwrap()),
        ];
        let mut timers = store.timers_due(now, 99).await.unwrap();
        timers.sort_by_key(|due| (due.conversation, due.timer.key.clone()));
        all.push(format!("{timers:?}"));
        for words in ["", "hel", "RÜCK", "order 47", "返", "ab"] {
            let search = Search { words: Some(words.into()), ..Search::default() };
            all.push(format!("{:?}", store.search(&search, &newest(9)).await.unwrap()));
        }
        for thread in self.threads {
            let entries = store.timeline(thread.id, 0, 999).await.unwrap();
            let entries = entries.iter().map(|e| (e.number, e.episode, e.at, &e.content));
            all.push(format!("{:?}", entries.collect::<Vec<_>>()));
            all.push(format!("{:?}", store.outcomes(thread.id).await.unwrap()));
            all.push(format!("{:?}", store.fired(thread.id, 1).await.unwrap()));
        }
        all
    }
}

fn apply(
    deed: &Deed,
    now: i64,
    record: &mut Record,
    change: &mut Change,
) -> Result<(), router::IllegalMove> {
    let key = |key: usize| format!("key {key}");
    match deed {
        Deed::Happen { event: number, .. } => record.state.apply(&event(*number))?,
        Deed::Post { destination, .. } => {
            let destination = ["web", "mail"][*destination].to_string();
            let (kind, body) = ("reply".to_string(), json!({ "now": now }));
            change.posts = vec![NewPost { destination, kind, body }];
        }
        Deed::Timer { key: number, after, .. } => {
            let (key, due_at, action) = (key(*number), at(now + after), json!(after));
            change.timers = vec![NewTimer { key, due_at, action }];
        }
        Deed::Fire { key: number, .. } => change.fired = vec![key(*number)],
        Deed::Rate { stars, .. } => {
            let (kind, comment) = (OutcomeKind::Rated(*stars), Some("x\0".to_string()));
            change.outcomes = vec![Outcome { kind, comment }];
        }
        Deed::Arrange { number, .. } => {
            let priorities = [Priority::Low, Priority::Normal, Priority::High, Priority::Urgent];
            record.priority = priorities[number % 4];
            record.queued_at = (number % 3 > 0).then(|| at(now));
            record.waiting_since = (number % 5 > 0).then(|| at(now));
            record.snoozed_until = (number % 7 > 0).then(|| at(now + 2));
            let (first_reply, next_reply) = ((number / 4 > 1).then(|| at(now)), None);
            record.due = Due { first_reply, next_reply, resolution: None };
        }
        _ => {}
    }
    Ok(())
}

async fn compare(deeds: &[Deed]) -> Result<(), TestCaseError> {
    let scenes = scenes().await;
    let [sqlite, postgres] = &scenes[..] else { return Ok(()) };
    let people = [known("ada", at(0)), known("bob", at(0))];
    let threads: Vec<_> =
        (0..4).map(|nth| Record::new("web", people[nth % 2].id, at(nth as i64))).collect();
    let mut tellers = [sqlite, postgres].map(|scene| Teller {
        store: &scene.store,
        people: &people,
        threads: &threads,
        lease: None,
    });
    for teller in &tellers {
        for customer in &people {
            teller.store.keep_customer(customer).await.unwrap();
        }
    }
    for (now, deed) in (10..).zip(deeds) {
        let [one, other] = &mut tellers;
        let said = (one.tell(deed, now).await, other.tell(deed, now).await);
        prop_assert_eq!(said.0, said.1, "{:?}", deed);
    }
    let now = 10 + deeds.len() as i64;
    let [one, other] = &tellers;
    for (said, also) in one.describe(now).await.into_iter().zip(other.describe(now).await) {
        prop_assert_eq!(said, also);
    }
    for scene in &scenes {
        scene.store.close().await;
    }
    Ok(())
}

#[test]
fn both_databases_say_the_same_of_the_same_deeds() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    // A server for all cases: each scene would start its own otherwise.
    let _scenes = runtime.block_on(scenes());
    let config = Config { cases: 8, failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(&deeds(), |deeds| runtime.block_on(compare(&deeds)));
    result.unwrap();
}

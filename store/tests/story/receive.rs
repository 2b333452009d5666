use crate::scene::{alter, at, newest, opened, scenes, slug, visitor, write};
use router::{Event, Owner, Status};
use std::collections::BTreeSet;
use store::{Change, Content, Delivery, Error, Id, Opening, Record, Search, Store};

fn delivery(name: &str) -> Delivery {
    Delivery { channel: "web".into(), external_id: name.into() }
}

#[tokio::test]
async fn a_delivery_opens_a_conversation_once() {
    for scene in scenes().await {
        let store = &scene.store;
        let customer = store.keep_customer(&visitor(at(0))).await.unwrap();
        let open = || Opening::New(Box::new(Record::new("web", customer.id, at(0))));
        let first = store.receive(&delivery("a"), open(), at(1), write("hi", at(1))).await;
        let first = first.unwrap().unwrap();
        assert_eq!((first.number, first.repeated), (1, false));
        let again = store.receive(&delivery("a"), open(), at(2), write("hi", at(2))).await;
        let again = again.unwrap().unwrap();
        assert_eq!((again.conversation, again.number), (first.conversation, 1));
        assert!(again.repeated);

        let record = store.conversation(first.conversation).await.unwrap();
        assert_eq!((record.n_entries, record.updated_at), (1, at(1)), "{}", scene.name);
        assert_eq!(record.state.episode().turns, 1);
        let known = Opening::Known(first.conversation);
        let next = store.receive(&delivery("b"), known, at(3), write("there?", at(3))).await;
        assert_eq!(next.unwrap().unwrap().number, 2);
        let other = Delivery { channel: "mail".into(), external_id: "a".into() };
        let known = Opening::Known(first.conversation);
        let other = store.receive(&other, known, at(4), write("mail", at(4))).await;
        assert_eq!(other.unwrap().unwrap().number, 3);
        let texts: Vec<_> = store.timeline(first.conversation, 0, 10).await.unwrap();
        assert_eq!(texts.iter().map(|entry| entry.number).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(store.search(&Search::default(), &newest(10)).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn what_is_not_known_is_said_and_a_refusal_leaves_nothing() {
    for scene in scenes().await {
        let store = &scene.store;
        let unknown = Opening::Known(Id::new(at(0)));
        let lost = store.receive(&delivery("a"), unknown, at(0), write("hi", at(0))).await;
        assert!(matches!(lost, Err(Error::NotFound("conversation"))), "{lost:?}");
        let nobody = Opening::New(Box::new(Record::new("web", Id::new(at(0)), at(0))));
        let lost = store.receive(&delivery("a"), nobody, at(0), write("hi", at(0))).await;
        assert!(matches!(lost, Err(Error::NotFound("customer"))), "{lost:?}");

        let customer = store.keep_customer(&visitor(at(0))).await.unwrap();
        let record = Record::new("web", customer.id, at(0));
        let opening = Opening::Named("thread-1".into(), Box::new(record.clone()));
        let refused = |_: &mut Record, _: &mut Change| Err("too long");
        let refused = store.receive(&delivery("a"), opening.clone(), at(1), refused).await;
        assert_eq!(refused.unwrap().unwrap_err(), "too long");
        assert_eq!(store.conversation_named("web", "thread-1").await.unwrap(), None);
        let taken = store.receive(&delivery("a"), opening, at(2), write("hi", at(2))).await;
        assert!(!taken.unwrap().unwrap().repeated);
        let kept = store.conversation_named("web", "thread-1").await.unwrap().unwrap();
        assert_eq!((kept.id, kept.external_id.as_deref()), (record.id, Some("thread-1")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_same_delivery_at_the_same_moment_one_is_taken() {
    for scene in scenes().await {
        let store = &scene.store;
        let customer = store.keep_customer(&visitor(at(0))).await.unwrap();
        let receive = |nth: usize, store: Store| async move {
            let record = Box::new(Record::new("web", customer.id, at(0)));
            // Half of them believe that they open a conversation of their own.
            let opening = match nth % 2 {
                0 => Opening::Named("thread".into(), record),
                _ => Opening::New(record),
            };
            let text = format!("from {nth}");
            store.receive(&delivery("same"), opening, at(1), write(&text, at(1))).await
        };
        let tasks: Vec<_> = (0..32).map(|nth| tokio::spawn(receive(nth, store.clone()))).collect();
        let mut received = Vec::new();
        for task in tasks {
            received.push(task.await.unwrap().unwrap().unwrap());
        }
        let fresh = received.iter().filter(|received| !received.repeated).count();
        assert_eq!(fresh, 1, "{}", scene.name);
        let places: BTreeSet<_> = received.iter().map(|r| (r.conversation, r.number)).collect();
        assert_eq!(places.len(), 1, "{}", scene.name);
        let kept = store.search(&Search::default(), &newest(100)).await.unwrap();
        let entries: i64 = kept.iter().map(|item| item.record.n_entries).sum();
        assert_eq!(entries, 1, "{}", scene.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_one_thread_at_the_same_moment_open_one_conversation() {
    for scene in scenes().await {
        let store = &scene.store;
        let customer = store.keep_customer(&visitor(at(0))).await.unwrap();
        let receive = |nth: usize, store: Store| async move {
            let record = Box::new(Record::new("web", customer.id, at(0)));
            let opening = Opening::Named("thread".into(), record);
            let (delivery, text) = (delivery(&format!("m{nth}")), format!("from {nth}"));
            store.receive(&delivery, opening, at(1), write(&text, at(1))).await
        };
        let tasks: Vec<_> = (0..32).map(|nth| tokio::spawn(receive(nth, store.clone()))).collect();
        let mut numbers = Vec::new();
        for task in tasks {
            numbers.push(task.await.unwrap().unwrap().unwrap().number);
        }
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=32).collect::<Vec<_>>(), "{}", scene.name);
        let kept = store.conversation_named("web", "thread").await.unwrap().unwrap();
        let entries = store.timeline(kept.id, 0, 100).await.unwrap();
        let kept: Vec<_> = entries.iter().map(|entry| entry.number).collect();
        assert_eq!(kept, numbers, "{}", scene.name);
    }
}

#[tokio::test]
async fn a_message_to_a_closed_conversation_begins_an_episode() {
    for scene in scenes().await {
        let store = &scene.store;
        let record = opened(store, at(0)).await;
        alter(store, record.id, at(1), |record, change| {
            let team = slug("billing");
            record.state.apply(&Event::HandedOff { team, by_person: false }).unwrap();
            record.state.apply(&Event::Closed).unwrap();
            let (by, what) = (store::Actor::Bot, "closed".to_string());
            let closed = Content::Event { by, what, detail: serde_json::Value::Null };
            change.entries.push((Id::new(at(1)), closed));
        })
        .await;
        let closed = store.conversation(record.id).await.unwrap();
        assert_eq!(closed.state.status(), Status::Closed);
        let known = Opening::Known(record.id);
        store.receive(&delivery("z"), known, at(2), write("again", at(2))).await.unwrap().unwrap();
        let again = store.conversation(record.id).await.unwrap();
        assert_eq!(again.state.episode().number, 2);
        assert_eq!((again.state.owner(), again.state.status()), (&Owner::Bot, Status::Open));
        let entries = store.timeline(record.id, 0, 10).await.unwrap();
        let episodes: Vec<_> = entries.iter().map(|entry| entry.episode).collect();
        assert_eq!(episodes, [1, 1, 2]);
    }
}

/// Takes what was missed: words, an end, an event, words that open it again.
async fn catch_up(store: &Store, names: &[&str], customer: Id<store::Customer>) -> store::Caught {
    let names: Vec<String> = names.iter().map(|name| (*name).to_string()).collect();
    let record = Record::new("far", customer, at(0));
    let opening = Opening::Named("thread".into(), Box::new(record));
    let caught = store.receive_all(("far", &names), opening, at(9), |record, change, place| {
        let Some(name) = place.map(|place| names[place].as_str()) else { return Ok(()) };
        let entry = match name.split_once(' ') {
            Some(("says", text)) => {
                record.state.apply(&Event::CustomerWrote).unwrap();
                Content::Customer { text: text.into(), client_id: None }
            }
            _ => {
                if name == "ends" {
                    record.state.apply(&Event::Closed).unwrap();
                }
                let (by, what) = (store::Actor::Frontdesk, name.to_string());
                Content::Event { by, what, detail: serde_json::json!({}) }
            }
        };
        change.entries.push((Id::new(at(9)), entry));
        Ok::<_, Error>(())
    });
    caught.await.unwrap().unwrap()
}

#[tokio::test]
async fn what_was_missed_is_taken_together_and_each_episode_keeps_its_own() {
    for scene in scenes().await {
        let store = &scene.store;
        let customer = store.keep_customer(&visitor(at(0))).await.unwrap().id;
        let first = catch_up(store, &["says one", "tagged"], customer).await;
        assert_eq!((first.n_new, first.n_entries), (2, 2), "{}", scene.name);
        let names = ["says one", "tagged", "ends", "says two", "says three"];
        let caught = catch_up(store, &names, customer).await;
        assert_eq!((caught.n_new, caught.n_entries), (3, 5), "{}", scene.name);
        assert_eq!(catch_up(store, &names, customer).await.n_new, 0, "{}", scene.name);
        let timeline = store.timeline(caught.conversation, 0, 9).await.unwrap();
        let places: Vec<_> = timeline.iter().map(|entry| (entry.number, entry.episode)).collect();
        assert_eq!(places, [(1, 1), (2, 1), (3, 1), (4, 2), (5, 2)], "{}", scene.name);
        // What has no words has none that could be taken away, and takes nobody else's.
        assert!(!store.redact("far", "ends").await.unwrap(), "{}", scene.name);
        assert!(store.redact("far", "says two").await.unwrap(), "{}", scene.name);
        let timeline = store.timeline(caught.conversation, 0, 9).await.unwrap();
        let texts = timeline.iter().filter_map(|entry| match &entry.content {
            Content::Customer { text, .. } => Some(text.as_str()),
            _ => None,
        });
        assert_eq!(texts.collect::<Vec<_>>(), ["one", "[removed]", "three"], "{}", scene.name);
    }
}

use crate::scene::{alter, at, known, newest, opened, scenes, slug, wrote};
use router::{Due, Event, Owner, Priority, Status};
use store::{
    Actor, Content, Delivery, Id, Opening, Page, QueueItem, Record, Search, Store, Workload,
};

/// Opens a conversation of a known customer and hands it to a team, and a teammate.
async fn handed(store: &Store, seconds: i64, team: &str, teammate: Option<&str>) -> Id<Record> {
    let customer = known(&format!("c{seconds}"), at(seconds));
    let customer = store.keep_customer(&customer).await.unwrap();
    let record = Record::new("web", customer.id, at(seconds));
    let (channel, external_id) = ("web".to_string(), format!("d{seconds}"));
    let delivery = Delivery { channel, external_id };
    let opening = Opening::New(Box::new(record));
    let taken = store.receive(&delivery, opening, at(seconds), |record, change| {
        record.state.apply(&Event::CustomerWrote).map_err(|_| ())?;
        let team = slug(team);
        let event = match teammate.map(slug) {
            None => Event::HandedOff { team, by_person: false },
            Some(teammate) => Event::Assigned { team, teammate, by_person: false },
        };
        record.state.apply(&event).map_err(|_| ())?;
        record.queued_at = Some(at(seconds));
        record.waiting_since = Some(at(seconds));
        change.entries.push((Id::new(at(seconds)), wrote(&format!("message {seconds}"))));
        Ok::<(), ()>(())
    });
    taken.await.unwrap().unwrap().conversation
}

fn ids(items: &[QueueItem]) -> Vec<Id<Record>> {
    items.iter().map(|item| item.record.id).collect()
}

#[tokio::test]
async fn a_queue_is_ordered_by_promise_priority_and_arrival() {
    for scene in scenes().await {
        let store = &scene.store;
        let billing = slug("billing");
        let early = handed(store, 1, "billing", None).await;
        let late = handed(store, 2, "billing", None).await;
        let urgent = handed(store, 3, "billing", None).await;
        let promised = handed(store, 4, "billing", None).await;
        let held = handed(store, 5, "billing", Some("ada")).await;
        let closed = handed(store, 6, "billing", None).await;
        handed(store, 7, "sales", None).await;
        opened(store, at(8)).await;
        alter(store, urgent, at(9), |record, _| record.priority = Priority::Urgent).await;
        alter(store, promised, at(9), |record, _| {
            let (first_reply, next_reply) = (Some(at(99)), None);
            record.due = Due { first_reply, next_reply, resolution: Some(at(999)) };
        })
        .await;
        alter(store, closed, at(9), |r, _| r.state.apply(&Event::Closed).unwrap()).await;

        let queue = store.queue(&billing, false, 10).await.unwrap();
        assert_eq!(ids(&queue), [promised, urgent, early, late], "{}", scene.name);
        assert_eq!(queue[2].customer_name.as_deref(), Some("c1"));
        let all = store.queue(&billing, true, 10).await.unwrap();
        assert_eq!(ids(&all), [promised, urgent, early, late, held], "{}", scene.name);
        assert_eq!(ids(&store.queue(&billing, false, 2).await.unwrap()), [promised, urgent]);
        assert_eq!(ids(&store.held_by(&slug("ada"), 10).await.unwrap()), [held]);
        // However long the queue of one team is, another's is seen.
        let queues = store.queues(2).await.unwrap();
        let told = |team: &str| -> Vec<String> {
            let of = queues.iter().filter(|(slug, _)| slug.as_str() == team);
            of.map(|(_, waiting)| waiting.id.clone()).collect()
        };
        assert_eq!(told("billing"), [promised, urgent].map(|id| id.to_string()), "{}", scene.name);
        assert_eq!((told("sales").len(), queues.len()), (1, 3), "{}", scene.name);

        let waiting = store.waiting(at(3), None, 10).await.unwrap();
        let waiting: Vec<_> = waiting.iter().map(|record| record.id).collect();
        assert_eq!(waiting, [early, late], "{}", scene.name);
        let first = store.conversation(early).await.unwrap();
        let after = Some((first.waiting_since.unwrap(), early));
        let rest = store.waiting(at(3), after, 10).await.unwrap();
        assert_eq!(rest.iter().map(|record| record.id).collect::<Vec<_>>(), [late]);
        let expected = Workload {
            turns_due: 1,
            oldest_turn: Some(at(8)),
            with_bot: 1,
            queued: vec![(billing.clone(), 4), (slug("sales"), 1)],
            held: vec![(billing, 1)],
            posts_pending: 0,
        };
        assert_eq!(store.workload(at(10)).await.unwrap(), expected, "{}", scene.name);
    }
}

#[tokio::test]
async fn searches_narrow_by_every_part() {
    for scene in scenes().await {
        let store = &scene.store;
        let bot = opened(store, at(0)).await.id;
        let queued = handed(store, 1, "billing", None).await;
        let held = handed(store, 2, "billing", Some("ada")).await;
        let closed = handed(store, 3, "sales", None).await;
        alter(store, closed, at(4), |r, _| r.state.apply(&Event::Closed).unwrap()).await;
        alter(store, held, at(4), |r, _| r.tags = ["vip".into(), "a\"b".into()].into()).await;
        alter(store, queued, at(4), |r, _| r.tags = ["vip-not".into()].into()).await;
        let find = async |search: Search| ids(&store.search(&search, &newest(10)).await.unwrap());
        let none = Search::default;
        let teammate = |team: &str| Owner::Teammate {
            team: slug(team),
            teammate: slug("ada"),
            by_person: true,
        };
        let owner = |owner| Search { owner: Some(owner), ..none() };
        assert_eq!(find(none()).await, [closed, held, queued, bot], "{}", scene.name);
        assert_eq!(find(Search { status: Some(Status::Closed), ..none() }).await, [closed]);
        assert_eq!(find(owner(Owner::Bot)).await, [bot]);
        assert_eq!(find(owner(Owner::Team(slug("billing")))).await, [queued]);
        assert_eq!(find(owner(teammate("sales"))).await, [held]);
        assert_eq!(find(Search { team: Some(slug("billing")), ..none() }).await, [held, queued]);
        assert_eq!(find(Search { tag: Some("vip".into()), ..none() }).await, [held]);
        assert_eq!(find(Search { tag: Some("a\"b".into()), ..none() }).await, [held]);
        assert_eq!(find(Search { channel: Some("mail".into()), ..none() }).await, []);
        let many = Search {
            status: Some(Status::Open),
            owner: Some(teammate("billing")),
            team: Some(slug("billing")),
            tag: Some("vip".into()),
            channel: Some("web".into()),
            words: Some("message 2".into()),
        };
        assert_eq!(find(many).await, [held], "{}", scene.name);
        let page = Page { before: Some(held.to_string()), limit: 1 };
        assert_eq!(ids(&store.search(&none(), &page).await.unwrap()), [queued], "{}", scene.name);
    }
}

#[tokio::test]
async fn words_are_found_by_their_beginnings_in_any_message() {
    for scene in scenes().await {
        let store = &scene.store;
        let (a, b) = (opened(store, at(0)).await.id, opened(store, at(1)).await.id);
        alter(store, a, at(2), |_, change| {
            let (sources, buttons, decision) = (vec![], vec![], None);
            let text = "Die Rückerstattung dauert 14 Tage.".to_string();
            let bot = Content::Bot { text, sources, buttons, decision };
            let note = Content::Note { by: Actor::Bot, text: "secret".into() };
            let (teammate, text) =
                (slug("ada"), "Gerne! 返金 — it's done: 'x':* \"y\" & | !".into());
            let teammate = Content::Teammate { teammate, text };
            let all = [wrote("Wo ist mein GELD\0?"), bot, note, teammate];
            change.entries = all.map(|content| (Id::new(at(2)), content)).into();
        })
        .await;
        let check = async |words: &str, expected: &[Id<Record>]| {
            let search = Search { words: Some(words.into()), ..Search::default() };
            let found = ids(&store.search(&search, &newest(10)).await.unwrap());
            assert_eq!(found, expected, "{}: {words}", scene.name);
        };
        check("hello", &[b, a]).await;
        check("geld", &[a]).await;
        check("GEL rücker 14", &[a]).await;
        check("rücker hello", &[a]).await;
        check("geld missing", &[]).await;
        check("eld", &[]).await;
        check("secret", &[]).await;
        check("金", &[a]).await;
        check("'x':* \"y\" & | ! ) -", &[a]).await;
        check("AND", &[]).await;
        check(" ... ", &[b, a]).await;
    }
}

#[tokio::test]
async fn a_customers_conversations_come_by_their_last_change() {
    for scene in scenes().await {
        let store = &scene.store;
        let first = opened(store, at(0)).await;
        let record = Record::new("web", first.customer, at(1));
        let (channel, external_id) = ("web".to_string(), "d".to_string());
        let delivery = Delivery { channel, external_id };
        let opening = Opening::New(Box::new(record));
        let second = store.receive(&delivery, opening, at(1), crate::scene::write("x", at(1)));
        let second = second.await.unwrap().unwrap().conversation;
        opened(store, at(2)).await;
        let list = async |limit| {
            let list = store.conversations_of(first.customer, limit).await.unwrap();
            list.iter().map(|record| record.id).collect::<Vec<_>>()
        };
        assert_eq!(list(9).await, [second, first.id], "{}", scene.name);
        alter(store, first.id, at(3), |record, _| record.preview = "new".into()).await;
        assert_eq!(list(1).await, [first.id], "{}", scene.name);
    }
}

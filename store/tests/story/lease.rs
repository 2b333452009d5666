use crate::scene::{alter, at, opened, scenes};
use router::Event;
use std::collections::BTreeMap;
use store::{Change, Error, Guard, Record, Store};

fn answer(record: &mut Record, _: &mut Change) -> Result<(), router::IllegalMove> {
    record.turn_due_at = None;
    record.state.apply(&Event::BotReplied)
}

#[tokio::test]
async fn turns_are_handed_out_oldest_first_and_to_one_worker() {
    for scene in scenes().await {
        let store = &scene.store;
        assert_eq!(store.lease(at(0), at(9)).await.unwrap(), None);
        let (late, early) = (opened(store, at(5)).await, opened(store, at(2)).await);
        assert_eq!(store.lease(at(1), at(9)).await.unwrap(), None, "{}", scene.name);
        let first = store.lease(at(5), at(30)).await.unwrap().unwrap();
        assert_eq!(first.record, early, "{}", scene.name);
        let second = store.lease(at(5), at(30)).await.unwrap().unwrap();
        assert_eq!(second.record, late, "{}", scene.name);
        assert_eq!(store.lease(at(29), at(60)).await.unwrap(), None);
        let workload = store.workload(at(29)).await.unwrap();
        assert_eq!((workload.turns_due, workload.oldest_turn), (0, None));

        let done = store.change(early.id, Guard::Leased(first.lease.clone()), at(6), answer).await;
        done.unwrap().unwrap();
        let again = store.change(early.id, Guard::Leased(first.lease), at(7), answer).await;
        assert!(matches!(again, Err(Error::LeaseLost)), "{again:?}");
        assert_eq!(store.conversation(early.id).await.unwrap().state.episode().bot_turns, 1);
        let retaken = store.lease(at(31), at(60)).await.unwrap().unwrap();
        assert_eq!(retaken.record.id, late.id, "{}", scene.name);
    }
}

#[tokio::test]
async fn a_lease_that_ran_out_is_lost_to_the_next_worker() {
    for scene in scenes().await {
        let store = &scene.store;
        let id = opened(store, at(0)).await.id;
        let first = store.lease(at(1), at(10)).await.unwrap().unwrap();
        store.renew(&first.lease, at(20)).await.unwrap();
        assert_eq!(store.lease(at(15), at(30)).await.unwrap(), None, "{}", scene.name);
        let second = store.lease(at(20), at(30)).await.unwrap().unwrap();
        assert_eq!(second.record.id, id);
        let late = store.change(id, Guard::Leased(first.lease.clone()), at(21), answer).await;
        assert!(matches!(late, Err(Error::LeaseLost)), "{late:?}");
        assert!(matches!(store.renew(&first.lease, at(40)).await, Err(Error::LeaseLost)));
        store.give_back(&first.lease, at(0)).await.unwrap();
        assert_eq!(store.lease(at(22), at(30)).await.unwrap(), None, "{}", scene.name);
        let done = store.change(id, Guard::Leased(second.lease), at(23), answer).await;
        done.unwrap().unwrap();
        assert_eq!(store.lease(at(99), at(100)).await.unwrap(), None, "{}", scene.name);
    }
}

#[tokio::test]
async fn a_turn_that_is_given_back_comes_again_unless_it_is_not_needed_any_more() {
    for scene in scenes().await {
        let store = &scene.store;
        let id = opened(store, at(0)).await.id;
        let leased = store.lease(at(1), at(10)).await.unwrap().unwrap();
        store.give_back(&leased.lease, at(5)).await.unwrap();
        assert_eq!(store.lease(at(4), at(10)).await.unwrap(), None, "{}", scene.name);
        let leased = store.lease(at(5), at(10)).await.unwrap().unwrap();
        alter(store, id, at(6), |record, _| record.turn_due_at = None).await;
        store.give_back(&leased.lease, at(7)).await.unwrap();
        assert_eq!(store.lease(at(99), at(100)).await.unwrap(), None, "{}", scene.name);
    }
}

#[tokio::test]
async fn a_refused_turn_keeps_its_lease() {
    for scene in scenes().await {
        let store = &scene.store;
        let id = opened(store, at(0)).await.id;
        let leased = store.lease(at(1), at(10)).await.unwrap().unwrap();
        let guard = Guard::Leased(leased.lease);
        let refused = store.change(id, guard.clone(), at(2), |_, _| Err::<(), _>("not yet")).await;
        assert_eq!(refused.unwrap(), Err("not yet"));
        store.change(id, guard, at(3), answer).await.unwrap().unwrap();
        assert_eq!(store.lease(at(99), at(100)).await.unwrap(), None, "{}", scene.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_workers_on_two_nodes_take_two_hundred_turns_once_each() {
    for scene in scenes().await {
        for nth in 0..200 {
            opened(&scene.store, at(nth)).await;
        }
        let other = Store::open(&scene.url).await.unwrap();
        let work = |store: Store| async move {
            let mut taken = Vec::new();
            while let Some(leased) = store.lease(at(500), at(900)).await.unwrap() {
                let id = leased.record.id;
                let guard = Guard::Leased(leased.lease);
                store.change(id, guard, at(501), answer).await.unwrap().unwrap();
                taken.push(id);
            }
            taken
        };
        let workers: Vec<_> = (0..8)
            .map(|nth| if nth % 2 == 0 { scene.store.clone() } else { other.clone() })
            .map(|store| tokio::spawn(work(store)))
            .collect();
        let mut taken = BTreeMap::new();
        for worker in workers {
            for id in worker.await.unwrap() {
                *taken.entry(id).or_insert(0) += 1;
            }
        }
        assert_eq!(taken.len(), 200, "{}", scene.name);
        assert!(taken.values().all(|n| *n == 1), "{}", scene.name);
        other.close().await;
    }
}

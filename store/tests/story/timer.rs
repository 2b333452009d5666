use crate::scene::{alter, at, opened, scenes};
use router::Event;
use serde_json::json;
use store::{Error, Guard, Id, NewTimer, Record, Store};

fn timer(key: &str, seconds: i64) -> NewTimer {
    NewTimer { key: key.into(), due_at: at(seconds), action: json!({ "do": key }) }
}

async fn keys(store: &Store, now: i64) -> Vec<String> {
    let due = store.timers_due(at(now), 10).await.unwrap();
    due.into_iter().map(|due| due.timer.key).collect()
}

async fn fire(store: &Store, id: Id<Record>, key: &str) -> Result<Result<(), ()>, Error> {
    let key = key.to_string();
    let alter = |_: &mut Record, change: &mut store::Change| {
        change.fired.push(key);
        Ok(())
    };
    store.change(id, Guard::None, at(50), alter).await
}

#[tokio::test]
async fn a_timer_comes_in_its_time_and_fires_once_an_episode() {
    for scene in scenes().await {
        let store = &scene.store;
        let id = opened(store, at(0)).await.id;
        let set = || vec![timer("remind", 20), timer("escalate", 10)];
        alter(store, id, at(1), |_, change| change.timers = set()).await;
        alter(store, id, at(2), |_, change| change.timers = vec![timer("remind", 5)]).await;
        assert_eq!(keys(store, 9).await, [""; 0], "{}", scene.name);
        assert_eq!(keys(store, 20).await, ["escalate", "remind"], "{}", scene.name);
        let due = store.timers_due(at(10), 1).await.unwrap();
        assert_eq!((due[0].conversation, due[0].episode), (id, 1));
        assert_eq!(due[0].timer, timer("escalate", 10));

        fire(store, id, "escalate").await.unwrap().unwrap();
        let again = fire(store, id, "escalate").await;
        assert!(matches!(again, Err(Error::LeaseLost)), "{}: {again:?}", scene.name);
        fire(store, id, "never set").await.unwrap().unwrap();
        alter(store, id, at(51), |_, change| change.timers = vec![timer("escalate", 0)]).await;
        assert_eq!(keys(store, 99).await, ["remind"], "{}", scene.name);
        let fired = store.fired(id, 1).await.unwrap();
        assert_eq!(fired.into_iter().collect::<Vec<_>>(), ["escalate", "never set"]);
        assert!(store.fired(id, 2).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn timers_of_an_episode_that_is_over_are_void() {
    for scene in scenes().await {
        let store = &scene.store;
        let id = opened(store, at(0)).await.id;
        alter(store, id, at(1), |record, change| {
            record.state.apply(&Event::Closed).unwrap();
            change.timers = vec![timer("durable", 10), timer("remind", 11)];
        })
        .await;
        assert_eq!(keys(store, 20).await, ["durable", "remind"], "{}", scene.name);
        fire(store, id, "durable").await.unwrap().unwrap();
        alter(store, id, at(2), |record, change| {
            record.state.apply(&Event::CustomerWrote).unwrap();
            change.timers = vec![timer("remind", 30)];
        })
        .await;
        assert_eq!(keys(store, 20).await, [""; 0], "{}", scene.name);
        assert_eq!(keys(store, 30).await, ["remind"], "{}", scene.name);
        assert_eq!(store.fired(id, 1).await.unwrap().len(), 1);
        fire(store, id, "durable").await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_fire_a_timer_at_the_same_moment_one_does() {
    for scene in scenes().await {
        let id = opened(&scene.store, at(0)).await.id;
        let tasks: Vec<_> = (0..16)
            .map(|_| {
                let store = scene.store.clone();
                tokio::spawn(async move { fire(&store, id, "remind").await })
            })
            .collect();
        let mut n_fired = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(Ok(())) => n_fired += 1,
                Err(Error::LeaseLost) => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(n_fired, 1, "{}", scene.name);
    }
}

#[tokio::test]
async fn whoever_rests_wakes_in_time() {
    for scene in scenes().await {
        let store = &scene.store;
        let (a, b) = (opened(store, at(0)).await.id, opened(store, at(0)).await.id);
        for (id, until) in [(a, 20), (b, 10)] {
            alter(store, id, at(1), |record, _| {
                record.state.apply(&Event::Snoozed).unwrap();
                record.snoozed_until = Some(at(until));
            })
            .await;
        }
        assert_eq!(store.rested(at(9), 10).await.unwrap(), []);
        assert_eq!(store.rested(at(10), 10).await.unwrap(), [b], "{}", scene.name);
        assert_eq!(store.rested(at(20), 10).await.unwrap(), [b, a], "{}", scene.name);
        alter(store, b, at(21), |record, _| record.state.apply(&Event::Woken).unwrap()).await;
        assert_eq!(store.rested(at(20), 10).await.unwrap(), [a], "{}", scene.name);
    }
}

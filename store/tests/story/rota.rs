use crate::scene::{alter, at, opened, scenes, slug};
use router::Event;
use store::{Change, Error, Guard, Id, NewAccount, Record, Role, Share, Store};

/// Gives a conversation to a teammate, as a queue does.
async fn share(store: &Store, id: Id<Record>, name: &str, capacity: Option<u32>) -> bool {
    let (team, teammate) = (slug("support"), slug(name));
    let give = |record: &mut Record, change: &mut Change| {
        let (team, teammate) = (team.clone(), teammate.clone());
        let event =
            Event::Assigned { team: team.clone(), teammate: teammate.clone(), by_person: false };
        change.share = Some(Share { team, teammate, capacity });
        record.state.apply(&event)
    };
    match store.change(id, Guard::None, at(9), give).await {
        Ok(done) => done.is_ok(),
        Err(Error::Full) => false,
        Err(failure) => panic!("{failure:?}"),
    }
}

async fn open_account(store: &Store, name: &str) {
    let account = NewAccount {
        teammate: slug(name),
        name: name.into(),
        email: format!("{name}@example.com"),
        password_hash: "none".into(),
        role: Role::Teammate,
    };
    store.open_account(&account, at(0)).await.unwrap();
}

#[tokio::test]
async fn who_was_given_something_last_is_known_to_every_node() {
    for scene in scenes().await {
        let store = &scene.store;
        let support = slug("support");
        assert_eq!(store.last_assigned(&support).await.unwrap(), None, "{}", scene.name);
        for name in ["ada", "bo"] {
            open_account(store, name).await;
            let id = opened(store, at(1)).await.id;
            assert!(share(store, id, name, None).await);
            let other = Store::open(&scene.url).await.unwrap();
            assert_eq!(other.last_assigned(&support).await.unwrap(), Some(slug(name)));
            assert_eq!(other.last_assigned(&slug("sales")).await.unwrap(), None);
            other.close().await;
        }
        let id = opened(store, at(2)).await.id;
        assert!(!share(store, id, "ada", Some(1)).await, "{}", scene.name);
        let record = store.conversation(id).await.unwrap();
        assert_eq!((record.state.owner(), record.n_entries), (&router::Owner::Bot, 1));
        assert_eq!(store.last_assigned(&support).await.unwrap(), Some(slug("bo")));
        let first = store.held_by(&slug("ada"), 9).await.unwrap().remove(0).record.id;
        alter(store, first, at(3), |record, _| record.state.apply(&Event::Closed).unwrap()).await;
        assert!(share(store, id, "ada", Some(1)).await, "{}", scene.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_two_nodes_together_give_a_teammate_more_than_fits() {
    for scene in scenes().await {
        let other = Store::open(&scene.url).await.unwrap();
        for round in 0..8 {
            let name = format!("ada-{round}");
            open_account(&scene.store, &name).await;
            let mut ids = Vec::new();
            for _ in 0..6 {
                ids.push(opened(&scene.store, at(round)).await.id);
            }
            let tasks: Vec<_> = ids
                .into_iter()
                .enumerate()
                .map(|(nth, id)| {
                    let store = if nth % 2 == 0 { scene.store.clone() } else { other.clone() };
                    let name = name.clone();
                    tokio::spawn(async move { share(&store, id, &name, Some(3)).await })
                })
                .collect();
            let mut n_given = 0;
            for task in tasks {
                n_given += usize::from(task.await.unwrap());
            }
            let held = scene.store.held_by(&slug(&name), 99).await.unwrap().len();
            assert_eq!((n_given, held), (3, 3), "{}", scene.name);
        }
        other.close().await;
    }
}

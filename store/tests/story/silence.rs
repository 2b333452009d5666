//! A database whose host vanishes, and comes back.

use crate::scene::{alter, at, opened, wrote};
use std::time::{Duration, Instant};
use store::{Change, Error, Guard, Id, Patience, Record, Store};
use tests::postgres::{Line, Server};

/// Callers at once, more than there are connections.
const CALLERS: usize = 40;

/// How long any of them may wait for the news, on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// Writes to a conversation, and reads it, until the store fails.
async fn write_until_it_fails(store: Store, id: Id<Record>) -> Error {
    loop {
        let add = |_: &mut Record, change: &mut Change| {
            change.entries.push((Id::new(at(1)), wrote("more")));
            Ok::<(), ()>(())
        };
        if let Err(failure) = store.change(id, Guard::None, at(1), add).await {
            return failure;
        }
        if let Err(failure) = store.last_entries(id, 10).await {
            return failure;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_vanishes_is_noticed_by_whoever_waits_and_used_again_when_it_is_back() {
    let Some(server) = Server::start() else { return };
    let line = Line::to(&server.database("far"));
    let patience = Patience {
        connection: Duration::from_secs(2),
        answer: Duration::from_millis(300),
        statement: Duration::from_secs(3),
    };
    let store = Store::open_with(&line.database(), patience).await.unwrap();
    let mut writers = Vec::new();
    for nth in 0..CALLERS {
        let id = opened(&store, at(i64::try_from(nth).unwrap())).await.id;
        writers.push(tokio::spawn(write_until_it_fails(store.clone(), id)));
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    line.fall_silent();
    for writer in writers {
        let failure = tokio::time::timeout(LIMIT, writer).await.expect("nobody waits for ever");
        assert!(matches!(failure.unwrap(), Error::Database(_)));
    }
    line.come_back();
    let began = Instant::now();
    while store.ping().await.is_err() {
        assert!(began.elapsed() < LIMIT, "it is not used again");
    }
    // No connection is lost to those who were there before: as many as ever work at once. What they
    // held is still locked where they cannot be heard.
    let tasks: Vec<_> = (0..CALLERS)
        .map(|nth| {
            let store = store.clone();
            tokio::spawn(async move {
                let now = at(i64::try_from(CALLERS + nth).unwrap());
                let id = opened(&store, now).await.id;
                alter(&store, id, now, |_, change| {
                    change.entries.push((Id::new(now), wrote("back again")));
                })
                .await;
                assert_eq!(store.conversation(id).await.unwrap().n_entries, 2);
            })
        })
        .collect();
    for task in tasks {
        tokio::time::timeout(LIMIT, task).await.expect("it answers").unwrap();
    }
}

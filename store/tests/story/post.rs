use crate::scene::{alter, at, newest, opened, scenes};
use serde_json::{Value as Json, json};
use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};
use store::{Error, Id, NewPost, Page, Post, PostState, Record, Store};

fn post(destination: &str, n: i64) -> NewPost {
    NewPost { destination: destination.into(), kind: "reply".into(), body: json!({ "n": n }) }
}

async fn add(store: &Store, id: Id<Record>, seconds: i64, posts: Vec<NewPost>) {
    alter(store, id, at(seconds), |_, change| change.posts = posts).await;
}

async fn due(store: &Store, now: i64) -> Vec<Post> {
    store.posts_due((at(now), at(now + 10)), 100, &[]).await.unwrap()
}

fn numbers(posts: &[Post]) -> Vec<i64> {
    posts.iter().map(|post| post.body["n"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn the_head_of_each_line_goes_out_and_the_next_waits_for_it() {
    for scene in scenes().await {
        let store = &scene.store;
        let id = opened(store, at(0)).await.id;
        let mail = || post("mail", 4);
        add(store, id, 1, vec![post("web", 1), post("web", 2), mail(), post("web", 3)]).await;
        let first = due(store, 1).await;
        assert_eq!(BTreeSet::from_iter(numbers(&first)), BTreeSet::from([1, 4]), "{}", scene.name);
        assert!(first.iter().all(|post| post.n_attempts == 1 && post.at == at(11)));
        assert_eq!(due(store, 10).await, []);
        let again = due(store, 11).await;
        assert!(again.len() == 2 && again.iter().all(|post| post.n_attempts == 2));

        let web = again.iter().find(|post| post.destination == "web").unwrap();
        let mail = again.iter().find(|post| post.destination == "mail").unwrap();
        assert_eq!((web.conversation, web.kind.as_str()), (id, "reply"));
        store.settle_post(web.id, (PostState::Pending, at(30)), "HTTP 503", &[]).await.unwrap();
        assert_eq!(numbers(&due(store, 29).await), [4], "{}", scene.name);
        store.settle_post(web.id, (PostState::Sent, at(31)), "HTTP 200", &[]).await.unwrap();
        assert_eq!(numbers(&due(store, 31).await), [2], "{}", scene.name);
        store.settle_post(mail.id, (PostState::Failed, at(32)), "HTTP 410", &[]).await.unwrap();
        add(store, id, 33, vec![post("mail", 5)]).await;
        assert_eq!(numbers(&due(store, 33).await), [5], "{}", scene.name);
        let without = ["mail".to_string(), "web".to_string()];
        assert_eq!(store.posts_due((at(900), at(901)), 9, &without).await.unwrap(), []);
        // Who is late with an earlier attempt opens nothing again.
        store.settle_post(web.id, (PostState::Pending, at(34)), "timeout", &[]).await.unwrap();
        let log = store.posts(Some("web"), &newest(10)).await.unwrap();
        assert_eq!(numbers(&log), [3, 2, 1], "{}", scene.name);
        assert_eq!((log[2].state, log[2].at), (PostState::Sent, at(31)));
        assert_eq!(log[2].last_result.as_deref(), Some("HTTP 200"));
        assert_eq!(store.posts(None, &newest(10)).await.unwrap().len(), 5);
        let page = Page { before: Some(log[1].id.to_string()), limit: 10 };
        assert_eq!(numbers(&store.posts(Some("web"), &page).await.unwrap()), [1]);
        assert_eq!(store.workload(at(40)).await.unwrap().posts_pending, 3);
        assert_eq!(store.oldest_post().await.unwrap(), Some(at(1)));
        let unknown = store.settle_post(Id::new(at(0)), (PostState::Sent, at(1)), "", &[]).await;
        assert!(matches!(unknown, Err(Error::NotFound("post"))), "{unknown:?}");
    }
}

#[tokio::test]
async fn one_in_the_middle_of_a_line_can_be_cancelled() {
    for scene in scenes().await {
        let store = &scene.store;
        assert_eq!(store.oldest_post().await.unwrap(), None);
        let id = opened(store, at(0)).await.id;
        add(store, id, 1, vec![post("web", 1), post("web", 2), post("web", 3)]).await;
        let log = store.posts(None, &newest(10)).await.unwrap();
        store.settle_post(log[1].id, (PostState::Cancelled, at(2)), "unwanted", &[]).await.unwrap();
        let head = due(store, 2).await;
        assert_eq!(numbers(&head), [1], "{}", scene.name);
        store
            .settle_post(head[0].id, (PostState::Cancelled, at(3)), "unwanted", &[])
            .await
            .unwrap();
        assert_eq!(numbers(&due(store, 3).await), [3], "{}", scene.name);
    }
}

/// Adds posts to two lines in turn, each with its place in its line.
async fn write(store: Store, lines: [Id<Record>; 2]) {
    for n in 0..40 {
        alter(&store, lines[n % 2], at(1), |record, change| {
            let place = record.attributes.get("n").and_then(Json::as_i64).unwrap_or(0) + 1;
            record.attributes.insert("n".into(), json!(place));
            change.posts = vec![post("web", place)];
        })
        .await;
    }
}

/// What was sent, by conversation and place in its line.
type Sent = Arc<Mutex<Vec<(Id<Record>, i64)>>>;

/// Sends whatever is due until nothing is left, and notes it before it is settled.
async fn send(store: Store, writing: Arc<AtomicBool>, sent: Sent) {
    loop {
        let over = !writing.load(Ordering::SeqCst);
        for post in store.posts_due((at(500), at(900)), 3, &[]).await.unwrap() {
            sent.lock().unwrap().push((post.conversation, post.body["n"].as_i64().unwrap()));
            store.settle_post(post.id, (PostState::Sent, at(501)), "", &[]).await.unwrap();
        }
        if over && store.oldest_post().await.unwrap().is_none() {
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_stay_in_order_while_many_write_and_many_send() {
    for scene in scenes().await {
        let store = &scene.store;
        let lines = [opened(store, at(0)).await.id, opened(store, at(0)).await.id];
        let (writing, sent) = (Arc::new(AtomicBool::new(true)), Sent::default());
        let writers: Vec<_> = (0..2).map(|_| tokio::spawn(write(store.clone(), lines))).collect();
        let senders: Vec<_> = (0..3)
            .map(|_| tokio::spawn(send(store.clone(), writing.clone(), Arc::clone(&sent))))
            .collect();
        for writer in writers {
            writer.await.unwrap();
        }
        writing.store(false, Ordering::SeqCst);
        for sender in senders {
            sender.await.unwrap();
        }
        let sent = sent.lock().unwrap();
        for line in lines {
            let places: Vec<_> = sent.iter().filter(|(id, _)| *id == line).map(|s| s.1).collect();
            assert_eq!(places, (1..=40).collect::<Vec<_>>(), "{}", scene.name);
        }
    }
}

#[tokio::test]
async fn one_that_cannot_go_out_lets_others_pass_unless_they_belong_behind_it() {
    let of = |kind: &str, n: i64| NewPost { kind: kind.into(), ..post("web", n) };
    for scene in scenes().await {
        let store = &scene.store;
        let id = opened(store, at(0)).await.id;
        add(store, id, 1, vec![of("tag", 1), of("assign", 2)]).await;
        let first = due(store, 1).await;
        let failed = (PostState::Pending, at(3));
        store.settle_attempt(&first[0], failed, "HTTP 503", &[]).await.unwrap();
        store.let_others_pass(first[0].id).await.unwrap();
        let passing = due(store, 4).await;
        assert_eq!(numbers(&passing), [2], "{}", scene.name);
        add(store, id, 5, vec![of("untag", 3)]).await;
        store.settle_attempt(&passing[0], (PostState::Sent, at(5)), "", &[]).await.unwrap();
        let head = due(store, 6).await;
        assert_eq!(numbers(&head), [1], "{}", scene.name);
        store.let_others_pass(head[0].id).await.unwrap();
        let pending = store.posts_pending(id).await.unwrap();
        assert_eq!(numbers(&pending), [1, 3], "{}: a tag stays before its opposite", scene.name);
    }
}

#[tokio::test]
async fn whoever_was_handed_a_post_before_another_one_decides_nothing() {
    for scene in scenes().await {
        let store = &scene.store;
        let id = opened(store, at(0)).await.id;
        add(store, id, 1, vec![post("web", 1)]).await;
        let slow = due(store, 1).await.remove(0);
        assert!(store.hold_post(&slow, at(20)).await.unwrap(), "{}", scene.name);
        let quick = due(store, 20).await.remove(0);
        assert!(!store.hold_post(&slow, at(90)).await.unwrap(), "{}", scene.name);
        let gives_up = (PostState::Failed, at(21));
        store.settle_attempt(&slow, gives_up, "HTTP 410", &[]).await.unwrap();
        assert_eq!(store.post(slow.id).await.unwrap().state, PostState::Pending);
        // That it has arrived is true whoever says so.
        store.settle_attempt(&slow, (PostState::Sent, at(22)), "HTTP 200", &[]).await.unwrap();
        assert_eq!(store.post(quick.id).await.unwrap().state, PostState::Sent);
    }
}

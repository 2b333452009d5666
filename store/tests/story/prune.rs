use crate::scene::{alter, at, newest, opened, scenes};
use serde_json::json;
use store::{Actor, Attempt, Audit, Id, Kept, NewPost, Post, PostState, Record, Store};

async fn add(store: &Store, id: Id<Record>, seconds: i64, destination: &str) {
    let post = NewPost { destination: destination.into(), kind: "x".into(), body: json!({}) };
    alter(store, id, at(seconds), |_, change| change.posts.push(post)).await;
}

async fn due(store: &Store, now: i64) -> Vec<Post> {
    store.posts_due((at(now), at(now + 10)), 100, &[]).await.unwrap()
}

#[tokio::test]
async fn what_each_attempt_at_a_webhook_met_is_kept_up_to_a_limit() {
    for scene in scenes().await {
        let store = &scene.store;
        let id = opened(store, at(0)).await.id;
        add(store, id, 0, "webhook:crm").await;
        add(store, id, 0, "mail").await;
        let (mut crm, mut mail) = (None, None);
        for n in 1..=23_i64 {
            for post in due(store, n * 20).await {
                let (state, result) = (PostState::Pending, format!("HTTP 5{n:02}"));
                let known = if post.destination == "mail" { &mut mail } else { &mut crm };
                *known = Some(post.id);
                // Whoever made one of them died.
                if n != 21 {
                    let next = (state, at(n * 20 + 5));
                    store.settle_attempt(&post, next, &result, &[]).await.unwrap();
                }
            }
        }
        let (crm, mail) = (crm.unwrap(), mail.unwrap());
        let told = store.attempts(&[crm, mail]).await.unwrap();
        assert_eq!(told.keys().collect::<Vec<_>>(), [&crm], "{}", scene.name);
        let numbers: Vec<u32> = told[&crm].iter().map(|attempt| attempt.number).collect();
        assert_eq!(numbers, (4..=23).collect::<Vec<_>>(), "{}", scene.name);
        let last = Attempt { number: 23, at: at(460), result: Some("HTTP 523".into()) };
        assert_eq!(told[&crm].last(), Some(&last));
        assert_eq!(told[&crm][17], Attempt { number: 21, at: at(420), result: None });
        assert_eq!(store.attempts(&[]).await.unwrap().len(), 0);
    }
}

#[tokio::test]
async fn what_is_old_and_settled_is_forgotten_in_parts() {
    for scene in scenes().await {
        let store = &scene.store;
        let id = opened(store, at(0)).await.id;
        for n in 0..6 {
            add(store, id, n, "webhook:crm").await;
            let [post] = due(store, n).await.try_into().unwrap();
            // The fifth settles late, the sixth waits.
            let settled = if n == 4 { 500 } else { n };
            if n < 5 {
                store
                    .settle_post(post.id, (PostState::Sent, at(settled)), "ok", &[])
                    .await
                    .unwrap();
            }
            let (actor, subject) = (Actor::Frontdesk, "x".to_string());
            let audit = Audit { actor, action: "a".into(), subject, detail: json!({}) };
            store.note(&audit, at(n)).await.unwrap();
        }
        let n_left = async || {
            let posts = store.posts(None, &newest(99)).await.unwrap().len();
            (posts, store.audit(Some("x"), &newest(99)).await.unwrap().len())
        };
        assert_eq!(store.prune(&Kept::default(), 9).await.unwrap(), 0, "for ever is for ever");
        let kept = Kept { posts_since: Some(at(100)), audit_since: Some(at(3)) };
        assert_eq!(store.prune(&kept, 3).await.unwrap(), 6, "{}", scene.name);
        assert_eq!(n_left().await, (3, 3), "{}", scene.name);
        assert_eq!(store.prune(&kept, 3).await.unwrap(), 1, "{}", scene.name);
        assert_eq!(store.prune(&kept, 3).await.unwrap(), 0, "{}", scene.name);
        assert_eq!(n_left().await, (2, 3), "{}", scene.name);
        let waiting: Vec<PostState> =
            store.posts(None, &newest(9)).await.unwrap().iter().map(|post| post.state).collect();
        assert_eq!(waiting, [PostState::Pending, PostState::Sent]);
        // The attempts go with their posts.
        add(store, id, 600, "webhook:crm").await;
        assert_eq!(due(store, 700).await.len(), 1, "the line goes on");
    }
}

use crate::scene::{at, scenes};
use store::{Ended, Notice};

fn notice(external_id: Option<&str>, subject: Option<&str>) -> Notice {
    Notice {
        channel: "intercom".into(),
        external_id: external_id.map(str::to_string),
        topic: "conversation.user.replied".into(),
        subject: subject.map(str::to_string),
    }
}

#[tokio::test]
async fn a_notice_counts_once_and_has_its_subject_looked_at() {
    for scene in scenes().await {
        let store = &scene.store;
        let told = notice(Some("notif_1"), Some("conversation:524"));
        assert!(store.keep_notice(&told, at(1)).await.unwrap(), "{}", scene.name);
        assert!(!store.keep_notice(&told, at(2)).await.unwrap(), "{}", scene.name);
        let errand = store.errand(at(3), at(9)).await.unwrap().unwrap();
        assert_eq!((errand.subject.as_str(), errand.n_attempts), ("conversation:524", 1));
        store.end_errand(&errand, &Ended::Done, at(4)).await.unwrap();
        assert!(!store.keep_notice(&told, at(5)).await.unwrap(), "{}", scene.name);
        assert_eq!(store.errand(at(6), at(9)).await.unwrap(), None, "{}", scene.name);
        // Without a name, as with pings, each telling counts; without a subject nothing follows.
        let ping = notice(None, None);
        assert!(store.keep_notice(&ping, at(7)).await.unwrap());
        assert!(store.keep_notice(&ping, at(8)).await.unwrap());
        assert_eq!(store.errand(at(9), at(19)).await.unwrap(), None, "{}", scene.name);
    }
}

#[tokio::test]
async fn an_errand_runs_once_at_a_time_and_again_for_what_came_meanwhile() {
    for scene in scenes().await {
        let store = &scene.store;
        store.ask_for("intercom", "conversation:1", at(1)).await.unwrap();
        let errand = store.errand(at(2), at(10)).await.unwrap().unwrap();
        store.ask_for("intercom", "conversation:1", at(3)).await.unwrap();
        assert_eq!(store.errand(at(4), at(10)).await.unwrap(), None, "{}", scene.name);
        store.end_errand(&errand, &Ended::Done, at(5)).await.unwrap();
        let again = store.errand(at(5), at(10)).await.unwrap().unwrap();
        assert_eq!(again.n_attempts, 1, "{}", scene.name);
        let failed = Ended::Failed(at(8), "no answer".into());
        store.end_errand(&again, &failed, at(6)).await.unwrap();
        assert_eq!(store.errand(at(7), at(10)).await.unwrap(), None, "{}", scene.name);
        let third = store.errand(at(8), at(10)).await.unwrap().unwrap();
        assert_eq!(third.n_attempts, 2, "{}", scene.name);
        // The runner dies; what it says after its time counts for nothing.
        let fourth = store.errand(at(10), at(20)).await.unwrap().unwrap();
        store.end_errand(&third, &Ended::Done, at(11)).await.unwrap();
        assert_eq!(store.errand(at(12), at(20)).await.unwrap(), None, "{}", scene.name);
        let memo = Some("up to 1734537561".to_string());
        store.end_errand(&fourth, &Ended::Again(at(30), memo.clone()), at(12)).await.unwrap();
        assert_eq!(store.errand(at(29), at(40)).await.unwrap(), None, "{}", scene.name);
        let fifth = store.errand(at(30), at(40)).await.unwrap().unwrap();
        assert_eq!((fifth.memo.clone(), fifth.n_attempts), (memo, 1), "{}", scene.name);
        // Whoever holds it keeps it; whoever lost it hears so.
        assert!(store.hold_errand(&fifth, at(60)).await.unwrap(), "{}", scene.name);
        assert!(!store.hold_errand(&fourth, at(99)).await.unwrap(), "{}", scene.name);
        assert_eq!(store.errand(at(50), at(70)).await.unwrap(), None, "{}", scene.name);
        assert!(store.was_asked_for("intercom", "conversation:1").await.unwrap());
        assert!(!store.was_asked_for("intercom", "conversation:2").await.unwrap());
    }
}

#[tokio::test]
async fn a_budget_is_shared_and_what_matters_most_may_use_all_of_it() {
    for scene in scenes().await {
        let store = &scene.store;
        let spend = |reserve, now| store.spend(("app", reserve), (4, 10_000), at(now));
        assert_eq!(spend(0.5, 0).await.unwrap(), Ok(()), "{}", scene.name);
        assert_eq!(spend(0.5, 1).await.unwrap(), Ok(()));
        assert_eq!(spend(0.5, 1).await.unwrap(), Err(at(10)), "{}", scene.name);
        assert_eq!(spend(0.0, 1).await.unwrap(), Ok(()));
        assert_eq!(spend(0.0, 1).await.unwrap(), Ok(()));
        assert_eq!(spend(0.0, 2).await.unwrap(), Err(at(10)), "{}", scene.name);
        assert_eq!(spend(0.5, 10).await.unwrap(), Ok(()), "a new stretch");
        // There may be more than was thought; what was taken stays taken.
        store.correct_budget("app", (167, 166, 10_000), at(22), at(11)).await.unwrap();
        assert_eq!(spend(0.5, 11).await.unwrap(), Ok(()), "{}", scene.name);
        // What the far side tells counts where it is less, and not of a stretch that is over.
        store.correct_budget("app", (167, 3, 10_000), at(22), at(11)).await.unwrap();
        store.correct_budget("app", (167, 100, 10_000), at(22), at(11)).await.unwrap();
        for _ in 0..3 {
            assert_eq!(spend(0.0, 11).await.unwrap(), Ok(()), "{}", scene.name);
        }
        assert_eq!(spend(0.0, 11).await.unwrap(), Err(at(22)), "{}", scene.name);
        store.correct_budget("app", (167, 90, 10_000), at(10), at(12)).await.unwrap();
        assert_eq!(spend(0.0, 12).await.unwrap(), Err(at(22)), "{}", scene.name);
        store.correct_budget("app", (167, 2, 10_000), at(32), at(12)).await.unwrap();
        assert_eq!(spend(0.0, 12).await.unwrap(), Ok(()), "a new stretch");
        assert_eq!(spend(0.0, 12).await.unwrap(), Ok(()));
        assert_eq!(spend(0.0, 12).await.unwrap(), Err(at(32)), "{}", scene.name);
    }
}

#[tokio::test]
async fn a_stretch_that_began_here_ends_when_the_far_side_says_so() {
    for scene in scenes().await {
        let store = &scene.store;
        let spend = |now| store.spend(("app", 0.0), (4, 10_000), at(now));
        // The far side's stretch began seven seconds earlier, and another app has used it up.
        assert_eq!(spend(7).await.unwrap(), Ok(()), "{}", scene.name);
        store.correct_budget("app", (4, 0, 10_000), at(10), at(7)).await.unwrap();
        assert_eq!(spend(8).await.unwrap(), Err(at(10)), "{}", scene.name);
        assert_eq!(spend(10).await.unwrap(), Ok(()), "{}", scene.name);
    }
}

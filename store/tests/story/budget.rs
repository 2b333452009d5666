use crate::{
    change::decision,
    scene::{alter, at, opened, scenes, slug},
};
use store::{
    Budgeted, Content, Decided, Id, Label, Objection, Outcome, OutcomeKind, Record, Store, Verdict,
    Watched,
};

/// Has the bot answer by the budget of a rule.
async fn answered(store: &Store, second: i64) -> (Id<Record>, Id<Decided>) {
    let (record, id) = (opened(store, at(second)).await.id, Id::new(at(second)));
    alter(store, record, at(second), |_, change| {
        change.decision = Some(decision(id));
        change.budgeted = Some(Budgeted { rule: "careful".into(), error_budget: 0.1 });
    })
    .await;
    (record, id)
}

#[tokio::test]
async fn answers_by_a_budget_are_listed_with_what_speaks_against_them() {
    for scene in scenes().await {
        let store = &scene.store;
        let (first, corrected) = answered(store, 10).await;
        let (second, rated) = answered(store, 20).await;
        answered(store, 30).await;
        let entry = Id::new(at(40));
        alter(store, first, at(40), |_, change| {
            let text = "Ask \"them\".".to_string();
            change.entries.push((entry, Content::Teammate { teammate: slug("ada"), text }));
            let (teammate, sent) = (slug("ada"), Some(entry));
            let verdict = Verdict::Corrected;
            change.labels.push(Label { decision: corrected, teammate, verdict, sent });
        })
        .await;
        alter(store, second, at(50), |_, change| {
            change.outcomes.push(Outcome { kind: OutcomeKind::Rated(2), comment: None });
        })
        .await;
        let listed = store.answered("careful", at(15)).await.unwrap();
        assert_eq!(listed.len(), 2, "{}: {listed:?}", scene.name);
        assert_eq!((listed[0].decision, listed[0].topic.as_deref()), (rated, Some("refunds")));
        assert!(store.answered("another", at(0)).await.unwrap().is_empty(), "{}", scene.name);
        let against = store.objections("careful", at(0)).await.unwrap();
        let (draft, sent) = ("Within 14 days.".to_string(), "Ask \"them\".".to_string());
        let expected =
            [(corrected, Objection::Corrected { draft, sent }), (rated, Objection::RatedBadly)];
        assert_eq!(against, expected, "{}", scene.name);
    }
}

#[tokio::test]
async fn a_threshold_is_raised_by_one_node_and_lifted_by_people() {
    for scene in scenes().await {
        let store = &scene.store;
        for topic in [None, Some("refunds"), None] {
            store.watch("careful", topic, at(10)).await.unwrap();
        }
        let watched = store.watched().await.unwrap();
        let [others, refunds] = watched.as_slice() else { panic!("{}: {watched:?}", scene.name) };
        assert_eq!((others.topic.as_deref(), others.since), (None, at(10)), "{}", scene.name);
        let raised = Watched {
            threshold: Some(0.85),
            n_raised: 1,
            n_answers: 20,
            n_wrong: 7,
            since: at(60),
            ..refunds.clone()
        };
        assert!(store.raise(&raised).await.unwrap(), "{}", scene.name);
        assert!(!store.raise(&raised).await.unwrap(), "{}: another node did", scene.name);
        assert_eq!(store.watched().await.unwrap(), [others.clone(), raised], "{}", scene.name);
        store.watch("careful", Some("refunds"), at(70)).await.unwrap();
        assert_eq!(store.watched().await.unwrap()[1].threshold, Some(0.85), "{}", scene.name);
        assert_eq!(store.lift("careful", Some("orders"), at(80)).await.unwrap(), 0);
        assert_eq!(store.lift("careful", None, at(80)).await.unwrap(), 1, "{}", scene.name);
        let lifted = store.watched().await.unwrap();
        assert_eq!((lifted[1].threshold, lifted[1].n_raised), (None, 0), "{}", scene.name);
        assert_eq!((lifted[0].since, lifted[1].since), (at(10), at(80)), "{}", scene.name);
    }
}

use crate::scene::{alter, at, newest, opened, scenes, slug, write, wrote};
use jiff::{SignedDuration, Timestamp};
use router::{Due, Event, Owner, Priority, SlaClock};
use serde_json::{Value as Json, json};
use store::{
    About, Actor, Audit, Basis, Change, Content, Decided, Error, Grounds, Guard, Id, Label,
    NewDecision, Outcome, OutcomeKind, Ranked, Record, Source, Store, Verdict,
};

fn decision(id: Id<Decided>) -> NewDecision {
    let source = Source {
        article: "refunds".into(),
        title: "Refunds".into(),
        url: Some("https://example.com/refunds".into()),
        quote: "within 14 days".into(),
    };
    NewDecision {
        id,
        about: 1,
        act: "reply".into(),
        team: Some(slug("billing")),
        topic: Some("refunds".into()),
        confidence: 0.1 + 0.2,
        draft: Some("Within 14 days.".into()),
        sources: vec![source],
        reasons: vec!["confident enough".into(), "on topic".into()],
        trace: json!({ "passages": [1, 2.5, null] }),
        basis: Some(basis()),
        took_ms: 12.75,
        silent: true,
    }
}

fn basis() -> Basis {
    let used = Ranked { id: "refunds".into(), digest: "3f2b".into(), passages: vec![0, 2] };
    let other = Ranked { id: "b".into(), digest: String::new(), passages: Vec::new() };
    Basis {
        finding: Some(Grounds::Failed("the search".into())),
        evidence: [("meaning_own".to_string(), 0.1 + 0.2)].into(),
        articles: vec![used, other],
        versions: [("index".to_string(), "00ff".to_string())].into(),
        took_ms: (1.5, 2.25),
    }
}

fn contents(decision: Id<Decided>) -> Vec<Content> {
    let teammate = slug("ada");
    vec![
        Content::Customer { text: "a\0b \u{1F600}\nc".into(), client_id: Some("c-1".into()) },
        Content::Bot {
            text: "**Within** 14 days.".into(),
            sources: vec![],
            buttons: vec!["Yes".into(), "No".into()],
            decision: Some(decision),
        },
        Content::Bot { text: String::new(), sources: vec![], buttons: vec![], decision: None },
        Content::Teammate { teammate: teammate.clone(), text: "Hello".into() },
        Content::Note { by: Actor::Teammate(teammate), text: "careful".into() },
        Content::Event {
            by: Actor::Program("crm".into()),
            what: "tagged".into(),
            detail: json!({ "tag": "vip" }),
        },
    ]
}

/// Gives every part of a record a value that its opening does not have.
fn enrich(record: &mut Record) {
    let team = slug("billing");
    record.state.apply(&Event::BotOffered).unwrap();
    record.state.apply(&Event::HandedOff { team: team.clone(), by_person: true }).unwrap();
    let assigned = Event::Assigned { team, teammate: slug("ada"), by_person: true };
    record.state.apply(&assigned).unwrap();
    let mut clock = SlaClock::new(at(1));
    clock.teammate_wrote(at(2));
    record.external_id = Some("thread-9".into());
    record.priority = Priority::Urgent;
    record.sla = Some(slug("gold"));
    record.tags = ["vip".to_string(), "a \"quoted\" tag".to_string()].into();
    record.attributes.insert("order".into(), json!({ "n": 4711 }));
    record.topic = Some("refunds".into());
    record.language = Some("de-AT".into());
    record.page = Some("https://example.com/cart".into());
    record.preview = "Wo ist mein Geld".into();
    record.waiting_since = Some(at(3));
    record.queued_at = Some(at(4));
    record.clock = Some(clock);
    record.due = Due { first_reply: Some(at(5)), next_reply: None, resolution: Some(at(6)) };
    record.snoozed_until = Some(at(7));
    record.turn_due_at = None;
}

/// Checks what was written beside the timeline.
async fn check_beside(store: &Store, conversation: Id<Record>, id: Id<Decided>, stamp: Timestamp) {
    let decided = store.decision(id).await.unwrap();
    assert_eq!((&decided.decided, decided.conversation), (&decision(id), conversation));
    assert_eq!((decided.at, decided.about, decided.episode), (stamp, 1, 1));
    let all = [decided];
    assert_eq!(store.decisions(conversation).await.unwrap(), all);
    assert_eq!(
        store.decided_about(conversation).await.unwrap(),
        [(id, About { known: 1, silent: true })].into()
    );
    assert_eq!(store.all_decisions(&newest(5)).await.unwrap(), all);
    let judged = store.judged(&newest(5)).await.unwrap();
    let [seen] = judged.as_slice() else { panic!("{judged:?}") };
    assert_eq!((&seen.decided, seen.label.is_some()), (&all[0], true));
    assert_eq!(seen.course.entries, store.timeline(conversation, 0, 50).await.unwrap());
    assert_eq!(seen.course.outcomes, store.outcomes(conversation).await.unwrap());
    assert_eq!(seen.course.record, store.conversation(conversation).await.unwrap());
    let older = store::Page { before: Some(id.to_string()), limit: 5 };
    assert_eq!(store.judged(&older).await.unwrap(), []);
    let labels = store.labels(&newest(5)).await.unwrap();
    assert_eq!(labels.len(), 1);
    assert_eq!((labels[0].0, labels[0].1.verdict), (stamp, Verdict::Corrected));
    let outcomes = store.outcomes(conversation).await.unwrap();
    assert_eq!(outcomes[0], (1, stamp, Outcome { kind: OutcomeKind::HandedOff, comment: None }));
    assert_eq!(outcomes[1].2.comment.as_deref(), Some("nice"));
    let audit = store.audit(Some(&conversation.to_string()), &newest(10)).await.unwrap();
    let actions: Vec<_> = audit.iter().map(|entry| entry.audit.action.as_str()).collect();
    assert_eq!(actions, ["third", "second", "first"]);
    assert_eq!(audit[0].audit.detail, json!({ "team": "billing" }));
    let page = store::Page { before: Some(audit[1].id.to_string()), limit: 10 };
    assert_eq!(store.audit(None, &page).await.unwrap(), audit[2..]);
}

#[tokio::test]
async fn everything_that_a_change_holds_comes_back_as_it_was() {
    for scene in scenes().await {
        let store = &scene.store;
        let before = opened(store, at(0)).await;
        let id: Id<Decided> = Id::new(at(1));
        let contents = contents(id);
        let entries: Vec<_> = contents.iter().map(|c| (Id::new(at(1)), c.clone())).collect();
        let now = at(1) + SignedDuration::from_nanos(1_234_567);
        alter(store, before.id, now, |record, change| {
            enrich(record);
            change.entries.clone_from(&entries);
            change.decision = Some(decision(id));
            change.outcomes = vec![
                Outcome { kind: OutcomeKind::HandedOff, comment: None },
                Outcome { kind: OutcomeKind::Rated(4), comment: Some("nice\0".into()) },
            ];
            let label = |verdict| Label {
                decision: id,
                teammate: slug("ada"),
                verdict,
                sent: Some(entries[3].0),
            };
            change.labels = vec![label(Verdict::Approved), label(Verdict::Corrected)];
            let audit = |action: &str| Audit {
                actor: Actor::Teammate(slug("ada")),
                action: action.into(),
                subject: before.id.to_string(),
                detail: json!({ "team": "billing" }),
            };
            change.audit = vec![audit("first"), audit("second"), audit("third")];
        })
        .await;

        let stamp = at(1) + SignedDuration::from_micros(1_234);
        let mut expected = before.clone();
        enrich(&mut expected);
        expected.n_entries = 7;
        expected.updated_at = stamp;
        assert_eq!(store.conversation(before.id).await.unwrap(), expected, "{}", scene.name);
        let kept = store.timeline(before.id, 1, 100).await.unwrap();
        assert_eq!(kept.iter().map(|e| e.content.clone()).collect::<Vec<_>>(), contents);
        assert!(kept.iter().all(|entry| entry.at == stamp && entry.episode == 1));
        let last = store.last_entries(before.id, 2).await.unwrap();
        assert_eq!(last.iter().map(|entry| entry.number).collect::<Vec<_>>(), [6, 7]);
        assert_eq!(last[..], kept[4..]);
        check_beside(store, before.id, id, stamp).await;
    }
}

#[tokio::test]
async fn a_refusal_and_a_change_of_nothing_leave_everything_as_it_was() {
    for scene in scenes().await {
        let store = &scene.store;
        let before = opened(store, at(0)).await;
        let refused = store.change(before.id, Guard::None, at(5), |record, change| {
            record.preview = "gone".into();
            change.entries.push((Id::new(at(5)), wrote("gone")));
            Err::<(), _>("no")
        });
        assert_eq!(refused.await.unwrap(), Err("no"));
        alter(store, before.id, at(6), |_, _| {}).await;
        assert_eq!(store.conversation(before.id).await.unwrap(), before, "{}", scene.name);
        let unknown = Id::new(at(0));
        let lost = store.change(unknown, Guard::None, at(5), |_, _| Ok::<(), ()>(())).await;
        assert!(matches!(lost, Err(Error::NotFound("conversation"))), "{lost:?}");
    }
}

#[tokio::test]
async fn every_change_has_a_time_of_its_own_whatever_the_clocks_say() {
    for scene in scenes().await {
        let store = &scene.store;
        let id = opened(store, at(0)).await.id;
        let mut before = store.conversation(id).await.unwrap().updated_at;
        // The second node's clock is two seconds behind.
        for clock in [at(10), at(8), at(10)] {
            alter(store, id, clock, |record, _| record.preview.push('.')).await;
            let changed = store.changed_since(before, 9).await.unwrap();
            let [(_, after, _)] = changed[..] else { panic!("{changed:?}") };
            assert!(after > before, "{}: {after} follows {before}", scene.name);
            before = after;
        }
    }
}

#[tokio::test]
async fn the_first_outcome_of_a_kind_counts_and_a_reopening_belongs_to_what_ended() {
    for scene in scenes().await {
        let store = &scene.store;
        let id = opened(store, at(0)).await.id;
        let rated = |stars| Outcome { kind: OutcomeKind::Rated(stars), comment: None };
        alter(store, id, at(1), |record, change| {
            record.state.apply(&Event::Closed).unwrap();
            change.outcomes.push(rated(2));
        })
        .await;
        alter(store, id, at(2), |_, change| change.outcomes.push(rated(5))).await;
        alter(store, id, at(3), |record, change| {
            record.state.apply(&Event::CustomerWrote).unwrap();
            change.outcomes.push(Outcome { kind: OutcomeKind::Reopened, comment: None });
        })
        .await;
        alter(store, id, at(4), |_, change| change.outcomes.push(rated(5))).await;
        let outcomes = store.outcomes(id).await.unwrap();
        let outcomes: Vec<_> = outcomes.iter().map(|(e, at, o)| (*e, *at, o.kind)).collect();
        let expected = [
            (1, at(1), OutcomeKind::Rated(2)),
            (1, at(3), OutcomeKind::Reopened),
            (2, at(4), OutcomeKind::Rated(5)),
        ];
        assert_eq!(outcomes, expected, "{}", scene.name);
    }
}

#[tokio::test]
async fn a_message_that_repeats_its_client_id_is_refused_whole() {
    for scene in scenes().await {
        let store = &scene.store;
        let id = opened(store, at(0)).await.id;
        let send = |record: &mut Record, change: &mut Change| {
            record.preview = "once".into();
            let client_id = Some("c-1".to_string());
            let content = Content::Customer { text: "once".into(), client_id };
            change.entries.push((Id::new(at(1)), content));
            Ok::<(), ()>(())
        };
        store.change(id, Guard::None, at(1), send).await.unwrap().unwrap();
        let again = store.change(id, Guard::None, at(2), send).await;
        assert!(matches!(again, Err(Error::Taken("message"))), "{again:?}");
        assert_eq!(store.conversation(id).await.unwrap().n_entries, 2, "{}", scene.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_at_the_same_moment_keep_numbers_gapless_and_lose_nothing() {
    for scene in scenes().await {
        let id = opened(&scene.store, at(0)).await.id;
        let add = |nth: i64, store: Store| async move {
            alter(&store, id, at(nth), |record, change| {
                let seen = record.attributes.get("n").and_then(Json::as_i64).unwrap_or(0);
                record.attributes.insert("n".into(), json!(seen + 1));
                for _ in 0..nth % 3 {
                    change.entries.push((Id::new(at(nth)), wrote("more")));
                }
            })
            .await;
        };
        let tasks: Vec<_> =
            (0..60).map(|nth| tokio::spawn(add(nth, scene.store.clone()))).collect();
        for task in tasks {
            task.await.unwrap();
        }
        let record = scene.store.conversation(id).await.unwrap();
        assert_eq!(record.attributes.get("n"), Some(&json!(60)), "{}", scene.name);
        assert!(record.n_entries == 61 && record.updated_at >= at(59), "{record:?}");
        let entries = scene.store.timeline(id, 0, 100).await.unwrap();
        let numbers: Vec<_> = entries.iter().map(|entry| entry.number).collect();
        assert_eq!(numbers, (1..=61).collect::<Vec<_>>(), "{}", scene.name);
    }
}

#[tokio::test]
async fn the_bot_falls_silent_when_a_person_was_faster() {
    for scene in scenes().await {
        let store = &scene.store;
        let id = opened(store, at(0)).await.id;
        let leased = store.lease(at(1), at(60)).await.unwrap().unwrap();
        alter(store, id, at(2), |record, _| {
            let (team, teammate) = (slug("billing"), slug("ada"));
            record.state.apply(&Event::TeammateWrote { team, teammate }).unwrap();
        })
        .await;
        let reply = |record: &mut Record, _: &mut Change| record.state.apply(&Event::BotReplied);
        let refused = store.change(id, Guard::Leased(leased.lease), at(3), reply).await.unwrap();
        assert_eq!(refused, Err(router::IllegalMove::Held), "{}", scene.name);
        let kept = store.conversation(id).await.unwrap();
        assert!(matches!(kept.state.owner(), Owner::Teammate { by_person: true, .. }));
    }
}

#[tokio::test]
async fn a_change_is_seen_by_who_follows_along() {
    for scene in scenes().await {
        let store = &scene.store;
        let (a, b) = (opened(store, at(0)).await.id, opened(store, at(1)).await.id);
        let delivery = store::Delivery { channel: "web".into(), external_id: "more".into() };
        let more = store.receive(&delivery, store::Opening::Known(a), at(2), write("m", at(2)));
        more.await.unwrap().unwrap();
        let changed = store.changed_since(at(1), 10).await.unwrap();
        assert_eq!(changed, [(b, at(1), 1), (a, at(2), 2)], "{}", scene.name);
        assert_eq!(store.changed_since(at(2), 10).await.unwrap(), [(a, at(2), 2)]);
        assert_eq!(store.changed_since(at(0), 1).await.unwrap(), [(b, at(1), 1)]);
    }
}

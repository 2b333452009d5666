//! Questions, answers, handoffs: who says what to whom, and when the bot is silent.

use super::{Bridge, PLEA, QUESTION, RULES, channel, person, team};
use crate::{
    Bench, Rules,
    intercom::{Mishap, State},
    office::{SURE, UNSURE, teammate},
    postgres::Server,
};
use bot::Deed;
use intercom::Mode;
use jiff::SignedDuration;
use router::{Owner, Status};
use serde_json::json;
use store::{OutcomeKind, Store};

async fn a_question_is_answered_once(bridge: &Bridge) {
    let id = bridge.ask(QUESTION).await;
    let said = bridge.said(&id);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("trial") && said[0].contains("http"), "with sources: {said:?}");
    assert_eq!(bridge.ours(&id).len(), 1, "{:?}", bridge.ours(&id));
    assert_eq!(bridge.customers_said(&id).await, [QUESTION]);
    // Webhooks about the bot's own words, and polls, change nothing.
    for _ in 0..3 {
        bridge.poll().await;
        bridge.bench.pass(SignedDuration::from_secs(60));
    }
    assert_eq!(bridge.said(&id).len(), 1);
    assert_eq!(bridge.told(&id).await.len(), 2, "{:?}", bridge.told(&id).await);
}

async fn a_handoff_is_complete(bridge: &Bridge) {
    bridge.intercom.with_company(&bridge.joe, "Acme", Some("Pro"), json!({}));
    bridge.bench.pass(SignedDuration::from_mins(11));
    let id = bridge.ask(PLEA).await;
    let ours = bridge.ours(&id);
    assert!(ours[0].starts_with("note: Frontdesk hands over to support"), "{ours:?}");
    for part in ["Why:", "Asked last:", PLEA, "Draft, not sent", "right with"] {
        assert!(ours[0].contains(part), "{part}: {ours:?}");
    }
    assert_eq!(ours[1], format!("assignment: team {}", bridge.support));
    assert!(ours[2].starts_with("comment: "), "{ours:?}");
    assert_eq!(ours.len(), 3, "{ours:?}");
    let there = bridge.there(&id);
    assert_eq!(there.tag_names(), ["pro", "priority: high"]);
    assert_eq!(there.custom_attributes["urgency"], "soon");
    assert_eq!(there.team_assignee.as_ref(), Some(&bridge.support));
    assert_eq!(bridge.owner(&id).await, team("support"));
    // Tags and attributes lie before the assignment.
    let order: Vec<String> = bridge
        .intercom
        .requests()
        .iter()
        .rev()
        .map(|logged| {
            let kind = logged.body["message_type"].as_str().unwrap_or_default();
            let last = logged.path.rsplit('/').next().unwrap_or_default();
            format!("{} {last} {kind}", logged.method)
        })
        .collect();
    let at = |what: &str| order.iter().position(|line| line == what).unwrap_or(usize::MAX);
    assert!(at("POST reply comment") < at("POST parts assignment"));
    assert!(at("POST parts assignment") < at("POST tags "));
    assert!(at("POST tags ") < at("POST reply note"), "{order:#?}");
}

#[tokio::test]
async fn a_question_is_answered_and_a_plea_handed_over() {
    let bridge = Bridge::open(SURE).await;
    a_question_is_answered_once(&bridge).await;
    a_handoff_is_complete(&bridge).await;
}

#[tokio::test]
async fn so_on_postgresql() {
    let Some(server) = Server::start() else { return };
    let store = Store::open(&server.database("bridge")).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::on(store, folder, Rules::Text(RULES), SURE).await;
    let bridge = Bridge::with(bench, Mode::Live).await;
    a_question_is_answered_once(&bridge).await;
    a_handoff_is_complete(&bridge).await;
    let id = bridge.ask(QUESTION).await;
    bridge.intercom.redact_part(&id, &bridge.there(&id).source.id);
    bridge.settle().await;
    assert_eq!(bridge.customers_said(&id).await, ["[removed]"]);
    bridge.intercom.delete_contact(&bridge.joe);
    bridge.settle().await;
    assert!(bridge.named("intercom", &id).await.is_none());
}

#[tokio::test]
async fn an_unsure_answer_goes_to_people_as_a_draft_with_its_sources() {
    let bridge = Bridge::open(UNSURE).await;
    let id = bridge.ask(QUESTION).await;
    let note = &bridge.ours(&id)[0];
    for part in ["Draft, not sent", "right with 0 %", "below the threshold", "http"] {
        assert!(note.contains(part), "{part}: {note}");
    }
}

#[tokio::test]
async fn whoever_is_answered_by_a_teammate_hears_nothing_of_the_bot() {
    let bridge = Bridge::open(SURE).await;
    let id = bridge.intercom.customer_writes(&bridge.joe, QUESTION);
    bridge.intercom.admin_replies(&bridge.ada, &id, "Fourteen.");
    bridge.settle().await;
    bridge.intercom.customer_replies(&id, "Can I prolong the free trial?");
    bridge.settle().await;
    assert_eq!(bridge.ours(&id), Vec::<String>::new());
    assert_eq!(bridge.owner(&id).await, person("support", "ada"));
    // Given back to the bot's seat, it answers what is open.
    let bot = bridge.intercom.bot_admin();
    bridge.intercom.admin_assigns(&bridge.ada, &id, Some(&bot));
    bridge.settle().await;
    assert_eq!(bridge.owner(&id).await, Owner::Bot);
    assert_eq!(bridge.said(&id).len(), 1, "{:?}", bridge.told(&id).await);
}

#[tokio::test]
async fn a_teammate_who_is_quicker_than_a_waiting_answer_has_the_word() {
    for deed in ["replies", "takes", "closes"] {
        let bridge = Bridge::open(SURE).await;
        // The first attempt of the answer fails, so that it waits.
        bridge.intercom.once("/reply", Mishap::Failing(503));
        let id = bridge.ask(QUESTION).await;
        assert_eq!(bridge.said(&id).len(), 0);
        // No webhook tells of it: the conversation is read at the moment of sending.
        bridge.intercom.faults(|faults| faults.webhooks.dropped = 1.0);
        match deed {
            "replies" => drop(bridge.intercom.admin_replies(&bridge.ada, &id, "Fourteen.")),
            "takes" => drop(bridge.intercom.admin_assigns(&bridge.ada, &id, Some(&bridge.ada))),
            _ => drop(bridge.intercom.admin_closes(&bridge.ada, &id)),
        }
        bridge.bench.pass(SignedDuration::from_secs(31));
        bridge.settle().await;
        assert_eq!(bridge.said(&id).len(), 0, "{deed}");
        let ends = bridge.ends().await;
        let last = "reply cancelled: a teammate has the conversation in intercom";
        assert_eq!(ends, [last], "{deed}");
    }
}

#[tokio::test]
async fn what_ends_there_ends_here_and_begins_anew() {
    let bridge = Bridge::open(SURE).await;
    let id = bridge.ask(QUESTION).await;
    bridge.intercom.admin_closes(&bridge.ada, &id);
    bridge.intercom.rate(&id, 4, "Good bot");
    bridge.settle().await;
    let record = bridge.record(&id).await;
    assert_eq!(record.state.status(), Status::Closed);
    let outcomes = bridge.office.store().outcomes(record.id).await.unwrap();
    let rated = outcomes.iter().find(|(_, _, outcome)| outcome.kind == OutcomeKind::Rated(4));
    assert_eq!(rated.unwrap().2.comment.as_deref(), Some("Good bot"), "{outcomes:?}");
    bridge.intercom.customer_replies(&id, "How do I change my password?");
    bridge.settle().await;
    assert_eq!(bridge.record(&id).await.state.episode().number, 2);
    assert_eq!(bridge.said(&id).len(), 2);
}

#[tokio::test]
async fn episodes_that_were_missed_stay_apart() {
    let bridge = Bridge::open(SURE).await;
    bridge.intercom.faults(|faults| faults.webhooks.dropped = 1.0);
    let id = bridge.intercom.customer_writes(&bridge.joe, "Where is my luggage?");
    bridge.intercom.admin_closes(&bridge.ada, &id);
    bridge.intercom.customer_replies(&id, QUESTION);
    bridge.poll().await;
    let timeline =
        bridge.office.store().timeline(bridge.record(&id).await.id, 0, 99).await.unwrap();
    let episodes: Vec<u32> = timeline.iter().map(|entry| entry.episode).collect();
    assert_eq!(episodes, [1, 1, 2, 2, 2], "{timeline:#?}");
    assert_eq!(bridge.said(&id).len(), 1);
}

#[tokio::test]
async fn the_teammate_of_the_desk_s_own_inbox_replies_under_the_own_name_once() {
    for mishap in [None, Some(Mishap::LostAnswer), Some(Mishap::FailingAfter(502))] {
        let bridge = Bridge::open(SURE).await;
        let id = bridge.ask(PLEA).await;
        let record = bridge.record(&id).await;
        if let Some(mishap) = mishap {
            bridge.intercom.once("/reply", mishap);
        }
        let reply = Deed::Reply { text: "It is **on its way**.".into(), seen: None, draft: None };
        bridge.office.act(record.id, &teammate("ada"), reply).await.unwrap();
        bridge.settle().await;
        bridge.poll().await;
        bridge.settle_all().await;
        let there = bridge.there(&id);
        let by_ada: Vec<_> =
            there.parts.iter().filter(|part| part.author.id == bridge.ada).collect();
        assert_eq!(by_ada.len(), 1, "{mishap:?}: {by_ada:#?}");
        let told = bridge.told(&id).await;
        let here = told.iter().filter(|line| line.starts_with("ada: ")).count();
        assert_eq!(here, 1, "{mishap:?}: {told:?}");
    }
}

#[tokio::test]
async fn what_a_person_gives_on_is_given_on_there_too() {
    let bridge = Bridge::open(SURE).await;
    let id = bridge.ask(PLEA).await;
    bridge.intercom.admin_assigns(&bridge.ada, &id, Some(&bridge.ada));
    bridge.settle().await;
    let record = bridge.record(&id).await;
    assert_eq!(bridge.owner(&id).await, person("support", "ada"));
    let give = |team: &str, name: Option<&str>| Deed::Assign {
        team: crate::office::slug(team),
        teammate: name.map(crate::office::slug),
    };
    bridge.office.act(record.id, &teammate("ada"), give("leads", None)).await.unwrap();
    bridge.settle().await;
    let there = bridge.there(&id);
    assert_eq!((there.team_assignee, there.admin_assignee), (Some(bridge.leads.clone()), None));
    bridge.office.act(record.id, &teammate("ada"), Deed::HandBack).await.unwrap();
    bridge.settle().await;
    // The customer still waits, so the bot gives it to people again at once.
    let back = format!("assignment: admin {}", bridge.intercom.bot_admin());
    assert!(bridge.ours(&id).contains(&back), "{:?}", bridge.ours(&id));
    assert_eq!(bridge.there(&id).team_assignee.as_ref(), Some(&bridge.support));
    let until = bridge.office.now() + SignedDuration::from_hours(3);
    bridge
        .office
        .act(record.id, &teammate("ada"), Deed::Snooze { until, seen: None })
        .await
        .unwrap();
    bridge.settle().await;
    assert_eq!(bridge.there(&id).state, State::Snoozed);
    bridge.office.act(record.id, &teammate("ada"), Deed::Close { seen: None }).await.unwrap();
    bridge.settle().await;
    assert_eq!(bridge.there(&id).state, State::Closed);
}

#[tokio::test]
async fn a_long_history_is_read_as_far_as_the_vendor_tells_it() {
    let bridge = Bridge::open(SURE).await;
    bridge.intercom.faults(|faults| faults.webhooks.dropped = 1.0);
    let id = bridge.intercom.customer_writes(&bridge.joe, "Hello");
    for number in 0..299 {
        bridge.intercom.customer_replies(&id, &format!("Question {number}"));
        bridge.intercom.admin_replies(&bridge.ada, &id, &format!("Answer {number}"));
    }
    bridge.poll().await;
    let said = bridge.customers_said(&id).await;
    assert_eq!((said.len(), said[1].as_str()), (251, "Question 49"), "the first, and 500 parts");
    assert_eq!(bridge.ours(&id), Vec::<String>::new());
    bridge.intercom.customer_replies(&id, "One more");
    bridge.poll().await;
    assert_eq!(bridge.customers_said(&id).await.len(), 252);
}

#[tokio::test]
async fn two_nodes_hear_the_same_and_answer_once() {
    let bridge = Bridge::open(SURE).await;
    let store = bridge.office.store().clone();
    let other = channel(&bridge.bench, &bridge.intercom, &store, Mode::Live);
    let other = bridge.bench.node(store, vec![other]);
    let ids: Vec<String> =
        (0..10).map(|_| bridge.intercom.customer_writes(&bridge.joe, QUESTION)).collect();
    bridge.intercom.webhooks_settled().await;
    for _ in 0..5 {
        let (one, two) = tokio::join!(bridge.office.run_until_idle(), other.run_until_idle());
        one.and(two).unwrap();
        bridge.intercom.webhooks_settled().await;
    }
    bridge.settle().await;
    for id in ids {
        assert_eq!(bridge.said(&id).len(), 1, "{:?}", bridge.ours(&id));
        assert_eq!(bridge.customers_said(&id).await, [QUESTION]);
    }
}

//! What time brings to conversations through the office.

use crate::{
    Bench, Rules,
    office::{SURE, TEAMS, UNSURE, slug, teammate},
};
use bot::{Deed, Place};
use jiff::SignedDuration;
use router::{Owner, Status};
use store::{Customer, Id, Store};

#[tokio::test]
async fn rules_about_waiting_read_what_the_customer_wrote() {
    let rule = r#"
[[rule]]
name = "Lost luggage does not wait"
when = 'conversation . waiting_minutes >= 20 && message.text.mentions("luggage")'
then = { tags = ["late-luggage"] }
"#;
    let bench = Bench::open(Rules::Text(&format!("{TEAMS}{rule}")), UNSURE).await;
    let customer = bench.visitor().await;
    let record = bench.say(&customer, Place::New, "My luggage is lost, give me a human").await;
    let told = bench.told(record.id).await;
    assert!(told.iter().any(|line| line.starts_with("bot: ")), "the handoff is told: {told:?}");
    bench.pass(SignedDuration::from_mins(21));
    bench.office.run_until_idle().await.unwrap();
    assert!(bench.record(record.id).await.tags.contains("late-luggage"));
}

/// Opens another handle on the store of a bench, as another node has.
async fn another_store(bench: &Bench) -> Store {
    let file = bench.folder.path().join("desk.db");
    Store::open(&format!("sqlite:{}", file.display())).await.unwrap()
}

async fn n_held(bench: &Bench, name: &str) -> usize {
    bench.office.store().held_by(&slug(name), 99).await.unwrap().len()
}

#[tokio::test]
async fn the_next_one_by_turns_is_the_same_on_every_node() {
    let bench = Bench::open(Rules::Text(TEAMS), UNSURE).await;
    let customer = bench.visitor().await;
    bench.sign_in("ada").await;
    bench.sign_in("bo").await;
    bench.say(&customer, Place::New, "Give me a human please").await;
    assert_eq!((n_held(&bench, "ada").await, n_held(&bench, "bo").await), (1, 0));
    let other = bench.second(another_store(&bench).await, Rules::Text(TEAMS), UNSURE).await;
    let inbound = bench.inbound(&customer, Place::New, "I want a human, too");
    other.receive(inbound).await.unwrap();
    other.run_until_idle().await.unwrap();
    assert_eq!((n_held(&bench, "ada").await, n_held(&bench, "bo").await), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_nodes_that_share_out_at_once_respect_everybody_s_capacity() {
    for _ in 0..5 {
        let bench = Bench::open(Rules::Text(TEAMS), UNSURE).await;
        let other = bench.second(another_store(&bench).await, Rules::Text(TEAMS), UNSURE).await;
        let customer = bench.visitor().await;
        for _ in 0..6 {
            bench.say(&customer, Place::New, "Give me a human please").await;
        }
        bench.sign_in("ada").await;
        bench.sign_in("bo").await;
        let (one, two) = tokio::join!(bench.office.run_until_idle(), other.run_until_idle());
        one.and(two).unwrap();
        bench.office.run_until_idle().await.unwrap();
        assert_eq!((n_held(&bench, "ada").await, n_held(&bench, "bo").await), (2, 2));
    }
}

#[tokio::test]
async fn a_tag_keeps_no_conversation_open_that_nobody_adds_anything_to() {
    let bench = Bench::open(Rules::Text(TEAMS), SURE).await;
    let customer = bench.visitor().await;
    let record = bench.say(&customer, Place::New, "How many days does the free trial last?").await;
    bench.office.act(record.id, &teammate("ada"), Deed::Tag("trial".into())).await.unwrap();
    bench.pass(SignedDuration::from_hours(49));
    bench.office.run_until_idle().await.unwrap();
    assert_eq!(bench.record(record.id).await.state.status(), Status::Closed);
}

#[tokio::test]
async fn an_escalation_tells_the_customer_once_what_to_expect() {
    let bench = Bench::open(Rules::Text(TEAMS), UNSURE).await;
    let now = bench.office.now();
    let locale = Some("de-AT".into());
    let customer = Customer { id: Id::new(now), locale, ..bench.visitor().await };
    let customer = bench.office.store().keep_customer(&customer).await.unwrap();
    let record = bench.say(&customer, Place::New, "Wir haben einen outage").await;
    for minutes in [31, 60, 60] {
        bench.pass(SignedDuration::from_mins(minutes));
        bench.office.run_until_idle().await.unwrap();
    }
    let told = bench.told(record.id).await;
    let told: Vec<&str> = told.iter().map(String::as_str).collect();
    let from = told.iter().position(|line| line.starts_with("escalated")).unwrap();
    let expected = [
        "escalated by frontdesk",
        "prioritised by frontdesk",
        "bot: Ich gebe das an Leads weiter. Ein Mensch",
        "handed_off by frontdesk",
    ];
    assert_eq!(told[from..from + 4], expected, "{told:?}");
    assert_eq!(told.iter().filter(|line| line.starts_with("bot: ")).count(), 2, "{told:?}");
}

#[tokio::test]
async fn a_rule_about_waiting_gives_it_to_the_teammate_whom_it_names() {
    let rule = r#"
[[rule]]
name = "Cy looks after the forgotten"
when = 'conversation.waiting_minutes >= 20'
then = { hand_off = "leads", teammate = "cy" }
"#;
    let bench = Bench::open(Rules::Text(&format!("{TEAMS}{rule}")), UNSURE).await;
    let customer = bench.visitor().await;
    let record = bench.say(&customer, Place::New, "Give me a human please").await;
    bench.pass(SignedDuration::from_mins(21));
    bench.sign_in("cy").await;
    bench.office.run_until_idle().await.unwrap();
    let cy = Owner::Teammate { team: slug("leads"), teammate: slug("cy"), by_person: false };
    assert_eq!(*bench.record(record.id).await.state.owner(), cy);
    let told = bench.told(record.id).await;
    assert_eq!(told.iter().filter(|line| line.starts_with("bot: ")).count(), 2, "{told:?}");
}

#[tokio::test]
async fn a_promise_that_is_broken_on_arrival_is_told_once() {
    let bench = Bench::open(Rules::Text(TEAMS), SURE).await;
    let customer = bench.visitor().await;
    let record = bench.say(&customer, Place::New, "How many days does the free trial last?").await;
    let give = |team: &str| Deed::Assign { team: slug(team), teammate: None };
    // Nobody has decided on a promise, and the leads make none.
    bench.office.act(record.id, &teammate("ada"), give("leads")).await.unwrap();
    bench.pass(SignedDuration::from_hours(2));
    bench.office.run_until_idle().await.unwrap();
    let n_told = async || {
        let told = bench.told(record.id).await;
        told.iter().filter(|line| line.starts_with("sla_due")).count()
    };
    assert_eq!(n_told().await, 0, "{:?}", bench.told(record.id).await);
    // The hour of those whom it comes to now was over an hour ago.
    bench.office.act(record.id, &teammate("ada"), give("support")).await.unwrap();
    for _ in 0..2 {
        bench.office.run_until_idle().await.unwrap();
        assert_eq!(n_told().await, 1, "{:?}", bench.told(record.id).await);
        bench.office.act(record.id, &teammate("ada"), Deed::Tag("late".into())).await.unwrap();
    }
}

#[tokio::test]
async fn a_team_that_hardly_opens_keeps_nothing_from_escalating() {
    let rare = r#"
[[team]]
slug = "rare"
name = "Rare"
[team.hours]
time_zone = "UTC"
monday = ["09:00-09:01"]

[[rule]]
name = "Antiques"
when = 'message.text.mentions("antique")'
then = { hand_off = "rare", escalate = { after = "9h", hand_off = "leads" } }
"#;
    let bench = Bench::open(Rules::Text(&format!("{TEAMS}{rare}")), UNSURE).await;
    let customer = bench.visitor().await;
    let record = bench.say(&customer, Place::New, "I have an antique question").await;
    assert_eq!(*record.state.owner(), Owner::Team(slug("rare")));
    // Nine hours of one minute a week would take ten years and more: the clock counts.
    for (minutes, team) in [(9 * 60 - 1, "rare"), (2, "leads")] {
        bench.pass(SignedDuration::from_mins(minutes));
        bench.office.run_until_idle().await.unwrap();
        assert_eq!(*bench.record(record.id).await.state.owner(), Owner::Team(slug(team)));
    }
}

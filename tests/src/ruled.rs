//! What rules settle, through the office: rest, teammates by name, and what customers are told.

use crate::{
    Bench, Rules,
    office::{SURE, TEAMS, UNSURE, slug, teammate},
};
use bot::{Deed, Place};
use jiff::SignedDuration;
use router::{Owner, Priority, Status};
use store::{Content, Id, Record};

/// Opens a bench with one more rule.
async fn with_rule(rule: &str, log_odds: f64) -> Bench {
    Bench::open(Rules::Text(&format!("{TEAMS}[[rule]]\nname = \"first\"\n{rule}")), log_odds).await
}

impl Bench {
    /// The last thing that the bot said, whole.
    async fn last_said(&self, id: Id<Record>) -> String {
        let timeline = self.office.store().timeline(id, 0, 1000).await.unwrap();
        let said = timeline.iter().rev().find_map(|entry| match &entry.content {
            Content::Bot { text, .. } => Some(text.clone()),
            _ => None,
        });
        said.expect("the bot has said something")
    }
}

#[tokio::test]
async fn a_conversation_that_a_rule_lets_rest_rests_once_and_then_ends() {
    let rule = r#"
when = 'message.text.mentions("try it later")'
then = { snooze = "24h", tags = ["later"], webhook = "pager" }
[[webhook]]
slug = "pager"
url = "https://pager.example/hook"
"#;
    let bench = with_rule(rule, UNSURE).await;
    let customer = bench.visitor().await;
    let record = bench.say(&customer, Place::New, "Thanks, I will try it later today").await;
    assert_eq!(record.state.status(), Status::Snoozed);
    assert_eq!(record.waiting_since, None, "nobody waits for anything");
    for _ in 0..3 {
        bench.pass(SignedDuration::from_hours(24) + SignedDuration::from_mins(1));
        bench.office.run_until_idle().await.unwrap();
    }
    let told = bench.told(record.id).await;
    let n = |start: &str| told.iter().filter(|line| line.starts_with(start)).count();
    assert_eq!((n("snoozed"), n("woken"), n("closed")), (1, 1, 1), "{told:?}");
    assert_eq!(bench.office.store().decisions(record.id).await.unwrap().len(), 1);
    // Whoever writes again meanwhile is met anew.
    let again = bench.say(&customer, Place::Known(record.id), "I will try it later, again").await;
    assert_eq!(again.state.status(), Status::Snoozed);
}

#[tokio::test]
async fn what_was_let_rest_or_ignored_does_not_swallow_the_next_question() {
    let rule = r#"
when = 'message.text.mentions("try it later")'
then = { snooze = "24h" }
[[rule]]
name = "newsletter"
when = 'message.text.mentions("unsubscribe")'
then = { ignore = true }
"#;
    let bench = with_rule(rule, SURE).await;
    let customer = bench.visitor().await;
    for settled in ["Thanks, I will try it later", "Please unsubscribe me"] {
        let record = bench.say(&customer, Place::New, settled).await;
        assert!(!bench.told(record.id).await.iter().any(|line| line.starts_with("bot: ")));
        let question = "How many days does the free trial last?";
        let record = bench.say(&customer, Place::Known(record.id), question).await;
        let decisions = bench.office.store().decisions(record.id).await.unwrap();
        let acts: Vec<(&str, bool)> =
            decisions.iter().map(|it| (it.decided.act.as_str(), it.decided.silent)).collect();
        assert!(matches!(acts[..], [(_, true), ("reply", false)]), "{settled}: {acts:?}");
        assert_eq!(record.state.status(), Status::Open);
    }
}

const BY_NAME: &str = r#"
when = 'message.text.mentions("Bo")'
then = { hand_off = "support", teammate = "bo" }
"#;

#[tokio::test]
async fn a_teammate_whom_a_rule_names_gets_it_only_while_there_and_with_room() {
    let bench = with_rule(BY_NAME, UNSURE).await;
    let customer = bench.visitor().await;
    let ask = async || bench.say(&customer, Place::New, "May I talk to Bo?").await;
    let in_queue = Owner::Team(slug("support"));
    let with_bo = Owner::Teammate { team: slug("support"), teammate: slug("bo"), by_person: false };
    bench.sign_in("bo").await;
    bench.pass(SignedDuration::from_hours(3));
    let away = ask().await;
    assert_eq!(*away.state.owner(), in_queue, "nobody is at work");
    assert!(bench.last_said(away.id).await.contains("Nobody is free"), "and it is told");
    bench.sign_in("bo").await;
    bench.office.run_until_idle().await.unwrap();
    assert_eq!(*bench.record(away.id).await.state.owner(), with_bo, "who comes takes what waits");
    let second = ask().await;
    assert_eq!(*second.state.owner(), with_bo);
    assert!(
        bench.last_said(second.id).await.contains("will reply"),
        "it is told that one is there"
    );
    let third = ask().await;
    assert_eq!(*third.state.owner(), in_queue, "two are as many as Bo may hold");
    assert!(bench.last_said(third.id).await.contains("Nobody is free"));
    bench.office.act(away.id, &teammate("bo"), Deed::Close { seen: None }).await.unwrap();
    bench.office.run_until_idle().await.unwrap();
    assert_eq!(*bench.record(third.id).await.state.owner(), with_bo, "what waited is pulled");
}

#[tokio::test]
async fn a_customer_hears_how_many_come_first_and_not_how_many_wait() {
    let rule = r#"
when = 'message.text.mentions("fire")'
then = { priority = "urgent", sla = "quick" }
[[sla]]
slug = "quick"
first_reply = "5m"
"#;
    let bench = with_rule(rule, UNSURE).await;
    let customer = bench.visitor().await;
    bench.sign_in("ada").await;
    for _ in 0..4 {
        bench.say(&customer, Place::New, "Give me a human please").await;
    }
    // Ada holds two, two wait.
    let ordinary = bench.say(&customer, Place::New, "Give me a human, too").await;
    assert!(bench.last_said(ordinary.id).await.contains("before yours: 2"));
    let urgent = bench.say(&customer, Place::New, "There is a fire, give me a human").await;
    let said = bench.last_said(urgent.id).await;
    assert!(!said.contains('3') && said.contains("Nobody is free"), "it comes first: {said}");
}

#[tokio::test]
async fn a_rule_that_returns_what_a_person_took_only_looks_after_it() {
    let rule = r#"
when = 'message.text.mentions("robot")'
then = { return_to_bot = true, tags = ["likes-robots"], priority = "high" }
"#;
    let bench = with_rule(rule, SURE).await;
    let customer = bench.visitor().await;
    let record = bench.say(&customer, Place::New, "How many days does the free trial last?").await;
    let reply = Deed::Reply { text: "I take this one.".into(), seen: None, draft: None };
    bench.office.act(record.id, &teammate("ada"), reply).await.unwrap();
    let before = bench.told(record.id).await.len();
    let text = "How many days does the robot free trial last?";
    let record = bench.say(&customer, Place::Known(record.id), text).await;
    let ada = Owner::Teammate { team: slug("support"), teammate: slug("ada"), by_person: true };
    assert_eq!(*record.state.owner(), ada);
    let told = bench.told(record.id).await;
    let decisions = bench.office.store().decisions(record.id).await.unwrap();
    let reasons = &decisions.last().unwrap().decided.reasons;
    let looked_after = record.tags.contains("likes-robots") && record.priority == Priority::High;
    assert!(looked_after, "{told:?} {reasons:?}");
    assert!(!told[before..].iter().any(|line| line.starts_with("bot: ")), "{told:?}");
}

#[tokio::test]
async fn a_new_episode_is_as_urgent_as_any() {
    let bench = Bench::open(Rules::Text(TEAMS), UNSURE).await;
    let customer = bench.visitor().await;
    let record = bench.say(&customer, Place::New, "outage here").await;
    bench.pass(SignedDuration::from_mins(31));
    bench.office.run_until_idle().await.unwrap();
    assert_eq!(bench.record(record.id).await.priority, Priority::Urgent);
    bench.office.act(record.id, &teammate("cy"), Deed::Close { seen: None }).await.unwrap();
    let again = bench.say(&customer, Place::Known(record.id), "Give me a human please").await;
    assert_eq!(again.priority, Priority::Normal);
}

#[tokio::test]
async fn a_team_that_a_person_chose_keeps_it_against_rules_and_time() {
    let rule = r#"
when = 'message.text.mentions("robot")'
then = { return_to_bot = true }
"#;
    let bench = with_rule(rule, SURE).await;
    let customer = bench.visitor().await;
    let record = bench.say(&customer, Place::New, "outage here").await;
    let to_support = Deed::Assign { team: slug("support"), teammate: None };
    bench.office.act(record.id, &teammate("ada"), to_support).await.unwrap();
    bench.pass(SignedDuration::from_mins(31));
    bench.office.run_until_idle().await.unwrap();
    let support = Owner::Team(slug("support"));
    assert_eq!(*bench.record(record.id).await.state.owner(), support, "it does not escalate away");
    let text = "How many days does the robot free trial last?";
    let record = bench.say(&customer, Place::Known(record.id), text).await;
    assert_eq!(*record.state.owner(), support, "nor does it go back to the bot");
    bench.sign_in("bo").await;
    bench.office.run_until_idle().await.unwrap();
    let bo = Owner::Teammate { team: slug("support"), teammate: slug("bo"), by_person: false };
    assert_eq!(*bench.record(record.id).await.state.owner(), bo, "the team's members get it");
}

//! What goes wrong on the way doubles nothing, loses nothing and keeps its order.

use super::{Bridge, PLEA, QUESTION, team};
use crate::{
    intercom::Mishap,
    office::{SURE, slug, teammate},
};
use bot::Deed;
use jiff::SignedDuration;
use serde_json::json;
use std::collections::BTreeSet;
use store::PostState;

impl Bridge {
    /// Everything that follows from a plea stands there once and in order.
    async fn judge_handoff(&self, id: &str, what: &str) {
        let ours = self.ours(id);
        let kinds: Vec<&str> =
            ours.iter().map(|line| line.split(':').next().unwrap_or_default()).collect();
        let texts: BTreeSet<&String> = ours.iter().collect();
        assert_eq!(texts.len(), ours.len(), "{what}: nothing twice: {ours:#?}");
        let at = |kind: &str| kinds.iter().position(|known| *known == kind);
        let (note, given, words) = (at("note"), at("assignment"), at("comment"));
        assert!(note.is_some() && note < given && given < words, "{what}: {ours:#?}");
        let there = self.there(id);
        let tags: BTreeSet<&str> = there.tag_names().into_iter().collect();
        assert_eq!(tags, BTreeSet::from(["pro", "priority: high"]), "{what}");
        assert_eq!(there.custom_attributes["urgency"], "soon", "{what}");
        assert_eq!(there.team_assignee.as_ref(), Some(&self.support), "{what}");
        assert_eq!(self.owner(id).await, team("support"), "{what}");
        assert!(self.posts().await.iter().all(|post| post.state == PostState::Sent), "{what}");
    }

    async fn pro(log_odds: f64) -> Self {
        let bridge = Self::open(log_odds).await;
        bridge.intercom.with_company(&bridge.joe, "Acme", Some("Pro"), json!({}));
        bridge
    }
}

/// The calls of a handoff with an effect, in their order.
const CALLS: [&str; 5] = ["POST /tags", "/tags", "PUT /conversations", "/parts", "/reply"];

#[tokio::test]
async fn a_lost_answer_doubles_nothing_of_a_handoff() {
    let bridge = Bridge::pro(SURE).await;
    for call in CALLS {
        for mishap in [
            Mishap::LostAnswer,
            Mishap::FailingAfter(504),
            Mishap::LostRequest,
            Mishap::Failing(500),
        ] {
            for _ in 0..3 {
                bridge.intercom.once(call, mishap);
            }
            let id = bridge.ask(PLEA).await;
            bridge.settle_all().await;
            bridge.judge_handoff(&id, &format!("{call} {mishap:?}")).await;
        }
    }
}

#[tokio::test]
async fn a_lost_answer_doubles_no_reply_and_none_of_its_buttons() {
    for mishap in [Mishap::LostAnswer, Mishap::FailingAfter(502)] {
        let bridge = Bridge::open(SURE).await;
        for _ in 0..4 {
            bridge.intercom.once("/reply", mishap);
        }
        let id = bridge.ask(QUESTION).await;
        bridge.settle_all().await;
        assert_eq!(bridge.said(&id).len(), 1, "{:?}", bridge.ours(&id));
        assert_eq!(bridge.ends().await, ["reply sent: had arrived before"]);
    }
}

#[tokio::test]
async fn the_same_words_twice_are_said_twice() {
    let bridge = Bridge::open(SURE).await;
    let id = bridge.ask(QUESTION).await;
    bridge.intercom.once("/reply", Mishap::LostAnswer);
    bridge.intercom.customer_replies(&id, QUESTION);
    bridge.settle().await;
    bridge.settle_all().await;
    let told = bridge.told(&id).await;
    let here = told.iter().filter(|line| line.starts_with("bot: ")).count();
    assert_eq!(bridge.said(&id).len(), here, "{told:?}");
}

#[tokio::test]
async fn every_deed_survives_a_lost_answer() {
    let bridge = Bridge::open(SURE).await;
    let id = bridge.ask(PLEA).await;
    let record = bridge.record(&id).await;
    let until = bridge.office.now() + SignedDuration::from_hours(30);
    let assign =
        |name: Option<&str>| Deed::Assign { team: slug("support"), teammate: name.map(slug) };
    let deeds = [
        Deed::Note { text: "Once only".into() },
        Deed::Tag("odd".into()),
        Deed::Prioritise(router::Priority::Urgent),
        Deed::Prioritise(router::Priority::Normal),
        Deed::Describe("urgency".into(), Some(json!("none"))),
        assign(Some("ada")),
        Deed::Reply { text: "Once only, too".into(), seen: None, draft: None },
        Deed::Untag("odd".into()),
        Deed::HandBack,
        Deed::Snooze { until, seen: None },
        Deed::Close { seen: None },
    ];
    for deed in deeds {
        bridge.intercom.faults(|faults| {
            faults.lost_answers = 1.0;
            faults.only = Some("conversations/".into());
        });
        bridge.office.act(record.id, &teammate("ada"), deed).await.unwrap();
        bridge.settle().await;
        bridge.intercom.faults(|faults| faults.lost_answers = 0.0);
        bridge.settle_all().await;
    }
    let ours = bridge.ours(&id);
    for text in ["note: Once only", "comment: Once only, too"] {
        assert_eq!(ours.iter().filter(|line| *line == text).count(), 1, "{ours:#?}");
    }
    let there = bridge.there(&id);
    assert_eq!(there.tag_names(), Vec::<&str>::new());
    assert_eq!(there.custom_attributes["urgency"], "none");
    assert_eq!(there.state, crate::intercom::State::Closed);
    let ends = bridge.ends().await;
    assert!(ends.iter().all(|end| end.contains(" sent: ")), "{ends:#?}");
}

#[tokio::test]
async fn bursts_of_every_fault_lose_and_double_nothing() {
    let bridge = Bridge::pro(SURE).await;
    for seed in 0..4 {
        bridge.intercom.faults(|faults| {
            // Without what is known of a customer, the bot decides with what it has.
            faults.only = Some("conversations".into());
            faults.failing = 0.1;
            faults.burst = 3;
            faults.failing_after = 0.1;
            faults.lost_answers = 0.15;
            faults.lost_requests = 0.1;
            faults.webhooks.duplicated = 0.3;
            faults.webhooks.reordered = 0.3;
            faults.webhooks.dropped = 0.2;
        });
        let asked = bridge.intercom.customer_writes(&bridge.joe, QUESTION);
        let plea = bridge.intercom.customer_writes(&bridge.joe, PLEA);
        for round in 0..30 {
            bridge.poll().await;
            let known = bridge.named("intercom", &asked).await.is_some()
                && bridge.named("intercom", &plea).await.is_some();
            let settled = bridge.posts().await.iter().all(|post| post.state == PostState::Sent);
            if known && settled && round > 4 {
                break;
            }
            bridge.bench.pass(SignedDuration::from_secs(70));
        }
        bridge.intercom.faults(|faults| *faults = crate::intercom::Faults::default());
        bridge.settle_all().await;
        assert_eq!(bridge.said(&asked).len(), 1, "round {seed}: {:?}", bridge.ours(&asked));
        assert_eq!(bridge.customers_said(&asked).await, [QUESTION]);
        assert_eq!(bridge.customers_said(&plea).await, [PLEA]);
        bridge.judge_handoff(&plea, &format!("round {seed}")).await;
    }
}

#[tokio::test]
async fn a_rate_that_is_used_up_delays_and_loses_nothing() {
    let bridge = Bridge::pro(SURE).await;
    bridge.intercom.faults(|faults| faults.rate_per_10s = Some(8));
    let id = bridge.intercom.customer_writes(&bridge.joe, PLEA);
    for _ in 0..30 {
        bridge.settle().await;
        bridge.bench.pass(SignedDuration::from_secs(10));
    }
    bridge.settle_all().await;
    bridge.judge_handoff(&id, "429").await;
    let requests = bridge.intercom.requests();
    let refused = requests.iter().filter(|logged| logged.status == Some(429)).count();
    assert!(refused < 6, "{refused} of {} calls were refused", requests.len());
}

#[tokio::test]
async fn a_team_that_is_not_there_leaves_the_customer_to_the_fallback_team() {
    let bridge = Bridge::open(SURE).await;
    let gone = crate::intercom::Happening::TeamForms { name: "Renamed".into(), admins: vec![] };
    bridge.intercom.happen(gone).unwrap();
    let id = bridge.ask("There is an outage, I need a human").await;
    assert_eq!(bridge.there(&id).team_assignee.as_ref(), Some(&bridge.leads));
}

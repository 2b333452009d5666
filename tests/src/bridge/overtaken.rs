//! What the bot was about to do, and people were quicker: it says, gives and ends nothing over
//! anybody's head, announces no handoff that does not take place, and leaves nobody alone.

use super::{Bridge, PLEA, QUESTION, RULES, person, team};
use crate::{
    Bench, Rules,
    intercom::{Happening, Mishap, State},
    office::{ENDS, SURE, slug, teammate},
};
use bot::Deed;
use intercom::Mode;
use jiff::SignedDuration;
use router::{Owner, Status};

const MORE: &str = r#"
[[rule]]
name = "Parcels are Ada's"
when = 'message.text.mentions("parcel")'
then = { hand_off = "support", teammate = "ada" }

[[rule]]
name = "Robots are the bot's"
when = 'message.text.mentions("robot")'
then = { return_to_bot = true }
"#;

impl Bridge {
    async fn with_more() -> Self {
        let rules = format!("{RULES}{MORE}{ENDS}");
        Self::with(Bench::open(Rules::Text(&rules), SURE).await, Mode::Live).await
    }

    /// Has Joe ask what the bot can answer, and the answer wait.
    async fn with_waiting_answer(&self) -> String {
        self.intercom.once("/reply", Mishap::Failing(503));
        let id = self.ask(QUESTION).await;
        assert_eq!(self.said(&id).len(), 0);
        id
    }

    async fn after(&self, time: SignedDuration) {
        self.bench.pass(time);
        self.settle().await;
    }

    async fn half_a_minute_later(&self) {
        self.after(SignedDuration::from_secs(31)).await;
    }

    fn deaf(&self) {
        self.intercom.faults(|faults| faults.webhooks.dropped = 1.0);
    }

    fn workflow_gives(&self, id: &str, to: Option<&str>) {
        let (conversation, to_admin) = (id.into(), to.map(str::to_string));
        self.intercom.happen(Happening::WorkflowAssigns { conversation, to_admin }).unwrap();
    }
}

#[tokio::test]
async fn a_handoff_to_a_teammate_is_announced() {
    let bridge = Bridge::with_more().await;
    let id = bridge.ask("Where is my parcel?").await;
    assert_eq!(bridge.there(&id).admin_assignee.as_ref(), Some(&bridge.ada));
    assert_eq!(bridge.said(&id).len(), 1, "{:?} {:?}", bridge.ours(&id), bridge.ends().await);
    // So it is where the words have to wait, and where the team shares out by itself.
    bridge.intercom.once("/reply", Mishap::LostRequest);
    let waits = bridge.ask("Where is my parcel, please?").await;
    bridge.settle_all().await;
    assert!(bridge.said(&waits).len() <= 1, "{:?}", bridge.ours(&waits));
    let shares = Happening::TeamSharesOut { team: bridge.support.clone() };
    bridge.intercom.happen(shares).unwrap();
    for mishap in [None, Some(Mishap::LostAnswer), Some(Mishap::FailingAfter(502))] {
        if let Some(mishap) = mishap {
            bridge.intercom.once("/parts", mishap);
        }
        let id = bridge.ask(PLEA).await;
        bridge.settle_all().await;
        let there = bridge.there(&id);
        assert_eq!(there.admin_assignee.as_ref(), Some(&bridge.ada), "{mishap:?}");
        assert_eq!(bridge.said(&id).len(), 1, "{mishap:?} {:?}", bridge.ends().await);
        assert_eq!(bridge.owner(&id).await, person("support", "ada"), "{mishap:?}");
    }
}

#[tokio::test]
async fn a_team_that_takes_nothing_is_stood_in_for_and_else_nothing_is_announced() {
    for status in [403, 404, 422] {
        let bridge = Bridge::open(SURE).await;
        bridge.intercom.once("/parts", Mishap::Failing(status));
        let id = bridge.ask("There is an outage, I need a human").await;
        assert_eq!(bridge.there(&id).team_assignee.as_ref(), Some(&bridge.support), "{status}");
        assert_eq!(bridge.said(&id).len(), 1, "{status}");
        for _ in 0..2 {
            bridge.intercom.once("/parts", Mishap::Failing(status));
        }
        let id = bridge.ask("There is an outage, I need a human").await;
        bridge.settle_all().await;
        assert_eq!(bridge.there(&id).team_assignee, None, "{status}");
        assert_eq!(bridge.said(&id), Vec::<String>::new(), "{status}: nobody was given it");
        let notes = bridge.ours(&id).into_iter().filter(|line| line.contains("Please take it"));
        assert_eq!(notes.count(), 1, "{status}: {:?}", bridge.ours(&id));
        assert!(bridge.record(&id).await.waiting_since.is_some(), "{status}");
    }
}

#[tokio::test]
async fn whoever_is_not_answered_waits_on() {
    let bridge = Bridge::open(SURE).await;
    let id = bridge.with_waiting_answer().await;
    bridge.intercom.admin_assigns(&bridge.ada, &id, Some(&bridge.ada));
    bridge.settle().await;
    bridge.half_a_minute_later().await;
    assert_eq!(bridge.said(&id).len(), 0);
    assert!(bridge.record(&id).await.waiting_since.is_some());
    // Given back without a word, it is the bot's to answer.
    let bot = bridge.intercom.bot_admin();
    bridge.intercom.admin_assigns(&bridge.ada, &id, Some(&bot));
    bridge.settle().await;
    assert_eq!(bridge.said(&id).len(), 1, "{:?}", bridge.told(&id).await);
}

#[tokio::test]
async fn what_a_workflow_gives_to_a_teammate_is_theirs_here_too() {
    for deaf in [false, true] {
        let bridge = Bridge::open(SURE).await;
        let id = bridge.with_waiting_answer().await;
        if deaf {
            bridge.deaf();
        }
        bridge.workflow_gives(&id, Some(&bridge.ada));
        bridge.settle().await;
        bridge.half_a_minute_later().await;
        assert_eq!(bridge.said(&id).len(), 0);
        assert_eq!(bridge.owner(&id).await, person("support", "ada"));
        let record = bridge.record(&id).await;
        assert!(record.waiting_since.is_some());
        bridge.after(SignedDuration::from_hours(49)).await;
        assert_eq!(bridge.there(&id).state, State::Open);
        assert_eq!(bridge.record(&id).await.state.status(), Status::Open);
    }
}

#[tokio::test]
async fn what_people_did_counts_whether_it_was_heard_of_or_not() {
    for deaf in [false, true] {
        for deed in ["closes", "gives", "snoozes", "frees"] {
            let bridge = Bridge::open(SURE).await;
            let id = bridge.with_waiting_answer().await;
            if deaf {
                bridge.deaf();
            }
            let intercom = &bridge.intercom;
            match deed {
                "closes" => drop(intercom.admin_closes(&bridge.ada, &id)),
                "gives" => drop(intercom.admin_assigns_team(&bridge.ada, &id, Some(&bridge.leads))),
                "frees" => {
                    intercom.admin_assigns(&bridge.ada, &id, Some(&bridge.ada));
                    intercom.admin_assigns(&bridge.ada, &id, None);
                }
                _ => {
                    let until = (bridge.office.now() + SignedDuration::from_hours(3)).as_second();
                    let (admin, conversation) = (bridge.ada.clone(), id.clone());
                    let rests = Happening::AdminSnoozes { admin, conversation, until };
                    intercom.happen(rests).unwrap();
                }
            }
            bridge.settle().await;
            bridge.half_a_minute_later().await;
            assert_eq!(bridge.said(&id).len(), 0, "{deed}, deaf {deaf}");
            let record = bridge.record(&id).await;
            match deed {
                "closes" => assert_eq!(record.state.status(), Status::Closed, "deaf {deaf}"),
                "gives" => assert_eq!(*record.state.owner(), team("leads"), "deaf {deaf}"),
                "frees" => assert_eq!(*record.state.owner(), team("support"), "deaf {deaf}"),
                _ => assert_eq!(record.state.status(), Status::Snoozed, "deaf {deaf}"),
            }
            if deed == "snoozes" {
                bridge.after(SignedDuration::from_hours(4)).await;
                assert_eq!(bridge.said(&id).len(), 1, "it wakes, and the customer still waits");
            }
        }
    }
}

#[tokio::test]
async fn the_bot_ends_nothing_over_anybody_s_head() {
    let bridge = Bridge::with_more().await;
    // Words and an end, and a teammate takes it before either is sent.
    bridge.intercom.once("/reply", Mishap::Failing(503));
    let id = bridge.ask("goodbye then").await;
    bridge.deaf();
    bridge.intercom.admin_assigns(&bridge.ada, &id, Some(&bridge.ada));
    bridge.half_a_minute_later().await;
    bridge.settle_all().await;
    assert_eq!((bridge.there(&id).state, bridge.said(&id).len()), (State::Open, 0));
    assert_eq!(bridge.record(&id).await.state.status(), Status::Open, "as it is there");
    assert_eq!(bridge.owner(&id).await, person("support", "ada"));
}

#[tokio::test]
async fn what_is_quiet_is_not_ended_under_the_one_who_has_it() {
    let bridge = Bridge::open(SURE).await;
    let id = bridge.ask(QUESTION).await;
    bridge.deaf();
    bridge.workflow_gives(&id, Some(&bridge.ada));
    bridge.after(SignedDuration::from_hours(49)).await;
    bridge.settle_all().await;
    assert_eq!(bridge.there(&id).state, State::Open, "{:?}", bridge.ends().await);
    assert_eq!(bridge.owner(&id).await, person("support", "ada"));
}

#[tokio::test]
async fn an_end_that_waits_does_not_land_over_the_customer_s_words() {
    for deaf in [false, true] {
        let bridge = Bridge::open(SURE).await;
        let id = bridge.ask(QUESTION).await;
        bridge.intercom.once("/parts", Mishap::Failing(503));
        bridge.after(SignedDuration::from_hours(49)).await;
        assert_eq!(bridge.record(&id).await.state.status(), Status::Closed);
        if deaf {
            bridge.deaf();
        }
        bridge.intercom.customer_replies(&id, PLEA);
        bridge.settle().await;
        bridge.half_a_minute_later().await;
        bridge.settle_all().await;
        let there = bridge.there(&id);
        assert_eq!(there.state, State::Open, "deaf {deaf}: {:?}", bridge.ends().await);
        assert_eq!(there.team_assignee.as_ref(), Some(&bridge.support), "deaf {deaf}");
        assert_eq!(bridge.owner(&id).await, team("support"), "deaf {deaf}");
    }
}

#[tokio::test]
async fn the_bot_takes_nothing_back_from_a_person() {
    let bridge = Bridge::with_more().await;
    let id = bridge.ask(PLEA).await;
    bridge.intercom.once("/parts", Mishap::Failing(503));
    bridge.intercom.customer_replies(&id, &format!("Let the robot say: {QUESTION}"));
    bridge.settle().await;
    bridge.deaf();
    bridge.intercom.admin_assigns(&bridge.ada, &id, Some(&bridge.ada));
    let n_said = bridge.said(&id).len();
    bridge.half_a_minute_later().await;
    bridge.settle_all().await;
    assert_eq!(bridge.there(&id).admin_assignee.as_ref(), Some(&bridge.ada));
    assert_eq!(bridge.said(&id).len(), n_said, "{:?}", bridge.ends().await);
    assert_eq!(bridge.owner(&id).await, person("support", "ada"));
}

#[tokio::test]
async fn what_was_given_back_here_stays_given_back() {
    let bridge = Bridge::open(SURE).await;
    let id = bridge.ask(PLEA).await;
    bridge.intercom.admin_assigns(&bridge.ada, &id, Some(&bridge.ada));
    bridge.intercom.admin_replies(&bridge.ada, &id, "Done.");
    bridge.settle().await;
    let record = bridge.record(&id).await;
    bridge.intercom.once("/parts", Mishap::Failing(503));
    bridge.office.act(record.id, &teammate("ada"), Deed::HandBack).await.unwrap();
    bridge.settle().await;
    // The customer's words are heard while Ada still has it there.
    bridge.intercom.customer_replies(&id, QUESTION);
    bridge.settle().await;
    assert_eq!(bridge.owner(&id).await, Owner::Bot);
    let n_said = bridge.said(&id).len();
    bridge.half_a_minute_later().await;
    bridge.settle_all().await;
    assert_eq!(bridge.there(&id).admin_assignee, Some(bridge.intercom.bot_admin()));
    assert_eq!(bridge.said(&id).len(), n_said + 1, "{:?}", bridge.ends().await);
}

#[tokio::test]
async fn an_effect_that_comes_late_is_waited_for() {
    for (what, call) in [(QUESTION, "/reply"), (PLEA, "/reply"), (PLEA, "/parts")] {
        let bridge = Bridge::open(SURE).await;
        bridge.intercom.once(call, Mishap::LateEffect(20));
        let id = bridge.ask(what).await;
        for _ in 0..30 {
            bridge.after(SignedDuration::from_secs(2)).await;
        }
        bridge.settle_all().await;
        let ours = bridge.ours(&id);
        let notes = ours.iter().filter(|line| line.starts_with("note: ")).count();
        assert_eq!(bridge.said(&id).len(), 1, "{what} {call}: {ours:#?}");
        assert_eq!(notes, usize::from(what == PLEA), "{what} {call}: {ours:#?}");
    }
}

#[tokio::test]
async fn what_a_person_opens_again_is_people_s() {
    let bridge = Bridge::open(SURE).await;
    let id = bridge.ask(QUESTION).await;
    bridge.intercom.admin_closes(&bridge.ada, &id);
    bridge.settle().await;
    bridge.intercom.admin_opens(&bridge.ada, &id);
    bridge.settle().await;
    let record = bridge.record(&id).await;
    assert_eq!((record.state.status(), record.state.episode().number), (Status::Open, 2));
    assert_eq!(*record.state.owner(), team("support"));
    bridge.intercom.admin_closes(&bridge.ada, &id);
    bridge.settle().await;
    bridge.intercom.admin_assigns_team(&bridge.ada, &id, Some(&bridge.leads));
    bridge.settle().await;
    assert_eq!(bridge.owner(&id).await, team("leads"));
    assert_eq!(bridge.record(&id).await.state.status(), Status::Open);
}

#[tokio::test]
async fn a_tag_that_cannot_be_set_does_not_hold_up_a_handoff() {
    let bridge = Bridge::open(SURE).await;
    bridge.intercom.with_company(&bridge.joe, "Acme", Some("Pro"), serde_json::json!({}));
    bridge.intercom.faults(|faults| {
        faults.failing = 1.0;
        faults.only = Some("/tags".into());
    });
    let id = bridge.ask(PLEA).await;
    for _ in 0..20 {
        bridge.after(SignedDuration::from_secs(3)).await;
    }
    assert_eq!(bridge.there(&id).team_assignee.as_ref(), Some(&bridge.support));
    assert_eq!(bridge.said(&id).len(), 1);
    bridge.intercom.faults(|faults| faults.failing = 0.0);
    bridge.settle_all().await;
    let mut tags = bridge.there(&id).tag_names().join(", ");
    tags.make_ascii_lowercase();
    assert!(tags.contains("pro") && tags.contains("priority: high"), "{tags}");
}

#[tokio::test]
async fn people_are_told_where_their_replies_do_not_go_out() {
    for mode in [Mode::Silent, Mode::Notes] {
        let bridge = Bridge::in_mode(mode).await;
        let id = bridge.ask(PLEA).await;
        let record = bridge.record(&id).await;
        let reply = Deed::Reply { text: "On its way.".into(), seen: None, draft: None };
        let refused = bridge.office.act(record.id, &teammate("ada"), reply).await;
        let why = refused.unwrap_err().to_string();
        assert!(why.contains("intercom.mode"), "{why}");
        let gives = Deed::Assign { team: slug("leads"), teammate: None };
        bridge.office.act(record.id, &teammate("ada"), gives).await.unwrap();
    }
}

#[tokio::test]
async fn what_a_workflow_takes_off_a_teammate_is_the_teams_and_never_taken_off_the_bot() {
    let bridge = Bridge::open(SURE).await;
    let id = bridge.ask(PLEA).await;
    bridge.intercom.admin_assigns(&bridge.ada, &id, Some(&bridge.ada));
    bridge.settle().await;
    assert_eq!(bridge.owner(&id).await, person("support", "ada"));
    // Ada goes home, and away mode shares out what she had.
    bridge.workflow_gives(&id, None);
    bridge.settle().await;
    assert_eq!(bridge.owner(&id).await, team("support"));
    let asked = bridge.ask(QUESTION).await;
    bridge.workflow_gives(&asked, None);
    bridge.settle().await;
    assert_eq!(bridge.owner(&asked).await, router::Owner::Bot);
    bridge.intercom.customer_replies(&asked, QUESTION);
    bridge.settle().await;
    assert_eq!(bridge.said(&asked).len(), 2);
}

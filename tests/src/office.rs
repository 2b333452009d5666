//! Conversations through the office: what customers, teammates, the bot and time do to them.

use crate::{Bench, Rules};
use bot::{Deed, Inbound, OfficeError, Place};
use jiff::SignedDuration;
use router::{IllegalMove, Owner, Slug, Status};
use store::{
    Actor, Content, Customer, Id, Identity, NewAccount, OutcomeKind, Record, Role, Verdict,
};

pub(crate) const SURE: f64 = 6.0;
pub(crate) const UNSURE: f64 = -6.0;

/// One team that takes from its queue by turns, with promises and rules by time.
pub(crate) const TEAMS: &str = r#"
fallback_team = "support"

[[sla]]
slug = "standard"
first_reply = "1h"
next_reply = "2h"

[[team]]
slug = "support"
name = "Support"
assignment = "round_robin"
capacity = 2
sla = "standard"
[[team.member]]
slug = "ada"
name = "Ada"
[[team.member]]
slug = "bo"
name = "Bo"

[[team]]
slug = "leads"
name = "Leads"
[[team.member]]
slug = "cy"
name = "Cy"

[[rule]]
name = "Outages escalate"
when = 'message.text.mentions("outage")'
then = { hand_off = "support", escalate = { after = "30m", hand_off = "leads", priority = "urgent" } }

[[rule]]
name = "Nobody waits for a day"
when = 'conversation.waiting_minutes >= 600'
then = { tags = ["waits-too-long"], priority = "high" }
"#;

/// A rule that ends what the customer takes leave of.
pub(crate) const ENDS: &str = r#"
[[reply]]
slug = "bye"
text.en = "Good bye."

[[rule]]
name = "Ends"
when = 'message.text.mentions("goodbye")'
then = { reply = "bye", close = true }
"#;

pub(crate) fn slug(text: &str) -> Slug {
    text.to_string().try_into().unwrap()
}

pub(crate) fn teammate(name: &str) -> Actor {
    Actor::Teammate(slug(name))
}

impl Bench {
    /// Has a customer write and the bot act; returns the conversation.
    pub(crate) async fn say(&self, customer: &Customer, place: Place, text: &str) -> Record {
        let inbound = self.inbound(customer, place, text);
        let received = self.office.receive(inbound).await.unwrap();
        self.office.run_until_idle().await.unwrap();
        self.record(received.conversation).await
    }

    pub(crate) fn inbound(&self, customer: &Customer, place: Place, text: &str) -> Inbound {
        Inbound {
            channel: "web".into(),
            external_id: Id::<Record>::new(self.office.now()).to_string(),
            customer: customer.id,
            place,
            text: text.into(),
            client_id: None,
            page: Some("https://vannerly.example/pricing".into()),
        }
    }

    pub(crate) async fn record(&self, id: Id<Record>) -> Record {
        self.office.store().conversation(id).await.unwrap()
    }

    /// The timeline in short, one entry a line.
    pub(crate) async fn told(&self, id: Id<Record>) -> Vec<String> {
        let timeline = self.office.store().timeline(id, 0, 1000).await.unwrap();
        let short = |text: &str| text.chars().take(40).collect::<String>();
        let line = |content: &Content| match content {
            Content::Customer { text, .. } => format!("customer: {}", short(text)),
            Content::Bot { text, .. } => format!("bot: {}", short(text)),
            Content::Teammate { teammate, text } => format!("{teammate}: {}", short(text)),
            Content::Note { by, text } => format!("note by {by}: {}", short(text)),
            Content::Event { by, what, .. } => format!("{what} by {by}"),
        };
        timeline.iter().map(|entry| line(&entry.content)).collect()
    }

    pub(crate) async fn sign_in(&self, name: &str) {
        let account = NewAccount {
            teammate: slug(name),
            name: name.into(),
            email: format!("{name}@vannerly.example"),
            password_hash: "none".into(),
            role: Role::Teammate,
        };
        // A second sign-in finds the account open.
        let _ = self.office.store().open_account(&account, self.office.now()).await;
        self.office.store().see(&slug(name), self.office.now()).await.unwrap();
    }
}

#[tokio::test]
async fn a_sure_answer_is_sent_with_its_sources_and_its_decision() {
    let bench = Bench::open(Rules::Sample, SURE).await;
    let ada = bench.visitor().await;
    let record = bench.say(&ada, Place::New, "How many days does the free trial last?").await;
    assert_eq!(*record.state.owner(), Owner::Bot);
    assert_eq!((record.waiting_since, record.turn_due_at), (None, None));
    let timeline = bench.office.store().timeline(record.id, 0, 10).await.unwrap();
    let Content::Bot { sources, decision: Some(decision), .. } = &timeline[1].content else {
        panic!("no answer: {timeline:?}")
    };
    assert!(!sources.is_empty());
    let decided = bench.office.store().decision(*decision).await.unwrap();
    assert_eq!((decided.decided.act.as_str(), decided.about), ("reply", 1));
    assert!(!decided.decided.reasons.is_empty() && decided.decided.trace.is_object());
}

#[tokio::test]
async fn a_handover_tells_the_customer_and_waits_in_the_queue_with_its_promise() {
    let bench = Bench::open(Rules::Text(TEAMS), UNSURE).await;
    let ada = bench.visitor().await;
    let record = bench.say(&ada, Place::New, "I want to talk to a human please").await;
    assert_eq!(*record.state.owner(), Owner::Team(slug("support")));
    assert_eq!(record.due.first_reply, Some(bench.office.now() + SignedDuration::from_hours(1)));
    let queue = bench.office.store().queue(&slug("support"), false, 10).await.unwrap();
    assert_eq!(queue.len(), 1);
    let told = bench.told(record.id).await;
    assert!(told[1].starts_with("bot: ") && told[2] == "handed_off by bot", "{told:?}");
}

#[tokio::test]
async fn a_conversation_goes_to_whoever_is_there_and_the_next_when_one_is_done() {
    let bench = Bench::open(Rules::Text(TEAMS), UNSURE).await;
    let customer = bench.visitor().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(bench.say(&customer, Place::New, "Give me a human please").await.id);
    }
    bench.sign_in("ada").await;
    bench.sign_in("bo").await;
    bench.office.run_until_idle().await.unwrap();
    let held = |name: &'static str| {
        let store = bench.office.store().clone();
        async move { store.held_by(&slug(name), 10).await.unwrap().len() }
    };
    assert_eq!((held("ada").await, held("bo").await), (2, 2), "capacity is two each");
    let by_ada = bench.office.store().held_by(&slug("ada"), 10).await.unwrap()[0].record.id;
    bench.office.act(by_ada, &teammate("ada"), Deed::Close { seen: None }).await.unwrap();
    bench.office.run_until_idle().await.unwrap();
    assert_eq!((held("ada").await, held("bo").await), (2, 2), "the fifth was pulled");
}

#[tokio::test]
async fn a_teammate_s_own_choice_stands_and_the_bot_is_silent() {
    let bench = Bench::open(Rules::Text(TEAMS), SURE).await;
    let customer = bench.visitor().await;
    let record = bench.say(&customer, Place::New, "How many days does the free trial last?").await;
    let reply = Deed::Reply { text: "I take this one.".into(), seen: None, draft: None };
    bench.office.act(record.id, &teammate("cy"), reply).await.unwrap();
    let record = bench.say(&customer, Place::Known(record.id), "And is it free of charge?").await;
    let chosen = Owner::Teammate { team: slug("leads"), teammate: slug("cy"), by_person: true };
    assert_eq!(*record.state.owner(), chosen);
    let told = bench.told(record.id).await;
    assert!(told.last().unwrap().starts_with("customer: "), "the bot stays silent: {told:?}");
    let decisions = bench.office.store().decisions(record.id).await.unwrap();
    let last = &decisions.last().unwrap().decided;
    assert_eq!(last.act, "hold");
    assert!(last.draft.is_some(), "a draft lies beside the reply box all the same");
    bench.office.act(record.id, &teammate("cy"), Deed::HandBack).await.unwrap();
    bench.office.run_until_idle().await.unwrap();
    let told = bench.told(record.id).await;
    assert!(told.last().unwrap().starts_with("bot: "), "handed back, the bot answers: {told:?}");
}

#[tokio::test]
async fn a_reply_that_was_overtaken_is_not_sent() {
    let bench = Bench::open(Rules::Text(TEAMS), SURE).await;
    let customer = bench.visitor().await;
    let record = bench.say(&customer, Place::New, "How many days does the free trial last?").await;
    let reply = |seen| Deed::Reply { text: "Fourteen.".into(), seen: Some(seen), draft: None };
    let refused = bench.office.act(record.id, &teammate("ada"), reply(1)).await;
    assert!(matches!(refused, Err(OfficeError::Overtaken(2))), "{refused:?}");
    let sent = bench.office.act(record.id, &teammate("ada"), reply(record.n_entries)).await;
    assert_eq!(sent.unwrap().n_entries, record.n_entries + 1);
    let again = bench.office.act(record.id, &teammate("ada"), reply(record.n_entries)).await;
    assert!(matches!(again, Err(OfficeError::Overtaken(_))), "sent once: {again:?}");
}

#[tokio::test]
async fn nobody_ends_a_conversation_over_a_message_that_they_have_not_seen() {
    let bench = Bench::open(Rules::Text(TEAMS), UNSURE).await;
    let customer = bench.visitor().await;
    let record = bench.say(&customer, Place::New, "I need a human").await;
    let seen = Some(record.n_entries);
    let until = bench.office.now() + SignedDuration::from_hours(2);
    let note = Deed::Note { text: "Nothing to see here.".into() };
    bench.office.act(record.id, &teammate("bo"), note).await.unwrap();
    bench.say(&customer, Place::Known(record.id), "One more thing").await;
    for deed in [Deed::Close { seen }, Deed::Snooze { until, seen }] {
        let refused = bench.office.act(record.id, &teammate("ada"), deed).await;
        let number = record.n_entries + 2;
        assert!(matches!(refused, Err(OfficeError::Overtaken(n)) if n == number), "{refused:?}");
    }
    let now = bench.record(record.id).await;
    assert_eq!((now.state.status(), now.waiting_since.is_some()), (Status::Open, true));
    let note = Deed::Note { text: "Only a note.".into() };
    let noted = bench.office.act(record.id, &teammate("bo"), note).await.unwrap();
    let close = Deed::Close { seen: Some(noted.n_entries - 1) };
    let closed = bench.office.act(record.id, &teammate("ada"), close).await.unwrap();
    assert_eq!(closed.state.status(), Status::Closed);
}

#[tokio::test]
async fn a_draft_that_was_used_becomes_a_label() {
    let bench = Bench::open(Rules::Sample, UNSURE).await;
    let customer = bench.visitor().await;
    let mut record = bench.say(&customer, Place::New, "Can I talk to a human?").await;
    for (text, verdict) in [(None, Verdict::Approved), (Some("No."), Verdict::Corrected)] {
        bench.pass(SignedDuration::from_secs(1));
        let question = "How many days does the free trial last?";
        record = bench.say(&customer, Place::Known(record.id), question).await;
        let decided = bench.office.store().decisions(record.id).await.unwrap().pop().unwrap();
        let text = text.map_or(decided.decided.draft.clone().unwrap(), str::to_string);
        let reply = Deed::Reply { text, seen: None, draft: Some(decided.id) };
        bench.office.act(record.id, &teammate("ada"), reply).await.unwrap();
        let page = store::Page { before: None, limit: 10 };
        let labels = bench.office.store().labels(&page).await.unwrap();
        assert_eq!((labels[0].1.decision, labels[0].1.verdict), (decided.id, verdict));
    }
}

#[tokio::test]
async fn a_closed_conversation_opens_a_new_episode_with_the_bot() {
    let bench = Bench::open(Rules::Text(TEAMS), SURE).await;
    let customer = bench.visitor().await;
    let record = bench.say(&customer, Place::New, "I need a human").await;
    bench.office.act(record.id, &teammate("ada"), Deed::Close { seen: None }).await.unwrap();
    let closed = bench.record(record.id).await;
    assert_eq!((closed.state.status(), closed.due), (Status::Closed, Default::default()));
    let refused = bench.office.act(record.id, &teammate("ada"), Deed::HandBack).await;
    assert!(matches!(refused, Err(OfficeError::Illegal(IllegalMove::Closed))), "{refused:?}");
    assert!(bench.office.rate(record.id, customer.id, (5, None)).await.unwrap());
    assert!(!bench.office.rate(record.id, customer.id, (1, None)).await.unwrap(), "once");
    let place = Place::Known(record.id);
    let record = bench.say(&customer, place, "How many days does the free trial last?").await;
    assert_eq!((record.state.episode().number, record.state.owner()), (2, &Owner::Bot));
    let told = bench.told(record.id).await;
    assert!(told.last().unwrap().starts_with("bot: "), "{told:?}");
}

#[tokio::test]
async fn what_rules_want_after_a_time_happens_once() {
    let bench = Bench::open(Rules::Text(TEAMS), UNSURE).await;
    let customer = bench.visitor().await;
    let record = bench.say(&customer, Place::New, "There is an outage in our region").await;
    assert_eq!(*record.state.owner(), Owner::Team(slug("support")));
    bench.pass(SignedDuration::from_mins(29));
    bench.office.run_until_idle().await.unwrap();
    assert_eq!(*bench.record(record.id).await.state.owner(), Owner::Team(slug("support")));
    bench.pass(SignedDuration::from_mins(2));
    bench.office.run_until_idle().await.unwrap();
    let escalated = bench.record(record.id).await;
    assert_eq!(*escalated.state.owner(), Owner::Team(slug("leads")));
    assert_eq!(escalated.priority, router::Priority::Urgent);
    bench.pass(SignedDuration::from_hours(10));
    for _ in 0..3 {
        bench.pass(SignedDuration::from_mins(5));
        bench.office.run_until_idle().await.unwrap();
    }
    let told = bench.told(record.id).await;
    let n = |what: &str| told.iter().filter(|line| line.starts_with(what)).count();
    assert_eq!((n("escalated"), n("tagged"), n("handed_off")), (2, 1, 2), "{told:?}");
    assert!(bench.record(record.id).await.tags.contains("waits-too-long"));
}

#[tokio::test]
async fn a_reply_in_time_stops_the_escalation_and_a_late_one_is_seen_as_overdue() {
    let bench = Bench::open(Rules::Text(TEAMS), UNSURE).await;
    let customer = bench.visitor().await;
    let record = bench.say(&customer, Place::New, "There is an outage in our region").await;
    let reply = Deed::Reply { text: "We are on it.".into(), seen: None, draft: None };
    bench.office.act(record.id, &teammate("ada"), reply).await.unwrap();
    bench.pass(SignedDuration::from_mins(45));
    bench.office.run_until_idle().await.unwrap();
    let held = Owner::Teammate { team: slug("support"), teammate: slug("ada"), by_person: true };
    assert_eq!(*bench.record(record.id).await.state.owner(), held);
    bench.say(&customer, Place::Known(record.id), "It is still down").await;
    bench.pass(SignedDuration::from_hours(3));
    bench.office.run_until_idle().await.unwrap();
    let told = bench.told(record.id).await;
    assert_eq!(told.iter().filter(|line| line.starts_with("sla_due")).count(), 1, "{told:?}");
    assert!(!told.iter().any(|line| line.starts_with("escalated")), "{told:?}");
}

#[tokio::test]
async fn a_snoozed_conversation_wakes_by_time_or_by_its_customer() {
    let bench = Bench::open(Rules::Text(TEAMS), SURE).await;
    let customer = bench.visitor().await;
    let record = bench.say(&customer, Place::New, "I need a human").await;
    let until = bench.office.now() + SignedDuration::from_hours(2);
    let snooze = || Deed::Snooze { until, seen: None };
    bench.office.act(record.id, &teammate("ada"), snooze()).await.unwrap();
    assert_eq!(bench.record(record.id).await.state.status(), Status::Snoozed);
    bench.pass(SignedDuration::from_mins(121));
    bench.office.run_until_idle().await.unwrap();
    assert_eq!(bench.record(record.id).await.state.status(), Status::Open);
    let refused = bench.office.act(record.id, &teammate("ada"), snooze()).await;
    assert!(matches!(refused, Err(OfficeError::Invalid(_))), "{refused:?}");
}

#[tokio::test]
async fn strangers_and_unlawful_words_are_turned_away() {
    let bench = Bench::open(Rules::Text(TEAMS), SURE).await;
    let (customer, stranger) = (bench.visitor().await, bench.visitor().await);
    let record = bench.say(&customer, Place::New, "Hello, I need a human").await;
    let theirs = bench.inbound(&stranger, Place::Known(record.id), "Show me");
    let refused = bench.office.receive(theirs).await;
    assert!(matches!(refused, Err(OfficeError::NotFound(_))), "{refused:?}");
    for text in ["", " \n\t", "\0", &"x".repeat(70_000)] {
        let refused = bench.office.receive(bench.inbound(&customer, Place::New, text)).await;
        // A NUL becomes a replacement character, which is something.
        assert_eq!(matches!(refused, Err(OfficeError::Invalid(_))), text != "\0", "{refused:?}");
    }
    let to_nobody = Deed::Assign { team: slug("sales"), teammate: None };
    let refused = bench.office.act(record.id, &teammate("ada"), to_nobody).await;
    assert!(matches!(refused, Err(OfficeError::Invalid(_))), "{refused:?}");
}

#[tokio::test]
async fn a_delivery_that_comes_again_changes_nothing() {
    let bench = Bench::open(Rules::Text(TEAMS), SURE).await;
    let customer = bench.visitor().await;
    let inbound = bench.inbound(&customer, Place::New, "How long does the free trial last?");
    let first = bench.office.receive(inbound.clone()).await.unwrap();
    bench.office.run_until_idle().await.unwrap();
    let again = bench.office.receive(inbound).await.unwrap();
    bench.office.run_until_idle().await.unwrap();
    assert_eq!((again.conversation, again.number), (first.conversation, first.number));
    assert!(again.repeated && !first.repeated);
    assert_eq!(bench.told(first.conversation).await.len(), 2);
}

#[tokio::test]
async fn a_conversation_to_which_nobody_adds_anything_ends_and_stays_ended() {
    let bench = Bench::open(Rules::Text(TEAMS), SURE).await;
    let customer = bench.visitor().await;
    let record = bench.say(&customer, Place::New, "How many days does the free trial last?").await;
    bench.pass(SignedDuration::from_hours(30));
    let place = Place::Known(record.id);
    bench.say(&customer, place, "Can I get my money back after a week?").await;
    bench.pass(SignedDuration::from_hours(30));
    bench.office.run_until_idle().await.unwrap();
    let still = bench.record(record.id).await;
    assert_eq!(still.state.status(), Status::Open, "the customer wrote in between");
    bench.pass(SignedDuration::from_hours(19));
    bench.office.run_until_idle().await.unwrap();
    assert_eq!(bench.record(record.id).await.state.status(), Status::Closed);
    bench.pass(SignedDuration::from_hours(7 * 24 + 1));
    bench.office.run_until_idle().await.unwrap();
    let outcomes = bench.office.store().outcomes(record.id).await.unwrap();
    let kinds: Vec<OutcomeKind> = outcomes.into_iter().map(|(_, _, of)| of.kind).collect();
    assert_eq!(kinds, [OutcomeKind::Assumed, OutcomeKind::Durable]);
}

#[tokio::test]
async fn handed_back_after_its_own_handoff_the_bot_decides_again() {
    let bench = Bench::open(Rules::Text(TEAMS), SURE).await;
    let customer = bench.visitor().await;
    let record = bench.say(&customer, Place::New, "There is an outage in our region").await;
    bench.office.act(record.id, &teammate("ada"), Deed::HandBack).await.unwrap();
    bench.office.run_until_idle().await.unwrap();
    let acts = bench.office.store().decisions(record.id).await.unwrap();
    let acts: Vec<&str> = acts.iter().map(|decided| decided.decided.act.as_str()).collect();
    assert_eq!(acts, ["handoff", "handoff"], "whoever waits is not left with a silent bot");
}

#[tokio::test]
async fn who_waits_anew_after_a_reply_is_owed_an_escalation_again() {
    let bench = Bench::open(Rules::Text(TEAMS), UNSURE).await;
    let customer = bench.visitor().await;
    let record = bench.say(&customer, Place::New, "There is an outage in our region").await;
    bench.pass(SignedDuration::from_mins(5));
    let reply = Deed::Reply { text: "We are on it.".into(), seen: None, draft: None };
    bench.office.act(record.id, &teammate("ada"), reply).await.unwrap();
    let back = Deed::Assign { team: slug("support"), teammate: None };
    bench.office.act(record.id, &teammate("ada"), back).await.unwrap();
    bench.office.act(record.id, &teammate("ada"), Deed::HandBack).await.unwrap();
    bench.pass(SignedDuration::from_mins(5));
    bench.say(&customer, Place::Known(record.id), "The outage goes on").await;
    bench.pass(SignedDuration::from_mins(25));
    bench.office.run_until_idle().await.unwrap();
    let support = Owner::Team(slug("support"));
    assert_eq!(*bench.record(record.id).await.state.owner(), support, "30 minutes are not over");
    bench.pass(SignedDuration::from_mins(6));
    bench.office.run_until_idle().await.unwrap();
    assert_eq!(*bench.record(record.id).await.state.owner(), Owner::Team(slug("leads")));
}

#[tokio::test]
async fn rules_tell_a_proven_customer_from_a_visitor() {
    let rule = "[[rule]]\nname = \"Strangers\"\nwhen = '!customer.verified'\nthen = { hand_off = \"leads\" }\n";
    let bench = Bench::open(Rules::Text(&format!("{TEAMS}{rule}")), SURE).await;
    let owner = async |customer: &Customer| {
        let record =
            bench.say(customer, Place::New, "How many days does the free trial last?").await;
        record.state.owner().clone()
    };
    // What a visitor's page says of them proves nothing.
    let visitor = bench.visitor().await;
    let claim = |visitor: &mut Customer| {
        visitor.attributes.insert("verified".into(), true.into());
        Ok::<_, ()>(())
    };
    bench.office.store().alter_customer(visitor.id, claim).await.unwrap().unwrap();
    assert_eq!(owner(&visitor).await, Owner::Team(slug("leads")));
    let identity = Identity { realm: "desk".into(), external_id: "customer-17".into() };
    let proven = Customer { id: Id::new(bench.office.now()), identity: Some(identity), ..visitor };
    let proven = bench.office.store().keep_customer(&proven).await.unwrap();
    assert_eq!(owner(&proven).await, Owner::Bot);
}

//! Error budgets by what people say of answers, through the office and a real database.

use crate::{
    Bench, ONE_TEAM, Rules,
    figures::{number, recorder},
    office::{SURE, slug, teammate},
};
use bot::{Deed, Place, live_budgets};
use jiff::SignedDuration;
use store::{Guard, Id, Outcome, OutcomeKind, Record, Store, Verdict, Watched};

/// One team, and a rule that answers by an error budget.
fn careful() -> String {
    format!("{ONE_TEAM}[[rule]]\nname = \"careful\"\nthen = {{ error_budget = 0.1 }}\n")
}

const QUESTION: &str = "How many days does the free trial last?";

impl Bench {
    /// Has new customers ask; `wrong` of every ten answers are found wrong by a teammate.
    async fn answers(&self, n: usize, wrong: usize) {
        for nth in 0..n {
            let customer = self.visitor().await;
            let record = self.say(&customer, Place::New, QUESTION).await;
            let decided = self.office.store().decisions(record.id).await.unwrap().pop().unwrap();
            assert_eq!(decided.decided.act, "reply", "{:?}", decided.decided.reasons);
            if nth % 10 < wrong {
                let deed = Deed::Judge { decision: decided.id, verdict: Verdict::Wrong };
                self.office.act(record.id, &teammate("ada"), deed).await.unwrap();
            }
            self.pass(SignedDuration::from_mins(11));
        }
        self.office.run_until_idle().await.unwrap();
    }

    async fn watched(&self) -> Watched {
        let watched = self.office.store().watched().await.unwrap();
        let [watched] = watched.as_slice() else { panic!("one budget: {watched:?}") };
        watched.clone()
    }

    async fn outcome(&self, id: Id<Record>, kind: OutcomeKind) {
        self.pass(SignedDuration::from_mins(1));
        let now = self.office.now();
        let changed = self.office.store().change(id, Guard::None, now, |_, change| {
            change.outcomes.push(Outcome { kind, comment: None });
            Ok::<_, std::convert::Infallible>(())
        });
        changed.await.unwrap().unwrap();
    }

    /// Returns how many answers count, and how many of them as wrong.
    async fn counted(&self) -> (usize, usize) {
        let desk = self.office.desk();
        let now = self.office.now();
        let fares = live_budgets(self.office.store(), desk.policy(), now).await.unwrap();
        let [fares] = fares.as_slice() else { panic!("one budget: {fares:?}") };
        (fares.n_answers, fares.n_wrong)
    }
}

#[tokio::test]
async fn a_budget_that_burns_raises_its_threshold_and_a_restart_keeps_it() {
    let recorder = recorder();
    let _counted = metrics::set_default_local_recorder(&recorder);
    let bench = Bench::open(Rules::Text(&careful()), SURE).await;
    bench.answers(10, 2).await;
    let watched = bench.watched().await;
    assert!(watched.threshold.is_none(), "two bad answers may be chance: {watched:?}");
    // From then on every other answer is wrong where a tenth may be.
    let mut n_more = 0;
    while bench.watched().await.threshold.is_none() {
        assert!(n_more < 40, "{:?}", bench.watched().await);
        bench.answers(1, n_more % 2).await;
        n_more += 1;
    }
    let raised = bench.watched().await;
    assert!((16..=30).contains(&raised.n_answers) && raised.n_wrong > 4, "{raised:?}");
    assert_eq!(raised.threshold, Some(1.0), "all answers are as sure as each other");
    assert_eq!(number(&recorder, "frontdesk_budget_raises_total{rule=\"careful\""), 1);
    assert_eq!(number(&recorder, "frontdesk_budget_raised{rule=\"careful\""), 1);
    let customer = bench.visitor().await;
    let asked = |bench: &Bench| {
        let (store, customer) = (bench.office.store().clone(), customer.clone());
        let inbound = bench.inbound(&customer, Place::New, QUESTION);
        (store, inbound)
    };
    let record = bench.say(&customer, Place::New, QUESTION).await;
    let decided = bench.office.store().decisions(record.id).await.unwrap().pop().unwrap().decided;
    assert_ne!(decided.act, "reply", "{:?}", decided.reasons);
    assert!(decided.basis.unwrap().versions.contains_key("raised"), "a replay names it");
    assert!(decided.trace.to_string().contains("raised, as too many"), "{:#}", decided.trace);
    // Another program on the same database, before it has looked at any budget.
    let url = format!("sqlite:{}", bench.folder.path().join("desk.db").display());
    let restarted =
        bench.second(Store::open(&url).await.unwrap(), Rules::Text(&careful()), SURE).await;
    let (store, inbound) = asked(&bench);
    let id = restarted.receive(inbound).await.unwrap().conversation;
    restarted.run_until_idle().await.unwrap();
    let decided = store.decisions(id).await.unwrap().pop().unwrap().decided;
    assert_ne!(decided.act, "reply", "{:?}", decided.reasons);
    // So does reading the rules again.
    restarted.reload(bot::Desk::clone(&restarted.desk()).with_raised(Vec::new()));
    assert_eq!(restarted.desk().policy().raised().len(), 1);
    // Time alone loosens nothing; people do.
    bench.pass(SignedDuration::from_hours(24 * 400));
    bench.office.run_until_idle().await.unwrap();
    assert_eq!(bench.watched().await.threshold, Some(1.0));
    assert_eq!(store.lift("careful", None, bench.office.now()).await.unwrap(), 1);
    bench.pass(SignedDuration::from_mins(11));
    bench.office.run_until_idle().await.unwrap();
    bench.answers(1, 0).await;
    assert_eq!(bench.counted().await, (1, 0), "answers are counted anew");
}

#[tokio::test]
async fn a_budget_that_is_kept_is_let_be() {
    let bench = Bench::open(Rules::Text(&careful()), SURE).await;
    bench.answers(60, 1).await;
    assert_eq!(bench.counted().await, (60, 6));
    assert_eq!(bench.watched().await.threshold, None);
    assert!(bench.office.desk().policy().raised().is_empty());
}

#[tokio::test]
async fn what_people_say_and_do_speaks_for_or_against_an_answer() {
    let bench = Bench::open(Rules::Text(&careful()), SURE).await;
    let customer = bench.visitor().await;
    let ask = |place: Place| bench.say(&customer, place, QUESTION);
    let judge = async |id: Id<Record>, verdict: Verdict| {
        let decision = bench.office.store().decisions(id).await.unwrap().pop().unwrap().id;
        let deed = Deed::Judge { decision, verdict };
        bench.office.act(id, &teammate("ada"), deed).await.unwrap();
    };
    let first = ask(Place::New).await.id;
    assert_eq!(bench.counted().await, (1, 0), "nobody objects");
    bench.outcome(first, OutcomeKind::Rated(3)).await;
    assert_eq!(bench.counted().await, (1, 0));
    judge(first, Verdict::Wrong).await;
    assert_eq!(bench.counted().await, (1, 1));
    judge(first, Verdict::Approved).await;
    assert_eq!(bench.counted().await, (1, 0), "the last word counts");
    let second = ask(Place::New).await.id;
    bench.outcome(second, OutcomeKind::Rated(1)).await;
    assert_eq!(bench.counted().await, (2, 1));
    bench.pass(SignedDuration::from_mins(1));
    ask(Place::Known(second)).await;
    assert_eq!(bench.counted().await, (3, 1), "it was rated before it was given");
    judge(second, Verdict::Approved).await;
    // What a person said in between takes the blame.
    let third = ask(Place::New).await.id;
    bench.sign_in("ada").await;
    let deed = Deed::Assign { team: slug("support"), teammate: Some(slug("ada")) };
    bench.office.act(third, &teammate("ada"), deed).await.unwrap();
    bench.pass(SignedDuration::from_mins(1));
    let reply = |text: &str, draft| Deed::Reply { text: text.into(), draft, seen: None };
    bench.office.act(third, &teammate("ada"), reply("Thirty.", None)).await.unwrap();
    bench.outcome(third, OutcomeKind::Rated(1)).await;
    assert_eq!(bench.counted().await, (4, 1));
    // An edit that leaves nothing of the draft; one that leaves most of it.
    let edited = async |mend: &dyn Fn(&str) -> String| {
        let id = ask(Place::New).await.id;
        let decided = bench.office.store().decisions(id).await.unwrap().pop().unwrap();
        let text = mend(decided.decided.draft.as_deref().unwrap());
        let deed = reply(&text, Some(decided.id));
        bench.office.act(id, &teammate("ada"), deed).await.unwrap();
    };
    edited(&|_| "Please write to our warehouse, they look after parcels.".into()).await;
    assert_eq!(bench.counted().await, (5, 2));
    edited(&|draft| format!("Hello! {draft}")).await;
    assert_eq!(bench.counted().await, (6, 2));
    // Who comes back and is answered has asked more; who comes back for a person has not been helped.
    for (words, expected) in [(QUESTION, (8, 2)), ("I want to talk to a human please", (9, 3))] {
        let id = ask(Place::New).await.id;
        bench.office.act(id, &teammate("ada"), Deed::Close { seen: None }).await.unwrap();
        bench.pass(SignedDuration::from_mins(1));
        bench.say(&customer, Place::Known(id), words).await;
        assert_eq!(bench.counted().await, expected, "{words}");
    }
}

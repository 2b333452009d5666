//! Two writers at once: a teammate's reply against the bot's turn.

use crate::{Bench, Rules, figures, moody::Moody, office::SURE, postgres::Server};
use bot::{Deed, Inbound, OfficeError, Place};
use router::Owner;
use std::{sync::Arc, time::Duration};
use store::{Actor, Content, Id, Record, Store};
use tokio::sync::Semaphore;

const ROUNDS: usize = 1_000;

/// Rounds on PostgreSQL and of each further way to reply.
const FURTHER_ROUNDS: usize = 150;

/// By how much the teammate is quicker or slower the next time.
const STEP: Duration = Duration::from_micros(250);

/// What the teammate does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Replies to what was read.
    Reply,
    /// Replies to what was read, and gives the conversation back to the bot at once.
    ReplyAndHandBack,
    /// Replies, whatever happened meanwhile, and gives it back.
    ReplyInAnyCase,
}

/// Who came first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum First {
    Bot,
    Teammate,
}

fn lena() -> Actor {
    Actor::Teammate("lena-brandt".to_string().try_into().unwrap())
}

impl Bench {
    /// A customer asks; returns the conversation and the number of the question.
    async fn asked(&self, round: usize) -> (Id<Record>, i64) {
        let customer = self.visitor().await;
        let inbound = Inbound {
            channel: "web".into(),
            external_id: format!("race-{round}"),
            customer: customer.id,
            place: Place::New,
            text: "How do I change my password?".into(),
            client_id: None,
            page: None,
        };
        let received = self.office.receive(inbound).await.unwrap();
        (received.conversation, received.number)
    }

    /// The teammate replies to an entry, in one of the ways.
    async fn reply(&self, id: Id<Record>, seen: i64, way: Way) -> Result<Record, OfficeError> {
        let seen = (way != Way::ReplyInAnyCase).then_some(seen);
        let reply = Deed::Reply { text: "Under Settings.".into(), seen, draft: None };
        let replied = self.office.act(id, &lena(), reply).await?;
        match way {
            Way::Reply => Ok(replied),
            _ => self.office.act(id, &lena(), Deed::HandBack).await,
        }
    }

    /// A customer asks; the bot takes its turn while a teammate, after so much thought, replies to
    /// the same words.
    async fn race(&self, round: usize, thought: Duration, way: Way) -> First {
        let (id, number) = self.asked(round).await;
        let bot = tokio::spawn({
            let office = self.office.clone();
            async move { office.run_until_idle().await.unwrap() }
        });
        tokio::time::sleep(thought).await;
        let replied = self.reply(id, number, way).await;
        bot.await.unwrap();
        // What the reply made due when the bot had nothing left to do.
        self.office.run_until_idle().await.unwrap();
        self.judge(id, replied, way).await
    }

    /// One of both has answered, and the other knows.
    async fn judge(&self, id: Id<Record>, replied: Result<Record, OfficeError>, way: Way) -> First {
        let timeline = self.office.store().timeline(id, 0, 100).await.unwrap();
        let place = |from: fn(&Content) -> bool| timeline.iter().position(|e| from(&e.content));
        let bot = place(|content| matches!(content, Content::Bot { .. }));
        let teammate = place(|content| matches!(content, Content::Teammate { .. }));
        let record = self.office.store().conversation(id).await.unwrap();
        assert_eq!(record.turn_due_at, None, "{timeline:#?}");
        assert_eq!(record.waiting_since, None, "{timeline:#?}");
        match replied {
            Err(OfficeError::Overtaken(_)) => {
                assert!(bot.is_some() && teammate.is_none(), "{timeline:#?}");
                assert_eq!(*record.state.owner(), Owner::Bot);
                First::Bot
            }
            Ok(_) => {
                let held = matches!(record.state.owner(), Owner::Teammate { .. });
                assert_eq!(held, way == Way::Reply, "{record:?}");
                match bot {
                    // The teammate did not want to know of it; the bot never speaks after.
                    Some(_) if way == Way::ReplyInAnyCase => {
                        assert!(bot < teammate, "{timeline:#?}");
                        First::Bot
                    }
                    _ => {
                        assert!(teammate.is_some() && bot.is_none(), "{timeline:#?}");
                        First::Teammate
                    }
                }
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// Runs rounds in which both meet at the same moment again and again.
    async fn races(&self, n_rounds: usize, way: Way) {
        let mut n_bot = 0;
        let mut thought = Duration::ZERO;
        for round in 0..n_rounds {
            // Whoever lost has a better chance the next time.
            match self.race(round, thought, way).await {
                First::Bot => (n_bot, thought) = (n_bot + 1, thought.saturating_sub(STEP)),
                First::Teammate => thought += STEP,
            }
        }
        assert!(n_bot > 0 && n_bot < n_rounds, "one side always won: the bot {n_bot} times");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_teammate_and_the_bot_never_answer_the_same_message() {
    Bench::open(Rules::Sample, SURE).await.races(ROUNDS, Way::Reply).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_teammate_who_replies_and_hands_back_is_not_answered_over() {
    let bench = Bench::open(Rules::Sample, SURE).await;
    bench.races(FURTHER_ROUNDS, Way::ReplyAndHandBack).await;
    let bench = Bench::open(Rules::Sample, SURE).await;
    bench.races(FURTHER_ROUNDS, Way::ReplyInAnyCase).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nor_do_they_where_the_database_is_postgresql() {
    let Some(server) = Server::start() else { return };
    for (name, way) in [("replies", Way::Reply), ("back", Way::ReplyAndHandBack)] {
        let store = Store::open(&server.database(name)).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let bench = Bench::on(store, folder, Rules::Sample, SURE).await;
        bench.races(FURTHER_ROUNDS, way).await;
        bench.office.store().close().await;
    }
}

#[tokio::test]
async fn a_turn_that_a_reply_and_a_hand_back_fall_into_says_nothing() {
    let recorder = figures::recorder();
    let _counted = metrics::set_default_local_recorder(&recorder);
    let bench = Bench::open(Rules::Sample, SURE).await;
    // A bot that thinks for as long as the test wants.
    let (begun, allowed) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let thinks = (begun.clone(), allowed.clone());
    let pensive = Moody(move || {
        let (begun, allowed) = thinks.clone();
        async move {
            begun.add_permits(1);
            allowed.acquire().await.unwrap().forget();
            Ok(())
        }
    });
    bench.embed_with(Arc::new(pensive), Rules::Sample, SURE).await;
    let (id, number) = bench.asked(0).await;
    let bot = tokio::spawn({
        let office = bench.office.clone();
        async move { office.run_until_idle().await.unwrap() }
    });
    begun.acquire().await.unwrap().forget();
    let replied = bench.reply(id, number, Way::ReplyAndHandBack).await;
    // From now on it thinks no longer than others.
    allowed.add_permits(100);
    bot.await.unwrap();
    assert_eq!(bench.judge(id, replied, Way::ReplyAndHandBack).await, First::Teammate);
    // The answer stays as a draft, with the reason that nothing was said.
    let decided = bench.office.store().decisions(id).await.unwrap().pop().unwrap().decided;
    assert_eq!(decided.act, "hold");
    assert!(decided.draft.is_some() && decided.reasons[0].contains("somebody else has answered"));
    let count =
        |act: &str| figures::number(&recorder, &format!("frontdesk_decisions_total{{act={act:?}"));
    assert_eq!((count("hold"), count("reply")), (1, 0), "what was done is counted");
    // What the customer asks next is the bot's again.
    let customer = bench.record(id).await.customer;
    let customer = bench.office.store().customer(customer).await.unwrap();
    bench.say(&customer, Place::Known(id), "How many days does the free trial last?").await;
    let told = bench.told(id).await;
    assert!(told.last().unwrap().starts_with("bot: "), "{told:?}");
}

//! Two writers at once: a teammate's reply against the bot's turn.

use crate::{Bench, Rules};
use bot::{Deed, Inbound, OfficeError, Place};
use router::Owner;
use std::time::Duration;
use store::{Actor, Content, Id, Record};

const ROUNDS: usize = 1_000;

/// Log-odds at which the bot answers by itself.
const SURE: f64 = 6.0;

/// By how much the teammate is quicker or slower the next time.
const STEP: Duration = Duration::from_micros(250);

/// Who came first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum First {
    Bot,
    Teammate,
}

impl Bench {
    /// A customer asks; the bot takes its turn while a teammate, after so much thought, replies to
    /// the same words.
    async fn race(&self, round: usize, thought: Duration) -> First {
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
        let (id, number) = (received.conversation, received.number);
        let bot = tokio::spawn({
            let office = self.office.clone();
            async move { office.run_until_idle().await.unwrap() }
        });
        let ada = Actor::Teammate("lena-brandt".to_string().try_into().unwrap());
        tokio::time::sleep(thought).await;
        let text = "Under Settings.".to_string();
        let reply = Deed::Reply { text, seen: Some(number), draft: None };
        let replied = self.office.act(id, &ada, reply).await;
        bot.await.unwrap();
        self.judge(id, replied).await
    }

    /// One of both has answered, and the other knows.
    async fn judge(&self, id: Id<Record>, replied: Result<Record, OfficeError>) -> First {
        let timeline = self.office.store().timeline(id, 0, 100).await.unwrap();
        let is = |from: fn(&Content) -> bool| timeline.iter().any(|entry| from(&entry.content));
        let bot = is(|content| matches!(content, Content::Bot { .. }));
        let teammate = is(|content| matches!(content, Content::Teammate { .. }));
        let record = self.office.store().conversation(id).await.unwrap();
        assert_eq!(record.turn_due_at, None, "{timeline:#?}");
        match replied {
            Err(OfficeError::Overtaken(_)) => {
                assert!(bot && !teammate, "{timeline:#?}");
                assert_eq!(*record.state.owner(), Owner::Bot);
                First::Bot
            }
            Ok(_) => {
                assert!(teammate && !bot, "{timeline:#?}");
                assert!(matches!(record.state.owner(), Owner::Teammate { .. }), "{record:?}");
                First::Teammate
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_teammate_and_the_bot_never_answer_the_same_message() {
    let bench = Bench::open(Rules::Sample, SURE).await;
    let mut won = Vec::new();
    let mut thought = Duration::ZERO;
    for round in 0..ROUNDS {
        let first = bench.race(round, thought).await;
        // Whoever lost has a better chance the next time: so both keep meeting at the same moment.
        thought = match first {
            First::Bot => thought.saturating_sub(STEP),
            First::Teammate => thought + STEP,
        };
        won.push(first);
    }
    let n_bot = won.iter().filter(|first| **first == First::Bot).count();
    assert!(n_bot > 0 && n_bot < ROUNDS, "one side always won: the bot {n_bot} times");
}

//! How many messages does a database take in a second?
//!
//! `cargo run --release -p store --example commits -- URL MESSAGES CUSTOMERS`: so many customers
//! write at the same time, each in one conversation; each message is received, then answered by a
//! change with a decision and a post, as a turn does. Prints both rates and percentiles.

use anyhow::Context;
use jiff::{SignedDuration, Timestamp};
use router::Event;
use serde_json::{Map, json};
use std::time::{Duration, Instant};
use store::{
    Change, Content, Customer, Delivery, Guard, Id, NewDecision, NewPost, Opening, Record, Store,
};

const WORDS: &str = "I was charged twice for the same order on the third of May and would like \
                     to know when the money comes back to my card";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, n_messages, n_customers] = &arguments[..] else {
        anyhow::bail!("usage: commits URL MESSAGES CUSTOMERS");
    };
    let (n_messages, n_customers): (usize, usize) = (n_messages.parse()?, n_customers.parse()?);
    let store = Store::open(url).await?;
    let began = Instant::now();
    let tasks: Vec<_> = (0..n_customers)
        .map(|_| tokio::spawn(converse(store.clone(), n_messages / n_customers)))
        .collect();
    let (mut received, mut answered) = (Vec::new(), Vec::new());
    for task in tasks {
        let (one, other) = task.await.context("a task ends")??;
        received.extend(one);
        answered.extend(other);
    }
    let n_commits = received.len() + answered.len();
    let seconds = began.elapsed().as_secs_f64();
    let rate = n_commits as f64 / seconds;
    eprintln!("{n_commits} commits in {seconds:.1} s, {rate:.0} a second, {n_customers} at a time");
    for (name, mut took) in [("receive", received), ("change", answered)] {
        took.sort();
        let at = |part: f64| took[((took.len() - 1) as f64 * part) as usize].as_secs_f64() * 1e3;
        eprintln!("{name}: p50 {:.2} ms, p99 {:.2} ms, worst {:.2} ms", at(0.5), at(0.99), at(1.0));
    }
    store.close().await;
    Ok(())
}

type Took = (Vec<Duration>, Vec<Duration>);

async fn converse(store: Store, n_messages: usize) -> anyhow::Result<Took> {
    let start: Timestamp = "2026-03-02T09:00:00Z".parse()?;
    let (identity, name, email, locale) = (None, None, None, None);
    let (id, attributes) = (Id::new(start), Map::new());
    let (created_at, seen_at) = (start, start);
    let customer = Customer { id, identity, name, email, locale, attributes, created_at, seen_at };
    let customer = store.keep_customer(&customer).await?;
    let record = Record::new("web", customer.id, start);
    let (mut received, mut answered) = (Vec::new(), Vec::new());
    for n in 0..n_messages {
        let now = start + SignedDuration::from_secs(n as i64);
        let external_id = format!("{} {n}", record.id);
        let delivery = Delivery { channel: "web".into(), external_id };
        let opening = match n {
            0 => Opening::New(Box::new(record.clone())),
            _ => Opening::Known(record.id),
        };
        let began = Instant::now();
        let taken =
            store.receive(&delivery, opening, now, |record, change| write(now, record, change));
        taken.await?.map_err(anyhow::Error::msg)?;
        received.push(began.elapsed());
        let began = Instant::now();
        let turn = |record: &mut Record, change: &mut Change| answer(now, record, change);
        store.change(record.id, Guard::None, now, turn).await??;
        answered.push(began.elapsed());
    }
    Ok((received, answered))
}

fn write(now: Timestamp, record: &mut Record, change: &mut Change) -> Result<(), String> {
    record.state.apply(&Event::CustomerWrote).map_err(|e| e.to_string())?;
    record.turn_due_at = Some(now);
    let content = Content::Customer { text: WORDS.into(), client_id: None };
    change.entries.push((Id::new(now), content));
    Ok(())
}

fn answer(
    now: Timestamp,
    record: &mut Record,
    change: &mut Change,
) -> Result<(), router::IllegalMove> {
    record.state.apply(&Event::BotReplied)?;
    record.turn_due_at = None;
    let (sources, buttons) = (vec![], vec![]);
    let id = Id::new(now);
    let (text, decision) = (WORDS.to_string(), Some(id));
    change.entries.push((Id::new(now), Content::Bot { text, sources, buttons, decision }));
    change.decision = Some(NewDecision {
        id,
        about: record.n_entries,
        act: "reply".into(),
        team: None,
        topic: Some("billing".into()),
        confidence: 0.9,
        draft: Some(WORDS.into()),
        sources: vec![],
        reasons: vec!["confident enough".into()],
        trace: json!({ "passages": [WORDS, WORDS, WORDS, WORDS] }),
        basis: None,
        took_ms: 20.0,
        silent: false,
    });
    let (destination, kind) = ("webhook:crm".to_string(), "reply".to_string());
    change.posts.push(NewPost { destination, kind, body: json!({ "text": WORDS }) });
    Ok(())
}

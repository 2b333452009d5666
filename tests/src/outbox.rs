//! What leaves the house, and what becomes of it when nobody takes it.

use crate::{
    Bench, Rules,
    office::{ENDS, SURE, TEAMS, slug},
};
use async_trait::async_trait;
use bot::{Channel, Delivered, DeliveryError, Inbound, Parcel, Place};
use jiff::SignedDuration;
use router::{Owner, Status};
use std::{collections::BTreeSet, sync::Arc};
use store::{Customer, Id, Page, Record};

/// A far side that takes nothing.
struct Deaf(DeliveryError);

#[async_trait]
impl Channel for Deaf {
    fn takes(&self, destination: &str) -> bool {
        destination == "far"
    }

    async fn has(&self, _: &Parcel<'_>) -> Result<Option<Delivered>, DeliveryError> {
        Ok(None)
    }

    async fn deliver(&self, _: &Parcel<'_>) -> Result<Delivered, DeliveryError> {
        Err(self.0.clone())
    }
}

impl Bench {
    async fn say_from_afar(&self, customer: &Customer, text: &str) -> Id<Record> {
        let inbound = Inbound {
            channel: "far".into(),
            ..self.inbound(customer, Place::Named(text.into()), text)
        };
        let received = self.office.receive(inbound).await.unwrap();
        self.office.run_until_idle().await.unwrap();
        received.conversation
    }
}

fn is_note(line: &String) -> bool {
    line == "note by frontdesk: A reply could not be delivered to the cu"
}

#[tokio::test]
async fn a_reply_that_nobody_takes_leaves_a_note_where_the_conversation_has_ended() {
    let deaf = Arc::new(Deaf(DeliveryError::Never("HTTP 404".into())));
    let bench = Bench::sending(deaf, Rules::Text(&format!("{TEAMS}{ENDS}")), SURE).await;
    let id = bench.say_from_afar(&bench.visitor().await, "goodbye then").await;
    let told = bench.told(id).await;
    assert!(told.iter().any(is_note), "{told:?}");
    assert_eq!(bench.record(id).await.state.status(), Status::Closed);
}

#[tokio::test]
async fn a_reply_to_a_channel_that_is_gone_goes_to_people() {
    let later = DeliveryError::Later { what: "HTTP 503".into(), after_s: None };
    let bench = Bench::sending(Arc::new(Deaf(later)), Rules::Text(TEAMS), SURE).await;
    let customer = bench.visitor().await;
    let id = bench.say_from_afar(&customer, "How many days does the free trial last?").await;
    assert_eq!(*bench.record(id).await.state.owner(), Owner::Bot);
    // The next start has no such channel any more.
    let store = bench.office.store().clone();
    let office = bench.second(store, Rules::Text(TEAMS), SURE).await;
    bench.pass(SignedDuration::from_secs(2));
    office.run_until_idle().await.unwrap();
    assert_eq!(*bench.record(id).await.state.owner(), Owner::Team(slug("support")));
    let told = bench.told(id).await;
    assert!(told.iter().any(is_note), "{told:?}");
}

#[tokio::test]
async fn a_far_side_that_hangs_is_left_alone_for_a_while() {
    let hangs = Arc::new(Deaf(DeliveryError::TimedOut));
    let bench = Bench::sending(hangs, Rules::Text(TEAMS), SURE).await;
    let customer = bench.visitor().await;
    bench.say_from_afar(&customer, "How many days does the free trial last?").await;
    bench.say_from_afar(&customer, "Can I get my money back after a week?").await;
    let n_attempts = async || {
        let page = Page { before: None, limit: 9 };
        let posts = bench.office.store().posts(Some("far"), &page).await.unwrap();
        posts.iter().map(|post| post.n_attempts).collect::<BTreeSet<_>>()
    };
    assert_eq!(n_attempts().await, [0, 1].into(), "one of both waits");
    bench.pass(SignedDuration::from_secs(2));
    bench.office.run_until_idle().await.unwrap();
    assert_eq!(n_attempts().await, [1].into(), "what was broken off may still have its effect");
    bench.pass(SignedDuration::from_secs(30));
    bench.office.run_until_idle().await.unwrap();
    assert_eq!(n_attempts().await, [2].into());
}

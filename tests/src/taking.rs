//! Who may take a conversation and write in it.

use crate::{
    Bench, Rules,
    office::{TEAMS, UNSURE, slug, teammate},
};
use bot::{Deed, OfficeError, Place};
use router::{Owner, Slug};
use store::{Id, Record};

const PLEA: &str = "I want to talk to a human please";

/// A second team of Bo's, in whose first one only Ada may write, and Cy nowhere.
const APPRENTICES: &str = r#"
fallback_team = "support"

[[team]]
slug = "support"
name = "Support"
[[team.member]]
slug = "ada"
name = "Ada"
[[team.member]]
slug = "bo"
name = "Bo"
may_reply = false
[[team.member]]
slug = "cy"
name = "Cy"
may_reply = false

[[team]]
slug = "night"
name = "Night"
[[team.member]]
slug = "bo"
name = "Bo"
"#;

impl Bench {
    /// A conversation that waits for people.
    async fn handed_over(&self) -> Id<Record> {
        let customer = self.visitor().await;
        self.say(&customer, Place::New, PLEA).await.id
    }

    async fn take(
        &self,
        id: Id<Record>,
        by: &str,
        held_by: Option<&str>,
    ) -> Result<Record, OfficeError> {
        let deed = Deed::Take { held_by: held_by.map(slug) };
        self.office.act(id, &teammate(by), deed).await
    }
}

fn holder(record: &Record) -> Option<&Slug> {
    match record.state.owner() {
        Owner::Teammate { teammate, .. } => Some(teammate),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_who_take_a_conversation_at_the_same_moment_one_has_it_and_the_other_hears_of_it() {
    let bench = Bench::open(Rules::Text(TEAMS), UNSURE).await;
    for _ in 0..50 {
        let id = bench.handed_over().await;
        let (ada, bo) = tokio::join!(bench.take(id, "ada", None), bench.take(id, "bo", None));
        let (won, lost) = match ada {
            Ok(record) => (record, bo),
            refused => (bo.unwrap(), refused),
        };
        let holder = holder(&won).unwrap();
        match lost {
            Err(OfficeError::Held(told)) => assert_eq!(told, *holder),
            other => panic!("{other:?}"),
        }
        assert_eq!(bench.record(id).await.state.owner(), won.state.owner());
    }
}

#[tokio::test]
async fn who_sees_that_a_colleague_has_a_conversation_may_take_it_all_the_same() {
    let bench = Bench::open(Rules::Text(TEAMS), UNSURE).await;
    let id = bench.handed_over().await;
    bench.take(id, "ada", None).await.unwrap();
    assert!(matches!(bench.take(id, "bo", Some("cy")).await, Err(OfficeError::Held(_))));
    let taken = bench.take(id, "bo", Some("ada")).await.unwrap();
    assert_eq!(holder(&taken), Some(&slug("bo")));
    // Who belongs to another team takes it into that.
    let taken = bench.take(id, "cy", Some("bo")).await.unwrap();
    assert_eq!(holder(&taken), Some(&slug("cy")));
    assert!(matches!(taken.state.owner(), Owner::Teammate { team, .. } if *team == slug("leads")));
    // Who belongs to none cannot hold any.
    assert!(matches!(bench.take(id, "di", Some("cy")).await, Err(OfficeError::Invalid(_))));
}

#[tokio::test]
async fn who_may_not_write_to_customers_does_not_and_is_given_nothing() {
    let bench = Bench::open(Rules::Text(APPRENTICES), UNSURE).await;
    let id = bench.handed_over().await;
    let reply = |text: &str| Deed::Reply { text: text.into(), seen: None, draft: None };
    let give =
        |team: &str, name: &str| Deed::Assign { team: slug(team), teammate: Some(slug(name)) };
    let check = async |by: &str, deed: Deed, allowed: bool| {
        let done = bench.office.act(id, &teammate(by), deed.clone()).await;
        match done {
            Ok(_) => assert!(allowed, "{by}: {deed:?}"),
            Err(OfficeError::Invalid(why)) => {
                assert!(!allowed && why.contains("may_reply"), "{by}: {deed:?}: {why}");
            }
            Err(other) => panic!("{by}: {deed:?}: {other}"),
        }
    };
    check("bo", reply("Hello"), false).await;
    check("cy", reply("Hello"), false).await;
    check("cy", Deed::Take { held_by: None }, false).await;
    check("ada", give("support", "bo"), false).await;
    // Reading along and leaving word for colleagues is what they are there for.
    check("cy", Deed::Note { text: "I would try Settings.".into() }, true).await;
    let told = bench.told(id).await;
    assert!(told.iter().all(|line| !line.starts_with("bo:") && !line.starts_with("cy:")));
    // Where Bo may write, Bo does; so may who belongs to no team, such as a lead.
    check("bo", Deed::Take { held_by: None }, true).await;
    let record = bench.record(id).await;
    assert!(matches!(record.state.owner(), Owner::Teammate { team, .. } if *team == slug("night")));
    check("bo", reply("Good evening"), true).await;
    check("cy", reply("Good evening"), false).await;
    check("di", reply("Good evening"), true).await;
}

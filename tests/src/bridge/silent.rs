//! Where the bot does not speak: e-mail, and the modes that only watch.

use super::{Bridge, PLEA, QUESTION, team};
use crate::office::SURE;
use intercom::Mode;

#[tokio::test]
async fn an_e_mail_is_drafted_for_people_with_the_reason() {
    let bridge = Bridge::open(SURE).await;
    let id = bridge.intercom.email_conversation(&bridge.joe, "Trial", QUESTION);
    bridge.settle().await;
    let ours = bridge.ours(&id);
    assert_eq!(bridge.said(&id), Vec::<String>::new(), "nothing goes to the customer");
    assert!(ours[0].starts_with("note: Frontdesk hands over"), "{ours:?}");
    for part in ["replies to an e-mail", "Draft, not sent", "http"] {
        assert!(ours[0].contains(part), "{part}: {ours:?}");
    }
    assert_eq!(bridge.there(&id).team_assignee.as_ref(), Some(&bridge.support));
    let record = bridge.named("intercom-email", &id).await.unwrap();
    assert_eq!(*record.state.owner(), team("support"));
    let told = bridge.bench.told(record.id).await;
    assert!(told.iter().all(|line| !line.starts_with("bot: ")), "{told:?}");
    // The next mail is for the people who have it.
    bridge.intercom.customer_replies(&id, "And is it free?");
    bridge.settle().await;
    assert_eq!(bridge.said(&id), Vec::<String>::new());
}

#[tokio::test]
async fn in_notes_it_says_what_it_would_do_and_does_nothing_else() {
    let bridge = Bridge::in_mode(Mode::Notes).await;
    let asked = bridge.ask(QUESTION).await;
    let plea = bridge.ask(PLEA).await;
    let ours = bridge.ours(&asked);
    assert_eq!(ours.len(), 1, "{ours:?}");
    assert!(ours[0].starts_with("note: Frontdesk would have answered:"), "{ours:?}");
    let ours = bridge.ours(&plea);
    assert!(!ours.is_empty() && ours.iter().all(|line| line.starts_with("note: ")), "{ours:?}");
    for id in [asked, plea] {
        let there = bridge.there(&id);
        assert!(there.tags.is_empty() && there.team_assignee.is_none());
    }
}

#[tokio::test]
async fn silent_it_leaves_no_trace() {
    let bridge = Bridge::in_mode(Mode::Silent).await;
    let asked = bridge.ask(QUESTION).await;
    let plea = bridge.ask(PLEA).await;
    bridge.poll().await;
    for id in [&asked, &plea] {
        assert_eq!(bridge.there(id).parts.len(), 0);
    }
    let changing = bridge
        .intercom
        .requests()
        .into_iter()
        .filter(|logged| logged.method != "GET" && logged.path != "/conversations/search");
    assert_eq!(changing.map(|logged| logged.path).collect::<Vec<_>>(), Vec::<String>::new());
    let decisions = bridge.office.store().decisions(bridge.record(&asked).await.id).await.unwrap();
    assert_eq!(decisions[0].decided.act, "reply");
    assert!(decisions[0].decided.draft.is_some(), "what it would have said is kept here");
}

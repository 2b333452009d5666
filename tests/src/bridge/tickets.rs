//! Conversations of which rules make tickets.

use super::{Bridge, RULES, client};
use crate::{Bench, Rules, intercom::Mishap, office::UNSURE};
use bot::Place;
use intercom::{
    Mode, Region,
    connect::{Expected, State, examine},
};
use jiff::SignedDuration;
use store::PostState;

/// What becomes a ticket, and goes to people.
const CRASH: &str = "Your app crashes whenever I open it";

fn rules(kind: &str) -> String {
    let rule = format!(
        "when = 'message.text.mentions(\"crashes\")'\nthen = {{ ticket = {kind:?}, tags = [\"bug\"] }}"
    );
    format!("{RULES}\n[[rule]]\nname = \"Crashes are bugs\"\n{rule}\n")
}

async fn with_tickets(kind: &str) -> Bridge {
    Bridge::with(Bench::open(Rules::Text(&rules(kind)), UNSURE).await, Mode::Live).await
}

impl Bridge {
    /// How often a ticket was asked for there.
    fn n_made(&self) -> usize {
        let requests = self.intercom.requests();
        requests.iter().filter(|logged| logged.path.ends_with("/convert")).count()
    }

    async fn ticket_ends(&self) -> Vec<String> {
        let ends = self.ends().await.into_iter();
        ends.filter_map(|end| end.strip_prefix("ticket ").map(str::to_string)).collect()
    }
}

#[tokio::test]
async fn a_conversation_becomes_a_ticket_once_before_the_customer_hears_of_people() {
    let bridge = with_tickets("bug report").await;
    let id = bridge.ask(CRASH).await;
    bridge.settle_all().await;
    assert!(bridge.there(&id).ticket.is_some(), "{:?}", bridge.ends().await);
    assert_eq!(bridge.ticket_ends().await, ["sent: made a ticket"]);
    assert!(bridge.told(&id).await.iter().any(|line| line.starts_with("ticketed")));
    let kinds: Vec<String> = bridge.posts().await.into_iter().map(|post| post.kind).collect();
    let at = |kind: &str| kinds.iter().position(|known| known == kind).unwrap();
    assert!(at("assign") < at("ticket") && at("ticket") < at("reply"), "{kinds:?}");
    let asked = bridge.intercom.requests();
    let made = asked.iter().find(|logged| logged.path.ends_with("/convert")).unwrap();
    assert_eq!(made.body["attributes"]["_default_title_"], CRASH);
    // The rule fits again: it stays the one ticket.
    bridge.intercom.customer_replies(&id, "And it crashes again");
    bridge.settle_all().await;
    assert_eq!(bridge.n_made(), 1, "{:?}", bridge.ends().await);
}

#[tokio::test]
async fn an_answer_that_is_lost_or_late_makes_no_second_ticket() {
    for mishap in [
        Mishap::LostAnswer,
        Mishap::FailingAfter(504),
        Mishap::LateEffect(20),
        Mishap::LostRequest,
        Mishap::Failing(503),
    ] {
        let bridge = with_tickets("Bug report").await;
        bridge.intercom.once("/convert", mishap);
        let id = bridge.ask(CRASH).await;
        bridge.settle_all().await;
        assert!(bridge.there(&id).ticket.is_some(), "{mishap:?}");
        let is_there =
            matches!(mishap, Mishap::LostAnswer | Mishap::FailingAfter(_) | Mishap::LateEffect(_));
        let expected = if is_there { "sent: is a ticket already" } else { "sent: made a ticket" };
        assert_eq!(bridge.ticket_ends().await, [expected], "{mishap:?}");
        assert_eq!(bridge.n_made(), if is_there { 1 } else { 2 }, "{mishap:?}");
        assert!(bridge.posts().await.iter().all(|post| post.state == PostState::Sent));
    }
}

#[tokio::test]
async fn a_kind_of_ticket_that_is_not_there_is_told_and_keeps_nothing_else_back() {
    for kind in ["Complaint", "Internal work"] {
        let bridge = with_tickets(kind).await;
        let id = bridge.ask(CRASH).await;
        bridge.settle_all().await;
        assert_eq!(bridge.n_made(), 0);
        let ends = bridge.ticket_ends().await;
        assert!(ends[0].starts_with("failed: intercom has no such ticket type"), "{ends:?}");
        assert_eq!(bridge.there(&id).team_assignee.as_ref(), Some(&bridge.support));
        let store = bridge.office.store().clone();
        let client = client(&bridge.bench, &bridge.intercom, &store);
        let desk = bridge.office.desk();
        let expected = Expected { policy: desk.policy(), seat: None, region: Region::Us };
        let findings = examine(&client, &expected).await.findings;
        let found = findings.iter().find(|finding| finding.part == "tickets").unwrap();
        assert_eq!(found.state, State::Bad);
        assert_eq!(found.what, format!("customers have no ticket type {kind}"));
        assert_eq!(found.mend, "write `ticket` of the rule as one of: \"Bug report\"");
    }
}

#[tokio::test]
async fn a_channel_without_tickets_says_so_in_the_trace() {
    let bench = Bench::open(Rules::Text(&rules("Bug report")), UNSURE).await;
    let customer = bench.visitor().await;
    let record = bench.say(&customer, Place::New, CRASH).await;
    bench.pass(SignedDuration::from_secs(1));
    let decisions = bench.office.store().decisions(record.id).await.unwrap();
    let trace = &decisions[0].decided.trace;
    assert_eq!(trace["ticket"], "Bug report");
    assert_eq!(trace["not_done"][0], "ticket: the channel has no tickets");
}

use crate::desk::{Desk, slug};
use jiff::SignedDuration;
use serde_json::json;
use std::convert::Infallible;
use store::{Actor, Audit, Customer, Guard, Id, Identity, Label, NewDecision, Verdict};

const QUESTION: &str = "Where can I download last month's invoice as a PDF?";
const PAGE: &str = "https://app.vannerly.example/settings/billing";

/// Returns where the link to older ones leads.
fn older(page: &str) -> Option<String> {
    let (_, rest) = page.split_once("<p class=\"more\"><a href=\"")?;
    let (href, _) = rest.split_once('"')?;
    Some(href.replace("&amp;", "&").replace("&#38;", "&"))
}

#[tokio::test]
async fn the_audit_log_is_read_to_its_beginning() {
    let desk = Desk::open().await;
    let (store, now) = (desk.bench.office.store(), desk.bench.office.now());
    let erased = Id::<Customer>::new(now).to_string();
    for n in 0..150 {
        let audit = Audit {
            actor: Actor::Program("crm".into()),
            action: "customer.erased".into(),
            subject: erased.clone(),
            detail: json!({ "turn": format!("no{n}.") }),
        };
        store.note(&audit, now).await.unwrap();
    }
    let lena = desk.signed_in("lena-brandt").await;
    let mut path = format!("/inbox/audit?subject={erased}");
    let mut seen = String::new();
    loop {
        let page = lena.get(&path).await.text;
        seen += &page;
        let Some(next) = older(&page) else { break };
        path = next;
    }
    for n in 0..150 {
        assert_eq!(seen.matches(&format!("turn: no{n}.")).count(), 1, "{n}");
    }
    let nowhere = format!("/inbox/conversations/{erased}");
    assert!(!seen.contains(&nowhere), "a customer is no conversation");
}

#[tokio::test]
async fn what_is_judged_is_not_shown_again_however_long_ago_it_was() {
    let desk = Desk::with(5.0).await;
    let id = desk.ask(None, QUESTION, PAGE).await;
    let (store, now) = (desk.bench.office.store(), desk.bench.office.now());
    let first = store.decisions(id).await.unwrap().remove(0);
    let label = |decision| Label {
        decision,
        teammate: slug("lena-brandt"),
        verdict: Verdict::Approved,
        sent: None,
    };
    for n in 0..=1_000 {
        let at = now + SignedDuration::from_millis(n);
        let new = NewDecision { id: Id::new(at), ..first.decided.clone() };
        let judged = if n == 0 { first.id } else { new.id };
        let change = store.change(id, Guard::None, at, |_, change| {
            change.labels.push(label(judged));
            change.decision = (n > 0).then_some(new);
            Ok::<(), Infallible>(())
        });
        change.await.unwrap().unwrap();
    }
    let lena = desk.signed_in("lena-brandt").await;
    let mut path = "/inbox/judge".to_string();
    loop {
        let page = lena.get(&path).await.text;
        assert!(!page.contains("<article"), "{path} shows what is judged");
        let Some(next) = older(&page) else {
            assert!(page.contains("Everything is judged"), "{page}");
            break;
        };
        assert!(page.contains("there may be older answers"), "{page}");
        path = next;
    }
}

#[tokio::test]
async fn whoever_reads_a_whole_conversation_keeps_it_when_something_is_said() {
    let desk = Desk::open().await;
    let id = desk.ask(None, QUESTION, PAGE).await;
    let browser = desk.signed_in("sabine-krueger").await;
    let again = format!("hx-get=\"/inbox/conversations/{id}/timeline?all=true\"");
    for path in ["?all=true", "/timeline?all=true"] {
        let text = browser.get(&format!("/inbox/conversations/{id}{path}")).await.text;
        assert!(text.contains(&again), "{path}");
    }
    assert!(!browser.get(&format!("/inbox/conversations/{id}")).await.text.contains(&again));
}

#[tokio::test]
async fn a_rating_stands_in_the_timeline_with_what_was_said_about_it() {
    let desk = Desk::open().await;
    let id = desk.ask(None, QUESTION, PAGE).await;
    let browser = desk.signed_in("sabine-krueger").await;
    let deed = format!("/inbox/conversations/{id}/deed");
    assert_eq!(browser.part(&deed, &[("deed", "close")]).await.status, 204);
    let customer = desk.record(id).await.customer;
    let rating = (2, Some("Two days <img src=x>, really?".to_string()));
    assert!(desk.bench.office.rate(id, customer, rating).await.unwrap());
    let page = browser.get(&format!("/inbox/conversations/{id}")).await.text;
    assert!(page.contains("The customer rated it 2 of 5"), "{page}");
    assert!(page.contains("Two days &#60;img src=x&#62;, really?"), "{page}");
    assert_eq!(page.matches("Two days").count(), 1);
}

#[tokio::test]
async fn a_name_that_nobody_has_proven_is_marked() {
    let desk = Desk::open().await;
    let id = desk.ask(Some("Ada Lovelace"), QUESTION, PAGE).await;
    let browser = desk.signed_in("sabine-krueger").await;
    let path = format!("/inbox/conversations/{id}");
    let page = browser.get(&path).await.text;
    assert!(page.contains(">not proven</span>") && page.contains("it may be anybody"), "{page}");

    let store = desk.bench.office.store();
    let stranger = store.customer(desk.record(id).await.customer).await.unwrap();
    let identity = Identity { realm: "desk".into(), external_id: "u-1".into() };
    let ada =
        Customer { id: Id::new(desk.bench.office.now()), identity: Some(identity), ..stranger };
    let ada = store.keep_customer(&ada).await.unwrap();
    let visitor = desk.record(id).await.customer;
    desk.bench.office.bring_along(visitor, ada.id).await.unwrap();
    let page = browser.get(&path).await.text;
    assert!(page.contains("proven by your own systems") && !page.contains("not proven"), "{page}");
    assert!(page.contains("signed in; what stands above was written before that"), "{page}");
}

#[tokio::test]
async fn canned_replies_are_filled_in_before_they_are_chosen() {
    let desk = Desk::open().await;
    let browser = desk.signed_in("sabine-krueger").await;
    for (name, greeting) in [(Some("Ada"), "Hello Ada!"), (None, "Hello there!")] {
        let id = desk.ask(name, QUESTION, PAGE).await;
        let path = format!("/inbox/conversations/{id}");
        let page = browser.get(&path).await.text;
        assert!(page.contains("Canned replies") && page.contains(greeting), "{page}");
        let chosen = browser.get(&format!("{path}?canned=maintenance")).await.text;
        let (_, box_of) = chosen.split_once("<textarea").unwrap();
        assert!(box_of.split("</textarea>").next().unwrap().contains(greeting), "{chosen}");
    }
}

#[tokio::test]
async fn a_session_ends_after_its_hours_however_busy_it_was() {
    let desk = Desk::open().await;
    let browser = desk.signed_in("lena-brandt").await;
    for _ in 0..11 {
        desk.bench.pass(SignedDuration::from_hours(1));
        assert_eq!(browser.get("/inbox/me").await.status, 200);
    }
    desk.bench.pass(SignedDuration::from_hours(1));
    assert_eq!(browser.get("/inbox/me").await.goes_to(), "/inbox/sign-in");
}

use crate::desk::{Desk, slug};
use jiff::SignedDuration;
use router::{Owner, Priority, Status};
use store::{Actor, Content, Page, Verdict};

const QUESTION: &str = "Where can I download last month's invoice as a PDF?";
const PAGE: &str = "https://app.vannerly.example/settings/billing";

#[tokio::test]
async fn a_question_waits_in_its_team_s_queue_with_the_bot_s_draft() {
    let desk = Desk::open().await;
    let id = desk.ask(Some("Ada Lovelace"), QUESTION, PAGE).await;
    let record = desk.record(id).await;
    let Owner::Team(team) = record.state.owner() else { panic!("{record:?}") };
    let browser = desk.signed_in("sabine-krueger").await;
    let list = browser.get(&format!("/inbox/lists/team-{team}")).await.text;
    for shown in ["Ada Lovelace", "Where can I download", "waits", "First reply"] {
        assert!(list.contains(shown), "{shown} in {list}");
    }
    let page = browser.get(&format!("/inbox/conversations/{id}")).await.text;
    for shown in [
        "The bot’s draft",
        "% sure",
        "likely wrong",
        "Use this draft",
        "Rohrbruch GmbH",
        "gold",
        PAGE,
        "Why this route",
        "Rules that fired",
    ] {
        assert!(page.contains(shown), "{shown} in {page}");
    }
}

#[tokio::test]
async fn a_draft_that_is_sent_as_it_is_becomes_an_approval() {
    let desk = Desk::open().await;
    let id = desk.ask(None, QUESTION, PAGE).await;
    let store = desk.bench.office.store();
    let decided = store.decisions(id).await.unwrap().pop().unwrap();
    let (decision, draft) = (decided.id.to_string(), decided.decided.draft.unwrap());
    let browser = desk.signed_in("sabine-krueger").await;
    let filled = browser.get(&format!("/inbox/conversations/{id}?draft={decision}")).await;
    assert_eq!(filled.field("draft").as_deref(), Some(decision.as_str()));
    let seen = filled.field("seen").unwrap();
    // Browsers end lines of a text area with two characters.
    let text = draft.replace('\n', "\r\n");
    let fields =
        [("kind", "reply"), ("text", text.as_str()), ("seen", &seen), ("draft", &decision)];
    let said = browser.part(&format!("/inbox/conversations/{id}/say"), &fields).await;
    assert_eq!(said.status, 200, "{}", said.text);
    assert!(said.headers["hx-trigger"].to_str().unwrap().contains("conversation-changed"));
    let label = store.labels(&Page { before: None, limit: 5 }).await.unwrap().remove(0).1;
    assert_eq!((label.verdict, label.teammate), (Verdict::Approved, slug("sabine-krueger")));
    let record = desk.record(id).await;
    let holds = matches!(record.state.owner(), Owner::Teammate { teammate, .. } if teammate.as_str() == "sabine-krueger");
    assert!(holds, "{record:?}");
    let mine = browser.get("/inbox/lists/mine").await.text;
    assert!(mine.contains(&format!("/inbox/conversations/{id}")));
    let page = browser.get(&format!("/inbox/conversations/{id}")).await.text;
    assert!(!page.contains("Use this draft"));
}

#[tokio::test]
async fn whoever_is_overtaken_sees_what_was_written_and_keeps_the_text() {
    let desk = Desk::open().await;
    let id = desk.ask(None, QUESTION, PAGE).await;
    let path = format!("/inbox/conversations/{id}/say");
    let (sabine, lena) =
        (desk.signed_in("sabine-krueger").await, desk.signed_in("lena-brandt").await);
    let seen = sabine.get(&format!("/inbox/conversations/{id}")).await.field("seen").unwrap();
    let say = |text: &'static str, seen: String| {
        [("kind", "reply"), ("text", text), ("seen", Box::leak(seen.into_boxed_str()))]
    };
    assert_eq!(lena.part(&path, &say("Lena was **faster**.", seen.clone())).await.status, 200);
    let refused = sabine.part(&path, &say("Sabine's words.", seen.clone())).await;
    assert_eq!(refused.status, 409);
    for shown in ["Not sent", "Lena was <strong>faster</strong>", "Sabine&#39;s words."] {
        assert!(refused.text.contains(shown), "{shown} in {}", refused.text);
    }
    let whole = sabine.post(&path, &say("Sabine's words.", seen)).await;
    assert_eq!(whole.status, 409);
    assert!(whole.text.contains("</html>") && whole.text.contains("Not sent"));
    let now = refused.field("seen").unwrap();
    assert_eq!(sabine.part(&path, &say("Sabine's words.", now)).await.status, 200);
    let entries = desk.bench.office.store().last_entries(id, 50).await.unwrap();
    let by_people = entries.iter().filter(|e| matches!(e.content, Content::Teammate { .. }));
    assert_eq!(by_people.count(), 2);
}

#[tokio::test]
async fn a_note_is_no_reply_and_an_empty_one_is_none() {
    let desk = Desk::open().await;
    let id = desk.ask(None, QUESTION, PAGE).await;
    let path = format!("/inbox/conversations/{id}/say");
    let browser = desk.signed_in("sabine-krueger").await;
    let empty = browser.part(&path, &[("kind", "note"), ("text", "  ")]).await;
    assert_eq!(empty.status, 422);
    assert!(empty.text.contains("Not sent: the message is empty"), "{}", empty.text);
    let note = browser.part(&path, &[("kind", "note"), ("text", "Ask *Oisín*.")]).await;
    assert_eq!(note.status, 200);
    let odd = browser.part(&path, &[("kind", "shout"), ("text", "x")]).await;
    assert_eq!(odd.status, 422);
    assert_eq!(odd.headers["hx-retarget"], "#notice");
    let entries = desk.bench.office.store().last_entries(id, 5).await.unwrap();
    let last = &entries.last().unwrap().content;
    assert!(
        matches!(last, Content::Note { by: Actor::Teammate(_), text } if text == "Ask *Oisín*.")
    );
    let page = browser.get(&format!("/inbox/conversations/{id}/timeline")).await.text;
    assert!(page.contains("note for teammates") && page.contains("<em>Oisín</em>"));
}

#[tokio::test]
async fn what_can_be_done_is_done_in_the_teammate_s_name() {
    let desk = Desk::open().await;
    let id = desk.ask(None, QUESTION, PAGE).await;
    let path = format!("/inbox/conversations/{id}/deed");
    let browser = desk.signed_in("sabine-krueger").await;
    let deed = async |fields: &[(&str, &str)]| browser.part(&path, fields).await.status;
    assert_eq!(deed(&[("deed", "claim")]).await, 204);
    let record = desk.record(id).await;
    assert!(
        matches!(record.state.owner(), Owner::Teammate { team, by_person: true, .. } if team.as_str() == "billing")
    );
    assert_eq!(deed(&[("deed", "tag"), ("tag", " late ")]).await, 204);
    assert_eq!(deed(&[("deed", "tag"), ("tag", "")]).await, 422);
    assert_eq!(deed(&[("deed", "prioritise"), ("priority", "urgent")]).await, 204);
    assert_eq!(deed(&[("deed", "prioritise"), ("priority", "most")]).await, 422);
    let record = desk.record(id).await;
    assert!(record.tags.contains("late") && record.priority == Priority::Urgent);
    assert_eq!(deed(&[("deed", "untag"), ("tag", "late")]).await, 204);
    assert_eq!(deed(&[("deed", "assign"), ("to", "technical/anna-kowalska")]).await, 204);
    assert_eq!(deed(&[("deed", "assign"), ("to", "technical/nobody")]).await, 422);
    assert_eq!(deed(&[("deed", "assign"), ("to", "nothing")]).await, 422);
    assert_eq!(deed(&[("deed", "snooze"), ("rest", "tomorrow")]).await, 204);
    let record = desk.record(id).await;
    assert_eq!(record.state.status(), Status::Snoozed);
    assert_eq!(record.snoozed_until.unwrap().to_string(), "2026-11-19T08:00:00Z");
    assert!(browser.get("/inbox/lists/snoozed").await.text.contains(&id.to_string()));
    assert_eq!(deed(&[("deed", "hand_back")]).await, 204);
    assert_eq!(deed(&[("deed", "close")]).await, 204);
    assert_eq!(deed(&[("deed", "close")]).await, 409);
    assert_eq!(desk.record(id).await.state.status(), Status::Closed);
    assert!(browser.get("/inbox/lists/closed").await.text.contains(&id.to_string()));
    let store = desk.bench.office.store();
    let audit =
        store.audit(Some(&id.to_string()), &Page { before: None, limit: 50 }).await.unwrap();
    let by_sabine =
        audit.iter().filter(|entry| entry.audit.actor == Actor::Teammate(slug("sabine-krueger")));
    assert_eq!(by_sabine.count(), 8);
}

#[tokio::test]
async fn a_stale_page_takes_no_conversation_from_a_colleague() {
    let desk = Desk::open().await;
    let id = desk.ask(None, QUESTION, PAGE).await;
    let path = format!("/inbox/conversations/{id}/deed");
    let (sabine, lena) =
        (desk.signed_in("sabine-krueger").await, desk.signed_in("lena-brandt").await);
    let stale = lena.get(&format!("/inbox/conversations/{id}")).await;
    let held_by = stale.field("held_by").unwrap();
    assert_eq!(sabine.part(&path, &[("deed", "claim"), ("held_by", "")]).await.status, 204);
    let claim =
        async |held_by: &str| lena.part(&path, &[("deed", "claim"), ("held_by", held_by)]).await;
    let refused = claim(&held_by).await;
    assert_eq!(refused.status, 409);
    assert!(refused.text.contains("Sabine"), "{}", refused.text);
    let holder = async || match desk.record(id).await.state.owner() {
        Owner::Teammate { teammate, .. } => teammate.to_string(),
        other => format!("{other:?}"),
    };
    assert_eq!(holder().await, "sabine-krueger");
    let fresh = lena.get(&format!("/inbox/conversations/{id}")).await;
    assert_eq!(claim(&fresh.field("held_by").unwrap()).await.status, 204);
    assert_eq!(holder().await, "lena-brandt");
}

#[tokio::test]
async fn a_lead_judges_answers_of_the_bot_and_each_leaves_the_page() {
    let desk = Desk::with(5.0).await;
    let id = desk.ask(None, QUESTION, PAGE).await;
    let lena = desk.signed_in("lena-brandt").await;
    let page = lena.get("/inbox/judge").await;
    assert!(page.text.contains("invoice") && page.text.contains("99 % sure"), "{}", page.text);
    let decision = page.field("decision").unwrap();
    let fields = [("deed", "judge"), ("decision", decision.as_str()), ("verdict", "wrong")];
    let path = format!("/inbox/conversations/{id}/deed");
    let sabine = desk.signed_in("sabine-krueger").await;
    for verdict in ["approved", "wrong"] {
        let fields = [("deed", "judge"), ("decision", decision.as_str()), ("verdict", verdict)];
        assert_eq!(sabine.part(&path, &fields).await.status, 403, "{verdict}");
    }
    assert_eq!(lena.part(&path, &fields).await.status, 204);
    assert!(lena.get("/inbox/judge").await.text.contains("Everything is judged"));
    let page = Page { before: None, limit: 5 };
    let labels = desk.bench.office.store().labels(&page).await.unwrap();
    assert_eq!(labels[0].1.verdict, Verdict::Wrong);
    let other = desk.ask(None, QUESTION, PAGE).await;
    let elsewhere = lena.part(&format!("/inbox/conversations/{other}/deed"), &fields).await;
    assert_eq!(elsewhere.status, 404);
}

#[tokio::test]
async fn presence_follows_the_inbox_and_the_switch() {
    let desk = Desk::open().await;
    let here = async || {
        let office = &desk.bench.office;
        let roster = office.store().roster(office.present_since()).await.unwrap();
        roster[&slug("sabine-krueger")].available
    };
    let browser = desk.signed_in("sabine-krueger").await;
    assert!(here().await);
    assert_eq!(browser.part("/inbox/me/away", &[("away", "true")]).await.status, 204);
    assert!(!here().await);
    assert!(browser.get("/inbox/nav").await.text.contains("Come back"));
    assert_eq!(browser.part("/inbox/me/away", &[("away", "false")]).await.status, 204);
    assert!(here().await);
    desk.bench.pass(SignedDuration::from_secs(120));
    assert!(!here().await);
    browser.get("/inbox/nav").await;
    assert!(here().await);
}

#[tokio::test]
async fn conversations_are_found_by_words_and_where_they_stand() {
    let desk = Desk::open().await;
    let id = desk.ask(Some("Ada"), QUESTION, PAGE).await.to_string();
    let browser = desk.signed_in("sabine-krueger").await;
    let found =
        async |query: &str| browser.get(&format!("/inbox/search?{query}")).await.text.contains(&id);
    assert!(found("q=invoi%20down").await);
    assert!(!found("q=invoice%20pineapple").await);
    assert!(found("q=invoice&status=open").await);
    assert!(!found("q=invoice&status=closed").await);
    assert!(!found("tag=nothing").await);
    assert!(!found("").await);
    for odd in ["q=%22%27%25*", "q=%00", "status=x&team=%3Cb%3E", "before=x&q=a", "q=%F0%9F"] {
        let reply = browser.get(&format!("/inbox/search?{odd}")).await;
        assert!(matches!(reply.status, 200 | 400), "{odd}: {}", reply.status);
    }
}

#[tokio::test]
async fn whoever_listens_hears_what_changes() {
    let desk = Desk::open().await;
    let browser = desk.signed_in("sabine-krueger").await;
    let mut stream = browser.listen().await;
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let mut heard = String::new();
    // The first beat comes at once: from then on nothing is missed.
    while !heard.contains("event: beat") {
        heard += &String::from_utf8_lossy(&stream.chunk().await.unwrap().unwrap());
    }
    let id = desk.ask(Some("Ada"), QUESTION, PAGE).await;
    let expected = format!("event: changed\ndata: {{\"conversation\":\"{id}\"");
    while !heard.contains(&expected) {
        heard += &String::from_utf8_lossy(&stream.chunk().await.unwrap().unwrap());
    }
    assert!(!heard.contains("Ada") && !heard.contains("invoice"), "{heard}");
}

use crate::site::{Site, client_id};
use bot::Deed;
use serde_json::{Value as Json, json};
use store::{Actor, Id};

fn lines(reading: &Json) -> &Vec<Json> {
    reading["lines"].as_array().unwrap()
}

#[tokio::test]
async fn a_question_is_answered_with_its_sources() {
    let site = Site::open().await;
    let token = site.visitor().await;
    let conversation = site.ask(&token, "Can I pay with PayPal?").await;
    let path = format!("/conversations/{conversation}");
    let before = site.get(&token, &path).await.body;
    assert_eq!(before["conversation"]["typing"], true);
    assert_eq!(before["conversation"]["with"]["kind"], "bot");
    assert_eq!(lines(&before)[0]["text"], "Can I pay with PayPal?");
    site.bench.office.run_until_idle().await.unwrap();
    let after = site.get(&token, &path).await.body;
    assert_eq!(after["conversation"]["typing"], false);
    let answer = lines(&after).iter().find(|line| line["kind"] == "message").unwrap();
    assert!(answer["html"].as_str().unwrap().starts_with("<p>"), "{answer}");
    assert_eq!(answer["sources"][0]["title"], "Ways to pay", "{answer}");
    let next = site.get(&token, &format!("{path}?after={}", after["next"])).await.body;
    assert_eq!(lines(&next).len(), 0);
}

#[tokio::test]
async fn a_message_that_is_sent_again_is_taken_once() {
    let site = Site::open().await;
    let token = site.visitor().await;
    let body = json!({"client_id": client_id(), "text": "Can I pay with PayPal?"});
    let first = site.post(&token, "/messages", &body).await.body;
    let again = site.post(&token, "/messages", &body).await.body;
    assert_eq!((&first["repeated"], &again["repeated"]), (&json!(false), &json!(true)));
    assert_eq!(first["conversation"], again["conversation"]);
    assert_eq!(first["number"], again["number"]);
    // Another visitor's message may have the same name.
    let other = site.visitor().await;
    let theirs = site.post(&other, "/messages", &body).await.body;
    assert_eq!(theirs["repeated"], false);
    assert_ne!(theirs["conversation"], first["conversation"]);
}

#[tokio::test]
async fn nobody_reads_or_writes_another_s_conversation() {
    let site = Site::open().await;
    let (ada, eve) = (site.visitor().await, site.visitor().await);
    let conversation = site.ask(&ada, "Can I pay with PayPal?").await;
    let path = format!("/conversations/{conversation}");
    let not_found = (404, "not_found");
    assert_eq!(site.get(&eve, &path).await.refusal(), not_found);
    assert_eq!(site.get(&eve, &format!("{path}/events")).await.refusal(), not_found);
    let rating = json!({"stars": 1});
    let rated = site.post(&eve, &format!("{path}/rating"), &rating).await;
    assert_eq!(rated.refusal(), not_found);
    let message = json!({"conversation": conversation, "client_id": client_id(), "text": "hi"});
    assert_eq!(site.post(&eve, "/messages", &message).await.refusal(), not_found);
    assert_eq!(site.get(&eve, "/conversations").await.body["conversations"], json!([]));
    // What exists and what does not look alike.
    let nowhere: Id<store::Record> = Id::new(site.bench.office.now());
    let unknown = site.get(&eve, &format!("/conversations/{nowhere}")).await;
    assert_eq!(unknown.body, site.get(&eve, &path).await.body);
    assert_eq!(site.get(&eve, "/conversations/..%2f..").await.refusal(), not_found);
    assert_eq!(lines(&site.get(&ada, &path).await.body).len(), 1);
}

#[tokio::test]
async fn a_teammate_is_named_and_notes_are_not_shown() {
    let site = Site::open().await;
    let token = site.visitor().await;
    let conversation = site.ask(&token, "I want to talk to a person").await;
    let office = &site.bench.office;
    office.run_until_idle().await.unwrap();
    let id = conversation.parse().unwrap();
    let desk = office.desk();
    let team = desk.policy().teams().iter().find(|team| !team.members.is_empty()).unwrap();
    let member = &team.members[0];
    let by = Actor::Teammate(member.slug.clone());
    office.act(id, &by, Deed::Note { text: "seems upset".into() }).await.unwrap();
    let reply = Deed::Reply { text: "Hello, **I** am here".into(), seen: None, draft: None };
    office.act(id, &by, reply).await.unwrap();
    let reading = site.get(&token, &format!("/conversations/{conversation}")).await.body;
    assert!(!reading.to_string().contains("upset"));
    assert!(reading["conversation"]["people"]["open"].is_boolean());
    assert_eq!(reading["conversation"]["with"], json!({"kind": "teammate", "name": member.name}));
    let last = lines(&reading).iter().rfind(|line| line["kind"] == "message").unwrap();
    assert_eq!(last["from"], json!({"kind": "teammate", "name": member.name}));
    assert_eq!(last["html"].as_str().unwrap().trim(), "<p>Hello, <strong>I</strong> am here</p>");
    assert!(lines(&reading).iter().any(|line| line["what"] == "handed_off"));
}

#[tokio::test]
async fn an_ended_conversation_is_rated_once_an_episode() {
    let site = Site::open().await;
    let token = site.visitor().await;
    let conversation = site.ask(&token, "Can I pay with PayPal?").await;
    let office = &site.bench.office;
    office.run_until_idle().await.unwrap();
    let path = format!("/conversations/{conversation}");
    assert_eq!(site.get(&token, &path).await.body["conversation"]["ratable"], false);
    let by = Actor::Program("test".into());
    office.act(conversation.parse().unwrap(), &by, Deed::Close { seen: None }).await.unwrap();
    let ended = site.get(&token, &path).await.body["conversation"].clone();
    assert_eq!((&ended["status"], &ended["ratable"]), (&json!("closed"), &json!(true)));
    let rate = async |stars: u8| {
        let rating = json!({"stars": stars, "comment": "quick"});
        site.post(&token, &format!("{path}/rating"), &rating).await
    };
    assert_eq!(rate(0).await.refusal(), (422, "invalid"));
    assert_eq!(rate(6).await.refusal(), (422, "invalid"));
    assert_eq!(rate(4).await.body["counted"], true);
    assert_eq!(rate(1).await.body["counted"], false);
    assert_eq!(site.get(&token, &path).await.body["conversation"]["ratable"], false);
    let again = json!({"conversation": conversation, "client_id": client_id(), "text": "Again"});
    assert_eq!(site.post(&token, "/messages", &again).await.status, 200);
    office.run_until_idle().await.unwrap();
    office.act(conversation.parse().unwrap(), &by, Deed::Close { seen: None }).await.unwrap();
    assert_eq!(site.get(&token, &path).await.body["conversation"]["ratable"], true);
}

#[tokio::test]
async fn articles_are_suggested_to_whoever_types_and_nothing_is_kept() {
    let site = Site::open().await;
    let found = site.post("", "/suggestions", &json!({"text": "pay with PayPal"})).await.body;
    let articles = found["articles"].as_array().unwrap();
    assert!((1..=3).contains(&articles.len()), "{found}");
    assert!(articles[0]["title"].as_str().unwrap().len() > 3);
    assert!(articles.iter().all(|a| a["url"].as_str().unwrap().starts_with("http")));
    let nothing = site.post("", "/suggestions", &json!({"text": "p"})).await.body;
    assert_eq!(nothing["articles"], json!([]));
    let page = store::Page { before: None, limit: 10 };
    assert_eq!(site.bench.office.store().customers(None, &page).await.unwrap(), []);
}

#[tokio::test]
async fn a_visitor_sees_the_last_conversation_only() {
    let site = Site::open().await;
    let token = site.visitor().await;
    site.ask(&token, "Can I pay with PayPal?").await;
    site.bench.pass(jiff::SignedDuration::from_secs(5));
    let last = site.ask(&token, "How do I cancel?").await;
    let list = site.get(&token, "/conversations").await.body;
    let ids: Vec<_> = list["conversations"].as_array().unwrap().iter().map(|c| &c["id"]).collect();
    assert_eq!(ids, [&json!(last)]);
}

#[tokio::test]
async fn the_page_is_kept_when_it_is_one() {
    let site = Site::open().await;
    let token = site.visitor().await;
    let sent = async |page: &str| {
        let body = json!({"client_id": client_id(), "text": "Hello there", "page": page});
        let id = site.post(&token, "/messages", &body).await.body["conversation"].clone();
        let id = id.as_str().unwrap().parse().unwrap();
        site.bench.office.store().conversation(id).await.unwrap().page
    };
    let page = "https://www.example.com/prices";
    assert_eq!(sent(page).await.as_deref(), Some(page));
    assert_eq!(sent("javascript:alert(1)").await, None);
    assert_eq!(sent(&format!("https://x/{}", "y".repeat(3_000))).await, None);
}

use crate::site::{Site, client_id};
use reqwest::{Method, Response};
use serde_json::{Value as Json, json};
use std::{convert::Infallible, time::Duration};
use store::{Content, Guard, Id};

/// Longest wait for something that has to come; far above what it takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A stream as a browser reads it.
struct Following {
    response: Response,
    text: String,
}

impl Following {
    async fn new(site: &Site, token: &str, conversation: &str, last: &str) -> Self {
        let path = format!("/messenger/v1/conversations/{conversation}/events");
        let request = site.request(Method::GET, &path).bearer_auth(token);
        let response = request.header("last-event-id", last).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new() }
    }

    /// Returns the next event as id, name and data; None at the end.
    async fn next(&mut self) -> Option<(Option<i64>, String, Json)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    event.lines().find_map(|line| Some(line.strip_prefix(name)?.to_string()))
                };
                let event = field("event: ").map(|name| {
                    let data = serde_json::from_str(&field("data: ").unwrap()).unwrap();
                    (field("id: ").map(|id| id.parse().unwrap()), name, data)
                });
                self.text = rest.to_string();
                if event.is_some() {
                    return event;
                }
                continue;
            }
            let piece = tokio::time::timeout(PATIENCE, self.response.chunk()).await.unwrap();
            self.text.push_str(std::str::from_utf8(&piece.ok()??).unwrap());
        }
    }

    /// Reads on until an event is as wanted; returns the numbers of the lines on the way, its own
    /// included.
    async fn until(&mut self, wanted: impl Fn(&str, &Json) -> bool) -> (Vec<i64>, Json) {
        let mut numbers = Vec::new();
        loop {
            let (id, name, data) = self.next().await.unwrap();
            numbers.extend(id);
            if wanted(&name, &data) {
                return (numbers, data);
            }
        }
    }
}

fn is_answer(name: &str, data: &Json) -> bool {
    name == "line" && data["kind"] == "message"
}

#[tokio::test]
async fn whoever_follows_sees_the_bot_at_work_and_then_its_answer() {
    let site = Site::open().await;
    let token = site.visitor().await;
    let conversation = site.ask(&token, "Can I pay with PayPal?").await;
    let mut following = Following::new(&site, &token, &conversation, "").await;
    let (numbers, standing) = following.until(|name, _| name == "standing").await;
    assert_eq!((numbers, &standing["typing"]), (vec![1], &json!(true)));
    site.bench.office.run_until_idle().await.unwrap();
    following.until(is_answer).await;
    let (_, standing) = following.until(|name, _| name == "standing").await;
    assert_eq!(standing["typing"], false);
}

#[tokio::test]
async fn after_a_break_nothing_is_missing_and_nothing_comes_twice() {
    let site = Site::open().await;
    let token = site.visitor().await;
    let conversation = site.ask(&token, "Can I pay with PayPal?").await;
    let mut following = Following::new(&site, &token, &conversation, "").await;
    site.bench.office.run_until_idle().await.unwrap();
    let (mut seen, _) = following.until(is_answer).await;
    drop(following);
    let more = json!({"conversation": conversation, "client_id": client_id(), "text": "Thanks!"});
    assert_eq!(site.post(&token, "/messages", &more).await.status, 200);
    site.bench.office.run_until_idle().await.unwrap();
    let last = seen.last().unwrap().to_string();
    let mut again = Following::new(&site, &token, &conversation, &last).await;
    let (rest, _) = again.until(|name, _| name == "standing").await;
    seen.extend(rest);
    let path = format!("/conversations/{conversation}");
    let all = site.get(&token, &path).await.body;
    let all: Vec<i64> =
        all["lines"].as_array().unwrap().iter().map(|l| l["number"].as_i64().unwrap()).collect();
    assert_eq!(seen, all);
}

#[tokio::test]
async fn a_long_conversation_comes_whole_and_then_how_it_stands() {
    let site = Site::open().await;
    let token = site.visitor().await;
    let conversation = site.ask(&token, "Can I pay with PayPal?").await;
    let (store, now) = (site.bench.office.store(), site.bench.office.now());
    let many = store.change(conversation.parse().unwrap(), Guard::None, now, |_, change| {
        change.entries.extend((0..450).map(|n| {
            let content = Content::Customer { text: format!("line {n}"), client_id: None };
            (Id::new(now), content)
        }));
        Ok::<(), Infallible>(())
    });
    let Ok(()) = many.await.unwrap();
    let mut following = Following::new(&site, &token, &conversation, "").await;
    let (numbers, _) = following.until(|name, _| name == "standing").await;
    assert_eq!(numbers, (1..=451).collect::<Vec<i64>>());
}

#[tokio::test]
async fn streams_end_when_the_desk_stops_so_that_it_can() {
    let site = Site::open().await;
    let token = site.visitor().await;
    let conversation = site.ask(&token, "Can I pay with PayPal?").await;
    let mut following = Following::new(&site, &token, &conversation, "").await;
    following.until(|name, _| name == "standing").await;
    site.stopping.cancel();
    assert!(following.next().await.is_none());
    tokio::time::timeout(PATIENCE, site.served).await.unwrap().unwrap();
}

#[tokio::test]
async fn one_visitor_opens_so_many_streams_and_no_more() {
    let site = Site::open().await;
    let token = site.visitor().await;
    let conversation = site.ask(&token, "Can I pay with PayPal?").await;
    let mut open = Vec::new();
    for _ in 0..6 {
        open.push(Following::new(&site, &token, &conversation, "").await);
    }
    let path = format!("/conversations/{conversation}/events");
    let refused = site.get(&token, &path).await;
    assert_eq!(refused.refusal(), (429, "too_many_streams"));
    let other = site.visitor().await;
    let theirs = site.ask(&other, "Can I pay with PayPal?").await;
    Following::new(&site, &other, &theirs, "").await;
}

#[tokio::test]
async fn a_stream_of_a_conversation_that_went_to_another_ends() {
    let site = Site::open().await;
    let token = site.visitor().await;
    let conversation = site.ask(&token, "Can I pay with PayPal?").await;
    let mut following = Following::new(&site, &token, &conversation, "nonsense").await;
    following.until(|name, _| name == "standing").await;
    let hello = json!({"user_id": "17", "user_hash": crate::site::user_hash("17")});
    site.visit(&token, &hello).await;
    site.bench.office.run_until_idle().await.unwrap();
    assert!(following.next().await.is_none());
}

#[tokio::test]
async fn a_stream_tells_nothing_more_to_whoever_has_signed_out_elsewhere() {
    let site = Site::open().await;
    let hello = json!({"user_id": "17", "user_hash": crate::site::user_hash("17")});
    let (token, _) = site.visit("", &hello).await;
    let conversation = site.ask(&token, "Can I pay with PayPal?").await;
    let mut following = Following::new(&site, &token, &conversation, "").await;
    following.until(|name, _| name == "standing").await;
    // Another tab of the same browser, in which the page has signed its customer out.
    site.visit(&token, &json!({})).await;
    site.bench.office.run_until_idle().await.unwrap();
    assert!(following.next().await.is_none());
}

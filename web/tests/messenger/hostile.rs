use crate::site::{Site, client_id, settings};
use bot::Deed;
use reqwest::Method;
use serde_json::json;
use store::Actor;
use tests::{Bench, sample::HOSTILE_ARTICLES};

#[tokio::test]
async fn bodies_that_cannot_be_read_are_refused_in_words() {
    let site = Site::open().await;
    let token = site.visitor().await;
    let sent = async |kind: &str, body: Vec<u8>| {
        let request = site.request(Method::POST, "/messenger/v1/messages").bearer_auth(&token);
        let reply = Site::reply(request.header("content-type", kind).body(body)).await;
        let (status, code) = reply.refusal();
        (status, code.to_string())
    };
    let json = "application/json";
    let check = |found: (u16, String), status: u16, code: &str| {
        assert_eq!(found, (status, code.to_string()));
    };
    check(sent(json, b"{\"text\": ".to_vec()).await, 400, "unreadable");
    check(sent(json, b"".to_vec()).await, 400, "unreadable");
    check(
        sent(json, b"{\"text\": \"\xff\xfe\", \"client_id\": \"12345678\"}".to_vec()).await,
        400,
        "unreadable",
    );
    check(
        sent(json, b"{\"text\": \"\\ud800\", \"client_id\": \"12345678\"}".to_vec()).await,
        400,
        "unreadable",
    );
    check(sent(json, b"[]".to_vec()).await, 400, "unreadable");
    check(
        sent(json, b"{\"text\": 7, \"client_id\": \"12345678\"}".to_vec()).await,
        400,
        "unreadable",
    );
    check(sent(json, "[".repeat(100_000).into_bytes()).await, 400, "unreadable");
    check(sent(json, vec![b'a'; 200_000]).await, 413, "too_large");
    check(sent("text/plain", b"{}".to_vec()).await, 415, "not_json");
    check(sent("application/x-www-form-urlencoded", b"text=x".to_vec()).await, 415, "not_json");
}

#[tokio::test]
async fn messages_beyond_their_bounds_are_refused_and_nothing_is_kept() {
    let site = Site::open().await;
    let token = site.visitor().await;
    let bodies = [
        json!({"client_id": client_id(), "text": ""}),
        json!({"client_id": client_id(), "text": " \u{0}\n\u{7f} "}),
        json!({"client_id": client_id(), "text": "ä".repeat(8_001)}),
        json!({"client_id": "short", "text": "hi"}),
        json!({"client_id": "x".repeat(65), "text": "hi"}),
        json!({"client_id": "not/lawful!", "text": "hi"}),
    ];
    for body in bodies {
        assert_eq!(site.post(&token, "/messages", &body).await.refusal(), (422, "invalid"));
    }
    let list = site.get(&token, "/conversations").await.body;
    assert_eq!(list["conversations"], json!([]));
    let longest = json!({"client_id": client_id(), "text": "ä".repeat(8_000)});
    assert_eq!(site.post(&token, "/messages", &longest).await.status, 200);
}

#[tokio::test]
async fn control_characters_are_taken_out_and_writing_stays() {
    let site = Site::open().await;
    let token = site.visitor().await;
    let conversation = site.ask(&token, "a\u{0}b\r\nc\u{1b}[31m שלום 👩🏽‍🚀 \u{202e}x").await;
    let reading = site.get(&token, &format!("/conversations/{conversation}")).await.body;
    assert_eq!(reading["lines"][0]["text"], "ab\nc[31m שלום 👩🏽‍🚀 \u{202e}x");
}

#[tokio::test]
async fn markup_in_messages_never_becomes_markup_of_the_page() {
    let site = Site::open().await;
    let token = site.visitor().await;
    let hostile = "<img src=x onerror=alert(1)><script>alert(2)</script>";
    let conversation = site.ask(&token, hostile).await;
    let office = &site.bench.office;
    office.run_until_idle().await.unwrap();
    let desk = office.desk();
    let mate = desk.policy().teams().iter().find_map(|team| team.members.first()).unwrap();
    let by = Actor::Teammate(mate.slug.clone());
    let text = format!("{hostile} [x](javascript:alert(3)) [y](https://example.com/\"onx=\"1)");
    let reply = Deed::Reply { text, seen: None, draft: None };
    office.act(conversation.parse().unwrap(), &by, reply).await.unwrap();
    let reading = site.get(&token, &format!("/conversations/{conversation}")).await;
    // The customer's own words stay text, as they were; the script puts them in as text.
    assert_eq!(reading.body["lines"][0]["text"], hostile);
    assert_eq!(reading.headers["content-type"], "application/json");
    assert_eq!(reading.headers["x-content-type-options"], "nosniff");
    let lines = reading.body["lines"].as_array().unwrap();
    for html in lines.iter().filter_map(|line| line["html"].as_str()) {
        for forbidden in ["<img", "<script", "javascript:", "\"onx="] {
            assert!(!html.contains(forbidden), "{forbidden} in {html}");
        }
    }
}

#[tokio::test]
async fn markup_in_articles_never_becomes_markup_of_the_page() {
    let site = Site::on(Bench::with_articles(&HOSTILE_ARTICLES, 5.0).await, settings()).await;
    let question = "How do I pay with cowrie shells?";
    let lawful = |cited: &serde_json::Value| {
        // As text in JSON, which the script puts in as text; an address that acts is no address.
        let url = cited["url"].as_str();
        assert!(url.is_none_or(|url| url.starts_with("https://")), "{cited}");
        cited["title"].as_str().is_some_and(|title| title.contains("owrie shells"))
    };
    let suggested = site.post("", "/suggestions", &json!({"text": question})).await;
    assert_eq!(suggested.headers["content-type"], "application/json");
    let articles = suggested.body["articles"].as_array().unwrap();
    assert!(articles.iter().filter(|article| lawful(article)).count() > 0, "{articles:#?}");
    let token = site.visitor().await;
    let conversation = site.ask(&token, question).await;
    site.bench.office.run_until_idle().await.unwrap();
    let reading = site.get(&token, &format!("/conversations/{conversation}")).await.body;
    let lines = reading["lines"].as_array().unwrap();
    let answer = lines.iter().find(|line| line["kind"] == "message").unwrap();
    let sources = answer["sources"].as_array().unwrap();
    assert!(sources.iter().filter(|source| lawful(source)).count() > 0, "{answer:#}");
    let html = answer["html"].as_str().unwrap();
    assert!(html.contains("cowrie shells"), "{html}");
    for forbidden in ["<img", "<script", "<svg", "javascript:", "\"><"] {
        assert!(!html.contains(forbidden), "{forbidden} in {html}");
    }
}

#[tokio::test]
async fn a_visitor_who_sends_too_much_is_told_when_to_go_on() {
    let site = Site::with(web::Settings { limit_per_minute: 3, ..settings() }).await;
    let (token, other) = (site.visitor().await, site.visitor().await);
    let send = async |token: &str| {
        let body = json!({"client_id": client_id(), "text": "Hello there"});
        site.post(token, "/messages", &body).await
    };
    for _ in 0..3 {
        assert_eq!(send(&token).await.status, 200);
    }
    let refused = send(&token).await;
    assert_eq!(refused.refusal(), (429, "too_many"));
    assert_eq!(refused.body["retry_after_s"], 20);
    assert_eq!(refused.headers["retry-after"], "20");
    assert_eq!(send(&other).await.status, 200);
    site.bench.pass(jiff::SignedDuration::from_secs(21));
    assert_eq!(send(&token).await.status, 200);
}

#[tokio::test]
async fn an_address_that_opens_visit_after_visit_is_slowed_and_others_are_not() {
    let site = Site::open().await;
    let open = async |address: &str| {
        let request = site.request(Method::POST, "/messenger/v1/visits");
        let request = request.header("x-forwarded-for", format!("6.6.6.6, {address}"));
        let request = request.header("content-type", "application/json").body("{}");
        Site::reply(request).await.status.as_u16()
    };
    for _ in 0..30 {
        assert_eq!(open("198.51.100.1").await, 200);
    }
    assert_eq!(open("198.51.100.1").await, 429);
    assert_eq!(open("198.51.100.2").await, 200);
}

#[tokio::test]
async fn an_address_that_has_articles_searched_without_end_is_slowed() {
    let site = Site::open().await;
    let ask = async |text: &str| {
        let found = site.post("", "/suggestions", &json!({"text": text})).await;
        (found.status.as_u16(), found.body)
    };
    for _ in 0..120 {
        assert_eq!(ask("pay with PayPal").await.0, 200);
    }
    assert_eq!(ask("pay with PayPal").await.0, 429);
    // What is not searched for costs nothing.
    let letter = "pay with PayPal ".repeat(50);
    assert_eq!(ask(&letter).await, (200, json!({"articles": []})));
}

#[tokio::test]
async fn pages_of_other_origins_are_turned_away_when_origins_are_named() {
    let allowed_origins = vec![web::Origin::new("https://www.example.com").unwrap()];
    let site = Site::with(web::Settings { allowed_origins, ..settings() }).await;
    let from = async |method: Method, origin: &str| {
        let request = site.request(method, "/messenger/v1/config").header("origin", origin);
        let request = request.header("access-control-request-method", "GET");
        Site::reply(request).await
    };
    let good = from(Method::GET, "https://www.example.com").await;
    assert_eq!(good.status, 200);
    assert_eq!(good.headers["access-control-allow-origin"], "https://www.example.com");
    assert!(!good.headers.contains_key("access-control-allow-credentials"));
    assert_eq!(from(Method::GET, "https://help.example.com").await.status, 200);
    for origin in ["https://evil.example", "null", "https://www.example.com.evil.example"] {
        assert_eq!(from(Method::GET, origin).await.refusal(), (403, "foreign_origin"));
        let asked = from(Method::OPTIONS, origin).await;
        assert!(!asked.headers.contains_key("access-control-allow-origin"), "{origin}");
    }
    let anywhere = Site::open().await;
    let request = anywhere.request(Method::OPTIONS, "/messenger/v1/messages");
    let request = request.header("origin", "https://any.example");
    let request = request.header("access-control-request-method", "POST");
    let request = request.header("access-control-request-headers", "authorization,content-type");
    let reply = Site::reply(request).await;
    assert_eq!(reply.headers["access-control-allow-origin"], "*");
    assert!(!reply.headers.contains_key("access-control-allow-credentials"));
}

#[tokio::test]
async fn unknown_addresses_and_methods_are_problems_too() {
    let site = Site::open().await;
    assert_eq!(site.get("", "/nothing").await.refusal(), (404, "not_found"));
    assert_eq!(site.get("", "/messages").await.refusal(), (405, "not_allowed"));
    let token = site.visitor().await;
    let conversation = site.ask(&token, "Hello there").await;
    let odd = site.get(&token, &format!("/conversations/{conversation}?after=soon")).await;
    assert_eq!(odd.refusal(), (422, "invalid"));
    let odd = site.get(&token, "/conversations/%ff%fe").await;
    assert_eq!(odd.refusal(), (404, "not_found"));
    assert_eq!(site.get("", "/config?locale=%ff").await.status, 200);
}

use super::*;
use crate::config::Config;
use std::time::Instant;
use store::{Id, PostState};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::method};

const NOW: &str = "2026-11-22T10:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn playbook(url: &str) -> Playbook {
    let text = format!(
        "fallback_team = \"a\"\n[[team]]\nslug = \"a\"\nname = \"A\"\n\
         [[webhook]]\nslug = \"crm\"\nurl = \"{url}\"\n"
    );
    crate::read_playbook(std::path::Path::new("routing.toml"), &text, &config().answers).unwrap()
}

fn config() -> Config {
    let settings = "[webhooks]\nsecret = \"s3cret\"\n";
    let file = std::path::Path::new("frontdesk.toml");
    Config::load(Some((file, settings)), std::iter::empty()).unwrap()
}

fn webhooks(url: &str, allow_private: bool) -> Webhooks {
    let (config, playbook) = (config(), playbook(url));
    let (secret, clock) = (config.webhooks.secret, Arc::new(now));
    Webhooks::new(WebhookParts { playbook: &playbook, secret, allow_private, clock }).unwrap()
}

fn post() -> Post {
    Post {
        id: Id::new(now()),
        conversation: Id::new(now()),
        destination: "webhook:crm".into(),
        kind: "message.created".into(),
        body: json!({ "conversation": { "id": "c" }, "data": { "text": "Grüße \u{1f600}" } }),
        n_attempts: 1,
        state: PostState::Pending,
        created_at: now(),
        at: now(),
        last_result: None,
    }
}

/// Wraps a post for a channel that looks at nothing else.
macro_rules! parcel {
    ($post:expr) => {
        Parcel {
            post: $post,
            record: &store::Record::new("web", Id::new(now()), now()),
            taken: &Default::default(),
            policy: &playbook("https://crm.example/hook").policy,
        }
    };
}

async fn sent(webhooks: &Webhooks, post: &Post) -> Result<String, DeliveryError> {
    webhooks.deliver(&parcel!(post)).await.map(|delivered| delivered.said)
}

async fn listening(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("POST")).respond_with(answer).mount(&server).await;
    server
}

#[tokio::test]
async fn a_post_arrives_signed_with_its_id() {
    let server = listening(ResponseTemplate::new(204)).await;
    let webhooks = webhooks(&server.uri(), true);
    let post = post();
    assert!(webhooks.takes("webhook:crm") && !webhooks.takes("intercom"));
    assert_eq!(webhooks.has(&parcel!(&post)).await, Ok(None));
    assert_eq!(sent(&webhooks, &post).await.unwrap(), "HTTP 204");
    let requests = server.received_requests().await.unwrap();
    let [request] = requests.as_slice() else { panic!("{} requests", requests.len()) };
    let header = |name: &str| request.headers[name].to_str().unwrap().to_string();
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(header("frontdesk-delivery"), post.id.to_string());
    assert_eq!(header("frontdesk-signature"), signature("s3cret", now(), &request.body));
    let expected = json!({
        "id": post.id.to_string(), "event": "message.created", "at": NOW,
        "conversation": { "id": "c" }, "data": { "text": "Grüße \u{1f600}" },
    });
    assert_eq!(serde_json::from_slice::<Json>(&request.body).unwrap(), expected);
}

async fn check(answer: ResponseTemplate, expected: Result<&str, DeliveryError>) {
    let server = listening(answer).await;
    let said = sent(&webhooks(&server.uri(), true), &post()).await;
    assert_eq!(said, expected.map(str::to_string));
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

fn later(what: &str, after_s: Option<u64>) -> Result<&'static str, DeliveryError> {
    Err(DeliveryError::Later { what: what.into(), after_s })
}

fn never(what: &str) -> Result<&'static str, DeliveryError> {
    Err(DeliveryError::Never(what.into()))
}

#[tokio::test]
async fn the_answer_says_whether_it_is_tried_again() {
    check(ResponseTemplate::new(200).set_body_bytes(vec![0; 1 << 20]), Ok("HTTP 200")).await;
    for status in [408, 429, 500, 502, 503] {
        check(ResponseTemplate::new(status), later(&format!("HTTP {status}"), None)).await;
    }
    for status in [400, 401, 404, 422] {
        check(ResponseTemplate::new(status), never(&format!("HTTP {status}"))).await;
    }
    let gone = "HTTP 410; nobody listens there any more, take the webhook out of routing.toml";
    check(ResponseTemplate::new(410), never(gone)).await;
}

#[tokio::test]
async fn a_far_side_may_ask_for_time() {
    for (asked, expected) in [
        ("30", Some(30)),
        ("Sun, 22 Nov 2026 10:02:00 GMT", Some(120)),
        ("Sun, 22 Nov 2026 09:00:00 GMT", None),
        ("999999999", Some(LONGEST_WAIT_S)),
        ("soon", None),
    ] {
        let answer = ResponseTemplate::new(503).insert_header("retry-after", asked);
        check(answer, later("HTTP 503", expected)).await;
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let inner = listening(ResponseTemplate::new(200)).await;
    let answer = ResponseTemplate::new(307).insert_header("location", inner.uri());
    check(answer, never("HTTP 307; redirects are not followed")).await;
    assert_eq!(inner.received_requests().await.unwrap().len(), 0);
}

#[tokio::test]
async fn private_addresses_are_never_reached_by_number_or_by_name() {
    let server = listening(ResponseTemplate::new(200)).await;
    let port = server.address().port();
    let refused =
        never("the address is private; set webhooks.allow_private to send to it all the same");
    for host in [
        "127.0.0.1",
        "localhost",
        "LOCALHOST",
        "0x7f000001",
        "2130706433",
        "127.1",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "169.254.169.254",
        "[fd00:ec2::254]",
        "017700000001",
    ] {
        let url = format!("http://{host}:{port}/");
        let said = sent(&webhooks(&url, false), &post()).await;
        assert_eq!(said, refused.clone().map(str::to_string), "{url}");
    }
    assert_eq!(server.received_requests().await.unwrap().len(), 0);
}

#[tokio::test]
async fn an_address_that_cannot_be_meant_is_refused_and_reload_mends_it() {
    let server = listening(ResponseTemplate::new(200)).await;
    let with_password = server.uri().replace("http://", "http://ada:secret@");
    let broken = webhooks(&with_password, true);
    let expected = never("the url of the webhook holds a user or a password; take it out");
    assert_eq!(sent(&broken, &post()).await, expected.map(str::to_string));
    let gone = Post { destination: "webhook:erp".into(), ..post() };
    let expected = never("the webhook is not in routing.toml");
    assert_eq!(sent(&broken, &gone).await, expected.map(str::to_string));
    assert_eq!(server.received_requests().await.unwrap().len(), 0);
    broken.addresses.store(Arc::new([("crm".to_string(), server.uri())].into()));
    assert_eq!(sent(&broken, &post()).await.unwrap(), "HTTP 200");
}

#[tokio::test]
async fn nobody_there_and_nobody_answering_are_tried_later() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let said = sent(&webhooks(&format!("http://{free}/"), true), &post()).await;
    assert_eq!(said, later("no connection", None).map(str::to_string));
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let impatient = Webhooks {
        client: client(&Gate::new(true), Duration::from_millis(200)).unwrap(),
        ..webhooks(&url, true)
    };
    let begun = Instant::now();
    let said = sent(&impatient, &post()).await;
    assert_eq!(said, Err(DeliveryError::TimedOut));
    assert!(begun.elapsed() < PATIENCE);
}

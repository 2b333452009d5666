use super::*;
use crate::wire::{Cursor, ExternalId};
use serde_json::{Value, json};
use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};
use wiremock::{
    Mock, MockServer, Request, Respond, ResponseTemplate,
    matchers::{any, header, method, path},
};

const NOW: i64 = 1_795_341_600;
const TOKEN: &str = "dG9rOmEtc2VjcmV0";

fn id(written: &str) -> ExternalId {
    ExternalId::parse(written).unwrap()
}

fn parts(base_url: &str) -> ClientParts {
    let clock: Clock = Arc::new(|| Timestamp::from_second(NOW).unwrap());
    ClientParts {
        base_url: base_url.to_string(),
        token: AccessToken::new(TOKEN),
        version: Version::V2_14,
        budget: Arc::new(LocalBudget::new(clock.clone())),
        clock,
        timeout: Duration::from_millis(500),
        patience: Patience {
            customer: Duration::from_secs(20),
            context: Duration::from_millis(200),
            background: Duration::from_millis(200),
        },
    }
}

/// Answers with one after the other, then with the last for ever.
struct InTurn(Mutex<Vec<ResponseTemplate>>);

impl Respond for InTurn {
    fn respond(&self, _: &Request) -> ResponseTemplate {
        let mut left = self.0.lock().unwrap();
        if left.len() > 1 { left.remove(0) } else { left[0].clone() }
    }
}

async fn answering(answers: Vec<ResponseTemplate>) -> (MockServer, Client) {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(InTurn(Mutex::new(answers))).mount(&server).await;
    let client = Client::new(parts(&server.uri())).unwrap();
    (server, client)
}

fn status(code: u16) -> ResponseTemplate {
    ResponseTemplate::new(code)
}

fn refusal(code: u16, word: &str) -> ResponseTemplate {
    let fault = json!({"code": word, "message": "Joe's e-mail joe@bloggs.com", "field": "body"});
    status(code).set_body_json(json!({"type": "error.list", "errors": [fault]}))
}

fn conversation() -> ResponseTemplate {
    status(200).set_body_json(json!({"type": "conversation", "id": "524"}))
}

async fn n_received(server: &MockServer) -> usize {
    server.received_requests().await.unwrap().len()
}

#[tokio::test]
async fn a_call_shows_token_and_version_and_asks_for_json() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/conversations/524"))
        .and(header("authorization", format!("Bearer {TOKEN}")))
        .and(header("intercom-version", "2.14"))
        .and(header("accept", "application/json"))
        .respond_with(conversation())
        .mount(&server)
        .await;
    let client = Client::new(parts(&server.uri())).unwrap();
    let read = client.conversation(&id("524"), Display::Html).await.unwrap();
    assert_eq!(read.id, id("524"));
}

#[tokio::test]
async fn a_call_with_an_effect_is_sent_once() {
    for answer in [status(500), status(503), status(408), status(429)] {
        let (server, client) = answering(vec![answer, conversation()]).await;
        let error = client.reply(&id("524"), &id("1"), Reply::Comment("<p>Hi</p>")).await;
        assert!(error.unwrap_err().may_pass());
        assert_eq!(n_received(&server).await, 1);
    }
}

#[tokio::test]
async fn a_call_that_reads_is_tried_again() {
    for busy in [status(500), status(502), status(503), status(408)] {
        let (server, client) = answering(vec![busy, conversation()]).await;
        client.conversation(&id("524"), Display::PlainText).await.unwrap();
        assert_eq!(n_received(&server).await, 2);
    }
    let (server, client) = answering(vec![status(500)]).await;
    let patient = Query::One(Condition::new("open", Operator::Is, Operand::Truth(true)));
    let error = client.search_conversations(&patient, None, 50).await.unwrap_err();
    assert_eq!(error, ApiError::Later { what: "Intercom: HTTP 500".into(), maybe_done: false });
    assert_eq!(n_received(&server).await, 4);
}

#[tokio::test]
async fn what_may_have_been_done_is_said() {
    let done = |error: ApiError| (error.maybe_done(), error.may_pass());
    let (_server, client) = answering(vec![status(504)]).await;
    let reply = async |client: &Client| client.reply(&id("524"), &id("1"), Reply::Note("x")).await;
    assert_eq!(done(reply(&client).await.unwrap_err()), (true, true));

    let (_server, client) = answering(vec![conversation().set_delay(Duration::from_secs(3))]).await;
    let slow = reply(&client).await.unwrap_err();
    let what = "Intercom: no answer in time".to_string();
    assert_eq!(slow, ApiError::Later { what, maybe_done: true });

    let (_server, client) = answering(vec![status(200).set_body_string("<html>")]).await;
    assert_eq!(done(reply(&client).await.unwrap_err()), (true, false));

    let (_server, client) = answering(vec![status(429)]).await;
    assert_eq!(done(reply(&client).await.unwrap_err()), (false, true));

    // Nobody listens there: nothing was sent.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let deserted = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = Client::new(parts(&deserted)).unwrap();
    let what = "Intercom: no connection".to_string();
    assert_eq!(reply(&client).await.unwrap_err(), ApiError::Later { what, maybe_done: false });
}

#[tokio::test]
async fn refusals_say_what_to_do_and_nothing_of_a_customer() {
    let code = |code: &str| code.to_string();
    let cases: [(u16, &str, ApiError); 6] = [
        (401, "token_unauthorized", ApiError::Unauthorized { code: code("token_unauthorized") }),
        (403, "api_plan_restricted", ApiError::Forbidden { code: code("api_plan_restricted") }),
        (404, "not_found", ApiError::NotFound { code: code("not_found") }),
        (410, "contact_merged", ApiError::NotFound { code: code("contact_merged") }),
        (404, "Joe Bloggs is not here", ApiError::NotFound { code: code("no code") }),
        (
            422,
            "parameter_invalid",
            ApiError::Invalid {
                status: 422,
                code: code("parameter_invalid"),
                field: Some(code("body")),
                message: crate::wire::Private::new("Joe's e-mail joe@bloggs.com".into()),
            },
        ),
    ];
    for (status, word, expected) in cases {
        let (server, client) = answering(vec![refusal(status, word)]).await;
        let error = client.contact(&id("6762")).await.unwrap_err();
        assert_eq!(error, expected);
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("Joe") && !shown.contains(TOKEN), "{shown}");
        assert_eq!(n_received(&server).await, 1);
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = status(302).insert_header("location", "http://127.0.0.1:1/");
    let (_server, client) = answering(vec![elsewhere]).await;
    let error = client.me().await.unwrap_err();
    assert!(matches!(error, ApiError::Invalid { status: 302, .. }), "{error}");
}

/// A budget that refuses some times and notes what it hears.
struct Noted {
    n_refusals: AtomicU64,
    until: Timestamp,
    heard: Mutex<Vec<WindowSeen>>,
}

#[async_trait::async_trait]
impl Budget for Noted {
    async fn take(&self, _: Class) -> Result<(), Wait> {
        let left = self.n_refusals.load(Ordering::SeqCst);
        if left == 0 {
            return Ok(());
        }
        self.n_refusals.store(left - 1, Ordering::SeqCst);
        Err(Wait { until: self.until })
    }

    async fn heard(&self, seen: WindowSeen) {
        self.heard.lock().unwrap().push(seen);
    }
}

fn noted(n_refusals: u64, until: i64) -> Arc<Noted> {
    let until = Timestamp::from_second(until).unwrap();
    Arc::new(Noted { n_refusals: n_refusals.into(), until, heard: Mutex::default() })
}

#[tokio::test]
async fn the_budget_is_asked_before_and_told_after() {
    let answer = conversation()
        .insert_header("x-ratelimit-limit", "167")
        .insert_header("x-ratelimit-remaining", "150")
        .insert_header("x-ratelimit-reset", (NOW + 7).to_string().as_str());
    let (server, _) = answering(vec![answer]).await;
    let budget = noted(3, NOW);
    let client =
        Client::new(ClientParts { budget: budget.clone(), ..parts(&server.uri()) }).unwrap();
    client.conversation(&id("524"), Display::Html).await.unwrap();
    let reset = Timestamp::from_second(NOW + 7).ok();
    let expected = WindowSeen { limit: Some(167), remaining: Some(150), reset, refused: false };
    assert_eq!(*budget.heard.lock().unwrap(), [expected]);
}

#[tokio::test]
async fn a_call_that_would_wait_too_long_is_not_sent() {
    let (server, _) = answering(vec![conversation()]).await;
    let budget = noted(u64::MAX, NOW + 5);
    let client = Client::new(ClientParts { budget, ..parts(&server.uri()) }).unwrap();
    let error = client.of_class(Class::Context).contact(&id("6762")).await.unwrap_err();
    assert_eq!(error, ApiError::RateLimited { until: Timestamp::from_second(NOW + 5).unwrap() });
    assert_eq!(n_received(&server).await, 0);
}

#[tokio::test]
async fn a_refused_call_says_until_when() {
    let check = async |answer: ResponseTemplate, seconds: i64| {
        let (_server, client) = answering(vec![answer]).await;
        let error = client.manage(&id("524"), &id("1"), Manage::Close).await.unwrap_err();
        let until = Timestamp::from_second(NOW + seconds).unwrap();
        assert_eq!(error, ApiError::RateLimited { until });
    };
    let reset = |seconds: i64| (NOW + seconds).to_string();
    check(status(429), 10).await;
    check(status(429).insert_header("x-ratelimit-reset", reset(4).as_str()), 4).await;
    check(status(429).insert_header("x-ratelimit-reset", reset(-60).as_str()), 10).await;
    check(status(429).insert_header("x-ratelimit-reset", reset(9_999).as_str()), 60).await;
    check(status(429).insert_header("retry-after", "3"), 3).await;
}

#[test]
fn a_token_is_shown_to_intercom_alone() {
    let check = |base_url: &str, token: &str, expected: Result<(), SetupError>| {
        let parts = ClientParts { token: AccessToken::new(token), ..parts(base_url) };
        assert_eq!(Client::new(parts).map(|_| ()), expected, "{base_url}");
    };
    for region in [Region::Us, Region::Eu, Region::Au] {
        check(region.base_url(), TOKEN, Ok(()));
        assert_eq!(region.to_string().parse(), Ok(region));
    }
    check("http://127.0.0.1:4010", TOKEN, Ok(()));
    check("http://[::1]:4010", TOKEN, Ok(()));
    check("http://localhost:4010/intercom/", TOKEN, Ok(()));
    for address in [
        "http://api.intercom.io",
        "http://127.0.0.1.example.com",
        "https://joe:secret@api.intercom.io",
        "https://api.intercom.io?x=1",
        "ftp://api.intercom.io",
        "api.intercom.io",
        "",
    ] {
        check(address, TOKEN, Err(SetupError::Address));
    }
    for token in ["", "  ", "two words", "line\nbreak", "ümlaut"] {
        check("https://api.intercom.io", token, Err(SetupError::Token));
    }
    let shown =
        format!("{:?} {:?}", AccessToken::new(TOKEN), Client::new(parts("http://localhost")));
    assert!(!shown.contains(TOKEN), "{shown}");
}

#[tokio::test]
async fn pages_are_walked_as_each_list_has_them() {
    let list = json!({"conversations": [], "data": [], "pages": {"page": 1, "total_pages": 9}});
    let (server, client) = answering(vec![status(200).set_body_json(list)]).await;
    let query = Query::All(vec![Condition::new("updated_at", Operator::After, Operand::Number(1))]);
    let after = Cursor::After("WzE3".into());
    let page = client.search_conversations(&query, Some(&after), 9_999).await.unwrap();
    assert_eq!(page.next, None);
    let page = client.articles(Some(&Cursor::Page(2))).await.unwrap();
    assert_eq!(page.next, Some(Cursor::Page(2)));
    let received = server.received_requests().await.unwrap();
    let body: Value = received[0].body_json().unwrap();
    assert_eq!(body["pagination"], json!({"per_page": 150, "starting_after": "WzE3"}));
    assert_eq!(received[1].url.query(), Some("page=2"));
    // Only there it is said who may read an article.
    let version = |at: usize| received[at].headers["intercom-version"].to_str().unwrap();
    assert_eq!((version(0), version(1)), ("2.14", "2.16"));
}

/// Reads one request and returns its first line.
fn request_line(stream: &mut std::net::TcpStream) -> Option<String> {
    use std::io::Read;
    let mut read = vec![];
    let mut byte = [0];
    while !read.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        read.push(byte[0]);
    }
    let head = String::from_utf8(read).ok()?.to_ascii_lowercase();
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
    let length: usize = length.map_or(0, |length| length.parse().unwrap());
    stream.read_exact(&mut vec![0; length]).ok()?;
    head.lines().next().map(str::to_string)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_is_not_followed_by_a_second_request() {
    use std::io::Write;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    // Answers reads, and hangs up on everything else when it has read it whole.
    let (seen, all_seen) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            while let Some(line) = request_line(&mut stream) {
                let reads = line.starts_with("get");
                seen.send(line).unwrap();
                if !reads {
                    break;
                }
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n{\"id\": 524 }";
                stream.write_all(answer).unwrap();
            }
        }
    });
    let client = Client::new(parts(&address)).unwrap();
    // The second call goes through a connection that has served before.
    client.conversation(&id("524"), Display::Html).await.unwrap();
    let error = client.reply(&id("524"), &id("1"), Reply::Comment("<p>Hi</p>")).await.unwrap_err();
    let what = "Intercom: the connection broke".to_string();
    assert_eq!(error, ApiError::Later { what, maybe_done: true });
    client.conversation(&id("524"), Display::Html).await.unwrap();
    let seen: Vec<String> = all_seen.try_iter().collect();
    let n_posts = seen.iter().filter(|line| line.starts_with("post")).count();
    assert_eq!((seen.len(), n_posts), (3, 1), "{seen:?}");
}

#[tokio::test]
async fn a_reading_call_that_was_refused_comes_again_after_the_reset() {
    let began = std::time::Instant::now();
    let clock: Clock = Arc::new(move || {
        let now = Timestamp::from_second(NOW).unwrap();
        now + jiff::SignedDuration::try_from(began.elapsed()).unwrap()
    });
    let refused = status(429).insert_header("x-ratelimit-reset", (NOW + 1).to_string().as_str());
    let (server, _) = answering(vec![refused, conversation()]).await;
    let budget = Arc::new(LocalBudget::new(clock.clone()));
    let client = Client::new(ClientParts { clock, budget, ..parts(&server.uri()) }).unwrap();
    client.conversation(&id("524"), Display::Html).await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(990), "{:?}", began.elapsed());
    assert_eq!(n_received(&server).await, 2);
}

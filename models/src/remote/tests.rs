use super::*;
use crate::{
    Completion, Embedder, Error, Finish, Generator, Prompt,
    conformance::{keeps_its_promises, prompt},
};
use serde_json::{Value, json};
use std::time::Duration;
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{body_partial_json, body_string_contains, header, method, path, query_param},
};

/// Looks like a key, and must turn up nowhere.
const KEY: &str = "sk-very-secret-0123456789";
const QUESTION: &str = "my private question";

fn options(server: &MockServer) -> RemoteOptions {
    RemoteOptions {
        api_key: Some(Secret::new(KEY)),
        timeout_ms: 5_000,
        ..RemoteOptions::new(format!("{}/v1/", server.uri()), "model-1")
    }
}

fn chat(options: RemoteOptions) -> RemoteChat {
    let mut chat = RemoteChat::new(options).unwrap();
    chat.endpoint.first_wait_ms = 1;
    chat
}

fn embedder(server: &MockServer, dimension: usize) -> RemoteEmbedder {
    let options = RemoteOptions { dimension: Some(dimension), ..options(server) };
    let mut embedder = RemoteEmbedder::new(options).unwrap();
    embedder.endpoint.first_wait_ms = 1;
    embedder
}

fn answer(text: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({
        "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop",
            "logprobs": {"content": [{"token": "Hi", "logprob": -0.25}]}}],
        "usage": {"prompt_tokens": 12, "completion_tokens": 1,
            "prompt_tokens_details": {"cached_tokens": 8}},
        "service_tier": "a tier of tomorrow",
    }))
}

fn complaint(status: u16, fault: &Value) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(json!({ "error": fault }))
}

async fn ask(server: &MockServer) -> Result<Completion, Error> {
    chat(options(server)).complete(&prompt("Be brief.", QUESTION, 8)).await
}

async fn n_requests(server: &MockServer) -> usize {
    server.received_requests().await.unwrap().len()
}

/// Returns what the service's answer becomes, with the error searched for the key and the prompt.
async fn failure(response: ResponseTemplate) -> (String, Error, usize) {
    let server = MockServer::start().await;
    Mock::given(method("POST")).respond_with(response).mount(&server).await;
    let error = ask(&server).await.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains(KEY) && !shown.contains("secret"), "{shown}");
    assert!(!shown.contains(QUESTION), "{shown}");
    (error.to_string(), error, n_requests(&server).await)
}

#[tokio::test]
async fn a_chat_is_sent_and_read_as_openai_does() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/v1/chat/completions"))
        .and(header("authorization", format!("Bearer {KEY}")))
        .and(body_partial_json(json!({
            "model": "model-1", "max_tokens": 8, "temperature": 0.0, "logprobs": true, "seed": 1,
            "messages": [{"role": "system", "content": "Be brief."},
                {"role": "user", "content": QUESTION}],
        })))
        .respond_with(answer(" Hi "))
        .mount(&server)
        .await;
    let expected = Completion {
        text: "Hi".into(),
        finish: Finish::Stop,
        logprobs: vec![-0.25],
        prompt_tokens: 12,
        reused_tokens: 8,
        written_tokens: 1,
    };
    assert_eq!(ask(&server).await.unwrap(), expected);
}

#[tokio::test]
async fn a_remote_chat_keeps_the_promises_of_a_generator() {
    let server = MockServer::start().await;
    let too_long = json!({"code": "context_length_exceeded", "message": "too long"});
    Mock::given(body_string_contains("word word"))
        .respond_with(complaint(400, &too_long))
        .with_priority(1)
        .mount(&server)
        .await;
    Mock::given(method("POST")).respond_with(answer("Hello!")).mount(&server).await;
    let long = prompt("", &"word ".repeat(100), 8);
    keeps_its_promises(&chat(options(&server)), &["<|im_end|>"], Some(&long)).await;
}

#[tokio::test]
async fn azure_is_asked_by_deployment_version_and_its_own_header() {
    let server = MockServer::start().await;
    Mock::given(path("/openai/deployments/model-1/chat/completions"))
        .and(query_param("api-version", "2024-10-21"))
        .and(header("api-key", KEY))
        .and(|request: &Request| !request.headers.contains_key("authorization"))
        .respond_with(answer("Hi"))
        .mount(&server)
        .await;
    let options = RemoteOptions {
        base_url: server.uri(),
        azure_api_version: Some("2024-10-21".into()),
        ..options(&server)
    };
    assert_eq!(chat(options).complete(&prompt("", "Hi", 8)).await.unwrap().text, "Hi");
}

#[tokio::test]
async fn a_busy_service_is_asked_again_when_it_says() {
    let server = MockServer::start().await;
    let busy = complaint(429, &json!({"code": "rate_limit_exceeded"}));
    Mock::given(method("POST"))
        .respond_with(busy.insert_header("retry-after", "0"))
        .up_to_n_times(1)
        .mount(&server)
        .await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(503).insert_header("retry-after-ms", "2"))
        .up_to_n_times(1)
        .mount(&server)
        .await;
    Mock::given(method("POST")).respond_with(answer("Hi")).mount(&server).await;
    assert_eq!(ask(&server).await.unwrap().text, "Hi");
    assert_eq!(n_requests(&server).await, 3);
}

#[tokio::test]
async fn failures_that_pass_are_transient_after_the_last_attempt() {
    let slow_down = complaint(429, &json!({"message": QUESTION}));
    for (response, named, n_tried) in [
        (ResponseTemplate::new(500).set_body_string(QUESTION), "status 500", 3),
        (complaint(502, &json!({"message": KEY})), "status 502", 3),
        (slow_down.clone(), "status 429", 3),
        // A wait nobody would sit through is not begun.
        (slow_down.insert_header("retry-after", "3600"), "status 429", 1),
    ] {
        let (message, error, n_requests) = failure(response).await;
        assert!(matches!(error, Error::Transient { .. }), "{error:?}");
        assert!(message.contains(named), "{message}");
        assert_eq!(n_requests, n_tried, "{message}");
    }
}

#[tokio::test]
async fn refusals_are_final_and_say_what_to_mend() {
    let echo = format!("Incorrect API key provided: {KEY}; you asked {QUESTION}");
    for (status, fault, expected) in [
        (401, json!({"message": echo, "code": "invalid_api_key"}), "(invalid_api_key): the key"),
        (401, json!({"message": echo, "code": KEY, "type": "sk-very"}), "check api_key"),
        (403, json!({"message": echo}), "check its rights"),
        (
            404,
            json!({"code": "model_not_found"}),
            "(model_not_found): nothing is there; check \
            base_url and model \"model-1\"",
        ),
        (400, json!({"message": echo, "param": "messages[0]"}), "(messages[0]): the request"),
        (400, json!(echo), "the request does not suit it"),
        (429, json!({"code": "insufficient_quota"}), "no credit left"),
        (308, json!({}), "it redirects"),
    ] {
        let (message, error, n_requests) = failure(complaint(status, &fault)).await;
        assert!(matches!(error, Error::Refused { .. }), "{error:?}");
        assert!(message.contains(expected), "{message}");
        assert!(message.starts_with("http://127.0.0.1:"), "{message}");
        assert_eq!(n_requests, 1);
    }
}

#[tokio::test]
async fn a_prompt_beyond_the_context_is_too_long_with_its_numbers() {
    let message = "This model's maximum context length is 100 tokens, you asked for 140 tokens";
    let (_, error, _) = failure(complaint(400, &json!({ "message": message }))).await;
    assert!(matches!(error, Error::TooLong { tokens: 140, limit: 100 }), "{error:?}");
}

#[tokio::test]
async fn answers_that_cannot_be_read_are_model_errors_that_quote_nothing() {
    let choice =
        |choice: Value| ResponseTemplate::new(200).set_body_json(json!({"choices": [choice]}));
    for response in [
        ResponseTemplate::new(200).set_body_string(format!("<html>{QUESTION} {KEY}</html>")),
        ResponseTemplate::new(200).set_body_json(json!({"choices": []})),
        choice(json!({"message": {"content": null}})),
        choice(json!({"message": {"content": QUESTION}, "finish_reason": "content_filter"})),
        ResponseTemplate::new(200),
    ] {
        let (message, error, n_requests) = failure(response).await;
        assert!(matches!(error, Error::Model(_)), "{error:?}");
        assert!(message.starts_with("http://127.0.0.1:"), "{message}");
        assert_eq!(n_requests, 1);
    }
}

#[tokio::test]
async fn silence_and_absence_are_transient() {
    let server = MockServer::start().await;
    let slow = answer("Hi").set_delay(Duration::from_secs(60));
    Mock::given(method("POST")).respond_with(slow).mount(&server).await;
    let quick = RemoteOptions { timeout_ms: 20, retries: 1, ..options(&server) };
    let error = chat(quick.clone()).complete(&prompt("", "Hi", 8)).await.unwrap_err();
    assert!(error.to_string().contains("no answer within 20 ms (2 tried)"), "{error}");
    let nobody = RemoteOptions { base_url: "http://127.0.0.1:1/v1".into(), ..quick };
    let error = chat(nobody).complete(&prompt("", "Hi", 8)).await.unwrap_err();
    assert!(matches!(error, Error::Transient { .. }), "{error}");
    assert!(error.to_string().contains("no connection"), "{error}");
}

#[tokio::test]
async fn parameters_that_a_service_does_not_know_are_left_out_from_then_on() {
    let server = MockServer::start().await;
    for (name, fault) in [
        ("\"logprobs\"", json!({"message": "You are not allowed to request logprobs"})),
        ("\"max_tokens\"", json!({"param": "max_tokens", "code": "unsupported_parameter"})),
        ("\"temperature\"", json!({"param": "temperature", "code": "unsupported_value"})),
    ] {
        Mock::given(body_string_contains(name))
            .respond_with(complaint(400, &fault))
            .with_priority(1)
            .mount(&server)
            .await;
    }
    Mock::given(body_partial_json(json!({"max_completion_tokens": 8})))
        .respond_with(answer("Hi"))
        .mount(&server)
        .await;
    let chat = chat(options(&server));
    for n_expected in [4, 5] {
        assert_eq!(chat.complete(&prompt("", "Hi", 8)).await.unwrap().text, "Hi");
        assert_eq!(n_requests(&server).await, n_expected);
    }
}

#[test]
fn options_that_can_never_work_are_refused_without_repeating_them() {
    let with = |base_url: &str| RemoteOptions::new(base_url, "model-1");
    for wrong in [
        with(""),
        with("localhost:11434/v1"),
        with("ftp://example.com"),
        with(&format!("https://user:{KEY}@example.com/v1")),
        with(&format!("https://example.com/v1?key={KEY}")),
        RemoteOptions::new("https://example.com", " "),
        RemoteOptions { api_key: Some(Secret::new(format!("{KEY}\n"))), ..with("https://a.b") },
    ] {
        assert!(!format!("{:?}", wrong.api_key).contains("secret"));
        let error = RemoteChat::new(wrong).err().unwrap();
        assert!(matches!(error, Error::Refused { .. }), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
    }
    let secret = Secret::new(KEY);
    assert_eq!((format!("{secret}"), format!("{secret:?}")), ("***".into(), "***".into()));
    assert!(RemoteEmbedder::new(with("https://example.com")).is_err());
}

#[tokio::test]
async fn vectors_come_back_in_the_order_of_the_texts_whatever_the_batches() {
    let server = MockServer::start().await;
    // Answers backwards, each vector pointing where the length of its text says.
    let reply = |request: &Request| {
        let body: Value = request.body_json().unwrap();
        let texts = body["input"].as_array().unwrap();
        assert!(texts.len() <= 64 && texts.iter().all(|text| text != ""));
        let vectors = texts.iter().enumerate().rev().map(|(index, text)| {
            json!({"index": index, "embedding": [text.as_str().unwrap().len(), 1.0]})
        });
        ResponseTemplate::new(200).set_body_json(json!({"data": vectors.collect::<Vec<_>>()}))
    };
    Mock::given(path("/v1/embeddings")).respond_with(reply).mount(&server).await;
    let embedder = embedder(&server, 2);
    let texts: Vec<String> = (0..130).map(|n| "x".repeat(n)).collect();
    let vectors = embedder.embed(&texts).await.unwrap();
    for (text, vector) in texts.iter().zip(&vectors) {
        let ratio = vector.as_slice()[0] / vector.as_slice()[1];
        assert!((ratio - text.len().max(1) as f32).abs() < 1e-2, "{ratio} for {}", text.len());
    }
    assert_eq!((vectors.len(), n_requests(&server).await), (130, 3));
    assert_eq!(embedder.embed_query("xx").await.unwrap(), vectors[2]);
    assert!(embedder.embed(&[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn another_dimension_is_asked_for_once_and_then_refused() {
    let server = MockServer::start().await;
    let reply = |request: &Request| {
        let body: Value = request.body_json().unwrap();
        let n = body["dimensions"].as_u64().unwrap_or(5).max(3) as usize;
        ResponseTemplate::new(200).set_body_json(json!({"data": [{"embedding": vec![1.0; n]}]}))
    };
    Mock::given(method("POST")).respond_with(reply).mount(&server).await;
    assert_eq!(embedder(&server, 4).embed_query("a").await.unwrap().as_slice().len(), 4);
    let error = embedder(&server, 2).embed_query("a").await.unwrap_err();
    assert!(error.to_string().contains("set dimension to 3 instead of 2"), "{error}");
}

#[tokio::test]
async fn vectors_that_do_not_match_the_texts_are_refused() {
    for body in [
        json!({"data": []}),
        json!({"data": [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [1.0]}]}),
        json!({"data": [{"index": 7, "embedding": [1.0]}]}),
        json!({"data": [{"index": 0, "embedding": [0.0]}]}),
        json!({"data": "none"}),
    ] {
        let server = MockServer::start().await;
        let response = ResponseTemplate::new(200).set_body_json(&body);
        Mock::given(method("POST")).respond_with(response).mount(&server).await;
        let error = embedder(&server, 1).embed_query("a").await.unwrap_err();
        assert!(matches!(error, Error::Model(_)), "{body}: {error:?}");
    }
}

#[tokio::test]
async fn a_prompt_without_room_for_an_answer_asks_nobody() {
    let server = MockServer::start().await;
    let nothing = Prompt { limit_tokens: 0, ..prompt("", "Hi", 8) };
    assert_eq!(chat(options(&server)).complete(&nothing).await.unwrap().finish, Finish::Limit);
    assert_eq!(n_requests(&server).await, 0);
}

use super::*;

async fn send(api: &Api, body: impl Into<reqwest::Body>) -> Answer {
    let request = api.request("POST", "/customers").header("content-type", "application/json");
    let answer = Answer::of(request.body(body)).await;
    api.hold("POST", "/customers", &answer);
    answer
}

#[tokio::test]
async fn a_body_that_is_no_json_is_refused_with_its_place() {
    let api = Api::open().await;
    let said = send(&api, "{\"name\": ").await.refuses(400, "malformed_json");
    assert!(said.contains("line 1 column"), "{said}");
    send(&api, "").await.refuses(400, "malformed_json");
    send(&api, "{} {}").await.refuses(400, "malformed_json");
    send(&api, vec![b'{', b'"', 0xff, 0xfe, b'"']).await.refuses(400, "malformed_json");
    send(&api, "[".repeat(100_000)).await.refuses(400, "malformed_json");
    send(&api, "{\"name\": \"\\ud800\"}").await.refuses(400, "malformed_json");
    let plain = api.request("POST", "/customers").header("content-type", "text/plain").body("{}");
    Answer::of(plain).await.refuses(415, "not_json");
    Answer::of(api.request("POST", "/customers").body("{}")).await.refuses(415, "not_json");
    let kept = api.get("/customers").await;
    assert_eq!(kept["items"], json!([]));
}

#[tokio::test]
async fn a_field_that_is_wrong_is_named() {
    let api = Api::open().await;
    for (body, field, part) in [
        (json!({ "nam": "Grace" }), "nam", "unknown field"),
        (json!({ "name": 7 }), "name", "invalid type"),
        (json!({ "attributes": [] }), "attributes", "invalid type"),
        (json!({ "attributes": { "a": ["b", "c\u{0}"] } }), "attributes.a.[1]", "U+0000"),
        (json!({ "email": "e".repeat(321) }), "email", "at most 320"),
    ] {
        let answer = api.call("POST", "/customers", Some(body.clone())).await;
        let said = answer.refuses(422, "invalid");
        assert_eq!(answer.body["field"], json!(field), "{body}: {said}");
        assert!(said.contains(part), "{body}: {said}");
    }
    for (path, field) in [
        ("/conversations?limit=0", "limit"),
        ("/conversations?limit=101", "limit"),
        ("/conversations?limit=many", "limit"),
        ("/conversations?before=yesterday", "before"),
        ("/conversations?status=asleep", "status"),
        ("/conversations?team=No%20Team", "team"),
        ("/changes?since=yesterday", "since"),
        ("/passages?query=", "query"),
    ] {
        let answer = api.call("GET", path, None).await;
        answer.refuses(422, "invalid");
        assert_eq!(answer.body["field"], json!(field), "{path}: {answer:?}");
    }
    api.call("GET", "/conversations?colour=red", None).await.refuses(422, "invalid");
    let nested = json!({ "customer": "c", "message": { "text": true } });
    let answer = api.call("POST", "/conversations", Some(nested)).await;
    assert_eq!(answer.body["field"], json!("message.text"));
}

#[tokio::test]
async fn names_that_no_database_indexes_are_refused() {
    named_beyond_bounds(&Api::open().await).await;
}

pub(super) async fn named_beyond_bounds(api: &Api) {
    let customer = api.post("/customers", json!({})).await["id"].clone();
    let long = "x".repeat(3_000);
    let path = format!("/customers/by-external-id/{long}");
    let mut answers = vec![api.call("PUT", &path, Some(json!({}))).await];
    for body in [
        json!({ "customer": customer, "external_id": long, "message": { "text": "hi" } }),
        json!({ "customer": customer, "message": { "text": "hi", "external_id": long } }),
        json!({ "customer": customer, "message": { "text": "hi", "external_id": "a\nb" } }),
        json!({ "customer": customer, "external_id": "", "message": { "text": "hi" } }),
    ] {
        answers.push(api.call("POST", "/conversations", Some(body)).await);
    }
    for answer in answers {
        assert!(answer.refuses(422, "invalid").contains("1 to 200 bytes"), "{answer:?}");
        assert_eq!(answer.body["field"], json!("external_id"));
    }
    assert_eq!(api.get("/conversations").await["items"], json!([]));
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_whether_or_not_it_says_so() {
    let api = Api::open().await;
    let large = json!({ "name": "e".repeat(600 << 10) }).to_string();
    send(&api, large.clone()).await.refuses(413, "too_large");
    let parts = large.as_bytes().chunks(10_000).map(|part| Ok::<_, std::io::Error>(part.to_vec()));
    let parts: Vec<_> = parts.collect();
    let stream = futures_util::stream::iter(parts);
    let request = api.request("POST", "/customers").header("content-type", "application/json");
    let request = request.header("idempotency-key", "k1");
    let answer = Answer::of(request.body(reqwest::Body::wrap_stream(stream))).await;
    answer.refuses(413, "too_large");
    let asked = json!({ "text": "e".repeat(65 << 10) });
    let conversation = api.conversation("hello").await;
    let path = format!("/conversations/{conversation}/notes");
    api.call("POST", &path, Some(asked)).await.refuses(422, "invalid");
}

#[tokio::test]
async fn places_and_things_that_are_not_there_are_not_found() {
    let api = Api::open().await;
    for path in ["/", "/nowhere", "/conversations/", "/conversations/x/y/z"] {
        Answer::of(api.request("GET", path)).await.refuses(404, "not_found");
    }
    let unknown = store::Id::<()>::new(api.office.now());
    for path in [
        "/conversations/x".to_string(),
        format!("/conversations/{unknown}"),
        format!("/conversations/{unknown}/messages"),
        format!("/conversations/{unknown}/decisions"),
        format!("/customers/{unknown}"),
        format!("/decisions/{unknown}"),
        "/customers/by-external-id/nobody".to_string(),
        "/teams/nobody".to_string(),
        "/articles/no%2Fsuch".to_string(),
        "/webhooks/none/deliveries".to_string(),
    ] {
        api.call("GET", &path, None).await.refuses(404, "not_found");
    }
    let broken = Answer::of(api.request("GET", "/conversations/%ff%fe")).await;
    broken.refuses(404, "not_found");
    let path = format!("/conversations/{unknown}/close");
    api.call("POST", &path, None).await.refuses(404, "not_found");
}

#[tokio::test]
async fn nobody_comes_in_without_a_token_that_is_known_and_may() {
    let api = Api::open().await;
    let bare = |header: Option<&str>| {
        let request = api.client.get(format!("{}/api/v1/customers", api.root));
        match header {
            Some(header) => request.header("authorization", header),
            None => request,
        }
    };
    let forged = format!("Bearer fdt_{}", "0".repeat(64));
    let cut = format!("Bearer {}", &api.admin[..api.admin.len() - 1]);
    for header in [None, Some(forged.as_str()), Some(&cut), Some("Basic YTpi"), Some("Bearer ")] {
        let answer = Answer::of(bare(header)).await;
        answer.refuses(401, "token_unknown");
        assert_eq!(answer.headers["www-authenticate"], "Bearer realm=\"frontdesk\"");
    }
    let reader = api.token("reader", &["conversations:read"]).await;
    let answer = Answer::of(bare(Some(&format!("Bearer {reader}")))).await;
    let said = answer.refuses(403, "scope_missing");
    assert!(said.contains("customers:read"), "{said}");
    assert_eq!(answer.body["scope"], "customers:read");
    let listed = api.get("/tokens").await;
    let mut tokens = listed["items"].as_array().unwrap().iter();
    let listed = tokens.find(|token| token["name"] == "reader").unwrap();
    let id = listed["id"].as_str().unwrap().to_string();
    assert_eq!(api.call("DELETE", &format!("/tokens/{id}"), None).await.status, 204);
    Answer::of(bare(Some(&format!("Bearer {reader}")))).await.refuses(401, "token_unknown");
}

#[tokio::test]
async fn a_token_that_asks_without_end_is_told_when_to_go_on_and_others_are_not() {
    let api = Api::open().await;
    let token = api.token("eager", &["teams:read"]).await;
    // What is refused for its scope counts, too, and costs this test little.
    let path = "/conversations";
    let ask = || {
        let url = format!("{}/api/v1{path}", api.root);
        Answer::of(api.client.get(url).bearer_auth(&token))
    };
    for _ in 0..bearer::REQUESTS_PER_MINUTE {
        assert_eq!(ask().await.status, 403);
    }
    let answer = ask().await;
    answer.refuses(429, "too_many");
    api.hold("GET", path, &answer);
    assert_eq!(answer.body["retry_after_s"], 1);
    assert_eq!(answer.headers["retry-after"], "1");
    api.get(path).await;
    api.bench.pass(SignedDuration::from_secs(1));
    assert_eq!(ask().await.status, 403);
}

#[tokio::test]
async fn no_answer_of_the_api_is_kept_by_others_or_guessed_at() {
    let api = Api::open().await;
    let answer = api.call("GET", "/customers", None).await;
    assert_eq!(answer.headers["cache-control"], "private, no-cache");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
}

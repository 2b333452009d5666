use crate::{
    calls::{client, every_call},
    document::{Document, Operation, bindings},
    skip,
};
use intercom::{Condition, Operand, Operator, Query, QuickReply, Reply, Version, wire::ExternalId};
use serde_json::Value;
use std::{collections::BTreeSet, fs, path::Path, sync::Arc};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers::any};

/// What the vendor documents in prose alone: how its lists are paged.
const UNDECLARED: [&str; 2] = ["page", "starting_after"];

/// Answers with the vendor's example of success.
struct Vendor(Arc<Document>);

impl Respond for Vendor {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let operation = self.0.operation(request.method.as_str(), request.url.path());
        let examples = operation.map(|operation| self.0.examples(operation)).unwrap_or_default();
        let success = examples.into_iter().find(|example| (200..300).contains(&example.status));
        match success {
            Some(example) => ResponseTemplate::new(example.status).set_body_json(example.value),
            None => ResponseTemplate::new(404),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_is_as_the_vendor_has_it() {
    for document in Document::all() {
        let document = Arc::new(document);
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(Vendor(document.clone())).mount(&server).await;
        let outcomes = every_call(&client(&server.uri(), document.version)).await;
        for (name, outcome) in &outcomes {
            assert!(outcome.is_ok(), "{} {name}: {outcome:?}", document.version);
        }
        let sent = server.received_requests().await.unwrap();
        assert_eq!(sent.len(), outcomes.len());
        let mut n_bodies = 0;
        let mut met = BTreeSet::new();
        for request in &sent {
            let operation = document
                .operation(request.method.as_str(), request.url.path())
                .unwrap_or_else(|| panic!("no {} {}", request.method, request.url.path()));
            met.insert(format!("{} {}", operation.method, operation.path));
            check_address(operation, request);
            n_bodies += usize::from(check_body(&document, operation, request));
        }
        println!(
            "{}: {} requests to {} operations, {n_bodies} bodies",
            document.version,
            sent.len(),
            met.len()
        );
        assert!(sent.len() >= 40 && n_bodies >= 20 && met.len() >= 25, "{n_bodies} {}", met.len());
    }
}

/// The vendor's own client for Node was recorded once; where both do the same, both send the same.
#[tokio::test]
async fn what_is_sent_is_what_the_vendors_own_client_sends() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/specs/sdk-wire/captures.jsonl");
    let Ok(lines) = fs::read_to_string(&path) else {
        skip(&format!("{} is absent", path.display()));
        return;
    };
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(500)).mount(&server).await;
    let client = client(&server.uri(), Version::V2_14);
    let [at, admin] = ["123", "1"].map(|written| ExternalId::parse(written).unwrap());
    let uuid = uuid::Uuid::parse_str("a5e1c524-5ddd-4c3e-9328-6bca5d6e3edb").unwrap();
    let yes = [QuickReply { text: "Yes".into(), uuid }];
    client.reply(&at, &admin, Reply::QuickReplies(&yes)).await.unwrap_err();
    let open = Query::One(Condition::new("open", Operator::Is, Operand::Truth(true)));
    client.search_conversations(&open, None, 20).await.unwrap_err();
    let ours: Vec<(String, Value)> = server
        .received_requests()
        .await
        .unwrap()
        .iter()
        .map(|request| (request.url.path().to_string(), request.body_json().unwrap()))
        .collect();
    let theirs = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let theirs: Vec<Value> = theirs
        .filter(|line| line["sdk"].as_str().unwrap().starts_with("intercom-client"))
        .collect();
    assert_eq!(theirs.len(), 2);
    for line in theirs {
        let (_, ours) = ours.iter().find(|(path, _)| line["path"] == path.as_str()).unwrap();
        for (field, value) in line["body"].as_object().unwrap() {
            assert_eq!(&ours[field], value, "{field}");
        }
    }
}

fn check_address(operation: Operation<'_>, request: &Request) {
    let bound = bindings(operation.path, request.url.path()).unwrap();
    for parameter in operation.parameters("path") {
        let (_, value) = bound.iter().find(|(name, _)| parameter["name"] == *name).unwrap();
        let wants_digits = parameter["schema"]["type"] == "integer";
        assert!(!wants_digits || value.bytes().all(|byte| byte.is_ascii_digit()), "{value}");
    }
    let declared = operation.parameters("query");
    for (name, value) in request.url.query_pairs() {
        let known = declared.iter().find(|parameter| parameter["name"] == *name);
        let Some(known) = known else {
            assert!(UNDECLARED.contains(&&*name), "{name} of {}", operation.path);
            continue;
        };
        let choices = known["schema"]["enum"].as_array();
        assert!(choices.is_none_or(|choices| choices.iter().any(|choice| *choice == *value)));
    }
    let version = request.headers.get("intercom-version");
    assert!(version.is_some_and(|version| !version.is_empty()));
}

/// Holds a body against its schema; false where none was sent.
fn check_body(document: &Document, operation: Operation<'_>, request: &Request) -> bool {
    let Some(schema) = operation.body() else {
        assert!(request.body.is_empty(), "{} takes no body", operation.path);
        return false;
    };
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let validator = document.validator(schema);
    let faults: Vec<String> = validator.iter_errors(&body).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{} {}: {body} {faults:?}", document.version, operation.path);
    // The schemas allow fields that they do not name; a misspelt one would go unnoticed.
    let strangers = document.strangers(schema, &body);
    assert!(strangers.is_empty(), "{}: {strangers:?} are in no schema", operation.path);
    true
}

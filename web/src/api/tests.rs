//! The API over a real socket: every answer is held against the document that describes it.

mod described;
mod hostile;
mod journey;
mod people;
mod posted;
mod postgres;

use super::{bearer, document, issue_token};
use crate::{Front, Settings};
use axum::http::HeaderMap;
use bot::Office;
use jiff::SignedDuration;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value as Json, json};
use std::sync::{Arc, Once};
use tests::{Bench, ONE_TEAM, Rules};
use tokio::net::TcpListener;

/// A team beside the one that everybody has.
const BILLING: &str = r#"
[[team]]
slug = "billing"
name = "Billing"
[team.hours]
time_zone = "Europe/Berlin"
thursday = ["09:00-17:00"]
"#;

fn rules() -> String {
    format!("{ONE_TEAM}{BILLING}")
}

/// Where the store of a desk is.
#[derive(Default)]
struct Place {
    /// None: in a file of its own.
    database: Option<String>,
}

impl Place {
    async fn bench(&self, rules: &str) -> Bench {
        let rules = Rules::Text(rules);
        let Some(url) = &self.database else { return Bench::open(rules, 5.0).await };
        let store = store::Store::open(url).await.unwrap();
        Bench::on(store, tempfile::tempdir().unwrap(), rules, 5.0).await
    }
}

/// A desk that is reached by its API.
struct Api {
    bench: Bench,
    office: Office,
    root: String,
    client: Client,
    document: Json,
    /// A token that may do everything.
    admin: String,
}

/// What came back.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Json,
}

impl Api {
    async fn open() -> Self {
        Self::at(&Place::default()).await
    }

    async fn at(place: &Place) -> Self {
        let bench = place.bench(&rules()).await;
        let office = bench.office.clone();
        Self::with(bench, office).await
    }

    async fn with(bench: Bench, office: Office) -> Self {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            // Another test of this process may have been first; both install the same one.
            drop(rustls::crypto::ring::default_provider().install_default());
        });
        let settings = Settings {
            public_url: "http://desk.test".into(),
            trusted_proxies: Vec::new(),
            allowed_origins: Vec::new(),
            identity_secret: None,
            limit_per_minute: 60,
            texts: crate::Texts::default(),
            session: SignedDuration::from_hours(1),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let root = format!("http://{}", listener.local_addr().unwrap());
        let front = Front::new(office.clone(), settings);
        tokio::spawn(crate::serve(listener, front, std::future::pending()));
        let document = document::finish(&super::described().into_openapi());
        let mut api =
            Self { bench, office, root, client: Client::new(), document, admin: String::new() };
        api.admin = api.token("root", &["admin"]).await;
        api
    }

    /// Issues a token.
    async fn token(&self, name: &str, scopes: &[&str]) -> String {
        let scopes: Vec<String> = scopes.iter().map(ToString::to_string).collect();
        let (text, kept) = issue_token(name, &scopes, self.office.now()).unwrap();
        self.office.store().keep_token(&kept).await.unwrap();
        text
    }

    fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method: Method = method.parse().unwrap();
        let url = format!("{}/api/v1{path}", self.root);
        self.client.request(method, url).bearer_auth(&self.admin)
    }

    /// Asks, and holds the answer against the document.
    async fn call(&self, method: &str, path: &str, body: Option<Json>) -> Answer {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = Answer::of(request).await;
        self.hold(method, path, &answer);
        answer
    }

    async fn get(&self, path: &str) -> Json {
        let answer = self.call("GET", path, None).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.body
    }

    async fn post(&self, path: &str, body: Json) -> Json {
        let answer = self.call("POST", path, Some(body)).await;
        assert!((200..300).contains(&answer.status), "{path}: {answer:?}");
        answer.body
    }

    /// Proves that an answer is one that the document promises.
    fn hold(&self, method: &str, path: &str, answer: &Answer) {
        let Some((place, operation)) = self.operation(method, path) else {
            panic!("the document does not know {method} {path}");
        };
        let responses = &operation["responses"];
        let promised = match &responses[answer.status.to_string()] {
            Json::Null if answer.status >= 400 => &responses["default"],
            Json::Null => panic!("{method} {place} promises no {}", answer.status),
            promised => promised,
        };
        let kind = answer.headers.get("content-type").map(|kind| kind.to_str().unwrap());
        let Some(content) = promised.get("content") else {
            assert_eq!(answer.body, Json::Null, "{method} {place}");
            return;
        };
        let schema = &content[kind.unwrap_or_default()]["schema"];
        assert!(!schema.is_null(), "{method} {place} promises no {kind:?}");
        let mut whole = schema.clone();
        whole["components"] = self.document["components"].clone();
        let validator = jsonschema::validator_for(&whole).unwrap();
        let faults: Vec<String> = validator
            .iter_errors(&answer.body)
            .map(|fault| format!("{}: {fault}", fault.instance_path()))
            .collect();
        assert_eq!(faults, Vec::<String>::new(), "{method} {place}: {}", answer.body);
    }

    /// Finds the operation of a path, whose segments may be parameters; fixed ones come first.
    fn operation(&self, method: &str, path: &str) -> Option<(&str, &Json)> {
        let path = format!("/api/v1{}", path.split('?').next().unwrap());
        let asked: Vec<&str> = path.split('/').collect();
        let paths = self.document["paths"].as_object().unwrap();
        let mut fitting: Vec<(&String, &Json)> = paths
            .iter()
            .filter(|(place, _)| {
                let parts: Vec<&str> = place.split('/').collect();
                let fits = |(part, asked): (&&str, &&str)| part.starts_with('{') || part == asked;
                parts.len() == asked.len() && parts.iter().zip(&asked).all(fits)
            })
            .collect();
        fitting.sort_by_key(|(place, _)| place.matches('{').count());
        let (place, operations) = fitting.first()?;
        let operation = operations.get(method.to_lowercase())?;
        Some((place.as_str(), operation))
    }

    /// Opens a conversation of a new customer who asks something.
    async fn conversation(&self, text: &str) -> String {
        let customer = self.post("/customers", json!({ "name": "Grace" })).await;
        let asked = json!({ "customer": customer["id"], "message": { "text": text } });
        let opened = self.post("/conversations", asked).await;
        opened["id"].as_str().unwrap().to_string()
    }
}

impl Answer {
    async fn of(request: RequestBuilder) -> Self {
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await.unwrap();
        let body = if text.is_empty() { Json::Null } else { serde_json::from_str(&text).unwrap() };
        Self { status, headers, body }
    }

    /// Asserts a problem with this status and code, and returns what it says.
    fn refuses(&self, status: u16, code: &str) -> String {
        assert_eq!((self.status, &self.body["code"]), (status, &json!(code)), "{self:?}");
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:?}");
        self.body["detail"].as_str().unwrap().to_string()
    }
}

/// An office with other channels on the store, the desk and the clock of a bench.
fn office_with(bench: &Bench, channels: Vec<Arc<dyn bot::Channel>>) -> Office {
    let told = bench.office.clone();
    Office::new(bot::OfficeParts {
        desk: (*bench.office.desk()).clone(),
        store: bench.office.store().clone(),
        channels,
        clock: Arc::new(move || told.now()),
        pace: bot::Pace {
            n_workers: 2,
            lease: SignedDuration::from_secs(60),
            look: std::time::Duration::from_millis(20),
            close_after: jiff::SignedDuration::from_hours(48),
            presence: SignedDuration::from_secs(60),
        },
    })
}

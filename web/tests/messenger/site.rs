use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use jiff::SignedDuration;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value as Json, json};
use sha2::Sha256;
use std::net::{IpAddr, Ipv4Addr};
use tests::{Bench, Rules};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use web::{Front, Settings, Texts};

pub(crate) const SECRET: &str = "a secret between the desk and its site";

/// A desk that is served on a port of its own.
pub(crate) struct Site {
    pub(crate) bench: Bench,
    pub(crate) base: String,
    pub(crate) stopping: CancellationToken,
    pub(crate) served: JoinHandle<()>,
    client: Client,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Json,
}

impl Reply {
    /// Returns status and code of a refusal, which has to be of the right kind.
    pub(crate) fn refusal(&self) -> (u16, &str) {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:?}");
        (self.status.as_u16(), self.body["code"].as_str().unwrap())
    }
}

pub(crate) fn settings() -> Settings {
    Settings {
        public_url: "https://help.example.com".into(),
        trusted_proxies: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)],
        allowed_origins: Vec::new(),
        identity_secret: Some(SECRET.into()),
        limit_per_minute: 20,
        texts: Texts::default(),
        session: SignedDuration::from_hours(12),
    }
}

impl Site {
    pub(crate) async fn open() -> Self {
        Self::with(settings()).await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        Self::on(Bench::open(Rules::Sample, 5.0).await, settings).await
    }

    /// Serves the desk of a bench.
    pub(crate) async fn on(bench: Bench, settings: Settings) -> Self {
        // A second test in this process finds it installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let front = Front::new(bench.office.clone(), settings);
        let stopping = front.stopping.clone();
        let shutdown = stopping.clone().cancelled_owned();
        let served = tokio::spawn(web::serve(listener, front, shutdown));
        let client = Client::builder().no_gzip().build().unwrap();
        Self { bench, base, stopping, served, client }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    pub(crate) async fn reply(request: RequestBuilder) -> Reply {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let body = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default();
        Reply { status, headers, body }
    }

    pub(crate) async fn get(&self, token: &str, path: &str) -> Reply {
        let path = format!("/messenger/v1{path}");
        Self::reply(self.request(Method::GET, &path).bearer_auth(token)).await
    }

    pub(crate) async fn post(&self, token: &str, path: &str, body: &Json) -> Reply {
        let path = format!("/messenger/v1{path}");
        let request = self.request(Method::POST, &path).bearer_auth(token);
        let request = request.header("content-type", "application/json");
        Self::reply(request.body(body.to_string())).await
    }

    /// Opens a visit as `hello` says, holding `token`; returns the token that is valid then.
    pub(crate) async fn visit(&self, token: &str, hello: &Json) -> (String, Json) {
        let reply = self.post(token, "/visits", hello).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let token = reply.body["token"].as_str().unwrap_or(token).to_string();
        (token, reply.body)
    }

    /// Lets a visitor in whom nobody knows.
    pub(crate) async fn visitor(&self) -> String {
        self.visit("", &json!({})).await.0
    }

    /// Has a new conversation begin; returns its id.
    pub(crate) async fn ask(&self, token: &str, text: &str) -> String {
        let body = json!({"client_id": client_id(), "text": text});
        let reply = self.post(token, "/messages", &body).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.body["conversation"].as_str().unwrap().to_string()
    }
}

/// Names a message as no other.
pub(crate) fn client_id() -> String {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    format!("message-{}", NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
}

fn code(signed: &str, secret: &str) -> Vec<u8> {
    let mut code = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    code.update(signed.as_bytes());
    code.finalize().into_bytes().to_vec()
}

pub(crate) fn user_hash(user_id: &str) -> String {
    code(user_id, SECRET).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Signs claims as the desk's site would, or whoever else has a `secret`.
pub(crate) fn jwt(header: &Json, claims: &Json, secret: &str) -> String {
    let part = |json: &Json| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let signature = BASE64_URL_SAFE_NO_PAD.encode(code(&signed, secret));
    format!("{signed}.{signature}")
}

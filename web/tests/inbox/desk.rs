use bot::{Inbound, Place};
use jiff::SignedDuration;
use reqwest::{Client, Method, StatusCode, header::HeaderMap, redirect};
use router::Slug;
use serde_json::json;
use std::{collections::BTreeMap, sync::Mutex};
use store::{Customer, Id, NewAccount, Record, Role};
use tests::{Bench, Rules};
use tokio::net::TcpListener;
use web::{Front, Settings};

pub(crate) const PASSWORD: &str = "correct horse battery";

/// A desk whose inbox is served on a port of its own.
pub(crate) struct Desk {
    pub(crate) bench: Bench,
    pub(crate) base: String,
    client: Client,
}

/// A browser: it keeps cookies, and knows the last page's token.
pub(crate) struct Browser<'a> {
    desk: &'a Desk,
    pub(crate) cookies: Mutex<BTreeMap<String, String>>,
    pub(crate) csrf: Mutex<String>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn goes_to(&self) -> &str {
        self.headers.get("location").map_or("", |to| to.to_str().unwrap())
    }

    /// Returns the value of the first field with a name.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        let (_, rest) = self.text.split_once(&format!("name=\"{name}\""))?;
        let (_, rest) = rest.split_once("value=\"")?;
        Some(rest.split_once('"')?.0.to_string())
    }
}

pub(crate) fn settings() -> Settings {
    Settings {
        public_url: "https://help.example.com".into(),
        trusted_proxies: Vec::new(),
        allowed_origins: Vec::new(),
        identity_secret: None,
        limit_per_minute: 20,
        texts: web::Texts::default(),
        session: SignedDuration::from_hours(12),
    }
}

pub(crate) fn slug(text: &str) -> Slug {
    text.to_string().try_into().unwrap()
}

impl Desk {
    /// Opens a desk whose bot is unsure of every answer, so that people get everything, with three
    /// accounts: Sabine of billing, Lena who leads, and Root.
    pub(crate) async fn open() -> Self {
        Self::with(-5.0).await
    }

    pub(crate) async fn with(log_odds: f64) -> Self {
        Self::on(Bench::open(Rules::Sample, log_odds).await).await
    }

    /// Opens the desk of a bench, with the same accounts.
    pub(crate) async fn on(bench: Bench) -> Self {
        // A second test in this process finds it installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let front = Front::new(bench.office.clone(), settings());
        let forever = std::future::pending();
        tokio::spawn(web::serve(listener, front, forever));
        let client = Client::builder().redirect(redirect::Policy::none()).build().unwrap();
        let desk = Self { bench, base, client };
        let password_hash = web::hash_password(PASSWORD).unwrap();
        for (teammate, name, role) in [
            ("sabine-krueger", "Sabine Krüger", Role::Teammate),
            ("lena-brandt", "Lena Brandt", Role::Lead),
            ("root", "Root", Role::Admin),
        ] {
            let account = NewAccount {
                teammate: slug(teammate),
                name: name.into(),
                email: format!("{teammate}@vannerly.example"),
                password_hash: password_hash.clone(),
                role,
            };
            let store = desk.bench.office.store();
            store.open_account(&account, desk.bench.office.now()).await.unwrap();
        }
        desk
    }

    /// Opens a browser that nobody has signed in with.
    pub(crate) fn browser(&self) -> Browser<'_> {
        Browser { desk: self, cookies: Mutex::default(), csrf: Mutex::default() }
    }

    /// Opens a browser in which a teammate is signed in.
    pub(crate) async fn signed_in(&self, teammate: &str) -> Browser<'_> {
        let browser = self.browser();
        let reply = browser.sign_in(teammate, PASSWORD).await;
        assert_eq!((reply.status, reply.goes_to()), (303, "/inbox"), "{}", reply.text);
        let page = browser.get("/inbox/lists/mine").await;
        assert_eq!(page.status, 200, "{}", page.text);
        browser
    }

    /// Has a customer write and the bot act.
    pub(crate) async fn ask(&self, name: Option<&str>, text: &str, page: &str) -> Id<Record> {
        let office = &self.bench.office;
        let visitor = self.bench.visitor().await;
        let attributes = json!({"tier": "gold", "company": {"name": "Rohrbruch GmbH"}});
        let attributes = attributes.as_object().cloned().unwrap();
        let customer = Customer { name: name.map(str::to_string), attributes, ..visitor };
        let known = |kept: &mut Customer| {
            *kept = customer.clone();
            Ok::<_, ()>(())
        };
        office.store().alter_customer(customer.id, known).await.unwrap().unwrap();
        let inbound = Inbound {
            channel: "web".into(),
            external_id: Id::<Record>::new(office.now()).to_string(),
            customer: customer.id,
            place: Place::New,
            text: text.into(),
            client_id: None,
            page: Some(page.into()),
        };
        let received = office.receive(inbound).await.unwrap();
        office.run_until_idle().await.unwrap();
        received.conversation
    }

    pub(crate) async fn record(&self, id: Id<Record>) -> Record {
        self.bench.office.store().conversation(id).await.unwrap()
    }
}

impl Browser<'_> {
    pub(crate) async fn sign_in(&self, teammate: &str, password: &str) -> Reply {
        self.get("/inbox/sign-in").await;
        let email = format!("{teammate}@vannerly.example");
        self.post("/inbox/sign-in", &[("email", &email), ("password", password)]).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        let reply = self.send(Method::GET, path, &[], None).await;
        if let Some(csrf) = reply.field("csrf") {
            *self.csrf.lock().unwrap() = csrf;
        }
        reply
    }

    /// Sends a form with the token of the last page.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let csrf = self.csrf.lock().unwrap().clone();
        let fields: Vec<_> = fields.iter().copied().chain([("csrf", csrf.as_str())]).collect();
        self.send(Method::POST, path, &[], Some(form(&fields))).await
    }

    /// Sends a form as htmx does.
    pub(crate) async fn part(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let csrf = self.csrf.lock().unwrap().clone();
        let fields: Vec<_> = fields.iter().copied().chain([("csrf", csrf.as_str())]).collect();
        self.send(Method::POST, path, &[("hx-request", "true")], Some(form(&fields))).await
    }

    /// Opens the stream of what changes.
    pub(crate) async fn listen(&self) -> reqwest::Response {
        let cookies = self.cookies.lock().unwrap().clone();
        let cookie = format!("frontdesk_session={}", cookies["frontdesk_session"]);
        let request = self.desk.client.get(format!("{}/inbox/events", self.desk.base));
        request.header("cookie", cookie).send().await.unwrap()
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Reply {
        let cookies = self.cookies.lock().unwrap().clone();
        let cookies: Vec<_> =
            cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = self.desk.client.request(method, format!("{}{path}", self.desk.base));
        if !cookies.is_empty() {
            request = request.header("cookie", cookies.join("; "));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request =
                request.header("content-type", "application/x-www-form-urlencoded").body(body);
        }
        let response = request.send().await.unwrap();
        for line in response.headers().get_all("set-cookie") {
            let line = line.to_str().unwrap();
            let (name, rest) = line.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            self.cookies.lock().unwrap().insert(name.into(), value.into());
        }
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.unwrap();
        assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR, "{path}: {text}");
        Reply { status: status.as_u16(), headers, text }
    }
}

/// Encodes a form.
pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    let encode = |text: &str| -> String { text.bytes().map(|b| format!("%{b:02X}")).collect() };
    let pairs: Vec<String> =
        fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    pairs.join("&")
}

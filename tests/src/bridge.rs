//! The desk and an Intercom: what happens on either side, and what the other makes of it.

mod doing;
mod erasing;
mod faulty;
mod hearing;
mod overtaken;
mod reading;
mod remembering;
mod silent;
mod strange;
mod tickets;
mod waiting;

use crate::{
    Bench, Rules,
    intercom::{Conversation, Part, StandIn, StandInParts},
    office::slug,
};
use bot::{Channel, Office};
use intercom::{
    AccessToken, Client, ClientParts, Intercom, IntercomParts, Mode, Patience, SharedBudget,
    Version, wire::ExternalId,
};
use jiff::SignedDuration;
use std::{sync::Arc, time::Duration};
use store::{Content, Page, Post, PostState, Record, Store};
use tokio::net::TcpListener;

/// The teams of both sides, and what their rules want of a handoff.
pub(super) const RULES: &str = r#"
fallback_team = "support"

[ladder]
unsure = "hand_off"

[[team]]
slug = "support"
name = "Support"
owns = ["refund"]
[[team.member]]
slug = "ada"
name = "Ada"

[[team]]
slug = "leads"
name = "Leads"
[[team.member]]
slug = "cy"
name = "Cy"

[[rule]]
name = "Who pays for Pro goes first"
when = 'company.plan == "Pro"'
then = { tags = ["pro"], priority = "high", attributes = { urgency = "soon" } }

[[rule]]
name = "Outages go to the leads"
when = 'message.text.mentions("outage")'
then = { hand_off = "leads" }
"#;

/// What the bot can answer.
pub(super) const QUESTION: &str = "How many days does the free trial last?";

/// What the bot gives to people.
pub(super) const PLEA: &str = "I want a refund from a human please";

/// A desk that is connected to an Intercom of its own.
pub(super) struct Bridge {
    pub(super) bench: Bench,
    pub(super) office: Office,
    pub(super) intercom: StandIn,
    pub(super) address: String,
    /// A customer, and the teams and teammates there.
    pub(super) joe: String,
    pub(super) ada: String,
    pub(super) support: String,
    pub(super) leads: String,
}

impl Bridge {
    /// Connects a desk whose drafts are sure of themselves, or not at all.
    pub(super) async fn open(log_odds: f64) -> Self {
        Self::with(Bench::open(Rules::Text(RULES), log_odds).await, Mode::Live).await
    }

    pub(super) async fn in_mode(mode: Mode) -> Self {
        let sure = crate::office::SURE;
        Self::with(Bench::open(Rules::Text(RULES), sure).await, mode).await
    }

    pub(super) async fn with(bench: Bench, mode: Mode) -> Self {
        let intercom = StandIn::start(StandInParts::new(bench.clock())).await;
        let (ada, cy) = (intercom.with_admin("Ada"), intercom.with_admin("Cy"));
        let support = intercom.with_team("Support", &[&ada]);
        let leads = intercom.with_team("Leads", &[&cy]);
        intercom.with_conversation_attribute("urgency", "string");
        let joe = intercom.with_user("Joe", "70", serde_json::json!({}));
        let store = bench.office.store().clone();
        let channel = channel(&bench, &intercom, &store, mode);
        let office = bench.node(store, vec![channel]);
        let address = serve(office.clone()).await;
        intercom.webhooks_to(Some(&format!("{address}/webhooks/intercom")));
        Self { bench, office, intercom, address, joe, ada, support, leads }
    }

    /// Works until nothing is left to be done on either side at the present time.
    pub(super) async fn settle(&self) {
        loop {
            let n_before = self.intercom.requests().len();
            self.intercom.webhooks_settled().await;
            self.office.run_until_idle().await.unwrap();
            self.intercom.webhooks_settled().await;
            if self.intercom.requests().len() == n_before {
                return self.office.run_until_idle().await.unwrap();
            }
        }
    }

    /// Lets time pass until everything that was to be sent is settled.
    pub(super) async fn settle_all(&self) {
        for _ in 0..60 {
            self.settle().await;
            if self.posts().await.iter().all(|post| post.state != PostState::Pending) {
                return;
            }
            self.bench.pass(SignedDuration::from_secs(60));
        }
        panic!("posts stay: {:#?}", self.posts().await);
    }

    /// Has a look for what no webhook told.
    pub(super) async fn poll(&self) {
        let now = self.office.now();
        self.office.store().ask_for("intercom", "poll", now).await.unwrap();
        self.settle().await;
    }

    /// Has Joe ask, and everything that follows happen.
    pub(super) async fn ask(&self, text: &str) -> String {
        let id = self.intercom.customer_writes(&self.joe, text);
        self.settle().await;
        id
    }

    pub(super) fn there(&self, id: &str) -> Conversation {
        self.intercom.conversation(id).unwrap()
    }

    /// The parts there that came through the API, as `type: text`.
    pub(super) fn ours(&self, id: &str) -> Vec<String> {
        self.there(id).through_the_api().iter().map(|part| line(part)).collect()
    }

    /// What the bot told the customer there.
    pub(super) fn said(&self, id: &str) -> Vec<String> {
        let ours = self.ours(id).into_iter();
        ours.filter_map(|line| line.strip_prefix("comment: ").map(str::to_string)).collect()
    }

    pub(super) async fn record(&self, id: &str) -> Record {
        self.named("intercom", id).await.unwrap()
    }

    pub(super) async fn named(&self, channel: &str, id: &str) -> Option<Record> {
        self.office.store().conversation_named(channel, id).await.unwrap()
    }

    /// The timeline here in short.
    pub(super) async fn told(&self, id: &str) -> Vec<String> {
        self.bench.told(self.record(id).await.id).await
    }

    pub(super) async fn posts(&self) -> Vec<Post> {
        let page = Page { before: None, limit: 1_000 };
        let mut posts = self.office.store().posts(Some("intercom"), &page).await.unwrap();
        posts.reverse();
        posts
    }

    /// How the posts ended, as `kind state: result`.
    pub(super) async fn ends(&self) -> Vec<String> {
        let posts = self.posts().await.into_iter();
        posts
            .map(|post| {
                let said = post.last_result.unwrap_or_default();
                format!("{} {:?}: {said}", post.kind, post.state).to_lowercase()
            })
            .collect()
    }

    pub(super) async fn customers_said(&self, id: &str) -> Vec<String> {
        let id = self.record(id).await.id;
        let timeline = self.office.store().timeline(id, 0, 2_000).await.unwrap();
        let said = timeline.into_iter().filter_map(|entry| match entry.content {
            Content::Customer { text, .. } => Some(text),
            _ => None,
        });
        said.collect()
    }

    /// Who has it here.
    pub(super) async fn owner(&self, id: &str) -> router::Owner {
        self.record(id).await.state.owner().clone()
    }
}

/// Makes the channel of a bench to an Intercom.
pub(super) fn channel(
    bench: &Bench,
    intercom: &StandIn,
    store: &Store,
    mode: Mode,
) -> Arc<dyn Channel> {
    let clock = bench.clock();
    let bot = ExternalId::parse(&intercom.bot_admin()).unwrap();
    let secret = serde_json::from_value(serde_json::json!("stand-in-client-secret")).unwrap();
    let (client, store) = (client(bench, intercom, store), store.clone());
    Arc::new(Intercom::new(IntercomParts { client, bot, secret, mode, store, clock }))
}

/// Makes what talks to an Intercom.
pub(super) fn client(bench: &Bench, intercom: &StandIn, store: &Store) -> Client {
    let clock = bench.clock();
    let short = Duration::from_millis(100);
    let client = Client::new(ClientParts {
        base_url: intercom.url(),
        token: AccessToken::new("stand-in-token"),
        version: Version::V2_14,
        budget: Arc::new(SharedBudget::new(store.clone(), "intercom", clock.clone())),
        clock: clock.clone(),
        timeout: Duration::from_secs(5),
        // The clock stands still while a call waits.
        patience: Patience { customer: short, context: short, background: short },
    });
    client.unwrap()
}

/// Opens the office's doors; returns their address.
async fn serve(office: Office) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let settings = web::Settings {
        public_url: address.clone(),
        trusted_proxies: Vec::new(),
        allowed_origins: Vec::new(),
        identity_secret: None,
        limit_per_minute: 100,
        texts: web::Texts::default(),
        session: SignedDuration::from_hours(1),
    };
    let front = web::Front::new(office, settings);
    tokio::spawn(web::serve(listener, front, std::future::pending()));
    address
}

pub(super) fn line(part: &Part) -> String {
    let text = part.body.as_deref().map(intercom::text::to_text).unwrap_or_default();
    let to = part.assigned_to.as_ref().map(|(kind, id)| format!("{kind} {id}"));
    format!("{}: {}{}", part.part_type, text.replace('\n', " "), to.unwrap_or_default())
}

pub(super) fn team(name: &str) -> router::Owner {
    router::Owner::Team(slug(name))
}

pub(super) fn person(team: &str, name: &str) -> router::Owner {
    router::Owner::Teammate { team: slug(team), teammate: slug(name), by_person: true }
}

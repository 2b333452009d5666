use crate::sample;
use bot::{
    Channel, Classifiers, Clock, Desk, Drafter, Office, OfficeParts, Pace, Parts,
    config::{Config, Fault},
};
use jiff::{SignedDuration, Timestamp};
use models::{Embedder, HashedEmbedder};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use store::{Customer, Id, Store};
use tempfile::TempDir;

/// A desk at work that needs no model and no network: the sample company's articles in a folder of
/// their own, a fresh store, and a clock that stands still until it is moved.
pub struct Bench {
    /// The desk at work.
    pub office: Office,
    /// The desk's folder, removed with the bench.
    pub folder: TempDir,
    clock: Arc<AtomicI64>,
}

/// What `routing.toml` says.
pub enum Rules<'a> {
    /// That of the sample company.
    Sample,
    /// This text.
    Text(&'a str),
}

/// A `routing.toml` with one team, whose one member is Ada, and no topics to be learnt.
pub const ONE_TEAM: &str = r#"
fallback_team = "support"
[[team]]
slug = "support"
name = "Support"
[[team.member]]
slug = "ada"
name = "Ada"
"#;

/// The folder of a bench that holds articles of its own, where there are any.
const OWN_ARTICLES: &str = "articles";

/// When a bench opens: a Wednesday morning in Europe.
const START: &str = "2026-11-18T09:30:00Z";

impl Bench {
    /// Opens a desk with a store of its own, in SQLite. Every draft has the confidence of
    /// `log_odds`: 5 is nearly sure, -5 hopeless.
    pub async fn open(rules: Rules<'_>, log_odds: f64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("desk.db").display());
        let store = Store::open(&url).await.unwrap();
        Self::on(store, folder, rules, log_odds).await
    }

    /// Opens a desk that has these articles, by file name, beside those of the sample company.
    pub async fn with_articles(articles: &[(&str, &str)], log_odds: f64) -> Self {
        let bench = Self::open(Rules::Sample, log_odds).await;
        let own = bench.folder.path().join(OWN_ARTICLES);
        std::fs::create_dir(&own).unwrap();
        for (file, text) in articles {
            std::fs::write(own.join(file), text).unwrap();
        }
        let desk = desk(bench.folder.path(), Rules::Sample, log_odds).await;
        let (store, clock) = (bench.office.store().clone(), bench.clock.clone());
        Self { office: office(desk, store, clock, Vec::new()), ..bench }
    }

    /// Opens a desk on a store; `folder` becomes the desk's.
    pub async fn on(store: Store, folder: TempDir, rules: Rules<'_>, log_odds: f64) -> Self {
        let desk = desk(folder.path(), rules, log_odds).await;
        let clock = Arc::new(AtomicI64::new(START.parse::<Timestamp>().unwrap().as_microsecond()));
        let office = office(desk, store, clock.clone(), Vec::new());
        Self { office, folder, clock }
    }

    /// Opens a desk that sends through a channel.
    pub async fn sending(channel: Arc<dyn Channel>, rules: Rules<'_>, log_odds: f64) -> Self {
        let bench = Self::open(Rules::Sample, log_odds).await;
        let desk = desk(bench.folder.path(), rules, log_odds).await;
        let (store, clock) = (bench.office.store().clone(), bench.clock.clone());
        Self { office: office(desk, store, clock, vec![channel]), ..bench }
    }

    /// Opens another node on the same store, with the same clock.
    pub async fn second(&self, store: Store, rules: Rules<'_>, log_odds: f64) -> Office {
        let desk = desk(self.folder.path(), rules, log_odds).await;
        office(desk, store, self.clock.clone(), Vec::new())
    }

    /// Opens another node that has channels and answers as the bench does.
    pub fn node(&self, store: Store, channels: Vec<Arc<dyn Channel>>) -> Office {
        office(Desk::clone(&self.office.desk()), store, self.clock.clone(), channels)
    }

    /// Has the bench's office embed with another embedder, whose id must be that of the calibration.
    pub async fn embed_with(&self, embedder: Arc<dyn Embedder>, rules: Rules<'_>, log_odds: f64) {
        self.office.reload(desk_with(embedder, self.folder.path(), rules, log_odds).await);
    }

    /// Returns what tells the bench's time.
    pub fn clock(&self) -> Clock {
        told_by(self.clock.clone())
    }

    /// Lets time pass.
    pub fn pass(&self, time: SignedDuration) {
        let microseconds = i64::try_from(time.as_micros()).unwrap();
        self.clock.fetch_add(microseconds, Ordering::SeqCst);
    }

    /// Keeps a customer whom nobody knows.
    pub async fn visitor(&self) -> Customer {
        self.office.store().keep_customer(&self.visitor_unkept()).await.unwrap()
    }

    /// Makes up a customer whom nobody knows, not even the store.
    pub fn visitor_unkept(&self) -> Customer {
        let now = self.office.now();
        Customer {
            id: Id::new(now),
            identity: None,
            name: None,
            email: None,
            locale: None,
            attributes: Default::default(),
            created_at: now,
            seen_at: now,
        }
    }
}

fn office(
    desk: Desk,
    store: Store,
    clock: Arc<AtomicI64>,
    channels: Vec<Arc<dyn Channel>>,
) -> Office {
    let clock = told_by(clock);
    let pace = Pace {
        n_workers: 4,
        lease: SignedDuration::from_secs(60),
        look: Duration::from_millis(50),
        close_after: SignedDuration::from_hours(48),
        presence: SignedDuration::from_secs(60),
    };
    Office::new(OfficeParts { desk, store, channels, clock, pace })
}

fn told_by(clock: Arc<AtomicI64>) -> Clock {
    Arc::new(move || Timestamp::from_microsecond(clock.load(Ordering::SeqCst)).unwrap())
}

/// Builds the sample company's desk in a folder, with these rules.
async fn desk(folder: &Path, rules: Rules<'_>, log_odds: f64) -> Desk {
    desk_with(Arc::new(HashedEmbedder), folder, rules, log_odds).await
}

async fn desk_with(
    embedder: Arc<dyn Embedder>,
    folder: &Path,
    rules: Rules<'_>,
    log_odds: f64,
) -> Desk {
    let sample = sample::folder();
    let mut config = Config::load(None, std::iter::empty()).unwrap();
    config.articles.index = folder.join("index");
    let own = folder.join(OWN_ARTICLES);
    if own.exists() {
        config.articles.folders.push(own);
    }
    let file = folder.join("routing.toml");
    let text = match rules {
        Rules::Sample => std::fs::read_to_string(sample.join("routing.toml")).unwrap(),
        Rules::Text(text) => text.to_string(),
    };
    let faults = |faults: Vec<Fault>| panic!("{faults:?}");
    let playbook = bot::read_playbook(&file, &text, &config.answers).unwrap_or_else(faults);
    let calibration = sample::calibration(log_odds);
    let library = bot::library(&sample, &config, embedder).into();
    let desk = Desk::new(Parts {
        library,
        drafter: Drafter::Quotes,
        playbook,
        classifiers: Classifiers::default(),
        calibration: Some((folder.join("calibration.toml"), calibration)),
        budgets: None,
    });
    let desk = desk.unwrap();
    desk.library().refresh(&|_, _| {}).await.unwrap();
    desk
}

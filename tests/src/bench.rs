use bot::{
    Classifiers, Clock, Desk, Drafter, Office, OfficeParts, Pace, Parts,
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

    /// Opens a desk on a store; `folder` becomes the desk's.
    pub async fn on(store: Store, folder: TempDir, rules: Rules<'_>, log_odds: f64) -> Self {
        let desk = desk(folder.path(), rules, log_odds).await;
        let clock = Arc::new(AtomicI64::new(START.parse::<Timestamp>().unwrap().as_microsecond()));
        let office = office(desk, store, clock.clone());
        Self { office, folder, clock }
    }

    /// Opens another node on the same store, with the same clock.
    pub async fn second(&self, store: Store, rules: Rules<'_>, log_odds: f64) -> Office {
        office(desk(self.folder.path(), rules, log_odds).await, store, self.clock.clone())
    }

    /// Lets time pass.
    pub fn pass(&self, time: SignedDuration) {
        let microseconds = i64::try_from(time.as_micros()).unwrap();
        self.clock.fetch_add(microseconds, Ordering::SeqCst);
    }

    /// Keeps a customer whom nobody knows.
    pub async fn visitor(&self) -> Customer {
        let now = self.office.now();
        let customer = Customer {
            id: Id::new(now),
            identity: None,
            name: None,
            email: None,
            locale: None,
            attributes: Default::default(),
            created_at: now,
            seen_at: now,
        };
        self.office.store().keep_customer(&customer).await.unwrap()
    }
}

fn office(desk: Desk, store: Store, clock: Arc<AtomicI64>) -> Office {
    let now = move || Timestamp::from_microsecond(clock.load(Ordering::SeqCst)).unwrap();
    let clock: Clock = Arc::new(now);
    let pace = Pace {
        n_workers: 4,
        lease: SignedDuration::from_secs(60),
        look: Duration::from_millis(50),
        close_after: SignedDuration::from_hours(48),
        presence: SignedDuration::from_secs(60),
    };
    Office::new(OfficeParts { desk, store, channels: Vec::new(), clock, pace })
}

/// Builds the sample company's desk in a folder, with these rules.
async fn desk(folder: &Path, rules: Rules<'_>, log_odds: f64) -> Desk {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/vannerly");
    let mut config = Config::load(None, std::iter::empty()).unwrap();
    config.articles.index = folder.join("index");
    let file = folder.join("routing.toml");
    let text = match rules {
        Rules::Sample => std::fs::read_to_string(sample.join("routing.toml")).unwrap(),
        Rules::Text(text) => text.to_string(),
    };
    let faults = |faults: Vec<Fault>| panic!("{faults:?}");
    let playbook = bot::read_playbook(&file, &text, &config.answers).unwrap_or_else(faults);
    let embedder = Arc::new(HashedEmbedder);
    let calibration = format!(
        "intercept = {log_odds:?}\nfactors = []\nreport = {{}}\n[fitted_for]\n\
         embedder = {:?}\ndrafter = \"quotes\"\nschema = {}\n",
        embedder.id().to_string(),
        bot::EVIDENCE_VERSION
    );
    let library = bot::library(&sample, &config, embedder).into();
    let desk = Desk::new(Parts {
        library,
        drafter: Drafter::Quotes,
        playbook,
        classifiers: Classifiers::default(),
        calibration: Some((folder.join("calibration.toml"), calibration)),
    });
    let desk = desk.unwrap();
    desk.library().refresh(&|_, _| {}).await.unwrap();
    desk
}

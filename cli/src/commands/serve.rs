mod reload;
mod stop;
mod sweep;

use super::index;
use crate::{
    Verdict,
    assembly::{self, Tools},
    known, output,
    settings::Settings,
};
use anyhow::Context;
use bot::{Channel, Clock, Library, Office, OfficeParts, Pace};
use jiff::SignedDuration;
use reload::{Changes, Reload};
use serde_json::json;
use std::{
    net::{IpAddr, SocketAddr},
    path::Path,
    sync::Arc,
    time::Duration,
};
use stop::Tasks;
use store::Store;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use web::{Front, Health};

/// How often the office looks for what has become due by time or on another node.
const LOOK: Duration = Duration::from_millis(500);

/// How often what was timed is put into its buckets.
const TIDY: Duration = Duration::from_secs(5);

/// How long the office waits at most for an index before it begins. Embedding all articles for the
/// first time can take many minutes; posts, timers and people do not wait for that, and questions go
/// to people until it is done.
const INDEX_WAIT: Duration = Duration::from_secs(30);

/// How long the store may take to close. A database that has stopped answering never lets go of a
/// connection, and whoever stops the desk waits for no database.
const CLOSING: Duration = Duration::from_secs(5);

/// Opens the desk to customers, teammates and programs until a signal says to stop.
pub(crate) async fn run(
    settings: Settings,
    as_json: bool,
    listen: Option<String>,
) -> anyhow::Result<Verdict> {
    stop::hush_panics();
    // Opening may take minutes; rules that change meanwhile are not missed.
    let changes = Changes::from_now(&settings.root)?;
    let listener = bind(listen.as_deref().unwrap_or(&settings.config.server.listen)).await?;
    let reached = Reached::new(&settings, listener.local_addr()?)?;
    let store = Store::open(&settings.store_url()).await?;
    let door = Door { listener, reached, as_json };
    let outcome = open(settings, store.clone(), door, changes).await;
    if tokio::time::timeout(CLOSING, store.close()).await.is_err() {
        tracing::warn!("the database does not answer, so its connections were cut off");
    }
    outcome.map(|()| Verdict::Yes)
}

/// Where the desk is opened, and how that is said.
struct Door {
    listener: TcpListener,
    reached: Reached,
    as_json: bool,
}

/// Works from the opened store to the signal to stop.
async fn open(
    settings: Settings,
    store: Store,
    Door { listener, reached, as_json }: Door,
    changes: Changes,
) -> anyhow::Result<()> {
    let token = settings.config.server.metrics_token.reveal().map(str::to_string);
    let health = Arc::new(Health::counting(token)?);
    let grace_s = settings.config.server.shutdown_s;
    let retention = settings.config.retention.clone();
    let (first_teammate, pace) = (first_teammate(&settings), pace(&settings));
    let web_settings = reached.web(&settings)?;
    let texts = web_settings.texts.clone();
    let tools = Tools::open(&settings).await?;
    let clock: Clock = Arc::new(known::now);
    let webhooks = Arc::new(assembly::webhooks(&settings, clock.clone())?);
    let intercom = assembly::intercom(&settings, &store, clock.clone())?;
    let mirror = super::intercom::to_keep_in_step(
        &settings,
        assembly::intercom_client(&settings, shared_budget(&store, &clock), clock.clone())?,
    );
    let desk = tools.desk(settings).await?;
    let library = tools.library.clone();
    let mut channels: Vec<Arc<dyn Channel>> = vec![webhooks.clone()];
    channels.extend(intercom.map(|intercom| Arc::new(intercom) as Arc<dyn Channel>));
    let office = Office::new(OfficeParts { desk, store: store.clone(), channels, clock, pace });
    let front = Front { health: health.clone(), ..Front::new(office.clone(), web_settings) };
    let stopping = front.stopping.clone();
    let signals = stop::Signals::listen()?;
    reached.announce(as_json)?;
    // A database that is gone by now comes back; it does not end what was just announced.
    if store.accounts().await.is_ok_and(|accounts| accounts.is_empty()) {
        eprintln!("nobody can sign in to the inbox yet; {first_teammate}");
    }
    let mut tasks = Tasks::default();
    let stopped = stopping.clone();
    tasks.start("web", async move {
        web::serve(listener, front, stopped.cancelled_owned()).await;
        Ok(())
    });
    let indexed = CancellationToken::new();
    tasks.start("articles", articles(library, health.clone(), indexed.clone(), stopping.clone()));
    tasks.start("office", work(office.clone(), indexed, stopping.clone()));
    let reload = Reload { changes, tools, office, webhooks, texts, health: health.clone() };
    tasks.start("rules", reload.run(stopping.clone()));
    tasks.start("figures", tidy(health, stopping.clone()));
    tasks.start("sweep", sweep::sweep(store, retention, stopping.clone()));
    if let Some(mirror) = mirror {
        tasks.start("help centre", super::intercom::keep_in_step(mirror, stopping.clone()));
    }
    stop::until_stopped(tasks, signals, &stopping, Duration::from_secs(grace_s)).await
}

/// Returns the budget of calls to Intercom that all nodes share.
fn shared_budget(store: &Store, clock: &Clock) -> Arc<dyn intercom::Budget> {
    Arc::new(intercom::SharedBudget::new(store.clone(), "intercom", clock.clone()))
}

/// Says how the first teammate of a desk is made: somebody to whom a team can give conversations,
/// where there is any.
pub(super) fn first_teammate(settings: &Settings) -> String {
    let members = settings.playbook.policy.teams().iter().flat_map(|team| &team.members);
    let first = members.map(|member| (member.slug.as_str(), member.name.as_str())).next();
    let (slug, name) = first.unwrap_or(("ada", "Ada"));
    let desk = settings.root.display();
    format!(
        "make the first teammate: frontdesk --desk {desk} teammates add {slug} --name {name:?} --email {slug}@example.com --role admin"
    )
}

/// Looks at what only `serve` reads of the settings; returns why it would refuse them.
pub(super) fn refusal(settings: &Settings) -> Option<anyhow::Error> {
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let web = Reached::new(settings, anywhere).and_then(|reached| reached.web(settings)).err();
    web.or_else(|| assembly::intercom_refusal(settings, Arc::new(known::now)))
}

async fn bind(listen: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(listen).await.map_err(|source| {
        let mend = match source.kind() {
            std::io::ErrorKind::AddrInUse => {
                "another program listens there; stop it, or choose another with --listen or server.listen"
            }
            std::io::ErrorKind::PermissionDenied => {
                "this user may not listen there; choose a port above 1023"
            }
            _ => "name an address of this machine and a port, such as 127.0.0.1:8080",
        };
        anyhow::anyhow!("cannot listen on {listen}: {source}; {mend}")
    })
}

fn pace(settings: &Settings) -> Pace {
    let config = &settings.config;
    Pace {
        n_workers: config.turns.workers.max(1),
        lease: SignedDuration::from_secs(i64::from(config.turns.lease_s)),
        look: LOOK,
        close_after: SignedDuration::from_hours(i64::from(settings.config.turns.close_after_h)),
        presence: SignedDuration::from_secs(i64::from(config.inbox.presence_s)),
    }
}

/// Reads what a desk's messenger says in its own words: files such as `pt.json`, if there are any.
fn texts(folder: &Path) -> anyhow::Result<web::Texts> {
    let mut texts = web::Texts::default();
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(texts) };
    for entry in entries {
        let path = entry?.path();
        let locale = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        if path.extension().is_some_and(|extension| extension == "json") {
            let shown = path.display();
            let json = std::fs::read_to_string(&path).with_context(|| shown.to_string())?;
            texts.add(locale, &json).map_err(|fault| anyhow::anyhow!("{shown}: {fault}"))?;
        }
    }
    Ok(texts)
}

/// How the desk is reached.
struct Reached {
    listen: SocketAddr,
    public_url: String,
}

impl Reached {
    fn new(settings: &Settings, listen: SocketAddr) -> anyhow::Result<Self> {
        let public_url = match settings.config.server.public_url.trim_end_matches('/') {
            "" => format!("http://{}", from_here(listen)),
            url => url.to_string(),
        };
        let is_web = public_url.starts_with("http://") || public_url.starts_with("https://");
        anyhow::ensure!(
            is_web,
            "server.public_url {public_url:?} begins neither with http:// nor https://; write it as https://help.example.com"
        );
        Ok(Self { listen, public_url })
    }

    fn web(&self, settings: &Settings) -> anyhow::Result<web::Settings> {
        let config = &settings.config;
        let proxies = config.server.trusted_proxies.iter().map(|proxy| {
            proxy.parse::<IpAddr>().map_err(|_| {
                anyhow::anyhow!(
                    "server.trusted_proxies: {proxy:?} is no address; write it as 10.0.0.7"
                )
            })
        });
        let origins = config.messenger.allowed_origins.iter().map(|origin| {
            web::Origin::new(origin)
                .map_err(|fault| anyhow::anyhow!("messenger.allowed_origins: {fault}"))
        });
        Ok(web::Settings {
            public_url: self.public_url.clone(),
            trusted_proxies: proxies.collect::<anyhow::Result<_>>()?,
            allowed_origins: origins.collect::<anyhow::Result<_>>()?,
            identity_secret: config.messenger.identity_secret.reveal().map(str::to_string),
            limit_per_minute: config.messenger.limit_per_minute,
            texts: texts(&settings.root.join("messenger"))?,
            session: SignedDuration::from_hours(i64::from(config.inbox.session_hours)),
        })
    }

    /// Says where to go, on stdout and at once, for people and for whoever started it.
    fn announce(&self, as_json: bool) -> anyhow::Result<()> {
        let Self { listen, public_url } = self;
        let (messenger, inbox) = (format!("{public_url}/messenger"), format!("{public_url}/inbox"));
        if as_json {
            let listen = listen.to_string();
            return output::json(
                &json!({"listen": listen, "messenger": messenger, "inbox": inbox}),
            );
        }
        output::line(format!("listening on {listen}; messenger {messenger}  inbox {inbox}"))
    }
}

/// Returns an address that reaches the listener from this machine.
fn from_here(mut listen: SocketAddr) -> SocketAddr {
    if listen.ip().is_unspecified() {
        let here: IpAddr =
            if listen.is_ipv4() { [127, 0, 0, 1].into() } else { [0, 0, 0, 0, 0, 0, 0, 1].into() };
        listen.set_ip(here);
    }
    listen
}

/// Works from when there is an index to answer from, it could not be made, or it takes long.
async fn work(
    office: Office,
    indexed: CancellationToken,
    stopping: CancellationToken,
) -> anyhow::Result<()> {
    tokio::select! {
        () = indexed.cancelled() => {}
        () = tokio::time::sleep(INDEX_WAIT) => {
            tracing::warn!("work begins without an index; questions go to people until it is made");
        }
        () = stopping.cancelled() => return Ok(()),
    }
    office.run(stopping.cancelled_owned()).await;
    Ok(())
}

/// Keeps the index in step with the articles; whoever asks meanwhile is answered from the old one.
/// Tells by `indexed` that there is one, or that the first attempt to make it failed.
async fn articles(
    library: Arc<Library>,
    health: Arc<Health>,
    indexed: CancellationToken,
    stopping: CancellationToken,
) -> anyhow::Result<()> {
    if library.knowledge().is_ok() {
        indexed.cancel();
    }
    // Edits during the first refresh are seen too, as the watch starts before it.
    let watching = library.watch()?;
    let told = |outcome: Result<&index::Timed, &anyhow::Error>| {
        match outcome {
            Ok(timed) => {
                let (articles, seconds) = (timed.refreshed.articles, timed.seconds);
                tracing::info!(articles, seconds, "the index is in step with the articles");
                health.reloaded("articles", Vec::new());
            }
            Err(failure) => health.reloaded("articles", vec![format!("{failure:#}")]),
        }
        indexed.cancel();
        Ok(())
    };
    let at_once = Some(Duration::ZERO);
    index::follow(&library, watching, at_once, stopping.cancelled(), told).await
}

async fn tidy(health: Arc<Health>, stopping: CancellationToken) -> anyhow::Result<()> {
    loop {
        tokio::select! {
            () = tokio::time::sleep(TIDY) => health.tidy(),
            () = stopping.cancelled() => return Ok(()),
        }
    }
}

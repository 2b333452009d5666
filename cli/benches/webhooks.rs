//! How fast is a webhook of Intercom acknowledged while the desk is busy?
//!
//! The vendor lowers the priority of whoever takes more than 500 ms. The built server, without a
//! model, is connected to the stand-in Intercom; a generator that takes seconds for each draft keeps
//! every worker busy and the queue full. Signed webhooks, each about another conversation that is
//! then read back, are posted at fixed moments, whether or not earlier ones were answered.
//! `scripts/bench webhooks` runs it; the arguments are `--rates 10,50,100` (webhooks a second),
//! `--seconds`, `--turn-s` (how long a draft takes) and `--queued` (conversations that wait already).
#![expect(clippy::print_stdout, reason = "a benchmark prints its tables")]
#![expect(clippy::unwrap_used, reason = "what goes wrong makes the measurement void")]

#[path = "../../models/benches/measure.rs"]
#[expect(dead_code, reason = "other benchmarks time single calls")]
mod measure;

use jiff::Timestamp;
use measure::{Table, machine, option, quantile};
use serde_json::json;
use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use store::Store;
use tests::{
    intercom::{StandIn, StandInParts, sign},
    program::Serving,
    sample,
};
use tokio::task::JoinSet;

/// What the stand-in signs with.
const CLIENT_SECRET: &str = "stand-in-client-secret";

/// The vendor's limit, in milliseconds.
const LIMIT_MS: f64 = 500.0;

const QUESTION: &str = "How many days does the free trial last?";

fn main() -> anyhow::Result<()> {
    let number = |name: &str, default: u64| -> anyhow::Result<u64> {
        Ok(option(name).map_or(Ok(default), |n| n.parse())?)
    };
    let rates = option("--rates").unwrap_or_else(|| "10,50,100".into());
    let rates: Vec<u64> = rates.split(',').map(str::parse).collect::<Result<_, _>>()?;
    let time = Duration::from_secs(number("--seconds", 20)?);
    let turn = Duration::from_secs(number("--turn-s", 5)?);
    let n_queued = usize::try_from(number("--queued", 1_000)?)?;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measured(&rates, time, (turn, n_queued)))
}

async fn measured(
    rates: &[u64],
    time: Duration,
    (turn, n_queued): (Duration, usize),
) -> anyhow::Result<()> {
    println!("{}; webhooks for {} s each\n", machine(), time.as_secs());
    let folder = tempfile::tempdir()?;
    let store_url = format!("sqlite:{}", folder.path().join("desk.db").display());
    let intercom = StandIn::start(StandInParts::new(Arc::new(now))).await;
    let customer = intercom.with_user("Joe", "70", json!({}));
    write_settings(folder.path(), &intercom, &slow_generator(turn)?)?;
    let mut command = sample::command(env!("CARGO_BIN_EXE_frontdesk"), folder.path());
    command.env("FRONTDESK_STORE", &store_url);
    let server = Serving::start(command);
    let door = format!("http://{}/webhooks/intercom", server.address());
    let store = Store::open(&store_url).await?;
    let heads = ["webhooks/s", "turns due", "p50 ms", "p99 ms", "longest ms", "above 500 ms"];
    let mut table = Table::new(&heads);
    let sender = Sender { client: reqwest::Client::builder().no_proxy().build()?, door };
    let idle = sender.send(&intercom, &customer, (rates[0], time)).await;
    table.row(row(rates[0], 0, &idle));
    fill(&sender, &store, (&intercom, &customer), n_queued).await?;
    for rate in rates {
        let took = sender.send(&intercom, &customer, (*rate, time)).await;
        table.row(row(*rate, store.workload(now()).await?.turns_due, &took));
    }
    println!("Acknowledgement of webhooks; the first row begins with an empty queue, the others");
    println!("with at least {n_queued} turns of {} s each\n\n{table}", turn.as_secs());
    Ok(())
}

/// Posts webhooks as the vendor does.
#[derive(Clone)]
struct Sender {
    client: reqwest::Client,
    door: String,
}

impl Sender {
    /// Posts about new conversations at fixed moments; returns how long each answer took, in
    /// milliseconds from the moment at which it was to be posted.
    async fn send(
        &self,
        intercom: &StandIn,
        customer: &str,
        (rate, time): (u64, Duration),
    ) -> Vec<f64> {
        let (start, mut posting) = (Instant::now(), JoinSet::new());
        let n = rate * time.as_secs();
        for number in 0..n {
            let at = start + time.mul_f64(number as f64 / n as f64);
            let id = intercom.customer_writes(customer, QUESTION);
            let sender = self.clone();
            tokio::time::sleep_until(at.into()).await;
            posting.spawn(async move {
                sender.post(&id).await;
                at.elapsed().as_secs_f64() * 1e3
            });
        }
        posting.join_all().await
    }

    async fn post(&self, conversation: &str) {
        let body = json!({
            "type": "notification_event", "id": format!("notif_{conversation}"),
            "topic": "conversation.user.created", "created_at": now().as_second(),
            "data": {"item": {"type": "conversation", "id": conversation}},
        });
        let body = body.to_string();
        let signature = sign(CLIENT_SECRET, body.as_bytes());
        let request = self.client.post(&self.door).header("X-Hub-Signature", signature).body(body);
        request.send().await.unwrap().error_for_status().unwrap();
    }
}

/// Has conversations wait for their turns.
async fn fill(
    sender: &Sender,
    store: &Store,
    (intercom, customer): (&StandIn, &str),
    n_queued: usize,
) -> anyhow::Result<()> {
    for _ in 0..n_queued {
        sender.post(&intercom.customer_writes(customer, QUESTION)).await;
    }
    let began = Instant::now();
    // Those that the workers have in hand are not due any more.
    while store.workload(now()).await?.turns_due + 100 < i64::try_from(n_queued)? {
        anyhow::ensure!(began.elapsed() < Duration::from_secs(600), "the queue is never full");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok(())
}

/// Listens as a generator that takes its time, and then has nothing to say: the draft falls back to
/// quotes. Returns its address.
fn slow_generator(turn: Duration) -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = format!("http://{}/v1", listener.local_addr()?);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut stream = stream;
                let _ = stream.read(&mut [0; 65_536]);
                std::thread::sleep(turn);
                let _ = stream.write_all(
                    b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
                );
            });
        }
    });
    Ok(address)
}

fn write_settings(desk: &Path, intercom: &StandIn, generator: &str) -> anyhow::Result<()> {
    sample::write_settings(desk);
    let file = desk.join("frontdesk.toml");
    let (bot, url) = (intercom.bot_admin(), intercom.url());
    let settings = fs::read_to_string(&file)?.replace(
        "[answers]\ncalibration = \"calibration.toml\"",
        "[answers]\ndrafter = \"written\"",
    );
    let connected = format!(
        "{settings}\n[generator]\nkind = \"remote\"\nmodel = \"slow\"\nurl = \"{generator}\"\n\
         [intercom]\naccess_token = \"stand-in-token\"\nclient_secret = \"{CLIENT_SECRET}\"\n\
         admin_id = \"{bot}\"\napi_url = \"{url}\"\n"
    );
    Ok(fs::write(file, connected)?)
}

fn row(rate: u64, turns_due: i64, took: &[f64]) -> [String; 6] {
    let longest = took.iter().copied().fold(0.0, f64::max);
    let n_late = took.iter().filter(|ms| **ms > LIMIT_MS).count();
    [
        rate.to_string(),
        turns_due.to_string(),
        format!("{:.1}", quantile(took, 0.5)),
        format!("{:.1}", quantile(took, 0.99)),
        format!("{longest:.1}"),
        format!("{n_late} of {}", took.len()),
    ]
}

#[expect(clippy::disallowed_methods, reason = "the server runs by the clock of the machine")]
fn now() -> Timestamp {
    Timestamp::now()
}

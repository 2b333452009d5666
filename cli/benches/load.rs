//! How long does a customer wait, with how many messengers open and how many conversations kept?
//!
//! The built server runs the sample desk with the default model on a store of its own; everything
//! is asked over HTTP, as browsers do, from this process on the same machine. `scripts/bench load`
//! runs it; the arguments are `--model`, `--store` (a PostgreSQL address, else SQLite), `--open
//! 1,10,100,1000`, `--stored 1000,100000,1000000`, `--rate` (messages a second) and `--seconds`.
#![expect(clippy::print_stdout, reason = "a benchmark prints its tables")]

#[path = "load/grown.rs"]
mod grown;
#[path = "../../models/benches/measure.rs"]
#[expect(dead_code, reason = "other benchmarks time single calls")]
mod measure;
#[path = "load/messenger.rs"]
mod messenger;
#[path = "load/server.rs"]
mod server;

use anyhow::Context;
use measure::{Table, machine, option, quantile};
use messenger::{Messenger, Waited};
use server::Server;
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// What is measured.
struct Plan {
    /// Numbers of open messengers.
    open: Vec<usize>,
    /// Numbers of stored conversations.
    stored: Vec<usize>,
    /// Messages a second, of all messengers together; one alone writes one a second at most.
    rate: f64,
    time: Duration,
}

/// Questions that customers write, one after the other.
struct Questions(Vec<String>);

/// How long a bench without load is watched.
const SETTLING: Duration = Duration::from_secs(5);

/// Messages in a row that are measured on a grown store.
const ONE_BY_ONE: usize = 200;

fn main() -> anyhow::Result<()> {
    let numbers = |name: &str, default: &str| -> anyhow::Result<Vec<usize>> {
        let text = option(name).unwrap_or_else(|| default.to_string());
        Ok(text.split(',').map(str::parse).collect::<Result<_, _>>()?)
    };
    let plan = Plan {
        open: numbers("--open", "1,10,100,1000")?,
        stored: numbers("--stored", "1000,100000,1000000")?,
        rate: option("--rate").map_or(Ok(10.0), |rate| rate.parse())?,
        time: Duration::from_secs(option("--seconds").map_or(Ok(60), |n| n.parse())?),
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let models = option("--model").map_or(root.join(".frontdesk/models"), PathBuf::from);
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measured(&plan, &root, &models))
}

async fn measured(plan: &Plan, root: &Path, models: &Path) -> anyhow::Result<()> {
    let questions = Questions::read(&root.join("examples/vannerly/cases/cases.jsonl"))?;
    println!("{}; messages for {} s each\n", machine(), plan.time.as_secs());
    let folder = tempfile::tempdir()?;
    let mut server = Server::new(root, models, folder.path(), option("--store"))?;
    let started = Instant::now();
    server.start().await?;
    println!("Ready after {:.1} s, with the articles indexed anew.\n", seconds(started));
    tokio::time::sleep(SETTLING).await;
    let idle = server.memory_mb()?;
    let heads = ["open messengers", "messages/s", "stored ms", "answered ms", "memory MB"];
    let mut table = Table::new(&heads);
    table.row(["0", "0", "", ""].map(String::from).into_iter().chain([format!("{idle:.0}")]));
    for &n_open in &plan.open {
        let (waited, rate) = spread(&server, &questions, n_open, plan).await?;
        let memory = server.memory_mb()?;
        table.row(row(format!("{n_open}"), &waited, rate, memory));
    }
    for n_writers in [1, 10] {
        let (waited, rate) = hurried(&server, &questions, n_writers, plan.time).await?;
        let name = format!("{n_writers}, who write without a pause");
        table.row(row(name, &waited, rate, server.memory_mb()?));
    }
    println!("Messages by open messengers; p50 / p99 from sending to stored and to answered\n");
    println!("{table}");
    server.stop().await?;
    growth(root, models, &questions, plan).await
}

/// Measures the same messages and lists with more and more conversations kept, each number in a
/// store of its own. A PostgreSQL store is not grown: it would not be empty.
async fn growth(
    root: &Path,
    models: &Path,
    questions: &Questions,
    plan: &Plan,
) -> anyhow::Result<()> {
    let heads = ["stored", "ready s", "stored ms", "answered ms", "newest ms", "search ms", "MB"];
    let mut table = Table::new(&heads);
    for &n in &plan.stored {
        let folder = tempfile::tempdir()?;
        let mut server = Server::new(root, models, folder.path(), None)?;
        server.start().await?;
        hurried(&server, questions, 10, SETTLING).await?;
        let token = server.token()?;
        server.stop().await?;
        let n_kept = grown::grow(&server.store_url(), n).await?;
        let started = Instant::now();
        server.start().await?;
        let ready = seconds(started);
        let (waited, _) = in_a_row(&server, questions, ONE_BY_ONE).await?;
        let newest = server.listed(&token, "conversations?limit=50", 40).await?;
        let search = server.listed(&token, "conversations?words=invoice&limit=50", 40).await?;
        let [stored, answered] = [Waited::stored, Waited::answered].map(|of| spans(&waited, of));
        table.row([
            n_kept.to_string(),
            format!("{ready:.1}"),
            stored,
            answered,
            both(&newest),
            both(&search),
            server.store_mb().map_or_else(String::new, |mb| format!("{mb:.0}")),
        ]);
        server.stop().await?;
    }
    println!("Messages one by one and lists, by conversations kept; p50 / p99\n\n{table}");
    Ok(())
}

/// Has so many messengers open, each of which writes from time to time.
async fn spread(
    server: &Server,
    questions: &Questions,
    n_open: usize,
    plan: &Plan,
) -> anyhow::Result<(Vec<Waited>, f64)> {
    let pause = Duration::from_secs_f64((n_open as f64 / plan.rate).max(1.0));
    let mut open = Vec::new();
    for n in 0..n_open {
        let mut messenger = Messenger::open(server.address(), n).await?;
        // Its stream is there before anything is measured.
        messenger.ask(questions.at(n)).await?;
        open.push(messenger);
    }
    let (start, mut writing) = (Instant::now(), JoinSet::new());
    for (n, mut messenger) in open.into_iter().enumerate() {
        let first = pause.mul_f64(n as f64 / n_open as f64);
        let asked: Vec<String> =
            (0..).map(|k| questions.at(n + k * 7).to_string()).take(200).collect();
        let time = plan.time;
        writing.spawn(async move {
            let mut waited = Vec::new();
            for (k, question) in (0u32..).zip(asked) {
                let at = first + pause * k;
                if at >= time {
                    break;
                }
                tokio::time::sleep_until((start + at).into()).await;
                waited.push(messenger.ask(&question).await?);
            }
            tokio::time::sleep_until((start + time).into()).await;
            anyhow::Ok((waited, messenger))
        });
    }
    gathered(writing, start).await
}

/// Has so many customers write, each as soon as the last message is answered.
async fn hurried(
    server: &Server,
    questions: &Questions,
    n_writers: usize,
    time: Duration,
) -> anyhow::Result<(Vec<Waited>, f64)> {
    let (start, mut writing) = (Instant::now(), JoinSet::new());
    for n in 0..n_writers {
        let mut messenger = Messenger::open(server.address(), n).await?;
        let asked: Vec<String> = (0..64).map(|k| questions.at(n + k * 7).to_string()).collect();
        writing.spawn(async move {
            let mut waited = Vec::new();
            for question in asked.iter().cycle() {
                if start.elapsed() >= time {
                    break;
                }
                waited.push(messenger.ask(question).await?);
            }
            anyhow::Ok((waited, messenger))
        });
    }
    gathered(writing, start).await
}

async fn in_a_row(
    server: &Server,
    questions: &Questions,
    n: usize,
) -> anyhow::Result<(Vec<Waited>, f64)> {
    let mut messenger = Messenger::open(server.address(), 0).await?;
    messenger.ask(questions.at(0)).await?;
    let (start, mut waited) = (Instant::now(), Vec::new());
    for k in 0..n {
        waited.push(messenger.ask(questions.at(k)).await?);
    }
    let rate = waited.len() as f64 / seconds(start);
    Ok((waited, rate))
}

/// Waits for all; the messengers stay open until the last one is done.
async fn gathered(
    mut writing: JoinSet<anyhow::Result<(Vec<Waited>, Messenger)>>,
    start: Instant,
) -> anyhow::Result<(Vec<Waited>, f64)> {
    let (mut all, mut open) = (Vec::new(), Vec::new());
    while let Some(done) = writing.join_next().await {
        let (waited, messenger) = done??;
        all.extend(waited);
        open.push(messenger);
    }
    let rate = all.len() as f64 / seconds(start);
    Ok((all, rate))
}

impl Questions {
    /// Reads the first message of each labelled case.
    fn read(file: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
        let first = |line: &str| {
            let case: serde_json::Value = serde_json::from_str(line).ok()?;
            Some(case["messages"][0]["text"].as_str()?.to_string())
        };
        let questions: Vec<String> = text.lines().filter_map(first).collect();
        anyhow::ensure!(!questions.is_empty(), "{}: no questions", file.display());
        Ok(Self(questions))
    }

    fn at(&self, n: usize) -> &str {
        &self.0[n % self.0.len()]
    }
}

fn row(name: String, waited: &[Waited], rate: f64, memory: f64) -> Vec<String> {
    let (stored, answered) = (spans(waited, Waited::stored), spans(waited, Waited::answered));
    vec![name, format!("{rate:.1}"), stored, answered, format!("{memory:.0}")]
}

fn spans(waited: &[Waited], of: fn(&Waited) -> f64) -> String {
    both(&waited.iter().map(of).collect::<Vec<f64>>())
}

fn both(values: &[f64]) -> String {
    format!("{:.1} / {:.1}", quantile(values, 0.5), quantile(values, 0.99))
}

fn seconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64()
}

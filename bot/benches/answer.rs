//! How long does the sample desk take from question to decision, and where does the time go?
//!
//! The desk is the sample company with the default model and the quotes drafter; the questions are
//! the last messages of its labelled cases. `scripts/bench` runs it; the arguments are `--model`
//! and `--rounds`.
#![expect(clippy::print_stdout, reason = "a benchmark prints its tables")]

#[path = "../../models/benches/measure.rs"]
mod measure;

use anyhow::Context;
use async_trait::async_trait;
use bot::{Classifiers, Context as Known, Desk, Drafter, Inquiry, Parts, Question, config::Config};
use knowledge::Reader;
use measure::{Table, machine, option, quantile, timed, turns};
use models::{Embedder, Embedding, Encoder, Error};
use std::{
    hint::black_box,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

/// An encoder that notes how long it worked.
struct Clocked {
    encoder: Encoder,
    spent: Mutex<Spent>,
}

/// Milliseconds and texts since the last look.
#[derive(Clone, Copy, Default)]
struct Spent {
    question_ms: f64,
    sentences_ms: f64,
    sentences: usize,
}

/// Milliseconds of one answer, part by part.
#[derive(Clone, Copy)]
struct Row {
    total: f64,
    embedding: f64,
    search: f64,
    sentences: f64,
    composing: f64,
    n_sentences: f64,
}

fn main() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let model = root.join(".frontdesk/models/all-minilm-l6-v2");
    let model = option("--model").map_or(model, PathBuf::from);
    let rounds: usize = option("--rounds").map_or(Ok(5), |n| n.parse())?;
    let sample = root.join("examples/vannerly");
    let questions = questions(&sample.join("cases/cases.jsonl"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let index = tempfile::tempdir()?;
    let encoder = Encoder::open(&model, 2)?;
    let clocked = Arc::new(Clocked { encoder, spent: Mutex::default() });
    let desk = desk(&sample, index.path(), Arc::clone(&clocked) as Arc<dyn Embedder>)?;
    let (refreshed, index_ms) = timed(|| runtime.block_on(desk.library().refresh(&|_, _| {})));
    let refreshed = refreshed?;
    println!("{}; {rounds} rounds of {} questions\n", machine(), questions.len());
    println!(
        "{} articles, {} passages indexed in {:.1} s, embedding included\n",
        refreshed.articles,
        refreshed.passages,
        index_ms / 1e3
    );
    let mut rows = Vec::new();
    for round in 0..=rounds {
        for n in turns(questions.len(), round) {
            let row = answered(&runtime, &desk, &clocked, &questions[n]);
            // The first round warms up.
            if round > 0 {
                rows.push(row);
            }
        }
    }
    println!("{}", parts(&rows));
    throughput(&runtime, &desk, &questions);
    println!("\nload at the end: {}", machine());
    Ok(())
}

fn desk(sample: &Path, index: &Path, embedder: Arc<dyn Embedder>) -> anyhow::Result<Desk> {
    let faults = |faults: Vec<bot::config::Fault>| anyhow::anyhow!("{faults:?}");
    let mut config = Config::load(None, std::iter::empty()).map_err(faults)?;
    config.articles.index = index.to_path_buf();
    let file = sample.join("routing.toml");
    let text = std::fs::read_to_string(&file)?;
    let playbook = bot::read_playbook(&file, &text, &config.answers).map_err(faults)?;
    let classifiers = Classifiers::default();
    let library = bot::library(sample, &config, embedder);
    let drafter = Drafter::Quotes;
    let library = library.into();
    Ok(Desk::new(Parts {
        library,
        drafter,
        playbook,
        classifiers,
        calibration: None,
        budgets: None,
    })?)
}

fn questions(file: &Path) -> anyhow::Result<Vec<Inquiry>> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let questions = text.lines().map(|line| {
        let case: serde_json::Value = serde_json::from_str(line)?;
        let last = case["messages"].as_array().and_then(|messages| messages.last());
        let text = last.and_then(|message| message["text"].as_str());
        let question = Question::new(text.context("a case has no message")?);
        let context = Known::at(jiff::Timestamp::UNIX_EPOCH);
        Ok(Inquiry { question, reader: Reader::default(), context })
    });
    questions.collect()
}

fn answered(
    runtime: &tokio::runtime::Runtime,
    desk: &Desk,
    clocked: &Clocked,
    question: &Inquiry,
) -> Row {
    clocked.take();
    let answer = runtime.block_on(desk.answer(question));
    let spent = clocked.take();
    let times = answer.timings;
    Row {
        total: times.total_ms,
        embedding: spent.question_ms,
        search: times.search_ms - spent.question_ms,
        sentences: spent.sentences_ms,
        composing: times.total_ms - times.search_ms - spent.sentences_ms,
        n_sentences: spent.sentences as f64,
    }
}

fn parts(rows: &[Row]) -> Table {
    let mut table = Table::new(&["part", "p50 ms", "p99 ms", "share of all time"]);
    let sum: f64 = rows.iter().map(|row| row.total).sum();
    let mut line = |name: &str, part: fn(&Row) -> f64| {
        let values: Vec<f64> = rows.iter().map(part).collect();
        let share = values.iter().sum::<f64>() / sum * 100.0;
        let (p50, p99) = (quantile(&values, 0.5), quantile(&values, 0.99));
        table.row([name.into(), format!("{p50:.2}"), format!("{p99:.2}"), format!("{share:.1} %")]);
    };
    line("question to decision", |row| row.total);
    line("embedding the question", |row| row.embedding);
    line("search by words and vectors", |row| row.search);
    line("embedding the sentences of the best passages", |row| row.sentences);
    line("triage, composing, evidence, decision", |row| row.composing);
    let sentences: Vec<f64> = rows.iter().map(|row| row.n_sentences).collect();
    let (p50, p99) = (quantile(&sentences, 0.5), quantile(&sentences, 0.99));
    table.row([
        "(sentences embedded, number)".into(),
        format!("{p50}"),
        format!("{p99}"),
        "".into(),
    ]);
    table
}

/// All questions once, asked by one and by two customers at a time.
fn throughput(runtime: &tokio::runtime::Runtime, desk: &Desk, questions: &[Inquiry]) {
    for customers in [1, 2] {
        let next = Arc::new(AtomicUsize::new(0));
        let questions: Arc<[Inquiry]> = questions.to_vec().into();
        let start = Instant::now();
        let asking: Vec<_> = (0..customers)
            .map(|_| {
                let (next, desk) = (Arc::clone(&next), desk.clone());
                let questions = Arc::clone(&questions);
                runtime.spawn(async move {
                    while let Some(question) = questions.get(next.fetch_add(1, Ordering::Relaxed)) {
                        black_box(desk.answer(question).await);
                    }
                })
            })
            .collect();
        for customer in asking {
            // A task that panicked has said so; the figure below then shows it.
            drop(runtime.block_on(customer));
        }
        let seconds = start.elapsed().as_secs_f64();
        println!("{customers} at a time: {:.1} answers/s", questions.len() as f64 / seconds);
    }
}

impl Clocked {
    fn take(&self) -> Spent {
        self.spent.lock().map(|mut spent| std::mem::take(&mut *spent)).unwrap_or_default()
    }

    fn add(&self, more: Spent) {
        if let Ok(mut spent) = self.spent.lock() {
            spent.question_ms += more.question_ms;
            spent.sentences_ms += more.sentences_ms;
            spent.sentences += more.sentences;
        }
    }
}

#[async_trait]
impl Embedder for Clocked {
    fn id(&self) -> &str {
        self.encoder.id()
    }

    fn dimension(&self) -> usize {
        self.encoder.dimension()
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<Embedding>, Error> {
        self.encoder.embed(texts).await
    }

    async fn embed_now(&self, texts: &[String]) -> Result<Vec<Embedding>, Error> {
        let start = Instant::now();
        let vectors = self.encoder.embed_now(texts).await;
        let sentences_ms = start.elapsed().as_secs_f64() * 1e3;
        self.add(Spent { sentences_ms, sentences: texts.len(), ..Spent::default() });
        vectors
    }

    async fn embed_query(&self, text: &str) -> Result<Embedding, Error> {
        let start = Instant::now();
        let vector = self.encoder.embed_query(text).await;
        let question_ms = start.elapsed().as_secs_f64() * 1e3;
        self.add(Spent { question_ms, ..Spent::default() });
        vector
    }
}

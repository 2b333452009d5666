//! How fast is the default embedder beside what a user would pick instead?
//!
//! Contenders stay resident and are asked in turn within one run, the order reversed each round;
//! what counts are medians and the ratios between them. Where the machine is shared, the ratios of
//! processor time say more; nobody's threads spin while they wait. Every time goes from text to
//! unit vector, the tokenizer included; the pipe to a Python process is not in it. `scripts/bench`
//! sets everything up; the arguments are `--python`, `--model`, `--graphs`, `--rounds`, `--threads`.
#![expect(clippy::print_stdout, reason = "a benchmark prints its tables")]

mod contender;
mod measure;
mod sample;

use anyhow::{Context, ensure};
use contender::{Candle, Contender, Cost, Ours, Peer, Texts, Way, tokenizer};
use measure::{Table, machine, option, quantile, turns};
use models::Precision;
use sample::Random;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use tokenizers::Tokenizer;

/// Peers are fastest with eight 128-token passages at once here (their activations stay in the
/// second-level cache).
const BATCH: usize = 8;

/// What sentence-transformers takes when nobody says anything.
const ITS_OWN_BATCH: usize = 32;

/// Vectors in fp32 that agree less than this were not made by the same model.
const LEAST_COSINE: f32 = 0.999;

/// Between two contenders: the threads of the last one stop spinning.
const PAUSE: Duration = Duration::from_millis(50);

/// A contender with its name in the tables.
struct Entry {
    name: &'static str,
    who: Box<dyn Contender>,
    exact: bool,
}

/// A line of a table of batches: who, and how.
struct Lane {
    name: String,
    entry: usize,
    way: Way,
}

fn main() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let path =
        |name: &str, default: &str| option(name).map_or_else(|| root.join(default), PathBuf::from);
    let model = path("--model", ".frontdesk/models/all-minilm-l6-v2");
    let number = |name: &str, default: usize| option(name).map_or(Ok(default), |n| n.parse());
    let (rounds, threads) = (number("--rounds", 9)?, number("--threads", 2)?);
    let python = path("--python", "target/peers/bin/python");
    let graphs = path("--graphs", "target/peers/all-minilm-l6-v2");
    let mut entries = open(&model, &python, &graphs, threads)?;

    let tokenizer = tokenizer(&model)?;
    let words = sample::words()?;
    let passages = Texts { name: "passages", texts: fixed(&words, &tokenizer, 128, 64)? };
    let mixed = Texts { name: "mixed", texts: mixed(&words, &tokenizer)? };
    let queries = Texts { name: "queries", texts: fixed(&words, &tokenizer, 12, 40)? };
    println!("{}; {threads} threads, {rounds} rounds, medians\n", machine());
    for texts in [&passages, &mixed, &queries] {
        same(&mut entries, texts)?;
    }
    batches(&mut entries, &passages, &tokenizer, rounds)?;
    batches(&mut entries, &mixed, &tokenizer, rounds)?;
    singles(&mut entries, &queries, rounds)?;
    println!("load at the end: {}", machine());
    Ok(())
}

fn open(model: &Path, python: &Path, graphs: &Path, threads: usize) -> anyhow::Result<Vec<Entry>> {
    let folder = model.to_str().context("the path of the model is not UTF-8")?;
    let n = threads.to_string();
    let graph = |name: &str| graphs.join(name).display().to_string();
    let peer = |arguments: &[&str]| Peer::start(python, arguments).map(Box::new);
    let theirs = peer(&["sentence-transformers", folder, &n])?;
    let onnx = peer(&["onnxruntime", folder, &n, &graph("model.onnx")])?;
    let small = peer(&["onnxruntime", folder, &n, &graph("model-int8.onnx")])?;
    Ok(vec![
        Entry { name: "sentence-transformers", who: theirs, exact: true },
        Entry { name: "onnxruntime fp32", who: onnx, exact: true },
        Entry { name: "onnxruntime int8", who: small, exact: false },
        Entry {
            name: "candle's BertModel",
            who: Box::new(Candle::open(model, threads)?),
            exact: true,
        },
        Entry {
            name: "frontdesk, exact",
            who: Box::new(Ours::open(model, threads, Precision::Exact)?),
            exact: true,
        },
        Entry {
            name: "frontdesk, fast",
            who: Box::new(Ours::open(model, threads, Precision::Fast)?),
            exact: false,
        },
    ])
}

/// Proves that all compute the same, and warms them up.
fn same(entries: &mut [Entry], texts: &Texts) -> anyhow::Result<()> {
    let way = Way { batch: BATCH, sorted: false };
    let mut reference: Vec<Vec<f32>> = Vec::new();
    for entry in entries {
        let vectors = entry.who.vectors(texts, way)?;
        ensure!(vectors.len() == texts.texts.len(), "{} lost a text", entry.name);
        if reference.is_empty() {
            reference.clone_from(&vectors);
        }
        let cosines = reference.iter().zip(&vectors).map(|(a, b)| cosine(a, b));
        let least = cosines.fold(1.0_f32, f32::min);
        println!("{}: least cosine of {} to the first: {least:.6}", texts.name, entry.name);
        ensure!(!entry.exact || least > LEAST_COSINE, "{} computes something else", entry.name);
    }
    println!();
    Ok(())
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// The ways through a batch that are worth a line.
fn lanes(entries: &[Entry], is_mixed: bool) -> Vec<Lane> {
    let mut lanes = Vec::new();
    for (n, entry) in entries.iter().enumerate() {
        let mut lane = |name: String, batch: usize, sorted: bool| {
            lanes.push(Lane { name, entry: n, way: Way { batch, sorted } });
        };
        let name = entry.name;
        match n {
            0 => {
                lane(format!("{name}, batch {BATCH}"), BATCH, false);
                lane(format!("{name}, its own batch of {ITS_OWN_BATCH}"), ITS_OWN_BATCH, false);
            }
            4 | 5 => lane(name.to_string(), BATCH, false),
            // candle in the order of arrival would take most of the run, to show what padding costs.
            3 if is_mixed => lane(format!("{name}, sorted by length"), BATCH, true),
            _ if is_mixed => {
                lane(format!("{name}, as they come"), BATCH, false);
                lane(format!("{name}, sorted by length"), BATCH, true);
            }
            _ => lane(format!("{name}, batch {BATCH}"), BATCH, false),
        }
    }
    lanes
}

fn batches(
    entries: &mut [Entry],
    texts: &Texts,
    tokenizer: &Tokenizer,
    rounds: usize,
) -> anyhow::Result<()> {
    let lanes = lanes(entries, texts.name == "mixed");
    let mut costs: Vec<Vec<Cost>> = vec![Vec::new(); lanes.len()];
    for round in 0..rounds {
        for n in turns(lanes.len(), round) {
            let lane = &lanes[n];
            costs[n].push(entries[lane.entry].who.run(texts, lane.way)?);
            std::thread::sleep(PAUSE);
        }
    }
    let tokens =
        texts.texts.iter().map(|text| length(tokenizer, text)).sum::<anyhow::Result<usize>>()?;
    let n_texts = texts.texts.len() as f64;
    println!("{}: {n_texts} texts, {tokens} tokens\n", texts.name);
    let heads = [
        "contender",
        "passages/s",
        "tokens/s",
        "ms",
        "least to most ms",
        "cpu ms",
        "ratio",
        "ratio of cpu",
    ];
    let mut table = Table::new(&heads);
    let wall = |n: usize| costs[n].iter().map(|cost| cost.wall_ms).collect::<Vec<_>>();
    let cpu = |n: usize| costs[n].iter().map(|cost| cost.cpu_ms).collect::<Vec<_>>();
    let (first, first_cpu) = (quantile(&wall(0), 0.5), quantile(&cpu(0), 0.5));
    for (n, lane) in lanes.iter().enumerate() {
        let (ms, cpu_ms) = (quantile(&wall(n), 0.5), quantile(&cpu(n), 0.5));
        table.row([
            lane.name.clone(),
            format!("{:.1}", n_texts / ms * 1e3),
            format!("{:.0}", tokens as f64 / ms * 1e3),
            format!("{ms:.0}"),
            format!("{:.0} to {:.0}", quantile(&wall(n), 0.0), quantile(&wall(n), 1.0)),
            format!("{cpu_ms:.0}"),
            format!("{:.2}", first / ms),
            format!("{:.2}", first_cpu / cpu_ms),
        ]);
    }
    println!("{table}");
    Ok(())
}

fn singles(entries: &mut [Entry], texts: &Texts, rounds: usize) -> anyhow::Result<()> {
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); entries.len()];
    for round in 0..rounds {
        for n in turns(entries.len(), round) {
            times[n].extend(entries[n].who.each(texts)?);
            std::thread::sleep(PAUSE);
        }
    }
    println!("{}: 12 tokens, one at a time (frontdesk on one thread, by design)\n", texts.name);
    let mut table = Table::new(&["contender", "p50 ms", "p99 ms", "ratio of p50"]);
    let first = quantile(&times[0], 0.5);
    for (entry, times) in entries.iter().zip(&times) {
        let p50 = quantile(times, 0.5);
        table.row([
            entry.name.to_string(),
            format!("{p50:.2}"),
            format!("{:.2}", quantile(times, 0.99)),
            format!("{:.2}", first / p50),
        ]);
    }
    println!("{table}");
    Ok(())
}

/// 256 texts of 8 to 256 tokens, about 80 on average and most of them short, in no order.
fn mixed(words: &[String], tokenizer: &Tokenizer) -> anyhow::Result<Vec<String>> {
    let mut random = Random(7);
    let texts = (0..256).map(|_| {
        // The sum of two exponential draws, as the lengths of real passages roughly are.
        let drawn = -36.0 * (random.share() * random.share()).max(1e-9).ln();
        let tokens = (8.0 + drawn).min(256.0) as usize;
        let from = random.below(words.len() - 300);
        Ok(cut(&words[from..], tokenizer, tokens)?.0)
    });
    texts.collect()
}

/// `n` texts of exactly `tokens` tokens, one behind the other in the articles.
fn fixed(
    words: &[String],
    tokenizer: &Tokenizer,
    tokens: usize,
    n: usize,
) -> anyhow::Result<Vec<String>> {
    let mut texts = Vec::with_capacity(n);
    let mut rest = words;
    while texts.len() < n {
        let (text, n_words) = cut(rest, tokenizer, tokens)?;
        let fits = length(tokenizer, &text)? == tokens;
        rest = rest.get(if fits { n_words } else { 1 }..).unwrap_or_default();
        ensure!(!rest.is_empty(), "the sample articles are too short for {n} texts of {tokens}");
        if fits {
            texts.push(text);
        }
    }
    Ok(texts)
}

/// The most words from the start that make at most `tokens` tokens, and how many they are.
fn cut(words: &[String], tokenizer: &Tokenizer, tokens: usize) -> anyhow::Result<(String, usize)> {
    let (mut fits, mut too_many) = (1, tokens.min(words.len()) + 1);
    while too_many - fits > 1 {
        let middle = fits.midpoint(too_many);
        if length(tokenizer, &words[..middle].join(" "))? <= tokens {
            fits = middle;
        } else {
            too_many = middle;
        }
    }
    let n_words = fits.min(words.len());
    Ok((words[..n_words].join(" "), n_words))
}

fn length(tokenizer: &Tokenizer, text: &str) -> anyhow::Result<usize> {
    Ok(tokenizer.encode_fast(text, true).map_err(anyhow::Error::msg)?.len())
}

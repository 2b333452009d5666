//! How long does a search take as the help centre grows, and where does the time go?
//!
//! Every way to search is asked in turn with every question, the order reversed each round.
//! `scripts/bench` runs it; the arguments are `--rounds` and `--sizes 1000,10000`.
#![expect(clippy::print_stdout, reason = "a benchmark prints its tables")]

mod corpus;
#[path = "../../models/benches/measure.rs"]
mod measure;
#[path = "../../models/benches/sample.rs"]
mod sample;

use corpus::{Corpus, DIMENSION, PLAN};
use knowledge::{EmbedderSpec, Folder, Fusion, Knowledge, Mode, Query, Reader, Update};
use measure::{Table, machine, option, quantile, timed, turns};
use std::{hint::black_box, path::Path, process::Command};

/// Questions of each round.
const QUESTIONS: usize = 100;

/// Words of a question, stop words included.
const WORDS: usize = 8;

/// Hits that the answer path asks for.
const TOP: usize = 60;

/// A question as words and as a direction.
struct Question {
    words: String,
    vector: Vec<f32>,
}

/// A way to search.
struct Way {
    name: &'static str,
    mode: Mode,
    words: bool,
    vector: bool,
    reader: Reader,
    top: usize,
}

/// Milliseconds of one way, all questions and rounds.
struct Times(Vec<f64>);

/// What making and opening an index of one size took.
struct Made {
    knowledge: Knowledge,
    row: Vec<String>,
}

fn main() -> anyhow::Result<()> {
    if let Some(dir) = option("--open") {
        return opened(Path::new(&dir));
    }
    let rounds = option("--rounds").map_or(Ok(5), |n| n.parse())?;
    let sizes = option("--sizes").unwrap_or_else(|| "1000,10000,100000".to_owned());
    let sizes = sizes.split(',').map(str::parse).collect::<Result<Vec<usize>, _>>()?;
    println!("{}; {rounds} rounds of {QUESTIONS} questions, top {TOP}\n", machine());
    let mut corpus = Corpus::new()?;
    let (ways, parts) = (ways(), parts());
    let names: Vec<&str> = ["passages"].into_iter().chain(ways.iter().map(|w| w.name)).collect();
    let mut latency = Table::new(&names);
    let heads = ["passages", "filter", "words", "vectors", "fusion", "hits", "bandwidth"];
    let mut shares = Table::new(&heads);
    let heads = ["passages", "plan s", "write s", "plan again s", "open s", "disk MB", "memory MB"];
    let mut indexing = Table::new(&heads);
    for size in sizes {
        let Made { knowledge, row } = made(&mut corpus, size)?;
        indexing.row(row);
        let questions = questions(&mut corpus, &knowledge);
        let (ways, parts) = times(&knowledge, &questions, &ways, &parts, rounds)?;
        let n = knowledge.passages().len().to_string();
        let cells = ways.iter().map(|t| format!("{:.3} / {:.3}", t.at(0.5), t.at(0.99)));
        latency.row([n.clone()].into_iter().chain(cells));
        shares.row([n].into_iter().chain(breakdown(&parts, knowledge.passages().len())));
    }
    println!("Search, p50 / p99 in ms\n\n{latency}");
    println!("Parts of a fused search, p50 in ms\n\n{shares}");
    println!("Index\n\n{indexing}");
    println!("load at the end: {}", machine());
    Ok(())
}

/// Everyone's questions: each mode, open to all and restricted.
fn ways() -> Vec<Way> {
    let all = Reader { plans: vec![PLAN.to_owned()], ..Reader::default() };
    let some = Reader::default();
    let local = Reader { locale: Some("en".to_owned()), ..Reader::default() };
    let way = |name, mode, reader: &Reader| Way {
        name,
        mode,
        words: mode != Mode::Meaning,
        vector: mode != Mode::Words,
        reader: reader.clone(),
        top: TOP,
    };
    vec![
        way("words", Mode::Words, &all),
        way("meaning", Mode::Meaning, &all),
        way("fused", Mode::Fused, &all),
        way("words, 70 % allowed", Mode::Words, &some),
        way("meaning, 70 % allowed", Mode::Meaning, &some),
        way("fused, 70 % allowed", Mode::Fused, &some),
        way("fused, 70 %, by locale", Mode::Fused, &local),
    ]
}

/// Ways that leave parts out, so that what is left out can be told by difference: the filter
/// alone, words, vectors, both without hits, both with hits.
fn parts() -> Vec<Way> {
    let reader = Reader { plans: vec![PLAN.to_owned()], ..Reader::default() };
    let part = |name, mode, words, vector, top| Way {
        name,
        mode,
        words,
        vector,
        reader: reader.clone(),
        top,
    };
    vec![
        part("filter", Mode::Words, false, false, 0),
        part("words", Mode::Words, true, false, 0),
        part("vectors", Mode::Meaning, false, true, 0),
        part("both", Mode::Fused, true, true, 0),
        part("hits", Mode::Fused, true, true, TOP),
    ]
}

/// The differences, and how near the vectors come to what memory gives.
fn breakdown(parts: &[Times], n: usize) -> Vec<String> {
    let at: Vec<f64> = parts.iter().map(|times| times.at(0.5)).collect();
    let (filter, words, vectors) = (at[0], at[1] - at[0], at[2] - at[0]);
    let (fusion, hits) = (at[3] - filter - words - vectors, at[4] - at[3]);
    let bytes = n * DIMENSION * size_of::<f32>();
    let memory = bandwidth(bytes);
    let scan = bytes as f64 / vectors / 1e6;
    let mut cells: Vec<String> =
        [filter, words, vectors, fusion, hits].iter().map(|ms| format!("{ms:.3}")).collect();
    cells.push(format!("{scan:.1} of {memory:.1} GB/s, {:.0} %", scan / memory * 100.0));
    cells
}

/// What one thread reads of as many bytes as the vectors have, in GB/s: from memory when they
/// exceed the caches, else from those.
fn bandwidth(bytes: usize) -> f64 {
    const LANES: usize = 32;
    let numbers: Vec<u64> = (0..bytes as u64 / 8).collect();
    let times: Vec<f64> = (0..25)
        .map(|_| {
            let read = || {
                let mut sums = [0_u64; LANES];
                for block in black_box(&numbers).as_chunks::<LANES>().0 {
                    for (sum, number) in sums.iter_mut().zip(block) {
                        *sum = sum.wrapping_add(*number);
                    }
                }
                sums
            };
            let (sums, ms) = timed(read);
            black_box(sums);
            ms
        })
        .collect();
    bytes as f64 / quantile(&times, 0.5) / 1e6
}

fn times(
    knowledge: &Knowledge,
    questions: &[Question],
    ways: &[Way],
    parts: &[Way],
    rounds: usize,
) -> anyhow::Result<(Vec<Times>, Vec<Times>)> {
    let all: Vec<&Way> = ways.iter().chain(parts).collect();
    let mut times: Vec<Times> = all.iter().map(|_| Times(Vec::new())).collect();
    for round in 0..=rounds {
        for question in questions {
            for n in turns(all.len(), round) {
                let (outcome, ms) = timed(|| ask(knowledge, question, all[n]));
                black_box(outcome?);
                // The first round warms up.
                if round > 0 {
                    times[n].0.push(ms);
                }
            }
        }
    }
    let parts = times.split_off(ways.len());
    Ok((times, parts))
}

fn ask(
    knowledge: &Knowledge,
    question: &Question,
    way: &Way,
) -> Result<knowledge::Findings, knowledge::Error> {
    let words = [(question.words.as_str(), 1.0)];
    knowledge.search(&Query {
        words: if way.words { &words } else { &[] },
        vector: way.vector.then_some(question.vector.as_slice()),
        mode: way.mode,
        fusion: Fusion::default(),
        reader: &way.reader,
        top: way.top,
        without: &[],
    })
}

/// Words that stand behind one another in a passage, and any vector.
fn questions(corpus: &mut Corpus, knowledge: &Knowledge) -> Vec<Question> {
    let passages = knowledge.passages();
    let question = |_| {
        let passage = &passages[corpus.below(passages.len())];
        let words: Vec<&str> = passage.text.split_whitespace().collect();
        let from = corpus.below(words.len().saturating_sub(WORDS).max(1));
        let words = words.iter().skip(from).take(WORDS).copied().collect::<Vec<_>>().join(" ");
        Question { words, vector: corpus.vector() }
    };
    (0..QUESTIONS).map(question).collect()
}

fn made(corpus: &mut Corpus, size: usize) -> anyhow::Result<Made> {
    let dir = tempfile::tempdir()?;
    let folder = Folder { articles: corpus.articles(size), ..Folder::default() };
    let again = folder.clone();
    let (update, plan_ms) = timed(|| Update::plan(dir.path(), folder, &spec()));
    let update = update?;
    let vectors: Vec<Vec<f32>> = update.texts().iter().map(|_| corpus.vector()).collect();
    let (written, write_ms) = timed(|| update.commit(vectors));
    drop(written?);
    let (same, again_ms) = timed(|| Update::plan(dir.path(), again, &spec()));
    anyhow::ensure!(same?.is_unchanged(), "planning the same articles changes the index");
    let alone = Command::new(std::env::current_exe()?).arg("--open").arg(dir.path()).output()?;
    let alone = String::from_utf8(alone.stdout)?;
    let (open_s, memory_mb) = alone.trim().split_once(' ').unwrap_or_default();
    let knowledge = Knowledge::open(dir.path(), &spec())?;
    let row = vec![
        knowledge.passages().len().to_string(),
        format!("{:.2}", plan_ms / 1e3),
        format!("{:.2}", write_ms / 1e3),
        format!("{:.2}", again_ms / 1e3),
        open_s.to_owned(),
        format!("{:.1}", folder_mb(dir.path())?),
        memory_mb.to_owned(),
    ];
    Ok(Made { knowledge, row })
}

/// Opens an index in a process of its own, and says in how many seconds and megabytes.
fn opened(dir: &Path) -> anyhow::Result<()> {
    let before_mb = memory_mb();
    let (knowledge, ms) = timed(|| Knowledge::open(dir, &spec()));
    let knowledge = knowledge?;
    println!("{:.3} {:.0}", ms / 1e3, memory_mb() - before_mb);
    drop(knowledge);
    Ok(())
}

fn spec() -> EmbedderSpec {
    EmbedderSpec { id: "bench".to_owned(), dimension: DIMENSION }
}

fn folder_mb(folder: &Path) -> anyhow::Result<f64> {
    let mut sum = 0.0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        sum += if meta.is_dir() { folder_mb(&entry.path())? } else { meta.len() as f64 / 1e6 };
    }
    Ok(sum)
}

/// Resident memory of this process; not a number where there is no /proc.
fn memory_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|l| l.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    kilobytes.unwrap_or(f64::NAN) / 1e3
}

impl Times {
    fn at(&self, share: f64) -> f64 {
        quantile(&self.0, share)
    }
}

//! How many cases a second does an eval run, and where does the time go?
//!
//! The built program runs 10,000 cases with the default model and the quotes drafter: the cases of
//! the sample desk, and of the sets beside this repository where they are, each with greetings and
//! thanks around its last message, so that no two ask in the same words. First nothing is kept of
//! earlier runs, then everything. `scripts/bench evals` runs it; the arguments are `--cases`,
//! `--model`, `--set` (one of the sets alone) and `--program` (another build of the program).
#![expect(clippy::print_stdout, reason = "a benchmark prints its tables")]

#[path = "../../models/benches/measure.rs"]
#[expect(dead_code, reason = "other benchmarks time single calls")]
mod measure;

use anyhow::Context;
use measure::{Table, machine, option};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

const OPENINGS: [&str; 10] = [
    "",
    "Hello,",
    "Hi there!",
    "Good morning.",
    "Hey,",
    "Dear team,",
    "Quick question:",
    "Sorry to bother you again.",
    "I am new here.",
    "We have used this for a year.",
];

const CLOSINGS: [&str; 10] = [
    "",
    "Thanks!",
    "Thank you in advance.",
    "Cheers, Kim",
    "It is quite urgent.",
    "No hurry.",
    "I looked around and did not find it.",
    "My colleague asks as well.",
    "Best regards",
    "Have a nice day.",
];

/// A desk with labelled cases.
struct Set {
    name: &'static str,
    articles: PathBuf,
    /// A folder with `routing.toml`, where the set has one.
    rules: Option<PathBuf>,
    cases: PathBuf,
}

/// What a run took.
struct Took {
    seconds: f64,
    n_cases: f64,
    /// Milliseconds a case, by stage.
    stages: Vec<(&'static str, f64)>,
    results: Vec<Value>,
}

fn main() -> anyhow::Result<()> {
    let n_cases: usize = option("--cases").map_or(Ok(10_000), |n| n.parse())?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let model = option("--model").map_or(root.join(".frontdesk/models"), PathBuf::from);
    let program = option("--program").unwrap_or_else(|| env!("CARGO_BIN_EXE_frontdesk").into());
    let program = |desk: &Path| {
        let mut command = Command::new(&program);
        command.env("FRONTDESK_MODELS_FOLDER", &model).arg("--desk").arg(desk);
        command
    };
    let only = option("--set");
    let sets = sets(&root).into_iter();
    for set in sets.filter(|set| only.as_ref().is_none_or(|only| only == set.name)) {
        if !set.cases.is_file() {
            println!("{}: not there, left out\n", set.name);
            continue;
        }
        let folder = tempfile::tempdir()?;
        let desk = made(&set, folder.path(), n_cases)?;
        finish(program(&desk).arg("index"))?;
        println!("{}: {n_cases} cases; {}", set.name, machine());
        let cold = run(program(&desk), &desk, "cold")?;
        let warm = run(program(&desk), &desk, "warm")?;
        println!("\n{}", table(&[("nothing kept", &cold), ("all kept", &warm)]));
        println!("{}\n", difference(&cold.results, &warm.results));
    }
    println!("load at the end: {}", machine());
    Ok(())
}

fn sets(root: &Path) -> Vec<Set> {
    let sample = root.join("examples/vannerly");
    let shared = |name: &'static str| {
        let folder = root.join("../shared/data").join(name);
        let (articles, cases) = (folder.join("articles"), folder.join("cases.jsonl"));
        Set { name, articles, rules: None, cases }
    };
    vec![
        Set {
            name: "sample company",
            articles: sample.join("articles"),
            rules: Some(sample.clone()),
            cases: sample.join("cases/cases.jsonl"),
        },
        shared("segment-docs"),
        shared("mtrag-govt-finance"),
    ]
}

/// Makes a desk of a set in `folder`, with its cases multiplied.
fn made(set: &Set, folder: &Path, n_cases: usize) -> anyhow::Result<PathBuf> {
    let articles = set.articles.canonicalize()?;
    fs::write(folder.join("frontdesk.toml"), format!("[articles]\nfolders = [{articles:?}]\n"))?;
    if let Some(rules) = &set.rules {
        fs::copy(rules.join("routing.toml"), folder.join("routing.toml"))?;
    }
    let text = fs::read_to_string(&set.cases)?;
    let cases: Vec<Value> = text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let mut lines = String::new();
    for n in 0..n_cases {
        let case = cases.get(n % cases.len()).context("the set has no cases")?;
        lines.push_str(&varied(case.clone(), n / cases.len())?.to_string());
        lines.push('\n');
    }
    fs::write(folder.join("cases.jsonl"), lines)?;
    Ok(folder.to_path_buf())
}

/// Words a case in one of a hundred ways.
fn varied(mut case: Value, way: usize) -> anyhow::Result<Value> {
    case["id"] = format!("{}#{way}", case["id"].as_str().context("a case has no id")?).into();
    let last = case["messages"].as_array_mut().and_then(|messages| messages.last_mut());
    let text = last.and_then(|message| message.get_mut("text")).context("a case has no text")?;
    let (opening, closing) = (OPENINGS[way % 10], CLOSINGS[way / 10 % 10]);
    *text = format!("{opening} {} {closing}", text.as_str().unwrap_or_default()).trim().into();
    Ok(case)
}

fn run(mut program: Command, desk: &Path, out: &str) -> anyhow::Result<Took> {
    let out = desk.join(out);
    let start = Instant::now();
    finish(
        program.args(["eval", "run", "--cases"]).arg(desk.join("cases.jsonl")).arg("-o").arg(&out),
    )?;
    let seconds = start.elapsed().as_secs_f64();
    let record: Value = serde_json::from_str(&fs::read_to_string(out.join("run.json"))?)?;
    let results = fs::read_to_string(out.join("results.jsonl"))?;
    let results: Vec<Value> =
        results.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let n_cases = results.len() as f64;
    let part = |name: &str| -> f64 {
        let times = results.iter().filter_map(|result| result["timings_ms"][name].as_f64());
        times.sum::<f64>() / n_cases
    };
    let [meaning, search, draft, total] = ["meaning", "search", "draft", "total"].map(part);
    let spent = |name: &str| record["run"]["seconds"][name].as_f64().unwrap_or(f64::NAN);
    let each = |name: &str| spent(name) * 1e3 / n_cases;
    let stages = vec![
        ("embedding the question", meaning),
        ("search by words and vectors", search - meaning),
        ("draft, its sentences embedded", draft),
        ("triage, signals, decision", total - search - draft),
        ("writing the result", each("writing")),
        ("figures and report", each("measuring")),
    ];
    Ok(Took { seconds, n_cases, stages, results })
}

fn finish(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "the program failed: {said}");
    Ok(())
}

fn table(runs: &[(&str, &Took)]) -> Table {
    let heads = runs.iter().flat_map(|(name, _)| [format!("{name}: ms a case"), "cases/s".into()]);
    let heads: Vec<String> = std::iter::once("stage".to_string()).chain(heads).collect();
    let mut table = Table::new(&heads.iter().map(String::as_str).collect::<Vec<_>>());
    let cells = |ms: f64| [format!("{ms:.3}"), format!("{:.0}", 1e3 / ms)];
    let Some((_, first)) = runs.first() else { return table };
    for (n, (stage, _)) in first.stages.iter().enumerate() {
        let cells = runs.iter().flat_map(|(_, took)| cells(took.stages[n].1));
        table.row(std::iter::once((*stage).to_string()).chain(cells));
    }
    let whole = runs.iter().flat_map(|(_, took)| {
        let (seconds, n_cases) = (took.seconds, took.n_cases);
        [
            format!("{:.3} ({seconds:.0} s in all)", seconds * 1e3 / n_cases),
            format!("{:.0}", n_cases / seconds),
        ]
    });
    table.row(std::iter::once("**the whole run, on all cores**".to_string()).chain(whole));
    table
}

/// Says how far two runs over the same cases differ.
fn difference(one: &[Value], other: &[Value]) -> String {
    let pairs = || one.iter().zip(other);
    let n_acts =
        pairs().filter(|(a, b)| (&a["act"], &a["text"]) != (&b["act"], &b["text"])).count();
    let confidence = |result: &Value| result["confidence"].as_f64().unwrap_or(f64::NAN);
    let most = pairs().map(|(a, b)| (confidence(a) - confidence(b)).abs()).fold(0.0, f64::max);
    format!("{n_acts} acts or drafts differ between the two; confidences by {most:e} at most")
}

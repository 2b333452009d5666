use crate::{Verdict, args, assembly::embedder, output, progress::counted, settings::Settings};
use evals::{
    Guess, Utterance, choose_lessons, choose_questions, figures_json, measure_topics,
    prediction_line, read_utterances, spell_out_topics,
};
use models::{Classifier, Embedder, Embedding, Example, Learnt, TrainOptions};
use serde_json::{Map, Value, json};
use std::{
    path::{Path, PathBuf},
    time::Instant,
};

/// The file of `topics train` in its folder.
const MODEL: &str = "topics.model";
/// Texts embedded at once: enough to keep all cores busy, few enough for a lively progress bar.
const N_AT_ONCE: usize = 256;

pub(crate) async fn run(
    settings: &Settings,
    as_json: bool,
    command: args::Topics,
) -> anyhow::Result<Verdict> {
    match command {
        args::Topics::Train { train, out, teaching } => {
            let lessons = choose_lessons(read_utterances(&train)?, None, 0)?;
            output::make_folder(&out)?;
            let embedder = embedder(settings).await?;
            let taught = teach(embedder.as_ref(), lessons, &teaching).await?;
            let n_bytes = taught.classifier.write(&out.join(MODEL))?;
            let mut summary = taught.summary(n_bytes);
            summary.insert("train".into(), json!(shown(&train)));
            finish(&out, as_json, &Value::Object(summary), show_learnt)
        }
        args::Topics::Eval { train, test, out, shots, seed, model, teaching } => {
            let source = match model {
                Some(folder) => Source::Folder(folder),
                None => Source::Files { train, shots, seed },
            };
            evaluate(settings, as_json, source, &teaching, Files { test, out }).await
        }
    }
}

/// Where the topics come from.
enum Source {
    /// A folder of `topics train`.
    Folder(PathBuf),
    Files {
        train: Vec<PathBuf>,
        shots: Option<usize>,
        seed: u64,
    },
}

struct Files {
    test: Vec<PathBuf>,
    out: PathBuf,
}

async fn evaluate(
    settings: &Settings,
    as_json: bool,
    source: Source,
    teaching: &args::Teaching,
    Files { test, out }: Files,
) -> anyhow::Result<Verdict> {
    let (lessons, are_shots, mut provenance) = match &source {
        Source::Folder(folder) => {
            (Vec::new(), false, Map::from_iter([("model".into(), json!(folder))]))
        }
        Source::Files { train, shots, seed } => {
            let lessons = choose_lessons(read_utterances(train)?, *shots, *seed)?;
            let provenance = json!({"train": shown(train), "shots": shots, "seed": seed});
            (lessons, shots.is_some(), provenance.as_object().cloned().unwrap_or_default())
        }
    };
    let questions = choose_questions(read_utterances(&test)?, &lessons, are_shots)?;
    output::make_folder(&out)?;
    let embedder = embedder(settings).await?;
    let taught = match &source {
        Source::Folder(folder) => Taught {
            classifier: Classifier::read(&folder.join(MODEL), embedder.id())?,
            embed_s: 0.0,
            train_s: 0.0,
        },
        Source::Files { .. } => teach(embedder.as_ref(), lessons, teaching).await?,
    };
    let n_bytes = taught.classifier.write(&out.join(MODEL))?;
    let texts: Vec<String> = questions.iter().map(|question| question.text.clone()).collect();
    let vectors = embed(embedder.as_ref(), &texts).await?;
    let start = Instant::now();
    let guesses = tokio::task::block_in_place(|| guess(&taught.classifier, questions, &vectors));
    let classify_us = start.elapsed().as_secs_f64() * 1e6 / guesses.len() as f64;
    let lines: String =
        guesses.iter().map(|guess| format!("{}\n", prediction_line(guess))).collect();
    output::file(&out.join("predictions.jsonl"), &lines)?;
    let figures = measure_topics(&guesses);
    provenance.insert("test".into(), json!(shown(&test)));
    provenance.insert("version".into(), json!(env!("CARGO_PKG_VERSION")));
    provenance.insert("names".into(), json!(teaching.names));
    let mut summary = taught.summary(n_bytes);
    summary.insert("figures".into(), figures_json(&figures));
    summary.insert("tested".into(), json!(guesses.len()));
    summary.insert("classify_us".into(), json!(classify_us));
    summary.insert("provenance".into(), Value::Object(provenance));
    finish(&out, as_json, &Value::Object(summary), |summary| {
        for figure in &figures {
            let evals::interval::Estimate { value, low, high, n } = figure.estimate;
            let name = format!("{:<22}", figure.name);
            output::line(format!(
                "{}{value:.3} [{low:.3}, {high:.3}]  n {n:<6} {}",
                output::strong(&name),
                figure.meaning
            ))?;
        }
        show_learnt(summary)
    })
}

/// A classifier and how long it took.
struct Taught {
    classifier: Classifier,
    embed_s: f64,
    train_s: f64,
}

impl Taught {
    fn summary(&self, n_bytes: usize) -> Map<String, Value> {
        let Learnt {
            embedder,
            n_topics,
            n_examples,
            n_none,
            none_share,
            accuracy,
            none_recall,
            ..
        } = self.classifier.learnt();
        let rehearsed = |figure: &Option<(f64, usize)>| {
            figure.map_or(Value::Null, |(value, n)| json!({"value": value, "n": n}))
        };
        Map::from_iter([
            ("embedder".into(), json!(embedder)),
            ("topics".into(), json!(n_topics)),
            ("examples".into(), json!(n_examples)),
            ("none_examples".into(), json!(n_none)),
            ("none_share".into(), json!(none_share)),
            (
                "rehearsed".into(),
                json!({"accuracy": rehearsed(accuracy), "none_recall": rehearsed(none_recall)}),
            ),
            ("seconds".into(), json!({"embed": self.embed_s, "train": self.train_s})),
            ("bytes".into(), json!(n_bytes)),
        ])
    }
}

async fn teach(
    embedder: &dyn Embedder,
    mut lessons: Vec<Utterance>,
    teaching: &args::Teaching,
) -> anyhow::Result<Taught> {
    if teaching.names {
        lessons.extend(spell_out_topics(&lessons));
    }
    let texts: Vec<String> = lessons.iter().map(|lesson| lesson.text.clone()).collect();
    let start = Instant::now();
    let vectors = embed(embedder, &texts).await?;
    let embed_s = start.elapsed().as_secs_f64();
    let examples: Vec<Example<'_>> = lessons
        .iter()
        .zip(&vectors)
        .map(|(lesson, vector)| Example {
            text: &lesson.text,
            vector,
            label: lesson.topic.as_deref(),
        })
        .collect();
    let options =
        TrainOptions { none_share: teaching.none_share, ..TrainOptions::new(embedder.id()) };
    let start = Instant::now();
    let classifier = tokio::task::block_in_place(|| Classifier::train(&examples, &options))?;
    Ok(Taught { classifier, embed_s, train_s: start.elapsed().as_secs_f64() })
}

/// Embeds messages as they are embedded when a customer writes them. Most models treat questions
/// and passages alike, then batches are the fast way to the same vectors.
async fn embed(embedder: &dyn Embedder, texts: &[String]) -> anyhow::Result<Vec<Embedding>> {
    let Some(first) = texts.first() else { return Ok(Vec::new()) };
    let alike = match embedder.embed(std::slice::from_ref(first)).await?.as_slice() {
        [passage] => embedder.embed_query(first).await?.cosine(passage) > 0.999,
        _ => false,
    };
    let bar = counted("messages", texts.len() as u64);
    let mut vectors = Vec::with_capacity(texts.len());
    for batch in texts.chunks(N_AT_ONCE) {
        if alike {
            vectors.extend(embedder.embed(batch).await?);
        } else {
            for text in batch {
                vectors.push(embedder.embed_query(text).await?);
            }
        }
        bar.set_position(vectors.len() as u64);
    }
    bar.finish_and_clear();
    Ok(vectors)
}

fn guess(classifier: &Classifier, questions: Vec<Utterance>, vectors: &[Embedding]) -> Vec<Guess> {
    let one = |(question, vector): (Utterance, &Embedding)| {
        let found = classifier.classify(&question.text, vector);
        let (likeliest, of_likeliest) = found.ranked.first().copied().unwrap_or_default();
        Guess {
            topic: question.topic,
            predicted: found.label.map(str::to_string),
            confidence: found.confidence,
            likeliest: likeliest.to_string(),
            of_likeliest,
            none: found.none,
            text: question.text,
        }
    };
    questions.into_iter().zip(vectors).map(one).collect()
}

fn show_learnt(summary: &Value) -> anyhow::Result<()> {
    output::line(format!(
        "{} topics from {} messages and {} about none of them, embedded in {:.1} s, learnt in {:.1} s; {:.1} MB",
        summary["topics"],
        summary["examples"],
        summary["none_examples"],
        summary["seconds"]["embed"].as_f64().unwrap_or_default(),
        summary["seconds"]["train"].as_f64().unwrap_or_default(),
        summary["bytes"].as_f64().unwrap_or_default() / 1e6,
    ))?;
    let said = [
        ("accuracy", "messages put aside while learning that got their topic"),
        ("none_recall", "messages about topics put aside, or about none, that got none"),
    ];
    for (name, meaning) in said {
        let figure = &summary["rehearsed"][name];
        if let (Some(value), Some(n)) = (figure["value"].as_f64(), figure["n"].as_u64()) {
            output::line(format!("rehearsed {name:<12}{value:.3}  n {n:<6} {meaning}"))?;
        }
    }
    Ok(())
}

/// Writes the summary, and prints it: as JSON, or by `show`.
fn finish(
    out: &Path,
    as_json: bool,
    summary: &Value,
    show: impl Fn(&Value) -> anyhow::Result<()>,
) -> anyhow::Result<Verdict> {
    output::file(&out.join("summary.json"), &serde_json::to_string_pretty(summary)?)?;
    if as_json {
        output::json(summary)?;
    } else {
        show(summary)?;
        output::line(format!("written: {}", out.display()))?;
    }
    Ok(Verdict::Yes)
}

fn shown(files: &[PathBuf]) -> Vec<String> {
    files.iter().map(|file| file.display().to_string()).collect()
}

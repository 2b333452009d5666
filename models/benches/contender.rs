//! Who is measured: our encoder, candle's own network, and resident Python processes.

use crate::measure::timed;
use anyhow::{Context, bail, ensure};
use candle_core::{DType, Device, Tensor};
use candle_transformers::models::bert::BertModel;
use models::{Embedder, Encoder, Precision};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};
use tokenizers::{PaddingParams, Tokenizer, TruncationParams};
use tokio::runtime::Runtime;

/// Texts under the name by which the contenders know them.
pub(crate) struct Texts {
    pub(crate) name: &'static str,
    pub(crate) texts: Vec<String>,
}

/// One way through a batch.
#[derive(Clone, Copy)]
pub(crate) struct Way {
    /// Texts at once; ours packs by tokens and does not look.
    pub(crate) batch: usize,
    /// Whether whoever does not sort by length itself does so now.
    pub(crate) sorted: bool,
}

/// Wall and processor time of one run, milliseconds.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) wall_ms: f64,
    pub(crate) cpu_ms: f64,
}

/// Someone who turns texts into unit vectors, tokenizer included.
pub(crate) trait Contender {
    fn vectors(&mut self, texts: &Texts, way: Way) -> anyhow::Result<Vec<Vec<f32>>>;
    fn run(&mut self, texts: &Texts, way: Way) -> anyhow::Result<Cost>;
    /// Milliseconds of each text, asked alone.
    fn each(&mut self, texts: &Texts) -> anyhow::Result<Vec<f64>>;
}

/// Our encoder with its queue and thread, as the product uses it.
pub(crate) struct Ours {
    encoder: Encoder,
    runtime: Runtime,
}

impl Ours {
    pub(crate) fn open(
        folder: &Path,
        threads: usize,
        precision: Precision,
    ) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        Ok(Self { encoder: Encoder::open_at(folder, threads, precision)?, runtime })
    }
}

impl Contender for Ours {
    fn vectors(&mut self, texts: &Texts, _: Way) -> anyhow::Result<Vec<Vec<f32>>> {
        let vectors = self.runtime.block_on(self.encoder.embed(&texts.texts))?;
        Ok(vectors.into_iter().map(models::Embedding::into_vec).collect())
    }

    fn run(&mut self, texts: &Texts, way: Way) -> anyhow::Result<Cost> {
        in_this_process(|| self.vectors(texts, way))
    }

    fn each(&mut self, texts: &Texts) -> anyhow::Result<Vec<f64>> {
        let one = |text: &String| {
            let (outcome, ms) = timed(|| self.encoder.embed_query_here(text));
            outcome.map(|_| ms).map_err(anyhow::Error::from)
        };
        texts.texts.iter().map(one).collect()
    }
}

/// candle's BertModel with padding and mask, as its example does it.
pub(crate) struct Candle {
    network: BertModel,
    tokenizer: Tokenizer,
}

impl Candle {
    pub(crate) fn open(folder: &Path, threads: usize) -> anyhow::Result<Self> {
        let used = candle_core::utils::get_num_threads();
        ensure!(used == threads, "candle uses {used} threads; set RAYON_NUM_THREADS={threads}");
        let config = serde_json::from_str(&std::fs::read_to_string(folder.join("config.json"))?)?;
        let weights = std::fs::read(folder.join("model.safetensors"))?;
        let vars =
            candle_nn::VarBuilder::from_buffered_safetensors(weights, DType::F32, &Device::Cpu)?;
        let mut tokenizer = tokenizer(folder)?;
        tokenizer.with_padding(Some(PaddingParams::default()));
        Ok(Self { network: BertModel::load(vars, &config)?, tokenizer })
    }

    fn step(&self, texts: Vec<&str>) -> anyhow::Result<Vec<Vec<f32>>> {
        let encoded = self.tokenizer.encode_batch(texts, true).map_err(anyhow::Error::msg)?;
        let rows = |part: fn(&tokenizers::Encoding) -> &[u32]| {
            let rows = encoded.iter().map(|e| Tensor::new(part(e), &Device::Cpu));
            Tensor::stack(&rows.collect::<Result<Vec<_>, _>>()?, 0)
        };
        let ids = rows(tokenizers::Encoding::get_ids)?;
        let mask = rows(tokenizers::Encoding::get_attention_mask)?;
        let states = self.network.forward(&ids, &ids.zeros_like()?, Some(&mask))?;
        let mask = mask.to_dtype(DType::F32)?.unsqueeze(2)?;
        let pooled = states.broadcast_mul(&mask)?.sum(1)?;
        let norms = pooled.sqr()?.sum_keepdim(1)?.sqrt()?;
        Ok(pooled.broadcast_div(&norms)?.to_vec2()?)
    }
}

impl Contender for Candle {
    fn vectors(&mut self, texts: &Texts, way: Way) -> anyhow::Result<Vec<Vec<f32>>> {
        let mut order: Vec<usize> = (0..texts.texts.len()).collect();
        if way.sorted {
            order.sort_by_key(|n| std::cmp::Reverse(texts.texts[*n].len()));
        }
        let mut vectors = vec![Vec::new(); order.len()];
        for part in order.chunks(way.batch) {
            let step = self.step(part.iter().map(|n| texts.texts[*n].as_str()).collect())?;
            part.iter().zip(step).for_each(|(n, vector)| vectors[*n] = vector);
        }
        Ok(vectors)
    }

    fn run(&mut self, texts: &Texts, way: Way) -> anyhow::Result<Cost> {
        in_this_process(|| self.vectors(texts, way))
    }

    fn each(&mut self, texts: &Texts) -> anyhow::Result<Vec<f64>> {
        let one = |text: &String| {
            let (outcome, ms) = timed(|| self.step(vec![text]));
            outcome.map(|_| ms)
        };
        texts.texts.iter().map(one).collect()
    }
}

/// A process that runs `scripts/peers/embed.py` and keeps the time itself.
pub(crate) struct Peer {
    process: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    kept: Vec<&'static str>,
}

impl Peer {
    /// Starts `python embed.py` with `arguments`.
    pub(crate) fn start(python: &Path, arguments: &[&str]) -> anyhow::Result<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/peers/embed.py");
        let mut process = Command::new(python)
            .arg(script)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| {
                format!("{}: run scripts/bench, which sets it up", python.display())
            })?;
        let to = process.stdin.take().context("the peer has no input")?;
        let from = BufReader::new(process.stdout.take().context("the peer has no output")?);
        Ok(Self { process, to, from, kept: Vec::new() })
    }

    fn ask(&mut self, request: &Value) -> anyhow::Result<Value> {
        writeln!(self.to, "{request}")?;
        self.to.flush()?;
        let mut line = String::new();
        if self.from.read_line(&mut line)? == 0 {
            bail!("the peer ended: {}", self.process.wait()?);
        }
        Ok(serde_json::from_str(&line)?)
    }

    fn keep(&mut self, texts: &Texts) -> anyhow::Result<()> {
        if !self.kept.contains(&texts.name) {
            self.ask(&json!({"keep": texts.name, "texts": texts.texts}))?;
            self.kept.push(texts.name);
        }
        Ok(())
    }
}

impl Contender for Peer {
    fn vectors(&mut self, texts: &Texts, way: Way) -> anyhow::Result<Vec<Vec<f32>>> {
        self.keep(texts)?;
        let mut answer = self.ask(&json!({"vectors": texts.name, "batch": way.batch}))?;
        Ok(serde_json::from_value(answer["vectors"].take())?)
    }

    fn run(&mut self, texts: &Texts, way: Way) -> anyhow::Result<Cost> {
        self.keep(texts)?;
        let request = json!({"run": texts.name, "batch": way.batch, "sorted": way.sorted});
        let answer = self.ask(&request)?;
        let number = |key: &str| answer[key].as_f64().context("the peer gave no time");
        Ok(Cost { wall_ms: number("wall_ms")?, cpu_ms: number("cpu_ms")? })
    }

    fn each(&mut self, texts: &Texts) -> anyhow::Result<Vec<f64>> {
        self.keep(texts)?;
        let mut answer = self.ask(&json!({"each": texts.name}))?;
        Ok(serde_json::from_value(answer["each_ms"].take())?)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended already, which is as good.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// The tokenizer of a model, cutting at 256 tokens and not padding.
pub(crate) fn tokenizer(folder: &Path) -> anyhow::Result<Tokenizer> {
    let mut tokenizer =
        Tokenizer::from_file(folder.join("tokenizer.json")).map_err(anyhow::Error::msg)?;
    tokenizer.with_padding(None);
    let limit = TruncationParams { max_length: 256, ..Default::default() };
    tokenizer.with_truncation(Some(limit)).map_err(anyhow::Error::msg)?;
    Ok(tokenizer)
}

fn in_this_process<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<Cost> {
    let before = processor_ms();
    let (outcome, wall_ms) = timed(work);
    outcome?;
    Ok(Cost { wall_ms, cpu_ms: processor_ms() - before })
}

/// Processor time of all threads of this process so far, to the 10 ms of the kernel's clock; not
/// a number where there is no /proc.
fn processor_ms() -> f64 {
    const TICK_MS: f64 = 10.0;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name, which may hold spaces, user and system time are fields 12 and 13.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    let ticks: Vec<f64> = fields.filter_map(|field| field.parse().ok()).collect();
    if ticks.len() == 2 { (ticks[0] + ticks[1]) * TICK_MS } else { f64::NAN }
}

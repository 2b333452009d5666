use crate::Error;
use candle_core::safetensors::MmapedSafetensors;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};
use tokenizers::Tokenizer;

/// A model folder in the layout of sentence-transformers, read and checked.
pub(super) struct Folder {
    pub(super) id: String,
    pub(super) config: Config,
    pub(super) tokenizer: Tokenizer,
    pub(super) pooling: Pooling,
    pub(super) limit_tokens: usize,
    pub(super) prompts: Prompts,
    pub(super) weights: Weights,
}

/// The part of `config.json` that shapes the network; field names are the file's.
#[derive(Debug, Deserialize)]
pub(super) struct Config {
    pub(super) model_type: String,
    pub(super) hidden_size: usize,
    pub(super) intermediate_size: usize,
    pub(super) num_hidden_layers: usize,
    pub(super) num_attention_heads: usize,
    pub(super) hidden_act: String,
    pub(super) layer_norm_eps: f32,
    pub(super) max_position_embeddings: usize,
    pub(super) vocab_size: usize,
    #[serde(default)]
    pub(super) pad_token_id: usize,
    #[serde(default)]
    pub(super) position_embedding_type: Option<String>,
}

/// How the states of a sequence become one vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pooling {
    Mean,
    FirstToken,
}

/// What some models want before a question and before a passage.
#[derive(Debug, Default)]
pub(super) struct Prompts {
    pub(super) query: String,
    pub(super) passage: String,
}

/// The mapped weight file.
pub(super) struct Weights {
    path: PathBuf,
    tensors: MmapedSafetensors,
}

impl Folder {
    pub(super) fn read(folder: &Path) -> Result<Self, Error> {
        let config: Config = required_json(folder, "config.json")?;
        config.check(&folder.join("config.json"))?;
        let tokenizer_path = existing(folder, "tokenizer.json")?;
        let tokenizer = Tokenizer::from_file(&tokenizer_path)
            .map_err(|s| Error::File { path: tokenizer_path.clone(), reason: s.to_string() })?;
        let weights_path = existing(folder, "model.safetensors")?;
        let pooling = pooling(folder)?;
        let limit_tokens = limit_tokens(folder, &config)?;
        let prompts = prompts(folder)?;
        let settings = format!("{config:?} {pooling:?} {limit_tokens} {prompts:?}");
        let print = fingerprint(&settings, &tokenizer_path, &weights_path)?;
        Ok(Self {
            id: format!("{}-{}-{print}", config.model_type, config.hidden_size),
            pooling,
            limit_tokens,
            prompts,
            weights: Weights::map(weights_path)?,
            config,
            tokenizer,
        })
    }
}

impl Config {
    fn check(&self, path: &Path) -> Result<(), Error> {
        let refuse = |reason: String| Err(Error::File { path: path.to_path_buf(), reason });
        if !["bert", "roberta", "xlm-roberta"].contains(&self.model_type.as_str()) {
            return refuse(format!(
                "model_type {:?} is not of the BERT family (bert, roberta, xlm-roberta)",
                self.model_type
            ));
        }
        if self.num_attention_heads == 0
            || !self.hidden_size.is_multiple_of(self.num_attention_heads)
        {
            return refuse("hidden_size is no multiple of num_attention_heads".into());
        }
        if self.position_embedding_type.as_deref().is_some_and(|kind| kind != "absolute") {
            return refuse("only absolute position embeddings are known".into());
        }
        if self.max_position_embeddings <= self.first_position() + 2 {
            return refuse("max_position_embeddings leaves no room for text".into());
        }
        Ok(())
    }

    /// Row of the position table that the first token takes: RoBERTa counts from behind its
    /// padding id.
    pub(super) fn first_position(&self) -> usize {
        if self.model_type == "bert" { 0 } else { self.pad_token_id + 1 }
    }
}

impl Pooling {
    /// Pools `[tokens, width]` states into `[width]`.
    pub(super) fn pool(self, states: &[f32], width: usize) -> Vec<f32> {
        match self {
            Self::FirstToken => states.iter().take(width).copied().collect(),
            Self::Mean => {
                let mut sum = vec![0.0; width];
                for row in states.chunks_exact(width) {
                    sum.iter_mut().zip(row).for_each(|(s, v)| *s += v);
                }
                sum
            }
        }
    }
}

impl Weights {
    fn map(path: PathBuf) -> Result<Self, Error> {
        #[expect(
            unsafe_code,
            reason = "mapping a file is the only way to read weights without copies"
        )]
        // SAFETY: the file is opened read-only and every tensor is copied out before `Folder`
        // goes; a model file that is rewritten in place meanwhile is outside our promise.
        let tensors = unsafe { MmapedSafetensors::new(&path) };
        match tensors {
            Ok(tensors) => Ok(Self { path, tensors }),
            Err(source) => Err(Error::File { path, reason: source.to_string() }),
        }
    }

    /// Copies a tensor out as f32 and checks its shape; the names of some families carry a prefix.
    pub(super) fn tensor(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, Error> {
        let refuse = |reason: String| Error::File { path: self.path.clone(), reason };
        let found = ["", "bert.", "roberta."].iter().find_map(|prefix| {
            self.tensors.load(&format!("{prefix}{name}"), &candle_core::Device::Cpu).ok()
        });
        let tensor = found.ok_or_else(|| refuse(format!("tensor {name} is missing")))?;
        if tensor.dims() != shape {
            return Err(refuse(format!(
                "tensor {name} is {:?}, expected {shape:?}",
                tensor.dims()
            )));
        }
        tensor
            .to_dtype(candle_core::DType::F32)
            .and_then(|t| t.flatten_all())
            .and_then(|t| t.to_vec1())
            .map_err(|source| refuse(format!("tensor {name}: {source}")))
    }
}

fn existing(folder: &Path, name: &str) -> Result<PathBuf, Error> {
    let path = folder.join(name);
    if path.is_file() {
        return Ok(path);
    }
    let model = folder.file_name().unwrap_or_default().to_string_lossy();
    let mend = format!("run `frontdesk models pull {model}`");
    Err(Error::Missing { what: format!("{name} of the model"), path, mend })
}

fn required_json<T: for<'de> Deserialize<'de>>(folder: &Path, name: &str) -> Result<T, Error> {
    let path = existing(folder, name)?;
    let refuse = |reason: String| Error::File { path: path.clone(), reason };
    let text = std::fs::read_to_string(&path).map_err(|source| refuse(source.to_string()))?;
    serde_json::from_str(&text).map_err(|source| refuse(source.to_string()))
}

fn optional_json<T>(folder: &Path, name: &str) -> Result<T, Error>
where
    T: Default + for<'de> Deserialize<'de>,
{
    if folder.join(name).is_file() { required_json(folder, name) } else { Ok(T::default()) }
}

fn pooling(folder: &Path) -> Result<Pooling, Error> {
    #[derive(Default, Deserialize)]
    struct File {
        #[serde(default)]
        pooling_mode_cls_token: bool,
        #[serde(default)]
        pooling_mode_mean_tokens: bool,
    }
    let name = "1_Pooling/config.json";
    let file: File = optional_json(folder, name)?;
    match (file.pooling_mode_cls_token, file.pooling_mode_mean_tokens) {
        (true, false) => Ok(Pooling::FirstToken),
        (false, true) => Ok(Pooling::Mean),
        (false, false) if !folder.join(name).is_file() => Ok(Pooling::Mean),
        _ => Err(Error::File {
            path: folder.join(name),
            reason: "only mean pooling or first-token pooling is known".into(),
        }),
    }
}

fn limit_tokens(folder: &Path, config: &Config) -> Result<usize, Error> {
    #[derive(Default, Deserialize)]
    struct File {
        max_seq_length: Option<usize>,
    }
    let file: File = optional_json(folder, "sentence_bert_config.json")?;
    let positions = config.max_position_embeddings - config.first_position();
    // Two places are taken by the special tokens; a limit below would leave no room for text.
    Ok(file.max_seq_length.unwrap_or(positions).clamp(3, positions))
}

fn prompts(folder: &Path) -> Result<Prompts, Error> {
    #[derive(Default, Deserialize)]
    struct File {
        #[serde(default)]
        prompts: HashMap<String, String>,
    }
    let mut file: File = optional_json(folder, "config_sentence_transformers.json")?;
    let mut take = |names: &[&str]| names.iter().find_map(|n| file.prompts.remove(*n));
    Ok(Prompts {
        query: take(&["query"]).unwrap_or_default(),
        passage: take(&["document", "passage"]).unwrap_or_default(),
    })
}

/// Names the model by what its vectors depend on: its settings, its tokenizer, and samples of its
/// weights. 64 blocks spread over the file tell two trainings apart without reading gigabytes at
/// every start.
fn fingerprint(settings: &str, tokenizer: &Path, weights: &Path) -> Result<String, Error> {
    const BLOCKS: u64 = 64;
    const BLOCK_BYTES: u64 = 16 * 1024;
    let refuse = |path: &Path, source: std::io::Error| Error::File {
        path: path.to_path_buf(),
        reason: source.to_string(),
    };
    let mut hash = Sha256::new();
    hash.update(settings);
    hash.update(std::fs::read(tokenizer).map_err(|source| refuse(tokenizer, source))?);
    let mut file = File::open(weights).map_err(|source| refuse(weights, source))?;
    let length = file.metadata().map_err(|source| refuse(weights, source))?.len();
    hash.update(length.to_le_bytes());
    for block in 0..BLOCKS {
        let start = length.saturating_sub(BLOCK_BYTES) / (BLOCKS - 1) * block;
        let mut sample = Vec::new();
        file.seek(SeekFrom::Start(start)).map_err(|source| refuse(weights, source))?;
        (&mut file)
            .take(BLOCK_BYTES)
            .read_to_end(&mut sample)
            .map_err(|source| refuse(weights, source))?;
        hash.update(&sample);
    }
    Ok(hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect())
}

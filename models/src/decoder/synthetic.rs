//! Tiny GGUF models with random weights, for tests: they write nonsense, but the same nonsense in
//! every implementation.

use candle_core::{
    Device, Tensor,
    quantized::{
        GgmlDType, QTensor,
        gguf_file::{self, Value},
    },
};
use std::{fs::File, path::Path};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;

const WIDTH: usize = 64;
const FEED_WIDTH: usize = 128;
const N_LAYERS: usize = 2;
const N_HEADS: usize = 4;
const N_PAIRS: usize = 2;
/// Bytes, then these.
const SPECIALS: [&str; 3] = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];

/// A model to be written.
pub(crate) struct Synthetic {
    family: &'static str,
    dtype: GgmlDType,
    head_dim: usize,
    state: u64,
    tensors: Vec<(String, QTensor)>,
    /// Metadata; change it before [`Synthetic::write`] to break the file.
    pub(crate) metadata: Vec<(String, Value)>,
}

impl Synthetic {
    /// Invents a model of the family, its matrices stored as `dtype`.
    pub(crate) fn new(family: &'static str, dtype: GgmlDType) -> Self {
        // qwen3 has heads that are not width / n_heads wide.
        let head_dim = if family == "qwen3" { 32 } else { WIDTH / N_HEADS };
        let mut model =
            Self { family, dtype, head_dim, state: 7, tensors: vec![], metadata: vec![] };
        model.add_metadata();
        model.matrix("token_embd.weight", [256 + SPECIALS.len(), WIDTH]);
        model.vector("output_norm.weight", WIDTH, 1.0);
        for layer in 0..N_LAYERS {
            model.add_layer(layer);
        }
        model
    }

    /// Gives the model an output matrix of its own; without, it uses its token vectors.
    pub(crate) fn untied(mut self) -> Self {
        self.matrix("output.weight", [256 + SPECIALS.len(), WIDTH]);
        self
    }

    /// Sets a metadata entry, or removes it.
    pub(crate) fn with(mut self, key: &str, value: Option<Value>) -> Self {
        self.metadata.retain(|(name, _)| name != key);
        self.metadata.extend(value.map(|value| (key.to_owned(), value)));
        self
    }

    /// Removes a tensor.
    pub(crate) fn without_tensor(mut self, name: &str) -> Self {
        self.tensors.retain(|(other, _)| other != name);
        self
    }

    /// Writes the model to `path`.
    pub(crate) fn write(&self, path: &Path) {
        let metadata: Vec<_> = self.metadata.iter().map(|(k, v)| (k.as_str(), v)).collect();
        let tensors: Vec<_> = self.tensors.iter().map(|(k, v)| (k.as_str(), v)).collect();
        gguf_file::write(&mut File::create(path).unwrap(), &metadata, &tensors).unwrap();
    }

    fn add_metadata(&mut self) {
        let family = self.family;
        let mut add = |key: &str, value| self.metadata.push((key.to_owned(), value));
        add("general.architecture", Value::String(family.into()));
        // candle's qwen3 rotates in f16 unless it is told that the model is f32.
        add("general.dtype", Value::U32(0));
        for (key, number) in [
            ("embedding_length", WIDTH),
            ("block_count", N_LAYERS),
            ("feed_forward_length", FEED_WIDTH),
            ("context_length", 512),
            ("attention.head_count", N_HEADS),
            ("attention.head_count_kv", N_PAIRS),
            ("attention.key_length", self.head_dim),
            ("rope.dimension_count", self.head_dim),
        ] {
            add(&format!("{family}.{key}"), Value::U32(number as u32));
        }
        add(&format!("{family}.attention.layer_norm_rms_epsilon"), Value::F32(1e-5));
        add(&format!("{family}.rope.freq_base"), Value::F32(10_000.0));
        let mut tokens: Vec<String> = ByteLevel::alphabet().iter().map(char::to_string).collect();
        tokens.sort();
        tokens.extend(SPECIALS.map(String::from));
        let kinds = (0..tokens.len()).map(|i| Value::I32(if i < 256 { 1 } else { 3 })).collect();
        add("tokenizer.ggml.model", Value::String("gpt2".into()));
        add("tokenizer.ggml.tokens", Value::Array(tokens.into_iter().map(Value::String).collect()));
        add("tokenizer.ggml.token_type", Value::Array(kinds));
        add("tokenizer.ggml.merges", Value::Array(vec![]));
        add("tokenizer.ggml.eos_token_id", Value::U32(258));
        add("tokenizer.ggml.bos_token_id", Value::U32(256));
    }

    fn add_layer(&mut self, layer: usize) {
        let (queries, pairs) = (N_HEADS * self.head_dim, N_PAIRS * self.head_dim);
        let part = |tail: &str| format!("blk.{layer}.{tail}");
        self.vector(&part("attn_norm.weight"), WIDTH, 1.0);
        self.vector(&part("ffn_norm.weight"), WIDTH, 1.0);
        for (name, n_out) in [("attn_q", queries), ("attn_k", pairs), ("attn_v", pairs)] {
            self.matrix(&part(&format!("{name}.weight")), [n_out, WIDTH]);
            if self.family == "qwen2" {
                self.vector(&part(&format!("{name}.bias")), n_out, 0.0);
            }
        }
        if self.family == "qwen3" {
            self.vector(&part("attn_q_norm.weight"), self.head_dim, 1.0);
            self.vector(&part("attn_k_norm.weight"), self.head_dim, 1.0);
        }
        self.matrix(&part("attn_output.weight"), [WIDTH, queries]);
        self.matrix(&part("ffn_gate.weight"), [FEED_WIDTH, WIDTH]);
        self.matrix(&part("ffn_up.weight"), [FEED_WIDTH, WIDTH]);
        self.matrix(&part("ffn_down.weight"), [WIDTH, FEED_WIDTH]);
    }

    fn matrix(&mut self, name: &str, dims: [usize; 2]) {
        let values = (0..dims[0] * dims[1]).map(|_| self.random() * 0.3).collect();
        self.add(name, &Tensor::from_vec(values, &dims, &Device::Cpu).unwrap(), self.dtype);
    }

    fn vector(&mut self, name: &str, n: usize, centre: f32) {
        let values = (0..n).map(|_| centre + self.random() * 0.2).collect();
        self.add(name, &Tensor::from_vec(values, n, &Device::Cpu).unwrap(), GgmlDType::F32);
    }

    fn add(&mut self, name: &str, tensor: &Tensor, dtype: GgmlDType) {
        self.tensors.push((name.to_owned(), QTensor::quantize(tensor, dtype).unwrap()));
    }

    /// A number in −1..1 from a linear congruential generator, the same on every machine.
    fn random(&mut self) -> f32 {
        self.state = self.state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((self.state >> 40) as f32) / ((1u64 << 23) as f32) - 1.0
    }
}

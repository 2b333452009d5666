//! Weights and dimensions of a [`Decoder`], from the metadata and tensors of a GGUF file.

use super::{Decoder, Heads, Layer, Projection, Rotation};
use crate::{Error, gguf::Gguf};
use candle_core::{
    Device, Result as CandleResult, Tensor,
    quantized::{QMatMul, QTensor, ggml_file::qtensor_from_ggml},
};
use candle_transformers::quantized_nn::RmsNorm;
use std::sync::Arc;

/// Frequency base of the first llama models, which llama.cpp assumes where a file names none.
const DEFAULT_ROTATION_BASE: f32 = 10_000.0;

/// Above every published model; keeps a corrupt file from asking for millions of anything.
const MOST_LAYERS: usize = 512;
const MOST_HEADS: usize = 1024;
const MOST_HEAD_DIM: usize = 1024;
const MOST_WIDTH: usize = 1 << 18;
const MOST_CONTEXT: usize = 1 << 28;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Llama,
    Qwen2,
    Qwen3,
}

/// Token vectors, kept as they are in the file and unpacked row by row: unpacked as a whole, those
/// of a model with 150,000 tokens take a gigabyte.
pub(super) struct TokenRows {
    packed: Arc<QTensor>,
    n_rows: usize,
    width: usize,
}

impl TokenRows {
    /// Returns the number of tokens.
    pub(super) fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Returns the vectors of `tokens`, `[n_tokens, width]`.
    pub(super) fn look_up(&self, tokens: &[u32]) -> CandleResult<Tensor> {
        let dtype = self.packed.dtype();
        let n_bytes = self.width / dtype.block_size() * dtype.type_size();
        let all = self.packed.data()?;
        let mut rows = Vec::with_capacity(n_bytes * tokens.len());
        for token in tokens {
            let start = *token as usize * n_bytes;
            let Some(row) = all.get(start..start + n_bytes) else {
                candle_core::bail!("the model has no token {token}")
            };
            rows.extend_from_slice(row);
        }
        let dims = vec![tokens.len(), self.width];
        qtensor_from_ggml(dtype, &rows, dims, &Device::Cpu)?.dequantize(&Device::Cpu)
    }
}

/// What the metadata says of the shape of a model.
struct Plan {
    family: Family,
    width: usize,
    feed_width: usize,
    n_layers: usize,
    heads: Heads,
    epsilon: f64,
    rotation_base: f32,
    n_context: usize,
    /// Positions are divided by this.
    position_scale: f32,
}

impl Decoder {
    /// Reads a decoder whose context is the model's own, but at most `limit_tokens`.
    ///
    /// # Errors
    /// [`Error::File`] for another family, or anything missing, absurd or of the wrong shape.
    pub(crate) fn load(file: &mut Gguf, limit_tokens: usize) -> Result<Self, Error> {
        let mut plan = Plan::read(file)?;
        plan.n_context = plan.n_context.min(limit_tokens.max(1));
        let [n_rows, _] = *file.shape("token_embd.weight")? else {
            return Err(file.fault("token_embd.weight is no table"));
        };
        let packed = Arc::new(file.tensor("token_embd.weight", &[n_rows, plan.width])?);
        let output = if file.holds("output.weight") {
            Arc::new(file.tensor("output.weight", &[n_rows, plan.width])?)
        } else {
            Arc::clone(&packed)
        };
        let output = QMatMul::from_arc(output).map_err(|error| file.unreadable(&error))?;
        let norm = plan.norm(file, "output_norm", plan.width)?;
        let layers = (0..plan.n_layers)
            .map(|index| plan.layer(file, index))
            .collect::<Result<Vec<_>, _>>()?;
        let rotation = plan.rotation(file)?;
        let embedding = TokenRows { packed, n_rows, width: plan.width };
        let (heads, n_context) = (plan.heads, plan.n_context);
        Ok(Self { embedding, layers, norm, output, rotation, heads, n_context })
    }
}

impl Plan {
    fn read(file: &Gguf) -> Result<Self, Error> {
        let name = file
            .text("general.architecture")
            .ok_or_else(|| file.fault("lacks general.architecture"))?;
        let family = match name {
            "llama" => Family::Llama,
            "qwen2" => Family::Qwen2,
            "qwen3" => Family::Qwen3,
            _ => {
                return Err(file.fault(format!(
                    "architecture {name:?} is not read; llama, qwen2 and qwen3 are"
                )));
            }
        };
        let key = |tail: &str| format!("{name}.{tail}");
        let width = file.count_within(&key("embedding_length"), MOST_WIDTH)?;
        let n_layers = file.count_within(&key("block_count"), MOST_LAYERS)?;
        let epsilon_key = key("attention.layer_norm_rms_epsilon");
        let epsilon =
            file.real(&epsilon_key)?.ok_or_else(|| file.fault(format!("lacks {epsilon_key}")))?;
        if file.count(&key("expert_count"))?.is_some_and(|n_experts| n_experts > 0) {
            return Err(file.fault("is a mixture of experts, which is not read"));
        }
        Ok(Self {
            family,
            width,
            feed_width: file.count_within(&key("feed_forward_length"), MOST_WIDTH)?,
            n_layers,
            heads: Heads::read(file, name, width)?,
            epsilon: f64::from(epsilon),
            rotation_base: file.real(&key("rope.freq_base"))?.unwrap_or(DEFAULT_ROTATION_BASE),
            n_context: file.count_within(&key("context_length"), MOST_CONTEXT)?,
            position_scale: position_scale(file, name)?,
        })
    }

    fn layer(&self, file: &mut Gguf, index: usize) -> Result<Layer, Error> {
        let (width, feed_width) = (self.width, self.feed_width);
        let Heads { n_queries, n_pairs, dim } = self.heads;
        let part = |tail: &str| format!("blk.{index}.{tail}");
        let head_norms = match self.family {
            Family::Qwen3 => Some((
                self.norm(file, &part("attn_q_norm"), dim)?,
                self.norm(file, &part("attn_k_norm"), dim)?,
            )),
            Family::Llama | Family::Qwen2 => None,
        };
        Ok(Layer {
            attention_norm: self.norm(file, &part("attn_norm"), width)?,
            query: self.projection(file, &part("attn_q"), n_queries * dim)?,
            key: self.projection(file, &part("attn_k"), n_pairs * dim)?,
            value: self.projection(file, &part("attn_v"), n_pairs * dim)?,
            head_norms,
            attention_output: matrix(file, &part("attn_output"), [width, n_queries * dim])?,
            feed_norm: self.norm(file, &part("ffn_norm"), width)?,
            gate: matrix(file, &part("ffn_gate"), [feed_width, width])?,
            up: matrix(file, &part("ffn_up"), [feed_width, width])?,
            down: matrix(file, &part("ffn_down"), [width, feed_width])?,
        })
    }

    fn norm(&self, file: &mut Gguf, name: &str, width: usize) -> Result<RmsNorm, Error> {
        let weight = file.tensor(&format!("{name}.weight"), &[width])?;
        RmsNorm::from_qtensor(weight, self.epsilon).map_err(|error| file.unreadable(&error))
    }

    fn projection(&self, file: &mut Gguf, name: &str, n_out: usize) -> Result<Projection, Error> {
        let bias_name = format!("{name}.bias");
        // qwen2 was trained with biases; the other families have them only in some fine-tunes.
        let bias = if self.family == Family::Qwen2 || file.holds(&bias_name) {
            let bias = file.tensor(&bias_name, &[n_out])?.dequantize(&Device::Cpu);
            Some(bias.map_err(|error| file.unreadable(&error))?)
        } else {
            None
        };
        Ok(Projection { matrix: matrix(file, name, [n_out, self.width])?, bias })
    }

    /// RoPE, <https://arxiv.org/abs/2104.09864>; `rope_freqs` slows the long waves of llama 3.1 and
    /// later, as llama.cpp reads it.
    fn rotation(&self, file: &mut Gguf) -> Result<Rotation, Error> {
        let half = self.heads.dim / 2;
        let slowdown = if file.holds("rope_freqs.weight") {
            let factors = file.tensor("rope_freqs.weight", &[half])?;
            factors.dequantize(&Device::Cpu).and_then(|factors| factors.to_vec1())
        } else {
            Ok(vec![1f32; half])
        };
        let slowdown = slowdown.map_err(|error| file.unreadable(&error))?;
        let frequencies: Vec<f32> = (0..half)
            .zip(&slowdown)
            .map(|(i, slowdown)| {
                let exponent = (2 * i) as f32 / self.heads.dim as f32;
                1.0 / self.rotation_base.powf(exponent) / slowdown / self.position_scale
            })
            .collect();
        let table = |wave: fn(f32) -> f32| {
            let waves = (0..self.n_context)
                .flat_map(|position| frequencies.iter().map(move |f| wave(position as f32 * f)));
            Tensor::from_vec(waves.collect(), (self.n_context, half), &Device::Cpu)
                .map_err(|error| file.unreadable(&error))
        };
        let interleaved = self.family == Family::Llama;
        Ok(Rotation { cosines: table(f32::cos)?, sines: table(f32::sin)?, interleaved })
    }
}

impl Heads {
    fn read(file: &Gguf, family: &str, width: usize) -> Result<Self, Error> {
        let n_queries = file.count_within(&format!("{family}.attention.head_count"), MOST_HEADS)?;
        let pairs_key = format!("{family}.attention.head_count_kv");
        let n_pairs = match file.count(&pairs_key)? {
            Some(_) => file.count_within(&pairs_key, MOST_HEADS)?,
            None => n_queries,
        };
        let dim_key = format!("{family}.attention.key_length");
        let dim = match file.count(&dim_key)? {
            Some(_) => file.count_within(&dim_key, MOST_HEAD_DIM)?,
            None => width / n_queries,
        };
        let value_dim = file.count(&format!("{family}.attention.value_length"))?.unwrap_or(dim);
        let turned_dim = file.count(&format!("{family}.rope.dimension_count"))?.unwrap_or(dim);
        if dim == 0 || !dim.is_multiple_of(2) || !n_queries.is_multiple_of(n_pairs) {
            return Err(file.fault(format!(
                "{n_queries} heads over {n_pairs} pairs of size {dim} do not divide"
            )));
        }
        if value_dim != dim || turned_dim != dim {
            return Err(file.fault(format!(
                "heads of size {dim} with values of {value_dim} and {turned_dim} turned are not read"
            )));
        }
        Ok(Self { n_queries, n_pairs, dim })
    }
}

fn position_scale(file: &Gguf, family: &str) -> Result<f32, Error> {
    let factor = file.real(&format!("{family}.rope.scaling.factor"))?;
    match file.text(&format!("{family}.rope.scaling.type")) {
        None | Some("none") => Ok(1.0),
        Some("linear") => Ok(factor.unwrap_or(1.0)),
        Some(other) => Err(file.fault(format!("rope scaling {other:?} is not read"))),
    }
}

fn matrix(file: &mut Gguf, name: &str, dims: [usize; 2]) -> Result<QMatMul, Error> {
    let packed = file.tensor(&format!("{name}.weight"), &dims)?;
    QMatMul::from_qtensor(packed).map_err(|error| file.unreadable(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::quantized::GgmlDType;

    #[test]
    fn looking_up_rows_equals_unpacking_the_whole_table() {
        let values: Vec<f32> = (0..4 * 64).map(|i| (i as f32 * 0.37).sin()).collect();
        let table = Tensor::from_vec(values, (4, 64), &Device::Cpu).unwrap();
        for dtype in [GgmlDType::F32, GgmlDType::F16, GgmlDType::Q8_0, GgmlDType::Q4_1] {
            let packed = Arc::new(QTensor::quantize(&table, dtype).unwrap());
            let whole = packed.dequantize(&Device::Cpu).unwrap().to_vec2::<f32>().unwrap();
            let rows = TokenRows { packed, n_rows: 4, width: 64 };
            let found = rows.look_up(&[3, 0, 3]).unwrap().to_vec2::<f32>().unwrap();
            assert_eq!(found, [&whole[3][..], &whole[0], &whole[3]], "{dtype:?}");
            assert!(rows.look_up(&[4]).is_err());
        }
    }
}

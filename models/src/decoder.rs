//! One decoder for the llama, qwen2 and qwen3 families of GGUF models, on candle's quantised
//! matrices.
//!
//! candle-transformers has a model for each family, which the tests hold this one against. They
//! are not used because their caches differ, cannot all be cloned, and copy themselves for every
//! token; here one [`Cache`] serves all three and goes back to any prefix.
//!
//! Absent: mixtures of experts, partial or YaRN-scaled rotation, sliding windows. A file that asks
//! for them is refused by name, never run wrongly.

mod cache;
#[cfg(test)]
pub(crate) mod synthetic;
#[cfg(test)]
mod tests;
mod weights;

pub(crate) use cache::Cache;

use candle_core::{D, Device, Module, Result, Tensor, quantized::QMatMul};
use candle_nn::{ops, rotary_emb};
use candle_transformers::quantized_nn::RmsNorm;

/// A decoder with its weights; what it has read lies in a [`Cache`] of the caller.
pub(crate) struct Decoder {
    embedding: weights::TokenRows,
    layers: Vec<Layer>,
    norm: RmsNorm,
    output: QMatMul,
    rotation: Rotation,
    heads: Heads,
    n_context: usize,
}

/// How attention is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Heads {
    n_queries: usize,
    /// Each group of `n_queries / n_pairs` query heads shares one head of keys and values.
    n_pairs: usize,
    dim: usize,
}

/// Weights of one block.
struct Layer {
    attention_norm: RmsNorm,
    query: Projection,
    key: Projection,
    value: Projection,
    /// qwen3 scales queries and keys to unit root mean square, head by head.
    head_norms: Option<(RmsNorm, RmsNorm)>,
    attention_output: QMatMul,
    feed_norm: RmsNorm,
    gate: QMatMul,
    up: QMatMul,
    down: QMatMul,
}

/// A matrix and, for qwen2, its bias.
struct Projection {
    matrix: QMatMul,
    bias: Option<Tensor>,
}

/// Rotary position embedding: cosines and sines, `[n_context, head_dim / 2]` each.
struct Rotation {
    cosines: Tensor,
    sines: Tensor,
    /// llama turns neighbours (2i, 2i+1), qwen turns (i, i + head_dim/2).
    interleaved: bool,
}

impl Decoder {
    /// Returns the number of tokens that prompt and answer may have together.
    pub(crate) fn n_context(&self) -> usize {
        self.n_context
    }

    /// Returns the number of tokens that the model knows.
    pub(crate) fn n_vocabulary(&self) -> usize {
        self.embedding.n_rows()
    }

    /// Returns a memory that holds nothing.
    pub(crate) fn new_cache(&self) -> Cache {
        Cache::new(self.layers.len(), self.heads.n_pairs, self.heads.dim)
    }

    /// Reads `tokens` after what `cache` remembers, and returns the last token's state, `[1, width]`.
    ///
    /// The numbers depend on how a text is divided into calls (in the last bits, which 8-bit
    /// activations then enlarge), and on nothing else: the same calls give the same bits.
    ///
    /// # Errors
    /// What candle says, and when the tokens do not fit the context; `cache` is then unchanged.
    pub(crate) fn read(&self, cache: &mut Cache, tokens: &[u32]) -> Result<Tensor> {
        let n_before = cache.tokens().len();
        if tokens.is_empty() || n_before + tokens.len() > self.n_context {
            candle_core::bail!("{} tokens after {n_before} cannot be read", tokens.len())
        }
        cache.reserve(n_before + tokens.len())?;
        let place = Place {
            cosines: self.rotation.cosines.narrow(0, n_before, tokens.len())?,
            sines: self.rotation.sines.narrow(0, n_before, tokens.len())?,
            mask: causal_mask(n_before, tokens.len())?,
        };
        let mut state = self.embedding.look_up(tokens)?;
        for (index, layer) in self.layers.iter().enumerate() {
            let attended =
                self.attend(cache, index, &place, &layer.attention_norm.forward(&state)?)?;
            state = (state + attended)?;
            let normed = layer.feed_norm.forward(&state)?;
            let gate = ops::silu(&layer.gate.forward(&normed)?)?;
            state = (&state + layer.down.forward(&(gate * layer.up.forward(&normed)?)?)?)?;
        }
        cache.remember(tokens);
        state.narrow(0, tokens.len() - 1, 1)?.contiguous()
    }

    /// Turns a state from [`Decoder::read`] into the scores of every token, `[n_vocabulary]`.
    ///
    /// # Errors
    /// What candle says.
    pub(crate) fn score(&self, state: &Tensor) -> Result<Vec<f32>> {
        self.output.forward(&self.norm.forward(state)?)?.squeeze(0)?.to_vec1()
    }

    fn attend(&self, cache: &Cache, index: usize, place: &Place, x: &Tensor) -> Result<Tensor> {
        let Some(layer) = self.layers.get(index) else { candle_core::bail!("no layer {index}") };
        let Heads { n_queries, n_pairs, dim } = self.heads;
        let n_tokens = x.dim(0)?;
        let (query_norm, key_norm) = layer.head_norms.as_ref().map(|(q, k)| (q, k)).unzip();
        let queries = self.turn(place, &layer.query.heads(x, n_queries, query_norm)?)?;
        let keys = self.turn(place, &layer.key.heads(x, n_pairs, key_norm)?)?;
        let values = layer.value.heads(x, n_pairs, None)?;
        let (keys, values) = cache.write(index, &keys, &values)?;
        // The query heads of a group lie one after another, so that a group times its shared keys
        // is one product and keys are never copied per query head.
        let rows = n_queries / n_pairs * n_tokens;
        let queries = (queries / (dim as f64).sqrt())?.reshape((n_pairs, rows, dim))?;
        let mut scores = queries.matmul(&keys.t()?)?;
        if let Some(mask) = &place.mask {
            let n_all = keys.dim(1)?;
            scores = scores
                .reshape((n_queries, n_tokens, n_all))?
                .broadcast_add(mask)?
                .reshape((n_pairs, rows, n_all))?;
        }
        ops::softmax_last_dim(&scores)?
            .matmul(&values)?
            .reshape((n_queries, n_tokens, dim))?
            .transpose(0, 1)?
            .reshape((n_tokens, n_queries * dim))?
            .apply(&layer.attention_output)
    }

    fn turn(&self, place: &Place, heads: &Tensor) -> Result<Tensor> {
        let heads = heads.unsqueeze(0)?;
        let turned = if self.rotation.interleaved {
            rotary_emb::rope_i(&heads, &place.cosines, &place.sines)
        } else {
            rotary_emb::rope(&heads, &place.cosines, &place.sines)
        };
        turned?.squeeze(0)
    }
}

/// Where the tokens of one call stand.
struct Place {
    cosines: Tensor,
    sines: Tensor,
    /// `[n_tokens, n_before + n_tokens]`: −∞ where a token would look ahead; `None` for one token,
    /// which has nothing ahead of it.
    mask: Option<Tensor>,
}

impl Projection {
    /// Projects `[n_tokens, width]` to `[n_heads, n_tokens, dim]`.
    fn heads(&self, x: &Tensor, n_heads: usize, norm: Option<&RmsNorm>) -> Result<Tensor> {
        let mut projected = self.matrix.forward(x)?;
        if let Some(bias) = &self.bias {
            projected = projected.broadcast_add(bias)?;
        }
        let n_tokens = x.dim(0)?;
        let mut heads = projected.reshape((n_tokens, n_heads, ()))?;
        if let Some(norm) = norm {
            let dim = heads.dim(D::Minus1)?;
            heads = norm.forward(&heads.reshape(((), dim))?)?.reshape((n_tokens, n_heads, dim))?;
        }
        heads.transpose(0, 1)?.contiguous()
    }
}

fn causal_mask(n_before: usize, n_tokens: usize) -> Result<Option<Tensor>> {
    if n_tokens == 1 {
        return Ok(None);
    }
    let n_all = n_before + n_tokens;
    let ahead = |row: usize, column: usize| column > n_before + row;
    let mask: Vec<f32> = (0..n_tokens)
        .flat_map(|row| (0..n_all).map(move |column| (row, column)))
        .map(|(row, column)| if ahead(row, column) { f32::NEG_INFINITY } else { 0.0 })
        .collect();
    Tensor::from_vec(mask, (n_tokens, n_all), &Device::Cpu).map(Some)
}

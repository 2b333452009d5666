//! What a decoder remembers of the tokens that it has read.

use candle_core::{DType, Device, Result, Tensor};

/// Positions are allocated in steps of this size, so that prompts of similar length share an
/// allocation.
const STEP: usize = 256;

/// Keys and values of every layer for [`Cache::tokens`].
///
/// candle-transformers grows its caches by `Tensor::cat`, one copy of everything per token and
/// layer, and its quantised qwen2 cannot be cloned. Here room is reserved once a request and
/// written in place; going back to a prefix is [`Cache::truncate`], which costs nothing.
pub(crate) struct Cache {
    layers: Vec<Pair>,
    n_layers: usize,
    n_kv_heads: usize,
    head_dim: usize,
    capacity: usize,
    tokens: Vec<u32>,
}

/// Keys and values of one layer, `[n_kv_heads, capacity, head_dim]` each.
struct Pair {
    keys: Tensor,
    values: Tensor,
}

impl Cache {
    pub(super) fn new(n_layers: usize, n_kv_heads: usize, head_dim: usize) -> Self {
        Self { layers: vec![], n_layers, n_kv_heads, head_dim, capacity: 0, tokens: vec![] }
    }

    /// Returns the tokens that are remembered.
    pub(crate) fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// Forgets everything after the first `n_tokens`.
    pub(crate) fn truncate(&mut self, n_tokens: usize) {
        self.tokens.truncate(n_tokens);
    }

    /// Makes room for `n_tokens` in all.
    ///
    /// # Errors
    /// What candle says; the cache is then as before.
    pub(crate) fn reserve(&mut self, n_tokens: usize) -> Result<()> {
        if n_tokens <= self.capacity {
            return Ok(());
        }
        let capacity = n_tokens.next_multiple_of(STEP);
        let mut layers = Vec::with_capacity(self.n_layers);
        for index in 0..self.n_layers {
            let shape = (self.n_kv_heads, capacity, self.head_dim);
            let new = Pair {
                keys: Tensor::zeros(shape, DType::F32, &Device::Cpu)?,
                values: Tensor::zeros(shape, DType::F32, &Device::Cpu)?,
            };
            if let Some(old) = self.layers.get(index) {
                new.keys.slice_set(&old.keys, 1, 0)?;
                new.values.slice_set(&old.values, 1, 0)?;
            }
            layers.push(new);
        }
        self.layers = layers;
        self.capacity = capacity;
        Ok(())
    }

    /// Writes keys and values `[n_kv_heads, n_tokens, head_dim]` of the next tokens into `layer`,
    /// and returns all keys and values up to them. The tokens count as remembered only after
    /// [`Cache::remember`], so that a failure between two layers leaves no half-written token.
    pub(super) fn write(
        &self,
        layer: usize,
        keys: &Tensor,
        values: &Tensor,
    ) -> Result<(Tensor, Tensor)> {
        let Some(pair) = self.layers.get(layer) else {
            candle_core::bail!("no room was reserved for layer {layer}")
        };
        let n_before = self.tokens.len();
        let n_all = n_before + keys.dim(1)?;
        pair.keys.slice_set(&keys.contiguous()?, 1, n_before)?;
        pair.values.slice_set(&values.contiguous()?, 1, n_before)?;
        Ok((pair.keys.narrow(1, 0, n_all)?, pair.values.narrow(1, 0, n_all)?))
    }

    /// Notes that every layer holds `tokens`.
    pub(super) fn remember(&mut self, tokens: &[u32]) {
        self.tokens.extend_from_slice(tokens);
    }
}

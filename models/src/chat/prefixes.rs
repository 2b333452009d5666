//! What the last prompts have in common with the next one, and need not be computed again.

use crate::decoder::Cache;

/// Prompts are computed in blocks of this many tokens, and reused in whole blocks. Scores depend,
/// in their last bits, on how a text is cut into calls; with cuts that never move, an answer is the
/// same whether its prefix was reused or not. 32 gives away at most 31 tokens, and every size from
/// 16 to 256 reads 30 to 38 tokens a second (SmolLM2-135M, 2 cores, dev build).
pub(super) const BLOCK: usize = 32;

/// Two, because a desk asks two kinds of prompt in turn (to understand a question, and to answer
/// it), each with a system turn of its own.
const MOST: usize = 2;

/// Caches of the last prompts, the oldest first.
pub(super) struct Prefixes(Vec<Cache>);

impl Prefixes {
    pub(super) fn new() -> Self {
        Self(Vec::with_capacity(MOST))
    }

    /// Takes out the cache that shares most with `tokens`, cut back to the shared blocks. At least
    /// the last token is left to compute, as its scores are needed.
    pub(super) fn take(&mut self, tokens: &[u32]) -> Option<Cache> {
        let usable = tokens.get(..tokens.len().saturating_sub(1)).unwrap_or_default();
        let (index, n_shared) = self
            .0
            .iter()
            .enumerate()
            .map(|(index, cache)| (index, n_shared(cache.tokens(), usable)))
            .max_by_key(|(_, n_shared)| *n_shared)?;
        if n_shared == 0 {
            return None;
        }
        let mut cache = self.0.remove(index);
        cache.truncate(n_shared);
        Some(cache)
    }

    /// Keeps the whole blocks of the first `n_prompt` tokens of `cache`; what follows them was
    /// computed token by token.
    pub(super) fn keep(&mut self, mut cache: Cache, n_prompt: usize) {
        let n_kept = cache.tokens().len().min(n_prompt);
        cache.truncate(n_kept - n_kept % BLOCK);
        if cache.tokens().is_empty() {
            return;
        }
        if self.0.len() == MOST {
            self.0.remove(0);
        }
        self.0.push(cache);
    }
}

fn n_shared(ours: &[u32], theirs: &[u32]) -> usize {
    let n_equal = ours.iter().zip(theirs).take_while(|(a, b)| a == b).count();
    n_equal - n_equal % BLOCK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_blocks_are_shared() {
        let long: Vec<u32> = (0..100).collect();
        let mut other = long.clone();
        other[70] = 0;
        assert_eq!(n_shared(&long, &other), 64);
        assert_eq!(n_shared(&long, &long), 96);
        assert_eq!(n_shared(&long, &long[..31]), 0);
        assert_eq!(n_shared(&long, &[]), 0);
    }
}

//! What do the words of a text say, beside its vector?
//!
//! Words and the 3 to 5 letter pieces of words, weighed by how rare they are in the examples
//! (TF-IDF) and hashed into a fixed number of places (Weinberger et al. 2009, "Feature Hashing").
//! Pieces make it robust against misspellings. What no example holds says nothing.

use std::collections::BTreeMap;

/// Places that pieces are hashed into; with 2,048 or 65,536 the figures on development data were
/// the same within a point.
const N_PLACES: usize = 8_192;
/// Letters of a text that are read: a pasted log must not cost more than a long message.
const N_LETTERS_MAX: usize = 2_000;
/// Marks a place that no example uses.
pub(super) const UNUSED: u16 = u16::MAX;

/// Knows which pieces the examples hold, and how rare each one is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Words {
    /// `[N_PLACES]`: the column of each place, or [`UNUSED`].
    pub(super) columns: Vec<u16>,
    /// `[n_columns]`: ln((1 + texts) / (1 + texts with it)) + 1.
    pub(super) rarity: Vec<f32>,
}

impl Words {
    /// Counts the pieces of all `texts`.
    pub(super) fn of<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let mut n_texts = 0_u32;
        let mut n_with = vec![0_u32; N_PLACES];
        for text in texts {
            n_texts += 1;
            for place in counts(text).into_keys() {
                n_with[place] += 1;
            }
        }
        let mut columns = vec![UNUSED; N_PLACES];
        let mut rarity = Vec::new();
        for (column, n) in columns.iter_mut().zip(&n_with).filter(|(_, n)| **n > 0) {
            *column = rarity.len() as u16;
            let share = f64::from(1 + n_texts) / f64::from(1 + n);
            rarity.push((share.ln() + 1.0) as f32);
        }
        Self { columns, rarity }
    }

    /// Whether the parts fit together; a file may hold anything.
    pub(super) fn is_sound(&self) -> bool {
        let known = |column: &u16| *column == UNUSED || usize::from(*column) < self.rarity.len();
        self.columns.len() == N_PLACES && self.columns.iter().all(known)
    }

    pub(super) fn n_columns(&self) -> usize {
        self.rarity.len()
    }

    /// Returns the known pieces of a text as (column, weight) by rising column, of length `length`
    /// together; empty when none is known.
    pub(super) fn vector(&self, text: &str, length: f32) -> Vec<(u16, f32)> {
        let mut found: Vec<(u16, f32)> = counts(text)
            .into_iter()
            .filter_map(|(place, n)| {
                let column = *self.columns.get(place)?;
                let rarity = self.rarity.get(usize::from(column))?;
                Some((column, (1.0 + (n as f32).ln()) * rarity))
            })
            .collect();
        let norm = found.iter().map(|(_, weight)| weight * weight).sum::<f32>().sqrt();
        for (_, weight) in &mut found {
            *weight *= length / norm;
        }
        found
    }
}

/// Counts how often each place is hit by a text.
fn counts(text: &str) -> BTreeMap<usize, u32> {
    let mut counts = BTreeMap::new();
    let read: String = text.chars().take(N_LETTERS_MAX).collect::<String>().to_lowercase();
    for word in read.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        *counts.entry(place(&[b"w", word.as_bytes()])).or_default() += 1;
        let marked = format!("^{word}$");
        let ends: Vec<usize> =
            marked.char_indices().map(|(at, _)| at).chain([marked.len()]).collect();
        for n in 3..=5 {
            for piece in ends.windows(n + 1) {
                let piece = &marked.as_bytes()[piece[0]..piece[n]];
                *counts.entry(place(&[b"c", piece])).or_default() += 1;
            }
        }
    }
    counts
}

/// Hashes by FNV-1a (Fowler, Noll and Vo 1991), the same on every machine and in every version.
fn place(parts: &[&[u8]]) -> usize {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in parts.iter().copied().flatten() {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    // The low bits of FNV are its weakest; fold the high ones in.
    ((hash ^ (hash >> 32)) % N_PLACES as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_the_length_that_is_asked_for_and_unknown_words_none() {
        let words = Words::of(["where is my refund", "refund please"].into_iter());
        let vector = words.vector("my refund", 0.5);
        let norm: f32 = vector.iter().map(|(_, weight)| weight * weight).sum();
        assert!((norm.sqrt() - 0.5).abs() < 1e-6, "{norm}");
        assert!(vector.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(words.is_sound());
        assert_eq!(Words::of(std::iter::empty()).vector("refund", 1.0), []);
    }

    #[test]
    fn case_and_punctuation_do_not_matter_and_any_text_is_read() {
        let words = Words::of(["Straße, 退款! é🙂", ""].into_iter());
        assert_eq!(words.vector("STRASSE", 1.0).len(), words.vector("strasse", 1.0).len());
        assert_eq!(words.vector("退款", 1.0), words.vector("…退款?", 1.0));
        assert!(!words.vector("退款", 1.0).is_empty());
        assert!(words.vector("🙂 …", 1.0).is_empty());
    }
}

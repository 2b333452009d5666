//! Texts as numbers: a vector of meaning and a sparse vector of words, side by side.

use crate::matrix::{View, multiply};

/// Texts, one a row. Weights for them lie in one slice, `[n_weights]`: a line of `n_topics` for
/// each component of meaning, then one for each column of words, then one line of biases.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    pub(super) n_meaning: usize,
    pub(super) n_columns: usize,
    /// `[n, n_meaning]`.
    pub(super) meaning: Vec<f32>,
    /// `[n + 1]`: where the words of each row begin.
    starts: Vec<usize>,
    words: Vec<(u16, f32)>,
}

impl Rows {
    pub(super) fn new(n_meaning: usize, n_columns: usize) -> Self {
        Self { n_meaning, n_columns, meaning: Vec::new(), starts: vec![0], words: Vec::new() }
    }

    pub(super) fn push(&mut self, meaning: &[f32], words: &[(u16, f32)]) {
        self.meaning.extend_from_slice(meaning);
        self.words.extend_from_slice(words);
        self.starts.push(self.words.len());
    }

    pub(super) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    pub(super) fn row(&self, row: usize) -> (&[f32], &[(u16, f32)]) {
        let meaning = &self.meaning[row * self.n_meaning..][..self.n_meaning];
        (meaning, &self.words[self.starts[row]..self.starts[row + 1]])
    }

    /// Copies the rows of these numbers.
    pub(super) fn select(&self, rows: &[usize]) -> Self {
        let mut selected = Self::new(self.n_meaning, self.n_columns);
        for row in rows {
            let (meaning, words) = self.row(*row);
            selected.push(meaning, words);
        }
        selected
    }

    pub(super) fn n_weights(&self, n_topics: usize) -> usize {
        (self.n_meaning + self.n_columns + 1) * n_topics
    }

    /// Returns the score of every row for every topic, `[n, n_topics]`.
    pub(super) fn scores(&self, weights: &[f32], n_topics: usize) -> Vec<f32> {
        let (n, d, k) = (self.len(), self.n_meaning, n_topics);
        let mut scores = vec![0.0; n * k];
        multiply(
            View::rows(&self.meaning, n, d),
            View::rows(&weights[..d * k], d, k),
            1.0,
            &mut scores,
            k,
        );
        let of_words = &weights[d * k..];
        let bias = &weights[weights.len() - k..];
        for (row, scores) in scores.chunks_exact_mut(k).enumerate() {
            add_scaled(scores, bias, 1.0);
            for (column, value) in self.row(row).1 {
                add_scaled(scores, &of_words[usize::from(*column) * k..][..k], *value);
            }
        }
        scores
    }

    /// Returns the product of every row with every row, `[n, n]`; only those up to the diagonal are
    /// filled.
    pub(super) fn products(&self) -> Vec<f64> {
        let n = self.len();
        let meaning = View::rows(&self.meaning, n, self.n_meaning);
        let mut products = vec![0.0; n * n];
        multiply(meaning, meaning.transposed(), 1.0, &mut products, n);
        let mut products: Vec<f64> = products.into_iter().map(f64::from).collect();
        let mut spread = vec![0.0_f32; self.n_columns];
        for row in 0..n {
            let words = self.row(row).1;
            words.iter().for_each(|(column, value)| spread[usize::from(*column)] = *value);
            for other in 0..=row {
                let of = |(column, value): &(u16, f32)| spread[usize::from(*column)] * value;
                products[row * n + other] +=
                    f64::from(self.row(other).1.iter().map(of).sum::<f32>());
            }
            words.iter().for_each(|(column, _)| spread[usize::from(*column)] = 0.0);
        }
        products
    }

    /// Writes how the sum of `slopes` times scores, both `[n, n_topics]`, changes with each weight.
    pub(super) fn weigh_slopes(&self, slopes: &[f32], n_topics: usize, out: &mut [f32]) {
        let (n, d, k) = (self.len(), self.n_meaning, n_topics);
        let (of_meaning, rest) = out.split_at_mut(d * k);
        let (of_words, bias) = rest.split_at_mut(self.n_columns * k);
        multiply(
            View::rows(&self.meaning, n, d).transposed(),
            View::rows(slopes, n, k),
            1.0,
            of_meaning,
            k,
        );
        of_words.fill(0.0);
        bias.fill(0.0);
        for (row, slopes) in slopes.chunks_exact(k).enumerate() {
            add_scaled(bias, slopes, 1.0);
            for (column, value) in self.row(row).1 {
                add_scaled(&mut of_words[usize::from(*column) * k..][..k], slopes, *value);
            }
        }
    }
}

pub(super) fn add_scaled(to: &mut [f32], from: &[f32], scale: f32) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += scale * from);
}

/// Sums products in eight lanes, which the compiler keeps in one register.
pub(super) fn dot(a: &[f32], b: &[f32]) -> f64 {
    let mut total = 0.0_f64;
    for (a, b) in a.chunks(1024).zip(b.chunks(1024)) {
        let mut lanes = [0.0_f32; 8];
        let (a_eights, b_eights) = (a.chunks_exact(8), b.chunks_exact(8));
        let rest: f32 =
            a_eights.remainder().iter().zip(b_eights.remainder()).map(|(a, b)| a * b).sum();
        for (a, b) in a_eights.zip(b_eights) {
            for (lane, (a, b)) in lanes.iter_mut().zip(a.iter().zip(b)) {
                *lane += a * b;
            }
        }
        total += f64::from(lanes.iter().sum::<f32>() + rest);
    }
    total
}

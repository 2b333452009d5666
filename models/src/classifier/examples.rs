//! How like is a text to the nearest example of a topic?

use super::rows::Rows;

/// Examples kept for a topic; more change little and cost time and memory.
const N_KEPT_MAX: usize = 512;

/// The examples of all topics, in a quarter of the memory: components in steps of a 127th of the
/// largest, weights of words in steps of a 255th.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Examples {
    /// `[n, n_meaning]`, in units of `units`.
    pub(super) meaning: Vec<i8>,
    /// `[n]`.
    pub(super) units: Vec<f32>,
    /// `[n + 1]`: where the words of each example begin.
    pub(super) starts: Vec<u32>,
    pub(super) columns: Vec<u16>,
    pub(super) weights: Vec<u8>,
    /// `[n_topics + 1]`: where the examples of each topic begin.
    pub(super) topics: Vec<u32>,
}

impl Examples {
    /// Keeps `rows`, of which each belongs to one of `n_topics` topics.
    pub(super) fn of(rows: &Rows, topics: &[usize], n_topics: usize) -> Self {
        let mut of_topic = vec![Vec::new(); n_topics];
        for (row, topic) in topics.iter().enumerate() {
            if let Some(kept) = of_topic.get_mut(*topic).filter(|kept| kept.len() < N_KEPT_MAX) {
                kept.push(row);
            }
        }
        let mut examples = Self {
            meaning: Vec::new(),
            units: Vec::new(),
            starts: vec![0],
            columns: Vec::new(),
            weights: Vec::new(),
            topics: vec![0],
        };
        for kept in of_topic {
            for row in kept {
                examples.push(rows.row(row));
            }
            examples.topics.push(examples.units.len() as u32);
        }
        examples
    }

    fn push(&mut self, (meaning, words): (&[f32], &[(u16, f32)])) {
        let largest = meaning.iter().map(|value| value.abs()).fold(f32::MIN_POSITIVE, f32::max);
        let unit = largest / 127.0;
        self.units.push(unit);
        self.meaning.extend(meaning.iter().map(|value| (value / unit).round() as i8));
        self.columns.extend(words.iter().map(|(column, _)| *column));
        self.weights.extend(words.iter().map(|(_, weight)| (weight * 255.0).round() as u8));
        self.starts.push(self.columns.len() as u32);
    }

    /// Whether the parts fit together; a file may hold anything.
    pub(super) fn is_sound(&self, n_meaning: usize, n_columns: usize, n_topics: usize) -> bool {
        let rises = |starts: &[u32], n: usize, end: usize| {
            starts.len() == n + 1
                && starts.is_sorted()
                && starts.first() == Some(&0)
                && starts.last().is_some_and(|last| *last as usize == end)
        };
        let n = self.units.len();
        self.meaning.len() == n * n_meaning
            && rises(&self.starts, n, self.columns.len())
            && rises(&self.topics, n_topics, n)
            && self.weights.len() == self.columns.len()
            && self.columns.iter().all(|column| usize::from(*column) < n_columns)
    }

    /// Returns the largest product of a text with an example of `topic`; 0 without any. `words` are
    /// the text's words spread over all columns.
    pub(super) fn likeness(&self, topic: usize, meaning: &[f32], words: &[f32]) -> f64 {
        let n_meaning = meaning.len();
        let (first, end) = (self.topics[topic] as usize, self.topics[topic + 1] as usize);
        let mut best = 0.0_f32;
        for example in first..end {
            let of = &self.meaning[example * n_meaning..][..n_meaning];
            let mut product = dot_coarse(meaning, of) * self.units[example];
            let range = self.starts[example] as usize..self.starts[example + 1] as usize;
            let weights = &self.weights[range.clone()];
            for (column, weight) in self.columns[range].iter().zip(weights) {
                product += words[usize::from(*column)] * f32::from(*weight) / 255.0;
            }
            best = best.max(product);
        }
        f64::from(best)
    }
}

fn dot_coarse(a: &[f32], b: &[i8]) -> f32 {
    let mut lanes = [0.0_f32; 8];
    let (a_eights, b_eights) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 =
        a_eights.remainder().iter().zip(b_eights.remainder()).map(|(a, b)| a * f32::from(*b)).sum();
    for (a, b) in a_eights.zip(b_eights) {
        for (lane, (a, b)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            *lane += a * f32::from(*b);
        }
    }
    lanes.iter().sum::<f32>() + rest
}

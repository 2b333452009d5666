//! What a fitted classifier sees in a text: a score for each topic, and cues whether it is any.

use super::{
    doubt::{Cues, N_TOPICS_MIN},
    examples::Examples,
    regression::to_shares,
    rehearsal::first,
    rows::{Rows, add_scaled},
};

/// Fitted weights and what they were fitted with.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Trained {
    /// Laid out as [`Rows`] says.
    pub(super) weights: Vec<f32>,
    pub(super) n_topics: usize,
    /// Whether a score for texts about none of the topics stands behind those of the topics.
    pub(super) has_none: bool,
    /// Number of topics that decides whether scores are a cue: a rehearsal goes by the whole.
    pub(super) few: usize,
    /// Length of the words' vector beside the unit vector of meaning.
    pub(super) word_share: f32,
}

/// Weights with the examples behind them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sight {
    pub(super) trained: Trained,
    pub(super) examples: Examples,
    pub(super) n_columns: usize,
}

impl Sight {
    pub(super) fn new(trained: Trained, rows: &Rows, topics: &[usize]) -> Self {
        let examples = Examples::of(rows, topics, trained.n_topics);
        Self { trained, examples, n_columns: rows.n_columns }
    }

    /// Returns the score of each topic, and the cues of the first.
    pub(super) fn look(&self, (meaning, words): (&[f32], &[(u16, f32)])) -> (Vec<f32>, Cues) {
        let Trained { weights, n_topics, has_none, few, word_share } = &self.trained;
        let n_classes = n_topics + usize::from(*has_none);
        let (of_meaning, rest) = weights.split_at(meaning.len() * n_classes);
        let (of_words, bias) = rest.split_at(self.n_columns * n_classes);
        let mut scores = bias.to_vec();
        for (value, weights) in meaning.iter().zip(of_meaning.chunks_exact(n_classes)) {
            add_scaled(&mut scores, weights, *value);
        }
        let mut spread = vec![0.0; self.n_columns];
        for (column, value) in words {
            let at = usize::from(*column);
            add_scaled(&mut scores, &of_words[at * n_classes..][..n_classes], *value);
            spread[at] = *value;
        }
        let of_none = has_none.then(|| scores.pop()).flatten();
        let best = first(&scores).unwrap_or_default();
        let product = self.examples.likeness(best, meaning, &spread);
        let likeness = product / (1.0 + f64::from(word_share * word_share));
        let mut shares = scores.clone();
        let sum = to_shares(&mut shares, 1.0);
        let above_none = of_none.map_or(0.0, |of_none| sum - f64::from(of_none));
        let cues = if *few < N_TOPICS_MIN {
            Cues::without_scores(likeness, above_none)
        } else {
            let log_share = f64::from(shares[best].max(f32::MIN_POSITIVE)).ln();
            Cues { energy: sum - (*n_topics as f64).ln(), log_share, likeness, above_none }
        };
        (scores, cues)
    }
}

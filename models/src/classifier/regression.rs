//! Which weights tell the topics apart? Multinomial logistic regression with an L2 penalty.

use super::{
    descent::minimise,
    rows::{Rows, add_scaled, dot},
    span::Span,
};

/// What the log-loss of one example weighs against half the squared length of the weights. From 10
/// to 30 the figures on development data are the same within a point.
const EXAMPLE_WEIGHT: f32 = 20.0;

/// Rows up to which the fit runs in the space that they span; beyond, that space is no smaller than
/// the whole and making it costs more than it saves.
const N_SPANNING_MAX: usize = 600;

/// Fits weights, laid out as [`Rows`] says, for `topics`, the topic of each row below `n_topics`.
pub(super) fn fit(rows: &Rows, topics: &[usize], n_topics: usize, n_steps: usize) -> Vec<f32> {
    if rows.len() > N_SPANNING_MAX {
        return descend(rows, topics, n_topics, n_steps);
    }
    let span = Span::of(rows);
    let weights = descend(&span.rows, topics, n_topics, n_steps);
    span.spread(rows, &weights, n_topics)
}

fn descend(rows: &Rows, topics: &[usize], n_topics: usize, n_steps: usize) -> Vec<f32> {
    minimise(rows.n_weights(n_topics), n_steps, |weights, slopes| {
        let mut scores = rows.scores(weights, n_topics);
        let mut loss = 0.0;
        for (scores, topic) in scores.chunks_exact_mut(n_topics).zip(topics) {
            let of_topic = f64::from(scores[*topic]);
            loss += f64::from(EXAMPLE_WEIGHT) * (to_shares(scores, 1.0) - of_topic);
            // The slope of the log-loss: the share given less the share due.
            scores[*topic] -= 1.0;
            scores.iter_mut().for_each(|share| *share *= EXAMPLE_WEIGHT);
        }
        rows.weigh_slopes(&scores, n_topics, slopes);
        // The biases, which stand last, are not penalised.
        let penalised = weights.len() - n_topics;
        add_scaled(&mut slopes[..penalised], &weights[..penalised], 1.0);
        loss + dot(&weights[..penalised], &weights[..penalised]) / 2.0
    })
}

/// Turns scores, divided by `temperature`, into shares that sum to 1 and returns the logarithm of
/// the sum that they were divided by.
pub(super) fn to_shares(scores: &mut [f32], temperature: f32) -> f64 {
    let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max) / temperature;
    for score in &mut *scores {
        *score = (*score / temperature - largest).exp();
    }
    let sum: f32 = scores.iter().sum();
    scores.iter_mut().for_each(|share| *share /= sum);
    f64::from(largest) + f64::from(sum).ln()
}

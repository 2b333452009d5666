//! How will the classifier do on texts it has not seen, and on topics that nobody told it of?
//!
//! A dress rehearsal on the examples alone (cross-validation): each time some examples and *some
//! whole topics* are put aside, the rest is learnt, and what was put aside is asked. The topics that
//! were put aside stand for everything that is about none of the topics.

use super::{
    Sorted,
    doubt::{Cues, Doubt, Lesson},
    regression::{fit, to_shares},
    sight::{Sight, Trained},
};
use std::{
    num::NonZero,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

/// Rehearsals; each fifth of the topics and of the examples is put aside once.
const N_FOLDS: usize = 5;
/// Steps of a rehearsal's fit and of the final one. The figures on development data do not change
/// beyond.
const N_STEPS_REHEARSAL: usize = 40;
const N_STEPS: usize = 60;
/// Prior of the temperature: the deviation of its logarithm from 0 (no change).
const LOG_TEMPERATURE_DEVIATION: f64 = 0.5;

/// What came out of asking one text that had been put aside.
struct Asked {
    cues: Cues,
    /// Scores of the topics that were learnt.
    scores: Vec<f32>,
    /// Place among the scores of the right one; `None` where no topic is right.
    right: Option<usize>,
    /// Whether it is an example that was labelled as being about no topic.
    is_given_none: bool,
}

/// What the rehearsals taught.
pub(super) struct Rehearsed {
    pub(super) doubt: Doubt,
    pub(super) temperature: f32,
    /// Share of the examples put aside, of topics that were learnt, that got their topic, and their
    /// number.
    pub(super) accuracy: Option<(f64, usize)>,
    /// Share of the texts about no topic that was learnt that got none, and their number.
    pub(super) none_recall: Option<(f64, usize)>,
}

/// Fits the weights on all examples and rehearses, on all cores.
pub(super) fn fit_and_rehearse(sorted: &Sorted, none_share: f64) -> (Vec<f32>, Rehearsed) {
    let n_topics = sorted.topics.len();
    let folds = if n_topics > 1 || sorted.n_none > 0 { N_FOLDS } else { 0 };
    let n_classes = n_topics + usize::from(sorted.n_none > 0);
    let weights = Mutex::new(Vec::new());
    let asked: Vec<Mutex<Vec<Asked>>> = (0..folds).map(|_| Mutex::default()).collect();
    let next_job = AtomicUsize::new(0);
    let n_threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(folds + 1);
    std::thread::scope(|scope| {
        for _ in 0..n_threads {
            scope.spawn(|| {
                loop {
                    // The final fit is the longest job and goes first.
                    let job = next_job.fetch_add(1, Ordering::Relaxed);
                    if job == 0 {
                        let found = fit(&sorted.rows, &sorted.labels, n_classes, N_STEPS);
                        *weights.lock().unwrap_or_else(PoisonError::into_inner) = found;
                    } else if let Some(place) = asked.get(job - 1) {
                        let found = rehearse(sorted, job - 1);
                        *place.lock().unwrap_or_else(PoisonError::into_inner) = found;
                    } else {
                        break;
                    }
                }
            });
        }
    });
    let asked: Vec<Asked> = asked
        .into_iter()
        .flat_map(|part| part.into_inner().unwrap_or_else(PoisonError::into_inner))
        .collect();
    (weights.into_inner().unwrap_or_else(PoisonError::into_inner), learn(&asked, none_share))
}

/// Learns all but fold `fold` and asks it.
fn rehearse(sorted: &Sorted, fold: usize) -> Vec<Asked> {
    let n_all = sorted.topics.len();
    let row_aside = |row: usize| sorted.row_folds[row] % N_FOLDS == fold;
    // A lone topic stays: without it there is nothing to ask.
    let topic_aside = |topic: usize| {
        n_all > 1 && sorted.topic_folds.get(topic).is_some_and(|place| place % N_FOLDS == fold)
    };
    let (learnt, aside): (Vec<usize>, Vec<usize>) = (0..sorted.labels.len())
        .partition(|row| !row_aside(*row) && !topic_aside(sorted.labels[*row]));
    // Topics that are left, numbered anew; none stays behind them.
    let mut place = vec![None; n_all];
    let mut n_topics = 0;
    for row in &learnt {
        if let Some(place @ None) = place.get_mut(sorted.labels[*row]) {
            *place = Some(n_topics);
            n_topics += 1;
        }
    }
    if n_topics == 0 {
        return Vec::new();
    }
    let place_of = |row: usize| place.get(sorted.labels[row]).copied().flatten();
    let labels: Vec<usize> = learnt.iter().map(|row| place_of(*row).unwrap_or(n_topics)).collect();
    let has_none = labels.contains(&n_topics);
    let rows = sorted.rows.select(&learnt);
    let n_classes = n_topics + usize::from(has_none);
    let weights = fit(&rows, &labels, n_classes, N_STEPS_REHEARSAL);
    let word_share = sorted.word_share;
    let trained = Trained { weights, n_topics, has_none, few: n_all, word_share };
    let sight = Sight::new(trained, &rows, &labels);
    let ask = |row: usize| {
        let (label, right) = (sorted.labels[row], place_of(row));
        let is_given_none = label == n_all;
        // A topic that lost its only example says nothing about topics unheard of.
        if right.is_none() && !topic_aside(label) && !is_given_none {
            return None;
        }
        let (scores, cues) = sight.look(sorted.rows.row(row));
        Some(Asked { cues, scores, right, is_given_none })
    };
    aside.into_iter().filter_map(ask).collect()
}

fn learn(asked: &[Asked], none_share: f64) -> Rehearsed {
    let n = |test: &dyn Fn(&Asked) -> bool| asked.iter().filter(|asked| test(asked)).count();
    let (n_about, n_given) = (n(&|a| a.right.is_some()), n(&|a| a.is_given_none));
    let n_aside = n(&|a| a.right.is_none() && !a.is_given_none);
    // Topics put aside are nearer to the others than chatter is; where examples of chatter are
    // given, they speak for half of it.
    let (aside_share, given_share) = match (n_aside, n_given) {
        (0, _) => (0.0, none_share),
        (_, 0) => (none_share, 0.0),
        _ => (none_share / 2.0, none_share / 2.0),
    };
    let total = asked.len() as f64;
    let lessons: Vec<Lesson> = asked
        .iter()
        .map(|asked| {
            let (share, n) = match (asked.right, asked.is_given_none) {
                (Some(_), _) => (1.0 - none_share, n_about),
                (None, false) => (aside_share, n_aside),
                (None, true) => (given_share, n_given),
            };
            let weight = share * total / n as f64;
            Lesson { cues: asked.cues, is_about_a_topic: asked.right.is_some(), weight }
        })
        .collect();
    // Only one side to learn from would teach that there is no other.
    let is_enough = n_about > 0 && n_aside + n_given > 0;
    let doubt = Doubt::of(if is_enough { &lessons } else { &[] }, none_share);
    let is_none = |asked: &Asked| doubt.about_a_topic(asked.cues) < 0.5;
    // Four places are more than so many texts can show, and a file keeps them exactly.
    let rounded = |n_right: usize, n: usize| (n_right as f64 / n as f64 * 1e4).round() / 1e4;
    let share = |n_right: usize, n: usize| (n > 0).then(|| (rounded(n_right, n), n));
    let n_right = n(&|a| a.right.is_some() && a.right == first(&a.scores) && !is_none(a));
    let n_none = n(&|a| a.right.is_none() && is_none(a));
    Rehearsed {
        temperature: temperature(asked),
        accuracy: share(n_right, n_about),
        none_recall: share(n_none, n_aside + n_given),
        doubt,
    }
}

pub(super) fn first(scores: &[f32]) -> Option<usize> {
    (0..scores.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b]).then(b.cmp(a)))
}

/// Finds the temperature that makes the right topics most likely (Guo et al. 2017, "On Calibration
/// of Modern Neural Networks"), by golden section over its logarithm.
fn temperature(asked: &[Asked]) -> f32 {
    let loss = |log: f64| {
        let mut sum = (log / LOG_TEMPERATURE_DEVIATION).powi(2) / 2.0;
        for (asked, right) in asked.iter().filter_map(|asked| Some((asked, asked.right?))) {
            let mut scores = asked.scores.clone();
            let of_right = f64::from(scores[right]) / log.exp();
            sum += to_shares(&mut scores, log.exp() as f32) - of_right;
        }
        sum
    };
    let ratio = (5.0_f64.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = (-1.5, 1.5);
    for _ in 0..20 {
        let (a, b) = (high - ratio * (high - low), low + ratio * (high - low));
        if loss(a) < loss(b) { high = b } else { low = a }
    }
    f64::midpoint(low, high).exp() as f32
}

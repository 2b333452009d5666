//! What is measured on cases? Each figure once, for a run, for a part of it, and for two runs side by
//! side.

mod paired;
mod table;

pub use paired::mcnemar;
pub(crate) use table::{FIGURES, SCORES, handed_to, judged};

use crate::{
    figure::Figure,
    interval::{Difference, Estimate, Resampling, mean, share, statistic},
    measures::{Judged, calibration, calibration_error},
    pairs::{Counts, Named, Names, Pairs},
    record::Record,
    report::Unit,
};
use paired::{bootstrap_p, difference_of};

/// A figure: its name, what it says, and how it comes of records.
#[derive(Debug)]
pub(crate) struct Score {
    /// Scripts read it.
    pub(crate) name: &'static str,
    /// What it says, for people.
    pub(crate) meaning: &'static str,
    pub(crate) unit: Unit,
    /// Whether more of it is better.
    pub(crate) is_good: bool,
    pub(crate) of: Of,
}

/// How a figure comes of the records that it concerns; a function returns `None` for the others.
#[derive(Debug)]
pub(crate) enum Of {
    /// The share of which it is true.
    Share(fn(&Record) -> Option<bool>),
    /// The mean of a number.
    Mean(fn(&Record) -> Option<f64>),
    /// The share that has the right article among the found ones.
    Hit(Ranking),
    /// The mean of what the place of the right articles is worth.
    Ranking(Ranking),
    /// Something of all confidences together.
    Confidence(fn(&Record) -> Option<Judged>, fn(&[Judged]) -> Option<f64>),
    /// The expected calibration error of all confidences, in [`BINS`] bins.
    CalibrationError(fn(&Record) -> Option<Judged>),
    /// Something of the confusion of names that were due with those that were said.
    Names(for<'a> fn(&'a Record) -> Option<Named<'a>>, fn(&Counts) -> Option<f64>),
}

/// Compares the articles found with those that were to be found.
pub(crate) type Ranking = fn(&[String], &[String]) -> Option<f64>;

/// Bins of calibration errors.
const BINS: usize = 10;

/// A figure of two runs over the same cases.
pub(crate) struct Differing {
    /// Of the first and of the second.
    pub(crate) values: (f64, f64),
    pub(crate) difference: Difference,
}

/// Cases of two runs with their resampling.
#[derive(Clone, Copy)]
pub(crate) struct Paired<'a> {
    pub(crate) pairs: &'a [(&'a Record, &'a Record)],
    pub(crate) resampling: Resampling,
}

/// Measures records; a figure that stands on none is left out.
pub(crate) fn measured(records: &[&Record], resampling: Resampling) -> Vec<Figure> {
    let figure = |score: &Score| {
        let estimate = score.estimate(records, resampling)?;
        let (name, meaning) = (score.name.to_string(), score.meaning.to_string());
        Some(Figure { name, meaning, unit: score.unit, estimate })
    };
    SCORES.iter().filter_map(figure).collect()
}

/// Returns the figures of rankings, each with how it comes of one.
pub(crate) fn rankings() -> impl Iterator<Item = (&'static Score, Ranking)> {
    SCORES.iter().filter_map(|score| match score.of {
        Of::Hit(ranking) | Of::Ranking(ranking) => Some((score, ranking)),
        _ => None,
    })
}

impl Score {
    fn estimate(&self, records: &[&Record], resampling: Resampling) -> Option<Estimate> {
        match self.of {
            Of::Share(_) | Of::Mean(_) | Of::Hit(_) | Of::Ranking(_) => {
                let values: Vec<f64> = records.iter().filter_map(|it| self.number(it)).collect();
                self.averaged(&values, resampling)
            }
            Of::Confidence(row, of) => {
                let rows: Vec<Judged> = records.iter().filter_map(|it| row(it)).collect();
                statistic(rows.len(), resampling, |drawn| {
                    let drawn = drawn.iter().filter_map(|i| rows.get(*i).copied());
                    of(&drawn.collect::<Vec<_>>())
                })
            }
            Of::CalibrationError(row) => {
                let rows: Vec<Judged> = records.iter().filter_map(|it| row(it)).collect();
                calibration(&rows, BINS, resampling)
            }
            Of::Names(row, of) => {
                Pairs::of(records.iter().filter_map(|it| row(it))).estimate_by(of, resampling)
            }
        }
    }

    /// Estimates the figure by the numbers of its cases. What is there or is not has an interval even
    /// where all cases agree.
    pub(crate) fn averaged(&self, values: &[f64], resampling: Resampling) -> Option<Estimate> {
        match self.of {
            Of::Share(_) | Of::Hit(_) => {
                share(values.iter().filter(|value| **value > 0.5).count(), values.len())
            }
            _ => mean(values, resampling),
        }
    }

    /// Returns the number of a case; `None` where the figure does not concern it, or is none of
    /// single cases.
    fn number(&self, record: &Record) -> Option<f64> {
        match self.of {
            Of::Share(holds) => holds(record).map(|holds| f64::from(u8::from(holds))),
            Of::Mean(of) => of(record),
            Of::Hit(of) | Of::Ranking(of) => of(&record.articles, &record.expect.articles),
            Of::Confidence(..) | Of::CalibrationError(_) | Of::Names(..) => None,
        }
    }

    /// Estimates the difference of two runs, and tests whether it is `margin`. `None` where either
    /// has no value, or there are too few cases for an interval.
    ///
    /// Of what cases have a number for, p is by the randomisation test, the second's numbers less the
    /// margin; of figures of all cases together with a margin it is by the bootstrap (the share of
    /// resamples on the other side of it, doubled), as those cannot be moved.
    pub(crate) fn difference(&self, on: Paired<'_>, margin: f64) -> Option<Differing> {
        match self.of {
            Of::Share(_) | Of::Mean(_) | Of::Hit(_) | Of::Ranking(_) => {
                let less = |margin: f64| -> Vec<(Option<f64>, Option<f64>)> {
                    let moved = |it: &Record| self.number(it).map(|value| value - margin);
                    on.pairs.iter().map(|(a, b)| (self.number(a), moved(b))).collect()
                };
                let found = compared(&less(0.0), &average, (0.0, on.resampling))?;
                if margin == 0.0 {
                    return Some(found);
                }
                let Difference { p, .. } = difference_of(&less(margin), &average, on.resampling)?;
                let difference = Difference { p, ..found.difference };
                Some(Differing { difference, ..found })
            }
            Of::Confidence(row, of) => compared(&rows(&on, row), &of, (margin, on.resampling)),
            Of::CalibrationError(row) => {
                let of = |drawn: &[Judged]| calibration_error(drawn, BINS);
                compared(&rows(&on, row), &of, (margin, on.resampling))
            }
            Of::Names(row, of) => {
                let mut names = Names::default();
                let mut pair =
                    |it| row(it).map(|(due, said)| (names.number(due), names.number(said)));
                let rows: Vec<_> = on.pairs.iter().map(|(a, b)| (pair(a), pair(b))).collect();
                let of = |drawn: &[(usize, usize)]| of(&Counts::of(drawn, names.len()));
                compared(&rows, &of, (margin, on.resampling))
            }
        }
    }
}

fn rows(
    on: &Paired<'_>,
    row: fn(&Record) -> Option<Judged>,
) -> Vec<(Option<Judged>, Option<Judged>)> {
    on.pairs.iter().map(|(a, b)| (row(a), row(b))).collect()
}

fn average(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn compared<R: Copy>(
    rows: &[(Option<R>, Option<R>)],
    of: &dyn Fn(&[R]) -> Option<f64>,
    (margin, resampling): (f64, Resampling),
) -> Option<Differing> {
    let first: Vec<R> = rows.iter().filter_map(|(first, _)| *first).collect();
    let second: Vec<R> = rows.iter().filter_map(|(_, second)| *second).collect();
    let values = (of(&first)?, of(&second)?);
    let mut difference = difference_of(rows, of, resampling)?;
    if margin != 0.0 {
        difference.p = bootstrap_p(rows, of, (margin, resampling));
    }
    Some(Differing { values, difference })
}

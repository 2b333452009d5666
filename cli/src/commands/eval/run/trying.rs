//! Runs the cases that no earlier run has a record of.

use crate::{commands::eval::at_once, progress::counted};
use bot::Desk;
use evals::{Case, Ledger, Record, case_key, try_each};
use indicatif::ProgressBar;
use knowledge::Knowledge;
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// What came of the cases, and what it took.
pub(super) struct Tried {
    /// In the order of the cases.
    pub(super) records: Vec<Record>,
    /// Those that an earlier run has left.
    pub(super) n_reused: usize,
    /// Those in which a model failed on the way; the next run has them run again.
    pub(super) n_failed: usize,
    /// From the first case to the last.
    pub(super) answering: Duration,
    /// Of that, and after it, writing results down.
    pub(super) writing: Duration,
}

/// Answers every case under `setting` of which the ledger has no record, and writes each down as it
/// comes.
pub(super) async fn try_rest(
    desk: &Desk,
    knowledge: &Knowledge,
    cases: &[Case],
    (mut ledger, setting): (Ledger, &str),
) -> anyhow::Result<Tried> {
    let keys: Vec<String> = cases.iter().map(|case| case_key(case, setting)).collect();
    let rest = cases.iter().zip(&keys).filter(|(_, key)| !ledger.has(key));
    let rest: HashMap<&str, &String> = rest.map(|(case, key)| (case.id.as_str(), key)).collect();
    let n_reused = cases.len() - rest.len();
    if n_reused > 0 {
        eprintln!("{n_reused} of {} cases were run before, {} are left", cases.len(), rest.len());
    }
    let todo: Vec<&Case> = cases.iter().filter(|c| rest.contains_key(c.id.as_str())).collect();
    let (start, mut pace, mut writing) = (Instant::now(), Pace::new(rest.len()), Duration::ZERO);
    let mut n_failed = 0;
    try_each(desk, knowledge, todo.into_iter(), at_once(), &mut |trial| {
        let key = rest.get(trial.case.id.as_str()).map(|key| (*key).clone()).unwrap_or_default();
        let began = Instant::now();
        let record = Record::of(trial, desk.policy());
        match trial.answer.has_failed() {
            true => ledger.add_passing(&key, &record)?,
            false => ledger.add(&Record { key, ..record })?,
        }
        n_failed += usize::from(trial.answer.has_failed());
        writing += began.elapsed();
        pace.advance();
        Ok(())
    })
    .await?;
    pace.bar.finish_and_clear();
    if n_failed > 0 {
        eprintln!(
            "warning: a model failed in {n_failed} of {} cases; their results count here, and the \
             same command runs them again",
            cases.len()
        );
    }
    let answering = start.elapsed();
    let began = Instant::now();
    let records = ledger.finish(&keys)?;
    Ok(Tried { records, n_reused, n_failed, answering, writing: writing + began.elapsed() })
}

/// How fast it goes, and when it will be done: a bar on a terminal, elsewhere a line now and then.
struct Pace {
    bar: ProgressBar,
    n_all: usize,
    n_done: usize,
    /// When a line was printed last, and how many were done then.
    said: (Instant, usize),
}

/// Time between two lines, over which the speed is taken: it changes as vectors become known.
const SAID_EVERY: Duration = Duration::from_secs(15);

impl Pace {
    fn new(n_all: usize) -> Self {
        let bar = counted("cases", n_all as u64);
        Self { bar, n_all, n_done: 0, said: (Instant::now(), 0) }
    }

    fn advance(&mut self) {
        self.n_done += 1;
        self.bar.inc(1);
        let (at, n_before) = self.said;
        if self.bar.is_hidden() && at.elapsed() >= SAID_EVERY {
            let per_second = (self.n_done - n_before) as f64 / at.elapsed().as_secs_f64();
            eprintln!("{}", pace_line(self.n_done, self.n_all, per_second));
            self.said = (Instant::now(), self.n_done);
        }
    }
}

fn pace_line(n_done: usize, n_all: usize, per_second: f64) -> String {
    let left_s = n_all.saturating_sub(n_done) as f64 / per_second;
    let left = match left_s {
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    };
    format!("{n_done} of {n_all} cases, {per_second:.1} a second, about {left} left")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_told_by_the_speed_of_late() {
        let check = |n_done, n_all, per_second, expected: &str| {
            assert_eq!(pace_line(n_done, n_all, per_second), expected);
        };
        check(200, 1_000, 10.0, "200 of 1000 cases, 10.0 a second, about 80 s left");
        check(100, 10_000, 33.0, "100 of 10000 cases, 33.0 a second, about 5 min left");
        check(100, 50_000, 2.5, "100 of 50000 cases, 2.5 a second, about 5.5 h left");
    }
}

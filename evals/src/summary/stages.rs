use crate::{
    figure::{By, Figure, Group, figure},
    interval::{Resampling, mean, quantile, statistic},
    record::{Record, Stages},
    report::Unit::{Count, Milliseconds},
};

/// Reads the milliseconds of one stage.
type Stage = fn(&Stages) -> f64;

/// Measures how long each stage took, and how many tokens the draft took, where a generator writes.
/// A stage that nobody timed is left out.
pub(super) fn measure(records: &[&Record], resampling: Resampling) -> Vec<Group> {
    let stages: [(&str, Stage); 4] = [
        ("meaning", |t| t.meaning),
        ("search", |t| t.search),
        ("draft", |t| t.draft),
        ("total", |t| t.total),
    ];
    let groups = stages.iter().map(|(name, of)| {
        let times: Vec<f64> = records.iter().map(|record| of(&record.timings_ms)).collect();
        let is_timed = times.iter().any(|time| *time > 0.0);
        let mut figures = if is_timed { percentiles(&times, resampling) } else { Vec::new() };
        if *name == "draft" {
            figures.extend(tokens(records, resampling));
        }
        Group { by: By::Stage, name: (*name).to_string(), figures }
    });
    groups.filter(|group| !group.figures.is_empty()).collect()
}

fn percentiles(times: &[f64], resampling: Resampling) -> Vec<Figure> {
    let at = |part: f64| {
        statistic(times.len(), resampling, |indices| {
            let mut drawn: Vec<f64> =
                indices.iter().filter_map(|i| times.get(*i).copied()).collect();
            drawn.sort_by(f64::total_cmp);
            quantile(&drawn, part)
        })
    };
    let figures = [
        ("p50", "half of the cases take less", at(0.5)),
        ("p95", "95 % of the cases take less", at(0.95)),
    ];
    let made =
        figures.into_iter().filter_map(|(name, meaning, e)| figure(name, meaning, Milliseconds, e));
    made.collect()
}

/// Averages tokens over all cases: one for which nothing was written costs nothing.
fn tokens(records: &[&Record], resampling: Resampling) -> Vec<Figure> {
    if records.iter().all(|record| record.tokens.is_none()) {
        return Vec::new();
    }
    let of = |count: fn((usize, usize)) -> usize| {
        let counts = records.iter().map(|record| record.tokens.map_or(0, count) as f64);
        mean(&counts.collect::<Vec<_>>(), resampling)
    };
    let figures = [
        ("tokens_read", "tokens that the generator reads for a case", of(|tokens| tokens.0)),
        ("tokens_written", "tokens that it writes for a case", of(|tokens| tokens.1)),
    ];
    let made = figures.into_iter().filter_map(|(name, meaning, e)| figure(name, meaning, Count, e));
    made.collect()
}

use crate::{
    figure::{By, Figure, Group, figure},
    interval::{Resampling, quantile, statistic},
    record::{Record, Stages},
    report::Unit::Milliseconds,
};

/// Reads the milliseconds of one stage.
type Stage = fn(&Stages) -> f64;

/// Measures how long each stage took.
pub(super) fn measure(records: &[&Record], resampling: Resampling) -> Vec<Group> {
    let stages: [(&str, Stage); 4] = [
        ("meaning", |t| t.meaning),
        ("search", |t| t.search),
        ("draft", |t| t.draft),
        ("total", |t| t.total),
    ];
    let groups = stages.iter().map(|(name, of)| {
        let times: Vec<f64> = records.iter().map(|record| of(&record.timings_ms)).collect();
        Group { by: By::Stage, name: (*name).to_string(), figures: percentiles(&times, resampling) }
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

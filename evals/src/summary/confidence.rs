use crate::{
    case::ExpectedAct,
    figure::{Figure, figure},
    interval::{Estimate, Resampling, statistic},
    measures::{Judged, auroc, brier, calibration},
    record::Record,
    report::Unit::Score,
};

/// Measures what the confidence is worth.
pub(super) fn measure(records: &[&Record]) -> Vec<Figure> {
    let judged: Vec<Judged> = records.iter().filter_map(|record| judge(record)).collect();
    let of = |measure: &dyn Fn(&[Judged]) -> Option<f64>| resampled(&judged, measure);
    let figures = [
        ("auroc", "a right draft has more confidence than a wrong one", of(&auroc)),
        ("brier", "mean squared error of the confidence", of(&brier)),
        (
            "ece",
            "mean distance of stated and met confidence",
            calibration(&judged, 10, Resampling::default()),
        ),
    ];
    let figures = figures.into_iter().chain(answerable(records));
    let made = figures.filter_map(|(name, meaning, e)| figure(name, meaning, Score, e));
    made.collect()
}

/// How well the confidence tells questions that can be answered from others, whatever the draft.
fn answerable(records: &[&Record]) -> Vec<(&'static str, &'static str, Option<Estimate>)> {
    let told = |others: &[ExpectedAct]| {
        let judged = records.iter().filter(|record| record.expect.judged);
        let of = judged.filter(|record| {
            record.expect.act == ExpectedAct::Answer || others.contains(&record.expect.act)
        });
        let judged: Vec<Judged> = of
            .map(|record| Judged {
                confidence: record.confidence,
                right: record.expect.act == ExpectedAct::Answer,
            })
            .collect();
        resampled(&judged, &auroc)
    };
    vec![
        (
            "auroc_answerable",
            "a question that can be answered has more confidence than another",
            told(&[ExpectedAct::Handoff, ExpectedAct::Clarify]),
        ),
        (
            "auroc_unanswerable",
            "the same, against those for people alone",
            told(&[ExpectedAct::Handoff]),
        ),
        (
            "auroc_underspecified",
            "the same, against those to be asked back",
            told(&[ExpectedAct::Clarify]),
        ),
    ]
}

fn resampled(judged: &[Judged], of: &dyn Fn(&[Judged]) -> Option<f64>) -> Option<Estimate> {
    statistic(judged.len(), Resampling::default(), |indices| {
        let drawn: Vec<Judged> = indices.iter().filter_map(|i| judged.get(*i).copied()).collect();
        of(&drawn)
    })
}

/// Returns confidence and truth of every draft of which the truth is known.
pub(crate) fn judged(records: &[Record]) -> Vec<Judged> {
    records.iter().filter_map(judge).collect()
}

fn judge(record: &Record) -> Option<Judged> {
    let right = record.is_draft_right().filter(|_| record.is_drafted())?;
    Some(Judged { confidence: record.confidence, right })
}

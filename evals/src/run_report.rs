use crate::{
    case::ExpectedAct,
    interval::{Estimate, Resampling, mean},
    measures::{hit_at, reliability, risk_coverage},
    record::Record,
    report::{CaseOutcome, Column, Figure, Report, Table, TableRow, Unit, Verdict},
    summary::{Summary, judged, share_of},
};
use std::collections::BTreeMap;

/// Puts together what people read of a run.
pub fn report(records: &[Record], summary: &Summary, about: About) -> Report {
    let judged = judged(records);
    Report {
        title: about.title,
        generated_by: about.generated_by,
        provenance: about.provenance,
        headline: summary.figures.iter().map(headline).collect(),
        tables: vec![by_tag(records)],
        reliability: reliability(&judged, BINS).unwrap_or_default(),
        risk_coverage: risk_coverage(&judged).unwrap_or_default(),
        threshold: Some(about.threshold),
        cases: records.iter().map(outcome).collect(),
    }
}

/// What a report says about itself.
#[derive(Debug, Clone)]
pub struct About {
    /// Its heading.
    pub title: String,
    /// Name and version of the program.
    pub generated_by: String,
    /// What the figures depend on, by name.
    pub provenance: Vec<(String, String)>,
    /// The least confidence that a reply needed.
    pub threshold: f64,
}

/// Points of the reliability diagram: with some hundred cases more bins show noise.
const BINS: usize = 10;
/// Tags of fewer cases say too little for a row of their own.
const CASES_A_TAG_AT_LEAST: usize = 5;

fn headline(figure: &crate::summary::Figure) -> Figure {
    let scores = ["brier", "ece", "auroc", "MRR", "draft_token_f1", "draft_rouge_l"];
    Figure {
        name: figure.name.to_string(),
        unit: if scores.contains(&figure.name) { Unit::Score } else { Unit::Share },
        estimate: Some(figure.estimate),
        meaning: figure.meaning.to_string(),
    }
}

fn by_tag(records: &[Record]) -> Table {
    let mut groups: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
    for record in records {
        for tag in &record.tags {
            groups.entry(tag).or_default().push(record);
        }
    }
    groups.retain(|_, group| group.len() >= CASES_A_TAG_AT_LEAST);
    let columns = ["act right", "replied", "replies wrong", "first article right"];
    Table {
        title: "By tag".into(),
        note: format!("Tags of at least {CASES_A_TAG_AT_LEAST} cases; a case can have several."),
        columns: columns.map(|name| Column { name: name.into(), unit: Unit::Share }).to_vec(),
        rows: groups
            .iter()
            .map(|(tag, group)| TableRow { name: (*tag).to_string(), cells: cells(group) })
            .collect(),
    }
}

fn cells(group: &[&Record]) -> Vec<Option<Estimate>> {
    let all = || group.iter().copied();
    let hits: Vec<f64> = all().filter_map(|t| hit_at(1, &t.articles, &t.expect.articles)).collect();
    vec![
        share_of(all(), |t| t.is_act_right()),
        share_of(all(), |t| t.sent),
        share_of(all().filter(|t| t.sent && t.is_draft_right().is_some()), |t| {
            t.is_draft_right() == Some(false)
        }),
        mean(&hits, Resampling::default()),
    ]
}

fn outcome(record: &Record) -> CaseOutcome {
    CaseOutcome {
        id: record.id.clone(),
        question: record.question.clone(),
        expected_act: record.expect.act,
        expected_articles: record.expect.articles.clone(),
        act: record.act.clone(),
        verdict: verdict(record),
        confidence: record.is_drafted().then_some(record.confidence),
        text: record.text.clone(),
        sources: record.citations.iter().map(|cited| cited.article.clone()).collect(),
        reasons: record.reasons.clone(),
        tags: record.tags.clone(),
    }
}

fn verdict(record: &Record) -> Verdict {
    match record.is_draft_right() {
        Some(true) if record.sent => Verdict::Right,
        Some(false) if record.sent => Verdict::WrongReply,
        _ if record.sent => Verdict::OtherAct,
        _ if record.expect.act == ExpectedAct::Answer => Verdict::MissedReply,
        _ if record.is_act_right() => Verdict::Right,
        _ => Verdict::OtherAct,
    }
}

use crate::{
    interval::{Estimate, Resampling, mean},
    measures::{hit_at, reliability, risk_coverage},
    report::{CaseOutcome, Column, Figure, Report, Table, TableRow, Unit, Verdict},
    summary::{Summary, judged, share_of},
    trial::Trial,
};
use std::collections::BTreeMap;

/// Puts together what people read of a run.
pub fn report(trials: &[Trial], summary: &Summary, about: About) -> Report {
    let judged = judged(trials);
    Report {
        title: about.title,
        generated_by: about.generated_by,
        provenance: about.provenance,
        headline: summary.figures.iter().map(headline).collect(),
        tables: vec![by_tag(trials)],
        reliability: reliability(&judged, BINS).unwrap_or_default(),
        risk_coverage: risk_coverage(&judged).unwrap_or_default(),
        threshold: Some(about.threshold),
        cases: trials.iter().map(outcome).collect(),
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

fn by_tag(trials: &[Trial]) -> Table {
    let mut groups: BTreeMap<&str, Vec<&Trial>> = BTreeMap::new();
    for trial in trials {
        for tag in &trial.case.tags {
            groups.entry(tag).or_default().push(trial);
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

fn cells(group: &[&Trial]) -> Vec<Option<Estimate>> {
    let all = || group.iter().copied();
    let hits: Vec<f64> = all().filter_map(|t| hit_at(1, &t.answer.articles, &t.gold)).collect();
    vec![
        share_of(all(), |t| t.is_act_right()),
        share_of(all(), |t| t.is_reply()),
        share_of(all().filter(|t| t.is_reply()), |t| !t.is_draft_right()),
        mean(&hits, Resampling::default()),
    ]
}

fn outcome(trial: &Trial) -> CaseOutcome {
    let case = trial.case;
    let answer = &trial.answer;
    let draft = answer.draft.as_ref();
    CaseOutcome {
        id: case.id.clone(),
        question: case.messages.last().map_or(String::new(), |m| m.text.clone()),
        expected_act: case.expect.act,
        expected_articles: case.expect.articles.clone(),
        act: answer.decision.act().name().to_string(),
        verdict: verdict(trial),
        confidence: draft.map(|_| answer.confidence.value()),
        text: draft.map_or(String::new(), |draft| draft.text.clone()),
        sources: draft.map_or_else(Vec::new, |draft| {
            draft.citations.iter().map(|citation| citation.article.clone()).collect()
        }),
        reasons: answer.decision.reasons().iter().map(ToString::to_string).collect(),
        tags: case.tags.clone(),
    }
}

fn verdict(trial: &Trial) -> Verdict {
    use crate::case::ExpectedAct::Answer;
    if trial.is_reply() {
        if trial.is_draft_right() { Verdict::Right } else { Verdict::WrongReply }
    } else if trial.case.expect.act == Answer {
        Verdict::MissedReply
    } else if trial.is_act_right() {
        Verdict::Right
    } else {
        Verdict::OtherAct
    }
}

use crate::{
    case::{Case, ExpectedAct},
    logistic::{Direction, Feature, Options, Row, fit},
    measures::{Judged, auroc, brier, calibration_error},
    trial::{gold, question, reader},
};
use anyhow::Context;
use bot::{Answer, Desk};
use futures_util::{StreamExt, stream};
use router::{Calibration, Evidence, Factor, FittedFor};
use std::collections::BTreeMap;

/// A desk's cases as rows to learn from.
pub struct Lesson {
    name: String,
    rows: Vec<Observed>,
}

struct Observed {
    evidence: Evidence,
    right: bool,
    group: usize,
}

/// Figures of a fit on cases that it has not seen.
#[derive(Debug, Clone, Copy)]
pub struct Unseen {
    /// Drafts that were judged.
    pub n: usize,
    /// Part of them that is right.
    pub right: f64,
    /// Whether right drafts get more confidence than wrong ones; 0.5 is chance.
    pub auroc: f64,
    /// Mean squared error of the probability.
    pub brier: f64,
    /// Mean distance between stated and met probability, over ten bins.
    pub calibration_error: f64,
}

/// A fitted calibration and how it does on unseen cases.
pub struct Fitted {
    /// What [`Desk`]s load.
    pub calibration: Calibration,
    /// Cross-validated over questions.
    pub cross_validated: Unseen,
    /// For each desk: fitted on the others, tried on this one. Empty for a single desk.
    pub other_desks: Vec<(String, Unseen)>,
}

/// Observations that can only speak for a draft, and those that can only speak against it. The
/// others may point either way.
const RISING: [&str; 10] = [
    "draft_coverage",
    "draft_nearest",
    "fused_lead_2",
    "meaning_best",
    "meaning_lead_2",
    "meaning_own",
    "words_best_log",
    "words_in_article",
    "words_in_passage",
    "words_rarest_there",
];
const FALLING: [&str; 1] = ["words_nowhere"];

/// Observes the drafts of a desk for its cases. A case that can be answered is seen twice: as it
/// is, and with its gold articles taken away, which makes a near miss of it, the hardest kind of
/// question that cannot be answered. Cases that a rule settles teach nothing and are left out.
///
/// # Errors
/// When the index cannot be opened.
pub async fn observe(
    name: &str,
    desk: &Desk,
    cases: &[Case],
    at_once: usize,
    progress: &(dyn Fn(usize) + Sync),
) -> anyhow::Result<Lesson> {
    let knowledge = desk.library().knowledge()?;
    let runs = cases.iter().enumerate().map(|(group, case)| {
        let gold = gold(case, &knowledge);
        let numbers: Vec<usize> =
            gold.iter().filter_map(|id| knowledge.article_named(id)).collect();
        async move {
            let (question, reader) = (question(case), reader(case));
            let mut rows = Vec::new();
            let answer = desk.answer(&question, &reader).await;
            let answerable = case.expect.act == ExpectedAct::Answer;
            rows.extend(row(&answer, group, |first| answerable && gold.iter().any(|g| g == first)));
            if answerable && !numbers.is_empty() {
                let missed = desk.answer_without(&question, &reader, &numbers).await;
                rows.extend(row(&missed, group, |_| false));
            }
            rows
        }
    });
    let mut rows = Vec::new();
    let mut running = stream::iter(runs).buffered(at_once.max(1));
    let mut done = 0;
    while let Some(more) = running.next().await {
        rows.extend(more);
        done += 1;
        progress(done);
    }
    Ok(Lesson { name: name.to_string(), rows })
}

fn row(answer: &Answer, group: usize, is_right: impl Fn(&str) -> bool) -> Option<Observed> {
    let first = answer.draft.as_ref()?.citations.first()?;
    let right = is_right(&first.article);
    Some(Observed { evidence: answer.evidence.clone(), right, group })
}

/// Fits a calibration to the lessons, each weighed alike.
///
/// # Errors
/// When there is too little to learn from.
pub fn calibrate(lessons: &[Lesson], fitted_for: FittedFor) -> anyhow::Result<Fitted> {
    let names = feature_names(lessons)?;
    let features: Vec<Feature> = names.iter().map(|name| feature(name)).collect();
    let all: Vec<&Lesson> = lessons.iter().collect();
    let rows = rows(&all, &names);
    let model = fit(&rows, &features, &Options::default())?;
    let cross_validated = unseen(&rows, &model.out_of_fold).context("too few cases")?;
    let mut other_desks = Vec::new();
    for (index, lesson) in lessons.iter().enumerate().filter(|_| lessons.len() > 1) {
        let others: Vec<&Lesson> =
            lessons.iter().enumerate().filter(|(i, _)| *i != index).map(|(_, l)| l).collect();
        let model = fit(&self::rows(&others, &names), &features, &Options::default())?;
        let own = self::rows(&[lesson], &names);
        let guesses: Vec<f64> = own.iter().map(|row| model.probability(&row.features)).collect();
        let figures =
            unseen(&own, &guesses).with_context(|| format!("{}: one outcome only", lesson.name))?;
        other_desks.push((lesson.name.clone(), figures));
    }
    let factors = names
        .iter()
        .zip(model.means.iter().zip(&model.deviations).zip(&model.weights))
        .map(|(name, ((mean, deviation), weight))| Factor {
            name: (*name).to_string(),
            mean: rounded(*mean),
            deviation: rounded(*deviation).max(1e-6),
            weight: rounded(*weight),
        })
        .filter(|factor| factor.weight != 0.0)
        .collect();
    let report = report(lessons, &cross_validated, &other_desks, model.penalty);
    let calibration =
        Calibration { fitted_for, report, intercept: rounded(model.intercept), factors };
    Ok(Fitted { calibration, cross_validated, other_desks })
}

fn feature_names(lessons: &[Lesson]) -> anyhow::Result<Vec<&'static str>> {
    let first = lessons.iter().flat_map(|lesson| &lesson.rows).next();
    let first =
        first.context("no case led to a draft; index the articles that the cases are about")?;
    Ok(first.evidence.iter().map(|(name, _)| name).collect())
}

fn feature(name: &str) -> Feature {
    let direction = if RISING.contains(&name) {
        Direction::Rising
    } else if FALLING.contains(&name) {
        Direction::Falling
    } else {
        Direction::Free
    };
    Feature { name: name.to_string(), direction }
}

fn rows(lessons: &[&Lesson], names: &[&str]) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut first_group = 0;
    for lesson in lessons {
        let weight = 1.0 / lesson.rows.len().max(1) as f64;
        rows.extend(lesson.rows.iter().map(|observed| Row {
            features: names.iter().map(|n| observed.evidence.get(n).unwrap_or(0.0)).collect(),
            right: observed.right,
            weight,
            group: first_group + observed.group,
        }));
        first_group += lesson.rows.iter().map(|row| row.group + 1).max().unwrap_or(0);
    }
    rows
}

fn unseen(rows: &[Row], guesses: &[f64]) -> Option<Unseen> {
    let judged: Vec<Judged> = rows
        .iter()
        .zip(guesses)
        .map(|(row, guess)| Judged { confidence: *guess, right: row.right })
        .collect();
    Some(Unseen {
        n: judged.len(),
        right: judged.iter().filter(|j| j.right).count() as f64 / judged.len() as f64,
        auroc: auroc(&judged)?,
        brier: brier(&judged)?,
        calibration_error: calibration_error(&judged, 10)?,
    })
}

fn report(
    lessons: &[Lesson],
    cross_validated: &Unseen,
    other_desks: &[(String, Unseen)],
    penalty: f64,
) -> BTreeMap<String, String> {
    let figures = |unseen: &Unseen| {
        format!(
            "AUROC {:.3}, Brier {:.3}, calibration error {:.3} on {} drafts, {:.0} % of them right",
            unseen.auroc,
            unseen.brier,
            unseen.calibration_error,
            unseen.n,
            100.0 * unseen.right
        )
    };
    let cases = |lesson: &Lesson| format!("{} ({} drafts)", lesson.name, lesson.rows.len());
    let mut report = BTreeMap::from([
        ("fitted on".to_string(), lessons.iter().map(cases).collect::<Vec<_>>().join(", ")),
        ("cross-validated".to_string(), figures(cross_validated)),
        ("method".to_string(), format!("logistic regression, L2 penalty {penalty}")),
    ]);
    for (name, unseen) in other_desks {
        report.insert(format!("fitted without {name}, tried on it"), figures(unseen));
    }
    report
}

/// Keeps a coefficient readable; six digits are far below what the cases can tell.
fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

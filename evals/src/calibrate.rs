use crate::{
    case::{Case, ExpectedAct},
    logistic::{Direction, Feature, Options, Row, fit},
    measures::{Judged, auroc, brier, calibration_error},
    trial::{Asked, answers, gold},
};
use anyhow::Context;
use bot::{Answer, Desk};
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
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Answerable,
    Unanswerable,
    NearMiss,
}

/// Least part of the questions that is taken to have no answer in the articles: an assumption, which
/// sets the level of all confidences. Cases of which more cannot be answered keep their own part.
const UNANSWERABLE: f64 = 0.4;

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
const RISING: [&str; 13] = [
    "draft_coverage",
    "draft_nearest",
    "fused_lead_1",
    "fused_lead_4",
    "fused_own",
    "meaning_lead_1",
    "meaning_lead_10",
    "meaning_lead_4",
    "meaning_own",
    "words_in_article",
    "words_in_passage",
    "words_lead_1",
    "words_rarest_there",
];
const FALLING: [&str; 4] =
    ["fused_rank_meaning_log", "fused_rank_words_log", "meaning_crowd_log", "words_nowhere"];

/// Observes the drafts of a desk for its cases. A case that can be answered is seen twice: as it
/// is, and with its gold articles taken away, which makes a near miss of it, the hardest kind of
/// question that cannot be answered.
///
/// # Errors
/// When the index cannot be opened or a case makes the path panic.
pub async fn observe(
    name: &str,
    desk: &Desk,
    cases: &[Case],
    at_once: usize,
    progress: &(dyn Fn(usize) + Sync),
) -> anyhow::Result<Lesson> {
    let knowledge = desk.library().knowledge()?;
    let mut asked = Vec::new();
    let mut truths = Vec::new();
    for (group, case) in cases.iter().enumerate() {
        let gold = gold(case, &knowledge);
        let without: Vec<usize> =
            gold.iter().filter_map(|id| knowledge.article_named(id)).collect();
        let answerable = case.expect.act == ExpectedAct::Answer;
        if answerable && !without.is_empty() {
            asked.push(Asked { case, without });
            truths.push(Truth { group, gold: Vec::new(), kind: Kind::NearMiss });
        }
        let kind = if answerable { Kind::Answerable } else { Kind::Unanswerable };
        asked.push(Asked { case, without: Vec::new() });
        truths.push(Truth { group, gold: if answerable { gold } else { Vec::new() }, kind });
    }
    let answers = answers(desk, asked.into_iter(), at_once, progress).await?;
    let rows =
        answers.iter().zip(&truths).filter_map(|(answer, truth)| truth.row(answer)).collect();
    Ok(Lesson { name: name.to_string(), rows })
}

/// What is known about a question beforehand.
struct Truth {
    group: usize,
    gold: Vec<String>,
    kind: Kind,
}

impl Truth {
    /// Returns the row for an answer; `None` when nothing was drafted.
    fn row(&self, answer: &Answer) -> Option<Observed> {
        let first = answer.draft.as_ref()?.citations.first()?;
        let right = self.gold.contains(&first.article);
        Some(Observed {
            evidence: answer.evidence.clone(),
            right,
            group: self.group,
            kind: self.kind,
        })
    }
}

impl Lesson {
    fn weight(&self, row: &Observed) -> f64 {
        if row.kind == Kind::NearMiss { self.near_miss_weight() } else { 1.0 }
    }

    /// Says for each row whether it counts in figures: near misses are thinned to their weight,
    /// evenly, so that figures see the mix of questions within a desk that the fit was made for.
    fn counted(&self) -> Vec<bool> {
        let mut n_near_misses = 0.0;
        let counts = |row: &Observed| {
            let weight = self.weight(row);
            let before = n_near_misses * weight;
            if row.kind == Kind::NearMiss {
                n_near_misses += 1.0;
            }
            row.kind != Kind::NearMiss || (before + weight).floor() > before.floor()
        };
        self.rows.iter().map(counts).collect()
    }

    /// Returns the weight of a near miss, so that [`UNANSWERABLE`] of all questions cannot be
    /// answered. Where more than that cannot be answered anyway, near misses still teach a little.
    fn near_miss_weight(&self) -> f64 {
        let count = |kind| self.rows.iter().filter(|row| row.kind == kind).count() as f64;
        let (answerable, unanswerable) = (count(Kind::Answerable), count(Kind::Unanswerable));
        let wanted = UNANSWERABLE * (answerable + unanswerable) - unanswerable;
        (wanted / ((1.0 - UNANSWERABLE) * count(Kind::NearMiss).max(1.0))).clamp(0.1, 1.0)
    }
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
    let cross_validated = unseen(&all, &rows, &model.out_of_fold).context("too few cases")?;
    let mut other_desks = Vec::new();
    for (index, lesson) in lessons.iter().enumerate().filter(|_| lessons.len() > 1) {
        let others: Vec<&Lesson> =
            lessons.iter().enumerate().filter(|(i, _)| *i != index).map(|(_, l)| l).collect();
        let model = fit(&self::rows(&others, &names), &features, &Options::default())?;
        let own = self::rows(&[lesson], &names);
        let guesses: Vec<f64> = own.iter().map(|row| model.probability(&row.features)).collect();
        let figures = unseen(&[lesson], &own, &guesses)
            .with_context(|| format!("{}: one outcome only", lesson.name))?;
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
        let all: f64 = lesson.rows.iter().map(|row| lesson.weight(row)).sum();
        rows.extend(lesson.rows.iter().map(|observed| Row {
            features: names.iter().map(|n| observed.evidence.get(n).unwrap_or(0.0)).collect(),
            right: observed.right,
            weight: lesson.weight(observed) / all.max(1.0),
            group: first_group + observed.group,
        }));
        first_group += lesson.rows.iter().map(|row| row.group + 1).max().unwrap_or(0);
    }
    rows
}

fn unseen(lessons: &[&Lesson], rows: &[Row], guesses: &[f64]) -> Option<Unseen> {
    let counted = lessons.iter().flat_map(|lesson| lesson.counted());
    let judged: Vec<Judged> = rows
        .iter()
        .zip(guesses)
        .zip(counted)
        .filter(|(_, counts)| *counts)
        .map(|((row, guess), _)| Judged { confidence: *guess, right: row.right })
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

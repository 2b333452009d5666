use crate::{
    by_topic::{Guess, shifted, shifts},
    case::{Case, ExpectedAct},
    examine::{Examination, Question, Target, examine},
    logistic::{Direction, Feature, Fit, Options, Row, fit},
    split::{Parts, conversation},
    trial::{Asked, answers, gold},
};
use anyhow::Context;
use bot::{Answer, Desk};
use router::{Calibration, Evidence, Factor, FittedFor};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Drafts for a desk's cases to learn from. Made of [`Parts::learning`] and of nothing else, so that
/// what [`calibrate`] fits cannot have seen a case that figures are taken from.
pub struct Lesson {
    name: String,
    rows: Vec<Observed>,
    /// Cases that expect an answer and name no article: nobody knows whether their drafts are right.
    n_unlabelled: usize,
}

/// Drafts for a desk's cases to be measured on: those of [`Parts::test`].
pub struct Exam {
    name: String,
    rows: Vec<Observed>,
}

/// A draft and what is known of its question.
#[derive(Debug, Clone)]
pub(crate) struct Observed {
    pub(crate) evidence: Evidence,
    pub(crate) right: bool,
    pub(crate) group: usize,
    pub(crate) kind: Kind,
    /// What the question is about, as it was told.
    pub(crate) topic: Option<String>,
}

/// What can be done about a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It can be answered.
    Answerable,
    /// The articles do not answer it.
    Unanswerable,
    /// It says too little.
    Vague,
    /// It could be answered, had its articles not been taken away.
    NearMiss,
}

/// Least part of the questions that is taken to have no answer in the articles: an assumption, which
/// sets the level of all confidences. Cases of which more cannot be answered keep their own part.
const UNANSWERABLE: f64 = 0.4;

/// A fitted calibration, and how it does on cases that it has not seen.
pub struct Fitted {
    /// What [`Desk`]s load.
    pub calibration: Calibration,
    /// On the cases that it was fitted to, each judged by a fit that has not seen its question.
    pub cross_validated: Examination,
    /// On the unseen cases of each desk, and then of all together.
    pub unseen: Vec<(String, Examination)>,
    /// For each desk: fitted on the others alone, tried on its unseen cases. Empty for one desk.
    pub other_desks: Vec<(String, Examination)>,
    /// A fit of the same evidence to "can be answered at all", on the unseen cases of all desks.
    pub answerable: Option<Examination>,
}

/// Observations that can only speak for a draft, and those that can only speak against it. The
/// others may point either way.
const RISING: [&str; 13] = [
    "draft_coverage",
    "draft_nearest",
    "fused_lead_1",
    "fused_own",
    "heading_asked",
    "meaning_lead_1",
    "meaning_lead_10",
    "meaning_lead_4",
    "meaning_own",
    "words_in_article",
    "words_in_passage",
    "words_in_passage_lead",
    "words_rarest_there",
];
const FALLING: [&str; 6] = [
    "fused_entropy",
    "fused_rank_meaning_log",
    "fused_rank_words_log",
    "meaning_crowd_log",
    "question_names_missing",
    "words_nowhere",
];

/// Observes the drafts of a desk for its cases, those to learn from and those to be measured on. A
/// case that can be answered is seen twice: as it is, and with its gold articles taken away, which
/// makes a near miss of it, the hardest kind of question that cannot be answered.
///
/// # Errors
/// When the index cannot be opened or a case makes the path panic.
pub async fn observe(
    name: &str,
    desk: &Desk,
    parts: &Parts,
    at_once: usize,
    progress: &(dyn Fn(usize) + Sync),
) -> anyhow::Result<(Lesson, Exam)> {
    let drafts = Drafts { desk, at_once, progress };
    let (rows, n_unlabelled) = drafts.of(&parts.learning, 0).await?;
    let lesson = Lesson { name: name.to_string(), rows, n_unlabelled };
    let (rows, _) = drafts.of(&parts.test, 2 * parts.learning.len()).await?;
    Ok((lesson, Exam { name: name.to_string(), rows }))
}

struct Drafts<'a> {
    desk: &'a Desk,
    at_once: usize,
    progress: &'a (dyn Fn(usize) + Sync),
}

impl Drafts<'_> {
    /// Observes the drafts for some cases, and counts those of which the truth is not known;
    /// `n_before` have been drafted already.
    async fn of(&self, cases: &[Case], n_before: usize) -> anyhow::Result<(Vec<Observed>, usize)> {
        let knowledge = self.desk.library().knowledge()?;
        let mut asked = Vec::new();
        let mut truths = Vec::new();
        let (mut groups, mut n_unlabelled) = (HashMap::new(), 0);
        for case in cases {
            if case.expect.is_unlabelled() {
                n_unlabelled += 1;
                continue;
            }
            let next = groups.len();
            let group = *groups.entry(conversation(case)).or_insert(next);
            let gold = gold(case, &knowledge);
            let without: Vec<usize> =
                gold.iter().filter_map(|id| knowledge.article_named(id)).collect();
            let kind = match case.expect.act {
                ExpectedAct::Answer => Kind::Answerable,
                ExpectedAct::Clarify => Kind::Vague,
                ExpectedAct::Handoff => Kind::Unanswerable,
            };
            let answerable = kind == Kind::Answerable;
            if answerable && !without.is_empty() {
                asked.push(Asked { case, without });
                truths.push(Truth { group, gold: Vec::new(), kind: Kind::NearMiss });
            }
            asked.push(Asked { case, without: Vec::new() });
            truths.push(Truth { group, gold: if answerable { gold } else { Vec::new() }, kind });
        }
        let told = |done: usize| (self.progress)(n_before + done);
        let answers = answers(self.desk, asked.into_iter(), self.at_once, &told).await?;
        let rows = answers.iter().zip(&truths).filter_map(|(answer, truth)| truth.row(answer));
        Ok((rows.collect(), n_unlabelled))
    }
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
            topic: answer.noticed.topic.as_ref().map(|(topic, _)| topic.to_string()),
        })
    }
}

/// Returns the rows that figures are taken from: near misses are thinned evenly, so that they are
/// the part of all questions that [`UNANSWERABLE`] says, the mix that fits are made for.
fn counted(rows: &[Observed]) -> Vec<usize> {
    let weight = near_miss_weight(rows);
    let mut n_near_misses = 0.0_f64;
    let mut counts = |row: &Observed| {
        if row.kind != Kind::NearMiss {
            return true;
        }
        let before = n_near_misses * weight;
        n_near_misses += 1.0;
        (before + weight).floor() > before.floor()
    };
    (0..).zip(rows).filter(|(_, row)| counts(row)).map(|(place, _)| place).collect()
}

/// Returns the weight of a near miss, so that [`UNANSWERABLE`] of all questions cannot be answered.
/// Where more than that cannot be answered anyway, near misses still teach a little.
fn near_miss_weight(rows: &[Observed]) -> f64 {
    let count = |kinds: &[Kind]| rows.iter().filter(|r| kinds.contains(&r.kind)).count() as f64;
    let answerable = count(&[Kind::Answerable]);
    let unanswerable = count(&[Kind::Unanswerable, Kind::Vague]);
    let wanted = UNANSWERABLE * (answerable + unanswerable) - unanswerable;
    (wanted / ((1.0 - UNANSWERABLE) * count(&[Kind::NearMiss]).max(1.0))).clamp(0.1, 1.0)
}

/// Fits a calibration to the lessons, each weighed alike, and says how it does on the exams, which
/// it has not seen.
///
/// # Errors
/// When there is too little to learn from.
pub fn calibrate(
    lessons: &[Lesson],
    exams: &[Exam],
    fitted_for: FittedFor,
) -> anyhow::Result<Fitted> {
    let names = feature_names(lessons)?;
    let all: Vec<&Lesson> = lessons.iter().collect();
    let every: Vec<&Exam> = exams.iter().collect();
    let mut model = Model::fit(&all, &names, Target::Right)?;
    let mut of_topics = model.shift(lessons);
    let cross_validated = model.cross_validated(&all, Target::Right).context("too few cases")?;
    let mut unseen = Vec::new();
    let mut other_desks = Vec::new();
    for exam in exams {
        let found = model.examine(&[exam], Target::Right);
        unseen.extend(found.map(|found| (exam.name.clone(), found)));
        if !model.by_topic.is_empty() {
            let pooled = Model { by_topic: BTreeMap::new(), ..model.clone() };
            let found = pooled.examine(&[exam], Target::Right);
            of_topics.extend(found.map(|found| {
                (format!("unseen cases of {}, topics pooled", exam.name), found.to_string())
            }));
        }
        let others: Vec<&Lesson> = lessons.iter().filter(|l| l.name != exam.name).collect();
        if !others.is_empty() && others.len() < lessons.len() {
            let stranger = Model::fit(&others, &names, Target::Right)?;
            let found = stranger.examine(&[exam], Target::Right);
            other_desks.extend(found.map(|found| (exam.name.clone(), found)));
        }
    }
    if exams.len() > 1 {
        let found = model.examine(&every, Target::Right);
        unseen.extend(found.map(|found| ("all desks".to_string(), found)));
    }
    let answerable = Model::fit(&all, &names, Target::Answerable).ok();
    let answerable = answerable.and_then(|model| model.examine(&every, Target::Answerable));
    let mut fitted = Fitted {
        calibration: model.calibration(fitted_for),
        cross_validated,
        unseen,
        other_desks,
        answerable,
    };
    fitted.calibration.report = report(lessons, &fitted, model.fit.penalty);
    fitted.calibration.report.extend(of_topics);
    Ok(fitted)
}

/// A fit, with the names of what it weighs.
#[derive(Clone)]
struct Model<'a> {
    names: &'a [&'static str],
    fit: Fit,
    /// What topics of the first desk add to the log-odds.
    by_topic: BTreeMap<String, f64>,
}

impl<'a> Model<'a> {
    fn fit(lessons: &[&Lesson], names: &'a [&'static str], target: Target) -> anyhow::Result<Self> {
        let features: Vec<Feature> = names.iter().map(|name| feature(name)).collect();
        let fit = fit(&rows(lessons, names, target), &features, &Options::default())?;
        Ok(Self { names, fit, by_topic: BTreeMap::new() })
    }

    /// Lets topics of the first desk, whose calibration it becomes, add a constant of their own where
    /// cross-validation says that this is better; says what came of it. Near misses count as in the
    /// fit.
    fn shift(&mut self, lessons: &[Lesson]) -> Vec<(String, String)> {
        let Some(own) = lessons.first() else { return Vec::new() };
        let near_miss = near_miss_weight(&own.rows);
        let guess = |(row, probability): (&Observed, &f64)| Guess {
            topic: row.topic.clone(),
            probability: *probability,
            right: row.right,
            weight: if row.kind == Kind::NearMiss { near_miss } else { 1.0 },
            group: row.group,
        };
        let guesses: Vec<Guess> = own.rows.iter().zip(&self.fit.out_of_fold).map(guess).collect();
        let topics: BTreeSet<&String> = guesses.iter().filter_map(|it| it.topic.as_ref()).collect();
        if topics.is_empty() {
            return Vec::new();
        }
        let told = match shifts(&guesses) {
            Some(found) => {
                for (place, probability) in self.fit.out_of_fold.iter_mut().zip(&found.out_of_fold)
                {
                    *place = *probability;
                }
                self.by_topic = found.by_topic;
                let named = self.by_topic.iter().map(|(topic, shift)| {
                    let n = guesses.iter().filter(|it| it.topic.as_ref() == Some(topic)).count();
                    format!("{topic} {shift:+.2} ({n} drafts)")
                });
                format!(
                    "{}, on the log-odds; all others pooled",
                    named.collect::<Vec<_>>().join(", ")
                )
            }
            None => format!(
                "pooled: constants of {} topics do not make unseen cases likelier beyond chance",
                topics.len()
            ),
        };
        vec![("topics".to_string(), told)]
    }

    /// Judges each row that it was fitted to by a fit that has not seen its question.
    fn cross_validated(&self, lessons: &[&Lesson], target: Target) -> Option<Examination> {
        let mut guesses = self.fit.out_of_fold.iter().copied();
        let mut questions = Vec::new();
        for lesson in lessons {
            let own: Vec<f64> = guesses.by_ref().take(lesson.rows.len()).collect();
            questions.extend(asked(&lesson.rows, &own));
        }
        examine(&questions, target)
    }

    fn examine(&self, exams: &[&Exam], target: Target) -> Option<Examination> {
        let mut questions = Vec::new();
        for exam in exams {
            let guess = |row: &Observed| {
                let shift = row.topic.as_ref().and_then(|topic| self.by_topic.get(topic));
                let pooled = self.fit.probability(&features_of(row, self.names));
                shift.map_or(pooled, |shift| shifted(pooled, *shift))
            };
            questions.extend(asked(&exam.rows, &exam.rows.iter().map(guess).collect::<Vec<_>>()));
        }
        examine(&questions, target)
    }

    fn calibration(&self, fitted_for: FittedFor) -> Calibration {
        let Fit { means, deviations, weights, .. } = &self.fit;
        let factors = self
            .names
            .iter()
            .zip(means.iter().zip(deviations).zip(weights))
            .map(|(name, ((mean, deviation), weight))| Factor {
                name: (*name).to_string(),
                mean: rounded(*mean),
                deviation: rounded(*deviation).max(1e-6),
                weight: rounded(*weight),
            })
            .filter(|factor| factor.weight != 0.0)
            .collect();
        let intercept = rounded(self.fit.intercept);
        let topics = self.by_topic.iter().map(|(topic, shift)| (topic.clone(), rounded(*shift)));
        let topics = topics.collect();
        Calibration { fitted_for, report: BTreeMap::new(), intercept, topics, factors }
    }
}

/// Returns the questions that count in figures, with what was guessed for each row.
fn asked(rows: &[Observed], guesses: &[f64]) -> Vec<Question> {
    let question = |place: usize| {
        let (row, confidence) = (rows.get(place)?, *guesses.get(place)?);
        Some(Question { confidence, right: row.right, kind: row.kind })
    };
    counted(rows).into_iter().filter_map(question).collect()
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

fn features_of(row: &Observed, names: &[&str]) -> Vec<f64> {
    names.iter().map(|name| row.evidence.get(name).unwrap_or(0.0)).collect()
}

fn rows(lessons: &[&Lesson], names: &[&str], target: Target) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut first_group = 0;
    for lesson in lessons {
        let near_miss = near_miss_weight(&lesson.rows);
        let weight = |row: &Observed| if row.kind == Kind::NearMiss { near_miss } else { 1.0 };
        let all: f64 = lesson.rows.iter().map(weight).sum();
        rows.extend(lesson.rows.iter().map(|observed| Row {
            features: features_of(observed, names),
            right: target.is_met(observed.right, observed.kind),
            weight: weight(observed) / all.max(1.0),
            group: first_group + observed.group,
        }));
        first_group += lesson.rows.iter().map(|row| row.group + 1).max().unwrap_or(0);
    }
    rows
}

/// Under which a calibration says that it has not seen [`Parts::proving`].
const PARTED: &str = "cases to learn from";

/// Whether a calibration was fitted to a learning part beside which there is one to prove
/// thresholds with; older ones have seen both.
pub fn leaves_proof(calibration: &Calibration) -> bool {
    calibration.report.contains_key(PARTED)
}

fn report(lessons: &[Lesson], fitted: &Fitted, penalty: f64) -> BTreeMap<String, String> {
    let cases = |lesson: &Lesson| format!("{} ({} drafts)", lesson.name, lesson.rows.len());
    let mut report = BTreeMap::from([
        ("fitted on".to_string(), lessons.iter().map(cases).collect::<Vec<_>>().join(", ")),
        ("cross-validated".to_string(), fitted.cross_validated.to_string()),
        ("method".to_string(), format!("logistic regression, L2 penalty {penalty}")),
    ]);
    report.insert(PARTED.into(), "those to prove thresholds with were left out".into());
    let n_unlabelled: usize = lessons.iter().map(|lesson| lesson.n_unlabelled).sum();
    if n_unlabelled > 0 {
        let text = format!("{n_unlabelled} that expect an answer and name no article");
        report.insert("cases left out".into(), text);
    }
    for (name, unseen) in &fitted.unseen {
        report.insert(format!("unseen cases of {name}"), unseen.to_string());
    }
    for (name, unseen) in &fitted.other_desks {
        report.insert(format!("fitted without {name}, tried on it"), unseen.to_string());
    }
    report
}

/// Keeps a coefficient readable; six digits are far below what the cases can tell.
fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

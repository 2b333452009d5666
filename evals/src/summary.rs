use crate::{
    case::ExpectedAct,
    interval::{Estimate, Resampling, mean, share, statistic},
    measures::{
        Judged, auroc, brier, calibration_error, hit_at, recall_at, reciprocal_rank, rouge_l,
        token_f1,
    },
    record::Record,
};
use serde_json::{Map, Value, json};

/// One measured number.
#[derive(Debug, Clone)]
pub struct Figure {
    /// Its name; scripts read it.
    pub name: &'static str,
    /// What it says, for people.
    pub meaning: &'static str,
    /// Value, 95 % interval and count.
    pub estimate: Estimate,
}

/// All figures of a run; a figure without any case to stand on is left out.
#[derive(Debug, Clone)]
pub struct Summary {
    /// In the order in which people read them.
    pub figures: Vec<Figure>,
    /// Cases by (expected, decided) act.
    pub confusion: Vec<(ExpectedAct, ExpectedAct, usize)>,
    /// Milliseconds of the whole path: median and 95th percentile.
    pub total_ms: Option<(f64, f64)>,
}

/// The acts that cases tell apart, in the order of tables.
const ACTS: [ExpectedAct; 3] = [ExpectedAct::Answer, ExpectedAct::Clarify, ExpectedAct::Handoff];

/// Measures what came of cases.
pub fn summarise(records: &[Record]) -> Summary {
    let figures = [acts(records), retrieval(records), answers(records), confidence(records)];
    let count = |expected, decided| {
        let matches = |t: &&Record| t.expect.act == expected && t.act_class() == Some(decided);
        (expected, decided, records.iter().filter(matches).count())
    };
    let pairs = ACTS.iter().flat_map(|e| ACTS.iter().map(move |d| (*e, *d)));
    Summary {
        figures: figures.into_iter().flatten().collect(),
        confusion: pairs.map(|(e, d)| count(e, d)).collect(),
        total_ms: percentiles(records.iter().map(|t| t.timings_ms.total).collect()),
    }
}

fn figure(name: &'static str, meaning: &'static str, estimate: Option<Estimate>) -> Option<Figure> {
    estimate.map(|estimate| Figure { name, meaning, estimate })
}

/// Estimates the share of records of which `holds` is true.
pub(crate) fn share_of<'a>(
    records: impl Iterator<Item = &'a Record>,
    holds: impl Fn(&Record) -> bool,
) -> Option<Estimate> {
    let flags: Vec<bool> = records.map(holds).collect();
    share(flags.iter().filter(|flag| **flag).count(), flags.len())
}

fn acts(records: &[Record]) -> Vec<Figure> {
    let expected = |act| records.iter().filter(move |t| t.expect.act == act);
    let replies = || records.iter().filter(|t| t.sent);
    let with_team = records
        .iter()
        .filter(|t| t.expect.team.is_some() && t.act_class() == Some(ExpectedAct::Handoff));
    let team_right = |t: &Record| t.team == t.expect.team;
    [
        figure("act_accuracy", "the act is the expected one", share_of(records.iter(), |t| t.is_act_right())),
        figure("coverage", "the bot replies", share_of(records.iter(), |t| t.sent)),
        figure(
            "wrong_replies",
            "of the replies, those that are wrong: no answer was due, or the first source does not hold it",
            share_of(replies().filter(|t| t.is_draft_right().is_some()), |t| t.is_draft_right() == Some(false)),
        ),
        figure(
            "answered",
            "of the questions that can be answered, those that got a reply",
            share_of(expected(ExpectedAct::Answer), |t| t.sent),
        ),
        figure(
            "kept_back",
            "of the questions that cannot be answered, those that got no reply",
            share_of(
                records.iter().filter(|t| t.expect.act != ExpectedAct::Answer),
                |t| !t.sent,
            ),
        ),
        figure("team_accuracy", "of the handoffs with a known team, those that reach it", share_of(with_team, team_right)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Compares the articles found with those that were to be found.
type Ranking<'a> = &'a dyn Fn(&[String], &[String]) -> Option<f64>;

fn retrieval(records: &[Record]) -> Vec<Figure> {
    let of = |measure: Ranking<'_>| {
        let values: Vec<f64> =
            records.iter().filter_map(|t| measure(&t.articles, &t.expect.articles)).collect();
        mean(&values, Resampling::default())
    };
    [
        figure("hit@1", "the first article found holds the answer", of(&|r, g| hit_at(1, r, g))),
        figure("recall@5", "gold articles among the first five", of(&|r, g| recall_at(5, r, g))),
        figure("recall@10", "gold articles among the first ten", of(&|r, g| recall_at(10, r, g))),
        figure("MRR", "one over the place of the first gold article", of(&reciprocal_rank)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn answers(records: &[Record]) -> Vec<Figure> {
    let of = |measure: &dyn Fn(&str, &str) -> Option<f64>| {
        let values: Vec<f64> = records
            .iter()
            .filter(|t| t.expect.act == ExpectedAct::Answer)
            .filter_map(|t| measure(&t.text, t.expect.answer.as_deref()?))
            .collect();
        mean(&values, Resampling::default())
    };
    [
        figure("draft_token_f1", "words shared by draft and reference answer (F1)", of(&token_f1)),
        figure(
            "draft_rouge_l",
            "longest common order of words with the reference (F1)",
            of(&rouge_l),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn confidence(records: &[Record]) -> Vec<Figure> {
    let judged = judged(records);
    let of = |measure: &dyn Fn(&[Judged]) -> Option<f64>| {
        statistic(judged.len(), Resampling::default(), |indices| {
            let drawn: Vec<Judged> =
                indices.iter().filter_map(|i| judged.get(*i).copied()).collect();
            measure(&drawn)
        })
    };
    [
        figure("auroc", "a right draft has more confidence than a wrong one", of(&auroc)),
        figure("brier", "mean squared error of the confidence", of(&brier)),
        figure(
            "ece",
            "mean distance of stated and met confidence",
            of(&|j| calibration_error(j, 10)),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Returns confidence and truth of every draft of which the truth is known.
pub(crate) fn judged(records: &[Record]) -> Vec<Judged> {
    records
        .iter()
        .filter(|record| record.is_drafted())
        .filter_map(|record| {
            Some(Judged { confidence: record.confidence, right: record.is_draft_right()? })
        })
        .collect()
}

fn percentiles(mut values: Vec<f64>) -> Option<(f64, f64)> {
    values.sort_by(f64::total_cmp);
    let at = |part: f64| values.get(((values.len() as f64 - 1.0) * part).round() as usize).copied();
    Some((at(0.5)?, at(0.95)?))
}

impl Summary {
    /// Returns a figure by name.
    pub fn figure(&self, name: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.name == name)
    }

    /// Renders the summary as `summary.json`.
    pub fn to_json(&self, provenance: &[(String, String)]) -> Value {
        let figures: Map<String, Value> = self
            .figures
            .iter()
            .map(|f| {
                let Estimate { value, low, high, n } = f.estimate;
                (f.name.to_string(), json!({"value": value, "low": low, "high": high, "n": n}))
            })
            .collect();
        let confusion: Vec<Value> = self
            .confusion
            .iter()
            .map(|(e, d, n)| json!({"expected": e.name(), "decided": d.name(), "n": n}))
            .collect();
        let provenance: Map<String, Value> =
            provenance.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        let timings = self.total_ms.map(|(median, p95)| json!({"p50": median, "p95": p95}));
        json!({"figures": figures, "confusion": confusion, "total_ms": timings, "provenance": provenance})
    }
}

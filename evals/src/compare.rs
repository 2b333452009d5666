//! What is otherwise with another desk, rule set or folder of articles?
//!
//! [`compare()`] matches two runs case by case. Verdicts are compared by McNemar's exact test
//! ([`mcnemar`]), figures by a paired bootstrap and a paired randomisation test.

#[cfg(test)]
mod tests;
mod written;

pub(crate) use written::{outcome, p_words};

use crate::{
    case::Expect,
    interval::{Difference, Resampling},
    record::Record,
    report::Unit,
    score::{Differing, Paired, SCORES, Score, mcnemar},
    verdict::Verdict,
};
use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
};

/// Two runs over the same cases, side by side.
#[derive(Debug)]
pub struct Comparison<'a> {
    /// Cases of both runs, which ask the same in both.
    pub n_both: usize,
    /// Cases of one run alone: of the first, of the second.
    pub n_alone: (usize, usize),
    /// Ids of both runs that ask something else in each; left out.
    pub n_other_question: usize,
    /// Cases whose label changed between the runs; both sides are judged by the second's.
    pub n_relabelled: usize,
    /// Cases that came out otherwise, the worst change first.
    pub changes: Vec<Change<'a>>,
    /// Probability of so uneven a number of fixed and broken cases by chance; see [`mcnemar`].
    pub verdicts_p: f64,
    /// Figures of both, over the cases of both runs.
    pub scores: Vec<ScoreChange>,
    /// Conversations that each team takes over, first and second, by team.
    pub load: BTreeMap<String, (usize, usize)>,
}

/// A case that came out otherwise.
#[derive(Debug)]
pub struct Change<'a> {
    /// What came of it first, judged by the second's label.
    pub before: Cow<'a, Record>,
    /// What came of it then.
    pub after: &'a Record,
    /// Whether something else is done.
    pub act: bool,
    /// Whether the draft reads otherwise or rests on other articles.
    pub answer: bool,
    /// Whether another team takes over, or none, or one where none did.
    pub team: bool,
    /// Whether that is for the better.
    pub effect: Effect,
}

/// What a change did to the verdict on a case, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// It was right and is not any more.
    Broken,
    /// It was right neither before nor after, or in both, or nobody can tell of one of them.
    Neither,
    /// It is right now, and was not.
    Fixed,
}

impl Effect {
    /// Returns the name that files use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::Neither => "neither",
            Self::Fixed => "fixed",
        }
    }
}

/// A figure of both runs.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreChange {
    /// Its name.
    pub name: String,
    /// How it is written.
    pub unit: Unit,
    /// Whether more of it is better.
    pub is_good: bool,
    /// The first's and the second's, over the cases of both runs.
    pub values: (f64, f64),
    /// Their difference, with interval and p.
    pub difference: Difference,
}

/// The share of chance findings that is put up with.
pub(crate) const ALPHA: f64 = 0.05;

impl ScoreChange {
    /// Whether no case has another value.
    pub fn is_same(&self) -> bool {
        let e = self.difference.estimate;
        e.value == 0.0 && e.low == 0.0 && e.high == 0.0
    }

    /// Whether the difference is beyond chance (p below 0.05).
    pub fn is_significant(&self) -> bool {
        self.difference.p < ALPHA
    }
}

impl Comparison<'_> {
    /// Returns the figures that differ, and the names of those that do not.
    pub(crate) fn by_difference(&self) -> (Vec<&ScoreChange>, Vec<&str>) {
        let (same, other): (Vec<&ScoreChange>, Vec<_>) =
            self.scores.iter().partition(|score| score.is_same());
        (other, same.into_iter().map(|score| score.name.as_str()).collect())
    }

    /// Returns how many changes there are of which `holds` is true.
    pub fn count(&self, holds: impl Fn(&Change<'_>) -> bool) -> usize {
        self.changes.iter().filter(|change| holds(change)).count()
    }
}

impl Change<'_> {
    /// Whether it gets a reply now, and did not.
    pub fn is_gained(&self) -> bool {
        !self.before.sent && self.after.sent
    }

    /// Whether it got a reply, and does not now.
    pub fn is_lost(&self) -> bool {
        self.before.sent && !self.after.sent
    }

    /// Returns the verdicts before and after.
    pub fn verdicts(&self) -> (Verdict, Verdict) {
        (Verdict::of(&self.before), Verdict::of(self.after))
    }
}

/// Compares two runs, matched by the ids of their cases.
pub fn compare<'a>(before: &'a [Record], after: &'a [Record]) -> Comparison<'a> {
    compare_by(before, after, Resampling::default())
}

/// Compares two runs, with intervals and tests by a resampling of one's own.
pub fn compare_by<'a>(
    before: &'a [Record],
    after: &'a [Record],
    resampling: Resampling,
) -> Comparison<'a> {
    let Matched { pairs, n_alone, n_other_question, n_relabelled } = matched(before, after);
    let scores = SCORES.iter().filter_map(|score| {
        let Differing { values, difference } = difference((score, 0.0), &pairs, resampling)?;
        let (name, unit, is_good) = (score.name.to_string(), score.unit, score.is_good);
        Some(ScoreChange { name, unit, is_good, values, difference })
    });
    let scores = scores.collect();
    let load = load(&pairs);
    let n_both = pairs.len();
    let mut changes: Vec<Change<'_>> =
        pairs.into_iter().filter_map(|(before, after)| change(before, after)).collect();
    changes.sort_by_key(|change| (change.effect, change.verdicts().1));
    let count = |effect| changes.iter().filter(|change| change.effect == effect).count();
    let verdicts_p = mcnemar(count(Effect::Fixed), count(Effect::Broken));
    Comparison {
        n_both,
        n_alone,
        n_other_question,
        n_relabelled,
        changes,
        verdicts_p,
        scores,
        load,
    }
}

/// One figure of two runs over the cases that are common to them.
pub(crate) struct PairedChange {
    /// Those of the cases that belong to the group that is asked for.
    pub(crate) n_pairs: usize,
    /// The difference; `None` where too few of them concern the figure.
    pub(crate) change: Option<Difference>,
}

/// Compares one figure of two runs. `belongs` tells whether a case is of the group that is asked
/// for; p is the probability of a difference as far from the margin, were that the true one.
pub(crate) fn paired_change(
    score: (&Score, f64),
    (before, after): (&[Record], &[Record]),
    resampling: Resampling,
    belongs: impl Fn(&Record) -> bool,
) -> PairedChange {
    let mut pairs = matched(before, after).pairs;
    pairs.retain(|(_, after)| belongs(after));
    let change = difference(score, &pairs, resampling).map(|it| it.difference);
    PairedChange { n_pairs: pairs.len(), change }
}

type Pair<'a> = (Cow<'a, Record>, &'a Record);

struct Matched<'a> {
    pairs: Vec<Pair<'a>>,
    n_alone: (usize, usize),
    n_other_question: usize,
    n_relabelled: usize,
}

fn matched<'a>(before: &'a [Record], after: &'a [Record]) -> Matched<'a> {
    let by_id: HashMap<&str, &Record> =
        before.iter().map(|record| (record.id.as_str(), record)).collect();
    let (mut pairs, mut n_other_question, mut n_relabelled) = (Vec::new(), 0, 0);
    let mut n_new = 0;
    for after in after {
        match by_id.get(after.id.as_str()).copied() {
            None => n_new += 1,
            Some(before) if before.question != after.question => n_other_question += 1,
            Some(before) if !is_same_label(&before.expect, &after.expect) => {
                n_relabelled += 1;
                let relabelled = Record { expect: after.expect.clone(), ..before.clone() };
                pairs.push((Cow::Owned(relabelled), after));
            }
            Some(before) => pairs.push((Cow::Borrowed(before), after)),
        }
    }
    let n_gone = by_id.len().saturating_sub(pairs.len() + n_other_question);
    Matched { pairs, n_alone: (n_gone, n_new), n_other_question, n_relabelled }
}

/// Whether two labels say the same of what is measured; routes are not kept with results.
fn is_same_label(a: &Expect, b: &Expect) -> bool {
    let of = |it: &Expect| (it.act, it.team.clone(), it.answer.clone(), it.topic.clone());
    a.articles == b.articles && of(a) == of(b)
}

fn difference(
    (score, margin): (&Score, f64),
    pairs: &[Pair<'_>],
    resampling: Resampling,
) -> Option<Differing> {
    let pairs: Vec<(&Record, &Record)> =
        pairs.iter().map(|(before, after)| (before.as_ref(), *after)).collect();
    score.difference(Paired { pairs: &pairs, resampling }, margin)
}

fn change<'a>(before: Cow<'a, Record>, after: &'a Record) -> Option<Change<'a>> {
    let act = before.act != after.act;
    let answer = before.text != after.text || before.sources != after.sources;
    let team = before.team != after.team;
    let effect = match (Verdict::of(&before), Verdict::of(after)) {
        // What nobody can judge on one side is neither for the better nor for the worse.
        (Verdict::Unjudged, _) | (_, Verdict::Unjudged) => Effect::Neither,
        (Verdict::Right, Verdict::Right) => Effect::Neither,
        (Verdict::Right, _) => Effect::Broken,
        (_, Verdict::Right) => Effect::Fixed,
        _ => Effect::Neither,
    };
    let is_changed = act || answer || team || effect != Effect::Neither;
    is_changed.then_some(Change { before, after, act, answer, team, effect })
}

fn load(pairs: &[Pair<'_>]) -> BTreeMap<String, (usize, usize)> {
    let mut load: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (before, after) in pairs {
        if let Some(team) = &before.team {
            load.entry(team.clone()).or_default().0 += 1;
        }
        if let Some(team) = &after.team {
            load.entry(team.clone()).or_default().1 += 1;
        }
    }
    load
}

//! Every figure of cases, in the order in which people read them.

use super::{Of, Ranking, Score};
use crate::{
    case::ExpectedAct,
    measures::{Judged, auroc, hit_at, ndcg_at, recall_at, reciprocal_rank, rouge_l, token_f1},
    pairs::{Named, kappa, macro_f1, mcc},
    record::Record,
    reference::{kept, support},
    report::Unit,
};
use std::collections::HashSet;

/// Every figure.
pub(crate) const SCORES: [Score; 34] = [
    share("act_accuracy", "the act is the expected one", |r| Some(r.is_act_right())),
    share("coverage", "the bot replies", |r| Some(r.sent)),
    bad(share(
        "wrong_replies",
        "of the replies, those that are wrong: no answer was due, or the first source does not hold it",
        |r| Some(!r.is_draft_right().filter(|_| r.sent)?),
    )),
    share("answered", "of the questions that can be answered, those that got a reply", |r| {
        (r.expect.act == ExpectedAct::Answer).then_some(r.sent)
    }),
    share("kept_back", "of the questions that cannot be answered, those that got no reply", |r| {
        (r.expect.act != ExpectedAct::Answer).then_some(!r.sent)
    }),
    share(
        "escalation_precision",
        "of the cases handed to people, those that people had to have",
        |r| is_handed_off(r).then_some(r.expect.act == ExpectedAct::Handoff),
    ),
    share("escalation_recall", "of the cases that people had to have, those handed to them", |r| {
        (r.expect.act == ExpectedAct::Handoff).then_some(is_handed_off(r))
    }),
    share("team_accuracy", "of the handoffs with a known team, those that reach it", |r| {
        handed_to(r).map(|(due, got)| due == got)
    }),
    names("team_macro_f1", "the same, as F1 averaged over the teams", handed_to, macro_f1),
    names(
        "routing_mcc",
        "Matthews correlation over teams and no team: who takes over, and whether anybody ought to",
        routed,
        mcc,
    ),
    hit("hit@1", "the first article found holds the answer", |r, g| hit_at(1, r, g)),
    hit("hit@3", "one of the first three does", |r, g| hit_at(3, r, g)),
    hit("hit@5", "one of the first five does", |r, g| hit_at(5, r, g)),
    ranking("recall@1", "gold articles that stand first", Unit::Share, |r, g| recall_at(1, r, g)),
    ranking("recall@5", "gold articles among the first five", Unit::Share, |r, g| {
        recall_at(5, r, g)
    }),
    ranking("recall@10", "gold articles among the first ten", Unit::Share, |r, g| {
        recall_at(10, r, g)
    }),
    ranking("MRR", "one over the place of the first gold article", Unit::Score, reciprocal_rank),
    ranking("nDCG@10", "gold articles by place, the first ten", Unit::Score, |r, g| {
        ndcg_at(10, r, g)
    }),
    mean("draft_token_f1", "words shared by draft and reference answer (F1)", Unit::Score, |r| {
        token_f1(&r.text, r.reference()?)
    }),
    mean(
        "draft_rouge_l",
        "longest common order of words with the reference (F1)",
        Unit::Score,
        |r| rouge_l(&r.text, r.reference()?),
    ),
    mean(
        "draft_similarity",
        "nearness in meaning of draft and reference (cosine)",
        Unit::Score,
        |r| r.similarity,
    ),
    mean(
        "draft_kept",
        "of the numbers and names of the reference, those in the draft",
        Unit::Score,
        |r| kept(&r.text, r.reference().filter(|_| r.is_drafted())?),
    ),
    share(
        "agrees_with_reference",
        "of the drafts, those near in meaning to the reference that keep its numbers and names; a guess",
        Record::agrees_with_reference,
    ),
    share(
        "agreement_with_gold",
        "how often that guess and the gold articles say the same of a draft",
        |r| Some(r.is_draft_right()? == r.agrees_with_reference()?),
    ),
    names("agreement_with_gold_kappa", "the same beyond chance (Cohen's kappa)", verdicts, kappa),
    mean(
        "citation_precision",
        "of the articles that a draft cites, those that hold the answer",
        Unit::Share,
        |r| Some(n_cited(r)? as f64 / r.sources.len() as f64),
    ),
    mean(
        "citation_recall",
        "of the articles that hold the answer, those that the draft cites",
        Unit::Share,
        |r| {
            let gold: HashSet<&String> = r.expect.articles.iter().collect();
            Some(n_cited(r)? as f64 / gold.len() as f64)
        },
    ),
    mean("support", "of a draft's sentences, those backed by what they cite", Unit::Share, |r| {
        support(&r.text, &r.citations, "en")
    }),
    confidence("auroc", "a right draft has more confidence than a wrong one", judge),
    bad(mean("brier", "mean squared error of the confidence", Unit::Score, |r| {
        judge(r).map(|it| (it.confidence - f64::from(u8::from(it.right))).powi(2))
    })),
    bad(Score {
        of: Of::CalibrationError(judge),
        ..confidence("ece", "mean distance of stated and met confidence", judge)
    }),
    confidence(
        "auroc_answerable",
        "a question that can be answered has more confidence than another",
        |r| answerable(r, &[ExpectedAct::Handoff, ExpectedAct::Clarify]),
    ),
    confidence("auroc_unanswerable", "the same, against those for people alone", |r| {
        answerable(r, &[ExpectedAct::Handoff])
    }),
    confidence("auroc_underspecified", "the same, against those to be asked back", |r| {
        answerable(r, &[ExpectedAct::Clarify])
    }),
];

/// The names of all figures.
pub(crate) const FIGURES: [&str; SCORES.len()] = {
    let mut names = [""; SCORES.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = SCORES[at].name;
        at += 1;
    }
    names
};

type Meant = (&'static str, &'static str);

const fn score((name, meaning): Meant, unit: Unit, of: Of) -> Score {
    Score { name, meaning, unit, is_good: true, of }
}

const fn share(
    name: &'static str,
    meaning: &'static str,
    of: fn(&Record) -> Option<bool>,
) -> Score {
    score((name, meaning), Unit::Share, Of::Share(of))
}

const fn mean(
    name: &'static str,
    meaning: &'static str,
    unit: Unit,
    of: fn(&Record) -> Option<f64>,
) -> Score {
    score((name, meaning), unit, Of::Mean(of))
}

const fn hit(name: &'static str, meaning: &'static str, of: Ranking) -> Score {
    score((name, meaning), Unit::Share, Of::Hit(of))
}

const fn ranking(name: &'static str, meaning: &'static str, unit: Unit, of: Ranking) -> Score {
    score((name, meaning), unit, Of::Ranking(of))
}

const fn names(
    name: &'static str,
    meaning: &'static str,
    row: for<'a> fn(&'a Record) -> Option<Named<'a>>,
    of: fn(&crate::pairs::Counts) -> Option<f64>,
) -> Score {
    score((name, meaning), Unit::Score, Of::Names(row, of))
}

const fn confidence(
    name: &'static str,
    meaning: &'static str,
    row: fn(&Record) -> Option<Judged>,
) -> Score {
    score((name, meaning), Unit::Score, Of::Confidence(row, auroc))
}

/// Marks a figure of which less is better.
const fn bad(score: Score) -> Score {
    let Score { name, meaning, unit, of, .. } = score;
    Score { name, meaning, unit, is_good: false, of }
}

/// Whether people took over, or got a draft or an offer of it.
fn is_handed_off(record: &Record) -> bool {
    record.act_class() == Some(ExpectedAct::Handoff)
}

/// Returns confidence and truth of every draft of which the truth is known.
pub(crate) fn judged(records: &[Record]) -> Vec<Judged> {
    records.iter().filter_map(judge).collect()
}

fn judge(record: &Record) -> Option<Judged> {
    let right = record.is_draft_right().filter(|_| record.is_drafted())?;
    Some(Judged { confidence: record.confidence, right })
}

/// How well the confidence tells questions that can be answered from others, whatever the draft.
fn answerable(record: &Record, others: &[ExpectedAct]) -> Option<Judged> {
    let act = record.expect.act;
    let counts = act == ExpectedAct::Answer || others.contains(&act);
    let right = act == ExpectedAct::Answer;
    (record.expect.judged && counts).then_some(Judged { confidence: record.confidence, right })
}

/// Returns the team that was due and the one that got it, of handoffs with a known team.
pub(crate) fn handed_to(record: &Record) -> Option<Named<'_>> {
    let due = record.expect.team.as_deref().filter(|_| is_handed_off(record))?;
    Some((Some(due), record.team.as_deref()))
}

/// Returns the same of every case of which it is known who was to have it. Whoever was to answer is
/// no team's, and neither is what was not handed over; of an answer that nobody judged, nobody knows
/// whether people had to have it.
fn routed(record: &Record) -> Option<Named<'_>> {
    let is_handoff = record.expect.act == ExpectedAct::Handoff;
    let due = record.expect.team.as_deref().filter(|_| is_handoff);
    let is_known = match is_handoff {
        true => due.is_some(),
        false => !record.expect.is_unlabelled() || record.expect.judged,
    };
    is_known.then(|| (due, record.team.as_deref().filter(|_| is_handed_off(record))))
}

/// Returns what gold articles and a person's answer say of a draft.
fn verdicts(record: &Record) -> Option<Named<'_>> {
    let name = |holds: bool| holds.then_some("right");
    Some((name(record.is_draft_right()?), name(record.agrees_with_reference()?)))
}

/// Returns how many sources of a draft hold the answer; `None` where that cannot be told.
fn n_cited(record: &Record) -> Option<usize> {
    let gold = &record.expect.articles;
    let is_known = record.expect.act == ExpectedAct::Answer && !gold.is_empty();
    (is_known && record.is_drafted())
        .then(|| record.sources.iter().filter(|source| gold.contains(source)).count())
}

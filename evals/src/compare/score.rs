use crate::{
    case::ExpectedAct,
    measures::{hit_at, ndcg_at, recall_at, reciprocal_rank, rouge_l, token_f1},
    record::Record,
    report::Unit,
    summary::routing::is_handed_off,
};

/// A figure that is the mean of one number for each case that it concerns, so that two runs can be
/// compared case by case.
#[derive(Debug)]
pub(crate) struct Score {
    /// The name of the figure.
    pub(crate) name: &'static str,
    pub(crate) unit: Unit,
    /// Whether more of it is better.
    pub(crate) is_good: bool,
    /// The number of a case; `None` where the figure does not concern it.
    pub(crate) of: fn(&Record) -> Option<f64>,
}

/// Every figure that is a mean over cases, under the name and by the definition of the summary.
pub(crate) const SCORES: [Score; 19] = [
    share("act_accuracy", true, |r| yes(r.is_act_right())),
    share("coverage", true, |r| yes(r.sent)),
    share("wrong_replies", false, |r| yes(!r.is_draft_right().filter(|_| r.sent)?)),
    share("answered", true, |r| yes_if(r.expect.act == ExpectedAct::Answer, r.sent)),
    share("kept_back", true, |r| yes_if(r.expect.act != ExpectedAct::Answer, !r.sent)),
    share("escalation_precision", true, |r| {
        yes_if(is_handed_off(r), r.expect.act == ExpectedAct::Handoff)
    }),
    share("escalation_recall", true, |r| {
        yes_if(r.expect.act == ExpectedAct::Handoff, is_handed_off(r))
    }),
    share("team_accuracy", true, |r| {
        yes_if(is_handed_off(r) && r.expect.team.is_some(), r.team == r.expect.team)
    }),
    share("hit@1", true, |r| hit_at(1, &r.articles, &r.expect.articles)),
    share("hit@3", true, |r| hit_at(3, &r.articles, &r.expect.articles)),
    share("hit@5", true, |r| hit_at(5, &r.articles, &r.expect.articles)),
    share("recall@1", true, |r| recall_at(1, &r.articles, &r.expect.articles)),
    share("recall@5", true, |r| recall_at(5, &r.articles, &r.expect.articles)),
    share("recall@10", true, |r| recall_at(10, &r.articles, &r.expect.articles)),
    score("MRR", true, |r| reciprocal_rank(&r.articles, &r.expect.articles)),
    score("nDCG@10", true, |r| ndcg_at(10, &r.articles, &r.expect.articles)),
    score("draft_token_f1", true, |r| token_f1(answerable(r)?, r.expect.answer.as_deref()?)),
    score("draft_rouge_l", true, |r| rouge_l(answerable(r)?, r.expect.answer.as_deref()?)),
    score("brier", false, |r| {
        let right = f64::from(u8::from(r.is_draft_right().filter(|_| r.is_drafted())?));
        Some((r.confidence - right).powi(2))
    }),
];

const fn share(name: &'static str, is_good: bool, of: fn(&Record) -> Option<f64>) -> Score {
    Score { name, unit: Unit::Share, is_good, of }
}

const fn score(name: &'static str, is_good: bool, of: fn(&Record) -> Option<f64>) -> Score {
    Score { name, unit: Unit::Score, is_good, of }
}

fn yes(holds: bool) -> Option<f64> {
    Some(f64::from(u8::from(holds)))
}

fn yes_if(is_concerned: bool, holds: bool) -> Option<f64> {
    yes(holds).filter(|_| is_concerned)
}

fn answerable(record: &Record) -> Option<&str> {
    (record.expect.act == ExpectedAct::Answer).then_some(record.text.as_str())
}

use crate::{
    case::ExpectedAct,
    figure::{Figure, figure, share_of},
    record::Record,
    report::Unit::Share,
    summary::routing::is_handed_off,
};

/// Measures what was done: replies, handoffs, and whether they were due.
pub(super) fn measure(records: &[&Record]) -> Vec<Figure> {
    let all = || records.iter().copied();
    let expected = |act| all().filter(move |r| r.expect.act == act);
    let judged = || all().filter(|r| r.sent && r.is_draft_right().is_some());
    let figures = [
        ("act_accuracy", "the act is the expected one", share_of(all(), Record::is_act_right)),
        ("coverage", "the bot replies", share_of(all(), |r| r.sent)),
        (
            "wrong_replies",
            "of the replies, those that are wrong: no answer was due, or the first source does not hold it",
            share_of(judged(), |r| r.is_draft_right() == Some(false)),
        ),
        (
            "answered",
            "of the questions that can be answered, those that got a reply",
            share_of(expected(ExpectedAct::Answer), |r| r.sent),
        ),
        (
            "kept_back",
            "of the questions that cannot be answered, those that got no reply",
            share_of(all().filter(|r| r.expect.act != ExpectedAct::Answer), |r| !r.sent),
        ),
        (
            "escalation_precision",
            "of the cases handed to people, those that people had to have",
            share_of(all().filter(|r| is_handed_off(r)), |r| r.expect.act == ExpectedAct::Handoff),
        ),
        (
            "escalation_recall",
            "of the cases that people had to have, those handed to them",
            share_of(expected(ExpectedAct::Handoff), is_handed_off),
        ),
    ];
    let made = figures.into_iter().filter_map(|(name, meaning, e)| figure(name, meaning, Share, e));
    made.collect()
}

use super::*;
use crate::{
    case::ExpectedAct,
    sample::{missed, passed_on, replied, wrong},
    summary::summarise,
};

fn mixed() -> Vec<Record> {
    let ids = |name: &str| (0..6).map(|i| format!("{name}-{i}")).collect::<Vec<_>>();
    let mut records: Vec<Record> = ids("right").iter().map(|id| replied(id)).collect();
    records.extend(ids("wrong").iter().map(|id| wrong(id)));
    records.extend(ids("missed").iter().map(|id| missed(id)));
    records.extend(ids("astray").iter().map(|id| passed_on(id, "billing", "support")));
    records.extend(ids("passed").iter().map(|id| passed_on(id, "billing", "billing")));
    records
}

#[test]
fn the_scores_are_the_figures_of_the_summary() {
    let records = mixed();
    let summary = summarise(&records);
    let found = compare(&records, &records);
    assert!(found.scores.len() > 20, "{}", found.scores.len());
    for score in &found.scores {
        let figure = summary.figure(&score.name).unwrap();
        let (value, n) = (figure.estimate.value, figure.estimate.n);
        assert!((score.values.0 - value).abs() < 1e-12, "{}", score.name);
        assert!((score.values.1 - value).abs() < 1e-12, "{}", score.name);
        assert_eq!((score.difference.estimate.n, score.unit), (n, figure.unit), "{}", score.name);
    }
}

#[test]
fn figures_of_all_cases_together_are_compared_too() {
    // Confidence is worth nothing before, and tells right from wrong after; teams are found.
    let case = |i: usize, is_after: bool| {
        let id = format!("{i}");
        let (is_right, is_sure) = (
            !i.is_multiple_of(3),
            if is_after { !i.is_multiple_of(3) } else { !i.is_multiple_of(2) },
        );
        let record = if is_right { replied(&id) } else { wrong(&id) };
        Record { confidence: if is_sure { 0.9 } else { 0.2 }, ..record }
    };
    let teams = |is_after: bool| {
        let to =
            move |i: usize| if is_after || i.is_multiple_of(4) { "billing" } else { "support" };
        (0..40).map(move |i| passed_on(&format!("team-{i}"), "billing", to(i)))
    };
    let run = |is_after: bool| -> Vec<Record> {
        (0..120).map(|i| case(i, is_after)).chain(teams(is_after)).collect()
    };
    let (before, after) = (run(false), run(true));
    let found = compare(&before, &after);
    let of = |name: &str| found.scores.iter().find(|score| score.name == name).unwrap();
    for name in ["auroc", "team_macro_f1", "routing_mcc"] {
        let score = of(name);
        assert!(score.is_significant() && score.difference.estimate.low > 0.0, "{score:?}");
    }
    let ece = of("ece");
    assert!(ece.is_significant() && ece.difference.estimate.high < 0.0 && !ece.is_good, "{ece:?}");
    let same = compare(&before, &before);
    assert!(same.scores.iter().all(|score| score.is_same()), "{:?}", same.scores);
}

#[test]
fn what_nobody_can_judge_is_neither_fixed_nor_broken() {
    let unlabelled = |id: &str| {
        let mut record = replied(id);
        (record.expect.articles, record.expect.judged) = (Vec::new(), false);
        record.expect.act = ExpectedAct::Handoff;
        record
    };
    let silent = |id: &str| Record { sent: false, act: "handoff".into(), ..unlabelled(id) };
    let (replies, silence): (Vec<Record>, Vec<Record>) =
        (0..12).map(|i| (unlabelled(&format!("{i}")), silent(&format!("{i}")))).unzip();
    for (before, after) in [(&replies, &silence), (&silence, &replies)] {
        let found = compare(before, after);
        assert_eq!(found.changes.len(), 12);
        assert!(found.changes.iter().all(|change| change.effect == Effect::Neither));
        assert!((found.verdicts_p - 1.0).abs() < 1e-12);
    }
}

#[test]
fn the_same_run_twice_has_no_changes() {
    let records = mixed();
    let found = compare(&records, &records);
    assert_eq!((found.n_both, found.changes.len(), found.n_alone), (30, 0, (0, 0)));
    assert!((found.verdicts_p - 1.0).abs() < 1e-12);
    assert!(found.scores.iter().all(|it| it.difference.estimate.value == 0.0));
    assert!(found.scores.iter().all(|score| !score.is_significant()));
    assert_eq!(found.load["support"], (12, 12));
}

#[test]
fn what_changed_is_told_by_act_answer_and_team() {
    let before = mixed();
    let mut after = before.clone();
    let change = |after: &mut Vec<Record>, id: &str, record: Record| {
        *after.iter_mut().find(|it| it.id == id).unwrap() = record;
    };
    // A reply is lost, a wrong one goes to people, a team is put right, a draft reads otherwise.
    change(&mut after, "right-0", missed("right-0"));
    change(&mut after, "wrong-0", passed_on("wrong-0", "billing", "billing"));
    change(&mut after, "astray-0", passed_on("astray-0", "billing", "billing"));
    let other_words = Record { text: "14 days.".into(), ..replied("right-1") };
    change(&mut after, "right-1", other_words);
    change(&mut after, "missed-0", replied("missed-0"));
    let found = compare(&before, &after);
    let of = |id: &str| found.changes.iter().find(|change| change.after.id == id).unwrap();
    let told = |id: &str| (of(id).act, of(id).answer, of(id).team, of(id).effect);
    assert_eq!(told("right-0"), (true, false, true, Effect::Broken));
    assert_eq!(told("wrong-0"), (true, false, true, Effect::Fixed));
    assert_eq!(told("astray-0"), (false, false, true, Effect::Fixed));
    assert_eq!(told("right-1"), (false, true, false, Effect::Neither));
    assert_eq!(told("missed-0"), (true, false, true, Effect::Fixed));
    assert_eq!(found.changes[0].effect, Effect::Broken, "the worst change comes first");
    let counts: Vec<usize> = found.counts().iter().map(|(_, n)| *n).collect();
    assert_eq!(counts, [5, 3, 1, 4, 1, 2, 3, 1]);
    assert!((found.verdicts_p - mcnemar(3, 1)).abs() < 1e-12);
    assert_eq!((found.load["support"], found.load["billing"]), ((12, 11), (6, 8)));
    let text = found.to_text();
    assert!(text.contains("cases fixed: 3, broken: 1, which may be chance"), "{text}");
    assert!(text.contains("broken   right-0: reply → handoff to support"), "{text}");
    assert_eq!(found.to_json()["changed"]["gained"], 1);
}

#[test]
fn only_what_asks_the_same_is_compared_and_by_the_same_label() {
    let before = vec![replied("a"), replied("b"), replied("c"), replied("gone")];
    let mut after = vec![replied("a"), replied("b"), replied("c"), replied("new")];
    after[1].question = "something else".into();
    after[2] = wrong("c");
    let found = compare(&before, &after);
    assert_eq!((found.n_both, found.n_alone), (2, (1, 1)));
    assert_eq!((found.n_other_question, found.n_relabelled), (1, 1));
    assert!(found.changes.is_empty(), "a new label is no change of the desk: {:?}", found.changes);
}

use super::*;
use crate::{
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
    for score in &SCORES {
        let values: Vec<f64> = records.iter().filter_map(score.of).collect();
        let Some(figure) = summary.figure(score.name) else {
            assert!(values.is_empty(), "{} is no figure of the summary", score.name);
            continue;
        };
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        assert!((mean - figure.estimate.value).abs() < 1e-12, "{}", score.name);
        assert_eq!(values.len(), figure.estimate.n, "{}", score.name);
        assert_eq!(score.unit, figure.unit, "{}", score.name);
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

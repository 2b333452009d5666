use super::*;
use crate::{
    sample::{passed_on, replied, wrong},
    summary::summarise,
};

fn records(n_right: usize, n_wrong: usize) -> Vec<Record> {
    let right = (0..n_right).map(|i| replied(&format!("right-{i}")));
    right.chain((0..n_wrong).map(|i| wrong(&format!("wrong-{i}")))).collect()
}

fn judge(gate: &str, records: &[Record], strict: bool) -> Judgement {
    let summary = summarise(records);
    let on = Judging {
        summary: &summary,
        records,
        baseline: None,
        strict,
        resampling: Resampling::default(),
    };
    gate.parse::<Gate>().unwrap().judge(&on).unwrap()
}

#[test]
fn a_gate_is_read_and_written() {
    let check = |text: &str, expected: &str| {
        assert_eq!(text.parse::<Gate>().map(|gate| gate.to_string()), Ok(expected.into()));
    };
    check("hit@5 < 0.8", "hit@5 < 0.8");
    check("hit@5<80%", "hit@5 < 0.8");
    check(" wrong_replies >= 5 % ", "wrong_replies >= 0.05");
    check("team_accuracy{billing} <= .9", "team_accuracy{billing} <= 0.9");
    check("team_accuracy { the team } > 1", "team_accuracy{the team} > 1");
    check("act_accuracy < baseline", "act_accuracy < baseline");
    check("act_accuracy < baseline-0.02", "act_accuracy < baseline - 0.02");
    check("wrong_replies > baseline + 1 %", "wrong_replies > baseline + 0.01");
    for wrong in [
        "",
        "hit@5",
        "hit@5 = 1",
        "< 0.5",
        "hit@5 < ",
        "hit@5 < NaN",
        "hit@5 < inf",
        "a{b < 1",
        "a} < 1",
        "a{} < 1",
        "two words < 1",
        "hit@5 < baseline * 2",
        "hit@5 < baseline - -1",
        "hit@5 << 1",
    ] {
        assert_eq!(wrong.parse::<Gate>(), Err(GateError::Syntax(wrong.into())));
    }
}

#[test]
fn a_gate_fails_only_beyond_chance_unless_it_is_strict() {
    // 16 of 20: Wilson says .584 to .919.
    let few = records(16, 4);
    let check = |gate: &str, strict: bool, has_failed: bool, words: &str| {
        let judged = judge(gate, &few, strict);
        assert_eq!(judged.has_failed, has_failed, "{gate}: {}", judged.line);
        assert!(judged.line.contains(words), "{}", judged.line);
    };
    check("act_accuracy < 0.9", false, false, "but may be so by chance");
    check("act_accuracy < 0.9", true, true, "fails: act_accuracy is 0.800 [0.584, 0.919], n 20");
    check("act_accuracy < 0.95", false, true, "and so is its whole interval");
    check("act_accuracy < 0.8", true, false, "passes");
    check("act_accuracy <= 0.8", true, true, "");
    check("wrong_replies > 0", false, true, "");
    check("wrong_replies > 10 %", false, false, "by chance");
    check("wrong_replies{billing} > 1 %", false, true, "wrong_replies{billing}");
    check("wrong_replies{tag:billing} > 1 %", false, true, "");
    check("p95{total} > 1", false, true, "p95{total} is 4.000");
    // The same share of ten times as many cases is no chance.
    assert!(judge("act_accuracy < 0.9", &records(160, 40), false).has_failed);
}

#[test]
fn a_figure_without_a_case_fails_nothing() {
    let handed: Vec<Record> = (0..9).map(|i| passed_on(&format!("{i}"), "a", "a")).collect();
    for strict in [false, true] {
        let judged = judge("wrong_replies > 0", &handed, strict);
        assert!(!judged.has_failed && judged.line.contains("too few cases"), "{}", judged.line);
        assert!(judged.is_idle && judged.line.starts_with("judges nothing"), "{}", judged.line);
    }
}

#[test]
fn what_cannot_be_judged_is_an_error_that_names_what_can() {
    let mut records = records(10, 10);
    records.iter_mut().zip(0..).for_each(|(record, i)| record.confidence = f64::from(i) / 20.0);
    let summary = summarise(&records);
    let on = Judging {
        summary: &summary,
        records: &records,
        baseline: None,
        strict: false,
        resampling: Resampling::default(),
    };
    let check = |gate: &str, baseline: Option<&[Record]>, words: &str| {
        let failure = gate.parse::<Gate>().unwrap().judge(&Judging { baseline, ..on }).unwrap_err();
        assert!(failure.to_string().contains(words), "{failure}");
    };
    check("hit@7 < 1", None, "no figure \"hit@7\"; known: act_accuracy, coverage");
    check("coverage{nobody} < 1", None, "{tag:billing}");
    check("coverage < baseline", None, "--baseline");
    check("p95{total} < baseline", Some(&records), "those that can: act_accuracy");
}

#[test]
fn against_a_baseline_the_paired_test_decides() {
    let before = records(40, 0);
    let judge = |gate: &str, n_worse: usize, strict: bool| {
        let mut after = before.clone();
        for record in after.iter_mut().take(n_worse) {
            record.act = "handoff".into();
            record.sent = false;
        }
        let summary = summarise(&after);
        let baseline = Some(before.as_slice());
        let on = Judging {
            summary: &summary,
            records: &after,
            baseline,
            strict,
            resampling: Resampling::default(),
        };
        gate.parse::<Gate>().unwrap().judge(&on).unwrap()
    };
    let check = |gate: &str, n_worse: usize, strict: bool, has_failed: bool| {
        let judged = judge(gate, n_worse, strict);
        assert_eq!(judged.has_failed, has_failed, "{}", judged.line);
    };
    check("act_accuracy < baseline", 0, true, false);
    check("act_accuracy < baseline", 2, false, false);
    check("act_accuracy < baseline", 2, true, true);
    check("act_accuracy < baseline", 12, false, true);
    check("act_accuracy{billing} < baseline", 12, false, true);
    check("act_accuracy < baseline - 0.5", 12, true, false);
    let line = judge("act_accuracy < baseline", 2, false).line;
    assert!(
        line.contains("differs from the baseline by -0.050") && line.contains("p 0."),
        "{line}"
    );
}

#[test]
fn a_gate_at_the_truth_fails_at_most_one_run_in_forty() {
    // Of 60 cases each right with probability .8, the 97.5 % end of the interval is below .8 seldom.
    use rand_chacha::{
        ChaCha8Rng,
        rand_core::{RngCore, SeedableRng},
    };
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let gate: Gate = "act_accuracy < 0.8".parse().unwrap();
    let mut n_failed = 0;
    for _ in 0..1_000 {
        let n_right = (0..60).filter(|_| random.next_u32() % 10 < 8).count();
        let found = crate::interval::share(n_right, 60).unwrap();
        n_failed += usize::from(gate.judge_value(&found, 0.8, false).has_failed);
    }
    assert!(n_failed <= 40, "{n_failed} of 1000");
}

#[test]
fn a_group_is_of_one_kind_and_a_file_is_one() {
    let mut records = records(10, 0);
    for (number, record) in records.iter_mut().enumerate() {
        record.tags = vec![if number < 3 { "few" } else { "billing" }.into()];
        record.source = if number < 5 { "a.jsonl" } else { "b.jsonl" }.into();
        record.expect.topic = Some("billing".into());
        record.sent = number > 0;
    }
    let check = |gate: &str, n: usize| {
        let line = judge(gate, &records, false).line;
        assert!(line.contains(&format!("n {n};")), "{line}");
    };
    check("coverage{tag:billing} < 1", 7);
    check("coverage{billing} < 1", 7);
    check("coverage{topic:billing} < 1", 10);
    check("coverage{source:a.jsonl} < 1", 5);
    check("coverage{few} < 1", 3);
    // The same in the one file of a run.
    records.iter_mut().for_each(|record| record.source = "a.jsonl".into());
    assert!(judge("coverage{source:a.jsonl} < 1", &records, true).has_failed);
    assert!(judge("coverage{few} < 0.7", &records, true).has_failed);
}

#[test]
fn a_file_is_compared_with_its_baseline() {
    let before: Vec<Record> = records(40, 0)
        .into_iter()
        .enumerate()
        .map(|(number, record)| {
            let source = if number < 20 { "a.jsonl" } else { "b.jsonl" }.to_string();
            Record { source, ..record }
        })
        .collect();
    let mut after = before.clone();
    after.iter_mut().take(20).for_each(|record| record.articles.clear());
    let judge = |gate: &str, baseline: &[Record]| {
        let summary = summarise(&after);
        let baseline = Some(baseline);
        let on = Judging {
            summary: &summary,
            records: &after,
            baseline,
            strict: false,
            resampling: Resampling::default(),
        };
        gate.parse::<Gate>().unwrap().judge(&on)
    };
    assert!(judge("hit@5{source:a.jsonl} < baseline", &before).unwrap().has_failed);
    assert!(!judge("hit@5{source:b.jsonl} < baseline", &before).unwrap().has_failed);
    let others: Vec<Record> = (0..40).map(|i| replied(&format!("other-{i}"))).collect();
    let gate = "hit@5{source:a.jsonl} < baseline";
    assert_eq!(judge(gate, &others), Err(GateError::NothingInCommon(gate.into())));
    assert_eq!(
        judge("hit@5 < baseline", &others),
        Err(GateError::NothingInCommon("hit@5 < baseline".into()))
    );
}

#[test]
fn a_figure_that_stands_on_nothing_is_no_mistake_of_the_gate() {
    let right = records(20, 0);
    for gate in ["auroc < 0.7", "routing_mcc < 0.5", "draft_similarity < 0.5", "ece > 0.9"] {
        assert!(!judge(gate, &right, true).has_failed, "{gate}");
    }
    let handed: Vec<Record> = (0..9).map(|i| passed_on(&format!("{i}"), "a", "a")).collect();
    let judged = judge("wrong_replies{billing} > 5 %", &handed, false);
    assert!(!judged.has_failed && judged.line.contains("too few cases"), "{}", judged.line);
}

#[test]
fn a_gain_that_is_asked_for_has_to_be_there() {
    let same = records(40, 5);
    let summary = summarise(&same);
    let on = Judging {
        summary: &summary,
        records: &same,
        baseline: Some(&same),
        strict: false,
        resampling: Resampling::default(),
    };
    let judge = |gate: &str| gate.parse::<Gate>().unwrap().judge(&on).unwrap();
    let judged = judge("act_accuracy < baseline + 0.02");
    assert!(judged.has_failed, "{}", judged.line);
    assert!(judged.line.contains("differs from the baseline by +0.000"), "{}", judged.line);
    assert!(!judge("act_accuracy < baseline - 0.02").has_failed);
    assert!(!judge("act_accuracy < baseline").has_failed);
}

#[test]
fn a_paired_gate_between_equals_fails_at_most_one_run_in_twenty() {
    // Two runs that are each right on 60 cases with probability .8.
    use rand_chacha::{
        ChaCha8Rng,
        rand_core::{RngCore, SeedableRng},
    };
    let mut random = ChaCha8Rng::seed_from_u64(12);
    let mut run = || -> Vec<Record> {
        let all = records(60, 0).into_iter();
        all.map(|record| match random.next_u32() % 10 < 8 {
            true => record,
            false => Record { act: "handoff".into(), sent: false, ..record },
        })
        .collect()
    };
    let summary = summarise(&run());
    let mut n_failed = [0, 0];
    for _ in 0..150 {
        let (before, after) = (run(), run());
        let baseline = Some(before.as_slice());
        let on = Judging {
            summary: &summary,
            records: &after,
            baseline,
            strict: false,
            resampling: Resampling::default(),
        };
        for (gate, n_failed) in
            ["act_accuracy < baseline", "act_accuracy > baseline"].into_iter().zip(&mut n_failed)
        {
            let gate: Gate = gate.parse().unwrap();
            *n_failed += usize::from(gate.judge(&on).unwrap().has_failed);
        }
    }
    eprintln!("{n_failed:?} of 150 runs fail");
    assert!(n_failed.iter().all(|n| *n <= 7), "{n_failed:?} of 150");
}

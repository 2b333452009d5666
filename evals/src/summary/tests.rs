use super::*;
use crate::{interval::Estimate, score::FIGURES};
use serde_json::Value;

/// Makes a record of: expected act and team, what was done and which team got it.
fn record(expected: (&str, Option<&str>), done: (&str, Option<&str>), more: &Value) -> Record {
    let mut line = json!({
        "id": "x", "act": done.0, "confidence": 0.5, "articles": [], "text": "", "sources": [],
        "team": done.1, "topic": null, "timings_ms": {"search": 1.0, "draft": 2.0, "total": 4.0},
        "sent": done.0 == "reply", "question": "?", "tags": ["a tag"], "citations": [],
        "expect": {"act": expected.0, "articles": [], "answer": null, "topic": null, "team": expected.1},
        "reasons": [], "evidence": {}, "trace": null,
    });
    for (name, value) in more.as_object().unwrap() {
        line[name] = value.clone();
    }
    serde_json::from_value(line).unwrap()
}

fn near(summary: &Summary, name: &str, expected: f64) {
    let found = summary.figure(name).unwrap_or_else(|| panic!("no {name}")).estimate.value;
    assert!((found - expected).abs() < 1e-9, "{name}: {found}, not {expected}");
}

#[test]
fn handoffs_and_teams_agree_with_hand_counts() {
    let nothing = json!({});
    let records: Vec<Record> = [
        (("handoff", Some("billing")), ("handoff", Some("billing"))),
        (("handoff", Some("billing")), ("handoff", Some("support"))),
        (("handoff", Some("support")), ("draft", Some("support"))),
        (("handoff", Some("support")), ("reply", None)),
        (("answer", None), ("offer", Some("support"))),
        (("answer", None), ("reply", None)),
    ]
    .into_iter()
    .map(|(expected, done)| record(expected, done, &nothing))
    .collect();
    let summary = summarise(&records);
    near(&summary, "escalation_precision", 3.0 / 4.0);
    near(&summary, "escalation_recall", 3.0 / 4.0);
    near(&summary, "team_accuracy", 2.0 / 3.0);
    // Of both teams 2 · 1 / 3.
    near(&summary, "team_macro_f1", 2.0 / 3.0);
    // 6 cases, 3 right; due: billing 2, support 2, none 2; got: billing 1, support 3, none 2.
    let spread: f64 = (36.0_f64 - 12.0) * (36.0 - 14.0);
    near(&summary, "routing_mcc", (3.0 * 6.0 - (2.0 + 6.0 + 4.0)) / spread.sqrt());
    let acts: Vec<(&str, usize)> =
        summary.acts.iter().map(|(_, act, n)| (act.as_str(), *n)).collect();
    assert_eq!(acts, [("offer", 1), ("reply", 1), ("draft", 1), ("handoff", 2), ("reply", 1)]);
    let rows: Vec<(By, &str)> = summary.groups.iter().map(|g| (g.by, g.name.as_str())).collect();
    let expected = [
        (By::Tag, "a tag"),
        (By::Team, "billing"),
        (By::Team, "support"),
        (By::Stage, "search"),
        (By::Stage, "draft"),
        (By::Stage, "total"),
    ];
    assert_eq!(rows, expected);
}

#[test]
fn a_draft_is_held_against_its_sources_and_against_a_persons_answer() {
    let cited =
        json!([{"article": "a", "quote": "Refunds take 5 days."}, {"article": "b", "quote": "x"}]);
    let draft = |sources: Value, similarity: f64| {
        let more = json!({
            "text": "Refunds take 5 days.", "sources": sources, "citations": cited,
            "similarity": similarity,
            "expect": {"act": "answer", "articles": ["a", "c"], "answer": "Within 5 days.",
                "topic": null, "team": null},
        });
        record(("answer", None), ("reply", None), &more)
    };
    let records =
        [draft(json!(["a", "b"]), 0.95), draft(json!(["b"]), 0.9), draft(json!(["a"]), 0.1)];
    let summary = summarise(&records);
    near(&summary, "citation_precision", (0.5 + 0.0 + 1.0) / 3.0);
    near(&summary, "citation_recall", (0.5 + 0.0 + 0.5) / 3.0);
    near(&summary, "support", 1.0);
    near(&summary, "draft_kept", 1.0);
    near(&summary, "agrees_with_reference", 2.0 / 3.0);
    // Right by gold: yes, no, yes; by the reference: yes, yes, no.
    near(&summary, "agreement_with_gold", 1.0 / 3.0);
    assert!(records[0].is_draft_right().is_some());
    let unknown = record(("answer", None), ("reply", None), &json!({"similarity": 0.9}));
    assert_eq!(unknown.is_draft_right(), None, "a person's answer alone makes no verdict");
}

#[test]
fn every_figure_is_known_by_its_name_and_holds_its_own_value() {
    let more = json!({
        "articles": ["a"], "sources": ["a"], "text": "Within 14 days.", "similarity": 0.9,
        "citations": [{"article": "a", "quote": "Within 14 days."}],
    });
    let answered = |right: bool, confidence: f64| {
        let mut record = record(("answer", None), ("reply", None), &more);
        record.expect.articles = vec![if right { "a" } else { "b" }.to_string()];
        record.expect.answer = Some("Within 14 days.".into());
        record.confidence = confidence;
        record
    };
    let mut records: Vec<Record> =
        (0..30).map(|i| answered(i % 3 > 0, 0.5 + f64::from(i) / 100.0)).collect();
    for (due, got) in [("billing", "billing"), ("support", "billing")] {
        let handed = record(("handoff", Some(due)), ("handoff", Some(got)), &json!({}));
        records.extend(vec![handed; 10]);
        records.extend(vec![record(("clarify", None), ("clarify", None), &json!({})); 5]);
    }
    let summary = summarise(&records);
    let names: Vec<&str> = summary.figures.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, FIGURES);
    for group in &summary.groups {
        let known: &[&str] = match group.by {
            By::Team => &TEAM_FIGURES,
            By::Stage => &STAGE_FIGURES,
            _ => &FIGURES,
        };
        assert!(group.figures.iter().all(|it| known.contains(&it.name.as_str())), "{group:?}");
        assert!(group.by != By::Stage || STAGES.contains(&group.name.as_str()));
    }
    for figure in summary.groups.iter().flat_map(|it| &it.figures).chain(&summary.figures) {
        let Estimate { value, low, high, .. } = figure.estimate;
        assert!(low <= value && value <= high, "{figure:?}");
    }
}

#[test]
fn a_stage_tells_what_a_generator_read_and_wrote_and_what_that_costs() {
    let with =
        |tokens: Value| record(("answer", None), ("reply", None), &json!({"tokens": tokens}));
    let none = with(Value::Null);
    let draft = |records: &[Record], price: Option<Price>| {
        let mut summary = summarise(records);
        if let Some(price) = price {
            summary.add_cost(records, price, Resampling::default());
        }
        summary.groups.into_iter().find(|it| it.by == By::Stage && it.name == "draft").unwrap()
    };
    assert_eq!(draft(&[none.clone(), none.clone()], None).figures.len(), 2, "quotes cost nothing");
    let records = [with(json!([900, 40])), with(json!([1_100, 60])), none.clone(), none];
    let found = draft(&records, Some(Price { read: 2.0, written: 10.0 }));
    let of = |name: &str| found.figures.iter().find(|it| it.name == name).unwrap().estimate;
    assert!((of("tokens_read").value - 500.0).abs() < 1e-9 && of("tokens_read").n == 4);
    assert!((of("tokens_written").value - 25.0).abs() < 1e-9);
    // (2,000 × 2 + 100 × 10) millionths over four cases, a thousand times.
    assert!((of("cost").value - 1.25).abs() < 1e-9, "{:?}", of("cost"));
    assert!(of("cost").low < 1.25 && of("cost").high > 1.25);
}

#[test]
fn another_seed_moves_intervals_and_no_figure() {
    let of = |right: bool, confidence: f64| {
        let more = json!({"confidence": confidence, "sources": [if right { "a" } else { "b" }],
            "citations": [{"article": "a", "quote": "x"}]});
        let mut record = record(("answer", None), ("reply", None), &more);
        record.expect.articles = vec!["a".into()];
        record
    };
    let records: Vec<Record> =
        (0..40).map(|i| of(i % 3 > 0, f64::from(i * 7 % 40) / 40.0)).collect();
    let by = |seed| {
        let resampling = Resampling { seed, ..Resampling::default() };
        summarise_by(&records, resampling).figure("auroc").unwrap().estimate
    };
    assert_eq!(by(3), by(3));
    assert!(by(3).value == by(4).value && by(3) != by(4), "{:?} {:?}", by(3), by(4));
}

#[test]
fn five_hits_of_five_are_not_certain() {
    let hit = json!({"articles": ["a"]});
    let mut hit = record(("answer", None), ("reply", None), &hit);
    hit.expect.articles = vec!["a".into()];
    let summary = summarise(&vec![hit; 5]);
    let found = summary.figure("hit@5").unwrap().estimate;
    assert!(found.high == 1.0 && (0.5..0.6).contains(&found.low), "{found:?}");
}

#[test]
fn the_figures_in_the_readme_have_names_of_today_and_lie_in_their_intervals() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
    let readme = std::fs::read_to_string(file).unwrap();
    let rows = readme
        .lines()
        .skip_while(|line| !line.starts_with("act_accuracy "))
        .take_while(|line| !line.starts_with("question to decision"));
    let mut names = Vec::new();
    for row in rows {
        let words: Vec<&str> = row.split_whitespace().collect();
        let number = |place: usize| -> f64 {
            words[place].trim_matches(['[', ']', ',']).parse().unwrap_or_else(|_| panic!("{row}"))
        };
        let (value, low, high) = (number(1), number(2), number(3));
        assert!(low <= value && value <= high, "{row}");
        names.push(words[0]);
    }
    let known: Vec<&str> = FIGURES.into_iter().filter(|name| names.contains(name)).collect();
    assert_eq!(names, known, "in the order of a run");
    assert_eq!(names.len(), FIGURES.len(), "the sample company has a case for every figure");
}

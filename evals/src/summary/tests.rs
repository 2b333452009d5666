use super::*;
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

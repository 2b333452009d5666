use super::*;

fn ground(confidence: f64, right: bool, topic: &str, rule: Option<&str>) -> Ground {
    let judged = Judged { confidence, right };
    Ground { judged, topic: Some(topic.into()), rule: rule.map(str::to_string) }
}

fn kept(found: &Promised) -> Option<usize> {
    match &found.verdict {
        Some(Proof::Kept(kept)) => Some(kept.n_answered),
        _ => None,
    }
}

#[test]
fn a_rule_s_promise_rests_on_what_it_lets_through_alone() {
    let careful: Vec<Ground> =
        (0..200).map(|_| ground(0.9, true, "billing", Some("careful"))).collect();
    let others: Vec<Ground> = (0..200).map(|_| ground(0.95, false, "billing", None)).collect();
    let proving = [careful.clone(), others].concat();
    let grounds = Grounds { guide: careful, proving };
    let wanted = |rule: Option<&str>| Wanted { rule: rule.map(str::to_string), budget: 0.1 };
    let (budgets, promised) = promise(&grounds, &[wanted(Some("careful")), wanted(None)], 0.05);
    let billing: Vec<Option<usize>> = promised
        .iter()
        .filter(|found| found.topic.as_deref() == Some("billing"))
        .map(kept)
        .collect();
    assert_eq!(billing, [Some(200), None]);
    let rules: Vec<Option<&str>> = budgets.certified.iter().map(|c| c.rule.as_deref()).collect();
    assert_eq!(rules, [Some("careful")]);
    assert!(promised[0].line(0.05).contains("rule \"careful\""), "{}", promised[0].line(0.05));
}

#[test]
fn a_topic_stands_alone_where_every_promise_has_drafts_enough_there() {
    let many: Vec<Ground> = (0..100).map(|_| ground(0.9, true, "billing", None)).collect();
    let few: Vec<Ground> = (0..9).map(|_| ground(0.9, true, "jobs", None)).collect();
    let all = [many, few].concat();
    let wanted = Wanted { rule: None, budget: 0.1 };
    let topics = |wanted: &[Wanted]| alone(&all, wanted, 0.05);
    assert_eq!(topics(std::slice::from_ref(&wanted)), BTreeSet::from(["billing".to_string()]));
    let strict = Wanted { rule: None, budget: 0.001 };
    assert!(topics(&[wanted.clone(), strict]).is_empty());
    let elsewhere = Wanted { rule: Some("nobody's".into()), budget: 0.001 };
    assert_eq!(
        topics(&[wanted, elsewhere]).len(),
        1,
        "a rule that concerns none of it says nothing"
    );
}

#[test]
fn one_turn_of_a_conversation_counts() {
    let line = |id: usize| {
        format!(
            r#"{{"id":"{id}","messages":[{{"author":"customer","text":"opening {}"}},{{"author":"customer","text":"{id}"}}],"expect":{{"act":"handoff"}}}}"#,
            id / 5
        )
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cases.jsonl");
    let lines: Vec<String> = (0..50).map(line).collect();
    std::fs::write(&path, lines.join("\n")).unwrap();
    let mut cases = crate::read_cases(&[path]).unwrap();
    let count = |cases: &[Case]| {
        one_a_conversation(cases.iter().map(|case| (case, ground(0.5, true, "a", None)))).len()
    };
    assert_eq!(count(&cases), 10);
    for (number, case) in cases.iter_mut().enumerate() {
        case.meta.insert("conversation".into(), format!("c{}", number / 2).into());
    }
    assert_eq!(count(&cases), 25, "a name counts before the opening");
}

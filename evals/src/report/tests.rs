use super::*;
use crate::{
    run_report::{Against, report},
    sample::{missed, passed_on, replied, wrong},
    summary::summarise,
};

const HOSTILE: &str =
    "</script></svg><img src=x onerror=alert(1)>\"'&{{ title }}\u{0}\u{1b}\u{202e}";

fn records() -> Vec<Record> {
    let mut records: Vec<Record> = (0..260_usize)
        .map(|i| {
            let id = format!("case-{i}");
            let record = match i % 5 {
                0 | 3 => replied(&id),
                1 => missed(&id),
                2 => wrong(&id),
                _ => passed_on(&id, "billing", if i % 2 == 0 { "support" } else { "billing" }),
            };
            Record { confidence: i as f64 / 260.0, ..record }
        })
        .collect();
    records.push(Record {
        question: format!("مرحبا {HOSTILE} {}", "x".repeat(9_000)),
        confidence: 0.999,
        tags: vec![HOSTILE.into()],
        reasons: vec![HOSTILE.into()],
        text: HOSTILE.into(),
        ..wrong(HOSTILE)
    });
    records
}

fn about() -> About {
    About {
        title: "Answers and handoffs of Vannerly".into(),
        generated_by: "frontdesk 0.1.0".into(),
        provenance: vec![
            ("embedder".into(), "all-MiniLM-L6-v2".into()),
            ("seed".into(), HOSTILE.into()),
        ],
        threshold: Some(0.7),
    }
}

/// Measures a few of the cases, as what the figures are does not matter to a page.
fn some_figures(records: &[Record]) -> crate::Summary {
    summarise(records.get(..30).unwrap_or(records))
}

fn page(records: &[Record], before: &[Record]) -> String {
    let gates = vec![
        Judgement {
            gate: "a < 1".into(),
            has_failed: true,
            is_idle: false,
            line: format!("fails: {HOSTILE}"),
        },
        Judgement {
            gate: "b > 1".into(),
            has_failed: false,
            is_idle: false,
            line: "passes: b".into(),
        },
    ];
    let against = Against { baseline: Some((HOSTILE.into(), before)), gates, ..Against::default() };
    render(&report(records, &some_figures(records), about(), against)).unwrap()
}

#[test]
fn a_full_report_is_one_page_without_outside_resources() {
    let (records, before) = (records(), records());
    let page = page(&records, &before[..200]);
    for expected in [
        "Of 261\u{a0}conversations the bot would have answered 157 by itself and passed 104 on to people.",
        "53 of its 157\u{a0}answers would have been wrong: that is 34\u{a0}%",
        "Who gets the rest",
        "Against the baseline",
        "All figures",
        "By tag",
        "By stage",
        "✓ as expected",
        "signals.urgent",
        "61 cases are in the second alone",
    ] {
        assert!(page.contains(expected), "{expected} is missing");
    }
    assert_eq!(page.matches("<svg ").count(), 2, "two charts");
    let ours = page.replace("img src=x", "").replace("http:&#x2f;&#x2f;www.w3.org", "");
    for outside in ["<script", "src=", "url(", "@import", "href=\"h", "href=\"&"] {
        assert!(!ours.contains(outside), "{outside}");
    }
}

#[test]
fn hostile_texts_stay_texts() {
    let records = records();
    let page = page(&records, &records);
    assert!(
        !page.contains("<img") && !page.contains("</script>") && page.contains("&lt;img src=x")
    );
    assert!(page.contains("{{ title }}"), "a text must not be read as a template");
    assert!(!page.contains('\u{0}') && !page.contains('\u{1b}'));
    assert!(page.contains("more characters)"));
}

#[test]
fn the_most_confident_mistake_comes_first() {
    let records = records();
    let page = page(&records, &records);
    let page = &page[page.find("id=\"cases\"").unwrap()..];
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("no {text}"));
    assert!(place("<bdi>&lt;&#x2f;script&gt;") < place("<bdi>case-257<"));
    assert!(place("<bdi>case-257<") < place("<bdi>case-252<"));
    assert!(place("<bdi>case-252<") < place("<bdi>case-256<"), "wrong ones before missed ones");
    assert!(page.contains("3 more are in results.jsonl"), "53 wrong ones, of which 50 are shown");
}

#[test]
fn an_empty_report_is_a_page_too() {
    let about = About { threshold: None, provenance: vec![], ..about() };
    let empty = report(&[], &summarise(&[]), about, Against::default());
    let page = render(&empty).unwrap();
    assert!(page.contains("0 cases") && !page.contains("<svg") && !page.contains("NaN"));
    assert!(!markdown(&empty).contains("NaN") && junit(&empty).is_ok());
}

#[test]
fn the_headline_reads_in_plain_words() {
    let mut records: Vec<Record> = (0..10).map(|i| replied(&format!("r{i}"))).collect();
    records.push(wrong("w"));
    records.extend((0..9).map(|i| passed_on(&format!("p{i}"), "billing", "billing")));
    let found = headline(&records);
    assert_eq!(
        found.sentences.join(" ").replace('\u{a0}', " "),
        "Of 20 conversations the bot would have answered 11 by itself and passed 9 on to \
         people. 1 of its 11 answers would have been wrong: that is 9 %, and from 2 % to 38 % is \
         likely. In every 100 conversations it saves people 50 right answers and sends customers 5 wrong ones (at worst about 24)."
    );
    let tiles: Vec<(&str, &str)> =
        found.tiles.iter().map(|tile| (tile.label.as_str(), tile.value.as_str())).collect();
    assert_eq!(
        tiles,
        [
            ("Answered by the bot", "55\u{a0}%"),
            ("Of its answers, wrong", "9\u{a0}%"),
            ("To the right team", "100\u{a0}%"),
            ("Passed on to people", "45\u{a0}%"),
        ]
    );
    assert_eq!(found.load, [(Some("billing".to_string()), 9)]);
}

#[test]
fn markdown_calls_nobody_and_runs_nothing() {
    let records = records();
    let hostile: Vec<Record> = records
        .iter()
        .cloned()
        .map(|it| Record { question: "@everyone [x](javascript:alert) <b>|`# ".into(), ..it })
        .collect();
    let summary = some_figures(&hostile);
    let text = markdown(&report(&hostile, &summary, about(), Against::default()));
    assert!(
        text.contains("@\u{200b}everyone \\[x\\]\\(javascript&#58;alert\\) &lt;b&gt;\\|"),
        "{text}"
    );
    assert!(!text.contains("<img") && !text.contains("<b>"));
    assert!(
        text.contains("| act\\_accuracy |")
            && text.contains("| Replied, and should not have | 53 |")
    );
}

#[test]
fn junit_has_a_test_for_each_gate_and_each_kind_of_mistake() {
    let records = records();
    let gates = vec![
        Judgement {
            gate: "hit@5 < 0.8".into(),
            has_failed: true,
            is_idle: false,
            line: "fails: \u{1b}hit@5".into(),
        },
        Judgement {
            gate: "b > 1".into(),
            has_failed: false,
            is_idle: false,
            line: "passes: b".into(),
        },
        Judgement {
            gate: "c > 1".into(),
            has_failed: false,
            is_idle: true,
            line: "nothing".into(),
        },
    ];
    let against = Against { gates, ..Against::default() };
    let document = junit(&report(&records, &some_figures(&records), about(), against)).unwrap();
    let read = quick_junit::Report::deserialize_from_str(&document).unwrap();
    assert_eq!((read.tests, read.failures, read.errors), (8, 1, 0));
    let names: Vec<&str> = read.test_suites.iter().map(|suite| suite.name.as_str()).collect();
    assert_eq!(names, ["gates", "cases"]);
    assert_eq!(read.test_suites[0].skipped, 1, "a gate that judges nothing has not passed");
    assert_eq!(read.test_suites[1].skipped, 3, "three ways of being wrong happen");
    assert!(document.contains("53 of 261 cases: wrong answers"), "{document}");
    assert!(!document.contains('\u{1b}'));
}

#[test]
fn a_comparison_is_a_page_of_its_own() {
    let (before, mut after) = (records(), records());
    after[0] = missed("case-0");
    let comparison = crate::compare::compare(&before, &after);
    let sides = [about(), About { title: HOSTILE.into(), ..about() }];
    let page = render_comparison(&comparison, &sides, &[]).unwrap();
    assert!(
        page.contains("Broken: 1")
            && page.contains("McNemar")
            && page.contains("Could have replied")
    );
    assert!(!page.contains("<img") && !page.contains("<script"));
    let text = markdown_of_comparison(&comparison, ("first", HOSTILE), &[]);
    assert!(text.contains("| case-0 | broken | reply | handoff to support |"), "{text}");
    assert!(!text.contains("<img"));
}

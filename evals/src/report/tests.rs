use super::*;
use crate::interval::share;
use crate::measures::{Judged, reliability, risk_coverage};

const HOSTILE: &str =
    "</script></svg><img src=x onerror=alert(1)>\"'&{{ title }}\u{0}\u{1b}\u{202e}";

fn case(id: usize, confidence: f64, verdict: Verdict) -> CaseOutcome {
    CaseOutcome {
        id: format!("case-{id}"),
        question: format!("How do I change the plan of my team? ({id})"),
        expected_act: if id.is_multiple_of(3) { ExpectedAct::Handoff } else { ExpectedAct::Answer },
        expected_articles: vec!["billing/change-plan".into()],
        act: if verdict == Verdict::MissedReply { "handoff".into() } else { "reply".into() },
        verdict,
        confidence: Some(confidence),
        text: "Open Settings, then Billing.\nChoose a plan.".into(),
        sources: vec!["billing/change-plan".into(), "billing/invoices".into()],
        reasons: vec!["confidence 0.81 reaches the threshold 0.70".into()],
        tags: vec!["billing".into()],
    }
}

fn judged() -> Vec<Judged> {
    (0..400)
        .map(|i| Judged {
            confidence: f64::from(i) / 400.0,
            right: f64::from((i * 37) % 100) / 100.0 < f64::from(i) / 380.0,
        })
        .collect()
}

fn report() -> Report {
    let verdicts = [
        Verdict::Right,
        Verdict::MissedReply,
        Verdict::WrongReply,
        Verdict::Right,
        Verdict::OtherAct,
    ];
    let mut cases: Vec<CaseOutcome> =
        (0..260_usize).map(|i| case(i, i as f64 / 260.0, verdicts[i % 5])).collect();
    cases.push(CaseOutcome {
        id: HOSTILE.into(),
        question: format!("مرحبا {HOSTILE} {}", "x".repeat(9_000)),
        ..case(1, 0.999, Verdict::WrongReply)
    });
    let figure = |name: &str, n_yes, meaning: &str| Figure {
        name: name.into(),
        unit: Unit::Share,
        estimate: share(n_yes, 261),
        meaning: meaning.into(),
    };
    let column = |name: &str| Column { name: name.into(), unit: Unit::Share };
    let row = |name: &str, n: usize| TableRow {
        name: name.into(),
        cells: vec![share(n, 261), share(n + 20, 261), None],
    };
    Report {
        title: "Answers and handoffs of Vannerly".into(),
        generated_by: "frontdesk 0.1.0".into(),
        provenance: vec![
            ("embedder".into(), "all-MiniLM-L6-v2".into()),
            ("seed".into(), HOSTILE.into()),
        ],
        headline: vec![
            figure("Right answers", 231, "Of the replies that were sent, this share was right."),
            figure("Answered", 140, "Share of all cases that the bot answered itself."),
            figure("Article found first", 200, "The first article holds the answer (hit@1)."),
            Figure {
                estimate: None,
                ..figure("Handed to the right team", 1, "Of the handoffs with a labelled team.")
            },
        ],
        tables: vec![Table {
            title: "Retrieval".into(),
            note: "Of the cases with labelled articles.".into(),
            columns: vec![
                column("hit@1"),
                column("hit@5"),
                Column { name: "search".into(), unit: Unit::Milliseconds },
            ],
            rows: vec![row("words", 180), row("meaning", 190), row("fused", 210)],
        }],
        reliability: reliability(&judged(), 10).unwrap(),
        risk_coverage: risk_coverage(&judged()).unwrap(),
        threshold: Some(0.7),
        cases,
    }
}

#[test]
fn a_full_report_is_one_page_without_outside_resources() {
    let page = render(&report()).unwrap();
    for expected in [
        "Right answers",
        "88.5\u{a0}%",
        "84.1\u{a0}% to 91.8\u{a0}%",
        "n = 261",
        "case-257",
        "✓ as expected",
    ] {
        assert!(page.contains(expected), "{expected} is missing");
    }
    for outside in ["<script", "src=", "href=", "url(", "@import"] {
        let ours = page.replace("img src=x", "");
        assert!(!ours.contains(outside), "{outside}");
    }
}

#[test]
fn hostile_texts_stay_texts() {
    let page = render(&report()).unwrap();
    assert!(
        !page.contains("<img") && !page.contains("</script>") && page.contains("&lt;img src=x")
    );
    assert!(page.contains("{{ title }}"), "a text must not be read as a template");
    assert!(!page.contains('\u{0}') && !page.contains('\u{1b}'));
    assert!(page.contains("more characters)"));
}

#[test]
fn the_most_confident_mistake_comes_first() {
    let page = render(&report()).unwrap();
    let place = |text: &str| page.find(text).unwrap();
    assert!(place("<bdi>&lt;&#x2f;script&gt;") < place("<bdi>case-257<"));
    assert!(place("<bdi>case-257<") < place("<bdi>case-252<"));
    assert!(
        place("<bdi>case-252<") < place("<bdi>case-256<"),
        "missed replies come after wrong ones"
    );
}

#[test]
fn an_empty_report_is_a_page_too() {
    let empty = Report {
        headline: vec![],
        tables: vec![],
        reliability: vec![],
        risk_coverage: vec![],
        threshold: None,
        cases: vec![],
        provenance: vec![],
        ..report()
    };
    let page = render(&empty).unwrap();
    assert!(page.contains("0 cases") && !page.contains("<svg") && !page.contains("NaN"));
}

#[test]
fn numbers_are_written_for_people() {
    assert_eq!(
        (thousands(0), thousands(999), thousands(1_234_567)),
        ("0".into(), "999".into(), "1,234,567".into())
    );
    assert_eq!(milliseconds(1.25), "1.2\u{a0}ms");
    assert_eq!(
        (milliseconds(250.4), milliseconds(12_340.0)),
        ("250\u{a0}ms".into(), "12.3\u{a0}s".into())
    );
}

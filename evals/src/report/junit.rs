//! The outcome for what counts tests: Jenkins, GitLab, GitHub and the like.

use super::{Report, cases::of_verdict, numbers::thousands};
use crate::verdict::Verdict;
use quick_junit::{NonSuccessKind, Report as Document, TestCase, TestCaseStatus, TestSuite};

/// Ids that a class of cases lists.
const N_IDS: usize = 50;

/// Renders the outcome as JUnit XML: a test for each gate, which fails as the gate does and is
/// skipped where it judges nothing, and one for each way in which cases come out wrong, skipped with the count where there are such cases,
/// as a wrong case alone fails no build.
///
/// # Errors
/// Never by what is in the report.
pub fn junit(report: &Report<'_>) -> anyhow::Result<String> {
    let mut document = Document::new("frontdesk eval");
    let mut gates = TestSuite::new("gates");
    for judged in &report.gates {
        let mut status = TestCaseStatus::success();
        if judged.has_failed {
            status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(judged.line.as_str()).set_type("gate");
        } else if judged.is_idle {
            status = TestCaseStatus::skipped();
            status.set_message(judged.line.as_str());
        }
        let mut test = TestCase::new(judged.gate.as_str(), status);
        test.set_classname("frontdesk.gates").set_system_out(judged.line.as_str());
        gates.add_test_case(test);
    }
    let mut classes = TestSuite::new("cases");
    for verdict in Verdict::ALL.into_iter().filter(|verdict| *verdict != Verdict::Right) {
        classes.add_test_case(class(report, verdict));
    }
    document.add_test_suites([gates, classes]);
    Ok(document.to_string()?)
}

fn class(report: &Report<'_>, verdict: Verdict) -> TestCase {
    let of = of_verdict(report.records, verdict);
    let mut status = TestCaseStatus::success();
    if !of.is_empty() {
        status = TestCaseStatus::skipped();
        let (n, all) = (thousands(of.len()), thousands(report.records.len()));
        status.set_message(format!("{n} of {all} cases: {}", verdict.note()));
    }
    let mut test = TestCase::new(verdict.title(), status);
    let ids: Vec<&str> = of.iter().take(N_IDS).map(|record| record.id.as_str()).collect();
    test.set_classname(format!("frontdesk.cases.{}", verdict.name()));
    if !ids.is_empty() {
        test.set_system_out(ids.join("\n"));
    }
    test
}

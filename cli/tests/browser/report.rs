//! The pages that evals write, as files in a browser: nothing is loaded, nothing is forbidden.

use crate::page::{ENTER, Page, TAB};
use serde_json::json;
use std::fs;
use tempfile::TempDir;
use tests::sample;

/// The reports of two runs of the sample company, and of the second against the first.
pub(crate) struct Evaluated {
    folder: TempDir,
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_frontdesk");

impl Evaluated {
    /// Runs the cases with a desk that is sure of everything, and with one that is less so.
    pub(crate) fn twice() -> Self {
        let folder = tempfile::tempdir().unwrap();
        sample::write_settings(folder.path());
        fs::copy(sample::folder().join("routing.toml"), folder.path().join("routing.toml"))
            .unwrap();
        let run = |arguments: &[&str]| {
            let mut command = sample::command(PROGRAM, folder.path());
            let output = command.current_dir(folder.path()).args(arguments).output().unwrap();
            assert!(output.status.success(), "{output:?}");
        };
        let cases = sample::folder().join("cases/cases.jsonl").display().to_string();
        run(&["eval", "run", "--cases", &cases, "-o", "before"]);
        // The built-in calibration of another embedder would be refused: every draft is as sure.
        fs::write(folder.path().join("calibration.toml"), sample::calibration(-6.0)).unwrap();
        let gates = ["--fail-if", "hit@5 < 0.1", "--fail-if", "wrong_replies > 90 %"];
        let again = ["eval", "run", "--cases", &cases, "-o", "after", "--baseline", "before"];
        run(&[&again[..], &gates].concat());
        run(&["eval", "compare", "before", "after", "-o", "compared"]);
        Self { folder }
    }

    /// Where the report with a baseline lies.
    pub(crate) fn report(&self) -> String {
        format!("file://{}", self.folder.path().join("after/report.html").display())
    }

    /// Where the comparison lies.
    pub(crate) fn comparison(&self) -> String {
        format!("file://{}", self.folder.path().join("compared/comparison.html").display())
    }
}

/// What is wrong with the page: requests, charts without a drawing, words beside the screen.
const WRONG: &str = "
const [n_charts] = arguments;
const wrong = performance.getEntriesByType('resource').map(({ name }) => 'loads ' + name);
const charts = [...document.querySelectorAll('svg')];
if (charts.length !== n_charts) wrong.push(charts.length + ' charts');
for (const chart of charts) {
  const { width, height } = chart.getBoundingClientRect();
  if (width < 250 || height < 200) wrong.push('a chart of ' + width + ' by ' + height);
  if (!chart.querySelector('polyline')) wrong.push('a chart without a curve');
}
if (document.documentElement.scrollWidth > innerWidth)
  wrong.push('wider than the screen: ' + document.documentElement.scrollWidth);
if (getComputedStyle(document.body).margin !== '0px') wrong.push('without its style');
return wrong;
";

/// Opens a page, and proves that it shows itself whole under its own policy, in light and dark.
pub(crate) async fn reads_well(page: &Page, address: &str, name: &str, n_charts: usize) {
    page.go(address).await;
    page.read("h1", "").await;
    assert_eq!(page.run(WRONG, json!([n_charts])).await, json!([]), "{name}");
    page.look(name).await;
    page.look_on_paper(name).await;
    let complaints = page.complaints().await;
    assert_eq!(complaints, json!([]), "{name}: what the browser complains of");
}

/// Reaches a case by keyboard alone, opens it and reads what was drafted.
pub(crate) async fn opens_by_keyboard(page: &Page) {
    for _ in 0..200 {
        page.keys(TAB).await;
        let script =
            "return document.activeElement.matches('details.verdict[open] .case > summary')";
        if page.run(script, json!([])).await == true {
            page.keys(ENTER).await;
            page.read("details.case[open] dt", "Draft").await;
            page.look("report-case").await;
            return;
        }
    }
    panic!("no case is reached in 200 steps");
}

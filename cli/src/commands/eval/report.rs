use super::gates::Measured;
use crate::output;
use evals::{
    About, Against, Judgement, report,
    report::{junit, markdown, render},
};
use std::path::Path;

/// Writes what people and build servers read of a run.
pub(super) fn write_reports(
    out: &Path,
    measured: &Measured<'_>,
    about: About,
    judged: &[Judgement],
) -> anyhow::Result<()> {
    let baseline = measured.baseline.map(|run| (run.name.clone(), run.records.as_slice()));
    let against = Against { baseline, gates: judged.to_vec(), resampling: measured.resampling };
    let report = report(measured.records, measured.summary, about, against);
    output::file(&out.join("report.html"), &render(&report)?)?;
    output::file(&out.join("report.md"), &markdown(&report))?;
    output::file(&out.join("junit.xml"), &junit(&report)?)
}

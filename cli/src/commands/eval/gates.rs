use crate::{Verdict, args};
use anyhow::Context;
use evals::{Judgement, Judging, Record, Run, Summary, interval::Resampling};

/// A run with the one that it is compared with.
pub(super) struct Measured<'a> {
    pub(super) records: &'a [Record],
    pub(super) summary: &'a Summary,
    pub(super) baseline: Option<&'a Run>,
    pub(super) resampling: Resampling,
}

/// Limits below or above which a run fails.
pub(super) struct Gates<'a> {
    pub(super) least_act_accuracy: Option<f64>,
    pub(super) most_wrong_replies: Option<f64>,
    pub(super) wanted: &'a args::GateArgs,
}

impl Gates<'_> {
    /// Judges every `--fail-if`.
    pub(super) fn judge(&self, on: &Measured<'_>) -> anyhow::Result<Vec<Judgement>> {
        judge(self.wanted, on)
    }

    /// Tells of the gates, and what they come to.
    pub(super) fn verdict(
        &self,
        summary: &Summary,
        judged: &[Judgement],
    ) -> anyhow::Result<Verdict> {
        let value = |name: &str| summary.figure(name).map(|figure| figure.estimate.value);
        let mut verdict = tell(judged);
        if let Some(least) = self.least_act_accuracy {
            let accuracy = value("act_accuracy").context("there are no cases")?;
            if accuracy < least {
                eprintln!("gate: act accuracy {accuracy:.3} is below {least}");
                verdict = Verdict::No;
            }
        }
        if let (Some(most), Some(wrong)) = (self.most_wrong_replies, value("wrong_replies"))
            && wrong > most
        {
            eprintln!("gate: {wrong:.3} of the replies are wrong, more than {most}");
            verdict = Verdict::No;
        }
        Ok(verdict)
    }
}

/// Judges what a run must not be.
pub(super) fn judge(wanted: &args::GateArgs, on: &Measured<'_>) -> anyhow::Result<Vec<Judgement>> {
    let baseline = on.baseline.map(|run| run.records.as_slice());
    let (summary, records, resampling) = (on.summary, on.records, on.resampling);
    let on = Judging { summary, records, baseline, strict: wanted.strict, resampling };
    let judged = wanted.fail_if.iter().map(|gate| gate.judge(&on));
    judged.collect::<Result<_, _>>().context("--fail-if")
}

/// Says a line for each gate; one that fails makes the verdict no.
pub(super) fn tell(judged: &[Judgement]) -> Verdict {
    for gate in judged {
        eprintln!("gate {}", gate.line);
    }
    if judged.iter().any(|gate| gate.has_failed) { Verdict::No } else { Verdict::Yes }
}

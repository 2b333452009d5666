use super::{at_once, warn_of_unknown};
use crate::{
    Verdict, args, assembly, commands::ask::ensure_index, output, progress::counted,
    settings::Settings,
};
use anyhow::Context;
use evals::{Promised, Record, part, promise, read_cases, try_cases};

/// Promised where neither rules nor the command name a budget.
const USUAL: f64 = 0.05;

/// Makes thresholds of error budgets by labelled cases, and writes those that could be certified.
pub(super) async fn run(
    mut settings: Settings,
    as_json: bool,
    wanted: args::EvalBudget,
) -> anyhow::Result<Verdict> {
    let args::EvalBudget { cases: files, error, certainty, all, out } = wanted;
    output::may_write(&out)?;
    // The ones that are replaced need not be usable any more.
    settings.config.answers.budgets.clear();
    let mut cases = read_cases(&files)?;
    if !all {
        cases = part(cases).test;
    }
    anyhow::ensure!(!cases.is_empty(), "there are no cases that a calibration has not seen");
    let desk = assembly::desk(settings).await?;
    let calibration = desk.calibration_mark().context(
        "there is no calibration for this embedder; fit one with `frontdesk eval calibrate` first",
    )?;
    ensure_index(desk.library()).await?;
    let knowledge = desk.library().knowledge()?;
    warn_of_unknown(&cases, &knowledge);
    let bar = counted("cases", cases.len() as u64);
    let told = |done: usize| bar.set_position(done as u64);
    let trials = try_cases(&desk, &knowledge, &cases, at_once(), &told).await?;
    bar.finish_and_clear();
    let records: Vec<Record> = trials.iter().map(|t| Record::of(t, desk.policy())).collect();
    let errors = errors(error, desk.policy());
    let doubt = 1.0 - certainty;
    let (mut budgets, promised) = promise(&records, &errors, doubt);
    let lines: Vec<String> = promised.iter().map(|found| found.line(doubt)).collect();
    budgets.calibration = calibration;
    budgets.report = [
        ("method", "Learn-then-Test, fixed sequence, exact binomial tail".to_string()),
        ("cases", format!("{} that the calibration was not fitted to", cases.len())),
    ]
    .map(|(name, text)| (name.to_string(), text))
    .into();
    output::file(&out, &toml::to_string(&budgets)?)?;
    if as_json {
        output::json(&serde_json::json!({"budgets": budgets, "lines": lines}))?;
    } else {
        for line in lines {
            output::line(line)?;
        }
        output::line(format!("written: {}; set answers.budgets to use it", out.display()))?;
    }
    let kept = |found: &Promised| matches!(found.verdict, Some(evals::Proof::Kept(_)));
    Ok(if promised.iter().any(kept) { Verdict::Yes } else { Verdict::No })
}

/// Returns the budgets that were asked for, else those of the desk's rules.
fn errors(wanted: Vec<f64>, policy: &router::Policy) -> Vec<f64> {
    let of_rules = || policy.rules().filter_map(|rule| rule.then.error_budget);
    let mut errors = if wanted.is_empty() { of_rules().collect() } else { wanted };
    if errors.is_empty() {
        errors.push(USUAL);
    }
    errors.sort_by(f64::total_cmp);
    errors.dedup();
    errors
}

use super::{at_once, warn_of_unknown};
use crate::{
    Verdict, args, assembly, commands::ask::ensure_index, output, progress::counted,
    settings::Settings,
};
use anyhow::Context;
use evals::{
    Case, LEAST_BUDGET, Promised, Wanted, gather, leaves_proof, part, promise, read_cases,
};

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
    let has_own = !settings.config.answers.calibration.is_empty();
    let choosing = part(read_cases(&files)?).choosing(all);
    anyhow::ensure!(
        choosing.n_proving() > 0,
        "there are no cases to prove thresholds with; mark some with \"split\": \"val\", or give --all \
         where the calibration was fitted to other cases"
    );
    let desk = assembly::desk(settings).await?;
    let calibration = desk.calibration_mark().context(
        "there is no calibration for this embedder; fit one with `frontdesk eval calibrate` first",
    )?;
    let knows_parts = !has_own || desk.calibration().is_some_and(leaves_proof);
    anyhow::ensure!(
        all || knows_parts,
        "answers.calibration was fitted before cases to prove with were kept from it; fit it again \
         with `frontdesk eval calibrate`, or give --all where it was fitted to other cases"
    );
    ensure_index(desk.library()).await?;
    let seen: Vec<Case> = choosing.cases().cloned().collect();
    warn_of_unknown(&seen, &desk.library().knowledge()?);
    let wanted = wanted_promises(error, desk.policy())?;
    let bar = counted("cases", seen.len() as u64);
    let told = |done: usize| bar.set_position(done as u64);
    let grounds = gather(&desk, &choosing, at_once(), &told).await?;
    bar.finish_and_clear();
    let doubt = 1.0 - certainty;
    let (mut budgets, promised) = promise(&grounds, &wanted, doubt);
    let lines: Vec<String> = promised.iter().map(|found| found.line(doubt)).collect();
    budgets.calibration = calibration;
    let n = grounds.n_proving();
    let whose = match all {
        true => "said to be others than the calibration was fitted to",
        false => "that the calibration was not fitted to",
    };
    budgets.report = [
        ("method", "Learn-then-Test, fixed sequence, exact binomial tail".to_string()),
        (
            "cases",
            format!("one of each of {n} conversations about which confidence decides, {whose}"),
        ),
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

/// Returns the budgets that were asked for, else those of the desk's rules, each with its rule.
fn wanted_promises(errors: Vec<f64>, policy: &router::Policy) -> anyhow::Result<Vec<Wanted>> {
    let mut wanted: Vec<Wanted> =
        errors.into_iter().map(|budget| Wanted { rule: None, budget }).collect();
    if wanted.is_empty() {
        let of_rules = policy.rules().filter_map(|rule| {
            Some(Wanted { rule: Some(rule.name.clone()), budget: rule.then.error_budget? })
        });
        wanted.extend(of_rules);
    }
    if wanted.is_empty() {
        wanted.push(Wanted { rule: None, budget: USUAL });
    }
    let strictest = wanted.iter().map(|wanted| wanted.budget).fold(f64::INFINITY, f64::min);
    anyhow::ensure!(
        strictest >= LEAST_BUDGET,
        "a budget of {strictest} is below {LEAST_BUDGET}; no number of cases that people label proves it"
    );
    wanted.sort_by(|a, b| a.budget.total_cmp(&b.budget));
    wanted.dedup();
    Ok(wanted)
}

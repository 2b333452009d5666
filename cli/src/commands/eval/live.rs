//! `frontdesk eval live`: how error budgets fare by what people say of answers, and lifting what
//! was raised as one burnt.

use crate::{Verdict, args, assembly, known, output, settings::Settings};
use anyhow::ensure;
use bot::{LiveBudget, live_budgets};
use serde_json::{Value, json};
use store::{Actor, Audit, Store};

/// Shows the budgets, or lifts what was raised of one.
pub(super) async fn run(
    settings: Settings,
    as_json: bool,
    wanted: args::EvalLive,
) -> anyhow::Result<Verdict> {
    let store = Store::open(&settings.store_url()).await?;
    let outcome = match &wanted.lift {
        Some(rule) => lift(&store, as_json, (rule, wanted.topic.as_deref())).await,
        None => show(&store, settings, as_json).await,
    };
    store.close().await;
    outcome
}

async fn lift(
    store: &Store,
    as_json: bool,
    (rule, topic): (&str, Option<&str>),
) -> anyhow::Result<Verdict> {
    let now = known::now();
    let n_lifted = store.lift(rule, topic, now).await?;
    ensure!(
        n_lifted > 0,
        "nothing is raised of rule {rule:?}; `frontdesk eval live` shows what is"
    );
    let audit = Audit {
        actor: Actor::Frontdesk,
        action: "budget.lifted".into(),
        subject: rule.into(),
        detail: json!({"topic": topic, "thresholds": n_lifted}),
    };
    store.note(&audit, now).await?;
    if as_json {
        output::json(&json!({"rule": rule, "topic": topic, "lifted": n_lifted}))?;
    } else {
        output::line(format!(
            "{n_lifted} lifted of rule {rule:?}; `frontdesk serve` follows within ten minutes, and \
             counts answers anew"
        ))?;
    }
    Ok(Verdict::Yes)
}

async fn show(store: &Store, settings: Settings, as_json: bool) -> anyhow::Result<Verdict> {
    let playbook = assembly::with_budgets((&settings.root, &settings.config), settings.playbook)?;
    let budgets = live_budgets(store, &playbook.policy, known::now()).await?;
    if as_json {
        let budgets: Vec<Value> = budgets.iter().map(document).collect();
        output::json(&json!({"budgets": budgets, "doubt": bot::BURN_DOUBT}))?;
    } else if budgets.is_empty() {
        output::line("no rule has an error_budget, so there is nothing to watch")?;
    }
    for budget in budgets.iter().filter(|_| !as_json) {
        output::line(line(budget))?;
    }
    let is_raised = budgets.iter().any(|budget| budget.watched.threshold.is_some());
    Ok(if is_raised { Verdict::No } else { Verdict::Yes })
}

fn document(budget: &LiveBudget) -> Value {
    let LiveBudget { watched, error_budget, threshold, n_answers, n_wrong, evidence, .. } = budget;
    let by = json!({"answers": watched.n_answers, "wrong": watched.n_wrong});
    json!({
        "rule": watched.rule,
        "topic": watched.topic,
        "error_budget": error_budget,
        "threshold": threshold,
        "raised": watched.threshold.map(|_| by),
        "since": watched.since.to_string(),
        "answers": n_answers,
        "wrong": n_wrong,
        "evidence_log10": evidence / std::f64::consts::LN_10,
        "burning": budget.is_burning,
    })
}

fn line(budget: &LiveBudget) -> String {
    let LiveBudget { watched, error_budget, threshold, n_answers, n_wrong, evidence, .. } = budget;
    let topic = watched.topic.as_deref().unwrap_or("all others");
    let rule = &watched.rule;
    let state = match watched.threshold {
        Some(_) => format!(
            "raised to {threshold:.2}, as {} of {} were wrong; lift it: frontdesk eval live --lift {rule:?}{}",
            watched.n_wrong,
            watched.n_answers,
            watched.topic.as_ref().map_or(String::new(), |topic| format!(" --topic {topic:?}")),
        ),
        None if budget.is_burning => "burning; `frontdesk serve` raises it".into(),
        None => format!("threshold {threshold:.2}"),
    };
    format!(
        "rule {rule:?}, {topic}: of {n_answers} answers since {} {n_wrong} are known to be wrong, \
         {:.1} % may be; evidence 10^{:.1}; {state}",
        watched.since.strftime("%Y-%m-%d %H:%M UTC"),
        100.0 * error_budget,
        evidence / std::f64::consts::LN_10,
    )
}

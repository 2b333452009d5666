use super::ask::{ensure_index, team_name};
use crate::{Verdict, args, assembly, known, output, progress::counted, settings::Settings};
use anyhow::Context as _;
use bot::{Desk, Inquiry, Question};
use evals::{Case, Trial, inquiry, otherwise, read_cases, try_cases, unknown_facts};
use router::{
    Explanation, Finding, Flaw, Outcome, Policy, Reason, Severity, Step, check, explain, judge,
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

pub(crate) async fn run(
    settings: Settings,
    as_json: bool,
    command: args::Rules,
) -> anyhow::Result<Verdict> {
    match command {
        args::Rules::Check { cases } => check_rules(settings, as_json, &cases).await,
        args::Rules::Explain { message, cases, reader, known } => {
            let wanted = Wanted { message, cases, reader, known };
            explain_one(settings, as_json, wanted).await
        }
        args::Rules::Test { cases } => test(settings, as_json, &cases).await,
        args::Rules::Backtest { against, cases } => {
            super::backtest::run(settings, as_json, &against, &cases).await
        }
    }
}

/// Returns the given case files, or else those in the desk's `cases/` in the order of their names.
fn case_files(root: &Path, given: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    if !given.is_empty() {
        return Ok(given.to_vec());
    }
    let folder = root.join("cases");
    let Ok(entries) = std::fs::read_dir(&folder) else { return Ok(Vec::new()) };
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|file| file.extension().is_some_and(|extension| extension == "jsonl"))
        .collect();
    files.sort();
    Ok(files)
}

/// Reads the given case files, or else those of the desk.
pub(super) fn cases_of(root: &Path, given: &[PathBuf]) -> anyhow::Result<Vec<Case>> {
    let files = case_files(root, given)?;
    if files.is_empty() { Ok(Vec::new()) } else { Ok(read_cases(&files)?) }
}

fn must_state_facts(cases: &[Case], policy: &Policy) -> anyhow::Result<()> {
    let faults = unknown_facts(cases, policy);
    anyhow::ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

async fn check_rules(
    settings: Settings,
    as_json: bool,
    files: &[PathBuf],
) -> anyhow::Result<Verdict> {
    let file = settings.root.join("routing.toml");
    let cases = cases_of(&settings.root, files)?;
    must_state_facts(&cases, &settings.playbook.policy)?;
    let flaws = check(&settings.playbook.policy, known::now());
    let n_cases = cases.len();
    let uncovered = if cases.is_empty() { Vec::new() } else { uncovered(settings, &cases).await? };
    let n_errors = flaws.iter().filter(|flaw| flaw.severity == Severity::Error).count();
    if as_json {
        let rows: Vec<Value> = flaws.iter().map(|flaw| flaw_row(&file, flaw)).collect();
        output::json(&json!({ "findings": rows, "cases": n_cases, "uncovered": uncovered }))?;
    } else {
        for flaw in &flaws {
            output::line(flaw_text(&file, flaw))?;
        }
        if !uncovered.is_empty() {
            output::line(format!(
                "note: no rule, topic or phrase covers {} of {n_cases} conversations; the fallback team gets what the bot does not answer, such as",
                uncovered.len()
            ))?;
            for (id, text) in uncovered.iter().take(5) {
                output::line(format!("  {id}: {text}"))?;
            }
        }
        if flaws.is_empty() {
            output::line("no rule is unreachable, contradicts another or leads nowhere")?;
        }
    }
    Ok(if n_errors == 0 { Verdict::Yes } else { Verdict::No })
}

/// Finds the line of a flaw: that of its rule, or where the team or topic that it names is defined.
pub(super) fn line_of(file: &Path, flaw: &Flaw) -> Option<usize> {
    if flaw.line > 0 {
        return Some(flaw.line);
    }
    let text = std::fs::read_to_string(file).ok()?;
    let name = flaw.what.split('"').nth(1)?;
    let defined = |line: &str| {
        let value = line.trim_start().strip_prefix("slug").map(str::trim_start);
        value.and_then(|v| v.strip_prefix('=')).is_some_and(|v| {
            v.trim_start().strip_prefix('"').is_some_and(|v| v.split('"').next() == Some(name))
        })
    };
    text.lines().position(defined).map(|index| index + 1)
}

fn flaw_text(file: &Path, flaw: &Flaw) -> String {
    let severity = if flaw.severity == Severity::Error { "error" } else { "warning" };
    let line = line_of(file, flaw).map_or(String::new(), |line| format!(":{line}"));
    let mut text = format!("{severity}: {}{line}: {}; {}", file.display(), flaw.what, flaw.mend);
    if let Some(example) = &flaw.example {
        let facts: Vec<String> =
            example.facts.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        text.push_str(&format!("\n  for example: {}", facts.join(", ")));
    }
    text
}

fn flaw_row(file: &Path, flaw: &Flaw) -> Value {
    let example = flaw.example.as_ref().map(|example| {
        let facts: BTreeMap<&str, String> =
            example.facts.iter().map(|(name, value)| (name.as_str(), value.to_string())).collect();
        json!({ "facts": facts, "fires": example.fires })
    });
    json!({
        "severity": if flaw.severity == Severity::Error { "error" } else { "warning" },
        "file": file.display().to_string(),
        "line": line_of(file, flaw),
        "rule": flaw.rule,
        "what": flaw.what,
        "mend": flaw.mend,
        "example": example,
    })
}

/// Finds the conversations about which the rules know nothing but the fallback team.
async fn uncovered(settings: Settings, cases: &[Case]) -> anyhow::Result<Vec<(String, String)>> {
    let desk = assembly::desk(settings).await?;
    let mut uncovered = Vec::new();
    for case in cases {
        let facts = desk.observe(&inquiry(case, desk.policy())).await;
        let decision = judge(desk.policy(), &facts, &Finding::Nothing);
        let by_rule = matches!(decision.reasons().first(), Some(Reason::Rule(_)));
        if !by_rule && decision.reasons().contains(&Reason::FallbackTeam) {
            let text = case.messages.last().map_or("", |message| message.text.as_str());
            uncovered.push((case.id.clone(), text.chars().take(100).collect()));
        }
    }
    Ok(uncovered)
}

struct Wanted {
    message: String,
    cases: Vec<PathBuf>,
    reader: args::Reader,
    known: args::Known,
}

async fn explain_one(settings: Settings, as_json: bool, wanted: Wanted) -> anyhow::Result<Verdict> {
    let cases = if wanted.cases.is_empty() { Vec::new() } else { read_cases(&wanted.cases)? };
    let desk = assembly::desk(settings).await?;
    ensure_index(desk.library()).await?;
    must_state_facts(&cases, desk.policy())?;
    let inquiry = if wanted.cases.is_empty() {
        let context = known::context(desk.policy(), &wanted.reader, &wanted.known)?;
        let question = Question::new(wanted.message);
        Inquiry { question, reader: wanted.reader.into(), context }
    } else {
        let case = cases.iter().find(|case| case.id == wanted.message);
        let case = case.with_context(|| format!("no case has the id {:?}", wanted.message))?;
        inquiry(case, desk.policy())
    };
    let answer = desk.answer(&inquiry).await;
    let explanation = explain(desk.policy(), &answer.facts, &answer.finding);
    if as_json {
        let steps: Vec<Value> = explanation.steps.iter().map(step_row).collect();
        let trace = answer.trace(desk.policy());
        output::json(&json!({ "steps": steps, "trace": trace }))?;
    } else {
        output::line(explanation_text(&explanation, desk.policy()))?;
    }
    Ok(Verdict::Yes)
}

fn outcome_text(outcome: &Outcome) -> (&'static str, String) {
    match outcome {
        Outcome::Fired(did) => ("fired", did.clone()),
        Outcome::NotTrue => ("no", "its condition does not hold".into()),
        Outcome::Missing(facts) => ("missing", format!("not known: {}", facts.join(", "))),
        Outcome::Skipped(why) => ("skipped", (*why).into()),
        Outcome::NotRead => ("not read", "a rule above decided".into()),
    }
}

fn step_row(step: &Step) -> Value {
    let (outcome, why) = outcome_text(&step.outcome);
    let saw: BTreeMap<&str, Option<String>> = step
        .saw
        .iter()
        .map(|(name, v)| (name.as_str(), v.as_ref().map(ToString::to_string)))
        .collect();
    json!({
        "rule": step.rule,
        "line": (step.line > 0).then_some(step.line),
        "when": step.when,
        "saw": saw,
        "outcome": outcome,
        "why": why,
    })
}

fn explanation_text(explanation: &Explanation, policy: &Policy) -> String {
    let mut text = String::new();
    for (number, step) in explanation.steps.iter().enumerate() {
        let (outcome, why) = outcome_text(&step.outcome);
        let place = match step.line {
            0 => "built in".to_string(),
            line => format!("line {line}"),
        };
        text.push_str(&format!(
            "{:>3}. {:<8} {} ({place}): {why}\n",
            number + 1,
            outcome,
            step.rule
        ));
        if matches!(step.outcome, Outcome::NotRead) {
            continue;
        }
        for (name, value) in &step.saw {
            let value = value.as_ref().map_or("not known".to_string(), short);
            text.push_str(&format!("       {name} = {value}\n"));
        }
    }
    let act = explanation.decision.act();
    text.push_str(&format!("\n→ {}", act.name()));
    if let Some(team) = act.team() {
        text.push_str(&format!(" to {}", team_name(policy, team)));
    }
    for reason in explanation.decision.reasons() {
        text.push_str(&format!("\nBecause {reason}"));
    }
    text
}

/// Shortens what a rule saw to one line.
fn short(value: &router::Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 80 { text } else { text.chars().take(79).chain(['…']).collect() }
}

/// Runs cases whose stated facts the rules know.
pub(super) async fn tried<'a>(desk: &Desk, cases: &'a [Case]) -> anyhow::Result<Vec<Trial<'a>>> {
    ensure_index(desk.library()).await?;
    must_state_facts(cases, desk.policy())?;
    let knowledge = desk.library().knowledge()?;
    let at_once = std::thread::available_parallelism().map_or(1, usize::from);
    let bar = counted("cases", cases.len() as u64);
    let trials =
        try_cases(desk, &knowledge, cases, at_once, &|done| bar.set_position(done as u64)).await?;
    bar.finish_and_clear();
    Ok(trials)
}

async fn test(settings: Settings, as_json: bool, files: &[PathBuf]) -> anyhow::Result<Verdict> {
    let mut cases = cases_of(&settings.root, files)?;
    cases.retain(|case| case.expect.route.is_some());
    anyhow::ensure!(
        !cases.is_empty(),
        "no case expects a route; write one such as {{\"id\": \"vip\", \"messages\": [{{\"author\": \"customer\", \"text\": \"…\"}}], \"expect\": {{\"route\": {{\"team\": \"sales\"}}}}}} into cases/routes.jsonl"
    );
    let desk = assembly::desk(settings).await?;
    let trials = tried(&desk, &cases).await?;
    let mut rows = Vec::new();
    for trial in &trials {
        let Some(route) = &trial.case.expect.route else { continue };
        let otherwise = otherwise(route, &trial.answer);
        if !as_json && !otherwise.is_empty() {
            output::line(format!("{}: {}", trial.case.id, otherwise.join("; ")))?;
            for reason in trial.answer.decision.reasons() {
                output::line(format!("  because {reason}"))?;
            }
        }
        rows.push(json!({
            "id": trial.case.id,
            "otherwise": otherwise,
            "trace": trial.answer.trace(desk.policy()),
        }));
    }
    let otherwise = |row: &&Value| row["otherwise"].as_array().is_some_and(|list| !list.is_empty());
    let n_wrong = rows.iter().filter(otherwise).count();
    if as_json {
        output::json(&json!({ "cases": rows.len(), "wrong": n_wrong, "results": rows }))?;
    } else {
        output::line(format!("{} of {} routes are as expected", rows.len() - n_wrong, rows.len()))?;
    }
    Ok(if n_wrong == 0 { Verdict::Yes } else { Verdict::No })
}

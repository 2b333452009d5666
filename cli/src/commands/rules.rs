use super::ask::{ensure_index, team_name};
use crate::{Verdict, args, assembly, known, output, progress::counted, settings::Settings};
use anyhow::Context as _;
use bot::{Desk, Inquiry, Lines, Question, contradictions};
use evals::{Case, Trial, inquiry, otherwise, read_cases, try_cases, unknown_facts};
use router::{Explanation, Flaw, Outcome, Policy, Severity, Step, check, explain, uncovered};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

mod next;

use next::Next;

pub(crate) async fn run(
    settings: Settings,
    as_json: bool,
    command: args::Rules,
) -> anyhow::Result<Verdict> {
    match command {
        args::Rules::Check { cases } => check_rules(settings, as_json, &cases).await,
        args::Rules::Explain(wanted) => explain_one(settings, as_json, wanted).await,
        args::Rules::Test { cases } => test(settings, as_json, &cases).await,
        args::Rules::Backtest(wanted) => super::backtest::run(settings, as_json, wanted).await,
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
    mut settings: Settings,
    as_json: bool,
    files: &[PathBuf],
) -> anyhow::Result<Verdict> {
    let cases = cases_of(&settings.root, files)?;
    must_state_facts(&cases, &settings.playbook.policy)?;
    let mut proof = Proof {
        file: settings.root.join("routing.toml"),
        lines: settings.playbook.lines.clone(),
        flaws: check(&settings.playbook.policy, known::now()),
        left_out: Vec::new(),
        n_cases: cases.len(),
        uncovered: Vec::new(),
    };
    match by_meaning(&mut settings).await {
        Ok(flaws) => proof.flaws.extend(flaws),
        Err(why) => proof.left_out.push((BY_MEANING, format!("{why:#}"))),
    }
    proof.flaws.sort_by_key(|flaw| (line_of(&proof.lines, flaw), flaw.severity));
    match open_cases(settings, &cases).await {
        Ok(Some((flaw, cases))) => {
            proof.flaws.push(flaw);
            proof.uncovered = cases;
        }
        Ok(None) => {}
        // Without a model nothing can be read by meaning, and that is said already.
        Err(why) if !proof.left_out.is_empty() => {
            proof.left_out.push((COVERAGE, format!("{why:#}")));
        }
        Err(failure) => return Err(failure),
    }
    let n_errors = proof.flaws.iter().filter(|flaw| flaw.severity == Severity::Error).count();
    proof.show(as_json)?;
    Ok(if n_errors == 0 { Verdict::Yes } else { Verdict::No })
}

/// Looks for topics whose examples contradict each other by their meaning. What the embedder needs
/// is not fetched for that.
async fn by_meaning(settings: &mut Settings) -> anyhow::Result<Vec<Flaw>> {
    let with_examples = |topic: &&router::Topic| !topic.examples.is_empty();
    if settings.playbook.policy.topics().iter().filter(with_examples).count() < 2 {
        return Ok(Vec::new());
    }
    let pulls = std::mem::replace(&mut settings.config.models.pull_missing, false);
    let embedder = assembly::embedder(settings).await;
    settings.config.models.pull_missing = pulls;
    Ok(contradictions(&settings.playbook, embedder?.as_ref()).await?)
}

/// Proofs that need the embedder.
const BY_MEANING: &str = "whether the examples of topics contradict each other by their meaning";
const COVERAGE: &str = "which conversations no rule, topic or phrase covers";

/// What was found out about the rules.
struct Proof {
    file: PathBuf,
    lines: Lines,
    flaws: Vec<Flaw>,
    /// What was not looked at, and why.
    left_out: Vec<(&'static str, String)>,
    n_cases: usize,
    /// Cases that nothing covers, as their id and their last message.
    uncovered: Vec<(String, String)>,
}

impl Proof {
    fn show(&self, as_json: bool) -> anyhow::Result<()> {
        let Self { file, lines, flaws, left_out, n_cases, uncovered } = self;
        if as_json {
            let rows: Vec<Value> = flaws.iter().map(|flaw| flaw_row(file, lines, flaw)).collect();
            return output::json(&json!({
                "findings": rows,
                "left_out": left_out.iter().map(|(proof, why)| json!({
                    "proof": proof, "why": why,
                })).collect::<Vec<_>>(),
                "cases": n_cases,
                "uncovered": uncovered,
            }));
        }
        for flaw in flaws {
            output::line(flaw_text(file, lines, flaw))?;
        }
        // The first of them is the example.
        for (id, text) in uncovered.iter().skip(1).take(MOST_CASES) {
            output::line(format!("  so too {id}: {text}"))?;
        }
        for (proof, why) in left_out {
            output::line(format!("note: left out: {proof}; {why}"))?;
        }
        if flaws.iter().all(|flaw| flaw.severity == Severity::Note) {
            output::line("no rule is unreachable, contradicts another or leads nowhere")?;
        }
        Ok(())
    }
}

/// Cases that nothing covers and that are written out below the first.
const MOST_CASES: usize = 5;

/// Finds the line of a flaw: that of its rule, or of what else is to be mended.
pub(super) fn line_of(lines: &Lines, flaw: &Flaw) -> Option<usize> {
    let of_key = || lines.of_key(flaw.key.as_deref()?);
    if flaw.line > 0 { Some(flaw.line) } else { of_key() }
}

fn flaw_text(file: &Path, lines: &Lines, flaw: &Flaw) -> String {
    let severity = flaw.severity.name();
    let line = line_of(lines, flaw).map_or(String::new(), |line| format!(":{line}"));
    let mut text = format!("{severity}: {}{line}: {}; {}", file.display(), flaw.what, flaw.mend);
    if let Some(example) = &flaw.example {
        text.push_str(&format!("\n  for example: {example}"));
    }
    text
}

fn flaw_row(file: &Path, lines: &Lines, flaw: &Flaw) -> Value {
    let example = flaw.example.as_ref().map(|example| {
        let facts: BTreeMap<&str, String> =
            example.facts.iter().map(|(name, value)| (name.as_str(), value.to_string())).collect();
        json!({ "facts": facts, "fires": example.fires })
    });
    json!({
        "severity": flaw.severity.name(),
        "file": file.display().to_string(),
        "line": line_of(lines, flaw),
        "rule": flaw.rule,
        "what": flaw.what,
        "mend": flaw.mend,
        "example": example,
    })
}

/// Finds the cases about which the rules know nothing but the fallback team; without cases, whether
/// there can be such conversations.
async fn open_cases(
    settings: Settings,
    cases: &[Case],
) -> anyhow::Result<Option<(Flaw, Vec<(String, String)>)>> {
    if cases.is_empty() {
        let found = uncovered(&settings.playbook.policy, &[]);
        return Ok(found.map(|found| (found.flaw, Vec::new())));
    }
    let desk = assembly::desk(settings).await?;
    let mut conversations = Vec::with_capacity(cases.len());
    for case in cases {
        conversations.push(desk.observe(&inquiry(case, desk.policy())).await);
    }
    let Some(found) = uncovered(desk.policy(), &conversations) else { return Ok(None) };
    let cases = found.places.iter().filter_map(|place| cases.get(*place)).map(|case| {
        let text = case.messages.last().map_or("", |message| message.text.as_str());
        (case.id.clone(), text.chars().take(100).collect())
    });
    let cases = cases.collect();
    Ok(Some((found.flaw, cases)))
}

async fn explain_one(
    settings: Settings,
    as_json: bool,
    wanted: args::Explain,
) -> anyhow::Result<Verdict> {
    let cases = if wanted.cases.is_empty() { Vec::new() } else { read_cases(&wanted.cases)? };
    let desk = assembly::desk(settings).await?;
    ensure_index(desk.library()).await?;
    must_state_facts(&cases, desk.policy())?;
    let inquiry = if wanted.cases.is_empty() {
        let context = known::context(desk.policy(), &wanted.known)?;
        let question = Question::new(wanted.message);
        Inquiry { question, reader: wanted.known.reader.into(), context }
    } else {
        let case = cases.iter().find(|case| case.id == wanted.message);
        let case = case.with_context(|| format!("no case has the id {:?}", wanted.message))?;
        inquiry(case, desk.policy())
    };
    let answer = desk.answer(&inquiry).await;
    let explanation = explain(desk.policy(), &answer.facts, &answer.finding);
    let next = Next::of(desk.playbook(), &answer, inquiry.context.now);
    if as_json {
        let steps: Vec<Value> = explanation.steps.iter().map(step_row).collect();
        let trace = answer.trace(desk.policy());
        let next = next.map(|next| next.json());
        output::json(&json!({ "steps": steps, "trace": trace, "next": next }))?;
    } else {
        let next = next.map(|next| next.text()).unwrap_or_default();
        output::line(explanation_text(&explanation, desk.policy()) + &next)?;
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

/// A rule that does not exist never fires, so that an expectation that it does not would always be
/// met.
fn must_name_rules(cases: &[Case], policy: &Policy) -> anyhow::Result<()> {
    let known: Vec<&str> = policy.rule_names().collect();
    let routes = cases.iter().filter_map(|case| Some((case, case.expect.route.as_ref()?)));
    let named = routes.flat_map(|(case, route)| {
        route.rule.iter().chain(&route.not_rules).map(move |rule| (case, rule))
    });
    let unknown = named.filter(|(_, rule)| !known.contains(&rule.as_str()));
    let faults: Vec<String> = unknown
        .map(|(Case { id, place: (file, line), .. }, rule)| {
            let file = file.display();
            format!("{file}:{line}: case {id:?}: expect.route names rule {rule:?}, which does not exist; write its name as in routing.toml")
        })
        .collect();
    anyhow::ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

async fn test(settings: Settings, as_json: bool, files: &[PathBuf]) -> anyhow::Result<Verdict> {
    let mut cases = cases_of(&settings.root, files)?;
    cases.retain(|case| case.expect.route.is_some());
    anyhow::ensure!(
        !cases.is_empty(),
        "no case expects a route; write one such as {{\"id\": \"vip\", \"messages\": [{{\"author\": \"customer\", \"text\": \"…\"}}], \"expect\": {{\"route\": {{\"team\": \"sales\"}}}}}} into cases/routes.jsonl"
    );
    must_name_rules(&cases, &settings.playbook.policy)?;
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

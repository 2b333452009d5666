//! What the past says about the articles: what is missing, said twice, unused, and what an edit
//! changes.

mod gaps;
mod impact;

use super::{
    ask::ensure_index,
    past::{Past, People, followed},
};
use crate::{Verdict, args, assembly, output, progress::counted, settings::Settings};
use bot::{Answer, Desk, Inquiry, finding_of};
use evals::{Twins, read_cases, redact::Names, try_cases, twins};
use knowledge::{ArticleCard, Knowledge};
use router::{Finding, Reply};
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::PathBuf};

pub(crate) async fn run(
    settings: Settings,
    as_json: bool,
    command: args::Articles,
) -> anyhow::Result<Verdict> {
    match command {
        args::Articles::Gaps(wanted) => gaps::run(settings, as_json, wanted).await,
        args::Articles::Twins { alike } => show_twins(&settings, as_json, alike as f32).await,
        args::Articles::Unused { past } => unused(settings, as_json, &past).await,
        args::Articles::Impact { file, past } => impact::run(settings, as_json, &file, &past).await,
    }
}

/// A question of the past, with what came of it and what people did.
struct Asked {
    id: String,
    question: String,
    /// What the path found out; `None` where that was not kept.
    finding: Option<Finding>,
    act: String,
    /// Ids of the articles that were found, best first.
    articles: Vec<String>,
    /// Ids of the articles that the draft rests on.
    sources: Vec<String>,
    /// What a teammate answered.
    reply: Option<String>,
    /// Whether a teammate found the answer wrong.
    wrong: bool,
    /// Who took part, to take their names out.
    names: Names,
    /// As the desk would hear of it again.
    inquiry: Inquiry,
}

/// Reads what was asked: of cases by what the desk makes of them now, of what it keeps by what it
/// made of them then.
async fn asked(
    settings: &Settings,
    desk: &Desk,
    wanted: &args::Past,
) -> anyhow::Result<Vec<Asked>> {
    if wanted.cases.is_empty() {
        let past = Past::read(settings, wanted.since.since).await?;
        let people = People::of(settings, &past).await?;
        return Ok(kept(desk, &past, &people));
    }
    of_cases(desk, &wanted.cases).await
}

fn kept(desk: &Desk, past: &Past, people: &People) -> Vec<Asked> {
    let asked = past.judged.iter().filter_map(|judged| {
        let recalled = past.recalled(judged)?;
        let followed = followed(past, judged);
        let decided = &judged.decided.decided;
        let would = decided.trace.get("act").and_then(Value::as_str);
        let basis = decided.basis.iter().flat_map(|basis| &basis.articles);
        let sources = decided.sources.iter().map(|source| source.article.clone());
        Some(Asked {
            id: judged.decided.id.to_string(),
            question: recalled.question().last().to_string(),
            finding: finding_of(decided),
            act: would.unwrap_or(&decided.act).to_string(),
            articles: basis.map(|article| article.id.clone()).collect(),
            sources: sources.collect(),
            wrong: followed.wrong
                || judged.label.as_ref().is_some_and(|l| l.verdict == store::Verdict::Wrong),
            reply: followed.sent.or(followed.reply),
            names: people.names(judged),
            inquiry: recalled.inquiry(desk),
        })
    });
    asked.collect()
}

async fn of_cases(desk: &Desk, files: &[PathBuf]) -> anyhow::Result<Vec<Asked>> {
    let cases = read_cases(files)?;
    let knowledge = desk.library().knowledge()?;
    let at_once = std::thread::available_parallelism().map_or(1, usize::from);
    let bar = counted("cases", cases.len() as u64);
    let trials =
        try_cases(desk, &knowledge, &cases, at_once, &|done| bar.set_position(done as u64)).await?;
    bar.finish_and_clear();
    let asked = trials.into_iter().map(|trial| {
        let Answer { decision, finding, draft, articles, .. } = trial.answer;
        let cited = draft.into_iter().flat_map(|draft| draft.citations);
        Asked {
            id: trial.case.id.clone(),
            question: trial.case.messages.last().map_or(String::new(), |m| m.text.clone()),
            finding: Some(finding),
            act: decision.act().name().to_string(),
            articles,
            sources: cited.map(|cited| cited.article).collect(),
            reply: trial.case.expect.answer.clone(),
            wrong: false,
            names: Names::default(),
            inquiry: evals::inquiry(trial.case, desk.policy()),
        }
    });
    Ok(asked.collect())
}

/// Says where an article stands.
fn place(card: Option<&ArticleCard>) -> String {
    card.map_or(String::new(), |card| format!("{} ({})", card.title, card.path.display()))
}

async fn show_twins(settings: &Settings, as_json: bool, alike: f32) -> anyhow::Result<Verdict> {
    let library = assembly::library(settings).await?;
    ensure_index(&library).await?;
    let knowledge = library.knowledge()?;
    let found = twins(&knowledge, alike);
    if as_json {
        let rows: Vec<Value> = found.iter().map(|twins| twins_row(&knowledge, twins)).collect();
        output::json(&json!({"passages": knowledge.passages().len(), "twins": rows}))?;
        return Ok(Verdict::Yes);
    }
    for of in &found {
        let (one, other) = (side(&knowledge, of.passages.0), side(&knowledge, of.passages.1));
        match &of.only_in {
            Some((ours, theirs)) => output::line(format!(
                "may contradict: {} and {}\n  {one}\n  {other}",
                ours.join(", "),
                theirs.join(", ")
            ))?,
            None => output::line(format!(
                "say nearly the same (cosine {:.2})\n  {one}\n  {other}",
                of.cosine
            ))?,
        }
    }
    let n_against = found.iter().filter(|twins| twins.only_in.is_some()).count();
    output::line(format!(
        "{} pairs among {} passages; {n_against} may contradict each other",
        found.len(),
        knowledge.passages().len()
    ))?;
    Ok(Verdict::Yes)
}

fn card(knowledge: &Knowledge, passage: usize) -> Option<&ArticleCard> {
    knowledge.articles().get(knowledge.passages().get(passage)?.article)
}

fn side(knowledge: &Knowledge, passage: usize) -> String {
    let text = knowledge.passages().get(passage).map_or("", |passage| passage.text.as_str());
    let start: String = text.split_whitespace().take(14).collect::<Vec<_>>().join(" ");
    format!("{}: {start} …", place(card(knowledge, passage)))
}

fn twins_row(knowledge: &Knowledge, twins: &Twins) -> Value {
    let side = |number: usize| {
        let text = knowledge.passages().get(number).map(|passage| passage.text.as_str());
        json!({"article": card(knowledge, number).map(|card| card.id.as_str()), "text": text})
    };
    let sides = [side(twins.passages.0), side(twins.passages.1)];
    let only_in = twins.only_in.as_ref().map(|(ours, theirs)| json!([ours, theirs]));
    let cosine = (f64::from(twins.cosine) * 1000.0).round() / 1000.0;
    json!({"passages": sides, "cosine": cosine, "shared_words": twins.shared, "numbers": only_in})
}

async fn unused(settings: Settings, as_json: bool, wanted: &args::Past) -> anyhow::Result<Verdict> {
    let desk = assembly::desk(Settings::read(&settings.root)?).await?;
    ensure_index(desk.library()).await?;
    let asked = asked(&settings, &desk, wanted).await?;
    let (mut used, mut found) = (BTreeMap::new(), BTreeMap::new());
    for one in &asked {
        for (names, counts) in [(&one.sources, &mut used), (&one.articles, &mut found)] {
            let mut names: Vec<&str> = names.iter().take(10).map(String::as_str).collect();
            names.sort_unstable();
            names.dedup();
            names.into_iter().for_each(|name| *counts.entry(name).or_insert(0_usize) += 1);
        }
    }
    let knowledge = desk.library().knowledge()?;
    let is_unused = |card: &&ArticleCard| !used.contains_key(card.id.as_str());
    let mut cards: Vec<&ArticleCard> = knowledge.articles().iter().filter(is_unused).collect();
    let n_found = |card: &ArticleCard| found.get(card.id.as_str()).copied().unwrap_or(0);
    cards.sort_by_key(|card| n_found(card));
    if as_json {
        let row = |card: &&ArticleCard| json!({"article": card.id, "title": card.title, "found": n_found(card)});
        output::json(&json!({
            "questions": asked.len(),
            "articles": knowledge.articles().len(),
            "unused": cards.iter().map(row).collect::<Vec<_>>(),
        }))?;
        return Ok(Verdict::Yes);
    }
    for card in &cards {
        output::line(format!("{:>6} times found  {}", n_found(card), place(Some(card))))?;
    }
    output::line(format!(
        "no draft for {} questions rested on {} of {} articles",
        asked.len(),
        cards.len(),
        knowledge.articles().len()
    ))?;
    Ok(Verdict::Yes)
}

/// Whether an act leaves the question to people.
fn is_for_people(act: &str) -> bool {
    matches!(act, "handoff" | "draft" | "offer")
}

/// Whether the draft goes to the customer.
fn is_reply(answer: &Answer) -> bool {
    *answer.decision.act() == router::Act::Reply(Reply::Draft)
}

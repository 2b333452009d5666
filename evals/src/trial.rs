use crate::case::Case;
use anyhow::Context;
use bot::{Answer, Context as Known, Desk, Inquiry, Question};
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use knowledge::{Knowledge, Reader};
use router::Policy;
use serde_json::Value;
use std::collections::BTreeSet;

/// One case with what the desk made of it.
#[derive(Debug)]
pub struct Trial<'a> {
    /// The case.
    pub case: &'a Case,
    /// What came of it.
    pub answer: Answer,
    /// Ids of the gold articles as the index names them.
    pub gold: Vec<String>,
}

/// Runs all cases through the path that serves customers, `at_once` at a time; `progress` hears
/// how many are done. The trials come back in the order of the cases.
///
/// # Errors
/// When a case makes the path panic, which is a defect of ours.
pub async fn try_cases<'a>(
    desk: &Desk,
    knowledge: &Knowledge,
    cases: &'a [Case],
    at_once: usize,
    progress: &(dyn Fn(usize) + Sync),
) -> anyhow::Result<Vec<Trial<'a>>> {
    let asked = cases.iter().map(|case| Asked { case, without: Vec::new() });
    let answers = answers(desk, asked, at_once, progress).await?;
    let trials = cases.iter().zip(answers);
    Ok(trials.map(|(case, answer)| Trial { case, answer, gold: gold(case, knowledge) }).collect())
}

/// Runs cases through the path that serves customers, `at_once` at a time, and hands each to `keep`
/// as soon as it is done, in whatever order they end.
///
/// # Errors
/// When a case makes the path panic, which is a defect of ours, and what `keep` fails with.
pub async fn try_each<'a>(
    desk: &Desk,
    knowledge: &Knowledge,
    cases: impl Iterator<Item = &'a Case>,
    at_once: usize,
    keep: &mut dyn FnMut(&Trial<'a>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let tasks = cases.map(|case| async move {
        let answer = answer(desk, &Asked { case, without: Vec::new() }).await?;
        Ok::<_, anyhow::Error>(Trial { case, answer, gold: gold(case, knowledge) })
    });
    let mut running = stream::iter(tasks).buffer_unordered(at_once.max(1));
    while let Some(trial) = running.next().await {
        keep(&trial?)?;
    }
    Ok(())
}

/// A case to ask, and the numbers of the articles to ask it without.
pub(crate) struct Asked<'a> {
    pub(crate) case: &'a Case,
    pub(crate) without: Vec<usize>,
}

/// Asks the desk, each question in a task of its own, and returns the answers in order.
pub(crate) async fn answers<'a>(
    desk: &Desk,
    asked: impl Iterator<Item = Asked<'a>>,
    at_once: usize,
    progress: &(dyn Fn(usize) + Sync),
) -> anyhow::Result<Vec<Answer>> {
    let tasks = asked.map(|asked| async move { answer(desk, &asked).await });
    let mut answers = Vec::new();
    let mut running = stream::iter(tasks).buffered(at_once.max(1));
    while let Some(answer) = running.next().await {
        answers.push(answer?);
        progress(answers.len());
    }
    Ok(answers)
}

/// Asks the desk in a task of its own.
async fn answer(desk: &Desk, Asked { case, without }: &Asked<'_>) -> anyhow::Result<Answer> {
    let (inquiry, without) = (inquiry(case, desk.policy()), without.clone());
    let task = {
        let desk = desk.clone();
        async move { desk.answer_without(&inquiry, &without).await }
    };
    let id = &case.id;
    tokio::spawn(task).await.with_context(|| format!("case {id} made the answer path fail"))
}

/// When a case without a time is acted on: a Wednesday morning, so that hours decide alike in
/// every run.
const USUAL_TIME: Timestamp = Timestamp::constant(1_767_780_000, 0);

/// Returns a case as the desk would hear of it. Facts that the rules do not know are left out;
/// [`unknown_facts`] names them.
pub fn inquiry(case: &Case, policy: &Policy) -> Inquiry {
    let stated = case.facts.iter().filter_map(|(name, json)| {
        Some((name.clone(), bot::stated(policy.catalogue(), name, json).ok()?))
    });
    Inquiry {
        question: question(case),
        reader: reader(case),
        context: Known {
            customer: case.customer.clone().unwrap_or_default(),
            channel: case.channel.clone(),
            page: case.page.clone(),
            stated: stated.collect(),
            ..Known::at(case.at.unwrap_or(USUAL_TIME))
        },
    }
}

/// Returns what is wrong with the facts that cases state, each with its place.
pub fn unknown_facts(cases: &[Case], policy: &Policy) -> Vec<String> {
    let stated = cases.iter().flat_map(|case| case.facts.iter().map(move |fact| (case, fact)));
    let faults = stated.filter_map(|(case, (name, json))| {
        let error = bot::stated(policy.catalogue(), name, json).err()?;
        let (file, line) = &case.place;
        Some(format!("{}:{line}: case {:?}: {error}", file.display(), case.id))
    });
    faults.collect()
}

/// Returns what a case asks.
pub(crate) fn question(case: &Case) -> Question {
    Question::after(case.messages.clone())
}

/// Returns who asks, from the attributes `tier`, `plan` and `tags` of the case's customer.
pub(crate) fn reader(case: &Case) -> Reader {
    let attribute = |names: [&str; 2]| -> Vec<String> {
        let customer = case.customer.as_ref();
        let found = names.iter().find_map(|name| customer?.get(*name));
        match found {
            Some(Value::String(one)) => vec![one.clone()],
            Some(Value::Array(many)) => {
                many.iter().filter_map(|value| Some(value.as_str()?.to_string())).collect()
            }
            _ => Vec::new(),
        }
    };
    Reader {
        tiers: attribute(["tier", "tiers"]),
        plans: attribute(["plan", "plans"]),
        tags: attribute(["tag", "tags"]),
        locale: case.locale.clone(),
        drafts: false,
    }
}

/// Returns the names of gold articles that the index does not hold, each once: a mistyped id, or
/// the cases of another desk.
pub fn unknown_articles(cases: &[Case], knowledge: &Knowledge) -> Vec<String> {
    let named = cases.iter().flat_map(|case| &case.expect.articles);
    let unknown: BTreeSet<&String> =
        named.filter(|name| knowledge.article_named(name).is_none()).collect();
    unknown.into_iter().cloned().collect()
}

/// Returns the gold articles under the ids of the index; one that is not there keeps its name.
pub(crate) fn gold(case: &Case, knowledge: &Knowledge) -> Vec<String> {
    let named = |name: &String| match knowledge.article_named(name) {
        Some(number) => {
            knowledge.articles().get(number).map_or_else(|| name.clone(), |a| a.id.clone())
        }
        None => name.clone(),
    };
    case.expect.articles.iter().map(named).collect()
}

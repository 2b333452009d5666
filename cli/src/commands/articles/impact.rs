use super::{asked, is_reply};
use crate::{
    Verdict, args, assembly::Tools, commands::ask::ensure_index, output, progress::counted,
    settings::Settings,
};
use bot::Lookup;
use evals::{Changed, Kind, impact};
use knowledge::Mode;
use serde_json::json;
use std::{collections::BTreeMap, path::Path, sync::Arc};

/// Articles that a draft and its evidence look at; an article further down changes no answer, but
/// for how rare it makes words.
const NEAR: usize = 10;

/// Passages that ten articles fill, even where the best of them fill several places.
const PASSAGES: usize = 60;

/// Changed answers that are shown; all stand in the JSON document.
const SHOWN: usize = 30;

/// Answers what was asked by the present articles and by those with the edit, and shows what
/// changes. Only questions for which the article is found, before or after, are answered.
pub(super) async fn run(
    settings: Settings,
    as_json: bool,
    file: &Path,
    wanted: &args::Past,
) -> anyhow::Result<Verdict> {
    let tools = Tools::open(&settings).await?;
    let desk = tools.desk(Settings::read(&settings.root)?).await?;
    ensure_index(desk.library()).await?;
    let place = tempfile::tempdir()?;
    let edited = tools.library.with_article(file, place.path()).await?;
    let after = tools.over(Arc::new(edited.library));
    let after = after.desk(Settings::read(&settings.root)?).await?;
    let asked = asked(&settings, &desk, wanted).await?;
    let bar = counted("questions", asked.len() as u64);
    let (mut changed, mut n_near, mut n_replies): (Vec<Changed>, _, _) = (Vec::new(), 0, 0);
    for one in &asked {
        bar.inc(1);
        let (question, reader) = (&one.inquiry.question, &one.inquiry.reader);
        let lookup = Lookup { question, reader, mode: Mode::Fused, top: PASSAGES, without: &[] };
        let is_it =
            |articles: &[String]| articles.iter().take(NEAR).any(|id| *id == edited.article);
        if !is_it(&one.articles) && !is_it(&after.library().find(lookup).await?.articles()) {
            continue;
        }
        n_near += 1;
        let (then, now) = (desk.answer(&one.inquiry).await, after.answer(&one.inquiry).await);
        n_replies += usize::from(is_reply(&then));
        changed.extend(impact(&one.id, &one.question, &then, &now));
    }
    bar.finish_and_clear();
    changed.sort_by(|a, b| a.kind.cmp(&b.kind).then(a.id.cmp(&b.id)));
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for one in &changed {
        *kinds.entry(name(one.kind)).or_default() += 1;
    }
    if as_json {
        output::json(&json!({
            "article": edited.article,
            "replaces": edited.replaces,
            "questions": asked.len(),
            "near": n_near,
            "replies_near": n_replies,
            "kinds": kinds,
            "changed": changed,
        }))?;
        return Ok(Verdict::Yes);
    }
    for one in changed.iter().take(SHOWN) {
        output::line(shown(one))?;
    }
    let how = if edited.replaces { "in its new text" } else { "added" };
    output::line(format!(
        "article {:?} {how} is near {n_near} of {} questions; {} answers change",
        edited.article,
        asked.len(),
        changed.len()
    ))?;
    for (kind, n) in kinds {
        output::line(format!("{n:>6}  {kind}"))?;
    }
    Ok(Verdict::Yes)
}

fn shown(one: &Changed) -> String {
    let text: String = one.question.chars().take(80).collect();
    let goes = |act: &str, team: &Option<String>| match team {
        Some(team) => format!("{act} {team}"),
        None => act.to_string(),
    };
    format!(
        "{}: {} → {}, confidence {:.2} → {:.2} ({})\n  {text}",
        one.id,
        goes(&one.act.0, &one.team.0),
        goes(&one.act.1, &one.team.1),
        one.confidence.0,
        one.confidence.1,
        name(one.kind)
    )
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Lost => "reply lost",
        Kind::Gained => "reply gained",
        Kind::Moved => "goes elsewhere",
        Kind::Reworded => "reply reworded",
        Kind::Unseen => "draft or confidence alone",
    }
}

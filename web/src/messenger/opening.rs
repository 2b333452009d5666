use super::{Porch, said::Said, shown, talk::LONGEST_TEXT};
use crate::{Problem, caller::Caller, markdown};
use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    http::header,
    response::IntoResponse,
};
use serde::Deserialize;
use serde_json::{Value, json};

/// Articles that are suggested at most.
const SUGGESTIONS: usize = 3;

/// Text below this, in characters, asks nothing yet.
const SHORTEST_QUESTION: usize = 6;

/// Text above this, in characters, is a letter, which no title answers, and costs the most to embed.
const LONGEST_QUESTION: usize = 600;

/// What a page wants.
#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    /// The locale, such as `de-AT`.
    #[serde(default)]
    locale: String,
}

/// Tells the script what it shows before anybody has said anything: its texts, whether people are
/// there, and what it may send. The same for everybody.
pub(super) async fn config(
    State(porch): State<Porch>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> impl IntoResponse {
    let locale = wanted.map(|Query(wanted)| wanted.locale).unwrap_or_default();
    let settings = &porch.front.settings;
    let desk = porch.front.office.desk();
    // The team that gets what no rule gives to another.
    let people = shown::presence(&desk, desk.policy().fallback_team(), porch.front.office.now());
    let (locale, texts) = settings.texts.nearest(&locale);
    let body = json!({
        "locale": locale,
        "texts": texts,
        "people": people,
        "bot": desk.policy().speaks(),
        "longest_text": LONGEST_TEXT,
    });
    ([(header::CACHE_CONTROL, "public, max-age=60")], Json(body))
}

/// What is being typed.
#[derive(Debug, Deserialize)]
pub(super) struct Typed {
    text: String,
    #[serde(default)]
    locale: Option<String>,
}

/// Finds articles that may answer what is being typed; those that everybody may read. Needs no
/// visit, so that whoever only looks leaves no trace.
pub(super) async fn suggest(
    State(porch): State<Porch>,
    caller: Caller,
    Said(typed): Said<Typed>,
) -> Result<Json<Value>, Problem> {
    let length = typed.text.trim().chars().count();
    if !(SHORTEST_QUESTION..=LONGEST_QUESTION).contains(&length) {
        return Ok(Json(json!({ "articles": [] })));
    }
    let now = porch.front.office.now();
    porch.limits.suggestion(caller.network(), now).map_err(Problem::too_many)?;
    let desk = porch.front.office.desk();
    let found = desk.suggest(&typed.text, typed.locale.as_deref(), SUGGESTIONS).await;
    let found = found.map_err(|failure| Problem::inside(&failure))?;
    let articles = found.iter().filter_map(|article| {
        let url = markdown::web_address(&article.url)?;
        Some(json!({ "title": article.title, "url": url }))
    });
    Ok(Json(json!({ "articles": articles.collect::<Vec<_>>() })))
}

use super::{
    asked::{Asked, Named},
    page::{self, Listed},
};
use crate::{Front, problem::Problem};
use axum::{Json, extract::State};
use bot::{ArticleCard, Lookup, Mode, Question, Reader};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The longest question that is searched for, in bytes.
const MOST_QUESTION_BYTES: usize = 8_000;

pub(super) fn routes() -> OpenApiRouter<Front> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get)).routes(routes!(search))
}

/// An article of the help centre as it is indexed, without its text.
#[derive(Debug, Serialize, ToSchema)]
struct Article {
    /// Its stable name.
    id: String,
    title: String,
    /// Where a customer can read it.
    url: Option<String>,
    /// Language with an optional region, such as `pt-BR`.
    locale: String,
    audience: Audience,
    /// When it was last changed, as its author wrote it.
    updated: Option<String>,
    /// Not yet for customers.
    draft: bool,
}

/// Who may read an article. A kind that is empty asks nothing of the reader; of one that is given,
/// the reader must have at least one value.
#[derive(Debug, Serialize, ToSchema)]
struct Audience {
    tiers: Vec<String>,
    plans: Vec<String>,
    tags: Vec<String>,
}

/// An article with its text.
#[derive(Debug, Serialize, ToSchema)]
struct Whole {
    #[serde(flatten)]
    article: Article,
    /// Its passages, in order.
    passages: Vec<Passage>,
}

/// A part of an article.
#[derive(Debug, Serialize, ToSchema)]
struct Passage {
    /// Headings above it, outermost first.
    heading: Vec<String>,
    /// Its text, without marks.
    text: String,
}

/// A passage that was found.
#[derive(Debug, Serialize, ToSchema)]
struct Hit {
    article: Article,
    passage: Passage,
    /// What the list is ranked by, 0 to 1.
    score: f32,
}

/// Which part of the list is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct After {
    /// Only what comes after the article of this id: the `next` of the page before.
    after: Option<String>,
    /// At most so many, 1 to 100; 20 unless given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

impl From<&ArticleCard> for Article {
    fn from(card: &ArticleCard) -> Self {
        let audience = card.audience.clone();
        Self {
            id: card.id.clone(),
            title: card.title.clone(),
            url: card.url.clone(),
            locale: card.locale.clone(),
            audience: Audience {
                tiers: audience.tiers,
                plans: audience.plans,
                tags: audience.tags,
            },
            updated: card.updated.clone(),
            draft: card.draft,
        }
    }
}

/// Says that the articles cannot be looked at.
fn unusable(error: &bot::Error) -> Problem {
    Problem::inside(error)
}

/// Lists all articles, drafts and those for some customers alone too, in the order of their files.
#[utoipa::path(get, path = "/articles", tag = "articles", params(After),
    security(("token" = ["articles:read"])),
    responses((status = 200, description = "A page of articles.", body = Listed<Article>)))]
async fn list(
    State(front): State<Front>,
    Asked(asked): Asked<After>,
) -> Result<Json<Listed<Article>>, Problem> {
    let limit = usize::try_from(page::limit(asked.limit)?).unwrap_or(usize::MAX);
    let desk = front.office.desk();
    let knowledge = desk.library().knowledge().map_err(|error| unusable(&error))?;
    let articles = knowledge.articles();
    let start = match &asked.after {
        None => 0,
        Some(after) => {
            let place = articles.iter().position(|article| article.id == *after);
            place.ok_or_else(|| Problem::at("after", "there is no article of this id now"))? + 1
        }
    };
    let rest = articles.get(start..).unwrap_or_default();
    let items: Vec<Article> = rest.iter().take(limit).map(Article::from).collect();
    let next = items.last().filter(|_| rest.len() > limit).map(|article| article.id.clone());
    Ok(Json(Listed { items, next }))
}

/// Returns an article with its text.
#[utoipa::path(get, path = "/articles/{id}", tag = "articles",
    params(("id" = String, Path, description = "Its id, with each slash as %2F.")),
    security(("token" = ["articles:read"])),
    responses((status = 200, description = "The article.", body = Whole)))]
async fn get(State(front): State<Front>, Named(id): Named<String>) -> Result<Json<Whole>, Problem> {
    let desk = front.office.desk();
    let knowledge = desk.library().knowledge().map_err(|error| unusable(&error))?;
    let card = knowledge.articles().iter().find(|article| article.id == id);
    let card = card.ok_or_else(|| Problem::not_found("article"))?;
    let passages = knowledge.passages().get(card.passages.clone()).unwrap_or_default();
    let passages = passages
        .iter()
        .map(|passage| Passage { heading: passage.heading.clone(), text: passage.text.clone() });
    Ok(Json(Whole { article: card.into(), passages: passages.collect() }))
}

/// What is searched for, and for whom.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Search {
    /// The question, at most 8,000 bytes.
    query: String,
    /// Language of the reader; articles in it come before equally good ones in others.
    locale: Option<String>,
    /// Tier of the reader; none: only what is open to every tier.
    tier: Option<String>,
    /// Plan of the reader.
    plan: Option<String>,
    /// Tag of the reader.
    tag: Option<String>,
    /// `true`: drafts too.
    #[serde(default)]
    drafts: bool,
    /// At most so many, 1 to 100; 20 unless given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

/// Finds the passages that answer a question, the best first, as the bot does.
///
/// Only what the reader may see is found.
#[utoipa::path(get, path = "/passages", tag = "articles", params(Search),
    security(("token" = ["articles:read"])),
    responses((status = 200, description = "The passages.", body = Listed<Hit>)))]
async fn search(
    State(front): State<Front>,
    Asked(asked): Asked<Search>,
) -> Result<Json<Listed<Hit>>, Problem> {
    if asked.query.trim().is_empty() || asked.query.len() > MOST_QUESTION_BYTES {
        let detail = format!("the query has 1 to {MOST_QUESTION_BYTES} bytes");
        return Err(Problem::at("query", detail));
    }
    let top = usize::try_from(page::limit(asked.limit)?).unwrap_or(usize::MAX);
    let reader = Reader {
        tiers: asked.tier.into_iter().collect(),
        plans: asked.plan.into_iter().collect(),
        tags: asked.tag.into_iter().collect(),
        locale: asked.locale,
        drafts: asked.drafts,
    };
    let question = Question::new(asked.query);
    let (reader, question) = (&reader, &question);
    let lookup = Lookup { question, reader, mode: Mode::Fused, top, without: &[] };
    let desk = front.office.desk();
    let found = desk.library().find(lookup).await.map_err(|error| unusable(&error))?;
    let (articles, passages) = (found.knowledge.articles(), found.knowledge.passages());
    let hits = found.findings.hits.iter().filter_map(|hit| {
        let (article, passage) = (articles.get(hit.article)?, passages.get(hit.passage)?);
        let (heading, text) = (passage.heading.clone(), passage.text.clone());
        let passage = Passage { heading, text };
        Some(Hit { article: article.into(), passage, score: hit.score })
    });
    Ok(Json(Listed { items: hits.collect(), next: None }))
}

use super::{
    lists::Row,
    page::{self, Refusal, show},
    session::SignedIn,
    shell::{Frame, Shell},
};
use crate::Front;
use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use router::{Slug, Status};
use serde::Deserialize;
use store::{Page, Search};

/// Conversations that one page of results shows.
const LIMIT: u32 = 50;

/// The longest search that is read, in letters.
const LONGEST: usize = 200;

#[derive(Template)]
#[template(path = "search.html")]
struct SearchPage {
    shell: Shell,
    q: String,
    status: String,
    team: String,
    tag: String,
    teams: Vec<(String, String)>,
    rows: Vec<Row>,
    asked: bool,
    older: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    q: String,
    status: String,
    team: String,
    tag: String,
    before: Option<String>,
}

impl Asked {
    fn search(&self) -> Search {
        let text = |text: &str| {
            let text: String = text.trim().chars().take(LONGEST).collect();
            Some(text).filter(|text| !text.is_empty())
        };
        Search {
            status: match self.status.as_str() {
                "open" => Some(Status::Open),
                "snoozed" => Some(Status::Snoozed),
                "closed" => Some(Status::Closed),
                _ => None,
            },
            team: Slug::try_from(self.team.clone()).ok(),
            tag: text(&self.tag),
            words: text(&self.q),
            ..Search::default()
        }
    }
}

/// Finds conversations by their words and where they stand.
pub(super) async fn page(
    State(front): State<Front>,
    by: SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let Frame { shell, people, now } = Frame::of(&front, &by, "Search").await?;
    let search = asked.search();
    let narrowed = search != Search::default();
    let part = Page { before: asked.before.clone(), limit: LIMIT };
    let found = match narrowed {
        true => front.office.store().search(&search, &part).await?,
        false => Vec::new(),
    };
    let teams = front.office.desk();
    let teams = teams.policy().teams().iter();
    Ok(show(&SearchPage {
        shell,
        older: page::older(&found, LIMIT, |item| item.record.id),
        rows: found.iter().map(|item| Row::new(item, &people, (None, None), now)).collect(),
        teams: teams.map(|team| (team.slug.to_string(), team.name.clone())).collect(),
        asked: narrowed,
        q: asked.q,
        status: asked.status,
        team: asked.team,
        tag: asked.tag,
    }))
}

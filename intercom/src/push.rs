//! Articles of the desk as pages there, so that the vendor's own AI can quote them.

use crate::{
    client::{ApiError, Class, Client, ExternalPage},
    text,
    wire::{ExternalPageSaved, ImportSource},
};
use std::{collections::BTreeSet, time::Duration};

/// What our ids of pages begin with: only such pages are ever taken back.
const OURS: &str = "frontdesk:";

/// How often a call that may be repeated without harm is tried again.
const N_TRIES: u32 = 4;

/// The first pause between tries, in seconds; each further one doubles.
const FIRST_PAUSE_S: u64 = 1;

/// Pages of a list that are asked for at most; a list that does not end is none.
const MOST_PAGES: usize = 10_000;

/// What is to be shown there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Show<'a> {
    /// The address of the source that the pages belong to; made when there is none.
    pub source_url: &'a str,
    /// The articles.
    pub articles: &'a [Shown<'a>],
    /// Whether pages are taken back whose article is not among them.
    pub may_take_back: bool,
}

/// An article to be shown there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown<'a> {
    /// Its id, by which a later push finds the page again.
    pub id: &'a str,
    /// Its title.
    pub title: &'a str,
    /// What it says, as Markdown.
    pub body: &'a str,
    /// Where customers read it; an address that is not whole is left out.
    pub url: Option<&'a str>,
}

/// What became of the pages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pushed {
    /// Pages that were made or replaced.
    pub n_pushed: usize,
    /// Pages of articles that are gone.
    pub n_deleted: usize,
    /// Articles that the vendor refuses, by id, and why.
    pub refused: Vec<(String, ApiError)>,
    /// Addresses of other sources that hold pages of a desk, such as this one at an earlier address.
    pub elsewhere: BTreeSet<String>,
}

/// Why articles are not shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// The pages there cannot be listed, or the source not be made.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// An article, named by its id, could not be shown.
    #[error("article {0}")]
    Page(String, #[source] ApiError),
    /// The source holds this many pages of somebody else.
    #[error(
        "the source {url} in Intercom holds {n} pages that Frontdesk did not make; remove that \
         source there, or set another server.public_url"
    )]
    Foreign {
        /// Its address.
        url: String,
        /// How many.
        n: usize,
    },
    /// Somebody has switched the source off.
    #[error("the source {0} is deactivated in Intercom; activate or remove it there")]
    Deactivated(String),
}

/// Shows articles there, and takes back pages of its own whose article is gone. A source that holds
/// others' pages is left alone. `told` hears of every page.
///
/// # Errors
/// [`PushError`]; a second time does the rest.
pub async fn push(
    client: &Client,
    show: &Show<'_>,
    told: &(dyn Fn() + Sync),
) -> Result<Pushed, PushError> {
    let client = client.of_class(Class::Background);
    let sources = sources(&client).await?;
    let pages = pages(&client).await?;
    let known = sources.iter().find(|source| source.url == show.source_url);
    if known.is_some_and(|source| source.status == "deactivated") {
        return Err(PushError::Deactivated(show.source_url.to_string()));
    }
    let known = known.map(|source| source.id);
    let before: Vec<&ExternalPageSaved> =
        pages.iter().filter(|page| page.source_id.is_some() && page.source_id == known).collect();
    let n_foreign = before.iter().filter(|page| ours(page).is_none()).count();
    if n_foreign > 0 {
        return Err(PushError::Foreign { url: show.source_url.to_string(), n: n_foreign });
    }
    let source_id = match known {
        Some(id) => id,
        None => client.create_import_source(show.source_url).await?.id,
    };
    let mut pushed =
        Pushed { elsewhere: elsewhere(&sources, &pages, source_id), ..Pushed::default() };
    for article in show.articles {
        match put(&client, article, source_id).await {
            Ok(()) => pushed.n_pushed += 1,
            Err(refused @ ApiError::Invalid { .. }) => {
                pushed.refused.push((article.id.to_string(), refused));
            }
            Err(failure) => return Err(PushError::Page(article.id.to_string(), failure)),
        }
        told();
    }
    let wanted: BTreeSet<&str> = show.articles.iter().map(|article| article.id).collect();
    let is_gone = |page: &ExternalPageSaved| ours(page).is_some_and(|id| !wanted.contains(id));
    for page in before.into_iter().filter(|page| show.may_take_back && is_gone(page)) {
        match client.delete_page(&page.id).await {
            Ok(_) | Err(ApiError::NotFound { .. }) => pushed.n_deleted += 1,
            Err(failure) => return Err(failure.into()),
        }
    }
    Ok(pushed)
}

/// Returns the id of the article that a page of ours shows.
fn ours(page: &ExternalPageSaved) -> Option<&str> {
    page.external_id.as_deref()?.strip_prefix(OURS)
}

async fn put(client: &Client, article: &Shown<'_>, source_id: u64) -> Result<(), ApiError> {
    let html = text::from_markdown(article.body);
    let external_id = format!("{OURS}{}", article.id);
    let is_whole = |url: &&str| url.starts_with("https://") || url.starts_with("http://");
    let page = ExternalPage {
        source_id,
        external_id: &external_id,
        title: article.title,
        html: &html,
        url: article.url.filter(is_whole),
        for_customers: true,
        for_teammates: true,
    };
    let (mut n_tried, mut pause_s) = (1, FIRST_PAUSE_S);
    loop {
        match client.push_page(&page).await {
            // The same page again replaces itself, so trying again does no harm.
            Err(failure) if failure.may_pass() && n_tried < N_TRIES => {
                tokio::time::sleep(Duration::from_secs(pause_s)).await;
                (n_tried, pause_s) = (n_tried + 1, pause_s * 2);
            }
            done => return done.map(drop),
        }
    }
}

/// Finds sources besides one that hold pages of ours.
fn elsewhere(
    sources: &[ImportSource],
    pages: &[ExternalPageSaved],
    source_id: u64,
) -> BTreeSet<String> {
    let others = sources.iter().filter(|source| source.id != source_id);
    let holds = |source: &&ImportSource| {
        pages.iter().any(|page| page.source_id == Some(source.id) && ours(page).is_some())
    };
    others.filter(holds).map(|source| source.url.clone()).collect()
}

/// Lists the sources whose pages come through the interface.
async fn sources(client: &Client) -> Result<Vec<ImportSource>, ApiError> {
    let (mut sources, mut cursor) = (Vec::new(), None);
    for _ in 0..MOST_PAGES {
        let page = client.import_sources(cursor.as_ref()).await?;
        sources.extend(page.items.into_iter().filter(|source| source.sync_behavior == "api"));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    Ok(sources)
}

async fn pages(client: &Client) -> Result<Vec<ExternalPageSaved>, ApiError> {
    let (mut pages, mut cursor) = (Vec::new(), None);
    for _ in 0..MOST_PAGES {
        let page = client.pushed_pages(cursor.as_ref()).await?;
        pages.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    Ok(pages)
}

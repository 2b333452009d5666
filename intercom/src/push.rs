//! Articles of the desk as pages there, so that the vendor's own AI can quote them.

use crate::{
    client::{ApiError, Class, Client, ExternalPage},
    text,
    wire::ExternalPageSaved,
};
use std::{collections::BTreeSet, time::Duration};

/// How often a call that may be repeated without harm is tried again.
const N_TRIES: u32 = 4;

/// The first pause between tries, in seconds; each further one doubles.
const FIRST_PAUSE_S: u64 = 1;

/// An article to be shown there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown<'a> {
    /// Its id, by which a later push finds the page again.
    pub id: &'a str,
    /// Its title.
    pub title: &'a str,
    /// What it says, as Markdown.
    pub body: &'a str,
    /// Where customers read it.
    pub url: Option<&'a str>,
}

/// What became of the pages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pushed {
    /// Pages that were made or replaced.
    pub n_pushed: usize,
    /// Pages of articles that are gone.
    pub n_deleted: usize,
}

/// Shows articles there as pages of the source with the address `url`, which is made when there is
/// none, and takes back the pages of that source whose article is not among them. `told` hears of
/// every page.
///
/// # Errors
/// [`ApiError`]; a second time does the rest.
pub async fn push(
    client: &Client,
    url: &str,
    articles: &[Shown<'_>],
    told: &(dyn Fn() + Sync),
) -> Result<Pushed, ApiError> {
    let client = client.of_class(Class::Background);
    let source_id = source(&client, url).await?;
    let before = pages_of(&client, source_id).await?;
    let mut pushed = Pushed::default();
    for article in articles {
        let html = text::from_markdown(article.body);
        let page = ExternalPage {
            source_id,
            external_id: article.id,
            title: article.title,
            html: &html,
            url: article.url,
            for_customers: true,
            for_teammates: true,
        };
        let mut pause_s = FIRST_PAUSE_S;
        for n_tried in 1.. {
            match client.push_page(&page).await {
                // The same page again replaces itself, so trying again does no harm.
                Err(failure) if failure.may_pass() && n_tried < N_TRIES => {
                    tokio::time::sleep(Duration::from_secs(pause_s)).await;
                    pause_s *= 2;
                }
                done => {
                    done?;
                    break;
                }
            }
        }
        pushed.n_pushed += 1;
        told();
    }
    let wanted: BTreeSet<&str> = articles.iter().map(|article| article.id).collect();
    for page in before {
        let is_gone = page.external_id.as_deref().is_some_and(|id| !wanted.contains(id));
        if !is_gone {
            continue;
        }
        match client.delete_page(&page.id).await {
            Ok(_) | Err(ApiError::NotFound { .. }) => pushed.n_deleted += 1,
            Err(failure) => return Err(failure),
        }
    }
    Ok(pushed)
}

/// Finds the source of an address, or makes it.
async fn source(client: &Client, url: &str) -> Result<u64, ApiError> {
    let mut cursor = None;
    loop {
        let page = client.import_sources(cursor.as_ref()).await?;
        let same = page.items.iter().find(|one| one.sync_behavior == "api" && one.url == url);
        if let Some(found) = same {
            return Ok(found.id);
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    Ok(client.create_import_source(url).await?.id)
}

async fn pages_of(client: &Client, source_id: u64) -> Result<Vec<ExternalPageSaved>, ApiError> {
    let (mut pages, mut cursor) = (Vec::new(), None);
    loop {
        let page = client.pushed_pages(cursor.as_ref()).await?;
        pages.extend(page.items.into_iter().filter(|page| page.source_id == Some(source_id)));
        cursor = page.next;
        if cursor.is_none() {
            return Ok(pages);
        }
    }
}

//! Calls about articles, and about pages that are pushed to Intercom.

use super::{
    ApiError, Client, Version,
    people::position,
    request::{ExternalPageBody, ImportSourceBody},
};
use crate::wire::{Article, Cursor, ExternalId, ExternalPageSaved, ImportSource, Page};
use reqwest::Method;

/// The one language in which the vendor takes pages.
const LOCALE: &str = "en";

/// The version that articles are read in, whichever the client speaks: the first that says who may
/// read an article.
const WITH_AUDIENCE: Version = Version::V2_16;

/// A page that is pushed to Intercom, so that the vendor's own AI can quote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExternalPage<'a> {
    /// Where it comes from, see [`Client::create_import_source`].
    pub source_id: u64,
    /// Our id of it; the same id again replaces the page.
    pub external_id: &'a str,
    /// Its title.
    pub title: &'a str,
    /// What it says, in HTML. The vendor takes English alone.
    pub html: &'a str,
    /// Where customers can read it.
    pub url: Option<&'a str>,
    /// Whether the vendor's AI may answer customers with it.
    pub for_customers: bool,
    /// Whether the vendor's AI may show it to teammates.
    pub for_teammates: bool,
}

impl Client {
    /// Lists articles, the last changed first: `GET /articles`, in version 2.16.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn articles(&self, from: Option<&Cursor>) -> Result<Page<Article>, ApiError> {
        let from = position(from);
        let query: Vec<(&str, &str)> = from.iter().map(|(key, at)| (*key, at.as_str())).collect();
        self.read_in(WITH_AUDIENCE, &["articles"], &query).await
    }

    /// Reads an article: `GET /articles/{id}`, in version 2.16.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn article(&self, id: &ExternalId) -> Result<Article, ApiError> {
        self.read_in(WITH_AUDIENCE, &["articles", id.as_str()], &[]).await
    }

    /// Lists where pushed pages come from: `GET /ai/content_import_sources`.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn import_sources(
        &self,
        from: Option<&Cursor>,
    ) -> Result<Page<ImportSource>, ApiError> {
        let from = position(from);
        let query: Vec<(&str, &str)> = from.iter().map(|(key, at)| (*key, at.as_str())).collect();
        self.read(&["ai", "content_import_sources"], &query).await
    }

    /// Creates a source of pushed pages; a second time makes a second one, so look before:
    /// `POST /ai/content_import_sources`.
    ///
    /// # Errors
    /// [`ApiError`]. Never repeated inside.
    pub async fn create_import_source(&self, url: &str) -> Result<ImportSource, ApiError> {
        let body = ImportSourceBody { sync_behavior: "api", url };
        self.change(Method::POST, &["ai", "content_import_sources"], Some(&body)).await
    }

    /// Pushes a page, or replaces it: `POST /ai/external_pages`.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn push_page(&self, page: &ExternalPage<'_>) -> Result<ExternalPageSaved, ApiError> {
        let body = ExternalPageBody {
            title: page.title,
            html: page.html,
            url: page.url,
            ai_agent_availability: page.for_customers,
            ai_copilot_availability: page.for_teammates,
            locale: LOCALE,
            source_id: page.source_id,
            external_id: page.external_id,
        };
        self.change(Method::POST, &["ai", "external_pages"], Some(&body)).await
    }

    /// Lists the pages that were pushed: `GET /ai/external_pages`.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn pushed_pages(
        &self,
        from: Option<&Cursor>,
    ) -> Result<Page<ExternalPageSaved>, ApiError> {
        let from = position(from);
        let query: Vec<(&str, &str)> = from.iter().map(|(key, at)| (*key, at.as_str())).collect();
        self.read(&["ai", "external_pages"], &query).await
    }

    /// Takes a pushed page back, by the vendor's id: `DELETE /ai/external_pages/{id}`.
    ///
    /// # Errors
    /// [`ApiError`]; [`ApiError::NotFound`] when it is gone.
    pub async fn delete_page(&self, id: &ExternalId) -> Result<ExternalPageSaved, ApiError> {
        let path = ["ai", "external_pages", id.as_str()];
        self.change(Method::DELETE, &path, None::<&()>).await
    }
}

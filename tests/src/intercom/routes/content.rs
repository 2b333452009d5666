//! The articles of the help centre, and the pages that Fin is given to read.

use crate::intercom::{
    Article, ExternalPage, ImportSource, Json, Refusal, Version, people::number, request::Request,
    workspace::Workspace,
};
use serde_json::json;

pub(super) fn answer(
    workspace: &mut Workspace,
    request: &Request,
    segments: &[&str],
) -> Result<Json, Refusal> {
    let version = request.version;
    match (request.method.as_str(), segments) {
        ("GET", ["articles"]) => {
            let mut articles: Vec<&Article> = workspace.articles.iter().collect();
            articles.sort_by_key(|article| std::cmp::Reverse((article.updated_at, &article.id)));
            let shown = articles.iter().map(|article| article.json(workspace, version));
            page(request, 25, &shown.collect::<Vec<_>>())
        }
        ("GET", ["articles", id]) => {
            let article = workspace.articles.iter().find(|article| article.id == *id);
            let article = article.ok_or_else(Refusal::not_found)?;
            let mut shown = article.json(workspace, version);
            shown["statistics"] = json!({
                "type": "article_statistics", "views": 0, "conversations": 0, "reactions": 0,
                "happy_reaction_percentage": 0, "neutral_reaction_percentage": 0,
                "sad_reaction_percentage": 0,
            });
            Ok(shown)
        }
        ("GET", ["ai", "content_import_sources"]) => {
            let sources = workspace.sources.iter().map(|source| source.json(version));
            page(request, 50, &sources.collect::<Vec<_>>())
        }
        ("GET", ["ai", "content_import_sources", id]) => {
            let source = workspace.sources.iter().find(|source| source.id.to_string() == *id);
            Ok(source.ok_or_else(Refusal::not_found)?.json(version))
        }
        ("POST", ["ai", "content_import_sources"]) => create_source(workspace, request),
        ("GET", ["ai", "external_pages"]) => {
            let pages: Vec<Json> = workspace.pages.iter().rev().map(ExternalPage::json).collect();
            page(request, 50, &pages)
        }
        ("GET", ["ai", "external_pages", id]) => {
            let page = workspace.pages.iter().find(|page| page.id == *id);
            Ok(page.ok_or_else(Refusal::not_found)?.json())
        }
        ("POST", ["ai", "external_pages"]) => upsert_page(workspace, request),
        _ => Err(Refusal::not_found()),
    }
}

/// Removes a source, which answers with nothing, or a page, which answers with itself.
pub(super) fn remove(workspace: &mut Workspace, request: &Request) -> Result<(u16, Json), Refusal> {
    let segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    match segments[..] {
        ["ai", "content_import_sources", id] => {
            let place = workspace.sources.iter().position(|known| known.id.to_string() == id);
            let source = workspace.sources.remove(place.ok_or_else(Refusal::not_found)?);
            workspace.pages.retain(|page| page.source_id != source.id);
            Ok((204, Json::Null))
        }
        ["ai", "external_pages", id] => {
            let place = workspace.pages.iter().position(|known| known.id == id);
            let page = workspace.pages.remove(place.ok_or_else(Refusal::not_found)?);
            Ok((200, page.json()))
        }
        _ => Err(Refusal::not_found()),
    }
}

/// Cuts a numbered page out of a list.
fn page(request: &Request, default: usize, all: &[Json]) -> Result<Json, Refusal> {
    let per_page = request.count("per_page", default, 250)?;
    let number = request.count("page", 1, usize::MAX)?;
    let n_pages = all.len().div_ceil(per_page).max(1);
    let data: Vec<&Json> =
        all.iter().skip(per_page.saturating_mul(number - 1)).take(per_page).collect();
    let mut pages =
        json!({ "type": "pages", "page": number, "per_page": per_page, "total_pages": n_pages });
    if number < n_pages {
        let path = request.segments.join("/");
        let next = number + 1;
        let next = format!("https://api.intercom.io/{path}?page={next}&per_page={per_page}");
        let list = json!({ "per_page": per_page, "starting_after": null });
        pages["next"] = if path == "articles" { list } else { json!(next) };
    }
    Ok(json!({ "type": "list", "pages": pages, "total_count": all.len(), "data": data }))
}

fn create_source(workspace: &mut Workspace, request: &Request) -> Result<Json, Refusal> {
    request.one_of("sync_behavior", &["api"])?;
    let status = match request.may_text("status")? {
        None => "active",
        Some(_) => request.one_of("status", &["active", "deactivated"])?,
    };
    let source = ImportSource {
        id: i64::try_from(30 + workspace.next()).unwrap_or(i64::MAX),
        url: request.text("url")?.into(),
        status: status.into(),
        created_at: workspace.now,
    };
    workspace.sources.push(source.clone());
    Ok(source.json(request.version))
}

/// Makes a page, or changes the one that has the same source and external id.
fn upsert_page(workspace: &mut Workspace, request: &Request) -> Result<Json, Refusal> {
    let source_id = request.integer("source_id")?;
    if !workspace.sources.iter().any(|source| source.id == source_id) {
        return Err(Refusal::not_found());
    }
    let external_id = request.text("external_id")?.to_string();
    request.one_of("locale", &["en"])?;
    let (title, html) = (request.text("title")?.to_string(), request.text("html")?.to_string());
    let url = request.may_text("url")?.map(str::to_string);
    let for_agent = request.may_truth("ai_agent_availability")?;
    let for_copilot = request.may_truth("ai_copilot_availability")?;
    let (now, id) = (workspace.now, (20 + workspace.next()).to_string());
    let same =
        |page: &&mut ExternalPage| page.source_id == source_id && page.external_id == external_id;
    if let Some(page) = workspace.pages.iter_mut().find(same) {
        page.title = title;
        page.html = html;
        page.url = url;
        page.for_agent = for_agent.unwrap_or(page.for_agent);
        page.for_copilot = for_copilot.unwrap_or(page.for_copilot);
        page.updated_at = now;
        return Ok(page.json());
    }
    let page = ExternalPage {
        id,
        source_id,
        external_id,
        title,
        html,
        url,
        for_agent: for_agent.unwrap_or(false),
        for_copilot: for_copilot.unwrap_or(false),
        created_at: now,
        updated_at: now,
    };
    workspace.pages.push(page.clone());
    Ok(page.json())
}

impl Article {
    fn json(&self, workspace: &Workspace, version: Version) -> Json {
        let author = workspace.admins.first().map(|admin| number(&admin.id));
        let url = format!("http://help-center.test/vannerly/{}/articles/{}", self.locale, self.id);
        let mut article = json!({
            "id": self.id, "type": "article", "workspace_id": workspace.app_id,
            "parent_ids": [], "tags": { "type": "tag.list", "tags": [] }, "title": self.title,
            "description": "", "body": self.body, "author_id": author, "state": self.state,
            "created_at": self.created_at, "updated_at": self.updated_at,
            "url": (self.state == "published").then_some(url), "default_locale": self.locale,
        });
        if version == Version::V2_16 {
            article["help_center_audience"] = json!(self.audience);
        }
        if version == Version::V2_14 {
            article["parent_id"] = Json::Null;
            article["parent_type"] = Json::Null;
        }
        article
    }
}

impl ImportSource {
    fn json(&self, version: Version) -> Json {
        let mut source = json!({
            "id": self.id, "type": "content_import_source", "last_synced_at": self.created_at,
            "status": self.status, "url": self.url, "sync_behavior": "api",
            "created_at": self.created_at, "updated_at": self.created_at,
        });
        if version == Version::V2_16 {
            source["audience_ids"] = json!([]);
        }
        source
    }
}

impl ExternalPage {
    fn json(&self) -> Json {
        let mut page = json!({
            "id": self.id, "type": "external_page", "title": self.title, "html": self.html,
            "ai_agent_availability": self.for_agent,
            "ai_copilot_availability": self.for_copilot,
            "ai_sales_agent_availability": false, "fin_availability": self.for_agent,
            "locale": "en", "source_id": self.source_id, "external_id": self.external_id,
            "created_at": self.created_at, "updated_at": self.updated_at,
            "last_ingested_at": self.updated_at,
        });
        if let Some(url) = &self.url {
            page["url"] = json!(url);
        }
        page
    }
}

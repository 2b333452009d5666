//! The help centre as a folder of the desk, and the desk's articles as pages there.

use super::sharing_client;
use crate::{Verdict, output, progress::counted, settings::Settings};
use anyhow::Context;
use intercom::{
    Client,
    articles::{Mirror, Mirrored, published},
    push::{Shown, push as push_all},
};
use knowledge::{Article, Audience};
use serde_json::json;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// Where the mirror stands below the desk: within the folder of articles that every desk has.
const FOLDER: &str = "articles/intercom";

/// What ids of articles begin with that came from there.
const FROM_THERE: &str = "intercom-";

/// How soon a mirror that failed is tried again.
const RETRY: Duration = Duration::from_secs(300);

pub(super) async fn run(
    settings: &Settings,
    as_json: bool,
    out: Option<PathBuf>,
) -> anyhow::Result<Verdict> {
    let folder = out.unwrap_or_else(|| settings.root.join(FOLDER));
    let (client, store) = sharing_client(settings).await?;
    let mirrored = mirror(&client, &folder).await;
    store.close().await;
    let (mirrored, n_left_out) = mirrored?;
    let Mirrored { written, removed, n_kept } = &mirrored;
    if as_json {
        output::json(&json!({
            "folder": folder.display().to_string(), "written": written, "removed": removed,
            "kept": n_kept, "left_out": n_left_out,
        }))?;
    } else {
        output::line(format!(
            "{} written, {} removed, {n_kept} as they were, {n_left_out} left out (drafts and empty ones)",
            written.len(),
            removed.len(),
        ))?;
        output::line(format!("written: {}", folder.display()))?;
    }
    if !is_indexed(settings, &folder) {
        let shown = folder.display();
        eprintln!("note: articles.folders does not hold {shown}, so it is not indexed; add it");
    }
    Ok(Verdict::Yes)
}

/// Brings a folder in step with the help centre; returns what became of it, and how many articles
/// were left out.
async fn mirror(client: &Client, folder: &Path) -> anyhow::Result<(Mirrored, usize)> {
    let mut mirror = Mirror::open(folder)?;
    let published = published(client, &mirror.articles()).await?;
    tokio::task::spawn_blocking(move || Ok((mirror.show(&published)?, published.n_left_out)))
        .await?
}

fn is_indexed(settings: &Settings, folder: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let folders = &settings.config.articles.folders;
    folders.iter().any(|one| real(folder).starts_with(real(&settings.root.join(one))))
}

/// Brings the desk's folder in step every so many hours, until `stopping`; what changed is indexed
/// by the watch that looks at all articles.
pub(in crate::commands) async fn keep_in_step(
    (client, folder, every_h): (Client, PathBuf, u32),
    stopping: CancellationToken,
) -> anyhow::Result<()> {
    loop {
        let pause = match mirror(&client, &folder).await {
            Ok((mirrored, _)) => {
                let (written, removed) = (mirrored.written.len(), mirrored.removed.len());
                tracing::info!(written, removed, "the help centre's articles are in step");
                Duration::from_secs(3600).saturating_mul(every_h)
            }
            Err(failure) => {
                let error = format!("{failure:#}");
                tracing::error!(%error, "the help centre's articles were not brought here");
                RETRY
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stopping.cancelled() => return Ok(()),
        }
    }
}

/// Says what [`keep_in_step`] needs; None: nothing is to be kept in step.
pub(in crate::commands) fn to_keep_in_step(
    settings: &Settings,
    client: Option<Client>,
) -> Option<(Client, PathBuf, u32)> {
    let every_h = settings.config.intercom.articles_every_h;
    let client = client.filter(|_| every_h > 0)?;
    Some((client, settings.root.join(FOLDER), every_h))
}

pub(super) async fn push(settings: &Settings, as_json: bool) -> anyhow::Result<Verdict> {
    let url = settings.config.server.public_url.trim_end_matches('/');
    anyhow::ensure!(
        !url.is_empty(),
        "server.public_url is not set, by which Intercom tells where pages come from; set it"
    );
    let config = &settings.config.articles;
    let folders: Vec<PathBuf> = config.folders.iter().map(|f| settings.root.join(f)).collect();
    let options = knowledge::ReadOptions {
        max_file_bytes: config.max_file_kb.saturating_mul(1024),
        default_locale: config.default_locale.clone(),
    };
    let folder = knowledge::read_folders(&folders, &options)?;
    let (open, others): (Vec<&Article>, Vec<&Article>) =
        folder.articles.iter().partition(|article| may_be_shown(article));
    let shown: Vec<Shown<'_>> = open
        .iter()
        .map(|article| Shown {
            id: &article.id,
            title: &article.title,
            body: &article.body,
            url: article.url.as_deref(),
        })
        .collect();
    let (client, store) = sharing_client(settings).await?;
    let bar = counted("pages", shown.len() as u64);
    let pushed = push_all(&client, url, &shown, &|| bar.inc(1)).await;
    bar.finish_and_clear();
    store.close().await;
    let pushed = pushed.context("the pages were not all pushed; run it again to do the rest")?;
    if as_json {
        output::json(&json!({
            "pushed": pushed.n_pushed, "deleted": pushed.n_deleted, "left_out": others.len(),
        }))?;
    } else {
        output::line(format!(
            "{} pages pushed, {} deleted, {} articles left out (not English, not open to everyone, \
             drafts, or from Intercom)",
            pushed.n_pushed,
            pushed.n_deleted,
            others.len()
        ))?;
    }
    Ok(Verdict::Yes)
}

/// Whether an article is open to everyone, in the one language that Intercom takes, and our own.
fn may_be_shown(article: &Article) -> bool {
    let is_english = article.locale == "en" || article.locale.starts_with("en-");
    is_english
        && !article.draft
        && article.audience == Audience::default()
        && !article.id.starts_with(FROM_THERE)
}

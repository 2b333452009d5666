//! The help centre as a folder of the desk, and the desk's articles as pages there.

use super::sharing_client;
use crate::{Verdict, output, progress::counted, settings::Settings};
use anyhow::Context;
use intercom::{
    Client,
    articles::{Mirror, Mirrored, Published, published},
    push::{Pushed, Show, Shown, push as push_all},
};
use knowledge::{Article, Audience, Skipped};
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
    let (mirrored, published) = mirrored?;
    let Mirrored { written, removed, n_kept } = &mirrored;
    let Published { n_left_out, n_restricted, n_unreadable, .. } = published;
    if as_json {
        output::json(&json!({
            "folder": folder.display().to_string(), "written": written, "removed": removed,
            "kept": n_kept, "left_out": n_left_out, "restricted": n_restricted,
            "unreadable": n_unreadable,
        }))?;
    } else {
        output::line(format!(
            "{} written, {} removed, {n_kept} as they were, {n_left_out} left out (drafts and empty \
             ones), {n_restricted} not for everyone",
            written.len(),
            removed.len(),
        ))?;
        output::line(format!("written: {}", folder.display()))?;
    }
    if n_unreadable > 0 {
        eprintln!("note: {n_unreadable} articles were sent in a form that cannot be read");
    }
    if !is_indexed(settings, &folder) {
        let shown = folder.display();
        eprintln!("note: articles.folders does not hold {shown}, so it is not indexed; add it");
    }
    Ok(Verdict::Yes)
}

/// Brings a folder in step with the help centre; returns what became of it, and what is there.
async fn mirror(client: &Client, folder: &Path) -> anyhow::Result<(Mirrored, Published)> {
    let mut mirror = Mirror::open(folder)?;
    let published = published(client, &mirror.articles()).await?;
    tokio::task::spawn_blocking(move || Ok((mirror.show(&published)?, published))).await?
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
            Ok((mirrored, published)) => {
                let (written, removed) = (mirrored.written.len(), mirrored.removed.len());
                let restricted = published.n_restricted;
                tracing::info!(
                    written,
                    removed,
                    restricted,
                    "the help centre's articles are in step"
                );
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
    // The page of a file that cannot be read now is not that of an article that is gone.
    let may_take_back = folder.skipped.is_empty();
    let show = Show { source_url: url, articles: &shown, may_take_back };
    let pushed = push_all(&client, &show, &|| bar.inc(1)).await;
    bar.finish_and_clear();
    store.close().await;
    let pushed = pushed.context("the pages were not all pushed; run it again to do the rest")?;
    tell(as_json, &pushed, &folder.skipped, others.len())?;
    Ok(if pushed.refused.is_empty() { Verdict::Yes } else { Verdict::No })
}

fn tell(
    as_json: bool,
    pushed: &Pushed,
    skipped: &[Skipped],
    n_left_out: usize,
) -> anyhow::Result<()> {
    let Pushed { n_pushed, n_deleted, refused, elsewhere } = pushed;
    for Skipped { path, reason } in skipped {
        eprintln!("skipped: {}: {reason}", path.display());
    }
    if !skipped.is_empty() {
        eprintln!("note: no page was taken back, because files were skipped; mend them first");
    }
    for (article, why) in refused {
        eprintln!("refused: article {article}: {why}");
    }
    for url in elsewhere {
        eprintln!(
            "note: the source {url} in Intercom holds pages of Frontdesk, too; if nobody \
                   pushes there any more, remove it in Intercom"
        );
    }
    if as_json {
        let files = skipped.iter().map(|skipped| skipped.path.display().to_string());
        let files: Vec<String> = files.collect();
        let refused: Vec<&String> = refused.iter().map(|(article, _)| article).collect();
        return output::json(&json!({
            "pushed": n_pushed, "deleted": n_deleted, "left_out": n_left_out, "skipped": files,
            "refused": refused, "elsewhere": elsewhere,
        }));
    }
    output::line(format!(
        "{n_pushed} pages pushed, {n_deleted} deleted, {n_left_out} articles left out (not English, \
         not open to everyone, drafts, or from Intercom)"
    ))
}

/// Whether an article is open to everyone, in the one language that Intercom takes, and our own.
fn may_be_shown(article: &Article) -> bool {
    let is_english = article.locale == "en" || article.locale.starts_with("en-");
    is_english
        && !article.draft
        && article.audience == Audience::default()
        && !is_from_there(&article.id)
}

/// Whether an id is one of the mirror's, `intercom-9000001` or `intercom-9000001-de`. A file of the
/// desk's own may be called `intercom-setup`.
fn is_from_there(id: &str) -> bool {
    let number = id.strip_prefix(FROM_THERE).and_then(|rest| rest.split('-').next());
    number.is_some_and(|number| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

use crate::{Verdict, assembly, output, progress::counted, settings::Settings};
use bot::{Library, Refreshed};
use serde_json::json;
use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

pub(crate) async fn run(
    mut settings: Settings,
    as_json: bool,
    articles: Vec<PathBuf>,
    watch: bool,
) -> anyhow::Result<Verdict> {
    if !articles.is_empty() {
        let absolute: Result<Vec<_>, _> = articles.iter().map(std::path::absolute).collect();
        settings.config.articles.folders = absolute?;
    }
    let library = assembly::library(&settings).await?;
    // Edits during the first refresh are seen too, as the watch starts before it.
    let watching = if watch { Some(library.watch()?) } else { None };
    report(&refresh(&library).await?, as_json)?;
    if let Some(watching) = watching {
        eprintln!("watching; stop with Ctrl-C");
        let stop = async { drop(tokio::signal::ctrl_c().await) };
        let told = |outcome: Result<&Timed, &anyhow::Error>| match outcome {
            Ok(timed) => report(timed, as_json),
            Err(_) => Ok(()),
        };
        follow(&library, watching, None, stop, told).await?;
    }
    Ok(Verdict::Yes)
}

/// First pause before a refresh that failed is tried again; each further one is twice as long.
const RETRY_FIRST: Duration = Duration::from_secs(5);

/// Longest such pause: an index that is a minute late is no harm, an endpoint asked every second is.
const RETRY_MOST: Duration = Duration::from_secs(60);

/// Refreshes the index after every edit until `stop`, and tells of each. When that fails, the old
/// index stands and the edit is not forgotten: it is tried again after a pause, or at the next edit.
/// `retry` is the pause before a first refresh; None waits for an edit.
pub(crate) async fn follow(
    library: &Library,
    mut watching: bot::Watch,
    mut retry: Option<Duration>,
    stop: impl Future<Output = ()>,
    told: impl Fn(Result<&Timed, &anyhow::Error>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut stop = std::pin::pin!(stop);
    loop {
        tokio::select! {
            () = watching.changed() => {}
            () = pause(retry) => {}
            () = &mut stop => return Ok(()),
        }
        match refresh(library).await {
            Ok(refreshed) => {
                retry = None;
                told(Ok(&refreshed))?;
            }
            Err(failure) => {
                let next =
                    retry.map_or(RETRY_FIRST, |last| (last * 2).clamp(RETRY_FIRST, RETRY_MOST));
                retry = Some(next);
                let (error, wait_s) = (format!("{failure:#}"), next.as_secs());
                tracing::error!(%error, retry_s = wait_s, "the index was not refreshed, a retry follows");
                told(Err(&failure))?;
            }
        }
    }
}

/// Waits that long; for ever when there is nothing to try again.
async fn pause(length: Option<Duration>) {
    match length {
        Some(length) => tokio::time::sleep(length).await,
        None => std::future::pending().await,
    }
}

/// A refresh with its duration.
pub(crate) struct Timed {
    pub(crate) refreshed: Refreshed,
    pub(crate) seconds: f64,
}

/// Refreshes the index, with a progress bar on stderr.
pub(crate) async fn refresh(library: &Library) -> anyhow::Result<Timed> {
    let start = Instant::now();
    let bar = counted("embedding passages", 0);
    let refreshed = library
        .refresh(&|done, all| {
            bar.set_length(all as u64);
            bar.set_position(done as u64);
        })
        .await;
    bar.finish_and_clear();
    let refreshed = refreshed?;
    if let Some(recovered) = &refreshed.recovered {
        eprintln!("note: {recovered}");
    }
    Ok(Timed { refreshed, seconds: start.elapsed().as_secs_f64() })
}

fn report(timed: &Timed, as_json: bool) -> anyhow::Result<()> {
    let Timed { refreshed, seconds } = timed;
    if as_json {
        let skipped: Vec<_> = refreshed
            .skipped
            .iter()
            .map(|s| json!({"path": s.path.display().to_string(), "reason": s.reason}))
            .collect();
        let notes: Vec<_> = refreshed
            .notes
            .iter()
            .map(|n| json!({"path": n.path.display().to_string(), "line": n.line, "what": n.what, "mend": n.mend}))
            .collect();
        return output::json(&json!({
            "articles": refreshed.articles,
            "passages": refreshed.passages,
            "embedded": refreshed.embedded,
            "skipped": skipped,
            "notes": notes,
            "seconds": seconds,
        }));
    }
    output::line(format!(
        "{} articles, {} passages, {} embedded, {} files skipped, {seconds:.1} s",
        refreshed.articles,
        refreshed.passages,
        refreshed.embedded,
        refreshed.skipped.len()
    ))?;
    for skipped in &refreshed.skipped {
        output::line(format!("skipped {}: {}", skipped.path.display(), skipped.reason))?;
    }
    for note in &refreshed.notes {
        output::line(format!("note {}", super::check::note_text(note)))?;
    }
    Ok(())
}

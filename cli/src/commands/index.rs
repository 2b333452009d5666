use crate::{Verdict, assembly, output, progress::counted, settings::Settings};
use bot::{Library, Refreshed};
use serde_json::json;
use std::{path::PathBuf, time::Instant};

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
    if let Some(mut watching) = watching {
        eprintln!("watching; stop with Ctrl-C");
        loop {
            tokio::select! {
                () = watching.changed() => {}
                _ = tokio::signal::ctrl_c() => break,
            }
            match refresh(&library).await {
                Ok(refreshed) => report(&refreshed, as_json)?,
                // The old index stands; the next edit is the next chance.
                Err(failure) => {
                    tracing::error!(error = %format!("{failure:#}"), "the index was not refreshed")
                }
            }
        }
    }
    Ok(Verdict::Yes)
}

/// A refresh with its duration.
pub(crate) struct Timed {
    refreshed: Refreshed,
    seconds: f64,
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
        return output::json(&json!({
            "articles": refreshed.articles,
            "passages": refreshed.passages,
            "embedded": refreshed.embedded,
            "skipped": skipped,
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

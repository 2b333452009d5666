//! How what nobody needs any more is forgotten while customers write.

use crate::known;
use bot::config::RetentionConfig;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use store::{Kept, Store};
use tokio_util::sync::CancellationToken;

/// How often it is looked for what to forget.
const EVERY: Duration = Duration::from_secs(3600);

/// Rows of a kind that are deleted at once: some milliseconds on a file, within which nobody else
/// writes.
const AT_ONCE: u32 = 500;

/// Between two parts whoever waits to write has a turn.
const PAUSE: Duration = Duration::from_millis(100);

/// Forgets sessions and visits that have ended, and what is past its time, at the start and every
/// hour.
pub(super) async fn sweep(
    store: Store,
    retention: RetentionConfig,
    stopping: CancellationToken,
) -> anyhow::Result<()> {
    loop {
        if let Err(failure) = store.sweep(known::now()).await {
            tracing::error!(error = %failure, "sessions that have ended were not forgotten");
        }
        let kept = kept(&retention, known::now());
        let pruned = tokio::select! {
            pruned = prune(&store, &kept) => pruned,
            () = stopping.cancelled() => return Ok(()),
        };
        match pruned {
            Ok(0) => {}
            Ok(n_forgotten) => tracing::info!(n_forgotten, "what is kept no longer was forgotten"),
            Err(failure) => {
                tracing::error!(error = %failure, "what is kept no longer was not forgotten");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stopping.cancelled() => return Ok(()),
        }
    }
}

async fn prune(store: &Store, kept: &Kept) -> Result<u64, store::Error> {
    let mut n_forgotten = 0;
    loop {
        let n = store.prune(kept, AT_ONCE).await?;
        n_forgotten += n;
        if n == 0 {
            return Ok(n_forgotten);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn kept(retention: &RetentionConfig, now: Timestamp) -> Kept {
    let since = |days: u32| {
        let time = SignedDuration::from_hours(24 * i64::from(days));
        (days > 0).then(|| now.saturating_sub(time).unwrap_or(Timestamp::MIN))
    };
    Kept { posts_since: since(retention.posts_days), audit_since: since(retention.audit_days) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_back_from_now_and_none_are_for_ever() {
        let now: Timestamp = "2026-11-18T09:30:00Z".parse().unwrap();
        let check = |posts_days, audit_days, expected: (Option<&str>, Option<&str>)| {
            let kept = kept(&RetentionConfig { posts_days, audit_days }, now);
            let time = |text: Option<&str>| text.map(|text| text.parse().unwrap());
            assert_eq!((kept.posts_since, kept.audit_since), (time(expected.0), time(expected.1)));
        };
        check(90, 730, (Some("2026-08-20T09:30:00Z"), Some("2024-11-18T09:30:00Z")));
        check(0, 1, (None, Some("2026-11-17T09:30:00Z")));
        check(1, 0, (Some("2026-11-17T09:30:00Z"), None));
        assert!(
            kept(&RetentionConfig { posts_days: u32::MAX, audit_days: 0 }, now)
                .posts_since
                .is_some()
        );
    }
}

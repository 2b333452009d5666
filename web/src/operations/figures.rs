//! What is measured at the moment somebody asks: how much lies where, and what the process uses.

use crate::{Front, Problem};
use jiff::Timestamp;
use metrics::{describe_gauge, gauge};
use std::time::Duration;

/// How long the store may take. Prometheus gives the whole answer ten seconds, and a store that is
/// waited for must not keep it from hearing that there is none.
const PATIENCE: Duration = Duration::from_secs(2);

/// Tells the recorder what each of these numbers means.
pub(super) fn describe() {
    describe_gauge!("frontdesk_store_up", "1 when the store answers");
    describe_gauge!("frontdesk_turns_due", "Conversations whose turn is due and not taken");
    describe_gauge!("frontdesk_turns_oldest_seconds", "How long the longest of them has been due");
    describe_gauge!("frontdesk_with_bot", "Open conversations that the bot has");
    describe_gauge!("frontdesk_queued", "Conversations that wait in a team's queue");
    describe_gauge!("frontdesk_held", "Open conversations that teammates hold, by team");
    describe_gauge!("frontdesk_outbox_pending", "Posts that wait to be sent");
    describe_gauge!("frontdesk_outbox_oldest_seconds", "How long the oldest of them has waited");
    describe_gauge!("frontdesk_index_articles", "Articles in the index");
    describe_gauge!("frontdesk_index_passages", "Passages in the index");
    describe_gauge!("process_resident_memory_bytes", "Memory that the process occupies");
    describe_gauge!("process_open_fds", "Files and sockets that the process has open");
}

/// Measures what is only known by looking.
pub(super) async fn look(front: &Front) {
    let is_up = match tokio::time::timeout(PATIENCE, look_into_store(front)).await {
        Ok(Ok(())) => 1.0,
        Ok(Err(failure)) => {
            Problem::inside(&failure);
            0.0
        }
        Err(_) => {
            tracing::error!(limit_s = PATIENCE.as_secs(), "the store did not answer in time");
            0.0
        }
    };
    gauge!("frontdesk_store_up").set(is_up);
    if let Ok(knowledge) = front.office.desk().library().knowledge() {
        gauge!("frontdesk_index_articles").set(knowledge.articles().len() as f64);
        gauge!("frontdesk_index_passages").set(knowledge.passages().len() as f64);
    }
    look_at_process();
}

async fn look_into_store(front: &Front) -> Result<(), store::Error> {
    let (store, now) = (front.office.store(), front.office.now());
    let workload = store.workload(now).await?;
    let oldest_post = store.oldest_post().await?;
    gauge!("frontdesk_turns_due").set(workload.turns_due as f64);
    gauge!("frontdesk_turns_oldest_seconds").set(age_s(now, workload.oldest_turn));
    gauge!("frontdesk_with_bot").set(workload.with_bot as f64);
    gauge!("frontdesk_outbox_pending").set(workload.posts_pending as f64);
    gauge!("frontdesk_outbox_oldest_seconds").set(age_s(now, oldest_post));
    // Every team of the desk has a number, so that an empty queue is 0 and not the last one seen.
    for team in front.office.desk().policy().teams() {
        let of = |counts: &[(router::Slug, i64)]| {
            counts.iter().find(|(slug, _)| *slug == team.slug).map_or(0.0, |(_, n)| *n as f64)
        };
        let slug = team.slug.as_str().to_string();
        gauge!("frontdesk_queued", "team" => slug.clone()).set(of(&workload.queued));
        gauge!("frontdesk_held", "team" => slug).set(of(&workload.held));
    }
    Ok(())
}

/// Returns how many seconds have passed since a moment; 0 for none.
pub(super) fn age_s(now: Timestamp, since: Option<Timestamp>) -> f64 {
    since.map_or(0.0, |since| now.duration_since(since).as_secs_f64().max(0.0))
}

/// Reads what Linux tells of this process; elsewhere these numbers are missing.
fn look_at_process() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = resident.and_then(|rest| rest.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    if let Some(kib) = kib {
        gauge!("process_resident_memory_bytes").set(kib * 1024.0);
    }
    if let Ok(files) = std::fs::read_dir("/proc/self/fd") {
        gauge!("process_open_fds").set(files.count() as f64);
    }
}

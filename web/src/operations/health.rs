use super::{figures, observe, ready::Report};
use crate::Front;
use metrics::{counter, describe_counter, describe_gauge, gauge};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use std::{
    collections::BTreeMap,
    fmt,
    sync::Mutex,
    time::{Duration, Instant},
};

/// What the process knows of itself, beyond what its store and its articles tell.
#[derive(Default)]
pub struct Health {
    recorder: Option<PrometheusHandle>,
    token: Option<String>,
    faults: Mutex<BTreeMap<&'static str, Vec<String>>>,
    report: tokio::sync::Mutex<Option<(Instant, Report)>>,
    probe: Mutex<Option<Instant>>,
}

/// For how long a report is given again: whoever asks more often burdens nothing.
const REPORT_AGE: Duration = Duration::from_secs(1);

/// For how long a model that answered counts as working; asking a service costs money.
const PROBE_AGE: Duration = Duration::from_secs(60);

/// Bounds of the buckets of turns, seconds: quotes take milliseconds, a generator up to a minute.
const TURN_S: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 60.0];

/// Bounds of the buckets of requests, seconds.
const REQUEST_S: [f64; 9] = [0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0];

impl Health {
    /// Starts to count everything that this process does; once in a process. `token` opens metrics
    /// and details to whoever presents it.
    ///
    /// # Errors
    /// When something else counts already.
    pub fn counting(token: Option<String>) -> Result<Self, BuildError> {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Full("frontdesk_turn_seconds".into()), &TURN_S)?
            .set_buckets_for_metric(Matcher::Full("frontdesk_http_seconds".into()), &REQUEST_S)?
            .install_recorder()?;
        bot::measure::describe();
        figures::describe();
        observe::describe();
        describe_gauge!(
            "frontdesk_reload_failed",
            "1 while changed files are not in use, as they hold faults"
        );
        describe_counter!("frontdesk_reloads_total", "Readings of changed files, by result");
        for files in ["articles", "rules", "texts"] {
            gauge!("frontdesk_reload_failed", "files" => files).set(0.0);
        }
        Ok(Self { recorder: Some(recorder), token, ..Self::default() })
    }

    /// Notes what came of reading changed files, `rules`, `articles` or `texts`: the faults that keep them
    /// from being used, none when they are in use.
    pub fn reloaded(&self, files: &'static str, faults: Vec<String>) {
        let result = if faults.is_empty() { "used" } else { "refused" };
        counter!("frontdesk_reloads_total", "files" => files, "result" => result).increment(1);
        let failed = if faults.is_empty() { 0.0 } else { 1.0 };
        gauge!("frontdesk_reload_failed", "files" => files).set(failed);
        if let Ok(mut kept) = self.faults.lock() {
            kept.insert(files, faults);
        }
    }

    /// Puts what was timed into its buckets; to be called every few seconds.
    pub fn tidy(&self) {
        if let Some(recorder) = &self.recorder {
            recorder.run_upkeep();
        }
    }

    /// Says how the parts of the desk are, at most a second ago.
    pub(super) async fn report(&self, front: &Front) -> Report {
        let mut kept = self.report.lock().await;
        if let Some((at, report)) = &*kept
            && at.elapsed() < REPORT_AGE
        {
            return report.clone();
        }
        let report = Report::of(front).await;
        *kept = Some((Instant::now(), report.clone()));
        report
    }

    /// Asks a model whether it works, unless it did a while ago.
    pub(super) async fn probed<T, E>(
        &self,
        ask: impl Future<Output = Result<T, E>>,
    ) -> Result<(), E> {
        let answered = self.probe.lock().ok().and_then(|at| *at);
        if answered.is_some_and(|at| at.elapsed() < PROBE_AGE) {
            return Ok(());
        }
        ask.await?;
        if let Ok(mut at) = self.probe.lock() {
            *at = Some(Instant::now());
        }
        Ok(())
    }

    pub(super) fn faults(&self) -> Vec<String> {
        let Ok(faults) = self.faults.lock() else { return Vec::new() };
        faults.values().flatten().cloned().collect()
    }

    pub(super) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    pub(super) fn render(&self) -> Option<String> {
        self.recorder.as_ref().map(PrometheusHandle::render)
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health").field("faults", &self.faults).finish_non_exhaustive()
    }
}

//! How serving ends: by a signal, or because a part of it failed.

use anyhow::Context;
use std::{collections::HashMap, time::Duration};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    task::{Id, JoinError, JoinSet},
};
use tokio_util::sync::CancellationToken;

/// The parts of a serving desk, by name.
#[derive(Default)]
pub(super) struct Tasks {
    running: JoinSet<anyhow::Result<()>>,
    names: HashMap<Id, &'static str>,
}

impl Tasks {
    pub(super) fn start(
        &mut self,
        name: &'static str,
        task: impl Future<Output = anyhow::Result<()>> + Send + 'static,
    ) {
        self.names.insert(self.running.spawn(task).id(), name);
    }

    /// Waits for one part to end. None: there is none left.
    async fn ended(&mut self) -> Option<(&'static str, anyhow::Result<()>)> {
        let ended = self.running.join_next_with_id().await?;
        let id = match &ended {
            Ok((id, _)) => *id,
            Err(failure) => failure.id(),
        };
        let name = self.names.get(&id).copied().unwrap_or("a part");
        let outcome = ended.map_or_else(|failure| Err(broken(&failure)), |(_, outcome)| outcome);
        Some((name, outcome))
    }

    /// Waits for all parts and returns the first failure.
    async fn all_ended(&mut self) -> anyhow::Result<()> {
        let mut first = Ok(());
        while let Some((name, outcome)) = self.ended().await {
            if let Err(failure) = outcome {
                tracing::error!(part = name, error = format!("{failure:#}"), "a part failed");
                first = first.and(Err(failure.context(name)));
            }
        }
        first
    }
}

/// What a panic said may quote a customer; the hook has logged where it was.
fn broken(failure: &JoinError) -> anyhow::Error {
    let what = if failure.is_panic() { "it panicked, see the log" } else { "it was cut off" };
    anyhow::anyhow!(what)
}

/// Logs where a panic happened, and not what it says: that may be a customer's words.
pub(super) fn hush_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panicked; please report this");
    }));
}

/// The signals that say to stop: SIGTERM and SIGINT.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(super) fn listen() -> anyhow::Result<Self> {
        let of = |kind| signal(kind).context("signals cannot be listened for");
        Ok(Self {
            terminate: of(SignalKind::terminate())?,
            interrupt: of(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Lets the parts run until a signal comes or one of them fails; then has all of them end what is
/// under way, for `grace` at most. A second signal ends the process at once.
///
/// # Errors
/// The failure of a part.
pub(super) async fn until_stopped(
    mut tasks: Tasks,
    mut signals: Signals,
    stopping: &CancellationToken,
    grace: Duration,
) -> anyhow::Result<()> {
    let first = tokio::select! {
        () = signals.next() => {
            tracing::info!("stopping: what is under way is finished first");
            Ok(())
        }
        ended = tasks.ended() => match ended {
            Some((name, outcome)) => {
                let failure = outcome.err().unwrap_or_else(|| anyhow::anyhow!("it ended by itself"));
                tracing::error!(part = name, error = format!("{failure:#}"), "a part failed, stopping");
                Err(failure.context(name))
            }
            None => Ok(()),
        },
    };
    stopping.cancel();
    let rest = tokio::select! {
        rest = tasks.all_ended() => rest,
        () = tokio::time::sleep(grace) => {
            let grace_s = grace.as_secs();
            tracing::warn!(grace_s, "not everything ended in time; what is left is taken up at the next start");
            Ok(())
        }
        () = signals.next() => {
            eprintln!("a second signal: ended at once");
            std::process::exit(1);
        }
    };
    first.and(rest)
}

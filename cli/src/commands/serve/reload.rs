//! How changed rules come into use while customers write.

use crate::{assembly::Tools, settings::Settings};
use bot::{Error, Office, Watch, Webhooks};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use web::Health;

/// Files of a desk that take effect without a restart. Of `frontdesk.toml` only `[answers]` does.
const FILES: [&str; 3] = ["routing.toml", "guidance.md", "frontdesk.toml"];

/// What changed rules come into use in.
pub(super) struct Reload {
    pub(super) root: PathBuf,
    pub(super) tools: Tools,
    pub(super) office: Office,
    pub(super) webhooks: Arc<Webhooks>,
    pub(super) health: Arc<Health>,
}

impl Reload {
    /// Reads the rules again at every change of their files and at every SIGHUP, until `stopping`.
    pub(super) async fn run(self, stopping: CancellationToken) -> anyhow::Result<()> {
        let mut asked = signal(SignalKind::hangup())?;
        let mut watching = Watch::files(&self.root, &FILES)?;
        let mut used = texts(&self.root);
        loop {
            tokio::select! {
                _ = asked.recv() => {}
                () = watching.changed() => {
                    if texts(&self.root) == used {
                        continue;
                    }
                }
                () = stopping.cancelled() => return Ok(()),
            }
            used = texts(&self.root);
            self.take().await;
        }
    }

    /// Takes the rules as they are now; when they hold a fault, it is logged and the old ones stay.
    async fn take(&self) {
        match self.read().await {
            Ok(desk) => {
                self.webhooks.reload(desk.playbook());
                self.office.reload(desk);
                self.health.reloaded("rules", Vec::new());
                tracing::info!("changed rules are in use");
            }
            Err(failure) => {
                let faults = faults(&failure);
                for fault in &faults {
                    tracing::error!(fault, "the changed rules are not used, the old ones stay");
                }
                self.health.reloaded("rules", faults);
            }
        }
    }

    async fn read(&self) -> anyhow::Result<bot::Desk> {
        self.tools.desk(Settings::read(&self.root)?).await
    }
}

fn faults(failure: &anyhow::Error) -> Vec<String> {
    match failure.downcast_ref::<Error>() {
        Some(Error::Desk(faults)) => faults.iter().map(ToString::to_string).collect(),
        _ => vec![format!("{failure:#}")],
    }
}

fn texts(root: &Path) -> Vec<Option<String>> {
    FILES.iter().map(|name| std::fs::read_to_string(root.join(name)).ok()).collect()
}

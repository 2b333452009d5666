//! How changed rules come into use while customers write.

use crate::{assembly::Tools, settings::Settings};
use anyhow::Context;
use bot::{Error, Office, Watch, Webhooks};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use web::{Health, Texts};

/// Files of a desk that take effect without a restart. Of `frontdesk.toml` only `[answers]` does.
const FILES: [&str; 3] = ["routing.toml", "guidance.md", "frontdesk.toml"];

/// Notices that rules are to be read again.
pub(super) struct Changes {
    root: PathBuf,
    asked: Signal,
    /// The texts that were read last; None: read them again, whatever they are.
    used: Option<Vec<Option<String>>>,
}

impl Changes {
    /// Notices what changes from now on, and every SIGHUP, which would end the process otherwise.
    pub(super) fn from_now(root: &Path) -> anyhow::Result<Self> {
        let asked = signal(SignalKind::hangup()).context("signals cannot be listened for")?;
        Ok(Self { root: root.to_path_buf(), asked, used: Some(texts(root)) })
    }

    /// Whether there is anything to read; the next look starts from what is there now.
    fn are_there(&mut self) -> bool {
        let found = Some(texts(&self.root));
        std::mem::replace(&mut self.used, found.clone()) != found
    }
}

/// What changed rules come into use in.
pub(super) struct Reload {
    pub(super) changes: Changes,
    pub(super) tools: Tools,
    pub(super) office: Office,
    pub(super) webhooks: Arc<Webhooks>,
    pub(super) texts: Texts,
    pub(super) health: Arc<Health>,
}

impl Reload {
    /// Reads the rules again at every change of their files and at every SIGHUP, until `stopping`.
    pub(super) async fn run(mut self, stopping: CancellationToken) -> anyhow::Result<()> {
        let mut watching = Watch::files(&self.changes.root, &FILES)?;
        loop {
            if self.changes.are_there() {
                self.take().await;
            }
            tokio::select! {
                _ = self.changes.asked.recv() => self.changes.used = None,
                () = watching.changed() => {}
                () = stopping.cancelled() => return Ok(()),
            }
        }
    }

    /// Takes rules and texts as they are now; where they hold a fault, it is logged and the old ones
    /// stay.
    async fn take(&self) {
        match super::texts(&self.changes.root.join("messenger")) {
            Ok(texts) => {
                self.texts.replace(&texts);
                self.health.reloaded("texts", Vec::new());
            }
            Err(failure) => {
                let fault = format!("{failure:#}");
                tracing::error!(
                    fault,
                    "the messenger's changed texts are not used, the old ones stay"
                );
                self.health.reloaded("texts", vec![fault]);
            }
        }
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
        self.tools.desk(Settings::read(&self.changes.root)?).await
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

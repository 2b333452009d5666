//! Where conversations are kept: database, disk, permissions, and who may sign in.

use super::{
    folders::unwritable,
    report::{Check, State},
};
use crate::{commands::serve::first_teammate, settings::Settings};
use std::{
    collections::BTreeSet,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};
use store::{Account, Role, Store, Watched};

/// Below this much free space a disk counts as full: a busy day of a large desk.
const LEAST_FREE_BYTES: u64 = 1 << 30;

/// A write-ahead log beyond this is one that no checkpoint has got at: some reader never ends.
const MOST_WAL_BYTES: u64 = 512 << 20;

/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// Looks at the store and at what lies in it.
pub(super) async fn look(settings: &Settings) -> Vec<Check> {
    let url = settings.store_url();
    let file = url.strip_prefix("sqlite:").map(PathBuf::from);
    let mut checks = Vec::new();
    if let Some(file) = &file {
        checks.extend(disk(file));
        if checks.iter().any(|check| check.state == State::Broken) {
            return checks;
        }
        if !file.exists() {
            checks.push(Check::ok(
                "store",
                "there is none yet; the first `frontdesk serve` makes it",
            ));
            return checks;
        }
        checks.extend(permissions(file));
        checks.extend(log(file));
    }
    let opened = tokio::time::timeout(PATIENCE, Store::open(&url)).await;
    let store = match opened {
        Ok(Ok(store)) => store,
        Ok(Err(failure)) => {
            let text = format!("{:#}", anyhow::Error::from(failure));
            checks.push(Check::failed(
                "store",
                &text,
                "see that the database runs and may be used",
            ));
            return checks;
        }
        Err(_) => {
            let what = format!("the database did not answer within {} s", PATIENCE.as_secs());
            checks.push(Check::broken("store", what, "see that it runs and nothing locks it"));
            return checks;
        }
    };
    checks.push(Check::ok("store", "it answers, and its tables are up to date"));
    checks.extend(teammates(settings, &store).await);
    checks.extend(budgets(&store).await);
    store.close().await;
    checks
}

/// Looks whether the disk of a file has room and may be written.
fn disk(file: &Path) -> Vec<Check> {
    let Some(folder) = file.parent() else { return Vec::new() };
    if let Some((what, mend)) = unwritable(folder) {
        let mend = if mend.is_empty() { mend } else { format!("{mend}; or ") };
        let mend = format!("{mend}set `store` to a path that can be");
        return vec![Check::broken("store", what, mend)];
    }
    let folder = folder.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("."));
    let mut checks = Vec::new();
    let Ok(space) = rustix::fs::statvfs(folder) else { return checks };
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    let free_gib = free as f64 / f64::from(1 << 30);
    checks.push(if free < LEAST_FREE_BYTES {
        let what = format!("{free_gib:.1} GiB are free where the store lies");
        Check::warning("disk", what, "make room: without it no message can be taken")
    } else {
        Check::ok("disk", format!("{free_gib:.0} GiB are free where the store lies"))
    });
    checks
}

/// Looks whether others on this machine can read conversations.
fn permissions(file: &Path) -> Option<Check> {
    let mode = std::fs::metadata(file).ok()?.permissions().mode();
    let name = file.display();
    (mode & 0o007 != 0).then(|| {
        let what = format!("everybody on this machine may open {name}");
        Check::warning("store", what, format!("chmod 640 {name}"))
    })
}

fn log(file: &Path) -> Option<Check> {
    let mut wal = file.as_os_str().to_owned();
    wal.push("-wal");
    let bytes = std::fs::metadata(wal).ok()?.len();
    (bytes > MOST_WAL_BYTES).then(|| {
        let what = format!("the write-ahead log has grown to {} MiB", bytes >> 20);
        Check::warning("store", what, "end programs that keep the file open, then start anew")
    })
}

/// Looks whether thresholds are raised as error budgets burnt.
async fn budgets(store: &Store) -> Vec<Check> {
    let Ok(watched) = store.watched().await else { return Vec::new() };
    let raised = watched.iter().filter_map(|it| Some((it, it.threshold?)));
    let check = |(it, threshold): (&Watched, f64)| {
        let topic = it.topic.as_deref().unwrap_or("all others");
        let what = format!(
            "the error budget of rule {:?} burnt for {topic}: {} of {} answers were wrong; it asks for {threshold:.2} now",
            it.rule, it.n_wrong, it.n_answers
        );
        let mend = format!(
            "mend the articles, fit confidence and budgets anew, then `frontdesk eval live --lift {:?}`",
            it.rule
        );
        Check::warning("budgets", what, mend)
    };
    raised.map(check).collect()
}

/// Looks whether there are people to hand over to.
async fn teammates(settings: &Settings, store: &Store) -> Vec<Check> {
    let accounts = match store.accounts().await {
        Ok(accounts) => accounts,
        Err(failure) => {
            let text = format!("{:#}", anyhow::Error::from(failure));
            return vec![Check::failed("teammates", &text, "see the log of the database")];
        }
    };
    let active: Vec<&Account> = accounts.iter().filter(|account| !account.disabled).collect();
    let mut checks = Vec::new();
    if !active.iter().any(|account| account.role == Role::Admin) {
        let what = "no admin can sign in";
        checks.push(Check::broken("teammates", what, first_teammate(settings)));
    }
    let known: BTreeSet<&str> = active.iter().map(|account| account.teammate.as_str()).collect();
    for team in settings.playbook.policy.teams() {
        let missing: Vec<&str> = team
            .members
            .iter()
            .map(|member| member.slug.as_str())
            .filter(|member| !known.contains(member))
            .collect();
        if !missing.is_empty() {
            let what = format!(
                "team {} has members who cannot sign in: {}",
                team.slug,
                missing.join(", ")
            );
            let mend = "make accounts for them, or take them out of routing.toml";
            checks.push(Check::warning("teammates", what, mend));
        }
    }
    if checks.is_empty() {
        checks.push(Check::ok("teammates", format!("{} can sign in", active.len())));
    }
    checks
}

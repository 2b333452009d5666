//! Who is in the workspace, as it was read last, and which workspace it is.

use crate::{
    channel::Intercom,
    client::{ApiError, Class},
    directory::{Directory, NAME},
    sync::Failure,
    wire::{Admin, Team},
};
use jiff::{SignedDuration, Timestamp};
use router::{Policy, Slug};
use std::sync::Arc;

/// How long what was read counts; each node reads for itself.
pub(crate) const PEOPLE_EVERY: SignedDuration = SignedDuration::from_mins(10);

/// The round that reads it by itself; its memo names the workspace that the desk was connected to.
pub(crate) const PEOPLE: &str = "people";

/// Why nothing is asked for or done.
pub(crate) const ELSEWHERE: &str = "the access token is that of another workspace of Intercom than the desk was connected to; \
     nothing is read or done there";

/// A workspace as it was read.
pub(crate) struct Seen {
    at: Timestamp,
    /// The vendor's name of the workspace, where it told.
    pub(crate) app: Option<String>,
    teams: Vec<Team>,
    admins: Vec<Admin>,
    /// The desk's own teams that `directory` was made of.
    ours: (Vec<router::Team>, Slug),
    directory: Arc<Directory>,
}

impl Intercom {
    /// Returns who is who, read within the last minutes. Where that fails, what was read before
    /// counts.
    ///
    /// # Errors
    /// [`ApiError`] when it was never read.
    pub(crate) async fn directory(&self, policy: &Policy) -> Result<Arc<Directory>, ApiError> {
        if let Some(seen) = self.fresh() {
            return Ok(self.matched(&seen, policy));
        }
        // One reads, the others wait for it.
        let _reading = self.reading.acquire().await;
        if let Some(seen) = self.fresh() {
            return Ok(self.matched(&seen, policy));
        }
        match (self.read_workspace(policy).await, self.seen.load_full()) {
            (Ok(directory), _) => Ok(directory),
            (Err(_), Some(seen)) => Ok(self.matched(&seen, policy)),
            (Err(failure), None) => Err(failure),
        }
    }

    /// Reads who is who anew.
    ///
    /// # Errors
    /// [`ApiError`].
    pub(crate) async fn read_workspace(&self, policy: &Policy) -> Result<Arc<Directory>, ApiError> {
        let client = self.client.of_class(Class::Context);
        let (teams, admins) = (client.teams().await?, client.admins().await?);
        let app = match (client.me().await, self.app()) {
            (Ok(me), known) => me.app.id_code.or(known),
            (Err(_), Some(known)) => Some(known),
            // Nothing is done in a workspace that may be another one.
            (Err(failure), None) => return Err(failure),
        };
        let directory = Arc::new(Directory::new(policy, &teams, &admins, &self.bot));
        let ours = ours(policy);
        let at = (self.clock)();
        let seen = Seen { at, app, teams, admins, ours, directory: Arc::clone(&directory) };
        self.seen.store(Some(Arc::new(seen)));
        Ok(directory)
    }

    /// Returns the vendor's name of the workspace, where it is known.
    pub(crate) fn app(&self) -> Option<String> {
        self.seen.load().as_ref().and_then(|seen| seen.app.clone())
    }

    /// Whether the token is that of another workspace than the desk was connected to. What is there
    /// is not the desk's then, and what is not there says nothing about what is here.
    ///
    /// # Errors
    /// [`Failure`] when that is not known.
    pub(crate) async fn is_elsewhere(&self, policy: &Policy) -> Result<bool, Failure> {
        let home = match self.home.load_full() {
            Some(home) => home,
            None => {
                let Some(home) = self.store.errand_memo(NAME, PEOPLE).await? else {
                    return Ok(false);
                };
                let home = Arc::new(home);
                self.home.store(Some(Arc::clone(&home)));
                home
            }
        };
        self.directory(policy).await?;
        Ok(self.app().is_some_and(|app| app != *home))
    }

    fn fresh(&self) -> Option<Arc<Seen>> {
        let now = (self.clock)();
        self.seen.load_full().filter(|seen| seen.at.duration_until(now) < PEOPLE_EVERY)
    }

    /// Returns who is who for the desk's teams as they are by now.
    fn matched(&self, seen: &Seen, policy: &Policy) -> Arc<Directory> {
        if (policy.teams(), policy.fallback_team()) == (&seen.ours.0[..], &seen.ours.1) {
            return Arc::clone(&seen.directory);
        }
        let directory = Arc::new(Directory::new(policy, &seen.teams, &seen.admins, &self.bot));
        self.seen.store(Some(Arc::new(Seen {
            at: seen.at,
            app: seen.app.clone(),
            teams: seen.teams.clone(),
            admins: seen.admins.clone(),
            ours: ours(policy),
            directory: Arc::clone(&directory),
        })));
        directory
    }
}

fn ours(policy: &Policy) -> (Vec<router::Team>, Slug) {
    (policy.teams().to_vec(), policy.fallback_team().clone())
}

//! Conversations that were deleted while nobody listened are erased here, too.

use crate::{
    channel::Intercom,
    client::Class,
    directory::NAME,
    sync::{Failure, ended, knows},
};
use bot::Office;
use jiff::{SignedDuration, Timestamp};
use store::Ended;

/// The round that looks for deletions that no webhook told.
pub(crate) const DELETIONS: &str = "deletions";

/// How often: one call each time where nothing was deleted.
const EVERY: SignedDuration = SignedDuration::from_hours(1);

/// How far back a look goes beyond the last one: a list may lag behind what happened.
const OVERLAP: SignedDuration = SignedDuration::from_hours(24);

impl Intercom {
    /// Looks for conversations that were deleted there since the last look, and has each that is
    /// known here looked at, which erases it. `memo` holds when the last one was deleted.
    pub(crate) async fn look_for_deletions(&self, office: &Office, memo: Option<&str>) -> Ended {
        let since = memo.and_then(|memo| memo.parse::<Timestamp>().ok());
        match self.deleted_since(office, since).await {
            Ok(newest) => {
                let at = office.now().saturating_add(EVERY).unwrap_or(Timestamp::MAX);
                Ended::Again(at, newest.max(since).map(|newest| newest.to_string()))
            }
            Err(failure) => ended(office, Err(failure)),
        }
    }

    /// Returns when the last one was deleted.
    async fn deleted_since(
        &self,
        office: &Office,
        since: Option<Timestamp>,
    ) -> Result<Option<Timestamp>, Failure> {
        let client = self.client.of_class(Class::Background);
        let until = since.map(|since| since.saturating_sub(OVERLAP).unwrap_or(Timestamp::MIN));
        let (mut cursor, mut newest) = (None, None);
        loop {
            let page = client.deleted_conversations(cursor.as_ref()).await?;
            for gone in &page.items {
                newest = newest.max(gone.deleted_at);
                if knows(office, &gone.id).await? {
                    let subject = format!("deleted:{}", gone.id);
                    office.store().ask_for(NAME, &subject, office.now()).await?;
                }
            }
            // The last one comes first.
            let is_old =
                |at: Option<Timestamp>| until.is_some_and(|until| at.is_some_and(|at| at < until));
            let is_behind = page.items.last().is_none_or(|last| is_old(last.deleted_at));
            cursor = page.next.filter(|_| !is_behind);
            if cursor.is_none() {
                return Ok(newest);
            }
        }
    }
}

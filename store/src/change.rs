use crate::{
    Audit, Budgeted, Content, EntryId, Error, Id, KeyedRequest, Label, Lease, NewDecision, NewPost,
    NewTimer, Outcome, Record, Share, Store, audit, budget, decision, entry,
    open::Dialect,
    outcome, post,
    record::{self, Locked},
    rota, timer, token,
};
use jiff::Timestamp;
use sqlx::AnyConnection;

/// What follows from what happened to a conversation, beside its altered [`Record`]; written in one
/// transaction with it.
#[derive(Debug, Default)]
pub struct Change {
    /// Entries for the end of the timeline, in order, with ids that were made for them.
    pub entries: Vec<(EntryId, Content)>,
    /// A decision that was taken; entries may name its id.
    pub decision: Option<NewDecision>,
    /// What is to be sent to other systems, in order.
    pub posts: Vec<NewPost>,
    /// What is to happen later; a timer whose key is set already in this episode stays as it was.
    pub timers: Vec<NewTimer>,
    /// Keys of timers that have fired in this episode and never will again. When one of them has
    /// fired already, another worker was faster, and the change is refused with
    /// [`Error::LeaseLost`]: what a timer brings about happens once.
    pub fired: Vec<String>,
    /// That a queue gives it to a teammate, whom `alter` has made its owner. Without room the change
    /// is refused with [`Error::Full`], however many nodes share out at the same moment.
    pub share: Option<Share>,
    /// The request that brought this about. It is noted with it, and brings about one change only:
    /// a second one is refused with [`Error::LeaseLost`].
    pub request: Option<KeyedRequest>,
    /// What became of the episode; of the one that ended, when this change begins another.
    pub outcomes: Vec<Outcome>,
    /// What a teammate made of a draft.
    pub labels: Vec<Label>,
    /// By which error budget the decision's draft is sent, where one decides.
    pub budgeted: Option<Budgeted>,
    /// What is worth remembering of who did what.
    pub audit: Vec<Audit>,
}

/// What must still hold for a change to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guard {
    /// Nothing.
    None,
    /// The worker still holds the conversation; the lease ends with the change.
    Leased(Lease),
}

impl Store {
    /// Alters a conversation: locks it, has `alter` change its record and say what follows, and
    /// commits everything together. When `alter` refuses, nothing changes and its refusal comes
    /// back inside `Ok`. Entries get the next numbers and the episode that the record has after
    /// the change.
    ///
    /// # Errors
    /// [`Error::NotFound`] without such a conversation, [`Error::LeaseLost`] when the guard does
    /// not hold or a timer has fired already, [`Error::Full`], [`Error::Taken`] when an entry repeats a client id,
    /// [`Error::Database`].
    pub async fn change<T, R, F>(
        &self,
        id: Id<Record>,
        guard: Guard,
        now: Timestamp,
        alter: F,
    ) -> Result<Result<T, R>, Error>
    where
        F: FnOnce(&mut Record, &mut Change) -> Result<T, R> + Send,
        T: Send,
        R: Send,
    {
        self.within(async {
            let mut transaction = self.begin().await?;
            let Some(locked) = record::lock(&mut transaction, self.dialect, id).await? else {
                return Err(Error::NotFound("conversation"));
            };
            if let Guard::Leased(lease) = &guard
                && locked.lease != Some(lease.token)
            {
                return Err(Error::LeaseLost);
            }
            let (mut record, mut change) = (locked.record.clone(), Change::default());
            let result = match alter(&mut record, &mut change) {
                Ok(result) => result,
                Err(refusal) => {
                    transaction.rollback().await?;
                    return Ok(Err(refusal));
                }
            };
            let mut writing = Writing {
                connection: &mut transaction,
                dialect: self.dialect,
                conversation: id,
                episode: record.state.episode().number,
                now,
            };
            if guard != Guard::None {
                writing.end_lease().await?;
            }
            writing.write(&locked, record, &change).await?;
            transaction.commit().await?;
            Ok(Ok(result))
        })
        .await
    }
}

/// A change on its way into the database.
pub(crate) struct Writing<'c> {
    pub(crate) connection: &'c mut AnyConnection,
    pub(crate) dialect: Dialect,
    pub(crate) conversation: Id<Record>,
    /// The one that new entries belong to.
    pub(crate) episode: u32,
    pub(crate) now: Timestamp,
}

impl Writing<'_> {
    /// Writes what `alter` made of a locked conversation.
    pub(crate) async fn write(
        &mut self,
        locked: &Locked,
        mut record: Record,
        change: &Change,
    ) -> Result<(), Error> {
        let (before, n_posts) = (&locked.record, locked.n_posts);
        if record == *before && change.is_empty() {
            return Ok(());
        }
        let number = before.n_entries;
        record.id = before.id;
        record.n_entries = number + count(&change.entries);
        // Later than the change before, also by the clock of a node that is behind: whoever follows
        // along knows a change by its time. Of one that this change opens nobody knows yet.
        let opens = before.n_entries == 0;
        let least = if opens { before.updated_at } else { audit::nth(before.updated_at, 1) };
        record.updated_at = self.now.max(least);
        record::update(self.connection, &record, n_posts + count(&change.posts))
            .await
            .map_err(Error::taken("conversation"))?;
        for (number, entry) in (number + 1..).zip(&change.entries) {
            entry::insert(self, number, entry).await?;
        }
        if let Some(decided) = &change.decision {
            decision::insert(self, decided).await?;
            if let Some(budgeted) = &change.budgeted {
                budget::note(self, decided.id, budgeted).await?;
            }
        }
        for (number, new) in (n_posts + 1..).zip(&change.posts) {
            post::insert(self, number, new).await?;
        }
        let ended = before.state.episode().number;
        timer::fire(self, ended, &change.fired).await?;
        if ended != self.episode {
            timer::forget(self).await?;
        }
        timer::set(self, &change.timers).await?;
        if let Some(share) = &change.share {
            rota::take(self, share).await?;
        }
        if let Some(request) = &change.request {
            token::note_effect(self, request).await?;
        }
        outcome::insert(self, ended, &change.outcomes).await?;
        for label in &change.labels {
            decision::label(self, label).await?;
        }
        for (nth, noted) in (0..).zip(&change.audit) {
            let conversation = Some(self.conversation);
            audit::insert(self.connection, noted, conversation, audit::nth(self.now, nth)).await?;
        }
        Ok(())
    }

    async fn end_lease(&mut self) -> Result<(), Error> {
        sqlx::query("UPDATE conversation SET lease_token = NULL, lease_until = NULL WHERE id = $1")
            .bind(self.conversation.to_string())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }
}

impl Change {
    fn is_empty(&self) -> bool {
        self.entries.is_empty()
            && self.decision.is_none()
            && self.posts.is_empty()
            && self.timers.is_empty()
            && self.fired.is_empty()
            && self.share.is_none()
            && self.request.is_none()
            && self.outcomes.is_empty()
            && self.labels.is_empty()
            && self.audit.is_empty()
    }
}

fn count<T>(list: &[T]) -> i64 {
    i64::try_from(list.len()).unwrap_or(i64::MAX)
}

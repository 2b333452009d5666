use crate::{
    Change, Error, Id, Record, Store,
    change::Writing,
    column::{Columns, micros, plain},
    record::{self, Locked},
};
use jiff::Timestamp;
use router::Status;
use sqlx::{Any, AnyConnection, Transaction};
use std::collections::BTreeSet;

/// How often a conversation is looked for that another caller opens or erases at the same moment.
const ATTEMPTS: u32 = 3;

/// A message of a customer at the door, as its channel names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The channel.
    pub channel: String,
    /// How the channel names the delivery; the same one is taken once.
    pub external_id: String,
}

/// The conversation that a [`Delivery`] belongs to.
#[derive(Debug, Clone, PartialEq)]
pub enum Opening {
    /// One that is kept.
    Known(Id<Record>),
    /// The one that the channel names so; opened as the record says when it is new.
    Named(String, Box<Record>),
    /// A new one, as the record says.
    New(Box<Record>),
}

/// What became of a [`Delivery`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// The conversation that it belongs to.
    pub conversation: Id<Record>,
    /// Number of the entry that it became, also when it came again.
    pub number: i64,
    /// Whether it had come before, and nothing was changed.
    pub repeated: bool,
}

/// What became of deliveries that were taken together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caught {
    /// The conversation that they belong to.
    pub conversation: Id<Record>,
    /// How many of them were new.
    pub n_new: usize,
    /// Number of its last entry then.
    pub n_entries: i64,
    /// Whether anything is different from before.
    pub altered: bool,
}

impl Store {
    /// Takes a delivery once: notes it in the ledger, finds or opens its conversation, and alters
    /// that as [`Store::change`] does, in one transaction. Of deliveries with the same channel and
    /// external id, also at the same moment, one alters and the others are told what it became.
    /// `alter` must add the entry of the message first.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the conversation or the customer is to be known and is not, [`Error::Taken`] when
    /// the entry repeats a client id, [`Error::Database`].
    pub async fn receive<R, F>(
        &self,
        delivery: &Delivery,
        opening: Opening,
        now: Timestamp,
        alter: F,
    ) -> Result<Result<Received, R>, Error>
    where
        F: FnOnce(&mut Record, &mut Change) -> Result<(), R> + Send,
        R: Send,
    {
        self.within(self.take(delivery, opening, now, alter)).await
    }

    async fn take<R, F>(
        &self,
        delivery: &Delivery,
        opening: Opening,
        now: Timestamp,
        alter: F,
    ) -> Result<Result<Received, R>, Error>
    where
        F: FnOnce(&mut Record, &mut Change) -> Result<(), R> + Send,
        R: Send,
    {
        let (mut transaction, locked) = self.admit(opening).await?;
        let (conversation, number) = (locked.record.id, locked.record.n_entries + 1);
        let fresh = Received { conversation, number, repeated: false };
        if !note(&mut transaction, delivery, fresh, now).await? {
            let earlier = earlier(&mut transaction, delivery).await?;
            transaction.rollback().await?;
            return Ok(Ok(earlier));
        }
        let (mut record, mut change) = (locked.record.clone(), Change::default());
        if let Err(refusal) = alter(&mut record, &mut change) {
            transaction.rollback().await?;
            return Ok(Err(refusal));
        }
        let mut writing = Writing {
            connection: &mut transaction,
            dialect: self.dialect,
            conversation,
            episode: record.state.episode().number,
            now,
        };
        writing.write(&locked, record, &change).await?;
        transaction.commit().await?;
        Ok(Ok(fresh))
    }

    /// Takes deliveries of one conversation, each once, as [`Store::receive`] does, all of them in
    /// one transaction: nobody sees the conversation between two of them. `alter` is called for
    /// each of `external_ids` that is new, with its place, and with `None` before what was altered
    /// is written: in the end, and wherever an episode ends, so that each entry belongs to its own.
    /// In the end it is called also where nothing is new, unless the conversation is.
    ///
    /// # Errors
    /// As [`Store::receive`].
    pub async fn receive_all<R, F>(
        &self,
        (channel, external_ids): (&str, &[String]),
        opening: Opening,
        now: Timestamp,
        alter: F,
    ) -> Result<Result<Caught, R>, Error>
    where
        F: FnMut(&mut Record, &mut Change, Option<usize>) -> Result<(), R> + Send,
        R: Send,
    {
        self.within(self.take_all((channel, external_ids), opening, now, alter)).await
    }

    async fn take_all<R, F>(
        &self,
        (channel, external_ids): (&str, &[String]),
        opening: Opening,
        now: Timestamp,
        mut alter: F,
    ) -> Result<Result<Caught, R>, Error>
    where
        F: FnMut(&mut Record, &mut Change, Option<usize>) -> Result<(), R> + Send,
        R: Send,
    {
        let (mut transaction, mut locked) = self.admit(opening).await?;
        let conversation = locked.record.id;
        let (mut record, mut change) = (locked.record.clone(), Change::default());
        let (mut n_new, mut n_unwritten) = (0, 0);
        let updated_at = locked.record.updated_at;
        for place in (0..external_ids.len()).map(Some).chain([None]) {
            if let Some((place, external_id)) = place.zip(place.and_then(|n| external_ids.get(n))) {
                let n_before = change.entries.len();
                let number = locked.record.n_entries + count(n_before) + 1;
                let fresh = Received { conversation, number, repeated: false };
                let (channel, external_id) = (channel.to_string(), external_id.clone());
                let delivery = Delivery { channel, external_id };
                if !note(&mut transaction, &delivery, fresh, now).await? {
                    continue;
                }
                if let Err(refusal) = alter(&mut record, &mut change, Some(place)) {
                    transaction.rollback().await?;
                    return Ok(Err(refusal));
                }
                let added = change.entries.get(n_before..).unwrap_or_default();
                let words = added.iter().position(|(_, content)| content.has_words());
                let became = words.map_or(0, |words| number + count(words));
                if became != number {
                    renumber(&mut transaction, &delivery, became).await?;
                }
                (n_new, n_unwritten) = (n_new + 1, n_unwritten + 1);
                if record.state.status() != Status::Closed {
                    continue;
                }
            } else if locked.record.n_entries == 0 && n_unwritten == 0 {
                // Nothing has ever been said: there is no conversation yet.
                break;
            }
            if let Err(refusal) = alter(&mut record, &mut change, None) {
                transaction.rollback().await?;
                return Ok(Err(refusal));
            }
            let (altered, done) = (record, std::mem::take(&mut change));
            locked = self.written(&mut transaction, (&locked, altered, &done), now).await?;
            (record, n_unwritten) = (locked.record.clone(), 0);
        }
        let n_entries = locked.record.n_entries;
        let altered = n_new > 0 || locked.record.updated_at != updated_at;
        match altered {
            false => transaction.rollback().await?,
            true => transaction.commit().await?,
        }
        Ok(Ok(Caught { conversation, n_new, n_entries, altered }))
    }

    /// Writes what was altered of a conversation, and returns it as it is then.
    async fn written(
        &self,
        transaction: &mut Transaction<'static, Any>,
        (locked, altered, change): (&Locked, Record, &Change),
        now: Timestamp,
    ) -> Result<Locked, Error> {
        let (dialect, conversation) = (self.dialect, locked.record.id);
        let episode = altered.state.episode().number;
        let mut writing =
            Writing { connection: &mut *transaction, dialect, conversation, episode, now };
        writing.write(locked, altered, change).await?;
        let locked = record::lock(transaction, dialect, conversation).await?;
        locked.ok_or(Error::NotFound("conversation"))
    }

    /// Returns the names under which a channel's deliveries of a conversation were taken.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn taken(
        &self,
        channel: &str,
        conversation: Id<Record>,
    ) -> Result<BTreeSet<String>, Error> {
        let sql = "SELECT external_id FROM ledger WHERE conversation = $1 AND channel = $2";
        let query = sqlx::query(sql).bind(conversation.to_string()).bind(plain(channel));
        let rows = query.fetch_all(&self.reader).await?;
        rows.iter().map(|row| Columns(row).text("external_id")).collect()
    }

    /// Begins a transaction and locks the conversation of a delivery, opening it when it is new.
    async fn admit(&self, opening: Opening) -> Result<(Transaction<'static, Any>, Locked), Error> {
        let dialect = self.dialect;
        for _ in 0..ATTEMPTS {
            let mut transaction = self.begin().await?;
            let locked = match &opening {
                Opening::Known(id) => record::lock(&mut transaction, dialect, *id).await?,
                Opening::New(new) => {
                    open(&mut transaction, new).await?;
                    record::lock(&mut transaction, dialect, new.id).await?
                }
                Opening::Named(name, new) => {
                    let names = (new.channel.as_str(), name.as_str());
                    match record::lock_named(&mut transaction, dialect, names).await? {
                        Some(locked) => Some(locked),
                        None => {
                            let external_id = Some(name.clone());
                            let new = Record { external_id, ..Record::clone(new) };
                            open(&mut transaction, &new).await?;
                            record::lock_named(&mut transaction, dialect, names).await?
                        }
                    }
                }
            };
            match (locked, &opening) {
                (Some(locked), _) => return Ok((transaction, locked)),
                (None, Opening::Known(_)) => break,
                (None, _) => transaction.rollback().await?,
            }
        }
        Err(Error::NotFound("conversation"))
    }
}

/// Writes a new conversation whole, unless it is there already.
async fn open(connection: &mut AnyConnection, new: &Record) -> Result<(), Error> {
    if record::insert(connection, new).await.map_err(Error::missing("customer"))? {
        let new = Record { n_entries: 0, ..new.clone() };
        record::update(connection, &new, 0).await?;
    }
    Ok(())
}

/// Notes a delivery in the ledger; returns whether it was new. One that is being noted at the same
/// moment is waited for.
pub(crate) async fn note(
    connection: &mut AnyConnection,
    delivery: &Delivery,
    received: Received,
    now: Timestamp,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "INSERT INTO ledger (channel, external_id, conversation, number, at)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
    )
    .bind(plain(&delivery.channel))
    .bind(plain(&delivery.external_id))
    .bind(received.conversation.to_string())
    .bind(received.number)
    .bind(micros(now))
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes which entry a delivery became; 0: none that has words.
async fn renumber(
    connection: &mut AnyConnection,
    delivery: &Delivery,
    number: i64,
) -> Result<(), Error> {
    let sql = "UPDATE ledger SET number = $3 WHERE channel = $1 AND external_id = $2";
    let query = sqlx::query(sql).bind(plain(&delivery.channel)).bind(plain(&delivery.external_id));
    query.bind(number).execute(connection).await?;
    Ok(())
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

async fn earlier(connection: &mut AnyConnection, delivery: &Delivery) -> Result<Received, Error> {
    let sql = "SELECT conversation, number FROM ledger WHERE channel = $1 AND external_id = $2";
    let query = sqlx::query(sql).bind(plain(&delivery.channel)).bind(plain(&delivery.external_id));
    let row = query.fetch_optional(connection).await?.ok_or(Error::NotFound("conversation"))?;
    let columns = Columns(&row);
    let (conversation, number) = (columns.id("conversation")?, columns.number("number")?);
    Ok(Received { conversation, number, repeated: true })
}

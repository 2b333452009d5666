use crate::{
    Error, Id, Record, Store,
    change::Writing,
    column::{Columns, damaged, maybe_plain, micros},
};
use jiff::Timestamp;
use sqlx::any::AnyRow;

/// What became of an episode; each kind once an episode, the first one counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What.
    pub kind: OutcomeKind,
    /// What the customer wrote about it.
    pub comment: Option<String>,
}

/// Kinds of [`Outcome`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OutcomeKind {
    /// The customer said that it helped.
    Confirmed,
    /// The customer did not come back for a while after the bot's answer.
    Assumed,
    /// It was still closed after seven days.
    Durable,
    /// The customer came back.
    Reopened,
    /// A teammate found the bot's answer wrong.
    Wrong,
    /// People took over.
    HandedOff,
    /// The customer rated it, 1 to 5.
    Rated(u8),
}

impl Store {
    /// Lists the outcomes of a conversation with episode and time, oldest first.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn outcomes(
        &self,
        conversation: Id<Record>,
    ) -> Result<Vec<(u32, Timestamp, Outcome)>, Error> {
        let sql = "SELECT * FROM outcome WHERE conversation = $1 ORDER BY at, episode, kind";
        let rows = sqlx::query(sql).bind(conversation.to_string()).fetch_all(&self.reader).await?;
        rows.iter().map(read).collect()
    }
}

impl OutcomeKind {
    fn written(self) -> (&'static str, Option<i64>) {
        match self {
            Self::Confirmed => ("confirmed", None),
            Self::Assumed => ("assumed", None),
            Self::Durable => ("durable", None),
            Self::Reopened => ("reopened", None),
            Self::Wrong => ("wrong", None),
            Self::HandedOff => ("handed_off", None),
            Self::Rated(stars) => ("rated", Some(i64::from(stars))),
        }
    }

    fn read(kind: &str, rating: Option<i64>) -> Result<Self, Error> {
        Ok(match (kind, rating.map(u8::try_from)) {
            ("confirmed", _) => Self::Confirmed,
            ("assumed", _) => Self::Assumed,
            ("durable", _) => Self::Durable,
            ("reopened", _) => Self::Reopened,
            ("wrong", _) => Self::Wrong,
            ("handed_off", _) => Self::HandedOff,
            ("rated", Some(Ok(stars))) => Self::Rated(stars),
            _ => return Err(damaged("kind")),
        })
    }
}

pub(crate) fn read(row: &AnyRow) -> Result<(u32, Timestamp, Outcome), Error> {
    let columns = Columns(row);
    let kind = OutcomeKind::read(&columns.text("kind")?, columns.maybe_number("rating")?)?;
    let outcome = Outcome { kind, comment: columns.maybe_text("comment")? };
    Ok((columns.count("episode")?, columns.time("at")?, outcome))
}

/// Writes what became of an episode; what is known of it already stays as it was. A comment may
/// come later.
pub(crate) async fn insert(
    writing: &mut Writing<'_>,
    episode: u32,
    outcomes: &[Outcome],
) -> Result<(), Error> {
    for outcome in outcomes {
        let (kind, rating) = outcome.kind.written();
        sqlx::query(
            "INSERT INTO outcome (conversation, episode, kind, rating, comment, at)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (conversation, episode, kind)
             DO UPDATE SET comment = CASE WHEN outcome.rating = excluded.rating
                THEN COALESCE(outcome.comment, excluded.comment) ELSE outcome.comment END",
        )
        .bind(writing.conversation.to_string())
        .bind(i64::from(episode))
        .bind(kind)
        .bind(rating)
        .bind(maybe_plain(outcome.comment.as_ref()))
        .bind(micros(writing.now))
        .execute(&mut *writing.connection)
        .await?;
    }
    Ok(())
}

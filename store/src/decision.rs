use crate::{
    Basis, EntryId, Error, Id, Page, Record, Source, Store,
    change::Writing,
    column::{Columns, damaged, json, maybe_plain, micros, plain},
};
use jiff::Timestamp;
use router::Slug;
use serde_json::Value as Json;
use sqlx::any::AnyRow;
use std::collections::BTreeMap;

/// A decision as it is kept: what was done with a conversation, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided {
    /// Id.
    pub id: Id<Decided>,
    /// The conversation.
    pub conversation: Id<Record>,
    /// Its episode.
    pub episode: u32,
    /// Number of the last entry that was known when it was decided.
    pub about: i64,
    /// When it was decided.
    pub at: Timestamp,
    /// What was decided.
    pub decided: NewDecision,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq)]
pub struct NewDecision {
    /// Id.
    pub id: Id<Decided>,
    /// Number of the last entry that was known.
    pub about: i64,
    /// Name of the act, such as `reply` or `handoff`.
    pub act: String,
    /// The team that the act names.
    pub team: Option<Slug>,
    /// What the question is about.
    pub topic: Option<String>,
    /// Probability that the draft is right.
    pub confidence: f64,
    /// The draft, sent or not.
    pub draft: Option<String>,
    /// What the draft rests on.
    pub sources: Vec<Source>,
    /// Why, in words; the deciding reason first.
    pub reasons: Vec<String>,
    /// How it came about, enough to replay it.
    pub trace: Json,
    /// What it rests on; None where that was not kept.
    pub basis: Option<Basis>,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
    /// Whether it settled what the customer had written without a word to them.
    pub silent: bool,
}

/// What is told of a decision for the reading of its conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About {
    /// Number of the last entry that was known.
    pub known: i64,
    /// Whether what the customer had written by then was settled without a word to them.
    pub silent: bool,
}

/// What a teammate made of a draft; a labelled case for evals. A decision has one at most, the
/// last that was given.
#[derive(Debug, Clone, PartialEq)]
pub struct Label {
    /// The decision whose draft it was.
    pub decision: Id<Decided>,
    /// Who judged.
    pub teammate: Slug,
    /// How.
    pub verdict: Verdict,
    /// What was sent instead, where something was.
    pub sent: Option<EntryId>,
}

/// How a teammate found a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Sent as it was.
    Approved,
    /// Sent with changes.
    Corrected,
    /// Wrong.
    Wrong,
}

impl Store {
    /// Lists the decisions of a conversation, oldest first.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn decisions(&self, conversation: Id<Record>) -> Result<Vec<Decided>, Error> {
        let sql = "SELECT * FROM decision WHERE conversation = $1 ORDER BY about, id";
        let rows = sqlx::query(sql).bind(conversation.to_string()).fetch_all(&self.reader).await?;
        rows.iter().map(read).collect()
    }

    /// Tells of the decisions of a conversation up to which entry each knew it.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn decided_about(
        &self,
        conversation: Id<Record>,
    ) -> Result<BTreeMap<Id<Decided>, About>, Error> {
        let sql = "SELECT id, about, silent FROM decision WHERE conversation = $1";
        let rows = sqlx::query(sql).bind(conversation.to_string()).fetch_all(&self.reader).await?;
        let about = rows.iter().map(Columns).map(|row| {
            let about = About { known: row.number("about")?, silent: row.truth("silent")? };
            Ok((row.id("id")?, about))
        });
        about.collect()
    }

    /// Returns a decision.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub async fn decision(&self, id: Id<Decided>) -> Result<Decided, Error> {
        let query = sqlx::query("SELECT * FROM decision WHERE id = $1").bind(id.to_string());
        let row = query.fetch_optional(&self.reader).await?;
        read(&row.ok_or(Error::NotFound("decision"))?)
    }

    /// Lists decisions of all conversations, newest first.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn all_decisions(&self, page: &Page) -> Result<Vec<Decided>, Error> {
        let rows = sqlx::query("SELECT * FROM decision WHERE id < $1 ORDER BY id DESC LIMIT $2")
            .bind(page.end())
            .bind(i64::from(page.limit))
            .fetch_all(&self.reader)
            .await?;
        rows.iter().map(read).collect()
    }

    /// Lists labels with the time they were given, that of the newest decision first; the page goes
    /// on before the id of a decision.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn labels(&self, page: &Page) -> Result<Vec<(Timestamp, Label)>, Error> {
        let sql = "SELECT * FROM label WHERE decision < $1 ORDER BY decision DESC LIMIT $2";
        let query = sqlx::query(sql).bind(page.end()).bind(i64::from(page.limit));
        query.fetch_all(&self.reader).await?.iter().map(read_label).collect()
    }
}

impl Verdict {
    fn name(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Corrected => "corrected",
            Self::Wrong => "wrong",
        }
    }

    fn read(name: &str) -> Result<Self, Error> {
        let all = [Self::Approved, Self::Corrected, Self::Wrong];
        all.into_iter().find(|verdict| verdict.name() == name).ok_or_else(|| damaged("verdict"))
    }
}

pub(crate) fn read(row: &AnyRow) -> Result<Decided, Error> {
    let columns = Columns(row);
    let (id, about) = (columns.id("id")?, columns.number("about")?);
    let decided = NewDecision {
        id,
        about,
        act: columns.text("act")?,
        team: columns.maybe_slug("team")?,
        topic: columns.maybe_text("topic")?,
        confidence: columns.fraction("confidence")?,
        draft: columns.maybe_text("draft")?,
        sources: columns.json("sources")?,
        reasons: columns.json("reasons")?,
        trace: columns.json("trace")?,
        basis: columns.maybe_json("basis")?,
        took_ms: columns.fraction("took_ms")?,
        silent: columns.truth("silent")?,
    };
    let (conversation, episode) = (columns.id("conversation")?, columns.count("episode")?);
    Ok(Decided { id, conversation, episode, about, at: columns.time("at")?, decided })
}

pub(crate) fn read_label(row: &AnyRow) -> Result<(Timestamp, Label), Error> {
    let columns = Columns(row);
    let label = Label {
        decision: columns.id("decision")?,
        teammate: columns.slug("teammate")?,
        verdict: Verdict::read(&columns.text("verdict")?)?,
        sent: columns.maybe_id("sent")?,
    };
    Ok((columns.time("at")?, label))
}

/// Writes a decision.
pub(crate) async fn insert(writing: &mut Writing<'_>, decided: &NewDecision) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO decision (id, conversation, episode, about, at, act, team, topic, confidence,
            draft, sources, reasons, trace, took_ms, basis, silent)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
    )
    .bind(decided.id.to_string())
    .bind(writing.conversation.to_string())
    .bind(i64::from(writing.episode))
    .bind(decided.about)
    .bind(micros(writing.now))
    .bind(plain(&decided.act))
    .bind(decided.team.as_ref().map(ToString::to_string))
    .bind(maybe_plain(decided.topic.as_ref()))
    .bind(decided.confidence)
    .bind(maybe_plain(decided.draft.as_ref()))
    .bind(json(&decided.sources))
    .bind(json(&decided.reasons))
    .bind(json(&decided.trace))
    .bind(decided.took_ms)
    .bind(decided.basis.as_ref().map(json))
    .bind(i64::from(decided.silent))
    .execute(&mut *writing.connection)
    .await?;
    Ok(())
}

/// Writes what a teammate made of a draft, in place of what was said of it before.
pub(crate) async fn label(writing: &mut Writing<'_>, label: &Label) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO label (decision, teammate, verdict, sent, at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (decision) DO UPDATE SET teammate = excluded.teammate,
            verdict = excluded.verdict, sent = excluded.sent, at = excluded.at",
    )
    .bind(label.decision.to_string())
    .bind(label.teammate.to_string())
    .bind(label.verdict.name())
    .bind(label.sent.map(|id| id.to_string()))
    .bind(micros(writing.now))
    .execute(&mut *writing.connection)
    .await
    .map_err(Error::missing("decision"))?;
    Ok(())
}

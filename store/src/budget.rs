use crate::{
    Decided, Error, Id, Store, Verdict,
    change::Writing,
    column::{Columns, micros, plain},
};
use jiff::Timestamp;
use serde_json::Value as Json;
use sqlx::any::AnyRow;

/// The error budget by which a draft was sent, or would have been.
#[derive(Debug, Clone, PartialEq)]
pub struct Budgeted {
    /// The rule.
    pub rule: String,
    /// Largest share of its answers that may be wrong.
    pub error_budget: f64,
}

/// An answer that was given by an error budget.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// Its decision.
    pub decision: Id<Decided>,
    /// What the question was about.
    pub topic: Option<String>,
    /// When.
    pub at: Timestamp,
    /// How sure the bot was.
    pub confidence: f64,
}

/// What speaks against an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Objection {
    /// A teammate found it wrong.
    Wrong,
    /// A teammate sent something else in its place.
    Corrected {
        /// The bot's words.
        draft: String,
        /// The teammate's.
        sent: String,
    },
    /// The customer gave it one or two stars, with nobody else's words between.
    RatedBadly,
    /// The customer came back, and the matter went to people.
    CameBack,
}

/// A watched error budget.
#[derive(Debug, Clone, PartialEq)]
pub struct Watched {
    /// The rule.
    pub rule: String,
    /// A topic that stands alone; None: all others.
    pub topic: Option<String>,
    /// Answers from then on count.
    pub since: Timestamp,
    /// The threshold that it was raised to; None: it was not, or people have lifted it.
    pub threshold: Option<f64>,
    /// How often it was raised since people looked.
    pub n_raised: u32,
    /// Answers that it was raised by, and those of them that were wrong.
    pub n_answers: u32,
    /// Those of them that were wrong.
    pub n_wrong: u32,
}

impl Store {
    /// Lists answers by the budget of a rule since a moment, oldest first: those that were sent, and
    /// drafts that a teammate has judged.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn answered(&self, rule: &str, since: Timestamp) -> Result<Vec<Answered>, Error> {
        let rows = sqlx::query(
            "SELECT d.id, d.topic, d.at, d.confidence FROM decision d
             WHERE d.budget_rule = $1 AND d.at >= $2
                AND (d.act = 'reply' OR EXISTS (SELECT 1 FROM label l WHERE l.decision = d.id))
             ORDER BY d.at, d.id",
        );
        let rows = rows.bind(plain(rule)).bind(micros(since)).fetch_all(&self.reader).await?;
        let answered = rows.iter().map(|row| {
            let columns = Columns(row);
            let (decision, topic) = (columns.id("id")?, columns.maybe_text("topic")?);
            let (at, confidence) = (columns.time("at")?, columns.fraction("confidence")?);
            Ok(Answered { decision, topic, at, confidence })
        });
        answered.collect()
    }

    /// Lists what speaks against answers by the budget of a rule since a moment. What a teammate
    /// approved is not listed, whatever customers say; an answer may be listed twice.
    ///
    /// # Errors
    /// [`Error::Database`], [`Error::Damaged`].
    pub async fn objections(
        &self,
        rule: &str,
        since: Timestamp,
    ) -> Result<Vec<(Id<Decided>, Objection)>, Error> {
        let mut objections = self.of_teammates(rule, since).await?;
        objections.extend(self.of_customers(rule, since).await?);
        Ok(objections)
    }

    async fn of_teammates(
        &self,
        rule: &str,
        since: Timestamp,
    ) -> Result<Vec<(Id<Decided>, Objection)>, Error> {
        let rows = sqlx::query(
            "SELECT d.id, d.draft, l.verdict, e.content FROM decision d
             JOIN label l ON l.decision = d.id
             LEFT JOIN entry e ON e.conversation = d.conversation AND e.id = l.sent
                AND e.kind = 'teammate'
             WHERE d.budget_rule = $1 AND d.at >= $2 AND l.verdict <> 'approved'",
        );
        let rows = rows.bind(plain(rule)).bind(micros(since)).fetch_all(&self.reader).await?;
        let mut objections = Vec::new();
        for row in &rows {
            let columns = Columns(row);
            let objection = match Verdict::read(&columns.text("verdict")?)? {
                Verdict::Approved => continue,
                Verdict::Wrong => Objection::Wrong,
                Verdict::Corrected => {
                    let content: Option<Json> = columns.maybe_json("content")?;
                    let sent = content.as_ref().and_then(|content| content.get("text")?.as_str());
                    let draft = columns.maybe_text("draft")?;
                    let Some((draft, sent)) = draft.zip(sent) else { continue };
                    Objection::Corrected { draft, sent: sent.into() }
                }
            };
            objections.push((columns.id("id")?, objection));
        }
        Ok(objections)
    }

    /// A rating is for what came last before it; a return is for the last answer of its episode.
    async fn of_customers(
        &self,
        rule: &str,
        since: Timestamp,
    ) -> Result<Vec<(Id<Decided>, Objection)>, Error> {
        let rows = sqlx::query(
            "SELECT d.id, o.kind FROM decision d
             JOIN outcome o ON o.conversation = d.conversation AND o.episode = d.episode AND o.at >= d.at
             WHERE d.budget_rule = $1 AND d.at >= $2 AND d.act = 'reply'
                AND NOT EXISTS (SELECT 1 FROM label l WHERE l.decision = d.id AND l.verdict = 'approved')
                AND NOT EXISTS (SELECT 1 FROM decision r WHERE r.conversation = d.conversation
                    AND r.episode = d.episode AND r.act = 'reply' AND r.id > d.id AND r.at <= o.at)
                AND NOT EXISTS (SELECT 1 FROM entry e WHERE e.conversation = d.conversation
                    AND e.episode = d.episode AND e.kind = 'teammate' AND e.number > d.about
                    AND e.at <= o.at)
                AND ((o.kind = 'rated' AND o.rating <= 2)
                  OR (o.kind = 'reopened' AND EXISTS (SELECT 1 FROM outcome h
                    WHERE h.conversation = o.conversation AND h.episode = o.episode + 1
                        AND h.kind = 'handed_off')))",
        );
        let rows = rows.bind(plain(rule)).bind(micros(since)).fetch_all(&self.reader).await?;
        let objections = rows.iter().map(|row| {
            let columns = Columns(row);
            let is_rated = columns.text("kind")? == "rated";
            let objection = if is_rated { Objection::RatedBadly } else { Objection::CameBack };
            Ok((columns.id("id")?, objection))
        });
        objections.collect()
    }

    /// Lists the budgets that are watched.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn watched(&self) -> Result<Vec<Watched>, Error> {
        let rows = sqlx::query("SELECT * FROM watched_budget ORDER BY rule, topic");
        rows.fetch_all(&self.reader).await?.iter().map(read).collect()
    }

    /// Begins to watch a budget, unless it is watched.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn watch(
        &self,
        rule: &str,
        topic: Option<&str>,
        since: Timestamp,
    ) -> Result<(), Error> {
        let sql = "INSERT INTO watched_budget (rule, topic, since) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
        let query = sqlx::query(sql).bind(plain(rule)).bind(plain(topic.unwrap_or_default()));
        query.bind(micros(since)).execute(&self.writer).await?;
        Ok(())
    }

    /// Raises the threshold of a watched budget; from then on its answers are counted anew. Returns
    /// whether this did it: of several nodes one does.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn raise(&self, raised: &Watched) -> Result<bool, Error> {
        let done = sqlx::query(
            "UPDATE watched_budget SET since = $3, threshold = $4, n_raised = $5, n_answers = $6, n_wrong = $7
             WHERE rule = $1 AND topic = $2 AND n_raised = $5 - 1",
        )
        .bind(plain(&raised.rule))
        .bind(plain(raised.topic.as_deref().unwrap_or_default()))
        .bind(micros(raised.since))
        .bind(raised.threshold)
        .bind(i64::from(raised.n_raised))
        .bind(i64::from(raised.n_answers))
        .bind(i64::from(raised.n_wrong))
        .execute(&self.writer)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Lifts what was raised of a rule's budgets, of one topic or of all; answers are counted anew
    /// from `now` on. Returns how many were lifted.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn lift(
        &self,
        rule: &str,
        topic: Option<&str>,
        now: Timestamp,
    ) -> Result<u64, Error> {
        let done = sqlx::query(
            "UPDATE watched_budget SET since = $3, threshold = NULL, n_raised = 0, n_answers = 0, n_wrong = 0
             WHERE rule = $1 AND ($4 = 1 OR topic = $2) AND threshold IS NOT NULL",
        )
        .bind(plain(rule))
        .bind(plain(topic.unwrap_or_default()))
        .bind(micros(now))
        .bind(i64::from(topic.is_none()))
        .execute(&self.writer)
        .await?;
        Ok(done.rows_affected())
    }
}

fn read(row: &AnyRow) -> Result<Watched, Error> {
    let columns = Columns(row);
    Ok(Watched {
        rule: columns.text("rule")?,
        topic: Some(columns.text("topic")?).filter(|topic| !topic.is_empty()),
        since: columns.time("since")?,
        threshold: columns.maybe_fraction("threshold")?,
        n_raised: columns.count("n_raised")?,
        n_answers: columns.count("n_answers")?,
        n_wrong: columns.count("n_wrong")?,
    })
}

/// Notes by which budget a decision was taken.
pub(crate) async fn note(
    writing: &mut Writing<'_>,
    decision: Id<Decided>,
    budgeted: &Budgeted,
) -> Result<(), Error> {
    sqlx::query("UPDATE decision SET budget_rule = $2, error_budget = $3 WHERE id = $1")
        .bind(decision.to_string())
        .bind(plain(&budgeted.rule))
        .bind(budgeted.error_budget)
        .execute(&mut *writing.connection)
        .await?;
    Ok(())
}

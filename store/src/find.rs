use crate::{
    Entry, Error, Id, Record, Store,
    column::{Columns, json, micros, plain},
    entry,
    open::Dialect,
    record,
    words::sought,
};
use jiff::Timestamp;
use router::{Owner, Slug, Status, Waiting};
use sqlx::{AssertSqlSafe, any::AnyRow};

/// A part of a long list, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Only what is older than this id; None: from the newest on. Ids sort by their time.
    pub before: Option<String>,
    /// At most so many.
    pub limit: u32,
}

/// Which conversations are looked for; every part narrows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Search {
    /// With this status.
    pub status: Option<Status>,
    /// With this owner: the bot, a team's queue, or a teammate (whatever the team).
    pub owner: Option<Owner>,
    /// In a team's hands, queued or with one of its teammates.
    pub team: Option<Slug>,
    /// With this tag.
    pub tag: Option<String>,
    /// On this channel.
    pub channel: Option<String>,
    /// Whose messages hold all of these words (their beginnings, whatever their case).
    pub words: Option<String>,
}

/// A conversation in a team's hands, as lists show it.
#[derive(Debug, Clone, PartialEq)]
pub struct QueueItem {
    /// The conversation.
    pub record: Record,
    /// Name of the customer, as far as it is known.
    pub customer_name: Option<String>,
}

/// How much lies where; for lists, metrics and health.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Workload {
    /// Conversations whose turn is due and not taken.
    pub turns_due: i64,
    /// Since when the longest waiting of them has been due.
    pub oldest_turn: Option<Timestamp>,
    /// Open conversations that the bot has.
    pub with_bot: i64,
    /// Conversations that wait in a team's queue, by team.
    pub queued: Vec<(Slug, i64)>,
    /// Open conversations that teammates hold, by team.
    pub held: Vec<(Slug, i64)>,
    /// Posts that wait to be sent.
    pub posts_pending: i64,
}

impl Page {
    /// What ids of this page are smaller than; no id begins with a `g`.
    pub(crate) fn end(&self) -> String {
        self.before.as_deref().map_or_else(|| "g".to_string(), plain)
    }
}

impl Store {
    /// Returns a conversation.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub async fn conversation(&self, id: Id<Record>) -> Result<Record, Error> {
        let query = sqlx::query("SELECT * FROM conversation WHERE id = $1").bind(id.to_string());
        let row = query.fetch_optional(&self.reader).await?;
        record::read(&row.ok_or(Error::NotFound("conversation"))?)
    }

    /// Returns the conversation that a channel names so.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn conversation_named(
        &self,
        channel: &str,
        external_id: &str,
    ) -> Result<Option<Record>, Error> {
        let sql = "SELECT * FROM conversation WHERE channel = $1 AND external_id = $2";
        let query = sqlx::query(sql).bind(plain(channel)).bind(plain(external_id));
        query.fetch_optional(&self.reader).await?.as_ref().map(record::read).transpose()
    }

    /// Returns at most `limit` entries of a conversation with numbers above `after`, in order.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn timeline(
        &self,
        id: Id<Record>,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Entry>, Error> {
        let rows = sqlx::query(
            "SELECT * FROM entry WHERE conversation = $1 AND number > $2 ORDER BY number LIMIT $3",
        )
        .bind(id.to_string())
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(&self.reader)
        .await?;
        rows.iter().map(entry::read).collect()
    }

    /// Returns the last `limit` entries of a conversation, in order.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn last_entries(&self, id: Id<Record>, limit: u32) -> Result<Vec<Entry>, Error> {
        let rows = sqlx::query(
            "SELECT * FROM entry WHERE conversation = $1 ORDER BY number DESC LIMIT $2",
        )
        .bind(id.to_string())
        .bind(i64::from(limit))
        .fetch_all(&self.reader)
        .await?;
        rows.iter().rev().map(entry::read).collect()
    }

    /// Lists open conversations in a team's queue and, with `held`, those its teammates hold: the
    /// one whose promise falls due first leads, then priority, then arrival.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn queue(
        &self,
        team: &Slug,
        held: bool,
        limit: u32,
    ) -> Result<Vec<QueueItem>, Error> {
        let sql = if held {
            "SELECT c.*, p.name AS customer_name FROM conversation c
             JOIN customer p ON p.id = c.customer
             WHERE c.status = 'open' AND c.owner_team = $1
             ORDER BY c.next_due, c.urgency, c.arrived_at, c.id LIMIT $2"
        } else {
            "SELECT c.*, p.name AS customer_name FROM conversation c
             JOIN customer p ON p.id = c.customer
             WHERE c.status = 'open' AND c.owner_team = $1 AND c.owner_teammate IS NULL
             ORDER BY c.next_due, c.urgency, c.arrived_at, c.id LIMIT $2"
        };
        let query = sqlx::query(sql).bind(team.as_str()).bind(i64::from(limit));
        query.fetch_all(&self.reader).await?.iter().map(read_item).collect()
    }

    /// Lists open conversations that a teammate holds, in the same order.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn held_by(&self, teammate: &Slug, limit: u32) -> Result<Vec<QueueItem>, Error> {
        let rows = sqlx::query(
            "SELECT c.*, p.name AS customer_name FROM conversation c
             JOIN customer p ON p.id = c.customer
             WHERE c.status = 'open' AND c.owner_teammate = $1
             ORDER BY c.next_due, c.urgency, c.arrived_at, c.id LIMIT $2",
        )
        .bind(teammate.as_str())
        .bind(i64::from(limit))
        .fetch_all(&self.reader)
        .await?;
        rows.iter().map(read_item).collect()
    }

    /// Finds conversations, newest first by id.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn search(&self, search: &Search, page: &Page) -> Result<Vec<QueueItem>, Error> {
        let mut wanted = Wanted::new(page);
        wanted.narrow(search, self.dialect);
        let sql = format!(
            "SELECT c.*, p.name AS customer_name FROM conversation c
             JOIN customer p ON p.id = c.customer
             WHERE c.id < $1{} ORDER BY c.id DESC LIMIT {}",
            wanted.conditions, page.limit
        );
        // The conditions are texts of this file; what was asked for is bound.
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for value in wanted.values {
            query = query.bind(value);
        }
        query.fetch_all(&self.reader).await?.iter().map(read_item).collect()
    }

    /// Lists at most `limit` open conversations that people hold and whose customer has waited
    /// since before `since`, the longest first; `after` names the last one of the page before.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn waiting(
        &self,
        since: Timestamp,
        after: Option<(Timestamp, Id<Record>)>,
        limit: u32,
    ) -> Result<Vec<Record>, Error> {
        let (waited, id) = after.map_or_else(
            || (i64::MIN, String::new()),
            |(waited, id)| (micros(waited), id.to_string()),
        );
        let rows = sqlx::query(
            "SELECT * FROM conversation
             WHERE status = 'open' AND owner_team IS NOT NULL AND waiting_since IS NOT NULL
                AND waiting_since < $1
                AND (waiting_since > $2 OR (waiting_since = $2 AND id > $3))
             ORDER BY waiting_since, id LIMIT $4",
        )
        .bind(micros(since))
        .bind(waited)
        .bind(id)
        .bind(i64::from(limit))
        .fetch_all(&self.reader)
        .await?;
        rows.iter().map(record::read).collect()
    }

    /// Lists at most `limit` conversations that changed at or after a moment, with that moment and
    /// the number of their last entry, oldest change first. A change is seen when it is committed,
    /// which is a little after its time: whoever follows along looks back by some seconds.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn changed_since(
        &self,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<(Id<Record>, Timestamp, i64)>, Error> {
        let rows = sqlx::query(
            "SELECT id, updated_at, n_entries FROM conversation WHERE updated_at >= $1
             ORDER BY updated_at, id LIMIT $2",
        )
        .bind(micros(since))
        .bind(i64::from(limit))
        .fetch_all(&self.reader)
        .await?;
        let read = |row| {
            let columns = Columns(row);
            Ok((columns.id("id")?, columns.time("updated_at")?, columns.number("n_entries")?))
        };
        rows.iter().map(read).collect()
    }

    /// Counts what lies where.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn workload(&self, now: Timestamp) -> Result<Workload, Error> {
        let turns = sqlx::query(
            "SELECT COUNT(*) AS n, MIN(turn_due_at) AS oldest FROM conversation
             WHERE turn_due_at <= $1 AND (lease_until IS NULL OR lease_until <= $1)",
        )
        .bind(micros(now))
        .fetch_one(&self.reader)
        .await?;
        Ok(Workload {
            turns_due: Columns(&turns).number("n")?,
            oldest_turn: Columns(&turns).maybe_time("oldest")?,
            with_bot: self
                .count(
                    "SELECT COUNT(*) AS n FROM conversation
                     WHERE status = 'open' AND owner_team IS NULL",
                )
                .await?,
            queued: self.queued().await?,
            held: self
                .count_by_team(
                    "SELECT owner_team, COUNT(*) AS n FROM conversation
                     WHERE status = 'open' AND owner_team IS NOT NULL
                        AND owner_teammate IS NOT NULL
                     GROUP BY owner_team",
                )
                .await?,
            posts_pending: self
                .count("SELECT COUNT(*) AS n FROM post WHERE state = 'pending'")
                .await?,
        })
    }

    /// Counts the conversations that wait in each team's queue.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn queued(&self) -> Result<Vec<(Slug, i64)>, Error> {
        self.count_by_team(
            "SELECT owner_team, COUNT(*) AS n FROM conversation
             WHERE status = 'open' AND owner_team IS NOT NULL AND owner_teammate IS NULL
             GROUP BY owner_team",
        )
        .await
    }

    /// Lists what waits in the queues of all teams, as far as its place in one depends on it: of each
    /// team's conversations the first `limit`, in the order of [`Store::queue`].
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn queues(&self, limit: u32) -> Result<Vec<(Slug, Waiting)>, Error> {
        let rows = sqlx::query(
            "SELECT owner_team, id, next_due, priority, arrived_at FROM (
                SELECT owner_team, id, next_due, priority, arrived_at, ROW_NUMBER() OVER (
                    PARTITION BY owner_team ORDER BY next_due, urgency, arrived_at, id) AS place
                FROM conversation
                WHERE status = 'open' AND owner_team IS NOT NULL AND owner_teammate IS NULL
             ) AS queue WHERE place <= $1 ORDER BY owner_team, place",
        )
        .bind(i64::from(limit))
        .fetch_all(&self.reader)
        .await?;
        rows.iter().map(read_waiting).collect()
    }

    async fn count(&self, sql: &'static str) -> Result<i64, Error> {
        Columns(&sqlx::query(sql).fetch_one(&self.reader).await?).number("n")
    }

    async fn count_by_team(&self, sql: &'static str) -> Result<Vec<(Slug, i64)>, Error> {
        let rows = sqlx::query(sql).fetch_all(&self.reader).await?;
        let read = |row| Ok((Columns(row).slug("owner_team")?, Columns(row).number("n")?));
        let mut counts = rows.iter().map(read).collect::<Result<Vec<_>, Error>>()?;
        counts.sort();
        Ok(counts)
    }
}

fn read_waiting(row: &AnyRow) -> Result<(Slug, Waiting), Error> {
    let columns = Columns(row);
    let waiting = Waiting {
        id: columns.text("id")?,
        language: None,
        priority: record::priority(&columns.text("priority")?)?,
        // Nothing due is kept as the end of time.
        due: Timestamp::from_microsecond(columns.number("next_due")?).ok(),
        arrived_at: columns.time("arrived_at")?,
        teammate: None,
    };
    Ok((columns.slug("owner_team")?, waiting))
}

fn read_item(row: &AnyRow) -> Result<QueueItem, Error> {
    let customer_name = Columns(row).maybe_text("customer_name")?;
    Ok(QueueItem { record: record::read(row)?, customer_name })
}

/// The conditions of a search, and the values that they speak of.
struct Wanted {
    conditions: String,
    values: Vec<String>,
}

impl Wanted {
    fn new(page: &Page) -> Self {
        Self { conditions: String::new(), values: vec![page.end()] }
    }

    fn narrow(&mut self, search: &Search, dialect: Dialect) {
        if let Some(status) = search.status {
            self.and("c.status = ?", record::status_name(status).to_string());
        }
        match &search.owner {
            None => {}
            Some(Owner::Bot) => self.conditions.push_str(" AND c.owner_team IS NULL"),
            Some(Owner::Team(team)) => {
                self.and("c.owner_team = ?", team.to_string());
                self.conditions.push_str(" AND c.owner_teammate IS NULL");
            }
            Some(Owner::Teammate { teammate, .. }) => {
                self.and("c.owner_teammate = ?", teammate.to_string());
            }
        }
        if let Some(team) = &search.team {
            self.and("c.owner_team = ?", team.to_string());
        }
        if let Some(tag) = &search.tag {
            let holds = dialect.choose("instr(c.tags, ?) > 0", "strpos(c.tags, ?) > 0");
            self.and(holds, json(tag));
        }
        if let Some(channel) = &search.channel {
            self.and("c.channel = ?", plain(channel));
        }
        let holds = dialect.choose(
            "c.id IN (SELECT m.conversation FROM word_index
                JOIN message_words m ON m.seq = word_index.rowid WHERE word_index MATCH ?)",
            "c.id IN (SELECT m.conversation FROM message_words m WHERE m.words @@ ?::tsquery)",
        );
        for word in search.words.as_deref().map(sought).unwrap_or_default() {
            // Words are letters and digits alone, so nothing in them can end the quotes.
            self.and(
                holds,
                match dialect {
                    Dialect::Sqlite => format!("\"{word}\" *"),
                    Dialect::Postgres => format!("'{word}':*"),
                },
            );
        }
    }

    /// Adds a condition with one question mark for its value.
    fn and(&mut self, condition: &str, value: String) {
        self.values.push(value);
        let condition = condition.replacen('?', &format!("${}", self.values.len()), 1);
        self.conditions.push_str(" AND ");
        self.conditions.push_str(&condition);
    }
}

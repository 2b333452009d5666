use super::Record;
use crate::{
    Error, Id, Lease,
    column::{Columns, damaged, json, maybe_micros, maybe_plain, micros, plain},
    open::Dialect,
};
use router::{Conversation, Due, Episode, Owner, Priority, Status};
use serde::{Deserialize, Serialize};
use sqlx::{
    Any, AnyConnection,
    any::{AnyArguments, AnyRow},
    query::Query,
};

/// A conversation that is locked until its transaction ends, and what only the store knows of it.
pub(crate) struct Locked {
    pub(crate) record: Record,
    pub(crate) n_posts: i64,
    pub(crate) lease: Option<Id<Lease>>,
}

/// What was done in an episode, as it is written.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Progress {
    turns: u32,
    bot_turns: u32,
    teammate_turns: u32,
    clarified: bool,
    offered: bool,
    offer_open: bool,
    team_by_person: bool,
}

/// Writes a new conversation as far as others need to see it; [`update`] writes the rest. Returns
/// whether it was new: there is none of its id, nor one that its channel names so.
pub(crate) async fn insert(
    connection: &mut AnyConnection,
    record: &Record,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "INSERT INTO conversation
            (id, channel, external_id, customer, arrived_at, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $5, $5) ON CONFLICT DO NOTHING",
    )
    .bind(record.id.to_string())
    .bind(plain(&record.channel))
    .bind(maybe_plain(record.external_id.as_ref()))
    .bind(record.customer.to_string())
    .bind(micros(record.created_at))
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Locks a conversation and reads it.
pub(crate) async fn lock(
    connection: &mut AnyConnection,
    dialect: Dialect,
    id: Id<Record>,
) -> Result<Option<Locked>, Error> {
    let sql = dialect.choose(
        "SELECT * FROM conversation WHERE id = $1",
        "SELECT * FROM conversation WHERE id = $1 FOR UPDATE",
    );
    let row = sqlx::query(sql).bind(id.to_string()).fetch_optional(connection).await?;
    row.map(|row| locked(&row)).transpose()
}

/// Locks the conversation that its channel names so, and reads it.
pub(crate) async fn lock_named(
    connection: &mut AnyConnection,
    dialect: Dialect,
    (channel, external_id): (&str, &str),
) -> Result<Option<Locked>, Error> {
    let sql = dialect.choose(
        "SELECT * FROM conversation WHERE channel = $1 AND external_id = $2",
        "SELECT * FROM conversation WHERE channel = $1 AND external_id = $2 FOR UPDATE",
    );
    let query = sqlx::query(sql).bind(plain(channel)).bind(plain(external_id));
    let row = query.fetch_optional(connection).await?;
    row.map(|row| locked(&row)).transpose()
}

fn locked(row: &AnyRow) -> Result<Locked, Error> {
    let columns = Columns(row);
    let (n_posts, lease) = (columns.number("n_posts")?, columns.maybe_id("lease_token")?);
    Ok(Locked { record: read(row)?, n_posts, lease })
}

/// Reads a conversation.
pub(crate) fn read(row: &AnyRow) -> Result<Record, Error> {
    let columns = Columns(row);
    Ok(Record {
        id: columns.id("id")?,
        channel: columns.text("channel")?,
        external_id: columns.maybe_text("external_id")?,
        customer: columns.id("customer")?,
        state: read_state(&columns)?,
        n_entries: columns.number("n_entries")?,
        priority: priority(&columns.text("priority")?)?,
        sla: columns.maybe_slug("sla")?,
        tags: columns.json("tags")?,
        attributes: columns.json("attributes")?,
        topic: columns.maybe_text("topic")?,
        language: columns.maybe_text("language")?,
        page: columns.maybe_text("page")?,
        preview: columns.text("preview")?,
        waiting_since: columns.maybe_time("waiting_since")?,
        queued_at: columns.maybe_time("queued_at")?,
        clock: columns.maybe_json("clock")?,
        due: Due {
            first_reply: columns.maybe_time("due_first_reply")?,
            next_reply: columns.maybe_time("due_next_reply")?,
            resolution: columns.maybe_time("due_resolution")?,
        },
        snoozed_until: columns.maybe_time("snoozed_until")?,
        turn_due_at: columns.maybe_time("turn_due_at")?,
        created_at: columns.time("created_at")?,
        updated_at: columns.time("updated_at")?,
    })
}

fn read_state(columns: &Columns<'_>) -> Result<Conversation, Error> {
    let status = match columns.text("status")?.as_str() {
        "open" => Status::Open,
        "snoozed" => Status::Snoozed,
        "closed" => Status::Closed,
        _ => return Err(damaged("status")),
    };
    let by_person = columns.truth("owner_by_person")?;
    let owner = match (columns.maybe_slug("owner_team")?, columns.maybe_slug("owner_teammate")?) {
        (None, _) => Owner::Bot,
        (Some(team), None) => Owner::Team(team),
        (Some(team), Some(teammate)) => Owner::Teammate { team, teammate, by_person },
    };
    let progress: Progress = columns.json("progress")?;
    let Progress {
        turns,
        bot_turns,
        teammate_turns,
        clarified,
        offered,
        offer_open,
        team_by_person,
    } = progress;
    let number = columns.count("episode")?;
    let episode =
        Episode { number, turns, bot_turns, teammate_turns, clarified, offered, offer_open };
    Ok(Conversation::resume(status, owner, episode).with_team_by_person(team_by_person))
}

/// Names a status as it is written.
pub(crate) fn status_name(status: Status) -> &'static str {
    match status {
        Status::Open => "open",
        Status::Snoozed => "snoozed",
        Status::Closed => "closed",
    }
}

pub(crate) fn priority(name: &str) -> Result<Priority, Error> {
    let all = [Priority::Low, Priority::Normal, Priority::High, Priority::Urgent];
    all.into_iter().find(|priority| priority.name() == name).ok_or_else(|| damaged("priority"))
}

fn urgency(priority: Priority) -> i64 {
    match priority {
        Priority::Urgent => 0,
        Priority::High => 1,
        Priority::Normal => 2,
        Priority::Low => 3,
    }
}

/// Writes a conversation, all but its lease.
pub(crate) async fn update(
    connection: &mut AnyConnection,
    record: &Record,
    n_posts: i64,
) -> Result<(), sqlx::Error> {
    let query = sqlx::query(
        "UPDATE conversation SET status = $2, owner_team = $3, owner_teammate = $4,
            owner_by_person = $5, episode = $6, progress = $7, due_first_reply = $8,
            due_next_reply = $9, due_resolution = $10, next_due = $11, urgency = $12,
            arrived_at = $13, external_id = $14, customer = $15, n_entries = $16, n_posts = $17,
            priority = $18, sla = $19, tags = $20, attributes = $21, topic = $22, language = $23,
            page = $24, preview = $25, waiting_since = $26, queued_at = $27, clock = $28,
            snoozed_until = $29, turn_due_at = $30, updated_at = $31
         WHERE id = $1",
    );
    let query = with_standing(query.bind(record.id.to_string()), record);
    query
        .bind(maybe_plain(record.external_id.as_ref()))
        .bind(record.customer.to_string())
        .bind(record.n_entries)
        .bind(n_posts)
        .bind(record.priority.name())
        .bind(record.sla.as_ref().map(ToString::to_string))
        .bind(json(&record.tags))
        .bind(json(&record.attributes))
        .bind(maybe_plain(record.topic.as_ref()))
        .bind(maybe_plain(record.language.as_ref()))
        .bind(maybe_plain(record.page.as_ref()))
        .bind(plain(&record.preview))
        .bind(maybe_micros(record.waiting_since))
        .bind(maybe_micros(record.queued_at))
        .bind(record.clock.as_ref().map(json))
        .bind(maybe_micros(record.snoozed_until))
        .bind(maybe_micros(record.turn_due_at))
        .bind(micros(record.updated_at))
        .execute(connection)
        .await?;
    Ok(())
}

type AnyQuery = Query<'static, Any, AnyArguments>;

/// Binds who has a conversation, how far its episode is, and its place in queues.
fn with_standing(query: AnyQuery, record: &Record) -> AnyQuery {
    let episode = record.state.episode();
    let (team, teammate, by_person) = match record.state.owner() {
        Owner::Bot => (None, None, false),
        Owner::Team(team) => (Some(team.to_string()), None, false),
        Owner::Teammate { team, teammate, by_person } => {
            (Some(team.to_string()), Some(teammate.to_string()), *by_person)
        }
    };
    let progress = Progress {
        turns: episode.turns,
        bot_turns: episode.bot_turns,
        teammate_turns: episode.teammate_turns,
        clarified: episode.clarified,
        offered: episode.offered,
        offer_open: episode.offer_open,
        team_by_person: record.state.team_by_person(),
    };
    let next_due = record.due.next().map_or(i64::MAX, |(_, due)| micros(due));
    query
        .bind(status_name(record.state.status()))
        .bind(team)
        .bind(teammate)
        .bind(i64::from(by_person))
        .bind(i64::from(episode.number))
        .bind(json(&progress))
        .bind(maybe_micros(record.due.first_reply))
        .bind(maybe_micros(record.due.next_reply))
        .bind(maybe_micros(record.due.resolution))
        .bind(next_due)
        .bind(urgency(record.priority))
        .bind(micros(record.queued_at.unwrap_or(record.created_at)))
}

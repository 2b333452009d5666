use super::{
    moment::{Badge, Moment},
    page::{self, Refusal, show},
    people::People,
    session::SignedIn,
    shell::Shell,
};
use crate::Front;
use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use jiff::Timestamp;
use router::{Owner, Priority, Slug, Status};
use serde::Deserialize;
use store::{Id, Page, QueueItem, Record, Search};

/// Conversations of a queue that one page shows; the rest waits behind them.
const QUEUE_LIMIT: u32 = 200;

/// Conversations of a search that one page shows.
const SEARCH_LIMIT: u32 = 50;

/// A list of conversations that a teammate can look at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum List {
    /// What the teammate holds.
    #[default]
    Mine,
    /// What a team has, queued or held.
    Team(Slug),
    /// What the bot has.
    Bot,
    /// All that is open.
    All,
    /// What rests.
    Snoozed,
    /// What has ended.
    Closed,
}

impl List {
    /// Reads the name that addresses use.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "mine" => Self::Mine,
            "bot" => Self::Bot,
            "all" => Self::All,
            "snoozed" => Self::Snoozed,
            "closed" => Self::Closed,
            _ => Self::Team(name.strip_prefix("team-")?.to_string().try_into().ok()?),
        })
    }

    /// Returns the name that addresses use.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Mine => "mine".into(),
            Self::Team(team) => format!("team-{team}"),
            Self::Bot => "bot".into(),
            Self::All => "all".into(),
            Self::Snoozed => "snoozed".into(),
            Self::Closed => "closed".into(),
        }
    }

    /// Returns the heading.
    pub(super) fn title(&self, people: &People) -> String {
        match self {
            Self::Mine => "Mine".into(),
            Self::Team(team) => people.team(team),
            Self::Bot => "With the bot".into(),
            Self::All => "All open".into(),
            Self::Snoozed => "Snoozed".into(),
            Self::Closed => "Closed".into(),
        }
    }

    /// Says what it means that nothing is in it.
    fn nothing(&self) -> &'static str {
        match self {
            Self::Mine => "You hold no conversations. Take one from a team’s queue.",
            Self::Team(_) => "Nobody waits here.",
            Self::Bot => "The bot holds no open conversations.",
            Self::All => "No conversation is open.",
            Self::Snoozed => "Nothing is snoozed.",
            Self::Closed => "Nothing has been closed yet.",
        }
    }

    async fn items(
        &self,
        front: &Front,
        by: &SignedIn,
        before: Option<String>,
    ) -> Result<Vec<QueueItem>, Refusal> {
        let store = front.office.store();
        let search = match self {
            Self::Mine => return Ok(store.held_by(&by.account.teammate, QUEUE_LIMIT).await?),
            Self::Team(team) => {
                if front.office.desk().policy().team(team).is_none() {
                    return Err(Refusal::not_found("team"));
                }
                return Ok(store.queue(team, true, QUEUE_LIMIT).await?);
            }
            Self::Bot => {
                Search { status: Some(Status::Open), owner: Some(Owner::Bot), ..Search::default() }
            }
            Self::All => Search { status: Some(Status::Open), ..Search::default() },
            Self::Snoozed => Search { status: Some(Status::Snoozed), ..Search::default() },
            Self::Closed => Search { status: Some(Status::Closed), ..Search::default() },
        };
        Ok(store.search(&search, &Page { before, limit: SEARCH_LIMIT }).await?)
    }

    fn is_searched(&self) -> bool {
        !matches!(self, Self::Mine | Self::Team(_))
    }
}

/// A conversation as lists show it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) href: String,
    pub(super) customer: String,
    pub(super) preview: String,
    pub(super) owner: String,
    pub(super) status: Option<&'static str>,
    pub(super) topic: Option<String>,
    pub(super) tags: Vec<String>,
    /// Where it is not the normal one.
    pub(super) priority: Option<&'static str>,
    pub(super) waiting: Option<Moment>,
    pub(super) changed: Moment,
    pub(super) badge: Option<Badge>,
    pub(super) current: bool,
}

impl Row {
    pub(super) fn new(
        item: &QueueItem,
        people: &People,
        (list, current): (Option<&List>, Option<Id<Record>>),
        now: Timestamp,
    ) -> Self {
        let record = &item.record;
        let from = list.map(|list| format!("?list={}", list.name())).unwrap_or_default();
        let status = match record.state.status() {
            Status::Open => None,
            Status::Snoozed => Some("snoozed"),
            Status::Closed => Some("closed"),
        };
        Self {
            id: record.id.to_string(),
            href: format!("/inbox/conversations/{}{from}", record.id),
            customer: item.customer_name.clone().unwrap_or_else(|| "Visitor".into()),
            preview: record.preview.clone(),
            owner: people.owner(record.state.owner()),
            status,
            topic: record.topic.clone(),
            tags: record.tags.iter().take(3).cloned().collect(),
            priority: Some(record.priority).filter(|p| *p != Priority::Normal).map(Priority::name),
            waiting: record.waiting_since.map(|since| Moment::new(since, now)),
            changed: Moment::new(record.updated_at, now),
            badge: Badge::of(&record.due, now),
            current: current == Some(record.id),
        }
    }
}

/// A list with its rows, as a part of a page.
#[derive(Template)]
#[template(path = "list.html")]
pub(super) struct ListView {
    pub(super) name: String,
    pub(super) title: String,
    nothing: &'static str,
    rows: Vec<Row>,
    pub(super) current: Option<String>,
    older: Option<String>,
    before: Option<String>,
}

impl ListView {
    /// Looks a list up; `current` is the conversation that is open beside it.
    pub(super) async fn of(
        front: &Front,
        by: &SignedIn,
        (list, current): (&List, Option<Id<Record>>),
        (people, before): (&People, Option<String>),
    ) -> Result<Self, Refusal> {
        let now = front.office.now();
        let items = list.items(front, by, before.clone()).await?;
        let older = page::older(&items, SEARCH_LIMIT, |item| item.record.id);
        let row = |item| Row::new(item, people, (Some(list), current), now);
        Ok(Self {
            name: list.name(),
            title: list.title(people),
            nothing: list.nothing(),
            rows: items.iter().map(row).collect(),
            current: current.map(|id| id.to_string()),
            older: older.filter(|_| list.is_searched()),
            before,
        })
    }
}

#[derive(Template)]
#[template(path = "inbox.html")]
struct InboxPage {
    shell: Shell,
    list: ListView,
}

#[derive(Deserialize)]
pub(super) struct Asked {
    /// The conversation that is open.
    current: Option<String>,
    before: Option<String>,
}

/// Shows a list on its own page.
pub(super) async fn page(
    State(front): State<Front>,
    by: SignedIn,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let list = List::named(&name).ok_or_else(|| Refusal::not_found("list"))?;
    let people = People::of(&front).await?;
    let view = ListView::of(&front, &by, (&list, None), (&people, asked.before)).await?;
    let shell = Shell::of(&front, &by, &people, Some(&list), &view.title).await?;
    Ok(show(&InboxPage { shell, list: view }))
}

/// Shows the rows of a list alone.
pub(super) async fn rows(
    State(front): State<Front>,
    by: SignedIn,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let list = List::named(&name).ok_or_else(|| Refusal::not_found("list"))?;
    let current = asked.current.and_then(|id| id.parse().ok());
    let people = People::of(&front).await?;
    Ok(show(&ListView::of(&front, &by, (&list, current), (&people, asked.before)).await?))
}

use super::{
    composer::Composer,
    decision::DecisionView,
    lists::{List, ListView},
    page::{self, Refusal, show},
    people::People,
    session::SignedIn,
    shell::Shell,
    side::Side,
    timeline::{Line, Looking, lines},
};
use crate::Front;
use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use jiff::Timestamp;
use router::Status;
use serde::Deserialize;
use std::collections::BTreeMap;
use store::{Content, Customer, Decided, Entry, OutcomeKind, Record};

/// Entries that a page shows at first; earlier ones on demand.
const ENTRIES: u32 = 200;

/// Entries that are shown when all are asked for.
const ALL_ENTRIES: u32 = 5_000;

/// A conversation with all that its page shows.
pub(super) struct Opened {
    pub(super) record: Record,
    pub(super) customer: Customer,
    pub(super) entries: Vec<Entry>,
    pub(super) decisions: Vec<Decided>,
    /// What the customer wrote beside the rating of an episode.
    comments: BTreeMap<u32, String>,
    pub(super) people: People,
    pub(super) now: Timestamp,
    /// Whether all entries were asked for.
    all: bool,
}

impl Opened {
    /// Looks a conversation up by the id in an address.
    pub(super) async fn of(front: &Front, id: &str, n_entries: u32) -> Result<Self, Refusal> {
        let store = front.office.store();
        let record = store.conversation(page::id(id, "conversation")?).await?;
        let (customer, entries, decisions, outcomes, people) = tokio::try_join!(
            store.customer(record.customer),
            store.last_entries(record.id, n_entries),
            store.decisions(record.id),
            store.outcomes(record.id),
            People::of(front),
        )?;
        let rated = |kind: OutcomeKind| matches!(kind, OutcomeKind::Rated(_));
        let rated = outcomes.into_iter().filter(|(_, _, outcome)| rated(outcome.kind));
        let comments =
            rated.filter_map(|(episode, _, outcome)| Some((episode, outcome.comment?))).collect();
        let now = front.office.now();
        let all = n_entries >= ALL_ENTRIES;
        Ok(Self { record, customer, entries, decisions, comments, people, now, all })
    }

    /// Returns what to call the customer.
    pub(super) fn customer_name(&self) -> String {
        let known = self.customer.name.clone().or_else(|| self.customer.email.clone());
        known.unwrap_or_else(|| "Visitor".into())
    }

    /// Makes lines of the entries after a number.
    pub(super) fn lines_after(&self, number: i64) -> Vec<Line> {
        let customer = self.customer_name();
        let Self { people, decisions, comments, now, .. } = self;
        let from = self.entries.partition_point(|entry| entry.number <= number);
        let looking = Looking { people, customer: &customer, decisions, comments, now: *now };
        lines(self.entries.get(from..).unwrap_or_default(), &looking)
    }

    /// Returns the newest draft that nobody has sent: not the bot, and no teammate has written to
    /// the customer since it was made.
    fn draft(&self) -> Option<&Decided> {
        let latest = self.decisions.iter().rfind(|decided| decided.decided.draft.is_some())?;
        let used = |entry: &Entry| match &entry.content {
            Content::Bot { decision, sources, .. } => {
                *decision == Some(latest.id) && !sources.is_empty()
            }
            Content::Teammate { .. } => entry.number > latest.about,
            _ => false,
        };
        let held = latest.episode == self.record.state.episode().number;
        (held && !self.entries.iter().any(used)).then_some(latest)
    }
}

/// The timeline, as a part of a page.
#[derive(Template)]
#[template(path = "timeline.html")]
pub(super) struct TimelineView {
    id: String,
    csrf: String,
    lines: Vec<Line>,
    last: i64,
    /// Whether there are entries before the first line.
    more: bool,
    /// Whether all entries were asked for, and are at the next look.
    all: bool,
    is_lead: bool,
}

impl TimelineView {
    fn of(opened: &Opened, by: &SignedIn) -> Self {
        let lines = opened.lines_after(0);
        Self {
            id: opened.record.id.to_string(),
            csrf: by.session.csrf.clone(),
            all: opened.all,
            more: lines.first().is_some_and(|line| line.number > 1),
            last: opened.entries.last().map_or(0, |entry| entry.number),
            lines,
            is_lead: by.account.role >= store::Role::Lead,
        }
    }
}

/// The bot's draft, as a part of a page.
#[derive(Template)]
#[template(path = "draft.html")]
pub(super) struct DraftView {
    id: String,
    csrf: String,
    decision: Option<DecisionView>,
    /// Whether the customer has written since it was made.
    outdated: bool,
}

impl DraftView {
    fn of(opened: &Opened, by: &SignedIn) -> Self {
        let open = opened.record.state.status() != Status::Closed;
        let draft = opened.draft().filter(|_| open);
        let since = |number: i64| {
            opened.entries.iter().any(|entry| {
                entry.number > number && matches!(entry.content, Content::Customer { .. })
            })
        };
        Self {
            id: opened.record.id.to_string(),
            csrf: by.session.csrf.clone(),
            outdated: draft.is_some_and(|decided| since(decided.about)),
            decision: draft.map(|it| DecisionView::new(it, &opened.people, opened.now)),
        }
    }
}

#[derive(Template)]
#[template(path = "conversation.html")]
struct ConversationPage {
    shell: Shell,
    list: ListView,
    head: Side,
    timeline: TimelineView,
    draft: DraftView,
    composer: Composer,
}

#[derive(Default, Deserialize)]
pub(super) struct Asked {
    list: Option<String>,
    /// A decision whose draft fills the box.
    draft: Option<String>,
    /// A canned reply that fills the box.
    canned: Option<String>,
    /// Whether all entries are shown.
    #[serde(default)]
    all: bool,
}

impl Asked {
    fn n_entries(&self) -> u32 {
        if self.all { ALL_ENTRIES } else { ENTRIES }
    }
}

/// Shows a conversation beside the list that it was chosen from.
pub(super) async fn open(
    State(front): State<Front>,
    by: SignedIn,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let opened = Opened::of(&front, &id, asked.n_entries()).await?;
    let mut composer = Composer::new(&front, &by, &opened.record, &opened.customer);
    let mut decisions = opened.decisions.iter();
    let wanted = asked.draft.as_ref();
    let taken = wanted.and_then(|id| decisions.find(|decided| decided.id.to_string() == *id));
    if let Some((decided, text)) = taken.and_then(|it| Some((it, it.decided.draft.clone()?))) {
        (composer.draft, composer.text) = (decided.id.to_string(), text);
    }
    let canned = asked.canned.as_ref();
    let canned = composer.canned.iter().find(|one| canned == Some(&one.slug));
    composer.text = canned.map(|one| one.text.clone()).unwrap_or(composer.text);
    Ok(show(&whole(&front, &by, (opened, composer), asked.list.as_deref()).await?))
}

/// Puts a conversation's page together around a box that may hold something already.
pub(super) async fn with_composer(
    front: &Front,
    by: &SignedIn,
    opened: Opened,
    composer: Composer,
) -> Result<Response, Refusal> {
    Ok(show(&whole(front, by, (opened, composer), None).await?))
}

async fn whole(
    front: &Front,
    by: &SignedIn,
    (opened, composer): (Opened, Composer),
    list: Option<&str>,
) -> Result<ConversationPage, Refusal> {
    let list = list.and_then(List::named).unwrap_or_default();
    let chosen = (&list, Some(opened.record.id));
    let title = opened.customer_name();
    Ok(ConversationPage {
        shell: Shell::of(front, by, &opened.people, Some(&list), &title).await?,
        list: ListView::of(front, by, chosen, (&opened.people, None)).await?,
        head: Side::of(front, by, &opened).await?,
        timeline: TimelineView::of(&opened, by),
        draft: DraftView::of(&opened, by),
        composer,
    })
}

/// Shows the timeline alone.
pub(super) async fn timeline(
    State(front): State<Front>,
    by: SignedIn,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    Ok(show(&TimelineView::of(&Opened::of(&front, &id, asked.n_entries()).await?, &by)))
}

/// Shows the draft alone.
pub(super) async fn draft(
    State(front): State<Front>,
    by: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    Ok(show(&DraftView::of(&Opened::of(&front, &id, ENTRIES).await?, &by)))
}

/// Shows what is known around the conversation alone.
pub(super) async fn side(
    State(front): State<Front>,
    by: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let opened = Opened::of(&front, &id, ENTRIES).await?;
    Ok(show(&Side::of(&front, &by, &opened).await?))
}

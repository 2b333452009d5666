use crate::{
    channel::{BY_EMAIL, Intercom, failed},
    client::{ApiError, Class, Condition, Display, Operand, Operator, Query},
    directory::{Directory, NAME},
    history::{self, part_name, source_name},
    posts::PRIORITY_TAG,
    text,
    wire::{Conversation, ExternalId, State},
};
use bot::{AsOf, ByBot, Elsewhere, Happened, Happening, Office, OfficeError};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{MutexGuard, PoisonError},
};
use store::{Customer, Ended, Guard, Id, Post, Record};

/// The round that looks for what no webhook told.
pub(crate) const POLL: &str = "poll";

/// A conversation that such a look found.
pub(crate) const FOUND: &str = "found";

/// What polls find is looked at so many at once, and the next ones so much later: after a long
/// absence there are thousands, and what webhooks tell meanwhile stands in the same line. Both make
/// 100 in ten seconds, of the 166 calls that the smallest plan has.
const FOUND_AT_ONCE: i64 = 50;
const NEXT_FOUND: SignedDuration = SignedDuration::from_secs(5);

/// What a memo begins with of a conversation that a look found gone.
const GONE: &str = "gone ";

/// How long after the first look one that is gone is looked at again, and how long the first counts.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(60);
const BELIEVED: SignedDuration = SignedDuration::from_hours(1);

/// How often a conversation is read anew that the desk changes meanwhile.
const LOOKS_AT_ONCE: usize = 3;

/// How often conversations are looked for whose webhook never came.
const POLL_EVERY: SignedDuration = SignedDuration::from_secs(60);

/// How far back a poll looks beyond the last one: searches lag behind what happened.
const OVERLAP_S: i64 = 60;

/// Conversations of a page of a poll.
const PER_PAGE: u32 = 150;

/// How often a conversation is looked at that polls find unchanged: what happened within the second
/// of the first look may not have been there yet.
const LOOKS: u8 = 2;

/// Why an errand was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error(transparent)]
    Office(#[from] OfficeError),
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        Self::Office(error.into())
    }
}

/// What the desk knows of a conversation before it is read there.
struct Known {
    record: Record,
    pending: Vec<Post>,
    taken: BTreeSet<String>,
}

/// What a look at a conversation came to.
enum Look {
    Done,
    /// There is no such conversation.
    Gone,
}

impl Intercom {
    /// Reads a conversation and has the office catch up with it. One that is gone there is erased
    /// here at the second look: a mistake made there may be mended by then. `memo` says when a look
    /// found it gone.
    pub(crate) async fn catch_up_with(
        &self,
        office: &Office,
        (id, class): (&ExternalId, Class),
        memo: Option<&str>,
    ) -> Ended {
        let now = office.now();
        match self.caught_up(office, (id, class)).await {
            Ok(Look::Done) => Ended::Done,
            Ok(Look::Gone) => {
                let gone_at = memo.and_then(|memo| memo.strip_prefix(GONE)?.parse().ok());
                let gone_for = gone_at.map(|at: Timestamp| at.duration_until(now));
                if gone_for.is_some_and(|long| long >= LOOK_AGAIN && long <= BELIEVED) {
                    return ended(office, self.forget(office, id).await);
                }
                // Asked for anew meanwhile, it counts from the first look on.
                let since = gone_at.filter(|_| gone_for.is_some_and(|long| long <= BELIEVED));
                let memo = format!("{GONE}{}", since.unwrap_or(now));
                Ended::Again(now.saturating_add(LOOK_AGAIN).unwrap_or(Timestamp::MAX), Some(memo))
            }
            Err(failure) => ended(office, Err(failure)),
        }
    }

    /// Erases a conversation of which a webhook tells that it was deleted, once it is not there.
    pub(crate) async fn forget_if_gone(&self, office: &Office, id: &ExternalId) -> Ended {
        let forgotten = async {
            match self.caught_up(office, (id, Class::Customer)).await? {
                Look::Done => Ok(()),
                Look::Gone => self.forget(office, id).await,
            }
        };
        ended(office, forgotten.await)
    }

    async fn caught_up(
        &self,
        office: &Office,
        whom: (&ExternalId, Class),
    ) -> Result<Look, Failure> {
        for _ in 0..LOOKS_AT_ONCE {
            match self.look(office, whom, true).await {
                Err(Failure::Office(OfficeError::Overtaken(_))) => {}
                looked => return looked,
            }
        }
        // It changes faster here than it can be read there: what people and customers did counts all
        // the same, and nothing that the desk itself may just be doing.
        self.look(office, whom, false).await
    }

    /// Looks at a conversation once. Where it must be `up_to_date`, and the desk does something with
    /// it meanwhile, nothing is taken over.
    async fn look(
        &self,
        office: &Office,
        (id, class): (&ExternalId, Class),
        up_to_date: bool,
    ) -> Result<Look, Failure> {
        let desk = office.desk();
        let directory = self.directory(desk.policy()).await?;
        let known = known(office, id).await?;
        let client = self.client.of_class(class);
        let conversation = match client.conversation(id, Display::Html).await {
            Err(gone) if gone.is_gone() => return Ok(Look::Gone),
            read => read?,
        };
        let channel = match conversation.source.as_ref().is_some_and(|source| source.is_email()) {
            true => BY_EMAIL,
            false => NAME,
        };
        redact(office, channel, &conversation).await?;
        let contact = self.contact_of(office, &conversation, known.as_ref()).await?;
        let Some(contact) = contact else { return Ok(Look::Done) };
        // Erased here, but not yet from every corner of the vendor's.
        if office.store().was_asked_for(NAME, &gone(&contact)).await? {
            return Ok(Look::Done);
        }
        let customer = self.customer(office, &contact, &conversation).await?;
        let mut as_of = AsOf::Unknown;
        if let Some(known) = &known {
            if merge(office, &known.record, customer).await? {
                return Err(OfficeError::Overtaken(known.record.n_entries).into());
            }
            as_of = AsOf::Changed(known.record.updated_at);
        }
        let connected_at = connected_at(office).await?;
        let seen = read(&conversation, (&directory, known.as_ref()), up_to_date);
        office
            .catch_up(Elsewhere {
                channel: channel.to_string(),
                name: id.to_string(),
                customer,
                as_of: up_to_date.then_some(as_of),
                connected_at,
                ..seen
            })
            .await?;
        // The customer may have been erased while this went on, and come back by it.
        if office.store().was_asked_for(NAME, &gone(&contact)).await? {
            office.store().ask_for(NAME, &gone(&contact), office.now()).await?;
        }
        Ok(Look::Done)
    }

    /// Erases what is kept of a conversation.
    async fn forget(&self, office: &Office, id: &ExternalId) -> Result<(), Failure> {
        for channel in [NAME, BY_EMAIL] {
            if let Some(known) = office.store().conversation_named(channel, id.as_str()).await? {
                office.store().erase_conversation(known.id).await?;
            }
        }
        Ok(())
    }

    /// Returns the customer of a conversation: whoever has it here, while still listed there, else
    /// the first who is listed, else whoever began it.
    async fn contact_of(
        &self,
        office: &Office,
        conversation: &Conversation,
        known: Option<&Known>,
    ) -> Result<Option<ExternalId>, Failure> {
        if let Some(known) = known {
            let customer = office.store().customer(known.record.customer).await?;
            let name = customer.identity.map(|identity| identity.external_id);
            let is_theirs = |id: &ExternalId| Some(id.as_str()) == name.as_deref();
            let mut listed = conversation.contacts.iter().map(|contact| &contact.id);
            if let Some(still) = listed.find(|id| is_theirs(id)) {
                return Ok(Some(still.clone()));
            }
        }
        Ok(contact_of(conversation))
    }

    /// Looks for conversations that changed since the last look, and has each looked at. `memo`
    /// holds up to which second that was.
    pub(crate) async fn poll(&self, office: &Office, memo: Option<&str>) -> Ended {
        let now = office.now();
        let Some(since) = memo.and_then(Reached::parse) else {
            // Whoever connects begins with what comes from then on. That moment is noted before
            // anything is looked for: whatever keeps the first polls from their end, what comes
            // until one succeeds is found by it.
            let second = now.as_second();
            return Ended::Again(now, Some(Reached { second, first: Some(second) }.written()));
        };
        match self.look_since(office, since.second).await {
            Ok(reached) => {
                let at = now.saturating_add(POLL_EVERY).unwrap_or(Timestamp::MAX);
                let reached = Reached { second: reached.max(since.second), ..since };
                Ended::Again(at, Some(reached.written()))
            }
            Err(failure) => ended(office, Err(failure)),
        }
    }

    /// Returns the second of the newest change that was seen. Where it fails half-way, what was found
    /// so far is not asked for again the next time.
    async fn look_since(&self, office: &Office, since: i64) -> Result<i64, Failure> {
        let client = self.client.of_class(Class::Background);
        let from = Operand::Number(since.saturating_sub(OVERLAP_S));
        let query = Query::One(Condition::new("updated_at", Operator::After, from));
        let (mut cursor, mut reached) = (None, since);
        let (mut seen, mut n_found) = (BTreeSet::new(), 0);
        loop {
            let page = client.search_conversations(&query, cursor.as_ref(), PER_PAGE).await?;
            for found in &page.items {
                let updated_at = found.updated_at;
                reached = reached.max(updated_at.map_or(since, Timestamp::as_second));
                let n_looks = self.looks_at(&found.id, updated_at);
                if n_looks < LOOKS {
                    let subject = format!("{FOUND}:{}", found.id);
                    let wait = i32::try_from(n_found / FOUND_AT_ONCE).unwrap_or(i32::MAX);
                    let at = office.now().saturating_add(NEXT_FOUND.saturating_mul(wait));
                    let at = at.unwrap_or(Timestamp::MAX);
                    office.store().ask_for(NAME, &subject, at).await?;
                    n_found += 1;
                }
                let sighting = (updated_at, n_looks.saturating_add(1));
                self.sightings().insert(found.id.clone(), sighting);
                seen.insert(found.id.clone());
            }
            cursor = page.next;
            if cursor.is_none() {
                self.sightings().retain(|id, _| seen.contains(id));
                return Ok(reached);
            }
        }
    }

    /// Returns how many polls have found a conversation as it is.
    fn looks_at(&self, id: &ExternalId, updated_at: Option<Timestamp>) -> u8 {
        let sightings = self.sightings();
        let seen = sightings.get(id).filter(|(at, _)| at.is_some() && *at == updated_at);
        seen.map_or(0, |(_, n_looks)| *n_looks)
    }

    fn sightings(&self) -> MutexGuard<'_, Sightings> {
        self.sightings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a conversation is here.
pub(crate) async fn knows(office: &Office, id: &ExternalId) -> Result<bool, Failure> {
    for channel in [NAME, BY_EMAIL] {
        if office.store().conversation_named(channel, id.as_str()).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Reads what the desk knows of a conversation.
async fn known(office: &Office, id: &ExternalId) -> Result<Option<Known>, Failure> {
    let store = office.store();
    for channel in [NAME, BY_EMAIL] {
        if let Some(record) = store.conversation_named(channel, id.as_str()).await? {
            let pending = store.posts_pending(record.id).await?;
            let taken = store.taken(channel, record.id).await?;
            return Ok(Some(Known { record, pending, taken }));
        }
    }
    Ok(None)
}

/// Reads what happened to a conversation, who has it and its tags, without what the desk is just
/// doing about it itself.
fn read(
    conversation: &Conversation,
    (directory, known): (&Directory, Option<&Known>),
    up_to_date: bool,
) -> Elsewhere {
    let pending = known.map(|known| known.pending.as_slice()).unwrap_or_default();
    let waits = |kinds: &[&str]| pending.iter().any(|post| kinds.contains(&post.kind.as_str()));
    let mut happenings = history::happenings(conversation, directory);
    let n_behind = known.map_or(0, |known| history::n_behind(&happenings, &known.taken));
    // Who has it there is out of date while the desk gives it to somebody.
    let is_given = waits(&["assign", "hand_back", "close"]) || !up_to_date;
    let mut place = 0;
    happenings.retain(|happening| {
        place += 1;
        match &happening.what {
            _ if history::is_void(happening, place - 1, n_behind) => false,
            // Somebody may just be getting it.
            Happened::Freed { by: None, .. } => !is_given,
            Happened::ByBot(done) => up_to_date && !pending.iter().any(|post| does(post, done)),
            _ => !pending.iter().any(|post| is_of(post, happening)),
        }
    });
    let untagged: Vec<&Json> = pending
        .iter()
        .filter(|post| post.kind == "untag")
        .flat_map(|post| post.body["tags"].as_array().into_iter().flatten())
        .collect();
    let tags = conversation.tags.iter().map(|tag| tag.name.clone());
    let tags = tags.filter(|tag| {
        !tag.starts_with(PRIORITY_TAG) && !untagged.iter().any(|untagged| **untagged == *tag)
    });
    Elsewhere {
        channel: String::new(),
        name: String::new(),
        customer: Id::new(Timestamp::UNIX_EPOCH),
        happenings,
        tags: tags.collect(),
        held_by: history::held_by(conversation, directory).filter(|_| !is_given),
        is_open: conversation.state != State::Closed,
        as_of: None,
        connected_at: None,
    }
}

/// Whether a post that is on its way does what was done there: then its sender notes it.
fn does(post: &Post, done: &ByBot) -> bool {
    match done {
        ByBot::Said { text } => {
            post.kind == "reply" && (post.n_attempts > 0 || is_said_by(post, text))
        }
        ByBot::Gave { .. } => post.kind == "assign",
        ByBot::Closed => post.kind == "close",
    }
}

/// Whether a text begins with the words of a post; sources may follow.
fn is_said_by(post: &Post, text: &str) -> bool {
    let written = post.body.get("text").and_then(Json::as_str).unwrap_or_default();
    let said = text::to_text(&text::from_markdown(written));
    let mut words = text.split_whitespace();
    said.split_whitespace().all(|word| words.next() == Some(word))
}

/// Returns when the desk first looked at the workspace, where that is noted.
async fn connected_at(office: &Office) -> Result<Option<Timestamp>, Failure> {
    let memo = office.store().errand_memo(NAME, POLL).await?;
    Ok(memo.as_deref().and_then(Reached::parse).and_then(|reached| reached.first()))
}

/// Up to which second polls have looked, and since which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reached {
    second: i64,
    first: Option<i64>,
}

impl Reached {
    fn parse(memo: &str) -> Option<Self> {
        let (second, first) = memo.split_once(' ').map_or((memo, None), |(a, b)| (a, Some(b)));
        Some(Self { second: second.parse().ok()?, first: first.and_then(|at| at.parse().ok()) })
    }

    fn written(self) -> String {
        let first = self.first.map_or(String::new(), |first| format!(" {first}"));
        format!("{}{first}", self.second)
    }

    fn first(self) -> Option<Timestamp> {
        Timestamp::from_second(self.first?).ok()
    }
}

/// Conversations that a poll found, when each had changed last, and how many polls in a row found it
/// so.
pub(crate) type Sightings = BTreeMap<ExternalId, (Option<Timestamp>, u8)>;

/// How customers are asked for who are to be erased.
fn gone(contact: &ExternalId) -> String {
    format!("gone:{contact}")
}

/// Gives a conversation to the customer who has it there by now: two may turn out to be one. Whoever
/// has none left is no more. Returns whether it was another's.
async fn merge(office: &Office, known: &Record, customer: Id<Customer>) -> Result<bool, Failure> {
    if known.customer == customer {
        return Ok(false);
    }
    let moved = office.store().change(known.id, Guard::None, office.now(), |record, _| {
        record.customer = customer;
        Ok::<_, std::convert::Infallible>(())
    });
    moved.await?.unwrap_or_else(|never| match never {});
    if office.store().conversations_of(known.customer, 1).await?.is_empty() {
        office.store().erase(known.customer).await?;
    }
    Ok(true)
}

/// Whether something happened because of a post that is still on its way: a teammate's reply that
/// was written here and went out under the teammate's own name. Its sender notes what became of it.
fn is_of(post: &Post, happening: &Happening) -> bool {
    let Happened::Answered { teammate, text, .. } = &happening.what else { return false };
    let written = |name: &str| post.body.get(name).and_then(Json::as_str).unwrap_or_default();
    let said = text::to_text(&text::from_markdown(written("text")));
    post.kind == "reply"
        && post.n_attempts > 0
        && written("teammate") == teammate.as_str()
        && text.split_whitespace().eq(said.split_whitespace())
}

/// Returns the customer of a conversation: the first one that it lists, else whoever began it.
fn contact_of(conversation: &Conversation) -> Option<ExternalId> {
    let listed = conversation.contacts.first().map(|contact| contact.id.clone());
    let author = || {
        let author = conversation.source.as_ref()?.author.as_ref()?;
        author.id.clone().filter(|_| author.kind.is_customer())
    };
    listed.or_else(author)
}

/// Takes away here what was taken away there.
async fn redact(
    office: &Office,
    channel: &str,
    conversation: &Conversation,
) -> Result<(), Failure> {
    let parts = conversation.parts.parts.iter().filter(|part| part.redacted);
    let mut names: Vec<String> = parts.map(|part| part_name(&part.id)).collect();
    if conversation.source.as_ref().is_some_and(|source| source.redacted) {
        names.push(source_name(&conversation.id));
    }
    for name in names {
        office.store().redact(channel, &name).await?;
    }
    Ok(())
}

pub(crate) fn ended(office: &Office, done: Result<(), Failure>) -> Ended {
    match done {
        Ok(()) => Ended::Done,
        Err(Failure::Api(failure)) => failed(office, &failure),
        Err(Failure::Office(failure)) => {
            let cause = std::error::Error::source(&failure).map(ToString::to_string);
            tracing::error!(error = %failure, cause, "an errand at Intercom failed here");
            Ended::Failed(office.now(), failure.to_string())
        }
    }
}

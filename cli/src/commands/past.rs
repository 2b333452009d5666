//! What the desk decided, read back from its store.

use crate::settings::Settings;
use bot::Recalled;
use evals::redact::Names;
use jiff::Timestamp;
use knowledge::Reader;
use router::{Owner, Slug};
use serde_json::Value as Json;
use std::collections::{BTreeMap, HashMap, hash_map::Entry};
use store::{
    About, Actor, Content, Customer, Decided, Id, Judged, OutcomeKind, Page, Record, Store,
};

/// Decisions that are read at a time.
const PER_PAGE: u32 = 500;

/// Decisions of the past with the conversations that they were about, newest first.
pub(crate) struct Past {
    pub(crate) judged: Vec<Judged>,
    /// Up to which entry each decision knew its conversation.
    /// What is told of the decisions of each conversation.
    about: HashMap<Id<Record>, BTreeMap<Id<Decided>, About>>,
    /// What else was decided in each conversation: what each knew of it, in which episode, and
    /// whether it was a reply.
    others: HashMap<Id<Record>, Vec<(i64, u32, bool)>>,
}

impl Past {
    /// Reads what was decided since a moment.
    pub(crate) async fn read(
        settings: &Settings,
        since: Option<Timestamp>,
    ) -> anyhow::Result<Self> {
        let store = Store::open(&settings.store_url()).await?;
        let read = read(&store, since).await;
        store.close().await;
        let judged = read?;
        let mut about: HashMap<_, BTreeMap<_, _>> = HashMap::new();
        let mut others: HashMap<_, Vec<_>> = HashMap::new();
        for Decided { id, conversation, about: known, episode, decided, .. } in
            judged.iter().map(|judged| &judged.decided)
        {
            let of = About { known: *known, silent: decided.silent };
            about.entry(*conversation).or_default().insert(*id, of);
            let other = (*known, *episode, decided.act == "reply");
            others.entry(*conversation).or_default().push(other);
        }
        Ok(Self { about, others, judged })
    }

    /// Returns the number of the customer's next message that was decided about; `None` when no
    /// other was.
    fn next_question(&self, judged: &Judged) -> Option<i64> {
        let Decided { conversation, about, .. } = &judged.decided;
        let others = self.others.get(conversation)?.iter().map(|(other, ..)| *other);
        let next = others.filter(|other| other > about).min()?;
        let asked = judged.course.entries.iter().find(|entry| {
            entry.number > *about
                && entry.number <= next
                && matches!(entry.content, Content::Customer { .. })
        });
        asked.map(|entry| entry.number)
    }

    /// Whether no later reply of the bot's is in the episode.
    fn is_last_reply(&self, judged: &Judged) -> bool {
        let Decided { conversation, about, episode, .. } = &judged.decided;
        let others = self.others.get(conversation).map_or(&[][..], Vec::as_slice);
        !others.iter().any(|(other, of, is_reply)| *is_reply && of == episode && other > about)
    }

    /// Recalls a decision; `None` when what the customer wrote is gone.
    pub(crate) fn recalled(&self, judged: &Judged) -> Option<Recalled> {
        let reader = reader(&judged.decided.decided.trace);
        let about = self.about.get(&judged.decided.conversation)?;
        Recalled::of(judged.decided.clone(), &judged.course.entries, about, reader)
    }
}

async fn read(store: &Store, since: Option<Timestamp>) -> anyhow::Result<Vec<Judged>> {
    let mut all = Vec::new();
    let mut page = Page { before: None, limit: PER_PAGE };
    loop {
        let judged = store.judged(&page).await?;
        let Some(last) = judged.last() else { return Ok(all) };
        page.before = Some(last.decided.id.to_string());
        let is_old = |judged: &Judged| since.is_some_and(|since| judged.decided.at < since);
        // Ids follow the time at which they were made.
        let is_over = judged.iter().all(is_old);
        all.extend(judged.into_iter().filter(|judged| !is_old(judged)));
        if is_over {
            return Ok(all);
        }
    }
}

/// Says which articles the customer could read then, by what the rules knew.
fn reader(trace: &Json) -> Reader {
    let fact = |name: &str| trace.get("facts")?.get(name);
    let texts = |name: &str| match fact(name) {
        Some(Json::String(text)) => vec![text.clone()],
        Some(Json::Array(texts)) => {
            texts.iter().filter_map(|text| Some(text.as_str()?.to_string())).collect()
        }
        _ => Vec::new(),
    };
    Reader {
        tiers: texts("customer.tier"),
        plans: texts("customer.plan"),
        tags: texts("customer.tags"),
        locale: fact("language").and_then(Json::as_str).map(str::to_string),
        drafts: false,
    }
}

/// What people did after a decision, in its episode.
#[derive(Default)]
pub(crate) struct Followed {
    /// What a teammate wrote next, before the customer's next question.
    pub(crate) reply: Option<String>,
    /// What a teammate sent instead of the draft, by the label.
    pub(crate) sent: Option<String>,
    /// The team that people gave it to, or that had it when a teammate answered.
    pub(crate) team: Option<Slug>,
    /// Whether people moved it to that team.
    pub(crate) moved: bool,
    /// What the customer gave it, 1 to 5.
    pub(crate) stars: Option<u8>,
    /// Whether it was the bot's last reply in the episode, and no teammate wrote or moved it later.
    pub(crate) was_last: bool,
    /// Whether the customer said that it helped.
    pub(crate) confirmed: bool,
    /// Whether a teammate found the bot's answer wrong.
    pub(crate) wrong: bool,
}

/// Says what people did after a decision, up to the customer's next question.
pub(crate) fn followed(past: &Past, judged: &Judged) -> Followed {
    let Judged { decided, label, course } = judged;
    let sent = label.as_ref().and_then(|label| label.sent);
    let until = past.next_question(judged).unwrap_or(i64::MAX);
    let mut followed = Followed { was_last: past.is_last_reply(judged), ..Followed::default() };
    let after =
        |entry: &&store::Entry| entry.number > decided.about && entry.episode == decided.episode;
    for entry in course.entries.iter().filter(after) {
        match &entry.content {
            Content::Teammate { text, .. } => {
                if sent == Some(entry.id) {
                    followed.sent = Some(text.clone());
                }
                followed.was_last = false;
                if entry.number < until {
                    followed.reply.get_or_insert_with(|| text.clone());
                }
            }
            Content::Event { by: Actor::Teammate(_), what, detail }
                if matches!(what.as_str(), "handed_off" | "assigned") =>
            {
                followed.was_last = false;
                if entry.number >= until {
                    continue;
                }
                let named = detail.get("team").and_then(Json::as_str);
                let named = named.and_then(|team| Slug::try_from(team.to_string()).ok());
                followed.moved |= what == "handed_off" && named.is_some();
                followed.team = followed.team.take().or(named);
            }
            _ => {}
        }
    }
    if followed.team.is_none() && followed.reply.is_some() {
        followed.team = match course.record.state.owner() {
            Owner::Team(team) | Owner::Teammate { team, .. } => Some(team.clone()),
            Owner::Bot => None,
        };
    }
    for (episode, _, outcome) in &course.outcomes {
        match outcome.kind {
            _ if *episode != decided.episode => {}
            OutcomeKind::Rated(stars) => followed.stars = Some(stars),
            OutcomeKind::Confirmed => followed.confirmed = true,
            OutcomeKind::Wrong => followed.wrong = true,
            _ => {}
        }
    }
    followed
}

/// Who took part in conversations, to take their names out of texts.
pub(crate) struct People {
    customers: HashMap<Id<Customer>, Vec<String>>,
    teammates: Vec<String>,
}

impl People {
    /// Reads who took part.
    pub(crate) async fn of(settings: &Settings, past: &Past) -> anyhow::Result<Self> {
        let store = Store::open(&settings.store_url()).await?;
        let mut customers = HashMap::new();
        for judged in &past.judged {
            let id = judged.course.record.customer;
            if let Entry::Vacant(place) = customers.entry(id) {
                // Erased meanwhile, they have no name any more.
                let customer = store.customer(id).await.ok();
                let names = customer.map(|customer| [customer.name, customer.email]);
                place.insert(names.into_iter().flatten().flatten().collect());
            }
        }
        let teammates = store.accounts().await?.into_iter().map(|account| account.name);
        let teammates = teammates.collect();
        store.close().await;
        Ok(Self { customers, teammates })
    }

    /// Returns the names that a conversation may hold.
    pub(crate) fn names(&self, judged: &Judged) -> Names {
        let customers = self.customers.get(&judged.course.record.customer);
        Names::new(customers.map_or(&[][..], Vec::as_slice), &self.teammates)
    }
}

//! What was said and done in the conversations of the past?
//!
//! [`Listing`] finds which conversations changed in a stretch of time, [`read`] reads one of them
//! as a [`Past`]: what was said up to the first answer of a person, and what happened then.

use crate::{
    client::{ApiError, Class, Client, Condition, Display, Operand, Operator, Query},
    history::{number, words},
    wire::{Author, Conversation, Cursor, ExternalId, Part, State, Who},
};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// The most conversations of a page of a search.
const PER_PAGE: u32 = 150;

/// Who said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum By {
    /// The customer.
    Customer,
    /// Frontdesk, from its seat.
    Frontdesk,
    /// The vendor's own AI.
    Fin,
    /// Another bot: the vendor's, a workflow or a campaign, under whosever name.
    Bot,
    /// A person.
    Teammate,
}

/// Something that was said for the customer to read, or by them.
#[derive(Clone, PartialEq, Eq)]
pub struct Said {
    /// Who.
    pub by: By,
    /// What, as plain text.
    pub text: String,
    /// When.
    pub at: Option<Timestamp>,
}

/// A conversation of the past.
#[derive(Clone, PartialEq)]
pub struct Past {
    /// As the vendor tells it.
    pub conversation: Conversation,
    /// What was said up to the customer's last words before the first answer that counts: a
    /// person's, or where no person answered, a bot's.
    pub asked: Vec<Said>,
    /// What was said from then on.
    pub answered: Vec<Said>,
    /// The last team that had it when a person answered; where none did, the team that has it.
    pub team: Option<ExternalId>,
    /// Every team that it was given to, in order.
    pub teams: Vec<ExternalId>,
    /// Every teammate that it was given to, in order.
    pub assignees: Vec<ExternalId>,
    /// How often it was opened again.
    pub n_reopened: u64,
    /// The seat of Frontdesk.
    bot: Option<ExternalId>,
    /// Whether it was last given to people, and by whom.
    given: Option<Given>,
    /// Names of customers in it.
    pub customers: BTreeSet<String>,
    /// Names of teammates in it.
    pub teammates: BTreeSet<String>,
}

/// To whom a conversation was given last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Given {
    /// To people, by Frontdesk, which does so when it does not answer.
    ByFrontdesk,
    /// To people, after this many things had been said.
    After(usize),
}

/// A page of a [`Listing`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// Conversations, by id.
    pub ids: Vec<ExternalId>,
    /// How many there are on all pages together.
    pub n_all: Option<u64>,
    /// How many of the page are not among the ids, because they cannot be read.
    pub n_unreadable: usize,
}

/// Which conversations changed in a stretch of time, looked for page by page.
pub struct Listing {
    client: Client,
    query: Query,
    cursor: Option<Cursor>,
    is_over: bool,
}

impl Listing {
    /// Looks for what changed from `since` on, and before `until` where that is given.
    pub fn new(client: &Client, since: Timestamp, until: Option<Timestamp>) -> Self {
        let condition = |operator, at: Timestamp| {
            Condition::new("updated_at", operator, Operand::Number(at.as_second()))
        };
        let mut conditions = vec![condition(Operator::After, since)];
        // The vendor counts seconds, and takes the operator as "or equal".
        let before = until.and_then(|until| until.checked_sub(SignedDuration::from_nanos(1)).ok());
        conditions.extend(before.map(|before| condition(Operator::Before, before)));
        let query = Query::All(conditions);
        let client = client.of_class(Class::Background);
        Self { client, query, cursor: None, is_over: false }
    }

    /// Reads the next page. None: it is over.
    ///
    /// # Errors
    /// [`ApiError`]; asking again goes on where it failed.
    pub async fn next(&mut self) -> Result<Option<Listed>, ApiError> {
        if self.is_over {
            return Ok(None);
        }
        let cursor = self.cursor.as_ref();
        let page = self.client.search_conversations(&self.query, cursor, PER_PAGE).await?;
        self.is_over = page.next.is_none();
        self.cursor = page.next;
        let ids = page.items.into_iter().map(|found| found.id).collect();
        let (n_all, n_unreadable) = (page.total_count, page.n_unreadable);
        Ok(Some(Listed { ids, n_all, n_unreadable }))
    }
}

/// Reads a conversation. `bot` is the seat of Frontdesk, where it has one. None: it is gone, or no
/// customer said anything in it.
///
/// # Errors
/// [`ApiError`].
pub async fn read(
    client: &Client,
    id: &ExternalId,
    bot: Option<&ExternalId>,
) -> Result<Option<Past>, ApiError> {
    let client = client.of_class(Class::Background);
    match client.conversation(id, Display::Html).await {
        Err(gone) if gone.is_gone() => Ok(None),
        read => Ok(Past::of(read?, bot)),
    }
}

/// How the vendor's own AI ended when people have to go on (2.14 and 2.16).
const UNSETTLED: [&str; 4] =
    ["routed_to_team", "escalated", "procedure_handoff", "negative_feedback"];

/// How it ended when nothing was left to do.
const SETTLED: [&str; 2] = ["assumed_resolution", "confirmed_resolution"];

/// How it ended when the customer went away before there was an answer.
const ABANDONED: &str = "abandoned";

impl Past {
    /// Makes what happened of a conversation with its parts. `bot` is the seat of Frontdesk, where it
    /// has one. None: no customer said anything in it.
    pub fn of(conversation: Conversation, bot: Option<&ExternalId>) -> Option<Self> {
        let mut parts: Vec<&Part> = conversation.parts.parts.iter().collect();
        parts.sort_by_key(|part| (part.created_at, number(&part.id)));
        let mut told = Told::default();
        told.begin(&conversation, bot);
        for part in &parts {
            told.go_on(part, bot);
        }
        let Told { all, teams, assignees, given, team, .. } = told;
        let team = team.or(conversation.team_assignee_id.clone());
        let counted = conversation.statistics.as_ref().and_then(|counts| counts.count_reopens);
        let n_reopened = counted.unwrap_or(n_reopened(&parts));
        let (customers, teammates) = names(&conversation, bot);
        let (asked, answered) = cut(all)?;
        let bot = bot.cloned();
        Some(Self {
            conversation,
            asked,
            answered,
            team,
            teams,
            assignees,
            n_reopened,
            bot,
            given,
            customers,
            teammates,
        })
    }

    /// Returns who answered, each once, in order. What was said before the customer said anything is
    /// no answer.
    pub fn answered_by(&self) -> Vec<By> {
        let mut all = Vec::new();
        let said = self.asked.iter().chain(&self.answered);
        for said in said.skip_while(|said| said.by != By::Customer) {
            if said.by != By::Customer && !all.contains(&said.by) {
                all.push(said.by);
            }
        }
        all
    }

    /// Returns what was answered first, until the customer wrote again: a person's words, or where
    /// a bot settled it alone, the bot's. None: nobody answered, or not to the point.
    pub fn answer(&self) -> Option<String> {
        let by_person = self.by_person();
        if (!by_person && self.was_handed_off()) || self.resolution() == Some(ABANDONED) {
            return None;
        }
        let said = self.answered.iter().take_while(|said| said.by != By::Customer);
        let counts = |said: &&Said| !by_person || said.by == By::Teammate;
        let texts: Vec<&str> = said.filter(counts).map(|said| said.text.as_str()).collect();
        (!texts.is_empty()).then(|| texts.join("\n\n"))
    }

    /// Whether people had to answer, or did: no bot brought it to its end alone.
    pub fn was_handed_off(&self) -> bool {
        if self.by_person() || self.answered.is_empty() {
            return true;
        }
        if let Some(state) = self.resolution() {
            if UNSETTLED.contains(&state) || self.given == Some(Given::ByFrontdesk) {
                return true;
            }
            if SETTLED.contains(&state) {
                return false;
            }
        }
        let assignee = self.conversation.admin_assignee_id.as_ref();
        let is_over = self.conversation.state == State::Closed;
        assignee.is_some_and(|assignee| self.bot.as_ref() != Some(assignee))
            || self.was_given_after_bots()
            // The words of a workflow alone are a promise to answer, unless it ends with them.
            || (!is_over && self.answered_by() == [By::Bot])
    }

    /// Whether a person answered, or a bot brought it to its end alone; else it was left to people.
    pub fn was_answered(&self) -> bool {
        self.by_person() || !self.was_handed_off()
    }

    fn by_person(&self) -> bool {
        self.answered.iter().any(|said| said.by == By::Teammate)
    }

    fn resolution(&self) -> Option<&str> {
        self.conversation.ai_agent.as_ref()?.resolution_state.as_deref()
    }

    fn was_given_after_bots(&self) -> bool {
        let said: Vec<&Said> = self.asked.iter().chain(&self.answered).collect();
        let last = said.iter().rposition(|said| said.by != By::Customer);
        match self.given {
            Some(Given::ByFrontdesk) => true,
            Some(Given::After(n_said)) => last.is_some_and(|last| n_said > last),
            None => false,
        }
    }
}

/// What is gathered while a conversation is read from its beginning.
#[derive(Default)]
struct Told {
    all: Vec<Said>,
    teams: Vec<ExternalId>,
    assignees: Vec<ExternalId>,
    given: Option<Given>,
    /// The last team that it was given to before a person last answered.
    team: Option<ExternalId>,
}

impl Told {
    fn begin(&mut self, conversation: &Conversation, bot: Option<&ExternalId>) {
        let source = conversation.source.as_ref().filter(|source| !source.redacted);
        let Some(source) = source else { return };
        let text = words(source.body.as_ref(), &source.attachments);
        if let Some((author, text)) = source.author.as_ref().zip(text) {
            let by = match by(author, bot) {
                By::Teammate if source.is_automatic() => By::Bot,
                by => by,
            };
            self.all.push(Said { by, text, at: conversation.created_at });
        }
    }

    fn go_on(&mut self, part: &Part, bot: Option<&ExternalId>) {
        let author = part.author.as_ref().map(|author| by(author, bot));
        if let Some((to, id)) = part.assigned_to.as_ref().and_then(|to| Some((to, to.id.as_ref()?)))
        {
            let is_bot = bot == Some(id);
            match to.kind.as_str() {
                "team" => self.teams.push(id.clone()),
                "admin" if !is_bot => self.assignees.push(id.clone()),
                _ => {}
            }
            self.given = match (to.kind.as_str(), author) {
                ("admin", _) if is_bot => None,
                ("admin" | "team", Some(By::Frontdesk)) => Some(Given::ByFrontdesk),
                ("admin" | "team", _) => Some(Given::After(self.all.len())),
                _ => self.given,
            };
        }
        let text = words(part.body.as_ref(), &part.attachments).filter(|_| is_public(part));
        let Some((by, text)) = author.zip(text) else { return };
        let is_answer = self.all.iter().any(|said| said.by == By::Customer);
        if by == By::Teammate && is_answer {
            self.team = self.teams.last().cloned().or(self.team.take());
        }
        self.all.push(Said { by, text, at: part.created_at });
    }
}

/// Returns the names of customers and of teammates in a conversation.
fn names(
    conversation: &Conversation,
    bot: Option<&ExternalId>,
) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut customers, mut teammates) = (BTreeSet::new(), BTreeSet::new());
    let authors = conversation.parts.parts.iter().filter_map(|part| part.author.as_ref());
    let first = conversation.source.as_ref().and_then(|source| source.author.as_ref());
    for author in authors.chain(first) {
        let names = if author.kind.is_customer() { &mut customers } else { &mut teammates };
        // The bot's seat often bears the company's name, which is no secret.
        let is_person = matches!(by(author, bot), By::Customer | By::Teammate);
        let name = author.name.as_ref().filter(|_| is_person);
        names.extend(name.map(|name| name.as_str().to_string()));
    }
    (customers, teammates)
}

/// Cuts what was said behind the customer's last words before the first person who answered them,
/// or else before the first bot that did. None: no customer said anything.
fn cut(mut all: Vec<Said>) -> Option<(Vec<Said>, Vec<Said>)> {
    let first = all.iter().position(|said| said.by == By::Customer)?;
    let answers = |is_one: fn(By) -> bool| {
        all.iter().skip(first).position(|said| is_one(said.by)).map(|at| first + at)
    };
    let answer = answers(|by| by == By::Teammate).or_else(|| answers(|by| by != By::Customer));
    let before = answer.unwrap_or(all.len());
    let asked = all.iter().take(before).rposition(|said| said.by == By::Customer)?;
    let answered = all.split_off(asked + 1);
    Some((all, answered))
}

fn by(author: &Author, bot: Option<&ExternalId>) -> By {
    match &author.kind {
        kind if kind.is_customer() => By::Customer,
        _ if author.from_ai_agent || author.is_ai_answer => By::Fin,
        Who::Admin if author.id.is_some() && author.id.as_ref() == bot => By::Frontdesk,
        Who::Admin => By::Teammate,
        _ => By::Bot,
    }
}

/// Whether the customer can read a part.
fn is_public(part: &Part) -> bool {
    let kind = part.part_type.as_str();
    !part.redacted && kind != "note" && !kind.contains("note_") && kind != "quick_reply"
}

/// Counts how often a conversation was opened again, as far as its parts tell: by hand, or by a
/// customer who wrote after its end.
fn n_reopened(parts: &[&Part]) -> u64 {
    let (mut n, mut is_closed) = (0, None);
    for part in parts {
        let kind = part.part_type.as_str();
        let is_customer = part.author.as_ref().is_some_and(|author| author.kind.is_customer());
        let is_opened = kind == "open" || kind.ends_with("_and_reopen");
        if kind == "close" || kind.ends_with("_and_close") {
            is_closed = Some(true);
        } else if kind == "snoozed" {
            is_closed = Some(false);
        } else if is_opened || (is_customer && is_closed == Some(true)) {
            // What came before may have been cut off; then the opening itself tells.
            n += u64::from(is_closed != Some(false));
            is_closed = Some(false);
        }
    }
    n
}

#[cfg(test)]
mod tests;

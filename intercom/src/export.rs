//! What was said and done in the conversations of the past?
//!
//! [`Listing`] finds which conversations changed in a stretch of time, [`read`] reads one of them
//! as a [`Past`]: what was said up to the first answer of a person, and what happened then.

use crate::{
    client::{ApiError, Class, Client, Condition, Display, Operand, Operator, Query},
    history::{number, words},
    wire::{Author, Conversation, Cursor, ExternalId, Part, Who},
};
use jiff::Timestamp;
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
    /// Another bot: the vendor's, or a workflow.
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
    /// How often it was opened again.
    pub n_reopened: u64,
    /// Names of customers in it.
    pub customers: BTreeSet<String>,
    /// Names of teammates in it.
    pub teammates: BTreeSet<String>,
}

/// Which conversations changed in a stretch of time, looked for page by page.
pub struct Listing {
    client: Client,
    query: Query,
    cursor: Option<Cursor>,
    is_over: bool,
}

impl Listing {
    /// Looks for what changed from `since` on, and up to `until` where that is given.
    pub fn new(client: &Client, since: Timestamp, until: Option<Timestamp>) -> Self {
        let condition = |operator, at: Timestamp| {
            Condition::new("updated_at", operator, Operand::Number(at.as_second()))
        };
        let mut conditions = vec![condition(Operator::After, since)];
        conditions.extend(until.map(|until| condition(Operator::Before, until)));
        let query = Query::All(conditions);
        let client = client.of_class(Class::Background);
        Self { client, query, cursor: None, is_over: false }
    }

    /// Reads the next page: ids, and how many conversations there are together. None: it is over.
    ///
    /// # Errors
    /// [`ApiError`]; asking again goes on where it failed.
    pub async fn next(&mut self) -> Result<Option<(Vec<ExternalId>, Option<u64>)>, ApiError> {
        if self.is_over {
            return Ok(None);
        }
        let cursor = self.cursor.as_ref();
        let page = self.client.search_conversations(&self.query, cursor, PER_PAGE).await?;
        self.is_over = page.next.is_none();
        self.cursor = page.next;
        let ids = page.items.into_iter().map(|found| found.id).collect();
        Ok(Some((ids, page.total_count)))
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
        Err(ApiError::NotFound { .. }) => Ok(None),
        read => Ok(past(read?, bot)),
    }
}

impl Past {
    /// Returns who answered, each once, in order.
    pub fn answered_by(&self) -> Vec<By> {
        let mut all = Vec::new();
        for said in self.asked.iter().chain(&self.answered) {
            if said.by != By::Customer && !all.contains(&said.by) {
                all.push(said.by);
            }
        }
        all
    }

    /// Returns what was answered first, until the customer wrote again; None: nobody answered.
    pub fn answer(&self) -> Option<String> {
        let said = self.answered.iter().take_while(|said| said.by != By::Customer);
        let texts: Vec<&str> = said.map(|said| said.text.as_str()).collect();
        (!texts.is_empty()).then(|| texts.join("\n\n"))
    }

    /// Whether a person answered, or a team has it: no bot brought it to its end alone.
    pub fn was_handed_off(&self) -> bool {
        self.answered_by().contains(&By::Teammate) || self.answered.is_empty()
    }
}

/// Makes what happened of a conversation.
fn past(conversation: Conversation, bot: Option<&ExternalId>) -> Option<Past> {
    let mut parts: Vec<&Part> = conversation.parts.parts.iter().collect();
    parts.sort_by_key(|part| (part.created_at, number(&part.id)));
    let mut all = Vec::new();
    let (mut teams, mut team, mut n_reopened) = (Vec::new(), None, 0);
    let (mut customers, mut teammates) = (BTreeSet::new(), BTreeSet::new());
    if let Some(source) = conversation.source.as_ref().filter(|source| !source.redacted) {
        let text = words(source.body.as_ref(), &source.attachments);
        let author = source.author.as_ref();
        if let Some((author, text)) = author.zip(text) {
            all.push(Said { by: by(author, bot), text, at: conversation.created_at });
        }
    }
    let source_author = conversation.source.as_ref().and_then(|source| source.author.as_ref());
    for author in parts.iter().filter_map(|part| part.author.as_ref()).chain(source_author) {
        let names = if author.kind.is_customer() { &mut customers } else { &mut teammates };
        // The bot's seat often bears the company's name, which is no secret.
        let is_person = matches!(by(author, bot), By::Customer | By::Teammate);
        let name = author.name.as_ref().filter(|_| is_person);
        names.extend(name.map(|name| name.as_str().to_string()));
    }
    for part in parts {
        let to = part.assigned_to.as_ref().filter(|to| to.kind == "team");
        teams.extend(to.and_then(|to| to.id.clone()));
        n_reopened += u64::from(is_reopening(part));
        let text = words(part.body.as_ref(), &part.attachments).filter(|_| is_public(part));
        let Some((author, text)) = part.author.as_ref().zip(text) else { continue };
        let by = by(author, bot);
        if by == By::Teammate {
            team = teams.last().cloned().or(team);
        }
        all.push(Said { by, text, at: part.created_at });
    }
    let person = all.iter().position(|said| said.by == By::Teammate);
    let team = match person {
        Some(_) => team.or(conversation.team_assignee_id.clone()),
        None => conversation.team_assignee_id.clone(),
    };
    let counted = conversation.statistics.as_ref().and_then(|counts| counts.count_reopens);
    let n_reopened = counted.unwrap_or(n_reopened);
    let (asked, answered) = cut(all)?;
    Some(Past { conversation, asked, answered, team, teams, n_reopened, customers, teammates })
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

fn is_reopening(part: &Part) -> bool {
    matches!(part.part_type.as_str(), "open" | "assign_and_reopen")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// Makes a conversation of who said what: `(type of author, its id, type of part, words)`, where
    /// the words of an assignment are the id of a team.
    fn told(said: &[(&str, &str, &str, &str)]) -> Option<Past> {
        let parts: Vec<Value> = said
            .iter()
            .enumerate()
            .map(|(at, (author, id, kind, words))| {
                let mut part = json!({
                    "id": at + 1, "part_type": kind, "created_at": 1_790_000_000 + at,
                    "author": {"type": author, "id": id, "name": format!("{author} {id}"),
                               "from_ai_agent": *id == "fin"},
                });
                match *kind {
                    "assignment" => part["assigned_to"] = json!({"type": "team", "id": words}),
                    _ => part["body"] = json!(format!("<p>{words}</p>")),
                }
                part
            })
            .collect();
        let conversation = json!({
            "id": "524", "created_at": 1_789_000_000, "team_assignee_id": 9,
            "conversation_parts": {"conversation_parts": parts, "total_count": parts.len()},
        });
        past(serde_json::from_value(conversation).unwrap(), ExternalId::parse("7").as_ref())
    }

    fn texts(said: &[Said]) -> Vec<&str> {
        said.iter().map(|said| said.text.as_str()).collect()
    }

    fn check(said: &[(&str, &str, &str, &str)], asked: &[&str], answer: Option<&str>, team: &str) {
        let past = told(said).unwrap();
        assert_eq!(texts(&past.asked), asked, "{said:?}");
        assert_eq!(past.answer().as_deref(), answer, "{said:?}");
        assert_eq!(past.team.as_ref().map(ExternalId::as_str), Some(team), "{said:?}");
    }

    #[test]
    fn a_case_ends_before_the_first_person_and_expects_the_last_team_that_answered() {
        let ask = ("user", "1", "comment", "Help");
        let more = ("lead", "2", "comment", "Please");
        let fin = ("bot", "fin", "comment", "Try again");
        let lena = ("admin", "4", "comment", "Done");
        let support = ("admin", "4", "assignment", "5");
        let billing = ("admin", "4", "assignment", "6");
        check(&[ask, more, support, lena], &["Help", "Please"], Some("Done"), "5");
        check(
            &[ask, fin, more, support, billing, lena],
            &["Help", "Try again", "Please"],
            Some("Done"),
            "6",
        );
        check(&[ask, support, lena, more, billing, lena], &["Help"], Some("Done"), "6");
        check(&[ask, lena, billing], &["Help"], Some("Done"), "9");
        check(&[ask, fin, lena], &["Help"], Some("Try again\n\nDone"), "9");
        check(&[ask, fin, more, fin], &["Help"], Some("Try again"), "9");
        check(&[lena, ask, more], &["Done", "Help", "Please"], None, "9");
        check(&[ask, ("admin", "4", "note", "psst"), fin], &["Help"], Some("Try again"), "9");
        assert!(told(&[lena, fin]).is_none(), "nobody asked");
    }

    #[test]
    fn who_answered_is_told_apart() {
        let past = told(&[
            ("user", "1", "comment", "Help"),
            ("bot", "fin", "comment", "a"),
            ("bot", "3", "comment", "b"),
            ("admin", "7", "comment", "c"),
            ("user", "1", "comment", "No"),
            ("admin", "4", "open", ""),
            ("admin", "4", "comment", "d"),
        ]);
        let past = past.unwrap();
        assert_eq!(past.answered_by(), [By::Fin, By::Bot, By::Frontdesk, By::Teammate]);
        assert!(past.was_handed_off());
        assert_eq!(past.n_reopened, 1);
        let names: Vec<&str> = past.teammates.iter().map(String::as_str).collect();
        assert_eq!((names, past.customers.len()), (vec!["admin 4"], 1));
        let alone = told(&[("user", "1", "comment", "Help"), ("admin", "7", "comment", "c")]);
        assert!(!alone.unwrap().was_handed_off());
    }
}

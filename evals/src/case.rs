//! What is a labelled conversation, and is this file made of them?

use crate::{
    fault::{
        Fault, Listed, N_PROBLEMS_SHOWN, Problem, choice, optional_object, optional_text,
        parse_names, parse_object, quoted,
    },
    split::{Split, parse_split},
};
use jiff::Timestamp;
use router::{Author, Message};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

mod route;

pub use route::Route;

/// A labelled conversation: what was said, and what ought to happen next.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Names the case in results; unique over all files of one run.
    pub id: String,
    /// The conversation in order, never empty; the last message is the customer's and is the one
    /// to act on.
    pub messages: Vec<Message>,
    /// What ought to happen.
    pub expect: Expect,
    /// Groups that figures are reported for.
    pub tags: Vec<String>,
    /// What is known about the customer, as it was written.
    pub customer: Option<Map<String, Value>>,
    /// Name of the channel that the conversation came through.
    pub channel: Option<String>,
    /// Language tag of the customer, such as `en` or `pt-BR`.
    pub locale: Option<String>,
    /// When the last message was written.
    pub at: Option<Timestamp>,
    /// The page that the customer looked at.
    pub page: Option<String>,
    /// Facts that hold for the rules whatever else says, such as `conversation.owner`.
    pub facts: Map<String, Value>,
    /// What it is for, where its file says so.
    pub split: Option<Split>,
    /// What else is known of how it went, such as `rating` or `reopenings`, as it was written.
    pub meta: Map<String, Value>,
    /// The file that it was read from, as it was named, and the line, from 1.
    pub place: (PathBuf, usize),
}

/// What ought to happen with the last message of a [`Case`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expect {
    /// What ought to be done.
    pub act: ExpectedAct,
    /// Whether somebody judged it; else `act` is what people did, and nobody knows whether the bot
    /// could have done it.
    #[serde(default = "judged", skip_serializing_if = "is_judged")]
    pub judged: bool,
    /// Ids of the articles that hold the answer, each once; empty when none does or none is known.
    pub articles: Vec<String>,
    /// What a person answered.
    pub answer: Option<String>,
    /// What the question is about.
    pub topic: Option<String>,
    /// The team that solved it.
    pub team: Option<String>,
    /// The route that the rules ought to take, for `frontdesk rules test`.
    #[serde(skip)]
    pub route: Option<Route>,
}

impl Expect {
    /// Whether nobody says which article holds the answer where there is one, or whether there is
    /// any, so that no draft can be told to be right or wrong.
    pub fn is_unlabelled(&self) -> bool {
        (self.act == ExpectedAct::Answer || !self.judged) && self.articles.is_empty()
    }
}

fn judged() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_judged(judged: &bool) -> bool {
    *judged
}

/// What ought to be done with a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExpectedAct {
    /// The bot answers.
    Answer,
    /// The bot asks what is meant.
    Clarify,
    /// A team takes over.
    Handoff,
}

impl ExpectedAct {
    /// Returns the name that case files and reports use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::Clarify => "clarify",
            Self::Handoff => "handoff",
        }
    }
}

/// Cases could not be read.
#[derive(Debug, thiserror::Error)]
pub enum CasesError {
    /// A file cannot be read at all.
    #[error("{}: cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file holds no case.
    #[error("{}: holds no case; write one JSON object a line", .0.display())]
    Empty(PathBuf),
    /// Lines are not cases; shows at most 20 of them.
    #[error("{}", Listed { problems, n_more: *n_more })]
    Bad {
        /// The first of them, in the order of files and lines, one a line.
        problems: Vec<Problem>,
        /// Number of bad lines beyond those.
        n_more: usize,
    },
}

/// Reads case files (JSON Lines, UTF-8), in order. Empty lines, a byte order mark, Windows line
/// ends and unknown fields are tolerated.
///
/// # Errors
/// [`CasesError::Unreadable`] or [`CasesError::Empty`] for the first such file, else
/// [`CasesError::Bad`] with what is wrong on each line that is not a case, repeats an id, or does
/// not end with a message by the customer.
pub fn read_cases(paths: &[PathBuf]) -> Result<Vec<Case>, CasesError> {
    let mut reading = Reading::default();
    for path in paths {
        let bytes = std::fs::read(path)
            .map_err(|source| CasesError::Unreadable { path: path.clone(), source })?;
        if reading.read(path, &bytes) == 0 {
            return Err(CasesError::Empty(path.clone()));
        }
    }
    if reading.n_bad == 0 {
        return Ok(reading.cases);
    }
    let n_more = reading.n_bad - reading.problems.len();
    Err(CasesError::Bad { problems: reading.problems, n_more })
}

#[derive(Default)]
struct Reading {
    cases: Vec<Case>,
    /// Where each id was first read.
    seen: HashMap<String, (PathBuf, usize)>,
    problems: Vec<Problem>,
    n_bad: usize,
}

impl Reading {
    /// Reads a file's content and returns how many lines of it are not empty.
    fn read(&mut self, path: &Path, bytes: &[u8]) -> usize {
        if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
            self.note(path, 1, Fault::whole("is UTF-16", "save the file as UTF-8"));
            return 1;
        }
        let bytes = bytes.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(bytes);
        let mut n_lines = 0;
        for (i, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            if line.trim_ascii().is_empty() {
                continue;
            }
            n_lines += 1;
            let place = (path.to_owned(), i + 1);
            match parse(line, place).and_then(|case| self.first_of_its_id(case)) {
                Ok(case) => self.cases.push(case),
                Err(fault) => self.note(path, i + 1, fault),
            }
        }
        n_lines
    }

    fn first_of_its_id(&mut self, case: Case) -> Result<Case, Fault> {
        if let Some((first, at)) = self.seen.get(&case.id) {
            let what =
                format!("{} is already the id of {}:{at}", quoted(&case.id), first.display());
            return Err(Fault::new("id", what, "give every case an id of its own"));
        }
        self.seen.insert(case.id.clone(), case.place.clone());
        Ok(case)
    }

    fn note(&mut self, path: &Path, line: usize, fault: Fault) {
        self.n_bad += 1;
        if self.problems.len() < N_PROBLEMS_SHOWN {
            let Fault { field, what, mend } = fault;
            self.problems.push(Problem { path: path.to_owned(), line, field, what, mend });
        }
    }
}

fn parse(line: &[u8], place: (PathBuf, usize)) -> Result<Case, Fault> {
    of_fields(&parse_object(line)?, place)
}

/// Makes a case of the fields of a line.
pub(crate) fn of_fields(
    fields: &Map<String, Value>,
    place: (PathBuf, usize),
) -> Result<Case, Fault> {
    Ok(Case {
        id: parse_id(fields)?,
        messages: parse_messages(fields)?,
        expect: parse_expect(fields)?,
        tags: parse_names(fields, "tags", "tags")?,
        customer: optional_object(fields, "customer")?,
        channel: optional_text(fields, "channel", "channel")?,
        locale: optional_text(fields, "locale", "locale")?,
        at: parse_time(fields)?,
        page: optional_text(fields, "page", "page")?,
        facts: optional_object(fields, "facts")?.unwrap_or_default(),
        split: parse_split(fields)?,
        meta: optional_object(fields, "meta")?.unwrap_or_default(),
        place,
    })
}

fn parse_time(fields: &Map<String, Value>) -> Result<Option<Timestamp>, Fault> {
    let Some(text) = optional_text(fields, "at", "at")? else { return Ok(None) };
    let time = text.parse().map_err(|_| {
        let mend = "write it as 2026-01-31T09:30:00Z";
        Fault::new("at", format!("{} is no time", quoted(&text)), mend)
    })?;
    Ok(Some(time))
}

fn parse_id(fields: &Map<String, Value>) -> Result<String, Fault> {
    let mend = "write a text in quotes that names the case";
    match fields.get("id") {
        None => Err(Fault::new("id", "is missing", mend)),
        Some(Value::String(id)) if id.trim().is_empty() => Err(Fault::new("id", "is empty", mend)),
        Some(Value::String(id)) => Ok(id.clone()),
        Some(other) => Err(Fault::wrong_kind("id", other, mend)),
    }
}

fn parse_messages(fields: &Map<String, Value>) -> Result<Vec<Message>, Fault> {
    let mend = r#"write a list such as [{"author": "customer", "text": "…"}]"#;
    let list = match fields.get("messages") {
        None => return Err(Fault::new("messages", "is missing", mend)),
        Some(Value::Array(list)) => list,
        Some(other) => return Err(Fault::wrong_kind("messages", other, mend)),
    };
    let mut messages = Vec::with_capacity(list.len());
    for (i, message) in list.iter().enumerate() {
        messages.push(parse_message(message, &format!("messages[{i}]"))?);
    }
    match messages.last() {
        None => Err(Fault::new("messages", "is empty", mend)),
        Some(last) if last.author != Author::Customer => Err(Fault::new(
            format!("messages[{}].author", messages.len() - 1),
            "the last message is not by the customer",
            "end the conversation with the message that is to be acted on",
        )),
        Some(_) => Ok(messages),
    }
}

fn parse_message(message: &Value, place: &str) -> Result<Message, Fault> {
    let Value::Object(fields) = message else {
        let mend = r#"write {"author": "customer", "text": "…"}"#;
        return Err(Fault::wrong_kind(place, message, mend));
    };
    let place_of_author = format!("{place}.author");
    let author = match choice(fields, "author", &place_of_author, &["customer", "bot", "teammate"])?
    {
        "customer" => Author::Customer,
        "bot" => Author::Bot,
        _ => Author::Teammate,
    };
    let place_of_text = format!("{place}.text");
    let text = optional_text(fields, "text", &place_of_text)?
        .ok_or_else(|| Fault::new(place_of_text, "is missing", "write what was said, in quotes"))?;
    Ok(Message { author, text })
}

fn parse_expect(fields: &Map<String, Value>) -> Result<Expect, Fault> {
    let mend = r#"write an object such as {"act": "answer", "articles": ["…"]}"#;
    let expect = match fields.get("expect") {
        None => return Err(Fault::new("expect", "is missing", mend)),
        Some(Value::Object(expect)) => expect,
        Some(other) => return Err(Fault::wrong_kind("expect", other, mend)),
    };
    let route = route::parse(expect)?;
    let act = match &route {
        Some(route) if !expect.contains_key("act") => route.act_class(),
        _ => match choice(expect, "act", "expect.act", &["answer", "clarify", "handoff"])? {
            "answer" => ExpectedAct::Answer,
            "clarify" => ExpectedAct::Clarify,
            _ => ExpectedAct::Handoff,
        },
    };
    let judged = match expect.get("judged") {
        None | Some(Value::Null) => true,
        Some(Value::Bool(judged)) => *judged,
        Some(other) => {
            let mend = "write false where only what people did is known";
            return Err(Fault::wrong_kind("expect.judged", other, mend));
        }
    };
    Ok(Expect {
        route,
        act,
        judged,
        articles: parse_names(expect, "articles", "expect.articles")?,
        answer: optional_text(expect, "answer", "expect.answer")?,
        topic: optional_text(expect, "topic", "expect.topic")?,
        team: optional_text(expect, "team", "expect.team")?,
    })
}

#[cfg(test)]
mod tests;

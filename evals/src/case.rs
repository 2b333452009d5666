//! What is a labelled conversation, and is this file made of them?

use jiff::Timestamp;
use router::{Author, Message};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::fmt::{self, Display};
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
}

/// What ought to happen with the last message of a [`Case`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expect {
    /// What ought to be done.
    pub act: ExpectedAct,
    /// Ids of the articles that hold the answer, each once; empty when none does or none is known.
    pub articles: Vec<String>,
    /// What a person answered.
    pub answer: Option<String>,
    /// What the question is about.
    pub topic: Option<String>,
    /// The team that solved it.
    pub team: Option<String>,
    /// The route that the rules ought to take, for `frontdesk rules test`.
    pub route: Option<Route>,
}

/// What ought to be done with a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
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

/// What is wrong with one line of a case file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, as it was named by the caller.
    pub path: PathBuf,
    /// Number of the line, from 1.
    pub line: usize,
    /// Path of the field, such as `messages[2].author`; empty when it is about the whole line.
    pub field: String,
    /// What is wrong with it.
    pub what: String,
    /// What to write instead.
    pub mend: String,
}

impl Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.path.display(), self.line)?;
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        write!(f, "{}; {}", self.what, self.mend)
    }
}

/// More problems than this are counted, not shown: they have one cause, or a person stops reading.
pub(crate) const N_PROBLEMS_SHOWN: usize = 20;

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

pub(crate) struct Listed<'a> {
    pub(crate) problems: &'a [Problem],
    pub(crate) n_more: usize,
}

impl Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        if self.n_more > 0 {
            write!(f, "\nand {} more bad lines", self.n_more)?;
        }
        Ok(())
    }
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
            match parse(line).and_then(|case| self.first_of_its_id(path, i + 1, case)) {
                Ok(case) => self.cases.push(case),
                Err(fault) => self.note(path, i + 1, fault),
            }
        }
        n_lines
    }

    fn first_of_its_id(&mut self, path: &Path, line: usize, case: Case) -> Result<Case, Fault> {
        if let Some((first, at)) = self.seen.get(&case.id) {
            let what =
                format!("{} is already the id of {}:{at}", quoted(&case.id), first.display());
            return Err(Fault::new("id", what, "give every case an id of its own"));
        }
        self.seen.insert(case.id.clone(), (path.to_owned(), line));
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

/// A [`Problem`] that does not know its place yet.
pub(crate) struct Fault {
    pub(crate) field: String,
    pub(crate) what: String,
    pub(crate) mend: String,
}

impl Fault {
    pub(crate) fn new(
        field: impl Into<String>,
        what: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self { field: field.into(), what: what.into(), mend: mend.into() }
    }

    pub(crate) fn whole(what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::new("", what, mend)
    }

    pub(crate) fn wrong_kind(field: &str, found: &Value, mend: &str) -> Self {
        Self::new(field, format!("is {}", kind(found)), mend)
    }
}

/// Reads the JSON object that a line is.
pub(crate) fn parse_object(line: &[u8]) -> Result<Map<String, Value>, Fault> {
    let text = str::from_utf8(line).map_err(|error| {
        let what = format!("byte {} is not UTF-8", error.valid_up_to() + 1);
        Fault::whole(what, "save the file as UTF-8")
    })?;
    let value: Value = serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        let reason = message.split(" at line ").next().unwrap_or_default();
        let what = format!("is not JSON at column {} ({reason})", error.column());
        Fault::whole(what, "write one JSON object on one line")
    })?;
    match value {
        Value::Object(fields) => Ok(fields),
        other => Err(Fault::whole(format!("is {}", kind(&other)), "write one JSON object a line")),
    }
}

fn parse(line: &[u8]) -> Result<Case, Fault> {
    let fields = parse_object(line)?;
    Ok(Case {
        id: parse_id(&fields)?,
        messages: parse_messages(&fields)?,
        expect: parse_expect(&fields)?,
        tags: parse_names(&fields, "tags", "tags")?,
        customer: optional_object(&fields, "customer")?,
        channel: optional_text(&fields, "channel", "channel")?,
        locale: optional_text(&fields, "locale", "locale")?,
        at: parse_time(&fields)?,
        page: optional_text(&fields, "page", "page")?,
        facts: optional_object(&fields, "facts")?.unwrap_or_default(),
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

fn optional_object(
    fields: &Map<String, Value>,
    key: &str,
) -> Result<Option<Map<String, Value>>, Fault> {
    match fields.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object.clone())),
        Some(other) => Err(Fault::wrong_kind(key, other, "write an object or leave it out")),
    }
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
    Ok(Expect {
        route,
        act,
        articles: parse_names(expect, "articles", "expect.articles")?,
        answer: optional_text(expect, "answer", "expect.answer")?,
        topic: optional_text(expect, "topic", "expect.topic")?,
        team: optional_text(expect, "team", "expect.team")?,
    })
}

/// Returns the one of `choices` that the field holds.
fn choice<'a>(
    fields: &Map<String, Value>,
    key: &str,
    place: &str,
    choices: &[&'a str],
) -> Result<&'a str, Fault> {
    let listed: Vec<String> = choices.iter().map(|name| quoted(name)).collect();
    let mend = format!("write one of {}", listed.join(", "));
    match fields.get(key) {
        None => Err(Fault::new(place, "is missing", mend)),
        Some(Value::String(text)) => choices
            .iter()
            .find(|name| **name == text.as_str())
            .copied()
            .ok_or_else(|| Fault::new(place, format!("{} is not known", quoted(text)), mend)),
        Some(other) => Err(Fault::wrong_kind(place, other, &mend)),
    }
}

/// Returns a list of names, each once and in order; empty when the field is absent.
fn parse_names(fields: &Map<String, Value>, key: &str, place: &str) -> Result<Vec<String>, Fault> {
    let mend = r#"write a list of texts such as ["…"]"#;
    let list = match fields.get(key) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(other) => return Err(Fault::wrong_kind(place, other, mend)),
    };
    let mut names: Vec<String> = Vec::with_capacity(list.len());
    for (i, name) in list.iter().enumerate() {
        match name {
            Value::String(name) if name.trim().is_empty() => {
                return Err(Fault::new(
                    format!("{place}[{i}]"),
                    "is empty",
                    "name it or leave it out",
                ));
            }
            Value::String(name) if names.contains(name) => {}
            Value::String(name) => names.push(name.clone()),
            other => {
                return Err(Fault::wrong_kind(
                    &format!("{place}[{i}]"),
                    other,
                    "write a text in quotes",
                ));
            }
        }
    }
    Ok(names)
}

pub(crate) fn optional_text(
    fields: &Map<String, Value>,
    key: &str,
    place: &str,
) -> Result<Option<String>, Fault> {
    match fields.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(Fault::wrong_kind(place, other, "write a text in quotes")),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Quotes a stranger's text for a message: escaped, on one line, and no longer than a line.
pub(crate) fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().take(60).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("{shown:?}")
}

#[cfg(test)]
mod tests;

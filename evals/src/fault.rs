//! What is wrong with a line of a file that people wrote, where, and what to write instead.

use serde_json::{Map, Value};
use std::{
    fmt::{self, Display},
    path::PathBuf,
};

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

/// A [`Problem`] that does not know its place yet.
#[derive(Debug)]
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

/// Returns the one of `choices` that the field holds.
pub(crate) fn choice<'a>(
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
pub(crate) fn parse_names(
    fields: &Map<String, Value>,
    key: &str,
    place: &str,
) -> Result<Vec<String>, Fault> {
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

pub(crate) fn optional_object(
    fields: &Map<String, Value>,
    key: &str,
) -> Result<Option<Map<String, Value>>, Fault> {
    match fields.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object.clone())),
        Some(other) => Err(Fault::wrong_kind(key, other, "write an object or leave it out")),
    }
}

pub(crate) fn kind(value: &Value) -> &'static str {
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

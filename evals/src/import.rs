//! Which questions of past conversations, kept by other programs, are worth asking again?
//!
//! [`import`] reads exports record by record (`records.rs`, `table.rs`), makes of each what was said
//! and by whom (`intercom.rs`, `zendesk.rs`, `chatwoot.rs`: one vendor's shape each, all ending in
//! `past.rs`), finds the turns worth judging (`turns.rs`) and writes them as cases (`lines.rs`),
//! without the people in them. Nothing is kept but a few bytes a case.
//!
//! Deliberately absent: what would have been right. A case says what happened: what a person
//! answered, and which team had it; none of them is judged.

mod chatwoot;
mod intercom;
mod lines;
mod past;
mod records;
mod table;
mod turns;
mod zendesk;

use crate::{
    case,
    fault::{Fault, N_PROBLEMS_SHOWN, Problem},
    redact::Redactor,
};
use lines::Lines;
use past::Past;
use records::Records;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, HashSet},
    fs::File,
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
};

pub use table::Columns;
pub use turns::Skip;

/// Which program kept the conversations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// Cases in our own format, also those of `frontdesk intercom export`.
    Cases,
    /// Intercom: conversations with their parts.
    Intercom,
    /// Zendesk: tickets with their comments or audits.
    Zendesk,
    /// Chatwoot: conversations with their messages.
    Chatwoot,
    /// A table, one row a question.
    Table,
}

/// What is wanted.
#[derive(Debug)]
pub struct Wanted {
    /// Which program kept them; None: each record tells.
    pub from: Option<From>,
    /// Which column of a table is what.
    pub columns: Columns,
    /// What stands between the columns of a table; None: its first line tells.
    pub delimiter: Option<u8>,
    /// What the desk calls the teams that exports name by an id alone, by id.
    pub teams: BTreeMap<String, String>,
    /// Takes personal data out; None: they stay.
    pub redactor: Option<Redactor>,
}

/// What was left out for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// How often.
    pub n: usize,
    /// Where the first of them stands: file and line.
    pub first: (PathBuf, usize),
}

/// What became of the files.
#[derive(Debug, Clone, Default)]
pub struct Imported {
    /// Records that were read, bad ones among them.
    pub n_records: usize,
    /// Cases that were written.
    pub n_cases: usize,
    /// Turns and conversations that were left out, by reason.
    pub left: BTreeMap<Skip, Left>,
    /// The first of the records that could not be understood; 20 at most.
    pub problems: Vec<Problem>,
    /// All of them.
    pub n_bad: usize,
    /// Conversations that had a team of which only the id is known, by id.
    pub unnamed_teams: BTreeMap<String, usize>,
    /// Times of tables that could not be read.
    pub unread_times: Option<Left>,
}

/// The files could not be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file cannot be read.
    #[error("{}: cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The cases cannot be written.
    #[error("the cases cannot be written")]
    Unwritable(#[source] io::Error),
}

impl From {
    /// All of them, with the names that the command line has for them.
    pub const NAMES: [(&str, Self); 5] = [
        ("jsonl", Self::Cases),
        ("intercom", Self::Intercom),
        ("zendesk", Self::Zendesk),
        ("chatwoot", Self::Chatwoot),
        ("csv", Self::Table),
    ];

    /// Tells by its fields where a record comes from.
    fn of(fields: &Map<String, Value>) -> Option<Self> {
        let has = |name: &str| fields.contains_key(name);
        if has("expect") && has("messages") {
            Some(Self::Cases)
        } else if has("conversation_parts") || (has("source") && has("contacts")) {
            Some(Self::Intercom)
        } else if has("requester_id") || has("requester") {
            Some(Self::Zendesk)
        } else if has("messages") && (has("meta") || has("inbox_id") || has("account_id")) {
            Some(Self::Chatwoot)
        } else {
            None
        }
    }
}

/// Reads files and writes cases, a line each. A record that cannot be understood is noted and does
/// not stop the others.
///
/// # Errors
/// [`ImportError`].
pub fn import(
    wanted: &Wanted,
    files: &[PathBuf],
    to: &mut dyn Write,
) -> Result<Imported, ImportError> {
    let lines = Lines { redactor: wanted.redactor.clone() };
    let seen = Seen::default();
    let mut run = Run { wanted, lines, to, seen, imported: Imported::default() };
    for path in files {
        let unreadable = |source| ImportError::Unreadable { path: path.clone(), source };
        let mut file = BufReader::with_capacity(1 << 16, File::open(path).map_err(unreadable)?);
        let is_table = match wanted.from {
            Some(from) => from == From::Table,
            None => ["csv", "tsv"].iter().any(|end| path.extension().is_some_and(|e| e == *end)),
        };
        if is_table {
            let start = file.fill_buf().map_err(unreadable)?;
            let delimiter = wanted.delimiter.unwrap_or_else(|| table::delimiter(start));
            run.read_table(path, file, delimiter)?;
        } else {
            run.read_records(path, file)?;
        }
    }
    run.to.flush().map_err(ImportError::Unwritable)?;
    Ok(run.imported)
}

/// What was there before: conversations, and questions with their answers.
#[derive(Default)]
struct Seen {
    ids: HashSet<[u8; 16]>,
    words: HashSet<[u8; 16]>,
}

struct Run<'a> {
    wanted: &'a Wanted,
    lines: Lines,
    to: &'a mut dyn Write,
    seen: Seen,
    imported: Imported,
}

impl Run<'_> {
    fn read_records(&mut self, path: &Path, file: impl BufRead) -> Result<(), ImportError> {
        let mut records = Records::new(file);
        loop {
            let next = records.next();
            let next =
                next.map_err(|source| ImportError::Unreadable { path: path.into(), source })?;
            let Some(record) = next else { return Ok(()) };
            self.imported.n_records += 1;
            let place = (path.to_path_buf(), record.line);
            match record.fields.and_then(|fields| self.understand(fields, &place)) {
                Ok(Found::Case(fields)) => self.keep_case(fields, &place)?,
                Ok(Found::Past(past)) => self.keep(&past, &place)?,
                Err(fault) => self.note(path, place.1, fault),
            }
        }
    }

    /// Makes of a record what it is.
    fn understand(
        &self,
        fields: Map<String, Value>,
        place: &(PathBuf, usize),
    ) -> Result<Found, Fault> {
        let mut past = match self.wanted.from.or_else(|| From::of(&fields)) {
            Some(From::Cases) => {
                case::of_fields(&fields, place.clone())?;
                return Ok(Found::Case(fields));
            }
            Some(From::Intercom) => intercom::past(&fields)?,
            Some(From::Zendesk) => zendesk::past(&fields)?,
            Some(From::Chatwoot) => chatwoot::past(&fields)?,
            Some(From::Table) | None => {
                let mend = "say with --from which program it comes from";
                return Err(Fault::whole("is no conversation that is known by its fields", mend));
            }
        };
        let named = past.team_id.as_ref().and_then(|id| self.wanted.teams.get(id));
        if let Some(name) = named {
            (past.team, past.team_id) = (Some(past::slug(name)), None);
        }
        Ok(Found::Past(Box::new(past)))
    }

    fn read_table(
        &mut self,
        path: &Path,
        mut file: impl BufRead,
        delimiter: u8,
    ) -> Result<(), ImportError> {
        // After "\r\n" a row begins, to its reader, with the "\n", on the line before its own.
        let start = file.fill_buf().unwrap_or_default();
        let first = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let n_behind = usize::from(first.ends_with(b"\r"));
        let mut reader =
            csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(file);
        let unreadable = |error: csv::Error| ImportError::Unreadable {
            path: path.to_path_buf(),
            source: io::Error::other(error),
        };
        let headings = reader.byte_headers().map_err(unreadable)?.clone();
        let places = match table::Places::find(&headings, &self.wanted.columns) {
            Ok(places) => places,
            Err(fault) => {
                self.imported.n_records += 1;
                self.note(path, 1, fault);
                return Ok(());
            }
        };
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let mut row = csv::ByteRecord::new();
        let mut number = 0;
        while reader.read_byte_record(&mut row).map_err(unreadable)? {
            number += 1;
            self.imported.n_records += 1;
            let line = row.position().map_or(0, csv::Position::line);
            let line = usize::try_from(line).unwrap_or_default() + n_behind;
            if row.len() != headings.len() {
                let what = format!(
                    "has {} columns where the first line has {}",
                    row.len(),
                    headings.len()
                );
                let mend = "put texts with the delimiter or a line end in quotes";
                self.note(path, line, Fault::whole(what, mend));
                continue;
            }
            let mut past = places.past(&row, &stem, number);
            // Several rows may be questions of one conversation.
            if self.seen.ids.contains(&mark(&past.id)) {
                past.id = format!("{}-{number}", past.id);
            }
            self.keep(&past, &(path.to_path_buf(), line))?;
        }
        Ok(())
    }

    /// Writes the turns of a conversation that are worth judging; of one that was there before,
    /// those that were not.
    fn keep(&mut self, past: &Past, place: &(PathBuf, usize)) -> Result<(), ImportError> {
        let is_new = self.seen.ids.insert(mark(&past.id));
        let (mut turns, left) = turns::turns(past);
        turns.retain(|turn| self.seen.ids.insert(mark(&format!("{}#{}", past.id, turn.number))));
        if !is_new && turns.is_empty() {
            self.leave(Skip::SameConversation, place);
            return Ok(());
        }
        if is_new {
            left.into_iter().for_each(|skip| self.leave(skip, place));
            if let Some(id) = &past.team_id {
                *self.imported.unnamed_teams.entry(id.clone()).or_default() += 1;
            }
        }
        if past.n_unread_times > 0 {
            let first = || Left { n: 0, first: place.clone() };
            self.imported.unread_times.get_or_insert_with(first).n += past.n_unread_times;
        }
        for turn in turns {
            let said: Vec<&str> = past
                .said
                .iter()
                .take(turn.end)
                .map(|said| said.text.as_str())
                .chain(turn.answer.as_deref())
                .collect();
            if self.seen.words.insert(digest(&said)) {
                let line = self.lines.of_turn(past, &turn);
                self.write(&line)?;
            } else {
                self.leave(Skip::SameWords, place);
            }
        }
        Ok(())
    }

    fn keep_case(
        &mut self,
        fields: Map<String, Value>,
        place: &(PathBuf, usize),
    ) -> Result<(), ImportError> {
        let id = fields.get("id").and_then(past::text).unwrap_or_default();
        let line = self.lines.of_case(fields, self.imported.n_records);
        let texts = past::below(&line, &["messages"]).as_array().into_iter().flatten();
        let texts = texts.filter_map(|message| message.get("text")?.as_str());
        let answer = past::below(&line, &["expect", "answer"]).as_str();
        let said: Vec<&str> = texts.chain(answer).collect();
        if !self.seen.ids.insert(mark(&id)) {
            self.leave(Skip::SameConversation, place);
        } else if !self.seen.words.insert(digest(&said)) {
            self.leave(Skip::SameWords, place);
        } else {
            self.write(&line)?;
        }
        Ok(())
    }

    fn write(&mut self, line: &Value) -> Result<(), ImportError> {
        self.imported.n_cases += 1;
        writeln!(self.to, "{line}").map_err(ImportError::Unwritable)
    }

    fn leave(&mut self, skip: Skip, place: &(PathBuf, usize)) {
        let first = || Left { n: 0, first: place.clone() };
        self.imported.left.entry(skip).or_insert_with(first).n += 1;
    }

    fn note(&mut self, path: &Path, line: usize, fault: Fault) {
        self.imported.n_bad += 1;
        if self.imported.problems.len() < N_PROBLEMS_SHOWN {
            let Fault { field, what, mend } = fault;
            let path = path.to_path_buf();
            self.imported.problems.push(Problem { path, line, field, what, mend });
        }
    }
}

/// What a record is.
enum Found {
    Case(Map<String, Value>),
    Past(Box<Past>),
}

/// Makes a short mark of texts: alike for texts that differ in case, spaces and signs alone.
fn digest(texts: &[&str]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for text in texts {
        for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
            hash.update(word.to_lowercase());
            hash.update([0]);
        }
        hash.update([1]);
    }
    shortened(&hash.finalize())
}

/// Makes a short mark of an id.
fn mark(id: &str) -> [u8; 16] {
    shortened(&Sha256::digest(id))
}

fn shortened(hash: &[u8]) -> [u8; 16] {
    let mut short = [0; 16];
    for (to, from) in short.iter_mut().zip(hash) {
        *to = *from;
    }
    short
}

#[cfg(test)]
mod tests;

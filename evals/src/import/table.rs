//! Tables: one row a question, with a map that says which column is what.

use super::past::{Past, Said, moment, slug};
use crate::fault::{Fault, quoted};
use csv::ByteRecord;
use router::Author;
use serde_json::json;
use std::{borrow::Cow, collections::BTreeMap};

/// What a column can be, with what such columns are often called.
const ROLES: [(&str, &[&str]); 11] = [
    ("question", &["question", "message", "body", "customer message", "description", "frage"]),
    ("answer", &["answer", "reply", "response", "agent reply", "antwort"]),
    ("conversation", &["conversation", "conversation id", "id", "ticket", "ticket id"]),
    ("team", &["team", "group", "queue"]),
    ("rating", &["rating", "csat", "satisfaction"]),
    ("tags", &["tags", "labels"]),
    ("channel", &["channel"]),
    ("locale", &["locale", "language"]),
    ("at", &["at", "created at", "created_at", "date"]),
    ("page", &["page", "url"]),
    ("customer", &["customer", "customer name", "requester", "name"]),
];

/// Which column is what: `question`, `answer`, `conversation`, `team`, `rating`, `tags`, `channel`,
/// `locale`, `at`, `page`, `customer`, each with the heading of its column.
pub type Columns = BTreeMap<String, String>;

/// Which place each role has in a row.
#[derive(Debug)]
pub(super) struct Places {
    at: BTreeMap<&'static str, usize>,
}

impl Places {
    /// Finds the columns in the headings: those that are named, others by what they are often
    /// called.
    pub(super) fn find(headings: &ByteRecord, columns: &Columns) -> Result<Self, Fault> {
        let headings: Vec<String> =
            headings.iter().map(|h| decoded(h).trim().to_string()).collect();
        let known: Vec<&str> = ROLES.iter().map(|(role, _)| *role).collect();
        if let Some(role) = columns.keys().find(|role| !known.contains(&role.as_str())) {
            let mend = format!("map one of {}", known.join(", "));
            return Err(Fault::new(role.clone(), "is nothing that a column can be", mend));
        }
        let mut at = BTreeMap::new();
        for (role, often) in ROLES {
            let place = match columns.get(role) {
                Some(name) => {
                    let place = headings.iter().position(|heading| heading == name.trim());
                    let missing = || {
                        let mend = format!("the columns are {}", headings.join(", "));
                        Fault::new(role, format!("there is no column {}", quoted(name)), mend)
                    };
                    Some(place.ok_or_else(missing)?)
                }
                None => often.iter().find_map(|name| {
                    headings.iter().position(|heading| heading.to_lowercase() == *name)
                }),
            };
            at.extend(place.map(|place| (role, place)));
        }
        if !at.contains_key("question") {
            let mend = format!(
                "say which with --column question=NAME; the columns are {}",
                headings.join(", ")
            );
            return Err(Fault::new("question", "no column is known to hold it", mend));
        }
        Ok(Self { at })
    }

    /// Makes a conversation of a row.
    pub(super) fn past(&self, row: &ByteRecord, file: &str, number: usize) -> Past {
        let cell = |role: &str| -> Option<String> {
            let text = decoded(row.get(*self.at.get(role)?)?).trim().to_string();
            (!text.is_empty()).then_some(text)
        };
        let written = cell("at");
        let at = written.as_deref().and_then(moment);
        let mut said = Vec::new();
        let roles = [("question", Author::Customer), ("answer", Author::Teammate)];
        for (role, by) in roles {
            said.extend(cell(role).map(|text| Said { by, text, at }));
        }
        let team = cell("team").map(|team| slug(&team));
        let tags = cell("tags").unwrap_or_default();
        let tags = tags.split([',', ';', '|']).map(str::trim).filter(|tag| !tag.is_empty());
        let id = cell("conversation").unwrap_or_else(|| format!("{}-{number}", slug(file)));
        Past {
            id: format!("csv-{id}"),
            said,
            handed_over: team.is_some(),
            waits_for_people: team.is_some(),
            team,
            n_unread_times: usize::from(written.is_some() && at.is_none()),
            rating: cell("rating").map(|score| json!({"score": score, "remark": null})),
            channel: cell("channel"),
            locale: cell("locale"),
            page: cell("page"),
            tags: tags.map(str::to_string).collect(),
            customers: cell("customer").into_iter().collect(),
            ..Past::default()
        }
    }
}

/// Reads bytes as UTF-8, or as Windows writes Western languages, which spreadsheets still do.
fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    let bytes = bytes.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(bytes);
    match str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}

/// Tells the delimiter by the first line: the one of `,`, `;`, tab and `|` that stands there most
/// often, outside quotes.
pub(super) fn delimiter(start: &[u8]) -> u8 {
    let mut in_text = false;
    let mut counts = [(b',', 0_usize), (b';', 0), (b'\t', 0), (b'|', 0)];
    for byte in start {
        match byte {
            b'"' => in_text = !in_text,
            b'\n' if !in_text => break,
            _ if in_text => {}
            other => {
                for (delimiter, count) in &mut counts {
                    *count += usize::from(delimiter == other);
                }
            }
        }
    }
    // Of those alike the first counts.
    counts
        .into_iter()
        .rev()
        .max_by_key(|(_, count)| *count)
        .map_or(b',', |(delimiter, _)| delimiter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_and_encodings_are_told() {
        assert_eq!(delimiter(b"a,b,c\n1;2;3;4;5"), b',');
        assert_eq!(delimiter(b"\"a,b,c\";d\n"), b';');
        assert_eq!(delimiter(b"a\tb"), b'\t');
        assert_eq!(delimiter(b""), b',');
        assert_eq!(decoded(b"Gr\xfc\xdfe \x80"), "Grüße €");
        assert_eq!(decoded("Grüße".as_bytes()), "Grüße");
    }

    #[test]
    fn a_column_that_is_not_there_is_named_with_those_that_are() {
        let headings = ByteRecord::from(vec!["Subject", "Reply"]);
        let fault = Places::find(&headings, &Columns::new()).unwrap_err();
        assert!(fault.mend.contains("Subject, Reply"), "{}", fault.mend);
        let columns = Columns::from([("question".to_string(), "subject".to_string())]);
        assert!(Places::find(&headings, &columns).unwrap_err().what.contains("\"subject\""));
        let columns = Columns::from([("question".to_string(), "Subject".to_string())]);
        assert_eq!(Places::find(&headings, &columns).unwrap().at["answer"], 1);
    }
}

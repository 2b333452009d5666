//! A conversation of the past, whichever program kept it.

use crate::fault::{Fault, kind};
use jiff::{Timestamp, civil, tz::TimeZone};
use router::Author;
use serde_json::{Map, Value};

/// A conversation of the past.
#[derive(Debug, Clone, Default)]
pub(super) struct Past {
    /// Where it comes from and its id there, such as `zendesk-4711`.
    pub(super) id: String,
    pub(super) said: Vec<Said>,
    pub(super) team: Option<String>,
    /// Id of the team there, where its name is not known.
    pub(super) team_id: Option<String>,
    /// Whether a person or a team was given it.
    pub(super) handed_over: bool,
    /// Whether it waits for people, whatever bots have said.
    pub(super) waits_for_people: bool,
    /// Times that could not be read.
    pub(super) n_unread_times: usize,
    pub(super) rating: Option<Value>,
    pub(super) n_reopened: Option<u64>,
    pub(super) channel: Option<String>,
    pub(super) locale: Option<String>,
    pub(super) page: Option<String>,
    pub(super) tags: Vec<String>,
    pub(super) customers: Vec<String>,
    pub(super) teammates: Vec<String>,
}

/// Something that was said for the customer to read, or by them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) by: Author,
    pub(super) text: String,
    pub(super) at: Option<Timestamp>,
}

/// Returns the object below `path`, an empty one where there is none.
pub(super) fn below<'a>(value: &'a Value, path: &[&str]) -> &'a Value {
    path.iter().fold(value, |value, name| value.get(name).unwrap_or(&Value::Null))
}

/// Returns a text that is not empty.
pub(super) fn text(value: &Value) -> Option<String> {
    let text = value.as_str()?.trim();
    (!text.is_empty()).then(|| text.to_string())
}

/// Returns an id, which programs write as a number or as a text.
pub(super) fn id(fields: &Map<String, Value>) -> Result<String, Fault> {
    let mend = "give the record the id that it has there";
    match fields.get("id") {
        Some(Value::Number(number)) => Ok(number.to_string()),
        Some(Value::String(id)) if !id.trim().is_empty() => Ok(id.trim().to_string()),
        None => Err(Fault::new("id", "is missing", mend)),
        Some(other) => Err(Fault::new("id", format!("is {}", kind(other)), mend)),
    }
}

/// Returns a list that has to be there.
pub(super) fn list<'a>(value: &'a Value, field: &str, mend: &str) -> Result<&'a [Value], Fault> {
    match value {
        Value::Array(list) => Ok(list),
        Value::Null => Err(Fault::new(field, "is missing", mend)),
        other => Err(Fault::wrong_kind(field, other, mend)),
    }
}

/// Returns a time, written as seconds since 1970 or as [`moment`] reads it.
pub(super) fn time(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Number(seconds) => Timestamp::from_second(seconds.as_i64()?).ok(),
        Value::String(text) => moment(text),
        _ => None,
    }
}

/// Returns a time that is written as in RFC 3339, with a space or a `T`; one without an offset is
/// taken to be UTC. A day alone is no time: it tells nothing of opening hours.
pub(super) fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    let text = text.strip_suffix("UTC").unwrap_or(text).trim_end();
    let civil: civil::DateTime = text.parse().ok().filter(|_| text.contains(':'))?;
    TimeZone::UTC.to_timestamp(civil).ok()
}

/// Puts a list into the order of its times; where some have none, one that runs backwards is turned
/// round.
pub(super) fn by_time<T>(list: &mut [T], at: impl Fn(&T) -> Option<Timestamp>) {
    let mut known = list.iter().filter_map(&at);
    // Before sorting, as of those alike the later stand first there, too.
    if known.next().zip(known.next_back()).is_some_and(|(first, last)| first > last) {
        list.reverse();
    }
    if list.iter().all(|one| at(one).is_some()) {
        list.sort_by_key(at);
    }
}

/// Returns an id that is given, which programs write as a number or as a text; 0 is none.
pub(super) fn given(value: &Value) -> Option<String> {
    let id = match value {
        Value::Number(number) => number.to_string(),
        other => text(other)?,
    };
    (id != "0").then_some(id)
}

/// Returns the names of a list of texts, or of objects that have a name.
pub(super) fn names(value: &Value) -> Vec<String> {
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(|one| text(one).or_else(|| text(one.get("name")?))).collect()
}

/// Makes a short name of a team's, as `routing.toml` has them: `Billing & Tax` is `billing-tax`.
pub(super) fn slug(name: &str) -> String {
    let parts = name.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("-").to_lowercase()
}

/// Returns the words of HTML; text without a tag or an entity stays as it is.
pub(super) fn plain(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        rest = if from.starts_with('<') { tag(from, &mut text) } else { entity(from, &mut text) };
    }
    text.push_str(rest);
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let mut joined = lines.join("\n");
    while joined.contains("\n\n\n") {
        joined = joined.replace("\n\n\n", "\n\n");
    }
    joined.trim().to_string()
}

/// Reads over a tag, and returns what is behind it. A `<` that opens none is a sign like others.
fn tag<'a>(from: &'a str, text: &mut String) -> &'a str {
    let opens = from.get(1..).is_some_and(|name| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!')
    });
    let end = from.find('>').filter(|_| opens);
    let Some(end) = end else {
        text.push('<');
        return from.get(1..).unwrap_or_default();
    };
    let name = from.get(1..end).unwrap_or_default().trim_start_matches('/');
    let name = name.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    if ["br", "p", "div", "li", "tr", "h1", "h2", "h3", "ul", "ol"]
        .contains(&name.to_ascii_lowercase().as_str())
    {
        text.push('\n');
    }
    from.get(end + 1..).unwrap_or_default()
}

fn entity<'a>(from: &'a str, text: &mut String) -> &'a str {
    let known = [
        ("&amp;", "&"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&nbsp;", " "),
    ];
    for (written, meant) in known {
        if let Some(rest) = from.strip_prefix(written) {
            text.push_str(meant);
            return rest;
        }
    }
    text.push('&');
    from.get(1..).unwrap_or_default()
}

/// Returns a mail without what it quotes of earlier ones. What is written below a quotation, or
/// between its lines, stays where those lines are marked.
pub(super) fn unquoted(mail: &str) -> String {
    let is_head = |line: &str| {
        (line.starts_with("On ") && line.ends_with("wrote:"))
            || (line.starts_with("Am ") && line.ends_with("schrieb:"))
            || (line.starts_with("Le ") && line.ends_with("écrit :"))
    };
    let is_end =
        |line: &str| line.starts_with("-----Original Message-----") || line.starts_with("##- ");
    let mut kept = Vec::new();
    let mut lines = mail.lines().map(str::trim_end).peekable();
    while let Some(line) = lines.next() {
        let bare = line.trim_start();
        if is_end(bare) {
            break;
        }
        if is_head(bare) {
            while lines.next_if(|line| line.is_empty()).is_some() {}
            if !lines.peek().is_some_and(|line| line.trim_start().starts_with('>')) {
                break;
            }
        } else if !bare.starts_with('>') {
            kept.push(line);
        }
    }
    kept.join("\n").trim().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mails_keep_what_is_written_below_a_quotation() {
        let check = |mail: &str, expected: &str| assert_eq!(unquoted(mail), expected, "{mail}");
        check("Yes.\n\nOn Monday Lena wrote:\n> Is it blue?\n> Or red?", "Yes.");
        check(
            "On Monday Lena wrote:\n\n> Is it blue?\n\nYes, it is.\n> Or red?\nNo.",
            "Yes, it is.\nNo.",
        );
        check("Yes.\nAm 3. Mai schrieb:\nIst es blau?", "Yes.");
        check("Yes.\n-----Original Message-----\nIs it blue?", "Yes.");
    }

    #[test]
    fn times_without_an_offset_are_utc_and_days_alone_are_none() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(moment(text).map(|at| at.to_string()).as_deref(), expected, "{text}");
        };
        check("2026-01-31T09:30:00Z", Some("2026-01-31T09:30:00Z"));
        check("2026-01-31 09:30:00+01:00", Some("2026-01-31T08:30:00Z"));
        check("2026-01-31 09:30", Some("2026-01-31T09:30:00Z"));
        check(" 2026-01-31 09:30:15 UTC", Some("2026-01-31T09:30:15Z"));
        check("2026-01-31", None);
        check("31/01/26 9:30", None);
    }
}

//! Cases as lines: of conversations, and of cases that are cases already; with personal data taken
//! out.

use super::{
    digest,
    past::{Past, Said},
    turns::Turn,
};
use crate::redact::{Kind, Names, Redactor};
use router::Author;
use serde_json::{Map, Value, json};

/// Where texts are names of ours, ids or times: the names of the fields, lists apart.
const OURS: [&[&str]; 24] = [
    &["id"],
    &["split"],
    &["at"],
    &["locale"],
    &["channel"],
    &["messages", "author"],
    &["messages", "by"],
    &["after", "author"],
    &["after", "by"],
    &["expect", "act"],
    &["expect", "articles"],
    &["expect", "team"],
    &["expect", "topic"],
    &["expect", "route"],
    &["meta", "source"],
    &["meta", "sources"],
    &["meta", "conversation"],
    &["meta", "team"],
    &["meta", "teams"],
    &["meta", "assignee"],
    &["meta", "assignees"],
    &["meta", "answered_by"],
    &["meta", "created_at"],
    &["meta", "updated_at"],
];

/// What long ids, times and versions are mistaken for.
const NUMBERS: [Kind; 5] = [Kind::Phone, Kind::Card, Kind::Iban, Kind::Ip, Kind::Id];

/// Makes lines.
pub(super) struct Lines {
    /// Takes personal data out; None: they stay.
    pub(super) redactor: Option<Redactor>,
}

impl Lines {
    /// Makes the line of a turn.
    pub(super) fn of_turn(&self, past: &Past, turn: &Turn) -> Value {
        let names = match &self.redactor {
            Some(_) => Names::new(&past.customers, &past.teammates),
            None => Names::default(),
        };
        let clean = |text: &str| self.clean(text, &names);
        let message = |said: &Said| json!({"author": author(said.by), "text": clean(&said.text)});
        let asked = past.said.get(..turn.end).unwrap_or_default();
        let answered = past.said.get(turn.end..turn.until).unwrap_or_default();
        let act = if turn.is_peoples { "handoff" } else { "answer" };
        let mut answered_by: Vec<&str> = answered.iter().map(|said| author(said.by)).collect();
        answered_by.dedup();
        let id = self.id(&past.id, &names);
        let (source, conversation) = id.split_once('-').unwrap_or(("", &id));
        let mut line = json!({
            "id": format!("{id}#{}", turn.number),
            "messages": asked.iter().filter(|said| !said.text.trim().is_empty()).map(message).collect::<Vec<_>>(),
            "expect": {"act": act, "judged": false, "articles": [],
                       "answer": turn.answer.as_deref().map(clean)},
            "tags": past.tags.iter().map(|tag| clean(tag)).collect::<Vec<_>>(),
            "after": answered.iter().map(message).collect::<Vec<_>>(),
            "meta": {
                "source": source,
                "conversation": conversation,
                "turn": turn.number,
                "answered_by": answered_by,
                "handed_over": past.handed_over,
                "reopened": past.n_reopened,
                "rating": past.rating.clone().map(|rating| self.all(rating, &names, &["meta", "rating"])),
            },
        });
        if let Some(team) = &past.team {
            line["expect"]["team"] = json!(team);
        }
        let at = asked.iter().rev().find_map(|said| said.at).map(|at| at.to_string());
        let known = [
            ("at", at),
            ("channel", past.channel.clone()),
            ("locale", past.locale.clone()),
            ("page", past.page.as_deref().map(clean)),
        ];
        for (name, value) in known {
            if let Some(value) = value {
                line[name] = json!(value);
            }
        }
        line
    }

    /// Makes the line of a case, as it was but for what its texts tell of people. An id that tells
    /// of one gives way to a `number` of its own.
    pub(super) fn of_case(&self, fields: Map<String, Value>, number: usize) -> Value {
        let Some(redactor) = &self.redactor else { return Value::Object(fields) };
        let names = Names::new(&known_names(&fields), &[]);
        let mut line = self.all(Value::Object(fields), &names, &[]);
        let id = line["id"].as_str().unwrap_or_default();
        if tells_of_people(redactor, id, &names) {
            line["id"] = json!(format!("{}-{number}", redactor.redact(id, &names)));
        }
        line
    }

    /// Takes personal data out of every text of a value but those that are names of our own; `path`
    /// are the names of the fields around it.
    fn all(&self, value: Value, names: &Names, path: &[&str]) -> Value {
        let Some(redactor) = &self.redactor else { return value };
        match value {
            Value::String(text) => {
                let is_ours = OURS.iter().any(|ours| path.starts_with(ours));
                if is_ours && (path == ["id"] || !tells_of_people(redactor, &text, names)) {
                    return Value::String(text);
                }
                Value::String(redactor.redact(&text, names))
            }
            Value::Array(list) => list.into_iter().map(|one| self.all(one, names, path)).collect(),
            Value::Object(fields) => {
                let mut cleaned = Map::new();
                for (name, value) in fields {
                    let inner: Vec<&str> = path.iter().copied().chain([name.as_str()]).collect();
                    let value = self.all(value, names, &inner);
                    cleaned.insert(name, value);
                }
                Value::Object(cleaned)
            }
            other => other,
        }
    }

    /// Returns the name of a conversation; one that tells of people gives way to a digest, alike for
    /// all turns of it. Tables may have an address there.
    fn id(&self, id: &str, names: &Names) -> String {
        let Some(redactor) = &self.redactor else { return id.to_string() };
        let (source, name) = id.split_once('-').unwrap_or(("", id));
        if !tells_of_people(redactor, name, names) {
            return id.to_string();
        }
        let digest: String = digest(&[name]).iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{source}-{digest}")
    }

    fn clean(&self, text: &str, names: &Names) -> String {
        match &self.redactor {
            Some(redactor) => redactor.redact(text, names),
            None => text.to_string(),
        }
    }
}

/// Whether what should be a name of ours or an id holds personal data; that it looks like a number
/// of somebody's says nothing.
fn tells_of_people(redactor: &Redactor, text: &str, names: &Names) -> bool {
    redactor.find(text, names).iter().any(|taken| !NUMBERS.contains(&taken.kind))
}

/// Returns the names that a case gives its customer.
fn known_names(fields: &Map<String, Value>) -> Vec<String> {
    let customer = fields.get("customer").and_then(Value::as_object);
    let named = ["name", "full_name", "first_name", "last_name"];
    let names = named.iter().filter_map(|name| customer?.get(*name)?.as_str());
    names.map(str::to_string).collect()
}

fn author(by: Author) -> &'static str {
    match by {
        Author::Customer => "customer",
        Author::Bot => "bot",
        Author::Teammate => "teammate",
    }
}

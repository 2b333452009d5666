//! Cases as lines: of conversations, and of cases that are cases already; with personal data taken
//! out.

use super::{
    past::{Past, Said},
    turns::Turn,
};
use crate::redact::{Names, Redactor};
use router::Author;
use serde_json::{Map, Value, json};

/// Fields whose texts are names of ours, or ids.
const OURS: [&str; 11] = [
    "act",
    "articles",
    "assignee",
    "author",
    "by",
    "conversation",
    "route",
    "source",
    "team",
    "teams",
    "topic",
];

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
        // What a bot settled was answered; where a team has it and nobody has said anything, it was
        // handed over.
        let act = if answered.is_empty() { "handoff" } else { "answer" };
        let mut answered_by: Vec<&str> = answered.iter().map(|said| author(said.by)).collect();
        answered_by.dedup();
        let (source, conversation) = past.id.split_once('-').unwrap_or(("", &past.id));
        let mut line = json!({
            "id": format!("{}#{}", past.id, turn.number),
            "messages": asked.iter().filter(|said| !said.text.trim().is_empty()).map(message).collect::<Vec<_>>(),
            "expect": {"act": act, "articles": [], "answer": turn.answer.as_deref().map(clean)},
            "tags": past.tags.iter().map(|tag| clean(tag)).collect::<Vec<_>>(),
            "after": answered.iter().map(message).collect::<Vec<_>>(),
            "meta": {
                "source": source,
                "conversation": conversation,
                "turn": turn.number,
                "answered_by": answered_by,
                "handed_over": past.handed_over,
                "reopened": past.n_reopened,
                "rating": past.rating.clone().map(|rating| self.all(rating, &names)),
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

    /// Makes the line of a case, as it was but for what its texts tell of people.
    pub(super) fn of_case(&self, fields: Map<String, Value>) -> Value {
        let names = Names::default();
        let is_text = |name: &str| {
            matches!(name, "messages" | "after" | "expect" | "page" | "customer" | "meta" | "tags")
        };
        let clean = |(name, value): (String, Value)| match is_text(&name) {
            true => (name, self.all(value, &names)),
            false => (name, value),
        };
        Value::Object(fields.into_iter().map(clean).collect())
    }

    /// Takes personal data out of every text of a value but those that are names of our own.
    fn all(&self, value: Value, names: &Names) -> Value {
        match value {
            Value::String(text) => Value::String(self.clean(&text, names)),
            Value::Array(list) => list.into_iter().map(|one| self.all(one, names)).collect(),
            Value::Object(fields) => {
                let is_ours = |name: &str| OURS.contains(&name) || name.ends_with("_at");
                let clean = |(name, value): (String, Value)| match is_ours(&name) {
                    true => (name, value),
                    false => (name, self.all(value, names)),
                };
                Value::Object(fields.into_iter().map(clean).collect())
            }
            other => other,
        }
    }

    fn clean(&self, text: &str, names: &Names) -> String {
        match &self.redactor {
            Some(redactor) => redactor.redact(text, names),
            None => text.to_string(),
        }
    }
}

fn author(by: Author) -> &'static str {
    match by {
        Author::Customer => "customer",
        Author::Bot => "bot",
        Author::Teammate => "teammate",
    }
}

use super::{
    decision::{DecisionView, SourceView, plain},
    moment::Moment,
    people::People,
};
use crate::markdown;
use jiff::Timestamp;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use store::{Content, Decided, Entry, Source};

/// One line of a conversation's timeline as pages show it.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) number: i64,
    /// `customer`, `bot`, `teammate`, `note` or `event`.
    pub(super) kind: &'static str,
    pub(super) who: String,
    pub(super) at: Moment,
    /// What is shown as it is written; otherwise there is `html`.
    pub(super) text: String,
    /// What the customer wrote beside a rating.
    pub(super) comment: Option<String>,
    /// What was made of Markdown, safe to show.
    pub(super) html: Option<String>,
    pub(super) sources: Vec<SourceView>,
    pub(super) buttons: Vec<String>,
    /// The decision behind it, where the bot answered.
    pub(super) decision: Option<DecisionView>,
    /// The episode that begins with it, from the second on.
    pub(super) episode: Option<u32>,
}

/// What lines are made with.
pub(super) struct Looking<'a> {
    pub(super) people: &'a People,
    pub(super) customer: &'a str,
    pub(super) decisions: &'a [Decided],
    /// What the customer wrote beside the rating of an episode.
    pub(super) comments: &'a BTreeMap<u32, String>,
    pub(super) now: Timestamp,
}

/// Makes lines of entries.
pub(super) fn lines(entries: &[Entry], with: &Looking<'_>) -> Vec<Line> {
    let mut episode = entries.first().map_or(1, |entry| entry.episode);
    let line = |entry: &Entry| {
        let begins = (entry.episode != episode).then_some(entry.episode);
        episode = entry.episode;
        Line { episode: begins, ..line(entry, with) }
    };
    entries.iter().map(line).collect()
}

fn line(entry: &Entry, with: &Looking<'_>) -> Line {
    let blank = Line {
        number: entry.number,
        kind: "event",
        who: String::new(),
        at: Moment::new(entry.at, with.now),
        text: String::new(),
        comment: None,
        html: None,
        sources: Vec::new(),
        buttons: Vec::new(),
        decision: None,
        episode: None,
    };
    match &entry.content {
        Content::Customer { text, .. } => {
            Line { kind: "customer", who: with.customer.to_string(), text: text.clone(), ..blank }
        }
        Content::Bot { text, sources, buttons, decision } => Line {
            kind: "bot",
            who: "Bot".into(),
            html: Some(markdown::html(text)),
            sources: each_once(sources),
            buttons: buttons.clone(),
            decision: decision.and_then(|id| {
                let found = with.decisions.iter().find(|decided| decided.id == id)?;
                // Words of a handoff rest on no draft, so there is nothing to judge.
                let answered = found.decided.act == "reply" && found.decided.draft.is_some();
                answered.then(|| DecisionView::new(found, with.people, with.now))
            }),
            ..blank
        },
        Content::Teammate { teammate, text } => Line {
            kind: "teammate",
            who: with.people.name(teammate),
            html: Some(markdown::html(text)),
            ..blank
        },
        Content::Note { by, text } => Line {
            kind: "note",
            who: with.people.actor(by),
            html: Some(markdown::html(text)),
            ..blank
        },
        Content::Event { by, what, detail } => Line {
            text: happened(&with.people.actor(by), what, detail, with.people),
            comment: with.comments.get(&entry.episode).filter(|_| what == "rated").cloned(),
            ..blank
        },
    }
}

fn each_once(sources: &[Source]) -> Vec<SourceView> {
    let mut seen: Vec<&str> = Vec::new();
    let mut kept = Vec::new();
    for source in sources {
        if !seen.contains(&source.article.as_str()) {
            seen.push(&source.article);
            kept.push(SourceView::from(source));
        }
    }
    kept
}

/// Says what happened.
fn happened(who: &str, what: &str, detail: &Json, people: &People) -> String {
    let text = |key: &str| detail.get(key).map(plain).unwrap_or_default();
    let named = |key: &str| people.any(&text(key));
    match what {
        "handed_off" => format!("{who} handed over to {}", named("team")),
        "assigned" if named("teammate") == who => format!("{who} took it"),
        "assigned" => format!("{who} assigned it to {}", named("teammate")),
        "handed_back" => format!("{who} gave it back to the bot"),
        "snoozed" => format!("{who} snoozed it until {}", minute(&text("until"))),
        "woken" => "Its rest is over".into(),
        "closed" => format!("{who} closed it"),
        "reopened" => format!("{who} reopened it"),
        "tagged" => format!("{who} tagged it {}", text("tags")),
        "untagged" => format!("{who} removed the tag {}", text("tags")),
        "prioritised" => format!("{who} set the priority to {}", text("priority")),
        "described" => format!("{who} set {}", text("attribute")),
        "rated" => format!("{who} rated it {} of 5", text("stars")),
        "sla_due" => format!("The {} is overdue", text("promise").replace('_', " ")),
        "escalated" => match rules(detail).as_slice() {
            [] => "It waited too long".into(),
            rules => format!("It waited too long: {}", rules.join(", ")),
        },
        "left_with_teammate" => {
            format!(
                "It stays with whom a person chose, although it was due to go to {}",
                named("team")
            )
        }
        "signed_in" => format!("{who} signed in; what stands above was written before that"),
        other => format!("{who}: {}", other.replace('_', " ")),
    }
}

/// Names the rules for which something happened: one as `rule`, or several as `rules`.
fn rules(detail: &Json) -> Vec<&str> {
    let several = detail.get("rules").and_then(Json::as_array).into_iter().flatten();
    several.chain(detail.get("rule")).filter_map(Json::as_str).collect()
}

/// Leaves the seconds of a time away.
fn minute(time: &str) -> String {
    let parsed: Result<Timestamp, _> = time.parse();
    parsed.map_or_else(|_| time.to_string(), |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_the_office_notes_is_told_in_words() {
        let people = People::nobody();
        let check = |what: &str, detail: Json, expected: &str| {
            assert_eq!(happened("Frontdesk", what, &detail, &people), expected);
        };
        check("sla_due", json!({"promise": "first_reply"}), "The first reply is overdue");
        check("escalated", json!({"rule": "angry"}), "It waited too long: angry");
        check("escalated", json!({"rules": ["a", "b"]}), "It waited too long: a, b");
        check("escalated", json!({"rule": null}), "It waited too long");
        check(
            "left_with_teammate",
            json!({"team": "billing"}),
            "It stays with whom a person chose, although it was due to go to billing",
        );
        check("woken", json!({}), "Its rest is over");
        check(
            "signed_in",
            Json::Null,
            "Frontdesk signed in; what stands above was written before that",
        );
        check("something_new", json!({}), "Frontdesk: something new");
    }
}

//! What other systems of the company are told of, and how they can trust it.
//!
//! [`change_posts`] writes what a change of a conversation means to the desk's webhooks;
//! [`event_posts`] and [`rule_post`] write single posts. `delivery.rs` sends them: `address.rs`
//! keeps them from going where they should not, `signature.rs` proves where they come from.

mod address;
mod delivery;
mod signature;

pub use delivery::{WebhookParts, Webhooks};

use crate::Playbook;
use router::{Owner, Slug, Status};
use serde_json::{Map, Value as Json, json};
use store::{Change, Content, NewPost, OutcomeKind, Record};

/// Names of the events that a webhook can ask for.
pub const WEBHOOK_EVENTS: [&str; 12] = [
    "conversation.opened",
    "message.created",
    "decision.made",
    "conversation.handed_off",
    "conversation.assigned",
    "conversation.handed_back",
    "conversation.snoozed",
    "conversation.closed",
    "conversation.reopened",
    "conversation.tagged",
    "conversation.rated",
    "sla.due",
];

/// Makes the posts that tell the desk's webhooks of events, each webhook of those that it asks for.
/// `record` is the conversation as it stands after them; an event is its name, of
/// [`WEBHOOK_EVENTS`], and its circumstances.
pub fn event_posts(playbook: &Playbook, record: &Record, events: &[(&str, Json)]) -> Vec<NewPost> {
    let conversation = conversation(record);
    let mut posts = Vec::new();
    for (name, data) in events {
        let subscribed = |events: &[String]| events.iter().any(|event| event == name);
        for webhook in playbook.webhooks.iter().filter(|webhook| subscribed(&webhook.events)) {
            posts.push(post(&webhook.slug, name, &conversation, data));
        }
    }
    posts
}

/// Makes the posts that tell the desk's webhooks of a change: its entries, its decision and the
/// rating among its outcomes. To be called inside [`store::Store::change`] or
/// [`store::Store::receive`] when everything else is in the change and `record` is as it will be,
/// except for its `n_entries`, which the store counts afterwards.
pub fn change_posts(playbook: &Playbook, record: &Record, change: &Change) -> Vec<NewPost> {
    if playbook.webhooks.iter().all(|webhook| webhook.events.is_empty()) {
        return Vec::new();
    }
    let mut events = Vec::new();
    if record.n_entries == 0 && !change.entries.is_empty() {
        events.push(("conversation.opened", json!({ "page": record.page })));
    }
    if let Some(decision) = &change.decision {
        let data = json!({
            "decision": decision.id.to_string(), "act": decision.act, "team": decision.team,
            "topic": decision.topic, "confidence": decision.confidence, "reasons": decision.reasons,
        });
        events.push(("decision.made", data));
    }
    for (content, number) in change.entries.iter().map(|(_, content)| content).zip(1..) {
        events.extend(entry_event(content, record.n_entries + number));
    }
    for outcome in &change.outcomes {
        if let OutcomeKind::Rated(stars) = outcome.kind {
            let data = json!({ "stars": stars, "comment": outcome.comment });
            events.push(("conversation.rated", data));
        }
    }
    event_posts(playbook, record, &events)
}

/// Makes the post of a rule that calls a webhook; `data` says which rule and why.
pub fn rule_post(webhook: &Slug, record: &Record, data: &Json) -> NewPost {
    post(webhook, "rule", &conversation(record), data)
}

fn post(webhook: &Slug, kind: &str, conversation: &Json, data: &Json) -> NewPost {
    NewPost {
        destination: format!("webhook:{webhook}"),
        kind: kind.to_string(),
        body: json!({ "conversation": conversation, "data": data }),
    }
}

/// Says what an entry is to a webhook. Notes stay in the house.
fn entry_event(content: &Content, number: i64) -> Option<(&'static str, Json)> {
    let written = |data: Json| Some(("message.created", data));
    match content {
        Content::Customer { text, client_id } => written(json!({
            "number": number, "author": "customer", "text": text, "client_id": client_id,
        })),
        Content::Bot { text, sources, buttons, decision } => written(json!({
            "number": number, "author": "bot", "text": text, "sources": sources,
            "buttons": buttons, "decision": decision.map(|id| id.to_string()),
        })),
        Content::Teammate { teammate, text } => written(json!({
            "number": number, "author": "teammate", "teammate": teammate, "text": text,
        })),
        Content::Note { .. } => None,
        // Told from the outcome, which has the comment too.
        Content::Event { what, .. } if what == "rated" => None,
        Content::Event { by, what, detail } => {
            let named = |event: &&str| {
                event.strip_prefix("conversation.") == Some(what)
                    || event.replace('.', "_") == *what
            };
            let event = WEBHOOK_EVENTS.into_iter().find(named)?;
            let mut data = match detail {
                Json::Object(detail) => detail.clone(),
                Json::Null => Map::new(),
                other => Map::from_iter([("detail".to_string(), other.clone())]),
            };
            data.insert("number".into(), json!(number));
            data.insert("by".into(), json!(by.to_string()));
            Some((event, Json::Object(data)))
        }
    }
}

/// Tells of a conversation as webhooks read it: where it stands, without its messages.
fn conversation(record: &Record) -> Json {
    let status = match record.state.status() {
        Status::Open => "open",
        Status::Snoozed => "snoozed",
        Status::Closed => "closed",
    };
    let owner = match record.state.owner() {
        Owner::Bot => json!({ "kind": "bot" }),
        Owner::Team(team) => json!({ "kind": "team", "team": team }),
        Owner::Teammate { team, teammate, .. } => {
            json!({ "kind": "teammate", "team": team, "teammate": teammate })
        }
    };
    json!({
        "id": record.id.to_string(), "channel": record.channel,
        "external_id": record.external_id, "customer": record.customer.to_string(),
        "status": status, "owner": owner, "episode": record.state.episode().number,
        "priority": record.priority.name(), "sla": record.sla, "tags": record.tags,
        "attributes": record.attributes, "topic": record.topic, "language": record.language,
        "page": record.page, "created_at": record.created_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use router::Event;
    use store::{Actor, Id, NewDecision, Outcome};

    fn playbook(events: &str) -> Playbook {
        let text = format!(
            "fallback_team = \"a\"\n[[team]]\nslug = \"a\"\nname = \"A\"\n\
             [[webhook]]\nslug = \"crm\"\nurl = \"https://crm.example\"\nevents = [{events}]\n\
             [[webhook]]\nslug = \"pager\"\nurl = \"https://pager.example\"\n"
        );
        let answers = Config::load(None, std::iter::empty()).unwrap().answers;
        crate::read_playbook(std::path::Path::new("routing.toml"), &text, &answers).unwrap()
    }

    fn record() -> Record {
        let now = "2026-11-22T10:00:00Z".parse().unwrap();
        let mut record = Record::new("web", Id::new(now), now);
        record.state.apply(&Event::CustomerWrote).unwrap();
        record
    }

    fn change(contents: Vec<Content>) -> Change {
        let now = "2026-11-22T10:00:00Z".parse().unwrap();
        let entries = contents.into_iter().map(|content| (Id::new(now), content));
        Change { entries: entries.collect(), ..Change::default() }
    }

    fn check(events: &str, record: &Record, change: &Change, expected: &[&str]) {
        let posts = change_posts(&playbook(events), record, change);
        let told: Vec<String> = posts
            .iter()
            .map(|post| format!("{} {} {}", post.destination, post.kind, post.body["data"]))
            .collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn a_webhook_is_told_of_what_it_asks_for() {
        let said = Content::Customer { text: "Where is it?".into(), client_id: None };
        let opened = change(vec![said]);
        let message = "webhook:crm message.created {\"author\":\"customer\",\"client_id\":null,\
                       \"number\":1,\"text\":\"Where is it?\"}";
        let both = ["webhook:crm conversation.opened {\"page\":null}", message];
        check("", &record(), &opened, &[]);
        check("'message.created'", &record(), &opened, &both[1..]);
        check("'message.created', 'conversation.opened'", &record(), &opened, &both);
        let later = Record { n_entries: 4, ..record() };
        let message = message.replace("\"number\":1", "\"number\":5");
        check("'message.created', 'conversation.opened'", &later, &opened, &[&message]);
    }

    #[test]
    fn events_of_the_timeline_decisions_and_ratings_are_told_and_notes_are_not() {
        let by = Actor::Bot;
        let event =
            |what: &str, detail| Content::Event { by: by.clone(), what: what.into(), detail };
        let mut change = change(vec![
            Content::Note { by: by.clone(), text: "secret".into() },
            event("handed_off", json!({ "team": "a" })),
            event("sla_due", Json::Null),
            event("unheard_of", Json::Null),
        ]);
        let now = "2026-11-22T10:00:00Z".parse().unwrap();
        let outcome = Outcome { kind: OutcomeKind::Rated(4), comment: None };
        change.outcomes = vec![outcome, Outcome { kind: OutcomeKind::HandedOff, comment: None }];
        change.decision = Some(NewDecision {
            id: Id::new(now),
            about: 1,
            act: "handoff".into(),
            team: None,
            topic: None,
            confidence: 0.5,
            draft: Some("not told".into()),
            sources: Vec::new(),
            reasons: vec!["a person was asked for".into()],
            trace: Json::Null,
            basis: None,
            took_ms: 1.0,
            silent: false,
        });
        let record = Record { n_entries: 1, ..record() };
        let decision = change.decision.as_ref().map(|decision| decision.id).unwrap();
        let made = format!(
            "webhook:crm decision.made {{\"act\":\"handoff\",\"confidence\":0.5,\"decision\":\
             \"{decision}\",\"reasons\":[\"a person was asked for\"],\"team\":null,\"topic\":null}}"
        );
        let all = WEBHOOK_EVENTS.map(|event| format!("'{event}'")).join(", ");
        check(
            &all,
            &record,
            &change,
            &[
                &made,
                "webhook:crm conversation.handed_off {\"by\":\"bot\",\"number\":3,\"team\":\"a\"}",
                "webhook:crm sla.due {\"by\":\"bot\",\"number\":4}",
                "webhook:crm conversation.rated {\"comment\":null,\"stars\":4}",
            ],
        );
    }

    #[test]
    fn a_post_tells_where_the_conversation_stands() {
        let mut record = record();
        let team = Slug::try_from("a".to_string()).unwrap();
        record.state.apply(&Event::HandedOff { team: team.clone(), by_person: false }).unwrap();
        let post = rule_post(&team, &record, &json!({ "rule": "vip" }));
        assert_eq!((post.destination.as_str(), post.kind.as_str()), ("webhook:a", "rule"));
        assert_eq!(post.body["data"], json!({ "rule": "vip" }));
        let told = &post.body["conversation"];
        assert_eq!(told["id"], json!(record.id.to_string()));
        assert_eq!(told["owner"], json!({ "kind": "team", "team": "a" }));
        assert_eq!((&told["status"], &told["episode"]), (&json!("open"), &json!(1)));
        assert_eq!(told["created_at"], json!("2026-11-22T10:00:00Z"));
    }
}

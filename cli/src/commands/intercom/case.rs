//! A conversation of the past as a case for evals.

use evals::redact::{Names, Redactor};
use intercom::{
    Directory,
    export::{By, Past, Said},
    wire::Private,
};
use serde_json::{Map, Value, json};

/// Makes cases of conversations.
pub(super) struct Cases {
    /// What the desk calls the teams there.
    pub(super) directory: Directory,
    /// Takes personal data out; None: they stay.
    pub(super) redactor: Option<Redactor>,
}

impl Cases {
    /// Makes the line of a conversation, as `evals::read_cases` reads it; what else is known of it
    /// stands in `after` (what was said then) and `meta`.
    pub(super) fn line(&self, past: &Past) -> Value {
        let names = self.names(past);
        let text = |text: &str| self.clean(text, &names);
        let message = |said: &Said| {
            let (author, by) = author(said.by);
            json!({"author": author, "by": by, "text": text(&said.text)})
        };
        let conversation = &past.conversation;
        let team = past.team.as_ref().and_then(|id| self.directory.team_here(id));
        let handed_off = past.was_handed_off();
        let mut expect = json!({
            "act": if handed_off { "handoff" } else { "answer" },
            "articles": [],
            "answer": past.answer().map(|answer| text(&answer)),
        });
        if let Some(team) = team.filter(|_| handed_off) {
            expect["team"] = json!(team.as_str());
            expect["route"] = json!({"team": team.as_str()});
        }
        let source = conversation.source.as_ref();
        let is_email = source.is_some_and(|source| source.is_email());
        let last = past.asked.iter().rev().find_map(|said| said.at);
        let mut line = json!({
            "id": format!("intercom-{}", conversation.id),
            "messages": past.asked.iter().map(message).collect::<Vec<_>>(),
            "expect": expect,
            "tags": tags(past),
            "channel": if is_email { "intercom-email" } else { "intercom" },
            "after": past.answered.iter().map(message).collect::<Vec<_>>(),
            "meta": self.meta(past, &names),
        });
        let page = source.and_then(|source| source.url.as_ref()).map(|url| text(url.as_str()));
        let at = last.or(conversation.created_at).map(|at| at.to_string());
        for (name, value) in [("page", page), ("at", at), ("locale", language(past))] {
            if let Some(value) = value {
                line[name] = json!(value);
            }
        }
        line
    }

    fn names(&self, past: &Past) -> Names {
        if self.redactor.is_none() {
            return Names::default();
        }
        let all = |names: &std::collections::BTreeSet<String>| -> Vec<String> {
            names.iter().cloned().collect()
        };
        Names::new(&all(&past.customers), &all(&past.teammates))
    }

    fn clean(&self, text: &str, names: &Names) -> String {
        match &self.redactor {
            Some(redactor) => redactor.redact(text, names),
            None => text.to_string(),
        }
    }

    fn meta(&self, past: &Past, names: &Names) -> Value {
        let conversation = &past.conversation;
        let id = |id: &Option<intercom::wire::ExternalId>| id.as_ref().map(ToString::to_string);
        let answered_by: Vec<&str> =
            past.answered_by().into_iter().map(|by| author(by).1).collect();
        let rating = conversation.rating.as_ref().and_then(|rating| {
            let remark = rating.remark.as_ref().map(Private::as_str);
            let remark = remark.map(|remark| self.clean(remark, names));
            rating.rating.map(|stars| json!({"stars": stars, "remark": remark}))
        });
        let ai = conversation.ai_agent.as_ref();
        let teams: Vec<String> = past.teams.iter().map(ToString::to_string).collect();
        json!({
            "source": "intercom",
            "conversation": conversation.id.to_string(),
            "came_as": conversation.source.as_ref().map(|source| source.kind.clone()),
            "created_at": conversation.created_at.map(|at| at.to_string()),
            "updated_at": conversation.updated_at.map(|at| at.to_string()),
            "team": id(&past.team),
            "teams": teams,
            "assignee": id(&conversation.admin_assignee_id),
            "answered_by": answered_by,
            "handed_off": past.was_handed_off(),
            "reopened": past.n_reopened,
            "rating": rating,
            "ai_participated": conversation.ai_agent_participated,
            "ai_resolution": ai.and_then(|ai| ai.resolution_state.clone()),
            "ai_rating": ai.and_then(|ai| ai.rating),
            "cut_off": conversation.parts.total_count.is_some_and(|all| {
                usize::try_from(all).is_ok_and(|all| all > conversation.parts.parts.len())
            }),
        })
    }
}

/// Returns who a case says it was, and who exactly.
fn author(by: By) -> (&'static str, &'static str) {
    match by {
        By::Customer => ("customer", "customer"),
        By::Frontdesk => ("bot", "frontdesk"),
        By::Fin => ("bot", "fin"),
        By::Bot => ("bot", "bot"),
        By::Teammate => ("teammate", "teammate"),
    }
}

fn tags(past: &Past) -> Vec<&str> {
    let tags = past.conversation.tags.iter().map(|tag| tag.name.as_str());
    tags.filter(|tag| !tag.trim().is_empty()).collect()
}

/// Returns the language, where the workspace keeps it as an attribute of conversations.
fn language(past: &Past) -> Option<String> {
    let attributes: Map<String, Value> =
        past.conversation.custom_attributes.reveal().clone().into_iter().collect();
    let known = ["Language", "language", "locale"];
    let written = known.iter().find_map(|name| attributes.get(*name)?.as_str())?;
    let code = written.split(['-', '_']).next().unwrap_or_default();
    let lawful = matches!(code.len(), 2 | 3) && code.bytes().all(|byte| byte.is_ascii_alphabetic());
    lawful.then(|| written.replace('_', "-"))
}

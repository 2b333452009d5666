//! A conversation of the past as a case for evals.

use evals::redact::{Names, Redactor};
use intercom::{
    Directory,
    export::{By, Past, Said},
    wire::{ExternalId, Private, Rating},
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Makes cases of conversations.
pub(super) struct Cases {
    /// What the desk calls the teams there.
    pub(super) directory: Directory,
    /// Takes personal data out; None: they stay.
    pub(super) redactor: Option<Redactor>,
    /// Names of the workspace's teammates.
    pub(super) names: BTreeMap<ExternalId, String>,
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
        let was_answered = past.was_answered();
        let mut expect = json!({
            "act": if was_answered { "answer" } else { "handoff" },
            "judged": false,
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
            "tags": tags(past).into_iter().map(text).collect::<Vec<_>>(),
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
        let customers: Vec<String> = past.customers.iter().cloned().collect();
        let conversation = &past.conversation;
        let rated = conversation.rating.as_ref().and_then(|rating| rating.teammate.as_ref());
        let ids = past.assignees.iter().chain(&conversation.admin_assignee_id);
        let ids = ids.chain(rated.and_then(|rated| rated.id.as_ref()));
        // Whoever had it may be spoken of without having said a word.
        let named = ids.filter_map(|id| self.names.get(id)).chain(&past.teammates);
        Names::new(&customers, &named.cloned().collect::<Vec<_>>())
    }

    fn clean(&self, text: &str, names: &Names) -> String {
        match &self.redactor {
            Some(redactor) => redactor.redact(text, names),
            None => text.to_string(),
        }
    }

    fn meta(&self, past: &Past, names: &Names) -> Value {
        let conversation = &past.conversation;
        let id = |id: &Option<ExternalId>| id.as_ref().map(ToString::to_string);
        let ids =
            |ids: &[ExternalId]| -> Vec<String> { ids.iter().map(ToString::to_string).collect() };
        let answered_by: Vec<&str> =
            past.answered_by().into_iter().map(|by| author(by).1).collect();
        let rating = conversation.rating.as_ref().and_then(|rating| self.rating(rating, names));
        let ai = conversation.ai_agent.as_ref();
        json!({
            "source": "intercom",
            "conversation": conversation.id.to_string(),
            "came_as": conversation.source.as_ref().map(|source| source.kind.clone()),
            "created_at": conversation.created_at.map(|at| at.to_string()),
            "updated_at": conversation.updated_at.map(|at| at.to_string()),
            "team": id(&past.team),
            "teams": ids(&past.teams),
            "assignee": id(&conversation.admin_assignee_id),
            "assignees": ids(&past.assignees),
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

    /// Returns the stars, and whom they are for: a rating says nothing of a bot that a person had
    /// taken over from.
    fn rating(&self, rating: &Rating, names: &Names) -> Option<Value> {
        let stars = rating.rating?;
        let remark = rating.remark.as_ref().map(Private::as_str);
        let remark = remark.map(|remark| self.clean(remark, names));
        let of = rating.teammate.as_ref().and_then(|rated| match rated.id.as_ref() {
            Some(id) if id == self.directory.bot() => Some(author(By::Frontdesk).1),
            _ if rated.kind == BOT => Some(author(By::Bot).1),
            id => id.map(|_| author(By::Teammate).1),
        });
        Some(json!({"stars": stars, "remark": remark, "of": of}))
    }
}

/// What a bot's seat is called as the one who was rated.
const BOT: &str = "bot";

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

#[cfg(test)]
mod tests;

use super::{
    decision::plain,
    moment::Moment,
    page::{self, Refusal, show},
    people::People,
    session::SignedIn,
    shell::{Frame, Shell},
};
use crate::Front;
use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value as Json;
use store::{AuditEntry, Id, Page, Record, Role};

/// Lines that one page shows.
const LIMIT: u32 = 100;

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    shell: Shell,
    subject: String,
    lines: Vec<Line>,
    older: Option<String>,
}

struct Line {
    at: Moment,
    who: String,
    what: String,
    subject: String,
    /// Where the subject can be looked at.
    href: Option<String>,
    detail: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    subject: String,
    before: Option<String>,
}

/// Shows who did what, newest first.
pub(super) async fn page(
    State(front): State<Front>,
    by: SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    by.must_be(Role::Lead)?;
    let Frame { shell, people, now } = Frame::of(&front, &by, "Audit").await?;
    let subject = Some(asked.subject.trim()).filter(|subject| !subject.is_empty());
    let part = Page { before: asked.before, limit: LIMIT };
    let entries = front.office.store().audit(subject, &part).await?;
    Ok(show(&AuditPage {
        shell,
        older: page::older(&entries, LIMIT, |entry| entry.id),
        lines: entries.iter().map(|entry| line(entry, &people, now)).collect(),
        subject: asked.subject,
    }))
}

fn line(entry: &AuditEntry, people: &People, now: Timestamp) -> Line {
    let audit = &entry.audit;
    let (kind, what) = audit.action.split_once('.').unwrap_or(("", &audit.action));
    let of_one = matches!(kind, "conversation" | "decision" | "api");
    let is_conversation = of_one && audit.subject.parse::<Id<Record>>().is_ok();
    let detail = audit.detail.as_object().into_iter().flatten();
    let detail = detail.map(|(name, value): (&String, &Json)| format!("{name}: {}", plain(value)));
    Line {
        at: Moment::new(entry.at, now),
        who: people.actor(&audit.actor),
        what: format!("{kind} {}", what.replace('_', " ")).trim().to_string(),
        href: is_conversation.then(|| format!("/inbox/conversations/{}", audit.subject)),
        subject: people.any(&audit.subject),
        detail: detail.collect::<Vec<_>>().join(", "),
    }
}

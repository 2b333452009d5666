use super::{
    decision::plain,
    moment::Moment,
    page::{Refusal, show},
    people::People,
    session::SignedIn,
    shell::Shell,
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
}

/// Shows who did what, newest first.
pub(super) async fn page(
    State(front): State<Front>,
    by: SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    by.must_be(Role::Lead)?;
    let people = People::of(&front).await?;
    let subject = Some(asked.subject.trim()).filter(|subject| !subject.is_empty());
    let page = Page { before: None, limit: LIMIT };
    let entries = front.office.store().audit(subject, &page).await?;
    let now = front.office.now();
    Ok(show(&AuditPage {
        shell: Shell::of(&front, &by, &people, None, "Audit").await?,
        lines: entries.iter().map(|entry| line(entry, &people, now)).collect(),
        subject: asked.subject,
    }))
}

fn line(entry: &AuditEntry, people: &People, now: Timestamp) -> Line {
    let audit = &entry.audit;
    let (kind, what) = audit.action.split_once('.').unwrap_or(("", &audit.action));
    let is_conversation = audit.subject.parse::<Id<Record>>().is_ok() && kind != "token";
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

use super::{
    decision::DecisionView,
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
use serde::Deserialize;
use std::collections::BTreeSet;
use store::{Content, Decided, Id, Page, Role};

/// Decisions that are looked through for answers that nobody has judged.
const LOOKED_AT: u32 = 200;

/// Answers that one page shows.
const SHOWN: usize = 20;

/// Labels that are looked at for what is judged already; more than decisions, as a teammate may
/// have judged one of them twice.
const LABELS: u32 = 1_000;

#[derive(Template)]
#[template(path = "judge.html")]
struct JudgePage {
    shell: Shell,
    answers: Vec<Answer>,
    older: Option<String>,
}

/// An answer of the bot with the question that it answers.
struct Answer {
    conversation: String,
    question: String,
    decision: DecisionView,
}

#[derive(Deserialize)]
pub(super) struct Asked {
    before: Option<String>,
}

/// Shows what the bot has answered and nobody has judged, newest first.
pub(super) async fn page(
    State(front): State<Front>,
    by: SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    by.must_be(Role::Lead)?;
    let (store, people) = (front.office.store(), People::of(&front).await?);
    let labels = store.labels(&Page { before: None, limit: LABELS }).await?;
    let judged: BTreeSet<Id<Decided>> = labels.iter().map(|(_, label)| label.decision).collect();
    let page = Page { before: asked.before, limit: LOOKED_AT };
    let decisions = store.all_decisions(&page).await?;
    let is_answer = |it: &&Decided| {
        it.decided.act == "reply" && it.decided.draft.is_some() && !judged.contains(&it.id)
    };
    let chosen: Vec<&Decided> = decisions.iter().filter(is_answer).take(SHOWN).collect();
    let full = chosen.len() == SHOWN || decisions.len() >= LOOKED_AT as usize;
    let last = if chosen.len() == SHOWN { chosen.last().copied() } else { decisions.last() };
    let older = last.filter(|_| full).map(|decided| decided.id.to_string());
    let mut answers = Vec::new();
    for decided in chosen {
        answers.push(answer(&front, decided, &people).await?);
    }
    let shell = Shell::of(&front, &by, &people, None, "Answers to judge").await?;
    Ok(show(&JudgePage { shell, answers, older }))
}

async fn answer(front: &Front, decided: &Decided, people: &People) -> Result<Answer, Refusal> {
    let after = decided.about.saturating_sub(1);
    let entries = front.office.store().timeline(decided.conversation, after, 1).await?;
    let question = entries.into_iter().find_map(|entry| match entry.content {
        Content::Customer { text, .. } => Some(text),
        _ => None,
    });
    Ok(Answer {
        conversation: decided.conversation.to_string(),
        question: question.unwrap_or_default(),
        decision: DecisionView::new(decided, people, front.office.now()),
    })
}

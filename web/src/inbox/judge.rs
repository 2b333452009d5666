use super::{
    decision::DecisionView,
    page::{self, Refusal, show},
    session::SignedIn,
    shell::{Frame, Shell},
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
    let frame = Frame::of(&front, &by, "Answers to judge").await?;
    let store = front.office.store();
    let part = Page { before: asked.before, limit: LOOKED_AT };
    let decisions = store.all_decisions(&part).await?;
    // Both go by the ids of decisions, and each of those has one label at most.
    let labels = store.labels(&part).await?;
    let judged: BTreeSet<Id<Decided>> = labels.iter().map(|(_, label)| label.decision).collect();
    let is_answer = |it: &&Decided| {
        it.decided.act == "reply" && it.decided.draft.is_some() && !judged.contains(&it.id)
    };
    let chosen: Vec<&Decided> = decisions.iter().filter(is_answer).take(SHOWN).collect();
    let older = match chosen.get(SHOWN - 1) {
        Some(last) => Some(last.id.to_string()),
        None => page::older(&decisions, LOOKED_AT, |decided| decided.id),
    };
    let mut answers = Vec::new();
    for decided in chosen {
        answers.push(answer(&front, decided, &frame).await?);
    }
    Ok(show(&JudgePage { shell: frame.shell, answers, older }))
}

async fn answer(front: &Front, decided: &Decided, frame: &Frame) -> Result<Answer, Refusal> {
    let after = decided.about.saturating_sub(1);
    let entries = front.office.store().timeline(decided.conversation, after, 1).await?;
    let question = entries.into_iter().find_map(|entry| match entry.content {
        Content::Customer { text, .. } => Some(text),
        _ => None,
    });
    Ok(Answer {
        conversation: decided.conversation.to_string(),
        question: question.unwrap_or_default(),
        decision: DecisionView::new(decided, &frame.people, frame.now),
    })
}

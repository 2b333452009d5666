//! How a decision that was taken would be taken today.

use crate::{Answer, Context, Desk, Inquiry, OfficeError, Question, office, stated};
use serde_json::Value as Json;
use store::{Content, Decided, Id, Store};

/// A decision, and what is decided of the same message now.
#[derive(Debug)]
pub struct Replayed {
    /// As it was taken.
    pub then: Decided,
    /// As the desk's present rules, articles and models have it.
    pub now: Answer,
}

/// Facts that are read from the message, the draft or the clock: they are found anew.
const ANEW: [&str; 9] = [
    "message.",
    "topic.",
    "answer.",
    "signals.",
    "language",
    "sentiment",
    "wants_person",
    "time.",
    "open(",
];

/// Decides again what was decided: by the messages as they were, at the time it was, knowing of
/// customer and conversation what the trace says was known. Articles, rules and models are those of
/// `desk`; which articles the customer may read is taken from the customer as kept now. Nothing is
/// stored or sent.
///
/// # Errors
/// [`OfficeError::NotFound`] without such a decision, or when its conversation has been erased;
/// [`OfficeError::Store`].
pub async fn replay(desk: &Desk, store: &Store, id: Id<Decided>) -> Result<Replayed, OfficeError> {
    let then = store.decision(id).await?;
    let record = store.conversation(then.conversation).await?;
    let customer = store.customer(record.customer).await?;
    let limit = u32::try_from(then.about).unwrap_or(u32::MAX);
    let mut entries = store.timeline(record.id, 0, limit).await?;
    entries.retain(|entry| entry.number <= then.about);
    if !entries.iter().any(|entry| matches!(entry.content, Content::Customer { .. })) {
        return Err(OfficeError::NotFound("message that was decided about"));
    }
    let about = store.decided_about(record.id).await?;
    let question = Question::after(office::said(&entries, then.episode, &about));
    let mut context = Context::at(then.at);
    context.stated = known_then(desk, &then.decided.trace);
    let inquiry = Inquiry { question, reader: office::reader(&customer), context };
    Ok(Replayed { now: desk.answer(&inquiry).await, then })
}

/// Returns the facts of a trace that nothing else tells today. Those that the present rules do not
/// know are left out.
fn known_then(desk: &Desk, trace: &Json) -> Vec<(String, router::Value)> {
    let catalogue = desk.policy().catalogue();
    let facts = trace.get("facts").and_then(Json::as_object).into_iter().flatten();
    facts
        .filter(|(name, _)| !ANEW.iter().any(|start| name.starts_with(start)))
        .filter_map(|(name, json)| Some((name.clone(), stated(catalogue, name, json).ok()?)))
        .collect()
}

//! What was known when a decision was taken, to take it again.

use crate::{
    Context, Desk, Inquiry, Noticed, OfficeError, Playbook, Question, inquiry, office, stated,
};
use knowledge::Reader;
use router::{Facts, Known};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use store::{About, Content, Decided, Entry, Id, Store};

/// A decision, with what was said before it.
#[derive(Debug, Clone)]
pub struct Recalled {
    /// As it was taken.
    pub then: Decided,
    question: Question,
    reader: Reader,
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

/// Facts that need no model, only the message and the rules: the others are taken from the trace.
const WITHOUT_MODELS: [&str; 4] = ["message.", "answer.", "time.", "open("];

/// Recalls what was decided: the messages as they were, at the time it was, knowing of customer and
/// conversation what the trace says was known. Which articles the customer may read is taken from
/// the customer as kept now.
///
/// # Errors
/// [`OfficeError::NotFound`] without such a decision, or when its conversation has been erased;
/// [`OfficeError::Store`].
pub async fn recall(store: &Store, id: Id<Decided>) -> Result<Recalled, OfficeError> {
    let then = store.decision(id).await?;
    let record = store.conversation(then.conversation).await?;
    let customer = store.customer(record.customer).await?;
    let limit = u32::try_from(then.about).unwrap_or(u32::MAX);
    let entries = store.timeline(record.id, 0, limit).await?;
    let about = store.decided_about(record.id).await?;
    Recalled::of(then, &entries, &about, office::reader(&customer))
        .ok_or(OfficeError::NotFound("message that was decided about"))
}

impl Recalled {
    /// Recalls a decision from its conversation's timeline; `None` when no message of the customer
    /// is left there. `about` tells of its decisions up to which entry they
    /// knew it, and whether they were silent.
    pub fn of(
        then: Decided,
        entries: &[Entry],
        about: &BTreeMap<Id<Decided>, About>,
        reader: Reader,
    ) -> Option<Self> {
        let known = entries.iter().filter(|entry| entry.number <= then.about);
        let mut known: Vec<Entry> = known.cloned().collect();
        known.drain(..known.len().saturating_sub(office::LOOK_BACK as usize));
        if !known.iter().any(|entry| matches!(entry.content, Content::Customer { .. })) {
            return None;
        }
        let mut turns = office::said(&known, then.episode, about);
        office::end_with_the_customer(&mut turns);
        Some(Self { then, question: Question::after(turns), reader })
    }

    /// Returns what was asked.
    pub fn question(&self) -> &Question {
        &self.question
    }

    /// Returns who asked: which articles they could read.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Returns it as the desk would hear of it again, for [`Desk::answer`].
    pub fn inquiry(&self, desk: &Desk) -> Inquiry {
        self.known_to(desk.playbook(), &ANEW)
    }

    /// Returns what the rules of a playbook would be told, without any model: topic, signals,
    /// language and sentiment are taken as they were noticed then.
    pub fn facts(&self, playbook: &Playbook) -> Facts {
        inquiry::facts(playbook, &self.known_to(playbook, &WITHOUT_MODELS), &Noticed::default())
    }

    fn known_to(&self, playbook: &Playbook, anew: &[&str]) -> Inquiry {
        let mut context = Context::at(self.then.at);
        context.stated = known_then(playbook, &self.then.decided.trace, anew);
        Inquiry { question: self.question.clone(), reader: self.reader.clone(), context }
    }
}

/// Returns the facts that nothing else tells today: those of a trace, and, as a trace leaves out
/// what is plain, the plain value of every other fact that is always known. Those that the present
/// rules do not know are left out.
fn known_then(playbook: &Playbook, trace: &Json, anew: &[&str]) -> Vec<(String, router::Value)> {
    let catalogue = playbook.policy.catalogue();
    let Some(facts) = trace.get("facts").and_then(Json::as_object) else { return Vec::new() };
    let is_kept = |name: &str| !anew.iter().any(|start| name.starts_with(start));
    let is_always = |name: &str| {
        catalogue.find(name).is_some_and(|id| catalogue.fact(id).known == Known::Always)
    };
    let plain = Facts::new(catalogue);
    let plain = plain.known(catalogue).filter(|(name, _)| is_kept(name) && is_always(name));
    let mut known: Vec<(String, router::Value)> =
        plain.map(|(name, value)| (name.to_string(), value.clone())).collect();
    known.extend(
        facts
            .iter()
            .filter(|(name, _)| is_kept(name))
            .filter_map(|(name, json)| Some((name.clone(), stated(catalogue, name, json).ok()?))),
    );
    known
}

//! What another bot did with the questions that ours decided about, where a channel tells of it: in
//! the shadow of Intercom's Fin, for example.

use crate::commands::past::Past;
use evals::{
    Figure,
    interval::{Estimate, share},
    kappa,
    report::Unit,
};
use serde_json::Value;
use store::{Content, Judged};

/// How a channel says that another bot wrote; `ai` tells answers from a workflow's words.
const WROTE: &str = "other_bot_wrote";

/// A question beside what both bots did.
struct Beside {
    /// Whether ours replied, or would have.
    ours: bool,
    /// Whether the other answered before the customer's next question.
    theirs: bool,
    /// Whether a person wrote after that, too.
    has_person: bool,
}

/// Measures how alike ours and another bot act, on the questions of conversations in which the other
/// one wrote at all; and how often people had to write after all.
pub(super) fn figures(past: &Past) -> Vec<Figure> {
    let beside: Vec<Beside> = past.judged.iter().filter_map(|it| beside(past, it)).collect();
    let of = |concerned: fn(&Beside) -> bool, holds: fn(&Beside) -> bool| {
        let concerned: Vec<&Beside> = beside.iter().filter(|it| concerned(it)).collect();
        share(concerned.iter().filter(|it| holds(it)).count(), concerned.len())
    };
    let pairs: Vec<(bool, bool)> = beside.iter().map(|it| (it.ours, it.theirs)).collect();
    let figures = [
        figure(
            Unit::Share,
            "other_bot_agreement",
            "of the questions beside another bot, those that both answer or both leave",
            of(|_| true, |it| it.ours == it.theirs),
        ),
        figure(
            Unit::Score,
            "other_bot_kappa",
            "the same beyond chance (Cohen's kappa)",
            kappa(&pairs),
        ),
        figure(
            Unit::Share,
            "other_bot_answers",
            "of those questions, the ones that the other bot answers",
            of(|_| true, |it| it.theirs),
        ),
        figure(
            Unit::Share,
            "answers_beside_other_bot",
            "of those questions, the ones that this bot answers or would have",
            of(|_| true, |it| it.ours),
        ),
        figure(
            Unit::Share,
            "other_bot_then_person",
            "of the other bot's answers, those after which a person wrote too",
            of(|it| it.theirs, |it| it.has_person),
        ),
        figure(
            Unit::Share,
            "held_back_then_person",
            "of the other bot's answers that this bot would not have given, those after which a person wrote too",
            of(|it| it.theirs && !it.ours, |it| it.has_person),
        ),
    ];
    figures.into_iter().flatten().collect()
}

fn figure(unit: Unit, name: &str, meaning: &str, estimate: Option<Estimate>) -> Option<Figure> {
    let (name, meaning) = (name.to_string(), meaning.to_string());
    Some(Figure { name, meaning, unit, estimate: estimate? })
}

/// Returns what both did; `None` where no other bot wrote in the conversation.
fn beside(past: &Past, judged: &Judged) -> Option<Beside> {
    let Judged { decided, course, .. } = judged;
    let is_other = |entry: &&store::Entry| {
        matches!(&entry.content, Content::Event { what, detail, .. }
            if what == WROTE && detail.get("ai") == Some(&Value::Bool(true)))
    };
    if !course.entries.iter().any(|entry| is_other(&entry)) {
        return None;
    }
    let until = past.next_question(judged).unwrap_or(i64::MAX);
    let after: Vec<&store::Entry> = course
        .entries
        .iter()
        .filter(|it| it.number > decided.about && it.episode == decided.episode)
        .collect();
    let answered = after.iter().filter(|it| it.number < until).find(|it| is_other(it));
    let is_person = |it: &&&store::Entry| matches!(it.content, Content::Teammate { .. });
    let has_person = answered.is_some_and(|other| {
        after.iter().filter(is_person).any(|person| person.number > other.number)
    });
    let act = decided.decided.trace.get("act").and_then(Value::as_str);
    let ours = act.unwrap_or(decided.decided.act.as_str()) == "reply";
    Some(Beside { ours, theirs: answered.is_some(), has_person })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::tests::{Bench, Rules};
    use bot::{Inbound, Place};
    use jiff::SignedDuration;
    use serde_json::json;
    use store::{Actor, Guard, Id, Page, Record};

    async fn ask(bench: &Bench, nth: usize, text: &str) -> Id<Record> {
        bench.pass(SignedDuration::from_mins(1));
        let inbound = Inbound {
            channel: "web".into(),
            external_id: nth.to_string(),
            customer: bench.visitor().await.id,
            place: Place::New,
            text: text.into(),
            client_id: None,
            page: None,
        };
        let received = bench.office.receive(inbound).await.unwrap();
        bench.office.run_until_idle().await.unwrap();
        received.conversation
    }

    async fn add(bench: &Bench, id: Id<Record>, content: Content) {
        bench.pass(SignedDuration::from_mins(1));
        let now = bench.office.now();
        let changed = bench.office.store().change(id, Guard::None, now, |_, change| {
            change.entries.push((Id::new(now), content));
            Ok::<_, std::convert::Infallible>(())
        });
        changed.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn two_bots_are_held_beside_each_other_and_what_people_had_to_do() {
        let bench = Bench::open(Rules::Sample, 6.0).await;
        let wrote = |ai: bool| Content::Event {
            by: Actor::Frontdesk,
            what: WROTE.into(),
            detail: json!({"ai": ai}),
        };
        let person = || Content::Teammate {
            teammate: "ada".to_string().try_into().unwrap(),
            text: "Hello".into(),
        };
        let known = "How many days does the free trial last?";
        for nth in 0..12 {
            let is_ours = nth % 2 == 0;
            let id = ask(&bench, nth, if is_ours { known } else { "I want a human please" }).await;
            match nth {
                // A workflow's words are no answer, and make no other bot.
                0 => add(&bench, id, wrote(false)).await,
                _ => add(&bench, id, wrote(true)).await,
            }
            if nth >= 9 {
                add(&bench, id, person()).await;
            }
        }
        let page = Page { before: None, limit: 100 };
        let past = Past::of(bench.office.store().judged(&page).await.unwrap());
        let figures = figures(&past);
        let of = |name: &str| figures.iter().find(|figure| figure.name == name).unwrap().estimate;
        let agreement = of("other_bot_agreement");
        assert_eq!(agreement.n, 11);
        assert!((agreement.value - 5.0 / 11.0).abs() < 1e-9, "{agreement:?}");
        assert!(agreement.low < agreement.value && agreement.value < agreement.high);
        assert!((of("other_bot_answers").value - 1.0).abs() < 1e-9);
        assert!((of("other_bot_then_person").value - 3.0 / 11.0).abs() < 1e-9);
        assert!((of("held_back_then_person").value - 2.0 / 6.0).abs() < 1e-9);
    }
}

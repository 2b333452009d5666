use super::goal::{Goal, Todo};
use super::ground::Ground;
use super::reach::conjuncts;
use super::search::{Answer, Question};
use super::{Example, Flaw, Severity, flaw, list, named};
use crate::condition::{Comparison, Node};
use crate::{FactId, Facts, Then, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Contradictions of one kind that are listed; who has more of them reads the file anew anyway.
const MOST_LISTED: usize = 10;

/// A rule that sets something to a value.
struct Setter {
    place: usize,
    value: String,
}

/// Finds rules that set what a rule above them has set to something else, which then stays.
pub(super) fn conflicts(ground: &Ground<'_>, dead: &BTreeSet<usize>) -> Vec<Flaw> {
    let mut above: BTreeMap<String, Vec<Setter>> = BTreeMap::new();
    let mut contradictions: BTreeMap<String, Vec<Flaw>> = BTreeMap::new();
    let rules = 0..ground.policy.checked().len();
    let wanted: Vec<_> = rules.map(|place| allowed(ground.condition(place))).collect();
    let apart = |one: usize, other: usize| match (wanted.get(one), wanted.get(other)) {
        (Some(one), Some(other)) => exclude_each_other(one, other),
        _ => false,
    };
    let mut not_looked_at = None;
    let mut flaws = Vec::new();
    for (place, rule) in ground.policy.checked().iter().enumerate() {
        if dead.contains(&place) {
            continue;
        }
        for (key, value) in sets(&rule.rule.then) {
            let setter = Setter { place, value };
            let setters = above.entry(key.clone()).or_default();
            if setters.iter().any(|other| other.value != setter.value) && !rule.built_in() {
                let found = contradictions.entry(key.clone()).or_default();
                if let Some(flaw) = in_vain(ground, &key, &setter, setters) {
                    flaws.push(flaw);
                } else if ground.is_spent() {
                    not_looked_at.get_or_insert(place);
                } else if found.len() <= MOST_LISTED {
                    let others = setters.iter().filter(|other| !apart(other.place, place));
                    found.extend(contradiction(ground, &key, &setter, others));
                }
            }
            setters.push(setter);
        }
    }
    for (key, mut found) in contradictions {
        let next = found.split_off(found.len().min(MOST_LISTED)).into_iter().next();
        flaws.extend(found);
        flaws.extend(next.map(|next| from_there_on(&key, next)));
    }
    flaws.extend(not_looked_at.map(|place| unknown(ground, place)));
    flaws
}

/// What a fact may be where a condition holds.
type Allowed = (FactId, Vec<Value>);

/// Returns the facts that a condition wants to be one of some values.
fn allowed(node: &Node) -> Vec<Allowed> {
    let mut parts = Vec::new();
    conjuncts(node, &mut parts);
    let allowed = parts.into_iter().filter_map(|part| match part {
        Node::Compare(Comparison::Equal, pair) => match &**pair {
            [Node::Fact(id), other] | [other, Node::Fact(id)] => Some((*id, vec![value(other)?])),
            _ => None,
        },
        Node::In(pair) => match &**pair {
            [Node::Fact(id), Node::Texts(texts)] => {
                Some((*id, texts.iter().map(Value::text).collect()))
            }
            [Node::Fact(id), Node::Numbers(numbers)] => {
                Some((*id, numbers.iter().copied().map(Value::Number).collect()))
            }
            _ => None,
        },
        _ => None,
    });
    allowed.collect()
}

fn value(node: &Node) -> Option<Value> {
    match node {
        Node::Text(text) => Some(Value::Text(text.clone())),
        Node::Number(number) => Some(Value::Number(*number)),
        _ => None,
    }
}

/// Whether two conditions want different values of one fact.
fn exclude_each_other(one: &[Allowed], other: &[Allowed]) -> bool {
    one.iter().any(|(id, values)| {
        let mut same = other.iter().filter(|(of, _)| of == id);
        same.any(|(_, others)| values.iter().all(|value| !others.contains(value)))
    })
}

/// Says of the first contradiction that is not listed that there may be others below.
fn from_there_on(key: &str, next: Flaw) -> Flaw {
    let what = format!("{}; rules below it were not looked at for {key}", next.what);
    let mend = format!("mend the {MOST_LISTED} above first, and check again");
    Flaw { what, mend, ..next }
}

fn unknown(ground: &Ground<'_>, place: usize) -> Flaw {
    let what = format!(
        "no example was looked for of a conversation in which rule {} or one below it sets \
         something that a rule above set to something else: the rules take too long to prove",
        named(ground, place)
    );
    let mend = "make conditions plainer, or fewer";
    flaw(ground, Severity::Warning, place, (what, mend.into()))
}

/// What a rule sets for which the first setting stays, with the values in words.
fn sets(then: &Then) -> Vec<(String, String)> {
    let threshold = then.threshold.or(then.error_budget.map(|budget| 1.0 - budget));
    let answer = Then { answer: then.answer, ..Then::default() };
    let given = [
        ("the answer", then.answer.map(|_| answer.to_string())),
        ("the threshold", threshold.map(|threshold| threshold.to_string())),
        ("the priority", then.priority.map(|priority| priority.name().to_string())),
        ("the SLA", then.sla.as_ref().map(ToString::to_string)),
    ];
    let attributes = then.attributes.iter().map(|(name, value)| (name.clone(), value.to_string()));
    let given = given.into_iter().filter_map(|(key, value)| Some((key.to_string(), value?)));
    given.chain(attributes).collect()
}

/// Whether a rule never has its way, for whenever it fires one above has set the same.
fn in_vain(ground: &Ground<'_>, key: &str, setter: &Setter, above: &[Setter]) -> Option<Flaw> {
    let place = setter.place;
    // What it sets beside holds even where what it settles is not open.
    let mut question = Question {
        ways: vec![vec![Todo::new(ground.condition(place), Goal::TRUE)]],
        must_not_end: ground.ends_above(place).to_vec(),
        must_not_hold: above.iter().map(|other| other.place).collect(),
        ..Question::default()
    };
    let Answer::Impossible(by) = ground.ask(&question) else { return None };
    let by: Vec<&Setter> = above.iter().filter(|other| by.contains(&other.place)).collect();
    let other = by.iter().find(|other| other.value != setter.value)?;
    let places: Vec<usize> = by.iter().map(|other| other.place).collect();
    let what = format!(
        "rule {} sets {key} to {} in vain: whenever it fires, it was set above by {} (to {})",
        named(ground, place),
        setter.value,
        list(ground, &places),
        other.value
    );
    let mend = "the first setting stays; move this rule up, or take the setting out";
    let mut flaw = flaw(ground, Severity::Error, place, (what, mend.into()));
    question.must_not_hold.clear();
    if let Answer::Found(facts) = ground.ask(&question) {
        let shows = |facts: &Facts| {
            fires(ground, place, facts) && places.iter().any(|above| fires(ground, *above, facts))
        };
        flaw.example = Example::of(ground, facts, &shows);
    }
    Some(flaw)
}

/// Whether a rule and one above it set something to different values in one conversation. Where
/// the one above fits only conversations that this one fits too, it is meant as an exception, and
/// so is a built-in one: nothing of the desk can stand above it.
fn contradiction<'s>(
    ground: &Ground<'_>,
    key: &str,
    setter: &Setter,
    above: impl Iterator<Item = &'s Setter>,
) -> Option<Flaw> {
    let place = setter.place;
    let ends = ground.ends_above(place);
    for other in above.filter(|other| other.value != setter.value) {
        if ground.is_spent() {
            break;
        }
        if ends.contains(&other.place) || ground.rule(other.place).built_in() {
            continue;
        }
        let mut ways = ground.ways_to(place, true);
        let with = Todo::new(ground.condition(other.place), Goal::TRUE);
        ways.iter_mut().for_each(|way| way.push(with));
        let both = Question { ways, must_not_end: ends.to_vec(), ..Question::default() };
        let Answer::Found(facts) = ground.ask(&both) else { continue };
        if is_exception(ground, other.place, place) {
            continue;
        }
        let what = format!(
            "rules {} and {} can fit one conversation, and set {key} to {} and to {}; the first \
             setting stays",
            named(ground, other.place),
            named(ground, place),
            other.value,
            setter.value
        );
        let mend = "put the one that shall have its way first, or make one of them narrower";
        let mut flaw = flaw(ground, Severity::Warning, place, (what, mend.into()));
        let shows =
            |facts: &Facts| fires(ground, place, facts) && fires(ground, other.place, facts);
        flaw.example = Example::of(ground, facts, &shows);
        return Some(flaw);
    }
    None
}

fn is_exception(ground: &Ground<'_>, above: usize, below: usize) -> bool {
    let way = vec![
        Todo::new(ground.condition(above), Goal::TRUE),
        Todo::new(ground.condition(below), Goal::NOT_TRUE),
    ];
    let question = Question { ways: vec![way], ..Question::default() };
    matches!(ground.ask(&question), Answer::Impossible(_))
}

/// Whether a rule is read and its condition holds.
fn fires(ground: &Ground<'_>, place: usize, facts: &Facts) -> bool {
    Goal::TRUE.takes(ground.condition(place).verdict(facts))
        && ground.first_end(ground.ends_above(place), facts).is_none()
}

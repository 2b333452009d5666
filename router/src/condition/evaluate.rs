use super::{Comparison, Node, Verdict, parse::Arithmetic};
use crate::{Facts, Value, facts::Text};

/// A value while it is looked at.
enum Seen<'a> {
    Truth(bool),
    Number(f64),
    Numbers(&'a [f64]),
    Text(&'a Text),
    Texts(&'a [String]),
}

pub(super) fn verdict(node: &Node, facts: &Facts) -> Verdict {
    match truth(node, facts) {
        Some(true) => Verdict::True,
        Some(false) => Verdict::False,
        None => Verdict::Unknown,
    }
}

/// Three-valued logic (Kleene 1938): `None` is unknown.
fn truth(node: &Node, facts: &Facts) -> Option<bool> {
    match see(node, facts)? {
        Seen::Truth(truth) => Some(truth),
        _ => None,
    }
}

fn see<'a>(node: &'a Node, facts: &'a Facts) -> Option<Seen<'a>> {
    let truth_of = |holds: bool| Some(Seen::Truth(holds));
    match node {
        Node::Truth(value) => Some(Seen::Truth(*value)),
        Node::Number(value) => Some(Seen::Number(*value)),
        Node::Numbers(values) => Some(Seen::Numbers(values)),
        Node::Text(value) => Some(Seen::Text(value)),
        Node::Texts(values) => Some(Seen::Texts(values)),
        Node::Fact(id) => Some(match facts.get(*id)? {
            Value::Truth(value) => Seen::Truth(*value),
            Value::Number(value) => Seen::Number(*value),
            Value::Text(value) => Seen::Text(value),
            Value::Texts(values) => Seen::Texts(values),
        }),
        Node::Has(id) => truth_of(facts.get(*id).is_some()),
        Node::Not(inner) => truth_of(!truth(inner, facts)?),
        Node::And(pair) => absorb(pair, facts, false).map(Seen::Truth),
        Node::Or(pair) => absorb(pair, facts, true).map(Seen::Truth),
        Node::If(three) => {
            let [condition, yes, no] = &**three;
            see(if truth(condition, facts)? { yes } else { no }, facts)
        }
        Node::Compare(comparison, pair) => truth_of(compare(*comparison, pair, facts)?),
        Node::Arithmetic(kind, pair) => arithmetic(*kind, pair, facts).map(Seen::Number),
        Node::In(pair) => truth_of(is_in(pair, facts)?),
        Node::Contains(pair) => truth_of(texts(pair, facts, |a, b| a.contains(b))?),
        Node::StartsWith(pair) => truth_of(texts(pair, facts, |a, b| a.starts_with(b))?),
        Node::EndsWith(pair) => truth_of(texts(pair, facts, |a, b| a.ends_with(b))?),
        Node::Matches(text, pattern) => match see(text, facts)? {
            Seen::Text(text) => truth_of(pattern.is_match(text.as_str())),
            _ => None,
        },
        Node::Mentions(text, phrases) => match see(text, facts)? {
            Seen::Text(text) => truth_of(phrases.are_in(text.plain())),
            _ => None,
        },
        Node::Size(inner) => match see(inner, facts)? {
            Seen::Text(text) => Some(Seen::Number(text.as_str().chars().count() as f64)),
            Seen::Texts(texts) => Some(Seen::Number(texts.len() as f64)),
            _ => None,
        },
    }
}

/// `&&` (`decisive` = false) and `||` (true): the decisive value on either side decides, whatever
/// is unknown on the other.
fn absorb(pair: &[Node; 2], facts: &Facts, decisive: bool) -> Option<bool> {
    let left = truth(&pair[0], facts);
    if left == Some(decisive) {
        return left;
    }
    let right = truth(&pair[1], facts);
    if right == Some(decisive) {
        return right;
    }
    left.and(right)
}

fn compare(comparison: Comparison, pair: &[Node; 2], facts: &Facts) -> Option<bool> {
    let order = match (see(&pair[0], facts)?, see(&pair[1], facts)?) {
        (Seen::Number(a), Seen::Number(b)) => a.partial_cmp(&b)?,
        (Seen::Text(a), Seen::Text(b)) => a.as_str().cmp(b.as_str()),
        (Seen::Truth(a), Seen::Truth(b)) => a.cmp(&b),
        (Seen::Texts(a), Seen::Texts(b)) => a.cmp(b),
        _ => return None,
    };
    Some(match comparison {
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::AtMost => order.is_le(),
        Comparison::More => order.is_gt(),
        Comparison::AtLeast => order.is_ge(),
    })
}

fn arithmetic(kind: Arithmetic, pair: &[Node; 2], facts: &Facts) -> Option<f64> {
    let (Seen::Number(a), Seen::Number(b)) = (see(&pair[0], facts)?, see(&pair[1], facts)?) else {
        return None;
    };
    let number = match kind {
        Arithmetic::Add => a + b,
        Arithmetic::Subtract => a - b,
        Arithmetic::Multiply => a * b,
        Arithmetic::Divide => a / b,
    };
    number.is_finite().then_some(number)
}

fn is_in(pair: &[Node; 2], facts: &Facts) -> Option<bool> {
    match (see(&pair[0], facts)?, see(&pair[1], facts)?) {
        (Seen::Text(text), Seen::Texts(texts)) => Some(texts.iter().any(|t| t == text.as_str())),
        (Seen::Number(number), Seen::Numbers(numbers)) => Some(numbers.contains(&number)),
        _ => None,
    }
}

fn texts(pair: &[Node; 2], facts: &Facts, hold: fn(&str, &str) -> bool) -> Option<bool> {
    match (see(&pair[0], facts)?, see(&pair[1], facts)?) {
        (Seen::Text(a), Seen::Text(b)) => Some(hold(a.as_str(), b.as_str())),
        _ => None,
    }
}

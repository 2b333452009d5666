use super::sentences;
use crate::condition::{Comparison, Node};
use crate::{Fact, Kind, Value};

/// What a value of one fact has to satisfy: a condition's part, and what it shall come to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Demand<'a> {
    pub(super) node: &'a Node,
    pub(super) holds: bool,
}

/// Values of a fact that are worth trying.
pub(super) struct Candidates {
    pub(super) values: Vec<Value>,
    /// Whether no other value can satisfy the demands when none of these does.
    pub(super) all: bool,
}

/// Facts whose numbers are whole.
const WHOLE: [&str; 5] = [
    "message.words",
    "conversation.turns",
    "conversation.bot_turns",
    "conversation.episode",
    "time.hour",
];

/// Returns the values of `fact` that tell its demands apart: for each stretch of values that all
/// demands treat alike there is one in it.
pub(super) fn candidates(fact: &Fact, demands: &[Demand<'_>]) -> Candidates {
    match fact.kind {
        Kind::Truth => {
            Candidates { values: vec![Value::Truth(true), Value::Truth(false)], all: true }
        }
        Kind::Number => numbers(fact, demands),
        Kind::Text if !fact.allowed.is_empty() => {
            Candidates { values: fact.allowed.iter().map(Value::text).collect(), all: true }
        }
        Kind::Text => sentences::texts(demands),
        Kind::Texts => lists(demands),
    }
}

/// The two sides of a comparison as fact side and other side, turned round where needed.
pub(super) fn sides(
    comparison: Comparison,
    pair: &[Node; 2],
) -> Option<(&Node, Comparison, &Node)> {
    let turned = match comparison {
        Comparison::Less => Comparison::More,
        Comparison::AtMost => Comparison::AtLeast,
        Comparison::More => Comparison::Less,
        Comparison::AtLeast => Comparison::AtMost,
        same => same,
    };
    let plain = |node: &Node| matches!(node, Node::Number(_) | Node::Text(_) | Node::Texts(_));
    match pair {
        [fact, other] if plain(other) => Some((fact, comparison, other)),
        [other, fact] if plain(other) => Some((fact, turned, other)),
        _ => None,
    }
}

fn numbers(fact: &Fact, demands: &[Demand<'_>]) -> Candidates {
    let mut all = true;
    let mut cuts: Vec<f64> = Vec::new();
    for demand in demands {
        match demand.node {
            Node::Compare(comparison, pair) => match sides(*comparison, pair) {
                Some((Node::Fact(_), _, Node::Number(number))) => cuts.push(*number),
                _ => all = false,
            },
            Node::In(pair) => match &**pair {
                [Node::Fact(_), Node::Numbers(numbers)] => cuts.extend(numbers),
                _ => all = false,
            },
            _ => all = false,
        }
    }
    let whole = WHOLE.contains(&fact.name.as_str());
    let mut values = cuts.clone();
    values.extend(cuts.iter().flat_map(|cut| [cut + 1.0, cut - 1.0]));
    cuts.extend([fact.range.0, fact.range.1].iter().filter(|bound| bound.is_finite()));
    cuts.sort_by(f64::total_cmp);
    let between = cuts.windows(2).filter_map(|pair| match pair {
        [low, high] => Some(low + (high - low) / 2.0),
        _ => None,
    });
    values.extend(between.chain(cuts.iter().copied()));
    values.extend(cuts.iter().flat_map(|cut| [cut.next_down(), cut.next_up()]));
    if whole {
        let near = values.iter().flat_map(|value| [value.floor(), value.ceil()]);
        values = near.collect();
    }
    values.retain(|value| value.is_finite() && (fact.range.0..=fact.range.1).contains(value));
    Candidates { values: values.into_iter().map(Value::Number).collect(), all }
}

fn lists(demands: &[Demand<'_>]) -> Candidates {
    let mut all = true;
    let mut wanted: Vec<String> = Vec::new();
    let mut named: Vec<&str> = Vec::new();
    let mut sizes: Vec<f64> = Vec::new();
    let mut written: Vec<Vec<String>> = Vec::new();
    for demand in demands {
        match demand.node {
            Node::In(pair) => match &**pair {
                [Node::Text(text), Node::Fact(_)] => {
                    named.push(text.as_str());
                    wanted.extend(demand.holds.then(|| text.as_str().to_string()));
                }
                _ => all = false,
            },
            Node::Compare(comparison, pair) => match sides(*comparison, pair) {
                Some((Node::Fact(_), comparison, Node::Texts(texts))) => {
                    // Lists that differ from one that is written out are without number.
                    all &= demand.holds == (comparison == Comparison::Equal);
                    written.push(texts.clone());
                }
                Some((Node::Size(_), _, Node::Number(number))) => sizes.push(*number),
                _ => all = false,
            },
            _ => all = false,
        }
    }
    wanted.sort();
    wanted.dedup();
    let mut lists = vec![wanted.clone(), wanted.iter().rev().cloned().collect()];
    all &= sizes.iter().all(|size| *size < LONGEST_LIST);
    let near = sizes.iter().flat_map(|size| [size.ceil(), size.floor(), size + 1.0, size - 1.0]);
    let sizes = near.filter(|size| *size <= LONGEST_LIST);
    for size in sizes.chain([wanted.len() as f64 + 1.0]) {
        let fillers =
            (1..).map(|n| format!("other-{n}")).filter(|text| !named.contains(&text.as_str()));
        let n_fillers = (size as usize).saturating_sub(wanted.len());
        lists.push(wanted.iter().cloned().chain(fillers.take(n_fillers)).collect());
    }
    lists.extend(written);
    Candidates { values: lists.into_iter().map(Value::Texts).collect(), all }
}

/// No conversation has more tags.
const LONGEST_LIST: f64 = 100.0;

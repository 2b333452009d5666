use crate::condition::{Comparison, Node};
use crate::{Catalogue, FactId, Facts, Kind, Verdict};

/// The verdicts that will do for a condition or a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Goal(u8);

impl Goal {
    pub(super) const TRUE: Self = Self(1);
    pub(super) const FALSE: Self = Self(2);
    pub(super) const UNKNOWN: Self = Self(4);
    pub(super) const NOT_TRUE: Self = Self(6);
    const NOT_FALSE: Self = Self(5);

    pub(super) fn takes(self, verdict: Verdict) -> bool {
        let bit = match verdict {
            Verdict::True => Self::TRUE,
            Verdict::False => Self::FALSE,
            Verdict::Unknown => Self::UNKNOWN,
        };
        self.0 & bit.0 != 0
    }

    /// Whether it takes true, false, and unknown.
    pub(super) fn parts(self) -> (bool, bool, bool) {
        (self.takes(Verdict::True), self.takes(Verdict::False), self.takes(Verdict::Unknown))
    }

    fn allows(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    fn negated(self) -> Self {
        Self(self.0 & 4 | (self.0 & 1) << 1 | (self.0 & 2) >> 1)
    }
}

/// A part of a condition, and what it shall come to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Todo<'a> {
    pub(super) node: &'a Node,
    pub(super) goal: Goal,
}

/// Ways to get somewhere, each of which needs all of its parts.
pub(super) type Ways<'a> = Vec<Vec<Todo<'a>>>;

/// What a [`Todo`] comes down to.
pub(super) enum Step<'a> {
    /// It always holds, or never.
    Settled(bool),
    /// One of the ways will do, and there is no other.
    Ways(Ways<'a>),
    /// A fact is known, or is not.
    Known(FactId, bool),
    /// It looks at one fact and is true or false as soon as that is known.
    About(FactId),
    /// It looks at several facts at once, or reckons with them.
    Tangled,
}

impl<'a> Todo<'a> {
    pub(super) fn new(node: &'a Node, goal: Goal) -> Self {
        Self { node, goal }
    }

    pub(super) fn step(self, catalogue: &Catalogue, nothing_known: &Facts) -> Step<'a> {
        let Self { node, goal } = self;
        if goal.0 == 7 || goal.0 == 0 {
            return Step::Settled(goal.0 == 7);
        }
        match node {
            Node::Truth(truth) => Step::Settled(goal.takes(verdict(*truth))),
            Node::Not(inner) => Step::Ways(vec![vec![Self::new(inner, goal.negated())]]),
            Node::And(pair) => Step::Ways(both(pair, goal, false)),
            Node::Or(pair) => Step::Ways(both(pair, goal.negated(), true)),
            Node::If(three) => Step::Ways(either(three, goal)),
            Node::Has(id) => match (goal.takes(Verdict::True), goal.takes(Verdict::False)) {
                (true, true) => Step::Settled(true),
                (false, false) => Step::Settled(false),
                (known, _) => Step::Known(*id, known),
            },
            Node::Compare(comparison, pair) if is_truth(&pair[0], catalogue) => {
                Step::Ways(truths(*comparison, pair, goal))
            }
            _ => atom(node, goal, nothing_known),
        }
    }
}

fn verdict(truth: bool) -> Verdict {
    if truth { Verdict::True } else { Verdict::False }
}

/// The ways for `a && b`; for `a || b` by De Morgan's law, everything `negated`.
fn both<'a>(pair: &'a [Node; 2], goal: Goal, negated: bool) -> Ways<'a> {
    let todo = |index: usize, goal: Goal| {
        Todo::new(&pair[index], if negated { goal.negated() } else { goal })
    };
    let mut ways = Vec::new();
    if goal.allows(Goal::NOT_FALSE) {
        ways.push(vec![todo(0, Goal::NOT_FALSE), todo(1, Goal::NOT_FALSE)]);
    } else if goal.allows(Goal::TRUE) {
        ways.push(vec![todo(0, Goal::TRUE), todo(1, Goal::TRUE)]);
    }
    if goal.allows(Goal::NOT_TRUE) {
        ways.push(vec![todo(0, Goal::NOT_TRUE)]);
        ways.push(vec![todo(1, Goal::NOT_TRUE)]);
    } else if goal.allows(Goal::FALSE) {
        ways.push(vec![todo(0, Goal::FALSE)]);
        ways.push(vec![todo(1, Goal::FALSE)]);
    } else if goal == Goal::UNKNOWN {
        ways.push(vec![todo(0, Goal::UNKNOWN), todo(1, Goal::NOT_FALSE)]);
        ways.push(vec![todo(0, Goal::NOT_FALSE), todo(1, Goal::UNKNOWN)]);
    }
    ways
}

/// The ways for `condition ? yes : no`.
fn either<'a>(three: &'a [Node; 3], goal: Goal) -> Ways<'a> {
    let [condition, yes, no] = three;
    let mut ways = vec![
        vec![Todo::new(condition, Goal::TRUE), Todo::new(yes, goal)],
        vec![Todo::new(condition, Goal::FALSE), Todo::new(no, goal)],
    ];
    if goal.takes(Verdict::Unknown) {
        ways.push(vec![Todo::new(condition, Goal::UNKNOWN)]);
    }
    ways
}

/// The ways for `a == b` and `a != b` of two truths.
fn truths<'a>(comparison: Comparison, pair: &'a [Node; 2], goal: Goal) -> Ways<'a> {
    let mut ways = Vec::new();
    for (a, b) in [(true, true), (false, false), (true, false), (false, true)] {
        let holds = (a == b) == (comparison == Comparison::Equal);
        if goal.takes(verdict(holds)) {
            let side = |index: usize, truth: bool| {
                Todo::new(&pair[index], if truth { Goal::TRUE } else { Goal::FALSE })
            };
            ways.push(vec![side(0, a), side(1, b)]);
        }
    }
    if goal.takes(Verdict::Unknown) {
        ways.extend(pair.iter().map(|side| vec![Todo::new(side, Goal::UNKNOWN)]));
    }
    ways
}

fn atom<'a>(node: &'a Node, goal: Goal, nothing_known: &Facts) -> Step<'a> {
    let mut about: Vec<FactId> = Vec::new();
    let mut tangled = false;
    node.visit(&mut |part| {
        tangled |= matches!(part, Node::Has(_) | Node::If(_) | Node::Arithmetic(..));
        if let Node::Fact(id) | Node::Has(id) = part
            && !about.contains(id)
        {
            about.push(*id);
        }
    });
    match about.as_slice() {
        [] => Step::Settled(goal.takes(node.verdict(nothing_known))),
        [id] if !tangled => Step::About(*id),
        _ => Step::Tangled,
    }
}

fn is_truth(node: &Node, catalogue: &Catalogue) -> bool {
    match node {
        Node::Fact(id) => catalogue.fact(*id).kind == Kind::Truth,
        Node::If(three) => is_truth(&three[1], catalogue),
        Node::Number(_)
        | Node::Numbers(_)
        | Node::Text(_)
        | Node::Texts(_)
        | Node::Arithmetic(..)
        | Node::Size(_) => false,
        _ => true,
    }
}

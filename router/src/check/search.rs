use super::candidates::{self, Demand};
use super::goal::{Goal, Step, Todo, Ways};
use super::ground::{Drafted, Ground};
use crate::condition::Node;
use crate::{Catalogue, FactId, Facts, Kind, Value};
use std::collections::{BTreeSet, HashMap};

/// What a conversation is searched for.
#[derive(Debug, Clone, Default)]
pub(super) struct Question<'a> {
    /// What must hold: all parts of one of the ways.
    pub(super) ways: Ways<'a>,
    /// Rules, by place, that must not end the reading, in their order; all stand above those that
    /// the ways are about.
    pub(super) must_not_end: Vec<usize>,
    /// Rules, by place, whose condition must not hold.
    pub(super) must_not_hold: Vec<usize>,
    /// Facts that may be anything, even several things at once.
    pub(super) free: Vec<FactId>,
}

/// What the search came to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    /// There is such a conversation.
    Found(Facts),
    /// It is proved that there is none; the rules, by place, that are in its way.
    Impossible(Vec<usize>),
    /// None was found, and it is not proved that there is none.
    Unsure,
}

/// Searches for a conversation: a tableau (Smullyan 1968) over parts of conditions, which are
/// taken apart only where the conversation at hand does not satisfy them as it is.
pub(super) struct Search<'a> {
    ground: &'a Ground<'a>,
    question: &'a Question<'a>,
    facts: Facts,
    cells: HashMap<FactId, Cell<'a>>,
    undo: Vec<Undo>,
    open: Open<'a>,
    choices: Vec<Choice<'a>>,
    blamed: BTreeSet<usize>,
    sure: bool,
    looks_left: usize,
}

/// What is demanded of one fact.
#[derive(Debug, Default)]
struct Cell<'a> {
    /// What must hold when it is known.
    demands: Vec<Demand<'a>>,
    /// Whether it must be known or unknown, if either.
    known: Option<bool>,
}

/// How to take back a demand.
struct Undo {
    id: FactId,
    n_demands: usize,
    known: Option<bool>,
    value: Option<Value>,
}

/// What is still to do.
#[derive(Clone, Default)]
struct Open<'a> {
    now: Vec<Todo<'a>>,
    /// What is looked at again when nothing else is left, for it may hold by then.
    later: Vec<Todo<'a>>,
}

struct Choice<'a> {
    n_undo: usize,
    open: Open<'a>,
    left: Ways<'a>,
}

impl<'a> Search<'a> {
    pub(super) fn new(ground: &'a Ground<'a>, question: &'a Question<'a>) -> Self {
        Self {
            ground,
            question,
            facts: ground.plain.clone(),
            cells: HashMap::new(),
            undo: Vec::new(),
            open: Open::default(),
            choices: Vec::new(),
            blamed: BTreeSet::new(),
            sure: true,
            looks_left: ground.looks_for_one(),
        }
    }

    /// Searches until a conversation is found, everything is excluded, or the allowance is used.
    pub(super) fn run(mut self) -> Answer {
        let before = self.looks_left;
        let answer = self.answer();
        self.ground.spend(before.saturating_sub(self.looks_left));
        answer
    }

    fn answer(&mut self) -> Answer {
        let mut on_track = self.choose(self.question.ways.clone());
        loop {
            if self.looks_left == 0 {
                return Answer::Unsure;
            }
            if !on_track && !self.go_back() {
                let blamed = self.blamed.iter().copied().collect();
                return if self.sure { Answer::Impossible(blamed) } else { Answer::Unsure };
            }
            on_track = match self.open.now.pop() {
                Some(todo) => self.take(todo),
                None => match self.obstacle() {
                    Some(ways) => self.choose(ways),
                    None => match self.tangle() {
                        None => return Answer::Found(self.facts.clone()),
                        Some(untied) => untied,
                    },
                },
            };
        }
    }

    fn look(&mut self, n: usize) {
        self.looks_left = self.looks_left.saturating_sub(n);
    }

    /// Takes the first way and keeps the others for when it leads nowhere.
    fn choose(&mut self, mut ways: Ways<'a>) -> bool {
        ways.reverse();
        let Some(way) = ways.pop() else { return false };
        if !ways.is_empty() {
            let n_undo = self.undo.len();
            self.choices.push(Choice { n_undo, open: self.open.clone(), left: ways });
        }
        self.open.now.extend(way);
        true
    }

    fn go_back(&mut self) -> bool {
        let Some(choice) = self.choices.last_mut() else { return false };
        let Some(way) = choice.left.pop() else { return false };
        let n_undo = choice.n_undo;
        self.open = choice.open.clone();
        if choice.left.is_empty() {
            self.choices.pop();
        }
        self.open.now.extend(way);
        while self.undo.len() > n_undo {
            let Some(undo) = self.undo.pop() else { break };
            let cell = self.cells.entry(undo.id).or_default();
            cell.demands.truncate(undo.n_demands);
            cell.known = undo.known;
            self.facts.put(undo.id, undo.value);
        }
        true
    }

    /// Does what has to be done; false when that is impossible.
    fn take(&mut self, todo: Todo<'a>) -> bool {
        self.look(1);
        match todo.step(self.catalogue(), &self.ground.plain) {
            Step::Settled(holds) => holds,
            Step::Ways(ways) if ways.len() == 1 => self.choose(ways),
            Step::Ways(_) | Step::Tangled => {
                self.open.later.push(todo);
                true
            }
            Step::Known(id, known) => self.demand(id, None, Some(known)),
            Step::About(id) => {
                let (yes, no, unknown) = todo.goal.parts();
                match (yes, no) {
                    (false, false) => self.demand(id, None, Some(false)),
                    (true, true) => self.demand(id, None, Some(true)),
                    (holds, _) => {
                        let demand = Demand { node: todo.node, holds };
                        self.demand(id, Some(demand), (!unknown).then_some(true))
                    }
                }
            }
        }
    }

    fn catalogue(&self) -> &'a Catalogue {
        self.ground.policy.catalogue()
    }

    /// Demands something of a fact and finds a value that satisfies all demands on it.
    fn demand(&mut self, id: FactId, demand: Option<Demand<'a>>, known: Option<bool>) -> bool {
        if self.question.free.contains(&id) {
            return true;
        }
        let cell = self.cells.entry(id).or_default();
        let value = self.facts.get(id).cloned();
        self.undo.push(Undo { id, n_demands: cell.demands.len(), known: cell.known, value });
        if known.is_some_and(|known| cell.known == Some(!known)) {
            return false;
        }
        cell.known = known.or(cell.known);
        cell.demands.extend(demand);
        if !self.settle(id) {
            return false;
        }
        let follows = self.follows(id);
        self.open.now.extend(follows);
        true
    }

    fn settle(&mut self, id: FactId) -> bool {
        let fact = self.catalogue().fact(id);
        let known = self.cells.get(&id).and_then(|cell| cell.known);
        let plain = self.ground.plain.get(id).cloned();
        let may_miss = self.ground.may_miss(id);
        if known == Some(false) {
            self.facts.put(id, None);
            return may_miss;
        }
        if self.fits(id) || self.try_value(id, plain) {
            return true;
        }
        if known.is_none() && may_miss {
            return self.try_value(id, None);
        }
        let demands = self.cells.get(&id).map_or(&[][..], |cell| &cell.demands);
        let candidates = candidates::candidates(fact, demands);
        let all = candidates.all;
        let found = candidates.values.into_iter().any(|value| self.try_value(id, Some(value)));
        // A fact of which nothing is demanded but that it is known has any value.
        let found =
            found || (demands_nothing(&self.cells, id) && self.try_value(id, anything(fact.kind)));
        self.sure &= found || all;
        found
    }

    /// A confidence is known of exactly those conversations for which an answer was found.
    fn follows(&self, id: FactId) -> Option<Todo<'a>> {
        let Drafted { found, is_found, confidence, has_confidence } = self.ground.answer()?;
        let (found, confidence) = (*found, *confidence);
        let known = |id: FactId| self.cells.get(&id).and_then(|cell| cell.known);
        if id == found && !demands_nothing(&self.cells, id) {
            let truth = self.facts.get(id) == Some(&Value::Truth(true));
            let goal = if truth { Goal::TRUE } else { Goal::FALSE };
            return (known(confidence) != Some(truth)).then(|| Todo::new(has_confidence, goal));
        }
        if id == confidence {
            let truth = known(id).or(self.facts.get(id).map(|_| true))?;
            let goal = if truth { Goal::TRUE } else { Goal::FALSE };
            let settled = !demands_nothing(&self.cells, found)
                && self.facts.get(found) == Some(&Value::Truth(truth));
            return (!settled).then(|| Todo::new(is_found, goal));
        }
        None
    }

    fn try_value(&mut self, id: FactId, value: Option<Value>) -> bool {
        self.facts.put(id, value);
        self.fits(id)
    }

    /// Whether the value at hand satisfies what is demanded of it.
    fn fits(&mut self, id: FactId) -> bool {
        let Some(cell) = self.cells.get(&id) else { return true };
        self.looks_left = self.looks_left.saturating_sub(cell.demands.len());
        match self.facts.get(id) {
            None => self.ground.may_miss(id) && cell.known != Some(true),
            Some(value) => {
                cell.known != Some(false)
                    && self.ground.can_be(id, value)
                    && cell.demands.iter().all(|demand| {
                        let goal = if demand.holds { Goal::TRUE } else { Goal::FALSE };
                        goal.takes(demand.node.verdict(&self.facts))
                    })
            }
        }
    }

    /// Finds what the conversation at hand fails at, and the ways around it.
    fn obstacle(&mut self) -> Option<Ways<'a>> {
        for place in (0..self.open.later.len()).rev() {
            let Some(todo) = self.open.later.get(place).copied() else { continue };
            self.look(1);
            if todo.goal.takes(todo.node.verdict(&self.facts)) {
                continue;
            }
            if let Step::Ways(ways) = todo.step(self.catalogue(), &self.ground.plain) {
                self.open.later.remove(place);
                return Some(ways);
            }
        }
        let question = self.question;
        self.look(question.must_not_hold.len() + question.must_not_end.len());
        let ground = self.ground;
        let holds = |rule: &&usize| Goal::TRUE.takes(ground.condition(**rule).verdict(&self.facts));
        if let Some(rule) = question.must_not_hold.iter().find(holds) {
            self.blamed.insert(*rule);
            return Some(vec![vec![Todo::new(ground.condition(*rule), Goal::NOT_TRUE)]]);
        }
        let rule = ground.first_end(&question.must_not_end, &self.facts)?;
        self.blamed.insert(rule);
        Some(ground.ways_past(rule))
    }

    /// Finds values for a part that looks at several facts at once. None: there is no such part;
    /// else whether values were found.
    fn tangle(&mut self) -> Option<bool> {
        let fails = |todo: &&Todo<'a>| {
            !todo.goal.takes(todo.node.verdict(&self.facts)) && !self.is_free(todo.node)
        };
        let todo = *self.open.later.iter().find(fails)?;
        let mut about: Vec<FactId> = Vec::new();
        let mut texts: Vec<Value> = Vec::new();
        let mut numbers = vec![0.0, 1.0];
        todo.node.visit(&mut |node| match node {
            Node::Fact(id) | Node::Has(id) if !about.contains(id) => about.push(*id),
            Node::Number(number) => numbers.push(*number),
            Node::Text(text) => texts.push(Value::Text(text.clone())),
            _ => {}
        });
        let untied = self.untie(todo, &about, &tries(&numbers, texts));
        let follows: Vec<Todo<'a>> = about.iter().filter_map(|id| self.follows(*id)).collect();
        self.sure &= untied && follows.is_empty();
        self.open.now.extend(follows);
        Some(untied)
    }

    fn is_free(&self, node: &Node) -> bool {
        let mut free = false;
        node.visit(&mut |node| {
            free |=
                matches!(node, Node::Fact(id) | Node::Has(id) if self.question.free.contains(id));
        });
        free
    }

    fn untie(&mut self, todo: Todo<'a>, about: &[FactId], tries: &[Value]) -> bool {
        let Some((id, rest)) = about.split_first() else {
            return todo.goal.takes(todo.node.verdict(&self.facts));
        };
        let before = self.facts.get(*id).cloned();
        let n_undo = self.undo.len();
        let cell = self.cells.entry(*id).or_default();
        let (n_demands, known) = (cell.demands.len(), cell.known);
        self.undo.push(Undo { id: *id, n_demands, known, value: before.clone() });
        let kind = self.catalogue().fact(*id).kind;
        let own = candidates::candidates(
            self.catalogue().fact(*id),
            self.cells.get(id).map_or(&[][..], |cell| &cell.demands),
        );
        let own = own.values.into_iter().map(Some);
        let tried = tries.iter().filter(|value| value.kind() == kind).cloned().map(Some);
        let all: Vec<Option<Value>> = [before, None].into_iter().chain(tried).chain(own).collect();
        self.look(all.len());
        for value in all {
            self.look(1);
            if self.looks_left == 0 {
                break;
            }
            if self.try_value(*id, value) && self.untie(todo, rest, tries) {
                return true;
            }
        }
        while self.undo.len() > n_undo {
            if let Some(undo) = self.undo.pop() {
                self.facts.put(undo.id, undo.value);
            }
        }
        false
    }
}

fn demands_nothing(cells: &HashMap<FactId, Cell<'_>>, id: FactId) -> bool {
    cells.get(&id).is_none_or(|cell| cell.demands.is_empty())
}

/// Values for facts that are reckoned with: the numbers in question and what is near them.
fn tries(numbers: &[f64], texts: Vec<Value>) -> Vec<Value> {
    let near = numbers.iter().flat_map(|n| [*n, n + 1.0, n - 1.0, n * 2.0, n / 2.0, -n]);
    near.chain([100.0, 10_000.0]).map(Value::Number).chain(texts).collect()
}

fn anything(kind: Kind) -> Option<Value> {
    Some(match kind {
        Kind::Truth => Value::Truth(true),
        Kind::Number => Value::Number(1.0),
        Kind::Text => Value::text("other"),
        Kind::Texts => Value::Texts(Vec::new()),
    })
}

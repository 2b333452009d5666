use super::goal::{Goal, Todo, Ways};
use super::search::{Answer, Question, Search};
use crate::condition::{Comparison, Node};
use crate::rule::{CheckedRule, Settle};
use crate::walk::Moment;
use crate::{Effects, FactId, Facts, Known, Policy, Value};
use std::{cell::Cell, collections::HashMap};

/// Verdicts that may be looked at for one question, and for all together; then a question is left
/// undecided. A verdict takes about a twentieth of a microsecond, so that a thousand rules are
/// checked within a second whatever they are.
const LOOKS_FOR_ONE: usize = 400_000;
const LOOKS_FOR_ALL: usize = 10_000_000;
/// What a question has in any case.
const LOOKS_AT_LEAST: usize = 2_000;
/// What it takes to ask a question, in verdicts.
const LOOKS_TO_ASK: usize = 20;

/// The rules as they are searched, with the parts of conditions that the reading of rules adds.
pub(super) struct Ground<'p> {
    pub(super) policy: &'p Policy,
    /// A conversation of which nothing in particular is known.
    pub(super) plain: Facts,
    always: Node,
    owner_is_bot: Option<Node>,
    clarified: Option<Node>,
    offered: Option<Node>,
    answer: Option<Drafted>,
    may_miss: Vec<bool>,
    always_open: HashMap<FactId, usize>,
    ends: Vec<usize>,
    returns: Vec<usize>,
    looks_left: Cell<usize>,
}

/// What is known of a drafted answer, with the conditions that ask for it.
pub(super) struct Drafted {
    pub(super) found: FactId,
    pub(super) is_found: Node,
    pub(super) confidence: FactId,
    pub(super) has_confidence: Node,
}

impl<'p> Ground<'p> {
    pub(super) fn new(policy: &'p Policy) -> Self {
        let catalogue = policy.catalogue();
        let fact = |name: &str| catalogue.find(name).map(Node::Fact);
        let found = catalogue.find("answer.found");
        let answer = found.zip(catalogue.find("answer.confidence"));
        let answer = answer.map(|(found, confidence)| Drafted {
            found,
            is_found: Node::Fact(found),
            confidence,
            has_confidence: Node::Has(confidence),
        });
        let owner_is_bot = fact("conversation.owner").map(|owner| {
            Node::Compare(Comparison::Equal, Box::new([owner, Node::Text("bot".into())]))
        });
        let rules = || policy.checked().iter().enumerate();
        let places = |is: fn(&CheckedRule) -> bool| {
            rules().filter(|(_, rule)| is(rule)).map(|(place, _)| place).collect()
        };
        let always_open = policy.teams().iter().enumerate();
        let always_open = always_open.filter(|(_, team)| team.hours.is_none());
        let always_open = always_open.filter_map(|(place, team)| {
            Some((catalogue.find(&format!("open({:?})", team.slug.as_str()))?, place))
        });
        let may_miss = catalogue.facts().iter().map(|fact| match fact.known {
            Known::Always => false,
            Known::Sometimes => true,
            Known::AfterDraft => fact.name != "answer.found",
        });
        Self {
            policy,
            plain: plain(policy),
            always: Node::Truth(true),
            owner_is_bot,
            clarified: fact("conversation.clarified"),
            offered: fact("conversation.offered"),
            answer,
            may_miss: may_miss.collect(),
            always_open: always_open.collect(),
            ends: places(|rule| rule.settles.is_some() || rule.rule.stop),
            returns: places(|rule| rule.rule.then.return_to_bot),
            looks_left: Cell::new(LOOKS_FOR_ALL),
        }
    }

    pub(super) fn ask(&self, question: &Question<'_>) -> Answer {
        self.spend(LOOKS_TO_ASK);
        Search::new(self, question).run()
    }

    /// Whether all that may be looked at has been, so that only what must be known is asked.
    pub(super) fn is_spent(&self) -> bool {
        self.looks_left.get() == 0
    }

    pub(super) fn looks_for_one(&self) -> usize {
        self.looks_left.get().clamp(LOOKS_AT_LEAST, LOOKS_FOR_ONE)
    }

    pub(super) fn spend(&self, looks: usize) {
        self.looks_left.set(self.looks_left.get().saturating_sub(looks));
    }

    pub(super) fn rule(&self, place: usize) -> &'p CheckedRule {
        &self.policy.checked()[place]
    }

    pub(super) fn condition(&self, place: usize) -> &Node {
        self.rule(place).condition.as_ref().map_or(&self.always, |condition| condition.node())
    }

    /// Returns the rules that end the reading when they fire and stand above `place`.
    pub(super) fn ends_above(&self, place: usize) -> &[usize] {
        self.ends.get(..self.ends.partition_point(|end| *end < place)).unwrap_or_default()
    }

    fn returns_above(&self, place: usize) -> &[usize] {
        self.returns.get(..self.returns.partition_point(|at| *at < place)).unwrap_or_default()
    }

    pub(super) fn may_miss(&self, id: FactId) -> bool {
        self.may_miss.get(id.0).copied().unwrap_or(true)
    }

    /// Whether there is a conversation of which a fact is `value`: a team without hours is open.
    pub(super) fn can_be(&self, id: FactId, value: &Value) -> bool {
        *value != Value::Truth(false) || !self.always_open.contains_key(&id)
    }

    /// Returns the team that a fact says to be open, when it always is.
    pub(super) fn always_open(&self, id: FactId) -> Option<&'p crate::Team> {
        self.policy.teams().get(*self.always_open.get(&id)?)
    }

    pub(super) fn answer(&self) -> Option<&Drafted> {
        self.answer.as_ref()
    }

    /// Finds the first of `rules` at which the reading ends.
    pub(super) fn first_end(&self, rules: &[usize], facts: &Facts) -> Option<usize> {
        let moment = Moment::of(self.policy, facts);
        let holds = |place: usize| Goal::TRUE.takes(self.condition(place).verdict(facts));
        let ends = |place: &&usize| {
            holds(**place) && {
                let return_to_bot = self.returns_above(**place).iter().any(|rule| holds(*rule));
                let effects = Effects { return_to_bot, ..Effects::default() };
                moment.blocks(self.rule(**place), &effects).is_none()
            }
        };
        rules.iter().find(ends).copied()
    }

    /// Returns all ways in which a rule does not end the reading.
    pub(super) fn ways_past(&self, place: usize) -> Ways<'_> {
        let rule = self.rule(place);
        let mut ways = vec![vec![Todo::new(self.condition(place), Goal::NOT_TRUE)]];
        let Some(settles) = &rule.settles else { return ways };
        let once = self.once(settles).map(|done| vec![Todo::new(done, Goal::TRUE)]);
        ways.extend(once);
        if let Some(bot) = self.owner_is_bot.as_ref().filter(|_| !rule.rule.then.return_to_bot) {
            let kept = self.returns_above(place).iter();
            let kept = kept.map(|rule| Todo::new(self.condition(*rule), Goal::NOT_TRUE));
            ways.push(std::iter::once(Todo::new(bot, Goal::NOT_TRUE)).chain(kept).collect());
        }
        ways
    }

    /// Returns all ways in which a rule fires when it is read, or only those in which the bot is
    /// responsible.
    pub(super) fn ways_to(&self, place: usize, only_bot: bool) -> Ways<'_> {
        let rule = self.rule(place);
        let mut way = vec![Todo::new(self.condition(place), Goal::TRUE)];
        let once = rule.settles.as_ref().and_then(|settles| self.once(settles));
        way.extend(once.map(|done| Todo::new(done, Goal::NOT_TRUE)));
        let Some(bot) = &self.owner_is_bot else { return vec![way] };
        let with = |node, goal| way.iter().copied().chain([Todo::new(node, goal)]).collect();
        if only_bot {
            return vec![with(bot, Goal::TRUE)];
        }
        if rule.settles.is_none() || rule.rule.then.return_to_bot {
            return vec![way];
        }
        let returned = self.returns_above(place).iter();
        let returned = returned.map(|rule| with(self.condition(*rule), Goal::TRUE));
        std::iter::once(with(bot, Goal::TRUE)).chain(returned).collect()
    }

    /// Returns the way in which a rule fits what people hold, and none of `others` does.
    pub(super) fn ways_when_held(
        &self,
        place: usize,
        others: impl Iterator<Item = usize>,
    ) -> Ways<'_> {
        let fits = Todo::new(self.condition(place), Goal::TRUE);
        let held = self.owner_is_bot.as_ref().map(|bot| Todo::new(bot, Goal::NOT_TRUE));
        let others = others.map(|other| Todo::new(self.condition(other), Goal::NOT_TRUE));
        vec![std::iter::once(fits).chain(held).chain(others).collect()]
    }

    /// What is true once something was done that is done once an episode.
    fn once(&self, settles: &Settle) -> Option<&Node> {
        match settles {
            Settle::Clarify(_) => self.clarified.as_ref(),
            Settle::Offer => self.offered.as_ref(),
            _ => None,
        }
    }
}

/// A conversation of which nothing in particular is known, and for which no answer was found.
pub(super) fn plain(policy: &Policy) -> Facts {
    let mut facts = Facts::new(policy.catalogue());
    if let Some(found) = policy.catalogue().find("answer.found") {
        facts.put(found, Some(Value::Truth(false)));
    }
    facts
}

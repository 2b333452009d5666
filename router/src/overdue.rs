use crate::rule::{CheckedRule, Settle};
use crate::walk::{self, Outcome, Until, Walk};
use crate::{Act, Decision, Effects, FactId, Facts, Fired, Policy, Reason, Then, Value, judge};
use std::collections::BTreeSet;

/// The fact that changes although nobody writes.
const WAITING: &str = "conversation.waiting_minutes";

/// Decides what time alone brings about while people are responsible: `facts` are those of the
/// conversation, with the minutes that its customer has waited by now, and `fired` names the rules
/// that this function has let fire in the same episode before. None: nothing new is due, or the bot
/// is responsible, whose conversations are decided with each message.
///
/// Rules are read as they are at a message, in the same order, and only those that ask for
/// `conversation.waiting_minutes` act, each once an episode. They hand off although a person holds
/// it, and set priority, SLA, tags and attributes, call webhooks and start escalations; nothing is
/// said to the customer beside the handoff, and the bot gets nothing back. Of several that hand off
/// the highest that fits has its way, now and for as long as it fits; those below still set the
/// rest. What a higher one has set stays.
///
/// The act is [`Act::HandOff`] or [`Act::Hold`]. Whoever carries it out
/// - adds the names in [`Decision::fired`] to `fired`;
/// - keeps the teammate whom a person chose ([`crate::IllegalMove::ChosenByPerson`]), and does the
///   rest all the same;
/// - takes the priority from [`Decision::effects`], so that one that was set before stays where no
///   rule sets another.
pub fn overdue(policy: &Policy, facts: &Facts, fired: &BTreeSet<String>) -> Option<Decision> {
    let waiting = policy.catalogue().find(WAITING)?;
    if !walk::is_held(policy, facts) {
        return None;
    }
    let mut ticks = Ticks::default();
    for rule in fitting(policy, facts, waiting) {
        ticks.take(rule, fired.contains(&rule.rule.name));
    }
    let Ticks { walk, .. } = ticks;
    let first = walk.fired.first()?.rule.clone();
    let verdict = walk.settled.map(|rule| judge::by_rule(policy, facts, rule, &walk.effects));
    let verdict = verdict.filter(|(act, ..)| !has_it(policy, facts, act));
    Some(judge::decision(
        policy,
        verdict.unwrap_or_else(|| (Act::Hold, Reason::Rule(first), Vec::new())),
        walk,
    ))
}

impl Policy {
    /// Whether a rule of the desk asks for the waiting time, so that time alone can make it fit.
    pub fn minds_time(&self) -> bool {
        let waiting = self.catalogue().find(WAITING);
        let asks = |rule: &CheckedRule| waiting.is_some_and(|waiting| rule.asks(waiting));
        self.checked().iter().any(|rule| !rule.built_in() && asks(rule))
    }
}

/// Returns the rules that time makes fit, in their order.
fn fitting<'a>(policy: &'a Policy, facts: &Facts, waiting: FactId) -> Vec<&'a CheckedRule> {
    let mut fitting = Vec::new();
    walk::walk(policy, facts, Until::End, &mut |rule, outcome| {
        if rule.asks(waiting) && matches!(outcome, Outcome::Fired(_) | Outcome::Skipped(_)) {
            fitting.push(rule);
        }
    });
    fitting
}

/// What has come of the rules so far.
#[derive(Default)]
struct Ticks<'a> {
    walk: Walk<'a>,
    /// What was set in this episode before, by rules that fit still.
    before: Effects,
    /// A rule that fits hands off, now or before.
    handed_off: bool,
}

impl<'a> Ticks<'a> {
    fn take(&mut self, rule: &'a CheckedRule, has_fired: bool) {
        let name = &rule.rule.name;
        let hands_off = rule.hands_off() && !self.handed_off;
        self.handed_off |= hands_off;
        let then = by_time(&rule.rule.then, hands_off);
        if has_fired {
            self.before.take(name, &then, None);
            return;
        }
        if then == Then::default() {
            return;
        }
        let open = beside(&then, &self.before);
        let did = match open == Then::default() {
            true => format!("{then} (set before already)"),
            false => self.walk.effects.take(name, &open, None),
        };
        self.walk.fired.push(Fired { rule: name.clone(), did });
        if hands_off {
            self.walk.settled = Some(rule);
        }
    }
}

/// Returns what a rule does when time makes it fit.
fn by_time(then: &Then, hands_off: bool) -> Then {
    Then {
        hand_off: then.hand_off.clone().filter(|_| hands_off),
        teammate: then.teammate.clone().filter(|_| hands_off),
        answer: None,
        threshold: None,
        error_budget: None,
        return_to_bot: false,
        ..then.beside()
    }
}

/// Leaves out what was set before.
fn beside(then: &Then, before: &Effects) -> Then {
    let mut open = then.clone();
    open.priority = open.priority.filter(|_| before.priority.is_none());
    open.sla = open.sla.filter(|_| before.sla.is_none());
    open.attributes.retain(|name, _| !before.attributes.contains_key(name));
    open
}

/// Whether the team that a handoff leads to has the conversation in its queue already.
fn has_it(policy: &Policy, facts: &Facts, act: &Act) -> bool {
    let is = |name: &str, text: &str| {
        let value = policy.catalogue().find(name).and_then(|id| facts.get(id));
        matches!(value, Some(Value::Text(value)) if value.as_str() == text)
    };
    matches!(act, Act::HandOff { team, teammate: None, .. }
        if is("conversation.owner", "team") && is("conversation.team", team.as_str()))
}

impl CheckedRule {
    /// Whether its condition asks for a fact.
    pub(crate) fn asks(&self, id: FactId) -> bool {
        self.condition.as_ref().is_some_and(|condition| condition.reads().contains(&id))
    }

    fn hands_off(&self) -> bool {
        matches!(self.settles, Some(Settle::HandOff { .. }))
    }

    /// Whether time makes it hand off what people hold, see [`overdue`].
    pub(crate) fn hands_off_by_time(&self, policy: &Policy) -> bool {
        let waiting = policy.catalogue().find(WAITING);
        self.hands_off() && waiting.is_some_and(|waiting| self.asks(waiting))
    }
}

#[cfg(test)]
mod tests;

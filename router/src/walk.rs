use crate::rule::{CheckedRule, Settle};
use crate::{Confidence, Effects, Facts, Fired, Policy, Then, Value, Verdict, budgets::Allowance};

/// How far rules are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// To the first that cannot be told before an answer is drafted.
    NeedsDraft,
    /// To the end.
    End,
}

/// What came of reading the rules.
#[derive(Debug, Clone, Default)]
pub(crate) struct Walk<'a> {
    pub(crate) effects: Effects,
    pub(crate) fired: Vec<Fired>,
    /// The rule that settled it.
    pub(crate) settled: Option<&'a CheckedRule>,
    pub(crate) needs_draft: bool,
}

/// What became of one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It fitted; what it did, in words.
    Fired(String),
    /// Its condition does not hold.
    NotTrue,
    /// Its condition depends on something that is not known; the names of the missing facts.
    Missing(Vec<String>),
    /// Its condition holds, but what it would settle is not open: why. What it sets beside that is
    /// set all the same.
    Skipped(&'static str),
    /// A rule above it settled the conversation.
    NotRead,
}

/// Reads the rules in their order, which is the only order there is, and tells `see` what became
/// of each.
pub(crate) fn walk<'a>(
    policy: &'a Policy,
    facts: &Facts,
    until: Until,
    see: &mut impl FnMut(&'a CheckedRule, Outcome),
) -> Walk<'a> {
    let mut walk = Walk::default();
    let mut moment = Moment::of(policy, facts);
    let mut rules = policy.checked().iter();
    for rule in rules.by_ref() {
        let verdict = rule.condition.as_ref().map_or(Verdict::True, |c| c.holds(facts));
        match verdict {
            Verdict::True => {}
            Verdict::False => {
                see(rule, Outcome::NotTrue);
                continue;
            }
            Verdict::Unknown => {
                let asks_answer = rule.condition.as_ref().is_some_and(|c| c.needs_draft());
                if until == Until::NeedsDraft && asks_answer {
                    walk.needs_draft = true;
                    return walk;
                }
                see(rule, Outcome::Missing(missing(policy, rule, facts)));
                continue;
            }
        }
        let name = &rule.rule.name;
        if let Some(why) = moment.blocks(rule, &walk.effects) {
            see(rule, Outcome::Skipped(why));
            moment.stays |= moment.held && rule.built_in();
            let mut beside = rule.rule.then.beside();
            beside.return_to_bot &= !moment.stays;
            if beside != Then::default() {
                let did =
                    walk.effects.take(name, &beside, allowance(policy, facts, (name, &beside)));
                walk.fired.push(Fired { rule: name.clone(), did });
            }
            continue;
        }
        let allowed = allowance(policy, facts, (name, &rule.rule.then));
        let did = walk.effects.take(name, &rule.rule.then, allowed);
        see(rule, Outcome::Fired(did.clone()));
        walk.fired.push(Fired { rule: name.clone(), did });
        if rule.settles.is_some() {
            walk.settled = Some(rule);
        }
        if rule.settles.is_some() || rule.rule.stop {
            break;
        }
    }
    for rule in rules {
        see(rule, Outcome::NotRead);
    }
    walk
}

/// What is open to rules at the moment of reading.
pub(crate) struct Moment {
    held: bool,
    /// A built-in guard against machines and loops fits what people hold. No rule below it takes
    /// that from them, or the bot would answer machines, and pass on and get back without end.
    stays: bool,
    clarified: bool,
    offered: bool,
}

impl Moment {
    pub(crate) fn of(policy: &Policy, facts: &Facts) -> Self {
        let value = |name: &str| policy.catalogue().find(name).and_then(|id| facts.get(id));
        let is = |name: &str| matches!(value(name), Some(Value::Truth(true)));
        Self {
            held: is_held(policy, facts),
            stays: false,
            clarified: is("conversation.clarified"),
            offered: is("conversation.offered"),
        }
    }

    pub(crate) fn blocks(&self, rule: &CheckedRule, effects: &Effects) -> Option<&'static str> {
        let returns = effects.return_to_bot || rule.rule.then.return_to_bot;
        if self.stays && rule.rule.then.return_to_bot {
            return Some("a built-in rule above keeps it from the bot");
        }
        match rule.settles.as_ref()? {
            _ if self.held && !returns => Some("a person is responsible"),
            Settle::Clarify(_) if self.clarified => Some("the bot has asked in this episode"),
            Settle::Offer if self.offered => Some("the bot has offered in this episode"),
            _ => None,
        }
    }
}

/// Whether a person is responsible.
pub(crate) fn is_held(policy: &Policy, facts: &Facts) -> bool {
    let owner = policy.catalogue().find("conversation.owner").and_then(|id| facts.get(id));
    matches!(owner, Some(Value::Text(owner)) if owner.as_str() != "bot")
}

fn missing(policy: &Policy, rule: &CheckedRule, facts: &Facts) -> Vec<String> {
    let reads = rule.condition.as_ref().map_or(&[][..], |condition| condition.reads());
    let missing = reads.iter().filter(|id| facts.get(**id).is_none());
    missing.map(|id| policy.catalogue().fact(*id).name.clone()).collect()
}

/// Returns what the budget of a rule means for this conversation.
fn allowance(policy: &Policy, facts: &Facts, (rule, then): (&str, &Then)) -> Option<Allowance> {
    let topic = policy.catalogue().find("topic.name").and_then(|id| facts.get(id));
    let topic = match topic {
        Some(Value::Text(topic)) => Some(topic.as_str()),
        _ => None,
    };
    policy.allowance((rule, then.error_budget?), topic)
}

impl Effects {
    /// Takes over what a rule sets, and says what it did. What an earlier rule has set stays: the
    /// rule that stands higher has its way.
    pub(crate) fn take(&mut self, name: &str, then: &Then, allowed: Option<Allowance>) -> String {
        let mut kept: Vec<&str> = Vec::new();
        let threshold = then.threshold.and_then(Confidence::new);
        let threshold = threshold.or(allowed.map(|allowed| allowed.threshold));
        keep("answer", &mut self.answer, then.answer, &mut kept);
        keep("threshold", &mut self.threshold, threshold, &mut kept);
        keep("priority", &mut self.priority, then.priority, &mut kept);
        keep("SLA", &mut self.sla, then.sla.clone(), &mut kept);
        keep("snooze", &mut self.snooze, then.snooze, &mut kept);
        keep("ticket", &mut self.ticket, then.ticket.clone(), &mut kept);
        for (name, value) in &then.attributes {
            if self.attributes.contains_key(name) {
                kept.push(name);
            } else {
                self.attributes.insert(name.clone(), value.clone());
            }
        }
        self.tags.extend(then.tags.iter().cloned());
        if let Some(webhook) = then.webhook.as_ref().filter(|w| !self.webhooks.contains(w)) {
            self.webhooks.push(webhook.clone());
        }
        if let Some(escalate) = &then.escalate {
            self.escalations.insert(name.into(), escalate.clone());
        }
        self.return_to_bot |= then.return_to_bot;
        self.close |= then.close;
        let mut did = then.to_string();
        if let Some(Allowance { threshold, certified, raised, told: true }) = allowed {
            let ground = match (raised, certified) {
                (true, _) => "raised, as too many answers of late were wrong",
                (false, true) => "certified on cases",
                (false, false) => "not certified",
            };
            did += &format!(" (threshold {:.2}, {ground})", threshold.value());
        }
        if !kept.is_empty() {
            did += &format!(" (set above already: {})", kept.join(", "));
        }
        did
    }
}

fn keep<'k, T>(name: &'k str, place: &mut Option<T>, given: Option<T>, kept: &mut Vec<&'k str>) {
    match (place.is_some(), given) {
        (_, None) => {}
        (true, Some(_)) => kept.push(name),
        (false, given) => *place = given,
    }
}

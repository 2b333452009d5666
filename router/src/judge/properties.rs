use super::{tests::confidence, *};
use crate::policy::tests::{brief, routing};
use crate::{
    Conversation, Event, Known, Ladder, Outcome, Owner, Responsible, Routing, Status, explain,
};
use proptest::prelude::*;

const CONDITIONS: [&str; 16] = [
    "",
    "true",
    "wants_person",
    "company.arr > 100",
    "!(company.arr > 100) || customer.tier == 'gold'",
    "topic.name == 'refunds'",
    "topic.confidence > 0.4",
    "'vip' in customer.tags",
    "message.text.mentions('invoice', 'error')",
    "open('billing')",
    "shows('anger')",
    "answer.found",
    "answer.confidence < 0.5",
    "answer.confidence > 0.6 && wants_person",
    "answer.confidence > 0.6 || topic.confidence > 0.9",
    "conversation.turns > 1",
];

const CONSEQUENCES: [&str; 20] = [
    "hand_off = 'owner'",
    "hand_off = 'tech', priority = 'high'",
    "hand_off = 'billing', teammate = 'bo'",
    "teammate = 'ada'",
    "reply = 'hours'",
    "reply = 'hours', close = true",
    "reply = 'hours', snooze = '1h'",
    "clarify = 'which-plan'",
    "offer_person = true",
    "snooze = '2h'",
    "close = true",
    "ignore = true",
    "answer = 'never'",
    "answer = 'draft', tags = ['a']",
    "answer = 'allowed'",
    "threshold = 0.2",
    "error_budget = 0.02, priority = 'urgent'",
    "tags = ['b'], attributes = { a = 1 }, sla = 'slow'",
    "webhook = 'crm', escalate = { after = '1h', hand_off = 'tech' }",
    "return_to_bot = true",
];

type Written = (&'static str, &'static str, bool);

fn written() -> impl Strategy<Value = Written> {
    let conditions = prop::sample::select(&CONDITIONS[..]);
    (conditions, prop::sample::select(&CONSEQUENCES[..]), prop::bool::weighted(0.1))
}

fn policy_of(rules: &[Written], unsure: Unsure, bot_turns: u32, speaks: bool) -> Policy {
    let texts: Vec<(&str, &str)> = rules.iter().map(|(when, then, _)| (*when, *then)).collect();
    let mut all = brief(&texts);
    for (rule, (_, _, stop)) in all.iter_mut().zip(rules) {
        rule.stop = *stop;
    }
    let ladder = Ladder { unsure, bot_turns, without: Vec::new() };
    Policy::new(Routing { rules: all, ladder, speaks, ..routing() }).unwrap()
}

fn unsure() -> impl Strategy<Value = Unsure> {
    prop::sample::select(vec![Unsure::HandOff, Unsure::Offer])
}

fn policies() -> impl Strategy<Value = Policy> {
    (prop::collection::vec(written(), 0..13), unsure(), 1..9_u32, prop::bool::weighted(0.8))
        .prop_map(|(rules, unsure, bot_turns, speaks)| policy_of(&rules, unsure, bot_turns, speaks))
}

/// Numbers that choose a value for each fact, so that facts fit every policy alike.
fn draws() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 80)
}

/// Facts as the numbers choose them: about half as they are at first, the rest any that can be.
fn drawn(policy: &Policy, draws: &[u8]) -> Facts {
    const TEXTS: [&str; 4] = ["", " ", "my invoice shows an error", "gold"];
    let mut facts = Facts::new(policy.catalogue());
    let before = policy.catalogue().facts().iter().filter(|f| f.known != Known::AfterDraft);
    for (fact, draw) in before.zip(draws) {
        let (how, n) = (draw % 2, usize::from(draw / 2));
        if how == 0 {
            continue;
        }
        let value = match fact.kind {
            crate::Kind::Truth => Value::Truth(n % 2 == 0),
            crate::Kind::Number if fact.range.1 <= 1.0 => Value::Number((n % 11) as f64 / 10.0),
            crate::Kind::Number => Value::Number((n % 3) as f64 + fact.range.0.max(0.0)),
            crate::Kind::Text if fact.allowed.is_empty() => Value::text(TEXTS[n % 4]),
            crate::Kind::Text => Value::text(&fact.allowed[n % fact.allowed.len()]),
            crate::Kind::Texts => Value::Texts(vec!["vip".into()]),
        };
        facts.set(policy.catalogue(), &fact.name, value).unwrap();
    }
    facts
}

fn findings() -> impl Strategy<Value = Finding> {
    prop_oneof![
        4 => (0..=10_u8).prop_map(|n| Finding::Draft(confidence(f64::from(n) / 10.0))),
        1 => Just(Finding::Nothing),
        1 => Just(Finding::TooVague),
        1 => Just(Finding::Failed("the embedder cannot answer now".into())),
    ]
}

fn speaks(act: &Act) -> bool {
    matches!(act, Act::Reply(_) | Act::Clarify(_) | Act::Offer | Act::Resolve)
}

/// Built-in rules above those of the desk.
const N_GUARDS: usize = 3;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_decision_is_the_same_each_time_and_has_reasons_and_an_owner(policy in policies(), draws in draws(), finding in findings()) {
        let facts = drawn(&policy, &draws);
        let decision = judge(&policy, &facts, &finding);
        prop_assert_eq!(&decision, &judge(&policy.clone(), &facts.clone(), &finding));
        prop_assert!(!decision.reasons().is_empty());
        if let Responsible::Team(team) = decision.act().owner() {
            prop_assert!(policy.team(team).is_some());
        }
        if let Act::HandOff { team, teammate: Some(teammate), .. } = decision.act() {
            prop_assert!(policy.team(team).unwrap().member(teammate).is_some());
        }
        let told = decision.reasons().iter().all(|reason| !reason.to_string().is_empty());
        prop_assert!(told);
    }

    #[test]
    fn a_rule_below_never_changes_what_fires_above(rules in prop::collection::vec(written(), 0..12), below in written(), unsure in unsure(), draws in draws(), finding in findings()) {
        let old = policy_of(&rules, unsure, 3, true);
        let longer: Vec<Written> = rules.iter().copied().chain([below]).collect();
        let new = policy_of(&longer, unsure, 3, true);
        let facts = drawn(&old, &draws);
        let above = |policy: &Policy| {
            let mut steps = explain(policy, &facts, &finding).steps;
            steps.truncate(N_GUARDS + rules.len());
            steps
        };
        prop_assert_eq!(above(&old), above(&new));
        // Of a policy without built-in rules below, what fired is the beginning of what fires now.
        let (before, after) = (judge(&old, &facts, &finding), judge(&new, &facts, &finding));
        let names: Vec<String> = longer.iter().enumerate().map(|(n, _)| format!("r{}", (n + 1) * 10)).collect();
        let own = |decision: &Decision| decision.fired().iter().filter(|f| names.contains(&f.rule)).cloned().collect::<Vec<_>>();
        prop_assert!(own(&after).starts_with(&own(&before)));
        let by_own = matches!(&before.reasons()[0], Reason::Rule(name) if names.contains(name));
        prop_assert!(!by_own || before == after);
    }

    #[test]
    fn what_triage_settles_is_settled_whatever_is_found(policy in policies(), draws in draws(), findings in prop::collection::vec(findings(), 4)) {
        let facts = drawn(&policy, &draws);
        if let Some(settled) = triage(&policy, &facts) {
            for finding in findings {
                prop_assert_eq!(&settled, &judge(&policy, &facts, &finding));
            }
        }
    }

    #[test]
    fn the_bot_says_nothing_where_a_person_is_responsible_or_it_may_not(policy in policies(), draws in draws(), finding in findings()) {
        let facts = drawn(&policy, &draws);
        let decision = judge(&policy, &facts, &finding);
        let held = walk::is_held(&policy, &facts) && !decision.effects().return_to_bot;
        prop_assert!(!held || *decision.act() == Act::Hold, "{:?}", decision);
        prop_assert!(!held || !decision.effects().close && decision.effects().snooze.is_none());
        prop_assert!(policy.speaks() || !speaks(decision.act()), "{:?}", decision);
        let again = |fact| is(&policy, &facts, fact);
        prop_assert!(!(again("conversation.clarified") && matches!(decision.act(), Act::Clarify(_))));
        prop_assert!(!(again("conversation.offered") && *decision.act() == Act::Offer));
    }

    #[test]
    fn an_explanation_has_every_rule_once_in_order_and_the_same_decision(policy in policies(), draws in draws(), finding in findings()) {
        let facts = drawn(&policy, &draws);
        let explanation = explain(&policy, &facts, &finding);
        prop_assert_eq!(&explanation.decision, &judge(&policy, &facts, &finding));
        let steps: Vec<&str> = explanation.steps.iter().map(|step| step.rule.as_str()).collect();
        let rules: Vec<&str> = policy.checked().iter().map(|rule| rule.rule.name.as_str()).collect();
        prop_assert_eq!(steps, rules);
        let fired = |step: &&crate::Step| matches!(step.outcome, Outcome::Fired(_));
        let fired: Vec<&str> = explanation.steps.iter().filter(fired).map(|s| s.rule.as_str()).collect();
        let told: Vec<&str> = explanation.decision.fired().iter().map(|f| f.rule.as_str()).collect();
        prop_assert!(fired.iter().all(|rule| told.contains(rule)));
    }

    #[test]
    fn every_conversation_comes_to_people_or_an_end(policy in policies(), turns in prop::collection::vec((draws(), findings()), 40)) {
        let mut conversation = Conversation::default();
        let mut said = Said::default();
        for (draws, finding) in turns {
            conversation.apply(&Event::CustomerWrote).unwrap();
            if conversation.episode().turns == 1 {
                said = Said::default();
            }
            let mut facts = drawn(&policy, &draws);
            know(&policy, &mut facts, &conversation);
            let decision = judge(&policy, &facts, &finding);
            for event in events(&decision) {
                let moved = conversation.apply(&event);
                prop_assert_eq!(moved, Ok(()), "{:?} after {:?}", event, decision);
                said.count(&event);
            }
            prop_assert!(said.asked <= 1 && said.offered <= 1);
            prop_assert!(said.messages <= policy.ladder().bot_turns.max(1));
            let by_people = *conversation.owner() != Owner::Bot;
            if said.messages >= policy.ladder().bot_turns && *decision.act() != Act::Ignore {
                let spoke = speaks(decision.act()) || *decision.act() == Act::Hold;
                prop_assert!(by_people || spoke || conversation.status() == Status::Closed);
            }
        }
    }
}

/// What the bot has said in one episode.
#[derive(Default)]
struct Said {
    messages: u32,
    asked: u32,
    offered: u32,
}

impl Said {
    fn count(&mut self, event: &Event) {
        self.asked += u32::from(*event == Event::BotAsked);
        self.offered += u32::from(*event == Event::BotOffered);
        let wrote = matches!(event, Event::BotReplied | Event::BotAsked | Event::BotOffered);
        self.messages += u32::from(wrote);
    }
}

/// Writes down where the conversation stands.
fn know(policy: &Policy, facts: &mut Facts, conversation: &Conversation) {
    let episode = conversation.episode();
    let (owner, team) = match conversation.owner() {
        Owner::Bot => ("bot", None),
        Owner::Team(team) => ("team", Some(team)),
        Owner::Teammate { team, .. } => ("teammate", Some(team)),
    };
    let mut put = |name: &str, value: Option<Value>| {
        facts.put(policy.catalogue().find(name).unwrap(), value);
    };
    put("conversation.owner", Some(Value::text(owner)));
    put("conversation.team", team.map(|team| Value::text(team.as_str())));
    put("conversation.turns", Some(Value::Number(f64::from(episode.turns))));
    put("conversation.bot_turns", Some(Value::Number(f64::from(episode.bot_turns))));
    put("conversation.episode", Some(Value::Number(f64::from(episode.number))));
    put("conversation.clarified", Some(Value::Truth(episode.clarified)));
    put("conversation.offered", Some(Value::Truth(episode.offered)));
    put("conversation.offer_open", Some(Value::Truth(episode.offer_open)));
}

/// What happens to a conversation when a decision is carried out.
fn events(decision: &Decision) -> Vec<Event> {
    let back = decision.effects().return_to_bot.then_some(Event::HandedBack { by_person: false });
    let act = match decision.act() {
        Act::Reply(_) => Some(Event::BotReplied),
        Act::Clarify(_) => Some(Event::BotAsked),
        Act::Offer => Some(Event::BotOffered),
        Act::HandOff { team, .. } | Act::DraftOnly { team } => {
            Some(Event::HandedOff { team: team.clone(), by_person: false })
        }
        Act::Resolve => Some(Event::Closed),
        Act::Hold | Act::Ignore => None,
    };
    let rest = decision.effects().snooze.map(|_| Event::Snoozed);
    let close = decision.effects().close && *decision.act() != Act::Resolve;
    back.into_iter().chain(act).chain(rest).chain(close.then_some(Event::Closed)).collect()
}

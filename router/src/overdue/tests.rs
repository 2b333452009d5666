use super::*;
use crate::policy::tests::{brief, routing};
use crate::{Conversation, Event, IllegalMove, Routing, Slug};
use proptest::prelude::*;

fn policy(rules: &[(&str, &str)]) -> Policy {
    Policy::new(Routing { rules: brief(rules), ..routing() }).unwrap()
}

/// Facts of a conversation that somebody of a team holds.
fn held(policy: &Policy, owner: &str, team: &str, minutes: f64) -> Facts {
    let mut facts = Facts::new(policy.catalogue());
    let mut put = |name: &str, value: Value| facts.set(policy.catalogue(), name, value).unwrap();
    put("message.text", Value::text("any news?"));
    put("conversation.owner", Value::text(owner));
    if owner != "bot" {
        put("conversation.team", Value::text(team));
    }
    put("conversation.waiting_minutes", Value::Number(minutes));
    facts
}

fn names(decision: Option<&Decision>) -> Vec<String> {
    let fired = decision.map_or(&[][..], Decision::fired);
    fired.iter().map(|fired| fired.rule.clone()).collect()
}

/// Lets minutes pass, and says what happens at each tick.
fn check(policy: &Policy, owner: &str, minutes: &[f64], expected: &[&str]) {
    let mut fired = BTreeSet::new();
    let mut said = Vec::new();
    for minutes in minutes {
        let decision = overdue(policy, &held(policy, owner, "billing", *minutes), &fired);
        fired.extend(names(decision.as_ref()));
        said.push(decision.map_or("nothing".into(), |decision| summary(&decision)));
    }
    assert_eq!(said, expected);
}

fn summary(decision: &Decision) -> String {
    let did: Vec<String> =
        decision.fired().iter().map(|f| format!("{}: {}", f.rule, f.did)).collect();
    let team = decision.act().team().map_or(String::new(), |team| format!(" {team}"));
    format!("{}{team} ({})", decision.act().name(), did.join("; "))
}

#[test]
fn a_rule_about_waiting_fires_once_when_its_time_has_come() {
    let policy = policy(&[
        ("conversation.waiting_minutes >= 120", "hand_off = 'tech', priority = 'urgent'"),
        (
            "conversation.waiting_minutes >= 30",
            "priority = 'high', tags = ['slow'], webhook = 'pager'",
        ),
        ("channel == 'web'", "priority = 'low'"),
    ]);
    let expected = [
        "nothing",
        "hold (r20: priority high, tags slow, call pager)",
        "nothing",
        "handoff tech (r10: hand off to tech, priority urgent)",
        "nothing",
    ];
    check(&policy, "team", &[29.0, 30.0, 119.0, 120.0, 500.0], &expected);
    check(&policy, "teammate", &[29.0, 30.0, 119.0, 120.0, 500.0], &expected);
    check(&policy, "bot", &[500.0], &["nothing"]);
}

#[test]
fn after_a_pause_the_highest_rule_has_its_way_and_no_lower_one_takes_it_back() {
    let policy = policy(&[
        ("conversation.waiting_minutes >= 120", "hand_off = 'tech', priority = 'urgent'"),
        (
            "conversation.waiting_minutes >= 30",
            "hand_off = 'front', priority = 'high', attributes = { late = true }",
        ),
        ("conversation.waiting_minutes >= 10", "hand_off = 'front'"),
    ]);
    check(
        &policy,
        "team",
        &[130.0, 140.0],
        &[
            "handoff tech (r10: hand off to tech, priority urgent; r20: priority high, late = true (set above already: priority))",
            "nothing",
        ],
    );
    // What was urgent by a rule above does not become less by one below that fits later.
    let raised = [
        ("conversation.waiting_minutes >= 60", "priority = 'urgent'"),
        ("conversation.waiting_minutes >= 90", "priority = 'low', tags = ['very-late']"),
        ("conversation.waiting_minutes >= 99", "priority = 'low'"),
    ];
    check(
        &super::tests::policy(&raised),
        "team",
        &[60.0, 90.0, 99.0, 100.0],
        &[
            "hold (r10: priority urgent)",
            "hold (r20: tags very-late)",
            "hold (r30: priority low (set before already))",
            "nothing",
        ],
    );
}

#[test]
fn a_handoff_to_the_team_that_has_it_only_takes_it_from_a_teammate() {
    let policy = policy(&[("conversation.waiting_minutes >= 5", "hand_off = 'billing'")]);
    check(&policy, "team", &[5.0, 6.0], &["hold (r10: hand off to billing)", "nothing"]);
    check(
        &policy,
        "teammate",
        &[5.0, 6.0],
        &["handoff billing (r10: hand off to billing)", "nothing"],
    );
}

#[test]
fn time_neither_answers_nor_closes_nor_returns_anything_to_the_bot() {
    let waited = "conversation.waiting_minutes >= 5";
    for then in [
        "reply = 'hours', close = true",
        "clarify = 'which-plan'",
        "offer_person = true",
        "snooze = '1h'",
        "close = true",
        "answer = 'allowed', threshold = 0.1",
        "return_to_bot = true",
        "reply = 'hours', return_to_bot = true",
    ] {
        check(&policy(&[(waited, then)]), "team", &[9.0], &["nothing"]);
    }
    let partly = policy(&[(waited, "close = true, tags = ['a'], threshold = 0.1")]);
    check(&partly, "team", &[9.0], &["hold (r10: tags a)"]);
    // A rule that stops the reading stops it here too.
    let mut rules = brief(&[("", "tags = ['a']"), (waited, "hand_off = 'tech'")]);
    rules[0].stop = true;
    let stopped = Policy::new(Routing { rules, ..routing() }).unwrap();
    check(&stopped, "team", &[9.0], &["nothing"]);
}

#[test]
fn a_teammate_whom_a_person_chose_stays_and_the_rest_is_done() {
    let policy =
        policy(&[("conversation.waiting_minutes >= 5", "hand_off = 'tech', priority = 'high'")]);
    let slug = |name: &str| Slug::try_from(name.to_string()).unwrap();
    let mut conversation = Conversation::default();
    let (team, teammate) = (slug("billing"), slug("bo"));
    conversation.apply(&Event::CustomerWrote).unwrap();
    conversation.apply(&Event::Assigned { team, teammate, by_person: true }).unwrap();
    let decision =
        overdue(&policy, &held(&policy, "teammate", "billing", 5.0), &BTreeSet::new()).unwrap();
    let team = decision.act().team().unwrap().clone();
    let moved = conversation.apply(&Event::HandedOff { team, by_person: false });
    assert_eq!(moved, Err(IllegalMove::ChosenByPerson));
    assert_eq!(decision.effects().priority, Some(crate::Priority::High));
}

const THENS: [&str; 8] = [
    "hand_off = 'tech'",
    "hand_off = 'owner', priority = 'high'",
    "hand_off = 'billing', teammate = 'bo'",
    "reply = 'hours'",
    "priority = 'urgent', tags = ['a']",
    "attributes = { a = 1 }, sla = 'slow', webhook = 'crm'",
    "return_to_bot = true",
    "escalate = { after = '1h', hand_off = 'tech' }",
];

proptest! {
    #[test]
    fn each_rule_fires_once_whatever_the_ticks_and_people_keep_it(
        rules in prop::collection::vec((0..60_u32, prop::sample::select(&THENS[..]), any::<bool>()), 0..8),
        minutes in prop::collection::vec(0..60_u32, 1..12),
        owner in prop::sample::select(vec!["team", "teammate"]),
    ) {
        let written: Vec<(String, &str)> = rules.iter().map(|(at, then, asks)| {
            let when = if *asks { format!("conversation.waiting_minutes >= {at}") } else { "conversation.turns >= 1".into() };
            (when, *then)
        }).collect();
        let texts: Vec<(&str, &str)> = written.iter().map(|(when, then)| (when.as_str(), *then)).collect();
        let policy = policy(&texts);
        let mut fired = BTreeSet::new();
        for minutes in minutes {
            let facts = held(&policy, owner, "billing", f64::from(minutes));
            let Some(decision) = overdue(&policy, &facts, &fired) else { continue };
            prop_assert_eq!(Some(decision.clone()), overdue(&policy, &facts, &fired));
            let quiet = matches!(decision.act(), Act::HandOff { .. } | Act::Hold);
            prop_assert!(quiet, "{:?}", decision);
            let effects = decision.effects();
            prop_assert!(!effects.return_to_bot && !effects.close && effects.snooze.is_none() && effects.answer.is_none());
            prop_assert!(!decision.fired().is_empty());
            for name in names(Some(&decision)) {
                let place: usize = name[1..].parse::<usize>().unwrap() / 10 - 1;
                prop_assert!(rules[place].2 && rules[place].0 <= minutes, "{}", name);
                prop_assert!(fired.insert(name));
            }
        }
    }
}

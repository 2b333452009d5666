use super::tests::{desk, now, policy, replays, rules};
use super::*;
use crate::walk::Outcome;
use proptest::prelude::*;

/// Parts of conditions over few facts, so that rules meet often.
const PARTS: [&str; 22] = [
    "wants_person",
    "customer.tier == 'a'",
    "customer.tier in ['a', 'b']",
    "customer.tier != 'b'",
    "has(customer.tier)",
    "customer.tier.startsWith('a')",
    "time.hour >= 12",
    "time.hour < 9",
    "time.hour in [9, 12, 20]",
    "time.hour != 12",
    "sentiment == 'negative'",
    "sentiment in ['neutral', 'positive']",
    "'x' in customer.tags",
    "!('y' in customer.tags)",
    "size(customer.tags) > 1",
    "size(customer.tags) == 1",
    "conversation.owner == 'team'",
    "conversation.clarified",
    "answer.found",
    "answer.confidence > 0.5",
    "(wants_person == conversation.clarified)",
    "(wants_person ? sentiment == 'negative' : has(customer.tier))",
];

const THENS: [&str; 9] = [
    "hand_off = 'billing'",
    "hand_off = 'support'",
    "clarify = 'which'",
    "offer_person = true",
    "reply = 'hello'",
    "priority = 'high'",
    "priority = 'low'",
    "return_to_bot = true",
    "tags = ['t'] stop",
];

fn condition() -> impl Strategy<Value = String> {
    let part = prop::sample::select(PARTS.to_vec()).prop_map(String::from);
    part.prop_recursive(3, 6, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} && {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} || {b})")),
            inner.prop_map(|a| format!("!({a})")),
        ]
    })
}

fn rule_set() -> impl Strategy<Value = String> {
    let then = prop::sample::select(THENS.to_vec());
    let rule = (condition(), then).prop_map(|(when, then)| format!("{when} => {then}\n"));
    prop::collection::vec(rule, 1..7).prop_map(|rules| rules.concat())
}

/// Every conversation as far as the parts can tell.
fn conversations(policy: &Policy) -> Vec<Facts> {
    let truths = || [true, false].map(|truth| Some(Value::Truth(truth))).to_vec();
    let texts = |texts: &[&str]| texts.iter().map(|text| Some(Value::text(*text))).collect();
    let list = |list: &[&str]| Some(Value::Texts(list.iter().map(|t| (*t).to_string()).collect()));
    let mut tiers: Vec<Option<Value>> = texts(&["a", "b", "ax", "z"]);
    tiers.push(None);
    let hours = [0.0, 9.0, 10.0, 12.0, 13.0, 20.0].map(|hour| Some(Value::Number(hour)));
    let tags = [&[][..], &["x"], &["y"], &["z"], &["x", "y"], &["x", "z"], &["y", "z"]];
    let tags = tags.into_iter().chain([&["z", "w"][..], &["x", "y", "z"]]).map(list);
    let domains: Vec<(&str, Vec<Option<Value>>)> = vec![
        ("wants_person", truths()),
        ("customer.tier", tiers),
        ("time.hour", hours.to_vec()),
        ("sentiment", texts(&["negative", "neutral", "positive"])),
        ("customer.tags", tags.collect()),
        ("conversation.owner", texts(&["bot", "team", "teammate"])),
        ("conversation.clarified", truths()),
        ("conversation.offered", truths()),
        ("answer.confidence", vec![None, Some(Value::Number(0.5)), Some(Value::Number(0.9))]),
    ];
    let catalogue = policy.catalogue();
    let read = |name: &str| {
        let id = catalogue.find(name).unwrap();
        let found = catalogue.find("answer.found").unwrap();
        let guards = ["conversation.owner", "conversation.clarified", "conversation.offered"];
        guards.contains(&name)
            || policy.checked().iter().filter_map(|rule| rule.condition.as_ref()).any(|c| {
                c.reads().contains(&id) || name == "answer.confidence" && c.reads().contains(&found)
            })
    };
    let mut all = vec![ground::plain(policy)];
    for (name, values) in domains.into_iter().filter(|(name, _)| read(name)) {
        let id = catalogue.find(name).unwrap();
        let with = |facts: &Facts, value: &Option<Value>| {
            let mut facts = facts.clone();
            facts.put(id, value.clone());
            if name == "answer.confidence" {
                let found = Value::Truth(value.is_some());
                facts.put(catalogue.find("answer.found").unwrap(), Some(found));
            }
            facts
        };
        all = all
            .iter()
            .flat_map(|f| values.iter().map(|v| with(f, v)).collect::<Vec<_>>())
            .collect();
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn rules_are_unreachable_exactly_when_no_conversation_reaches_them(text in rule_set()) {
        let mut routing = desk();
        routing.rules = rules(&text);
        let policy = policy(routing);
        let ground = Ground::new(&policy);
        let reach = reach::reach(&ground);
        let mut fired = vec![false; policy.checked().len()];
        for facts in conversations(&policy) {
            let mut at = 0;
            walk::walk(&policy, &facts, Until::End, &mut |_, outcome| {
                fired[at] |= matches!(outcome, Outcome::Fired(_));
                at += 1;
            });
        }
        for (place, fired) in fired.iter().enumerate() {
            // The built-in rules ask for facts that are not tried out here.
            if !policy.checked()[place].built_in() {
                prop_assert_eq!(*fired, !reach.dead.contains(&place), "rule {}\n{}", place, text);
            }
        }
        let undecided = reach.flaws.iter().any(|flaw| flaw.what.starts_with("no example"));
        prop_assert!(!undecided, "{text}");
    }

    #[test]
    fn every_flaw_has_a_place_and_an_example_that_replays(text in rule_set()) {
        let mut routing = desk();
        routing.rules = rules(&text);
        let policy = policy(routing);
        let flaws = check(&policy, now());
        flaws.iter().for_each(|flaw| replays(&policy, flaw));
        let without = flaws.iter().find(|flaw| flaw.example.is_none());
        prop_assert!(without.is_none(), "{without:?}\n{text}");
        let without = flaws.iter().find(|flaw| flaw.line == 0 && flaw.key.is_none());
        prop_assert!(without.is_none(), "{without:?}\n{text}");
        prop_assert_eq!(flaws, check(&policy, now()));
    }

    #[test]
    fn what_is_proved_of_texts_is_true_of_every_text(
        when in texts_condition(),
        text in "[ab]{0,3}( [ab]{1,3}){0,2}",
    ) {
        let mut routing = desk();
        routing.rules = rules(&format!("{when} => priority = 'high'"));
        let policy = policy(routing);
        let ground = Ground::new(&policy);
        let place = policy.checked().iter().position(|rule| !rule.built_in()).unwrap();
        let mut facts = ground::plain(&policy);
        facts.put(policy.catalogue().find("message.text").unwrap(), Some(Value::text(text)));
        if policy.checked()[place].condition.as_ref().unwrap().holds(&facts) == crate::Verdict::True {
            prop_assert!(!reach::reach(&ground).dead.contains(&place), "{when}");
        }
    }
}

fn texts_condition() -> impl Strategy<Value = String> {
    let call = prop::sample::select(vec!["startsWith", "endsWith", "contains", "mentions"]);
    let part = prop_oneof![
        (call, "[ab ]{1,3}").prop_filter_map("no word", |(call, text)| {
            (!text.trim().is_empty()).then(|| format!("message.text.{call}('{text}')"))
        }),
        "[ab]{1,2}".prop_map(|text| format!("message.text.mentions('{text}*')")),
        (0..6u8).prop_map(|n| format!("size(message.text) < {n}")),
        "[ab]{1,3}".prop_map(|text| format!("message.text == '{text}'")),
    ];
    let part = (part, any::<bool>()).prop_map(|(p, no)| if no { format!("!({p})") } else { p });
    prop::collection::vec(part, 1..5).prop_map(|parts| parts.join(" && "))
}

use super::{tests::catalogue, *};
use crate::Value;
use cel::{Context, Program};
use proptest::prelude::*;
use std::collections::HashMap;

/// A name of a fact, and values for it that meet one another often.
struct Ask {
    name: &'static str,
    values: fn() -> BoxedStrategy<Option<Value>>,
}

const NUMBERS: [Ask; 3] = [
    Ask { name: "company.arr", values: || number().boxed() },
    Ask { name: "company.seats", values: || number().boxed() },
    Ask { name: "company.health_score", values: || number().boxed() },
];
const TEXTS: [Ask; 3] = [
    Ask { name: "customer.tier", values: || text().boxed() },
    Ask { name: "customer.plan", values: || text().boxed() },
    Ask { name: "channel", values: || text().boxed() },
];
const LISTS: [Ask; 2] = [
    Ask { name: "customer.tags", values: || list().boxed() },
    Ask { name: "company.products", values: || list().boxed() },
];
const TRUTHS: [Ask; 2] = [
    Ask { name: "customer.vip", values: || truth().boxed() },
    Ask { name: "wants_person", values: || truth().boxed() },
];

const WORDS: [&str; 5] = ["a", "ab", "b", "gold", "ü😀"];

fn number() -> impl Strategy<Value = Option<Value>> {
    prop::option::weighted(0.8, (-3..4_i8).prop_map(|n| Value::Number(f64::from(n) / 2.0)))
}

fn text() -> impl Strategy<Value = Option<Value>> {
    prop::option::weighted(0.8, prop::sample::select(&WORDS[..]).prop_map(Value::text))
}

fn list() -> impl Strategy<Value = Option<Value>> {
    let texts = prop::collection::vec(prop::sample::select(&WORDS[..]), 0..3);
    let texts = texts.prop_map(|texts| texts.into_iter().map(String::from).collect());
    prop::option::weighted(0.8, texts.prop_map(Value::Texts))
}

fn truth() -> impl Strategy<Value = Option<Value>> {
    prop::option::weighted(0.8, any::<bool>().prop_map(Value::Truth))
}

/// Some facts, others missing, in one go for both evaluators.
fn known() -> impl Strategy<Value = Vec<(&'static str, Option<Value>)>> {
    let asks = NUMBERS.iter().chain(&TEXTS).chain(&LISTS).chain(&TRUTHS);
    asks.map(|ask| (Just(ask.name), (ask.values)())).collect::<Vec<_>>()
}

fn names(asks: &'static [Ask]) -> impl Strategy<Value = String> + Clone {
    let names: Vec<&str> = asks.iter().map(|ask| ask.name).collect();
    prop::sample::select(names).prop_map(String::from)
}

fn joined(items: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    prop::collection::vec(items, 1..4).prop_map(|items| format!("[{}]", items.join(", ")))
}

/// Numbers. Whole ones are written as decimals, as all numbers of conditions are; nothing is
/// divided by what can be zero, because decimals divided by zero are infinite in the language and
/// unknown in conditions; a minus stands before facts alone, because 0 is written without one.
fn numbers() -> impl Strategy<Value = String> + Clone {
    let literal = (0..4_u8).prop_map(|n| format!("{:.1}", f64::from(n) / 2.0));
    let leaf = prop_oneof![3 => names(&NUMBERS), 2 => literal, 1 => names(&NUMBERS).prop_map(|n| format!("-{n}"))];
    leaf.prop_recursive(2, 6, 2, |inner| {
        let sign = prop::sample::select(vec!["+", "-", "*"]);
        prop_oneof![
            (inner.clone(), sign, inner.clone())
                .prop_map(|(a, sign, b)| format!("({a} {sign} {b})")),
            inner.prop_map(|a| format!("({a} / 2.0)")),
        ]
    })
}

fn texts() -> impl Strategy<Value = String> + Clone {
    prop_oneof![3 => names(&TEXTS), 1 => literal()]
}

fn literal() -> impl Strategy<Value = String> + Clone {
    prop::sample::select(&WORDS[..]).prop_map(|word| format!("\"{word}\""))
}

fn truths() -> impl Strategy<Value = String> {
    let order = prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
    let same = prop::sample::select(vec!["==", "!="]);
    let call = prop::sample::select(vec!["contains", "startsWith", "endsWith"]);
    let pattern = prop::sample::select(vec!["^a", "b$", "[üg]", "a|b", ""]);
    let presence = prop::sample::select(vec!["company.arr", "customer.tier", "customer.vip"]);
    let decimals = (0..4_u8).prop_map(|n| format!("{:.1}", f64::from(n) / 2.0));
    let sized = prop_oneof![texts(), names(&LISTS)];
    let leaf = prop_oneof![
        1 => any::<bool>().prop_map(|truth| truth.to_string()),
        2 => names(&TRUTHS),
        3 => (numbers(), order.clone(), numbers()).prop_map(|(a, sign, b)| format!("{a} {sign} {b}")),
        2 => (texts(), same.clone(), texts()).prop_map(|(a, sign, b)| format!("{a} {sign} {b}")),
        1 => (names(&LISTS), same, joined(literal())).prop_map(|(a, sign, b)| format!("{a} {sign} {b}")),
        1 => (texts(), names(&LISTS)).prop_map(|(a, b)| format!("{a} in {b}")),
        1 => (texts(), joined(literal())).prop_map(|(a, b)| format!("{a} in {b}")),
        1 => (numbers(), joined(decimals)).prop_map(|(a, b)| format!("{a} in {b}")),
        2 => (texts(), call, texts()).prop_map(|(a, call, b)| format!("{a}.{call}({b})")),
        1 => (texts(), pattern).prop_map(|(a, pattern)| format!("{a}.matches(\"{pattern}\")")),
        1 => (sized, order, 0..3_u8).prop_map(|(a, sign, n)| format!("size({a}) {sign} {n}")),
        1 => presence.prop_map(|name| format!("has({name})")),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let three = (inner.clone(), inner.clone(), inner.clone());
        prop_oneof![
            3 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) && ({b})")),
            3 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) || ({b})")),
            2 => inner.prop_map(|a| format!("!({a})")),
            1 => three.prop_map(|(a, b, c)| format!("(({a}) ? ({b}) : ({c}))")),
        ]
    })
}

/// What the language's own interpreter says; its errors are what is unknown here.
fn reference(source: &str, known: &[(&str, Option<Value>)]) -> Verdict {
    let mut roots: HashMap<&str, HashMap<String, cel::Value>> =
        HashMap::from([("customer", HashMap::new()), ("company", HashMap::new())]);
    let mut context = Context::default();
    for (name, value) in known {
        let Some(value) = value else { continue };
        let value: cel::Value = match value {
            Value::Truth(truth) => (*truth).into(),
            Value::Number(number) => (*number).into(),
            Value::Text(text) => text.as_str().into(),
            Value::Texts(texts) => texts.clone().into(),
        };
        match name.split_once('.') {
            Some((root, field)) => drop(roots.get_mut(root).unwrap().insert(field.into(), value)),
            None => context.add_variable_from_value(*name, value),
        }
    }
    for (root, fields) in roots {
        context.add_variable_from_value(root, fields);
    }
    context
        .add_function(
            "matches",
            |cel::extractors::This(text): cel::extractors::This<std::sync::Arc<String>>,
             pattern: std::sync::Arc<String>| {
                regex::Regex::new(&pattern).unwrap().is_match(&text)
            },
        )
        .unwrap();
    match Program::compile(source).unwrap().execute(&context) {
        Ok(cel::Value::Bool(true)) => Verdict::True,
        Ok(cel::Value::Bool(false)) => Verdict::False,
        Ok(other) => panic!("{source} comes to {other:?}"),
        Err(_) => Verdict::Unknown,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn conditions_hold_as_the_language_has_it(source in truths(), known in known()) {
        let condition = Condition::new(&source, &catalogue());
        let condition = condition.map_err(|error| TestCaseError::fail(format!("{source}: {error}")))?;
        let mut facts = Facts::new(&catalogue());
        for (name, value) in &known {
            facts.put(catalogue().find(name).unwrap(), value.clone());
        }
        prop_assert_eq!(condition.holds(&facts), reference(&source, &known), "{}", source);
    }

    #[test]
    fn learning_a_fact_never_turns_a_verdict_over(source in truths().prop_filter("has() tells what is missing", |s| !s.contains("has(")), known in known(), known_of in any::<prop::sample::Index>()) {
        let condition = Condition::new(&source, &catalogue()).unwrap();
        let mut facts = Facts::new(&catalogue());
        for (name, value) in &known {
            facts.put(catalogue().find(name).unwrap(), value.clone());
        }
        let after = condition.holds(&facts);
        facts.put(catalogue().find(known_of.get(&known).0).unwrap(), None);
        let before = condition.holds(&facts);
        prop_assert!(before == Verdict::Unknown || before == after, "{}", source);
    }

    #[test]
    fn no_text_makes_the_reader_panic(source in "\\PC{0,60}|[\\[\\](){}a-z.&|!<>=+*/?:,\"'0-9 \\\\\n-]{0,120}") {
        let _ = Condition::new(&source, &catalogue());
    }

    #[test]
    fn no_slip_in_a_condition_makes_the_reader_panic(source in truths(), slips in prop::collection::vec((any::<prop::sample::Index>(), "\\PC|[()\\[\\]\"'.&|?:]", any::<bool>()), 1..4)) {
        let mut letters: Vec<String> = source.chars().map(String::from).collect();
        for (place, letter, instead) in slips {
            let place = place.index(letters.len());
            if instead { letters[place] = letter } else { letters.insert(place, letter) }
        }
        let source = letters.concat();
        match Condition::new(&source, &catalogue()) {
            Ok(condition) => drop(condition.holds(&Facts::new(&catalogue()))),
            Err(error) => {
                let line = source.split('\n').nth(error.line - 1);
                let within = line.is_some_and(|line| error.column <= line.chars().count() + 1);
                prop_assert!(within, "{}:{} of {}", error.line, error.column, source);
            }
        }
    }
}

use super::*;
use proptest::prelude::*;
use serde::Deserialize;
use std::sync::LazyLock;

static DETECTOR: LazyLock<SignalDetector> = LazyLock::new(|| SignalDetector::new(&[]).unwrap());

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Phrasings {
    shows: Vec<String>,
    shows_not: Vec<String>,
}

#[test]
fn every_signal_is_shown_by_its_phrasings_and_not_by_near_misses() {
    let text = include_str!("phrasings.toml");
    let all: BTreeMap<String, Phrasings> = toml::from_str(text).unwrap();
    assert!(all.keys().map(String::as_str).eq(names()));
    let mut wrong = Vec::new();
    for (name, phrasings) in &all {
        assert!(phrasings.shows.len() >= 15 && phrasings.shows_not.len() >= 15, "{name}");
        let shown = phrasings.shows.iter().map(|message| (message, true));
        let not = phrasings.shows_not.iter().map(|message| (message, false));
        for (message, expected) in shown.chain(not) {
            let signals = DETECTOR.read(&[message]);
            let confidence = signals.get(name);
            if (confidence >= 0.5) != expected {
                let why = signals.why(name).unwrap_or_default();
                wrong.push(format!("{name} {confidence} by {why:?}: {message:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn config(toml: &str) -> SignalConfig {
    toml::from_str(toml).unwrap()
}

#[test]
fn a_support_lead_adds_phrases_exceptions_and_signals_of_her_own() {
    let extra = [
        config("name = 'wants_person'\nphrases = ['get me the captain']\nconfidence = 0.8"),
        config("name = 'wants_person'\nnot_phrases = ['captain role', 'robot arm']"),
        config("name = 'churn'\nphrases = ['switch* to a competitor', 'leaving you']"),
        config("name = 'praise'\nexamples = ['you are great']"),
    ];
    let detector = SignalDetector::new(&extra).unwrap();
    let check = |message: &str, name: &str, expected: f64| {
        let found = detector.read(&[message]).get(name);
        assert!((found - expected).abs() < 1e-9, "{message}: {found}");
    };
    check("Get me the CAPTAIN!", "wants_person", 0.8);
    check("get me the captain role", "wants_person", 0.0);
    check("get me the captain. We need a captain role", "wants_person", 0.8);
    check("I want to talk to a human about the robot arm", "wants_person", 0.0);
    check("I want to talk to a human", "wants_person", 0.95);
    check("We are leaving you", "churn", 0.9);
    check("We stay", "churn", 0.0);
}

#[test]
fn faults_of_a_configuration_are_named() {
    let check = |toml: &str, expected: &str| {
        let errors = SignalDetector::new(&[config(toml)]).unwrap_err();
        let told: Vec<String> = errors
            .iter()
            .map(|(at, error)| {
                let crate::At::Key(key) = at else { unreachable!("signals have keys") };
                format!("{key}: {error}")
            })
            .collect();
        assert_eq!(told, [expected]);
    };
    check(
        "name = 'Anger!'\nphrases = ['x']",
        "signal.0.name: signal \"Anger!\" is no name; use lower-case letters and _",
    );
    check(
        "name = 'anger'\nphrases = ['x']\nconfidence = 1.5",
        "signal.0.confidence: signal \"anger\" has confidence 1.5; set it between 0 and 1",
    );
    check(
        "name = 'anger'\nphrases = ['x', ' * ']",
        "signal.0.phrases: signal \"anger\" has phrase \" * \", which holds no word; delete it",
    );
    check(
        "name = 'anger'",
        "signal.0.name: signal \"anger\" has neither phrases nor examples; add some or delete it",
    );
    let several =
        [config("name = 'A'\nphrases = ['x']"), config("name = 'b'\nnot_phrases = ['*']")];
    assert_eq!(SignalDetector::new(&several).unwrap_err().len(), 2);
    assert!(toml::from_str::<SignalConfig>("name = 'anger'\nphrase = ['x']").is_err());
}

#[test]
fn a_signal_names_the_words_that_showed_it() {
    let signals = DETECTOR.read(&["The app won't start. Please, I'd like to TALK to a human!"]);
    assert_eq!(signals.why("wants_person"), Some("I'd like to TALK to a human"));
    assert_eq!((signals.why("anger"), signals.get("anger")), (None, 0.0));
}

#[test]
fn only_the_last_turn_speaks_and_the_others_count_for_repetition() {
    let turns = ["I want to talk to a human", "where is my refund", "my refund, where is it?"];
    let signals = DETECTOR.read(&turns);
    let found: Vec<(&str, f64)> = signals.iter().collect();
    assert_eq!(found, [("repetition", 0.35)]);
    assert_eq!(DETECTOR.read(&[]), Signals::default());
}

#[test]
fn the_greatest_opinion_stands() {
    let mut signals = Signals::default();
    for (confidence, expected) in [(0.4, 0.4), (0.2, 0.4), (f64::NAN, 0.4), (7.0, 1.0), (-1.0, 1.0)]
    {
        signals.record("anger", confidence);
        assert!((signals.get("anger") - expected).abs() < 1e-9, "{confidence}");
    }
}

#[test]
fn sentiment_follows_from_signals() {
    let check = |message: &str, expected: Sentiment| {
        assert_eq!(DETECTOR.read(&[message]).sentiment(), expected, "{message}");
    };
    check("this is ridiculous", Sentiment::Negative);
    check("how do I export?", Sentiment::Neutral);
    check("perfect, thank you", Sentiment::Positive);
}

#[test]
fn a_message_of_many_kilobytes_is_read_in_part() {
    let long = "I want to talk to a human resources manager who is not there. ".repeat(20_000);
    assert!(DETECTOR.read(&[&long]).get("wants_person") < 0.99);
    let end = format!("{}. I want to talk to a human", "word ".repeat(20_000));
    assert!(DETECTOR.read(&[&end]).get("wants_person") > 0.9);
}

/// Words that patterns are made of, so that random messages come near them.
fn messages() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "i",
        "want",
        "dont",
        "to",
        "talk",
        "a",
        "human",
        "person",
        "agent",
        "please",
        "thanks",
        ".",
        "but",
        "ignore",
        "all",
        "previous",
        "instructions",
        "you",
        "are",
        "useless",
        "lawyer",
        "my",
        "refund",
        "😡",
        "É",
        "?!",
        "\n",
        "kill",
        "myself",
        "customer",
        "not",
        "seo",
        "out of office",
    ]);
    prop_oneof![any::<String>(), prop::collection::vec(words, 0..30).prop_map(|w| w.join(" "))]
}

proptest! {
    #[test]
    fn any_text_is_read_alike_every_time_and_shows_probabilities(
        turns in prop::collection::vec(messages(), 0..5),
    ) {
        let turns: Vec<&str> = turns.iter().map(String::as_str).collect();
        let signals = DETECTOR.read(&turns);
        prop_assert_eq!(&signals, &DETECTOR.read(&turns));
        for (name, confidence) in signals.iter() {
            prop_assert!((0.0..=1.0).contains(&confidence), "{} {}", name, confidence);
        }
    }

    #[test]
    fn a_configured_signal_lowers_no_other(message in messages(), refunds in any::<bool>()) {
        static EXTENDED: LazyLock<SignalDetector> = LazyLock::new(|| {
            let own = "name = 'own'\nphrases = ['refund*', 'agent', 'you']\nnot_phrases = ['my']";
            let anger = "name = 'anger'\nphrases = ['human']\nnot_phrases = ['useless']";
            SignalDetector::new(&[config(own), config(anger)]).unwrap()
        });
        let message = if refunds { format!("{message} refunds") } else { message };
        let (plain, more) = (DETECTOR.read(&[&message]), EXTENDED.read(&[&message]));
        for (name, confidence) in plain.iter().filter(|(name, _)| *name != "anger") {
            prop_assert!(more.get(name) >= confidence, "{}", name);
        }
    }
}

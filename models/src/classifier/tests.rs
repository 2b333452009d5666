use super::*;
use crate::{Embedder, HashedEmbedder};
use proptest::prelude::*;

const ROWS: [(&str, &str); 24] = [
    ("refund", "I want my money back"),
    ("refund", "how do I get a refund"),
    ("refund", "please refund my order"),
    ("refund", "return the money you charged"),
    ("refund", "can you give me a refund for last month"),
    ("refund", "money back please"),
    ("password", "I forgot my password"),
    ("password", "reset my password"),
    ("password", "the password link does not work"),
    ("password", "cannot log in with my password"),
    ("password", "how do I change the password"),
    ("password", "new password please"),
    ("delivery", "where is my parcel"),
    ("delivery", "my parcel has not arrived"),
    ("delivery", "track the delivery of my parcel"),
    ("delivery", "when will the delivery come"),
    ("delivery", "the parcel is late"),
    ("delivery", "delivery to another address"),
    ("invoice", "send me the invoice"),
    ("invoice", "the invoice has the wrong name"),
    ("invoice", "I need an invoice with VAT"),
    ("invoice", "where do I find invoices"),
    ("invoice", "download the invoice as PDF"),
    ("invoice", "invoice for March"),
];

/// A text with its vector and its topic.
type Row<'a> = (&'a str, Embedding, Option<&'a str>);

fn vectors(texts: &[&str]) -> Vec<Embedding> {
    let texts: Vec<String> = texts.iter().map(|text| text.to_string()).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(HashedEmbedder.embed(&texts)).unwrap()
}

fn rows<'a>(pairs: &[(&'a str, &'a str)]) -> Vec<Row<'a>> {
    let texts: Vec<&str> = pairs.iter().map(|(_, text)| *text).collect();
    let rows = pairs.iter().zip(vectors(&texts));
    rows.map(|((label, text), vector)| (*text, vector, Some(*label).filter(|l| *l != "-")))
        .collect()
}

fn train(rows: &[Row<'_>]) -> Result<Classifier, Error> {
    let examples: Vec<Example<'_>> =
        rows.iter().map(|(text, vector, label)| Example { text, vector, label: *label }).collect();
    Classifier::train(&examples, &TrainOptions::new("hashed-1"))
}

#[test]
fn a_text_gets_its_topic_and_chatter_gets_none() {
    let classifier = train(&rows(&ROWS)).unwrap();
    let check = |text: &str, expected: Option<&str>| {
        let [vector] = vectors(&[text]).try_into().unwrap();
        let found = classifier.classify(text, &vector);
        assert_eq!(found.label, expected, "{text}: {found:?}");
    };
    check("refund my money", Some("refund"));
    check("I have forgotten the password", Some("password"));
    check("parcel not arrived yet", Some("delivery"));
    check("the invoices for April", Some("invoice"));
    check("zebra kwijibo flumox", None);
    check("", None);
    let learnt = classifier.learnt();
    assert_eq!((learnt.n_topics, learnt.n_examples, learnt.n_none), (4, 24, 0));
    assert!(learnt.accuracy.is_some() && learnt.none_recall.is_some());
}

#[test]
fn one_example_a_topic_is_enough_and_one_topic_too() {
    let one_each: Vec<(&str, &str)> = ROWS.iter().step_by(6).copied().collect();
    let classifier = train(&rows(&one_each)).unwrap();
    for (label, text) in &one_each {
        let [vector] = vectors(&[text]).try_into().unwrap();
        assert_eq!(classifier.classify(text, &vector).label, Some(*label));
    }
    assert_eq!(classifier.learnt().accuracy, None);
    let one_topic = train(&rows(&ROWS[..6])).unwrap();
    let at = |text: &str| {
        let [vector] = vectors(&[text]).try_into().unwrap();
        one_topic.classify(text, &vector).label.map(str::to_string)
    };
    assert_eq!(at("please refund my order"), Some("refund".into()));
    assert_eq!(at("zebra kwijibo flumox"), None);
}

#[test]
fn examples_of_none_are_learnt() {
    let mut pairs = ROWS.to_vec();
    pairs.extend([("-", "hello"), ("-", "what a nice day"), ("-", "are you a robot")]);
    let classifier = train(&rows(&pairs)).unwrap();
    assert_eq!(classifier.learnt().n_none, 3);
    assert_eq!(classifier.topics().len(), 4);
}

#[test]
fn one_topic_is_told_from_counter_examples() {
    let pairs: Vec<(&str, &str)> = ROWS
        .iter()
        .filter(|(label, _)| ["refund", "password"].contains(label))
        .map(|(label, text)| (if *label == "refund" { "refund" } else { "-" }, *text))
        .collect();
    let classifier = train(&rows(&pairs)).unwrap();
    let (accuracy, n) = classifier.learnt().accuracy.unwrap();
    assert!(accuracy > 0.7 && n == 6, "{:?}", classifier.learnt());
    assert!(classifier.learnt().none_recall.unwrap().0 > 0.7, "{:?}", classifier.learnt());
    let texts = ["give me my money back, a refund", "my password is wrong, I need a new one"];
    let found: Vec<bool> = texts
        .iter()
        .zip(vectors(&texts))
        .map(|(text, vector)| classifier.classify(text, &vector).label.is_some())
        .collect();
    assert_eq!(found, [true, false]);
}

#[test]
fn what_cannot_be_learnt_is_refused() {
    let check = |rows: &[Row<'_>], said: &str| {
        let error = train(rows).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    };
    check(&[], "no example with a topic");
    check(&rows(&[("-", "hello")]), "no example with a topic");
    let mut odd = rows(&ROWS);
    odd.push(("x", Embedding::new(vec![1.0, 2.0]).unwrap(), Some("refund")));
    check(&odd, "vectors of 256 and of 2 numbers");
    let examples = rows(&ROWS);
    let example = Example { text: examples[0].0, vector: &examples[0].1, label: examples[0].2 };
    for none_share in [0.0, 1.0, f64::NAN] {
        let options = TrainOptions { none_share, ..TrainOptions::new("hashed-1") };
        assert!(Classifier::train(&[example], &options).is_err(), "{none_share}");
    }
}

#[test]
fn a_vector_of_another_length_is_about_nothing() {
    let classifier = train(&rows(&ROWS)).unwrap();
    let found = classifier.classify("refund", &Embedding::new(vec![1.0]).unwrap());
    assert_eq!((found.label, found.none, found.ranked.len()), (None, 1.0, 4));
}

#[test]
fn a_file_gives_back_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("topics.model");
    let classifier = train(&rows(&ROWS)).unwrap();
    let n_bytes = classifier.write(&path).unwrap();
    assert_eq!(n_bytes as u64, std::fs::metadata(&path).unwrap().len());
    assert_eq!(Classifier::read(&path, "hashed-1").unwrap(), classifier);
    let message = |path: &std::path::Path, embedder: &str| {
        Classifier::read(path, embedder).unwrap_err().to_string()
    };
    let other = message(&path, "minilm");
    assert!(other.contains("\"hashed-1\", not for \"minilm\"; train it again"), "{other}");
    assert!(message(&folder.path().join("absent"), "x").contains("frontdesk topics train"));
}

#[test]
fn damage_anywhere_is_noticed() {
    let classifier = train(&rows(&ROWS)).unwrap();
    let bytes = classifier.to_bytes().unwrap();
    for at in (0..bytes.len()).step_by(bytes.len() / 300).chain([bytes.len() - 1]) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x10;
        assert!(Classifier::from_bytes(&damaged).is_err(), "byte {at}");
        assert!(Classifier::from_bytes(&bytes[..at]).is_err(), "cut at {at}");
    }
    assert!(Classifier::from_bytes(b"").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn the_order_of_the_examples_does_not_matter(order in Just((0..24).collect::<Vec<usize>>()).prop_shuffle(), n in 1_usize..24) {
        let all = rows(&ROWS);
        let picked: Vec<Row<'_>> = order.iter().take(n).map(|i| all[*i].clone()).collect();
        let mut turned = picked.clone();
        turned.reverse();
        prop_assert_eq!(train(&picked).unwrap(), train(&turned).unwrap());
    }

    #[test]
    fn probabilities_sum_to_one_and_the_first_is_the_label(text in ".{0,60}", n in 1_usize..24) {
        let classifier = train(&rows(&ROWS[..n])).unwrap();
        let [vector] = vectors(&[&text]).try_into().unwrap();
        let found = classifier.classify(&text, &vector);
        let sum = found.none + found.ranked.iter().map(|(_, p)| p).sum::<f64>();
        prop_assert!((sum - 1.0).abs() < 1e-5, "{}", sum);
        prop_assert!(found.ranked.windows(2).all(|pair| pair[0].1 >= pair[1].1));
        prop_assert!(found.label.is_none_or(|label| label == found.ranked[0].0));
        let of_label = if found.label.is_some() { found.ranked[0].1 } else { found.none };
        prop_assert_eq!(found.confidence, of_label);
    }
}

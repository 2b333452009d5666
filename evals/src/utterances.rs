//! What is a message with a known topic, and which of them are learnt from?

use crate::{
    fault::{Fault, Listed, N_PROBLEMS_SHOWN, Problem, optional_text, parse_object},
    interval::below,
    split::{Split, parse_split},
};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use std::{
    collections::{BTreeMap, HashSet},
    io,
    path::{Path, PathBuf},
};

/// A message of a customer with the topic that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Utterance {
    /// What was written.
    pub text: String,
    /// Its topic; `None` where it is about none of the topics.
    pub topic: Option<String>,
    /// What it is for, where its file says so.
    pub split: Option<Split>,
    /// The file that it was read from, as it was named, and the line, from 1.
    pub place: (PathBuf, usize),
}

/// Utterances could not be read, or cannot be used as asked.
#[derive(Debug, thiserror::Error)]
pub enum UtterancesError {
    /// A file cannot be read at all.
    #[error("{}: cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file holds no utterance.
    #[error("{}: holds no utterance; write one JSON object a line", .0.display())]
    Empty(PathBuf),
    /// Lines are not utterances; shows at most 20 of them.
    #[error("{}", Listed { problems, n_more: *n_more })]
    Bad {
        /// The first of them, in the order of files and lines.
        problems: Vec<Problem>,
        /// Number of bad lines beyond those.
        n_more: usize,
    },
    /// Nothing is left to learn from.
    #[error("no utterance is left to learn from: all are marked \"split\": \"test\"; add others")]
    NothingToLearn,
    /// What would be measured was learnt.
    #[error(
        "{}:{line} would be learnt and measured; mark utterances with \"split\": \"train\" or \"test\", name different files, or draw some with --shots and measure on the rest",
        path.display()
    )]
    Overlap {
        /// The file of the first such utterance.
        path: PathBuf,
        /// Its line.
        line: usize,
    },
    /// Nothing is left to measure on.
    #[error("no utterance is left to measure on: all were drawn to learn from; draw fewer")]
    NothingToMeasure,
}

/// Reads files of utterances (JSON Lines, UTF-8): `{"text", "topic", "split"}`, where `topic` is a
/// name or null and `split`, if it is there, `train`, `val` or `test`. `utterance` and `intent` are
/// read as `text` and `topic`. Empty lines and unknown fields are tolerated.
///
/// # Errors
/// [`UtterancesError::Unreadable`] or [`UtterancesError::Empty`] for the first such file, else
/// [`UtterancesError::Bad`].
pub fn read_utterances(paths: &[PathBuf]) -> Result<Vec<Utterance>, UtterancesError> {
    let (mut utterances, mut problems, mut n_bad) = (Vec::new(), Vec::new(), 0);
    for path in paths {
        let bytes = std::fs::read(path)
            .map_err(|source| UtterancesError::Unreadable { path: path.clone(), source })?;
        let bytes = bytes.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(&bytes);
        let mut n_lines = 0;
        for (i, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            if line.trim_ascii().is_empty() {
                continue;
            }
            n_lines += 1;
            match parse(line, (path, i + 1)) {
                Ok(utterance) => utterances.push(utterance),
                Err(Fault { field, what, mend }) => {
                    n_bad += 1;
                    if problems.len() < N_PROBLEMS_SHOWN {
                        let path = path.clone();
                        problems.push(Problem { path, line: i + 1, field, what, mend });
                    }
                }
            }
        }
        if n_lines == 0 {
            return Err(UtterancesError::Empty(path.clone()));
        }
    }
    if n_bad > 0 {
        let n_more = n_bad - problems.len();
        return Err(UtterancesError::Bad { problems, n_more });
    }
    Ok(utterances)
}

/// Chooses what is learnt from: utterances that are not marked as test. With `n_shots`, so many of
/// each topic, and of none, are drawn by `seed`; topics that have fewer give all.
///
/// # Errors
/// [`UtterancesError::NothingToLearn`].
pub fn choose_lessons(
    mut utterances: Vec<Utterance>,
    n_shots: Option<usize>,
    seed: u64,
) -> Result<Vec<Utterance>, UtterancesError> {
    utterances.retain(|utterance| utterance.split != Some(Split::Test));
    if utterances.is_empty() {
        return Err(UtterancesError::NothingToLearn);
    }
    let Some(n_shots) = n_shots else { return Ok(utterances) };
    let mut of_topic: BTreeMap<Option<String>, Vec<Utterance>> = BTreeMap::new();
    for utterance in utterances {
        of_topic.entry(utterance.topic.clone()).or_default().push(utterance);
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut drawn = Vec::new();
    for mut all in of_topic.into_values() {
        for _ in 0..n_shots.min(all.len()) {
            drawn.push(all.swap_remove(below(all.len(), &mut random)));
        }
    }
    Ok(drawn)
}

/// Chooses what is measured on: the utterances marked as test, or all where none is marked. Those
/// of `drawn` are left out when they were drawn as shots.
///
/// # Errors
/// [`UtterancesError::Overlap`] when one was learnt without having been drawn,
/// [`UtterancesError::NothingToMeasure`].
pub fn choose_questions(
    mut utterances: Vec<Utterance>,
    learnt: &[Utterance],
    are_shots: bool,
) -> Result<Vec<Utterance>, UtterancesError> {
    if utterances.iter().any(|utterance| utterance.split == Some(Split::Test)) {
        utterances.retain(|utterance| utterance.split == Some(Split::Test));
    }
    let key = |utterance: &Utterance| {
        let (path, line) = &utterance.place;
        (path.canonicalize().unwrap_or_else(|_| path.clone()), *line)
    };
    let learnt: HashSet<(PathBuf, usize)> = learnt.iter().map(key).collect();
    let is_learnt = |utterance: &Utterance| learnt.contains(&key(utterance));
    match utterances.iter().find(|utterance| is_learnt(utterance)) {
        Some(_) if are_shots => utterances.retain(|utterance| !is_learnt(utterance)),
        Some(Utterance { place: (path, line), .. }) => {
            return Err(UtterancesError::Overlap { path: path.clone(), line: *line });
        }
        None => {}
    }
    if utterances.is_empty() { Err(UtterancesError::NothingToMeasure) } else { Ok(utterances) }
}

/// Makes an utterance of the name of each topic, spelled out: `card_payment_fee` and
/// `CardPaymentFee` say "card payment fee".
pub fn spell_out_topics(utterances: &[Utterance]) -> Vec<Utterance> {
    let topics: BTreeMap<&str, &Utterance> =
        utterances.iter().filter_map(|u| Some((u.topic.as_deref()?, u))).collect();
    let named = topics.into_iter().map(|(topic, first)| {
        let mut text = String::with_capacity(topic.len() + 8);
        let mut before = ' ';
        for letter in topic.chars() {
            let is_start = letter.is_uppercase() && before.is_lowercase();
            if is_start || !letter.is_alphanumeric() {
                text.push(' ');
            }
            text.extend(letter.is_alphanumeric().then_some(letter));
            before = letter;
        }
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        Utterance { text, topic: Some(topic.to_string()), split: None, place: first.place.clone() }
    });
    named.filter(|utterance| !utterance.text.is_empty()).collect()
}

fn parse(line: &[u8], (path, number): (&Path, usize)) -> Result<Utterance, Fault> {
    let fields = parse_object(line)?;
    let named = |names: [&'static str; 2]| {
        names.into_iter().find(|name| fields.contains_key(*name)).unwrap_or(names[0])
    };
    let key = named(["text", "utterance"]);
    let text = optional_text(&fields, key, key)?
        .ok_or_else(|| Fault::new(key, "is missing", "write what was said, in quotes"))?;
    let key = named(["topic", "intent"]);
    if !fields.contains_key(key) {
        let mend = "write the name of the topic, or null for none of the topics";
        return Err(Fault::new(key, "is missing", mend));
    }
    let topic = optional_text(&fields, key, key)?;
    if topic.as_ref().is_some_and(|topic| topic.trim().is_empty()) {
        return Err(Fault::new(key, "is empty", "name the topic, or write null for none of them"));
    }
    Ok(Utterance { text, topic, split: parse_split(&fields)?, place: (path.into(), number) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Utterance>, UtterancesError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("u.jsonl");
        std::fs::write(&path, text).unwrap();
        read_utterances(&[path])
    }

    const FOUR: &str = r#"{"text": "a", "topic": "x", "split": "train"}
{"text": "b", "topic": null, "split": "val"}

{"utterance": "c", "intent": "y", "utterance_id": "3"}
{"text": "d", "topic": "x", "split": "test"}"#;

    #[test]
    fn lines_become_utterances() {
        let read = read(FOUR).unwrap();
        let topics: Vec<Option<&str>> = read.iter().map(|u| u.topic.as_deref()).collect();
        assert_eq!(topics, [Some("x"), None, Some("y"), Some("x")]);
        let splits: Vec<Option<Split>> = read.iter().map(|u| u.split).collect();
        assert_eq!(splits, [Some(Split::Train), Some(Split::Val), None, Some(Split::Test)]);
        assert_eq!((read[2].text.as_str(), read[2].place.1), ("c", 4));
    }

    #[test]
    fn names_are_spelled_out() {
        let check = |topic: &str, expected: &[&str]| {
            let all = read(&format!("{{\"text\": \"x\", \"topic\": {topic:?}}}")).unwrap();
            let found: Vec<String> = spell_out_topics(&all).into_iter().map(|u| u.text).collect();
            assert_eq!(found, expected);
        };
        check("card_payment_fee", &["card payment fee"]);
        check("CardPaymentFee", &["card payment fee"]);
        check("RESET PASSWORD", &["reset password"]);
        check("_", &[]);
    }

    #[test]
    fn what_is_wrong_is_named_with_line_field_and_mend() {
        let check = |line: &str, parts: &[&str]| {
            let message = read(&format!("{FOUR}\n{line}")).unwrap_err().to_string();
            for part in parts.iter().chain([&"u.jsonl:6: "]) {
                assert!(message.contains(part), "no {part:?} in {message}");
            }
        };
        check("x", &["is not JSON at column 1"]);
        check("[1]", &["is a list; write one JSON object a line"]);
        check(r#"{"topic": "x"}"#, &["text: is missing; write what was said"]);
        check(r#"{"text": "x"}"#, &["topic: is missing; write the name of the topic, or null"]);
        check(r#"{"text": 1, "topic": "x"}"#, &["text: is a number; write a text"]);
        check(r#"{"text": "x", "topic": " "}"#, &["topic: is empty"]);
        check(r#"{"text": "x", "topic": "x", "split": "dev"}"#, &["split: \"dev\" is not known"]);
        assert!(matches!(read("\n"), Err(UtterancesError::Empty(_))));
    }

    #[test]
    fn test_rows_are_never_learnt_and_alone_measured() {
        let all = read(FOUR).unwrap();
        let learnt = choose_lessons(all.clone(), None, 0).unwrap();
        assert_eq!(learnt.len(), 3);
        let asked = choose_questions(all.clone(), &learnt, false).unwrap();
        assert_eq!(asked, all[3..]);
        let only_test = choose_lessons(all[3..].to_vec(), None, 0);
        assert!(matches!(only_test, Err(UtterancesError::NothingToLearn)));
    }

    #[test]
    fn shots_are_drawn_by_topic_and_the_rest_is_measured() {
        let lines = (0..20).map(|i| format!("{{\"text\":\"{i}\",\"topic\":\"t{}\"}}\n", i % 2));
        let all = read(&lines.collect::<String>()).unwrap();
        let everything = choose_lessons(all.clone(), None, 0).unwrap();
        let overlap = choose_questions(all.clone(), &everything, false);
        assert!(matches!(overlap, Err(UtterancesError::Overlap { line: 1, .. })));
        let drawn = choose_lessons(all.clone(), Some(3), 7).unwrap();
        assert_eq!(drawn.iter().filter(|u| u.topic.as_deref() == Some("t0")).count(), 3);
        assert_eq!(drawn, choose_lessons(all.clone(), Some(3), 7).unwrap());
        assert_ne!(drawn, choose_lessons(all.clone(), Some(3), 8).unwrap());
        let asked = choose_questions(all.clone(), &drawn, true).unwrap();
        assert_eq!(asked.len(), 14);
        assert!(asked.iter().all(|u| !drawn.contains(u)));
        let none = choose_questions(drawn.clone(), &drawn, true);
        assert!(matches!(none, Err(UtterancesError::NothingToMeasure)));
    }
}

//! What may be learnt from, and what is only measured on?

use crate::{
    case::Case,
    fault::{Fault, optional_text, quoted},
};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// What a case or an utterance is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// To learn from.
    Train,
    /// To choose by; learnt from too, as nothing is chosen by hand.
    Val,
    /// To be measured on, and never learnt from.
    Test,
}

/// Cases parted into those that weights and thresholds may be fitted to, and those that figures
/// are measured on.
#[derive(Debug, Clone, Default)]
pub struct Parts {
    /// To learn from and to choose by.
    pub learning: Vec<Case>,
    /// To measure on, and for nothing else.
    pub test: Vec<Case>,
}

/// Parts cases: by their `split`, and those without one by halves. Cases that begin with the same
/// message of the customer are turns of one conversation and stay together. What is parted by
/// halves is so whatever stands beside it and in whatever order.
pub fn part(cases: Vec<Case>) -> Parts {
    let mut parts = Parts::default();
    for case in cases {
        let is_test = case.split.map_or_else(|| falls_to_test(&case), |split| split == Split::Test);
        if is_test { parts.test.push(case) } else { parts.learning.push(case) }
    }
    parts
}

fn falls_to_test(case: &Case) -> bool {
    let opening = case.messages.first().map_or("", |message| message.text.as_str());
    let words: Vec<&str> = opening.split_whitespace().collect();
    Sha256::digest(words.join(" ").to_lowercase()).first().is_some_and(|byte| byte % 2 == 1)
}

pub(crate) fn parse_split(fields: &Map<String, Value>) -> Result<Option<Split>, Fault> {
    let split = optional_text(fields, "split", "split")?;
    Ok(match split.as_deref() {
        None => None,
        Some("train") => Some(Split::Train),
        Some("val") => Some(Split::Val),
        Some("test") => Some(Split::Test),
        Some(other) => {
            let what = format!("{} is not known", quoted(other));
            return Err(Fault::new("split", what, r#"write "train", "val" or "test""#));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_cases;

    fn cases(lines: &[&str]) -> Vec<Case> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cases.jsonl");
        std::fs::write(&path, lines.join("\n")).unwrap();
        read_cases(&[path]).unwrap()
    }

    fn case(id: usize, opening: &str, more: &str) -> String {
        format!(
            r#"{{"id":"{id}","messages":[{{"author":"customer","text":"{opening}"}},{{"author":"customer","text":"{id}"}}],"expect":{{"act":"handoff"}}{more}}}"#
        )
    }

    #[test]
    fn turns_of_one_conversation_stay_together_and_about_half_are_learnt_from() {
        let lines: Vec<String> =
            (0..400).map(|id| case(id, &format!("opening {}", id / 2), "")).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let Parts { learning, test } = part(cases(&lines));
        assert_eq!(learning.len() + test.len(), 400);
        assert!((150..250).contains(&test.len()), "{}", test.len());
        let openings = |cases: &[Case]| -> std::collections::BTreeSet<String> {
            cases.iter().map(|case| case.messages[0].text.clone()).collect()
        };
        assert!(openings(&learning).is_disjoint(&openings(&test)));
    }

    #[test]
    fn what_a_file_says_counts() {
        let lines = [
            case(0, "a", r#","split":"test""#),
            case(1, "b", r#","split":"train""#),
            case(2, "c", r#","split":"val""#),
        ];
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let Parts { learning, test } = part(cases(&lines));
        assert_eq!([learning.len(), test.len()], [2, 1]);
    }
}

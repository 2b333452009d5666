//! What may be learnt from, and what is only measured on?

use crate::{
    case::Case,
    fault::{Fault, optional_text, quoted},
};
use router::Author;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// What a case or an utterance is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// To learn from.
    Train,
    /// To choose by. Topics are learnt from it too; of cases, thresholds are chosen by it alone.
    Val,
    /// To be measured on, and never learnt from.
    Test,
}

/// Cases parted into those that weights may be fitted to, those that thresholds are chosen by, and
/// those that figures are measured on.
#[derive(Debug, Clone, Default)]
pub struct Parts {
    /// To fit weights to.
    pub learning: Vec<Case>,
    /// To prove by which thresholds keep a promise.
    pub proving: Vec<Case>,
    /// To measure on, and for nothing else.
    pub test: Vec<Case>,
}

/// What thresholds are chosen by. Made of [`Parts`], and never of those that figures are measured
/// on.
#[derive(Debug, Clone)]
pub struct Choosing {
    /// Tells where to begin.
    pub(crate) guide: Vec<Case>,
    /// Proves what is promised.
    pub(crate) proving: Vec<Case>,
}

impl Split {
    /// Returns the name that case files use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Val => "val",
            Self::Test => "test",
        }
    }
}

impl Parts {
    /// Takes the cases that thresholds may be chosen by: those to prove with, guided by those to
    /// learn from. With `all` the ones to learn from are proof as well, for a confidence that was
    /// fitted to other cases; a quarter of the conversations becomes the guide, then.
    pub fn choosing(self, all: bool) -> Choosing {
        if !all {
            return Choosing { guide: self.learning, proving: self.proving };
        }
        let cases = self.learning.into_iter().chain(self.proving);
        let (guide, proving) = cases.partition(|case| digest(&conversation(case)) % 16 < 4);
        Choosing { guide, proving }
    }
}

impl Choosing {
    /// Returns all cases, those of the guide first.
    pub fn cases(&self) -> impl Iterator<Item = &Case> {
        self.guide.iter().chain(&self.proving)
    }

    /// Returns how many cases are proof.
    pub fn n_proving(&self) -> usize {
        self.proving.len()
    }
}

/// Parts cases: by their `split`, and of those without one half to be measured on, a quarter to
/// learn from and a quarter to prove with. Cases that begin with the same message of the customer
/// are turns of one conversation and stay together. What is parted so does not depend on what
/// stands beside it, or in which order.
pub fn part(cases: Vec<Case>) -> Parts {
    let mut parts = Parts::default();
    for case in cases {
        match case.split.unwrap_or_else(|| falls_to(&case)) {
            Split::Train => parts.learning.push(case),
            Split::Val => parts.proving.push(case),
            Split::Test => parts.test.push(case),
        }
    }
    parts
}

fn falls_to(case: &Case) -> Split {
    match digest(&opening(case)) % 4 {
        0 => Split::Train,
        2 => Split::Val,
        _ => Split::Test,
    }
}

/// Returns the words with which the customer begins a conversation.
fn opening(case: &Case) -> String {
    // A greeting by a bot or a campaign opens thousands of conversations.
    let opening = case.messages.iter().find(|message| message.author == Author::Customer);
    let opening = opening.map_or("", |message| message.text.as_str());
    let words: Vec<&str> = opening.split_whitespace().collect();
    words.join(" ").to_lowercase()
}

/// Returns what the turns of one conversation have in common: its name, where the case says it,
/// else the words that it begins with.
pub(crate) fn conversation(case: &Case) -> String {
    match case.meta.get("conversation") {
        Some(Value::String(name)) if !name.is_empty() => format!("named {name}"),
        Some(Value::Number(name)) => format!("named {name}"),
        _ => opening(case),
    }
}

/// Draws a byte by a text, evenly and always alike.
pub(crate) fn digest(text: &str) -> u8 {
    Sha256::digest(text).first().copied().unwrap_or_default()
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
        let Parts { learning, proving, test } = part(cases(&lines));
        assert_eq!(learning.len() + proving.len() + test.len(), 400);
        assert!((150..250).contains(&test.len()), "{}", test.len());
        assert!((60..140).contains(&proving.len()), "{}", proving.len());
        let openings = |cases: &[Case]| -> std::collections::BTreeSet<String> {
            cases.iter().map(|case| case.messages[0].text.clone()).collect()
        };
        let [learnt, proved] = [openings(&learning), openings(&proving)];
        assert!(learnt.is_disjoint(&openings(&test)) && proved.is_disjoint(&openings(&test)));
        assert!(learnt.is_disjoint(&proved));
    }

    #[test]
    fn no_threshold_is_chosen_by_what_figures_are_measured_on() {
        let lines: Vec<String> =
            (0..400).map(|id| case(id, &format!("opening {}", id / 2), "")).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let ids = |cases: &[Case]| -> std::collections::BTreeSet<String> {
            cases.iter().map(|case| case.id.clone()).collect()
        };
        let parts = part(cases(&lines));
        for all in [false, true] {
            let Choosing { guide, proving } = parts.clone().choosing(all);
            assert!(!guide.is_empty() && ids(&guide).is_disjoint(&ids(&proving)));
            assert!(ids(&proving).is_disjoint(&ids(&parts.test)));
            assert!(ids(&guide).is_disjoint(&ids(&parts.test)));
            assert_eq!(guide.len() + proving.len() + parts.test.len(), 400);
        }
    }

    #[test]
    fn conversations_that_a_bot_opens_alike_are_parted_too() {
        let lines: Vec<String> =
            (0..200).map(|id| case(id, &format!("opening {id}"), "")).collect();
        let greeting = r#""messages":[{"author":"bot","text":"Hello, how can I help?"},"#;
        let greeted: Vec<String> =
            lines.iter().map(|line| line.replacen(r#""messages":["#, greeting, 1)).collect();
        let ids = |lines: &[String]| -> Vec<String> {
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            part(cases(&lines)).test.into_iter().map(|case| case.id).collect()
        };
        assert_eq!(ids(&greeted), ids(&lines));
    }

    #[test]
    fn what_a_file_says_counts() {
        let lines = [
            case(0, "a", r#","split":"test""#),
            case(1, "b", r#","split":"train""#),
            case(2, "c", r#","split":"val""#),
        ];
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let Parts { learning, proving, test } = part(cases(&lines));
        assert_eq!([learning.len(), proving.len(), test.len()], [1, 1, 1]);
    }
}

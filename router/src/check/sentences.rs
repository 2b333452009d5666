use super::candidates::{Candidates, Demand, sides};
use super::pattern;
use crate::condition::{Comparison, Node};
use crate::{Phrases, Value, words::plain};

/// What demands on a text of any wording come to.
#[derive(Default)]
struct Wanted<'a> {
    /// It is one of these, if anything is given.
    is: Option<Vec<&'a str>>,
    /// It is none of these.
    is_not: Vec<&'a str>,
    starts: Vec<&'a str>,
    ends: Vec<&'a str>,
    holds: Vec<&'a str>,
    starts_not: Vec<&'a str>,
    ends_not: Vec<&'a str>,
    holds_not: Vec<&'a str>,
    mentions: Vec<&'a Phrases>,
    mentions_not: Vec<&'a Phrases>,
    patterns: Vec<Vec<String>>,
    /// Fewest and most letters.
    size: (f64, f64),
}

/// Writes texts that could satisfy `demands`, or proves that none does.
pub(super) fn texts(demands: &[Demand<'_>]) -> Candidates {
    let mut wanted = Wanted { size: (0.0, f64::INFINITY), ..Wanted::default() };
    for demand in demands {
        wanted.take(*demand);
    }
    if let Some(texts) = &wanted.is {
        return Candidates {
            values: texts.iter().map(|text| Value::text(*text)).collect(),
            all: true,
        };
    }
    if wanted.contradicts_itself() {
        return Candidates { values: Vec::new(), all: true };
    }
    Candidates { values: wanted.written().into_iter().map(Value::text).collect(), all: false }
}

impl<'a> Wanted<'a> {
    /// Notes a demand; what is not understood here is left to trying.
    fn take(&mut self, demand: Demand<'a>) {
        let Demand { node, holds } = demand;
        let into = |yes: &mut Vec<&'a str>, no: &mut Vec<&'a str>, pair: &'a [Node; 2]| {
            if let [Node::Fact(_), Node::Text(text)] = pair {
                if holds { yes } else { no }.push(text.as_str());
            }
        };
        match node {
            Node::Compare(comparison, pair) => match sides(*comparison, pair) {
                Some((Node::Fact(_), comparison, Node::Text(text))) => {
                    self.one_of(vec![text.as_str()], holds == (comparison == Comparison::Equal));
                }
                Some((Node::Size(_), comparison, Node::Number(number))) => {
                    self.sized(comparison, *number, holds);
                }
                _ => {}
            },
            Node::In(pair) => {
                if let [Node::Fact(_), Node::Texts(texts)] = &**pair {
                    self.one_of(texts.iter().map(String::as_str).collect(), holds);
                }
            }
            Node::StartsWith(pair) => into(&mut self.starts, &mut self.starts_not, pair),
            Node::EndsWith(pair) => into(&mut self.ends, &mut self.ends_not, pair),
            Node::Contains(pair) => into(&mut self.holds, &mut self.holds_not, pair),
            Node::Mentions(text, phrases) if matches!(**text, Node::Fact(_)) => {
                if holds { &mut self.mentions } else { &mut self.mentions_not }.push(phrases);
            }
            Node::Matches(text, regex) if matches!(**text, Node::Fact(_)) && holds => {
                self.patterns.push(pattern::matches(regex.as_str()));
            }
            _ => {}
        }
    }

    fn sized(&mut self, comparison: Comparison, number: f64, holds: bool) {
        let (fewest, most) = &mut self.size;
        match (comparison, holds) {
            (Comparison::AtLeast, true) | (Comparison::Less, false) => {
                *fewest = fewest.max(number.ceil());
            }
            (Comparison::More, true) | (Comparison::AtMost, false) => {
                *fewest = fewest.max(number.floor() + 1.0);
            }
            (Comparison::AtMost, true) | (Comparison::More, false) => {
                *most = most.min(number.floor());
            }
            (Comparison::Less, true) | (Comparison::AtLeast, false) => {
                *most = most.min(number.ceil() - 1.0);
            }
            (Comparison::Equal, true) | (Comparison::NotEqual, false) => {
                (*fewest, *most) = (fewest.max(number), most.min(number));
            }
            (Comparison::Equal, false) | (Comparison::NotEqual, true) => {}
        }
    }

    fn one_of(&mut self, texts: Vec<&'a str>, holds: bool) {
        match (&mut self.is, holds) {
            (_, false) => self.is_not.extend(texts),
            (Some(is), true) => is.retain(|text| texts.contains(text)),
            (is, true) => *is = Some(texts),
        }
    }

    /// Whether two demands exclude each other whatever the text is.
    fn contradicts_itself(&self) -> bool {
        let parts = || self.starts.iter().chain(&self.ends).chain(&self.holds);
        let longest = parts().map(|part| part.chars().count()).max().unwrap_or(0);
        let apart = |all: &[&str], goes: fn(&str, &str) -> bool| {
            all.iter().any(|a| all.iter().any(|b| !goes(a, b) && !goes(b, a)))
        };
        self.size.0 > self.size.1
            || longest as f64 > self.size.1
            || apart(&self.starts, |a, b| a.starts_with(b))
            || apart(&self.ends, |a, b| a.ends_with(b))
            || self.holds_not.iter().any(|no| no.is_empty() || parts().any(|p| p.contains(no)))
            || self
                .starts_not
                .iter()
                .any(|no| no.is_empty() || self.starts.iter().any(|part| part.starts_with(no)))
            || self
                .ends_not
                .iter()
                .any(|no| no.is_empty() || self.ends.iter().any(|part| part.ends_with(no)))
            || self.mentions.iter().any(|phrases| self.choices(phrases).next().is_none())
            || self.parts_mention_what_they_must_not()
    }

    /// The phrases that hold none of those that must not be mentioned.
    fn choices<'p>(&self, phrases: &'p Phrases) -> impl Iterator<Item = &'p str> {
        phrases.needles().filter(|(_, needle)| !self.forbids(needle)).map(|(written, _)| written)
    }

    fn forbids(&self, plain: &str) -> bool {
        self.mentions_not.iter().any(|phrases| phrases.are_in(plain))
    }

    fn parts_mention_what_they_must_not(&self) -> bool {
        let at_start = self.starts.iter().map(|part| (part, true, false));
        let at_end = self.ends.iter().map(|part| (part, false, true));
        let inside = self.holds.iter().map(|part| (part, false, false));
        at_start.chain(at_end).chain(inside).any(|(part, start, end)| {
            let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || is_apostrophe(c));
            let plain = plain(part);
            let mut certain = plain.as_str();
            // A word at the edge of the part may go on outside of it.
            if !start && word(part.chars().next()) {
                certain = certain.trim_start();
            }
            if !end && word(part.chars().next_back()) {
                certain = certain.trim_end();
            }
            self.forbids(certain)
        })
    }

    /// Writes texts that hold all that is wanted, joined in several ways.
    fn written(&self) -> Vec<String> {
        let longest = |parts: &[&'a str]| {
            parts.iter().max_by_key(|part| part.len()).copied().unwrap_or_default().to_string()
        };
        let (start, end) = (longest(&self.starts), longest(&self.ends));
        let variants = self.patterns.iter().map(Vec::len).max().unwrap_or(1).max(4);
        let mut texts = Vec::new();
        let mut far_fetched = Vec::new();
        for variant in 0..variants {
            let inner = self.inner(variant);
            for joint in JOINTS {
                let parts = [start.as_str()].into_iter().chain(inner.iter().map(String::as_str));
                let parts: Vec<&str> =
                    parts.chain([end.as_str()]).filter(|part| !part.is_empty()).collect();
                let text = parts.join(joint);
                far_fetched.extend([
                    format!("{text}{joint}{OTHER}"),
                    format!("{OTHER}{joint}{text}"),
                    text.to_uppercase(),
                ]);
                far_fetched.extend(self.stretched(&text, joint));
                texts.push(text);
            }
        }
        let letters = LETTERS.chars().filter(|c| !self.is_letter_named(*c));
        texts.push(OTHER.into());
        texts.extend(letters.take(1).flat_map(|c| [c.to_string(), c.to_string().repeat(9)]));
        texts.append(&mut far_fetched);
        let mut seen = std::collections::HashSet::new();
        texts.retain(|text| seen.insert(text.clone()));
        texts
    }

    /// The parts between start and end: what it holds, a phrase of each list, a match of each
    /// pattern; `variant` chooses among several.
    fn inner(&self, variant: usize) -> Vec<String> {
        let mut inner: Vec<String> = Vec::new();
        for pattern in &self.patterns {
            inner.extend(pattern.get(variant % pattern.len().max(1)).cloned());
        }
        for part in &self.holds {
            let there = |text: &str| text.contains(part);
            if !self.starts.iter().chain(&self.ends).any(|text| there(text))
                && !inner.iter().any(|text| there(text))
            {
                inner.push((*part).into());
            }
        }
        let endings = ["", "s", "zq", ""];
        for phrases in &self.mentions {
            let written = inner.iter().map(String::as_str).chain(self.starts.iter().copied());
            if written.chain(self.ends.iter().copied()).any(|text| phrases.are_in(&plain(text))) {
                continue;
            }
            let choices: Vec<&str> = self.choices(phrases).collect();
            let choice = choices.get(if variant < 3 { 0 } else { variant % choices.len().max(1) });
            inner.extend(choice.map(|phrase| match phrase.trim().strip_suffix('*') {
                Some(stem) => format!("{stem}{}", endings.get(variant % 4).unwrap_or(&"")),
                None => (*phrase).to_string(),
            }));
        }
        inner
    }

    /// Makes a text as long as is wanted.
    fn stretched(&self, text: &str, joint: &str) -> Option<String> {
        let missing = self.size.0 - text.chars().count() as f64;
        if !(missing > 0.0 && missing <= LONGEST_FILLER) {
            return None;
        }
        let start = self.starts.iter().map(|part| part.len()).max().unwrap_or(0);
        let (head, tail) = text.split_at_checked(start)?;
        let n_letters = (missing as usize).saturating_sub(joint.len());
        let filler = "x".repeat(n_letters);
        Some(match (head.is_empty(), tail.is_empty()) {
            (true, true) => "x".repeat(missing as usize),
            (true, false) => format!("{filler}{joint}{tail}"),
            (false, _) => format!("{head}{joint}{filler}{tail}"),
        })
    }

    fn is_letter_named(&self, letter: char) -> bool {
        let lists = [&self.is_not, &self.starts_not, &self.ends_not, &self.holds_not];
        lists.into_iter().flatten().any(|text| text.to_lowercase().contains(letter))
            || self.mentions_not.iter().any(|phrases| phrases.are_in(&format!(" {letter} ")))
    }
}

/// What stands between the parts of a text that is put together.
const JOINTS: [&str; 5] = [" ", " and ", " zq ", "zq", ""];
/// A text that no rule asks for.
const OTHER: &str = "other";
const LETTERS: &str = "xzqjkvwyabcdefghilmnoprstu0123456789";
/// A text is not made longer than that to reach a size.
const LONGEST_FILLER: f64 = 10_000.0;

fn is_apostrophe(c: char) -> bool {
    c == '\'' || c == '’'
}

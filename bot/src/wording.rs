use crate::playbook::Canned;
use router::Slug;
use std::collections::{BTreeMap, BTreeSet};

/// Texts of the bot that are the same at every desk unless its `routing.toml` has others.
const DEFAULTS: &str = include_str!("wording/default.toml");

/// The language that is taken where there is no text in the customer's.
const LAST_RESORT: &str = "en";

/// What customers read beside drafted answers, by language.
#[derive(Debug, Clone)]
pub struct Wording {
    texts: BTreeMap<String, BTreeMap<String, String>>,
    replies: BTreeMap<Slug, Canned>,
    questions: BTreeMap<Slug, Canned>,
}

/// Something the bot says by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phrase {
    /// A team takes over: `{team}`, `{expect}`.
    HandOff,
    /// Shall a person take over?
    Offer,
    /// What is meant?
    Clarify,
    /// The conversation is done.
    Goodbye,
    /// The team is at work: `{team}`.
    Soon,
    /// The team is at work and others wait: `{team}`, `{ahead}`.
    Queue,
    /// The team is closed: `{team}`, `{opens}`.
    Away,
    /// Nobody of the team is there: `{team}`.
    Nobody,
    /// Yes, a person please.
    Yes,
    /// No, thank you.
    No,
}

impl Phrase {
    const ALL: [Self; 10] = [
        Self::HandOff,
        Self::Offer,
        Self::Clarify,
        Self::Goodbye,
        Self::Soon,
        Self::Queue,
        Self::Away,
        Self::Nobody,
        Self::Yes,
        Self::No,
    ];

    fn key(self) -> &'static str {
        match self {
            Self::HandOff => "hand_off",
            Self::Offer => "offer",
            Self::Clarify => "clarify",
            Self::Goodbye => "goodbye",
            Self::Soon => "soon",
            Self::Queue => "queue",
            Self::Away => "away",
            Self::Nobody => "nobody",
            Self::Yes => "yes",
            Self::No => "no",
        }
    }

    /// Names that stand in braces in its text.
    fn slots(self) -> &'static [&'static str] {
        match self {
            Self::HandOff => &["team", "expect"],
            Self::Queue => &["team", "ahead"],
            Self::Away => &["team", "opens"],
            Self::Soon | Self::Nobody => &["team"],
            _ => &[],
        }
    }
}

/// A text that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WordingProblem {
    /// A part of the line where it is.
    pub(crate) place: String,
    pub(crate) what: String,
    pub(crate) mend: String,
}

impl Wording {
    /// Lays a desk's texts over the built-in ones.
    pub(crate) fn new(
        own: BTreeMap<String, BTreeMap<String, String>>,
        replies: &[Canned],
        questions: &[Canned],
    ) -> Result<Self, WordingProblem> {
        let mut texts: BTreeMap<String, BTreeMap<String, String>> =
            toml::from_str(DEFAULTS).unwrap_or_default();
        for (language, phrases) in own {
            is_language(&language)?;
            for (key, text) in phrases {
                checked(&language, &key, &text)?;
                texts.entry(language.clone()).or_default().insert(key, text);
            }
        }
        for canned in replies.iter().chain(questions) {
            canned.text.keys().chain(canned.buttons.keys()).try_for_each(|key| is_language(key))?;
            if canned.text.is_empty() || canned.text.values().any(|text| text.trim().is_empty()) {
                return Err(WordingProblem {
                    place: format!("\"{}\"", canned.slug),
                    what: format!("{:?} has no text", canned.slug.as_str()),
                    mend: "write text.en = \"…\"".into(),
                });
            }
        }
        let by_slug = |canned: &[Canned]| {
            canned.iter().map(|canned| (canned.slug.clone(), canned.clone())).collect()
        };
        Ok(Self { texts, replies: by_slug(replies), questions: by_slug(questions) })
    }

    /// Returns what the bot says, with its slots filled; the language's own text where there is
    /// one, else English.
    pub fn say(&self, phrase: Phrase, language: Option<&str>, slots: &[(&str, &str)]) -> String {
        let of = |language: &str| self.texts.get(language)?.get(phrase.key());
        let text = language.and_then(|language| of(base(language))).or_else(|| of(LAST_RESORT));
        let mut said = text.cloned().unwrap_or_default();
        for (slot, value) in slots {
            said = said.replace(&format!("{{{slot}}}"), value);
        }
        said.trim().to_string()
    }

    /// Returns a canned reply.
    pub fn reply(&self, slug: &Slug, language: Option<&str>) -> Option<&str> {
        in_language(&self.replies.get(slug)?.text, language).map(String::as_str)
    }

    /// Returns a question of the desk, with the answers that can be chosen.
    pub fn question(&self, slug: &Slug, language: Option<&str>) -> Option<(&str, &[String])> {
        let question = self.questions.get(slug)?;
        let text = in_language(&question.text, language)?;
        let buttons = in_language(&question.buttons, language).map_or(&[][..], Vec::as_slice);
        Some((text, buttons))
    }

    /// Whether a text is what the bot says by itself, in any language.
    pub(crate) fn is(&self, phrase: Phrase, text: &str) -> bool {
        self.texts.values().any(|texts| texts.get(phrase.key()).is_some_and(|t| t == text.trim()))
    }

    /// Whether a text asks what is meant: the general question, or one of the desk's.
    pub(crate) fn is_question(&self, text: &str) -> bool {
        let asks = |question: &Canned| question.text.values().any(|t| text.starts_with(t.as_str()));
        self.is(Phrase::Clarify, text) || self.questions.values().any(asks)
    }

    /// Returns the languages in which the bot can say everything.
    pub fn languages(&self) -> BTreeSet<&str> {
        let all = |texts: &BTreeMap<String, String>| {
            Phrase::ALL.iter().all(|phrase| texts.contains_key(phrase.key()))
        };
        self.texts.iter().filter(|(_, texts)| all(texts)).map(|(name, _)| name.as_str()).collect()
    }
}

fn is_language(key: &str) -> Result<(), WordingProblem> {
    if matches!(key.len(), 2 | 3) && key.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Ok(());
    }
    Err(WordingProblem {
        place: key.into(),
        what: format!("{key:?} is no language"),
        mend: "write its code, such as \"pt\", without a region".into(),
    })
}

fn checked(language: &str, key: &str, text: &str) -> Result<(), WordingProblem> {
    let problem = |what: String, mend: String| WordingProblem { place: key.into(), what, mend };
    let Some(phrase) = Phrase::ALL.into_iter().find(|phrase| phrase.key() == key) else {
        let known: Vec<&str> = Phrase::ALL.iter().map(|phrase| phrase.key()).collect();
        let what = format!("wording.{language} has no text {key:?}");
        return Err(problem(what, format!("known: {}", known.join(", "))));
    };
    if text.trim().is_empty() {
        let what = format!("wording.{language}.{key} is empty");
        return Err(problem(what, "write a text, or leave the key out".into()));
    }
    let slots = text.split('{').skip(1).map(|rest| rest.split('}').next().unwrap_or_default());
    for slot in slots {
        if !phrase.slots().contains(&slot) {
            let what = format!("wording.{language}.{key} has the slot {{{slot}}}");
            let known = phrase.slots().iter().map(|slot| format!("{{{slot}}}"));
            let known: Vec<String> = known.collect();
            let mend = if known.is_empty() { "it has no slots".into() } else { known.join(", ") };
            return Err(problem(what, format!("slots here: {mend}")));
        }
    }
    Ok(())
}

fn in_language<'a, T>(texts: &'a BTreeMap<String, T>, language: Option<&str>) -> Option<&'a T> {
    language
        .and_then(|language| texts.get(base(language)))
        .or_else(|| texts.get(LAST_RESORT))
        .or_else(|| texts.values().next())
}

fn base(language: &str) -> &str {
    language.split(['-', '_']).next().unwrap_or(language)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wording(own: &str) -> Wording {
        let canned: Canned = toml::from_str(
            "slug = \"where\"\ntext.en = \"Which?\"\ntext.de = \"Welche?\"\nbuttons.en = [\"App\", \"Web\"]",
        )
        .unwrap();
        Wording::new(toml::from_str(own).unwrap(), &[], &[canned]).unwrap()
    }

    #[test]
    fn the_desk_s_own_text_in_the_customer_s_language_comes_first() {
        let wording = wording("[en]\nsoon = \"{team} is on it.\"\n[nl]\noffer = \"Een mens?\"");
        let check = |phrase: Phrase, language: Option<&str>, expected: &str| {
            assert_eq!(wording.say(phrase, language, &[("team", "Billing")]), expected);
        };
        check(Phrase::Soon, Some("en-GB"), "Billing is on it.");
        check(Phrase::Soon, Some("de"), "Ein Mensch antwortet Ihnen hier.");
        check(Phrase::Soon, Some("ja"), "Billing is on it.");
        check(Phrase::Offer, Some("nl_BE"), "Een mens?");
        check(Phrase::Yes, None, "Yes, please");
    }

    #[test]
    fn questions_fall_back_to_english_and_its_buttons() {
        let wording = wording("");
        let slug = Slug::try_from("where".to_string()).unwrap();
        let buttons = ["App".to_string(), "Web".to_string()];
        assert_eq!(wording.question(&slug, Some("de")), Some(("Welche?", &buttons[..])));
        assert_eq!(wording.question(&slug, Some("pl")), Some(("Which?", &buttons[..])));
    }
}

mod moment;

use crate::playbook::Canned;
use router::{Language, Slug};
use std::collections::BTreeMap;
#[cfg(test)]
use std::collections::BTreeSet;

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
    /// A point in time: `{weekday}`, `{day}`, `{month}`, `{hour}` (0 to 23), `{minute}`, `{zone}`.
    Moment,
    /// The days of the week from Monday on, with commas between them.
    Weekdays,
    /// The months, with commas between them.
    Months,
}

impl Phrase {
    const ALL: [Self; 13] = [
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
        Self::Moment,
        Self::Weekdays,
        Self::Months,
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
            Self::Moment => "moment",
            Self::Weekdays => "weekdays",
            Self::Months => "months",
        }
    }

    /// Names that stand in braces in its text.
    fn slots(self) -> &'static [&'static str] {
        match self {
            Self::HandOff => &["team", "expect"],
            Self::Queue => &["team", "ahead"],
            Self::Away => &["team", "opens"],
            Self::Soon | Self::Nobody => &["team"],
            Self::Moment => &["weekday", "day", "month", "hour", "minute", "zone"],
            _ => &[],
        }
    }

    /// How many names its text lists, where it is a list.
    fn n_listed(self) -> Option<usize> {
        match self {
            Self::Weekdays => Some(moment::DAYS),
            Self::Months => Some(moment::MONTHS),
            _ => None,
        }
    }
}

/// A text that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WordingProblem {
    /// Where it is, by its way from the top of the file: `wording.en.away`, `reply.2.text.de`.
    pub(crate) key: String,
    pub(crate) what: String,
    pub(crate) mend: String,
}

/// Names that stand in braces in a canned reply.
const REPLY_SLOTS: &[&str] = &["customer.name", "team", "teammate"];

impl Wording {
    /// Lays a desk's texts over the built-in ones.
    pub(crate) fn new(
        own: BTreeMap<String, BTreeMap<String, String>>,
        replies: &[Canned],
        questions: &[Canned],
    ) -> Result<Self, Vec<WordingProblem>> {
        let mut texts: BTreeMap<String, BTreeMap<String, String>> =
            toml::from_str(DEFAULTS).unwrap_or_default();
        let mut problems = Vec::new();
        for (language, phrases) in own {
            problems.extend(no_language("wording", &language));
            for (key, text) in phrases {
                problems.extend(unlawful(&language, &key, &text));
                texts.entry(language.clone()).or_default().insert(key, text);
            }
        }
        for (n, reply) in replies.iter().enumerate() {
            problems.extend(canned_problems(&format!("reply.{n}"), reply, REPLY_SLOTS));
        }
        for (n, question) in questions.iter().enumerate() {
            problems.extend(canned_problems(&format!("question.{n}"), question, &[]));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let by_slug = |canned: &[Canned]| {
            canned.iter().map(|canned| (canned.slug.clone(), canned.clone())).collect()
        };
        Ok(Self { texts, replies: by_slug(replies), questions: by_slug(questions) })
    }

    /// Returns what the bot says, with its slots filled; the language's own text where there is
    /// one, else English.
    pub fn say(&self, phrase: Phrase, language: Option<&str>, slots: &[(&str, &str)]) -> String {
        let spoken = self.spoken(phrase, language).and_then(|spoken| self.texts.get(spoken));
        let mut said =
            spoken.and_then(|texts| texts.get(phrase.key())).cloned().unwrap_or_default();
        for (slot, value) in slots {
            said = said.replace(&format!("{{{slot}}}"), value);
        }
        said.trim().to_string()
    }

    /// Returns the language in which something is said to a reader of `language`.
    fn spoken(&self, phrase: Phrase, language: Option<&str>) -> Option<&str> {
        let own = language.and_then(Language::of_locale);
        let wanted = own.as_ref().map(Language::as_str).into_iter().chain([LAST_RESORT]);
        wanted
            .filter_map(|language| self.texts.get_key_value(language))
            .find_map(|(name, texts)| texts.contains_key(phrase.key()).then_some(name.as_str()))
    }

    /// Returns the names of the canned replies.
    pub fn replies(&self) -> impl Iterator<Item = &Slug> {
        self.replies.keys()
    }

    /// Returns a canned reply as it was written, slots and all.
    pub fn reply(&self, slug: &Slug, language: Option<&str>) -> Option<&str> {
        in_language(&self.replies.get(slug)?.text, language).map(String::as_str)
    }

    /// Renders a canned reply, with the answers that can be chosen. Of its slots `{customer.name}`,
    /// `{team}` and `{teammate}`, one that `slots` has no value for takes what stands in it after
    /// `|`, as in `{customer.name|there}`, else it is left out with the space before it.
    pub fn canned(
        &self,
        slug: &Slug,
        language: Option<&str>,
        slots: &[(&str, &str)],
    ) -> Option<(String, &[String])> {
        let reply = self.replies.get(slug)?;
        let text = in_language(&reply.text, language)?;
        Some((filled(text, slots), reply.buttons_in(language)))
    }

    /// Returns a question of the desk, with the answers that can be chosen.
    pub fn question(&self, slug: &Slug, language: Option<&str>) -> Option<(&str, &[String])> {
        let question = self.questions.get(slug)?;
        let text = in_language(&question.text, language)?;
        Some((text, question.buttons_in(language)))
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
    #[cfg(test)]
    pub(crate) fn languages(&self) -> BTreeSet<&str> {
        let all = |texts: &BTreeMap<String, String>| {
            Phrase::ALL.iter().all(|phrase| texts.contains_key(phrase.key()))
        };
        self.texts.iter().filter(|(_, texts)| all(texts)).map(|(name, _)| name.as_str()).collect()
    }
}

impl Canned {
    fn buttons_in(&self, language: Option<&str>) -> &[String] {
        in_language(&self.buttons, language).map_or(&[], Vec::as_slice)
    }
}

fn no_language(table: &str, key: &str) -> Option<WordingProblem> {
    if Language::of_locale(key).is_some_and(|language| language.as_str() == key) {
        return None;
    }
    Some(WordingProblem {
        key: format!("{table}.{key}"),
        what: format!("{key:?} is no language"),
        mend: "write its code, such as \"pt\", without a region".into(),
    })
}

/// Finds what is wrong with a canned text, whose entry is `place`.
fn canned_problems(place: &str, canned: &Canned, slots: &[&str]) -> Vec<WordingProblem> {
    let slug = canned.slug.as_str();
    let problem = |key: &str, what: String, mend: String| WordingProblem {
        key: format!("{place}.{key}"),
        what: format!("{slug:?} {what}"),
        mend,
    };
    let mut problems = Vec::new();
    let texts = canned.text.keys().map(|key| ("text", key));
    for (of, key) in texts.chain(canned.buttons.keys().map(|key| ("buttons", key))) {
        problems.extend(no_language(&format!("{place}.{of}"), key));
    }
    if canned.text.is_empty() {
        problems.push(problem("slug", "has no text".into(), "write text.en = \"…\"".into()));
    }
    for (language, text) in &canned.text {
        let key = format!("text.{language}");
        if text.trim().is_empty() {
            problems.push(problem(&key, "has no text".into(), "write text.en = \"…\"".into()));
        }
        for part in parts(text) {
            let what = match part {
                Part::Slot { name, .. } if !slots.contains(&name) => {
                    format!("has the slot {{{name}}}")
                }
                Part::Open => "has a brace that is not closed".into(),
                Part::Slot { .. } | Part::Text(_) => continue,
            };
            let mend = format!("{}; {{{{ stands for a brace", slots_here(slots));
            problems.push(problem(&key, what, mend));
        }
    }
    for (language, buttons) in &canned.buttons {
        if buttons.iter().any(|button| button.trim().is_empty()) {
            let key = format!("buttons.{language}");
            problems.push(problem(&key, "has an empty button".into(), "name what it says".into()));
        }
    }
    problems
}

fn slots_here(slots: &[&str]) -> String {
    let known: Vec<String> = slots.iter().map(|slot| format!("{{{slot}}}")).collect();
    let known = if known.is_empty() { "it has no slots".into() } else { known.join(", ") };
    format!("slots here: {known}")
}

fn unlawful(language: &str, key: &str, text: &str) -> Option<WordingProblem> {
    let problem = |what: String, mend: String| {
        Some(WordingProblem { key: format!("wording.{language}.{key}"), what, mend })
    };
    let Some(phrase) = Phrase::ALL.into_iter().find(|phrase| phrase.key() == key) else {
        let known: Vec<&str> = Phrase::ALL.iter().map(|phrase| phrase.key()).collect();
        let what = format!("wording.{language} has no text {key:?}");
        return problem(what, format!("known: {}", known.join(", ")));
    };
    if text.trim().is_empty() {
        let what = format!("wording.{language}.{key} is empty");
        return problem(what, "write a text, or leave the key out".into());
    }
    let n_listed = moment::listed(text).count();
    if phrase.n_listed().is_some_and(|wanted| wanted != n_listed) {
        let what = format!("wording.{language}.{key} has {n_listed} names");
        let wanted = phrase.n_listed().unwrap_or(0);
        return problem(what, format!("write all {wanted}, with commas between them"));
    }
    let mut slots = text.split('{').skip(1).map(|rest| rest.split('}').next().unwrap_or_default());
    let unknown = slots.find(|slot| !phrase.slots().contains(slot))?;
    let what = format!("wording.{language}.{key} has the slot {{{unknown}}}");
    problem(what, slots_here(phrase.slots()))
}

fn in_language<'a, T>(texts: &'a BTreeMap<String, T>, language: Option<&str>) -> Option<&'a T> {
    language
        .and_then(|language| texts.get(Language::of_locale(language)?.as_str()))
        .or_else(|| texts.get(LAST_RESORT))
        .or_else(|| texts.values().next())
}

/// A part of a canned text.
enum Part<'a> {
    Text(&'a str),
    Slot {
        name: &'a str,
        otherwise: &'a str,
    },
    /// A brace follows that is never closed.
    Open,
}

/// Cuts a canned text at its slots; `{{` and `}}` stand for braces.
fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, braces) = rest.split_at(at);
        parts.push(Part::Text(before));
        let doubled = braces.starts_with("{{") || braces.starts_with("}}");
        let (end, next) = match (doubled, braces.starts_with('{'), braces.find('}')) {
            (true, ..) => (1, 2),
            (false, true, Some(end)) => {
                let slot = braces.get(1..end).unwrap_or_default();
                let (name, otherwise) = slot.split_once('|').unwrap_or((slot, ""));
                parts.push(Part::Slot { name, otherwise });
                (0, end + 1)
            }
            (false, true, None) => {
                parts.push(Part::Open);
                (1, 1)
            }
            (false, false, _) => (1, 1),
        };
        parts.push(Part::Text(braces.get(..end).unwrap_or_default()));
        rest = braces.get(next..).unwrap_or_default();
    }
    parts.push(Part::Text(rest));
    parts
}

fn filled(text: &str, slots: &[(&str, &str)]) -> String {
    let mut said = String::new();
    for part in parts(text) {
        match part {
            Part::Text(text) => said.push_str(text),
            Part::Open => {}
            Part::Slot { name, otherwise } => {
                let value = slots.iter().find(|(slot, _)| *slot == name).map(|(_, value)| *value);
                let value = value.filter(|value| !value.trim().is_empty()).unwrap_or(otherwise);
                if value.is_empty() {
                    said.truncate(said.trim_end_matches(' ').len());
                }
                said.push_str(value);
            }
        }
    }
    said.trim().to_string()
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
    fn a_canned_reply_fills_its_slots_and_shows_its_buttons() {
        let canned = |text: &str| {
            let reply = format!("slug = \"r\"\ntext.en = '{text}'\nbuttons.en = [\"A\"]");
            let reply: Canned = toml::from_str(&reply).unwrap();
            Wording::new(BTreeMap::new(), &[reply], &[])
        };
        let slug = Slug::try_from("r".to_string()).unwrap();
        let check = |text: &str, slots: &[(&str, &str)], expected: &str| {
            let wording = canned(text).unwrap();
            let (said, buttons) = wording.canned(&slug, Some("en-GB"), slots).unwrap();
            assert_eq!((said.as_str(), buttons), (expected, &["A".to_string()][..]));
            assert_eq!(wording.reply(&slug, None), Some(text));
        };
        let ada = [("customer.name", "Ada"), ("team", "Billing")];
        check("Hello {customer.name}, {team} is on it.", &ada, "Hello Ada, Billing is on it.");
        check("Hello {customer.name}, yes.", &[], "Hello, yes.");
        check("Hello {customer.name|there}, yes.", &[("customer.name", " ")], "Hello there, yes.");
        check("{{}} and {teammate|we} }", &ada, "{} and we }");
        // What a customer is called is never read as a slot.
        check("{customer.name}", &[("customer.name", "{team}"), ("team", "x")], "{team}");
        let refused = |text: &str, expected: &str| {
            let problems = canned(text).unwrap_err();
            let told: Vec<String> =
                problems.iter().map(|p| format!("{}: {}; {}", p.key, p.what, p.mend)).collect();
            assert_eq!(told, [expected]);
        };
        let slots = "slots here: {customer.name}, {team}, {teammate}; {{ stands for a brace";
        refused("Hi {name}", &format!("reply.0.text.en: \"r\" has the slot {{name}}; {slots}"));
        let open = format!("reply.0.text.en: \"r\" has a brace that is not closed; {slots}");
        refused("Hi {team", &open);
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

use crate::words::plain;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::OnceLock;

mod built_in;
mod values;

pub use values::Facts;

/// What a [`Fact`] can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// True or false.
    Truth,
    /// A finite number; whole numbers and decimals are one kind.
    Number,
    /// A text.
    Text,
    /// Several texts, such as tags.
    Texts,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truth => "a truth",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::Texts => "a list of texts",
        })
    }
}

/// A text, with its plain form for finding phrases made once, when first needed.
#[derive(Debug, Clone)]
pub struct Text {
    raw: String,
    plain: OnceLock<String>,
}

impl Text {
    /// Returns the text as it was written.
    pub fn as_str(&self) -> &str {
        &self.raw
    }

    pub(crate) fn plain(&self) -> &str {
        self.plain.get_or_init(|| plain(&self.raw))
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.raw == other.raw
    }
}

impl<T: Into<String>> From<T> for Text {
    fn from(text: T) -> Self {
        Self { raw: text.into(), plain: OnceLock::new() }
    }
}

/// What is known about one [`Fact`] of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Of [`Kind::Truth`].
    Truth(bool),
    /// Of [`Kind::Number`].
    Number(f64),
    /// Of [`Kind::Text`].
    Text(Text),
    /// Of [`Kind::Texts`].
    Texts(Vec<String>),
}

impl Value {
    /// Makes a text of it.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(Text::from(text))
    }

    /// Returns what kind of value it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Truth(_) => Kind::Truth,
            Self::Number(_) => Kind::Number,
            Self::Text(_) => Kind::Text,
            Self::Texts(_) => Kind::Texts,
        }
    }
}

/// Writes the value as a rule would.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truth(truth) => write!(f, "{truth}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => write!(f, "{:?}", text.as_str()),
            Self::Texts(texts) => write!(f, "{texts:?}"),
        }
    }
}

/// When a [`Fact`] is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Of every conversation.
    Always,
    /// Of some; a rule that needs it does not fire where it is missing.
    Sometimes,
    /// As soon as an answer was drafted.
    AfterDraft,
}

/// Place of a fact in its [`Catalogue`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FactId(pub(crate) usize);

/// Something that rules can ask about a conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// How rules name it, such as `customer.tier`.
    pub name: String,
    /// What it can be.
    pub kind: Kind,
    /// When it is known.
    pub known: Known,
    /// All texts that it can be; empty for any.
    pub allowed: Vec<String>,
    /// Least and greatest number that it can be.
    pub range: (f64, f64),
    /// What it says, for people.
    pub about: String,
}

impl Fact {
    /// Says in words which numbers it can be.
    pub(crate) fn bounds(&self) -> String {
        match self.range {
            (least, f64::INFINITY) => format!("it is at least {least}"),
            (least, greatest) => format!("it lies between {least} and {greatest}"),
        }
    }
}

/// All facts that rules of one desk can ask for: the built-in ones, the attributes it declares,
/// whether each team is open, and each signal.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Catalogue {
    facts: Vec<Fact>,
    by_name: HashMap<String, usize>,
}

/// A fact was given that rules cannot use.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FactError {
    /// No fact has this name.
    #[error("there is no fact {name:?}; {mend}")]
    Unknown {
        /// The name.
        name: String,
        /// What to do about it.
        mend: String,
    },
    /// The value is of another kind.
    #[error("{name} is {expected}, not {given}; write a value of that kind")]
    OtherKind {
        /// The fact.
        name: String,
        /// What it can be.
        expected: Kind,
        /// What was given.
        given: Kind,
    },
    /// The text or number cannot be.
    #[error("{name} cannot be {given}; {mend}")]
    Impossible {
        /// The fact.
        name: String,
        /// What was given.
        given: String,
        /// What it can be.
        mend: String,
    },
}

impl Catalogue {
    /// Lists the built-in facts, then `open("…")` for each of `teams`, `signals.…` for each of
    /// `signals`, and the declared `attributes`, whose names start with `customer.` or `company.`.
    ///
    /// # Errors
    /// Every attribute whose name cannot be used, with its mend.
    pub fn new<'a>(
        teams: impl IntoIterator<Item = &'a str>,
        signals: impl IntoIterator<Item = &'a str>,
        attributes: &BTreeMap<String, Kind>,
    ) -> Result<Self, Vec<FactError>> {
        let mut catalogue = Self { facts: Vec::new(), by_name: HashMap::new() };
        for fact in built_in::facts() {
            catalogue.add(fact);
        }
        for team in teams {
            catalogue.add(Fact {
                name: format!("open({team:?})"),
                kind: Kind::Truth,
                known: Known::Always,
                allowed: Vec::new(),
                range: ANY,
                about: format!("whether team {team} is open now"),
            });
        }
        for signal in signals {
            catalogue.add(Fact {
                name: format!("signals.{signal}"),
                kind: Kind::Number,
                known: Known::Always,
                allowed: Vec::new(),
                range: (0.0, 1.0),
                about: format!("how sure it is that the message shows {signal}"),
            });
        }
        let mut errors = Vec::new();
        for (name, kind) in attributes {
            match lawful(name) && !catalogue.by_name.contains_key(name) {
                true => catalogue.add(Fact {
                    name: name.clone(),
                    kind: *kind,
                    known: Known::Sometimes,
                    allowed: Vec::new(),
                    range: ANY,
                    about: "an attribute of this desk".into(),
                }),
                false => errors.push(FactError::Unknown {
                    name: name.clone(),
                    mend: "declare attributes as customer.name or company.name, in lower-case \
                           letters, digits and _, and only those that are not built in"
                        .into(),
                }),
            }
        }
        if errors.is_empty() { Ok(catalogue) } else { Err(errors) }
    }

    fn add(&mut self, fact: Fact) {
        self.by_name.insert(fact.name.clone(), self.facts.len());
        self.facts.push(fact);
    }

    /// Returns all facts in their order.
    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }

    /// Finds a fact by its name.
    pub fn find(&self, name: &str) -> Option<FactId> {
        self.by_name.get(name).copied().map(FactId)
    }

    /// Returns what is known about a fact.
    pub fn fact(&self, id: FactId) -> &Fact {
        &self.facts[id.0]
    }

    /// Narrows a fact of texts to those that it can be, such as the names of the desk's topics.
    pub(crate) fn allow(&mut self, name: &str, allowed: Vec<String>) {
        if let Some(&place) = self.by_name.get(name) {
            self.facts[place].allowed = allowed;
        }
    }

    /// Says which fact an unknown name could mean.
    pub(crate) fn unknown(&self, name: &str) -> FactError {
        let nearest =
            self.facts.iter().map(|fact| (strsim::damerau_levenshtein(name, &fact.name), fact));
        let nearest = nearest.min_by_key(|(distance, _)| *distance);
        // What stands before the dot is the same in many names, so it says little about nearness.
        let last = name.rsplit('.').next().unwrap_or(name);
        let mend = match nearest {
            Some((distance, fact)) if distance * 3 <= last.len() + 1 => {
                format!("did you mean {}?", fact.name)
            }
            _ if name.starts_with("customer.") || name.starts_with("company.") => {
                format!("declare it: [attributes] \"{name}\" = \"text\" (or number, truth, texts)")
            }
            _ => "docs/routing.md lists all facts".into(),
        };
        FactError::Unknown { name: name.into(), mend }
    }
}

/// Any number.
const ANY: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);

fn lawful(name: &str) -> bool {
    let rest = name.strip_prefix("customer.").or_else(|| name.strip_prefix("company."));
    let lawful = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    rest.is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_lowercase()) && rest.chars().all(lawful)
    })
}

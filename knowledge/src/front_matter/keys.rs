//! The keys of front matter, whatever types their values were written in.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// Longest front matter that is parsed, bytes; real ones stay below a hundredth of it.
const FRONT_LIMIT: usize = 256 * 1024;

/// Depth of nesting that is followed into a value; deeper parts are dropped.
const DEPTH_LIMIT: usize = 4;

/// What a plain text of YAML cannot begin with: a value of broken front matter that does is a part
/// of something else.
const BROKEN_STARTS: [char; 10] = ['[', '{', '&', '*', '!', '|', '>', '%', '@', '`'];

/// Keys of which even a value that cannot be read matters, as it may keep the article from
/// customers.
const UNCLEAR_COUNTS: [&str; 3] = ["audience", "draft", "published"];

/// The known keys. Unknown ones are other tools' business and ignored.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Keys {
    #[serde(default, deserialize_with = "text")]
    pub(super) id: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(super) slug: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(super) title: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(super) url: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(super) locale: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(super) lang: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(super) language: Option<String>,
    pub(super) audience: Option<Loose>,
    pub(super) updated: Option<Loose>,
    pub(super) last_updated: Option<Loose>,
    pub(super) draft: Option<Loose>,
    pub(super) published: Option<Loose>,
}

/// Why front matter could not be parsed.
pub(super) struct Broken {
    /// Line within the front matter, from 1.
    pub(super) line: usize,
    pub(super) what: String,
}

/// A value of unknown type: text, a list, or a map.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Loose {
    Text(String),
    List(Vec<Loose>),
    Map(Vec<(String, Loose)>),
}

impl Loose {
    /// Every text in it, lists flattened, a lone text split at commas.
    pub(super) fn texts(&self) -> Vec<String> {
        match self {
            Self::Text(text) => text
                .split(',')
                .map(str::trim)
                .filter(|t| !t.is_empty())
                .map(str::to_owned)
                .collect(),
            Self::List(values) => values.iter().flat_map(Self::texts).collect(),
            Self::Map(pairs) => pairs.iter().flat_map(|(_, value)| value.texts()).collect(),
        }
    }

    /// The value as one text.
    pub(super) fn flat(self) -> String {
        match self {
            Self::Text(text) => text,
            other => other.texts().join(", "),
        }
    }

    /// The truth it says, if it says one. An empty value says false.
    pub(super) fn truth(&self) -> Option<bool> {
        let Self::Text(text) = self else { return None };
        match text.trim().to_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Some(true),
            "false" | "no" | "off" | "0" | "" => Some(false),
            _ => None,
        }
    }
}

pub(super) fn from_yaml(front: &str) -> Result<Keys, Broken> {
    bounded(front)?;
    if front.lines().all(|l| l.trim().is_empty() || l.trim_start().starts_with('#')) {
        return Ok(Keys::default());
    }
    serde_saphyr::from_str(front).map_err(|error| {
        let line = error.location().map_or(1, |l| l.line());
        Broken { line: usize::try_from(line).unwrap_or(1), what: first_line(&error.to_string()) }
    })
}

pub(super) fn from_toml(front: &str) -> Result<Keys, Broken> {
    bounded(front)?;
    toml::from_str(front).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let before = front.get(..at).unwrap_or_default();
        Broken { line: before.matches('\n').count() + 1, what: first_line(error.message()) }
    })
}

/// Reads known keys line by line. The flag says that `audience`, `draft` or `published` is there
/// and not plain enough to be trusted.
pub(super) fn from_lines(front: &str) -> (Keys, bool) {
    let mut keys = Keys::default();
    let mut doubtful = false;
    for line in front.lines() {
        let Some((key, value)) = key_and_value(line) else { continue };
        let quoted = value.trim_matches(['"', '\'']).trim();
        let text = (!quoted.is_empty()).then(|| quoted.to_owned());
        // Half of a list or of an anchor is no name; a broken `draft` has to stay doubtful.
        let is_broken = value.starts_with(BROKEN_STARTS) && !UNCLEAR_COUNTS.contains(&key);
        if is_broken {
            continue;
        }
        match key {
            "id" => keys.id = text,
            "slug" => keys.slug = text,
            "title" => keys.title = text,
            "url" => keys.url = text,
            "locale" => keys.locale = text,
            "lang" => keys.lang = text,
            "language" => keys.language = text,
            "updated" => keys.updated = text.map(Loose::Text),
            "last_updated" => keys.last_updated = text.map(Loose::Text),
            "draft" => keys.draft = text.map(Loose::Text),
            "published" => keys.published = text.map(Loose::Text),
            "audience" => {
                let list = quoted.trim_start_matches('[').trim_end_matches(']');
                let values: Vec<_> = list
                    .split(',')
                    .map(|v| v.trim().trim_matches(['"', '\'']).to_owned())
                    .collect();
                doubtful |= quoted.is_empty() || quoted.contains(['{', '}']) || line.contains('#');
                keys.audience = Some(Loose::List(values.into_iter().map(Loose::Text).collect()));
            }
            _ => {}
        }
    }
    (keys, doubtful)
}

/// Splits `key: value` or `key = value` at the start of a line.
pub(super) fn key_and_value(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once([':', '='])?;
    let key = key.trim_end();
    let plain = key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    (!key.is_empty() && plain).then(|| (key, value.trim()))
}

fn bounded(front: &str) -> Result<(), Broken> {
    if front.len() <= FRONT_LIMIT {
        return Ok(());
    }
    Err(Broken { line: 1, what: format!("it is longer than {} KiB", FRONT_LIMIT / 1024) })
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim().chars().take(200).collect()
}

/// Reads a scalar as its author wrote it: `007` stays `007`, which is why text is asked for.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    struct Scalar;
    impl<'de> Visitor<'de> for Scalar {
        type Value = Option<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text")
        }

        fn visit_none<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<Self::Value, D::Error> {
            let value = d.deserialize_string(LooseVisitor { depth: 0 })?;
            Ok(Some(value.flat()))
        }
    }
    deserializer.deserialize_option(Scalar)
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LooseVisitor { depth: 0 })
    }
}

struct LooseVisitor {
    depth: usize,
}

/// Carries the depth into nested values.
struct LooseSeed {
    depth: usize,
}

impl<'de> serde::de::DeserializeSeed<'de> for LooseSeed {
    type Value = Loose;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Loose, D::Error> {
        if self.depth > DEPTH_LIMIT {
            IgnoredAny::deserialize(deserializer)?;
            return Ok(Loose::List(Vec::new()));
        }
        deserializer.deserialize_any(LooseVisitor { depth: self.depth })
    }
}

impl<'de> Visitor<'de> for LooseVisitor {
    type Value = Loose;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a list or a map")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Loose, E> {
        Ok(Loose::Text(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Loose, E> {
        Ok(Loose::Text(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Loose, E> {
        Ok(Loose::Text(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Loose, E> {
        Ok(Loose::Text(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Loose, E> {
        Ok(Loose::Text(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Loose, E> {
        Ok(Loose::List(Vec::new()))
    }

    fn visit_none<E>(self) -> Result<Loose, E> {
        Ok(Loose::List(Vec::new()))
    }

    fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<Loose, D::Error> {
        d.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Loose, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element_seed(LooseSeed { depth: self.depth + 1 })? {
            values.push(value);
        }
        Ok(Loose::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Loose, A::Error> {
        let mut pairs = Vec::new();
        while let Some(key) = map.next_key_seed(LooseSeed { depth: self.depth + 1 })? {
            let value = map.next_value_seed(LooseSeed { depth: self.depth + 1 })?;
            pairs.push((key.flat(), value));
        }
        Ok(Loose::Map(pairs))
    }
}

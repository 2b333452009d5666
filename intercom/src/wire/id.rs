use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::Value;
use std::fmt;

/// The longest id that is believed; the vendor's are numbers, 24 hex digits, or UUIDs with a prefix.
const LONGEST: usize = 128;

/// The id of something at Intercom. Read from a string or a number, always written as a string.
///
/// It consists of ASCII letters, digits, `-`, `_`, so it can stand in an address as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ExternalId(String);

impl ExternalId {
    /// Takes an id as it is written; `None` when it cannot be one.
    pub fn parse(written: &str) -> Option<Self> {
        let lawful = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let fits = !written.is_empty() && written.len() <= LONGEST;
        (fits && written.bytes().all(lawful)).then(|| Self(written.to_string()))
    }

    /// Returns the id as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ExternalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<u64> for ExternalId {
    fn from(number: u64) -> Self {
        Self(number.to_string())
    }
}

impl<'de> Deserialize<'de> for ExternalId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = match Value::deserialize(deserializer)? {
            Value::String(text) => Self::parse(&text),
            Value::Number(number) => number.as_u64().map(Self::from),
            _ => None,
        };
        written.ok_or_else(|| D::Error::custom("an id is missing or is none"))
    }
}

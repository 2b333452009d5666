use super::{Json, Refusal};
use std::collections::BTreeMap;

/// A version of the API that answers can be given in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// That which the vendor's SDKs speak.
    V2_14,
    /// The newest one that the vendor's repository has a document of.
    V2_16,
}

/// Every version that the document of 2.16 names.
const KNOWN: [&str; 22] = [
    "1.0", "1.1", "1.2", "1.3", "1.4", "2.0", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "2.7",
    "2.8", "2.9", "2.10", "2.11", "2.12", "2.13", "2.14", "2.15", "2.16",
];

impl Version {
    /// Reads the header `Intercom-Version`. Versions other than the two are answered as 2.14.
    pub(crate) fn parse(header: &str) -> Result<Self, Refusal> {
        match header {
            "2.16" => Ok(Self::V2_16),
            known if KNOWN.contains(&known) => Ok(Self::V2_14),
            _ => Err(Refusal::new(
                400,
                "intercom_version_invalid",
                "The requested version could not be found",
            )),
        }
    }

    /// Names the version as its header does.
    pub fn name(self) -> &'static str {
        match self {
            Self::V2_14 => "2.14",
            Self::V2_16 => "2.16",
        }
    }

    /// Refuses what came only with 2.16.
    pub(crate) fn newest(self) -> Result<(), Refusal> {
        match self {
            Self::V2_16 => Ok(()),
            Self::V2_14 => Err(Refusal::new(
                400,
                "intercom_version_invalid",
                "Requested resource is not available in current API version.",
            )),
        }
    }
}

/// A request that was let in.
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) segments: Vec<String>,
    pub(crate) query: BTreeMap<String, String>,
    /// Null where there is none.
    pub(crate) body: Json,
    pub(crate) version: Version,
}

impl Request {
    /// Reads a text of the body that must be there.
    pub(crate) fn text(&self, name: &str) -> Result<&str, Refusal> {
        self.may_text(name)?.ok_or_else(|| Refusal::missing(name))
    }

    /// Reads a text of the body that may be missing. An integer in its place is refused, as the
    /// document's schema has it.
    pub(crate) fn may_text(&self, name: &str) -> Result<Option<&str>, Refusal> {
        match &self.body[name] {
            Json::Null => Ok(None),
            Json::String(text) => Ok(Some(text)),
            _ => Err(Refusal::invalid(format!("{name} must be a string"))),
        }
    }

    /// Reads a text that is one of these.
    pub(crate) fn one_of(&self, name: &str, lawful: &[&str]) -> Result<&str, Refusal> {
        let text = self.text(name)?;
        if lawful.contains(&text) {
            return Ok(text);
        }
        Err(Refusal::invalid(format!("{name} must be one of {}", lawful.join(", "))))
    }

    /// Reads an integer of the body that must be there.
    pub(crate) fn integer(&self, name: &str) -> Result<i64, Refusal> {
        match &self.body[name] {
            Json::Null => Err(Refusal::missing(name)),
            value => {
                value.as_i64().ok_or_else(|| Refusal::invalid(format!("{name} must be an integer")))
            }
        }
    }

    /// Reads a truth of the body that may be missing.
    pub(crate) fn may_truth(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match &self.body[name] {
            Json::Null => Ok(None),
            Json::Bool(truth) => Ok(Some(*truth)),
            _ => Err(Refusal::invalid(format!("{name} must be a boolean"))),
        }
    }

    /// Reads a number of the query, from 1 to `most`.
    pub(crate) fn count(&self, name: &str, default: usize, most: usize) -> Result<usize, Refusal> {
        let Some(text) = self.query.get(name) else { return Ok(default) };
        match text.parse() {
            Ok(count) if (1..=most).contains(&count) => Ok(count),
            _ => Err(Refusal::invalid(format!("{name} must be a number between 1 and {most}"))),
        }
    }
}

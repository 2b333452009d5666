use super::{ExternalId, lax};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Attributes that a company made itself, by name. A value is a string, a number, a truth value,
/// null, or an object with references to custom objects.
pub type Attributes = BTreeMap<String, Value>;

/// An attribute that conversations, customers or companies can have.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DataAttribute {
    /// The vendor's id; those that the vendor made itself have none.
    #[serde(default, deserialize_with = "lax::maybe")]
    pub id: Option<ExternalId>,
    /// Its name, under which values are written.
    #[serde(default, deserialize_with = "lax::or_default")]
    pub name: String,
    /// What teammates see.
    #[serde(default, deserialize_with = "lax::maybe")]
    pub label: Option<String>,
    /// What it belongs to: `contact`, `company` or `conversation`; absent where only one is listed.
    #[serde(default, deserialize_with = "lax::maybe")]
    pub model: Option<String>,
    /// What values are: `string`, `integer`, `float`, `decimal`, `boolean`, `date`, `datetime`,
    /// `list`, `relationship`, `files`.
    #[serde(default, deserialize_with = "lax::or_default")]
    pub data_type: String,
    /// Whether it is out of use.
    #[serde(default, deserialize_with = "lax::or_default")]
    pub archived: bool,
    /// Whether programs may set it, where the vendor says so.
    #[serde(default, deserialize_with = "lax::maybe")]
    pub api_writable: Option<bool>,
    /// Whether the company made it.
    #[serde(default, deserialize_with = "lax::or_default")]
    pub custom: bool,
}

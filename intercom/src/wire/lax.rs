//! Reading a field whatever shape it arrives in. All of these never fail but for broken JSON.

use super::{ExternalId, Private};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

/// Reads a value of any type; `None` when it is null or of another shape.
pub(crate) fn maybe<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let value = Value::deserialize(deserializer)?;
    Ok(if value.is_null() { None } else { serde_json::from_value(value).ok() })
}

/// Reads a value of any type, and its default when it is null or of another shape.
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    Ok(maybe(deserializer)?.unwrap_or_default())
}

/// Reads a text; a number or a truth value is one too.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(text_of(Value::deserialize(deserializer)?))
}

/// Reads a text as [`text`] does and protects it.
pub(crate) fn private_text<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Private<String>>, D::Error> {
    Ok(text(deserializer)?.map(Private::new))
}

/// Reads an assignee; 0 and null mean nobody.
pub(crate) fn assignee<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<ExternalId>, D::Error> {
    let id: Option<ExternalId> = maybe(deserializer)?;
    Ok(id.filter(|id| id.as_str() != "0"))
}

/// Reads a moment in seconds since 1970, as a number or in digits, or a date of ISO 8601.
pub(crate) fn moment<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Timestamp>, D::Error> {
    Ok(moment_of(&Value::deserialize(deserializer)?))
}

/// Reads a list, bare or as the one list within an object; what cannot be read is left out.
pub(crate) fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let items = match Value::deserialize(deserializer)? {
        Value::Array(items) => items,
        Value::Object(fields) => {
            let list = fields.into_iter().find_map(|(_, value)| match value {
                Value::Array(items) => Some(items),
                _ => None,
            });
            list.unwrap_or_default()
        }
        _ => vec![],
    };
    Ok(items.into_iter().filter_map(|item| serde_json::from_value(item).ok()).collect())
}

/// Takes the moment out of a value, see [`moment`].
pub(crate) fn moment_of(value: &Value) -> Option<Timestamp> {
    let seconds = match value {
        Value::Number(number) => {
            // Fractions of a second mean nothing here.
            number.as_i64().or_else(|| number.as_f64().map(|seconds| seconds as i64))
        }
        Value::String(text) => {
            let written = text.trim();
            if let Ok(moment) = written.parse::<Timestamp>() {
                return Some(moment);
            }
            written.parse().ok()
        }
        _ => None,
    };
    Timestamp::from_second(seconds?).ok()
}

fn text_of(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

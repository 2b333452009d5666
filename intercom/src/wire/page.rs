use super::lax;
use serde::{Deserialize, Deserializer, de::DeserializeOwned, de::Error as _};
use serde_json::Value;
use std::{fmt, str::FromStr};

/// The names under which the vendor puts the items of a list.
const NAMES: [&str; 6] = ["data", "conversations", "companies", "admins", "teams", "tags"];

/// A page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// What could be read.
    pub items: Vec<T>,
    /// How many items could not be read, and are missing above.
    pub n_unreadable: usize,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<Cursor>,
    /// How many items all pages have together.
    pub total_count: Option<u64>,
}

/// Where a page begins. Its text form can be kept and read again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Cursor {
    /// After an item that the vendor knows by this mark.
    After(String),
    /// At a page, counted from 1.
    Page(u64),
}

/// Why the vendor refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct ErrorList {
    /// The faults; at least one, as the vendor has it.
    #[serde(default, deserialize_with = "lax::list")]
    pub errors: Vec<Fault>,
}

/// One fault of a request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Fault {
    /// Which fault, such as `parameter_invalid`.
    #[serde(default, deserialize_with = "lax::or_default")]
    pub code: String,
    /// What people read; it may quote what was sent.
    #[serde(default, deserialize_with = "lax::private_text")]
    pub message: Option<super::Private<String>>,
    /// The field at fault.
    #[serde(default, deserialize_with = "lax::maybe")]
    pub field: Option<String>,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::After(mark) => write!(f, "after:{mark}"),
            Self::Page(number) => write!(f, "page:{number}"),
        }
    }
}

impl FromStr for Cursor {
    type Err = &'static str;

    fn from_str(written: &str) -> Result<Self, Self::Err> {
        match written.split_once(':') {
            Some(("after", mark)) if !mark.is_empty() => Ok(Self::After(mark.to_string())),
            Some(("page", number)) => number.parse().map(Self::Page).map_err(|_| "no page number"),
            _ => Err("neither after:MARK nor page:NUMBER"),
        }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Page<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut body = Value::deserialize(deserializer)?;
        let items = NAMES.iter().find_map(|name| match body.get_mut(name).map(Value::take) {
            Some(Value::Array(items)) => Some(items),
            _ => None,
        });
        let items = items.ok_or_else(|| D::Error::custom("there is no list in it"))?;
        let n_items = items.len();
        let items: Vec<T> =
            items.into_iter().filter_map(|item| serde_json::from_value(item).ok()).collect();
        Ok(Self {
            n_unreadable: n_items - items.len(),
            items,
            next: body.get("pages").and_then(next),
            total_count: body.get("total_count").and_then(Value::as_u64),
        })
    }
}

/// Finds where the next page begins. The vendor says so by a mark, by an address that holds a mark
/// or a page number, or by counting pages; lists that are counted may have an object without a mark.
fn next(pages: &Value) -> Option<Cursor> {
    let told = match pages.get("next") {
        Some(Value::Object(next)) => match next.get("starting_after") {
            Some(Value::String(mark)) if !mark.is_empty() => Some(Cursor::After(mark.clone())),
            Some(Value::Number(mark)) => Some(Cursor::After(mark.to_string())),
            _ => None,
        },
        Some(Value::String(address)) => in_address(address),
        _ => None,
    };
    told.or_else(|| counted(pages))
}

fn in_address(address: &str) -> Option<Cursor> {
    let url = reqwest::Url::parse(address).ok()?;
    let find = |name: &str| {
        url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.to_string())
    };
    match find("starting_after") {
        Some(mark) if !mark.is_empty() => Some(Cursor::After(mark)),
        _ => find("page")?.parse().ok().map(Cursor::Page),
    }
}

fn counted(pages: &Value) -> Option<Cursor> {
    let number = |name: &str| pages.get(name).and_then(Value::as_u64);
    let (page, n_pages) = (number("page")?, number("total_pages")?);
    (page < n_pages).then_some(Cursor::Page(page + 1))
}

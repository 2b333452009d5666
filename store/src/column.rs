use crate::{Error, Id};
use jiff::Timestamp;
use router::Slug;
use serde::de::DeserializeOwned;
use sqlx::{Row, any::AnyRow};

/// Reads a row's columns by name, and says which one is damaged when it does not hold what it
/// should.
pub(crate) struct Columns<'r>(pub(crate) &'r AnyRow);

impl Columns<'_> {
    pub(crate) fn text(&self, name: &'static str) -> Result<String, Error> {
        Ok(self.0.try_get(name)?)
    }

    pub(crate) fn maybe_text(&self, name: &'static str) -> Result<Option<String>, Error> {
        Ok(self.0.try_get(name)?)
    }

    pub(crate) fn number(&self, name: &'static str) -> Result<i64, Error> {
        Ok(self.0.try_get(name)?)
    }

    pub(crate) fn maybe_number(&self, name: &'static str) -> Result<Option<i64>, Error> {
        Ok(self.0.try_get(name)?)
    }

    pub(crate) fn count(&self, name: &'static str) -> Result<u32, Error> {
        u32::try_from(self.number(name)?).map_err(|_| damaged(name))
    }

    pub(crate) fn fraction(&self, name: &'static str) -> Result<f64, Error> {
        Ok(self.0.try_get(name)?)
    }

    pub(crate) fn maybe_fraction(&self, name: &'static str) -> Result<Option<f64>, Error> {
        Ok(self.0.try_get(name)?)
    }

    pub(crate) fn truth(&self, name: &'static str) -> Result<bool, Error> {
        Ok(self.number(name)? != 0)
    }

    pub(crate) fn time(&self, name: &'static str) -> Result<Timestamp, Error> {
        Timestamp::from_microsecond(self.number(name)?).map_err(|_| damaged(name))
    }

    pub(crate) fn maybe_time(&self, name: &'static str) -> Result<Option<Timestamp>, Error> {
        let Some(at) = self.maybe_number(name)? else { return Ok(None) };
        Timestamp::from_microsecond(at).map(Some).map_err(|_| damaged(name))
    }

    pub(crate) fn id<T>(&self, name: &'static str) -> Result<Id<T>, Error> {
        self.text(name)?.parse().map_err(|_| damaged(name))
    }

    pub(crate) fn maybe_id<T>(&self, name: &'static str) -> Result<Option<Id<T>>, Error> {
        self.maybe_text(name)?.map(|id| id.parse().map_err(|_| damaged(name))).transpose()
    }

    pub(crate) fn slug(&self, name: &'static str) -> Result<Slug, Error> {
        self.text(name)?.try_into().map_err(|_| damaged(name))
    }

    pub(crate) fn maybe_slug(&self, name: &'static str) -> Result<Option<Slug>, Error> {
        self.maybe_text(name)?.map(|slug| slug.try_into().map_err(|_| damaged(name))).transpose()
    }

    pub(crate) fn json<T: DeserializeOwned>(&self, name: &'static str) -> Result<T, Error> {
        serde_json::from_str(&self.text(name)?).map_err(|_| damaged(name))
    }

    pub(crate) fn maybe_json<T: DeserializeOwned>(
        &self,
        name: &'static str,
    ) -> Result<Option<T>, Error> {
        let Some(text) = self.maybe_text(name)? else { return Ok(None) };
        serde_json::from_str(&text).map(Some).map_err(|_| damaged(name))
    }
}

/// Says that a column cannot be read, without what it holds.
pub(crate) fn damaged(name: &'static str) -> Error {
    Error::Damaged { what: "a value", found: format!("column {name}") }
}

/// Makes a moment storable.
pub(crate) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// Makes a moment storable, where there is one.
pub(crate) fn maybe_micros(at: Option<Timestamp>) -> Option<i64> {
    at.map(micros)
}

/// Makes text from elsewhere storable: PostgreSQL takes no NUL in text, so nobody gets any.
pub(crate) fn plain(text: &str) -> String {
    if text.contains('\0') { text.replace('\0', "") } else { text.to_string() }
}

/// Makes text from elsewhere storable, where there is any.
pub(crate) fn maybe_plain(text: Option<&String>) -> Option<String> {
    text.map(|text| plain(text))
}

/// Writes a value as JSON, which escapes whatever a text column could not hold.
pub(crate) fn json<T: serde::Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_string())
}

use serde::Deserialize;
use std::fmt;

/// A value that may tell something of a person; its `Debug` shows that it is there and no more.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(transparent)]
pub struct Private<T>(T);

impl<T> Private<T> {
    /// Takes a value into protection.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// Shows the value to whoever asks for it by name.
    pub const fn reveal(&self) -> &T {
        &self.0
    }

    /// Gives the value away.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl Private<String> {
    /// Shows the text to whoever asks for it by name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T> fmt::Debug for Private<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

use reqwest::header::HeaderValue;
use std::{fmt, str::FromStr};

/// The token of an app in one workspace; never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken(String);

/// Where a workspace's data lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Region {
    /// The United States; most workspaces.
    Us,
    /// The European Union.
    Eu,
    /// Australia.
    Au,
}

/// A version of the vendor's REST interface: those against whose documents the requests are tested.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// 2.14, from which the vendor makes its own clients.
    #[default]
    V2_14,
    /// 2.16, the newest with a document (August 2026).
    V2_16,
}

/// Why a client could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// The address cannot be used.
    #[error(
        "the address of Intercom has to begin with https and hold neither user, password nor query"
    )]
    Address,
    /// The token is empty or holds what no token holds.
    #[error("the access token is empty or holds blanks or line breaks; copy it again")]
    Token,
    /// TLS cannot be set up; no input leads there.
    #[error("https cannot be set up on this machine")]
    Tls,
}

impl AccessToken {
    /// Takes a token as it was copied; blanks and line breaks around it are left out.
    pub fn new(copied: &str) -> Self {
        Self(copied.trim().to_string())
    }

    /// Makes the header that shows the token to the vendor, and to no log.
    pub(super) fn header(&self) -> Result<HeaderValue, SetupError> {
        if self.0.is_empty() || !self.0.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(SetupError::Token);
        }
        let written = format!("Bearer {}", self.0);
        let mut header = HeaderValue::from_str(&written).map_err(|_| SetupError::Token)?;
        header.set_sensitive(true);
        Ok(header)
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Region {
    /// Returns the address of the region.
    pub const fn base_url(self) -> &'static str {
        match self {
            Self::Us => "https://api.intercom.io",
            Self::Eu => "https://api.eu.intercom.io",
            Self::Au => "https://api.au.intercom.io",
        }
    }
}

impl FromStr for Region {
    type Err = &'static str;

    /// Reads `us`, `eu` or `au` in any case, as the vendor writes it in `app.region`.
    fn from_str(written: &str) -> Result<Self, Self::Err> {
        match written.to_ascii_lowercase().as_str() {
            "us" => Ok(Self::Us),
            "eu" => Ok(Self::Eu),
            "au" => Ok(Self::Au),
            _ => Err("the region is us, eu or au"),
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Us => "us",
            Self::Eu => "eu",
            Self::Au => "au",
        })
    }
}

impl Version {
    /// Returns the version as the header `Intercom-Version` has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2_14 => "2.14",
            Self::V2_16 => "2.16",
        }
    }
}

impl FromStr for Version {
    type Err = &'static str;

    fn from_str(written: &str) -> Result<Self, Self::Err> {
        match written {
            "2.14" => Ok(Self::V2_14),
            "2.16" => Ok(Self::V2_16),
            _ => Err("the version is 2.14 or 2.16"),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

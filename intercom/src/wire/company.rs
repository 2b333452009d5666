use super::{Attributes, ExternalId, Private, Tag, lax};
use jiff::Timestamp;
use serde::Deserialize;

/// A company that customers belong to.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Company {
    /// The vendor's id.
    pub id: ExternalId,
    /// The desk's own id of it.
    #[serde(default, deserialize_with = "lax::private_text")]
    pub company_id: Option<Private<String>>,
    /// Its name.
    #[serde(default, deserialize_with = "lax::private_text")]
    pub name: Option<Private<String>>,
    /// What it pays for; the vendor sends an empty object when it does not know.
    #[serde(default, deserialize_with = "lax::or_default")]
    pub plan: Plan,
    /// What it pays a month, in whatever currency the desk reports.
    #[serde(default, deserialize_with = "lax::maybe")]
    pub monthly_spend: Option<f64>,
    /// How many people work there.
    #[serde(default, deserialize_with = "lax::maybe")]
    pub size: Option<u64>,
    /// Its industry.
    #[serde(default, deserialize_with = "lax::text")]
    pub industry: Option<String>,
    /// Its tags.
    #[serde(default, deserialize_with = "lax::list")]
    pub tags: Vec<Tag>,
    /// The desk's own attributes of it.
    #[serde(default, deserialize_with = "lax::or_default")]
    pub custom_attributes: Private<Attributes>,
    /// When anything about it last changed.
    #[serde(default, deserialize_with = "lax::moment")]
    pub updated_at: Option<Timestamp>,
}

/// What a company pays for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Plan {
    /// The name of the plan.
    #[serde(default, deserialize_with = "lax::text")]
    pub name: Option<String>,
}

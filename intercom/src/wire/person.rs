use super::{Attributes, ExternalId, Private, Tag, lax};
use jiff::Timestamp;
use serde::Deserialize;

/// A customer in a conversation, by ids.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ContactReference {
    /// The vendor's id.
    pub id: ExternalId,
    /// The company's own id of the customer; some companies use e-mail addresses.
    #[serde(default, deserialize_with = "lax::private_text")]
    pub external_id: Option<Private<String>>,
}

/// A customer as the vendor knows them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Contact {
    /// The vendor's id.
    pub id: ExternalId,
    /// The company's own id of the customer; some companies use e-mail addresses.
    #[serde(default, deserialize_with = "lax::private_text")]
    pub external_id: Option<Private<String>>,
    /// `user` when the company knows them, `lead` otherwise.
    #[serde(default, deserialize_with = "lax::or_default")]
    pub role: String,
    /// The e-mail address.
    #[serde(default, deserialize_with = "lax::private_text")]
    pub email: Option<Private<String>>,
    /// The name.
    #[serde(default, deserialize_with = "lax::private_text")]
    pub name: Option<Private<String>>,
    /// The company's own attributes of the customer.
    #[serde(default, deserialize_with = "lax::or_default")]
    pub custom_attributes: Private<Attributes>,
    /// Where they were last seen.
    #[serde(default, deserialize_with = "lax::or_default")]
    pub location: Location,
    /// The language that was chosen for them.
    #[serde(default, deserialize_with = "lax::maybe")]
    pub language_override: Option<String>,
    /// The language that their browser asks for.
    #[serde(default, deserialize_with = "lax::maybe")]
    pub browser_language: Option<String>,
    /// The first companies they belong to, by id; the rest come from `Client::companies_of`.
    #[serde(default, deserialize_with = "lax::list")]
    pub companies: Vec<super::Reference>,
    /// Their first tags; the vendor sends ids without names here.
    #[serde(default, deserialize_with = "lax::list")]
    pub tags: Vec<Tag>,
    /// When they were first seen.
    #[serde(default, deserialize_with = "lax::moment")]
    pub created_at: Option<Timestamp>,
    /// When anything about them last changed.
    #[serde(default, deserialize_with = "lax::moment")]
    pub updated_at: Option<Timestamp>,
    /// When they signed up with the company.
    #[serde(default, deserialize_with = "lax::moment")]
    pub signed_up_at: Option<Timestamp>,
}

/// Where a customer was last seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Location {
    /// The country, by name.
    #[serde(default, deserialize_with = "lax::private_text")]
    pub country: Option<Private<String>>,
    /// Its code (ISO 3166), where the vendor sends it.
    #[serde(default, deserialize_with = "lax::private_text")]
    pub country_code: Option<Private<String>>,
    /// The region.
    #[serde(default, deserialize_with = "lax::private_text")]
    pub region: Option<Private<String>>,
    /// The city.
    #[serde(default, deserialize_with = "lax::private_text")]
    pub city: Option<Private<String>>,
}

/// A teammate, or the seat of a program.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Admin {
    /// The vendor's id.
    pub id: ExternalId,
    /// The name that is shown.
    #[serde(default, deserialize_with = "lax::private_text")]
    pub name: Option<Private<String>>,
    /// The e-mail address.
    #[serde(default, deserialize_with = "lax::private_text")]
    pub email: Option<Private<String>>,
    /// Whether they are away.
    #[serde(default, deserialize_with = "lax::or_default")]
    pub away_mode_enabled: bool,
    /// Whether they may work in the inbox; only then can a conversation be theirs.
    #[serde(default, deserialize_with = "lax::or_default")]
    pub has_inbox_seat: bool,
    /// Their teams.
    #[serde(default, deserialize_with = "lax::list")]
    pub team_ids: Vec<ExternalId>,
}

/// Whose token it is, and in which workspace.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Me {
    /// The teammate.
    #[serde(flatten)]
    pub admin: Admin,
    /// The workspace.
    #[serde(default, deserialize_with = "lax::or_default")]
    pub app: App,
}

/// A workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct App {
    /// Its id, as in addresses and in webhooks (`app_id`).
    #[serde(default, deserialize_with = "lax::text")]
    pub id_code: Option<String>,
    /// Its name.
    #[serde(default, deserialize_with = "lax::text")]
    pub name: Option<String>,
    /// Where its data lie: `US`, `EU` or `AU`.
    #[serde(default, deserialize_with = "lax::text")]
    pub region: Option<String>,
    /// Its time zone, by name.
    #[serde(default, deserialize_with = "lax::text")]
    pub timezone: Option<String>,
}

/// A team.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Team {
    /// The vendor's id.
    pub id: ExternalId,
    /// Its name.
    #[serde(default, deserialize_with = "lax::or_default")]
    pub name: String,
    /// Who is in it.
    #[serde(default, deserialize_with = "lax::list")]
    pub admin_ids: Vec<ExternalId>,
}

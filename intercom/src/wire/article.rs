use super::{ExternalId, lax};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::collections::BTreeMap;

/// An article of the help centre; what stands outside the translations is the default language.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Article {
    /// The vendor's id.
    pub id: ExternalId,
    /// The article in its default language.
    #[serde(flatten)]
    pub content: ArticleContent,
    /// Its default language.
    #[serde(default, deserialize_with = "lax::maybe")]
    pub default_locale: Option<String>,
    /// The article in each language, the default one among them, by the vendor's name of it (`en`,
    /// `pt-BR`); empty in workspaces of one language.
    #[serde(default, deserialize_with = "translations")]
    pub translated_content: BTreeMap<String, ArticleContent>,
    /// Who may read it: `everyone`, or a narrower audience. Absent where the vendor does not say;
    /// versions before 2.16 never do.
    #[serde(default, deserialize_with = "lax::maybe")]
    pub help_center_audience: Option<String>,
    /// The collections it stands in, innermost first as far as the vendor keeps to it.
    #[serde(default, deserialize_with = "lax::list")]
    pub parent_ids: Vec<ExternalId>,
}

/// An article in one language.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct ArticleContent {
    /// Its title.
    #[serde(default, deserialize_with = "lax::or_default")]
    pub title: String,
    /// What it is about.
    #[serde(default, deserialize_with = "lax::or_default")]
    pub description: String,
    /// What it says, in HTML.
    #[serde(default, deserialize_with = "lax::or_default")]
    pub body: String,
    /// `published` or `draft`.
    #[serde(default, deserialize_with = "lax::or_default")]
    pub state: String,
    /// Where customers read it; absent for drafts.
    #[serde(default, deserialize_with = "lax::maybe")]
    pub url: Option<String>,
    /// Who wrote it.
    #[serde(default, deserialize_with = "lax::assignee")]
    pub author_id: Option<ExternalId>,
    /// When it was written.
    #[serde(default, deserialize_with = "lax::moment")]
    pub created_at: Option<Timestamp>,
    /// When it last changed.
    #[serde(default, deserialize_with = "lax::moment")]
    pub updated_at: Option<Timestamp>,
}

/// Where pages come from that are pushed to Intercom.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ImportSource {
    /// The vendor's id; the one id that requests have to send as a number.
    pub id: u64,
    /// Its address, by which people tell sources apart.
    #[serde(default, deserialize_with = "lax::or_default")]
    pub url: String,
    /// `api`, `automatic` or `manual`.
    #[serde(default, deserialize_with = "lax::or_default")]
    pub sync_behavior: String,
    /// `active` or `deactivated`.
    #[serde(default, deserialize_with = "lax::or_default")]
    pub status: String,
}

/// A page that was pushed to Intercom.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ExternalPageSaved {
    /// The vendor's id.
    pub id: ExternalId,
    /// Our id of it.
    #[serde(default, deserialize_with = "lax::text")]
    pub external_id: Option<String>,
    /// The source it belongs to.
    #[serde(default, deserialize_with = "lax::maybe")]
    pub source_id: Option<u64>,
    /// Its title.
    #[serde(default, deserialize_with = "lax::or_default")]
    pub title: String,
}

impl Article {
    /// Whether it is for everyone. Where the vendor does not say, it is not known to be.
    pub fn is_open(&self) -> bool {
        self.help_center_audience.as_deref() == Some("everyone")
    }
}

impl ArticleContent {
    /// Whether customers can read it.
    pub fn is_published(&self) -> bool {
        self.state == "published"
    }
}

/// Reads an object of languages; beside them stands `type`, and languages without a text are null.
fn translations<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, ArticleContent>, D::Error> {
    let Value::Object(fields) = Value::deserialize(deserializer)? else {
        return Ok(BTreeMap::new());
    };
    let objects = fields.into_iter().filter(|(_, value)| value.is_object());
    let read = objects.filter_map(|(locale, value)| {
        serde_json::from_value(value).ok().map(|read| (locale, read))
    });
    Ok(read.collect())
}

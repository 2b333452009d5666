//! What is sent. Ids are strings, as the vendor's schema has it, whatever its examples show.

use super::Query;
use crate::wire::ExternalId;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A button under a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QuickReply {
    /// What it says.
    pub text: String,
    /// Comes back in the part that pressing it makes.
    #[serde(serialize_with = "as_text")]
    pub uuid: Uuid,
}

#[derive(Serialize)]
pub(super) struct ReplyBody<'a> {
    pub(super) message_type: &'static str,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) admin_id: &'a ExternalId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) reply_options: &'a [QuickReply],
}

#[derive(Serialize)]
pub(super) struct ManageBody<'a> {
    pub(super) message_type: &'static str,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<&'static str>,
    pub(super) admin_id: &'a ExternalId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) assignee_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) snoozed_until: Option<i64>,
}

#[derive(Serialize)]
pub(super) struct SearchBody<'a> {
    pub(super) query: &'a Query,
    pub(super) pagination: Pagination<'a>,
}

#[derive(Serialize)]
pub(super) struct Pagination<'a> {
    pub(super) per_page: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) starting_after: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct TagBody<'a> {
    pub(super) id: &'a ExternalId,
    pub(super) admin_id: &'a ExternalId,
}

#[derive(Serialize)]
pub(super) struct UntagBody<'a> {
    pub(super) admin_id: &'a ExternalId,
}

#[derive(Serialize)]
pub(super) struct NameBody<'a> {
    pub(super) name: &'a str,
}

#[derive(Serialize)]
pub(super) struct ConvertBody<'a> {
    pub(super) ticket_type_id: &'a ExternalId,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) attributes: BTreeMap<&'a str, &'a str>,
}

#[derive(Serialize)]
pub(super) struct ImportSourceBody<'a> {
    pub(super) sync_behavior: &'static str,
    pub(super) url: &'a str,
}

#[derive(Serialize)]
pub(super) struct ExternalPageBody<'a> {
    pub(super) title: &'a str,
    pub(super) html: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) url: Option<&'a str>,
    pub(super) ai_agent_availability: bool,
    pub(super) ai_copilot_availability: bool,
    pub(super) locale: &'static str,
    pub(super) source_id: u64,
    pub(super) external_id: &'a str,
}

fn as_text<S: Serializer>(uuid: &Uuid, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(uuid)
}

use super::{ExternalId, lax};
use serde::Deserialize;

/// A tag. Where the vendor lists tags of a customer, it sends no name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Tag {
    /// The vendor's id.
    pub id: ExternalId,
    /// Its name.
    #[serde(default, deserialize_with = "lax::or_default")]
    pub name: String,
}

/// A kind of ticket.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct TicketType {
    /// The vendor's id.
    pub id: ExternalId,
    /// Its name.
    #[serde(default, deserialize_with = "lax::or_default")]
    pub name: String,
    /// `Customer`, `Back-office` or `Tracker`; a conversation becomes one of `Customer` alone.
    #[serde(default, deserialize_with = "lax::or_default")]
    pub category: String,
    /// Whether it is out of use.
    #[serde(default, deserialize_with = "lax::or_default")]
    pub archived: bool,
}

/// A ticket that a conversation has become.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Ticket {
    /// The vendor's id, for further calls.
    pub id: ExternalId,
    /// The number that people see.
    #[serde(default, deserialize_with = "lax::maybe")]
    pub ticket_id: Option<ExternalId>,
}

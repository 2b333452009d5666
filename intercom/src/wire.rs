//! The objects that Intercom sends, as far as they are used here.
//!
//! Reading is laxer than the vendor's schema, whose own examples break it: a field that is absent,
//! null or of another shape than expected counts as absent, unknown values of enums are kept as they
//! are, ids may be strings or numbers, lists may be bare or wrapped. Only what nothing can be done
//! without is insisted on: the id of an object, and that a list of parts is a list of parts.
//!
//! What customers and teammates wrote, are called and can be reached by is [`Private`], so that no
//! `Debug` shows it.

mod article;
mod attribute;
mod company;
mod conversation;
mod id;
pub(crate) mod lax;
mod page;
mod part;
mod person;
mod private;
mod ticket;

pub use article::{Article, ArticleContent, ExternalPageSaved, ImportSource};
pub use attribute::{Attributes, DataAttribute};
pub use company::{Company, Plan};
pub use conversation::{
    AiAgent, Conversation, DeletedConversation, Linked, Rating, Source, State, Statistics,
};
pub use id::ExternalId;
pub use page::{Cursor, ErrorList, Fault, Page};
pub use part::{Attachment, Author, Metadata, Offered, Part, Parts, Reference, Who};
pub use person::{Admin, App, Contact, ContactReference, Location, Me, Team};
pub use private::Private;
pub use ticket::{Tag, Ticket, TicketType};

#[cfg(test)]
mod tests;

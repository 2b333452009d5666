//! How does a workspace of Intercom become a channel of the desk?
//!
//! [`Intercom`] is the channel: webhooks are proven and kept (`channel.rs`), what they are about is
//! read back (`sync.rs`: the far side's own record counts, never the payload), what happened there
//! becomes what happened here (`history.rs`, with `workspace.rs` and `directory.rs` for who is who and
//! `customers.rs` for what is known of whom), and what the desk says and does is done there
//! (`posts.rs`), unless people were quicker (`standing.rs`).
//!
//! Below it everything that knows the wire. Inwards: [`signature`] tells whether a webhook is
//! genuine, [`Notice`] what it is about, [`wire`] reads the vendor's objects, laxer than its own
//! schema, [`text`] turns its HTML into text and Markdown into its HTML. Outwards: [`Client`] has a
//! method for each call that a bot needs; every one waits for its share of the vendor's [`Budget`]
//! (that of all nodes is a [`SharedBudget`]), and none with an effect is ever repeated by itself,
//! because the vendor knows no idempotency keys.
//!
//! For those who connect a workspace and look after it: [`connect`] says what is missing, [`export`]
//! reads the conversations of the past, [`articles`] the help centre, and [`push`] shows the desk's
//! articles there.
//!
//! The versions of the REST interface that are spoken are those of [`Version`]; the tests hold every
//! request against the vendor's own documents of both.
//!
//! Deliberately absent: decisions, and SQL. The words Contact, Admin and Ticket are the vendor's and
//! stay on this side.

pub mod articles;
mod channel;
pub mod client;
pub mod connect;
mod customers;
mod deletions;
mod directory;
pub mod export;
mod history;
pub mod notice;
mod posts;
pub mod push;
mod shared_budget;
pub mod signature;
mod standing;
mod sync;
pub mod text;
pub mod wire;
mod workspace;

pub use channel::{Intercom, IntercomParts, Mode};
pub use client::{
    AccessToken, ApiError, Assignee, AttributeValue, Budget, Class, Client, ClientParts, Clock,
    Condition, Display, ExternalPage, Found, LocalBudget, Manage, Operand, Operator, Patience,
    Query, QuickReply, Region, Reply, SetupError, TicketDraft, Update, Version, Wait, WindowSeen,
};
pub use directory::Directory;
pub use notice::{Notice, Subject};
pub use shared_budget::SharedBudget;

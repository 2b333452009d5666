//! How do customers, teammates and programs reach the desk over HTTP?
//!
//! [`serve`] answers on one listener: customers by the messenger (`messenger.rs`, with the script
//! that a company puts into its pages), teammates by the inbox (`inbox.rs`), programs by the API
//! (`api.rs`), other systems by their webhooks (`vendors.rs`), and whoever runs it by health and
//! metrics (`operations.rs`). `listen.rs` keeps slow clients from holding it up. Everything is said
//! to, and read from, a [`bot::Office`].
//!
//! Deliberately absent: decisions, and SQL. A page shows what the store holds.

mod api;
mod buckets;
mod caller;
mod front;
mod inbox;
mod listen;
mod markdown;
mod messenger;
mod operations;
mod outside;
mod problem;
mod secret;
mod vendors;

pub use api::{SCOPES, issue_token};
pub use front::{Front, Settings};
pub use inbox::hash_password;
pub use messenger::{Origin, Texts};
pub use operations::Health;

pub(crate) use problem::Problem;

use axum::{Router, middleware};
use listen::Patience;
use tokio::net::TcpListener;

/// Returns every route of the desk.
pub fn router(front: Front) -> Router {
    let routes = Router::new()
        .merge(messenger::router(&front))
        .merge(inbox::router())
        .merge(api::router(&front))
        .merge(vendors::router())
        .merge(operations::router());
    listen::in_time(routes, Patience::default())
        .layer(middleware::from_fn_with_state(front.clone(), operations::observe))
        .with_state(front)
}

/// Answers requests on `listener` until `shutdown` resolves and those under way are answered. Clients
/// that take their time are not waited for (`listen.rs`).
pub async fn serve(listener: TcpListener, front: Front, shutdown: impl Future<Output = ()>) {
    listen::serve(listener, router(front), Patience::default(), shutdown).await;
}

//! Teammates: the pages on which they sign in, see their queues and reply.
//!
//! Pages are rendered here and work without a script; htmx (`web/inbox/htmx.min.js`) and a small
//! script (`inbox.js`) look up again what changes while a page is open. [`session`] says who asks
//! and whether a form is the desk's own; [`lists`] and [`shell`] are what surrounds a conversation,
//! [`conversation`], [`timeline`], [`side`] and [`composer`] the conversation itself. What is done
//! to one goes through [`deeds`] to the office, in the teammate's name.

mod accounts;
mod asset;
mod attempts;
mod audit;
mod composer;
mod conversation;
mod decision;
mod deeds;
mod events;
mod judge;
mod lists;
mod me;
mod moment;
mod page;
mod password;
mod people;
mod search;
mod session;
mod shell;
mod side;
mod sign_in;
mod timeline;
mod tokens;
mod webhooks;

pub use password::hash_password;

use crate::{Front, caller::Caller};
use attempts::Attempts;
use axum::{
    Router,
    extract::{DefaultBodyLimit, Path, State},
    http::HeaderMap,
    middleware,
    response::Redirect,
    routing::{get, post},
};
use session::{AtDoor, Signed, SignedIn};
use std::sync::Arc;

/// The largest form that is read: the longest message, percent-encoded, and a little more.
const LIMIT_BYTES: usize = 256 * 1024;

/// Returns the routes.
pub(crate) fn router() -> Router<Front> {
    let attempts = Arc::new(Attempts::default());
    let counted = Arc::clone(&attempts);
    let sign_in = move |front: State<Front>, caller: Caller, form: AtDoor<sign_in::Entered>| {
        sign_in::sign_in(front, caller, Arc::clone(&counted), form)
    };
    let change_password =
        move |front: State<Front>, caller: Caller, form: Signed<me::Passwords>| {
            me::change_password(front, caller, Arc::clone(&attempts), form)
        };
    let door = |front: State<Front>| async move { sign_in::form(&front) };
    let file = |name: Path<String>, headers: HeaderMap| async move { asset::file(&name, &headers) };
    let listen = |front: State<Front>, by: SignedIn| async move { events::listen(front.0, by) };
    let home = || async { Redirect::to("/inbox/lists/mine") };
    Router::new()
        .route("/inbox", get(home))
        .route("/inbox/", get(home))
        .route("/inbox/sign-in", get(door).post(sign_in))
        .route("/inbox/sign-out", post(sign_in::sign_out))
        .route("/inbox/static/{name}", get(file))
        .route("/inbox/events", get(listen))
        .route("/inbox/nav", get(shell::nav))
        .route("/inbox/me", get(me::page))
        .route("/inbox/me/password", post(change_password))
        .route("/inbox/me/away", post(me::set_away))
        .route("/inbox/lists/{list}", get(lists::page))
        .route("/inbox/lists/{list}/rows", get(lists::rows))
        .route("/inbox/conversations/{id}", get(conversation::open))
        .route("/inbox/conversations/{id}/timeline", get(conversation::timeline))
        .route("/inbox/conversations/{id}/draft", get(conversation::draft))
        .route("/inbox/conversations/{id}/side", get(conversation::side))
        .route("/inbox/conversations/{id}/say", post(deeds::say))
        .route("/inbox/conversations/{id}/deed", post(deeds::act))
        .route("/inbox/search", get(search::page))
        .route("/inbox/audit", get(audit::page))
        .route("/inbox/judge", get(judge::page))
        .route("/inbox/teammates", get(accounts::page).post(accounts::add))
        .route("/inbox/teammates/{slug}", post(accounts::alter))
        .route("/inbox/tokens", get(tokens::page).post(tokens::make))
        .route("/inbox/tokens/{id}/revoke", post(tokens::revoke))
        .route("/inbox/webhooks", get(webhooks::page))
        .layer(DefaultBodyLimit::max(LIMIT_BYTES))
        .layer(middleware::from_fn(page::finish))
}

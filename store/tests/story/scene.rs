//! Where stories take place, and the people in them.

use jiff::{SignedDuration, Timestamp};
use router::{Event, Slug};
use serde_json::Map;
use std::sync::{Arc, Mutex, PoisonError, Weak, atomic::AtomicU32, atomic::Ordering};
use store::{Change, Content, Customer, Guard, Id, Identity, Page, Record, Store};
use tests::postgres::Server;

static SERVER: Mutex<Weak<Server>> = Mutex::new(Weak::new());
static N_DATABASES: AtomicU32 = AtomicU32::new(0);

/// A database that nothing has been written to.
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    pub(crate) url: String,
    pub(crate) store: Store,
    pub(crate) server: Option<Arc<Server>>,
    pub(crate) folder: Option<tempfile::TempDir>,
}

/// Sets the scene on SQLite and, where it is installed, on PostgreSQL.
pub(crate) async fn scenes() -> Vec<Scene> {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}/desk.db", folder.path().display());
    let store = Store::open(&url).await.unwrap();
    let mut scenes = vec![Scene { name: "SQLite", url, store, server: None, folder: Some(folder) }];
    if let Some(server) = server() {
        let number = N_DATABASES.fetch_add(1, Ordering::Relaxed);
        let url = server.database(&format!("desk_{number}"));
        let store = Store::open(&url).await.unwrap();
        scenes.push(Scene { name: "PostgreSQL", url, store, server: Some(server), folder: None });
    }
    scenes
}

/// Returns the server that the stories share; it ends with the last of them.
fn server() -> Option<Arc<Server>> {
    let mut shared = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(server) = shared.upgrade() {
        return Some(server);
    }
    let server = Arc::new(Server::start()?);
    *shared = Arc::downgrade(&server);
    Some(server)
}

/// Returns a moment, in seconds after the beginning.
pub(crate) fn at(seconds: i64) -> Timestamp {
    "2026-03-02T09:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

pub(crate) fn slug(name: &str) -> Slug {
    name.to_string().try_into().unwrap()
}

pub(crate) fn newest(limit: u32) -> Page {
    Page { before: None, limit }
}

pub(crate) fn visitor(now: Timestamp) -> Customer {
    let (identity, name, email, locale) = (None, None, None, None);
    let attributes = Map::new();
    let id = Id::new(now);
    Customer { id, identity, name, email, locale, attributes, created_at: now, seen_at: now }
}

pub(crate) fn known(name: &str, now: Timestamp) -> Customer {
    let identity = Some(Identity { realm: "desk".into(), external_id: format!("id-{name}") });
    let email = Some(format!("{name}@example.com"));
    Customer { identity, name: Some(name.to_string()), email, ..visitor(now) }
}

pub(crate) fn wrote(text: &str) -> Content {
    Content::Customer { text: text.to_string(), client_id: None }
}

/// Has the customer write: what every delivery does.
pub(crate) fn write(
    text: &str,
    now: Timestamp,
) -> impl FnOnce(&mut Record, &mut Change) -> Result<(), String> + Send + 'static {
    let content = wrote(text);
    move |record, change| {
        record.state.apply(&Event::CustomerWrote).map_err(|e| e.to_string())?;
        record.turn_due_at = Some(now);
        change.entries.push((Id::new(now), content));
        Ok(())
    }
}

/// Opens a conversation of a new visitor.
pub(crate) async fn opened(store: &Store, now: Timestamp) -> Record {
    let customer = store.keep_customer(&visitor(now)).await.unwrap();
    let record = Record::new("web", customer.id, now);
    let delivery =
        store::Delivery { channel: "web".into(), external_id: format!("first of {}", record.id) };
    let opening = store::Opening::New(Box::new(record));
    let received = store.receive(&delivery, opening, now, write("hello", now)).await;
    store.conversation(received.unwrap().unwrap().conversation).await.unwrap()
}

/// Alters a conversation without conditions.
pub(crate) async fn alter(
    store: &Store,
    id: Id<Record>,
    now: Timestamp,
    alter: impl FnOnce(&mut Record, &mut Change) + Send,
) {
    let alter = |record: &mut Record, change: &mut Change| {
        alter(record, change);
        Ok::<(), ()>(())
    };
    store.change(id, Guard::None, now, alter).await.unwrap().unwrap();
}

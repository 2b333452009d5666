use crate::scene::{Scene, at, known, newest, opened, scenes, slug, wrote};
use serde_json::json;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Row};
use std::path::Path;
use store::{
    Actor, ApiToken, Audit, Content, Delivery, Error, Id, Label, NewDecision, NewPost, NewTimer,
    Opening, Outcome, OutcomeKind, Record, Search, Source, Store, Verdict, Visit,
};

/// Stands in every text that the customer has to do with.
const SECRET: &str = "xylophonsecret";

const TABLES: [&str; 16] = [
    "account",
    "session",
    "api_token",
    "request",
    "customer",
    "visit",
    "conversation",
    "ledger",
    "entry",
    "decision",
    "label",
    "post",
    "timer",
    "outcome",
    "audit",
    "message_words",
];

/// Leaves traces of a customer wherever the store keeps anything.
async fn leave_traces(store: &Store) -> (store::Customer, Id<Record>) {
    let customer = store.keep_customer(&known(SECRET, at(0))).await.unwrap();
    let visit = Visit {
        token_hash: "visit".into(),
        customer: customer.id,
        verified: true,
        expires_at: at(99),
    };
    store.keep_visit(&visit).await.unwrap();
    let mut record = Record::new("web", customer.id, at(0));
    record.page = Some(format!("https://example.com/{SECRET}"));
    let delivery = Delivery { channel: "web".into(), external_id: format!("d-{SECRET}") };
    let opening = Opening::Named(format!("t-{SECRET}"), Box::new(record));
    let taken = store.receive(&delivery, opening, at(1), |record, change| {
        trace(record, change);
        Ok::<(), ()>(())
    });
    let id = taken.await.unwrap().unwrap().conversation;
    for subject in [customer.id.to_string(), id.to_string()] {
        let (actor, action) = (Actor::Customer, "told".to_string());
        let audit = Audit { actor, action, subject, detail: json!({ "name": SECRET }) };
        store.note(&audit, at(2)).await.unwrap();
    }
    let token = ApiToken {
        id: Id::new(at(0)),
        name: "crm".into(),
        hash: "hash".into(),
        scopes: vec![],
        created_at: at(0),
        used_at: None,
        revoked_at: None,
    };
    store.keep_token(&token).await.unwrap();
    store.begin_request((token.id, "k"), "hash", at(0), at(1)).await.unwrap();
    let body = format!("{{\"conversation\":\"{id}\",\"text\":\"{SECRET}\"}}");
    store.end_request((token.id, "k"), Some((200, &body))).await.unwrap();
    (customer, id)
}

fn trace(record: &mut Record, change: &mut store::Change) {
    record.preview = SECRET.into();
    record.attributes.insert("name".into(), json!(SECRET));
    record.tags = [SECRET.to_string()].into();
    let note = Content::Note { by: Actor::Bot, text: SECRET.into() };
    let text = format!("I play the {SECRET}");
    change.entries = vec![(Id::new(at(1)), wrote(&text)), (Id::new(at(1)), note)];
    let decision = NewDecision {
        id: Id::new(at(1)),
        about: 1,
        act: "reply".into(),
        team: None,
        topic: None,
        confidence: 0.5,
        draft: Some(SECRET.into()),
        sources: Vec::<Source>::new(),
        reasons: vec![SECRET.into()],
        trace: json!(SECRET),
        basis: None,
        took_ms: 1.0,
        silent: false,
    };
    let (teammate, verdict, sent) = (slug("ada"), Verdict::Wrong, None);
    change.labels = vec![Label { decision: decision.id, teammate, verdict, sent }];
    change.decision = Some(decision);
    let (destination, kind) = ("webhook:crm".to_string(), "reply".to_string());
    change.posts = vec![NewPost { destination, kind, body: json!(SECRET) }];
    change.timers = vec![NewTimer { key: SECRET.into(), due_at: at(9), action: json!(SECRET) }];
    let comment = Some(SECRET.to_string());
    change.outcomes = vec![Outcome { kind: OutcomeKind::Confirmed, comment }];
    let (actor, action) = (Actor::Bot, "answered".to_string());
    let (subject, detail) = ("elsewhere".to_string(), json!(SECRET));
    change.audit = vec![Audit { actor, action, subject, detail }];
}

/// Returns the tables in which the secret stands anywhere.
async fn found(scene: &Scene) -> Vec<String> {
    let mut connection = AnyConnection::connect(&scene.url).await.unwrap();
    let mut found = Vec::new();
    for table in TABLES {
        let sql = match scene.name {
            "SQLite" => columns_of_sqlite(&mut connection, table).await,
            _ => format!("SELECT t::text AS line FROM {table} t"),
        };
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap();
        let lines = rows.iter().map(|row| row.get::<String, _>("line"));
        if lines.into_iter().any(|line| line.to_lowercase().contains(SECRET)) {
            found.push(table.to_string());
        }
    }
    connection.close().await.unwrap();
    found
}

async fn columns_of_sqlite(connection: &mut AnyConnection, table: &str) -> String {
    let sql = format!("SELECT name FROM pragma_table_info('{table}')");
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(connection).await.unwrap();
    let columns = rows.iter().map(|row| {
        let name: String = row.get("name");
        format!("coalesce(cast({name} AS TEXT), '')")
    });
    let columns: Vec<_> = columns.collect();
    format!("SELECT {} AS line FROM {table}", columns.join(" || ' ' || "))
}

fn bytes_hold_secret(path: &Path) -> bool {
    let bytes = std::fs::read(path).unwrap_or_default();
    bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes())
}

#[tokio::test]
async fn an_erased_customer_leaves_nothing_behind() {
    for scene in scenes().await {
        let store = &scene.store;
        let other = opened(store, at(0)).await;
        let (customer, id) = leave_traces(store).await;
        let before = found(&scene).await;
        assert!(before.len() >= 10, "{}: {before:?}", scene.name);

        assert_eq!(store.erase(customer.id).await.unwrap(), 1);
        assert_eq!(found(&scene).await, [""; 0], "{}", scene.name);
        let words = Search { words: Some(SECRET.into()), ..Search::default() };
        assert_eq!(store.search(&words, &newest(9)).await.unwrap(), []);
        assert!(matches!(store.conversation(id).await, Err(Error::NotFound(_))));
        assert!(matches!(store.customer(customer.id).await, Err(Error::NotFound(_))));
        assert_eq!(store.visit("visit", at(1)).await.unwrap(), None);
        assert_eq!(store.posts(None, &newest(9)).await.unwrap(), []);
        let again = store.erase(customer.id).await;
        assert!(matches!(again, Err(Error::NotFound("customer"))), "{again:?}");

        let deeds = store.audit(None, &newest(9)).await.unwrap();
        assert_eq!(deeds.len(), 3, "{}: who did what remains", scene.name);
        assert!(deeds.iter().all(|deed| deed.audit.detail.is_null()));
        assert_eq!(store.conversation(other.id).await.unwrap(), other, "{}", scene.name);
        assert_eq!(store.timeline(other.id, 0, 9).await.unwrap().len(), 1);
        if let Some(folder) = &scene.folder {
            store.close().await;
            for file in ["desk.db", "desk.db-wal"] {
                assert!(!bytes_hold_secret(&folder.path().join(file)), "{file} holds it");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_amid_deliveries_leaves_no_conversation_without_a_customer() {
    for scene in scenes().await {
        let store = &scene.store;
        let customer = store.keep_customer(&known("ada", at(0))).await.unwrap().id;
        let receive = |nth: usize, store: Store| async move {
            let record = Box::new(Record::new("web", customer, at(0)));
            let opening = Opening::Named(format!("thread {}", nth % 4), record);
            let (channel, external_id) = ("web".to_string(), format!("m{nth}"));
            let delivery = Delivery { channel, external_id };
            store.receive(&delivery, opening, at(1), crate::scene::write("x", at(1))).await
        };
        let mut tasks = Vec::new();
        for nth in 0..40 {
            tasks.push(tokio::spawn(receive(nth, store.clone())));
            if nth == 20 {
                store.erase(customer).await.unwrap();
            }
        }
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) | Err(Error::NotFound(_)) => {}
                Err(other) => panic!("{}: {other:?}", scene.name),
            }
        }
        assert_eq!(store.search(&Search::default(), &newest(99)).await.unwrap(), []);
    }
}

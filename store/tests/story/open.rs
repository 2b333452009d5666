use crate::scene::{at, opened, scenes};
use sqlx::{AnyConnection, Connection, Executor};
use store::{Error, Store};

fn refusal(opened: Result<Store, Error>) -> String {
    match opened {
        Ok(_) => panic!("it opens"),
        Err(Error::Unusable(why)) => why,
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_was_committed_is_there_after_closing_and_opening() {
    for scene in scenes().await {
        let before = opened(&scene.store, at(0)).await;
        scene.store.ping().await.unwrap();
        scene.store.close().await;
        assert!(scene.store.ping().await.is_err(), "{}", scene.name);
        let store = Store::open(&scene.url).await.unwrap();
        assert_eq!(store.conversation(before.id).await.unwrap(), before, "{}", scene.name);
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_that_open_a_new_database_at_once_all_find_it_in_order() {
    for scene in scenes().await {
        let url = match &scene.server {
            Some(server) => server.database("opened_at_once"),
            None => scene.url.replace("desk.db", "folders/that/are missing/é?#%41.db"),
        };
        let tasks: Vec<_> = (0..8)
            .map(|nth| {
                let url = url.clone();
                tokio::spawn(async move {
                    let store = Store::open(&url).await?;
                    opened(&store, at(nth)).await;
                    store.close().await;
                    Ok::<_, Error>(())
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        let store = Store::open(&url).await.unwrap();
        let all = store.changed_since(at(0), 99).await.unwrap();
        assert_eq!(all.len(), 8, "{}", scene.name);
        store.close().await;
    }
}

#[tokio::test]
async fn a_database_of_a_newer_frontdesk_is_refused() {
    for scene in scenes().await {
        scene.store.close().await;
        let mut connection = AnyConnection::connect(&scene.url).await.unwrap();
        let newer = "INSERT INTO _sqlx_migrations
            (version, description, success, checksum, execution_time)
            SELECT 999, 'newer', success, checksum, 1 FROM _sqlx_migrations WHERE version = 1";
        connection.execute(newer).await.unwrap();
        connection.close().await.unwrap();
        let why = refusal(Store::open(&scene.url).await);
        assert!(why.contains("newer Frontdesk"), "{}: {why}", scene.name);
    }
}

#[tokio::test]
async fn what_cannot_be_opened_is_refused_with_the_reason_and_without_the_password() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().display();
    std::fs::write(folder.path().join("text"), "no database, but a text of some length").unwrap();
    let check = async |url: String, reason: &str| {
        let why = refusal(Store::open(&url).await);
        assert!(why.contains(reason), "{url}: {why}");
        assert!(!why.contains("hunter2"), "{url}: {why}");
    };
    check("mysql://ada:hunter2@localhost/x".into(), "neither with `sqlite:`").await;
    check("sqlite:".into(), "a store is a file").await;
    check("sqlite::memory:".into(), "a store is a file").await;
    check(format!("sqlite:{here}"), "cannot make or open").await;
    check(format!("sqlite:{here}/text"), "not a database").await;
    check("postgres://ada:hunter2@127.0.0.1:1/x".into(), "does not answer").await;
    check("postgres://ada:hunter2@[nonsense/x".into(), "cannot be read").await;
    check("postgres://ada:hunter2@localhost:99999999/x".into(), "cannot be read").await;
    check("postgres://ada:hunter2@localhost/x?sslmode=maybe".into(), "cannot be read").await;
    check(format!("postgres://ada:hunter2@localhost/x?host={here}"), "does not answer").await;
    if let Some(scene) = scenes().await.iter().find(|scene| scene.server.is_some()) {
        let url = scene.url.replace("postgres@localhost", "ada:hunter2@localhost");
        check(url, "role \"ada\" does not exist").await;
        let url =
            scene.url.replace("/desk_", "/nothing_").replace("postgres@", "postgres:hunter2@");
        check(url, "does not exist").await;
    }
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_readable_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let scenes = scenes().await;
    opened(&scenes[0].store, at(0)).await;
    for file in std::fs::read_dir(scenes[0].folder.as_ref().unwrap().path()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", file.path().display());
    }
}

#[tokio::test]
async fn a_server_that_comes_back_is_used_again() {
    let Some(server) = tests::postgres::Server::start() else { return };
    let store = Store::open(&server.database("desk")).await.unwrap();
    let before = opened(&store, at(0)).await;
    server.end();
    let failure = store.ping().await.unwrap_err();
    assert!(matches!(failure, Error::Database(_)), "{failure:?}");
    server.launch();
    assert_eq!(store.conversation(before.id).await.unwrap(), before);
    opened(&store, at(1)).await;
}

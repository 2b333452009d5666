use crate::{
    Error,
    connections::{Connections, Patience},
};
use sqlx::SqlSafeStr;
use sqlx::{
    Any, AnyConnection, Connection, Executor, Transaction,
    any::AnyConnectOptions,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// Readers of one SQLite file; more than cores gain nothing.
const SQLITE_READERS: u32 = 4;

/// Connections of one node to PostgreSQL, which allows a hundred from all nodes unless it is told
/// otherwise.
const POSTGRES_CONNECTIONS: u32 = 16;

/// A desk's memory. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    /// Takes one change after another on SQLite; the same pool as `reader` on PostgreSQL.
    pub(crate) writer: Connections,
    pub(crate) reader: Connections,
    pub(crate) dialect: Dialect,
}

/// What differs between the two databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// Chooses between two ways to say the same.
    pub(crate) fn choose(self, sqlite: &'static str, postgres: &'static str) -> &'static str {
        match self {
            Self::Sqlite => sqlite,
            Self::Postgres => postgres,
        }
    }

    /// SQLite must take the right to write at once: a transaction that has read before it writes
    /// fails when another process wrote between.
    fn begin(self) -> &'static str {
        self.choose("BEGIN IMMEDIATE", "BEGIN")
    }

    fn migrations(self) -> Vec<Migration> {
        let words = self.choose(
            include_str!("../migrations/0002_words.sqlite.sql"),
            include_str!("../migrations/0002_words.postgres.sql"),
        );
        let all = [
            (1, "tables", include_str!("../migrations/0001_tables.sql")),
            (2, "words", words),
            (3, "rota", include_str!("../migrations/0003_rota.sql")),
            (4, "effects", include_str!("../migrations/0004_effects.sql")),
            (5, "errands", include_str!("../migrations/0005_errands.sql")),
            (6, "basis", include_str!("../migrations/0006_basis.sql")),
            (7, "silent", include_str!("../migrations/0007_silent.sql")),
        ];
        all.map(|(version, name, sql)| {
            let simple = MigrationType::Simple;
            Migration::new(version, name.into(), simple, sql.into_sql_str(), false)
        })
        .into()
    }

    /// Says for one connection what holds for all that serve.
    ///
    /// SQLite: a change is on the disk before its caller hears of it (`FULL`), and what is deleted
    /// is overwritten. PostgreSQL: a node that froze within a change lets go of the conversation,
    /// and nobody waits for ever for a lock or an answer. The longest lawful statements, searches
    /// through a million conversations, take seconds.
    pub(crate) async fn prepare(self, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
        let settings = self.choose(
            "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
             PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY; \
             PRAGMA journal_size_limit = 67108864",
            "SET idle_in_transaction_session_timeout = '60s'; SET lock_timeout = '30s'; \
             SET statement_timeout = '60s'",
        );
        connection.execute(settings).await?;
        Ok(())
    }
}

impl Store {
    /// Opens the database at `url`, `sqlite:PATH` (made when it is missing) or `postgres://…`, and
    /// brings its tables up to date under a lock.
    ///
    /// # Errors
    /// [`Error::Unusable`] with the reason and the mend; never with the password of the address.
    pub async fn open(url: &str) -> Result<Self, Error> {
        Self::open_with(url, Patience::default()).await
    }

    /// Opens a database as [`Store::open`] does, with another patience.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn open_with(url: &str, patience: Patience) -> Result<Self, Error> {
        sqlx::any::install_default_drivers();
        if let Some(path) = url.strip_prefix("sqlite:") {
            return open_sqlite(path.strip_prefix("//").unwrap_or(path), patience).await;
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return open_postgres(url, patience).await;
        }
        let why = "its address starts neither with `sqlite:` nor with `postgres://`";
        Err(Error::Unusable(why.to_string()))
    }

    /// Proves that the database answers.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn ping(&self) -> Result<(), Error> {
        sqlx::query("SELECT 1").execute(&self.reader).await?;
        Ok(())
    }

    /// Closes all connections after what is under way.
    pub async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }

    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Any>, Error> {
        Ok(self.writer.begin(self.dialect.begin()).await?)
    }
}

async fn open_sqlite(path: &str, patience: Patience) -> Result<Store, Error> {
    let file = make_file(path).map_err(|source| {
        Error::Unusable(format!("cannot make or open the file {path}: {source}"))
    })?;
    let address = format!("sqlite:{}", percent_encoded(&file));
    let options: AnyConnectOptions = address.parse().map_err(|_| unreadable_address())?;
    let dialect = Dialect::Sqlite;
    let mut connection = first_connection(dialect, &options, patience.connection).await?;
    // One transaction around all migrations is the lock; each is a savepoint within it.
    let mut change = connection.begin_with(dialect.begin()).await?;
    let migrator = Migrator::with_migrations(dialect.migrations());
    migrator.run_direct(None, &mut *change, false).await.map_err(|e| not_migrated(&e))?;
    change.commit().await?;
    connection.close().await?;
    let writer = Connections::new(dialect, options.clone(), (1, patience));
    let reader = Connections::new(dialect, options, (SQLITE_READERS, patience));
    Ok(Store { writer, reader, dialect })
}

async fn open_postgres(url: &str, patience: Patience) -> Result<Store, Error> {
    let options: AnyConnectOptions = url.parse().map_err(|_| unreadable_address())?;
    let dialect = Dialect::Postgres;
    let mut connection = first_connection(dialect, &options, patience.connection).await?;
    // Migrations take as long as they take, and as long as another node's.
    connection.execute("SET statement_timeout = 0; SET lock_timeout = 0").await?;
    let encoding: String =
        sqlx::query_scalar("SHOW server_encoding").fetch_one(&mut connection).await?;
    if encoding != "UTF8" {
        return Err(Error::Unusable(format!(
            "its encoding is {encoding}; make it with: createdb --encoding UTF8 --template template0"
        )));
    }
    let migrator = Migrator::with_migrations(dialect.migrations());
    migrator.run_direct(None, &mut connection, false).await.map_err(|e| not_migrated(&e))?;
    connection.close().await?;
    let pool = Connections::new(dialect, options, (POSTGRES_CONNECTIONS, patience));
    Ok(Store { writer: pool.clone(), reader: pool, dialect })
}

/// Makes the file and its folder where they are missing, readable for its owner alone, as it holds
/// what customers wrote; returns its full path.
fn make_file(path: &str) -> std::io::Result<PathBuf> {
    if path.is_empty() || path.starts_with(":memory:") {
        return Err(std::io::Error::other("a store is a file"));
    }
    let path = std::path::absolute(path)?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(folder)?;
    let name = path.file_name().ok_or_else(|| std::io::Error::other("it is a folder"))?;
    let path = folder.canonicalize()?.join(name);
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&path)?;
    Ok(path)
}

/// Writes a path so that it passes through an address unchanged.
fn percent_encoded(path: &Path) -> String {
    let bytes = path.as_os_str().as_encoded_bytes();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte);
    bytes
        .iter()
        .map(|&byte| if plain(byte) { char::from(byte).into() } else { format!("%{byte:02X}") })
        .collect()
}

/// Connects beside the pools, which would wait for a server that refuses until their patience ends.
async fn first_connection(
    dialect: Dialect,
    options: &AnyConnectOptions,
    patience: Duration,
) -> Result<AnyConnection, Error> {
    let began = tokio::time::Instant::now();
    loop {
        let tried = async {
            let mut connection = AnyConnection::connect_with(options).await?;
            dialect.prepare(&mut connection).await?;
            Ok(connection)
        };
        let failure: sqlx::Error = match tokio::time::timeout(patience, tried).await {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(failure)) => failure,
            Err(_) => {
                let why = format!("it does not answer within {} s", patience.as_secs_f64());
                return Err(Error::Unusable(why));
            }
        };
        // SQLite does not wait for another process that opens the same new file.
        let locked = |e: &dyn sqlx::error::DatabaseError| e.message().contains("locked");
        let busy = failure.as_database_error().is_some_and(locked);
        if dialect != Dialect::Sqlite || !busy || began.elapsed() > patience {
            return Err(unreachable_database(&failure));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn unreadable_address() -> Error {
    let mend = "escape special characters in its password, such as %40 for @";
    Error::Unusable(format!("its address cannot be read; {mend}"))
}

/// Says why nobody was let in; none of these texts holds a password.
fn unreachable_database(failure: &sqlx::Error) -> Error {
    Error::Unusable(match failure {
        sqlx::Error::Io(source) => format!("it does not answer: {source}"),
        sqlx::Error::Tls(source) => format!("no secure connection: {source}"),
        sqlx::Error::Database(source) => format!("it refuses: {}", source.message()),
        sqlx::Error::Configuration(_) => return unreadable_address(),
        _ => "it does not answer as a database would".to_string(),
    })
}

fn not_migrated(failure: &MigrateError) -> Error {
    Error::Unusable(match failure {
        MigrateError::VersionMissing(version) => format!(
            "it was written by a newer Frontdesk (its tables are at {version}); run that one, or a \
             newer one"
        ),
        MigrateError::VersionMismatch(version) => format!(
            "its tables were made by another program (they differ at {version}); name an empty \
             database"
        ),
        other => format!("its tables cannot be brought up to date: {other}"),
    })
}

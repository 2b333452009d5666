//! Connections to the database, none of which keeps its borrower waiting for ever: a host that
//! vanishes says nothing, and the kernel gives its connections up after a quarter of an hour.

use crate::{Error, Store, open::Dialect};
use futures_util::{
    StreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use sqlx::{
    Any, AnyConnection, AnyPool, Connection, Either, Execute, Executor, SqlStr, Transaction,
    any::{AnyConnectOptions, AnyPoolOptions, AnyQueryResult, AnyRow, AnyStatement, AnyTypeInfo},
    pool::PoolConnection,
};
use std::{io, time::Duration};

/// How long a database may keep still. A file does not vanish: on SQLite only `connection` counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Until it lets somebody in, or a connection is free.
    pub connection: Duration,
    /// Until it answers whether a connection still stands.
    pub answer: Duration,
    /// Until a statement, or a change of several, is done; longer than the server itself allows a
    /// statement, which says what happened.
    pub statement: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { connection: seconds(10), answer: seconds(2), statement: seconds(75) }
    }
}

/// Connections that are lent and come back.
#[derive(Debug, Clone)]
pub(crate) struct Connections {
    pool: AnyPool,
    /// How long a statement may take; None: as long as it takes.
    limit: Option<Duration>,
}

impl Connections {
    /// Connects when somebody asks for a connection, at most `n` times at once.
    pub(crate) fn new(
        dialect: Dialect,
        options: AnyConnectOptions,
        (n, patience): (u32, Patience),
    ) -> Self {
        let pool = AnyPoolOptions::new()
            .max_connections(n)
            .acquire_timeout(patience.connection)
            .test_before_acquire(false)
            .after_connect(move |connection, _| Box::pin(dialect.prepare(connection)));
        // The pool would ask, too, and wait for the answer as long as it takes.
        let pool = match dialect {
            Dialect::Sqlite => pool,
            Dialect::Postgres => pool
                .before_acquire(move |connection, _| Box::pin(stands(connection, patience.answer)))
                .after_release(move |connection, _| Box::pin(stands(connection, patience.answer))),
        };
        let limit = (dialect == Dialect::Postgres).then_some(patience.statement);
        Self { pool: pool.connect_lazy_with(options), limit }
    }

    pub(crate) async fn begin(
        &self,
        statement: &'static str,
    ) -> Result<Transaction<'static, Any>, sqlx::Error> {
        self.pool.begin_with(statement).await
    }

    pub(crate) async fn acquire(&self) -> Result<PoolConnection<Any>, sqlx::Error> {
        self.pool.acquire().await
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}

/// Whether a connection still stands; one that does not is replaced.
async fn stands(connection: &mut AnyConnection, limit: Duration) -> Result<bool, sqlx::Error> {
    let stands = matches!(tokio::time::timeout(limit, connection.ping()).await, Ok(Ok(())));
    if !stands {
        tracing::info!("a connection to the database was lost; it is replaced");
    }
    Ok(stands)
}

fn no_answer(limit: Duration) -> sqlx::Error {
    let what = format!("the database did not answer within {} s", limit.as_secs_f64());
    sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, what))
}

impl Store {
    /// Has a change of several statements fail that the database does not answer. Whether it was
    /// committed is unknown then, as when a connection breaks. Erasing goes without: it may take its
    /// time, and nobody but who asked for it waits.
    pub(crate) async fn within<T>(
        &self,
        change: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let Some(limit) = self.writer.limit else { return change.await };
        match tokio::time::timeout(limit, change).await {
            Ok(done) => done,
            Err(_) => Err(no_answer(limit).into()),
        }
    }
}

impl<'p> Executor<'p> for &'p Connections {
    type Database = Any;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, Result<Either<AnyQueryResult, AnyRow>, sqlx::Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Any>,
    {
        let rows = self.pool.fetch_many(query);
        let Some(limit) = self.limit else { return rows };
        let until = tokio::time::Instant::now() + limit;
        stream::unfold(Some(rows), move |rows| async move {
            let mut rows = rows?;
            match tokio::time::timeout_at(until, rows.next()).await {
                Ok(row) => Some((row?, Some(rows))),
                Err(_) => Some((Err(no_answer(limit)), None)),
            }
        })
        .boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxFuture<'e, Result<Option<AnyRow>, sqlx::Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Any>,
    {
        let row = self.pool.fetch_optional(query);
        let Some(limit) = self.limit else { return row };
        Box::pin(async move {
            tokio::time::timeout(limit, row).await.unwrap_or_else(|_| Err(no_answer(limit)))
        })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [AnyTypeInfo],
    ) -> BoxFuture<'e, Result<AnyStatement, sqlx::Error>>
    where
        'p: 'e,
    {
        self.pool.prepare_with(sql, parameters)
    }
}

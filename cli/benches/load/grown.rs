use anyhow::Context;
use sqlx::{AnyConnection, Connection, Row};

/// Tables that hold conversations, and what makes a row another one's; `{c}` marks the copy.
/// What is copied is a day older than its original, and ended.
const TABLES: [(&str, &str); 7] = [
    ("customer", "id = {id:id}, realm = NULL, external_id = NULL, created_at = created_at - {age}"),
    (
        "conversation",
        "id = {id:id}, customer = {id:customer}, status = 'closed', external_id = NULL,
         waiting_since = NULL, turn_due_at = NULL, lease_token = NULL, queued_at = NULL,
         created_at = created_at - {age}, updated_at = updated_at - {age}",
    ),
    ("ledger", "conversation = {id:conversation}, external_id = external_id || '{c}'"),
    ("entry", "conversation = {id:conversation}, id = {id:id}, at = at - {age}"),
    ("decision", "id = {id:id}, conversation = {id:conversation}, at = at - {age}"),
    ("outcome", "conversation = {id:conversation}"),
    ("message_words", "conversation = {id:conversation}"),
];

/// What ids of copies begin with, and those of real conversations do not: their number is below
/// 2^24, a time of this century in milliseconds is not.
const COPIES: &str = "00";

/// Makes the store hold about so many conversations, by copies of those that it holds, which are
/// real ones; returns how many it holds then. The server must not run. Done once for a store.
pub(crate) async fn grow(url: &str, n_wanted: usize) -> anyhow::Result<usize> {
    sqlx::any::install_default_drivers();
    let mut connection = AnyConnection::connect(url).await?;
    let n_kept = count(&mut connection, "").await?;
    let n_real = count(&mut connection, COPIES).await?;
    anyhow::ensure!(n_real > 0, "nothing to copy");
    let n_copies = n_wanted.saturating_sub(n_kept).div_ceil(n_real);
    if n_copies > 0 {
        copy(&mut connection, n_copies).await.context("growing the store")?;
    }
    let n_kept = count(&mut connection, "").await?;
    connection.close().await?;
    Ok(n_kept)
}

/// Counts the conversations, but for those whose ids begin with `without`; empty: all.
async fn count(connection: &mut AnyConnection, without: &str) -> anyhow::Result<usize> {
    let sql = "SELECT count(*) FROM conversation WHERE $1 = '' OR id NOT LIKE $1 || '%'";
    let row = sqlx::query(sql).bind(without).fetch_one(connection).await?;
    Ok(usize::try_from(row.try_get::<i64, _>(0)?)?)
}

async fn copy(connection: &mut AnyConnection, n_copies: usize) -> anyhow::Result<()> {
    let mut work = connection.begin().await?;
    for (table, _) in TABLES {
        let columns = if table == "message_words" { "conversation, words" } else { "*" };
        let original =
            format!("CREATE TEMPORARY TABLE old_{table} AS SELECT {columns} FROM {table}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(original)).execute(&mut *work).await?;
    }
    work.commit().await?;
    let first = count(connection, "").await?;
    for n in first..first + n_copies {
        let mut work = connection.begin().await?;
        for (table, change) in TABLES {
            let copied = copied(table, change, n, n - first + 1);
            let copying = sqlx::raw_sql(sqlx::AssertSqlSafe(copied)).execute(&mut *work);
            copying.await.with_context(|| format!("copy {n} of {table}, from {first} on"))?;
        }
        work.commit().await?;
    }
    sqlx::raw_sql("ANALYZE").execute(connection).await?;
    Ok(())
}

/// Says how the rows of a table are copied: the first eight digits of every id are the copy's.
fn copied(table: &str, change: &str, n: usize, days: usize) -> String {
    let mut change = change.replace("{c}", &format!("-{n}"));
    for column in ["id", "customer", "conversation"] {
        let id = format!("'{n:08x}' || substr({column}, 9)");
        change = change.replace(&format!("{{id:{column}}}"), &id);
    }
    let change = change.replace("{age}", &(86_400_000_000 * days).to_string());
    let columns = if table == "message_words" { "(conversation, words)" } else { "" };
    format!(
        "CREATE TEMPORARY TABLE new_{table} AS SELECT * FROM old_{table};
         UPDATE new_{table} SET {change};
         INSERT INTO {table} {columns} SELECT * FROM new_{table};
         DROP TABLE new_{table};"
    )
}

/// What can go wrong with the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing.
    #[error("no {0} with this id")]
    NotFound(&'static str),
    /// Something else has that name already.
    #[error("there is already a {0} with this name")]
    Taken(&'static str),
    /// The lease has passed to another worker, or somebody acted meanwhile.
    #[error("the lease on the conversation has passed to another worker")]
    LeaseLost,
    /// The teammate holds as many open conversations as allowed.
    #[error("the teammate has no room for another conversation")]
    Full,
    /// The database cannot be used as it is; the text says why and what to do.
    #[error("the database cannot be used: {0}")]
    Unusable(String),
    /// What the database holds cannot be read back.
    #[error("the database holds {what} that cannot be read: {found}")]
    Damaged {
        /// What kind of thing.
        what: &'static str,
        /// What was found, without customer data.
        found: String,
    },
    /// The database refused or did not answer.
    #[error("the database failed")]
    Database(#[source] sqlx::Error),
}

impl From<sqlx::Error> for Error {
    /// Keeps what went wrong, without what it went wrong with: PostgreSQL quotes the row in its
    /// details, and a value that cannot be read is quoted by the driver.
    fn from(source: sqlx::Error) -> Self {
        Self::Database(match source {
            sqlx::Error::Database(e) => {
                let code = e.code().unwrap_or_default();
                sqlx::Error::Protocol(format!("{} (code {code})", e.message()))
            }
            sqlx::Error::ColumnDecode { index, .. } => {
                sqlx::Error::Protocol(format!("column {index} holds another kind of value"))
            }
            other => other,
        })
    }
}

impl Error {
    /// Says that something has the name already, when that is what the database complained about.
    pub(crate) fn taken(what: &'static str) -> impl Fn(sqlx::Error) -> Self {
        move |source| match source.as_database_error() {
            Some(e) if e.is_unique_violation() => Self::Taken(what),
            _ => source.into(),
        }
    }

    /// Says that something is not there, when the database missed what a row refers to.
    pub(crate) fn missing(what: &'static str) -> impl Fn(sqlx::Error) -> Self {
        move |source| match source.as_database_error() {
            Some(e) if e.is_foreign_key_violation() => Self::NotFound(what),
            _ => source.into(),
        }
    }
}

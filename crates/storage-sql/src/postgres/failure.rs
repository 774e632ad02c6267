//! Why PostgreSQL gave no answer, in words for a log, and without the database's URL, which can hold a password.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use deadpool_postgres::PoolError;
use tokio_postgres::error::{ErrorPosition, Severity, SqlState};
use tollgate_storage::StorageError;

/// How the driver words a failed handshake; it tells no other way.
const TLS: &str = "error performing TLS handshake";

/// One failure; cloned for everybody whose change was in the batch that failed.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// The server refused, or the connection broke.
    Server(Arc<tokio_postgres::Error>),
    /// Something that needs no further source.
    Plain(&'static str),
}

impl Failure {
    /// Whether the connection is of no use any more, so that what was asked may or may not have happened.
    pub(super) fn is_lost_connection(&self) -> bool {
        let Self::Server(error) = self else { return true };
        error.as_db_error().is_none_or(|error| {
            // A read-only server is a former primary: the new one is found by connecting again.
            matches!(error.parsed_severity(), Some(Severity::Fatal | Severity::Panic))
                || *error.code() == SqlState::READ_ONLY_SQL_TRANSACTION
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = match self {
            Self::Plain(text) => return f.write_str(text),
            Self::Server(error) => error,
        };
        // The details of a database error can repeat a whole row; they stay in the source.
        if let Some(error) = error.as_db_error() {
            write!(f, "{}: {} ({})", error.severity(), error.message(), error.code().code())?;
            if let Some(ErrorPosition::Original(position)) = error.position() {
                write!(f, " at character {position}")?;
            }
            return Ok(());
        }
        write!(f, "{error}")?;
        let mut cause = error.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        if error.to_string() == TLS {
            f.write_str("; trust its authority by SSL_CERT_FILE, or say sslmode=disable where the way to it is safe")?;
        }
        Ok(())
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Server(error) => Some(error.as_ref()),
            Self::Plain(_) => None,
        }
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Server(Arc::new(error))
    }
}

impl From<PoolError> for Failure {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) => error.into(),
            PoolError::Timeout(_) => Self::Plain("no connection to PostgreSQL became free in time"),
            PoolError::Closed => Self::Plain("the store is closed"),
            PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => {
                Self::Plain("the pool of connections is misconfigured")
            }
        }
    }
}

impl From<Failure> for StorageError {
    fn from(failure: Failure) -> Self {
        Self::Unavailable(Box::new(failure))
    }
}

/// For `map_err` where the answer goes to a caller.
pub(super) fn unavailable(error: impl Into<Failure>) -> StorageError {
    error.into().into()
}

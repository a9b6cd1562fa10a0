//! What can go wrong with the store, told by what the caller can do about it.

use base::Problem;
use base::problem::ProblemKind;

/// Why the store did not do what was asked. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another writer held the lock for longer than the time-out.
    #[error("the store is locked by another writer")]
    Busy(#[source] Option<sqlx::Error>),
    /// The disk, or the quota of the database, is full.
    #[error("the store has no space left")]
    Full(#[source] sqlx::Error),
    /// The database cannot be reached, or went away during the transaction.
    #[error("the store cannot be reached")]
    Lost(#[source] sqlx::Error),
    /// A row with this key exists.
    #[error("a `{what}` with this key exists already")]
    Duplicate {
        /// The constraint or column that says so, as the database names it.
        what: String,
    },
    /// The object changed, or went, since the caller read it.
    #[error("{kind} `{id}` changed in the meantime")]
    Stale {
        /// Kind of object.
        kind: &'static str,
        /// Its id.
        id: String,
    },
    /// What the store holds cannot be read.
    #[error("the store holds a {what} that cannot be read: {found}")]
    Corrupt {
        /// What was expected.
        what: String,
        /// What was found instead.
        found: String,
    },
    /// The address of the store is not one.
    #[error("`{0}` is not the address of a store")]
    BadUrl(String),
    /// The tables could not be brought to this version's form.
    #[error("the store could not be migrated")]
    Migration(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A statement failed before, so the transaction can only be dropped.
    #[error("the transaction was aborted by an earlier failure")]
    Aborted,
    /// Anything else the database refused.
    #[error("the store refused a statement")]
    Refused(#[source] sqlx::Error),
}

impl StoreError {
    pub(crate) fn corrupt(what: impl ToString, found: impl ToString) -> Self {
        Self::Corrupt { what: what.to_string(), found: found.to_string() }
    }

    /// The database's own words, for the log and for administrators.
    fn cause(&self) -> Option<String> {
        std::error::Error::source(self).map(ToString::to_string)
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error;
        match &error {
            Error::PoolTimedOut => Self::Busy(Some(error)),
            Error::Io(_) | Error::Tls(_) | Error::PoolClosed | Error::WorkerCrashed => {
                Self::Lost(error)
            }
            Error::Database(database) => {
                let code = database.code().unwrap_or_default().into_owned();
                let what = database.constraint().unwrap_or_else(|| database.message()).to_owned();
                match classify(&code) {
                    Class::Busy => Self::Busy(Some(error)),
                    Class::Full => Self::Full(error),
                    Class::Lost => Self::Lost(error),
                    Class::Duplicate => Self::Duplicate { what },
                    Class::Other => Self::Refused(error),
                }
            }
            _ => Self::Refused(error),
        }
    }
}

enum Class {
    Busy,
    Full,
    Lost,
    Duplicate,
    Other,
}

/// PostgreSQL tells a five-character SQLSTATE, SQLite its extended result code in decimal.
fn classify(code: &str) -> Class {
    if code.len() == 5 {
        return match code {
            "53100" => Class::Full,
            "23505" => Class::Duplicate,
            "55P03" | "40001" | "40P01" | "57014" => Class::Busy,
            _ if code.starts_with("08") || code.starts_with("53") || code.starts_with("57P") => {
                Class::Lost
            }
            _ => Class::Other,
        };
    }
    match code.parse::<u32>() {
        Ok(1555 | 2067) => Class::Duplicate,
        // The low byte is the primary code: BUSY, LOCKED; FULL; IOERR, CANTOPEN, NOTADB, CORRUPT.
        Ok(extended) => match extended & 0xff {
            5 | 6 => Class::Busy,
            13 => Class::Full,
            10 | 11 | 14 | 26 => Class::Lost,
            _ => Class::Other,
        },
        Err(_) => Class::Other,
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let detail = match error.cause() {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        };
        let unavailable = |reason: &str| Self::new(ProblemKind::Unavailable, reason, &detail);
        match error {
            StoreError::Busy(_) => unavailable("store_busy")
                .hint("nothing was changed; try again, and look for another process on the store"),
            StoreError::Full(_) => unavailable("store_full")
                .hint("nothing was changed; make room on the store's disk, then try again"),
            StoreError::Lost(_) | StoreError::Aborted => unavailable("store_unavailable")
                .hint("nothing was acknowledged; check that the database runs and is reachable"),
            StoreError::Duplicate { .. } => Self::conflict("already_exists", detail),
            StoreError::Stale { .. } => Self::conflict("stale_version", detail)
                .hint("read it again and decide on what it is now"),
            StoreError::BadUrl(_) => Self::invalid("bad_store_url", detail)
                .hint("write sqlite:/path/to/file or postgres://user@host/database"),
            StoreError::Corrupt { .. } | StoreError::Migration(_) | StoreError::Refused(_) => {
                Self::internal(detail)
            }
        }
    }
}

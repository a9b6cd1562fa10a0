//! Opens the store by its address and brings its tables to this version's form.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use base::Timestamp;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{
    AssertSqlSafe, Connection as _, PgPool, SqlSafeStr, SqliteConnection, SqlitePool, query_as,
};

use crate::limit::LimitTx;
use crate::sql::{Connection, Inner};
use crate::{StoreError, Tx, Writer};

/// How long a writer waits for another one.
const LOCK_WAIT: Duration = Duration::from_secs(5);
/// Rows that SQLite reads ahead of who takes them.
const ROWS_AHEAD: usize = 2_048;
/// Read transactions at the same time on SQLite.
const READERS_MAX: u32 = 4;
/// The most pages that SQLite can address (its documentation, "Limits", point 13).
const PAGES_UNLIMITED: i64 = 4_294_967_294;
/// Connections to PostgreSQL, readers and writers together.
const POSTGRES_CONNECTIONS_MAX: u32 = 8;

/// The state of portreeve on disk. Cheap to clone; all clones share the connections.
#[derive(Debug, Clone)]
pub struct Store {
    backend: Backend,
}

#[derive(Debug, Clone)]
enum Backend {
    /// One connection that writes, several that read: SQLite has one writer at a time anyway, and
    /// waiting for our own pool is fairer than its busy handler.
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
        pages_max: Arc<AtomicI64>,
    },
    Postgres(PgPool),
}

/// A read transaction: every query in it sees the state of one moment, and writes nothing.
#[derive(Debug)]
pub struct Snapshot {
    connection: Connection,
    version: u64,
}

impl std::ops::Deref for Snapshot {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl std::ops::DerefMut for Snapshot {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

impl Snapshot {
    /// The change sequence that it shows: the version of a ruleset built from it.
    pub fn version(&self) -> u64 {
        self.version
    }
}

/// Name, then the text for SQLite, then for PostgreSQL; numbered from one by position.
const MIGRATIONS: &[(&str, &str, &str)] = &[
    (
        "access",
        include_str!("../migrations/sqlite/0001_access.sql"),
        include_str!("../migrations/postgres/0001_access.sql"),
    ),
    (
        "ledger_usage",
        include_str!("../migrations/sqlite/0002_ledger_usage.sql"),
        include_str!("../migrations/postgres/0002_ledger_usage.sql"),
    ),
    (
        "review_findings",
        include_str!("../migrations/sqlite/0003_review_findings.sql"),
        include_str!("../migrations/postgres/0003_review_findings.sql"),
    ),
    (
        "authorization",
        include_str!("../migrations/sqlite/0004_authorization.sql"),
        include_str!("../migrations/postgres/0004_authorization.sql"),
    ),
    (
        "limits",
        include_str!("../migrations/sqlite/0005_limits.sql"),
        include_str!("../migrations/postgres/0005_limits.sql"),
    ),
    (
        "contract",
        include_str!("../migrations/sqlite/0006_contract.sql"),
        include_str!("../migrations/postgres/0006_contract.sql"),
    ),
    (
        "fields_received",
        include_str!("../migrations/sqlite/0007_fields_received.sql"),
        include_str!("../migrations/postgres/0007_fields_received.sql"),
    ),
    (
        "rollout",
        include_str!("../migrations/sqlite/0008_rollout.sql"),
        include_str!("../migrations/postgres/0008_rollout.sql"),
    ),
    (
        "streams",
        include_str!("../migrations/sqlite/0009_streams.sql"),
        include_str!("../migrations/postgres/0009_streams.sql"),
    ),
    (
        "signals",
        include_str!("../migrations/sqlite/0010_signals.sql"),
        include_str!("../migrations/postgres/0010_signals.sql"),
    ),
];

fn migrator(postgres: bool) -> Migrator {
    let all = MIGRATIONS.iter().zip(1i64..).map(|((name, sqlite, other), number)| {
        let sql = if postgres { *other } else { *sqlite };
        Migration::new(number, (*name).into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    Migrator::with_migrations(all.collect())
}

impl Store {
    /// Opens `sqlite:/path/to/file` (made when missing) or `postgres://user@host/database`, and
    /// migrates it.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let backend = match url.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() => open_sqlite(url).await?,
            Some(("postgres" | "postgresql", _)) => open_postgres(url).await?,
            _ => return Err(StoreError::BadUrl(without_password(url))),
        };
        let migrated = match &backend {
            Backend::Sqlite { writer, .. } => migrator(false).run(writer).await,
            Backend::Postgres(pool) => migrator(true).run(pool).await,
        };
        migrated.map_err(|error| StoreError::Migration(Box::new(error)))?;
        Ok(Self { backend })
    }

    /// Begins a write transaction on behalf of somebody. It holds the head: there is no other
    /// write until it is committed or dropped, so keep it short and never wait in it for anything
    /// but the store.
    pub async fn begin(&self, writer: &Writer, at: Timestamp) -> Result<Tx, StoreError> {
        let inner = match &self.backend {
            Backend::Sqlite { writer, .. } => {
                Inner::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?)
            }
            Backend::Postgres(pool) => Inner::Postgres(pool.begin().await.map_err(lost)?),
        };
        Tx::start(Connection { inner, failed: false }, writer.clone(), at).await
    }

    /// Begins a read transaction.
    pub async fn read(&self) -> Result<Snapshot, StoreError> {
        let inner = match &self.backend {
            Backend::Sqlite { readers, .. } => Inner::Sqlite(readers.begin().await?),
            Backend::Postgres(pool) => Inner::Postgres(
                pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                    .await
                    .map_err(lost)?,
            ),
        };
        let mut connection = Connection { inner, failed: false };
        // The first query is what fixes the moment that the others see.
        let version = connection.head(false).await?;
        Ok(Snapshot { connection, version })
    }

    /// Begins a round of a node with the book of limits. It holds the book, and nothing else: rounds
    /// come several times a second, and what people change does not wait for them.
    pub async fn limit_book(&self) -> Result<LimitTx, StoreError> {
        let inner = match &self.backend {
            Backend::Sqlite { writer, .. } => {
                Inner::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?)
            }
            Backend::Postgres(pool) => Inner::Postgres(pool.begin().await.map_err(lost)?),
        };
        LimitTx::start(Connection { inner, failed: false }).await
    }

    /// Keeps an SQLite file from growing beyond so many bytes (a write that would is refused as
    /// on a full disk), so that it leaves room for what else lives there. Nothing on PostgreSQL,
    /// which has quotas of its own. Gives the limit in force: never less than the file has now.
    pub async fn limit_size(&self, bytes: u64) -> Result<Option<u64>, StoreError> {
        let Backend::Sqlite { writer, pages_max, .. } = &self.backend else { return Ok(None) };
        let mut connection = writer.acquire().await?;
        let (page,): (i64,) = query_as("PRAGMA page_size").fetch_one(&mut *connection).await?;
        let pages = (i64::try_from(bytes).unwrap_or(i64::MAX) / page.max(1)).max(1);
        let pages = limit_pages(&mut connection, pages).await?;
        pages_max.store(pages, Ordering::SeqCst);
        Ok(u64::try_from(pages.saturating_mul(page)).ok())
    }

    /// Whether several nodes can share it.
    pub fn is_shared(&self) -> bool {
        matches!(self.backend, Backend::Postgres(_))
    }

    /// Waits for open transactions and closes the connections.
    pub async fn close(&self) {
        match &self.backend {
            Backend::Sqlite { writer, readers, .. } => {
                readers.close().await;
                writer.close().await;
            }
            Backend::Postgres(pool) => pool.close().await,
        }
    }
}

async fn open_sqlite(url: &str) -> Result<Backend, StoreError> {
    let options = SqliteConnectOptions::from_str(url)
        .map_err(|_| StoreError::BadUrl(url.to_owned()))?
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        // With NORMAL a power cut can take back commits that were acknowledged.
        .synchronous(SqliteSynchronous::Full)
        // Rows that its thread reads ahead: with the usual few dozen, two threads wake each other
        // more than they read.
        .row_buffer_size(ROWS_AHEAD)
        .busy_timeout(LOCK_WAIT);
    let pages_max = Arc::new(AtomicI64::new(PAGES_UNLIMITED));
    let limit = Arc::clone(&pages_max);
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(LOCK_WAIT)
        // The limit is a property of the connection, not of the file.
        .after_connect(move |connection, _| {
            let pages = limit.load(Ordering::SeqCst);
            Box::pin(async move { limit_pages(connection, pages).await.map(|_| ()) })
        })
        // SQLite ends a transaction by itself when the disk is full. The library does not notice
        // and would refuse every later one on this connection, so it is replaced.
        .before_acquire(|connection, _| {
            Box::pin(async move { Ok(!connection.is_in_transaction()) })
        })
        .connect_with(options.clone())
        .await?;
    let readers = SqlitePoolOptions::new()
        .max_connections(READERS_MAX)
        .acquire_timeout(LOCK_WAIT)
        .connect_lazy_with(options.pragma("query_only", "ON"));
    Ok(Backend::Sqlite { writer, readers, pages_max })
}

/// Gives the limit in force, which is never less than the pages there are.
async fn limit_pages(connection: &mut SqliteConnection, pages: i64) -> Result<i64, sqlx::Error> {
    let limit = AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"));
    let (pages,): (i64,) = query_as(limit).fetch_one(connection).await?;
    Ok(pages)
}

async fn open_postgres(url: &str) -> Result<Backend, StoreError> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|_| StoreError::BadUrl(without_password(url)))?
        .application_name("portreeve")
        // Whatever the server's default is: acknowledged means durable, and a node that hangs in
        // a transaction must not hold the head against the whole fleet.
        .options([
            ("synchronous_commit", "on"),
            ("lock_timeout", "5s"),
            ("idle_in_transaction_session_timeout", "60s"),
        ]);
    let pool = PgPoolOptions::new()
        .max_connections(POSTGRES_CONNECTIONS_MAX)
        .acquire_timeout(LOCK_WAIT)
        .connect_with(options)
        .await
        .map_err(lost)?;
    Ok(Backend::Postgres(pool))
}

/// No connection in time. With a server over the network that means that it does not answer: the
/// pool tries for as long, and nobody holds connections for that long.
fn lost(error: sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::PoolTimedOut => StoreError::Lost(error),
        other => other.into(),
    }
}

/// The address without what stands between `:` and `@`, for messages.
fn without_password(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://…@{host}"),
        _ => url.to_owned(),
    }
}

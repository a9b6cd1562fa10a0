//! One way to talk to both databases: statements with `$n`, values in, rows out.
//!
//! Nothing outside this file and [`crate::open`] sees a type of the database library. A row is
//! read from left to right, one call per column, in the order of the `SELECT`; what does not
//! decode is a corrupt store, never a default.

use std::str::FromStr;

use base::{Digest, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::{AssertSqlSafe, Column, Postgres, Row as _, Sqlite, TypeInfo, ValueRef};

use crate::StoreError;

/// A parameter. `None` is NULL of that type: PostgreSQL wants to know which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Int(Option<i64>),
    Text(Option<String>),
}

impl Value {
    /// A value as JSON text.
    pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> Result<Self, StoreError> {
        let text =
            serde_json::to_string(value).map_err(|error| StoreError::corrupt("json", error))?;
        Ok(Self::Text(Some(text)))
    }

    /// Anything with a text form: ids, words, owners.
    pub(crate) fn text(value: impl ToString) -> Self {
        Self::Text(Some(value.to_string()))
    }

    /// The same, or NULL.
    pub(crate) fn maybe_text(value: Option<impl ToString>) -> Self {
        Self::Text(value.map(|value| value.to_string()))
    }

    /// A moment, or NULL.
    pub(crate) fn maybe_time(value: Option<Timestamp>) -> Self {
        Self::Int(value.map(Timestamp::as_micros))
    }

    /// A count or sequence. Values beyond `i64::MAX` cannot occur and would saturate.
    pub(crate) fn count(value: u64) -> Self {
        Self::Int(Some(i64::try_from(value).unwrap_or(i64::MAX)))
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<Timestamp> for Value {
    fn from(value: Timestamp) -> Self {
        Self::Int(Some(value.as_micros()))
    }
}

impl From<Digest> for Value {
    fn from(value: Digest) -> Self {
        Self::Text(Some(value.to_hex()))
    }
}

#[derive(Debug)]
enum Cell {
    Null,
    Int(i64),
    Text(String),
}

/// One row of an answer, read column by column.
#[derive(Debug)]
pub(crate) struct Row {
    cells: std::vec::IntoIter<Cell>,
}

impl Row {
    /// The first column, if it is text; it is still to be read.
    pub(crate) fn first_text(&self) -> Option<&str> {
        match self.cells.as_slice().first() {
            Some(Cell::Text(text)) => Some(text),
            _ => None,
        }
    }

    fn next(&mut self) -> Result<Cell, StoreError> {
        self.cells.next().ok_or_else(|| StoreError::corrupt("row", "has too few columns"))
    }

    /// A whole number, or NULL.
    pub(crate) fn maybe_int(&mut self) -> Result<Option<i64>, StoreError> {
        match self.next()? {
            Cell::Null => Ok(None),
            Cell::Int(value) => Ok(Some(value)),
            Cell::Text(text) => Err(StoreError::corrupt("number", text)),
        }
    }

    /// A whole number.
    pub(crate) fn int(&mut self) -> Result<i64, StoreError> {
        self.maybe_int()?.ok_or_else(|| StoreError::corrupt("number", "is missing"))
    }

    /// A count or sequence.
    pub(crate) fn count(&mut self) -> Result<u64, StoreError> {
        let value = self.int()?;
        u64::try_from(value).map_err(|_| StoreError::corrupt("count", value))
    }

    /// Text, or NULL.
    pub(crate) fn maybe_text(&mut self) -> Result<Option<String>, StoreError> {
        match self.next()? {
            Cell::Null => Ok(None),
            Cell::Text(text) => Ok(Some(text)),
            Cell::Int(value) => Err(StoreError::corrupt("text", value)),
        }
    }

    /// Text.
    pub(crate) fn text(&mut self) -> Result<String, StoreError> {
        self.maybe_text()?.ok_or_else(|| StoreError::corrupt("text", "is missing"))
    }

    /// A moment.
    pub(crate) fn time(&mut self) -> Result<Timestamp, StoreError> {
        self.int().map(Timestamp::from_micros)
    }

    /// A moment, or NULL.
    pub(crate) fn maybe_time(&mut self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.maybe_int()?.map(Timestamp::from_micros))
    }

    /// A value with a text form: an id, a word, an owner.
    pub(crate) fn parsed<T: FromStr>(&mut self) -> Result<T, StoreError> {
        let text = self.text()?;
        text.parse().map_err(|_| StoreError::corrupt(std::any::type_name::<T>(), text))
    }

    /// The same, or NULL.
    pub(crate) fn maybe_parsed<T: FromStr>(&mut self) -> Result<Option<T>, StoreError> {
        let Some(text) = self.maybe_text()? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| StoreError::corrupt(std::any::type_name::<T>(), text))
    }

    /// A digest.
    pub(crate) fn digest(&mut self) -> Result<Digest, StoreError> {
        let text = self.text()?;
        Digest::from_hex(&text).ok_or_else(|| StoreError::corrupt("digest", text))
    }

    /// A value kept as JSON text.
    pub(crate) fn json<T: DeserializeOwned>(&mut self) -> Result<T, StoreError> {
        serde_json::from_str(&self.text()?).map_err(|error| StoreError::corrupt("json", error))
    }

    /// The same, or NULL.
    pub(crate) fn maybe_json<T: DeserializeOwned>(&mut self) -> Result<Option<T>, StoreError> {
        let Some(text) = self.maybe_text()? else { return Ok(None) };
        serde_json::from_str(&text).map(Some).map_err(|error| StoreError::corrupt("json", error))
    }
}

/// An open transaction on either database. Both [`crate::Tx`] and [`crate::Snapshot`] are made of
/// one; methods that only read are `impl Connection`, so both have them.
#[derive(Debug)]
pub struct Connection {
    pub(crate) inner: Inner,
    /// A statement failed. PostgreSQL answers `COMMIT` of such a transaction with a silent
    /// rollback, so nothing may be committed after it.
    pub(crate) failed: bool,
}

#[derive(Debug)]
pub(crate) enum Inner {
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    Postgres(sqlx::Transaction<'static, Postgres>),
}

macro_rules! bound {
    ($sql:expr, $values:expr) => {{
        let mut query = sqlx::query(AssertSqlSafe($sql));
        for value in $values {
            query = match value {
                Value::Int(value) => query.bind(value),
                Value::Text(value) => query.bind(value),
            };
        }
        query
    }};
}

macro_rules! cells {
    ($row:expr) => {{
        let mut cells = Vec::with_capacity($row.len());
        for (index, column) in $row.columns().iter().enumerate() {
            let raw = $row.try_get_raw(index)?;
            cells.push(match (raw.is_null(), raw.type_info().name()) {
                (true, _) => Cell::Null,
                (false, "INTEGER" | "INT8" | "INT4" | "BIGINT") => {
                    Cell::Int($row.try_get_unchecked(index)?)
                }
                (false, "TEXT" | "VARCHAR") => Cell::Text($row.try_get_unchecked(index)?),
                (false, other) => {
                    return Err(StoreError::corrupt(column.name(), other.to_owned()));
                }
            });
        }
        Ok(Row { cells: cells.into_iter() })
    }};
}

fn sqlite_row(row: &sqlx::sqlite::SqliteRow) -> Result<Row, StoreError> {
    cells!(row)
}

fn postgres_row(row: &sqlx::postgres::PgRow) -> Result<Row, StoreError> {
    cells!(row)
}

impl Connection {
    /// Runs a statement; gives the number of rows it touched. `sql` must be program text with
    /// placeholders, never anything that came from outside.
    pub(crate) async fn execute(
        &mut self,
        sql: &str,
        values: Vec<Value>,
    ) -> Result<u64, StoreError> {
        let sql = sql.to_owned();
        let done = match &mut self.inner {
            Inner::Sqlite(tx) => {
                bound!(sql, values).execute(&mut **tx).await.map(|done| done.rows_affected())
            }
            Inner::Postgres(tx) => {
                bound!(sql, values).execute(&mut **tx).await.map(|done| done.rows_affected())
            }
        };
        self.failed |= done.is_err();
        Ok(done?)
    }

    /// Runs a query and gives all its rows; page large answers by key.
    pub(crate) async fn fetch(
        &mut self,
        sql: &str,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        let sql = sql.to_owned();
        let rows = match &mut self.inner {
            Inner::Sqlite(tx) => bound!(sql, values)
                .fetch_all(&mut **tx)
                .await
                .map(|rows| rows.iter().map(sqlite_row).collect()),
            Inner::Postgres(tx) => bound!(sql, values)
                .fetch_all(&mut **tx)
                .await
                .map(|rows| rows.iter().map(postgres_row).collect()),
        };
        self.failed |= rows.is_err();
        rows?
    }

    /// The first row of the answer, if any.
    pub(crate) async fn fetch_first(
        &mut self,
        sql: &str,
        values: Vec<Value>,
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.fetch(sql, values).await?.into_iter().next())
    }

    /// Whether this is PostgreSQL: for the few statements that the databases write differently.
    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self.inner, Inner::Postgres(_))
    }
}

//! Write transactions. What is written and the record of it (change row, ledger entry) are one
//! transaction, and a method that writes state also records it, so that no caller can forget to.

use base::{ActorId, Timestamp};
use serde::Serialize;
use serde_json::Value as Json;

use crate::change::{Change, Object};
use crate::sql::{Connection, Inner, Value};
use crate::{Channel, StoreError};

/// On whose behalf a transaction writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writer {
    /// The actor: a person's id, or `system:<part>`.
    pub actor: ActorId,
    /// The door that the act came through.
    pub channel: Channel,
}

/// What happened to one object, for the change log and the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewChange {
    /// What happened.
    pub event: audit::Event,
    /// Kind of the object, e.g. `grant`.
    pub kind: &'static str,
    /// Id of the object.
    pub id: String,
    /// The object before; `None` when it is new.
    pub before: Option<Json>,
    /// The object after; `None` when it is gone.
    pub after: Option<Json>,
    /// Why, in the actor's words.
    pub note: Option<String>,
}

impl NewChange {
    /// A change of an object, with its forms before and after.
    pub fn new<T: Serialize>(
        event: audit::Event,
        kind: &'static str,
        id: impl ToString,
        before: Option<&T>,
        after: Option<&T>,
    ) -> Result<Self, StoreError> {
        let json = |value: Option<&T>| value.map(serde_json::to_value).transpose();
        let bad = |error: serde_json::Error| StoreError::corrupt("json", error);
        let (before, after) = (json(before).map_err(bad)?, json(after).map_err(bad)?);
        Ok(Self { event, kind, id: id.to_string(), before, after, note: None })
    }

    /// Adds the reason that the actor gave.
    #[must_use]
    pub fn because(mut self, note: Option<&str>) -> Self {
        self.note = note.map(str::to_owned);
        self
    }
}

/// A write transaction. Dropping it without [`Tx::commit`] undoes everything.
#[derive(Debug)]
pub struct Tx {
    connection: Connection,
    pub(crate) writer: Writer,
    pub(crate) at: Timestamp,
    /// Sequence of the last change before this transaction.
    base: u64,
    /// Sequence of the last change row, this transaction's included.
    sequence: u64,
    changes: Vec<Change>,
}

/// A transaction is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// The sequence of its last change; of the last one before it when it changed nothing.
    pub sequence: u64,
}

impl std::ops::Deref for Tx {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl std::ops::DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

impl Tx {
    pub(crate) async fn start(
        mut connection: Connection,
        writer: Writer,
        at: Timestamp,
    ) -> Result<Self, StoreError> {
        let base = connection.head(true).await?;
        Ok(Self { connection, writer, at, base, sequence: base, changes: Vec::new() })
    }

    /// When it happens, for the rows it writes.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Sequence of the last change before it. There can be none between that and its own.
    pub fn base(&self) -> u64 {
        self.base
    }

    /// What it has changed so far.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// On whose behalf.
    pub fn writer(&self) -> &Writer {
        &self.writer
    }

    /// Records a change: a row of the change log and an entry of the ledger. Gives the change
    /// sequence. Every method that writes administrative state calls it exactly once per object.
    pub async fn record(&mut self, change: NewChange) -> Result<u64, StoreError> {
        self.record_all(vec![change]).await?;
        Ok(self.sequence)
    }

    /// Records many changes, in order, with few statements.
    pub async fn record_all(&mut self, news: Vec<NewChange>) -> Result<(), StoreError> {
        self.append_changes(&news).await?;
        self.append_ledger(&news).await?;
        for change in news {
            self.sequence += 1;
            let object = Object::of_change(&change)?;
            self.changes.push(Change { sequence: self.sequence, object });
        }
        Ok(())
    }

    async fn append_changes(&mut self, news: &[NewChange]) -> Result<(), StoreError> {
        let text = |json: &Option<Json>| Value::maybe_text(json.as_ref());
        let mut rows = Vec::with_capacity(news.len());
        for (change, sequence) in news.iter().zip(self.sequence + 1..) {
            rows.push(vec![
                Value::count(sequence),
                self.at.into(),
                Value::text(&self.writer.actor),
                Value::text(self.writer.channel),
                Value::text(change.event),
                Value::text(change.kind),
                Value::text(&change.id),
                text(&change.before),
                text(&change.after),
                Value::maybe_text(change.note.as_ref()),
            ]);
        }
        const INTO: &str =
            "change_log (sequence, at, actor, channel, event, kind, id, before, after, note)";
        self.insert_rows(INTO, rows).await
    }

    /// Inserts rows of equal width, several per statement.
    pub(crate) async fn insert_rows(
        &mut self,
        into: &'static str,
        rows: Vec<Vec<Value>>,
    ) -> Result<(), StoreError> {
        self.insert_rows_or(into, rows, "").await
    }

    /// The same, with what to do (`ON CONFLICT …`) about rows that exist.
    pub(crate) async fn insert_rows_or(
        &mut self,
        into: &'static str,
        rows: Vec<Vec<Value>>,
        conflict: &'static str,
    ) -> Result<(), StoreError> {
        let mut rows = rows.into_iter().peekable();
        while let Some(width) = rows.peek().map(Vec::len) {
            // Both databases take at least 32,766 parameters; short statements stay cacheable.
            let batch: Vec<_> = rows.by_ref().take(VALUES_PER_INSERT / width.max(1)).collect();
            let sql = format!(
                "INSERT INTO {into} VALUES {} {conflict}",
                placeholders(batch.len(), width)
            );
            self.execute(&sql, batch.into_iter().flatten().collect()).await?;
        }
        Ok(())
    }

    /// Makes it durable. Everything before an error is undone.
    pub async fn commit(mut self) -> Result<Committed, StoreError> {
        if self.connection.failed {
            return Err(StoreError::Aborted);
        }
        if !self.changes.is_empty() {
            let sequence = Value::count(self.sequence);
            self.execute("UPDATE head SET sequence = $1 WHERE one = 1", vec![sequence]).await?;
        }
        match self.connection.inner {
            Inner::Sqlite(tx) => tx.commit().await?,
            Inner::Postgres(tx) => tx.commit().await?,
        }
        Ok(Committed { sequence: self.sequence })
    }
}

const VALUES_PER_INSERT: usize = 4_000;

/// `($1, $2), ($3, $4)` for two rows of two.
fn placeholders(rows: usize, width: usize) -> String {
    let mut numbers = 1..;
    let mut row = || {
        let marks: Vec<_> = numbers.by_ref().take(width).map(|n| format!("${n}")).collect();
        format!("({})", marks.join(", "))
    };
    (0..rows).map(|_| row()).collect::<Vec<_>>().join(", ")
}

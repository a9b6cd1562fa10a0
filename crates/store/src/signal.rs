//! Signals: behaviour that wants attention. Merged in the transaction that moves the watermark of
//! usage ([`Tx::merge_usage`]); one that goes on replaces itself, by what it is about and its start.

use base::Timestamp;
use traffic::Walk;

use crate::sql::{Connection, Row, Value};
use crate::{StoreError, Tx};

fn read(mut row: Row) -> Result<Walk, StoreError> {
    Ok(Walk {
        identity: row.parsed()?,
        credential: row.parsed()?,
        api: row.parsed()?,
        operation: row.parsed()?,
        start: row.time()?,
        end: row.time()?,
        detected_at: row.time()?,
        objects: row.count()?,
        misses: row.count()?,
        in_order: row.count()?,
        usual: row.count()?,
    })
}

impl Connection {
    /// Walks through objects that began later than a moment, the latest first; of one identity, or of
    /// all.
    pub async fn walks(
        &mut self,
        identity: Option<&str>,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<Walk>, StoreError> {
        const SQL: &str = "SELECT identity_id, credential_id, api_id, operation, start_at, end_at, \
            detected_at, objects, misses, in_order, usual FROM signal \
            WHERE kind = $1 AND start_at > $2 AND ($3 = '' OR identity_id = $3) \
            ORDER BY start_at DESC, identity_id, api_id, operation LIMIT $4";
        let values = vec![
            Value::text(traffic::walk::KIND),
            since.into(),
            Value::text(identity.unwrap_or_default()),
            i64::from(limit).into(),
        ];
        self.fetch(SQL, values).await?.into_iter().map(read).collect()
    }
}

impl Tx {
    /// Adds walks, or how far those have come that are known.
    pub async fn merge_walks(&mut self, walks: &[Walk]) -> Result<(), StoreError> {
        const INTO: &str = "signal (kind, identity_id, api_id, operation, start_at, credential_id, \
                            end_at, detected_at, objects, misses, in_order, usual)";
        const MERGE: &str = "ON CONFLICT (kind, identity_id, api_id, operation, start_at) \
             DO UPDATE SET end_at = excluded.end_at, objects = excluded.objects, \
             misses = excluded.misses, in_order = excluded.in_order \
             WHERE signal.end_at <= excluded.end_at";
        let values = |walk: &Walk| {
            vec![
                Value::text(traffic::walk::KIND),
                Value::text(&walk.identity),
                Value::text(&walk.api),
                Value::text(&walk.operation),
                walk.start.into(),
                Value::text(&walk.credential),
                walk.end.into(),
                walk.detected_at.into(),
                Value::count(walk.objects),
                Value::count(walk.misses),
                Value::count(walk.in_order),
                Value::count(walk.usual),
            ]
        };
        self.insert_rows_or(INTO, walks.iter().map(values).collect(), MERGE).await
    }
}

//! Fields received: the last time of each property per grant, identity and operation. Merged in the
//! transaction that moves the watermark of usage ([`Tx::merge_usage`]), so nothing is forgotten; a
//! later moment replaces an earlier one, so nothing would change if it were merged twice.

use base::{GrantId, OperationId, Timestamp};
use traffic::received::Received;

use crate::sql::{Connection, Row, Value};
use crate::{StoreError, Tx};

/// A property that was received under a grant, by whomever it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedRow {
    /// The grant.
    pub grant_id: GrantId,
    /// The operation.
    pub operation: OperationId,
    /// The property, `*` for others, `[more]` for more.
    pub path: String,
    /// The last time.
    pub last_at: Timestamp,
}

fn read(mut row: Row) -> Result<ReceivedRow, StoreError> {
    Ok(ReceivedRow {
        grant_id: row.parsed()?,
        operation: row.parsed()?,
        path: row.text()?,
        last_at: row.time()?,
    })
}

impl Connection {
    /// What was received under these grants later than a moment, sorted by grant, operation and
    /// path.
    pub async fn received_under(
        &mut self,
        grants: &[&str],
        since: Timestamp,
    ) -> Result<Vec<ReceivedRow>, StoreError> {
        const HEAD: &str = "SELECT grant_id, operation, path, MAX(last_at) FROM field_received \
                            WHERE last_at > $1 AND grant_id IN";
        const TAIL: &str = " GROUP BY grant_id, operation, path ORDER BY grant_id, operation, path";
        let rows = self.fetch_in(HEAD, TAIL, grants, vec![since.into()]).await?;
        rows.into_iter().map(read).collect()
    }

    /// The same under all grants.
    pub async fn received_since(
        &mut self,
        since: Timestamp,
    ) -> Result<Vec<ReceivedRow>, StoreError> {
        const SQL: &str = "SELECT grant_id, operation, path, MAX(last_at) FROM field_received \
                           WHERE last_at > $1 AND grant_id <> '' \
                           GROUP BY grant_id, operation, path ORDER BY grant_id, operation, path";
        self.fetch(SQL, vec![since.into()]).await?.into_iter().map(read).collect()
    }
}

impl Tx {
    /// Adds what was received to what is known.
    pub async fn merge_received(&mut self, received: &[Received]) -> Result<(), StoreError> {
        const INTO: &str =
            "field_received (grant_id, identity_id, api_id, operation, path, last_at)";
        const MERGE: &str = "ON CONFLICT (grant_id, identity_id, api_id, operation, path) \
             DO UPDATE SET last_at = excluded.last_at \
             WHERE field_received.last_at < excluded.last_at";
        let values = |one: &Received| {
            let key = &one.key;
            vec![
                Value::text(key.grant_id.as_ref().map(GrantId::as_str).unwrap_or_default()),
                Value::text(&key.identity_id),
                Value::text(&key.api_id),
                Value::text(&key.operation),
                Value::text(&one.path),
                one.last_at.into(),
            ]
        };
        self.insert_rows_or(INTO, received.iter().map(values).collect(), MERGE).await
    }
}

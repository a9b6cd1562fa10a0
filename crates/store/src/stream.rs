//! Streams that the nodes ended with their changes. Counted by the nodes, not decided by anybody,
//! so these rows are not recorded.

use std::collections::BTreeMap;

use base::{NodeId, Timestamp};
use traffic::CutCount;

use crate::sql::{Connection, Value};
use crate::{StoreError, Tx};

impl Connection {
    /// What each node cut with the changes `from..=to`, by node and change. A pair that is not
    /// there cut nothing.
    pub async fn stream_cuts(
        &mut self,
        from: u64,
        to: u64,
    ) -> Result<BTreeMap<(NodeId, u64), CutCount>, StoreError> {
        const SQL: &str = "SELECT node_id, change, streams_cut, streams_open FROM stream_cut \
                           WHERE change >= $1 AND change <= $2";
        let rows = self.fetch(SQL, vec![Value::count(from), Value::count(to)]).await?;
        let read = |mut row: crate::sql::Row| {
            let key = (row.parsed()?, row.count()?);
            Ok((key, CutCount { cut: row.count()?, open: row.count()? }))
        };
        rows.into_iter().map(read).collect()
    }
}

impl Tx {
    /// Writes what a node cut with a change; the last count of a pair stays.
    pub async fn save_stream_cut(
        &mut self,
        node: &NodeId,
        change: u64,
        count: CutCount,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO stream_cut (change, node_id, streams_cut, streams_open, at) \
            VALUES ($1, $2, $3, $4, $5) ON CONFLICT (change, node_id) DO UPDATE SET \
            streams_cut = excluded.streams_cut, streams_open = excluded.streams_open";
        let values = vec![
            Value::count(change),
            Value::text(node),
            Value::count(count.cut),
            Value::count(count.open),
            self.at().into(),
        ];
        self.execute(SQL, values).await.map(|_| ())
    }

    /// Forgets the counts from before a moment. Proofs of reviews keep their own.
    pub async fn expire_stream_cuts(&mut self, before: Timestamp) -> Result<(), StoreError> {
        self.execute("DELETE FROM stream_cut WHERE at < $1", vec![before.into()]).await.map(|_| ())
    }
}

//! Nodes: which process enforces which ruleset version since when. These rows are statements of
//! the nodes, not administrative changes, so they are not recorded.

use base::{NodeId, Timestamp};

use crate::sql::{Connection, Row, Value};
use crate::{StoreError, Tx};

/// One node's latest statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRow {
    /// The node.
    pub id: NodeId,
    /// The ruleset version that it enforces.
    pub version: u64,
    /// Since when it enforces that version.
    pub since: Timestamp,
    /// When it last made itself heard.
    pub last_seen: Timestamp,
}

fn read(mut row: Row) -> Result<NodeRow, StoreError> {
    Ok(NodeRow {
        id: row.parsed()?,
        version: row.count()?,
        since: row.time()?,
        last_seen: row.time()?,
    })
}

impl Connection {
    /// The nodes that were heard of since `since`, sorted by id.
    pub async fn live_nodes(&mut self, since: Timestamp) -> Result<Vec<NodeRow>, StoreError> {
        const SQL: &str = "SELECT id, version, since, last_seen FROM node \
                           WHERE last_seen >= $1 ORDER BY id";
        self.fetch(SQL, vec![since.into()]).await?.into_iter().map(read).collect()
    }
}

impl Tx {
    /// Writes a node's statement. A version never goes back: a late statement is no news.
    pub async fn state_node(&mut self, node: &NodeRow) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO node (id, version, since, last_seen) VALUES ($1, $2, $3, $4) \
            ON CONFLICT (id) DO UPDATE SET version = excluded.version, since = excluded.since, \
            last_seen = excluded.last_seen WHERE excluded.version >= node.version";
        let values = vec![
            Value::text(&node.id),
            Value::count(node.version),
            node.since.into(),
            node.last_seen.into(),
        ];
        self.execute(SQL, values).await.map(|_| ())
    }

    /// Takes a node off that shuts down, so that nobody waits for it.
    pub async fn forget_node(&mut self, id: &NodeId) -> Result<(), StoreError> {
        self.execute("DELETE FROM node WHERE id = $1", vec![Value::text(id)]).await.map(|_| ())
    }
}

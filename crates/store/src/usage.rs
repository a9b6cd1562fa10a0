//! Use of grants: cells of calls per grant, credential, operation and day, merged by key, and how
//! far each node's call records are in them. Cells and watermark move in one transaction, so that
//! no record is counted twice and none is forgotten, whatever happens in between.
//!
//! A call that several grants let through has a cell under each. Sums over anything but grants
//! therefore take the largest of these cells, not their sum.

use std::collections::BTreeMap;

use audit::Event;
use base::{ApiId, Digest, NodeId, Timestamp};
use serde::{Deserialize, Serialize};
use traffic::{Usage, UsageKey};

use crate::sql::{Connection, Row, Value};
use crate::{NewChange, StoreError, Tx};

/// The last batch of a node's call records that is folded into the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Watermark {
    /// Segment, from 1.
    pub segment: u64,
    /// Batch in it, from 0.
    pub batch: u32,
}

/// By what use is summed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsedBy {
    /// Grants.
    Grant,
    /// Credentials.
    Credential,
    /// Identities.
    Identity,
}

/// Use of one object (grant, credential, identity) with one operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedRow {
    /// The object.
    pub id: String,
    /// The operation; absent when the catalogue had none.
    pub operation: Option<String>,
    /// Calls let through.
    pub calls: u64,
    /// Identities that called.
    pub callers: u64,
    /// The last call.
    pub last_at: Timestamp,
}

/// A sealed segment of call records that the ledger holds. Serialised as the ledger has it: when
/// it expired is another entry's time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnchoredSegment {
    /// The node that wrote it.
    pub node: NodeId,
    /// Its number there.
    pub segment: u64,
    /// Records in it.
    pub records: u64,
    /// Chain head of the node's log at its end.
    pub chain: Digest,
    /// Merkle root over its records.
    pub root: Digest,
    /// When retention deleted it.
    #[serde(skip)]
    pub expired_at: Option<Timestamp>,
}

/// The detail of a ledger entry about a segment.
#[derive(Deserialize)]
struct OnRecord {
    after: AnchoredSegment,
}

fn read_used(mut row: Row) -> Result<UsedRow, StoreError> {
    Ok(UsedRow {
        id: row.text()?,
        operation: Some(row.text()?).filter(|operation| !operation.is_empty()),
        calls: row.count()?,
        callers: row.count()?,
        last_at: row.time()?,
    })
}

/// An id that may be absent: the empty text stands for none.
fn maybe_id<T: std::str::FromStr>(text: String) -> Result<Option<T>, StoreError> {
    match text.as_str() {
        "" => Ok(None),
        id => id.parse().map(Some).map_err(|_| StoreError::corrupt("id", id)),
    }
}

fn read_cell(mut row: Row) -> Result<(UsageKey, Usage), StoreError> {
    let key = UsageKey {
        grant_id: maybe_id(row.text()?)?,
        identity_id: row.parsed()?,
        credential_id: row.parsed()?,
        api_id: row.parsed()?,
        operation: maybe_id(row.text()?)?,
        day: row.int()?,
    };
    let usage = Usage {
        calls: row.count()?,
        succeeded: row.count()?,
        first_at: row.time()?,
        last_at: row.time()?,
    };
    Ok((key, usage))
}

impl Connection {
    /// How far a node's call records are folded.
    pub async fn usage_watermark(
        &mut self,
        node: &NodeId,
    ) -> Result<Option<Watermark>, StoreError> {
        const SQL: &str = "SELECT segment, batch FROM usage_watermark WHERE node_id = $1";
        let Some(mut row) = self.fetch_first(SQL, vec![Value::text(node)]).await? else {
            return Ok(None);
        };
        let (segment, batch) = (row.count()?, row.count()?);
        let batch = u32::try_from(batch).map_err(|_| StoreError::corrupt("batch", batch))?;
        Ok(Some(Watermark { segment, batch }))
    }

    /// The cells of one UTC day, as [`Timestamp::day`] counts.
    pub async fn usage_of_day(&mut self, day: i64) -> Result<Vec<(UsageKey, Usage)>, StoreError> {
        const SQL: &str = "SELECT grant_id, identity_id, credential_id, api_id, operation, day, \
             calls, succeeded, first_at, last_at FROM grant_usage WHERE day = $1";
        self.fetch(SQL, vec![day.into()]).await?.into_iter().map(read_cell).collect()
    }

    /// The cells with use later than a moment, of all nodes as far as they have folded it.
    pub async fn usage_after(
        &mut self,
        moment: Timestamp,
    ) -> Result<Vec<(UsageKey, Usage)>, StoreError> {
        const SQL: &str = "SELECT grant_id, identity_id, credential_id, api_id, operation, day, \
             calls, succeeded, first_at, last_at FROM grant_usage WHERE day >= $1 AND last_at > $2";
        let values = vec![moment.day().into(), moment.into()];
        self.fetch(SQL, values).await?.into_iter().map(read_cell).collect()
    }

    /// The first day of which there is any use; `None` when there is none at all.
    pub async fn first_usage_day(&mut self) -> Result<Option<i64>, StoreError> {
        const SQL: &str = "SELECT MIN(day) FROM grant_usage";
        let row = self.fetch_first(SQL, vec![]).await?;
        row.map_or(Ok(None), |mut row| row.maybe_int())
    }

    /// The last call of each credential before a day, for credentials with none since.
    pub async fn last_use_before(
        &mut self,
        day: i64,
    ) -> Result<Vec<(base::CredentialId, Timestamp)>, StoreError> {
        const SQL: &str = "SELECT credential_id, MAX(last_at) FROM grant_usage \
                           GROUP BY credential_id HAVING MAX(day) < $1";
        let rows = self.fetch(SQL, vec![day.into()]).await?;
        rows.into_iter().map(|mut row| Ok((row.parsed()?, row.time()?))).collect()
    }

    /// Use of these objects since a day, per operation.
    pub async fn used(
        &mut self,
        by: UsedBy,
        ids: &[&str],
        since_day: i64,
    ) -> Result<Vec<UsedRow>, StoreError> {
        const GRANT: &str = "SELECT grant_id, operation, CAST(SUM(calls) AS BIGINT), \
             COUNT(DISTINCT identity_id), MAX(last_at) FROM grant_usage \
             WHERE day >= $1 AND grant_id IN";
        const CREDENTIAL: &str = "SELECT id, operation, CAST(SUM(calls) AS BIGINT), \
             COUNT(DISTINCT caller), MAX(last_at) FROM (SELECT credential_id AS id, \
             identity_id AS caller, operation, MAX(calls) AS calls, MAX(last_at) AS last_at \
             FROM grant_usage WHERE day >= $1 AND credential_id IN";
        const IDENTITY: &str = "SELECT id, operation, CAST(SUM(calls) AS BIGINT), \
             COUNT(DISTINCT caller), MAX(last_at) FROM (SELECT identity_id AS id, \
             identity_id AS caller, operation, MAX(calls) AS calls, MAX(last_at) AS last_at \
             FROM grant_usage WHERE day >= $1 AND identity_id IN";
        const CELLS: &str = " GROUP BY credential_id, identity_id, api_id, operation, day) AS cell \
             GROUP BY id, operation";
        let (head, tail) = match by {
            UsedBy::Grant => (GRANT, " GROUP BY grant_id, operation"),
            UsedBy::Credential => (CREDENTIAL, CELLS),
            UsedBy::Identity => (IDENTITY, CELLS),
        };
        let rows = self.fetch_in(head, tail, ids, vec![since_day.into()]).await?;
        rows.into_iter().map(read_used).collect()
    }

    /// Use of the operations of an API since a day; the API itself is the object.
    pub async fn used_operations(
        &mut self,
        api: &ApiId,
        since_day: i64,
    ) -> Result<Vec<UsedRow>, StoreError> {
        const SQL: &str = "SELECT id, operation, CAST(SUM(calls) AS BIGINT), \
             COUNT(DISTINCT caller), MAX(last_at) FROM (SELECT api_id AS id, \
             identity_id AS caller, operation, MAX(calls) AS calls, MAX(last_at) AS last_at \
             FROM grant_usage WHERE api_id = $1 AND day >= $2 \
             GROUP BY credential_id, identity_id, api_id, operation, day) AS cell \
             GROUP BY id, operation";
        let values = vec![Value::text(api), since_day.into()];
        self.fetch(SQL, values).await?.into_iter().map(read_used).collect()
    }

    /// What the ledger itself says of the segments of one node, oldest first. For checks:
    /// [`Connection::anchored_segments`] says the same faster, but can be changed unnoticed.
    pub async fn segments_on_record(
        &mut self,
        node: &NodeId,
    ) -> Result<Vec<AnchoredSegment>, StoreError> {
        const SQL: &str = "SELECT event, at, detail FROM ledger \
                           WHERE event = $1 OR event = $2 ORDER BY sequence";
        let (anchored, expired) = (Event::CallRecordsAnchored, Event::CallRecordsExpired);
        let rows = self.fetch(SQL, vec![Value::text(anchored), Value::text(expired)]).await?;
        let mut found = BTreeMap::new();
        for mut row in rows {
            let (event, at): (Event, _) = (row.parsed()?, row.time()?);
            let OnRecord { after } = row.json()?;
            if after.node == *node {
                let expired_at = (event == expired).then_some(at);
                found.insert(after.segment, AnchoredSegment { expired_at, ..after });
            }
        }
        Ok(found.into_values().collect())
    }

    /// Segments that the ledger holds, of one node, oldest first.
    pub async fn anchored_segments(
        &mut self,
        node: &NodeId,
    ) -> Result<Vec<AnchoredSegment>, StoreError> {
        const SQL: &str = "SELECT node_id, segment, records, chain, root, expired_at \
                           FROM anchored_segment WHERE node_id = $1 ORDER BY segment";
        let rows = self.fetch(SQL, vec![Value::text(node)]).await?;
        rows.into_iter()
            .map(|mut row| {
                Ok(AnchoredSegment {
                    node: row.parsed()?,
                    segment: row.count()?,
                    records: row.count()?,
                    chain: row.digest()?,
                    root: row.digest()?,
                    expired_at: row.maybe_time()?,
                })
            })
            .collect()
    }
}

impl Tx {
    /// Adds cells to what is known and moves the node's watermark. A watermark that does not move
    /// forward means that these records were counted before: refused.
    pub async fn merge_usage(
        &mut self,
        node: &NodeId,
        cells: &[(UsageKey, Usage)],
        through: Watermark,
    ) -> Result<(), StoreError> {
        const MARK: &str = "INSERT INTO usage_watermark (node_id, segment, batch) \
             VALUES ($1, $2, $3) ON CONFLICT (node_id) DO UPDATE \
             SET segment = excluded.segment, batch = excluded.batch \
             WHERE usage_watermark.segment < excluded.segment \
             OR (usage_watermark.segment = excluded.segment \
             AND usage_watermark.batch < excluded.batch)";
        let mark =
            vec![Value::text(node), Value::count(through.segment), i64::from(through.batch).into()];
        self.change_one(MARK, mark, "usage of node", node).await?;
        const INTO: &str = "grant_usage (day, grant_id, credential_id, identity_id, api_id, \
                            operation, calls, succeeded, first_at, last_at)";
        const MERGE: &str = "ON CONFLICT (grant_id, credential_id, identity_id, api_id, operation, \
             day) DO UPDATE SET calls = grant_usage.calls + excluded.calls, \
             succeeded = grant_usage.succeeded + excluded.succeeded, \
             first_at = CASE WHEN excluded.first_at < grant_usage.first_at \
             THEN excluded.first_at ELSE grant_usage.first_at END, \
             last_at = CASE WHEN excluded.last_at > grant_usage.last_at \
             THEN excluded.last_at ELSE grant_usage.last_at END";
        self.insert_rows_or(INTO, cells.iter().map(cell_values).collect(), MERGE).await
    }

    /// Puts sealed segments on record: a row each, and an entry of the ledger.
    pub async fn anchor_segments(
        &mut self,
        segments: &[AnchoredSegment],
    ) -> Result<(), StoreError> {
        const INTO: &str = "anchored_segment (node_id, segment, records, chain, root, expired_at)";
        let row = |segment: &AnchoredSegment| {
            vec![
                Value::text(&segment.node),
                Value::count(segment.segment),
                Value::count(segment.records),
                segment.chain.into(),
                segment.root.into(),
                Value::maybe_time(segment.expired_at),
            ]
        };
        self.insert_rows(INTO, segments.iter().map(row).collect()).await?;
        self.record_segments(Event::CallRecordsAnchored, segments).await
    }

    /// Puts on record that retention deletes these segments.
    pub async fn expire_segments(
        &mut self,
        segments: &[AnchoredSegment],
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE anchored_segment SET expired_at = $3 \
                           WHERE node_id = $1 AND segment = $2 AND expired_at IS NULL";
        for segment in segments {
            let at = self.at;
            let values = vec![Value::text(&segment.node), Value::count(segment.segment), at.into()];
            self.change_one(SQL, values, "call records", segment.segment).await?;
        }
        self.record_segments(Event::CallRecordsExpired, segments).await
    }

    async fn record_segments(
        &mut self,
        event: Event,
        segments: &[AnchoredSegment],
    ) -> Result<(), StoreError> {
        let change = |segment: &AnchoredSegment| {
            let id = format!("{}/{}", segment.node, segment.segment);
            NewChange::new(event, "call_records", id, None, Some(segment))
        };
        let changes: Result<Vec<_>, StoreError> = segments.iter().map(change).collect();
        self.record_all(changes?).await
    }
}

fn cell_values((key, usage): &(UsageKey, Usage)) -> Vec<Value> {
    let id = |id: Option<&str>| Value::text(id.unwrap_or_default());
    vec![
        key.day.into(),
        id(key.grant_id.as_ref().map(|id| id.as_str())),
        Value::text(&key.credential_id),
        Value::text(&key.identity_id),
        Value::text(&key.api_id),
        id(key.operation.as_ref().map(|id| id.as_str())),
        Value::count(usage.calls),
        Value::count(usage.succeeded),
        usage.first_at.into(),
        usage.last_at.into(),
    ]
}

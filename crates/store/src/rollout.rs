//! Changes of policy that are put in force step by step, and what they do to calls meanwhile: sums
//! per node, and the differences by caller and operation.

use base::{ApiId, IdentityId, NodeId, OperationId, RolloutId, Timestamp};
use grant::Rollout;
use traffic::{Reason, RolloutDifference, RolloutSide};

use crate::change::Object;
use crate::sql::{Connection, Row, Value};
use crate::{NewChange, StoreError, Tx};

/// A rollout with what it makes of the objects that it changes, ready for the gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolledOut {
    /// The rollout.
    pub rollout: Rollout,
    /// The objects, in the order of its edits; none once it is over.
    pub objects: Vec<Object>,
}

impl RolledOut {
    pub(crate) fn of(rollout: Rollout) -> Result<Self, StoreError> {
        let mut objects = Vec::new();
        if rollout.stage().is_open() {
            for edit in &rollout.edits {
                let object = Object::of(&edit.kind, &edit.id, Some(edit.after.clone()))?;
                objects.extend(object);
            }
        }
        Ok(Self { rollout, objects })
    }
}

/// Calls of one node that were decided within one piece of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RolloutCount {
    /// Calls that both sides were asked about.
    pub judged: u64,
    /// Of these, those that the change governed.
    pub governed: u64,
    /// Of these, those that it refused and that passed without it.
    pub refused: u64,
}

/// Calls of one caller and one operation of which the two sides say different things.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DifferenceKey {
    /// Who called; `None` = the rest, for which there was no room.
    pub identity: Option<IdentityId>,
    /// Which API.
    pub api: Option<ApiId>,
    /// Which operation.
    pub operation: Option<OperationId>,
    /// Which side decided.
    pub governed_by: RolloutSide,
    /// How they differ.
    pub difference: RolloutDifference,
    /// Why the side that refuses does.
    pub reason: Option<Reason>,
}

fn maybe<T: std::str::FromStr>(row: &mut Row) -> Result<Option<T>, StoreError> {
    let text = row.text()?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| StoreError::corrupt(std::any::type_name::<T>(), text))
}

impl Connection {
    /// The rollout that is open, if any.
    pub async fn open_rollout(&mut self) -> Result<Option<Rollout>, StoreError> {
        const SQL: &str = "SELECT document FROM rollout WHERE open_one = 1";
        self.fetch_first(SQL, vec![]).await?.map(|mut row| row.json()).transpose()
    }

    /// The rollouts, the newest first.
    pub async fn rollouts(&mut self, limit: u32) -> Result<Vec<Rollout>, StoreError> {
        const SQL: &str = "SELECT document FROM rollout ORDER BY started_at DESC, id DESC LIMIT $1";
        let rows = self.fetch(SQL, vec![i64::from(limit).into()]).await?;
        rows.into_iter().map(|mut row| row.json()).collect()
    }

    /// What all nodes together counted from `since` on. Calls are counted in pieces of time, of
    /// which the one that `since` falls into counts whole.
    pub async fn rollout_tally(
        &mut self,
        id: &RolloutId,
        since: Timestamp,
    ) -> Result<RolloutCount, StoreError> {
        const SQL: &str = "SELECT CAST(COALESCE(SUM(judged), 0) AS BIGINT), \
             CAST(COALESCE(SUM(governed), 0) AS BIGINT), CAST(COALESCE(SUM(refused), 0) AS BIGINT) \
             FROM rollout_count WHERE rollout_id = $1 AND bucket >= $2";
        let values = vec![Value::text(id), since.into()];
        let row = self.fetch_first(SQL, values).await?;
        let mut row = row.ok_or_else(|| StoreError::corrupt("rollout", "no sum"))?;
        Ok(RolloutCount { judged: row.count()?, governed: row.count()?, refused: row.count()? })
    }

    /// The differences so far, most calls first, each with its last call.
    pub async fn rollout_differences(
        &mut self,
        id: &RolloutId,
        limit: u32,
    ) -> Result<Vec<(DifferenceKey, u64, Timestamp)>, StoreError> {
        const SQL: &str = "SELECT identity_id, api_id, operation, governed_by, difference, reason, \
             calls, last_at FROM rollout_difference WHERE rollout_id = $1 \
             ORDER BY calls DESC, identity_id, api_id, operation LIMIT $2";
        let rows = self.fetch(SQL, vec![Value::text(id), i64::from(limit).into()]).await?;
        let read = |mut row: Row| {
            let key = DifferenceKey {
                identity: maybe(&mut row)?,
                api: maybe(&mut row)?,
                operation: maybe(&mut row)?,
                governed_by: row.parsed()?,
                difference: row.parsed()?,
                reason: maybe(&mut row)?,
            };
            Ok((key, row.count()?, row.time()?))
        };
        rows.into_iter().map(read).collect()
    }
}

impl Tx {
    /// Writes a new rollout, or the next step of one over the step that it was made from.
    pub async fn save_rollout(
        &mut self,
        event: audit::Event,
        before: Option<&Rollout>,
        rollout: &Rollout,
        note: Option<&str>,
    ) -> Result<u64, StoreError> {
        // The step before is the change row before this one: it is not written twice.
        let change = NewChange::new(event, "rollout", &rollout.id, None, Some(rollout))?;
        let open = i64::from(rollout.stage().is_open());
        let values = vec![
            i64::from(rollout.version).into(),
            Value::text(rollout.stage()),
            Value::json(rollout)?,
            Value::Int(Some(open).filter(|open| *open == 1)),
            Value::text(&rollout.id),
        ];
        match before {
            None => {
                const INTO: &str = "rollout (version, stage, document, open_one, id, started_at)";
                let row = values.into_iter().chain([rollout.started_at().into()]).collect();
                self.insert_rows(INTO, vec![row]).await?;
            }
            Some(before) => {
                const SQL: &str = "UPDATE rollout SET version = $1, stage = $2, document = $3, \
                                   open_one = $4 WHERE id = $5 AND version = $6";
                let values = values.into_iter().chain([i64::from(before.version).into()]).collect();
                self.change_one(SQL, values, "rollout", &rollout.id).await?;
            }
        }
        self.record(change.because(note)).await
    }

    /// Adds what a node counted. Not an administrative change: sums, as usage is.
    pub async fn merge_rollout(
        &mut self,
        id: &RolloutId,
        node: &NodeId,
        counts: &[(Timestamp, RolloutCount)],
        differences: &[(DifferenceKey, u64, Timestamp)],
    ) -> Result<(), StoreError> {
        const COUNTS: &str =
            "rollout_count (rollout_id, node_id, bucket, judged, governed, refused)";
        const ADD: &str = "ON CONFLICT (rollout_id, node_id, bucket) DO UPDATE SET \
             judged = rollout_count.judged + excluded.judged, \
             governed = rollout_count.governed + excluded.governed, \
             refused = rollout_count.refused + excluded.refused";
        let row = |(bucket, count): &(Timestamp, RolloutCount)| {
            vec![
                Value::text(id),
                Value::text(node),
                (*bucket).into(),
                Value::count(count.judged),
                Value::count(count.governed),
                Value::count(count.refused),
            ]
        };
        self.insert_rows_or(COUNTS, counts.iter().map(row).collect(), ADD).await?;
        const CELLS: &str = "rollout_difference (rollout_id, identity_id, api_id, operation, \
                             governed_by, difference, reason, calls, last_at)";
        const MERGE: &str = "ON CONFLICT (rollout_id, identity_id, api_id, operation, governed_by, \
             difference, reason) DO UPDATE SET \
             calls = rollout_difference.calls + excluded.calls, \
             last_at = CASE WHEN excluded.last_at > rollout_difference.last_at \
             THEN excluded.last_at ELSE rollout_difference.last_at END";
        let cell = |(key, calls, last_at): &(DifferenceKey, u64, Timestamp)| {
            let text = |id: Option<&str>| Value::text(id.unwrap_or_default());
            vec![
                Value::text(id),
                text(key.identity.as_ref().map(|id| id.as_str())),
                text(key.api.as_ref().map(|id| id.as_str())),
                text(key.operation.as_ref().map(|id| id.as_str())),
                Value::text(key.governed_by),
                Value::text(key.difference),
                text(key.reason.map(|reason| reason.as_str())),
                Value::count(*calls),
                (*last_at).into(),
            ]
        };
        self.insert_rows_or(CELLS, differences.iter().map(cell).collect(), MERGE).await
    }
}

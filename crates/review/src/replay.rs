//! What removing or narrowing each grant under review would have done to recorded calls.
//!
//! Every record names the grants that covered its call. Without one of them, the call would pass
//! if the caller holds another grant, in force now, that covers the operation: the same answer as
//! `policy::replay` gives for one change, for all items of a campaign in one pass over the
//! records. Each decision is replayed by itself; two removals together may refuse calls that
//! neither refuses alone.

use std::collections::BTreeSet;

use base::{GrantId, IdentityId, OperationId, Timestamp};
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};
use traffic::CallRecord;

use crate::inventory::Inventory;

/// What one decision would have done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consequence {
    /// Recorded calls under the grant in the window.
    pub calls: u64,
    /// Of these, those that nothing else would have let through.
    pub refused: u64,
    /// Identities that these came from.
    pub callers: u64,
    /// The last of these.
    pub last_at: Option<Timestamp>,
}

impl Consequence {
    /// In one sentence.
    pub fn summary(&self) -> String {
        let Self { calls, refused, callers, .. } = self;
        let callers =
            if *callers == 1 { "1 caller".to_owned() } else { format!("{callers} callers") };
        match (calls, refused) {
            (0, _) => "no recorded call used it".to_owned(),
            (_, 0) => format!("0 of {calls} recorded calls refused"),
            _ => format!("{refused} of {calls} recorded calls from {callers} refused"),
        }
    }
}

/// What either decision on a grant would have done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consequences {
    /// If it were removed.
    pub removed: Consequence,
    /// If it were narrowed as recommended; `None` when nothing narrower is recommended.
    pub narrowed: Option<Consequence>,
}

#[derive(Debug, Default)]
struct Tally {
    consequence: Consequence,
    callers: FxHashSet<IdentityId>,
}

impl Tally {
    fn add(&mut self, record: &CallRecord, refused: bool) {
        self.consequence.calls += 1;
        if !refused {
            return;
        }
        self.consequence.refused += 1;
        self.consequence.last_at = self.consequence.last_at.max(Some(record.at));
        self.callers.extend(record.identity_id.clone());
    }

    fn finish(mut self) -> Consequence {
        self.consequence.callers = u64::try_from(self.callers.len()).unwrap_or(u64::MAX);
        self.consequence
    }
}

#[derive(Debug)]
struct Case {
    narrower: Option<BTreeSet<OperationId>>,
    removed: Tally,
    narrowed: Tally,
}

/// The replay of a whole campaign.
#[derive(Debug)]
pub struct Replay<'a> {
    inventory: &'a Inventory,
    cases: FxHashMap<GrantId, Case>,
}

impl<'a> Replay<'a> {
    /// Prepares the replay of grants, each with what it is recommended to be narrowed to.
    pub fn new(
        inventory: &'a Inventory,
        grants: impl IntoIterator<Item = (GrantId, Option<BTreeSet<OperationId>>)>,
    ) -> Self {
        let case =
            |narrower| Case { narrower, removed: Tally::default(), narrowed: Tally::default() };
        let cases = grants.into_iter().map(|(id, narrower)| (id, case(narrower))).collect();
        Self { inventory, cases }
    }

    /// Replays one record. Those outside of the inventory's window, and refused ones, are passed
    /// over.
    pub fn add(&mut self, record: &CallRecord) {
        if !record.outcome.was_let_through() || !self.inventory.window().contains(record.at) {
            return;
        }
        for id in &record.grant_ids {
            let Some(case) = self.cases.get_mut(id) else { continue };
            let otherwise = passes_without(id, record, self.inventory);
            case.removed.add(record, !otherwise);
            if let Some(narrower) = &case.narrower {
                let still = record.operation.as_ref().is_some_and(|op| narrower.contains(op));
                case.narrowed.add(record, !still && !otherwise);
            }
        }
    }

    /// The consequences per grant. Grants without a recorded call are in it too.
    pub fn finish(self) -> FxHashMap<GrantId, Consequences> {
        let finish = |case: Case| Consequences {
            removed: case.removed.finish(),
            narrowed: case.narrower.is_some().then(|| case.narrowed.finish()),
        };
        self.cases.into_iter().map(|(id, case)| (id, finish(case))).collect()
    }
}

fn passes_without(id: &GrantId, record: &CallRecord, inventory: &Inventory) -> bool {
    let (Some(identity), Some(api), Some(operation)) =
        (&record.identity_id, &record.api_id, &record.operation)
    else {
        return false;
    };
    inventory.grants_reaching(identity).into_iter().any(|grant| {
        grant.id != *id
            && grant.api == *api
            && grant.operations.contains(operation)
            && inventory.is_grant_live(grant)
    })
}

#[cfg(test)]
mod tests;

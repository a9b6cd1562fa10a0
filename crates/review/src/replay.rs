//! What removing or narrowing each grant under review would have done to recorded calls.
//!
//! Every record names the grants that covered its call. Without one of them, the call would pass if
//! the ruleset lets it: that is asked of the engine that decides at the gate ([`policy::Judge`]),
//! with the terms of the other grants, guardrails and all, for all items of a campaign in one pass
//! over the records. Each decision is replayed by itself; two removals together may refuse calls
//! that neither refuses alone. Observe mode is no permission here: what only it lets pass is counted
//! as refused, for a review is about access.

use std::collections::BTreeSet;
use std::sync::Arc;

use base::{GrantId, IdentityId, OperationId, Timestamp};
use policy::{Judge, Rejudged, Ruleset};
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};
use traffic::CallRecord;

use crate::inventory::Inventory;

/// Callers that are told apart, over all grants of a replay; a number of callers is a least one
/// beyond.
const CALLERS_MAX: usize = 1_000_000;

/// What one decision would have done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consequence {
    /// Recorded calls under the grant in the window.
    pub calls: u64,
    /// Of these, those that nothing else would have let through.
    pub refused: u64,
    /// Of the calls, those that depend on what no record keeps: neither refused nor not.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unknown: u64,
    /// Identities that the refused ones came from.
    pub callers: u64,
    /// The last refused one.
    pub last_at: Option<Timestamp>,
}

impl Consequence {
    /// In one sentence.
    pub fn summary(&self) -> String {
        let Self { calls, refused, callers, unknown, .. } = self;
        let callers =
            if *callers == 1 { "1 caller".to_owned() } else { format!("{callers} callers") };
        let known = match (calls, refused) {
            (0, _) => return "no recorded call used it".to_owned(),
            (_, 0) => format!("0 of {calls} recorded calls refused"),
            _ => format!("{refused} of {calls} recorded calls from {callers} refused"),
        };
        match unknown {
            0 => known,
            _ => format!("{known}, of {unknown} nobody can tell"),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
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
    /// Counts a call, and its caller while `room` is left.
    fn add(&mut self, record: &CallRecord, fate: Fate, room: &mut usize) {
        self.consequence.calls += 1;
        match fate {
            Fate::Passes => return,
            Fate::Unknown => {
                self.consequence.unknown += 1;
                return;
            }
            Fate::Refused => {}
        }
        self.consequence.refused += 1;
        self.consequence.last_at = self.consequence.last_at.max(Some(record.at));
        let Some(identity) = &record.identity_id else { return };
        if *room > 0 && !self.callers.contains(identity) {
            *room -= 1;
            self.callers.insert(identity.clone());
        }
    }

    fn finish(mut self) -> Consequence {
        self.consequence.callers = u64::try_from(self.callers.len()).unwrap_or(u64::MAX);
        self.consequence
    }
}

/// What becomes of a call without a grant.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Passes,
    Refused,
    Unknown,
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
    judge: Judge,
    cases: FxHashMap<GrantId, Case>,
    /// Callers that can still be told apart.
    room: usize,
}

impl<'a> Replay<'a> {
    /// Prepares the replay of grants, each with what it is recommended to be narrowed to, by the
    /// ruleset that holds and by what is in force when the inventory was taken.
    pub fn new(
        inventory: &'a Inventory,
        ruleset: Arc<Ruleset>,
        grants: impl IntoIterator<Item = (GrantId, Option<BTreeSet<OperationId>>)>,
    ) -> Self {
        let case =
            |narrower| Case { narrower, removed: Tally::default(), narrowed: Tally::default() };
        let cases = grants.into_iter().map(|(id, narrower)| (id, case(narrower))).collect();
        let judge = Judge::new(ruleset, inventory.as_of()).enforced();
        Self { inventory, judge, cases, room: CALLERS_MAX }
    }

    /// Replays one record. Those outside of the inventory's window, and refused ones, are passed
    /// over.
    pub fn add(&mut self, record: &CallRecord) {
        if !record.outcome.was_let_through() || !self.inventory.window().contains(record.at) {
            return;
        }
        for id in &record.grant_ids {
            let Some(case) = self.cases.get_mut(id) else { continue };
            let otherwise = match self.judge.judge(record, Some(id)) {
                Some(Rejudged::Allowed) => Fate::Passes,
                Some(Rejudged::Unknown) => Fate::Unknown,
                // Whose call it was, or to which API, is not known: nothing else lets it pass.
                Some(Rejudged::Refused(_)) | None => Fate::Refused,
            };
            case.removed.add(record, otherwise, &mut self.room);
            if let Some(narrower) = &case.narrower {
                // What the grant keeps, it lets pass as it did.
                let still = record.operation.as_ref().is_some_and(|op| narrower.contains(op));
                let fate = if still { Fate::Passes } else { otherwise };
                case.narrowed.add(record, fate, &mut self.room);
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

#[cfg(test)]
mod tests;

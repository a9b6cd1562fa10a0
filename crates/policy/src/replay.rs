//! What a change to grants would have refused: recorded calls, judged again.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use base::{GrantId, IdentityId, OperationId, Timestamp};
use grant::OperationSet;
use rustc_hash::FxHashMap;
use traffic::CallRecord;

use crate::Ruleset;

/// A grant as it would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantChange {
    /// Which one.
    pub grant: GrantId,
    /// The operations that it would still cover; `OperationSet::Only` of nothing = removed.
    pub remaining: OperationSet,
}

/// What one identity would have lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerLoss {
    /// Who.
    pub identity: IdentityId,
    /// How many of its calls.
    pub calls: u64,
    /// The last of them.
    pub last_at: Timestamp,
}

/// The outcome of a replay.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replay {
    /// Records that rest on one of the changed grants.
    pub examined: u64,
    /// Of these, how many would be refused.
    pub refused: u64,
    /// Whose they were, most calls first.
    pub callers: Vec<CallerLoss>,
    /// The last call that would be refused.
    pub last_at: Option<Timestamp>,
}

/// Judges recorded calls again as if all `changes` were in force. A call is lost when it rested on
/// a changed grant, that grant would no longer cover its operation, and no other grant in force
/// at `now` does, changed ones taken as changed. Whether the identity may act at all is not asked:
/// that is not what the change is about.
pub fn replay<'r>(
    ruleset: &Ruleset,
    changes: &[GrantChange],
    records: impl IntoIterator<Item = &'r CallRecord>,
    now: Timestamp,
) -> Replay {
    let changes: FxHashMap<&GrantId, &OperationSet> =
        changes.iter().map(|change| (&change.grant, &change.remaining)).collect();
    let mut out = Replay::default();
    let mut losses = BTreeMap::new();
    for record in records {
        let rests_on = |change: &GrantId| changes.contains_key(change);
        if !record.outcome.was_let_through() || !record.grant_ids.iter().any(rests_on) {
            continue;
        }
        out.examined += 1;
        let Some(identity) = lost_by(ruleset, &changes, record, now) else { continue };
        out.refused += 1;
        out.last_at = out.last_at.max(Some(record.at));
        let loss: &mut (u64, Timestamp) = losses.entry(identity).or_insert((0, record.at));
        *loss = (loss.0 + 1, loss.1.max(record.at));
    }
    let loss = |(identity, (calls, last_at)): (&IdentityId, _)| CallerLoss {
        identity: identity.clone(),
        calls,
        last_at,
    };
    out.callers = losses.into_iter().map(loss).collect();
    out.callers.sort_by_key(|loss| Reverse(loss.calls));
    out
}

/// Whose call it was, if it would be refused.
fn lost_by<'r>(
    ruleset: &Ruleset,
    changes: &FxHashMap<&GrantId, &OperationSet>,
    record: &'r CallRecord,
    now: Timestamp,
) -> Option<&'r IdentityId> {
    let identity = record.identity_id.as_ref()?;
    let (api, operation) = (record.api_id.as_ref()?, record.operation.as_ref()?);
    let still = |grant: &GrantId, operation: &OperationId| {
        changes.get(grant).is_none_or(|remaining| remaining.contains(operation))
    };
    // A narrowed grant that keeps the operation keeps the call, also when the ruleset has moved
    // on and no longer lists it.
    let kept = |grant: &GrantId| changes.contains_key(grant) && still(grant, operation);
    if record.grant_ids.iter().any(kept) {
        return None;
    }
    let covered = ruleset.subjects.get(identity).is_some_and(|subject| {
        let covering = ruleset.covering(subject, api, operation, now);
        covering.iter().any(|held| still(&held.id, operation))
    });
    (!covered).then_some(identity)
}

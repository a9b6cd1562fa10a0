//! What the gate of this node did while a change was being rolled out: counted where its records
//! pass, in memory of bounded size, until it is added to what the other nodes counted.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use base::{ApiId, IdentityId, OperationId, RequestId, RolloutId, Span, Timestamp};
use grant::rollout::Tally;
use store::{DifferenceKey, RolloutCount};
use traffic::{CallRecord, OpenStream, RolloutMark, RolloutSide};

/// A piece of time that calls are counted by.
const PIECE_MICROS: i64 = 10_000_000;
/// Callers, operations and reasons kept apart of one rollout; what is beyond counts together.
const KEYS_MAX: usize = 10_000;
/// Pieces of time that are remembered: a day, the longest window.
const PIECES_MAX: usize = 8_640;
/// Rollouts counted at a time: one is open, and calls of those before it may still end.
const ROLLOUTS_MAX: usize = 4;

/// Counts of this node.
#[derive(Debug, Default)]
pub struct RolloutTallies(Mutex<BTreeMap<RolloutId, Counted>>);

#[derive(Debug, Default)]
struct Counted {
    /// Not added to the store yet.
    fresh: BTreeMap<i64, RolloutCount>,
    /// All that this process counted, for acting without the store.
    own: BTreeMap<i64, RolloutCount>,
    /// Calls that were not added yet, and the last call; keys stay, so that their number is known.
    differences: HashMap<DifferenceKey, (u64, Timestamp)>,
    /// What was counted while it was open, by the mark that it was counted with, until its record
    /// passes. As many as are open at the gate.
    open: HashMap<RequestId, RolloutMark>,
}

/// What is counted of a call.
struct Call<'a> {
    at: Timestamp,
    identity: Option<&'a IdentityId>,
    api: Option<&'a ApiId>,
    operation: Option<&'a OperationId>,
}

/// What was taken out to be added to the store.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) id: RolloutId,
    pub(super) counts: Vec<(Timestamp, RolloutCount)>,
    pub(super) differences: Vec<(DifferenceKey, u64, Timestamp)>,
}

impl RolloutTallies {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<RolloutId, Counted>> {
        // A count that a panic left half-added is off by one call.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a record. Free of any lock while no rollout is open.
    pub fn count(&self, record: &CallRecord) {
        let Some(mark) = &record.rollout else { return };
        let mut all = self.lock();
        forget(&mut all, &record.request_id, &mark.id);
        let counted = counted(&mut all, &mark.id);
        if counted.open.remove(&record.request_id).as_ref() == Some(mark) {
            return;
        }
        let call = Call {
            // Of what is open for hours, its end is what the change has to do with.
            at: record.at + Span::from_micros(i64::try_from(record.duration_us).unwrap_or(0)),
            identity: record.identity_id.as_ref(),
            api: record.api_id.as_ref(),
            operation: record.operation.as_ref(),
        };
        counted.count(&call, mark);
    }

    /// Counts what is open and was judged by both sides at `now`: its record may be hours away. It
    /// counts again when it is judged otherwise later, as a further step of the rollout may.
    pub fn count_open(&self, open: &OpenStream, mark: &RolloutMark, now: Timestamp) {
        let mut all = self.lock();
        forget(&mut all, &open.request_id, &mark.id);
        let counted = counted(&mut all, &mark.id);
        let call = Call {
            at: now,
            identity: Some(&open.identity_id),
            api: Some(&open.api_id),
            operation: open.operation.as_ref(),
        };
        counted.count(&call, mark);
        counted.open.insert(open.request_id.clone(), mark.clone());
    }

    /// Takes out what the store does not have.
    pub(super) fn take(&self) -> Vec<Taken> {
        let take = |(id, counted): (&RolloutId, &mut Counted)| {
            let fresh = std::mem::take(&mut counted.fresh);
            let counts: Vec<_> =
                fresh.into_iter().map(|(at, one)| (Timestamp::from_micros(at), one)).collect();
            let differences = counted.differences.iter_mut().filter(|(_, (calls, _))| *calls > 0);
            let differences = differences
                .map(|(key, (calls, at))| (key.clone(), std::mem::take(calls), *at))
                .collect();
            (!counts.is_empty()).then(|| Taken { id: id.clone(), counts, differences })
        };
        self.lock().iter_mut().filter_map(take).collect()
    }

    /// Puts back what the store did not take.
    pub(super) fn put_back(&self, taken: Vec<Taken>) {
        let mut all = self.lock();
        for Taken { id, counts, differences } in taken {
            let counted = all.entry(id).or_default();
            for (at, one) in counts {
                plus(counted.fresh.entry(at.as_micros()).or_default(), one);
            }
            for (key, calls, _) in differences {
                if let Some((kept, _)) = counted.differences.get_mut(&key) {
                    *kept += calls;
                }
            }
        }
    }

    /// What this node alone counted since.
    pub(super) fn own(&self, id: &RolloutId, since: Timestamp) -> Tally {
        let all = self.lock();
        let own = all.get(id).map(|counted| &counted.own);
        let pieces = own.into_iter().flat_map(|own| own.range(since.as_micros()..));
        pieces.fold(Tally::default(), |sum, (_, one)| Tally {
            governed: sum.governed + one.governed,
            refused: sum.refused + one.refused,
        })
    }
}

/// What is open is counted for one rollout at a time: for another it does not come back.
fn forget(all: &mut BTreeMap<RolloutId, Counted>, request: &RequestId, but: &RolloutId) {
    let others = all.iter_mut().filter(|(id, _)| *id != but);
    others.for_each(|(_, counted)| drop(counted.open.remove(request)));
}

fn counted<'a>(all: &'a mut BTreeMap<RolloutId, Counted>, id: &RolloutId) -> &'a mut Counted {
    if !all.contains_key(id) && all.len() >= ROLLOUTS_MAX {
        // Ids sort by age.
        all.pop_first();
    }
    all.entry(id.clone()).or_default()
}

impl Counted {
    fn count(&mut self, call: &Call<'_>, mark: &RolloutMark) {
        let one = RolloutCount {
            judged: 1,
            governed: u64::from(mark.governed_by == RolloutSide::Candidate),
            refused: u64::from(mark.is_refused_by_change()),
        };
        let piece = call.at.as_micros().div_euclid(PIECE_MICROS) * PIECE_MICROS;
        self.add(piece, one);
        let Some(difference) = mark.difference else { return };
        let mut key = DifferenceKey {
            identity: call.identity.cloned(),
            api: call.api.cloned(),
            operation: call.operation.cloned(),
            governed_by: mark.governed_by,
            difference,
            reason: mark.reason,
        };
        if self.differences.len() >= KEYS_MAX && !self.differences.contains_key(&key) {
            key = DifferenceKey { identity: None, api: None, operation: None, ..key };
        }
        let (calls, last_at) = self.differences.entry(key).or_insert((0, call.at));
        *calls += 1;
        *last_at = (*last_at).max(call.at);
    }

    fn add(&mut self, piece: i64, one: RolloutCount) {
        plus(self.fresh.entry(piece).or_default(), one);
        plus(self.own.entry(piece).or_default(), one);
        if self.own.len() > PIECES_MAX {
            self.own.pop_first();
        }
    }
}

fn plus(sum: &mut RolloutCount, one: RolloutCount) {
    sum.judged += one.judged;
    sum.governed += one.governed;
    sum.refused += one.refused;
}

/// The start of the piece of time that a window begins in.
pub(super) fn piece_of(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(at.as_micros().div_euclid(PIECE_MICROS) * PIECE_MICROS)
}

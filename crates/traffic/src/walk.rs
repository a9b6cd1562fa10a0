//! Walks through objects: a caller that reads its way through objects outside its usual range, as
//! somebody does who tries out ids. Found while records are folded, in bounded memory.
//!
//! An object is *fresh* for a caller and an operation when it was not asked for in the last month. A
//! walk is an hour with many more fresh objects of one operation than any hour of the month before,
//! while the caller's other operations stay as they are: where all of them rise it is a burst, and
//! where the objects are the same every night it is a job. Where the caller hardly used the operation
//! before, there is no usual range, and misses have to speak: ids that do not exist, or that the gate
//! refused. A caller that is new has no usual range at all: misses have to be half of what it asks
//! for, or nearly all ids in order.
//!
//! It decides nothing, and knows only what it was fed since it was made.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use base::{ApiId, CredentialId, Digest, IdentityId, OperationId, Span, Timestamp};

use crate::{CallRecord, Reason};

mod window;

use window::Window;

/// What a walk is called among signals.
pub const KIND: &str = "object-id-enumeration";

/// How long a caller has to be known before anything of it is unusual.
pub const LEARNING: Span = Span::from_days(14);
/// How far back the usual range reaches, and how long an object is remembered at least.
pub const MEMORY: Span = Span::from_days(28);

/// Fresh objects within an hour that are a walk at the least.
const FRESH_MIN: u32 = 25;
/// How many times the usual range a walk is.
const BEYOND_USUAL: u32 = 4;
/// How much of what is fresh for the caller is of the one operation, in percent.
const CONCENTRATED: u32 = 70;
/// Days of the month on which an operation is used that make a usual range.
const HABIT_DAYS: usize = 5;
/// Misses that speak for themselves, and their share of what is fresh, in percent.
const MISSES_MIN: u32 = 5;
const MISSES_SHARE: u32 = 10;
/// Of a caller that is not known yet: misses that are a walk on their own, and, where others are
/// known, ids in order; their share of what is fresh, in percent. The first copy of everything that
/// is there has no misses, and may be told as a walk in order: somebody should know of it.
const NEW_MISSES_SHARE: u32 = 50;
const NEW_ORDER_MIN: u32 = 50;
const NEW_ORDER_SHARE: u32 = 80;
/// A walk that rests for so long is over.
const REST: Span = Span::from_secs(3_600);

/// Callers that are remembered, operations of one, and objects of one of these, young and old.
const CALLERS_MAX: usize = 50_000;
const OPERATIONS_MAX: usize = 256;
const OBJECTS_MAX: usize = 4_096;
/// Objects that are remembered altogether, some 16 bytes each.
const OBJECTS_TOTAL_MAX: usize = 4_000_000;

/// One walk, as far as it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walk {
    /// Who walks.
    pub identity: IdentityId,
    /// With what, at the time that it was noticed.
    pub credential: CredentialId,
    /// Through objects of which API.
    pub api: ApiId,
    /// By which operation.
    pub operation: OperationId,
    /// The first and the last object.
    pub start: Timestamp,
    /// See `start`.
    pub end: Timestamp,
    /// The call by which it was noticed.
    pub detected_at: Timestamp,
    /// Fresh objects so far.
    pub objects: u64,
    /// Of these, how many were not there, or were refused.
    pub misses: u64,
    /// Of these, how many had the id that follows the one before.
    pub in_order: u64,
    /// The most fresh objects in an hour of the month before.
    pub usual: u64,
}

/// What is known of callers.
#[derive(Debug, Default)]
pub struct Walks {
    callers: HashMap<IdentityId, Caller>,
    /// The first record: before it, nobody could be known.
    since: Option<Timestamp>,
    remembered: usize,
    /// Walks that were noticed or went on since they were last taken.
    changed: BTreeMap<(IdentityId, ApiId, OperationId, Timestamp), Walk>,
}

#[derive(Debug)]
struct Caller {
    since: Timestamp,
    last_at: Timestamp,
    /// What is fresh of any operation.
    window: Window,
    operations: HashMap<(ApiId, OperationId), Habit>,
}

/// What is known of one operation of a caller.
#[derive(Debug, Default)]
struct Habit {
    /// Digests of paths; an object moves from the old ones to the young ones when it is asked for.
    young: HashSet<u64>,
    old: HashSet<u64>,
    turned_at: Option<Timestamp>,
    window: Window,
    /// Days with calls, each with its busiest hour.
    days: VecDeque<(i64, u32)>,
    last_number: Option<u64>,
    walk: Option<Walk>,
}

impl Walks {
    /// Takes one record, in the order of commits. Counted are calls of known callers to operations
    /// that were let through, or refused for their object.
    pub fn add(&mut self, record: &CallRecord) {
        let refused_object =
            matches!(record.reason, Some(Reason::ObjectNotAllowed | Reason::RelationUnknown));
        let (Some(identity), Some(credential)) = (&record.identity_id, &record.credential_id)
        else {
            return;
        };
        let (Some(api), Some(operation)) = (&record.api_id, &record.operation) else { return };
        if !record.outcome.was_let_through() && !refused_object {
            return;
        }
        if self.callers.len() >= CALLERS_MAX && !self.callers.contains_key(identity) {
            self.forget_callers();
        }
        let at = record.at;
        let watched_since = *self.since.get_or_insert(at);
        let fresh = || Caller {
            since: at,
            last_at: at,
            window: Window::default(),
            operations: HashMap::new(),
        };
        let caller = self.callers.entry(identity.clone()).or_insert_with(fresh);
        caller.last_at = caller.last_at.max(at);
        let key = (api.clone(), operation.clone());
        if caller.operations.len() >= OPERATIONS_MAX && !caller.operations.contains_key(&key) {
            return;
        }
        let Caller { since, window: all, operations, .. } = caller;
        let habit = operations.entry(key).or_default();
        let before = habit.remembered();
        let seen = Seen { at, path: &record.path, missed: is_miss(record.status, refused_object) };
        if habit.see(&seen, all) {
            let known = Acquaintance::of(at, *since, watched_since);
            if let Some(usual) = habit.walks_at(at, all, known) {
                habit.walk = Some(Walk {
                    identity: identity.clone(),
                    credential: credential.clone(),
                    api: api.clone(),
                    operation: operation.clone(),
                    start: habit.window.first_at(at).unwrap_or(at),
                    end: at,
                    detected_at: at,
                    objects: habit.window.fresh(at).into(),
                    misses: habit.window.misses(at).into(),
                    in_order: habit.window.in_order(at).into(),
                    usual: usual.into(),
                });
                habit.hold_usual(at, usual);
            }
            if let Some(walk) = &habit.walk {
                let key = (identity.clone(), api.clone(), operation.clone(), walk.start);
                self.changed.insert(key, walk.clone());
            }
        }
        let after = habit.remembered();
        self.remembered = (self.remembered + after).saturating_sub(before);
        if self.remembered > OBJECTS_TOTAL_MAX {
            self.forget_objects();
        }
    }

    /// Hands over the walks that were noticed or went on since the last time.
    pub fn take(&mut self) -> Vec<Walk> {
        std::mem::take(&mut self.changed).into_values().collect()
    }

    /// The half of the callers that were silent longest. What is new has to be learned again.
    fn forget_callers(&mut self) {
        let mut moments: Vec<Timestamp> = self.callers.values().map(|one| one.last_at).collect();
        moments.sort_unstable();
        let middle = moments.get(moments.len() / 2).copied().unwrap_or(Timestamp::MIN);
        self.callers.retain(|_, caller| caller.last_at > middle);
        self.count();
    }

    /// What was not asked for lately. It is fresh when it comes again, so usual ranges grow.
    fn forget_objects(&mut self) {
        let habits = self.callers.values_mut().flat_map(|caller| caller.operations.values_mut());
        habits.for_each(|habit| habit.old = std::mem::take(&mut habit.young));
        self.count();
        if self.remembered > OBJECTS_TOTAL_MAX / 2 {
            self.forget_callers();
        }
    }

    fn count(&mut self) {
        let habits = self.callers.values().flat_map(|caller| caller.operations.values());
        self.remembered = habits.map(Habit::remembered).sum();
    }
}

/// How well a caller is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Acquaintance {
    /// Long enough to have a usual range.
    Known,
    /// Not long, while others are.
    New,
    /// Nobody is: a job that runs every night is as new as somebody who tries out ids.
    Nobody,
}

impl Acquaintance {
    fn of(at: Timestamp, since: Timestamp, watched_since: Timestamp) -> Self {
        match (at.since(since) >= LEARNING, at.since(watched_since) >= LEARNING) {
            (true, _) => Self::Known,
            (false, true) => Self::New,
            (false, false) => Self::Nobody,
        }
    }
}

/// Not there, or refused for what it is.
fn is_miss(status: u16, refused_object: bool) -> bool {
    refused_object || matches!(status, 404 | 410)
}

/// One call.
struct Seen<'r> {
    at: Timestamp,
    path: &'r str,
    missed: bool,
}

impl Habit {
    fn remembered(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// Takes a call in. True when its object is fresh.
    fn see(&mut self, seen: &Seen<'_>, all: &mut Window) -> bool {
        let Seen { at, path, missed } = *seen;
        self.turn(at);
        self.day(at);
        let object = object(path);
        let was_old = self.old.remove(&object);
        if !self.young.insert(object) || was_old {
            return false;
        }
        let number = number(path);
        let in_order =
            number.is_some() && self.last_number.and_then(|n| n.checked_add(1)) == number;
        self.last_number = number;
        self.window.add(at, missed, in_order);
        all.add(at, missed, in_order);
        match &mut self.walk {
            Some(walk) if at.since(walk.end) <= REST => {
                walk.end = walk.end.max(at);
                walk.objects += 1;
                walk.misses += u64::from(missed);
                walk.in_order += u64::from(in_order);
            }
            _ => {
                self.walk = None;
                let busy = self.window.fresh(at);
                if let Some((_, most)) = self.days.back_mut() {
                    *most = (*most).max(busy);
                }
            }
        }
        true
    }

    /// What is old is forgotten: a month after it was last young, or where there is too much.
    fn turn(&mut self, at: Timestamp) {
        let turned_at = *self.turned_at.get_or_insert(at);
        if self.young.len() >= OBJECTS_MAX / 2 || at.since(turned_at) >= MEMORY {
            self.old = std::mem::take(&mut self.young);
            self.turned_at = Some(at);
        }
    }

    fn day(&mut self, at: Timestamp) {
        if self.days.back().is_none_or(|(day, _)| *day < at.day()) {
            self.days.push_back((at.day(), 0));
        }
        let first = (at - MEMORY).day();
        while self.days.front().is_some_and(|(day, _)| *day < first) {
            self.days.pop_front();
        }
    }

    /// Whether a walk begins with a fresh object: the usual range, if so.
    fn walks_at(&self, at: Timestamp, all: &Window, caller: Acquaintance) -> Option<u32> {
        if self.walk.is_some() {
            return None;
        }
        let before = self.days.iter().filter(|(day, _)| *day < at.day());
        let (days, usual) =
            before.fold((0, 0), |(days, most), (_, busy)| (days + 1, most.max(*busy)));
        let (fresh, misses) = (self.window.fresh(at), self.window.misses(at));
        let beyond = fresh >= FRESH_MIN.max(BEYOND_USUAL.saturating_mul(usual.saturating_add(1)));
        let alone = share(fresh, all.fresh(at), CONCENTRATED);
        let tries = match caller {
            Acquaintance::Known => {
                let missing = misses >= MISSES_MIN && share(misses, fresh, MISSES_SHARE);
                days >= HABIT_DAYS || missing
            }
            Acquaintance::New => {
                let in_order = self.window.in_order(at);
                let ordered = fresh >= NEW_ORDER_MIN && share(in_order, fresh, NEW_ORDER_SHARE);
                ordered || share(misses, fresh, NEW_MISSES_SHARE)
            }
            Acquaintance::Nobody => share(misses, fresh, NEW_MISSES_SHARE),
        };
        (beyond && alone && tries).then_some(usual)
    }

    /// What led up to a walk is not usual.
    fn hold_usual(&mut self, at: Timestamp, usual: u32) {
        let of_today = self.days.back_mut().filter(|(day, _)| *day == at.day());
        if let Some((_, busy)) = of_today {
            *busy = (*busy).min(usual);
        }
    }
}

/// Whether a part is at least so many percent of the whole.
const fn share(part: u32, whole: u32, percent: u32) -> bool {
    part.saturating_mul(100) >= whole.saturating_mul(percent)
}

/// An object by its path, which is canonical. Without its trailing slash, which says nothing.
fn object(path: &str) -> u64 {
    let digest = Digest::of(&[path.trim_end_matches('/').as_bytes()]);
    let Digest(bytes) = digest;
    let bytes = bytes.iter().take(8);
    bytes.fold(0, |all, byte| all << 8 | u64::from(*byte))
}

/// The number that an id ends with or is: of the last segment that has one.
fn number(path: &str) -> Option<u64> {
    let digit = |c: char| c.is_ascii_digit();
    let segment = path.rsplit('/').find(|segment| segment.contains(digit))?;
    let trimmed = segment.trim_end_matches(|c: char| !c.is_ascii_digit());
    let digits = trimmed.rsplit(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests;

//! One request against its limits.

use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::{Arc, MutexGuard};

use base::{GrantId, Span, Timestamp};
use catalog::{Api, Impact, Operation};
use smallvec::SmallVec;
use traffic::Limit;
use traffic::limit::{
    Caller, Fullness, KeyRef, LIMITS_MAX, Measure, Meter, Scope, Standing, Terms,
};
use traffic::{Reason, shed};

use super::held::Slots;
use super::shard::Shard;
use super::{Held, Limiter, REST, SHARDS};

/// A request, as limits see it.
#[derive(Debug, Clone, Copy)]
pub struct Request<'r> {
    /// What it is for.
    pub api: &'r Api,
    /// Which operation; `None` where an observed call has none.
    pub operation: Option<&'r Operation>,
    /// Who calls.
    pub identity: &'r str,
    /// With what.
    pub credential: &'r str,
    /// The grants that let it pass, each of them alone. Empty where it is observed without one.
    pub grants: &'r [GrantId],
    /// From where.
    pub source: IpAddr,
}

/// A request within its limits.
#[derive(Debug)]
pub struct Admission {
    /// The limit that is nearest to its end.
    pub standing: Option<Standing>,
    /// What is given back when the request ends.
    pub held: Held,
}

/// A request that is one too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exceeded {
    /// Why it is refused.
    pub reason: Reason,
    /// How long to wait.
    pub wait: Span,
    /// The limit that it is beyond, and how that stands; `None` when it is the gate's own bound.
    pub limit: Option<(Limit, Standing)>,
}

/// One limit of a request, with the place of its meter.
struct Line<'r> {
    limit: Limit,
    key: KeyRef<'r>,
    hash: u64,
    shard: usize,
    slot: u32,
}

type Lines<'r> = SmallVec<[Line<'r>; LIMITS_MAX]>;
/// Shards, locked in the order of their numbers: two requests never wait for each other's.
type Locked<'l> = SmallVec<[(usize, MutexGuard<'l, Shard>); LIMITS_MAX]>;

impl Limiter {
    /// Takes a request, if the gate can bear it and it is within its limits. `delay` is how late
    /// the worker gets to what is due.
    pub fn admit(
        self: &Arc<Self>,
        request: &Request<'_>,
        delay: Span,
        now: Timestamp,
    ) -> Result<Admission, Exceeded> {
        let caller = self.hasher.hash_one(request.identity);
        let ticket = self.take(class_of(request), caller, delay).map_err(|wait| {
            let reason = Reason::Overloaded;
            Exceeded { reason, wait, limit: None }
        })?;
        if request.api.limits.is_empty() {
            let held = Held::new(SmallVec::new(), ticket);
            return Ok(Admission { standing: None, held });
        }
        match self.within_limits(request, now) {
            Ok(Taken { strictest, slots }) => {
                Ok(Admission { standing: strictest, held: Held::new(slots, ticket) })
            }
            Err(exceeded) => {
                self.count_refused(request, &exceeded);
                Err(exceeded)
            }
        }
    }

    /// Each grant alone lets the request pass, so one whose own limit is reached leaves it to the
    /// next.
    fn within_limits(&self, request: &Request<'_>, now: Timestamp) -> Result<Taken, Exceeded> {
        let mut grants = request.grants.iter();
        let mut grant = grants.next();
        loop {
            let exceeded = match self.try_by(request, grant, now) {
                Ok(taken) => return Ok(taken),
                Err(exceeded) => exceeded,
            };
            let of_grant = exceeded.limit.filter(|(limit, _)| limit.scope() == Scope::Grant);
            match (of_grant, grants.next()) {
                (Some(_), next @ Some(_)) => grant = next,
                _ => return Err(exceeded),
            }
        }
    }

    fn count_refused(&self, request: &Request<'_>, exceeded: &Exceeded) {
        let Some((limit, _)) = exceeded.limit else { return };
        let api = request.api.id.as_str();
        let number = usize::try_from(self.hasher.hash_one(api) % SHARDS as u64).unwrap_or(0);
        if let Some(mut shard) = self.shard(number) {
            shard.count_refused(api, limit.name());
        }
    }

    fn try_by(
        &self,
        request: &Request<'_>,
        grant: Option<&GrantId>,
        now: Timestamp,
    ) -> Result<Taken, Exceeded> {
        let attempt = Attempt { cost: cost_of(request), terms: self.terms(), now };
        let mut lines = self.lines(request, grant);
        let mut locked = self.lock_all(&mut lines, &attempt);
        let Some((index, exceeded)) = attempt.check(&lines, &mut locked) else {
            return Ok(self.take_all(&lines, &mut locked, &attempt));
        };
        if let Some(line) = lines.get(index)
            && let Some(shard) = shard_of(&mut locked, line.shard)
        {
            attempt.refuse(shard, line);
            self.list(shard, line, &attempt, true);
        }
        Err(exceeded)
    }

    fn lines<'r>(&self, request: &Request<'r>, grant: Option<&'r GrantId>) -> Lines<'r> {
        let caller = Caller {
            identity: request.identity,
            credential: request.credential,
            grant: grant.map(GrantId::as_str),
            operation: request.operation.map(|operation| operation.id.as_str()),
            source: request.source,
        };
        let line = |limit: &Limit| {
            let key = KeyRef::of(*limit, &request.api.id, &caller);
            let (hash, shard) = self.place(&key);
            Line { limit: *limit, key, hash, shard, slot: 0 }
        };
        request.api.limits.iter().map(line).collect()
    }

    /// Locks the shards of all lines and finds their meters.
    fn lock_all(&self, lines: &mut Lines<'_>, attempt: &Attempt) -> Locked<'_> {
        let mut numbers: SmallVec<[usize; LIMITS_MAX]> =
            lines.iter().map(|line| line.shard).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let mut locked: Locked<'_> =
            numbers.iter().filter_map(|number| Some((*number, self.shard(*number)?))).collect();
        for line in lines {
            if attempt.find(line, &mut locked) {
                continue;
            }
            // No room: it counts with all others that found none.
            line.key = line.key.rest();
            (line.hash, line.shard) = self.place(&line.key);
            if shard_of(&mut locked, REST).is_none() {
                locked.extend(self.shard(REST).map(|shard| (REST, shard)));
            }
            attempt.find(line, &mut locked);
        }
        locked
    }

    /// Uses all of them.
    fn take_all(&self, lines: &Lines<'_>, locked: &mut Locked<'_>, attempt: &Attempt) -> Taken {
        let (mut strictest, mut slots) = (None::<(Fullness, &Line<'_>)>, SmallVec::new());
        for line in lines {
            let Some(shard) = shard_of(locked, line.shard) else { continue };
            let Some(entry) = shard.entry_mut(line.slot) else { continue };
            entry.meter.take(line.limit, attempt.cost, attempt.now);
            let left = entry.meter.fullness(line.limit, attempt.now);
            if strictest.is_none_or(|(least, _)| left.is_less_than(least)) {
                strictest = Some((left, line));
            }
            if matches!(line.limit.measure(), Measure::Concurrent { .. }) {
                slots.push((line.shard, line.slot));
            }
            self.list(shard, line, attempt, false);
        }
        let strictest = strictest.and_then(|(_, line)| {
            let entry = shard_of(locked, line.shard)?.entry(line.slot)?;
            Some(entry.meter.standing(line.limit, attempt.now))
        });
        Taken { strictest, slots }
    }

    /// Puts a key on the list of the next round, if that has to hear of it.
    fn list(&self, shard: &mut Shard, line: &Line<'_>, attempt: &Attempt, pressed: bool) {
        let Some(entry) = shard.entry_mut(line.slot) else { return };
        if entry.meter.joins_round(line.limit, attempt.terms, pressed) {
            let is_urgent = pressed || entry.meter.is_unsaid();
            shard.listed.push(line.slot);
            if is_urgent {
                self.wake.notify_one();
            }
        }
    }
}

/// What a request used.
struct Taken {
    strictest: Option<Standing>,
    slots: Slots,
}

/// What does not change from one limit to the next.
struct Attempt {
    cost: u32,
    terms: Terms,
    now: Timestamp,
}

impl Attempt {
    /// Finds the meter of a line in its shard; false when there is no room for one.
    fn find(&self, line: &mut Line<'_>, locked: &mut Locked<'_>) -> bool {
        let Some(shard) = shard_of(locked, line.shard) else { return false };
        let found = shard.find_or_make(line.hash, &line.key, line.limit, self.terms, self.now);
        line.slot = found.unwrap_or(u32::MAX);
        found.is_some()
    }

    /// Looks at all limits; the one that has to be waited for the longest, if any.
    fn check(&self, lines: &Lines<'_>, locked: &mut Locked<'_>) -> Option<(usize, Exceeded)> {
        let mut longest: Option<(usize, Exceeded)> = None;
        for (index, line) in lines.iter().enumerate() {
            let Err(exceeded) = self.check_one(line, shard_of(locked, line.shard)) else {
                continue;
            };
            if longest.as_ref().is_none_or(|(_, other)| other.wait < exceeded.wait) {
                longest = Some((index, exceeded));
            }
        }
        longest
    }

    fn check_one(&self, line: &Line<'_>, shard: Option<&mut Shard>) -> Result<(), Exceeded> {
        let limit = line.limit;
        let exceeded = |wait, standing: Standing| Exceeded {
            reason: reason_of(limit),
            wait,
            limit: Some((limit, standing.used_up(wait))),
        };
        let Some(entry) = shard.and_then(|shard| shard.entry_mut(line.slot)) else {
            // Without a meter nothing is known of what was used, so nothing passes.
            let meter = Meter::new(limit, self.terms, self.now);
            return Err(exceeded(Span::from_secs(1), meter.standing(limit, self.now)));
        };
        let checked = entry.meter.check(limit, self.cost, self.terms, self.now);
        checked.map_err(|wait| exceeded(wait, entry.meter.standing(limit, self.now)))
    }

    fn refuse(&self, shard: &mut Shard, line: &Line<'_>) {
        if let Some(entry) = shard.entry_mut(line.slot) {
            entry.meter.refuse(self.cost, self.now);
        }
    }
}

fn shard_of<'s>(locked: &'s mut Locked<'_>, number: usize) -> Option<&'s mut Shard> {
    let found = locked.iter_mut().find(|(known, _)| *known == number);
    found.map(|(_, shard)| &mut **shard)
}

fn reason_of(limit: Limit) -> Reason {
    match limit.measure() {
        Measure::Rate { .. } => Reason::RateLimited,
        Measure::Quota { .. } => Reason::QuotaExceeded,
        Measure::Concurrent { .. } => Reason::ConcurrencyLimited,
    }
}

fn cost_of(request: &Request<'_>) -> u32 {
    request.operation.map_or(1, |operation| request.api.cost_of(operation))
}

fn class_of(request: &Request<'_>) -> shed::Class {
    match request.operation.map_or(request.api.impact, |operation| operation.impact) {
        Impact::Low => shed::Class::Low,
        Impact::Medium => shed::Class::Medium,
        Impact::High => shed::Class::High,
    }
}

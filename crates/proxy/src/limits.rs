//! What permitted requests are held against: the limits of their API and of their grants, and what
//! the gate can bear. What is counted, and how nodes divide it, is [`traffic::limit`]'s; who is
//! refused under overload [`traffic::shed`]'s. Here are the keys, in memory, and the locks.
//!
//! - **All or nothing.** A request that fails one limit uses nothing of the others: all are looked
//!   at under their locks before any is used.
//! - **Bounded.** Keys are spread over shards with a fixed room each. Keys that could as well be
//!   forgotten make room; where there are none, what has no key yet is counted together, under one
//!   key per limit, as if one caller had sent it. So a flood of new keys (sources, say) admits no
//!   more than one caller could send, costs no more memory, and makes nobody's use forgotten.
//! - **No store.** Rounds of the fleet read and write the meters from outside.

mod admit;
mod held;
mod load;
mod round;
mod shard;

use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use base::Timestamp;
use hashbrown::DefaultHashBuilder;
use tokio::sync::Notify;
use traffic::limit::{Fleet, KeyRef, Name, Terms};
use traffic::rate::Share;

use crate::config::Limits;

pub use admit::{Admission, Exceeded, Request};
pub use held::Held;
use load::Gauge;
use round::Rounds;
use shard::Shard;

/// A power of two: a key's shard is some bits of its hash.
const SHARDS: usize = 64;
/// Holds what found no room elsewhere; locked after all others.
const REST: usize = SHARDS;

/// The limits of a gate: what was used of them, and how they are divided with other nodes.
pub struct Limiter {
    shards: Vec<Mutex<Shard>>,
    hasher: DefaultHashBuilder,
    gauge: Gauge,
    /// The parts of [`Terms`], read by every request and written by rounds.
    split: AtomicU32,
    since: AtomicI64,
    fleet: AtomicU8,
    rounds: Mutex<Rounds>,
    wake: Notify,
}

impl Limiter {
    /// Limits of a gate that shares them with nobody. See [`Limiter::join`].
    pub fn new(limits: &Limits) -> Self {
        let room = (limits.limited_keys / SHARDS).max(1);
        let shards =
            (0..=REST).map(|number| Shard::new(if number == REST { usize::MAX } else { room }));
        let limiter = Self {
            shards: shards.map(Mutex::new).collect(),
            hasher: DefaultHashBuilder::default(),
            gauge: Gauge::new(limits.in_flight, limits.delay),
            split: AtomicU32::new(0),
            since: AtomicI64::new(0),
            fleet: AtomicU8::new(0),
            rounds: Mutex::default(),
            wake: Notify::new(),
        };
        limiter.set_terms(Terms::ALONE);
        limiter
    }

    pub(crate) fn gauge(&self) -> &Gauge {
        &self.gauge
    }

    /// How many requests were refused by each limit since the start, by the id of the API.
    pub fn refused(&self) -> BTreeMap<(String, Name), u64> {
        let mut sum = BTreeMap::new();
        for shard in &self.shards {
            for (api, name, count) in lock(shard).refused() {
                *sum.entry((api.to_owned(), name)).or_default() += count;
            }
        }
        sum
    }

    /// How many keys are kept.
    pub fn keys(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    /// Requests in flight.
    pub fn in_flight(&self) -> u64 {
        self.gauge.in_flight()
    }

    /// The terms on which this node admits.
    pub fn terms(&self) -> Terms {
        let fleet = match self.fleet.load(Ordering::Relaxed) {
            0 => Fleet::Alone,
            1 => Fleet::Joined,
            _ => Fleet::CutOff,
        };
        Terms {
            split: Share::from_millionths(self.split.load(Ordering::Relaxed).into()),
            since: Timestamp::from_micros(self.since.load(Ordering::Relaxed)),
            fleet,
        }
    }

    /// Three stores, not one: a request between them sees a part of everything that is not in force
    /// any more, or not yet, which is what a request a moment before or after would see.
    fn set_terms(&self, terms: Terms) {
        let split = u32::try_from(terms.split.millionths()).unwrap_or(u32::MAX);
        self.split.store(split, Ordering::Relaxed);
        self.since.store(terms.since.as_micros(), Ordering::Relaxed);
        let fleet = match terms.fleet {
            Fleet::Alone => 0,
            Fleet::Joined => 1,
            Fleet::CutOff => 2,
        };
        self.fleet.store(fleet, Ordering::Relaxed);
    }

    /// The hash of a key, and the number of its shard.
    fn place(&self, key: &KeyRef<'_>) -> (u64, usize) {
        let hash = self.hasher.hash_one(key);
        if key.is_rest() {
            return (hash, REST);
        }
        // Other bits than the table uses, which takes the lowest and the highest seven.
        let shard = usize::try_from((hash >> 40) % SHARDS as u64).unwrap_or(0);
        (hash, shard)
    }

    fn shard(&self, number: usize) -> Option<MutexGuard<'_, Shard>> {
        self.shards.get(number).map(lock)
    }
}

impl std::fmt::Debug for Limiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limiter").field("terms", &self.terms()).finish_non_exhaustive()
    }
}

/// Meters are whole after every statement that changes them, so a panic elsewhere while a shard
/// was held leaves nothing to repair.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;

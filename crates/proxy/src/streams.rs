//! What is open at the gate: every forwarded request that is not over, by who calls, with what and
//! because of what. When a ruleset is published, those that it may have taken the permission of are
//! judged at once, so that a revocation knows how many it ended.
//!
//! A request costs one allocation and two locks of a shard that only its own worker takes, but for
//! the moments of a publication or a listing. The registry is as large as what is open, and that
//! is bounded by the limits on connections and on their streams. It decides nothing: the ruleset
//! does. Who is cut ends by itself; what does not end by itself is not ended from here.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use base::Timestamp;
use policy::{Ruleset, Touch};
use traffic::{OpenStream, Reason, RolloutMark};

mod cut;
mod entry;
mod suspects;

pub use cut::Cut;
pub(crate) use entry::{Entry, Facts};

use suspects::Suspects;

/// What is open at one gate.
#[derive(Debug, Default)]
pub struct Streams {
    /// One for each worker.
    shards: Mutex<Vec<Weak<Shard>>>,
}

/// Is told what a rollout has to do with an open request.
pub type Noted<'n> = dyn FnMut(&OpenStream, &RolloutMark) + 'n;

/// What is open at one worker.
#[derive(Debug, Default)]
pub(crate) struct Shard(Mutex<Slots>);

#[derive(Debug, Default)]
struct Slots {
    entries: Vec<Option<Arc<Entry>>>,
    /// Places that are free again.
    free: Vec<usize>,
}

/// Entries looked at under one lock. Requests of the same worker wait for no more than that.
const SCANNED_AT_ONCE: usize = 256;

impl Streams {
    /// The shard of a new worker.
    pub(crate) fn shard(&self) -> Arc<Shard> {
        let shard = Arc::new(Shard::default());
        let mut shards = lock(&self.shards);
        shards.retain(|shard| shard.strong_count() > 0);
        shards.push(Arc::downgrade(&shard));
        shard
    }

    /// How many requests are open.
    pub fn count(&self) -> usize {
        self.shards().iter().map(|shard| shard.slots().count()).sum()
    }

    /// The open requests that `keep` keeps, the oldest first, at most `limit` of them.
    pub fn list(&self, limit: usize, keep: &dyn Fn(&OpenStream) -> bool) -> Vec<OpenStream> {
        let mut found = Vec::new();
        self.each(&mut |entry| found.extend(Some(entry.describe()).filter(|open| keep(open))));
        found.sort_by(|a, b| (a.since, &a.request_id).cmp(&(b.since, &b.request_id)));
        found.truncate(limit);
        found
    }

    /// Judges by `ruleset`, which is published already, what is open and touched by one of these
    /// changes, each with its sequence number. What has lost its permission is told to end. `noted`
    /// is told of what a rollout turns, before that ends.
    pub fn judge(
        &self,
        ruleset: &Ruleset,
        touched: &[(u64, Touch)],
        now: Timestamp,
        noted: &mut Noted<'_>,
    ) -> Cut {
        let mut cut = Cut::default();
        if touched.is_empty() {
            return cut;
        }
        let suspects = Suspects::of(touched);
        self.each(&mut |entry| {
            let Some(change) = suspects.cause(entry) else { return };
            let (confirmed, mark) = entry.judge(ruleset, now);
            entry.mark(mark, noted);
            if let Err(reason) = confirmed {
                cut.tell(entry, change, reason);
            }
        });
        cut
    }

    /// Says of everything that is open why it would have to end, were this ruleset published; `None`
    /// where it need not.
    pub fn suppose(
        &self,
        ruleset: &Ruleset,
        now: Timestamp,
        said: &mut dyn FnMut(&OpenStream, Option<Reason>),
    ) {
        self.each(&mut |entry| said(&entry.describe(), entry.judge(ruleset, now).0.err()));
    }

    fn shards(&self) -> Vec<Arc<Shard>> {
        lock(&self.shards).iter().filter_map(Weak::upgrade).collect()
    }

    /// Visits what is open. Nothing is locked meanwhile: a visitor may end what it visits.
    fn each(&self, visit: &mut dyn FnMut(&Arc<Entry>)) {
        for shard in self.shards() {
            let mut start = 0;
            loop {
                let (some, more) = shard.slots().some(start);
                some.iter().for_each(&mut *visit);
                if !more {
                    break;
                }
                start += SCANNED_AT_ONCE;
            }
        }
    }
}

impl Shard {
    fn slots(&self) -> MutexGuard<'_, Slots> {
        lock(&self.0)
    }

    /// Registers a request for as long as the registration lives.
    pub(crate) fn register(self: &Arc<Self>, entry: &Arc<Entry>) -> Registration {
        let place = self.slots().put(Arc::clone(entry));
        Registration { shard: Arc::clone(self), place, entry: Arc::clone(entry) }
    }
}

impl Slots {
    fn put(&mut self, entry: Arc<Entry>) -> usize {
        if let Some(place) = self.free.pop()
            && let Some(slot) = self.entries.get_mut(place)
        {
            *slot = Some(entry);
            return place;
        }
        self.entries.push(Some(entry));
        self.entries.len() - 1
    }

    fn take(&mut self, place: usize) {
        if self.entries.get_mut(place).and_then(Option::take).is_some() {
            self.free.push(place);
        }
    }

    fn count(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    /// The entries from a place on, and whether there are more behind them. What takes a place
    /// that was passed already was registered after the ruleset changed, and has seen it.
    fn some(&self, start: usize) -> (Vec<Arc<Entry>>, bool) {
        let rest = self.entries.get(start..).unwrap_or_default();
        let some = rest.iter().take(SCANNED_AT_ONCE).flatten().cloned().collect();
        (some, rest.len() > SCANNED_AT_ONCE)
    }
}

/// A registered request. Dropped, it is open no more.
#[derive(Debug)]
pub(crate) struct Registration {
    shard: Arc<Shard>,
    place: usize,
    entry: Arc<Entry>,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.shard.slots().take(self.place);
        self.entry.end();
    }
}

/// Nothing here is left half-changed by a panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;

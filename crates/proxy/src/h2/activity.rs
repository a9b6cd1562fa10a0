//! Whether a connection is still of use to anybody. While streams are open their own times count,
//! and those of a call that waits for the next event may be long. But a caller that takes nothing of
//! what there is for it would keep its stream for ever: the library has no such time-out, and does
//! not ask for more of an answer before the caller has room for it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What moves on one connection.
#[derive(Debug, Default)]
pub(super) struct Activity {
    streams: AtomicUsize,
    /// Grows with everything that moves.
    movements: AtomicU64,
    /// Whole periods that have passed.
    periods: AtomicU64,
    /// How many streams have had something for the caller to take since which period.
    untaken: Mutex<BTreeMap<u64, usize>>,
}

impl Activity {
    /// A stream begins.
    pub(super) fn begin(self: &Arc<Self>) -> Stream {
        self.streams.fetch_add(1, Ordering::Relaxed);
        self.movements.fetch_add(1, Ordering::Relaxed);
        Stream { activity: Arc::clone(self), untaken_since: None }
    }

    fn untaken(&self) -> MutexGuard<'_, BTreeMap<u64, usize>> {
        // Nothing panics while it is held.
        self.untaken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Some stream's caller takes nothing, whatever else it does on the connection.
    fn is_stalled(&self, now: u64) -> bool {
        let oldest = self.untaken().first_key_value().map(|(since, _)| *since);
        oldest.is_some_and(|since| now.saturating_sub(since) > u64::from(STALL_PERIODS))
    }

    /// Resolves when no stream was open and nothing has moved for `idle`, measured in whole periods:
    /// between one and two of them. Also when one stream has not been taken from for
    /// [`STALL_PERIODS`].
    pub(super) async fn cease(&self, idle: Duration) {
        let mut before = self.movements.load(Ordering::Relaxed);
        loop {
            tokio::time::sleep(idle).await;
            let now = self.movements.load(Ordering::Relaxed);
            let is_still = now == before;
            before = now;
            let is_idle = is_still && self.streams.load(Ordering::Relaxed) == 0;
            let periods = self.periods.fetch_add(1, Ordering::Relaxed) + 1;
            if is_idle || self.is_stalled(periods) {
                return;
            }
        }
    }
}

/// How long something may wait to be taken.
const STALL_PERIODS: u32 = 4;

/// One open stream.
#[derive(Debug)]
pub(super) struct Stream {
    activity: Arc<Activity>,
    untaken_since: Option<u64>,
}

impl Stream {
    /// Something moved.
    pub(super) fn moved(&self) {
        self.activity.movements.fetch_add(1, Ordering::Relaxed);
    }

    /// There is something for the caller to take.
    pub(super) fn offered(&mut self) {
        let now = self.activity.periods.load(Ordering::Relaxed);
        if self.untaken_since.is_none() {
            self.untaken_since = Some(now);
            *self.activity.untaken().entry(now).or_default() += 1;
        }
    }

    /// The caller has room for more.
    pub(super) fn taken(&mut self) {
        let Some(since) = self.untaken_since.take() else { return };
        let mut untaken = self.activity.untaken();
        if let Some(count) = untaken.get_mut(&since) {
            *count -= 1;
            if *count == 0 {
                untaken.remove(&since);
            }
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.moved();
        self.taken();
        self.activity.streams.fetch_sub(1, Ordering::Relaxed);
    }
}

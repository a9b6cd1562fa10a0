//! Between the threads that answer requests and the one that writes: a vector under a short lock.
//! A busy writer is never woken; an idle one is woken once for all that gathers meanwhile.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use traffic::CallRecord;

use crate::error::LogError;
use crate::log::WhenFull;

/// Told when what was queued before it is committed and on disk.
pub(crate) type Waiter = oneshot::Sender<Result<(), LogError>>;

/// What the writer is to do next.
#[derive(Debug, Default)]
pub(crate) struct Work {
    /// To be written, in order.
    pub(crate) records: Vec<CallRecord>,
    /// Told after the records are on disk.
    pub(crate) waiters: Vec<Waiter>,
    /// Seal the open segment afterwards, and tell these.
    pub(crate) seal: Vec<Waiter>,
    /// Nothing comes after this.
    pub(crate) last: bool,
}

/// What the writer is doing, as far as wake-ups go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Writer {
    /// Writing: looks at the queue by itself afterwards.
    #[default]
    Busy,
    /// Waiting for the first record.
    Idle,
    /// Letting records gather.
    Gathering,
}

#[derive(Debug, Default)]
struct Inner {
    work: Work,
    writer: Writer,
}

impl Inner {
    fn is_urgent(&self) -> bool {
        !self.work.waiters.is_empty() || !self.work.seal.is_empty() || self.work.last
    }
}

#[derive(Debug)]
pub(crate) struct Queue {
    inner: Mutex<Inner>,
    wake: Condvar,
    queue_max: usize,
    batch_max: usize,
    gather: Duration,
    when_full: WhenFull,
    /// The disk takes nothing at present.
    blocked: AtomicBool,
    dropped: AtomicU64,
}

impl Queue {
    pub(crate) fn new(
        queue_max: usize,
        batch_max: usize,
        gather: Duration,
        when_full: WhenFull,
    ) -> Self {
        Self {
            inner: Mutex::default(),
            wake: Condvar::new(),
            queue_max,
            batch_max,
            gather,
            when_full,
            blocked: AtomicBool::new(false),
            dropped: AtomicU64::new(0),
        }
    }

    /// No holder of the lock can leave it in a state that others must not see.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a request that comes now will find room for its record.
    pub(crate) fn check_room(&self) -> Result<(), LogError> {
        if self.when_full == WhenFull::Drop {
            return Ok(());
        }
        if self.blocked.load(Ordering::Relaxed) {
            return Err(LogError::Full("the disk takes nothing more"));
        }
        if self.lock().work.records.len() >= self.queue_max {
            return Err(LogError::Full("records come faster than they are written"));
        }
        Ok(())
    }

    /// Queues a record, with whoever waits for it.
    pub(crate) fn push(&self, record: CallRecord, waiter: Option<Waiter>) -> Result<(), LogError> {
        let mut inner = self.lock();
        if inner.work.last {
            return Err(LogError::Closed);
        }
        if inner.work.records.len() >= self.bound() {
            drop(inner);
            self.count_dropped(1);
            return Err(LogError::Full("records come faster than they are written"));
        }
        inner.work.records.push(record);
        inner.work.waiters.extend(waiter);
        self.wake_writer(inner);
        Ok(())
    }

    /// Asks for everything up to now to be on disk, and (`seal`) for the segment to be closed.
    pub(crate) fn ask(&self, waiter: Waiter, seal: bool) -> Result<(), LogError> {
        let mut inner = self.lock();
        if inner.work.last {
            return Err(LogError::Closed);
        }
        match seal {
            true => inner.work.seal.push(waiter),
            false => inner.work.waiters.push(waiter),
        }
        self.wake_writer(inner);
        Ok(())
    }

    /// Lets the writer finish what is queued and end.
    pub(crate) fn close(&self) {
        let mut inner = self.lock();
        inner.work.last = true;
        self.wake_writer(inner);
    }

    fn wake_writer(&self, mut inner: MutexGuard<'_, Inner>) {
        let enough = inner.work.records.len() >= self.batch_max || inner.is_urgent();
        let wake = match inner.writer {
            Writer::Busy => false,
            Writer::Idle => true,
            Writer::Gathering => enough,
        };
        if wake {
            inner.writer = Writer::Busy;
            drop(inner);
            self.wake.notify_one();
        }
    }

    /// Waits for work. Comes back empty-handed after `tick`, when there is one.
    pub(crate) fn next(&self, tick: Option<Duration>) -> Work {
        let mut inner = self.lock();
        if inner.work.records.is_empty() && !inner.is_urgent() {
            inner = self.wait(inner, Writer::Idle, tick);
        }
        if !inner.work.records.is_empty()
            && inner.work.records.len() < self.batch_max
            && !inner.is_urgent()
        {
            inner = self.wait(inner, Writer::Gathering, Some(self.gather));
        }
        inner.writer = Writer::Busy;
        let last = inner.work.last;
        let mut work = std::mem::take(&mut inner.work);
        // The next records will be about as many.
        inner.work.records = Vec::with_capacity(work.records.len().min(self.queue_max));
        inner.work.last = last;
        work.last = last;
        work
    }

    /// Waits as `state` until somebody who queues calls for it, or `timeout` is over. A wake-up
    /// that nobody called for, or that was meant for the wait before, ends nothing.
    fn wait<'q>(
        &self,
        mut inner: MutexGuard<'q, Inner>,
        state: Writer,
        timeout: Option<Duration>,
    ) -> MutexGuard<'q, Inner> {
        inner.writer = state;
        let uncalled = |inner: &mut Inner| inner.writer == state;
        match timeout {
            None => self.wake.wait_while(inner, uncalled).unwrap_or_else(PoisonError::into_inner),
            Some(timeout) => {
                let waited = self.wake.wait_timeout_while(inner, timeout, uncalled);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        }
    }

    /// Requests under way when the log fills up were already let through: their records still
    /// find room, up to twice the limit.
    const fn bound(&self) -> usize {
        match self.when_full {
            WhenFull::Drop => self.queue_max,
            WhenFull::Refuse => self.queue_max.saturating_mul(2),
        }
    }

    pub(crate) fn set_blocked(&self, blocked: bool) {
        self.blocked.store(blocked, Ordering::Relaxed);
    }

    pub(crate) fn is_blocked(&self) -> bool {
        self.blocked.load(Ordering::Relaxed)
    }

    pub(crate) fn count_dropped(&self, records: usize) {
        self.dropped.fetch_add(records as u64, Ordering::Relaxed);
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    pub(crate) fn pending(&self) -> usize {
        self.lock().work.records.len()
    }
}

#[cfg(test)]
mod tests;

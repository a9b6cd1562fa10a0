//! The handle that the rest of the program holds.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use base::{Clock, Span, Timestamp};
use tokio::sync::oneshot;
use traffic::CallRecord;

use crate::error::LogError;
use crate::index::{Index, Seal, State};
use crate::mark::Mark;
use crate::queue::Queue;
use crate::recover::recover;
use crate::segment::sync_directory;
use crate::writer::Writer;

/// What to do with records that find no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenFull {
    /// Say so beforehand ([`DecisionLog::check_room`]), so that requests are refused instead.
    Refuse,
    /// Let requests pass and count the records that are missing.
    Drop,
}

/// How the log behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// Every commit reaches the disk before the next one starts. Otherwise at least every
    /// `sync_interval`, and always for durable appends.
    pub durable: bool,
    /// The longest that commits of a log that is not durable stay in memory of the system.
    pub sync_interval: Span,
    /// How long an idle writer lets records gather before it writes them.
    pub gather: Span,
    /// A segment is sealed at this size.
    pub segment_bytes: u64,
    /// A segment is sealed at this age.
    pub segment_age: Span,
    /// The most records in one batch.
    pub batch_max: usize,
    /// The most records that wait to be written.
    pub queue_max: usize,
    /// The most bytes that all segments take; `None` leaves the limit to the disk.
    pub log_bytes_max: Option<u64>,
    /// What to do when a limit is reached or the disk takes nothing.
    pub when_full: WhenFull,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            durable: false,
            sync_interval: Span::from_secs(1),
            gather: Span::from_millis(100),
            segment_bytes: 64 << 20,
            segment_age: Span::from_secs(3_600),
            batch_max: 4_096,
            queue_max: 262_144,
            log_bytes_max: None,
            when_full: WhenFull::Refuse,
        }
    }
}

/// A segment that was found open and sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// Its number.
    pub segment: u64,
    /// Whole batches found.
    pub batches: u32,
    /// Bytes of an unfinished batch that were cut off.
    pub torn_bytes: u64,
}

/// Numbers for metrics and for the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Records written since the start.
    pub committed: u64,
    /// Records that found no room since the start.
    pub dropped: u64,
    /// Records that wait.
    pub pending: u64,
    /// Segments on disk.
    pub segments: u64,
    /// Bytes of all segments; the open one counts with what is written to it.
    pub bytes: u64,
    /// The disk takes nothing at present.
    pub blocked: bool,
}

/// What the handle and the writer share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) directory: PathBuf,
    pub(crate) queue: Queue,
    index: Mutex<Index>,
    pub(crate) committed: AtomicU64,
}

impl Shared {
    /// Runs a short act on the index.
    pub(crate) fn with_index<T>(&self, act: impl FnOnce(&mut Index) -> T) -> T {
        act(&mut self.index.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn index(&self) -> Index {
        self.with_index(|index| index.clone())
    }
}

/// An open decision log. Dropping it writes what is queued and closes it.
#[derive(Debug)]
pub struct DecisionLog {
    pub(crate) shared: Arc<Shared>,
    recovered: Vec<Recovery>,
    writer: Option<JoinHandle<()>>,
    /// Held while the log is open: two writers would overwrite each other.
    _lock: File,
}

impl DecisionLog {
    /// Opens the log of a directory, made when missing, and repairs what a crash left behind.
    pub fn open(
        directory: &Path,
        options: Options,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, LogError> {
        check(&options)?;
        fs::create_dir_all(directory).map_err(LogError::io(directory))?;
        let lock = lock(directory)?;
        let found = recover(directory)?;
        for repaired in &found.repaired {
            let Recovery { segment, batches, torn_bytes } = repaired;
            tracing::warn!(segment, batches, torn_bytes, "sealed call records after a crash");
        }
        let gather = options.gather.to_std();
        let shared = Arc::new(Shared {
            directory: directory.to_owned(),
            queue: Queue::new(options.queue_max, options.batch_max, gather, options.when_full),
            index: Mutex::new(found.index),
            committed: AtomicU64::new(0),
        });
        let writer = Writer::new(Arc::clone(&shared), options, clock, found.next, found.chain);
        let thread = std::thread::Builder::new()
            .name("decision-log".to_owned())
            .spawn(move || writer.run())
            .map_err(LogError::io(directory))?;
        Ok(Self { shared, recovered: found.repaired, writer: Some(thread), _lock: lock })
    }

    /// Whether a request that comes now will find room for its record. Cheap; asked before a
    /// request is let through.
    pub fn check_room(&self) -> Result<(), LogError> {
        self.shared.queue.check_room()
    }

    /// Queues a record. It is on disk within `gather` plus (not durable) `sync_interval`.
    pub fn append(&self, record: CallRecord) -> Result<(), LogError> {
        self.shared.queue.push(record, None)
    }

    /// Queues a record at once; the future resolves when it is on disk.
    pub fn append_durable(
        &self,
        record: CallRecord,
    ) -> impl Future<Output = Result<(), LogError>> + Send + 'static {
        let (waiter, done) = oneshot::channel();
        let queued = self.shared.queue.push(record, Some(waiter));
        async move {
            queued?;
            done.await.unwrap_or(Err(LogError::Closed))
        }
    }

    /// Resolves when everything appended before is on disk and visible to readers.
    pub fn flush(&self) -> impl Future<Output = Result<(), LogError>> + Send + 'static {
        self.ask(false)
    }

    /// As [`DecisionLog::flush`], and the open segment is sealed.
    pub fn seal(&self) -> impl Future<Output = Result<(), LogError>> + Send + 'static {
        self.ask(true)
    }

    fn ask(&self, seal: bool) -> impl Future<Output = Result<(), LogError>> + Send + 'static {
        let (waiter, done) = oneshot::channel();
        let queued = self.shared.queue.ask(waiter, seal);
        async move {
            queued?;
            done.await.unwrap_or(Err(LogError::Closed))
        }
    }

    /// Every sealed segment, oldest first.
    pub fn seals(&self) -> Vec<Seal> {
        self.shared.with_index(|index| index.seals())
    }

    /// What was repaired when the log was opened.
    pub fn recovered(&self) -> &[Recovery] {
        &self.recovered
    }

    /// Deletes whole sealed segments whose last request came before `before` and that `may_go`
    /// releases by number, oldest first, up to the first that has to stay. Gives what was deleted.
    pub fn expire(
        &self,
        before: Timestamp,
        may_go: &dyn Fn(u64) -> bool,
    ) -> Result<Vec<Seal>, LogError> {
        let mut deleted = Vec::new();
        loop {
            let oldest = self.shared.with_index(|index| {
                let oldest = index.segments.first()?;
                match &oldest.state {
                    State::Sealed(seal) if seal.last_at < before && may_go(seal.segment) => {
                        let is_last = index.segments.len() == 1;
                        Some((oldest.path.clone(), seal.clone(), is_last))
                    }
                    _ => None,
                }
            });
            let Some((path, seal, is_last)) = oldest else { break };
            if is_last {
                // No later file tells where numbers and chain go on.
                Mark { number: seal.segment, chain: seal.chain }.keep(&self.shared.directory)?;
            }
            fs::remove_file(&path).map_err(LogError::io(&path))?;
            self.shared.with_index(|index| {
                index.segments.retain(|segment| segment.number != seal.segment);
            });
            deleted.push(seal);
        }
        if !deleted.is_empty() {
            sync_directory(&self.shared.directory)?;
        }
        Ok(deleted)
    }

    /// Numbers for metrics.
    pub fn stats(&self) -> Stats {
        let queue = &self.shared.queue;
        let (segments, bytes) =
            self.shared.with_index(|index| (index.segments.len() as u64, index.bytes()));
        Stats {
            committed: self.shared.committed.load(Ordering::Relaxed),
            dropped: queue.dropped(),
            pending: queue.pending() as u64,
            segments,
            bytes,
            blocked: queue.is_blocked(),
        }
    }
}

impl Drop for DecisionLog {
    fn drop(&mut self) {
        self.shared.queue.close();
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the writer of the decision log ended abnormally");
        }
    }
}

fn check(options: &Options) -> Result<(), LogError> {
    if options.batch_max == 0 || options.batch_max > 65_536 {
        return Err(LogError::BadOptions("batch_max must be between 1 and 65536"));
    }
    if options.queue_max < options.batch_max {
        return Err(LogError::BadOptions("queue_max must not be smaller than batch_max"));
    }
    if !(4_096..=1 << 32).contains(&options.segment_bytes) {
        return Err(LogError::BadOptions("segment_bytes must be between 4 KiB and 4 GiB"));
    }
    Ok(())
}

fn lock(directory: &Path) -> Result<File, LogError> {
    let path = directory.join("lock");
    let file = File::create(&path).map_err(LogError::io(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LogError::Locked(directory.to_owned())),
        Err(TryLockError::Error(cause)) => Err(LogError::io(&path)(cause)),
    }
}

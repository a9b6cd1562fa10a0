//! The one thread that writes. It groups what gathered while it wrote the group before, so the
//! cost of a sync is shared by more records the busier the gate is.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use base::{Clock, Digest, Timestamp};
use traffic::CallRecord;

use crate::codec::{self, Encoder};
use crate::error::LogError;
use crate::index::{BatchMeta, Segment, State};
use crate::log::{Options, Shared, WhenFull};
use crate::queue::{Waiter, Work};
use crate::recover::close;
use crate::segment::{Frame, HEADER_BYTES, Header, Totals, footer_bytes, path_of, sync_directory};

/// How often a writer with something unfinished looks at the time, and how long it waits before it
/// tries a disk again that took nothing.
const TICK: Duration = Duration::from_secs(1);

/// The segment that is being written.
struct Open {
    file: File,
    number: u64,
    created_at: Timestamp,
    /// Where the next batch goes.
    end: u64,
    batches: Vec<BatchMeta>,
    totals: Totals,
}

pub(crate) struct Writer {
    shared: Arc<Shared>,
    options: Options,
    clock: Arc<dyn Clock>,
    next: u64,
    chain: Digest,
    open: Option<Open>,
    encoder: Encoder,
    frame: Vec<u8>,
    leaf: Vec<u8>,
    /// Records that the disk did not take yet.
    retained: Vec<CallRecord>,
    /// Committed, but not synced.
    dirty: bool,
    synced_at: Timestamp,
}

impl Writer {
    pub(crate) fn new(
        shared: Arc<Shared>,
        options: Options,
        clock: Arc<dyn Clock>,
        next: u64,
        chain: Digest,
    ) -> Self {
        let synced_at = clock.now();
        Self {
            shared,
            options,
            clock,
            next,
            chain,
            open: None,
            encoder: Encoder::default(),
            frame: Vec::new(),
            leaf: Vec::new(),
            retained: Vec::new(),
            dirty: false,
            synced_at,
        }
    }

    /// Writes until the queue is closed and empty.
    pub(crate) fn run(mut self) {
        loop {
            let unfinished = self.dirty || self.open.is_some() || !self.retained.is_empty();
            let work = self.shared.queue.next(unfinished.then_some(TICK));
            let last = work.last;
            self.work(work);
            if last {
                let lost = self.retained.len();
                if lost > 0 {
                    tracing::error!(lost, "call records are lost: the disk took nothing");
                    self.shared.queue.count_dropped(lost);
                }
                if let Err(error) = self.seal() {
                    tracing::error!(%error, "the open segment stays open until the next start");
                }
                return;
            }
        }
    }

    fn work(&mut self, mut work: Work) {
        if !self.retained.is_empty() {
            let fresh = std::mem::replace(&mut work.records, std::mem::take(&mut self.retained));
            work.records.extend(fresh);
        }
        let must_sync = self.options.durable || !work.waiters.is_empty() || !work.seal.is_empty();
        let tried = must_sync || !work.records.is_empty();
        let outcome = self.commit(work.records).and_then(|()| self.sync(must_sync));
        if tried {
            self.note_health(&outcome);
        }
        tell(work.waiters, &outcome);
        let old = self.open.as_ref().is_some_and(|open| {
            self.clock.now().since(open.created_at) >= self.options.segment_age
        });
        if old || !work.seal.is_empty() {
            let sealed = outcome.and_then(|()| self.seal());
            self.note_health(&sealed);
            tell(work.seal, &sealed);
        }
    }

    /// Writes all records in batches. Those that the disk did not take are kept or counted.
    fn commit(&mut self, records: Vec<CallRecord>) -> Result<(), LogError> {
        let mut done = 0;
        let mut outcome = Ok(());
        for batch in records.chunks(self.options.batch_max) {
            outcome = self.commit_batch(batch);
            if outcome.is_err() {
                break;
            }
            done += batch.len();
        }
        if outcome.is_err() {
            match self.options.when_full {
                WhenFull::Refuse => {
                    self.retained = records;
                    self.retained.drain(..done);
                    let excess = self.retained.len().saturating_sub(2 * self.options.queue_max);
                    self.retained.drain(..excess);
                    self.shared.queue.count_dropped(excess);
                }
                WhenFull::Drop => self.shared.queue.count_dropped(records.len() - done),
            }
        }
        outcome
    }

    fn commit_batch(&mut self, records: &[CallRecord]) -> Result<(), LogError> {
        let encoded = self.encoder.encode(records);
        let bounds = |start: Timestamp, of: fn(Timestamp, Timestamp) -> Timestamp| {
            records.iter().fold(start, |bound, record| of(bound, record.at))
        };
        let number = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        let mut frame = Frame {
            batch: 0,
            records: number(records.len()),
            raw: number(encoded.raw),
            packed: number(encoded.payload.len()),
            first_at: bounds(Timestamp::MAX, Ord::min),
            last_at: bounds(Timestamp::MIN, Ord::max),
            chain: Digest::ZERO,
        };
        let size = frame.meta(0).length;
        if self.open.as_ref().is_some_and(|open| open.end + size > self.options.segment_bytes) {
            // The encoder's buffer is borrowed by the payload: seal without it, then encode again.
            self.seal()?;
            return self.commit_batch(records);
        }
        let mut open = match self.open.take() {
            Some(open) => open,
            None => start(&self.shared, &self.options, self.next, self.chain, self.clock.now())?,
        };
        self.next = open.number + 1;
        frame.batch = number(open.batches.len());
        self.frame.clear();
        frame.write(&open.totals.chain, encoded.payload, &mut self.frame);
        if let Err(cause) = open.file.write_all_at(&self.frame, open.end) {
            self.open = Some(open);
            return Err(LogError::io(&self.shared.directory)(cause));
        }
        for record in records {
            codec::leaf_bytes(record, &mut self.leaf);
            open.totals.tree.push(audit::tree::leaf_hash(&self.leaf));
        }
        let meta = frame.meta(open.end);
        open.totals.add(&frame);
        open.end += meta.length;
        open.batches.push(meta);
        self.publish(meta, open.end);
        self.open = Some(open);
        self.dirty = true;
        self.shared.committed.fetch_add(u64::from(frame.records), Ordering::Relaxed);
        Ok(())
    }

    /// Shows a batch to readers.
    fn publish(&self, meta: BatchMeta, end: u64) {
        self.shared.with_index(|index| {
            if let Some(segment) = index.open_segment() {
                segment.batches.push(meta);
                segment.bytes = end;
            }
        });
    }

    fn sync(&mut self, now: bool) -> Result<(), LogError> {
        let time = self.clock.now();
        let due = time.since(self.synced_at) >= self.options.sync_interval;
        let Some(open) = self.open.as_ref().filter(|_| self.dirty && (now || due)) else {
            return Ok(());
        };
        open.file.sync_data().map_err(LogError::io(&self.shared.directory))?;
        self.dirty = false;
        self.synced_at = time;
        Ok(())
    }

    /// Closes the open segment with its footer.
    fn seal(&mut self) -> Result<(), LogError> {
        let Some(open) = self.open.take() else { return Ok(()) };
        let seal = open.totals.seal(open.number, open.batches.len());
        let footer = footer_bytes(&seal, &open.batches, open.end);
        let bytes = match close(&open.file, &footer, open.end) {
            Ok(bytes) => bytes,
            Err(cause) => {
                self.open = Some(open);
                return Err(LogError::io(&self.shared.directory)(cause));
            }
        };
        self.chain = seal.chain;
        self.dirty = false;
        self.shared.with_index(|index| {
            if let Some(segment) = index.open_segment() {
                segment.state = State::Sealed(seal);
                segment.bytes = bytes;
            }
        });
        Ok(())
    }

    fn note_health(&self, outcome: &Result<(), LogError>) {
        let was_blocked = self.shared.queue.is_blocked();
        self.shared.queue.set_blocked(outcome.is_err());
        match outcome {
            Err(error) if !was_blocked => {
                tracing::error!(%error, "the decision log takes nothing");
            }
            Ok(()) if was_blocked => tracing::warn!("the decision log takes records again"),
            _ => {}
        }
    }
}

/// Starts a segment: a file of its full size, with its header, known to the directory.
fn start(
    shared: &Shared,
    options: &Options,
    number: u64,
    previous: Digest,
    created_at: Timestamp,
) -> Result<Open, LogError> {
    let used = shared.with_index(|index| index.bytes());
    if options.log_bytes_max.is_some_and(|max| used + options.segment_bytes > max) {
        return Err(LogError::Full("all segments together have reached the size set for them"));
    }
    let path = path_of(&shared.directory, number);
    let file =
        OpenOptions::new().write(true).create_new(true).open(&path).map_err(LogError::io(&path))?;
    let header = Header { number, created_at, previous }.to_bytes();
    let prepared = file
        .set_len(options.segment_bytes)
        .and_then(|()| file.write_all_at(&header, 0))
        .and_then(|()| file.sync_all());
    if let Err(cause) = prepared {
        // Without this, the next try would find the name taken.
        drop(std::fs::remove_file(&path));
        return Err(LogError::io(&path)(cause));
    }
    sync_directory(&shared.directory)?;
    shared.with_index(|index| {
        index.segments.push(Arc::new(Segment {
            number,
            path,
            state: State::Open,
            batches: Vec::new(),
            bytes: HEADER_BYTES as u64,
        }));
    });
    Ok(Open {
        file,
        number,
        created_at,
        end: HEADER_BYTES as u64,
        batches: Vec::new(),
        totals: Totals::new(previous),
    })
}

fn tell(waiters: Vec<Waiter>, outcome: &Result<(), LogError>) {
    for waiter in waiters {
        // Who no longer waits does not need to know.
        drop(waiter.send(outcome.clone()));
    }
}

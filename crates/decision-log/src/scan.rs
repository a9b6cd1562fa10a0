//! Reading records back. Batches outside the time range are passed over by the index; a batch
//! that cannot be read is passed over with a warning, and [`crate::DecisionLog::verify`] names it.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::ErrorKind;
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt;
use std::path::Path;

use base::{RequestId, Span, Timestamp};
use traffic::CallRecord;

use crate::codec::{self, request_id};
use crate::error::LogError;
use crate::index::{BatchMeta, Position, Segment};
use crate::log::DecisionLog;
use crate::segment::Frame;

/// In which order batches are visited. Records of one batch keep the order in which their
/// requests ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As they were committed.
    OldestFirst,
    /// The last committed batch first, its last record first.
    NewestFirst,
}

/// How far matches are counted: counting reads, and a long log is long.
pub const COUNTED_MAX: u64 = 10_000;

/// The newest records that match, and how many match in all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Newest first by the time of the request.
    pub records: Vec<CallRecord>,
    /// Matches in the whole range; [`COUNTED_MAX`] stands for that many or more.
    pub total: u64,
}

impl DecisionLog {
    /// Visits every record with `from <= at < until` until the visitor breaks off.
    pub fn scan(
        &self,
        from: Timestamp,
        until: Timestamp,
        order: Order,
        visit: &mut dyn FnMut(Position, &CallRecord) -> ControlFlow<()>,
    ) -> Result<(), LogError> {
        let overlaps = |batch: &BatchMeta| batch.last_at >= from && batch.first_at < until;
        self.walk(order, &overlaps, &mut |position, records| {
            let mut each = |record: &CallRecord| match (from..until).contains(&record.at) {
                true => visit(position, record),
                false => ControlFlow::Continue(()),
            };
            match order {
                Order::OldestFirst => records.iter().try_for_each(&mut each),
                Order::NewestFirst => records.iter().rev().try_for_each(&mut each),
            }
        })
    }

    /// Visits every batch after a position, in the order of commits: what a fold of the log needs
    /// that was interrupted there. `None` starts at the beginning.
    pub fn batches_after(
        &self,
        after: Option<Position>,
        visit: &mut dyn FnMut(Position, &[CallRecord]) -> ControlFlow<()>,
    ) -> Result<(), LogError> {
        for segment in self.shared.index().segments {
            let later =
                |batch: &BatchMeta| after.is_none_or(|after| position(&segment, batch) > after);
            let batches = segment.batches.iter().filter(|batch| later(batch));
            if walk_segment(&segment, batches, visit)?.is_break() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The newest `limit` records with `from <= at < until` that `keep` accepts.
    pub fn newest(
        &self,
        from: Timestamp,
        until: Timestamp,
        limit: usize,
        keep: &dyn Fn(&CallRecord) -> bool,
    ) -> Result<Found, LogError> {
        let newest = RefCell::new(Newest { limit, ..Newest::default() });
        let wanted = |batch: &BatchMeta| {
            batch.last_at >= from && batch.first_at < until && newest.borrow().can_gain(batch)
        };
        self.walk(Order::NewestFirst, &wanted, &mut |_, records| {
            let in_range = records.iter().filter(|record| (from..until).contains(&record.at));
            in_range
                .filter(|record| keep(record))
                .for_each(|record| newest.borrow_mut().add(record));
            ControlFlow::Continue(())
        })?;
        Ok(newest.into_inner().found())
    }

    /// The record of a request.
    pub fn find(&self, id: &RequestId) -> Result<Option<CallRecord>, LogError> {
        // A generated id holds the time at which the request came. Clocks are set, so look widely
        // around it before reading everything.
        let near = request_id::to_number(id).map(|number| {
            let millis = i64::try_from(number >> 80).unwrap_or(i64::MAX);
            let at = Timestamp::from_micros(millis.saturating_mul(1_000));
            (at - Span::from_secs(60), at + Span::from_secs(60))
        });
        let everywhere = (Timestamp::MIN, Timestamp::MAX);
        for (from, until) in near.into_iter().chain([everywhere]) {
            let mut found = None;
            self.scan(from, until, Order::NewestFirst, &mut |_, record| {
                if record.request_id != *id {
                    return ControlFlow::Continue(());
                }
                found = Some(record.clone());
                ControlFlow::Break(())
            })?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    fn walk(
        &self,
        order: Order,
        wanted: &dyn Fn(&BatchMeta) -> bool,
        visit: &mut dyn FnMut(Position, &[CallRecord]) -> ControlFlow<()>,
    ) -> Result<(), LogError> {
        let mut segments = self.shared.index().segments;
        if order == Order::NewestFirst {
            segments.reverse();
        }
        for segment in segments {
            let batches = segment.batches.iter();
            let flow = match order {
                Order::OldestFirst => walk_segment(&segment, batches.filter(|b| wanted(b)), visit),
                Order::NewestFirst => {
                    walk_segment(&segment, batches.rev().filter(|b| wanted(b)), visit)
                }
            };
            if flow?.is_break() {
                return Ok(());
            }
        }
        Ok(())
    }
}

fn position(segment: &Segment, batch: &BatchMeta) -> Position {
    Position { segment: segment.number, batch: batch.batch }
}

fn walk_segment<'s>(
    segment: &'s Segment,
    batches: impl Iterator<Item = &'s BatchMeta>,
    visit: &mut dyn FnMut(Position, &[CallRecord]) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, LogError> {
    // Lazily: what was read so far decides what is still wanted.
    let mut batches = batches.peekable();
    if batches.peek().is_none() {
        return Ok(ControlFlow::Continue(()));
    }
    let file = match File::open(&segment.path) {
        Ok(file) => file,
        // Deleted by retention since the index was read.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(ControlFlow::Continue(())),
        Err(error) => return Err(LogError::io(&segment.path)(error)),
    };
    let (mut bytes, mut decoder) = (Vec::new(), codec::Decoder::default());
    for batch in batches {
        match read_batch(&file, &segment.path, batch, &mut bytes, &mut decoder) {
            Ok(records) => {
                if visit(position(segment, batch), records).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            Err(error) => {
                let (segment, batch) = (segment.number, batch.batch);
                tracing::error!(segment, batch, %error, "a batch of call records is unreadable");
            }
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Reads into buffers that are kept from one batch to the next.
fn read_batch<'d>(
    file: &File,
    path: &Path,
    batch: &BatchMeta,
    bytes: &mut Vec<u8>,
    decoder: &'d mut codec::Decoder,
) -> Result<&'d [CallRecord], String> {
    let length = usize::try_from(batch.length).map_err(|error| error.to_string())?;
    bytes.resize(length, 0);
    file.read_exact_at(bytes, batch.offset)
        .map_err(|error| format!("{}: {error}", path.display()))?;
    let (frame, payload) = Frame::read(bytes).map_err(|error| error.to_string())?;
    let number = |value: u32| usize::try_from(value).unwrap_or(usize::MAX);
    let decoded = decoder.decode(payload, number(frame.raw), number(frame.records));
    decoded.map_err(|error| error.to_string())
}

/// The newest matches so far. Requests end in another order than they come: the heap orders them
/// by their time.
#[derive(Default)]
struct Newest {
    limit: usize,
    best: BinaryHeap<Reverse<Candidate>>,
    total: u64,
}

impl Newest {
    /// A batch can hold one of the newest, or matches are still counted.
    fn can_gain(&self, batch: &BatchMeta) -> bool {
        self.total < COUNTED_MAX || self.best.len() < self.limit || self.is_newer(batch.last_at)
    }

    fn is_newer(&self, at: Timestamp) -> bool {
        self.best.peek().is_some_and(|Reverse(oldest)| at > oldest.0.at)
    }

    fn add(&mut self, record: &CallRecord) {
        self.total = COUNTED_MAX.min(self.total + 1);
        if self.best.len() < self.limit || self.is_newer(record.at) {
            self.best.push(Reverse(Candidate(record.clone())));
            if self.best.len() > self.limit {
                self.best.pop();
            }
        }
    }

    fn found(self) -> Found {
        let records = self.best.into_sorted_vec().into_iter().map(|Reverse(one)| one.0).collect();
        Found { records, total: self.total }
    }
}

/// A record, ordered by time and (for equal times) by id, so that pages are stable.
struct Candidate(CallRecord);

impl Candidate {
    fn key(&self) -> (Timestamp, &str) {
        (self.0.at, self.0.request_id.as_str())
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Candidate {}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

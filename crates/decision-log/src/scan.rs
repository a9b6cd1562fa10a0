//! Reading records back. Batches outside the time range are passed over by the index; a batch
//! that cannot be read is passed over with a warning, and [`crate::DecisionLog::verify`] names it.

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

/// The newest records that match, and how many match in all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Newest first by the time of the request.
    pub records: Vec<CallRecord>,
    /// Matches in the whole range.
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
            let batches: Vec<_> = segment.batches.iter().filter(|batch| later(batch)).collect();
            if walk_segment(&segment, batches.into_iter(), visit)?.is_break() {
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
        // Requests end in another order than they come: the heap orders them by their time.
        let mut best: BinaryHeap<Reverse<Candidate>> = BinaryHeap::new();
        let mut total = 0u64;
        self.scan(from, until, Order::NewestFirst, &mut |_, record| {
            if !keep(record) {
                return ControlFlow::Continue(());
            }
            total += 1;
            let older = best.peek().is_some_and(|Reverse(worst)| record.at <= worst.0.at);
            if best.len() < limit || !older {
                best.push(Reverse(Candidate(record.clone())));
                if best.len() > limit {
                    best.pop();
                }
            }
            ControlFlow::Continue(())
        })?;
        let records = best.into_sorted_vec().into_iter().map(|Reverse(found)| found.0).collect();
        Ok(Found { records, total })
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
            let mut batches: Vec<_> = segment.batches.iter().filter(|b| wanted(b)).collect();
            if order == Order::NewestFirst {
                batches.reverse();
            }
            if walk_segment(&segment, batches.into_iter(), visit)?.is_break() {
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
    batches: impl ExactSizeIterator<Item = &'s BatchMeta>,
    visit: &mut dyn FnMut(Position, &[CallRecord]) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, LogError> {
    if batches.len() == 0 {
        return Ok(ControlFlow::Continue(()));
    }
    let file = match File::open(&segment.path) {
        Ok(file) => file,
        // Deleted by retention since the index was read.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(ControlFlow::Continue(())),
        Err(error) => return Err(LogError::io(&segment.path)(error)),
    };
    for batch in batches {
        match read_batch(&file, &segment.path, batch) {
            Ok(records) => {
                if visit(position(segment, batch), &records).is_break() {
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

fn read_batch(file: &File, path: &Path, batch: &BatchMeta) -> Result<Vec<CallRecord>, String> {
    let length = usize::try_from(batch.length).map_err(|error| error.to_string())?;
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, batch.offset)
        .map_err(|error| format!("{}: {error}", path.display()))?;
    let (frame, payload) = Frame::read(&bytes).map_err(|error| error.to_string())?;
    let number = |value: u32| usize::try_from(value).unwrap_or(usize::MAX);
    codec::decode(payload, number(frame.raw), number(frame.records)).map_err(|e| e.to_string())
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

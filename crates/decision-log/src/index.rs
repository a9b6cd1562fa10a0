//! What is known of segments without reading their records.

use std::path::PathBuf;
use std::sync::Arc;

use base::{Digest, Timestamp};

/// One batch of the log: segment by number, batch by position in it. Positions grow in the order
/// of commits and none is ever used twice, so they serve as watermarks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position {
    /// The segment, from 1.
    pub segment: u64,
    /// The batch in it, from 0.
    pub batch: u32,
}

/// A sealed segment, as the ledger takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// Its number.
    pub segment: u64,
    /// Batches in it.
    pub batches: u32,
    /// Records in it.
    pub records: u64,
    /// When its first request came.
    pub first_at: Timestamp,
    /// When its last request came.
    pub last_at: Timestamp,
    /// SHA-256 chain over the batches of this and all earlier segments.
    pub chain: Digest,
    /// RFC 6962 root over its records.
    pub root: Digest,
}

/// Where a batch lies and what it covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BatchMeta {
    /// Byte in the file.
    pub(crate) offset: u64,
    /// Bytes with its header.
    pub(crate) length: u64,
    /// Its number in the segment.
    pub(crate) batch: u32,
    pub(crate) records: u32,
    pub(crate) first_at: Timestamp,
    pub(crate) last_at: Timestamp,
}

/// What became of a segment's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// Being written.
    Open,
    /// Closed with a footer.
    Sealed(Seal),
    /// Not what was written: left as found, readable as far as its batches go.
    Damaged(String),
}

/// One segment.
#[derive(Debug, Clone)]
pub(crate) struct Segment {
    pub(crate) number: u64,
    pub(crate) path: PathBuf,
    pub(crate) state: State,
    pub(crate) batches: Vec<BatchMeta>,
    /// Bytes on disk.
    pub(crate) bytes: u64,
}

/// All segments, oldest first. Readers take a copy of the pointers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    pub(crate) segments: Vec<Arc<Segment>>,
}

impl Index {
    pub(crate) fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    pub(crate) fn seals(&self) -> Vec<Seal> {
        let seal = |segment: &Arc<Segment>| match &segment.state {
            State::Sealed(seal) => Some(seal.clone()),
            State::Open | State::Damaged(_) => None,
        };
        self.segments.iter().filter_map(seal).collect()
    }

    /// The segment that is being written, to add to it. Cloned only while a reader holds it.
    pub(crate) fn open_segment(&mut self) -> Option<&mut Segment> {
        self.segments.last_mut().filter(|last| last.state == State::Open).map(Arc::make_mut)
    }
}

//! Reading every byte again: checksums, the chain through all segments, the Merkle roots, and
//! that nothing stands between the parts.

use std::fs;

use base::Digest;

use crate::codec;
use crate::error::LogError;
use crate::index::{Seal, Segment, State};
use crate::log::DecisionLog;
use crate::segment::{Frame, HEADER_BYTES, Header, Totals, footer_bytes};

/// A place where the log is not what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The segment.
    pub segment: u64,
    /// The batch; absent when header, footer or the file itself is at fault.
    pub batch: Option<u32>,
    /// What is wrong.
    pub what: String,
}

/// What a check of the whole log found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    /// Sealed segments that were read.
    pub segments: u64,
    /// Records in them.
    pub records: u64,
    /// What is wrong, oldest first; empty when all is well.
    pub faults: Vec<Fault>,
}

impl DecisionLog {
    /// Checks every sealed segment byte by byte. The open one is checked when it is sealed.
    pub fn verify(&self) -> Verified {
        let mut verified = Verified::default();
        let mut previous: Option<(u64, Digest)> = None;
        for segment in self.shared.index().segments {
            let seal = match &segment.state {
                State::Open => continue,
                State::Sealed(seal) => Some(seal),
                State::Damaged(_) => None,
            };
            if let Some((number, _)) = previous
                && segment.number != number + 1
                && !is_unused(&segment, previous)
            {
                let what = format!("segment {} follows segment {number}", segment.number);
                verified.faults.push(Fault { segment: segment.number, batch: None, what });
            }
            match check_segment(&segment, seal, previous.map(|(_, chain)| chain)) {
                Ok(totals) => {
                    verified.segments += 1;
                    verified.records += totals.records;
                }
                Err(fault) => verified.faults.push(fault),
            }
            previous = seal.map(|seal| (segment.number, seal.chain));
        }
        verified
    }
}

/// A number can be missing when its segment was started but nothing was committed to it: then the
/// chain continues as if it had never been.
fn is_unused(segment: &Segment, previous: Option<(u64, Digest)>) -> bool {
    let header = fs::read(&segment.path).ok().and_then(|bytes| Header::read(&bytes).ok());
    header.map(|header| header.previous) == previous.map(|(_, chain)| chain)
}

fn check_segment(
    segment: &Segment,
    seal: Option<&Seal>,
    previous: Option<Digest>,
) -> Result<Totals, Fault> {
    let fault = |batch, what: &dyn ToString| Fault {
        segment: segment.number,
        batch,
        what: what.to_string(),
    };
    let read = fs::read(&segment.path).map_err(LogError::io(&segment.path));
    let bytes = read.map_err(|error| fault(None, &error))?;
    let header = Header::read(&bytes).map_err(|error| fault(None, &error))?;
    if header.number != segment.number {
        return Err(fault(None, &format!("its header says that it is segment {}", header.number)));
    }
    if previous.is_some_and(|previous| previous != header.previous) {
        return Err(fault(None, &"does not continue the chain of the segment before"));
    }
    let mut totals = Totals::new(header.previous);
    let (mut at, mut batches, mut leaf) = (HEADER_BYTES, Vec::new(), Vec::new());
    // How many batches there are is what the footer says: without one, as many as can be read.
    let expected = seal.map_or(u32::MAX, |seal| seal.batches);
    for batch in 0..expected {
        let rest = bytes.get(at..).unwrap_or_default();
        let broken = |what: &dyn ToString| fault(Some(batch), what);
        let (frame, payload) = Frame::read(rest).map_err(|error| broken(&error))?;
        if frame.batch != batch {
            return Err(broken(&format!("batch {} stands in its place", frame.batch)));
        }
        if !frame.follows(&totals.chain, rest, payload) {
            return Err(broken(&"does not follow the batch before it"));
        }
        let number = |value: u32| usize::try_from(value).unwrap_or(usize::MAX);
        let records = codec::decode(payload, number(frame.raw), number(frame.records));
        for record in &records.map_err(|error| broken(&error))? {
            codec::leaf_bytes(record, &mut leaf);
            totals.tree.push(audit::tree::leaf_hash(&leaf));
        }
        totals.add(&frame);
        let meta = frame.meta(at as u64);
        at += number(u32::try_from(meta.length).unwrap_or(u32::MAX));
        batches.push(meta);
    }
    let written = footer_bytes(&totals.seal(segment.number, batches.len()), &batches, at as u64);
    if bytes.get(at..) != Some(written.as_slice()) {
        return Err(fault(None, &"its footer is not that of its batches"));
    }
    Ok(totals)
}

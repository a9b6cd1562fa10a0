//! What a directory holds when the log is opened. The segment that was being written when the
//! process ended is cut after its last whole batch and sealed there. An earlier one without its end,
//! and one that is damaged in the middle, are left as they are: cutting them would lose what was
//! acknowledged, and what an investigation needs.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use base::Digest;

use crate::codec;
use crate::error::LogError;
use crate::index::{BatchMeta, Index, Segment, State};
use crate::log::Recovery;
use crate::mark::Mark;
use crate::segment::{
    Frame, HEADER_BYTES, Header, Totals, footer_bytes, number_of, read_footer, sync_directory,
};

/// The segments of a directory, the number that the next one gets, and the chain it continues.
pub(crate) struct Recovered {
    pub(crate) index: Index,
    pub(crate) next: u64,
    pub(crate) chain: Digest,
    pub(crate) repaired: Vec<Recovery>,
}

/// Reads the directory and repairs what a crash left behind.
pub(crate) fn recover(directory: &Path) -> Result<Recovered, LogError> {
    let mut numbers = Vec::new();
    for file in fs::read_dir(directory).map_err(LogError::io(directory))? {
        let file = file.map_err(LogError::io(directory))?;
        if let Some(number) = file.file_name().to_str().and_then(number_of) {
            numbers.push((number, file.path()));
        }
    }
    numbers.sort();
    let gone = Mark::read(directory)?;
    let next = numbers.last().map_or(0, |(number, _)| *number).max(gone.number) + 1;
    let mut found =
        Recovered { index: Index::default(), next, chain: gone.chain, repaired: Vec::new() };
    for (index, (number, path)) in numbers.iter().enumerate() {
        let next = numbers.get(index + 1).map(|(_, next)| Follower::read(next)).transpose()?;
        if let Some(segment) = recover_one(*number, path, next, &mut found)? {
            found.index.segments.push(Arc::new(segment));
        }
    }
    sync_directory(directory)?;
    Ok(found)
}

/// The segment that was begun when the one before it was closed, and what it says of that.
struct Follower {
    /// The chain that it continues; `None` = its own head is damaged.
    previous: Option<Digest>,
}

impl Follower {
    fn read(path: &Path) -> Result<Self, LogError> {
        let mut head = [0; HEADER_BYTES];
        let file = File::open(path).map_err(LogError::io(path))?;
        let read = file.read_exact_at(&mut head, 0);
        Ok(Self { previous: read.ok().and_then(|()| Some(Header::read(&head).ok()?.previous)) })
    }
}

fn recover_one(
    number: u64,
    path: &Path,
    next: Option<Follower>,
    found: &mut Recovered,
) -> Result<Option<Segment>, LogError> {
    if let Some((seal, batches, bytes)) = read_footer(path)? {
        found.chain = seal.chain;
        let state = State::Sealed(seal);
        return Ok(Some(Segment { number, path: path.to_owned(), state, batches, bytes }));
    }
    let bytes = fs::read(path).map_err(LogError::io(path))?;
    let read = read_open(&bytes);
    let damaged = |what: String, read: OpenSegment| Segment {
        number,
        path: path.to_owned(),
        state: State::Damaged(what),
        batches: read.batches,
        bytes: bytes.len() as u64,
    };
    // Only the newest can have been cut off: the one before is closed before the next is begun.
    // Of an earlier one that is whole but for its footer, the next one knows that it is whole.
    let chain = read.totals.as_ref().map(|totals| totals.chain);
    let is_whole = next.is_none_or(|next| next.previous.is_some() && next.previous == chain);
    let lost_end = (!is_whole).then(|| "its end is not what was written".to_owned());
    if let Some(what) = read.damage.clone().or(lost_end) {
        if let Some(totals) = &read.totals {
            found.chain = totals.chain;
        }
        tracing::error!(
            segment = number,
            what,
            "a segment of call records is damaged; left as it is"
        );
        return Ok(Some(damaged(what, read)));
    }
    let torn = read.torn;
    let (Some(totals), false) = (&read.totals, read.batches.is_empty()) else {
        // Nothing was committed to it. Its number is not used again.
        let gone = Mark { number, chain: found.chain };
        gone.keep(path.parent().unwrap_or(path))?;
        fs::remove_file(path).map_err(LogError::io(path))?;
        if torn > 0 {
            found.repaired.push(Recovery { segment: number, batches: 0, torn_bytes: torn });
        }
        return Ok(None);
    };
    let seal = totals.seal(number, read.batches.len());
    let end = read.batches.last().map_or(HEADER_BYTES as u64, |last| last.offset + last.length);
    let length = close_file(path, &footer_bytes(&seal, &read.batches, end), end)?;
    found.chain = seal.chain;
    let batches = seal.batches;
    found.repaired.push(Recovery { segment: number, batches, torn_bytes: torn });
    let state = State::Sealed(seal);
    Ok(Some(Segment { number, path: path.to_owned(), state, batches: read.batches, bytes: length }))
}

/// Writes the footer at `end` and cuts the file after it.
fn close_file(path: &Path, footer: &[u8], end: u64) -> Result<u64, LogError> {
    let file = OpenOptions::new().write(true).open(path).map_err(LogError::io(path))?;
    close(&file, footer, end).map_err(LogError::io(path))
}

/// Writes the footer at `end` and cuts the file after it; gives its length.
pub(crate) fn close(file: &File, footer: &[u8], end: u64) -> std::io::Result<u64> {
    let length = end + footer.len() as u64;
    file.set_len(end)?;
    file.write_all_at(footer, end)?;
    file.sync_all()?;
    Ok(length)
}

struct OpenSegment {
    batches: Vec<BatchMeta>,
    totals: Option<Totals>,
    /// Bytes after the last whole batch that are not zero.
    torn: u64,
    damage: Option<String>,
}

/// Reads a segment without a footer batch by batch.
fn read_open(bytes: &[u8]) -> OpenSegment {
    let mut read = OpenSegment { batches: Vec::new(), totals: None, torn: 0, damage: None };
    let header = match Header::read(bytes) {
        Ok(header) => header,
        Err(what) => {
            read.torn = written(bytes);
            if resume(bytes, 0, 0).is_some() {
                read.damage = Some(what.to_string());
                read_on(bytes, 0, 0, &mut read.batches);
            }
            return read;
        }
    };
    let mut totals = Totals::new(header.previous);
    let mut at = HEADER_BYTES;
    let mut leaf = Vec::new();
    while let Some(frame) =
        next_batch(bytes.get(at..).unwrap_or_default(), &totals, read.batches.len())
    {
        for record in &frame.1 {
            codec::leaf_bytes(record, &mut leaf);
            totals.tree.push(audit::tree::leaf_hash(&leaf));
        }
        totals.add(&frame.0);
        let meta = frame.0.meta(at as u64);
        at += usize::try_from(meta.length).unwrap_or(usize::MAX);
        read.batches.push(meta);
    }
    read.torn = written(bytes.get(at..).unwrap_or_default());
    if read.torn > 0 && resume(bytes, at, read.batches.len()).is_some() {
        read.damage = Some(format!("batch {} is not what was written", read.batches.len()));
        let first = read.batches.len();
        read_on(bytes, at, first, &mut read.batches);
    }
    read.totals = Some(totals);
    read
}

fn next_batch(
    bytes: &[u8],
    totals: &Totals,
    batch: usize,
) -> Option<(Frame, Vec<traffic::CallRecord>)> {
    let (frame, payload) = Frame::read(bytes).ok()?;
    let expected = usize::try_from(frame.batch) == Ok(batch);
    if !expected || !frame.follows(&totals.chain, bytes, payload) {
        return None;
    }
    let (raw, count) = (usize::try_from(frame.raw).ok()?, usize::try_from(frame.records).ok()?);
    Some((frame, codec::decode(payload, raw, count).ok()?))
}

/// The number of bytes up to the last one that is not zero.
fn written(bytes: &[u8]) -> u64 {
    bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last as u64 + 1)
}

/// The first whole batch after `at` that comes later than batch `after`: a torn end has none.
fn resume(bytes: &[u8], at: usize, after: usize) -> Option<(usize, Frame)> {
    let tail = bytes.get(at..)?;
    let candidates = tail.windows(4).enumerate().filter(|(_, window)| *window == b"PRCB");
    candidates.map(|(offset, _)| at + offset).find_map(|offset| {
        let (frame, _) = Frame::read(bytes.get(offset..)?).ok()?;
        (usize::try_from(frame.batch).ok()? >= after).then_some((offset, frame))
    })
}

/// Every whole batch from `at` on.
fn read_on(bytes: &[u8], mut at: usize, mut after: usize, batches: &mut Vec<BatchMeta>) {
    while let Some((offset, frame)) = resume(bytes, at, after) {
        let meta = frame.meta(offset as u64);
        at = offset + usize::try_from(meta.length).unwrap_or(usize::MAX - offset);
        after = usize::try_from(frame.batch).map_or(usize::MAX, |batch| batch + 1);
        batches.push(meta);
    }
}

//! The file of a segment: its header, batch frames, footer and trailer, as bytes. See the crate's
//! documentation for the layout.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use audit::Frontier;
use base::{Digest, Timestamp};

use crate::error::LogError;
use crate::index::{BatchMeta, Seal};
use crate::wire::{Malformed, Reader, put_varint, put_zigzag};

const HEADER_MAGIC: &[u8; 8] = b"PRTVCALL";
const BATCH_MAGIC: &[u8; 4] = b"PRCB";
const FOOTER_MAGIC: &[u8; 4] = b"PRCF";
const TRAILER_MAGIC: &[u8; 8] = b"PRTVDONE";
const VERSION: u32 = 2;

/// Bytes of a segment's header.
pub(crate) const HEADER_BYTES: usize = 68;
/// Bytes of a batch before its payload.
pub(crate) const FRAME_BYTES: usize = 72;
/// Bytes of a batch's header that its chain link covers.
const CHAINED_BYTES: usize = 36;
const TRAILER_BYTES: usize = 16;
const FOOTER_HEAD_BYTES: usize = 12;

/// The name of a segment's file.
pub(crate) fn path_of(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("calls-{number:020}.seg"))
}

/// The number in a file name that [`path_of`] gives.
pub(crate) fn number_of(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("calls-")?.strip_suffix(".seg")?;
    (digits.len() == 20).then(|| digits.parse().ok()).flatten()
}

/// The first bytes of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) number: u64,
    pub(crate) created_at: Timestamp,
    /// Chain head of the segment before.
    pub(crate) previous: Digest,
}

impl Header {
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER_BYTES);
        out.extend_from_slice(HEADER_MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&0u32.to_le_bytes());
        out.extend_from_slice(&self.number.to_le_bytes());
        out.extend_from_slice(&self.created_at.as_micros().to_le_bytes());
        out.extend_from_slice(&self.previous.0);
        let crc = crc32c::crc32c(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        out
    }

    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let covered = reader.clone().take(HEADER_BYTES - 4)?;
        let (magic, version, zero) = (reader.array::<8>()?, reader.u32()?, reader.u32()?);
        let header = Self {
            number: reader.u64()?,
            created_at: Timestamp::from_micros(reader.i64()?),
            previous: Digest(reader.array()?),
        };
        if magic != *HEADER_MAGIC || zero != 0 || reader.u32()? != crc32c::crc32c(covered) {
            return Err(Malformed("the header is not one"));
        }
        if version != VERSION {
            return Err(Malformed("the header is of another version"));
        }
        Ok(header)
    }
}

/// What stands before a batch's payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) batch: u32,
    pub(crate) records: u32,
    pub(crate) raw: u32,
    pub(crate) packed: u32,
    pub(crate) first_at: Timestamp,
    pub(crate) last_at: Timestamp,
    pub(crate) chain: Digest,
}

impl Frame {
    /// The frame and its payload; `chain` is set to the link after `previous`.
    pub(crate) fn write(&mut self, previous: &Digest, payload: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(BATCH_MAGIC);
        for number in [self.batch, self.records, self.raw, self.packed] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&self.first_at.as_micros().to_le_bytes());
        out.extend_from_slice(&self.last_at.as_micros().to_le_bytes());
        let chained = out.get(start..).unwrap_or_default();
        self.chain = Digest::of(&[&previous.0, chained, payload]);
        out.extend_from_slice(&self.chain.0);
        let crc = crc32c::crc32c(out.get(start..).unwrap_or_default());
        out.extend_from_slice(&crc32c::crc32c_append(crc, payload).to_le_bytes());
        out.extend_from_slice(payload);
    }

    /// The batch at the front of `bytes`, with its payload, when it is whole.
    pub(crate) fn read(bytes: &[u8]) -> Result<(Self, &[u8]), Malformed> {
        let mut reader = Reader::new(bytes);
        let covered = reader.clone().take(FRAME_BYTES - 4)?;
        if reader.array::<4>()? != *BATCH_MAGIC {
            return Err(Malformed("no batch starts here"));
        }
        let frame = Self {
            batch: reader.u32()?,
            records: reader.u32()?,
            raw: reader.u32()?,
            packed: reader.u32()?,
            first_at: Timestamp::from_micros(reader.i64()?),
            last_at: Timestamp::from_micros(reader.i64()?),
            chain: Digest(reader.array()?),
        };
        let crc = reader.u32()?;
        let length = usize::try_from(frame.packed).map_err(|_| Malformed("ends too early"))?;
        let payload = reader.take(length)?;
        if crc32c::crc32c_append(crc32c::crc32c(covered), payload) != crc {
            return Err(Malformed("the checksum of a batch does not fit"));
        }
        Ok((frame, payload))
    }

    /// Whether the chain link follows `previous`. `bytes` starts with this frame.
    pub(crate) fn follows(&self, previous: &Digest, bytes: &[u8], payload: &[u8]) -> bool {
        let chained = bytes.get(..CHAINED_BYTES).unwrap_or_default();
        Digest::of(&[&previous.0, chained, payload]) == self.chain
    }

    pub(crate) fn meta(&self, offset: u64) -> BatchMeta {
        BatchMeta {
            offset,
            length: FRAME_BYTES as u64 + u64::from(self.packed),
            batch: self.batch,
            records: self.records,
            first_at: self.first_at,
            last_at: self.last_at,
        }
    }
}

/// Adds up what the footer says while batches are written or read.
#[derive(Debug, Clone)]
pub(crate) struct Totals {
    pub(crate) records: u64,
    pub(crate) first_at: Timestamp,
    pub(crate) last_at: Timestamp,
    pub(crate) chain: Digest,
    pub(crate) tree: Frontier,
}

impl Totals {
    /// Before the first batch.
    pub(crate) fn new(chain: Digest) -> Self {
        Self {
            records: 0,
            first_at: Timestamp::MAX,
            last_at: Timestamp::MIN,
            chain,
            tree: Frontier::default(),
        }
    }

    pub(crate) fn add(&mut self, frame: &Frame) {
        self.records += u64::from(frame.records);
        self.first_at = self.first_at.min(frame.first_at);
        self.last_at = self.last_at.max(frame.last_at);
        self.chain = frame.chain;
    }

    pub(crate) fn seal(&self, segment: u64, batches: usize) -> Seal {
        Seal {
            segment,
            batches: u32::try_from(batches).unwrap_or(u32::MAX),
            records: self.records,
            first_at: self.first_at,
            last_at: self.last_at,
            chain: self.chain,
            root: self.tree.root(),
        }
    }
}

/// Footer and trailer of a segment, to stand at `offset`.
pub(crate) fn footer_bytes(seal: &Seal, batches: &[BatchMeta], offset: u64) -> Vec<u8> {
    let mut body = Vec::new();
    for number in [seal.segment, seal.records, batches.len() as u64] {
        put_varint(&mut body, number);
    }
    put_zigzag(&mut body, seal.first_at.as_micros());
    put_zigzag(&mut body, seal.last_at.as_micros());
    body.extend_from_slice(&seal.chain.0);
    body.extend_from_slice(&seal.root.0);
    for batch in batches {
        put_varint(&mut body, batch.length);
        put_varint(&mut body, batch.records.into());
        put_zigzag(&mut body, batch.first_at.as_micros());
        put_zigzag(&mut body, batch.last_at.as_micros());
    }
    let mut out = FOOTER_MAGIC.to_vec();
    out.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(&crc32c::crc32c(&body).to_le_bytes());
    out.append(&mut body);
    out.extend_from_slice(&offset.to_le_bytes());
    out.extend_from_slice(TRAILER_MAGIC);
    out
}

/// What a sealed segment's footer says; `None` when the file does not end in a trailer.
pub(crate) fn read_footer(path: &Path) -> Result<Option<(Seal, Vec<BatchMeta>, u64)>, LogError> {
    let file = File::open(path).map_err(LogError::io(path))?;
    let length = file.metadata().map_err(LogError::io(path))?.len();
    let Some(trailer_at) = length.checked_sub(TRAILER_BYTES as u64) else { return Ok(None) };
    let mut trailer = [0; TRAILER_BYTES];
    file.read_exact_at(&mut trailer, trailer_at).map_err(LogError::io(path))?;
    let mut reader = Reader::new(&trailer);
    let (Ok(offset), Ok(magic)) = (reader.u64(), reader.array::<8>()) else { return Ok(None) };
    if magic != *TRAILER_MAGIC || offset >= trailer_at {
        return Ok(None);
    }
    let size = usize::try_from(trailer_at - offset).unwrap_or(usize::MAX);
    let mut bytes = vec![0; size];
    file.read_exact_at(&mut bytes, offset).map_err(LogError::io(path))?;
    Ok(parse_footer(&bytes).ok().map(|(seal, batches)| (seal, batches, length)))
}

fn parse_footer(bytes: &[u8]) -> Result<(Seal, Vec<BatchMeta>), Malformed> {
    let mut head = Reader::new(bytes);
    let (magic, length, crc) = (head.array::<4>()?, head.u32()?, head.u32()?);
    let body = bytes.get(FOOTER_HEAD_BYTES..).unwrap_or_default();
    let fits = usize::try_from(length) == Ok(body.len()) && crc32c::crc32c(body) == crc;
    if magic != *FOOTER_MAGIC || !fits {
        return Err(Malformed("the footer is not one"));
    }
    let mut body = Reader::new(body);
    let (segment, records, count) = (body.varint()?, body.varint()?, body.varint()?);
    let count = u32::try_from(count).map_err(|_| Malformed("the footer is not one"))?;
    let seal = Seal {
        segment,
        batches: count,
        records,
        first_at: Timestamp::from_micros(body.zigzag()?),
        last_at: Timestamp::from_micros(body.zigzag()?),
        chain: Digest(body.array()?),
        root: Digest(body.array()?),
    };
    let (mut batches, mut offset) = (Vec::new(), HEADER_BYTES as u64);
    for batch in 0..count {
        let length = body.varint()?;
        batches.push(BatchMeta {
            offset,
            length,
            batch,
            records: u32::try_from(body.varint()?).map_err(|_| Malformed("a count overflows"))?,
            first_at: Timestamp::from_micros(body.zigzag()?),
            last_at: Timestamp::from_micros(body.zigzag()?),
        });
        offset = offset.checked_add(length).ok_or(Malformed("an offset overflows"))?;
    }
    if !body.is_empty() {
        return Err(Malformed("the footer is not one"));
    }
    Ok((seal, batches))
}

/// Makes a rename, creation or deletion in a directory last through a power loss.
pub(crate) fn sync_directory(directory: &Path) -> Result<(), LogError> {
    let open = File::open(directory).map_err(LogError::io(directory))?;
    open.sync_all().map_err(LogError::io(directory))
}

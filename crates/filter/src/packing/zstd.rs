//! Zstandard. The library reads frames from a source that waits; here none waits. So the blocks are
//! counted out to it, one at a time, which is also what bounds how much it unpacks at once.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use zrip_decode::streaming::FrameDecoder;

use super::{Broken, Step};

/// The most that a block can hold, packed or not (RFC 8878 §3.1.1.2.3).
pub(super) const BLOCK_BYTES_MAX: usize = 128 * 1_024;
/// The largest window that a receiver has to take (RFC 9659 §3).
const WINDOW_BYTES_MAX: u64 = 8 * 1_024 * 1_024;

const DAMAGED: Broken = "it is not what it says, or damaged";
const MAGIC: u32 = 0xfd2f_b528;
/// Sixteen magic numbers of frames that are skipped.
const SKIPPED_MAGIC: u32 = 0x184d_2a50;
const RAW: usize = 0;
const RUN: usize = 1;

#[derive(Debug, Clone, Copy)]
enum Next {
    Frame,
    Skipped(u32),
    Block { checksum: bool },
}

pub(super) struct Zstd {
    decoder: FrameDecoder<Source>,
    source: Source,
    next: Next,
    /// A frame has ended.
    ended: bool,
}

impl Default for Zstd {
    fn default() -> Self {
        let source = Source::default();
        // There is no bound on the length of a body: what it may take at once has one.
        let decoder = FrameDecoder::with_limit(source.clone(), usize::MAX);
        Self { decoder, source, next: Next::Frame, ended: false }
    }
}

impl Zstd {
    /// `out` has room for a block.
    pub(super) fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, Broken> {
        match self.next {
            Next::Frame => self.frame(input),
            Next::Skipped(left) => {
                let skipped = input.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                let left = left.saturating_sub(u32::try_from(skipped).unwrap_or(left));
                self.next = if left == 0 { Next::Frame } else { Next::Skipped(left) };
                Ok(Step { read: skipped, written: 0 })
            }
            Next::Block { checksum } => self.block(input, out, checksum),
        }
    }

    fn frame(&mut self, input: &[u8]) -> Result<Step, Broken> {
        let Some(magic) = number(input, 0, 4) else { return Ok(Step::default()) };
        if magic & !0xf == u64::from(SKIPPED_MAGIC) {
            let Some(length) = number(input, 4, 4) else { return Ok(Step::default()) };
            let length = u32::try_from(length).unwrap_or(u32::MAX);
            self.next = if length == 0 { Next::Frame } else { Next::Skipped(length) };
            return Ok(Step { read: 8, written: 0 });
        }
        if magic != u64::from(MAGIC) {
            return Err(DAMAGED);
        }
        let Some(head) = input.get(4).and_then(|byte| FrameHead::read(*byte, input)) else {
            return Ok(Step::default());
        };
        if head.window > WINDOW_BYTES_MAX {
            return Err("its window is larger than 8 MiB");
        }
        self.source.replace(input.get(..head.bytes).unwrap_or_default());
        self.decoder.reset(self.source.clone());
        self.ended = false;
        self.next = Next::Block { checksum: head.checksum };
        Ok(Step { read: head.bytes, written: 0 })
    }

    fn block(&mut self, input: &[u8], out: &mut [u8], checksum: bool) -> Result<Step, Broken> {
        let head = number(input, 0, 3).and_then(|head| usize::try_from(head).ok());
        let Some(head) = head else { return Ok(Step::default()) };
        let (last, kind, size) = (head & 1 == 1, (head >> 1) & 3, head >> 3);
        if size > BLOCK_BYTES_MAX {
            return Err(DAMAGED);
        }
        let body = if kind == RUN { 1 } else { size };
        let read = 3 + body + if last && checksum { 4 } else { 0 };
        let Some(block) = input.get(..read) else { return Ok(Step::default()) };
        let empty = size == 0 && (kind == RAW || kind == RUN);
        if empty && !last {
            // The library would go on to the next one, which is not there.
            return Ok(Step { read, written: 0 });
        }
        self.source.extend(block);
        let written = self.decoder.read(out).map_err(|_| DAMAGED)?;
        if last {
            // The end of the frame is looked at after what is in it was taken.
            if written > 0 && self.decoder.read(&mut [0]).map_err(|_| DAMAGED)? > 0 {
                return Err(DAMAGED);
            }
            self.ended = true;
            self.next = Next::Frame;
        }
        if self.source.is_empty() { Ok(Step { read, written }) } else { Err(DAMAGED) }
    }

    pub(super) fn is_whole(&self) -> bool {
        self.ended && matches!(self.next, Next::Frame)
    }
}

/// What the head of a frame says (RFC 8878 §3.1.1.1), as far as it is of interest here.
struct FrameHead {
    /// Bytes up to the first block.
    bytes: usize,
    window: u64,
    checksum: bool,
}

impl FrameHead {
    /// `None` when the input ends before it does.
    fn read(descriptor: u8, input: &[u8]) -> Option<Self> {
        let single = descriptor & 0x20 != 0;
        let dictionary = match descriptor & 3 {
            3 => 4,
            bytes => usize::from(bytes),
        };
        let size = match descriptor >> 6 {
            0 => usize::from(single),
            log => 1 << log,
        };
        let size_at = 5 + usize::from(!single) + dictionary;
        let bytes = size_at + size;
        input.get(..bytes)?;
        let window = if single {
            let more = if size == 2 { 256 } else { 0 };
            number(input, size_at, size)?.saturating_add(more)
        } else {
            let window = u64::from(*input.get(5)?);
            let base = 1_u64 << (10 + (window >> 3));
            base + (base / 8) * (window & 7)
        };
        Some(Self { bytes, window, checksum: descriptor & 4 != 0 })
    }
}

/// A little-endian number of so many bytes.
fn number(input: &[u8], at: usize, bytes: usize) -> Option<u64> {
    let written = input.get(at..at.checked_add(bytes)?)?;
    Some(written.iter().rev().fold(0, |number, byte| (number << 8) | u64::from(*byte)))
}

/// What the library may read: the block that is its turn.
#[derive(Clone, Default)]
struct Source(Arc<Mutex<VecDeque<u8>>>);

impl Source {
    fn replace(&self, bytes: &[u8]) {
        self.with(|queue| {
            queue.clear();
            queue.extend(bytes);
        });
    }

    fn extend(&self, bytes: &[u8]) {
        self.with(|queue| queue.extend(bytes));
    }

    fn is_empty(&self) -> bool {
        self.with(|queue| queue.is_empty())
    }

    fn with<T>(&self, act: impl FnOnce(&mut VecDeque<u8>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Read for Source {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.with(|queue| queue.read(out))
    }
}

//! Gzip and deflate.

use zlib_rs::{Inflate, InflateFlush, Status};

use super::{BEHIND_END, Broken, Step};

/// The library's word for a gzip header around a window of 32 KiB.
const GZIP_WINDOW: u8 = 16 + 15;
const ZLIB_WINDOW: u8 = 15;

pub(super) struct Flate {
    inflate: Inflate,
    window: u8,
    /// A stream has ended: its checksum and its length were right.
    ended: bool,
}

impl Flate {
    pub(super) fn gzip() -> Self {
        Self::of(GZIP_WINDOW)
    }

    pub(super) fn zlib() -> Self {
        Self::of(ZLIB_WINDOW)
    }

    fn of(window: u8) -> Self {
        Self { inflate: Inflate::new(true, window), window, ended: false }
    }

    pub(super) fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, Broken> {
        if self.ended {
            if input.is_empty() {
                return Ok(Step::default());
            }
            if self.window != GZIP_WINDOW {
                return Err(BEHIND_END);
            }
            // Another member (RFC 1952 §2.2); what is none has no header.
            *self = Self::gzip();
        }
        let before = (self.inflate.total_in(), self.inflate.total_out());
        let status = self.inflate.decompress(input, out, InflateFlush::NoFlush);
        let status = status.map_err(|_| "it is not what it says, or damaged")?;
        self.ended = status == Status::StreamEnd;
        let read = usize::try_from(self.inflate.total_in() - before.0).unwrap_or(usize::MAX);
        let written = usize::try_from(self.inflate.total_out() - before.1).unwrap_or(usize::MAX);
        Ok(Step { read, written })
    }

    pub(super) fn is_whole(&self) -> bool {
        self.ended
    }
}

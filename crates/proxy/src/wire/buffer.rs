//! The two buffers of a connection. Both are kept and reused for its whole life.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Socket;

const FIRST_BYTES: usize = 8 * 1024;
const GROWN_BYTES_MAX: usize = 64 * 1024;

/// Bytes that came in and were not consumed yet.
#[derive(Default)]
pub(crate) struct Incoming {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Incoming {
    /// What is there.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Whether nothing more fits before something is consumed.
    pub(crate) fn is_full(&self) -> bool {
        self.end - self.start >= GROWN_BYTES_MAX
    }

    /// Drops the first `count` bytes.
    pub(crate) fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
    }

    /// Takes everything out.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        let taken = self.bytes().to_vec();
        self.consume(taken.len());
        taken
    }

    pub(crate) fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        socket: &mut Socket,
    ) -> Poll<io::Result<usize>> {
        self.make_room();
        let room = self.bytes.get_mut(self.end..).unwrap_or_default();
        if room.is_empty() {
            return Poll::Ready(Err(io::ErrorKind::OutOfMemory.into()));
        }
        let mut buffer = ReadBuf::new(room);
        ready!(Pin::new(socket).poll_read(cx, &mut buffer))?;
        let count = buffer.filled().len();
        self.end += count;
        Poll::Ready(Ok(count))
    }

    /// A buffer that was filled to the brim doubles: the peer has more to send than we ask for.
    fn make_room(&mut self) {
        if self.end < self.bytes.len() {
            return;
        }
        if self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        } else {
            let doubled = (self.bytes.len() * 2).clamp(FIRST_BYTES, GROWN_BYTES_MAX);
            self.bytes.resize(doubled, 0);
        }
    }
}

/// Bytes that wait to go out.
#[derive(Default)]
pub(crate) struct Outgoing {
    bytes: Vec<u8>,
    sent: usize,
}

impl Outgoing {
    /// Where to append. What was sent makes room: all at once when nothing waits, else in large
    /// steps, because a slow peer may never have taken everything.
    pub(crate) fn bytes_mut(&mut self) -> &mut Vec<u8> {
        if self.is_empty() {
            self.clear();
        } else if self.sent >= GROWN_BYTES_MAX {
            self.bytes.drain(..self.sent);
            self.sent = 0;
        }
        &mut self.bytes
    }

    /// Everything is sent.
    pub(crate) fn is_empty(&self) -> bool {
        self.sent == self.bytes.len()
    }

    /// Enough waits: let the peer take some of it first.
    pub(crate) fn is_full(&self) -> bool {
        self.unsent() >= GROWN_BYTES_MAX
    }

    /// How many bytes wait.
    pub(crate) fn unsent(&self) -> usize {
        self.bytes.len() - self.sent
    }

    /// Forgets everything, sent or not.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.sent = 0;
    }

    /// Replaces everything.
    pub(crate) fn replace(&mut self, bytes: Vec<u8>) {
        self.bytes = bytes;
        self.sent = 0;
    }

    /// Everything that [`Outgoing::replace`] put here, sent or not, to be sent elsewhere. Empty if
    /// anything was appended after it was sent.
    pub(crate) fn recall(&mut self) -> Vec<u8> {
        self.sent = 0;
        std::mem::take(&mut self.bytes)
    }

    pub(crate) fn poll_drain(
        &mut self,
        cx: &mut Context<'_>,
        socket: &mut Socket,
    ) -> Poll<io::Result<()>> {
        while let Some(rest @ [_, ..]) = self.bytes.get(self.sent..) {
            match ready!(Pin::new(&mut *socket).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.sent += count,
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests;

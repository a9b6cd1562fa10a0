//! Bytes to and from one peer: a socket, what came in and was not read yet, what waits to go out.

use std::io;
use std::task::{Context, Poll, ready};

mod buffer;
mod deadline;
mod rewound;
mod socket;

pub(crate) use buffer::{Incoming, Outgoing};
pub(crate) use deadline::Deadline;
pub(crate) use rewound::Rewound;
pub(crate) use socket::Socket;

/// One connection with its buffers.
pub(crate) struct Wire {
    pub(crate) socket: Socket,
    pub(crate) input: Incoming,
    pub(crate) output: Outgoing,
    /// TLS still holds back some of what was written.
    flushing: bool,
}

impl Wire {
    pub(crate) fn new(socket: Socket) -> Self {
        Self { socket, input: Incoming::default(), output: Outgoing::default(), flushing: false }
    }

    /// Reads once into the input. 0 = the peer has ended its side.
    pub(crate) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.input.poll_fill(cx, &mut self.socket)
    }

    /// Nothing waits to go out.
    pub(crate) fn is_drained(&self) -> bool {
        self.output.is_empty() && !self.flushing
    }

    /// Writes all of the output.
    pub(crate) fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_drained() {
            return Poll::Ready(Ok(()));
        }
        self.flushing = true;
        ready!(self.output.poll_drain(cx, &mut self.socket))?;
        ready!(self.socket.poll_flush_tls(cx))?;
        self.flushing = false;
        Poll::Ready(Ok(()))
    }
}

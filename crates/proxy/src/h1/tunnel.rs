//! After 101: bytes both ways, forwarded as they are. Ends when both sides have ended, one breaks,
//! or nothing moves for too long.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::AsyncWrite;

use crate::stage::Tally;
use crate::wire::{Deadline, Wire};

mod frames;

pub(super) use frames::CLOSE;
use frames::Frames;

/// One direction.
#[derive(Default)]
struct Direction {
    ended: bool,
    shut: bool,
    bytes: u64,
}

impl Direction {
    /// Moves bytes on; true when something moved.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut Wire,
        to: &mut Wire,
        frames: Option<&mut Frames>,
    ) -> io::Result<bool> {
        let mut moved = false;
        if !from.input.is_empty() && !to.output.is_full() {
            if let Some(frames) = frames {
                frames.pass(from.input.bytes());
            }
            to.output.bytes_mut().extend_from_slice(from.input.bytes());
            let count = from.input.bytes().len();
            from.input.consume(count);
            self.bytes += count as u64;
            moved = true;
        }
        if !to.is_drained() {
            match to.poll_drain(cx) {
                Poll::Ready(Ok(())) => moved = true,
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => return Ok(moved),
            }
        }
        if self.ended {
            if !self.shut && Pin::new(&mut to.socket).poll_shutdown(cx).is_ready() {
                self.shut = true;
            }
            return Ok(moved);
        }
        match from.poll_fill(cx) {
            Poll::Ready(Ok(0)) => self.ended = true,
            Poll::Ready(Ok(_)) => {}
            Poll::Ready(Err(error)) => return Err(error),
            Poll::Pending => return Ok(moved),
        }
        Ok(true)
    }
}

/// A tunnel between two wires.
pub(super) struct Tunnel<'t> {
    caller: &'t mut Wire,
    upstream: &'t mut Wire,
    deadline: &'t mut Deadline,
    idle: Duration,
    tally: &'t mut Tally,
    up: Direction,
    down: Direction,
    /// Of what the upstream sends.
    frames: Frames,
}

impl<'t> Tunnel<'t> {
    pub(super) fn new(
        caller: &'t mut Wire,
        upstream: &'t mut Wire,
        deadline: &'t mut Deadline,
        idle: Duration,
        tally: &'t mut Tally,
    ) -> Self {
        deadline.set(idle);
        let (up, down, frames) = Default::default();
        Self { caller, upstream, deadline, idle, tally, up, down, frames }
    }

    /// Carries the tunnel to its end, and counts its bytes as they move.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Self { caller, upstream, up, down, frames, .. } = self;
        loop {
            let before = (up.bytes, down.bytes);
            let moved = up
                .poll(cx, caller, upstream, None)
                .and_then(|moved| Ok(down.poll(cx, upstream, caller, Some(&mut *frames))? | moved));
            // The 101 waited in the output and is no part of the new protocol.
            self.tally.bytes_in += up.bytes - before.0;
            self.tally.bytes_out += down.bytes - before.1;
            let Ok(moved) = moved else { return Poll::Ready(()) };
            if up.shut && down.shut {
                return Poll::Ready(());
            }
            if !moved {
                return self.deadline.poll(cx);
            }
            self.deadline.set(self.idle);
        }
    }

    /// A frame of the gate's own may follow what is on its way to the caller.
    pub(super) fn is_between_frames(&self) -> bool {
        !self.down.ended && self.frames.is_between()
    }
}

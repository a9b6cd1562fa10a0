//! After 101: bytes both ways, unread. Ends when both sides have ended, one breaks, or nothing moves
//! for too long.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::AsyncWrite;

use crate::stage::Tally;
use crate::wire::{Deadline, Wire};

/// One direction.
#[derive(Default)]
struct Direction {
    ended: bool,
    shut: bool,
    bytes: u64,
}

impl Direction {
    /// Moves bytes on; true when something moved.
    fn poll(&mut self, cx: &mut Context<'_>, from: &mut Wire, to: &mut Wire) -> io::Result<bool> {
        let mut moved = false;
        if !from.input.is_empty() && !to.output.is_full() {
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

/// Carries the tunnel to its end, and counts its bytes into `tally` as they move.
pub(super) async fn carry(
    caller: &mut Wire,
    upstream: &mut Wire,
    deadline: &mut Deadline,
    idle: Duration,
    tally: &mut Tally,
) {
    let (mut up, mut down) = (Direction::default(), Direction::default());
    let before = (tally.bytes_in, tally.bytes_out);
    deadline.set(idle);
    std::future::poll_fn(|cx| {
        loop {
            let moved = up
                .poll(cx, caller, upstream)
                .and_then(|moved| Ok(down.poll(cx, upstream, caller)? | moved));
            tally.bytes_in = before.0 + up.bytes;
            // The 101 waited in the output and is no part of the new protocol.
            tally.bytes_out = before.1 + down.bytes;
            let Ok(moved) = moved else { return Poll::Ready(()) };
            if up.shut && down.shut {
                return Poll::Ready(());
            }
            if !moved {
                return deadline.poll(cx);
            }
            deadline.set(idle);
        }
    })
    .await;
}

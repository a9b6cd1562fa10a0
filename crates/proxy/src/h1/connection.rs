//! A caller's HTTP/1.1 connection: one request after the other, until either side has enough.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};
use traffic::headers::Version;
use traffic::{Reason, grpc};

use super::exchange::pace::Pace;
use super::head::{self, field_space};
use super::response::Departure;
use crate::gate::Worker;
use crate::refusal::Refused;
use crate::stage::{self, Admitted, Arrival, Lease, Peer, Verdict};
use crate::wire::{Deadline, Wire};

mod body;
mod bridge;
mod close;
mod forward;

use body::Waiting;

/// What an HTTP/2 connection starts with (RFC 9113 §3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A caller's connection.
pub(crate) struct Connection {
    worker: Arc<Worker>,
    wire: Wire,
    peer: Peer,
    deadline: Deadline,
    lease: Lease,
    shutdown: CancellationToken,
    /// No request was read yet: the connection may still turn out to be HTTP/2.
    is_fresh: bool,
    /// Where the search for the end of the head goes on.
    searched: usize,
    /// The empty line that may stand before a request was there.
    skipped_line: bool,
}

/// How the serving of a connection ended.
pub(crate) enum Served {
    Closed,
    /// The caller speaks HTTP/2; the bytes read so far are in the wire.
    Http2(Wire),
}

/// How a request came, for answers that need no more of it.
#[derive(Debug, Clone, Copy)]
struct Manner {
    version: Version,
    to_head: bool,
    keep_alive: bool,
    grpc: bool,
}

enum Next {
    Request(Result<Box<Admitted>, Box<Refused>>, Manner),
    Waits(Box<Waiting>, Manner),
    Http2,
    Closed,
}

impl Connection {
    pub(crate) fn new(
        worker: Arc<Worker>,
        wire: Wire,
        peer: Peer,
        shutdown: CancellationToken,
    ) -> Self {
        let deadline = Deadline::after(worker.core().config.patience.first_byte);
        let (is_fresh, searched, skipped_line) = (true, 0, false);
        let lease = Lease::new();
        Self { worker, wire, peer, deadline, lease, shutdown, is_fresh, searched, skipped_line }
    }

    /// Serves requests until the connection ends.
    pub(crate) async fn serve(mut self) -> Served {
        let shutdown = self.shutdown.clone();
        let mut stopping = std::pin::pin!(shutdown.cancelled());
        loop {
            let next = std::future::poll_fn(|cx| self.poll_next(cx, stopping.as_mut())).await;
            let goes_on = match next {
                Next::Closed => return Served::Closed,
                Next::Http2 => return Served::Http2(self.wire),
                Next::Waits(waiting, manner) => match self.wait_and_admit(*waiting, manner).await {
                    Ok(admitted) => self.forward(*admitted, manner).await,
                    Err(refused) => self.refuse(*refused, manner).await,
                },
                Next::Request(Ok(admitted), manner) => self.forward(*admitted, manner).await,
                Next::Request(Err(refused), manner) => self.refuse(*refused, manner).await,
            };
            if !goes_on {
                return Served::Closed;
            }
            self.await_next();
        }
    }

    fn await_next(&mut self) {
        let patience = &self.worker.core().config.patience;
        let is_idle = self.wire.input.is_empty();
        self.deadline.set(if is_idle { patience.keep_alive } else { patience.head });
        self.is_fresh = false;
        self.searched = 0;
        self.skipped_line = false;
    }

    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        mut stopping: Pin<&mut WaitForCancellationFuture<'_>>,
    ) -> Poll<Next> {
        loop {
            if let Some(next) = self.take_request() {
                return Poll::Ready(next);
            }
            let was_empty = self.wire.input.is_empty();
            if was_empty && stopping.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Next::Closed);
            }
            match self.wire.poll_fill(cx) {
                Poll::Ready(Ok(count)) if count > 0 => {
                    if was_empty {
                        self.deadline.set(self.worker.core().config.patience.head);
                    }
                }
                Poll::Ready(_) => return Poll::Ready(Next::Closed),
                Poll::Pending => {
                    return self.deadline.poll(cx).map(|()| self.timed_out());
                }
            }
        }
    }

    /// An idle connection closes silently; a head that never ends is answered.
    fn timed_out(&self) -> Next {
        if self.wire.input.is_empty() {
            return Next::Closed;
        }
        self.refused_unread(Reason::RequestTimeout)
    }

    fn refused_unread(&self, reason: Reason) -> Next {
        let journal = self.worker.open_journal(self.peer.ip);
        let refused = Refused::and_close(journal, reason);
        let manner =
            Manner { version: Version::Http11, to_head: false, keep_alive: false, grpc: false };
        Next::Request(Err(Box::new(refused)), manner)
    }

    /// Reads and judges the next request, once its head is complete.
    fn take_request(&mut self) -> Option<Next> {
        if self.is_fresh && self.wire.input.bytes().starts_with(b"PRI") {
            if self.wire.input.bytes().starts_with(PREFACE) {
                return Some(Next::Http2);
            }
            if PREFACE.starts_with(self.wire.input.bytes()) {
                return None;
            }
        }
        if !self.skipped_line && self.wire.input.bytes().starts_with(b"\r\n") {
            // One empty line before a request is forgiven (RFC 9112 §2.2). One only: each starts
            // the time for a head anew.
            self.wire.input.consume(2);
            self.skipped_line = true;
            self.searched = 0;
        }
        if !self.may_be_complete() {
            return None;
        }
        let (next, consumed) = self.judge()?;
        self.wire.input.consume(consumed);
        Some(next)
    }

    /// A head ends in a line feed: without a new one there is nothing new to parse. Callers that
    /// send a byte at a time cost a byte's work at a time.
    fn may_be_complete(&mut self) -> bool {
        let input = self.wire.input.bytes();
        let fresh = input.get(self.searched..).unwrap_or_default();
        let found = memchr::memchr(b'\n', fresh).is_some();
        self.searched = input.len();
        found || input.len() >= self.worker.core().config.limits.head_bytes
    }

    fn judge(&self) -> Option<(Next, usize)> {
        let mut space = field_space();
        let limits = &self.worker.core().config.limits;
        let head = match head::read(self.wire.input.bytes(), limits, &mut space) {
            Ok(head) => head?,
            Err(reason) => return Some((self.refused_unread(reason), 0)),
        };
        let arrival = Arrival {
            version: head.version,
            method: head.method,
            target: head.target,
            authority: None,
            fields: head.fields,
            streams_body: false,
        };
        let verdict = stage::admit(&self.worker, &self.peer, &arrival, None);
        let is_call = |field: &httparse::Header<'_>| {
            field.name.eq_ignore_ascii_case("content-type") && grpc::is_call(field.value)
        };
        let mut manner = Manner {
            version: head.version,
            to_head: head.method == "HEAD",
            keep_alive: false,
            grpc: head.fields.iter().any(is_call),
        };
        let next = match verdict {
            Verdict::Admitted(admitted) => {
                manner.grpc = admitted.traits().grpc;
                Next::Request(Ok(Box::new(admitted)), manner)
            }
            Verdict::Refused(refused) => Next::Request(Err(Box::new(refused)), manner),
            Verdict::Waits(pending) => {
                manner.keep_alive = pending.keep_alive;
                let head = self.wire.input.bytes().get(..head.bytes).unwrap_or_default().to_vec();
                Next::Waits(Box::new(Waiting { head, pending }), manner)
            }
        };
        Some((next, head.bytes))
    }

    /// Answers a request that is not forwarded. True when the connection can go on.
    async fn refuse(&mut self, refused: Refused, manner: Manner) -> bool {
        let keep_alive = refused.is_reusable() && !self.shutdown.is_cancelled();
        let (answer, open) = refused.answer(manner.grpc);
        let answer = open.record(answer).await;
        let departure = Departure { version: manner.version, keep_alive };
        answer.write(departure, manner.to_head, self.wire.output.bytes_mut());
        let sent = self.drain().await;
        if sent && !keep_alive {
            self.linger().await;
        }
        sent && keep_alive
    }

    fn pace(&self) -> Pace {
        Pace::new(&self.worker.core().config.patience)
    }
}

//! Waits for what a decision asks for: a body, which is read before it, or what sources say.

use std::task::Poll;

use traffic::Reason;
use traffic::headers::Version;

use super::{Connection, Manner};
use crate::h1::body::Decoder;
use crate::h1::exchange::pace::{Wait, Watch};
use crate::h1::head::{self, field_space};
use crate::refusal::Refused;
use crate::stage::{self, Admitted, Arrival, JudgedBody, Needs, Pending, Verdict};

/// A request that waits, with the bytes of its head: they leave the input before the body can come
/// in.
pub(super) struct Waiting {
    pub(super) head: Vec<u8>,
    pub(super) pending: Pending,
}

impl Connection {
    /// Waits for what a request needs, then takes the request through the stages again with it,
    /// until it needs nothing more.
    pub(super) async fn wait_and_admit(
        &mut self,
        waiting: Waiting,
        manner: Manner,
    ) -> Result<Box<Admitted>, Box<Refused>> {
        let Waiting { head, mut pending } = waiting;
        let mut space = field_space();
        let limits = &self.worker.core().config.limits;
        // The same bytes were a head before; they are one again.
        let Ok(Some(head)) = head::read(&head, limits, &mut space) else {
            return Err(Box::new(Refused::and_close(pending.journal, Reason::MalformedRequest)));
        };
        let arrival = Arrival {
            version: head.version,
            method: head.method,
            target: head.target,
            authority: None,
            fields: head.fields,
            streams_body: false,
        };
        let mut body = None;
        loop {
            match pending.needs {
                Needs::Relations(..) => pending.ask(&self.worker.core().lookups).await,
                Needs::Body { refuses_ambiguity } if body.is_none() => {
                    let read = self.invite_body(&pending, manner).await;
                    let read =
                        read.map(|read| JudgedBody::of(read, head.fields, refuses_ambiguity));
                    body = match read {
                        Ok(read) => Some(read),
                        Err(reason) => {
                            return Err(Box::new(Refused::and_close(pending.journal, reason)));
                        }
                    };
                }
                Needs::Body { .. } => {
                    let reason = Reason::PolicyError;
                    return Err(Box::new(Refused::and_close(pending.journal, reason)));
                }
            }
            let resumed = Some(pending.resume(body.as_ref()));
            match stage::admit(&self.worker, &self.peer, &arrival, resumed) {
                Verdict::Admitted(admitted) => return Ok(Box::new(admitted)),
                // With the body read the connection can go on.
                Verdict::Refused(refused) if body.is_some() => {
                    return Err(Box::new(refused.after_body(manner.keep_alive)));
                }
                Verdict::Refused(refused) => return Err(Box::new(refused)),
                Verdict::Waits(next) => pending = next,
            }
        }
    }

    async fn invite_body(&mut self, pending: &Pending, manner: Manner) -> Result<Vec<u8>, Reason> {
        if pending.expects_continue && manner.version == Version::Http11 {
            self.wire.output.bytes_mut().extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
            self.drain().await;
        }
        self.read_body(pending).await
    }

    async fn read_body(&mut self, pending: &Pending) -> Result<Vec<u8>, Reason> {
        let max = self.worker.core().config.limits.judged_body_bytes;
        let mut decoder = Decoder::new(pending.framing);
        let mut watch = Watch::new(self.pace());
        let mut body = Vec::new();
        std::future::poll_fn(|cx| {
            watch.wake();
            loop {
                while !decoder.has_ended() {
                    let decoded = decoder.decode(self.wire.input.bytes());
                    let Ok(decoded) = decoded else {
                        return Poll::Ready(Err(Reason::MalformedRequest));
                    };
                    if body.len() + decoded.data.len() > max {
                        return Poll::Ready(Err(Reason::TooLarge));
                    }
                    let consumed = decoded.consumed;
                    body.extend_from_slice(decoded.data);
                    self.wire.input.consume(consumed);
                    if consumed == 0 {
                        break;
                    }
                }
                if decoder.has_ended() {
                    return Poll::Ready(Ok(()));
                }
                match self.wire.poll_fill(cx) {
                    Poll::Ready(Ok(count)) if count > 0 => {
                        watch.progressed(count);
                        watch.moved();
                    }
                    Poll::Ready(_) => return Poll::Ready(Err(Reason::Cancelled)),
                    Poll::Pending => break,
                }
            }
            watch
                .poll(&mut self.deadline, cx, Wait::CallerSends, pending.timeouts)
                .map(|()| Err(Reason::RequestTimeout))
        })
        .await?;
        Ok(body)
    }
}

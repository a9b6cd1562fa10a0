//! One exchange between a caller's HTTP/1.1 connection and an upstream's HTTP/2 stream.

use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::StatusCode;
use http::header::HeaderMap;
use traffic::headers::Version;
use traffic::{Reason, StreamKind};

use super::body::{Decoder, Encoder};
use super::exchange::pace::{Pace, Wait, Watch};
use super::exchange::{Fault, Finish, Terms, expired};
use super::response::{Departure, write_reply};
use super::trailers;
use crate::outflow::Outflow;
use crate::stage::Tally;
use crate::upstream::passage::{Broken, Passage, Piece, ReplyHead};
use crate::watching::Noticed;
use crate::wire::{Deadline, Wire};

pub(super) struct Bridge<'c> {
    caller: &'c mut Wire,
    upstream: Passage,
    deadline: &'c mut Deadline,
    watch: Watch,
    terms: Terms<'c>,
    upload: Decoder,
    /// Once there is a head.
    encoder: Option<Encoder>,
    outflow: Outflow,
    /// The upstream's answer is there to its end.
    received: bool,
    trailers: Option<HeaderMap>,
    /// The end of the answer is in the output.
    ended: bool,
    caller_reusable: bool,
    released: bool,
    status: u16,
    tally: &'c mut Tally,
}

impl From<Broken> for Fault {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Dead => Self::Dead,
            Broken::Upstream(reason) => Self::Upstream(reason),
            Broken::Withheld(reason) => Self::Withheld(reason),
        }
    }
}

impl<'c> Bridge<'c> {
    pub(super) fn new(
        caller: &'c mut Wire,
        upstream: Passage,
        deadline: &'c mut Deadline,
        pace: Pace,
        terms: Terms<'c>,
        outflow: Outflow,
        tally: &'c mut Tally,
    ) -> Self {
        Self {
            caller,
            upstream,
            deadline,
            watch: Watch::new(pace),
            upload: Decoder::new(terms.traits.uploads()),
            terms,
            encoder: None,
            outflow,
            received: false,
            trailers: None,
            ended: false,
            caller_reusable: false,
            released: false,
            status: 0,
            tally,
        }
    }

    /// Ends the exchange because the caller may not go on.
    pub(super) fn end(&self, reason: Reason) -> Finish {
        Fault::Caller(reason).finish(self.released)
    }

    /// The head that can be sent again, if the upstream never saw it; and what was noticed of the
    /// messages.
    pub(super) fn conclude(self) -> (Passage, Noticed) {
        let Self { upstream, upload, mut outflow, received, .. } = self;
        let noticed = outflow.noticed(upload.has_ended(), received);
        (upstream, noticed)
    }

    /// Drives both directions until the exchange is over.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Finish> {
        self.watch.wake();
        self.outflow.begin_turn();
        loop {
            let moved = match self.poll_upload(cx).and_then(|up| Ok(self.poll_download(cx)? | up)) {
                Ok(moved) => moved,
                Err(fault) => return Poll::Ready(fault.finish(self.released)),
            };
            let done = self.ended && (self.caller.is_drained() || self.terms.durable);
            if done {
                self.tally.status = self.status;
                let (caller, released) = (self.caller_reusable, self.released);
                return Poll::Ready(Finish::Complete { caller, upstream: false, released });
            }
            if !moved {
                break;
            }
            self.watch.moved();
            if self.outflow.turn_is_over() {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
        let wait = self.waits_for();
        ready!(self.watch.poll(self.deadline, cx, wait, self.terms.traits.timeouts));
        Poll::Ready(expired(wait).finish(self.released))
    }

    fn poll_upload(&mut self, cx: &mut Context<'_>) -> Result<bool, Fault> {
        let mut moved = self.take_body()?;
        moved |= self.upstream.poll_send(cx);
        // After the body the caller is still read, to notice that it left.
        let wants_body = !self.upload.has_ended() && self.wants_body();
        if (wants_body || self.upload.has_ended()) && !self.caller.input.is_full() {
            match self.caller.poll_fill(cx) {
                Poll::Ready(Ok(count)) if count > 0 => {
                    self.watch.progressed(count);
                    moved |= wants_body;
                }
                Poll::Ready(_) => return Err(Fault::Caller(Reason::Cancelled)),
                Poll::Pending => {}
            }
        }
        Ok(moved)
    }

    fn wants_body(&self) -> bool {
        self.upstream.takes_more() || self.upstream.is_broken()
    }

    /// Moves what is there of the request's body towards the upstream.
    fn take_body(&mut self) -> Result<bool, Fault> {
        let mut moved = false;
        while !self.upload.has_ended() && self.wants_body() {
            let decoded = self.upload.decode(self.caller.input.bytes());
            let decoded = decoded.map_err(|_| Fault::Caller(Reason::MalformedRequest))?;
            let (consumed, data) = (decoded.consumed, Bytes::copy_from_slice(decoded.data));
            self.caller.input.consume(consumed);
            self.tally.bytes_in += data.len() as u64;
            if self.tally.bytes_in > self.terms.body_bytes_max {
                return Err(Fault::Caller(Reason::TooLarge));
            }
            self.outflow.send(&data).map_err(Fault::Caller)?;
            if !self.upstream.is_broken() {
                self.upstream.push(data);
                if self.upload.has_ended() {
                    let trailers = trailers::read(self.upload.trailers());
                    let trailers = trailers.map_err(|_| Fault::Caller(Reason::MalformedRequest))?;
                    self.upstream.finish(trailers);
                }
            }
            if consumed == 0 {
                break;
            }
            moved = true;
        }
        Ok(moved)
    }

    fn poll_download(&mut self, cx: &mut Context<'_>) -> Result<bool, Fault> {
        let mut moved = false;
        if self.encoder.is_none() {
            match self.upstream.poll_head(cx, &mut self.outflow)? {
                Poll::Pending => return Ok(false),
                Poll::Ready(head) => self.begin(&head),
            }
            moved = true;
        }
        while !self.ended
            && self.has_room()
            && !self.outflow.turn_is_over()
            && self.take_piece(cx)?
        {
            moved = true;
        }
        let holds_back = self.terms.durable && self.ended;
        if !self.caller.is_drained() && !holds_back && !self.outflow.is_undecided() {
            moved |= self.release(cx)?;
        }
        Ok(moved)
    }

    /// What waits for its check goes nowhere yet, so nothing has to make room for it.
    fn has_room(&self) -> bool {
        self.outflow.is_holding() || !self.caller.output.is_full()
    }

    /// Moves one piece of the answer. False when there is none.
    fn take_piece(&mut self, cx: &mut Context<'_>) -> Result<bool, Fault> {
        let Self { caller, upstream, encoder, outflow, received, tally, .. } = self;
        let Some(encoder) = *encoder else { return Ok(false) };
        let mut pass = |data: &[u8]| {
            tally.bytes_out += data.len() as u64;
            encoder.write(data, caller.output.bytes_mut());
        };
        if outflow.has_more() {
            outflow.more(&mut pass)?;
        } else if !*received {
            match upstream.poll_piece(cx)? {
                Poll::Pending => return Ok(false),
                Poll::Ready(Piece::Data(data)) => outflow.push(&data, &mut pass)?,
                Poll::Ready(Piece::End(trailers)) => {
                    *received = true;
                    self.trailers = trailers;
                }
            }
        }
        if *received && !outflow.has_more() {
            outflow.end(&mut pass)?;
        }
        if outflow.is_closed() {
            // Fields behind a body that was changed may be about the whole one.
            let trailers = self.trailers.take().filter(|_| !outflow.is_screened());
            encoder.finish(trailers.as_ref(), caller.output.bytes_mut());
            self.ended = true;
        }
        Ok(true)
    }

    /// Puts the head of the answer into the output.
    fn begin(&mut self, head: &ReplyHead) {
        let traits = self.terms.traits;
        self.status = head.status.as_u16();
        if head.event_stream {
            self.terms.entry.turns_out(StreamKind::EventStream);
        }
        let bodiless = traits.to_head
            || matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        let empty = self.upstream.has_ended() && head.length.is_none() && !bodiless;
        let announced = bodiless || empty || head.length.is_some();
        let chunked = !announced && traits.version == Version::Http11;
        let must_close = !announced && !chunked;
        let keep_alive =
            traits.keep_alive && !must_close && !self.terms.closing && self.upload.has_ended();
        let departure = Departure { version: traits.version, keep_alive };
        let framing: &[u8] = match (empty, chunked) {
            (true, _) => b"content-length: 0\r\n",
            (_, true) => b"transfer-encoding: chunked\r\n",
            _ => b"",
        };
        let out = self.caller.output.bytes_mut();
        write_reply(head, (framing, traits.standing), departure, self.terms.request_id, out);
        self.caller_reusable = keep_alive;
        self.encoder = Some(if chunked { Encoder::Chunked } else { Encoder::Plain });
    }

    /// Sends what there is for the caller.
    fn release(&mut self, cx: &mut Context<'_>) -> Result<bool, Fault> {
        self.released = true;
        self.tally.status = self.status;
        let before = self.caller.output.unsent();
        let sent = self.caller.poll_drain(cx);
        let count = before - self.caller.output.unsent();
        self.watch.progressed(count);
        match sent {
            Poll::Ready(Err(_)) => Err(Fault::Caller(Reason::Cancelled)),
            _ => Ok(count > 0),
        }
    }

    fn waits_for(&self) -> Wait {
        let takes = !self.upstream.is_broken();
        match &self.encoder {
            _ if self.outflow.is_undecided() => Wait::UpstreamSends,
            Some(_) if !self.caller.is_drained() => Wait::CallerTakes,
            Some(_) => Wait::UpstreamSends,
            None if takes && !self.upstream.is_drained() => Wait::UpstreamTakes,
            None if takes && !self.upload.has_ended() => Wait::CallerSends,
            None => Wait::UpstreamAnswers,
        }
    }
}

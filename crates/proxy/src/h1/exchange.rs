//! One exchange: the body of a request to its upstream and the response back, both at once, as the
//! bytes come. Nothing is buffered beyond the two connections' buffers, but for a response that waits
//! to be checked; who is slow slows the other.
//!
//! Knows nothing of permission: it is given an admitted request's connection and traits.

use std::task::{Context, Poll};

use traffic::headers::Framing;
use traffic::{Reason, StreamKind};

use super::body::{Decoder, Encoder};
use super::head::field_space;
use super::response::{self, Departure};
use super::trailers;
use crate::outflow::{Outflow, Stop};
use crate::stage::{End, Tally, Traits};
use crate::streams::Entry;
use crate::watching::Noticed;
use crate::wire::{Deadline, Wire};

pub(crate) mod pace;

use pace::{Pace, Wait, Watch};

/// How an exchange is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finish {
    /// The answer is complete; in a durable gate its last bytes are still in the output.
    Complete {
        /// The caller's connection can carry another request.
        caller: bool,
        /// So can the upstream's.
        upstream: bool,
        /// Some of the answer has been sent already.
        released: bool,
    },
    /// The upstream agreed to switch protocols; its 101 is in the output.
    Switched,
    /// The upstream's connection died before a byte of response.
    Dead,
    /// It failed. `true` = the caller has some of the answer, so no other can be given.
    /// Otherwise what is in the output was not sent and must not be.
    Broken(End, bool),
}

impl Finish {
    /// What was noticed, but for what never went to the caller.
    pub(super) fn seen(self, noticed: Noticed) -> Noticed {
        match self {
            Self::Broken(_, false) => Noticed { passed: None, ..noticed },
            _ => noticed,
        }
    }
}

/// What does not change during an exchange.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms<'r> {
    /// Told what the answer turns out to be.
    pub(super) entry: &'r Entry,
    pub(super) traits: Traits,
    pub(super) request_id: &'r str,
    /// Keep the end of the answer back until it is recorded.
    pub(super) durable: bool,
    pub(super) body_bytes_max: u64,
    /// The caller's connection ends after this answer, whatever the caller wishes.
    pub(super) closing: bool,
}

pub(super) struct Exchange<'c> {
    caller: &'c mut Wire,
    upstream: &'c mut Wire,
    deadline: &'c mut Deadline,
    watch: Watch,
    terms: Terms<'c>,
    upload: Decoder,
    /// The upstream takes no more of the body; its response may still come.
    upload_broken: bool,
    upload_encoder: Encoder,
    download: Download,
    upstream_reusable: bool,
    caller_reusable: bool,
    interims: u32,
    heard: bool,
    released: bool,
    /// Of the final head, once there is one.
    status: u16,
    tally: &'c mut Tally,
    outflow: Outflow,
}

enum Download {
    Head,
    Switched,
    Body(Decoder, Encoder),
}

/// Why an exchange cannot go on.
pub(super) enum Fault {
    Caller(Reason),
    Upstream(Reason),
    /// The caller may not see the answer, or nobody can tell.
    Withheld(Reason),
    Dead,
}

impl From<Stop> for Fault {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Invalid(reason) => Self::Upstream(reason),
            Stop::Withheld(reason) => Self::Withheld(reason),
        }
    }
}

impl Fault {
    /// How the exchange is over; `released` = the caller has some of the answer.
    pub(super) fn finish(self, released: bool) -> Finish {
        match self {
            Self::Caller(reason) => Finish::Broken(End::Caller(reason), released),
            Self::Upstream(reason) => Finish::Broken(End::Failed(reason), released),
            Self::Withheld(reason) => Finish::Broken(End::Withheld(reason), released),
            Self::Dead => Finish::Dead,
        }
    }
}

/// More interim responses than anybody means.
pub(crate) const INTERIMS_MAX: u32 = 32;

impl<'c> Exchange<'c> {
    pub(super) fn new(
        caller: &'c mut Wire,
        upstream: &'c mut Wire,
        deadline: &'c mut Deadline,
        pace: Pace,
        terms: Terms<'c>,
        outflow: Outflow,
        tally: &'c mut Tally,
    ) -> Self {
        let chunked = terms.traits.framing == Framing::Chunked;
        Self {
            caller,
            upstream,
            deadline,
            watch: Watch::new(pace),
            terms,
            upload: Decoder::new(terms.traits.uploads()),
            upload_broken: false,
            upload_encoder: if chunked { Encoder::Chunked } else { Encoder::Plain },
            download: Download::Head,
            upstream_reusable: false,
            caller_reusable: false,
            interims: 0,
            heard: false,
            released: false,
            status: 0,
            tally,
            outflow,
        }
    }

    /// What was noticed of its messages, when it is over.
    pub(super) fn noticed(mut self) -> Noticed {
        let sent = self.upload.has_ended();
        let answered = self.response_is_read();
        self.outflow.noticed(sent, answered)
    }

    /// Ends the exchange because the caller may not go on.
    pub(super) fn end(&self, reason: Reason) -> Finish {
        Fault::Caller(reason).finish(self.released)
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
            if let Some(finish) = self.finish() {
                return Poll::Ready(finish);
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
        match self.watch.poll(self.deadline, cx, wait, self.terms.traits.timeouts) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => Poll::Ready(expired(wait).finish(self.released)),
        }
    }

    fn poll_upload(&mut self, cx: &mut Context<'_>) -> Result<bool, Fault> {
        let mut moved = self.take_body()?;
        if !self.upstream.is_drained() && !self.upload_broken {
            let before = self.upstream.output.unsent();
            self.upload_broken = matches!(self.upstream.poll_drain(cx), Poll::Ready(Err(_)));
            moved |= self.upstream.output.unsent() < before;
        }
        // After the body the caller is still read, to notice that it left. What it sends meanwhile
        // (the next request) waits in the input; when that is full, it is not read.
        let wants_body =
            !self.upload.has_ended() && (self.upstream.is_drained() || self.upload_broken);
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

    /// Moves what is there of the request's body towards the upstream.
    fn take_body(&mut self) -> Result<bool, Fault> {
        let mut moved = false;
        while !self.upload.has_ended() && !self.upstream.output.is_full() {
            let decoded = self.upload.decode(self.caller.input.bytes());
            let decoded = decoded.map_err(|_| Fault::Caller(Reason::MalformedRequest))?;
            let consumed = decoded.consumed;
            self.tally.bytes_in += decoded.data.len() as u64;
            if self.tally.bytes_in > self.terms.body_bytes_max {
                return Err(Fault::Caller(Reason::TooLarge));
            }
            self.outflow.send(decoded.data).map_err(Fault::Caller)?;
            if !self.upload_broken {
                self.upload_encoder.write(decoded.data, self.upstream.output.bytes_mut());
            }
            self.caller.input.consume(consumed);
            if self.upload.has_ended() && !self.upload_broken {
                let trailers = trailers::read(self.upload.trailers());
                let trailers = trailers.map_err(|_| Fault::Caller(Reason::MalformedRequest))?;
                self.upload_encoder.finish(trailers.as_ref(), self.upstream.output.bytes_mut());
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
        while matches!(self.download, Download::Head) && self.take_head()? {
            moved = true;
        }
        moved |= self.take_response()?;
        if !self.caller.is_drained() && !self.holds_back() && !self.outflow.is_undecided() {
            moved |= self.release(cx)?;
        }
        if self.wants_response() {
            moved |= self.poll_response(cx)?;
        }
        Ok(moved)
    }

    /// Sends what there is for the caller.
    fn release(&mut self, cx: &mut Context<'_>) -> Result<bool, Fault> {
        if matches!(self.download, Download::Body(..)) {
            self.released = true;
            self.tally.status = self.status;
        }
        let before = self.caller.output.unsent();
        let sent = self.caller.poll_drain(cx);
        let count = before - self.caller.output.unsent();
        self.watch.progressed(count);
        // Half an interim response leaves no room for another answer either.
        self.released |= count > 0 && sent.is_pending();
        match sent {
            Poll::Ready(Err(_)) => Err(Fault::Caller(Reason::Cancelled)),
            _ => Ok(count > 0),
        }
    }

    /// Reads the response on.
    fn poll_response(&mut self, cx: &mut Context<'_>) -> Result<bool, Fault> {
        match self.upstream.poll_fill(cx) {
            Poll::Pending => Ok(false),
            Poll::Ready(Ok(count)) if count > 0 => {
                self.heard = true;
                Ok(true)
            }
            Poll::Ready(Ok(_)) if self.ends_at_close() => {
                if let Download::Body(decoder, _) = &mut self.download {
                    decoder.end();
                }
                Ok(true)
            }
            Poll::Ready(_) if self.heard => Err(Fault::Upstream(Reason::UpstreamInvalid)),
            Poll::Ready(_) => Err(Fault::Dead),
        }
    }

    /// Reads one response head, if it is complete.
    fn take_head(&mut self) -> Result<bool, Fault> {
        let Self { caller, upstream, terms, outflow, .. } = self;
        let mut space = field_space();
        let head = response::read(upstream.input.bytes(), terms.traits.to_head, &mut space)
            .map_err(Fault::Upstream)?;
        let Some(head) = head else { return Ok(false) };
        let consumed = head.bytes;
        match head.status {
            // What goes over a WebSocket is not read here.
            101 if outflow.is_screened() => {
                return Err(Fault::Withheld(Reason::ResponseUnreadable));
            }
            101 if terms.traits.websocket && head.judged.websocket => {
                response::write_interim(&head, caller.output.bytes_mut());
                self.status = 101;
                self.download = Download::Switched;
            }
            101 => return Err(Fault::Upstream(Reason::UpstreamInvalid)),
            100..=199 => {
                self.interims += 1;
                if self.interims > INTERIMS_MAX {
                    return Err(Fault::Upstream(Reason::UpstreamInvalid));
                }
                if terms.traits.version == traffic::headers::Version::Http11 {
                    response::write_interim(&head, caller.output.bytes_mut());
                }
            }
            status => {
                let framing = head.judged.framing;
                let leaves = outflow.open(&head)?;
                let (encoder, must_close) = response::reframe(leaves, terms.traits.version);
                // An answer before the body's end: what is left of the body is not waited for.
                let keep_alive = terms.traits.keep_alive
                    && !must_close
                    && !terms.closing
                    && self.upload.has_ended();
                let departure = Departure { version: terms.traits.version, keep_alive };
                let out = caller.output.bytes_mut();
                let form = (leaves, outflow.is_screened(), terms.traits.standing);
                response::write_final(&head, form, departure, terms.request_id, out);
                self.status = status;
                if head.judged.event_stream {
                    terms.entry.turns_out(StreamKind::EventStream);
                }
                self.caller_reusable = keep_alive;
                self.upstream_reusable = head.judged.keep_alive && framing != Framing::UntilClose;
                self.download = Download::Body(Decoder::new(framing), encoder);
            }
        }
        self.upstream.input.consume(consumed);
        Ok(true)
    }

    /// Moves what is there of the response's body towards the caller.
    fn take_response(&mut self) -> Result<bool, Fault> {
        let mut moved = false;
        while !self.outflow.is_closed()
            && self.has_room()
            && !self.outflow.turn_is_over()
            && self.take_piece()?
        {
            moved = true;
        }
        Ok(moved)
    }

    /// Moves one piece. False when there is none.
    fn take_piece(&mut self) -> Result<bool, Fault> {
        let Self { caller, upstream, download, tally, outflow, .. } = self;
        let Download::Body(decoder, encoder) = download else { return Ok(false) };
        let mut pass = |data: &[u8]| {
            tally.bytes_out += data.len() as u64;
            encoder.write(data, caller.output.bytes_mut());
        };
        if outflow.has_more() {
            outflow.more(&mut pass)?;
        } else if !decoder.has_ended() {
            let decoded = decoder.decode(upstream.input.bytes());
            let decoded = decoded.map_err(|_| Fault::Upstream(Reason::UpstreamInvalid))?;
            let consumed = decoded.consumed;
            outflow.push(decoded.data, &mut pass)?;
            upstream.input.consume(consumed);
            if consumed == 0 && !decoder.has_ended() {
                return Ok(false);
            }
        }
        // The last bytes and the end stay together: both wait for the record.
        if decoder.has_ended() && !outflow.has_more() {
            outflow.end(&mut pass)?;
        }
        if outflow.is_closed() {
            let trailers = trailers::read(decoder.trailers());
            let trailers = trailers.map_err(|_| Fault::Upstream(Reason::UpstreamInvalid))?;
            // Fields behind a body that was changed may be about the whole one.
            let trailers = trailers.filter(|_| !outflow.is_screened());
            encoder.finish(trailers.as_ref(), caller.output.bytes_mut());
        }
        Ok(true)
    }

    /// What waits for its check goes nowhere yet, so nothing has to make room for it.
    fn has_room(&self) -> bool {
        self.outflow.is_holding() || !self.caller.output.is_full()
    }

    /// More of the response is to be read.
    fn wants_response(&self) -> bool {
        match &self.download {
            Download::Switched => false,
            Download::Head => self.has_room(),
            Download::Body(decoder, _) => {
                !decoder.has_ended() && !self.outflow.has_more() && self.has_room()
            }
        }
    }

    /// The response came to its end.
    fn response_is_read(&self) -> bool {
        matches!(&self.download, Download::Body(decoder, _) if decoder.has_ended())
    }

    fn ends_at_close(&self) -> bool {
        matches!(&self.download, Download::Body(decoder, _) if decoder.ends_at_close())
    }

    fn response_ended(&self) -> bool {
        match &self.download {
            Download::Head => false,
            Download::Switched => true,
            Download::Body(..) => self.outflow.is_closed(),
        }
    }

    /// The end of a complete answer waits for its record.
    fn holds_back(&self) -> bool {
        self.terms.durable && self.outflow.is_closed()
    }

    fn finish(&mut self) -> Option<Finish> {
        if matches!(self.download, Download::Switched) {
            self.tally.status = self.status;
            return Some(Finish::Switched);
        }
        let done = self.caller.is_drained() || self.holds_back();
        if !(self.response_ended() && done) {
            return None;
        }
        self.tally.status = self.status;
        let sent_whole = self.upload.has_ended() && !self.upload_broken;
        Some(Finish::Complete {
            caller: self.caller_reusable,
            upstream: self.upstream_reusable && sent_whole && self.upstream.is_drained(),
            released: self.released,
        })
    }

    fn waits_for(&self) -> Wait {
        let sends = !self.upload_broken && !self.upload.has_ended();
        match self.download {
            _ if self.outflow.is_undecided() => Wait::UpstreamSends,
            Download::Head if !self.caller.is_drained() => Wait::CallerTakes,
            Download::Head if !self.upload_broken && !self.upstream.is_drained() => {
                Wait::UpstreamTakes
            }
            Download::Head if sends => Wait::CallerSends,
            Download::Head => Wait::UpstreamAnswers,
            _ if !self.caller.is_drained() => Wait::CallerTakes,
            _ => Wait::UpstreamSends,
        }
    }
}

/// What stood still for too long.
pub(super) fn expired(wait: Wait) -> Fault {
    match wait {
        Wait::CallerSends => Fault::Caller(Reason::RequestTimeout),
        Wait::CallerTakes => Fault::Caller(Reason::Cancelled),
        Wait::UpstreamTakes | Wait::UpstreamAnswers | Wait::UpstreamSends => {
            Fault::Upstream(Reason::UpstreamTimeout)
        }
    }
}

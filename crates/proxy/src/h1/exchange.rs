//! One exchange: the body of a request to its upstream and the response back, both at once, as the
//! bytes come. Nothing is buffered beyond the two connections' buffers, but for a response that waits
//! to be checked; who is slow slows the other.
//!
//! Knows nothing of permission: it is given an admitted request's connection and traits.

use std::task::{Context, Poll};

use traffic::Reason;
use traffic::headers::Framing;

use super::body::{Decoder, Encoder};
use super::head::field_space;
use super::response::{self, Departure};
use crate::inspection::{AnswerHead, Inspection};
use crate::screen::{Opening, Screen, Screening, Turn};
use crate::stage::{End, Tally, Traits};
use crate::watching::{Noticed, Watching};
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

/// What does not change during an exchange.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms<'r> {
    pub(super) traits: Traits,
    pub(super) request_id: &'r str,
    /// Keep the end of the answer back until it is recorded.
    pub(super) durable: bool,
    pub(super) body_bytes_max: u64,
    /// What is to be done to the response.
    pub(super) screen: Option<&'r Screen>,
    /// The response is looked at, where it goes on as it is.
    pub(super) watches: bool,
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
    tally: Tally,
    inspection: Option<Inspection>,
    /// The body of the response goes through a filter.
    screening: Option<Box<Screening>>,
    watching: Option<Box<Watching>>,
    /// The body of the response is read and not passed on.
    omits: bool,
    turn: Turn,
    /// The end of the response's body is in the output.
    closed: bool,
}

enum Download {
    Head,
    Switched,
    Body(Decoder, Encoder),
}

/// Why an exchange cannot go on.
enum Fault {
    Caller(Reason),
    Upstream(Reason),
    /// The caller may not see the answer, or nobody can tell.
    Withheld(Reason),
    Dead,
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
        inspection: Option<Inspection>,
    ) -> Self {
        let chunked = terms.traits.framing == Framing::Chunked;
        Self {
            caller,
            upstream,
            deadline,
            watch: Watch::new(pace),
            terms,
            upload: match terms.traits.read_body {
                Some(_) => Decoder::Ended,
                None => Decoder::new(terms.traits.framing),
            },
            upload_broken: false,
            upload_encoder: if chunked { Encoder::Chunked } else { Encoder::Plain },
            download: Download::Head,
            upstream_reusable: false,
            caller_reusable: false,
            interims: 0,
            heard: false,
            released: false,
            tally: Tally { bytes_in: terms.traits.read_body.unwrap_or(0), ..Tally::default() },
            inspection,
            screening: None,
            watching: None,
            omits: false,
            turn: Turn::default(),
            closed: false,
        }
    }

    pub(super) fn tally(&self) -> Tally {
        self.tally
    }

    /// What was noticed of its messages, when it is over.
    pub(super) fn noticed(self) -> Noticed {
        let (sent, answered) = (self.upload.has_ended(), self.response_is_read());
        let noticed = Noticed::by(self.screening.as_deref(), self.watching.as_deref());
        let violations = self.inspection.map(|inspection| inspection.conclude(sent, answered));
        Noticed { violations: violations.unwrap_or_default(), ..noticed }
    }

    /// Ends the exchange because the caller may not go on.
    pub(super) fn end(&self, reason: Reason) -> Finish {
        self.broken(Fault::Caller(reason))
    }

    /// Drives both directions until the exchange is over.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Finish> {
        self.watch.wake();
        self.turn.begin();
        loop {
            let moved = match self.poll_upload(cx).and_then(|up| Ok(self.poll_download(cx)? | up)) {
                Ok(moved) => moved,
                Err(fault) => return Poll::Ready(self.broken(fault)),
            };
            if let Some(finish) = self.finish() {
                return Poll::Ready(finish);
            }
            if !moved {
                break;
            }
            self.watch.moved();
            if self.turn.is_over() {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
        let wait = self.waits_for();
        match self.watch.poll(self.deadline, cx, wait, self.terms.traits.timeouts) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => Poll::Ready(self.broken(expired(wait))),
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
            if let Some(inspection) = &mut self.inspection {
                inspection.send(decoded.data);
            }
            if !self.upload_broken {
                self.upload_encoder.write(decoded.data, self.upstream.output.bytes_mut());
            }
            self.caller.input.consume(consumed);
            if self.upload.has_ended() && !self.upload_broken {
                self.upload_encoder.finish(self.upstream.output.bytes_mut());
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
        if !self.caller.is_drained() && !self.holds_back() && !self.is_undecided() {
            moved |= self.release(cx)?;
        }
        if self.wants_response() {
            moved |= self.poll_response(cx)?;
        }
        Ok(moved)
    }

    /// Sends what there is for the caller.
    fn release(&mut self, cx: &mut Context<'_>) -> Result<bool, Fault> {
        self.released |= matches!(self.download, Download::Body(..));
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
                    *decoder = Decoder::Ended;
                }
                Ok(true)
            }
            Poll::Ready(_) if self.heard => Err(Fault::Upstream(Reason::UpstreamInvalid)),
            Poll::Ready(_) => Err(Fault::Dead),
        }
    }

    /// Reads one response head, if it is complete.
    fn take_head(&mut self) -> Result<bool, Fault> {
        let Self { caller, upstream, terms, inspection, screening, watching, omits, .. } = self;
        let mut space = field_space();
        let head = response::read(upstream.input.bytes(), terms.traits.to_head, &mut space)
            .map_err(Fault::Upstream)?;
        let Some(head) = head else { return Ok(false) };
        let consumed = head.bytes;
        match head.status {
            // What goes over a WebSocket is not read here.
            101 if terms.screen.is_some() => {
                return Err(Fault::Withheld(Reason::ResponseUnreadable));
            }
            101 if terms.traits.websocket && head.judged.websocket => {
                response::write_interim(&head, caller.output.bytes_mut());
                self.tally.status = 101;
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
                if let Some(inspection) = inspection {
                    inspection.answer(AnswerHead::of(&head)).map_err(Fault::Upstream)?;
                }
                let leaves = screened(terms.screen, &head, screening, omits)?;
                if terms.watches && terms.screen.is_none() {
                    *watching = Watching::open(&head);
                }
                let (encoder, must_close) = response::reframe(leaves, terms.traits.version);
                // An answer before the body's end: what is left of the body is not waited for.
                let keep_alive = terms.traits.keep_alive
                    && !must_close
                    && !terms.closing
                    && self.upload.has_ended();
                let departure = Departure { version: terms.traits.version, keep_alive };
                let out = caller.output.bytes_mut();
                let form = (leaves, terms.screen.is_some(), terms.traits.standing);
                response::write_final(&head, form, departure, terms.request_id, out);
                self.tally.status = status;
                self.caller_reusable = keep_alive;
                self.upstream_reusable = head.judged.keep_alive && framing != Framing::UntilClose;
                self.download = Download::Body(Decoder::new(framing), encoder);
            }
        }
        self.upstream.input.consume(consumed);
        Ok(true)
    }

    /// Moves what is there of the response's body towards the caller: through its check, then the
    /// filter, then into the form in which it leaves.
    fn take_response(&mut self) -> Result<bool, Fault> {
        let mut moved = false;
        while !self.closed && self.has_room() && !self.turn.is_over() && self.take_piece()? {
            moved = true;
        }
        Ok(moved)
    }

    /// Moves one piece. False when there is none.
    fn take_piece(&mut self) -> Result<bool, Fault> {
        let omits = self.omits;
        let Self { caller, upstream, download, tally, inspection, screening, watching, .. } = self;
        let Download::Body(decoder, encoder) = download else { return Ok(false) };
        let mut pass = |data: &[u8]| {
            if let Some(watching) = watching {
                watching.look(data);
            }
            tally.bytes_out += data.len() as u64;
            encoder.write(data, caller.output.bytes_mut());
        };
        if let Some(screening) = screening.as_mut().filter(|screening| screening.has_more()) {
            pass(screening.more(&mut self.turn).map_err(Fault::Withheld)?);
        } else if !decoder.has_ended() {
            let decoded = decoder.decode(upstream.input.bytes());
            let decoded = decoded.map_err(|_| Fault::Upstream(Reason::UpstreamInvalid))?;
            let consumed = decoded.consumed;
            let passes = inspection.as_mut().map_or(Ok(true), |all| all.take(decoded.data));
            if passes.map_err(Fault::Upstream)? {
                pass(visible(screening, omits, decoded.data)?);
            }
            upstream.input.consume(consumed);
            if consumed == 0 && !decoder.has_ended() {
                return Ok(false);
            }
        }
        if decoder.has_ended() && !has_more(screening) {
            let held = inspection.as_mut().map_or(Ok(None), Inspection::release);
            if let Some(held) = held.map_err(Fault::Upstream)? {
                pass(visible(screening, omits, &held)?);
            }
        }
        // The last bytes and the end stay together: both wait for the record.
        if decoder.has_ended() && !has_more(screening) {
            self.close_body()?;
        }
        Ok(true)
    }

    /// The response's body is complete and has passed: passes on what the filter still has, and the
    /// end.
    fn close_body(&mut self) -> Result<(), Fault> {
        let Self { caller, download, tally, screening, closed, .. } = self;
        let Download::Body(_, encoder) = download else { return Ok(()) };
        let out = caller.output.bytes_mut();
        if let Some(screening) = screening {
            let last = screening.finish().map_err(Fault::Withheld)?;
            tally.bytes_out += last.len() as u64;
            encoder.write(last, out);
        }
        encoder.finish(out);
        *closed = true;
        Ok(())
    }

    /// What waits for its check goes nowhere yet, so nothing has to make room for it.
    fn has_room(&self) -> bool {
        self.is_holding() || !self.caller.output.is_full()
    }

    /// More of the response is to be read.
    fn wants_response(&self) -> bool {
        match &self.download {
            Download::Switched => false,
            Download::Head => self.has_room(),
            Download::Body(decoder, _) => {
                !decoder.has_ended() && !has_more(&self.screening) && self.has_room()
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
            Download::Body(..) => self.closed,
        }
    }

    /// The end of a complete answer waits for its record.
    fn holds_back(&self) -> bool {
        self.terms.durable && self.closed
    }

    /// The response waits for its check.
    fn is_holding(&self) -> bool {
        self.inspection.as_ref().is_some_and(Inspection::is_holding)
    }

    /// Nothing of the answer may leave: it may still have to be refused.
    fn is_undecided(&self) -> bool {
        self.is_holding()
            || self.screening.as_ref().is_some_and(|screening| screening.is_undecided())
    }

    fn finish(&self) -> Option<Finish> {
        if matches!(self.download, Download::Switched) {
            return Some(Finish::Switched);
        }
        let done = self.caller.is_drained() || self.holds_back();
        if !(self.response_ended() && done) {
            return None;
        }
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
            _ if self.is_undecided() => Wait::UpstreamSends,
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

    fn broken(&self, fault: Fault) -> Finish {
        match fault {
            Fault::Caller(reason) => Finish::Broken(End::Caller(reason), self.released),
            Fault::Upstream(reason) => Finish::Broken(End::Failed(reason), self.released),
            Fault::Withheld(reason) => Finish::Broken(End::Withheld(reason), self.released),
            Fault::Dead => Finish::Dead,
        }
    }
}

/// Looks at what may be seen of the answer; the framing that its body leaves with.
fn screened(
    screen: Option<&Screen>,
    head: &response::ResponseHead<'_>,
    screening: &mut Option<Box<Screening>>,
    omits: &mut bool,
) -> Result<Framing, Fault> {
    let framing = head.judged.framing;
    let Some(screen) = screen else { return Ok(framing) };
    match screen.open(head).map_err(Fault::Withheld)? {
        Opening::Bodiless => Ok(framing),
        Opening::Omitted => {
            *omits = true;
            Ok(Framing::Length(0))
        }
        Opening::Filtered(opened) => {
            *screening = Some(opened);
            Ok(Framing::Chunked)
        }
    }
}

/// More of what the filter was given can be unpacked.
fn has_more(screening: &Option<Box<Screening>>) -> bool {
    screening.as_ref().is_some_and(|screening| screening.has_more())
}

/// What of a piece of the response's body the caller may see.
fn visible<'d>(
    screening: &'d mut Option<Box<Screening>>,
    omits: bool,
    data: &'d [u8],
) -> Result<&'d [u8], Fault> {
    match screening {
        Some(screening) => screening.push(data).map_err(Fault::Withheld),
        None if omits => Ok(&[]),
        None => Ok(data),
    }
}

fn expired(wait: Wait) -> Fault {
    match wait {
        Wait::CallerSends => Fault::Caller(Reason::RequestTimeout),
        Wait::CallerTakes => Fault::Caller(Reason::Cancelled),
        Wait::UpstreamTakes | Wait::UpstreamAnswers | Wait::UpstreamSends => {
            Fault::Upstream(Reason::UpstreamTimeout)
        }
    }
}

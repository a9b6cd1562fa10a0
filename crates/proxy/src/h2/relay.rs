//! One exchange between an HTTP/2 stream and an upstream, in either protocol.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::HeaderMap;
use hyper::body::{Body, Incoming};
use traffic::Reason;
use traffic::headers::Framing;

use super::activity::Stream;
use crate::gate::Worker;
use crate::h1::exchange::pace::{Pace, Wait, Watch};
use crate::h1::trailers;
use crate::outflow::{Outflow, Stop};
use crate::stage::{End, Tally, Traits};
use crate::upstream::passage::{Broken, Piece, ReplyHead};
use crate::watching::Noticed;
use crate::wire::Deadline;

mod http1;
mod side;

pub(super) use http1::Http1;
pub(super) use side::{Side, Step};

/// Why an exchange cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Caller(Reason),
    Upstream(Reason),
    /// The caller may not see the answer, or nobody can tell.
    Withheld(Reason),
    /// The upstream's connection died before a byte of response.
    Dead,
}

impl Fault {
    pub(super) fn end(self) -> End {
        match self {
            Self::Caller(reason) => End::Caller(reason),
            Self::Upstream(reason) => End::Failed(reason),
            Self::Withheld(reason) => End::Withheld(reason),
            Self::Dead => End::Failed(Reason::UpstreamUnreachable),
        }
    }
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

impl From<Stop> for Fault {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Invalid(reason) => Self::Upstream(reason),
            Stop::Withheld(reason) => Self::Withheld(reason),
        }
    }
}

pub(super) struct Relay {
    worker: Arc<Worker>,
    side: Side,
    body: Incoming,
    traits: Traits,
    stream: Stream,
    deadline: Deadline,
    /// When the caller's own time for the whole call is over.
    expiry: Option<Deadline>,
    watch: Watch,
    upload_ended: bool,
    /// Of the request, until its body has ended.
    trailers: Option<HeaderMap>,
    tally: Tally,
    outflow: Outflow,
    /// What may be seen and was not taken yet.
    ready: Vec<u8>,
    /// The upstream's answer is there to its end, with these trailers.
    received: Option<Option<HeaderMap>>,
}

impl Relay {
    pub(super) fn new(
        worker: Arc<Worker>,
        side: Side,
        body: Incoming,
        traits: Traits,
        stream: Stream,
        outflow: Outflow,
    ) -> Self {
        let pace = Pace::new(&worker.core().config.patience);
        Self {
            worker,
            side,
            body,
            stream,
            deadline: Deadline::after(traits.timeouts.response.to_std()),
            expiry: traits.deadline.map(|span| Deadline::after(span.to_std())),
            watch: Watch::new(pace),
            upload_ended: traits.read_body.is_some() || traits.is_bodiless(),
            trailers: None,
            tally: Tally { bytes_in: traits.read_body.unwrap_or(0), ..Tally::default() },
            outflow,
            ready: Vec::new(),
            received: None,
            traits,
        }
    }

    pub(super) fn tally(&self) -> Tally {
        self.tally
    }

    pub(super) fn is_durable(&self) -> bool {
        self.worker.core().config.durable
    }

    /// The upstream's side, which turned out to be dead, for what can be sent again of it.
    pub(super) fn side_mut(&mut self) -> &mut Side {
        &mut self.side
    }

    /// Nothing more comes after what was handed out.
    pub(super) fn response_ended(&self) -> bool {
        match self.outflow.is_gathered() {
            true => self.outflow.is_closed() && self.ready.is_empty() && !self.has_trailers(),
            false => self.side.has_ended(),
        }
    }

    fn has_trailers(&self) -> bool {
        matches!(self.received, Some(Some(_)))
    }

    /// What was noticed of the messages, when the exchange is over.
    pub(super) fn noticed(&mut self) -> Noticed {
        let answered = self.received.is_some() || self.side.has_ended();
        self.outflow.noticed(self.upload_ended, answered)
    }

    /// Gives the upstream's connection back, if it can carry another exchange.
    pub(super) fn settle(self) {
        self.side.settle(&self.worker, self.upload_ended);
    }

    /// Drives the exchange up to the head of the final response.
    pub(super) fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<ReplyHead, Fault>> {
        self.watch.wake();
        self.check_deadline(cx)?;
        loop {
            let sent = self.poll_upload(cx)?;
            match self.side.poll_head(cx, &mut self.outflow)? {
                Step::Done(head) => {
                    self.moved();
                    self.tally.status = head.status.as_u16();
                    return Poll::Ready(Ok(head));
                }
                Step::Moved => self.moved(),
                Step::Still if sent => {}
                Step::Still => return self.expire(cx).map(Err),
            }
        }
    }

    /// Reads on until it is decided whether any of the answer may be seen.
    pub(super) fn poll_decided(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        self.watch.wake();
        self.outflow.begin_turn();
        self.check_deadline(cx)?;
        while self.outflow.is_undecided() {
            if self.outflow.turn_is_over() {
                return self.yields(cx);
            }
            let sent = self.poll_upload(cx)?;
            if !self.gather(cx)? && !sent {
                return self.expire(cx).map(Err);
            }
        }
        Poll::Ready(Ok(()))
    }

    /// The next piece of the response.
    pub(super) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<Piece, Fault>> {
        self.watch.wake();
        self.outflow.begin_turn();
        self.stream.taken();
        self.check_deadline(cx)?;
        loop {
            let sent = self.poll_upload(cx)?;
            if self.outflow.is_gathered() {
                if let Some(piece) = self.take_ready() {
                    return Poll::Ready(Ok(piece));
                }
                if self.outflow.turn_is_over() {
                    return self.yields(cx);
                }
                if !self.gather(cx)? && !sent {
                    return self.expire(cx).map(Err);
                }
                continue;
            }
            match self.side.poll_piece(cx)? {
                Step::Done(piece) => {
                    self.moved();
                    if let Piece::Data(data) = &piece {
                        // A copy is looked at; what is passed on is the piece itself.
                        self.outflow.push(data, |_| {})?;
                        self.tally.bytes_out += data.len() as u64;
                        self.stream.offered();
                    }
                    return Poll::Ready(Ok(piece));
                }
                Step::Moved => self.moved(),
                Step::Still if sent => {}
                Step::Still => return self.expire(cx).map(Err),
            }
        }
    }

    /// Lets others have their turn.
    fn yields<T>(&mut self, cx: &mut Context<'_>) -> Poll<T> {
        self.moved();
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// What was gathered for the caller, or the end behind it.
    fn take_ready(&mut self) -> Option<Piece> {
        if !self.ready.is_empty() && !self.outflow.is_undecided() {
            let data = Bytes::from(std::mem::take(&mut self.ready));
            self.tally.bytes_out += data.len() as u64;
            self.moved();
            self.stream.offered();
            return Some(Piece::Data(data));
        }
        let ended = self.outflow.is_closed();
        ended.then(|| Piece::End(self.received.as_mut().and_then(Option::take)))
    }

    /// Moves what was read through the check and the filter. True when something moved.
    fn gather(&mut self, cx: &mut Context<'_>) -> Result<bool, Fault> {
        let Self { side, outflow, ready, received, .. } = self;
        if outflow.is_closed() {
            return Ok(false);
        }
        let mut pass = |data: &[u8]| ready.extend_from_slice(data);
        if outflow.has_more() {
            outflow.more(&mut pass)?;
        } else if received.is_none() {
            match side.poll_piece(cx)? {
                Step::Done(Piece::Data(data)) => outflow.push(&data, &mut pass)?,
                // Fields behind a body that was changed may be about the whole one.
                Step::Done(Piece::End(trailers)) => {
                    *received = Some(trailers.filter(|_| !outflow.is_screened()));
                }
                Step::Moved => {}
                Step::Still => return Ok(false),
            }
            if side.has_ended() && received.is_none() {
                *received = Some(None);
            }
        }
        if received.is_some() && !outflow.has_more() {
            outflow.end(&mut pass)?;
        }
        self.moved();
        Ok(true)
    }

    /// The caller's own time is over, whatever moves.
    fn check_deadline(&mut self, cx: &mut Context<'_>) -> Result<(), Fault> {
        match self.expiry.as_mut().map(|expiry| expiry.poll(cx)) {
            Some(Poll::Ready(())) => Err(Fault::Upstream(Reason::DeadlineExceeded)),
            _ => Ok(()),
        }
    }

    fn expire(&mut self, cx: &mut Context<'_>) -> Poll<Fault> {
        let wait = self.waits_for();
        ready!(self.watch.poll(&mut self.deadline, cx, wait, self.traits.timeouts));
        Poll::Ready(match wait {
            Wait::CallerSends | Wait::CallerTakes => Fault::Caller(Reason::RequestTimeout),
            _ => Fault::Upstream(Reason::UpstreamTimeout),
        })
    }

    fn waits_for(&self) -> Wait {
        let takes = !self.side.is_broken();
        match (self.side.is_answered(), self.side.is_drained()) {
            (true, _) => Wait::UpstreamSends,
            (false, false) if takes => Wait::UpstreamTakes,
            // A call is a conversation: its caller need not hurry, and who is to speak next is not
            // known here.
            (false, _) if !self.upload_ended && takes && self.traits.grpc => Wait::UpstreamSends,
            (false, _) if !self.upload_ended && takes => Wait::CallerSends,
            (false, _) => Wait::UpstreamAnswers,
        }
    }

    fn moved(&mut self) {
        self.watch.moved();
        self.stream.moved();
    }

    /// Moves the request's body on. True when something moved.
    fn poll_upload(&mut self, cx: &mut Context<'_>) -> Result<bool, Fault> {
        let mut moved = false;
        loop {
            moved |= self.side.poll_send(cx);
            if self.upload_ended || !self.side.takes_more() || !self.take_frame(cx)? {
                break;
            }
            moved = true;
        }
        if moved {
            self.moved();
        }
        Ok(moved)
    }

    fn take_frame(&mut self, cx: &mut Context<'_>) -> Result<bool, Fault> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Pending => return Ok(false),
            Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) => {
                    self.tally.bytes_in += data.len() as u64;
                    self.watch.progressed(data.len());
                    if self.tally.bytes_in > self.worker.core().config.limits.body_bytes {
                        return Err(Fault::Caller(Reason::TooLarge));
                    }
                    self.outflow.send(&data).map_err(Fault::Caller)?;
                    self.check_length(false)?;
                    self.side.push(data);
                    if self.body.is_end_stream() {
                        self.finish_upload()?;
                    }
                }
                Err(frame) => self.trailers = frame.into_trailers().ok().and_then(trailers::judged),
            },
            Poll::Ready(Some(Err(_))) => return Err(Fault::Caller(Reason::Cancelled)),
            Poll::Ready(None) => self.finish_upload()?,
        }
        Ok(true)
    }

    fn finish_upload(&mut self) -> Result<(), Fault> {
        self.check_length(true)?;
        self.upload_ended = true;
        self.side.finish(self.trailers.take());
        Ok(())
    }

    /// The upstream was told a length; other than that it must not get.
    fn check_length(&self, at_end: bool) -> Result<(), Fault> {
        match self.traits.framing {
            Framing::Length(length)
                if self.tally.bytes_in > length || (at_end && self.tally.bytes_in < length) =>
            {
                Err(Fault::Caller(Reason::MalformedRequest))
            }
            _ => Ok(()),
        }
    }
}

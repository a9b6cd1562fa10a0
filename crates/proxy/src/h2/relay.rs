//! One exchange between an HTTP/2 stream and an upstream's HTTP/1.1 connection.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};
use hyper::body::{Body, Incoming};
use traffic::Reason;
use traffic::headers::Framing;

use super::activity::Stream;
use crate::gate::Worker;
use crate::h1::body::{Decoder, Encoder};
use crate::h1::exchange::INTERIMS_MAX;
use crate::h1::exchange::pace::{Pace, Wait, Watch};
use crate::h1::head::field_space;
use crate::h1::response;
use crate::stage::{End, Tally, Traits};
use crate::wire::{Deadline, Wire};

/// Why an exchange cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Caller(Reason),
    Upstream(Reason),
    /// The upstream's connection died before a byte of response.
    Dead,
}

impl Fault {
    pub(super) fn end(self) -> End {
        match self {
            Self::Caller(reason) => End::Caller(reason),
            Self::Upstream(reason) => End::Failed(reason),
            Self::Dead => End::Failed(Reason::UpstreamUnreachable),
        }
    }
}

/// The head of a final response.
pub(super) struct ReplyHead {
    pub(super) status: StatusCode,
    pub(super) fields: HeaderMap,
    /// The body is a stream of server-sent events.
    pub(super) event_stream: bool,
}

pub(super) struct Relay {
    worker: Arc<Worker>,
    upstream: Wire,
    body: Incoming,
    traits: Traits,
    stream: Stream,
    deadline: Deadline,
    watch: Watch,
    encoder: Encoder,
    upload_ended: bool,
    upload_broken: bool,
    download: Option<Decoder>,
    upstream_reusable: bool,
    interims: u32,
    heard: bool,
    tally: Tally,
    /// Set when the exchange is over and the connection can be used again.
    key: Option<String>,
}

impl Relay {
    pub(super) fn new(
        worker: Arc<Worker>,
        upstream: Wire,
        body: Incoming,
        traits: Traits,
        stream: Stream,
    ) -> Self {
        let pace = Pace::new(&worker.core().config.patience);
        let chunked = traits.framing == Framing::Chunked;
        Self {
            worker,
            upstream,
            body,
            stream,
            deadline: Deadline::after(traits.timeouts.response.to_std()),
            watch: Watch::new(pace),
            encoder: if chunked { Encoder::Chunked } else { Encoder::Plain },
            upload_ended: matches!(traits.framing, Framing::None | Framing::Length(0)),
            upload_broken: false,
            download: None,
            upstream_reusable: false,
            interims: 0,
            heard: false,
            tally: Tally::default(),
            key: None,
            traits,
        }
    }

    pub(super) fn tally(&self) -> Tally {
        self.tally
    }

    pub(super) fn is_durable(&self) -> bool {
        self.worker.core().config.durable
    }

    /// Sends the same head again, over another connection. That the last one took nothing more
    /// says nothing about this one.
    pub(super) fn retry_on(&mut self, mut wire: Wire) {
        wire.output.replace(self.upstream.output.recall());
        self.upstream = wire;
        self.upload_broken = false;
    }

    /// Where the upstream's connection goes back to at the end.
    pub(super) fn return_to(&mut self, key: &str) {
        self.key = Some(key.to_owned());
    }

    pub(super) fn response_ended(&self) -> bool {
        self.download.as_ref().is_some_and(Decoder::has_ended)
    }

    /// Gives the upstream's connection back, if it can carry another exchange.
    pub(super) fn settle(self) {
        let sent_whole = self.upload_ended && !self.upload_broken;
        if let (Some(key), true) = (&self.key, self.upstream_reusable && sent_whole) {
            self.worker.pool().check_in(key, self.upstream);
        }
    }

    /// Drives the exchange up to the head of the final response.
    pub(super) fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<ReplyHead, Fault>> {
        self.watch.wake();
        loop {
            let sent = self.poll_upload(cx)?;
            if let Some(head) = self.take_head()? {
                return Poll::Ready(Ok(head));
            }
            if !self.poll_fill(cx)? && !sent {
                return self.expire(cx).map(Err);
            }
        }
    }

    /// The next piece of the response's body; `None` = it is complete.
    pub(super) fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Fault>> {
        self.watch.wake();
        self.stream.taken();
        loop {
            let sent = self.poll_upload(cx)?;
            let Some(decoder) = &mut self.download else {
                return Poll::Ready(Err(Fault::Upstream(Reason::UpstreamInvalid)));
            };
            if decoder.has_ended() {
                return Poll::Ready(Ok(None));
            }
            let decoded = decoder.decode(self.upstream.input.bytes());
            let decoded = decoded.map_err(|_| Fault::Upstream(Reason::UpstreamInvalid))?;
            let consumed = decoded.consumed;
            let data = Bytes::copy_from_slice(decoded.data);
            self.upstream.input.consume(consumed);
            if !data.is_empty() {
                self.tally.bytes_out += data.len() as u64;
                self.moved();
                self.stream.offered();
                return Poll::Ready(Ok(Some(data)));
            }
            if consumed == 0 && !self.poll_fill(cx)? && !sent {
                return self.expire(cx).map(Err);
            }
        }
    }

    fn expire(&mut self, cx: &mut Context<'_>) -> Poll<Fault> {
        let sends = !self.upload_ended && !self.upload_broken;
        let wait = match (&self.download, self.upstream.is_drained()) {
            (Some(_), _) => Wait::UpstreamSends,
            (None, false) if !self.upload_broken => Wait::UpstreamTakes,
            (None, _) if sends => Wait::CallerSends,
            (None, _) => Wait::UpstreamAnswers,
        };
        ready!(self.watch.poll(&mut self.deadline, cx, wait, self.traits.timeouts));
        Poll::Ready(match wait {
            Wait::CallerSends | Wait::CallerTakes => Fault::Caller(Reason::RequestTimeout),
            _ => Fault::Upstream(Reason::UpstreamTimeout),
        })
    }

    fn moved(&mut self) {
        self.watch.moved();
        self.stream.moved();
    }

    /// Moves the request's body on. True when something moved.
    fn poll_upload(&mut self, cx: &mut Context<'_>) -> Result<bool, Fault> {
        let mut moved = false;
        while !self.upload_broken {
            if !self.upstream.is_drained() {
                match self.upstream.poll_drain(cx) {
                    Poll::Ready(Ok(())) => moved = true,
                    Poll::Ready(Err(_)) => self.upload_broken = true,
                    Poll::Pending => break,
                }
            }
            if self.upload_ended || !self.take_frame(cx)? {
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
            Poll::Pending => Ok(false),
            Poll::Ready(Some(Ok(frame))) => {
                // Anything but data are trailers, which end here.
                let data = frame.into_data().unwrap_or_default();
                self.tally.bytes_in += data.len() as u64;
                self.watch.progressed(data.len());
                if self.tally.bytes_in > self.worker.core().config.limits.body_bytes {
                    return Err(Fault::Caller(Reason::TooLarge));
                }
                self.encoder.write(&data, self.upstream.output.bytes_mut());
                self.check_length(false)?;
                Ok(true)
            }
            Poll::Ready(Some(Err(_))) => Err(Fault::Caller(Reason::Cancelled)),
            Poll::Ready(None) => {
                self.check_length(true)?;
                self.upload_ended = true;
                self.encoder.finish(self.upstream.output.bytes_mut());
                Ok(true)
            }
        }
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

    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Result<bool, Fault> {
        match self.upstream.poll_fill(cx) {
            Poll::Pending => Ok(false),
            Poll::Ready(Ok(count)) if count > 0 => {
                self.heard = true;
                self.moved();
                Ok(true)
            }
            Poll::Ready(ended) => match &mut self.download {
                Some(decoder) if decoder.ends_at_close() && ended.is_ok() => {
                    *decoder = Decoder::Ended;
                    Ok(true)
                }
                _ if self.heard => Err(Fault::Upstream(Reason::UpstreamInvalid)),
                _ => Err(Fault::Dead),
            },
        }
    }

    /// Reads past interim responses to the final head.
    fn take_head(&mut self) -> Result<Option<ReplyHead>, Fault> {
        loop {
            let mut space = field_space();
            let input = self.upstream.input.bytes();
            let head = response::read(input, self.traits.to_head, &mut space);
            let Some(head) = head.map_err(Fault::Upstream)? else { return Ok(None) };
            let consumed = head.bytes;
            let is_final = head.status >= 200;
            if head.status == 101 {
                return Err(Fault::Upstream(Reason::UpstreamInvalid));
            }
            let reply = ReplyHead {
                status: StatusCode::from_u16(head.status).unwrap_or_default(),
                fields: fields(&head),
                event_stream: head.judged.event_stream,
            };
            let framing = head.judged.framing;
            let keeps = head.judged.keep_alive && framing != Framing::UntilClose;
            self.upstream.input.consume(consumed);
            if is_final {
                self.tally.status = reply.status.as_u16();
                self.upstream_reusable = keeps;
                self.download = Some(Decoder::new(framing));
                return Ok(Some(reply));
            }
            self.interims += 1;
            if self.interims > INTERIMS_MAX {
                return Err(Fault::Upstream(Reason::UpstreamInvalid));
            }
        }
    }
}

fn fields(head: &response::ResponseHead<'_>) -> HeaderMap {
    let mut map = HeaderMap::with_capacity(head.fields.len() + 2);
    for (index, field) in head.fields.iter().enumerate() {
        let name = HeaderName::from_bytes(field.name.as_bytes());
        let value = HeaderValue::from_bytes(field.value);
        // Judged well-formed before; what the library still refuses does not travel.
        if let (true, Ok(name), Ok(value)) = (head.judged.travels(index), name, value) {
            map.append(name, value);
        }
    }
    if let Framing::Length(length) = head.judged.framing {
        map.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    map
}

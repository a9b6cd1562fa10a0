//! The upstream's side of an exchange over HTTP/1.1.

use std::task::{Context, Poll};

use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};
use traffic::Reason;
use traffic::headers::Framing;

use super::{Fault, Step};
use crate::gate::Worker;
use crate::h1::body::{Decoder, Encoder};
use crate::h1::exchange::INTERIMS_MAX;
use crate::h1::head::field_space;
use crate::h1::{response, trailers};
use crate::outflow::Outflow;
use crate::screen::is_about_the_whole;
use crate::stage::Traits;
use crate::upstream::passage::{Piece, ReplyHead};
use crate::wire::Wire;

pub(in crate::h2) struct Http1 {
    wire: Wire,
    /// Where the connection goes back to.
    key: String,
    to_head: bool,
    encoder: Encoder,
    is_broken: bool,
    download: Option<Decoder>,
    is_reusable: bool,
    interims: u32,
    heard: bool,
}

impl Http1 {
    /// Sends this head.
    pub(in crate::h2) fn new(mut wire: Wire, head: Vec<u8>, traits: Traits, key: &str) -> Self {
        wire.output.replace(head);
        let chunked = traits.framing == Framing::Chunked;
        Self {
            wire,
            key: key.to_owned(),
            to_head: traits.to_head,
            encoder: if chunked { Encoder::Chunked } else { Encoder::Plain },
            is_broken: false,
            download: None,
            is_reusable: false,
            interims: 0,
            heard: false,
        }
    }

    pub(super) fn recall(&mut self) -> Vec<u8> {
        self.wire.output.recall()
    }

    pub(super) fn takes_more(&self) -> bool {
        !self.is_broken && self.wire.is_drained()
    }

    pub(super) fn is_drained(&self) -> bool {
        self.wire.is_drained()
    }

    pub(super) fn is_broken(&self) -> bool {
        self.is_broken
    }

    pub(super) fn is_answered(&self) -> bool {
        self.download.is_some()
    }

    /// Trailers come after the last byte.
    pub(super) fn has_ended(&self) -> bool {
        let ended = |decoder: &Decoder| decoder.has_ended() && decoder.trailers().is_empty();
        self.download.as_ref().is_some_and(ended)
    }

    pub(super) fn push(&mut self, data: &[u8]) {
        self.encoder.write(data, self.wire.output.bytes_mut());
    }

    pub(super) fn finish(&mut self, trailers: Option<&HeaderMap>) {
        self.encoder.finish(trailers, self.wire.output.bytes_mut());
    }

    pub(super) fn poll_send(&mut self, cx: &mut Context<'_>) -> bool {
        if self.is_broken || self.wire.is_drained() {
            return false;
        }
        match self.wire.poll_drain(cx) {
            Poll::Pending => false,
            Poll::Ready(Ok(())) => true,
            Poll::Ready(Err(_)) => {
                self.is_broken = true;
                false
            }
        }
    }

    pub(super) fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        outflow: &mut Outflow,
    ) -> Result<Step<ReplyHead>, Fault> {
        match self.take_head(outflow)? {
            Some(head) => Ok(Step::Done(head)),
            None => self.poll_fill(cx),
        }
    }

    pub(super) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Result<Step<Piece>, Fault> {
        let invalid = Fault::Upstream(Reason::UpstreamInvalid);
        let decoder = self.download.as_mut().ok_or(invalid)?;
        if decoder.has_ended() {
            let trailers = trailers::read(decoder.trailers()).map_err(|_| invalid)?;
            return Ok(Step::Done(Piece::End(trailers)));
        }
        let decoded = decoder.decode(self.wire.input.bytes()).map_err(|_| invalid)?;
        let consumed = decoded.consumed;
        let data = Bytes::copy_from_slice(decoded.data);
        self.wire.input.consume(consumed);
        match consumed {
            _ if !data.is_empty() => Ok(Step::Done(Piece::Data(data))),
            0 => self.poll_fill(cx),
            _ => Ok(Step::Moved),
        }
    }

    fn poll_fill<T>(&mut self, cx: &mut Context<'_>) -> Result<Step<T>, Fault> {
        match self.wire.poll_fill(cx) {
            Poll::Pending => Ok(Step::Still),
            Poll::Ready(Ok(count)) if count > 0 => {
                self.heard = true;
                Ok(Step::Moved)
            }
            Poll::Ready(ended) => match &mut self.download {
                Some(decoder) if decoder.ends_at_close() && ended.is_ok() => {
                    decoder.end();
                    Ok(Step::Moved)
                }
                _ if self.heard => Err(Fault::Upstream(Reason::UpstreamInvalid)),
                _ => Err(Fault::Dead),
            },
        }
    }

    /// Reads past interim responses to the final head.
    fn take_head(&mut self, outflow: &mut Outflow) -> Result<Option<ReplyHead>, Fault> {
        loop {
            let mut space = field_space();
            let head = response::read(self.wire.input.bytes(), self.to_head, &mut space);
            let Some(head) = head.map_err(Fault::Upstream)? else { return Ok(None) };
            let consumed = head.bytes;
            let is_final = head.status >= 200;
            if head.status == 101 {
                return Err(Fault::Upstream(Reason::UpstreamInvalid));
            }
            let framing = head.judged.framing;
            let leaves = if is_final { outflow.open(&head)? } else { framing };
            let reply = ReplyHead {
                status: StatusCode::from_u16(head.status).unwrap_or_default(),
                fields: fields(&head, leaves, outflow.is_screened()),
                event_stream: head.judged.event_stream,
                length: match leaves {
                    Framing::Length(length) => Some(length),
                    _ => None,
                },
            };
            let keeps = head.judged.keep_alive && framing != Framing::UntilClose;
            self.wire.input.consume(consumed);
            if is_final {
                self.is_reusable = keeps;
                self.download = Some(Decoder::new(framing));
                return Ok(Some(reply));
            }
            self.interims += 1;
            if self.interims > INTERIMS_MAX {
                return Err(Fault::Upstream(Reason::UpstreamInvalid));
            }
        }
    }

    pub(super) fn settle(self, worker: &Worker, sent: bool) {
        if sent && self.is_reusable && !self.is_broken {
            worker.pool().check_in(&self.key, self.wire);
        }
    }
}

/// What the head says to the caller of a body that leaves with this framing.
fn fields(head: &response::ResponseHead<'_>, leaves: Framing, screened: bool) -> HeaderMap {
    let mut map = HeaderMap::with_capacity(head.fields.len() + 2);
    for (index, field) in head.fields.iter().enumerate() {
        let name = HeaderName::from_bytes(field.name.as_bytes());
        let value = HeaderValue::from_bytes(field.value);
        // Judged well-formed before; what the library still refuses does not travel.
        let travels = head.judged.travels(index) && !(screened && is_about_the_whole(field.name));
        if let (true, Ok(name), Ok(value)) = (travels, name, value) {
            map.append(name, value);
        }
    }
    if let Framing::Length(length) = leaves {
        map.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    map
}

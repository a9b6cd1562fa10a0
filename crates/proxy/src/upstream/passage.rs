//! One request and its answer on an HTTP/2 connection to an upstream. Takes no more of a body than
//! the upstream has room for, and lets it send no more than was passed on: who is slow slows the
//! other, whatever protocol the caller speaks.
//!
//! Dropped before its end, it resets its stream, so that the upstream stops too.

use std::task::{Context, Poll};

use bytes::Bytes;
use h2::client::ResponseFuture;
use h2::{RecvStream, SendStream};
use http::StatusCode;
use http::header::{CONTENT_LENGTH, HeaderMap, HeaderValue};
use httparse::Header;
use traffic::Reason;
use traffic::headers::{Framing, ResponseFields, Version};

use super::Upstream;
use super::head::Http2Head;
use super::lines::{Line, Seat, line};
use crate::gate::Worker;
use crate::h1::response::{ResponseHead, pairs};
use crate::h1::trailers;
use crate::outflow::{Outflow, Stop};
use crate::screen::is_about_the_whole;
use crate::stage::Traits;

/// Why a passage cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    /// The upstream has not seen the request, or nothing says that it has.
    Dead,
    Upstream(Reason),
    /// The caller may not see the answer, or nobody can tell.
    Withheld(Reason),
}

impl From<Stop> for Broken {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Invalid(reason) => Self::Upstream(reason),
            Stop::Withheld(reason) => Self::Withheld(reason),
        }
    }
}

/// The head of a final response.
#[derive(Debug)]
pub(crate) struct ReplyHead {
    pub(crate) status: StatusCode,
    pub(crate) fields: HeaderMap,
    /// The body is a stream of server-sent events.
    pub(crate) event_stream: bool,
    /// The length that is announced to the caller, of a body that it gets.
    pub(crate) length: Option<u64>,
}

/// What follows a head.
#[derive(Debug)]
pub(crate) enum Piece {
    Data(Bytes),
    /// The end, with the fields after the body.
    End(Option<HeaderMap>),
}

pub(crate) struct Passage {
    _seat: Seat,
    /// Kept while the request can be sent again as a whole.
    request: Option<Box<Http2Head>>,
    to_head: bool,
    sender: SendStream<Bytes>,
    /// Of the body, taken over and not sent yet.
    chunk: Bytes,
    /// What is to follow the chunk, when it is known to be the last one.
    last: Option<Option<HeaderMap>>,
    upload: Upload,
    download: Download,
    /// Passed on, and not given back to the upstream's window yet.
    unreleased: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Upload {
    Open,
    Sent,
    /// The upstream takes no more; its answer may still come.
    Broken,
}

enum Download {
    Head(ResponseFuture),
    Body(RecvStream),
    Ended,
}

/// Sends a head over a connection with room; and whether that had been used before. `fresh` = over
/// one that had not.
pub(crate) async fn open(
    worker: &Worker,
    upstream: &Upstream,
    traits: Traits,
    head: Box<Http2Head>,
    fresh: bool,
) -> Result<(Passage, bool), Reason> {
    let patience = traits.timeouts.connect.to_std();
    let is_whole = traits.is_bodiless();
    let taken = line(worker, upstream, patience, fresh).await?;
    let was_open = taken.was_open;
    let again = was_open.then(|| head.clone());
    match (Passage::open(taken, head, is_whole, traits.to_head).await, again) {
        (Ok(passage), _) => Ok((passage, was_open)),
        // The connection was about to end: nothing was sent, so anything can be sent again.
        (Err(_), Some(head)) => {
            let line = line(worker, upstream, patience, true).await?;
            let passage = Passage::open(line, head, is_whole, traits.to_head).await;
            passage.map(|passage| (passage, false)).map_err(|_| Reason::UpstreamUnreachable)
        }
        (Err(_), None) => Err(Reason::UpstreamUnreachable),
    }
}

impl Passage {
    /// Sends the head. `is_whole` = nothing follows it.
    async fn open(
        line: Line,
        head: Box<Http2Head>,
        is_whole: bool,
        to_head: bool,
    ) -> Result<Self, Broken> {
        let Line { sender, seat, .. } = line;
        let lost = |seat: &Seat| {
            seat.is_lost();
            Broken::Dead
        };
        let mut sender = sender.ready().await.map_err(|_| lost(&seat))?;
        let repeatable = is_whole.then(|| head.clone());
        let Http2Head { request, body } = *head;
        let (response, sender) = sender.send_request(request, is_whole).map_err(|_| lost(&seat))?;
        Ok(Self {
            _seat: seat,
            request: repeatable,
            to_head,
            sender,
            last: body.is_some().then_some(None),
            chunk: body.unwrap_or_default(),
            upload: if is_whole { Upload::Sent } else { Upload::Open },
            download: Download::Head(response),
            unreleased: 0,
        })
    }

    /// The head, to be sent again over another connection; only of a request without a body.
    pub(crate) fn recall(&mut self) -> Option<Box<Http2Head>> {
        self.request.take()
    }

    /// There is room for another piece of the body.
    pub(crate) fn takes_more(&self) -> bool {
        self.upload == Upload::Open && self.chunk.is_empty() && self.last.is_none()
    }

    /// The upstream has everything, or wants nothing more.
    pub(crate) fn is_drained(&self) -> bool {
        self.chunk.is_empty() && (self.last.is_none() || self.upload == Upload::Broken)
    }

    /// The upstream takes no more of the body.
    pub(crate) fn is_broken(&self) -> bool {
        self.upload == Upload::Broken
    }

    /// Takes over a piece of the body. To be asked for room before.
    pub(crate) fn push(&mut self, data: Bytes) {
        self.chunk = data;
    }

    /// What was pushed is the end of the body.
    pub(crate) fn finish(&mut self, trailers: Option<HeaderMap>) {
        self.last = Some(trailers);
    }

    /// Sends what was taken over, as far as the upstream has room. True when something moved.
    pub(crate) fn poll_send(&mut self, cx: &mut Context<'_>) -> bool {
        let mut moved = false;
        while self.upload == Upload::Open {
            let sent = match self.chunk.is_empty() {
                false => match self.poll_chunk(cx) {
                    Poll::Pending => break,
                    Poll::Ready(sent) => sent,
                },
                true => match self.last.take() {
                    None => break,
                    Some(trailers) => {
                        self.upload = Upload::Sent;
                        match trailers {
                            None => self.sender.send_data(Bytes::new(), true),
                            Some(trailers) => self.sender.send_trailers(trailers),
                        }
                    }
                },
            };
            moved = true;
            if sent.is_err() {
                self.upload = Upload::Broken;
                self.chunk = Bytes::new();
            }
        }
        moved
    }

    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), h2::Error>> {
        self.sender.reserve_capacity(self.chunk.len());
        while self.sender.capacity() == 0 {
            match self.sender.poll_capacity(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
                Poll::Ready(None) => {
                    return Poll::Ready(Err(h2::Reason::STREAM_CLOSED.into()));
                }
            }
        }
        let room = self.sender.capacity().min(self.chunk.len());
        let data = self.chunk.split_to(room);
        // An end that carries no trailers goes with the last bytes.
        let ends = self.chunk.is_empty() && matches!(self.last, Some(None));
        if ends {
            self.last = None;
            self.upload = Upload::Sent;
        }
        Poll::Ready(self.sender.send_data(data, ends))
    }

    /// The head of the final response, as it leaves by this way.
    pub(crate) fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        outflow: &mut Outflow,
    ) -> Poll<Result<ReplyHead, Broken>> {
        let Download::Head(response) = &mut self.download else {
            return Poll::Ready(Err(Broken::Upstream(Reason::UpstreamInvalid)));
        };
        let response = match std::pin::Pin::new(response).poll(cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Ok(response)) => response,
            Poll::Ready(Err(error)) => return Poll::Ready(Err(unanswered(&error))),
        };
        let (parts, body) = response.into_parts();
        let is_empty = body.is_end_stream();
        let head = self.judged(parts.status, &parts.headers, is_empty, outflow);
        self.download = match is_empty {
            true => Download::Ended,
            false => Download::Body(body),
        };
        Poll::Ready(head)
    }

    fn judged(
        &self,
        status: StatusCode,
        fields: &HeaderMap,
        is_empty: bool,
        outflow: &mut Outflow,
    ) -> Result<ReplyHead, Broken> {
        let list: Vec<Header<'_>> = fields
            .iter()
            .map(|(name, value)| Header { name: name.as_str(), value: value.as_bytes() })
            .collect();
        let judged =
            ResponseFields::judge(Version::Http2, status.as_u16(), self.to_head, pairs(&list));
        let mut judged = judged.map_err(Broken::Upstream)?;
        if is_empty {
            judged.framing = Framing::None;
        }
        let event_stream = judged.event_stream;
        let head =
            ResponseHead { status: status.as_u16(), phrase: "", fields: &list, judged, bytes: 0 };
        let framing = outflow.open(&head)?;
        let mut kept = HeaderMap::with_capacity(fields.len() + 2);
        for (index, (name, value)) in fields.iter().enumerate() {
            let outdated = outflow.is_screened() && is_about_the_whole(name.as_str());
            if head.judged.travels(index) && !outdated {
                kept.append(name, value.clone());
            }
        }
        let length = match framing {
            Framing::Length(length) => Some(length),
            _ => None,
        };
        if let Some(length) = length {
            kept.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        Ok(ReplyHead { status, fields: kept, event_stream, length })
    }

    /// What comes next of the response. What was handed out before counts as passed on.
    pub(crate) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<Piece, Broken>> {
        let Download::Body(body) = &mut self.download else {
            return Poll::Ready(Ok(Piece::End(None)));
        };
        if self.unreleased > 0 {
            // It fails only when the stream is gone, which the next read tells.
            let _ = body.flow_control().release_capacity(self.unreleased);
            self.unreleased = 0;
        }
        loop {
            match body.poll_data(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(data))) if data.is_empty() => {}
                Poll::Ready(Some(Ok(data))) => {
                    self.unreleased = data.len();
                    if body.is_end_stream() {
                        self.download = Download::Ended;
                    }
                    return Poll::Ready(Ok(Piece::Data(data)));
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(broken(&error))),
                Poll::Ready(None) => break,
            }
        }
        match body.poll_trailers(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(trailers)) => {
                self.download = Download::Ended;
                Poll::Ready(Ok(Piece::End(trailers.and_then(trailers::judged))))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(broken(&error))),
        }
    }

    /// Nothing of the response is still to come, no trailers either.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.download, Download::Ended)
    }

    /// The head of the response is there.
    pub(crate) fn is_answered(&self) -> bool {
        !matches!(self.download, Download::Head(_))
    }
}

/// A request without an answer: the connection is gone, the upstream says that it has not looked at
/// the request (RFC 9113 §8.7), or it broke it off.
fn unanswered(error: &h2::Error) -> Broken {
    let untouched = error.reason() == Some(h2::Reason::REFUSED_STREAM);
    if error.is_io() || (error.is_go_away() && error.is_remote()) || untouched {
        return Broken::Dead;
    }
    broken(error)
}

fn broken(error: &h2::Error) -> Broken {
    tracing::debug!(%error, "an upstream's stream broke");
    Broken::Upstream(Reason::UpstreamInvalid)
}

//! The upstream's side of an exchange: the two protocols behind one face.

use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::HeaderMap;

use super::{Fault, Http1};
use crate::gate::Worker;
use crate::outflow::Outflow;
use crate::upstream::head::Head;
use crate::upstream::passage::{Passage, Piece, ReplyHead};

/// The upstream's side.
pub(in crate::h2) enum Side {
    Http1(Box<Http1>),
    Http2(Box<Passage>),
}

/// What became of a step.
pub(in crate::h2) enum Step<T> {
    Done(T),
    /// Something was read, but not all that is needed.
    Moved,
    Still,
}

impl Side {
    /// What was sent, to be sent again over another connection. That this one took nothing more
    /// says nothing about another.
    pub(in crate::h2) fn recall(&mut self) -> Option<Head> {
        match self {
            Self::Http1(side) => Some(Head::Http1(side.recall())),
            Self::Http2(side) => side.recall().map(Head::Http2),
        }
    }

    pub(super) fn takes_more(&self) -> bool {
        match self {
            Self::Http1(side) => side.takes_more(),
            Self::Http2(side) => side.takes_more(),
        }
    }

    pub(super) fn is_drained(&self) -> bool {
        match self {
            Self::Http1(side) => side.is_drained(),
            Self::Http2(side) => side.is_drained(),
        }
    }

    /// The upstream takes no more of the body.
    pub(super) fn is_broken(&self) -> bool {
        match self {
            Self::Http1(side) => side.is_broken(),
            Self::Http2(side) => side.is_broken(),
        }
    }

    /// The head of the response is there.
    pub(super) fn is_answered(&self) -> bool {
        match self {
            Self::Http1(side) => side.is_answered(),
            Self::Http2(side) => side.is_answered(),
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        match self {
            Self::Http1(side) => side.has_ended(),
            Self::Http2(side) => side.has_ended(),
        }
    }

    pub(super) fn push(&mut self, data: Bytes) {
        match self {
            Self::Http1(side) => side.push(&data),
            Self::Http2(side) => side.push(data),
        }
    }

    pub(super) fn finish(&mut self, trailers: Option<HeaderMap>) {
        match self {
            Self::Http1(side) => side.finish(trailers.as_ref()),
            Self::Http2(side) => side.finish(trailers),
        }
    }

    pub(super) fn poll_send(&mut self, cx: &mut Context<'_>) -> bool {
        match self {
            Self::Http1(side) => side.poll_send(cx),
            Self::Http2(side) => side.poll_send(cx),
        }
    }

    pub(super) fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        outflow: &mut Outflow,
    ) -> Result<Step<ReplyHead>, Fault> {
        match self {
            Self::Http1(side) => side.poll_head(cx, outflow),
            Self::Http2(side) => step(side.poll_head(cx, outflow)),
        }
    }

    pub(super) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Result<Step<Piece>, Fault> {
        match self {
            Self::Http1(side) => side.poll_piece(cx),
            Self::Http2(side) => step(side.poll_piece(cx)),
        }
    }

    /// Gives the connection back, if it can carry another exchange. `sent` = all of the request was
    /// taken from its caller.
    pub(super) fn settle(self, worker: &Worker, sent: bool) {
        match self {
            Self::Http1(side) => side.settle(worker, sent),
            // The connection was never this exchange's alone.
            Self::Http2(_) => {}
        }
    }
}

fn step<T, E: Into<Fault>>(polled: Poll<Result<T, E>>) -> Result<Step<T>, Fault> {
    match polled {
        Poll::Pending => Ok(Step::Still),
        Poll::Ready(Ok(done)) => Ok(Step::Done(done)),
        Poll::Ready(Err(broken)) => Err(broken.into()),
    }
}

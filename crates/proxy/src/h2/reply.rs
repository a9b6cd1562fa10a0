//! The body of an answer over HTTP/2: a page of the gate's own, or a relayed response.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use super::relay::Relay;
use crate::recorder::RecordError;
use crate::stage::{Admitted, Answered, End, Lease};

type Recording = Pin<Box<dyn Future<Output = Result<(), RecordError>> + Send>>;

/// The answer broke off; the library resets the stream.
#[derive(Debug, thiserror::Error)]
#[error("the answer broke off")]
pub(super) struct BrokenOff;

/// The body of an answer.
pub(super) struct Reply(State);

enum State {
    Page(Bytes),
    Relayed(Box<Open>),
    /// The last bytes wait for the record.
    Recording(Recording, Option<Bytes>),
    Ended,
}

/// A relayed response that is not over. Dropped, it is recorded as cancelled.
struct Open {
    relay: Option<Relay>,
    admitted: Option<Admitted>,
    lease: Lease,
}

impl Reply {
    pub(super) fn page(body: Vec<u8>) -> Self {
        Self(State::Page(body.into()))
    }

    pub(super) fn relayed(mut relay: Relay, admitted: Admitted, lease: Lease) -> Self {
        relay.return_to(&admitted.upstream().key);
        let (relay, admitted) = (Some(relay), Some(admitted));
        Self(State::Relayed(Box::new(Open { relay, admitted, lease })))
    }
}

impl Open {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Step, BrokenOff>> {
        let (Some(relay), Some(admitted)) = (&mut self.relay, &self.admitted) else {
            return Poll::Ready(Err(BrokenOff));
        };
        if let Poll::Ready(reason) = self.lease.poll(cx, admitted) {
            self.close(End::Caller(reason));
            return Poll::Ready(Err(BrokenOff));
        }
        match ready!(relay.poll_data(cx)) {
            Ok(Some(data)) if relay.response_ended() => Poll::Ready(Ok(self.finish(Some(data)))),
            Ok(Some(data)) => Poll::Ready(Ok(Step::Data(data))),
            Ok(None) => Poll::Ready(Ok(self.finish(None))),
            Err(fault) => {
                self.close(fault.end());
                Poll::Ready(Err(BrokenOff))
            }
        }
    }

    fn finish(&mut self, last: Option<Bytes>) -> Step {
        let (Some(mut relay), Some(mut admitted)) = (self.relay.take(), self.admitted.take())
        else {
            return Step::Last(last);
        };
        admitted.note(relay.noticed());
        let answered = Answered::new(admitted, End::Complete, relay.tally());
        let is_durable = relay.is_durable();
        relay.settle();
        if is_durable {
            return Step::Record(Box::pin(answered.record_durably()), last);
        }
        answered.record();
        Step::Last(last)
    }

    fn close(&mut self, end: End) {
        if let (Some(mut relay), Some(mut admitted)) = (self.relay.take(), self.admitted.take()) {
            admitted.note(relay.noticed());
            Answered::new(admitted, end, relay.tally()).record();
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.close(End::Caller(traffic::Reason::Cancelled));
    }
}

enum Step {
    Data(Bytes),
    Last(Option<Bytes>),
    Record(Recording, Option<Bytes>),
}

impl Body for Reply {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let frame = |data: Option<Bytes>| Poll::Ready(data.map(|data| Ok(Frame::data(data))));
        loop {
            match &mut self.0 {
                State::Ended => return Poll::Ready(None),
                State::Page(bytes) => {
                    let bytes = std::mem::take(bytes);
                    self.0 = State::Ended;
                    return frame((!bytes.is_empty()).then_some(bytes));
                }
                State::Recording(recording, last) => {
                    let recorded = ready!(recording.as_mut().poll(cx));
                    let last = last.take();
                    self.0 = State::Ended;
                    if let Err(error) = recorded {
                        tracing::error!(%error, "the end of an answer was withheld");
                        return Poll::Ready(Some(Err(BrokenOff)));
                    }
                    return frame(last);
                }
                State::Relayed(open) => match ready!(open.poll(cx)) {
                    Ok(Step::Data(data)) => return frame(Some(data)),
                    Ok(Step::Last(last)) => {
                        self.0 = State::Ended;
                        return frame(last);
                    }
                    Ok(Step::Record(recording, last)) => {
                        self.0 = State::Recording(recording, last);
                    }
                    Err(broken) => {
                        self.0 = State::Ended;
                        return Poll::Ready(Some(Err(broken)));
                    }
                },
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            State::Ended => true,
            State::Page(bytes) => bytes.is_empty(),
            State::Relayed(_) | State::Recording(..) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            State::Page(bytes) => SizeHint::with_exact(bytes.len() as u64),
            _ => SizeHint::default(),
        }
    }
}

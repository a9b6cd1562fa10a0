//! The body of an answer over HTTP/2: a page of the gate's own, or a relayed response.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Wake, Waker, ready};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use http::header::{HeaderMap, HeaderValue};
use hyper::body::{Body, Frame, SizeHint};
use traffic::{Reason, grpc};

use super::relay::Relay;
use crate::recorder::RecordError;
use crate::stage::{Admitted, Answered, End, Lease, UnderWay};
use crate::upstream::passage::Piece;

type Recording = Pin<Box<dyn Future<Output = Result<(), RecordError>> + Send>>;

/// The answer broke off; the library resets the stream.
#[derive(Debug, thiserror::Error)]
#[error("the answer broke off")]
pub(super) struct BrokenOff;

/// The body of an answer.
pub(super) struct Reply(State);

enum State {
    Page(Bytes),
    Relayed(Relayed),
    /// The last frame waits for the record.
    Recording(Recording, Option<Frame<Bytes>>),
    Ended,
}

impl Reply {
    pub(super) fn page(body: Vec<u8>) -> Self {
        Self(State::Page(body.into()))
    }

    pub(super) fn relayed(relay: Relay, admitted: Admitted, lease: Lease) -> Self {
        Self(State::Relayed(Relayed::new(relay, admitted, lease)))
    }
}

/// A relayed response. Dropped before its end, it is recorded as cancelled.
struct Relayed(Arc<Held>);

/// Shared with whoever tells the request to end: the library asks for nothing more of an answer
/// whose caller does not take what it has, so the one who asks could not be told.
struct Held {
    open: Mutex<Open>,
    /// The library's task for this stream.
    task: AtomicWaker,
}

struct Open {
    /// Present until the answer is over.
    under_way: Option<(Relay, Admitted)>,
    lease: Lease,
    /// How a gRPC call that was broken off ends, where it can still be said.
    status: Option<HeaderMap>,
}

/// Woken when the request is told to end.
struct Closer(Weak<Held>);

impl Wake for Closer {
    fn wake(self: Arc<Self>) {
        if let Some(held) = self.0.upgrade() {
            held.open().end_as_told();
            held.task.wake();
        }
    }
}

impl Held {
    fn open(&self) -> MutexGuard<'_, Open> {
        // Nothing panics while it is held.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Relayed {
    fn new(relay: Relay, mut admitted: Admitted, lease: Lease) -> Self {
        let entry = Arc::clone(admitted.under_way().entry);
        let open = Mutex::new(Open { under_way: Some((relay, admitted)), lease, status: None });
        let held = Arc::new(Held { open, task: AtomicWaker::new() });
        entry.watch(Waker::from(Arc::new(Closer(Arc::downgrade(&held)))));
        Self(held)
    }

    fn poll(&self, cx: &mut Context<'_>) -> Poll<Result<Step, BrokenOff>> {
        self.0.task.register(cx.waker());
        self.0.open().poll(cx)
    }
}

impl Drop for Relayed {
    fn drop(&mut self) {
        let mut open = self.0.open();
        let by_force = open.under_way.as_mut().is_some_and(|(_, admitted)| {
            let UnderWay { core, .. } = admitted.under_way();
            core.ends_by_force()
        });
        open.close(End::Caller(if by_force { Reason::ShuttingDown } else { Reason::Cancelled }));
    }
}

impl Open {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Step, BrokenOff>> {
        let Some((relay, admitted)) = &mut self.under_way else {
            return Poll::Ready(self.broken_off());
        };
        let UnderWay { core, entry, .. } = admitted.under_way();
        if let Poll::Ready(reason) = self.lease.poll_unwatched(cx, entry, core) {
            self.close(End::Caller(reason));
            return Poll::Ready(self.broken_off());
        }
        match ready!(relay.poll_piece(cx)) {
            Ok(Piece::Data(data)) if relay.response_ended() => {
                Poll::Ready(Ok(self.finish(Some(Frame::data(data)))))
            }
            Ok(Piece::Data(data)) => Poll::Ready(Ok(Step::Data(data))),
            Ok(Piece::End(trailers)) => Poll::Ready(Ok(self.finish(trailers.map(Frame::trailers)))),
            Err(fault) => {
                self.close(fault.end());
                Poll::Ready(self.broken_off())
            }
        }
    }

    fn finish(&mut self, last: Option<Frame<Bytes>>) -> Step {
        let Some((mut relay, mut admitted)) = self.under_way.take() else {
            return Step::Last(last);
        };
        admitted.set_tally(relay.tally());
        admitted.note(relay.noticed());
        let answered = Answered::new(admitted, End::Complete);
        let is_durable = relay.is_durable();
        relay.settle();
        if is_durable {
            return Step::Record(Box::pin(answered.record_durably()), last);
        }
        answered.record();
        Step::Last(last)
    }

    fn end_as_told(&mut self) {
        let Some((_, admitted)) = &mut self.under_way else { return };
        if let Some(reason) = admitted.under_way().entry.must_end() {
            self.close(End::Caller(reason));
        }
    }

    fn close(&mut self, end: End) {
        if let Some((mut relay, mut admitted)) = self.under_way.take() {
            admitted.set_tally(relay.tally());
            admitted.note(relay.noticed());
            self.status = Some(end.reason()).filter(|_| admitted.traits().grpc).map(status);
            // Nothing passes any more when the record says so.
            drop(relay);
            Answered::new(admitted, end).record();
        }
    }

    /// A gRPC call is told why it ends; of anything else the missing end is all that can be said.
    fn broken_off(&mut self) -> Result<Step, BrokenOff> {
        let status = self.status.take().ok_or(BrokenOff)?;
        Ok(Step::Last(Some(Frame::trailers(status))))
    }
}

/// The status of a call that has begun and is broken off.
fn status(reason: Reason) -> HeaderMap {
    let mut fields = HeaderMap::with_capacity(2);
    fields.insert(grpc::STATUS, HeaderValue::from(u16::from(grpc::status_within(reason))));
    let message = grpc::message(reason, "The call was broken off.");
    if let Ok(message) = HeaderValue::from_str(&message) {
        fields.insert(grpc::MESSAGE, message);
    }
    fields
}

enum Step {
    Data(Bytes),
    Last(Option<Frame<Bytes>>),
    Record(Recording, Option<Frame<Bytes>>),
}

impl Body for Reply {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let frame = |frame: Option<Frame<Bytes>>| Poll::Ready(frame.map(Ok));
        loop {
            match &mut self.0 {
                State::Ended => return Poll::Ready(None),
                State::Page(bytes) => {
                    let bytes = std::mem::take(bytes);
                    self.0 = State::Ended;
                    return frame((!bytes.is_empty()).then(|| Frame::data(bytes)));
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
                State::Relayed(relayed) => match ready!(relayed.poll(cx)) {
                    Ok(Step::Data(data)) => return frame(Some(Frame::data(data))),
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

//! Reads a body over HTTP/2 before the decision, where the decision asks for it.

use std::pin::Pin;
use std::task::{Poll, ready};

use hyper::body::{Body, Incoming};
use traffic::Reason;

use crate::gate::Worker;
use crate::h1::exchange::pace::{Pace, Wait, Watch};
use crate::stage::Pending;
use crate::wire::Deadline;

/// Reads the whole body.
pub(super) async fn read(
    worker: &Worker,
    body: &mut Incoming,
    pending: &Pending,
) -> Result<Vec<u8>, Reason> {
    let config = &worker.core().config;
    let max = config.limits.judged_body_bytes;
    let mut watch = Watch::new(Pace::new(&config.patience));
    let mut deadline = Deadline::after(pending.timeouts.idle.to_std());
    let mut read = Vec::new();
    std::future::poll_fn(|cx| {
        watch.wake();
        loop {
            match Pin::new(&mut *body).poll_frame(cx) {
                Poll::Ready(None) => return Poll::Ready(Ok(())),
                Poll::Ready(Some(Err(_))) => return Poll::Ready(Err(Reason::Cancelled)),
                Poll::Ready(Some(Ok(frame))) => {
                    let data = frame.into_data().unwrap_or_default();
                    if read.len() + data.len() > max {
                        return Poll::Ready(Err(Reason::TooLarge));
                    }
                    read.extend_from_slice(&data);
                    watch.progressed(data.len());
                    watch.moved();
                }
                Poll::Pending => break,
            }
        }
        ready!(watch.poll(&mut deadline, cx, Wait::CallerSends, pending.timeouts));
        Poll::Ready(Err(Reason::RequestTimeout))
    })
    .await?;
    Ok(read)
}

//! How long a permission holds without being asked for again. A request is judged when it comes;
//! one that stays open (a WebSocket, an event stream, a long download) is judged again and again,
//! so that a revocation ends it too.

use std::task::{Context, Poll, ready};
use std::time::Duration;

use traffic::Reason;

use super::Admitted;
use crate::wire::Deadline;

/// How often. A revocation is to end what is open within a second.
const CONFIRM_EVERY: Duration = Duration::from_millis(500);

/// Watches the permission of one request after the other.
pub(crate) struct Lease(Deadline);

impl Lease {
    pub(crate) fn new() -> Self {
        Self(Deadline::after(CONFIRM_EVERY))
    }

    /// A request was permitted just now.
    pub(crate) fn renew(&mut self) {
        self.0.set(CONFIRM_EVERY);
    }

    /// Ready when the request has lost its permission, with the reason.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, admitted: &Admitted) -> Poll<Reason> {
        loop {
            ready!(self.0.poll(cx));
            if let Err(reason) = admitted.confirm() {
                return Poll::Ready(reason);
            }
            self.renew();
        }
    }
}

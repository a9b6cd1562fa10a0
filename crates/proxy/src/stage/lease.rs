//! How long a permission holds without being asked for again. A request is judged when it comes;
//! one that stays open (a WebSocket, an event stream, a long download) is told to end by the
//! publication that takes its permission away, and asks again by itself all the same: a grant that
//! runs out is no publication.

use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use traffic::Reason;

use crate::gate::Core;
use crate::streams::Entry;
use crate::wire::Deadline;

/// How often it asks by itself. What is open is to end within a second of its permission.
const CONFIRM_EVERY: Duration = Duration::from_millis(500);

/// Watches the permission of one request after the other.
pub(crate) struct Lease {
    asks: Deadline,
    /// Who is woken when the present request is told to end.
    watching: Option<Waker>,
}

impl Lease {
    pub(crate) fn new() -> Self {
        Self { asks: Deadline::after(CONFIRM_EVERY), watching: None }
    }

    /// A request was permitted just now.
    pub(crate) fn begin(&mut self) {
        self.asks.set(CONFIRM_EVERY);
        self.watching = None;
    }

    /// Ready when the request has lost its permission, with the reason.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        entry: &Entry,
        core: &Core,
    ) -> Poll<Reason> {
        let waker = cx.waker();
        if !self.watching.as_ref().is_some_and(|watching| watching.will_wake(waker)) {
            entry.watch(waker.clone());
            self.watching = Some(waker.clone());
        }
        self.poll_unwatched(cx, entry, core)
    }

    /// The same where somebody else is woken when the request is told to end.
    pub(crate) fn poll_unwatched(
        &mut self,
        cx: &mut Context<'_>,
        entry: &Entry,
        core: &Core,
    ) -> Poll<Reason> {
        if let Some(reason) = entry.must_end() {
            return Poll::Ready(reason);
        }
        loop {
            ready!(self.asks.poll(cx));
            if let Err(reason) = entry.confirm(&core.ruleset.load(), core.clock.now()) {
                return Poll::Ready(reason);
            }
            self.asks.set(CONFIRM_EVERY);
        }
    }
}

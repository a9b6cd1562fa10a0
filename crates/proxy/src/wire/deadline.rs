//! A timer that is cheap to push back: the common case, progress before the deadline, touches no
//! timer wheel. The timer fires at the old moment, sees the new one and sleeps on.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

pub(crate) struct Deadline {
    at: Instant,
    sleep: Pin<Box<Sleep>>,
}

impl Deadline {
    pub(crate) fn after(span: Duration) -> Self {
        let at = later(Instant::now(), span);
        Self { at, sleep: Box::pin(tokio::time::sleep_until(at)) }
    }

    /// Moves the deadline to `span` from now.
    pub(crate) fn set(&mut self, span: Duration) {
        self.at = later(Instant::now(), span);
        if self.at < self.sleep.deadline() {
            self.sleep.as_mut().reset(self.at);
        }
    }

    /// Ready when the deadline has passed.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.sleep.as_mut().poll(cx));
            if Instant::now() >= self.at {
                return Poll::Ready(());
            }
            self.sleep.as_mut().reset(self.at);
        }
    }
}

/// A span beyond what the clock can count waits a day, and then again.
fn later(now: Instant, span: Duration) -> Instant {
    const DAY: Duration = Duration::from_secs(86_400);
    now.checked_add(span).unwrap_or(now + DAY)
}

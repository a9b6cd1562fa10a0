//! A clock that can stand in the past: the demo's company came to be before its 90 days of calls,
//! through the same use cases as everything else.

use std::sync::atomic::{AtomicI64, Ordering};

use base::{Clock, Span, Timestamp};

use crate::system::SystemClock;

/// The machine's clock, minus a span.
#[derive(Debug, Default)]
pub(super) struct DemoClock {
    behind_us: AtomicI64,
}

impl DemoClock {
    /// That much behind the present.
    pub(super) fn behind(span: Span) -> Self {
        Self { behind_us: AtomicI64::new(span.as_micros()) }
    }

    /// From now on the present.
    pub(super) fn arrive(&self) {
        self.behind_us.store(0, Ordering::Relaxed);
    }
}

impl Clock for DemoClock {
    fn now(&self) -> Timestamp {
        SystemClock.now() - Span::from_micros(self.behind_us.load(Ordering::Relaxed))
    }
}

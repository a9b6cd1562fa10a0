//! How long an exchange may stand still, and how slowly a caller may go.

use std::task::{Context, Poll};
use std::time::Duration;

use catalog::Timeouts;
use tokio::time::Instant;

use crate::config::Patience;
use crate::wire::Deadline;

/// What an exchange waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    /// The caller to send more of the body.
    CallerSends,
    /// The caller to take the answer.
    CallerTakes,
    /// The upstream to take the request.
    UpstreamTakes,
    /// The upstream to begin its answer.
    UpstreamAnswers,
    /// The upstream to send more of its answer.
    UpstreamSends,
}

/// The least speed of a caller: it may lag so far behind so many bytes per second. Only the time
/// that the gate spends waiting for the caller counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    bytes_per_second: u32,
    lag: Duration,
    waited: Duration,
    bytes: u64,
}

impl Pace {
    pub(crate) fn new(patience: &Patience) -> Self {
        Self {
            bytes_per_second: patience.bytes_per_second.max(1),
            lag: patience.lag,
            waited: Duration::ZERO,
            bytes: 0,
        }
    }

    /// How much longer the caller may let the gate wait.
    fn left(&self) -> Duration {
        let earned = self.bytes / u64::from(self.bytes_per_second);
        (self.lag + Duration::from_secs(earned)).saturating_sub(self.waited)
    }
}

/// Watches the progress of one exchange.
pub(crate) struct Watch {
    pace: Pace,
    waiting: Option<(Wait, Instant)>,
    moved: bool,
}

impl Watch {
    pub(crate) fn new(pace: Pace) -> Self {
        Self { pace, waiting: None, moved: true }
    }

    /// The task runs again: time spent waiting for the caller is put to its account.
    pub(crate) fn wake(&mut self) {
        if let Some((Wait::CallerSends | Wait::CallerTakes, since)) = &mut self.waiting {
            let now = Instant::now();
            self.pace.waited += now.saturating_duration_since(*since);
            *since = now;
        }
    }

    /// Bytes moved.
    pub(crate) fn moved(&mut self) {
        self.moved = true;
    }

    /// The caller sent so many bytes, or took them.
    pub(crate) fn progressed(&mut self, count: usize) {
        self.pace.bytes += count as u64;
    }

    /// Ready when the exchange has stood still for too long, or the caller has gone too slowly.
    pub(crate) fn poll(
        &mut self,
        deadline: &mut Deadline,
        cx: &mut Context<'_>,
        wait: Wait,
        timeouts: Timeouts,
    ) -> Poll<()> {
        let continues = matches!(self.waiting, Some((before, _)) if before == wait);
        if !continues || self.moved {
            let span = match wait {
                Wait::CallerSends | Wait::CallerTakes => {
                    timeouts.idle.to_std().min(self.pace.left())
                }
                Wait::UpstreamAnswers => timeouts.response.to_std(),
                Wait::UpstreamTakes | Wait::UpstreamSends => timeouts.idle.to_std(),
            };
            deadline.set(span);
            self.waiting = Some((wait, Instant::now()));
            self.moved = false;
        }
        deadline.poll(cx)
    }
}

//! Rates by the generic cell rate algorithm: one moment of state per key, no windows, no bursts at
//! window edges.

use base::{Span, Timestamp};

/// So many events per second, with so many at once after a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    interval: Span,
    tolerance: Span,
}

impl Rate {
    /// `per_second` events a second on average, `burst` at once; each is at least one.
    pub fn new(per_second: u32, burst: u32) -> Self {
        let interval = 1_000_000 / i64::from(per_second.max(1));
        let tolerance = interval.saturating_mul(i64::from(burst.max(1)) - 1);
        Self { interval: Span::from_micros(interval), tolerance: Span::from_micros(tolerance) }
    }

    /// One more event at `now`, given the state after the last one ([`Timestamp::MIN`] at first):
    /// the next state, or how long to wait.
    pub fn step(self, state: Timestamp, now: Timestamp) -> Result<Timestamp, Span> {
        let due = state.max(now);
        let ahead = due.since(now);
        if ahead > self.tolerance {
            return Err(Span::from_micros(ahead.as_micros() - self.tolerance.as_micros()));
        }
        Ok(due + self.interval)
    }

    /// Whether a key with this state could as well be forgotten at `now`.
    pub fn is_spent(state: Timestamp, now: Timestamp) -> bool {
        state <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_the_next_event_waits_exactly_as_long_as_told() {
        let rate = Rate::new(10, 3);
        let now = Timestamp::from_secs(1_000);
        let mut state = Timestamp::MIN;
        for _ in 0..3 {
            state = rate.step(state, now).unwrap();
        }
        let wait = rate.step(state, now).unwrap_err();
        assert_eq!(wait, Span::from_millis(100));
        assert!(rate.step(state, now + wait - Span::from_micros(1)).is_err());
        assert!(rate.step(state, now + wait).is_ok());
    }

    #[test]
    fn over_time_no_more_passes_than_the_rate_and_one_burst() {
        let rate = Rate::new(50, 5);
        let (mut state, mut passed) = (Timestamp::MIN, 0);
        for micros in (0..2_000_000).step_by(1_000) {
            if let Ok(next) = rate.step(state, Timestamp::from_micros(micros)) {
                state = next;
                passed += 1;
            }
        }
        assert_eq!(passed, 2 * 50 + 5 - 1);
    }

    #[test]
    fn a_clock_that_steps_back_refuses_and_does_not_refill() {
        let rate = Rate::new(1, 1);
        let state = rate.step(Timestamp::MIN, Timestamp::from_secs(100)).unwrap();
        assert!(rate.step(state, Timestamp::from_secs(90)).is_err());
    }
}
